"""
C{mailstore user} and C{mailstore group}.
"""

from __future__ import annotations

from unittest.mock import patch

from mailstore.auth.keys import verify
from mailstore.model import SYSTEM
from tests.admin.commandcase import CommandTestCase


class PasswordTests(CommandTestCase):
    """
    C{mailstore user passwd}.
    """

    def test_changed(self) -> None:
        """
        The new password fits, the old one does not.
        """
        self.user("ann", b"old")
        self.assertEqual(
            self.run_("user", "passwd", "ann", "--password-stdin", given=b"new\n")[0],
            "changed the password of ann\n",
        )
        credentials = self.look(lambda store: store.credentials("ann"))
        self.assertTrue(verify(credentials, "new"))
        self.assertFalse(verify(credentials, "old"))

    def test_refused(self) -> None:
        """
        Users that are none; passwords that can be none leave the old one.
        """
        words = ("user", "passwd")
        self.assertEqual(
            self.refused(*words, "zoe", "--password-stdin", given=b"x"),
            "there is no user 'zoe'; 'mailstore user list' names all",
        )
        self.user("ann", b"old")
        self.assertIn("cannot be empty", self.refused(*words, "ann", "--password-stdin", given=b"\n"))
        with (
            patch("mailstore.admin.passwords._isTerminal", return_value=True),
            patch("mailstore.admin.passwords.getpass.getpass", side_effect=["one", "two"]),
        ):
            self.assertEqual(self.refused(*words, "ann"), "the two passwords differ")
        self.assertTrue(verify(self.look(lambda store: store.credentials("ann")), "old"))


class RemoveTests(CommandTestCase):
    """
    C{mailstore user remove}.
    """

    def setUp(self) -> None:
        """
        Two users, of whom one has mail, rights, a subscription, flags and annotations.
        """
        super().setUp()
        self.user("ann")
        self.user("bob")
        self.run_("import", self.put("a.eml"), "inbox", "--owner", "ann")
        self.run_("import", self.put("b.eml"), "Old/Letters", "--owner", "ann")
        self.run_("import", self.put("b.eml"), "Public Folders/P")
        self.run_("acl", "set", "Public Folders/P", "ann", "lrswi")
        self.run_("acl", "set", "Public Folders", "ann", "x", "--withhold")
        self.run_("group", "add", "staff")
        self.run_("group", "member", "add", "staff", "ann")

    def test_refused(self) -> None:
        """
        Mail is not lost by not being thought of.
        """
        self.assertEqual(
            self.refused("user", "remove", "ann"),
            "'ann' has 2 messages: say --keep-as FOLDER or --delete-mail",
        )
        for words, expected in (
            (("--keep-as", "News"), "is no public folder: write 'Public Folders/News'"),
            (("--keep-as", "Public Folders/P"), "there is a folder 'Public Folders/P' already"),
            (("--keep-as", "Public Folders"), "is no public folder"),
            (("--keep-as", "Public Folders/" + "/".join("x" * 30)), "a name that is too long"),
            (("--keep-as", "Public Folders//x"), "empty part"),
        ):
            self.assertIn(expected, self.refused("user", "remove", "ann", *words))
        self.assertEqual(self.run_("user", "list")[0], "ann\nbob\n")
        self.run_("check")

    def test_keep(self) -> None:
        """
        What is kept is in public folders that nobody has rights on.
        """
        output, _ = self.run_("user", "remove", "ann", "--keep-as", "Public Folders/Former/ann")
        self.assertEqual(output, "removed ann, kept 2 messages in Public Folders/Former/ann\n")
        self.assertEqual(self.run_("user", "list")[0], "bob\n")
        listed, _ = self.run_("folder", "list")
        self.assertIn("        1 Public Folders/Former/ann/INBOX\n", listed)
        self.assertIn("        1 Public Folders/Former/ann/Old/Letters\n", listed)
        self.assertEqual(self.run_("acl", "get", "Public Folders/Former/ann/INBOX")[0], "")
        self.run_("check")

    def test_nothingInherited(self) -> None:
        """
        A later user of the same name has no rights, no groups and no mail of the former.
        """
        self.assertEqual(
            self.run_("user", "remove", "ann", "--delete-mail")[0], "removed ann, deleted 2 messages\n"
        )
        self.assertNotIn("ann", self.run_("acl", "get", "Public Folders/P")[0])
        self.run_("check")
        self.user("ann")
        self.assertEqual(self.look(lambda store: store.rights("ann", "Public Folders/P")), "lrs")
        self.assertEqual(self.look(lambda store: store.groupsOf("ann")), ())
        self.assertEqual(self.look(lambda store: store.status(SYSTEM, "Other Users/ann/INBOX")).messages, 0)
        self.assertNotIn("Old", self.run_("folder", "list")[0])

    def test_empty(self) -> None:
        """
        Who has no mail is removed as he is.
        """
        self.assertEqual(self.run_("user", "remove", "bob")[0], "removed bob\n")
        self.assertIn("there is no user 'bob'", self.refused("user", "remove", "bob"))
        self.run_("check")


class GroupTests(CommandTestCase):
    """
    C{mailstore group}.
    """

    def test_members(self) -> None:
        """
        Groups are made, filled, listed and removed; rights can name them.
        """
        self.user("ann")
        self.run_("folder", "create", "Public Folders/A")
        self.assertEqual(self.run_("group", "add", "staff")[0], "added staff\n")
        member = ("group", "member")
        self.assertEqual(self.run_(*member, "add", "staff", "ann")[0], "ann is now a member of staff\n")
        self.assertEqual(self.run_(*member, "add", "staff", "ann")[0], "ann was already a member of staff\n")
        self.assertEqual(self.run_("group", "list")[0], "        1 staff\n")
        self.assertEqual(self.run_(*member, "list", "staff")[0], "ann\n")
        self.run_("acl", "set", "Public Folders/A", "group:staff", "lrswi")
        self.assertEqual(self.look(lambda store: store.rights("ann", "Public Folders/A")), "lrswi")
        self.assertEqual(
            self.run_(*member, "remove", "staff", "ann")[0], "ann is no more a member of staff\n"
        )
        self.assertEqual(self.look(lambda store: store.rights("ann", "Public Folders/A")), "lrs")
        self.assertEqual(
            self.run_("group", "remove", "staff")[0], "removed staff, and the rights on 1 folder\n"
        )
        self.assertEqual(self.run_("group", "list")[0], "")
        self.run_("check")

    def test_refused(self) -> None:
        """
        Groups and users that are none, or are there already.
        """
        self.run_("group", "add", "staff")
        for words, expected in (
            (("group", "add", "staff"), "already"),
            (("group", "add", "a\x07"), "group name"),
            (("group", "remove", "x"), "there is no group 'x'"),
            (("group", "member", "add", "staff", "zoe"), "there is no user 'zoe'"),
            (("group", "member", "list", "x"), "there is no group 'x'"),
            (("acl", "set", "Public Folders", "group:x", "l"), "there is no group"),
        ):
            self.assertIn(expected, self.refused(*words))
