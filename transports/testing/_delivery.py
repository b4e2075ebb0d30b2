# mypy: allow-untyped-calls
"""
The checks of when handlers are called, and of what they may do.
"""

from __future__ import annotations

from transports.limits import Limits
from transports.testing._harness import LIMITS, ConformanceBase


class HandlerFailed(Exception):
    """
    What a handler raises on purpose.
    """


class DeliveryTests(ConformanceBase):
    """
    One handler at a time, from the reactor, and not too many in one turn.
    """

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
