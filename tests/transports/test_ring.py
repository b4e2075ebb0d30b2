"""
L{transports._ring}.
"""

from __future__ import annotations

import mmap
import struct
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from transports._ring import RECORD_SIZE, RingReader, RingWriter
from transports.credit import CreditWindow, InboundLedger
from transports.errors import ChannelCorrupt, QueueFull
from transports.limits import Limits

#: What comes before the ring, so that offsets are tested.
START = 24

EPOCH = 0x0123456789ABCDEF


class Ring:
    """
    Both sides of a ring, with their books.
    """

    def __init__(self, limits: Limits, epoch: int = EPOCH) -> None:
        self.limits = limits
        self.memory = mmap.mmap(-1, START + limits.block_size * limits.capacity)
        self.memory[:START] = b"#" * START
        self.window = CreditWindow(limits, lambda: 0.0)
        self.ledger = InboundLedger(limits, lambda: 0.0)
        self.messages: deque[bytes] = deque()
        self.writer = RingWriter(self.memory, START, limits, epoch)
        self.reader = RingReader(self.memory, START, limits, epoch, self.ledger, self.messages)

    def put(self, *messages: bytes) -> None:
        """
        Accept messages and put them into the ring.
        """
        for message in messages:
            self.window.take(len(message))
            self.writer.put(message)

    def take(self) -> bytes:
        """
        Handle the oldest message and give its blocks back.
        """
        message = self.messages.popleft()
        self.ledger.handled(len(message))
        self.window.giveBack(self.ledger.settle())
        return message

    def receive(self, blocks: int) -> int:
        """
        Read all that was published.
        """
        self.reader.publish(blocks)
        credit = 0
        while self.reader.due:
            credit += self.reader.receive(64)
        return credit

    def carry(self, message: bytes) -> bytes:
        """
        Send one message through.
        """
        self.put(message)
        self.receive(self.writer.publish(0))
        return self.take()


