# mypy: allow-untyped-calls
"""
The checks of who may go when: waiting for room, delivery, wake-ups.
"""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import CancelledError, Deferred

from transports.errors import MessageTooLarge
from transports.limits import Limits
from transports.testing._harness import LIMITS, ConformanceBase, bytesFor


class HandlerFailed(Exception):
    """
    What a handler raises on purpose.
    """


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

    async def test_waitingForTooMuch(self) -> None:
        """
        Waiting for more than the queue has fails.
        """
        pair = await self.openPair()
        self.failureResultOf(pair.left.channel.whenFree(LIMITS.capacity + 1), MessageTooLarge)

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
