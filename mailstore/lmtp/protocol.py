"""
Sessions on Twisted: the only module of this package that knows a reactor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from mailstore.connections import ClientProtocol, Connections
from mailstore.interfaces import IStore
from mailstore.lmtp.courier import Addressing, Courier
from mailstore.lmtp.limits import LmtpLimits
from mailstore.lmtp.replies import Reply
from mailstore.lmtp.session import Session, SessionOver

_TOO_SLOW = Reply(421, "4.4.2", "What was written was not read for too long")


class LmtpProtocol(ClientProtocol):
    """
    The link of one session, with back-pressure both ways.
    """

    def __init__(self, address: IAddress | None, factory: LmtpFactory) -> None:
        super().__init__(factory.connections)
        self.peer = str(getattr(address, "host", "") or "")
        self.session = Session(factory.courier, self)
        self._factory = factory
        self._limits = factory.courier.limits
        self._waiting: Deferred[bool] | None = None
        self._draining: Deferred[bool] | None = None
        self._heard = False

    # --- from Twisted ---------------------------------------------------------------

    def connectionMade(self) -> None:
        """
        Begin the session.
        """
        super().connectionMade()
        Deferred.fromCoroutine(self.session.run()).addBoth(lambda _: self.close())

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the client.
        """
        if self.closing:
            return
        self.session.framer.receive(data)
        self._heard = True
        if len(self.session.framer) > self._limits.max_buffered:
            self.pause()
        self._fire("_waiting", True)

    # --- from the connection --------------------------------------------------------

    def clientGone(self) -> None:
        """
        The client is gone.
        """
        self._fire("_waiting", False)
        self._fire("_draining", False)

    def roomAgain(self) -> None:
        """
        The transport's buffer is empty.
        """
        self._fire("_draining", True)

    def leave(self) -> None:
        """
        End the session when the command under way is done.
        """
        self.session.leaving = True
        self._fire("_waiting", False)

    # --- ILink ------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """
        See L{ILink<mailstore.lmtp.session.ILink>}.
        """
        if self.lost:
            raise SessionOver
        transport: Any = self.transport
        transport.write(data)
        if self.clogged and not await self._wait("_draining", self._limits.idle_timeout):
            transport.abortConnection()
            raise SessionOver(None if self.lost else _TOO_SLOW)

    async def more(self, seconds: float) -> bool:
        """
        See L{ILink<mailstore.lmtp.session.ILink>}.
        """
        if self.lost:
            raise SessionOver
        self.resume()
        heard, self._heard = self._heard, False
        if not heard and not await self._wait("_waiting", seconds):
            if self.lost:
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


class LmtpFactory(Factory):
    """
    Makes a session for each client that connects.

    @ivar courier: what the sessions share, with its counters.
    @ivar connections: those that are open.
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
        self.connections = Connections(reactor)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        A session for a new client.
        """
        return None if self.connections.stopping else LmtpProtocol(addr, self)

    def disconnectAll(self) -> Deferred[None]:
        """
        End all sessions: see L{Connections.disconnectAll}.
        """
        return self.connections.disconnectAll()