class RoundTripTests(SynchronousTestCase):
    """
    What is put in comes out.
    """

    def test_layout(self) -> None:
        """
        The bytes are those that the drawing shows.
        """
        ring = Ring(Limits(32, 4))
        ring.put(b"seventeen bytes..")
        ring.put(b"abc")
        self.assertEqual(ring.writer.unpublished, 3)
        self.assertEqual(ring.writer.publish(7), 3)
        self.assertEqual(ring.writer.unpublished, 0)
        first = struct.unpack_from("<III", ring.memory, START)
        self.assertEqual(first, (17, 0x89ABCDEF, 0))
        self.assertEqual(ring.memory[START + 16 : START + 33], b"seventeen bytes..")
        second = struct.unpack_from("<III", ring.memory, START + 64)
        self.assertEqual(second, (3, 0x89ABCDF0, 7))
        self.assertEqual(ring.memory[START + 80 : START + 83], b"abc")
        self.assertEqual(ring.memory[:START], b"#" * START)

    def test_credit(self) -> None:
        """
        Credit goes with the last record of what is published, and adds up.
        """
        ring = Ring(Limits(32, 8))
        ring.put(b"a", b"b")
        published = ring.writer.publish(5)
        ring.put(b"c")
        published += ring.writer.publish(2)
        self.assertEqual(ring.receive(published), 7)
        self.assertEqual(list(ring.messages), [b"a", b"b", b"c"])

    def test_nothingToPublish(self) -> None:
        """
        Nothing put is nothing to tell.
        """
        self.assertEqual(Ring(Limits(32, 1)).writer.publish(0), 0)

    def test_unpublishedIsInvisible(self) -> None:
        """
        What was put after the count was told is left for the next time.
        """
        ring = Ring(Limits(32, 8))
        ring.put(b"a")
        told = ring.writer.publish(0)
        ring.put(b"b")
        ring.receive(told)
        self.assertEqual(list(ring.messages), [b"a"])
        ring.receive(ring.writer.publish(0))
        self.assertEqual(list(ring.messages), [b"a", b"b"])

    def test_wrapAtEveryOffset(self) -> None:
        """
        A message of every length, begun at every block, comes back whole.
        """
        limits = Limits(33, 5)
        for first in range(limits.capacity):
            for length in range(limits.max_message + 1):
                ring = Ring(limits)
                for _ in range(first):
                    ring.carry(b"")
                message = bytes((length + n) % 251 for n in range(length))
                self.assertEqual(ring.carry(message), message)
                self.assertEqual(ring.carry(b"after"), b"after")
                self.assertEqual(ring.memory[:START], b"#" * START)

    def test_oneBlock(self) -> None:
        """
        A ring of one smallest block works.
        """
        ring = Ring(Limits(32, 1))
        for length in (0, 1, 15, 16) * 3:
            self.assertEqual(ring.carry(b"x" * length), b"x" * length)

    def test_large(self) -> None:
        """
        Payloads that are stored by themselves, straight and wrapped.
        """
        ring = Ring(Limits(4096, 9))
        for number in range(12):
            message = bytes([number]) * (4096 * 4 + number)
            self.assertEqual(ring.carry(message), message)

    def test_sequenceWraps(self) -> None:
        """
        Records go on after number 2**32 - 1.
        """
        ring = Ring(Limits(32, 3), epoch=0xFFFFFFFFFFFFFFFD)
        for number in range(9):
            self.assertEqual(ring.carry(b"%d" % number), b"%d" % number)

    def test_totalsPastThirtyTwoBits(self) -> None:
        """
        The counts of a queue that has seen more than 2**32 messages are right.
        """
        ring = Ring(Limits(32, 3), epoch=(7 << 32) - 2)
        ring.window.enqueued = ring.ledger.handled_total = (1 << 32) - 2
        for number in range(5):
            ring.carry(b"%d" % number)
        self.assertEqual(ring.window.statistics().dequeued_total, (1 << 32) + 3)
        self.assertEqual(ring.ledger.statistics().dequeued_total, (1 << 32) + 3)

    @settings(max_examples=150, deadline=None)
    @given(
        block_size=st.integers(32, 70),
        capacity=st.integers(1, 9),
        epoch=st.integers(0, (1 << 64) - 1),
        steps=st.lists(st.one_of(st.binary(max_size=400), st.sampled_from(["publish", "take"])), max_size=60),
    )
    def test_anyTraffic(self, block_size: int, capacity: int, epoch: int, steps: list[bytes | str]) -> None:
        """
        Whatever is put, published and taken, in whatever order: what was
        accepted comes out, in order, and the books of both sides agree.
        """
        ring = Ring(Limits(block_size, capacity), epoch)
        accepted: list[bytes] = []
        taken: list[bytes] = []
        for step in [*steps, "publish"]:
            if step == "take":
                if ring.messages:
                    taken.append(ring.take())
            elif step == "publish":
                if ring.writer.unpublished:
                    ring.receive(ring.writer.publish(0))
            elif isinstance(step, bytes) and len(step) <= ring.limits.max_message:
                try:
                    ring.put(step)
                except QueueFull:
                    continue
                accepted.append(step)
            self.assertEqual(ring.window.allocated, ring.ledger.held + ring.writer.unpublished)
        while ring.messages:
            taken.append(ring.take())
        self.assertEqual(taken, accepted)
        self.assertEqual((ring.window.allocated, ring.ledger.held), (0, 0))


