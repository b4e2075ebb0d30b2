"""
L{transports._ring}.
"""

from __future__ import annotations

import contextlib
import mmap
import random
import struct
from collections import deque
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from transports import _ring
from transports._ring import BATCH, RECORD_SIZE, RingReader, RingWriter
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
        # Private, so that it is not taken for something that is shared.
        self.memory = mmap.mmap(
            -1, START + limits.block_size * limits.capacity, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        )
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
            self.writer.put(message, self.window.take(len(message)))

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
        while self.ledger.due:
            credit += self.reader.receive()
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
        self.assertEqual(ring.writer.unpublished, 2)
        self.assertEqual(ring.writer.publish(7), 2)
        self.assertEqual(ring.writer.unpublished, 0)
        self.assertRecord(ring, START, 0x89ABCDEF, 7, b"seventeen bytes..")
        ring.put(b"abc", b"")
        self.assertEqual(ring.writer.publish(0), 2)
        batch = struct.pack("<III3s", 2, 3, 0, b"abc")
        self.assertRecord(ring, START + 33, 0x89ABCDF0, BATCH, batch)
        self.assertEqual(ring.memory[:START], b"#" * START)
        self.assertEqual(ring.memory[START + 33 + 31 :], bytes(128 - 33 - 31))

    def assertRecord(self, ring: Ring, where: int, sequence: int, word: int, payload: bytes) -> None:
        """
        That is what is there, with its check.
        """
        head = struct.pack("<III", len(payload), sequence, word)
        check = struct.pack("<I", crc32(head + payload, EPOCH >> 32))
        record = head + check + payload
        self.assertEqual(ring.memory[where : where + len(record)], record)

    def test_check(self) -> None:
        """
        All of a payload of 256 bytes is under the check; of a longer one it is
        the first 64 and the last 192.
        """
        for length in (256, 5000):
            for where in (0, 63, 64, length - 193, length - 192, length - 1):
                ring = Ring(Limits(64, 100))
                ring.put(bytes(length))
                blocks = ring.writer.publish(0)
                ring.memory[START + RECORD_SIZE + where] ^= 1
                if length == 256 or where < 64 or where >= length - 192:
                    self.assertRaises(ChannelCorrupt, ring.receive, blocks)
                else:
                    self.assertEqual(ring.receive(blocks), 0)

    def test_beginsAnew(self) -> None:
        """
        A writer that is far from the start goes back there when everything has
        been given back, not before; and the reader follows.
        """
        self.patch(_ring, "_FAR", 1 << 14)
        ring = Ring(Limits(4096, 16))
        length = RECORD_SIZE + 1000
        begins = []
        for number in range(40):
            ring.put(b"." * 1000)
            ring.receive(ring.writer.publish(0, number % 10 == 0))
            self.assertEqual(ring.take(), b"." * 1000)
            self.assertEqual(ring.reader._offset, ring.writer._offset)
            if ring.writer._offset == START + length:
                begins.append(number)
        # Of those that may, the record after ten is not far enough to begin anew.
        self.assertEqual(begins, [0, 20])

    def test_beginsAnewInVain(self) -> None:
        """
        A writer that goes back to the start though the reader still has
        something is found out.
        """
        self.patch(_ring, "_FAR", 1 << 14)
        ring = Ring(Limits(4096, 16))
        for _ in range(5):
            ring.put(bytes(4000))
            ring.reader.publish(ring.writer.publish(0))
        ring.put(b"anew")
        error = self.assertRaises(ChannelCorrupt, ring.reader.publish, ring.writer.publish(0, True))
        self.assertIn("of which 5 were taken", str(error))

    def test_claim(self) -> None:
        """
        After a long message, and only then, as many bytes are written to as the
        next one would take, once; nothing before them is touched.
        """
        ring = Ring(Limits(4096, 16))
        for size in (100, (1 << 13) - 1):
            ring.put(b"." * size)
            ring.writer.publish(0)
            self.assertEqual(ring.writer.claimable, 0)
        ring.put(b"!" * (1 << 13))
        ring.writer.publish(0)
        end = ring.writer._offset
        before, after = ring.memory[:end], b"?" * (len(ring.memory) - end)
        ring.memory[end:] = after
        ring.writer.claim(ring.window.free)
        claimed = RECORD_SIZE + (1 << 13)
        self.assertEqual(ring.memory[:end], before)
        self.assertEqual(ring.memory[end:], bytes(claimed) + after[claimed:])
        self.assertEqual((ring.writer.claimable, ring.writer._offset), (0, end))

    def test_claimNothing(self) -> None:
        """
        Nothing is written to where the blocks that are free would not have it, nor
        beyond the end of the ring, nor far from its start.
        """
        for blocks, free, far in ((8, 2, 1 << 17), (4, 3, 1 << 17), (64, 61, 1 << 12)):
            self.patch(_ring, "_FAR", far)
            ring = Ring(Limits(4096, blocks))
            if blocks == 4:
                ring.carry(b"." * 4000)
            ring.put(b"!" * (1 << 13))
            ring.writer.publish(0)
            ring.memory[ring.writer._offset :] = b"?" * (len(ring.memory) - ring.writer._offset)
            before = ring.memory[:]
            self.assertGreater(ring.writer.claimable, 0)
            ring.writer.claim(free)
            self.assertEqual(ring.memory[:], before, blocks)
            self.assertEqual(ring.writer.claimable, 0)

    def test_claimAlways(self) -> None:
        """
        Whatever is in the ring, claiming as often as can be changes none of it.
        """
        numbers = random.Random(5)
        ring = Ring(Limits(1024, 40))
        sent: deque[bytes] = deque()
        for number in range(2000):
            message = number.to_bytes(4, "big") * numbers.choice((0, 100, 2100, 5000))
            with contextlib.suppress(QueueFull):
                ring.put(message)
                sent.append(message)
                ring.reader.publish(ring.writer.publish(0, ring.window.allocated == ring.writer.unpublished))
            while sent and (ring.window.free < 20 or numbers.random() < 0.4):
                ring.writer.claim(ring.window.free)
                if not ring.messages:
                    ring.reader.receive()
                self.assertEqual(ring.take(), sent.popleft())

    def test_credit(self) -> None:
        """
        Credit goes with the first record of what is published, and adds up.
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
        A message of every length, begun at every byte, comes back whole: header
        and payload are split at the end of the ring where they must be.
        """
        limits = Limits(33, 3)
        size = limits.block_size * limits.capacity
        for offset in range(size):
            for length in range(limits.max_message + 1):
                ring = self.at(limits, offset)
                message = bytes((length + n) % 251 for n in range(length))
                self.assertEqual(ring.carry(message), message)
                self.assertEqual(ring.carry(b"after"), b"after")
                self.assertEqual(ring.memory[:START], b"#" * START)

    def at(self, limits: Limits, offset: int) -> Ring:
        """
        A ring whose next record begins at some byte.
        """
        ring = Ring(limits)
        ring.writer._offset += offset
        ring.reader._offset += offset
        return ring

    def test_batchWrapsAtEveryOffset(self) -> None:
        """
        A batch that fills the ring, begun at every byte, comes back whole.
        """
        limits = Limits(33, 5)
        messages = [b"a" * 17, b"b" * 50, b"", b"d" * 16]
        for offset in range(limits.block_size * limits.capacity):
            ring = self.at(limits, offset)
            ring.put(*messages)
            self.assertEqual(ring.window.free, 0)
            ring.receive(ring.writer.publish(0))
            self.assertEqual([ring.take() for _ in messages], messages)
            self.assertEqual(ring.carry(b"after"), b"after")
            self.assertEqual(ring.memory[:START], b"#" * START)

    def test_offsetsAreReached(self) -> None:
        """
        Records are packed by bytes: every offset comes by itself.
        """
        ring = Ring(Limits(32, 3))
        seen = set()
        for _ in range(96):
            ring.carry(b"x")
            self.assertEqual(ring.writer._offset, ring.reader._offset)
            seen.add(ring.reader._offset - START)
        self.assertEqual(seen, set(range(96)))

    def test_fullOfSmallBatches(self) -> None:
        """
        A batch of messages that use their blocks up, to the last byte, fits.
        """
        for count in range(1, 12):
            ring = Ring(Limits(32, count))
            for number in range(40):
                messages = [bytes([number]) * 16] * count
                ring.put(*messages)
                ring.receive(ring.writer.publish(0))
                self.assertEqual([ring.take() for _ in messages], messages)

    def test_batches(self) -> None:
        """
        What is published together is as few records as the bounds of a batch
        allow; long messages go alone; the order is kept.
        """
        ring = Ring(Limits(32, 8192))
        most_messages, most_bytes = _ring._MOST_MESSAGES, _ring._MOST_BYTES
        for messages, records in (
            ([b"x"], 1),
            ([b""] * 2, 1),
            ([b"%d" % n for n in range(most_messages)], 1),
            ([b"%d" % n for n in range(most_messages + 1)], 2),
            ([b"x" * (most_bytes // 2)] * 2, 1),
            ([b"x" * (most_bytes // 2), b"y" * (most_bytes // 2 + 1)], 2),
            ([b"a", b"b", b"x" * (most_bytes + 1), b"c", b"d"], 3),
            ([b"x" * (most_bytes + 1)] * 3, 3),
        ):
            before = ring.writer._sequence
            ring.put(*messages)
            ring.receive(ring.writer.publish(0))
            self.assertEqual(ring.writer._sequence - before, records)
            self.assertEqual([ring.take() for _ in messages], messages)

    def test_oneRecordAtATime(self) -> None:
        """
        A reader has no more than one record outside of the ring at a time.
        """
        ring = Ring(Limits(64, 64))
        for number in range(3):
            ring.put(b"%d" % number, b"and")
            ring.reader.publish(ring.writer.publish(0))
        self.assertEqual((ring.ledger.due, len(ring.messages)), (6, 0))
        ring.reader.receive()
        self.assertEqual((ring.ledger.due, len(ring.messages)), (4, 2))

    def test_forget(self) -> None:
        """
        What is forgotten is never published.
        """
        ring = Ring(Limits(64, 64))
        ring.put(b"a", b"b")
        ring.writer.forget()
        self.assertEqual(ring.writer.publish(0), 0)

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
        ring.window.enqueued = ring.ledger.arrived_total = ring.ledger.handled_total = (1 << 32) - 2
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

    def ring(self, *messages: bytes, credit: int = 0) -> Ring:
        """
        A ring with one record that is written and not read yet; if nothing else
        is said, with a message of 40 bytes.
        """
        ring = Ring(self.limits)
        ring.put(*messages or [b"forty bytes of some message, 40 bytes..."])
        ring.writer.publish(credit)
        return ring

    def test_everyByte(self) -> None:
        """
        A change of any one bit of a record, header or payload, is found.
        """
        # In a batch there are four numbers before the messages.
        for messages, size in (([b"x" * 40], 40), ([b"x" * 10, b"", b"y" * 10], 36)):
            blocks = sum(map(self.limits.blocksFor, map(len, messages)))
            for bit in range((RECORD_SIZE + size) * 8):
                ring = self.ring(*messages, credit=3)
                ring.memory[START + bit // 8] ^= 1 << bit % 8
                self.assertRaises(ChannelCorrupt, ring.receive, blocks)
                self.assertEqual(list(ring.messages), [])

    def test_batch(self) -> None:
        """
        A batch, rightly checked, that is not what it says.
        """
        for blocks, count, lengths, rest, says in (
            (2, 3, [1, 1], b"ab", "3 messages does not add up with its 14 bytes"),
            (8, 8, [1, 1], b"ab", "8 messages does not add up with its 14 bytes"),
            (2, 0xFFFFFFFF, [1, 1], b"ab", "and the 2 blocks published"),
            (2, 0, [], b"", "0 messages does not add up"),
            (2, 1, [2], b"ab", "1 messages does not add up"),
            (1, 2, [0, 0], b"", "2 messages does not add up"),
            (2, 2, [1, 2], b"ab", "have 3 bytes, which does not add up with its 14 bytes"),
            (2, 2, [1, 0], b"ab", "have 1 bytes, which does not add up with its 14 bytes"),
            (2, 2, [0xFFFFFFFF, 0xFFFFFFFF], b"ab", "have 8589934590 bytes"),
            (2, 2, [17, 0], b"x" * 17, "batch of 3 blocks does not add up with the 2 blocks published"),
            (1, 2, [17, 0], b"x" * 17, "record of 29 bytes does not add up"),
        ):
            ring = Ring(self.limits)
            ring.writer._write(struct.pack(f"<I{len(lengths)}I", count, *lengths) + rest, BATCH | 1)
            self.assertCorrupt(ring, blocks, says)
            self.assertEqual(list(ring.messages), [])
            self.assertEqual(ring.ledger.held, 0)

    def test_batchWithoutACount(self) -> None:
        """
        A batch that has not even the bytes of its count.
        """
        for payload in (b"", b"\2", b"\2\0\0", b"\2\0\0\0", b"\2" + bytes(10)):
            ring = Ring(self.limits)
            ring.writer._write(payload, BATCH)
            self.assertCorrupt(ring, 2, "does not add up")

    def test_unwrittenToTheEnd(self) -> None:
        """
        A record of which the beginning or the end was not written, whatever was
        there before.
        """
        for length in (40, 1024, 1100, 5000):
            for missing in (1, 8, 500):
                for where in (0, max(0, length - missing)):
                    ring = Ring(Limits(32, 400))
                    ring.put(b"n" * length)
                    blocks = ring.writer.publish(0)
                    begin = START + RECORD_SIZE + where
                    end = min(begin + missing, START + RECORD_SIZE + length)
                    ring.memory[begin:end] = b"o" * (end - begin)
                    error = self.assertRaises(ChannelCorrupt, ring.receive, blocks)
                    self.assertIn("checksum", str(error))

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
        ring.receive(2)
        ring.memory[START:] = bytes(len(ring.memory) - START)
        self.assertEqual(list(ring.messages), [b"forty bytes of some message, 40 bytes..."])
        self.assertIs(type(ring.messages[0]), bytes)

    @settings(max_examples=200, deadline=None)
    @given(payload=st.binary(max_size=200), word=st.integers(0, (1 << 32) - 1), blocks=st.integers(1, 8))
    def test_anyPayload(self, payload: bytes, word: int, blocks: int) -> None:
        """
        Any payload at all, rightly checked, is messages that hold the blocks
        told of at most, or is refused; nothing but L{ChannelCorrupt} is raised.
        """
        ring = Ring(self.limits)
        ring.writer._write(payload, word)
        ring.reader.publish(blocks)
        try:
            ring.reader.receive()
        except ChannelCorrupt:
            self.assertEqual((len(ring.messages), ring.ledger.held), (0, 0))
        else:
            held = sum(self.limits.blocksFor(len(message)) for message in ring.messages)
            self.assertEqual(ring.ledger.held, held)
            self.assertEqual(ring.ledger.due, blocks - held)
            self.assertLessEqual(held, blocks)

    @settings(max_examples=200, deadline=None)
    @given(noise=st.binary(min_size=256, max_size=256), blocks=st.integers(0, 10))
    def test_noise(self, noise: bytes, blocks: int) -> None:
        """
        Any bytes at all are refused, and nothing but L{ChannelCorrupt} is raised.
        """
        ring = Ring(self.limits)
        ring.memory[START:] = noise
        self.assertRaises(ChannelCorrupt, ring.receive, blocks)
