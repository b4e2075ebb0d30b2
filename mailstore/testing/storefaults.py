"""
A store that is slow or gone, and a queue to it that is full.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import attrs
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from mailstore.interfaces import IStore
from transports.errors import CannotConnect, ChannelClosed, QueueFull
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits
from transports.statistics import QueueStatistics

#: Methods of a store that answer at once, and are never slow.
_AT_ONCE = frozenset(("observe", "unobserve", "close", "poll", "indexMore", "together"))


@implementer(IReceiver)
class _Ear:
    """
    Hears of the end of a channel, and lets all else pass.
    """

    def __init__(self, receiver: IReceiver, lost: Callable[[Failure], None]) -> None:
        self._receiver = receiver
        self._lost = lost

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver.messageReceived}.
        """
        self._receiver.messageReceived(message)

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver.channelLost}.
        """
        self._lost(reason)
        self._receiver.channelLost(reason)


@attrs.define(eq=False)
class _Waiter:
    blocks: int
    told: Deferred[None]
    #: What it waits for really, when the queue has room again.
    real: Deferred[None] | None = None


@implementer(IChannel)
class MeddledChannel:
    """
    A front end's end of a channel whose queue can be made to look full.
    """

    def __init__(self, channel: IChannel) -> None:
        self._channel = channel
        self._full = False
        self._refused = 0
        self._waiters: deque[_Waiter] = deque()

    @property
    def limits(self) -> Limits:
        """
        See L{IChannel.limits}.
        """
        return self._channel.limits

    def setFull(self, full: bool) -> None:
        """
        From now on there is no room at all, or what there really is.
        """
        self._full = full
        if not full:
            waiters, self._waiters = self._waiters, deque()
            for waiter in waiters:
                waiter.real = self._channel.whenFree(waiter.blocks)
                waiter.real.addCallbacks(waiter.told.callback, waiter.told.errback)

    def send(self, message: bytes) -> None:
        """
        See L{IChannel.send}.
        """
        if self._full:
            self._refused += 1
            raise QueueFull(self.limits.blocksFor(len(message)), 0, self.limits.capacity)
        self._channel.send(message)

    def whenFree(self, blocks: int) -> Deferred[None]:
        """
        See L{IChannel.whenFree}.
        """
        if not self._full:
            return self._channel.whenFree(blocks)
        waiter = _Waiter(blocks, Deferred(lambda _: self._giveUp(waiter)))
        self._waiters.append(waiter)
        return waiter.told

    def _giveUp(self, waiter: _Waiter) -> None:
        if waiter.real is not None:
            # Its end is that of what its caller waits for.
            waiter.real.cancel()
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    def lost(self, reason: Failure) -> None:
        """
        The channel is over: nobody waits any more.
        """
        waiters, self._waiters = self._waiters, deque()
        for waiter in waiters:
            waiter.told.errback(reason)

    def flush(self) -> None:
        """
        See L{IChannel.flush}.
        """
        self._channel.flush()

    def pauseDelivery(self) -> None:
        """
        See L{IChannel.pauseDelivery}.
        """
        self._channel.pauseDelivery()

    def resumeDelivery(self) -> None:
        """
        See L{IChannel.resumeDelivery}.
        """
        self._channel.resumeDelivery()

    def close(self) -> Deferred[None]:
        """
        See L{IChannel.close}.
        """
        self.lost(Failure(ChannelClosed("this end was closed")))  # type: ignore[no-untyped-call]
        return self._channel.close()

    def abort(self) -> None:
        """
        See L{IChannel.abort}.
        """
        self._channel.abort()

    def statistics(self) -> QueueStatistics:
        """
        See L{IChannel.statistics}.
        """
        now = self._channel.statistics()
        held = now.blocks_capacity if self._full else now.blocks_allocated
        return attrs.evolve(
            now,
            blocks_allocated=held,
            blocks_high_water=max(held, now.blocks_high_water),
            refused_total=now.refused_total + self._refused,
        )

    def inboundStatistics(self) -> QueueStatistics:
        """
        See L{IChannel.inboundStatistics}.
        """
        return self._channel.inboundStatistics()


@implementer(ITransport)
class MeddledTransport:
    """
    Another transport, whose front ends can be cut off and find all queues full.
    """

    def __init__(self, transport: ITransport) -> None:
        self._transport = transport
        self._channels: dict[MeddledChannel, None] = {}
        self._full = False
        self._dead = False

    @property
    def description(self) -> str:
        """
        See L{ITransport.description}.
        """
        return self._transport.description

    @property
    def limits(self) -> Limits:
        """
        See L{ITransport.limits}.
        """
        return self._transport.limits

    @property
    def crosses_processes(self) -> bool:
        """
        See L{ITransport.crosses_processes}.
        """
        return self._transport.crosses_processes

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen}.
        """
        return self._transport.listen(accept)

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect}.
        """
        if self._dead:
            return fail(
                CannotConnect(f"nobody listens at {self.description}: the store is dead, as was asked")
            )
        meddled: list[MeddledChannel] = []

        def lost(reason: Failure) -> None:
            for each in meddled:
                self._channels.pop(each, None)
                each.lost(reason)

        def opened(channel: IChannel) -> MeddledChannel:
            found = MeddledChannel(channel)
            meddled.append(found)
            self._channels[found] = None
            found.setFull(self._full)
            if self._dead:
                found.abort()
            return found

        return self._transport.connect(_Ear(receiver, lost)).addCallback(opened)

    def setFull(self, full: bool) -> None:
        """
        See L{MeddledChannel.setFull}, of all channels.
        """
        self._full = full
        for each in tuple(self._channels):
            each.setFull(full)

    def setDead(self, dead: bool) -> None:
        """
        Cut all channels and open none; or open them again.
        """
        self._dead = dead
        if dead:
            for each in tuple(self._channels):
                each.abort()


class MeddledStore:
    """
    Another store, which can be made to take its time.

    @ivar seconds: that pass before it looks at a request.
    """

    def __init__(self, store: IStore, clock: IReactorTime) -> None:
        self.seconds = 0.0
        self._store = store
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not self.seconds or name in _AT_ONCE or not callable(found):
            return found

        def slowly(*arguments: Any, **more: Any) -> Any:
            result = found(*arguments, **more)
            if hasattr(result, "__aiter__"):
                return self._iterate(result)
            return self._wait(result)

        return slowly

    async def _wait(self, result: Any) -> Any:
        await deferLater(self._clock, self.seconds)
        return await result

    async def _iterate(self, batches: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        try:
            await deferLater(self._clock, self.seconds)
            async for each in batches:
                yield each
        finally:
            await batches.aclose()

    def asStore(self) -> IStore:
        """
        Itself; it has what the store has.
        """
        return cast(IStore, self)