class CorruptionTests(SynchronousTestCase):
    """
    Whatever is wrong with a record is found and named.
    """

    limits = Limits(32, 8)

    def assertCorrupt(self, ring: Ring, blocks: int, says: str) -> None:
        """
        The reader does not take these blocks.
        """
        error = self.assertRaises(ChannelCorrupt, ring.receive, blocks)
        self.assertIn(says, str(error))
        self.assertLessEqual(ring.ledger.held, self.limits.capacity)

    def ring(self, message: bytes = b"forty bytes of some message, 40 bytes...") -> Ring:
        """
        A ring with one message that was put and is not read yet.
        """
        ring = Ring(self.limits)
        ring.put(message)
        return ring

    def test_everyByte(self) -> None:
        """
        A change of any one bit of a record, header or payload, is found.
        """
        for bit in range((RECORD_SIZE + 40) * 8):
            ring = self.ring()
            blocks = ring.writer.publish(3)
            ring.memory[START + bit // 8] ^= 1 << bit % 8
            self.assertRaises(ChannelCorrupt, ring.receive, blocks)
            self.assertEqual(list(ring.messages), [])

    def test_length(self) -> None:
        """
        A length that needs more blocks than were published, or is shorter.
        """
        for length, says in ((41, "checksum"), (39, "checksum"), (49, "add up"), (0xFFFFFFFF, "add up")):
            ring = self.ring()
            struct.pack_into("<I", ring.memory, START, length)
            self.assertCorrupt(ring, 2, says)

    def test_sequence(self) -> None:
        """
        A record that is not the next one: both numbers are named.
        """
        ring = self.ring()
        struct.pack_into("<I", ring.memory, START + 4, 5)
        self.assertCorrupt(ring, 2, f"number 5 was published where {0x89ABCDEF} is due")

    def test_credit(self) -> None:
        """
        Credit that was not given.
        """
        ring = self.ring()
        struct.pack_into("<I", ring.memory, START + 8, 1)
        self.assertCorrupt(ring, 2, "checksum")

    def test_anotherEpoch(self) -> None:
        """
        A record of another channel, even with the right number.
        """
        ring = self.ring()
        for epoch, says in ((EPOCH ^ 1 << 40, "checksum"), (EPOCH + 1, "due")):
            ring.reader = RingReader(ring.memory, START, self.limits, epoch, ring.ledger, ring.messages)
            self.assertCorrupt(ring, 2, says)

    def test_notAddingUp(self) -> None:
        """
        More or fewer blocks are told of than the records have.
        """
        self.assertCorrupt(self.ring(), 1, "add up")
        self.assertCorrupt(self.ring(), 3, "due")

    def test_unwritten(self) -> None:
        """
        Memory that was never written is no record.
        """
        for epoch in (EPOCH, 1, 1 << 32):
            self.assertRaises(ChannelCorrupt, Ring(self.limits, epoch).receive, 1)

    def test_overPublished(self) -> None:
        """
        More than there is room for is not even looked at.
        """
        ring = self.ring()
        self.assertCorrupt(ring, 9, "9 blocks were published in a queue of 8 blocks of which 0 were taken")
        self.assertCorrupt(ring, 1 << 63, "published")
        self.assertCorrupt(ring, 0, "published")
        ring = Ring(self.limits)
        ring.put(*[b""] * 6)
        ring.receive(ring.writer.publish(0))
        self.assertCorrupt(ring, 3, "of which 6 were taken")
        ring.messages.popleft()
        ring.ledger.handled(0)
        self.assertCorrupt(ring, 3, "of which 6 were taken")

    def test_changedAfterwards(self) -> None:
        """
        What happens to the memory after a record was read changes nothing.
        """
        ring = self.ring()
        ring.receive(ring.writer.publish(0))
        ring.memory[START:] = bytes(len(ring.memory) - START)
        self.assertEqual(list(ring.messages), [b"forty bytes of some message, 40 bytes..."])
        self.assertIs(type(ring.messages[0]), bytes)

    @settings(max_examples=200, deadline=None)
    @given(noise=st.binary(min_size=256, max_size=256), blocks=st.integers(0, 10))
    def test_noise(self, noise: bytes, blocks: int) -> None:
        """
        Any bytes at all are refused, and nothing but L{ChannelCorrupt} is raised.
        """
        ring = Ring(self.limits)
        ring.memory[START:] = noise
        self.assertRaises(ChannelCorrupt, ring.receive, blocks)
