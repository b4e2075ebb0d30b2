# mypy: allow-untyped-calls
"""
What the checks of L{transports.testing.conformance} stand on.

Both ends of a channel are opened in this process, C{left} by C{connect} and
C{right} by C{listen}.  Each end starts paused, so that a check says itself when
messages are delivered.  Whatever a check does goes through L{Pair}, which
looks at the books of both queues at every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from transports.errors import QueueFull
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import HEADER_SIZE, Limits

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

#: The queues of most checks.  One block holds 48 bytes of a message.
LIMITS = Limits(block_size=64, capacity=8)

#: Turns of the reactor after which what could happen has happened, in one process.
TURNS = 25


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

    def __init__(self, case: ConformanceBase, listener: IListener) -> None:
        self._case = case
        self._listener = listener
        self.left: End
        self.right: End

    def calling(self, value: bool) -> None:
        """
        Note that a call into the channel begins or ends.
        """
        self.left.recorder.calling = self.right.recorder.calling = value

    def sample(self) -> None:
        """
        The invariant: C{0 <= blocks_allocated <= blocks_capacity}, at every step.
        """
        for end in (self.left, self.right):
            for each in (end.channel.statistics(), end.channel.inboundStatistics()):
                self._case.assertTrue(
                    0 <= each.blocks_allocated <= each.blocks_capacity,
                    f"{each.blocks_allocated} of {each.blocks_capacity} blocks allocated",
                )
                self._case.assertLessEqual(each.blocks_high_water, each.blocks_capacity)

    async def stopListening(self) -> None:
        """
        Give up the place where the channel was opened.
        """
        await self._listener.stopListening()

    async def dispose(self) -> None:
        """
        End it, and wait until both ends know.
        """
        await self.stopListening()
        self.left.channel.abort()
        self.right.channel.abort()
        await self._case.until(
            lambda: bool(self.left.recorder.losses and self.right.recorder.losses),
            "both ends to learn of the end",
        )


class ConformanceBase(_Base):
    """
    What all groups of checks need.  A test case derives from one or more groups
    and from L{twisted.trial.unittest.TestCase}, and implements
    L{makeTransport}.
    """

    #: Seconds that a check waits for something that must happen.
    patience = 10.0
    #: Seconds after which a check is broken off.
    timeout = 60.0

    def makeTransport(self, limits: Limits) -> ITransport:
        """
        Make a transport for one test, on the running reactor, at a place of its own.
        """
        raise NotImplementedError

    async def openPair(self, limits: Limits = LIMITS) -> Pair:
        """
        Open a channel; it is ended when the test is over.
        """
        return await self.openThrough(self.makeTransport(limits))

    async def openThrough(self, transport: ITransport) -> Pair:
        """
        The same, by a transport that the test holds.
        """
        accepted: list[IChannel] = []
        theirs, ours = Recorder(), Recorder()

        def accept(channel: IChannel) -> IReceiver:
            channel.pauseDelivery()
            accepted.append(channel)
            return theirs

        pair = Pair(self, await transport.listen(accept))
        channel = await transport.connect(ours)
        channel.pauseDelivery()
        await self.waitFor(lambda: bool(accepted), "the listener to accept")
        pair.left = End(pair, channel, ours)
        pair.right = End(pair, accepted[0], theirs)
        self._pair = pair
        self.addCleanup(lambda: Deferred.fromCoroutine(pair.dispose()))
        return pair

    async def turn(self) -> None:
        """
        Let the reactor make one turn.
        """
        from twisted.internet import reactor

        await deferLater(_any(reactor), 0)

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """
        Wait, turn by turn, until something has happened; look at the books in
        every turn.

        @param what: what is waited for, for the message when it never happens.
        """
        await self.waitFor(happened, what, self._pair.sample)

    async def settle(self) -> None:
        """
        Give everything that must not happen the time to happen.
        """
        for _ in range(TURNS):
            await self.turn()
            self._pair.sample()

    async def waitFor(
        self, happened: Callable[[], bool], what: str, sample: Callable[[], None] = lambda: None
    ) -> None:
        from twisted.internet import reactor

        end = _any(reactor).seconds() + self.patience
        while not happened():
            sample()
            if _any(reactor).seconds() > end:
                self.fail(f"waited {self.patience} seconds for {what}")
            await self.turn()
        sample()

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
