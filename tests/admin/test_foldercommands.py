"""
C{mailstore folder}, C{mailstore acl}, C{mailstore quota}.
"""

from __future__ import annotations

from mailstore.model import SYSTEM
from tests.admin.commandcase import CommandTestCase


class RenameTests(CommandTestCase):
    """
    C{mailstore folder rename}.
    """

    def test_renamed(self) -> None:
        """
        A folder has another name, with all below it; a user's own too.
        """
        self.user("ann")
        self.run_("import", self.put("a.eml"), "Public Folders/A/B")
        self.assertEqual(
            self.run_("folder", "rename", "Public Folders/A", "Public Folders/C/D")[0],
            "renamed Public Folders/A to Public Folders/C/D\n",
        )
        self.assertIn("        1 Public Folders/C/D/B\n", self.run_("folder", "list")[0])
        self.run_("folder", "create", "Sent", "--owner", "ann")
        self.run_("folder", "rename", "Sent", "Gone", "--owner", "ann")
        self.assertIn("Other Users/ann/Gone\n", self.run_("folder", "list")[0])
        self.run_("check")

    def test_refused(self) -> None:
        """
        Names that are not there, are there already, or can be none.
        """
        self.run_("folder", "create", "Public Folders/A")
        for old, new, expected in (
            ("Public Folders/X", "Public Folders/Y", "there is no folder 'Public Folders/X'"),
            ("Public Folders/A", "Public Folders/A", "already"),
            ("Public Folders/A", "Public Folders/A/B", "into itself"),
            ("Public Folders/A", "B", "write 'Public Folders/B'"),
            ("Public Folders", "Public Folders/B", "exists always"),
        ):
            self.assertIn(expected, self.refused("folder", "rename", old, new))


class DeleteTests(CommandTestCase):
    """
    C{mailstore folder delete}.
    """

    def test_empty(self) -> None:
        """
        A folder without messages goes as it is.
        """
        self.run_("folder", "create", "Public Folders/A")
        self.assertEqual(self.run_("folder", "delete", "Public Folders/A")[0], "deleted 1 folder\n")
        self.assertNotIn("Public Folders/A", self.run_("folder", "list")[0])

    def test_asked(self) -> None:
        """
        What holds messages or folders goes only when that is said, and then with all.
        """
        self.run_("import", self.put("a.eml"), "Public Folders/A/B/C")
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        delete = ("folder", "delete", "Public Folders/A")
        self.assertIn("has 2 folders below it: say --with-folders", self.refused(*delete))
        self.assertIn("holds 2 messages: say --with-messages", self.refused(*delete, "--with-folders"))
        self.assertIn("say --with-folders", self.refused(*delete, "--with-messages"))
        self.assertEqual(
            self.run_(*delete, "--with-folders", "--with-messages")[0],
            "deleted 3 folders with 2 messages\n",
        )
        self.run_("check")
        self.assertIn("'mailstore folder list' names all", self.refused(*delete))

    def test_nodes(self) -> None:
        """
        Names that only hold folders go with the last of these.
        """
        self.run_("folder", "create", "Public Folders/A/B/C")
        self.run_("folder", "create", "Public Folders/A/B/D")
        self.look(lambda store: store.deleteFolder(SYSTEM, "Public Folders/A/B"))
        self.run_("folder", "delete", "Public Folders/A", "--with-folders")
        self.assertNotIn("Public Folders/A", self.run_("folder", "list")[0])
        self.run_("check")

    def test_always(self) -> None:
        """
        What exists always is not deleted.
        """
        self.user("ann")
        self.assertIn("exists always", self.refused("folder", "delete", "INBOX", "--owner", "ann"))
        self.assertIn("exists always", self.refused("folder", "delete", "Public Folders"))
        # Nor is anything below it, whatever else is said.
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        self.run_("import", self.put("a.eml"), "INBOX/B", "--owner", "ann")
        everything = ("--with-folders", "--with-messages")
        for name in ("Public Folders", "Other Users", "Other Users/ann", "Other Users/ann/INBOX"):
            self.assertIn("exists always", self.refused("folder", "delete", name, *everything))
        self.assertIn(
            "exists always", self.refused("folder", "delete", "INBOX", "--owner", "ann", *everything)
        )
        listed = self.run_("folder", "list")[0]
        for name in ("Public Folders/A", "Other Users/ann/INBOX/B"):
            self.assertIn(f"        1 {name}\n", listed)
        self.assertIn(
            "deleted 1 folder", self.run_("folder", "delete", "INBOX/B", "--owner", "ann", *everything)[0]
        )


