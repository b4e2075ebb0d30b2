# mypy: allow-untyped-calls
"""
What the checks of L{transports.testing.conformance} stand on.

Both ends of a channel are opened in this process, C{left} by C{connect} and
C{right} by C{listen}.  Each end starts paused, so that a check says itself when
messages are delivered.  Whatever a check does goes through L{Pair}, which
looks at the books of both queues at every step.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from transports.errors import QueueFull
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import HEADER_SIZE, Limits
from transports.statistics import QueueStatistics

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

#: The queues of most checks.  One block holds 48 bytes of a message.
LIMITS = Limits(block_size=64, capacity=8)

#: Turns of the reactor after which what could happen has happened, in one process.
TURNS = 25

#: Turns that follow each other at once while something is waited for; then there
#: is a millisecond between them, which leaves the processor to other processes.
_HASTY_TURNS = 200


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


class ConformanceBase(_Base):
    """
    What all groups of checks need.  A test case derives from one or more groups
    and from L{twisted.trial.unittest.TestCase}, and implements
    L{makeTransport}.
    """

    #: Groups that the test case lacks, and single checks that cannot be made,
    #: each with the reason.
    impossible: ClassVar[Mapping[str, str]] = {}

    #: Seconds that a check waits for something that must happen.
    patience = 10.0
    #: Seconds after which a check is broken off.
    timeout = 60.0

    _pairs: tuple[Pair, ...] = ()

    def setUp(self) -> None:
        """
        Leave out a check that is declared impossible.
        """
        reason = self.impossible.get(self._testMethodName)
        if reason is not None:
            raise SkipTest(reason)

    def makeTransport(self, limits: Limits) -> ITransport:
        """
        Make a transport for one test, on the running reactor, at a place of its own.
        """
        raise NotImplementedError

    def shortenDeadline(self, channel: IChannel) -> None:
        """
        Make the deadline of a channel's C{close} a short one, if there is a way
        to; else the check of it takes as long as the deadline.
        """

    async def openPair(self, limits: Limits = LIMITS) -> Pair:
        """
        Open a channel; it is ended when the test is over.
        """
        return await self.openThrough(self.makeTransport(limits))

    async def openThrough(self, transport: ITransport) -> Pair:
        """
        The same, by a transport that the test holds.
        """
        place = Place(self, transport)
        await place.listen()
        return await self.openAt(place)

    async def openAt(self, place: Place) -> Pair:
        """
        The same, at a place where somebody listens already.
        """
        pair = await place.open()
        self._pairs = (*self._pairs, pair)
        self.addCleanup(lambda: Deferred.fromCoroutine(self._disposeOf(pair)))
        return pair

    async def _disposeOf(self, pair: Pair) -> None:
        if pair in self._pairs:
            await pair.dispose()

    def forgetPair(self, pair: Pair) -> None:
        """
        A pair has been disposed of: do not look at its books any more.
        """
        self._pairs = tuple(each for each in self._pairs if each is not pair)

    def sample(self) -> None:
        """
        Look at the books of all channels that this test has opened.
        """
        for pair in self._pairs:
            pair.sample()

    async def turn(self, seconds: float = 0.0) -> None:
        """
        Let the reactor make one turn.

        @param seconds: how long it may sleep in it.
        """
        from twisted.internet import reactor

        await deferLater(_any(reactor), seconds)

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """
        Wait, turn by turn, until something has happened; look at the books in
        every turn.

        @param what: what is waited for, for the message when it never happens.
        """
        await self.waitFor(happened, what, self.sample)

    async def settle(self) -> None:
        """
        Give everything that must not happen the time to happen.
        """
        for _ in range(TURNS):
            await self.turn()
            self.sample()

    async def waitFor(
        self, happened: Callable[[], bool], what: str, sample: Callable[[], None] = lambda: None
    ) -> None:
        """
        Wait, turn by turn, until something has happened.

        @param what: what is waited for, for the message when it never happens.
        @param sample: called in every turn.
        """
        from twisted.internet import reactor

        end = _any(reactor).seconds() + self.patience
        turns = 0
        while not happened():
            sample()
            if _any(reactor).seconds() > end:
                self.fail(f"waited {self.patience} seconds for {what}")
            turns += 1
            await self.turn(0.0 if turns < _HASTY_TURNS else 0.001)
        sample()

    async def rounds(self, what: str) -> AsyncIterator[None]:
        """
        Go round a loop, a turn each time, but not for ever.

        @param what: what the loop is to bring about.
        """
        from twisted.internet import reactor

        end = _any(reactor).seconds() + self.patience
        while True:
            yield
            if _any(reactor).seconds() > end:
                self.fail(f"waited {self.patience} seconds for {what}")
            await self.turn()

    async def drain(self, pair: Pair) -> None:
        """
        Deliver everything at both ends, until both queues are empty.
        """
        pair.left.resume()
        pair.right.resume()
        await self.until(
            lambda: pair.left.allocated == 0 and pair.right.allocated == 0, "both queues to drain"
        )


def _any(reactor: object) -> Any:
    return reactor
