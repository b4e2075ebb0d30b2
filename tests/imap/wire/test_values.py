"""
Tests for L{mailstore.imap.wire.values}.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.values import SequenceSet
from tests.imap.wire.strategies import examples

_SMALL = st.integers(0, 30)


class SequenceSetTests(SynchronousTestCase):
    """
    L{SequenceSet}.
    """

    def test_rows(self) -> None:
        """
        The examples of RFC 3501 section 9, and folders without messages.
        """
        for ranges, last, expected in (
            (((2, 2), (4, 7), (9, 9), (12, 0)), 15, ((2, 2), (4, 7), (9, 9), (12, 15))),
            (((0, 4), (5, 7)), 10, ((4, 10),)),
            (((2, 4),), 9, ((2, 4),)),
            (((4, 2),), 9, ((2, 4),)),
            (((3291, 0),), 7, ((7, 3291),)),
            (((0, 0),), 7, ((7, 7),)),
            (((0, 0),), 0, ()),
            (((1, 0),), 0, ((1, 1),)),
            (((0, 0), (0, 3)), 0, ((3, 3),)),
            (((5, 5), (4, 4), (5, 5), (1, 2)), 9, ((1, 2), (4, 5))),
            (((9, 9), (20, 30)), 9, ((9, 9), (20, 30))),
        ):
            self.assertEqual(SequenceSet(ranges).resolve(last), expected, ranges)

    @examples
    @given(st.lists(st.tuples(_SMALL, _SMALL), min_size=1, max_size=6), st.integers(1, 30))
    def test_resolve(self, ranges: list[tuple[int, int]], last: int) -> None:
        """
        It is the set that one gets number by number, sorted and without gaps of nothing.
        """
        expected: set[int] = set()
        for low, high in ranges:
            first, second = sorted((low or last, high or last))
            expected.update(range(first, second + 1))
        resolved = SequenceSet(tuple(ranges)).resolve(last)
        self.assertEqual({each for low, high in resolved for each in range(low, high + 1)}, expected)
        for before, after in pairwise(resolved):
            self.assertLess(before[1] + 1, after[0])

    def test_properties(self) -> None:
        """
        The largest number named, and whether there is a C{*}.
        """
        self.assertEqual(SequenceSet(((1, 9), (8, 2))).largest, 9)
        self.assertFalse(SequenceSet(((1, 9), (8, 2))).hasStar)
        self.assertEqual(SequenceSet(((0, 3), (2, 2))).largest, 3)
        self.assertTrue(SequenceSet(((2, 2), (3, 0))).hasStar)
        self.assertEqual(SequenceSet(((0, 0),)).largest, 0)

    def test_saved(self) -> None:
        """
        C{$} names no numbers, whatever there is in the folder.
        """
        saved = SequenceSet((), saved=True)
        self.assertEqual((saved.largest, saved.hasStar), (0, False))
        self.assertEqual(saved.resolve(9), ())
        self.assertNotEqual(saved, SequenceSet(()))
