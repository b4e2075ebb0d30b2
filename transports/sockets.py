"""
Channels over stream sockets; in this version Unix sockets, C{unix:PATH}.

Both ends must run as the same user, which the kernel vouches for.  Frames are
described in L{transports._framing}, the channel itself is
L{transports._socketchannel.SocketChannel}.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from transports._framing import OPENING_SIZE, Opening, checkOpening
from transports._place import closePlace, isTrusted, openPlace, peerUid
from transports._socketchannel import SocketChannel
from transports.errors import CannotConnect, ChannelCorrupt, LimitsMismatch, TransportError
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits

#: Seconds that a peer may take for its opening.
OPENING_DEADLINE = 5.0

#: Connections that may be at their opening at once; further ones are hung up on.
MOST_OPENINGS = 64

#: Seconds that a listener rests when the process has run out of descriptors.
_REST = 1.0

_UNKNOWN = -1

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@implementer(IReadDescriptor)
class _Greeting:
    """
    A connected socket until the peer's opening has been read, and not one byte
    more.

    Calls C{opened} or C{failed}, once, unless it is given up.
    """

    def __init__(
        self,
        reactor: Any,
        connected: socket.socket,
        opened: Callable[[_Greeting, Opening], None],
        failed: Callable[[_Greeting, TransportError], None],
    ) -> None:
        self.socket = connected
        self._reactor = reactor
        self._opened = opened
        self._failed = failed
        self._data = b""
        self._deadline: IDelayedCall | None = reactor.callLater(OPENING_DEADLINE, self._late)
        reactor.addReader(self)

    def say(self, opening: Opening) -> bool:
        """
        Say our opening.

        @return: whether the socket took it; a fresh one has room for it.
        """
        data = opening.encode()
        try:
            return self.socket.send(data) == len(data)
        except OSError:
            return False

    def release(self) -> socket.socket:
        """
        Stop watching the socket, and hand it over.
        """
        self._reactor.removeReader(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        return self.socket

    def giveUp(self) -> None:
        """
        Hang up.
        """
        self.release().close()

    def _late(self) -> None:
        self._deadline = None
        self._fail(CannotConnect(f"the peer did not speak for {OPENING_DEADLINE} seconds"))

    def _fail(self, error: TransportError) -> None:
        self.giveUp()
        self._failed(self, error)

    def doRead(self) -> None:
        """
        The peer has spoken, or is gone.
        """
        try:
            data = self.socket.recv(OPENING_SIZE - len(self._data))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._fail(CannotConnect("the peer hung up"))
            return
        self._data += data
        try:
            opening = checkOpening(self._data)
        except ChannelCorrupt as error:
            self._fail(error)
            return
        if opening is not None:
            self.release()
            self._opened(self, opening)

    def fileno(self) -> int:
        """
        The number of the socket.
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


