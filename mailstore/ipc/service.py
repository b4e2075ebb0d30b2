"""
Both ends as services: the store's listens, the front end's connects, again and again.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailstore.ipc.client import RemoteStore
from mailstore.ipc.codec import pieceSize
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.link import Link
from mailstore.ipc.server import StoreServer
from transports.errors import TransportError
from transports.interfaces import IChannel, IListener, ITransport


class StoreClientService(Service):
    """
    Keeps a L{RemoteStore} connected while it runs.  When the store is away it is
    tried again, at first soon, then less and less often; front ends do not all
    try at the same moments.
    """

    _log = Logger()

    def __init__(
        self,
        transport: ITransport,
        remote: RemoteStore,
        clock: IReactorTime,
        limits: IpcLimits | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        """
        @param clock: the reactor.
        @param limits: for the delays between attempts.
        @param spread: a number from 0 to 1 that shortens a delay by up to a half.
        @raise QueueTooSmall: the transport's queue cannot carry the shortest messages.
        """
        pieceSize(transport.limits)
        self._transport = transport
        self._remote = remote
        self._clock = clock
        self._limits = IpcLimits() if limits is None else limits
        self._spread = spread
        self._failures = 0
        self._reason = ""
        self._greeted: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._connecting: Deferred[IChannel] | None = None

    @property
    def remote(self) -> RemoteStore:
        """
        The store that is kept connected.
        """
        return self._remote

    def startService(self) -> None:
        """
        See L{IService.startService<twisted.application.service.IService>}.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._connect()

    def stopService(self) -> Deferred[None]:
        """
        Close the channel in order, and connect no more.  The remote store can
        be used again after the next start.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
        return self._remote.hangUp()

    def _connect(self) -> None:
        self._timer = None
        if self._remote.is_closed:
            return
        link = self._remote.receiver()
        self._connecting = connecting = self._transport.connect(link)
        connecting.addCallback(self._connected, link)
        connecting.addErrback(self._failed, link)

    def _connected(self, channel: IChannel, link: Link) -> None:
        self._connecting = None
        if not self.running:
            channel.abort()
            return
        link.opened(channel)
        if self._greeted is None:
            # Who only answers the call, and does not get on with us, is no store that is back.
            self._greeted = self._remote.whenReady()
            self._greeted.addCallbacks(self._ready, lambda _: None)
        self._remote.whenLost().addCallback(self._lost)

    def _ready(self, _: None) -> None:
        self._greeted = None
        if self._failures:
            self._log.info("connected to the store at {place}", place=self._transport.description)
        self._failures = 0
        self._reason = ""

    def _failed(self, failure: Failure, link: Link) -> None:
        self._connecting = None
        link.abort()
        if not self.running or isinstance(failure.value, CancelledError):
            return
        if not isinstance(failure.value, (TransportError, ValueError)):
            self._log.failure("Connecting to the store failed in an unforeseen way", failure)
        elif failure.getErrorMessage() != self._reason:
            # The same reason again is no news, but another one is: first nobody listened, now
            # somebody does who was configured otherwise.
            self._reason = failure.getErrorMessage()
            self._log.warn(
                "the store at {place} cannot be reached, trying again: {reason}",
                place=self._transport.description,
                reason=self._reason,
            )
        self._tryLater()

    def _lost(self, _: None) -> None:
        if not self.running:
            return
        # The same again is no news; see _failed.
        reason = "it went away" if self._greeted is None else "it broke off before it was ready"
        if reason != self._reason:
            self._log.warn(
                "the store at {place} cannot be used, trying again: {reason}"
                if self._greeted
                else "the store at {place} went away",
                place=self._transport.description,
                reason=reason,
            )
            self._reason = reason
        self._tryLater()

    def _tryLater(self) -> None:
        most = self._limits.max_reconnect_delay
        delay = min(most, self._limits.reconnect_delay * 2.0 ** min(self._failures, 32))
        self._failures += 1
        if self._timer is None:
            self._timer = self._clock.callLater(delay * (1 - self._spread() / 2), self._connect)


class StoreServerService(Service):
    """
    Listens for front ends and serves them while it runs.
    """

    _log = Logger()

    def __init__(self, transport: ITransport, server: StoreServer) -> None:
        """
        @raise QueueTooSmall: the transport's queue cannot carry the shortest messages.
        """
        pieceSize(transport.limits)
        self._transport = transport
        self._server = server
        self._listener: IListener | None = None
        self._listening: Deferred[None] | None = None
        self._waiters: list[Deferred[None]] = []
        self._failure: Failure | None = None

    @property
    def server(self) -> StoreServer:
        """
        What serves them.
        """
        return self._server

    def startService(self) -> None:
        """
        See L{IService.startService<twisted.application.service.IService>}.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._failure = None
        listening = self._transport.listen(self._server.accept)
        self._listening = listening.addCallbacks(self._opened, self._failed)

    def whenListening(self) -> Deferred[None]:
        """
        Fires when front ends can connect; fails with
        L{CannotListen<transports.errors.CannotListen>} if they never can.
        """
        waiter: Deferred[None] = Deferred(lambda each: self._waiters.remove(each))
        self._waiters.append(waiter)
        self._tell()
        return waiter

    def stopService(self) -> Deferred[None]:
        """
        Listen no more, and close all channels in order.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        ends: list[Deferred[None]] = [self._server.close()]
        listener, self._listener = self._listener, None
        if listener is not None:
            ends.append(listener.stopListening())
        return DeferredList(ends, consumeErrors=True).addCallback(lambda _: None)

    def _opened(self, listener: IListener) -> None:
        if not self.running:
            listener.stopListening()
            return
        self._listener = listener
        self._tell()

    def _failed(self, failure: Failure) -> None:
        self._failure = failure
        if not self._waiters:
            self._log.failure("The store cannot be reached by front ends", failure)
        self._tell()

    def _tell(self) -> None:
        if self._listener is None and self._failure is None:
            return
        waiters, self._waiters = self._waiters, []
        for each in waiters:
            if self._failure is not None:
                each.errback(self._failure)
            else:
                each.callback(None)
