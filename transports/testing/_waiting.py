# mypy: allow-untyped-calls
"""
The checks of the line of those who wait for room.
"""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import CancelledError, Deferred

from transports.errors import MessageTooLarge
from transports.testing._harness import LIMITS, ConformanceBase, End, bytesFor


class WaitingTests(ConformanceBase):
    """
    First come, first served; nobody is told too soon, nobody too late.
    """

    async def test_waiterFiresAtOnceWhenFree(self) -> None:
        """
        Who asks for what is free does not wait.
        """
        pair = await self.openPair()
        self.successResultOf(pair.left.channel.whenFree(LIMITS.capacity))
        pair.left.fill(LIMITS.capacity - 2)
        self.successResultOf(pair.left.channel.whenFree(2))
        self.assertNoResult(self._quietly(pair.left.channel.whenFree(3)))

    async def test_sendIsNotRefusedForOneWhoWaits(self) -> None:
        """
        Who waits for much keeps nobody from sending little: what has been given
        back is there for a C{send}, and counted, at once.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        waiter = pair.left.channel.whenFree(LIMITS.capacity)
        pair.right.allow(1)
        await self.waitFor(lambda: bool(pair.right.messages), "the first message")
        await self.settle()
        pair.left.send(b"little")
        self.assertNoResult(waiter)
        self.assertEqual(pair.left.allocated, LIMITS.capacity)
        await self.drain(pair)
        self.successResultOf(waiter)
        self.assertEqual(pair.right.messages[-1], b"little")

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

    async def test_smallWaiterDoesNotPass(self) -> None:
        """
        A small demand that could be met at once waits behind a large one that
        cannot.
        """
        pair = await self.openPair()
        pair.left.fill(3)
        large = pair.left.channel.whenFree(LIMITS.capacity - 1)
        small = pair.left.channel.whenFree(1)
        await self.settle()
        self.assertNoResult(large)
        self.assertNoResult(small)
        pair.right.allow(2)
        await self.until(lambda: large.called and small.called, "both to be served")

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
