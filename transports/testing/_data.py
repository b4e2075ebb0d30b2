# mypy: allow-untyped-calls
"""
The checks of what arrives: everything accepted, once, in order, untouched.
"""

from __future__ import annotations

import os
import random
from typing import Any

from transports.errors import QueueFull
from transports.interfaces import IChannel
from transports.limits import HEADER_SIZE, Limits
from transports.testing._harness import LIMITS, ConformanceBase, Pair
from transports.testing._model import PROGRAMS, runModel
from transports.testing._traffic import numbered, numberOf

#: Where counters of 32 bits begin again.
WRAP = 1 << 32


class DataTests(ConformanceBase):
    """
    Messages arrive in the order in which they were accepted, each once.

    @ivar soak: messages offered by L{test_overload}; the environment variable
        C{TRANSPORTS_SOAK} sets another number.
    """

    soak = int(os.environ.get("TRANSPORTS_SOAK", "10000"))

    async def test_firstInFirstOut(self) -> None:
        """
        Numbered messages arrive by number, with the right checksum, when the
        receiver drains in bits.
        """
        pair = await self.openPair()
        sent = 0
        numbers = random.Random(1)
        async for _ in self.rounds("all messages to be accepted"):
            while sent < 300 and pair.left.offer(numbered(sent, numbers.randrange(100))):
                sent += 1
            pair.right.allow(numbers.randrange(1, 5))
            if sent == 300:
                break
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

    async def test_laterChangesDoNotArrive(self) -> None:
        """
        A buffer that could be changed after the send is either no message
        (L{TypeError}, and nothing has changed) or is copied.
        """
        pair = await self.openPair()
        buffer: Any = bytearray(b"as it was")
        expected = []
        try:
            pair.left.send(buffer)
            expected.append(b"as it was")
        except TypeError:
            pass
        buffer[:] = b"different"
        self.assertEqual(pair.left.channel.statistics().enqueued_total, len(expected))
        self.assertEqual(pair.left.allocated, len(expected))
        await self.drain(pair)
        self.assertEqual(pair.right.messages, expected)

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

    async def test_overload(self) -> None:
        """
        A sender that never waits for room: what was accepted is what arrives,
        the rest was refused, nothing is reordered, doubled or torn, and the
        gauge never leaves its bounds.
        """
        limits = Limits(block_size=64, capacity=32)
        pair = await self.openPair(limits)
        channel = pair.left.channel
        numbers = random.Random(817051)
        accepted: list[int] = []
        arrived = 0

        def arrive(message: bytes) -> None:
            nonlocal arrived
            number = numberOf(message)
            self.assertEqual(accepted[arrived : arrived + 1], [number], f"message {number} is not the next")
            arrived += 1
            pair.right.messages.clear()

        pair.right.recorder.on_message = arrive
        pair.right.resume()
        offered = 0
        while offered < self.soak:
            for _ in range(min(numbers.randrange(1, 3 * limits.capacity), self.soak - offered)):
                message = numbered(offered, numbers.choice((0, 3, 36, 37, 150)))
                try:
                    channel.send(message)
                    accepted.append(offered)
                except QueueFull:
                    pass
                self.assertLessEqual(0, limits.capacity - channel.statistics().blocks_allocated)
                offered += 1
            await self.turn()
            self.sample()
        await self.drain(pair)
        statistics = channel.statistics()
        self.assertEqual(arrived, len(accepted))
        self.assertEqual(statistics.enqueued_total, len(accepted))
        self.assertEqual(statistics.dequeued_total, len(accepted))
        self.assertEqual(statistics.refused_total, offered - len(accepted))
        self.assertGreater(statistics.refused_total, 0)

    async def test_wrapAtEveryOffset(self) -> None:
        """
        A message of every length, begun at every block of the queue: wherever
        it passes the end of the queue's memory it arrives untouched.
        """
        limits = Limits(block_size=32, capacity=3)
        pair = await self.openPair(limits)
        pair.right.resume()
        messages = []
        position = 0
        for length in range(limits.max_message + 1):
            for start in range(limits.capacity):
                steps = (start - position) % limits.capacity
                messages += [b""] * steps
                messages.append(bytes((length + start + n) % 251 for n in range(length)))
                position = start + limits.blocksFor(length)
        await self.sendAll(pair, messages)
        self.assertEqual(pair.right.messages, messages)

    async def test_headerSplitAtTheWrap(self) -> None:
        """
        Records one byte shorter than the queue: where records are packed byte
        by byte each begins one byte before the last one did, so that the
        header is split at every place.
        """
        limits = Limits(block_size=33, capacity=3)
        pair = await self.openPair(limits)
        pair.right.resume()
        size = limits.block_size * limits.capacity
        for shorter in (1, size - 1 - HEADER_SIZE):
            messages = [bytes([n]) * (limits.max_message - shorter) for n in range(size + 1)]
            await self.sendAll(pair, messages)
            self.assertEqual(pair.right.messages, messages)
            pair.right.messages.clear()

    async def test_headerSplitAtEveryPlace(self) -> None:
        """
        Long batches, moved by one byte each time: wherever the carrier's own
        buffers part them, in a header too, they arrive whole.
        """
        limits = Limits(block_size=256, capacity=1100)
        pair = await self.openPair(limits)
        pair.right.resume()
        # 255 divides 65535, so the ends of buffers of 65536 bytes, wherever a
        # batch begins, come one byte later in each record of 255 bytes.
        length = 255 - HEADER_SIZE
        batches = [[b"%0*d" % (length, n) for n in range(limits.capacity)] for _ in range(4)]
        # And this moves them in relation to where the batch begins.
        batches += [[b"m" * moved, *batches[0][:300]] for moved in range(length - HEADER_SIZE, length + 1)]
        for messages in batches:
            for message in messages:
                pair.left.channel.send(message)
            await self.drain(pair)
            self.assertEqual(pair.right.messages, messages)
            pair.right.messages.clear()

    async def test_randomProgramsAgainstAModel(self) -> None:
        """
        Random programs of sends of random sizes, deliveries, pauses, flushes,
        waits, cancellations and closes at both ends do what a model of twenty
        lines says they do: every acceptance, refusal, delivery and figure.
        """
        await runModel(self)

    # What was asked for by an environment variable may take its time.
    test_overload.timeout = max(60.0, soak / 200)  # type: ignore[attr-defined]
    test_randomProgramsAgainstAModel.timeout = max(60.0, PROGRAMS)  # type: ignore[attr-defined]

    async def sendAll(self, pair: Pair, messages: list[bytes]) -> None:
        """
        Send all that there is room for, drain, and again.
        """
        waiting = iter(messages)
        message = next(waiting, None)
        while message is not None:
            while message is not None and pair.left.offer(message):
                message = next(waiting, None)
            await self.drain(pair)

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

    async def test_blocksStayFlat(self) -> None:
        """
        After many rounds of questions and answers nothing has piled up anywhere.
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


class CounterTests(ConformanceBase):
    """
    For carriers whose messages or counts are numbered: the numbers may pass 2**32.

    Nobody can send that many messages in a test, so the carrier lends a hand.
    """

    def ageChannel(self, left: IChannel, right: IChannel, count: int) -> None:
        """
        Make both ends of a channel believe, that is open and has carried
        nothing, that C{count} messages have been carried in each direction.
        """
        raise NotImplementedError

    async def test_countersPast32Bits(self) -> None:
        """
        Numbers that pass 2**32, 2**31 or 2**63 in the midst of the traffic
        change nothing of what arrives and of what is full.
        """
        for wrap in (1 << 31, WRAP, 1 << 63):
            pair = await self.openPair()
            # Few, because what is numbered may be batches.
            before = wrap - 4
            self.ageChannel(pair.left.channel, pair.right.channel, before)
            expected = []
            for number in range(25):
                for end in (pair.left, pair.right):
                    end.send(b"x" * (number % 40))
                    end.send(b"%d" % number)
                expected += [b"x" * (number % 40), b"%d" % number]
                if number % 4 == 3:
                    self.assertRaises(QueueFull, pair.left.send)
                    await self.drain(pair)
            await self.drain(pair)
            self.assertEqual((pair.left.messages, pair.right.messages), (expected, expected))
            for end in (pair.left, pair.right):
                statistics = end.channel.statistics()
                self.assertEqual(statistics.enqueued_total, before + 50)
                self.assertEqual(statistics.dequeued_total, before + 50)
            await pair.dispose()