@implementer(IReadDescriptor, IListener)
class UnixListener:
    """
    The open place of a L{UnixTransport}.
    """

    _log = Logger()

    def __init__(self, transport: UnixTransport, accept: Callable[[IChannel], IReceiver]) -> None:
        """
        @param accept: see L{ITransport.listen<transports.interfaces.ITransport>}.
        @raise CannotListen: see there.
        """
        self._transport = transport
        self._accept = accept
        self._reactor = transport.reactor
        self._socket, self._identity = openPlace(transport.path)
        self._greetings: set[_Greeting] = set()
        self._resting: IDelayedCall | None = None
        self._open = True
        self._reactor.addReader(self)

    def stopListening(self) -> Deferred[None]:
        """
        See L{IListener.stopListening<transports.interfaces.IListener>}.
        """
        if self._open:
            self._open = False
            self._reactor.removeReader(self)
            if self._resting is not None:
                self._resting.cancel()
                self._resting = None
            closePlace(self._transport.path, self._identity)
            self._socket.close()
            greetings, self._greetings = self._greetings, set()
            for greeting in greetings:
                greeting.giveUp()
        return succeed(None)

    def doRead(self) -> None:
        """
        Somebody has connected.
        """
        try:
            connected, _ = self._socket.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._log.error(
                    "{place}: cannot accept a connection: {why}",
                    place=self._transport.description,
                    why=error.strerror,
                )
                self._reactor.removeReader(self)
                self._resting = self._reactor.callLater(_REST, self._goOn)
            return
        connected.setblocking(False)
        try:
            uid = self._transport.peerUid(connected)
        except OSError:
            uid = _UNKNOWN
        if not isTrusted(uid):
            self._refuse("the peer is gone" if uid == _UNKNOWN else f"the peer runs as user {uid}")
            connected.close()
        elif len(self._greetings) >= MOST_OPENINGS:
            self._refuse(f"{MOST_OPENINGS} connections have not spoken yet")
            connected.close()
        else:
            self._greetings.add(_Greeting(self._reactor, connected, self._opened, self._failed))

    def _goOn(self) -> None:
        self._resting = None
        self._reactor.addReader(self)

    def _refuse(self, why: str) -> None:
        self._log.warn("{place}: a connection was refused: {why}", place=self._transport.description, why=why)

    def _failed(self, greeting: _Greeting, error: TransportError) -> None:
        self._greetings.discard(greeting)
        self._refuse(str(error))

    def _opened(self, greeting: _Greeting, theirs: Opening) -> None:
        self._greetings.discard(greeting)
        limits = self._transport.limits
        said = greeting.say(Opening(limits.block_size, limits.capacity, theirs.epoch))
        mismatch = theirs.mismatch(self._transport.description, limits)
        if mismatch is not None or not said:
            self._refuse(mismatch or "the peer hung up")
            greeting.giveUp()
            return
        channel = self._transport.makeChannel(greeting.socket, theirs.epoch)
        try:
            receiver = self._accept(channel)
        except Exception:
            self._log.failure("a channel of {place} was not accepted", place=self._transport.description)
            channel.abort()
            return
        channel._start(receiver)

    def fileno(self) -> int:
        """
        The number of the listening socket; -1 when it is closed.
        """
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """
        What the reactor calls this in the log.
        """
        return f"listener {self._transport.description}"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor is being stopped.
        """
        self.stopListening()


@implementer(ITransport)
class UnixTransport:
    """
    The transport of C{unix:PATH}.

    @ivar description: see L{ITransport<transports.interfaces.ITransport>}.
    @ivar limits: see L{ITransport<transports.interfaces.ITransport>}.
    @ivar crosses_processes: C{True}.
    @ivar path: where the socket is.
    @ivar reactor: the reactor in use.
    """

    channel_class: type[SocketChannel] = SocketChannel
    crosses_processes = True

    #: Replaceable, for tests.
    peerUid = staticmethod(peerUid)

    def __init__(self, reactor: Any, path: str, limits: Limits | None = None) -> None:
        """
        @param reactor: provides C{IReactorTime} and C{IReactorFDSet}.
        @param path: where the socket is, at most
            L{LONGEST_PATH<transports._place.LONGEST_PATH>} bytes.
        @param limits: the size of each queue.
        """
        self.reactor = reactor
        self.path = path
        self.limits = Limits() if limits is None else limits
        self.description = f"unix:{path}"

    def makeChannel(self, connected: socket.socket, epoch: int) -> SocketChannel:
        """
        Make this end's channel once both openings have been exchanged.
        """
        return self.channel_class(self.reactor, self.limits, self.description, connected, epoch)

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        return maybeDeferred(UnixListener, self, accept)

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect<transports.interfaces.ITransport>}.
        Cancelling it hangs up.
        """
        return maybeDeferred(self._connect, receiver)

    def _connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.setblocking(False)
            connected.connect(self.path)
            uid = self.peerUid(connected)
        except OSError as error:
            connected.close()
            why = "nobody listens there" if error.errno in _NOBODY else error.strerror or str(error)
            raise CannotConnect(f"cannot connect to {self.description}: {why}") from error
        if not isTrusted(uid):
            connected.close()
            raise CannotConnect(
                f"cannot connect to {self.description}: the listener runs as user {uid}, not {os.geteuid()}"
            )
        epoch = secrets.randbits(64)
        result: Deferred[IChannel] = Deferred(lambda _: greeting.giveUp())

        def opened(greeting: _Greeting, theirs: Opening) -> None:
            mismatch = theirs.mismatch(self.description, self.limits)
            if mismatch is not None:
                greeting.giveUp()
                result.errback(LimitsMismatch(mismatch))
            elif theirs.epoch != epoch:
                greeting.giveUp()
                failed(greeting, ChannelCorrupt("its opening answers another one (wrong epoch)"))
            else:
                channel = self.makeChannel(greeting.socket, epoch)
                result.callback(channel)
                channel._start(receiver)

        def failed(greeting: _Greeting, error: TransportError) -> None:
            result.errback(CannotConnect(f"cannot connect to {self.description}: {error}"))

        greeting = _Greeting(self.reactor, connected, opened, failed)
        if not greeting.say(Opening(self.limits.block_size, self.limits.capacity, epoch)):
            greeting.giveUp()
            failed(greeting, CannotConnect("the peer hung up"))
        return result


_NOBODY = (errno.ENOENT, errno.ECONNREFUSED)
