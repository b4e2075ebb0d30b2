"""
L{transports._shmopening}.
"""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from transports._shmopening import (
    DATA,
    FREE,
    OPENING_SIZE,
    QUIT,
    Kind,
    MemoryOpening,
    NoteReader,
    checkOpening,
    packNotes,
)
from transports.errors import ChannelCorrupt
from transports.limits import Limits

OPENING = MemoryOpening(64, 8, Kind.SEALED, 0x0123456789ABCDEF)


class OpeningTests(SynchronousTestCase):
    """
    The first thing that each side says.
    """

    def test_layout(self) -> None:
        """
        The bytes are those that the drawing shows.
        """
        expected = b"\x91msmemo\n" + struct.pack("<IIIIQ", 1, 64, 8, 1, 0x0123456789ABCDEF)
        self.assertEqual(OPENING.encode(), expected)
        self.assertEqual(len(expected), OPENING_SIZE)

    def test_inBits(self) -> None:
        """
        An opening is one when it is complete, and not before.
        """
        data = OPENING.encode()
        for size in range(len(data)):
            self.assertIs(checkOpening(data[:size]), None)
        self.assertEqual(checkOpening(data), OPENING)

    def test_bad(self) -> None:
        """
        What cannot become an opening is refused as soon as that can be seen.
        """
        good = OPENING.encode()
        for data, says in (
            (b"\x91mschan\n", "bad magic"),
            (b"GET", "bad magic"),
            (good[:8] + b"\x02\0\0\0", "version 2"),
            (good[:20] + b"\x03" + good[21:], "does not know (3)"),
        ):
            self.assertIn(says, str(self.assertRaises(ChannelCorrupt, checkOpening, data)))

    @given(st.binary(max_size=40))
    def test_anyBytes(self, data: bytes) -> None:
        """
        Nothing but L{ChannelCorrupt} comes of any bytes.
        """
        try:
            checkOpening(data)
        except ChannelCorrupt:
            pass

    def test_mismatch(self) -> None:
        """
        Other limits and another kind are told, each with what this end has.
        """
        self.assertIs(OPENING.mismatch("shm:x", Limits(64, 8), Kind.SEALED), None)
        said = OPENING.mismatch("shm:x", Limits(64, 9), Kind.SEALED) or ""
        self.assertIn("9 blocks of 64 bytes, the peer has 8 blocks", said)
        said = OPENING.mismatch("shm:x", Limits(64, 8), Kind.PLAIN) or ""
        self.assertIn("this end has portable=yes, the peer has portable=no", said)
        said = MemoryOpening(0, 0, Kind.PLAIN, 1).mismatch("shm:x", Limits(64, 8), Kind.PLAIN) or ""
        self.assertIn("impossible", said)


class NoteTests(SynchronousTestCase):
    """
    What is said afterwards.
    """

    def test_pack(self) -> None:
        """
        Only what is to be told is told: data before the farewell.
        """
        self.assertEqual(packNotes(0, 0, False), b"")
        self.assertEqual(packNotes(3, 0, False), b"DATA\x03\0\0\0")
        self.assertEqual(packNotes(0, 4, False), b"FREE\x04\0\0\0")
        self.assertEqual(packNotes(3, 4, True), b"DATA\x03\0\0\0FREE\x04\0\0\0QUIT\0\0\0\0")

    def test_inBits(self) -> None:
        """
        Notes may come in any pieces.
        """
        reader = NoteReader(True)
        notes = [note for byte in packNotes(3, 4, True) for note in reader.receive(bytes([byte]))]
        self.assertEqual(notes, [(DATA, 3), (FREE, 4), (QUIT, 0)])

    def test_unknown(self) -> None:
        """
        Notes that there are not; where there are doorbells, no counts either.
        """
        for data in (b"WHAT\x01\0\0\0", b"DATA\0\0\0\0", b"FREE\0\0\0\0", b"QUIT\x01\0\0\0"):
            self.assertRaises(ChannelCorrupt, list, NoteReader(True).receive(data))
        for data in (b"DATA\x01\0\0\0", b"FREE\x01\0\0\0", b"QUIT\x01\0\0\0"):
            self.assertRaises(ChannelCorrupt, list, NoteReader(False).receive(data))
        self.assertEqual(list(NoteReader(False).receive(b"QUIT\0\0\0\0")), [(QUIT, 0)])
