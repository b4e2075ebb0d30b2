"""
The exchange of openings: what happens on a fresh connection before it is a
channel.

A L{Greeting} owns a connected socket until the peer's opening has been read,
and not one byte more.  It knows neither what an opening looks like (that is
its L{Codec}) nor what comes of it.  The connecting side speaks first::

    greeting = Greeting(reactor, connected, codec, first=ours.encode())
    theirs = await greeting.exchange()      # fails, or is cancelled: all is closed
    channel = ... greeting.release() ...

and the listening side, which L{transports._listening.StreamListener} leads this
far, answers::

    theirs = await greeting.exchange()
    greeting.say(answer.encode())

Two things can be had besides:

  - B{A handshake before the openings} (TLS): a subclass that overrides
    L{Greeting._prepare}, and C{_receive} and C{_send} where the socket's own are
    not enough.
  - B{Descriptors with the openings} (shared memory, on a Unix socket): the codec
    says how many the peer may send (C{most_descriptors}).  They arrive
    close-on-exec in C{greeting.descriptors}, which L{Greeting.takeDescriptors}
    hands over; those that nobody took are closed by L{Greeting.giveUp} and on
    every failure.  Ours go out with the first byte of C{first}
    (C{first_descriptors}) or of L{Greeting.say}, and stay ours to close.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from transports.errors import CannotConnect, ChannelCorrupt, TransportError

#: Seconds that a peer may take for its opening, and for all that precedes it.
OPENING_DEADLINE = 5.0

#: Descriptors that arrive are close-on-exec from the first instant, where the system can.
_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

T = TypeVar("T")


@attrs.frozen
class Codec(Generic[T]):
    """
    What an opening looks like.
    """

    #: Bytes of an opening.
    size: int
    #: Given what has arrived so far, gives the opening, or C{None} while it is
    #: incomplete; raises L{ChannelCorrupt} as soon as it cannot become one.
    check: Callable[[bytes], T | None]
    #: Descriptors that the peer may send with its opening.
    most_descriptors: int = 0


class Wait(Enum):
    """
    What must happen to the socket before there can be progress.
    """

    NOTHING = "nothing"
    READABLE = "readable"
    WRITABLE = "writable"


@implementer(IReadWriteDescriptor)
class Greeting(Generic[T]):
    """
    A connected socket until the peer's opening has been read.

    @ivar socket: the socket; a handshake may replace it by a wrapper.
    @ivar descriptors: what the peer sent and nobody has taken.
    """

    def __init__(
        self,
        reactor: Any,
        connected: socket.socket,
        codec: Codec[T],
        *,
        first: bytes = b"",
        first_descriptors: Sequence[int] = (),
    ) -> None:
        """
        @param reactor: provides C{IReactorTime} and C{IReactorFDSet}.
        @param connected: a non-blocking stream socket; it belongs to the
            greeting from now on.
        @param codec: what the peer's opening looks like.
        @param first: our opening, if ours is the side that speaks first.
        @param first_descriptors: what goes with it; these stay the caller's.
        """
        self.socket = connected
        self.descriptors: list[int] = []
        self._reactor = reactor
        self._codec = codec
        self._first = first
        self._first_descriptors = tuple(first_descriptors)
        self._data = b""
        self._prepared = False
        self._deadline: IDelayedCall | None = None
        self._result: Deferred[T] | None = None

    # What a handshake before the openings changes

    def _prepare(self) -> Wait:
        """
        Go on with what precedes the openings.  Called again when what it waits
        for has happened.

        @return: what to wait for; L{Wait.NOTHING} when it is done.
        @raise TransportError: it failed; the message says why.
        """
        return Wait.NOTHING

    def _receive(self, size: int) -> bytes | None:
        """
        Take up to C{size} bytes from the socket.

        @return: C{b""} when the peer has hung up, C{None} when nothing is there.
        @raise TransportError: the peer has said why it hangs up, or sent what
            it must not.
        """
        try:
            if self._codec.most_descriptors:
                return self._receiveWithDescriptors(size)
            return self.socket.recv(size)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def _send(self, data: bytes, descriptors: Sequence[int]) -> int:
        """
        Give the socket C{data}, and C{descriptors} with the first byte of it.

        @return: how many bytes it took.
        @raise OSError: none, and never again.
        """
        if descriptors:
            return socket.send_fds(self.socket, [data], list(descriptors))
        return self.socket.send(data)

    # The exchange

    def exchange(self) -> Deferred[T]:
        """
        Say what is to be said first, and wait for the peer's opening.

        @return: fires with the opening; the socket is not watched any more
            then, and still belongs to the greeting.  Cancelling it hangs up.
        @raise CannotConnect: (as a failure) the peer hung up or was too slow.
        @raise ChannelCorrupt: (as a failure) what it said is no opening.
        """
        result: Deferred[T] = Deferred(lambda _: self.giveUp())
        self._result = result
        self._deadline = self._reactor.callLater(OPENING_DEADLINE, self._late)
        self._advance()
        return result

    def say(self, opening: bytes, descriptors: Sequence[int] = ()) -> bool:
        """
        Say our opening.

        @return: whether the socket took it; a fresh one has room for it.
        """
        try:
            return self._send(opening, descriptors) == len(opening)
        except OSError:
            return False

    def release(self) -> socket.socket:
        """
        Hand the socket over; it is not watched any more.
        """
        self._rest()
        return self.socket

    def takeDescriptors(self) -> list[int]:
        """
        Hand over the descriptors that came with the peer's opening.
        """
        descriptors, self.descriptors = self.descriptors, []
        return descriptors

    def giveUp(self) -> None:
        """
        Hang up, and close what nobody took.
        """
        self._result = None
        self._rest()
        self.socket.close()
        for each in self.takeDescriptors():
            os.close(each)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self.socket.fileno() >= 0:
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)

    def _late(self) -> None:
        self._deadline = None
        self._fail(CannotConnect(f"the peer did not speak for {OPENING_DEADLINE} seconds"))

    def _fail(self, error: TransportError) -> None:
        result = self._result
        self.giveUp()
        if result is not None:
            result.errback(error)

    def _advance(self) -> None:
        """
        Go as far as the socket lets us.
        """
        if self._result is None:
            return
        try:
            if not self._prepared:
                wait = self._prepare()
                if wait is not Wait.NOTHING:
                    self._watch(wait)
                    return
                self._prepared = True
                self._watch(Wait.READABLE)
                if self._first and not self.say(self._first, self._first_descriptors):
                    # It may have said why before it hung up.
                    self._receive(self._codec.size)
                    raise CannotConnect("the peer hung up")
            else:
                self._read()
        except TransportError as error:
            self._fail(error)

    def _watch(self, wait: Wait) -> None:
        if wait is Wait.WRITABLE:
            self._reactor.removeReader(self)
            self._reactor.addWriter(self)
        else:
            self._reactor.removeWriter(self)
            self._reactor.addReader(self)

    def _read(self) -> None:
        data = self._receive(self._codec.size - len(self._data))
        if data is None:
            return
        if not data:
            raise CannotConnect("the peer hung up")
        self._data += data
        opening = self._codec.check(self._data)
        if opening is None:
            return
        self._rest()
        result, self._result = self._result, None
        assert result is not None
        result.callback(opening)

    def _receiveWithDescriptors(self, size: int) -> bytes:
        most = self._codec.most_descriptors
        data, descriptors, flags, _ = socket.recv_fds(self.socket, size, most, _CLOEXEC)
        self.descriptors += descriptors
        if not _CLOEXEC:
            for each in descriptors:
                os.set_inheritable(each, False)
        if flags & socket.MSG_CTRUNC or len(self.descriptors) > most:
            raise ChannelCorrupt(f"the peer sent more than {most} descriptors with its opening")
        return data

    # IReadWriteDescriptor

    def doRead(self) -> None:
        """
        The peer has spoken, or is gone.
        """
        self._advance()

    def doWrite(self) -> None:
        """
        The socket takes what the handshake has to say.
        """
        self._advance()

    def fileno(self) -> int:
        """
        The number of the socket; -1 when it is closed.
        """
        return self.socket.fileno()

    def logPrefix(self) -> str:
        """
        What the reactor calls this in the log.
        """
        return "opening of a channel"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has found the socket broken, or is being stopped.
        """
        self._fail(CannotConnect("the peer hung up"))
