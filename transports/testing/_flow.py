# mypy: allow-untyped-calls
"""
The checks of who may go when: credit, wake-ups, waiting for room, delivery.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from twisted.internet.defer import Deferred, gatherResults

from transports.errors import QueueFull
from transports.limits import Limits
from transports.testing._delivery import DeliveryTests
from transports.testing._harness import LIMITS, TURNS, End, bytesFor
from transports.testing._waiting import WaitingTests

#: Wake-ups that are not taken: more bytes than a pipe holds.
DOORBELLS = 70_000


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


class FlowTests(WaitingTests, DeliveryTests):
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

    async def test_roomIsFoundThoughNobodyLooked(self) -> None:
        """
        When everything has been handled the whole queue is free for those who
        send, and for those who wait, without anybody having asked for figures.
        """
        pair = await self.openPair()
        pair.right.resume()
        for number in range(1, 4):
            for _ in range(LIMITS.capacity):
                pair.left.channel.send(b"")
            await self.waitFor(
                lambda: len(pair.right.messages) == number * LIMITS.capacity,  # noqa: B023
                "everything to be handled",
            )
            for _ in range(TURNS):
                await self.turn()
        pair.right.channel.pauseDelivery()
        for _ in range(LIMITS.capacity):
            pair.left.channel.send(b"")
        waiter = pair.left.channel.whenFree(LIMITS.capacity)
        pair.right.channel.resumeDelivery()
        await self.waitFor(lambda: waiter.called, "the waiter")
        self.assertEqual(pair.left.allocated, 0)

    async def test_figuresAgreeThoughNobodyLooked(self) -> None:
        """
        Blocks are given back one message at a time, some with answers and some
        without, while nobody asks for figures; in the end all of them agree.
        """
        pair = await self.openPair()
        pair.left.resume()
        answered = 0

        def answer(message: bytes) -> None:
            nonlocal answered
            if len(message) < 10:
                answered += 1
                pair.right.channel.send(b"yes")

        pair.right.recorder.on_message = answer
        sizes = [bytesFor(LIMITS, 3), 5, bytesFor(LIMITS, 2), 5, 5]
        for number in range(1, 6):
            for size in sizes:
                pair.left.channel.send(b"x" * size)
            handled = len(pair.right.messages)
            for count in range(handled + 1, handled + 1 + len(sizes)):
                pair.right.allow(1)
                await self.waitFor(lambda: len(pair.right.messages) == count, "one message")  # noqa: B023
                await self.turn()
            await self.waitFor(lambda: len(pair.left.messages) == answered, "the answers")
            await self.drain(pair)
            pair.right.channel.pauseDelivery()
            book = pair.left.channel.statistics()
            self.assertEqual((book.blocks_allocated, book.queue_length), (0, 0))
            self.assertEqual((book.enqueued_total, book.dequeued_total), (5 * number, 5 * number))

    async def test_creditComesThroughBusyCarriers(self) -> None:
        """
        Blocks are given back though a message much larger than the carrier's
        buffers is on its way in the same direction, and nothing comes back for
        that.
        """
        limits = Limits(block_size=1 << 14, capacity=256)
        pair = await self.openPair(limits)
        pair.right.resume()
        for turns in range(1, 6):
            pair.left.channel.pauseDelivery()
            pair.right.send(b"l" * 3_000_000)
            for _ in range(turns):
                await self.turn()
            pair.left.send(b"small")
            await self.until(lambda: pair.left.allocated == 0, "the blocks of a small message")
            pair.left.resume()
            await self.drain(pair)
        self.assertEqual([len(each) for each in pair.left.messages], [3_000_000] * 5)

    async def test_creditRidesOnLargeAnswers(self) -> None:
        """
        The blocks of small questions come back though their handlers answer
        with messages larger than the carrier's buffers.
        """
        limits = Limits(block_size=1 << 14, capacity=256)
        pair = await self.openPair(limits)
        answer = b"a" * 700_000
        pair.right.recorder.on_message = lambda message: pair.right.send(answer)
        pair.left.resume()
        pair.right.resume()
        for number in range(1, 6):
            pair.left.fill(3)
            await self.until(lambda: len(pair.left.messages) == 3 * number, "the answers")  # noqa: B023
            await self.drain(pair)

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
