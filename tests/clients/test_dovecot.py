"""
Real mail as Dovecot reads it.
"""

from __future__ import annotations

import pathlib

from twisted.trial.unittest import SynchronousTestCase

from tests.clients.dovecot import ITEMS, differences, missing
from tests.clients.explained import GROUPS, explanation

_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "imap.md"


class DovecotTests(SynchronousTestCase):
    """
    ENVELOPE and BODYSTRUCTURE of all of C{tests/mail}, ours beside Dovecot's.
    """

    def test_differences(self) -> None:
        """
        Where they differ it is known why, and every reason that is known is met.
        """
        found = differences()
        self.assertEqual([str(each) for each in found if "NOT EXPLAINED" in str(each)], [])
        self.assertEqual({each.item for each in found}, set(ITEMS))
        met = {explanation(each.message, each.item, each.path, each.ours, each.theirs) for each in found}
        self.assertEqual(met, set(GROUPS))
        count = f"differ in {len(found)} values of {len({each.message for each in found})} messages"
        self.assertIn(count, " ".join(_PAGE.read_text().split()))

    test_differences.skip = missing()  # type: ignore[attr-defined]

    def test_documented(self) -> None:
        """
        Every group has its row in the documentation.
        """
        page = _PAGE.read_text()
        self.assertEqual([each for each in GROUPS if f"| {each} |" not in page], [])
