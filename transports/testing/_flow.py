# mypy: allow-untyped-calls
"""
The checks of who may go when: waiting for room, delivery, wake-ups.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType

from twisted.internet.defer import CancelledError, Deferred, gatherResults

from transports.errors import MessageTooLarge, QueueFull
from transports.limits import Limits
from transports.testing._harness import LIMITS, ConformanceBase, End, bytesFor

#: Wake-ups that are not taken: more bytes than a pipe holds.
DOORBELLS = 70_000


class HandlerFailed(Exception):
    """
    What a handler raises on purpose.
    """


class Blocked(Exception):
    """
    A call did not return.
    """


@contextmanager
def notLongerThan(seconds: float) -> Iterator[None]:
    """
    Break off what blocks the whole process, where the system lets us.

    @raise Blocked: inside, when the time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def expire(number: int, frame: FrameType | None) -> None:
        raise Blocked(f"a call blocked the reactor for {seconds} seconds")

    handler = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)


class FlowTests(ConformanceBase):
    """
    Nobody is starved, nobody is woken for nothing, nobody sleeps for ever.
    """

    async def test_flushesByItself(self) -> None:
        """
        What was sent arrives though nobody calls C{flush}.
        """
        pair = await self.openPair()
        pair.left.resume()
        pair.right.resume()
        await self.settle()
        for _ in range(3):
            pair.left.messages.clear()
            pair.right.messages.clear()
            pair.left.send(b"from the left")
            pair.right.send(b"from the right")
            await self.until(lambda: bool(pair.left.messages and pair.right.messages), "what was not flushed")

    async def test_flushIsHarmless(self) -> None:
        """
        C{flush} may be called at any time, with nothing to do as well.
        """
        pair = await self.openPair()
        pair.left.channel.flush()
        pair.left.fill(3)
        pair.left.channel.flush()
        pair.left.channel.flush()
        self.assertEqual(pair.right.messages, [])
        await self.drain(pair)
        pair.right.channel.flush()
        self.assertEqual(pair.right.messages, [b"0", b"1", b"2"])

    async def test_noCreditHoardedWhenIdle(self) -> None:
        """
        After each message, however small, all blocks come back without
        anything else being sent.
        """
        pair = await self.openPair()
        pair.right.resume()
        for blocks in (1, 1, 2, 3, 1, 5):
            pair.left.send(b"x" * bytesFor(LIMITS, blocks))
            await self.until(lambda: pair.left.allocated == 0, "the blocks of one message to come back")

    async def test_waiterFiresAtOnceWhenFree(self) -> None:
        """
        Who asks for what is free does not wait.
        """
        pair = await self.openPair()
        self.successResultOf(pair.left.channel.whenFree(LIMITS.capacity))
        pair.left.fill(LIMITS.capacity - 2)
        self.successResultOf(pair.left.channel.whenFree(2))
        self.assertNoResult(self._quietly(pair.left.channel.whenFree(3)))

    async def test_waiterMaySend(self) -> None:
        """
        A send of the size waited for, made in the callback, succeeds.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        sent = []

        def send(_: None) -> None:
            pair.left.send(b"x" * bytesFor(LIMITS, 3))
            sent.append(pair.left.allocated)

        for _ in range(4):
            pair.left.channel.whenFree(3).addCallback(send).addErrback(self._unexpected)
        pair.right.resume()
        await self.until(lambda: len(sent) == 4, "all waiters to be served")
        await self.drain(pair)
        self.assertEqual([len(each) for each in pair.right.messages[-4:]], [bytesFor(LIMITS, 3)] * 4)

    async def test_waitersAreServedInOrder(self) -> None:
        """
        First come, first served.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        order: list[int] = []
        for number in range(6):
            pair.left.channel.whenFree(1).addCallback(partial(self._note, order, number))
            self.assertEqual(order, [])
        pair.right.resume()
        await self.until(lambda: len(order) == 6, "all waiters to be served")
        self.assertEqual(order, list(range(6)))

    async def test_largeWaiterIsNotStarved(self) -> None:
        """
        Small demands that come after a large one are served after it, though
        there is room for them earlier.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        order: list[str] = []
        pair.left.channel.whenFree(LIMITS.capacity).addCallback(lambda _: order.append("large"))
        for _ in range(3):
            pair.left.channel.whenFree(1).addCallback(lambda _: order.append("small"))
        pair.right.allow(LIMITS.capacity - 1)
        await self.until(lambda: pair.left.allocated == 1, "all but one to be handled")
        await self.settle()
        self.assertEqual(order, [])
        pair.right.allow(1)
        await self.until(lambda: len(order) == 4, "all waiters to be served")
        self.assertEqual(order, ["large", "small", "small", "small"])

    async def test_cancelledWaiterLeavesTheLine(self) -> None:
        """
        Who gives up holds up nobody: those behind are served as if it had never been.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        large = pair.left.channel.whenFree(LIMITS.capacity)
        small = pair.left.channel.whenFree(1)
        pair.right.allow(1)
        await self.until(lambda: pair.left.allocated == LIMITS.capacity - 1, "one to be handled")
        self.assertNoResult(small)
        large.cancel()
        self.failureResultOf(large, CancelledError)
        await self.until(lambda: small.called, "the one behind")
        self.successResultOf(small)

    async def test_waiterWaitsForAllItsBlocks(self) -> None:
        """
        It fires when as much is free as it asked for, and not before.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        waiter = pair.left.channel.whenFree(5)
        for free in range(1, 5):
            pair.right.allow(1)
            await self.until(partial(self._isFree, pair.left, free), "one to be handled")
            await self.settle()
            self.assertNoResult(waiter)
        pair.right.allow(1)
        await self.until(lambda: waiter.called, "the waiter")
        self.successResultOf(waiter)
        self.assertEqual(pair.left.allocated, LIMITS.capacity - 5)

    async def test_cancelKeepsTheOrder(self) -> None:
        """
        Those before and those behind one who gives up keep their places.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        order: list[int] = []
        waiters = [pair.left.channel.whenFree(1) for _ in range(5)]
        for number, waiter in enumerate(waiters):
            waiter.addCallback(partial(self._note, order, number))
        waiters[2].cancel()
        self.failureResultOf(waiters[2], CancelledError)
        pair.right.resume()
        await self.until(lambda: len(order) == 4, "the others to be served")
        self.assertEqual(order, [0, 1, 3, 4])

    async def test_waitingForTooMuch(self) -> None:
        """
        Waiting for more than the queue has fails.
        """
        pair = await self.openPair()
        self.failureResultOf(pair.left.channel.whenFree(LIMITS.capacity + 1), MessageTooLarge)

    async def test_waitingTakesNothing(self) -> None:
        """
        Waiting reserves nothing: who sends meanwhile is refused on nobody's
        behalf, and nothing counts as sent.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity - 2)
        waiter = self._quietly(pair.left.channel.whenFree(3))
        pair.left.send(b"room for this")
        self.assertNoResult(waiter)
        statistics = pair.left.channel.statistics()
        self.assertEqual(statistics.blocks_allocated, LIMITS.capacity - 1)
        self.assertEqual((statistics.enqueued_total, statistics.refused_total), (LIMITS.capacity - 1, 0))

    async def test_bothDirectionsFull(self) -> None:
        """
        Both queues are full, and each handler wants to answer: nothing hangs.
        """
        pair = await self.openPair()
        backlog = {pair.left: 0, pair.right: 0}

        def answers(end: object) -> None:
            assert end is pair.left or end is pair.right

            def handle(message: bytes) -> None:
                if message != b"answer" and not end.offer(b"answer"):
                    backlog[end] += 1
                    end.channel.whenFree(1).addCallback(lambda _: end.send(b"answer")).addErrback(
                        self._unexpected
                    )

            end.recorder.on_message = handle

        for end in (pair.left, pair.right):
            answers(end)
            end.fill(LIMITS.capacity)
        await self.settle()
        pair.left.resume()
        pair.right.resume()
        await self.until(
            lambda: len(pair.left.messages) == len(pair.right.messages) == 2 * LIMITS.capacity,
            "every message and every answer",
        )
        self.assertGreater(sum(backlog.values()), 0)
        await self.drain(pair)

    async def test_sendInAHandler(self) -> None:
        """
        A handler may send, also when the queue is full but for what it is
        handling: those blocks are not free yet.
        """
        pair = await self.openPair()
        free_inside: list[int] = []

        def handle(message: bytes) -> None:
            free_inside.append(pair.left.allocated)
            pair.right.send(b"re: " + message)

        pair.right.recorder.on_message = handle
        pair.left.resume()
        pair.right.resume()
        pair.left.send(b"one")
        await self.until(lambda: pair.left.messages == [b"re: one"], "the answer")
        self.assertEqual(free_inside, [1])
        await self.drain(pair)

    async def test_deliveryIsNeverReentrant(self) -> None:
        """
        No delivery begins before another has ended, whatever the handlers do.
        """
        pair = await self.openPair()

        def left(message: bytes) -> None:
            if len(message) < 30:
                pair.left.send(message + b"l")
                pair.left.channel.flush()
                pair.left.channel.resumeDelivery()

        def right(message: bytes) -> None:
            if len(message) < 30:
                pair.right.send(message + b"r")
                pair.right.channel.flush()
                pair.right.channel.resumeDelivery()

        pair.left.recorder.on_message = left
        pair.right.recorder.on_message = right
        pair.left.resume()
        pair.right.resume()
        pair.left.fill(4)
        await self.until(lambda: len(pair.left.messages) + len(pair.right.messages) == 120, "the dialogue")
        self.assertFalse(pair.left.recorder.nested or pair.right.recorder.nested)

    async def test_neverDeliveredInsideSend(self) -> None:
        """
        C{send} returns before any handler is called for it.
        """
        pair = await self.openPair()
        pair.right.resume()
        pair.left.fill(LIMITS.capacity)
        self.assertEqual(pair.right.messages, [])
        await self.drain(pair)
        self.assertFalse(pair.right.recorder.in_call)

    async def test_handlerThatRaises(self) -> None:
        """
        A handler that fails is logged; its blocks come back and the channel
        goes on.
        """
        pair = await self.openPair()

        def handle(message: bytes) -> None:
            if message in (b"1", b"3"):
                raise HandlerFailed(message)

        pair.right.recorder.on_message = handle
        pair.left.fill(5)
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [b"0", b"1", b"2", b"3", b"4"])
        self.assertEqual(len(self.flushLoggedErrors(HandlerFailed)), 2)
        pair.left.send(b"on")
        await self.drain(pair)
        self.assertEqual(pair.right.messages[-1], b"on")

    async def test_pauseHoldsMessages(self) -> None:
        """
        While delivery is paused nothing is delivered and no block comes back;
        pausing twice is pausing once.
        """
        pair = await self.openPair()
        pair.right.channel.pauseDelivery()
        pair.left.fill(3)
        await self.settle()
        self.assertEqual(pair.right.messages, [])
        self.assertEqual(pair.left.allocated, 3)
        pair.right.resume()
        await self.until(lambda: pair.left.allocated == 0, "what was held")
        self.assertEqual(pair.right.messages, [b"0", b"1", b"2"])

    async def test_pauseInAHandler(self) -> None:
        """
        A handler that pauses is the last one called until delivery is resumed.
        """
        pair = await self.openPair()
        pair.left.fill(5)
        pair.right.allow(2)
        await self.settle()
        self.assertEqual(pair.right.messages, [b"0", b"1"])
        self.assertEqual(pair.left.allocated, 3)

    async def test_resumeDoesNotDeliver(self) -> None:
        """
        C{resumeDelivery} returns before any handler is called.
        """
        pair = await self.openPair()
        pair.left.fill(3)
        await self.settle()
        pair.right.channel.resumeDelivery()
        self.assertEqual(pair.right.messages, [])
        pair.right.channel.resumeDelivery()
        await self.drain(pair)
        self.assertEqual(len(pair.right.messages), 3)

    async def test_deliveryBudget(self) -> None:
        """
        A long queue is delivered over several turns of the reactor, so that
        others have theirs; and all of it is delivered.
        """
        limits = Limits(block_size=64, capacity=1024)
        pair = await self.openPair(limits)
        for _ in range(limits.capacity):
            pair.left.channel.send(b"")
        pair.left.channel.flush()
        await self.settle()
        pair.right.resume()
        most = seen = 0

        def drained() -> bool:
            nonlocal most, seen
            most = max(most, len(pair.right.messages) - seen)
            seen = len(pair.right.messages)
            return pair.left.allocated == 0

        await self.until(drained, "the queue to drain")
        self.assertEqual(len(pair.right.messages), limits.capacity)
        self.assertLessEqual(most, limits.capacity // 4)

    async def test_budgetHitStillRedelivers(self) -> None:
        """
        What the budget leaves over is delivered though nothing further arrives.
        """
        limits = Limits(block_size=64, capacity=1024)
        pair = await self.openPair(limits)
        pair.right.resume()
        for _ in range(limits.capacity):
            pair.left.channel.send(b"")
        await self.until(lambda: len(pair.right.messages) == limits.capacity, "all that was sent in one go")
        await self.until(lambda: pair.left.allocated == 0, "all blocks")

    async def test_stormOfRandomSleeps(self) -> None:
        """
        Both ends send, pause, resume and wait with random pauses in between:
        whatever the order of things, everything accepted arrives.
        """
        pair = await self.openPair()
        expected: dict[End, list[bytes]] = {pair.left: [], pair.right: []}

        async def send(end: End, numbers: random.Random) -> None:
            for number in range(120):
                message = b"%d" % number * numbers.randrange(30)
                while not end.offer(message):
                    if numbers.random() < 0.5:
                        await end.channel.whenFree(LIMITS.blocksFor(len(message)))
                    else:
                        await self.turn(numbers.random() * 0.001)
                expected[end].append(message)
                if numbers.random() < 0.3:
                    await self.turn(numbers.random() * 0.002)
                if numbers.random() < 0.1:
                    end.channel.flush()

        async def receive(end: End, numbers: random.Random) -> None:
            async for _ in self.rounds("all messages of the storm"):
                act = numbers.randrange(4)
                if act == 0:
                    end.channel.pauseDelivery()
                elif act == 1:
                    end.resume()
                else:
                    end.allow(numbers.randrange(1, 6))
                if len(end.messages) == 120:
                    return
                await self.turn(numbers.random() * 0.002)

        acts = [
            Deferred.fromCoroutine(act)
            for act in (
                send(pair.left, random.Random(1)),
                send(pair.right, random.Random(2)),
                receive(pair.left, random.Random(3)),
                receive(pair.right, random.Random(4)),
            )
        ]
        try:
            await gatherResults(acts, consumeErrors=True)
        finally:
            for act in acts:
                act.cancel()
        await self.drain(pair)
        self.assertEqual(pair.right.messages, expected[pair.left])
        self.assertEqual(pair.left.messages, expected[pair.right])

    async def test_doorbellNeverBlocks(self) -> None:
        """
        A peer that does not look for a long time is woken again and again:
        no call blocks, none fails, and nothing is lost.
        """
        limits = Limits(block_size=32, capacity=DOORBELLS)
        pair = await self.openPair(limits)
        channel = pair.left.channel
        # Blocking is for ever; a slow machine is not.
        with notLongerThan(3 * self.patience):
            for _ in range(DOORBELLS):
                channel.send(b"")
                channel.flush()
        self.assertRaises(QueueFull, pair.left.send)
        await self.drain(pair)
        self.assertEqual(len(pair.right.messages), DOORBELLS)

    async def test_channelsAreSeparate(self) -> None:
        """
        Channels opened at one place share nothing: one that is full, paused or
        lost is nothing to the others.
        """
        pairs = [await self.openPair()]
        for _ in range(2):
            pairs.append(await self.openAt(pairs[0].place))
        full, lost, well = pairs
        full.left.fill(LIMITS.capacity)
        await self.settle()
        lost.left.fill(3)
        well.left.send(b"left")
        well.right.send(b"right")
        lost.left.channel.abort()
        await self.drain(well)
        self.assertEqual((well.right.messages, well.left.messages), ([b"left"], [b"right"]))
        self.assertEqual(full.left.allocated, LIMITS.capacity)
        self.assertEqual((full.right.messages, full.right.recorder.losses), ([], []))
        self.assertEqual(well.right.recorder.losses, [])
        await self.drain(full)
        self.assertEqual(len(full.right.messages), LIMITS.capacity)

    def _isFree(self, end: End, blocks: int) -> bool:
        return end.allocated == LIMITS.capacity - blocks

    def _note(self, order: list[int], number: int, _: None) -> None:
        order.append(number)

    def _quietly(self, waiter: Deferred[None]) -> Deferred[None]:
        """
        Nobody waits for its failure at the end of the test.
        """
        self.addCleanup(lambda: waiter.addErrback(lambda _: None) and None)
        return waiter

    def _unexpected(self, failure: object) -> None:
        self.fail(f"a waiter met {failure}")
