"""
The way to a store that is somewhere else: one channel after another, and what
is asked through them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailstore.errors import InvalidRequest, LimitReached, StoreUnavailable
from mailstore.interfaces import IStoreObserver
from mailstore.ipc import messages as m
from mailstore.ipc.calls import Ahead
from mailstore.ipc.codec import CannotEncode, CodecError, encode
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.line import Line
from mailstore.ipc.link import Link
from mailstore.ipc.methods import METHODS
from mailstore.ipc.pending import Call, Progress, SingleCall, StreamCall
from mailstore.ipc.statistics import QueueCounters, countersOf, total


class StoreConnection:
    """
    What a L{RemoteStore<mailstore.ipc.client.RemoteStore>} is connected by.

    Connecting is somebody else's work (see
    L{StoreClientService<mailstore.ipc.service.StoreClientService>}): take a
    L{receiver}, connect it, tell it that it is C{opened}.
    """

    _log = Logger()

    def __init__(self, limits: IpcLimits, clock: IReactorTime, protocol: str = m.PROTOCOLS[0]) -> None:
        """
        @param clock: the reactor.
        @param protocol: what the front end speaks with its clients.
        """
        self._limits = limits
        self._protocol = protocol
        self._clock = clock
        self._line = Line(limits, clock)
        self._ahead = Ahead(limits.max_ahead)
        self._link: Link | None = None
        self._observers: list[IStoreObserver] = []
        self._was_ready = False
        self._closed = False
        self._past = QueueCounters()
        self._ready_waiters: list[Deferred[None]] = []
        self._lost_waiters: list[Deferred[None]] = []

    @property
    def limits(self) -> IpcLimits:
        """
        What holds for requests from now on.  What was agreed on a channel
        holds as long as that is open.
        """
        return self._limits

    @limits.setter
    def limits(self, limits: IpcLimits) -> None:
        self._limits = self._line.limits = limits
        self._ahead.most = limits.max_ahead

    # --- its channel ---

    @property
    def is_ready(self) -> bool:
        """
        Whether requests can be sent now.
        """
        return self._line.link is not None

    @property
    def is_closed(self) -> bool:
        """
        Whether C{close} was called.
        """
        return self._closed

    @property
    def waiting(self) -> int:
        """
        Requests in line.
        """
        return len(self._line)

    @property
    def calls(self) -> int:
        """
        Requests on the channel without their final answer.
        """
        return 0 if self._link is None else self._link.calls

    def receiver(self) -> Link:
        """
        The receiver for a new channel, which takes the place of the one before.

        @raise StoreUnavailable: closed.
        """
        if self._closed:
            raise StoreUnavailable("the store has been closed")
        self.disconnect()
        self._link = Link(
            self._limits,
            self._clock,
            self._protocol,
            self._ready,
            self._line.advance,
            self._changed,
            self._lost,
        )
        return self._link

    def disconnect(self) -> None:
        """
        Cut the channel, if there is one.  What is in flight fails.
        """
        link, self._link = self._link, None
        if link is not None:
            link.abort()

    def hangUp(self) -> Deferred[None]:
        """
        Close the channel in order: what is queued still leaves, what has no
        answer by then fails.

        @return: fires when it is closed.
        """
        link, self._link = self._link, None
        if link is None or link.channel is None or link.lost:
            if link is not None:
                link.abort()
            return succeed(None)
        channel = link.channel
        self._line.link = None
        closed = channel.close()
        closed.addBoth(lambda _: link.abort())
        return closed

    def whenReady(self) -> Deferred[None]:
        """
        Fires when requests can be sent; fails with
        L{StoreUnavailable<mailstore.errors.StoreUnavailable>} when closed before.
        """
        waiter: Deferred[None] = Deferred(lambda each: self._ready_waiters.remove(each))
        self._ready_waiters.append(waiter)
        self._tellReady()
        return waiter

    def whenLost(self) -> Deferred[None]:
        """
        Fires when there is no channel.
        """
        waiter: Deferred[None] = Deferred(lambda each: self._lost_waiters.remove(each))
        self._lost_waiters.append(waiter)
        self._tellLost()
        return waiter

    def statistics(self) -> QueueCounters:
        """
        The queue to the store.
        """
        link = self._link
        if link is None or link.channel is None:
            return self._past
        return total(self._past, countersOf(link.channel.statistics()))

    def _ready(self, link: Link) -> None:
        self._line.link = link
        again, self._was_ready = self._was_ready, True
        if again:
            self._changed(m.Changed(True))
        self._line.advance()
        self._tellReady()

    def _lost(self, link: Link) -> None:
        if link.channel is not None:
            self._past = total(self._past, countersOf(link.channel.statistics()).past())
        if self._link is link:
            self._link = None
        self._line.linkLost(link)
        self._tellLost()

    def _tellReady(self) -> None:
        if self._closed or self.is_ready:
            waiters, self._ready_waiters = self._ready_waiters, []
            for each in waiters:
                if self._closed:
                    each.errback(StoreUnavailable("the store has been closed"))
                else:
                    each.callback(None)

    def _tellLost(self) -> None:
        if self._link is None:
            waiters, self._lost_waiters = self._lost_waiters, []
            for each in waiters:
                each.callback(None)

    # --- observers ---

    def observe(self, observer: IStoreObserver) -> None:
        """
        See L{IStore.observe<mailstore.interfaces.IStore>}.
        """
        if observer not in self._observers:
            self._observers.append(observer)

    def unobserve(self, observer: IStoreObserver) -> None:
        """
        See L{IStore.unobserve<mailstore.interfaces.IStore>}.
        """
        if observer in self._observers:
            self._observers.remove(observer)

    def _changed(self, changed: m.Changed) -> None:
        for observer in tuple(self._observers):
            try:
                if changed.everything:
                    observer.everythingChanged()
                for folder, user in changed.folders:
                    observer.folderChanged(folder, user)
            except Exception:
                self._log.failure("An observer of the store failed")

    def shut(self) -> None:
        """
        Fail what is under way and what comes.  Idempotent.
        """
        self._closed = True
        self._line.close()
        self.disconnect()
        self._observers.clear()
        self._tellReady()

    # --- asking ---

    def _bodyOf(self, request: m.AnyRequest, window: int = 1) -> bytes:
        """
        @param window: batches of the answer that may be in flight.
        @raise InvalidRequest: it holds what cannot be sent.
        @raise LimitReached: it is too long.
        """
        try:
            body = encode(m.Asked(self._limits.deadline, request, window))
        except CannotEncode:
            raise InvalidRequest("the request holds a number or a text that is not valid") from None
        if len(body) > self._limits.max_request:
            raise LimitReached("the request is too long")
        return body

    async def _ask(self, request: m.AnyRequest, link: Link | None = None, on_orphan: Any = None) -> Any:
        """
        A request with one result.

        @param link: the one channel it makes sense on.
        """
        body = self._bodyOf(request)
        call = SingleCall(body, METHODS[type(request)].decode, link, self._giveUp, on_orphan)
        self._line.enter(call)
        return await call.result

    async def _iterate(self, request: m.AnyRequest) -> AsyncGenerator[Any, None]:
        """
        A request whose answer comes in batches.
        """
        ahead = self._ahead.take(self._limits.window - 1)
        call: StreamCall | None = None
        try:
            body = self._bodyOf(request, 1 + ahead)
            call = StreamCall(body, METHODS[type(request)].decode, self._consumed, 1 + ahead)
            self._line.enter(call)
            while True:
                try:
                    batch = await call.next()
                except StopAsyncIteration:
                    return
                except CodecError as error:
                    if call.on is not None:
                        call.on.brokenBy(error)
                    raise StoreUnavailable("the store went away before it answered") from error
                yield batch
        finally:
            self._ahead.give(ahead)
            if call is not None:
                self._giveUp(call)

    def _giveUp(self, call: Call) -> None:
        call.unwanted = True
        if call.progress is Progress.WAITING:
            call.progress = Progress.OVER
            self._line.leave(call)
        elif call.on is not None:
            call.on.cancel(call)

    def _consumed(self, call: StreamCall) -> None:
        if call.on is not None:
            call.on.consumed(call)
