"""
L{transports._framing}.
"""

from __future__ import annotations

import struct
from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from transports._framing import (
    FRAME_SIZE,
    NAME_REFUSED,
    OPENING_SIZE,
    FrameReader,
    Opening,
    checkOpening,
    packFrames,
    packQuit,
)
from transports.credit import InboundLedger
from transports.errors import ChannelCorrupt
from transports.limits import HEADER_SIZE, Limits

LIMITS = Limits(block_size=64, capacity=100)


def frame(kind: bytes, credit: int = 0, length: int = 0) -> bytes:
    """
    A header of any kind.
    """
    return struct.pack("<4sIQ", kind, credit, length)


class OpeningTests(SynchronousTestCase):
    """
    The first thing each side says.
    """

    def test_roundTrip(self) -> None:
        """
        What is said is heard, and not before it is complete.
        """
        opening = Opening(4096, 1024, 0x1122334455667788)
        data = opening.encode()
        self.assertEqual(len(data), OPENING_SIZE)
        for size in range(OPENING_SIZE):
            self.assertIsNone(checkOpening(data[:size]))
        self.assertEqual(checkOpening(data), opening)

    def test_magic(self) -> None:
        """
        Somebody who speaks something else is noticed at the first wrong byte.
        """
        for data in (b"G", b"GET / HTTP/1.1\r\n", b"\x91mschaN", b"\x91mschan\r" + bytes(24)):
            self.assertRaises(ChannelCorrupt, checkOpening, data)

    def test_version(self) -> None:
        """
        Another version is named, as soon as it is known.
        """
        data = Opening(1, 2, 3).encode()[:8] + struct.pack("<I", 7)
        error = self.assertRaises(ChannelCorrupt, checkOpening, data)
        self.assertIn("version 7", str(error))

    def test_refusal(self) -> None:
        """
        A refusal has a reason that is known; others are corrupt.
        """
        refusing = Opening(1, 2, 3, NAME_REFUSED)
        self.assertEqual(checkOpening(refusing.encode()), refusing)
        data = bytearray(refusing.encode())
        data[20] = 2
        self.assertRaises(ChannelCorrupt, checkOpening, bytes(data))

    def test_tls(self) -> None:
        """
        A peer that speaks TLS is told apart from noise.
        """
        for data in (b"\x15\x03\x03\x00\x02", b"\x16\x03\x01" + bytes(100)):
            error = self.assertRaises(ChannelCorrupt, checkOpening, data)
            self.assertIn("speaks TLS", str(error))

    def test_mismatch(self) -> None:
        """
        Other limits are a mismatch, possible or not.
        """
        self.assertIsNone(Opening(64, 100, 5).mismatch("here", LIMITS))
        for opening in (Opening(64, 101, 5), Opening(65, 100, 5), Opening(0, 0, 5), Opening(1 << 31, 1, 5)):
            self.assertIn("here", opening.mismatch("here", LIMITS) or "")


class FrameTests(SynchronousTestCase):
    """
    Frames, there and back.
    """

    def setUp(self) -> None:
        """
        A reader with an empty ledger.
        """
        self.ledger = InboundLedger(LIMITS, lambda: 0.0)
        self.messages: deque[bytes] = deque()
        self.reader = FrameReader(self.ledger, self.messages)

    def test_headerSize(self) -> None:
        """
        The header is what the limits charge for.
        """
        self.assertEqual(FRAME_SIZE, HEADER_SIZE)

    def test_credit(self) -> None:
        """
        Credit goes with the first frame, or alone.
        """
        self.assertEqual(packFrames(deque([b"a"]), 7, 1000), frame(b"MESG", 7, 1) + b"a")
        expected = frame(b"MESG", 7, 1) + b"a" + frame(b"MESG", 0, 2) + b"bc"
        self.assertEqual(packFrames(deque([b"a", b"bc"]), 7, 1000), expected)
        self.assertEqual(packFrames(deque(), 7, 1000), frame(b"FREE", 7))
        self.assertEqual(packQuit(7), frame(b"QUIT", 7))
        self.assertEqual(self.reader.receive(expected + frame(b"FREE", 5) + frame(b"QUIT", 1)), 13)
        self.assertTrue(self.reader.quits)

    def test_batches(self) -> None:
        """
        Packing stops when the batch is large enough; the rest waits.
        """
        messages = deque([b"x" * 100] * 10)
        self.assertEqual(len(packFrames(messages, 0, 300)), 3 * 116)
        self.assertEqual(len(messages), 7)

    def test_corrupt(self) -> None:
        """
        Each thing that a peer must not say ends the conversation.
        """
        wrong = [
            frame(b"XXXX"),
            bytes(16),
            frame(b"FREE"),
            frame(b"FREE", 1, 1),
            frame(b"QUIT", 0, 1),
            frame(b"QUIT") + frame(b"QUIT"),
            frame(b"QUIT") + frame(b"MESG"),
            frame(b"MESG", 0, LIMITS.max_message + 1),
            frame(b"MESG", 0, (1 << 64) - 1),
            frame(b"MESG") * 101,
        ]
        for data in wrong:
            self.setUp()
            self.assertRaises(ChannelCorrupt, self.reader.receive, data)

    def test_overPublishKeepsNothing(self) -> None:
        """
        A message that does not fit is noticed by its header.
        """
        self.reader.receive(frame(b"MESG", 0, LIMITS.max_message - 64) + b"abc")
        self.assertEqual(self.ledger.held, 99)
        self.reader.receive(b"x" * (LIMITS.max_message - 67))
        self.assertEqual(len(self.messages), 1)
        self.assertRaises(ChannelCorrupt, self.reader.receive, frame(b"MESG", 0, 49))

    @settings(max_examples=60, deadline=None)
    @given(
        messages=st.lists(st.binary(max_size=200), max_size=10),
        credit=st.integers(0, 100),
        pieces=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    )
    def test_anyPieces(self, messages: list[bytes], credit: int, pieces: list[int]) -> None:
        """
        However the stream is cut, the same comes out.
        """
        self.setUp()
        data = packFrames(deque(messages), credit, 1 << 20) + packQuit(1)
        got = position = index = 0
        while position < len(data):
            size = pieces[index % len(pieces)]
            got += self.reader.receive(data[position : position + size])
            position += size
            index += 1
        self.assertEqual(list(self.messages), messages)
        self.assertEqual(got, credit + 1)
        self.assertTrue(self.reader.quits)
        self.assertEqual(self.ledger.statistics().queue_length, len(messages))

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=200))
    def test_anyBytes(self, data: bytes) -> None:
        """
        No bytes do anything but be read or be refused.
        """
        self.setUp()
        try:
            self.reader.receive(data)
        except ChannelCorrupt:
            pass
        self.assertLessEqual(self.ledger.held, LIMITS.capacity)
