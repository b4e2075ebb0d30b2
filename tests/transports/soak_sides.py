"""
The two sides of L{tests.transports.soak}: who sends too much and who receives
too slowly.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.transports.children import Footprint, Tell, live, residentSize
from tests.transports.traffic import Sink, Source, Tally
from transports.description import transportFor
from transports.errors import ChannelClosed, QueueFull, TransportError
from transports.interfaces import IChannel, IReceiver

#: The part of the messages that belongs to the warm-up.
_WARM_UP = 0.1

#: Refusals in a row, at most, before the sender waits for room.
_MOST_REFUSALS = 32

#: Messages accepted in a row, at most, before the sender lets its reactor turn.
_MOST_ACCEPTED = 1024

#: The receiver stops delivery after at most so many messages, for at most so many seconds.
_MOST_DELIVERED = 4000
_LONGEST_PAUSE = 0.005

#: One statement of the queue's books in so many offers or deliveries is looked at.
_SAMPLE = 16

#: Seconds between two signs of life of the sender.
_REPORT = 0.5

#: Turns of the reactor after which an end that is told twice has been told twice.
_TURNS = 10


class Watch:
    """
    What a child notes of itself: faults, and how it grows.
    """

    def __init__(self, tell: Tell, reactor: Any, complaints: list[str]) -> None:
        self._tell = tell
        self.faults: list[str] = complaints
        self.warm = 0
        self.before = Footprint.now()
        self._open: Footprint | None = None
        self._progress = self._told = 0
        self._life = LoopingCall(self._live)
        self._life.clock = reactor

    def showProgress(self) -> None:
        """
        Tell the parent from now on how far we are.
        """
        self._life.start(_REPORT)

    def _live(self) -> None:
        if self._progress != self._told:
            self._told = self._progress
            self._tell({"progress": self._progress})

    def progress(self, count: int, total: int) -> None:
        """
        So many messages are behind us.
        """
        self._progress = count
        if not self.warm and count >= total * _WARM_UP:
            self.warm = residentSize()
            self._open = Footprint.now()

    def check(self, right: bool, what: str) -> None:
        """
        Note a fault unless C{right}.
        """
        if not right and len(self.faults) < Sink.most_faults:
            self.faults.append(what)

    def checkEnd(self, losses: Sequence[Failure]) -> None:
        """
        The end must have been told once, as one in order.
        """
        right = [each.type for each in losses] == [ChannelClosed]
        self.check(right, f"told of {[each.value for each in losses]}")

    def channelOpen(self) -> None:
        """
        Everything has been done with the channel except ending it: nothing
        may have been added since the warm-up.
        """
        if self._open is not None:
            self.faults.extend(Footprint.now().grownSince(self._open))

    def report(self, tally: Tally, books: Mapping[str, int]) -> None:
        """
        The channel has ended, and nothing of it may be left.
        """
        if self._life.running:
            self._life.stop()
        now = Footprint.now()
        self.faults.extend(now.grownSince(self.before))
        self._tell(
            {
                "tally": attrs.asdict(tally),
                "books": dict(books),
                "faults": self.faults,
                "warm": self.warm,
                "size": residentSize(),
                "descriptors": len(now.descriptors),
            }
        )


async def _settle(reactor: Any) -> None:
    for _ in range(_TURNS):
        await deferLater(reactor, 0)


@implementer(IReceiver)
class _Sender:
    """
    Offers messages.
    """

    def __init__(self, reactor: Any, total: int, seed: int, watch: Watch) -> None:
        self._reactor = reactor
        self._total = total
        self._chance = random.Random(seed)
        self._watch = watch
        self._refused = 0
        self._losses: list[Failure] = []

    async def run(self, channel: IChannel) -> None:
        """
        Offer everything, wait until it has been handled, close, report.
        """
        watch = self._watch
        source = Source(channel.limits, self._chance)
        watch.showProgress()
        try:
            await self._offer(channel, source)
            await channel.whenFree(channel.limits.capacity)
        except TransportError as error:
            watch.check(False, f"the channel failed: {error!r}")
        end = channel.statistics()
        watch.check(end.blocks_allocated == 0, f"{end.blocks_allocated} blocks allocated at the end")
        watch.check(end.queue_length == 0, f"{end.queue_length} messages queued at the end")
        watch.channelOpen()
        await channel.close()
        await _settle(self._reactor)
        tally = source.tally()
        watch.checkEnd(self._losses)
        watch.check(end.enqueued_total == tally.count, f"{end.enqueued_total} messages are in the books")
        watch.check(end.bytes_total == tally.size, f"{end.bytes_total} bytes are in the books")
        watch.check(end.dequeued_total == tally.count, f"{end.dequeued_total} messages were given back")
        watch.check(end.refused_total == self._refused, f"{end.refused_total} refusals are in the books")
        watch.report(
            tally,
            {
                "refused": self._refused,
                "high_water": end.blocks_high_water,
                "capacity": end.blocks_capacity,
            },
        )

    async def _offer(self, channel: IChannel, source: Source) -> None:
        chance, watch, total = self._chance, self._watch, self._total
        accepted = refused = 0
        persistence = 1
        message = None
        for offered in range(1, total + 1):
            promised = message is not None
            if message is None:
                message = source.make()
            try:
                channel.send(message)
            except QueueFull as full:
                self._refused += 1
                refused += 1
                watch.check(not promised, "a message was refused that whenFree had made room for")
                self._checkRefusal(channel, full, len(message))
                message = None
            else:
                source.accepted(message)
                accepted += 1
                refused = 0
                message = None
            if not offered % _SAMPLE:
                self._sample(channel)
                watch.progress(offered, total)
            if refused >= persistence:
                message = source.make()
                await channel.whenFree(channel.limits.blocksFor(len(message)))
                refused = 0
                persistence = chance.randint(1, _MOST_REFUSALS)
            elif accepted >= _MOST_ACCEPTED:
                accepted = 0
                await deferLater(self._reactor, 0)

    def _checkRefusal(self, channel: IChannel, full: QueueFull, length: int) -> None:
        needed = channel.limits.blocksFor(length)
        right = full.needed == needed and 0 <= full.free < needed <= full.capacity
        self._watch.check(right, f"a message of {needed} blocks was refused: {full}")

    def _sample(self, channel: IChannel) -> None:
        books = channel.statistics()
        right = 0 <= books.blocks_allocated <= books.blocks_high_water <= books.blocks_capacity
        self._watch.check(right, f"{books.blocks_allocated} of {books.blocks_capacity} blocks allocated")

    def messageReceived(self, message: bytes) -> None:
        """
        Nobody sends here.
        """
        self._watch.check(False, "a message came to the sender")

    def channelLost(self, reason: Failure) -> None:
        """
        It is over.
        """
        self._losses.append(reason)


@implementer(IReceiver)
class _Receiver:
    """
    Checks messages, and is slow at times.
    """

    def __init__(self, reactor: Any, total: int, seed: int, watch: Watch, lost: Deferred[None]) -> None:
        self._reactor = reactor
        self._total = total
        self._chance = random.Random(seed)
        self._watch = watch
        self._lost = lost
        self._sink = Sink()
        self._received = 0
        self._until_pause = _MOST_DELIVERED
        self._pauses = 0
        self._high_water = 0
        self._losses: list[Failure] = []
        self._channel: IChannel

    def connected(self, channel: IChannel) -> None:
        """
        The sender is there.
        """
        self._channel = channel

    def messageReceived(self, message: bytes) -> None:
        """
        Check it.
        """
        self._sink.receive(message)
        self._received += 1
        self._until_pause -= 1
        if not self._received % _SAMPLE:
            self._sample()
        if not self._until_pause:
            self._until_pause = self._chance.randint(1, _MOST_DELIVERED)
            self._pauses += 1
            self._channel.pauseDelivery()
            self._reactor.callLater(self._chance.uniform(0, _LONGEST_PAUSE), self._channel.resumeDelivery)

    def _sample(self) -> None:
        books = self._channel.inboundStatistics()
        held, capacity = books.blocks_allocated, books.blocks_capacity
        self._watch.check(0 < held <= capacity, f"{held} of {capacity} blocks held")
        self._watch.check(books.blocks_high_water <= capacity, f"{books.blocks_high_water} blocks were held")
        # How many will be accepted is not known here; half of them is near enough.
        self._watch.progress(self._received, self._total // 2)

    def channelLost(self, reason: Failure) -> None:
        """
        It is over.
        """
        self._losses.append(reason)
        if len(self._losses) == 1:
            self._lost.callback(None)

    def report(self) -> None:
        """
        Say what came.
        """
        watch = self._watch
        watch.checkEnd(self._losses)
        watch.faults.extend(self._sink.faults)
        books = self._channel.inboundStatistics()
        held, high_water = books.blocks_allocated, books.blocks_high_water
        watch.check(held == 0, f"{held} blocks held at the end")
        watch.report(self._sink.tally(), {"high_water": high_water, "pauses": self._pauses})


def send(description: str, total: int, seed: int, tell: Tell) -> None:
    """
    Be the process that sends; it connects.

    @param total: how many messages to offer.
    @param seed: decides on sizes and contents.
    """

    async def work(reactor: Any, complaints: list[str]) -> None:
        watch = Watch(tell, reactor, complaints)
        sender = _Sender(reactor, total, seed, watch)
        await sender.run(await transportFor(description, reactor).connect(sender))

    live(work)


def receive(description: str, total: int, seed: int, tell: Tell) -> None:
    """
    Be the process that receives; it listens.

    @param total: how many messages will be offered.
    @param seed: decides when to be slow.
    """

    async def work(reactor: Any, complaints: list[str]) -> None:
        watch = Watch(tell, reactor, complaints)
        lost: Deferred[None] = Deferred()
        receiver = _Receiver(reactor, total, seed, watch, lost)

        def accept(channel: IChannel) -> IReceiver:
            receiver.connected(channel)
            return receiver

        listener = await transportFor(description, reactor).listen(accept)
        tell({"listening": True})
        await lost
        await listener.stopListening()
        await _settle(reactor)
        receiver.report()

    live(work)
