"""
What a front end keeps of whole messages is bounded.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits
from mailstore.imap.sharedcontents import SharedContents


class SharedContentsTests(SynchronousTestCase):
    """
    The messages alone.
    """

    def test_kept(self) -> None:
        """
        A message is found by its folder, UIDVALIDITY and UID only.
        """
        contents = SharedContents(ImapLimits())
        contents.add((1, 7, 5), b"five")
        self.assertEqual(contents.get((1, 7, 5)), b"five")
        self.assertIn((1, 7, 5), contents)
        for other in ((2, 7, 5), (1, 8, 5), (1, 7, 6)):
            self.assertIsNone(contents.get(other))
        contents.clear()
        self.assertEqual((contents.get((1, 7, 5)), contents.cost), (None, 0))

    def test_bound(self) -> None:
        """
        All that is kept never has more than its bound; what was used longest ago goes first.
        """
        contents = SharedContents(ImapLimits(max_shared_contents=100_000))
        for uid in range(1, 101):
            contents.add((1, 1, uid), b"x" * 5000)
            self.assertIsNotNone(contents.get((1, 1, 1)), uid)
            self.assertLessEqual(contents.cost, 100_000)
        self.assertIsNone(contents.get((1, 1, 2)))
        self.assertIsNotNone(contents.get((1, 1, 100)))
        before = contents.cost
        contents.add((1, 1, 100), b"x" * 5000)
        self.assertEqual(contents.cost, before)

    def test_large(self) -> None:
        """
        One message does not take the room of all.
        """
        contents = SharedContents(ImapLimits(max_shared_contents=80_000))
        contents.add((1, 1, 1), b"x" * 10_000)
        self.assertNotIn((1, 1, 1), contents)
        self.assertFalse(contents.gather(10_000))
        contents.add((1, 1, 1), b"x" * 9_000)
        self.assertIn((1, 1, 1), contents)
        contents = SharedContents(ImapLimits())
        contents.add((1, 1, 1), b"x" * (257 << 10))
        self.assertNotIn((1, 1, 1), contents)
        self.assertFalse(contents.gather(257 << 10))

    def test_gathered(self) -> None:
        """
        What is being gathered takes room from what is kept, and a sixteenth of it at most.
        """
        contents = SharedContents(ImapLimits(max_shared_contents=80_000))
        for uid in range(10):
            contents.add((1, 1, uid), b"x" * 7_600)
        self.assertEqual(contents.cost, 79_000)
        self.assertEqual([contents.gather(2_500) for _ in range(3)], [True, True, False])
        self.assertLessEqual(contents.cost, 80_000)
        self.assertIn((1, 1, 9), contents)
        contents.gathered(2_500)
        self.assertTrue(contents.gather(2_500))

    def test_off(self) -> None:
        """
        With a bound of nothing, nothing is kept.
        """
        contents = SharedContents(ImapLimits(max_shared_contents=0))
        self.assertFalse(contents.on)
        contents.add((1, 1, 1), b"x")
        self.assertEqual((contents.cost, contents.gather(1)), (0, False))
