"""
Sets of messages as a store is asked about them.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.messagesets import groups, orderedRuns, parts, widened
from mailstore.imap.numbering import Numbering
from mailstore.model import UidSet

#: A folder from which much was expunged.
_MESSAGES = Numbering(UidSet(((2, 4), (7, 7), (9, 12), (20, 20))))


class MessageSetTests(SynchronousTestCase):
    """
    Fewer ranges, and groups.
    """

    def test_widened(self) -> None:
        """
        Neighbours in the view become one range; what lies between others stays out.
        """
        for uids, wide in (
            ((), ()),
            (((2, 4), (7, 7), (9, 12), (20, 20)), ((2, 20),)),
            (((3, 4), (7, 7)), ((3, 7),)),
            (((2, 2), (4, 4), (7, 7)), ((2, 2), (4, 7))),
            (((12, 12), (20, 20)), ((12, 20),)),
            (((9, 9), (11, 11)), ((9, 9), (11, 11))),
        ):
            self.assertEqual(widened(_MESSAGES, UidSet(uids)), UidSet(wide), uids)

    def test_notInView(self) -> None:
        """
        A UID that is not in the view is a mistake of the caller.
        """
        with self.assertRaises(ValueError):
            widened(_MESSAGES, UidSet(((5, 5),)))

    def test_parts(self) -> None:
        """
        All ranges are there, in order, and never more together than there may be.
        """
        uids = UidSet(((2, 4), (7, 7), (9, 12), (20, 20)))
        self.assertEqual(list(parts(UidSet(), 3)), [])
        self.assertEqual(list(parts(uids, 4)), [uids])
        self.assertEqual(list(parts(uids, 3)), [UidSet(((2, 4), (7, 7), (9, 12))), UidSet(((20, 20),))])

    def test_groups(self) -> None:
        """
        Every message is in exactly one group, in order, and no group is larger than it may be.
        """
        everything = UidSet(((2, 4), (7, 7), (9, 12), (20, 20)))
        for uids in (everything, UidSet(((2, 2), (4, 4), (9, 10), (12, 12)))):
            for size in range(1, 11):
                found: list[int] = []
                for group in groups(_MESSAGES, uids, size):
                    members = list(_MESSAGES.among(group))
                    self.assertLessEqual(len(members), size)
                    found += members
                self.assertEqual(found, list(uids), size)

    def test_groupRanges(self) -> None:
        """
        Groups are in few ranges too.
        """
        everything = UidSet(((2, 4), (7, 7), (9, 12), (20, 20)))
        self.assertEqual(list(groups(_MESSAGES, everything, 5)), [UidSet(((2, 9),)), UidSet(((10, 20),))])

    def test_orderedRuns(self) -> None:
        """
        The order of the numbers is kept.
        """
        for numbers, runs in (
            ((), []),
            ((5,), [(5, 5)]),
            ((1, 2, 3, 9, 4, 5), [(1, 3), (9, 9), (4, 5)]),
            ((3, 2, 1), [(3, 3), (2, 2), (1, 1)]),
        ):
            self.assertEqual(list(orderedRuns(iter(numbers))), runs)
