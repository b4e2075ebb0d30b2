# mypy: allow-untyped-calls
"""
Both ends of a channel, in the hands of a check.

C{left} is opened by C{connect} and C{right} by C{listen}.  Each end starts
paused, so that a check says itself when messages are delivered.  Whatever a
check does goes through L{Pair}, which looks at the books of both queues at
every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from transports.errors import QueueFull
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import HEADER_SIZE, Limits
from transports.statistics import QueueStatistics

if TYPE_CHECKING:
    from transports.testing._harness import ConformanceBase

#: The queues of most checks.  One block holds 48 bytes of a message.
LIMITS = Limits(block_size=64, capacity=8)


def bytesFor(limits: Limits, blocks: int) -> int:
    """
    Length of the longest message that needs C{blocks} blocks.
    """
    return blocks * limits.block_size - HEADER_SIZE


@implementer(IReceiver)
class Recorder:
    """
    A receiver that remembers.

    @ivar messages: what was delivered, in order.
    @ivar losses: the reasons given to C{channelLost}.
    @ivar nested: whether a delivery ever began inside another one.
    @ivar in_call: whether a delivery ever began inside a call of the channel.
    @ivar on_message: called with each message after it was noted.
    @ivar after_loss: how many messages were delivered after C{channelLost}.
    @ivar allowance: how many messages may still be delivered before the channel
        is paused, or C{None} for any number.
    @ivar calling: whether a call into the channel is under way.
    @ivar channel: the end that it belongs to.
    """

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.losses: list[Failure] = []
        self.nested = False
        self.in_call = False
        self.on_message: Callable[[bytes], None] = lambda message: None
        self.after_loss = 0
        self.allowance: int | None = None
        self.calling = False
        self.channel: IChannel | None = None
        self._depth = 0

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver.messageReceived<transports.interfaces.IReceiver>}.
        """
        self.nested = self.nested or self._depth > 0
        self.in_call = self.in_call or self.calling
        self.after_loss += bool(self.losses)
        self.messages.append(message)
        if self.allowance is not None:
            self.allowance -= 1
            if self.allowance <= 0 and self.channel is not None:
                self.channel.pauseDelivery()
        self._depth += 1
        try:
            self.on_message(message)
        finally:
            self._depth -= 1

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver.channelLost<transports.interfaces.IReceiver>}.
        """
        self.losses.append(reason)


class End:
    """
    One end of a channel, with its receiver.
    """

    def __init__(self, pair: Pair, channel: IChannel, recorder: Recorder) -> None:
        self._pair = pair
        self.channel = channel
        self.recorder = recorder
        recorder.channel = channel

    @property
    def allocated(self) -> int:
        """
        Blocks of the outbound queue in use.
        """
        return self.channel.statistics().blocks_allocated

    @property
    def messages(self) -> list[bytes]:
        """
        What was delivered here.
        """
        return self.recorder.messages

    def send(self, message: bytes = b"") -> None:
        """
        Send, and look at the books before and after.
        """
        self._pair.sample()
        self._pair.calling(True)
        try:
            self.channel.send(message)
        finally:
            self._pair.calling(False)
            self._pair.sample()

    def offer(self, message: bytes) -> bool:
        """
        Send; whether it was accepted.
        """
        try:
            self.send(message)
        except QueueFull:
            return False
        return True

    def fill(self, count: int) -> None:
        """
        Send C{count} numbered messages of one block each.
        """
        for number in range(count):
            self.send(b"%d" % number)

    def allow(self, count: int) -> None:
        """
        Let C{count} messages be delivered here, then pause.
        """
        self.recorder.allowance = count
        self.channel.resumeDelivery()

    def resume(self) -> None:
        """
        Deliver without limit.
        """
        self.recorder.allowance = None
        self.channel.resumeDelivery()


class Pair:
    """
    Both ends of one channel.
    """

    def __init__(self, case: ConformanceBase, place: Place) -> None:
        self._case = case
        self.place = place
        self.left: End
        self.right: End

    def calling(self, value: bool) -> None:
        """
        Note that a call into the channel begins or ends.
        """
        self.left.recorder.calling = self.right.recorder.calling = value

    def sample(self) -> None:
        """
        The invariant: C{0 <= blocks_allocated <= blocks_capacity}, at every
        step; and that the other figures agree with it.
        """
        for end in (self.left, self.right):
            self._look(end.channel.statistics())
            self._look(end.channel.inboundStatistics())

    def _look(self, book: QueueStatistics) -> None:
        allocated, length = book.blocks_allocated, book.queue_length
        if not 0 <= allocated <= book.blocks_capacity:
            self._case.fail(f"{allocated} of {book.blocks_capacity} blocks allocated")
        if not allocated <= book.blocks_high_water <= book.blocks_capacity:
            self._case.fail(f"the high water is wrong: {book}")
        if not (length <= allocated and bool(length) == bool(allocated)):
            self._case.fail(f"{length} messages cannot hold {allocated} blocks")
        if not 0 <= book.dequeued_total <= book.enqueued_total - length:
            self._case.fail(f"the totals do not add up: {book}")
        if book.oldest_age < 0.0 or (book.oldest_age and not length):
            self._case.fail(f"the oldest of {length} messages is {book.oldest_age} seconds old")

    async def stopListening(self) -> None:
        """
        Give up the place where the channel was opened.
        """
        await self.place.stop()

    async def dispose(self) -> None:
        """
        End it and give up its place; wait until both ends know.
        """
        await self.stopListening()
        await self.end()

    async def end(self) -> None:
        """
        End it, and wait until both ends know.
        """
        self.left.channel.abort()
        self.right.channel.abort()
        await self._case.until(
            lambda: bool(self.left.recorder.losses and self.right.recorder.losses),
            "both ends to learn of the end",
        )
        self._case.forgetPair(self)


class Place:
    """
    A listening transport, where channels can be opened.

    @ivar transport: what listens and what connects.
    @ivar listener: what listens there.
    """

    def __init__(self, case: ConformanceBase, transport: ITransport) -> None:
        self._case = case
        self.transport = transport
        self.listener: IListener
        #: Called with each channel when it has been paused, before it is accepted.
        self.on_accept: Callable[[IChannel], None] = lambda channel: None
        self._accepted: list[tuple[IChannel, Recorder]] = []

    async def listen(self) -> None:
        """
        Begin.
        """
        verifyObject(ITransport, self.transport)
        self.listener = await self.transport.listen(self._accept)
        verifyObject(IListener, self.listener)

    async def stop(self) -> None:
        """
        Give it up; channels that are open stay so.
        """
        await self.listener.stopListening()

    def _accept(self, channel: IChannel) -> IReceiver:
        channel.pauseDelivery()
        recorder = Recorder()
        self.on_accept(channel)
        self._accepted.append((channel, recorder))
        return recorder

    @property
    def pending(self) -> int:
        """
        How many channels were accepted here that nobody has asked for.
        """
        return len(self._accepted)

    async def accepted(self) -> tuple[IChannel, Recorder]:
        """
        Wait until a channel has been accepted here.

        @return: it, paused, and its receiver.
        """
        await self._case.waitFor(lambda: bool(self._accepted), "the listener to accept")
        return self._accepted.pop()

    async def open(self) -> Pair:
        """
        Open a channel.
        """
        ours = Recorder()
        pair = Pair(self._case, self)
        channel = await self.transport.connect(ours)
        channel.pauseDelivery()
        accepted, theirs = await self.accepted()
        for each in (channel, accepted):
            verifyObject(IChannel, each)
            self._case.assertEqual(each.limits, self.transport.limits)
        pair.left = End(pair, channel, ours)
        pair.right = End(pair, accepted, theirs)
        return pair
