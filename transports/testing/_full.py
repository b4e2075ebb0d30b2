# mypy: allow-untyped-calls
"""
The checks of "full": KB 817051 must not happen again.
"""

from __future__ import annotations

import random
import time

import attrs

from transports.errors import MessageTooLarge, QueueFull
from transports.limits import Limits
from transports.statistics import QueueStatistics
from transports.testing._harness import LIMITS, ConformanceBase, End, bytesFor

#: Bytes of the longest message of one block under L{LIMITS}.
ONE = bytesFor(LIMITS, 1)


def _timeless(statistics: QueueStatistics) -> QueueStatistics:
    return attrs.evolve(statistics, oldest_age=0.0)


class FullTests(ConformanceBase):
    """
    A queue accepts exactly what it has room for, and refuses the rest at once
    and without a trace.
    """

    def assertFull(self, end: End, message: bytes = b"") -> QueueFull:
        """
        The message is refused now.
        """
        error: QueueFull = self.assertRaises(QueueFull, end.send, message)
        return error

    async def test_acceptsExactlyCapacity(self) -> None:
        """
        As many blocks as the queue has are accepted.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        self.assertEqual(pair.left.allocated, LIMITS.capacity)
        self.assertEqual(pair.left.channel.statistics().refused_total, 0)

    async def test_refusesOneMoreThanCapacity(self) -> None:
        """
        The next message after the last block is refused.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        self.assertFull(pair.left)
        self.assertEqual(pair.left.allocated, LIMITS.capacity)

    async def test_exactFitInTheLastBlock(self) -> None:
        """
        A message that ends with the last byte of a block needs that block and
        no other, and fits when that is what is free.
        """
        pair = await self.openPair()
        pair.left.send(b"a" * bytesFor(LIMITS, 3))
        self.assertEqual(pair.left.allocated, 3)
        pair.left.send(b"b" * bytesFor(LIMITS, LIMITS.capacity - 4))
        self.assertEqual(pair.left.allocated, LIMITS.capacity - 1)
        pair.left.send(b"c" * ONE)
        self.assertEqual(pair.left.allocated, LIMITS.capacity)
        await self.drain(pair)
        self.assertEqual(pair.right.messages[-1], b"c" * ONE)

    async def test_oneByteOverABlock(self) -> None:
        """
        One byte more than fits into a block needs another block, and is refused
        when one block is free.
        """
        pair = await self.openPair()
        pair.left.send(b"a" * (ONE + 1))
        self.assertEqual(pair.left.allocated, 2)
        pair.left.fill(LIMITS.capacity - 3)
        error = self.assertFull(pair.left, b"b" * (ONE + 1))
        self.assertEqual((error.needed, error.free), (2, 1))
        pair.left.send(b"c" * ONE)

    async def test_refusalChangesNothing(self) -> None:
        """
        A refusal changes one counter and nothing else.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity - 1)
        before = pair.left.channel.statistics()
        self.assertFull(pair.left, b"x" * (ONE + 1))
        after = pair.left.channel.statistics()
        self.assertEqual(_timeless(attrs.evolve(before, refused_total=1)), _timeless(after))
        pair.left.send(b"there is still room for this")
        self.assertEqual(pair.left.allocated, LIMITS.capacity)

    async def test_refusalLeavesNoPartialMessage(self) -> None:
        """
        Nothing of a refused message ever arrives, and what follows is intact.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity - 1)
        self.assertFull(pair.left, b"x" * (ONE + 1))
        await self.drain(pair)
        pair.left.send(b"after")
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [b"%d" % n for n in range(LIMITS.capacity - 1)] + [b"after"])

    async def test_refusedCounterExact(self) -> None:
        """
        Each refusal counts one; what is accepted or too large does not count.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        for count in range(1, 6):
            self.assertFull(pair.left)
            self.assertEqual(pair.left.channel.statistics().refused_total, count)
        self.assertRaises(MessageTooLarge, pair.left.send, b"x" * (LIMITS.max_message + 1))
        await self.drain(pair)
        pair.left.send()
        statistics = pair.left.channel.statistics()
        self.assertEqual((statistics.refused_total, statistics.too_large_total), (5, 1))
        self.assertEqual(pair.right.channel.statistics().refused_total, 0)

    async def test_refusalSaysHowMuch(self) -> None:
        """
        The error carries what was needed, what was free and the capacity.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity - 2)
        error = self.assertFull(pair.left, b"x" * bytesFor(LIMITS, 5))
        self.assertEqual((error.needed, error.free, error.capacity), (5, 2, LIMITS.capacity))

    async def test_drainOneAcceptOne(self) -> None:
        """
        One message handled makes room for exactly one.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        for handled in range(1, 4):
            pair.right.allow(1)
            await self.until(lambda: pair.left.allocated < LIMITS.capacity, "one message to be handled")
            await self.settle()
            self.assertEqual(len(pair.right.messages), handled)
            self.assertEqual(pair.left.allocated, LIMITS.capacity - 1)
            pair.left.send(b"one more")
            self.assertFull(pair.left)

    async def test_drainAllGaugeZero(self) -> None:
        """
        When everything has been handled, no block is allocated at either end,
        and the whole queue can be filled again.
        """
        pair = await self.openPair()
        for _ in range(5):
            pair.left.fill(LIMITS.capacity)
            await self.drain(pair)
            self.assertEqual(pair.left.channel.statistics().queue_length, 0)
            self.assertEqual(pair.right.channel.inboundStatistics().blocks_allocated, 0)
        self.assertEqual(len(pair.right.messages), 5 * LIMITS.capacity)

    async def test_fullWhileUnflushed(self) -> None:
        """
        What has not been flushed counts.
        """
        pair = await self.openPair()
        pair.right.resume()
        pair.left.fill(LIMITS.capacity)
        self.assertFull(pair.left)
        pair.left.channel.flush()
        self.assertFull(pair.left)
        await self.drain(pair)
        self.assertEqual(len(pair.right.messages), LIMITS.capacity)

    async def test_fullWhilePaused(self) -> None:
        """
        What has reached the peer and waits there for its handler counts.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        pair.left.channel.flush()
        await self.settle()
        self.assertFull(pair.left)
        self.assertEqual(pair.right.messages, [])
        self.assertEqual(pair.left.channel.statistics().queue_length, LIMITS.capacity)

    async def test_largerThanTheQueueIsTooLarge(self) -> None:
        """
        What can never fit is said to be so, whether the queue is empty or
        full, and the error says what would fit.
        """
        pair = await self.openPair()
        size = LIMITS.max_message + 1
        for _ in range(2):
            error = self.assertRaises(MessageTooLarge, pair.left.send, b"x" * size)
            self.assertEqual((error.size, error.largest), (size, LIMITS.max_message))
            while pair.left.offer(b""):
                pass
        self.assertEqual(pair.left.channel.statistics().too_large_total, 2)

    async def test_tooLargeChangesNothing(self) -> None:
        """
        What can never fit changes one counter and nothing else.
        """
        pair = await self.openPair()
        pair.left.fill(3)
        before = pair.left.channel.statistics()
        self.assertRaises(MessageTooLarge, pair.left.send, b"x" * (LIMITS.max_message + 1))
        after = pair.left.channel.statistics()
        self.assertEqual(_timeless(attrs.evolve(before, too_large_total=1)), _timeless(after))
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [b"0", b"1", b"2"])

    async def test_equalToTheWholeQueueFits(self) -> None:
        """
        A message of exactly the size of the queue is accepted when it is empty,
        and arrives.
        """
        pair = await self.openPair()
        message = bytes(n % 251 for n in range(LIMITS.max_message))
        pair.left.send(message)
        self.assertEqual(pair.left.allocated, LIMITS.capacity)
        self.assertFull(pair.left)
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [message])

    async def test_zeroLength(self) -> None:
        """
        An empty message needs one block and arrives as an empty message.
        """
        pair = await self.openPair()
        pair.left.send(b"")
        self.assertEqual(pair.left.allocated, 1)
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [b""])

    async def test_allocatedNeverExceedsCapacity(self) -> None:
        """
        Whatever is offered, C{0 <= blocks_allocated <= capacity} at every step.
        """
        pair = await self.openPair()
        pair.right.resume()
        numbers = random.Random(817051)
        for _ in range(40):
            for _ in range(numbers.randrange(20)):
                pair.left.offer(b"x" * numbers.randrange(LIMITS.max_message + 1))
            await self.turn()
        self.assertGreater(pair.left.channel.statistics().refused_total, 0)
        await self.drain(pair)

    async def test_refusalIsSynchronous(self) -> None:
        """
        A refusal comes from the very call, and nothing comes of it later.
        """
        pair = await self.openPair()
        accepted = sum(pair.left.offer(b"%d" % n) for n in range(3 * LIMITS.capacity))
        self.assertEqual(accepted, LIMITS.capacity)
        await self.drain(pair)
        await self.settle()
        self.assertEqual(pair.right.messages, [b"%d" % n for n in range(accepted)])

    async def test_capacityOfOneBlock(self) -> None:
        """
        A queue of one block works, one message at a time.
        """
        limits = Limits(block_size=64, capacity=1)
        pair = await self.openPair(limits)
        for _ in range(5):
            pair.left.send(b"x" * limits.max_message)
            self.assertFull(pair.left)
            self.assertRaises(MessageTooLarge, pair.left.send, b"x" * (limits.max_message + 1))
            await self.drain(pair)
        self.assertEqual(len(pair.right.messages), 5)

    async def test_capacityNotAPowerOfTwo(self) -> None:
        """
        Any capacity and any block size is exact.
        """
        for limits in (Limits(33, 3), Limits(100, 7), Limits(1000, 13)):
            pair = await self.openPair(limits)
            for _ in range(3):
                pair.left.fill(limits.capacity)
                self.assertFull(pair.left)
                await self.drain(pair)
            pair.left.send(b"x" * limits.max_message)
            self.assertFull(pair.left)
            await self.drain(pair)
            self.assertEqual(len(pair.right.messages), 3 * limits.capacity + 1)

    async def test_highWaterIsKept(self) -> None:
        """
        The most that was ever allocated is remembered, and no more than that.
        """
        pair = await self.openPair()
        for count, most in ((3, 3), (6, 6), (2, 6), (LIMITS.capacity, LIMITS.capacity), (1, LIMITS.capacity)):
            pair.left.fill(count)
            await self.drain(pair)
            self.assertEqual(pair.left.channel.statistics().blocks_high_water, most)

    async def test_oldestAge(self) -> None:
        """
        The age is that of the oldest message still queued, at both ends; it
        grows, and is 0 when there is none.
        """
        pair = await self.openPair()
        books = (pair.left.channel.statistics, pair.right.channel.inboundStatistics)
        self.assertEqual([book().oldest_age for book in books], [0.0, 0.0])
        pair.left.send(b"first")
        await self.until(lambda: min(book().oldest_age for book in books) > 0.02, "the message to grow old")
        began = time.monotonic()
        pair.left.send(b"second")
        self.assertGreater(pair.left.channel.statistics().oldest_age, 0.02)
        await self.settle()
        pair.right.allow(1)
        await self.until(lambda: pair.left.allocated == 1, "the first to be handled")
        for book in books:
            self.assertLess(book().oldest_age, time.monotonic() - began + 0.01)
        await self.drain(pair)
        self.assertEqual([book().oldest_age for book in books], [0.0, 0.0])

    async def test_statisticsAreFrozen(self) -> None:
        """
        What was told stays as it was told.
        """
        pair = await self.openPair()
        for book in (pair.left.channel.statistics(), pair.right.channel.inboundStatistics()):
            self.assertIsInstance(book, QueueStatistics)
            with self.assertRaises(AttributeError):
                setattr(book, "enqueued_total", 1)  # noqa: B010
        before = pair.left.channel.statistics()
        pair.left.fill(3)
        self.assertEqual((before.blocks_allocated, before.enqueued_total), (0, 0))

    async def test_statisticsAreExact(self) -> None:
        """
        Every number is what was done.
        """
        pair = await self.openPair()
        pair.left.send(b"x" * 100)
        pair.left.send(b"y" * 10)
        self.assertFull(pair.left, b"z" * LIMITS.max_message)
        await self.settle()
        outbound = pair.left.channel.statistics()
        expected = QueueStatistics(
            blocks_allocated=3,
            blocks_capacity=8,
            block_size=64,
            blocks_high_water=3,
            queue_length=2,
            enqueued_total=2,
            dequeued_total=0,
            refused_total=1,
            too_large_total=0,
            bytes_total=110,
            oldest_age=0.0,
        )
        self.assertEqual(_timeless(outbound), expected)
        inbound = pair.right.channel.inboundStatistics()
        self.assertEqual(_timeless(inbound), attrs.evolve(expected, refused_total=0))
        self.assertGreaterEqual(outbound.oldest_age, 0.0)
        await self.drain(pair)
        drained = attrs.evolve(expected, blocks_allocated=0, queue_length=0, dequeued_total=2)
        self.assertEqual(pair.left.channel.statistics(), drained)
        self.assertEqual(pair.right.channel.inboundStatistics(), attrs.evolve(drained, refused_total=0))
