"""
Tests of SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS.
"""

from __future__ import annotations

from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import MessageCase


class AclTests(MessageCase):
    """
    Alice administrates a public folder, and bob reads it.
    """

    def setUp(self) -> None:
        super().setUp()
        self.sales = f'"{self.public("Sales", alice="lra")}"'
        self.alice = self.client(folder="")
        self.bob = self.client("bob", "")

    def acl(self, folder: str) -> str:
        """
        The rights that GETACL tells.
        """
        lines = self.alice.command(f"GETACL {folder}")
        self.assertOk(lines)
        (line,) = lines[:-1]
        return line.removeprefix(f"* ACL {folder} ")

    def test_announced(self) -> None:
        """
        ACL with the rights of RFC 4314.
        """
        (line, _) = self.alice.command("CAPABILITY")
        self.assertLessEqual({"ACL", "RIGHTS=texk"}, set(line.split()))

    def test_set(self) -> None:
        """
        Rights are replaced, added and taken away.
        """
        self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs")
        self.assertEqual(self.alice.command(f"SETACL {self.sales} bob lri"), ["T OK SETACL completed"])
        self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs bob lri")
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob +wsi"))
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob -rx"))
        self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs bob lswi")
        self.assertEqual(self.bob.command(f"MYRIGHTS {self.sales}")[0], f"* MYRIGHTS {self.sales} lrswi")
        self.assertOk(self.alice.command(f'SETACL {self.sales} bob ""'))
        self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs")

    def test_negative(self) -> None:
        """
        An identifier with a minus sign takes rights away (RFC 4314 section 2).
        """
        self.assertOk(self.alice.command(f"SETACL {self.sales} -bob s"))
        self.assertEqual(self.acl(self.sales), "-bob s alice lra authenticated lrs")
        self.assertEqual(self.bob.command(f"MYRIGHTS {self.sales}")[0], f"* MYRIGHTS {self.sales} lr")

    def test_obsolete(self) -> None:
        """
        C{c} and C{d} stand for others, and are told with these (RFC 4314 section 2.1.1).
        """
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob lrswida"))
        self.assertEqual(self.acl(self.sales).split()[-1], "lrswitead")
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob lrswikda"))
        self.assertEqual(self.acl(self.sales).split()[-1], "lrswikteacd")
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob c"))
        self.assertEqual(self.acl(self.sales).split()[-1], "kxc")
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob -c"))
        self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs")

    def test_delete(self) -> None:
        """
        An entry is removed; that it is not there is no error.
        """
        self.assertOk(self.alice.command(f"SETACL {self.sales} bob lri"))
        for _ in range(2):
            self.assertEqual(self.alice.command(f"DELETEACL {self.sales} bob"), ["T OK DELETEACL completed"])
            self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs")

    def test_refused(self) -> None:
        """
        Each reason not to has its code; rights that are none are BAD (RFC 4314 section 3.1).
        """
        for rights in ("lrz", "lR", "+1", "l-r", '"l r"'):
            self.assertBad(self.alice.command(f"SETACL {self.sales} bob {rights}"))
        for command in (
            "SETACL",
            "SETACL INBOX",
            "SETACL INBOX bob",
            'SETACL INBOX "" l',
            "GETACL",
            "MYRIGHTS",
        ):
            self.assertBad(self.alice.command(command))
        self.assertNo(self.alice.command(f"SETACL {self.sales} nobody lr"), "NONEXISTENT")
        self.assertNo(self.alice.command("SETACL INBOX alice l"), "NOPERM")
        secret = f'"{self.public("Secret", authenticated="")}"'
        for name, code in ((self.sales, "NOPERM"), (secret, "NONEXISTENT"), ("nope", "NONEXISTENT")):
            for command in ("SETACL {} bob l", "DELETEACL {} bob", "GETACL {}", "LISTRIGHTS {} bob"):
                self.assertNo(self.bob.command(command.format(name)), code)
        self.assertNo(self.bob.command(f"MYRIGHTS {secret}"), "NONEXISTENT")

    def test_listRights(self) -> None:
        """
        Each right can be given by itself; the owner of a folder has all of them always.
        """
        each = "l r s w i p k x t e a c d"
        self.assertEqual(
            self.alice.command(f"LISTRIGHTS {self.sales} bob")[0], f'* LISTRIGHTS {self.sales} bob "" {each}'
        )
        self.assertEqual(
            self.alice.command("LISTRIGHTS INBOX anyone")[0], f'* LISTRIGHTS INBOX anyone "" {each}'
        )
        self.assertEqual(
            self.alice.command("LISTRIGHTS INBOX alice")[0], "* LISTRIGHTS INBOX alice lrswipkxteacd"
        )
        self.result(self.engine.setRights("alice", "INBOX", "bob", "la"))
        theirs = '"Other Users/alice/INBOX"'
        self.assertEqual(
            self.bob.command(f"LISTRIGHTS {theirs} alice")[0], f"* LISTRIGHTS {theirs} alice lrswipkxteacd"
        )

    def test_groups(self) -> None:
        """
        Groups are identifiers as users are: given rights, told, and asked for what can be given them; what
        a member may do changes at once, in the folder that he has selected too.
        """
        self.result(self.engine.createGroup("sales"))
        self.assertNo(self.alice.command(f"SETACL {self.sales} group:none lr"), "NONEXISTENT")
        self.assertNo(self.alice.command(f"LISTRIGHTS {self.sales} group:none"), "NONEXISTENT")
        self.assertNo(self.alice.command(f"LISTRIGHTS {self.sales} nobody"), "NONEXISTENT")
        self.assertOk(self.alice.command(f"LISTRIGHTS {self.sales} group:sales"))
        self.assertOk(self.alice.command(f"SETACL {self.sales} group:sales lrswi"))
        self.assertOk(self.alice.command(f'SETACL {self.sales} authenticated ""'))
        self.assertEqual(self.acl(self.sales), "alice lra group:sales lrswi")
        self.assertNo(self.bob.command(f"SELECT {self.sales}"), "NONEXISTENT")
        lists = 'LIST "" "Public Folders/*"'
        self.assertFalse([each for each in self.bob.command(lists) if self.sales in each])
        self.result(self.engine.addMember("sales", "bob"))
        self.assertTrue([each for each in self.bob.command(lists) if self.sales in each])
        self.assertOk(self.bob.command(f"SELECT {self.sales}"))
        self.assertEqual(self.bob.command(f"MYRIGHTS {self.sales}")[0], f"* MYRIGHTS {self.sales} lrswi")
        self.result(self.engine.removeMember("sales", "bob"))
        other = self.client("bob", "")
        self.assertFalse([each for each in other.command(lists) if self.sales in each])
        self.assertNo(other.command(f"MYRIGHTS {self.sales}"), "NONEXISTENT")
        # He may not even know of the folder that he has open.
        self.bob.say(b"T NOOP\r\n")
        self.assertTrue(self.bob.heard()[-1].startswith(b"* BYE"))

    def test_lockedOut(self) -> None:
        """
        The last who may change rights cannot give that up.
        """
        for command in (
            f"SETACL {self.sales} alice lr",
            f"SETACL {self.sales} -alice a",
            f"DELETEACL {self.sales} alice",
        ):
            self.assertNo(self.alice.command(command), "NOPERM")
        self.assertEqual(self.acl(self.sales), "alice lra authenticated lrs")

    def test_mine(self) -> None:
        """
        Own folders, others' and public ones; the owner is told with all rights.
        """
        self.assertEqual(
            self.alice.command("MYRIGHTS inbox"),
            ["* MYRIGHTS INBOX lrswipkxteacd", "T OK MYRIGHTS completed"],
        )
        self.assertEqual(self.acl("INBOX"), "alice lrswipkxteacd")
        self.assertOk(self.alice.command("SETACL INBOX bob lr"))
        theirs = '"Other Users/alice/INBOX"'
        self.assertEqual(self.bob.command(f"MYRIGHTS {theirs}")[0], f"* MYRIGHTS {theirs} lr")

    def test_names(self) -> None:
        """
        Identifiers may be any text, as atoms, quoted strings or literals.
        """
        self.assertNo(self.alice.command(f'SETACL {self.sales} "two words" lr'), "NONEXISTENT")
        self.alice.say(f"T SETACL {self.sales} {{3+}}\r\nbob {{2+}}\r\nlr\r\n".encode())
        self.assertEqual(self.alice.heard(), [b"T OK SETACL completed"])

    def test_wholeTree(self) -> None:
        """
        On the public root rights are given for all folders below.
        """
        self.result(self.engine.setRights(SYSTEM, "Public Folders", "alice", "lrswipkxtea"))
        self.assertOk(self.alice.command('SETACL "Public Folders" bob +i'))
        self.assertEqual(self.bob.command(f"MYRIGHTS {self.sales}")[0], f"* MYRIGHTS {self.sales} lrsi")
