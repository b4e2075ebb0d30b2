"""
Tests for L{mailstore.message.index}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message.index import Index, Ranges, dump, load
from mailstore.message.structure import parse
from tests.message.mails import brokenMessages, lines, realMessages


def indexOf(part: Ranges) -> Index:
    """
    The index that a part must have.
    """
    return Index(
        part.header_start,
        part.body_start,
        part.end,
        tuple(map(indexOf, part.parts)),
        None if part.message is None else indexOf(part.message),
    )


class IndexTests(SynchronousTestCase):
    """
    What is dumped is what is loaded.
    """

    def test_real(self) -> None:
        """
        The index of a real message is small and complete.
        """
        for name, data in realMessages():
            root = parse(data).root
            dumped = dump(root)
            self.assertEqual(load(dumped), indexOf(root), name)
            self.assertTrue(len(dumped) < 200, name)

    @given(brokenMessages)
    def test_broken(self, data: bytes) -> None:
        """
        So is that of a broken one.
        """
        root = parse(data).root
        self.assertEqual(load(dump(root)), indexOf(root))

    def test_extremes(self) -> None:
        """
        The deepest message, and the one with most parts, can be dumped and loaded.
        """
        for data in (
            b"Content-Type: message/rfc822\r\n\r\n" * 100,
            lines("Content-Type: multipart/mixed; boundary=b", "") + b"--b\r\n" * 2000,
        ):
            root = parse(data).root
            self.assertEqual(load(dump(root)), indexOf(root))

    def test_numbers(self) -> None:
        """
        Positions of any size come back.
        """
        for end in (0, 1, 127, 128, 16383, 16384, 1 << 32, 1 << 62):
            index = Index(0, end, 2 * end)
            self.assertEqual(load(dump(index)), index)

    @given(st.binary(max_size=20))
    def test_garbage(self, data: bytes) -> None:
        """
        Bytes that are no index are refused, never anything else.
        """
        for each in (data, b"\1" + data):
            try:
                index = load(each)
            except ValueError:
                continue
            self.assertEqual(load(dump(index)), index)

    def test_refused(self) -> None:
        """
        What ends early, goes on too long, is of another format, or is nested without end, is refused.
        """
        whole = dump(parse(lines("A: b", "", "x" * 200)).root)
        for each in (b"", whole[:-1], whole + b"\0", b"\2" + whole[1:], b"\1" + b"\0\0\0\1" * 1000):
            self.assertRaises(ValueError, load, each)
        self.assertRaises(ValueError, load, b"\1\0\0\0\x80\x80\x01" + b"\0\0\0\0" * 10_000)
        self.assertRaises(ValueError, load, b"\1" + b"\xff" * 20)
