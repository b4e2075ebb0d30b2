"""
C{mailstore folder address} and C{mailstore folder expire}.
"""

from __future__ import annotations

from mailstore.model import SYSTEM
from tests.admin.commandcase import CommandTestCase

_NEWS = "Public Folders/News"


class AddressTests(CommandTestCase):
    """
    C{mailstore folder address}.
    """

    def setUp(self) -> None:
        super().setUp()
        self.run_("folder", "create", _NEWS)

    def _acl(self) -> dict[str, str]:
        return dict(self.look(lambda store: store.acl(SYSTEM, _NEWS)))

    def test_given(self) -> None:
        """
        A folder has the address, anyone may post there, and both are listed.
        """
        output, _ = self.run_("folder", "address", _NEWS, "News@Example.org")
        self.assertEqual(output, f"{_NEWS} takes mail at news@example.org\nanyone may post there\n")
        self.assertEqual(self._acl(), {"anyone": "p", "authenticated": "lrs"})
        self.run_("folder", "address", _NEWS, "a@example.org")
        self.assertEqual(self.run_("folder", "address", _NEWS)[0], "a@example.org\nnews@example.org\n")
        self.run_("folder", "create", "Public Folders/Other")
        self.run_("folder", "address", "Public Folders/Other", "b@example.org")
        self.assertEqual(
            self.run_("folder", "address")[0],
            f"a@example.org {_NEWS}\nb@example.org Public Folders/Other\nnews@example.org {_NEWS}\n",
        )
        line = f"        0 {_NEWS}  (a@example.org, news@example.org)\n"
        self.assertIn(line, self.run_("folder", "list")[0])

    def test_keepRights(self) -> None:
        """
        Who may post can be left as it is.
        """
        self.run_("folder", "address", _NEWS, "news@example.org", "--keep-rights")
        self.assertEqual(self._acl(), {"authenticated": "lrs"})

    def test_removed(self) -> None:
        """
        An address is taken away from the folder that has it.
        """
        self.run_("folder", "address", _NEWS, "news@example.org")
        self.run_("folder", "create", "Public Folders/Other")
        for words, expected in (
            (("Public Folders/Other", "news@example.org"), "does not have the address 'news@example.org'"),
            ((_NEWS, "none@example.org"), "does not have the address 'none@example.org'"),
        ):
            self.assertIn(expected, self.refused("folder", "address", *words, "--remove"))
        output, _ = self.run_("folder", "address", _NEWS, "NEWS@example.org", "--remove")
        self.assertEqual(output, f"{_NEWS} takes no more mail at news@example.org\n")
        self.assertEqual(self.run_("folder", "address")[0], "")

    def test_refused(self) -> None:
        """
        Addresses that are none, or in use, and folders that cannot have one.
        """
        self.user("ann")
        self.run_("folder", "address", _NEWS, "news@example.org")
        for words, expected in (
            ((_NEWS, "news@example.org"), f"'{_NEWS}' has the address 'news@example.org' already"),
            ((_NEWS, "news"), "'news' is no address like 'news@example.org'"),
            (("Public Folders/none", "x@example.org"), "there is no folder"),
            (("Public Folders/none",), "there is no folder"),
            (("Public Folders", "x@example.org"), "holds folders only"),
            (("Other Users/ann/INBOX", "x@example.org"), "only a public folder can have an address"),
            (("News", "x@example.org"), "write 'Public Folders/News'"),
        ):
            self.assertIn(expected, self.refused("folder", "address", *words))
        self.assertIn("which address", self.refused("folder", "address", _NEWS, "--remove", code=2))


class ExpireTests(CommandTestCase):
    """
    C{mailstore folder expire}.
    """

    def test_set(self) -> None:
        """
        The rule is set, shown, listed, inherited and taken away.
        """
        self.run_("folder", "create", _NEWS)
        self.assertEqual(self.run_("folder", "expire", _NEWS)[0], f"{_NEWS}: all messages stay\n")
        for words, expected in (
            (("--days", "30"), "messages stay for 30 days"),
            (("--messages", "1"), "at most 1 message stays"),
            (("--days", "1", "--messages", "100"), "messages stay for 1 day, at most 100 messages stay"),
        ):
            for each in (words, ()):
                output, _ = self.run_("folder", "expire", _NEWS, *each)
                self.assertEqual(output, f"{_NEWS}: {expected}\n")
            self.assertIn(f"        0 {_NEWS}  ({expected})\n", self.run_("folder", "list")[0])
        self.run_("folder", "create", f"{_NEWS}/Below")
        self.assertIn("for 1 day", self.run_("folder", "expire", f"{_NEWS}/Below")[0])
        self.run_("folder", "expire", _NEWS, "--never")
        self.assertEqual(self.run_("folder", "expire", _NEWS)[0], f"{_NEWS}: all messages stay\n")

    def test_own(self) -> None:
        """
        A user's own folder can have a rule.
        """
        self.user("ann")
        output, _ = self.run_("folder", "expire", "INBOX", "--owner", "ann", "--days", "2")
        self.assertEqual(output, "Other Users/ann/INBOX: messages stay for 2 days\n")
        self.assertIn("ann/INBOX  (messages stay for 2 days)\n", self.run_("folder", "list")[0])

    def test_refused(self) -> None:
        """
        Rules that make no sense, and folders without messages.
        """
        self.run_("folder", "create", _NEWS)
        for words, code, expected in (
            (("--days", "x"), 2, "--days must be a whole number, not 'x'"),
            (("--days", "-1"), 2, "--days"),
            (("--days", "0"), 1, "messages can be kept for 1 to 36500 days"),
            (("--messages", "99999999999"), 1, "messages can be kept"),
            (("--never", "--days", "1"), 2, "--never leaves nothing to say"),
        ):
            if words[1:] == ("-1",):
                self.run_("folder", "expire", _NEWS, *words, code=2)
            else:
                self.assertIn(expected, self.refused("folder", "expire", _NEWS, *words, code=code))
        self.assertIn(
            "there is no folder", self.refused("folder", "expire", "Public Folders/x", "--days", "1")
        )
        self.assertIn("holds folders only", self.refused("folder", "expire", "Public Folders", "--days", "1"))
