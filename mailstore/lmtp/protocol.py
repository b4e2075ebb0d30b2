"""
Sessions on Twisted: the only module of this package that knows a reactor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from mailstore.interfaces import IStore
from mailstore.lmtp.courier import Addressing, Courier
from mailstore.lmtp.limits import LmtpLimits
from mailstore.lmtp.replies import Reply
from mailstore.lmtp.session import Session, SessionOver

#: Seconds that the last bytes have to reach a client whose connection is being closed.
_LINGER = 10.0

#: Seconds that deliveries have to end when the server stops.
_GRACE = 5.0

_TOO_SLOW = Reply(421, "4.4.2", "What was written was not read for too long")


@implementer(IPushProducer)
class LmtpProtocol(Protocol):
    """
    The link of one session, with back-pressure both ways.

    It is a push producer to its own transport only to be told when the client does not read.
    """

    def __init__(self, address: IAddress | None, factory: LmtpFactory) -> None:
        self.peer = str(getattr(address, "host", "") or "")
        self.session = Session(factory.courier, self)
        self._factory = factory
        self._limits = factory.courier.limits
        self._waiting: Deferred[bool] | None = None
        self._draining: Deferred[bool] | None = None
        self._clogged = False
        self._lost = False
        self._reading = True
        self._heard = False
        self._closing: IDelayedCall | None = None

    # --- from Twisted ---------------------------------------------------------------

    def connectionMade(self) -> None:
        """
        Begin the session.
        """
        transport: Any = self.transport
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
        transport.registerProducer(self, True)
        self._factory.links.add(self)
        Deferred.fromCoroutine(self.session.run()).addBoth(self._ended)

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the client.
        """
        if self._closing is not None:
            return
        self.session.framer.receive(data)
        self._heard = True
        if len(self.session.framer) > self._limits.max_buffered:
            self._setReading(False)
        self._fire("_waiting", True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The client is gone.
        """
        self._lost = True
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._factory.linkLost(self)
        self._fire("_waiting", False)
        self._fire("_draining", False)

    def pauseProducing(self) -> None:
        """
        The transport's buffer is full.
        """
        self._clogged = True

    def resumeProducing(self) -> None:
        """
        The transport's buffer is empty.
        """
        self._clogged = False
        self._fire("_draining", True)

    def stopProducing(self) -> None:
        """
        The transport takes nothing more; L{connectionLost} follows.
        """

    # --- ILink ------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """
        See L{ILink<mailstore.lmtp.session.ILink>}.
        """
        if self._lost:
            raise SessionOver
        transport: Any = self.transport
        transport.write(data)
        if self._clogged and not await self._wait("_draining", self._limits.idle_timeout):
            transport.abortConnection()
            raise SessionOver(None if self._lost else _TOO_SLOW)

    async def more(self, seconds: float) -> bool:
        """
        See L{ILink<mailstore.lmtp.session.ILink>}.
        """
        if self._lost:
            raise SessionOver
        self._setReading(True)
        heard, self._heard = self._heard, False
        if not heard and not await self._wait("_waiting", seconds):
            if self._lost:
                raise SessionOver
            # Woken because the server stops, which the session looks at, or by the time.
            return self.session.leaving
        self._heard = False
        return True

    async def breathe(self) -> None:
        """
        See L{ILink<mailstore.lmtp.session.ILink>}.
        """
        await deferLater(self._factory.clock, 0)

    def _wait(self, name: str, seconds: float) -> Deferred[bool]:
        waiter: Deferred[bool] = Deferred()
        setattr(self, name, waiter)
        timer = self._factory.clock.callLater(seconds, self._fire, name, False)

        def woken(result: bool) -> bool:
            if timer.active():
                timer.cancel()
            return result

        return waiter.addCallback(woken)

    def _fire(self, name: str, result: bool) -> None:
        waiter: Deferred[bool] | None = getattr(self, name)
        if waiter is not None:
            setattr(self, name, None)
            waiter.callback(result)

    def _setReading(self, reading: bool) -> None:
        transport: Any = self.transport
        if reading is not self._reading and not self._lost:
            self._reading = reading
            if reading:
                transport.resumeProducing()
            else:
                transport.pauseProducing()

    # --- the end -------------------------------------------------------------------------

    def leave(self) -> None:
        """
        End the session when the command under way is done.
        """
        self.session.leaving = True
        self._fire("_waiting", False)

    def abort(self) -> None:
        """
        Close now.
        """
        transport: Any = self.transport
        if not self._lost:
            transport.abortConnection()

    def _ended(self, _: object) -> None:
        if self._lost or self._closing is not None:
            return
        transport: Any = self.transport
        self._closing = self._factory.clock.callLater(_LINGER, transport.abortConnection)
        # Whoever closes must hear of the end: reading goes on, into nothing.
        self._setReading(True)
        transport.unregisterProducer()
        transport.loseConnection()


class LmtpFactory(Factory):
    """
    Makes a session for each client that connects.

    @ivar courier: what the sessions share, with its counters.
    @ivar links: the connections that are open.
    """

    noisy = False

    def __init__(
        self,
        store: IStore,
        limits: LmtpLimits,
        addressing: Addressing,
        host: str,
        *,
        reactor: IReactorTime,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """
        @param host: what this host calls itself.
        """
        self.clock = reactor
        self.courier = Courier(store, limits, addressing, host, reactor.seconds, wall_clock)
        self.links: set[LmtpProtocol] = set()
        self._stopping = False
        self._stopped: list[Deferred[None]] = []
        self._deadline: IDelayedCall | None = None

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        A session for a new client.
        """
        return None if self._stopping else LmtpProtocol(addr, self)

    def disconnectAll(self) -> Deferred[None]:
        """
        End all sessions: each after the command that it is in, if that does not take too long.
        No new ones are let in.

        @return: fires when all connections are closed.
        """
        self._stopping = True
        for link in tuple(self.links):
            link.leave()
        if not self.links:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        if self._deadline is None:
            self._deadline = self.clock.callLater(_GRACE, self._abortAll)
        return stopped

    def _abortAll(self) -> None:
        self._deadline = None
        for link in tuple(self.links):
            link.abort()

    def linkLost(self, link: LmtpProtocol) -> None:
        """
        A connection is gone.
        """
        self.links.discard(link)
        if self.links or not self._stopped:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        waiting, self._stopped = self._stopped, []
        for stopped in waiting:
            stopped.callback(None)
