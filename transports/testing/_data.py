# mypy: allow-untyped-calls
"""
The checks of what arrives: everything accepted, once, in order, untouched.
"""

from __future__ import annotations

import random
from zlib import crc32

from transports.limits import Limits
from transports.testing._harness import LIMITS, ConformanceBase


def numbered(number: int, length: int) -> bytes:
    """
    A message that carries its number and a checksum, and C{length} bytes more.
    """
    body = number.to_bytes(8, "little") + random.Random(number).randbytes(length)
    return crc32(body).to_bytes(4, "little") + body


def numberOf(message: bytes) -> int:
    """
    The number of a L{numbered} message.

    @raise ValueError: it is torn.
    """
    if crc32(message[4:]) != int.from_bytes(message[:4], "little"):
        raise ValueError(f"a torn message of {len(message)} bytes")
    return int.from_bytes(message[4:12], "little")


class DataTests(ConformanceBase):
    """
    Messages arrive in the order in which they were accepted, each once.
    """

    async def test_firstInFirstOut(self) -> None:
        """
        Numbered messages arrive by number, with the right checksum, when the
        receiver drains in bits.
        """
        pair = await self.openPair()
        sent = 0
        numbers = random.Random(1)
        while sent < 300:
            while sent < 300 and pair.left.offer(numbered(sent, numbers.randrange(100))):
                sent += 1
            pair.right.allow(numbers.randrange(1, 5))
            await self.turn()
        await self.drain(pair)
        self.assertEqual([numberOf(each) for each in pair.right.messages], list(range(300)))

    async def test_randomSizes(self) -> None:
        """
        Messages of any size that fits arrive as they were, both ways at once.
        """
        limits = Limits(block_size=128, capacity=50)
        pair = await self.openPair(limits)
        numbers = random.Random(2)
        expected: tuple[list[bytes], list[bytes]] = ([], [])
        for _ in range(150):
            for end, accepted in zip((pair.left, pair.right), expected, strict=True):
                size = numbers.choice((0, 1, 111, 112, 113, limits.max_message))
                message = numbers.randbytes(numbers.choice((size, numbers.randrange(limits.max_message + 1))))
                if end.offer(message):
                    accepted.append(message)
            numbers.choice((pair.left, pair.right)).allow(numbers.randrange(1, 6))
            await self.turn()
        await self.drain(pair)
        self.assertEqual((pair.right.messages, pair.left.messages), expected)

    async def test_bytesAreUntouched(self) -> None:
        """
        Every byte value arrives as it is, and messages are C{bytes}.
        """
        limits = Limits(block_size=256, capacity=8)
        pair = await self.openPair(limits)
        message = bytes(range(256)) * 4
        pair.left.send(message)
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [message])
        self.assertIs(type(pair.right.messages[0]), bytes)

    async def test_largeMessages(self) -> None:
        """
        Messages much larger than any buffer of the system arrive whole.
        """
        limits = Limits(block_size=4096, capacity=1024)
        pair = await self.openPair(limits)
        messages = [numbered(n, size) for n, size in enumerate((3_000_000, 5, limits.max_message - 12))]
        for message in messages:
            while not pair.left.offer(message):
                await self.drain(pair)
        pair.left.channel.flush()
        await self.drain(pair)
        self.assertEqual([numberOf(each) for each in pair.right.messages], [0, 1, 2])

    async def test_everythingAcceptedArrives(self) -> None:
        """
        Far more is offered than fits: what was accepted arrives, once and in
        order; the rest was refused; nothing else happens.
        """
        pair = await self.openPair()
        pair.right.resume()
        accepted = []
        offered = 1500
        for number in range(offered):
            if pair.left.offer(numbered(number, number % 70)):
                accepted.append(number)
            elif number % 3 == 0:
                await self.turn()
        await self.drain(pair)
        self.assertEqual([numberOf(each) for each in pair.right.messages], accepted)
        statistics = pair.left.channel.statistics()
        self.assertEqual(statistics.enqueued_total, len(accepted))
        self.assertEqual(statistics.refused_total, offered - len(accepted))
        self.assertGreater(len(accepted), LIMITS.capacity)

    async def test_directionsAreSeparate(self) -> None:
        """
        A full queue in one direction takes nothing from the other.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        await self.settle()
        self.assertEqual(pair.right.allocated, 0)
        pair.right.fill(LIMITS.capacity)
        pair.left.resume()
        await self.until(lambda: pair.right.allocated == 0, "the other direction to drain")
        self.assertEqual(pair.left.allocated, LIMITS.capacity)
        self.assertEqual(pair.right.messages, [])

    async def test_soak(self) -> None:
        """
        After many rounds nothing has piled up anywhere.
        """
        pair = await self.openPair()
        pair.left.resume()
        pair.right.resume()
        pair.right.recorder.on_message = pair.right.send
        for _ in range(60):
            pair.left.fill(5)
            await self.until(lambda: not (pair.left.allocated or pair.right.allocated), "a quiet moment")
        self.assertEqual(len(pair.left.messages), 300)
        for end in (pair.left, pair.right):
            statistics = end.channel.statistics()
            self.assertEqual((statistics.enqueued_total, statistics.dequeued_total), (300, 300))
            self.assertLessEqual(statistics.blocks_high_water, 5)
