"""
Tests for the limits of L{mailstore.imap.wire.searchkeys}.  What it reads is in
L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.reader import ReaderLimits
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.values import ParseError, SearchKey, SearchKind, UnknownCharset
from tests.imap.wire.encoding import readerOf


def depthOf(key: SearchKey) -> int:
    """
    How deep a key is nested; a key without keys is 1 deep.
    """
    return 1 + max(map(depthOf, key.keys), default=0)


class SearchLimitTests(SynchronousTestCase):
    """
    How much one search may ask for.
    """

    def test_count(self) -> None:
        """
        Keys are counted wherever they are; at the limit it is read, one more is refused.
        """
        limits = ReaderLimits(max_search_keys=8)
        for wire in (
            b"ALL SEEN 1 2 3 4 5 6",
            b"NOT OR (1 2) NOT 3",
            b"OR OR OR OR 1 2 3 4 5"[3:],
            b"((((((1 2",
        ):
            wire = wire + b")" * wire.count(b"((((((") * 6
            readSearch(readerOf(wire, limits=limits))
            self.assertRaises(ParseError, readSearch, readerOf(b"8 9 " + wire, limits=limits))

    def test_depth(self) -> None:
        """
        At the limit a nested key is read, one deeper is refused.
        """
        limits = ReaderLimits(max_search_depth=5)
        key = readSearch(readerOf(b"NOT (1 OR 2 (3 4))", limits=limits)).key
        self.assertEqual(depthOf(key), 5)
        self.assertRaises(ParseError, readSearch, readerOf(b"NOT (1 OR 2 (3 NOT 4))", limits=limits))
        self.assertRaises(ParseError, readSearch, readerOf(b"NOT (1 OR 2 (3 UNSEEN))", limits=limits))

    def test_flatNesting(self) -> None:
        """
        Parentheses around one key, OR in OR, AND in AND and NOT NOT are not deep:
        clients that search for many things at once nest OR hundreds deep.
        """
        limits = ReaderLimits(max_search_depth=2)
        for wire, kind, count in (
            (b"OR 1 " * 400 + b"2", SearchKind.OR, 401),
            (b"OR " * 400 + b"1" + b" 2" * 400, SearchKind.OR, 401),
            (b"(" * 400 + b"1" + b" 2)" * 400, SearchKind.AND, 401),
            (b"(" * 400 + b"SEEN 1" + b")" * 400, SearchKind.AND, 2),
            (b"NOT " * 401 + b"SEEN", SearchKind.NOT, 1),
        ):
            key = readSearch(readerOf(wire, limits=limits)).key
            self.assertEqual((key.kind, len(key.keys)), (kind, count))
            self.assertLessEqual(depthOf(key), 2)

    def test_hostileNesting(self) -> None:
        """
        As much nesting as fits a line is refused, without using the stack.
        """
        for wire in (
            b"(" * 60_000,
            b"NOT " * 15_000,
            b"OR " * 20_000,
            b"NOT (1 " * 9_000,
            b"OR NOT (1 " * 6_000,
        ):
            self.assertRaises(ParseError, readSearch, readerOf(wire))
            self.assertRaises(
                ParseError, readSearch, readerOf(wire, limits=ReaderLimits(max_search_keys=1_000_000))
            )

    def test_defaultDepth(self) -> None:
        """
        With the limits as they are, what comes out can be walked by a recursive function.
        """
        wire = b"NOT (1 " * 24 + b"ALL" + b")" * 24
        self.assertEqual(depthOf(readSearch(readerOf(wire)).key), 49)
        self.assertRaises(ParseError, readSearch, readerOf(b"NOT (1 " * 25 + b"ALL" + b")" * 25))

    def test_unknownCharset(self) -> None:
        """
        An unknown character set is told from all other errors.
        """
        self.assertRaises(UnknownCharset, readSearch, readerOf(b"CHARSET x-none TEXT a"))
        for wire in (b"CHARSET utf-8", b"CHARSET utf-8 TEXT {1}\r\n\xff"):
            error = self.assertRaises(ParseError, readSearch, readerOf(wire))
            self.assertNotIsInstance(error, UnknownCharset)
