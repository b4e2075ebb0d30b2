"""
Tests of L{mailstore.imap.numbering}.
"""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.numbering import Numbering
from mailstore.model import UidSet


def numbering(*uids: int) -> Numbering:
    """
    A list of these UIDs.
    """
    return Numbering(UidSet.of(uids))


class NumberingTests(SynchronousTestCase):
    """
    Sequence numbers are places in an ascending list of UIDs.
    """

    def test_empty(self) -> None:
        """
        A list of nothing has no numbers and no last UID.
        """
        empty = numbering()
        self.assertEqual(len(empty), 0)
        self.assertEqual(empty.last, 0)
        self.assertIsNone(empty.sequenceOf(1))
        self.assertRaises(IndexError, empty.uidOf, 1)
        self.assertEqual(empty.countFrom(1), 0)

    def test_bothWays(self) -> None:
        """
        Every number leads to its UID and back, across gaps.
        """
        uids = (2, 3, 4, 9, 11, 12)
        numbers = numbering(*uids)
        self.assertEqual([numbers.uidOf(each) for each in range(1, 7)], list(uids))
        self.assertEqual([numbers.sequenceOf(each) for each in uids], [1, 2, 3, 4, 5, 6])
        self.assertEqual([numbers.sequenceOf(each) for each in (1, 5, 8, 10, 13)], [None] * 5)

    def test_outside(self) -> None:
        """
        There is no message 0 and none beyond the last.
        """
        self.assertRaises(IndexError, numbering(5).uidOf, 0)
        self.assertRaises(IndexError, numbering(5).uidOf, 2)

    def test_expungeNumbers(self) -> None:
        """
        Each EXPUNGE number counts with those before it gone already: RFC 9051
        section 6.4.3 shows 3, 3, 5, 8 for the messages 3, 4, 7 and 11.
        """
        numbers = numbering(*range(101, 112))
        gone = numbers.remove(UidSet.of([103, 104, 107, 111]))
        self.assertEqual(list(gone), [3, 3, 5, 8])
        self.assertEqual(list(numbers.uids()), [101, 102, 105, 106, 108, 109, 110])

    def test_removeUnknown(self) -> None:
        """
        Removing what is not there changes nothing.
        """
        numbers = numbering(1, 5)
        self.assertEqual(list(numbers.remove(UidSet(((2, 4), (6, 0xFFFFFFFF))))), [])
        self.assertEqual(len(numbers), 2)

    def test_appendInOrderOnly(self) -> None:
        """
        A UID that is not above the last is passed over.
        """
        numbers = numbering(1, 2, 7)
        self.assertEqual(numbers.append([3, 7, 8, 8, 10]), 2)
        self.assertEqual(list(numbers.uids()), [1, 2, 7, 8, 10])

    def test_againstList(self) -> None:
        """
        After any changes it agrees with a plain list about everything.
        """
        chance = random.Random(5)
        for _ in range(60):
            plain = sorted(chance.sample(range(1, 60), 25))
            numbers = numbering(*plain)
            for _ in range(6):
                if chance.random() < 0.4:
                    top = (plain[-1] if plain else 0) + chance.randint(1, 3)
                    new = list(range(top, top + chance.randint(0, 3)))
                    numbers.append(new)
                    plain += new
                else:
                    gone = set(chance.sample(range(1, 70), 12))
                    said = list(numbers.remove(UidSet.of(gone)))
                    expected = []
                    for uid in sorted(gone.intersection(plain)):
                        expected.append(plain.index(uid) + 1)
                        plain.remove(uid)
                    self.assertEqual(said, expected)
                self.assertEqual(list(numbers.uids()), plain)
                self.assertEqual(len(numbers), len(plain))
                probes = range(75)
                places = [plain.index(uid) + 1 if uid in plain else 0 for uid in probes]
                self.assertEqual(list(numbers.sequencesOf(probes)), places)
                self.assertEqual([numbers.sequenceOf(uid) or 0 for uid in probes], places)
                self.assertEqual(
                    [numbers.countFrom(uid) for uid in probes], [sum(p >= u for p in plain) for u in probes]
                )
                if plain:
                    first = chance.randint(1, len(plain))
                    last = chance.randint(first, len(plain))
                    found = UidSet.ofRanges(numbers.between(first, last))
                    self.assertEqual(list(found), plain[first - 1 : last])
                some = UidSet.of(chance.sample(range(1, 75), 20))
                self.assertEqual(list(numbers.among(some)), [uid for uid in plain if uid in some])