class AclTests(CommandTestCase):
    """
    C{mailstore acl}.
    """

    def test_rights(self) -> None:
        """
        Rights are given, listed, withheld and taken away.
        """
        self.user("ann")
        self.run_("folder", "create", "Public Folders/A")
        self.run_("acl", "set", "Public Folders/A", "ann", "lrswi")
        self.run_("acl", "set", "Public Folders/A", "authenticated", "r", "--withhold")
        self.assertEqual(
            self.run_("acl", "get", "Public Folders/A")[0],
            f"{'r':<11} -authenticated\n{'lrswi':<11} ann\n{'lrs':<11} authenticated\n",
        )
        self.assertEqual(self.look(lambda store: store.rights("ann", "Public Folders/A")), "lswi")
        self.assertEqual(self.run_("acl", "remove", "Public Folders/A", "ann")[0], "changed 1 folder\n")
        self.assertEqual(self.run_("acl", "remove", "Public Folders/A", "ann")[0], "changed 0 folders\n")
        self.assertNotIn("lrswi", self.run_("acl", "get", "Public Folders/A")[0])

    def test_owner(self) -> None:
        """
        A user's own folders have rights too.
        """
        self.user("ann")
        self.user("bob")
        self.run_("acl", "set", "INBOX", "bob", "lr", "--owner", "ann")
        self.assertIn("bob", self.run_("acl", "get", "inbox", "--owner", "ann")[0])
        self.assertIn("every right", self.refused("acl", "set", "INBOX", "ann", "l", "--owner", "ann"))
        self.assertIn("there is no folder", self.refused("acl", "get", "X", "--owner", "ann"))


class QuotaTests(CommandTestCase):
    """
    C{mailstore quota}.
    """

    def test_set(self) -> None:
        """
        Limits are set, kept when others are set, and taken away.
        """
        self.user("ann")
        self.run_("import", self.put("a.eml"), "INBOX", "--owner", "ann")
        get = ("quota", "get", "--owner", "ann")
        self.assertEqual(
            self.run_(*get)[0],
            "           1 KiB      of no limit\n           1 messages of no limit\n",
        )
        set_ = ("quota", "set", "--owner", "ann")
        self.run_(*set_, "--storage", "2M")
        self.run_(*set_, "--messages", "1")
        expected = "           1 KiB      of 2048\n           1 messages of 1\n"
        self.assertEqual(self.run_(*get)[0], expected)
        self.assertIn(
            "limit on the number of messages here is 1",
            self.run_("import", self.put("b.eml"), "INBOX", "--owner", "ann", code=1)[1],
        )
        self.assertIn("of no limit", self.run_(*set_, "--messages", "none")[0])
        self.assertNotIn("of 2048", self.run_("quota", "get")[0])

    def test_refused(self) -> None:
        """
        Numbers that are none, and users.
        """
        self.assertIn("there is no user 'ann'", self.refused("quota", "get", "--owner", "ann"))
        for words, expected in (
            ((), "nothing is to be limited: say --storage SIZE or --messages NUMBER"),
            (("--storage", "-1"), "--storage must be a whole number or 'none', not '-1'"),
            (("--storage", ""), "--storage must be a whole number"),
            (("--storage", "M"), "--storage must be a whole number"),
            (("--messages", "1.5"), "--messages must be a whole number"),
            (("--storage", "1.5G"), "--storage must be a whole number or 'none', not '1.5G'"),
            (("--messages", "9" * 30), "--messages is more than can be: '9999"),
        ):
            self.assertIn(expected, self.refused("quota", "set", *words, code=2))
