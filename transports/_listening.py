"""
The accept loop of the transports that listen on a stream socket.

A L{StreamListener} accepts connections, bounds how many may be at their
opening, and leads each through its greeting to the C{accept} callback of
L{ITransport.listen<transports.interfaces.ITransport>}.  A transport supplies
the rest by a subclass:

  - L{StreamListener._screen}: who is not even greeted;
  - L{StreamListener._greet}: the greeting, with its codec and its handshake;
  - L{StreamListener._welcome}: the answer to the peer's opening, and the channel
    that comes of it;
  - L{StreamListener._closed}: what goes when nobody listens any more.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any, Generic

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from transports._channel import BaseChannel
from transports._opening import Greeting, T
from transports.errors import TransportError
from transports.interfaces import IChannel, IListener, IReceiver

#: Connections that may be at their opening at once; further ones are hung up on.
MOST_OPENINGS = 64

#: Seconds that a listener rests when the process has run out of descriptors.
_REST = 1.0

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@implementer(IReadDescriptor, IListener)
class StreamListener(Generic[T]):
    """
    An open place: a listening socket and those who are at their opening.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        place: str,
        listening: socket.socket,
        accept: Callable[[IChannel], IReceiver],
    ) -> None:
        """
        @param reactor: provides C{IReactorTime} and C{IReactorFDSet}.
        @param place: the transport's description, for the log.
        @param listening: a non-blocking listening socket; it belongs to the
            listener from now on.
        @param accept: see L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        self._reactor = reactor
        self._place = place
        self._socket = listening
        self._accept = accept
        self._openings: set[Deferred[None]] = set()
        self._resting: IDelayedCall | None = None
        self._open = True
        reactor.addReader(self)

    # What the transport supplies

    def _screen(self, connected: socket.socket) -> str | None:
        """
        Look at who has connected, before a byte is exchanged.

        @return: why it is hung up on, or C{None} if it may speak.
        """
        return None

    def _greet(self, connected: socket.socket) -> Greeting[T]:
        """
        Make the greeting of a connection.  The listening side does not speak first.
        """
        raise NotImplementedError

    def _welcome(self, greeting: Greeting[T], theirs: T) -> BaseChannel:
        """
        Answer the peer's opening and make the channel, which takes over
        C{greeting.release()} and C{greeting.takeDescriptors()}.

        @raise TransportError: no channel comes of it, and why, for the log;
            what the greeting still has is closed.
        """
        raise NotImplementedError

    def _closed(self) -> None:
        """
        Nobody listens any more; the listening socket is about to be closed.
        """

    # The rest is the same for all

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
            self._closed()
            self._socket.close()
            for opening in tuple(self._openings):
                opening.cancel()
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
                    "{place}: cannot accept a connection: {why}", place=self._place, why=error.strerror
                )
                self._reactor.removeReader(self)
                self._resting = self._reactor.callLater(_REST, self._goOn)
            return
        connected.setblocking(False)
        why = self._screen(connected)
        if why is None and len(self._openings) >= MOST_OPENINGS:
            why = f"{MOST_OPENINGS} connections have not spoken yet"
        if why is not None:
            self._refuse(why)
            connected.close()
            return
        opening = Deferred.fromCoroutine(self._lead(self._greet(connected)))
        if not opening.called:
            self._openings.add(opening)
            opening.addCallback(lambda _: self._openings.discard(opening))

    def _goOn(self) -> None:
        self._resting = None
        self._reactor.addReader(self)

    def _refuse(self, why: str) -> None:
        self._log.warn("{place}: a connection was refused: {why}", place=self._place, why=why)

    async def _lead(self, greeting: Greeting[T]) -> None:
        """
        Lead a connection to its channel.
        """
        try:
            channel = self._welcome(greeting, await greeting.exchange())
        except CancelledError:
            return
        except TransportError as error:
            greeting.giveUp()
            self._refuse(str(error))
            return
        except Exception:
            greeting.giveUp()
            self._log.failure("an opening at {place} failed", place=self._place)
            return
        try:
            receiver = self._accept(channel)
        except Exception:
            self._log.failure("a channel of {place} was not accepted", place=self._place)
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
        return f"listener {self._place}"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor is being stopped.
        """
        self.stopListening()
