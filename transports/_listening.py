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
from transports._deaf import Deaf
from transports._opening import Greeting, T
from transports.errors import TransportError
from transports.interfaces import IChannel, IListener, IReceiver

#: Connections that may be at their opening at once; further ones are hung up on.
MOST_OPENINGS = 64

#: Seconds that a listener rests when the process has run out of descriptors.
_REST = 1.0

#: Refused connections that are logged one by one in L{_TELL_PERIOD} seconds;
#: further ones are counted.
_TELL_MOST = 10

#: Seconds.
_TELL_PERIOD = 60.0

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Refusals:
    """
    Logs which connections a listener refuses, but not so many that a peer could
    fill the log with them.
    """

    _log = Logger()

    def __init__(self, place: str, seconds: Callable[[], float]) -> None:
        """
        @param place: the transport's description.
        @param seconds: the clock.
        """
        self._place = place
        self._seconds = seconds
        self._since = seconds()
        self._told = 0
        self._untold = 0

    def note(self, why: str) -> None:
        """
        A connection has been refused.
        """
        if self._seconds() - self._since >= _TELL_PERIOD:
            self.sumUp()
            self._since = self._seconds()
            self._told = 0
        self._told += 1
        if self._told > _TELL_MOST:
            self._untold += 1
            return
        self._log.warn("{place}: a connection was refused: {why}", place=self._place, why=why)
        if self._told == _TELL_MOST:
            self._log.warn(
                "{place}: further ones are only counted for {seconds:.0f} seconds",
                place=self._place,
                seconds=max(0.0, self._since + _TELL_PERIOD - self._seconds()),
            )

    def sumUp(self) -> None:
        """
        Log how many were not logged, if there were any.
        """
        if self._untold:
            self._log.warn(
                "{place}: {count} more connections were refused", place=self._place, count=self._untold
            )
            self._untold = 0


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
        self._refusals = Refusals(place, reactor.seconds)
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
            self._refusals.sumUp()
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
            self._refusals.note(why)
            connected.close()
            return
        opening = Deferred.fromCoroutine(self._lead(self._greet(connected)))
        if not opening.called:
            self._openings.add(opening)
            opening.addCallback(lambda _: self._openings.discard(opening))

    def _goOn(self) -> None:
        self._resting = None
        self._reactor.addReader(self)

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
            self._refusals.note(str(error))
            return
        except Exception:
            greeting.giveUp()
            self._log.failure("an opening at {place} failed", place=self._place)
            return
        try:
            receiver = self._accept(channel)
        except Exception:
            self._log.failure("a channel of {place} was not accepted", place=self._place)
            channel._start(Deaf())
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
