"""
Tests for L{mailstore.message.lines}.
"""

from __future__ import annotations

import mmap
import tempfile

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import lines
from mailstore.message.lines import LineCounter, canonicalChunks, canonicalSize, isCanonical

_TEXT = st.lists(st.sampled_from([b"\r", b"\n", b"\0", b"x", b""]), max_size=20)


class FindTests(SynchronousTestCase):
    """
    Looking for something far away.
    """

    def test_steps(self) -> None:
        """
        In steps of whatever length it is found where it is, also where it lies across two of them.
        """
        for far in (1, 2, 3, 5, 100):
            self.patch(lines, "_FAR", far)
            for data in (b"", b"-", b"--", b"\n--", b"a\n-\n--b\n--", b"x" * 20 + b"\n--"):
                for start in range(len(data) + 2):
                    self.assertEqual(lines.find(data, b"\n--", start), data.find(b"\n--", start), (far, data))


class CanonicalTests(SynchronousTestCase):
    """
    The served form: CRLF line ends, no NUL.
    """

    def test_kept(self) -> None:
        """
        What is in its served form stays as it is, with a CR alone and without a last line end.
        """
        for data in (b"", b"x", b"a\r\nb\r\n", b"a\rb", b"\r", b"\r\r\n", b"\x80\r\n\r\n"):
            self.assertTrue(isCanonical(data), data)
            self.assertEqual(b"".join(canonicalChunks([data])), data)

    def test_converted(self) -> None:
        """
        A bare LF becomes CRLF, and a NUL the byte 0x80.
        """
        for data, expected in (
            (b"\n", b"\r\n"),
            (b"a\nb\r\nc\n", b"a\r\nb\r\nc\r\n"),
            (b"\n\n", b"\r\n\r\n"),
            (b"\r\n\n", b"\r\n\r\n"),
            (b"\n\r", b"\r\n\r"),
            (b"a\0b", b"a\x80b"),
        ):
            self.assertFalse(isCanonical(data), data)
            self.assertEqual(b"".join(canonicalChunks([data])), expected)

    @given(_TEXT)
    def test_cutAnywhere(self, pieces: list[bytes]) -> None:
        """
        The served form does not depend on where the message is cut into
        pieces, is its own served form, and is as long as its size says.
        """
        whole = b"".join(canonicalChunks([b"".join(pieces)]))
        self.assertEqual(b"".join(canonicalChunks(pieces)), whole)
        self.assertTrue(isCanonical(whole))
        self.assertEqual(canonicalSize(pieces), len(whole))
        self.assertEqual(isCanonical(b"".join(pieces)), b"".join(pieces) == whole)

    def test_windows(self) -> None:
        """
        Big messages are looked at in windows; a CRLF that falls into two of them is one.
        """
        for shift in (-2, -1, 0, 1):
            data = b"x" * (lines.WINDOW + shift)
            self.assertTrue(isCanonical(data + b"\r\nrest"))
            self.assertFalse(isCanonical(data + b"\nrest"))

    def test_mapped(self) -> None:
        """
        A mapped file is read like bytes, wherever its own position is.
        """
        with tempfile.TemporaryFile() as file:
            file.write(b"a\0b\r\n")
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                data.seek(3)
                self.assertFalse(isCanonical(data))


class LineCounterTests(SynchronousTestCase):
    """
    L{LineCounter} counts line ends before a position.
    """

    @given(st.binary(max_size=40), st.lists(st.integers(0, 40)))
    def test_counts(self, data: bytes, positions: list[int]) -> None:
        """
        Forward and backward, it counts what is there.
        """
        counter = LineCounter(data)
        for position in positions:
            position = min(position, len(data))
            self.assertEqual(counter.upTo(position), data[:position].count(b"\n"))
