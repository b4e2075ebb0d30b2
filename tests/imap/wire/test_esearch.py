"""
Tests for the answers that are sent in pieces: L{mailstore.imap.wire.esearch},
L{mailstore.imap.wire.condstore} and L{mailstore.imap.wire.writer.numberSetPieces}.  What they say
is in L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import writer
from mailstore.imap.wire.condstore import RANGES_OF_VANISHED, vanishedLines
from mailstore.imap.wire.esearch import SearchResult, esearchPieces, searchPieces
from mailstore.imap.wire.sortargs import sortPieces

#: More than goes into one piece of anything.
MANY = 10_000


class PieceTests(SynchronousTestCase):
    """
    Large answers are never held as a whole.
    """

    ranges = tuple((each, each) for each in range(1, 2 * MANY, 2))

    def test_numberSet(self) -> None:
        """
        The pieces of a set are the set; no ranges are no pieces.
        """
        self.assertEqual(list(writer.numberSetPieces(())), [])
        self.assertEqual(list(writer.numberSetPieces([(1, 1), (3, 4), (6, 6)], 2)), [b"1,3:4", b",6"])
        self.assertEqual(list(writer.numberSetPieces([(1, 1), (3, 4)], 2)), [b"1,3:4"])
        pieces = list(writer.numberSetPieces(iter(self.ranges)))
        self.assertEqual(b"".join(pieces), writer.numberSet(self.ranges))
        self.assertLess(max(map(len, pieces)), 65_536)

    def test_esearch(self) -> None:
        """
        A response with many numbers; its ranges are taken as they are needed.
        """
        taken = 0

        def ranges() -> Iterator[tuple[int, int]]:
            nonlocal taken
            for each in self.ranges:
                taken += 1
                yield each

        pieces = esearchPieces(b"A", True, SearchResult(found=ranges(), count=MANY))
        first, second = next(pieces), next(pieces)
        self.assertEqual(first, b'* ESEARCH (TAG "A") UID COUNT 10000')
        self.assertEqual(second[:9], b" ALL 1,3,")
        self.assertLess(taken, MANY)
        whole = first + second + b"".join(pieces)
        self.assertEqual(whole[len(first) :], b" ALL %b\r\n" % writer.numberSet(self.ranges))

    def test_tag(self) -> None:
        """
        Any tag can be written.
        """
        self.assertEqual(
            b"".join(esearchPieces(b"!\"\\]'", False, SearchResult())), b'* ESEARCH (TAG "!\\"\\\\]\'")\r\n'
        )

    def test_lists(self) -> None:
        """
        SEARCH and SORT with many numbers.
        """
        numbers = range(1, MANY + 1)
        for name, pieces in ((b"SEARCH", searchPieces(numbers, 7)), (b"SORT", sortPieces(numbers, 7))):
            self.assertEqual(b"".join(pieces), b"* %b %b (MODSEQ 7)\r\n" % (name, writer.numbers(numbers)))
        self.assertEqual(b"".join(searchPieces((), 7)), b"* SEARCH\r\n")
        self.assertLess(max(map(len, searchPieces(numbers))), 65_536)

    def test_vanished(self) -> None:
        """
        Many UIDs are several responses, each a whole line of a bearable length; none is none.
        """
        self.assertEqual(list(vanishedLines(())), [])
        self.assertEqual(list(vanishedLines(iter([(1, 2)]), True)), [b"* VANISHED (EARLIER) 1:2\r\n"])
        lines = list(vanishedLines((4_000_000_000 + low, 4_000_000_001 + high) for low, high in self.ranges))
        self.assertEqual(len(lines), MANY // RANGES_OF_VANISHED)
        for line in lines:
            self.assertTrue(line.startswith(b"* VANISHED 4") and line.endswith(b"\r\n"))
            self.assertEqual(line.count(b","), RANGES_OF_VANISHED - 1)
            self.assertLess(len(line), 10_000)
