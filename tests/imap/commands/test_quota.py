"""
Tests of GETQUOTA, GETQUOTAROOT and SETQUOTA.
"""

from __future__ import annotations

from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import MessageCase, plain


class QuotaTests(MessageCase):
    """
    Alice administrates the public folders; bob does not.
    """

    def setUp(self) -> None:
        super().setUp()
        self.sales = f'"{self.public("Sales")}"'
        self.result(self.engine.setRights(SYSTEM, "Public Folders", "alice", "lrswipkxtea"))
        self.alice = self.client(folder="")
        self.bob = self.client("bob", "")

    def test_announced(self) -> None:
        """
        What RFC 9208 has names for, of what there is.
        """
        (line, _) = self.alice.command("CAPABILITY")
        wanted = {"QUOTA", "QUOTASET", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE"}
        self.assertLessEqual(wanted, set(line.split()))

    def test_setAndGet(self) -> None:
        """
        Limits replace all those before; what has none is not told.
        """
        self.fill(plain("x"), plain("y", "z" * 1500))
        self.assertEqual(
            self.alice.command("SETQUOTA #user/alice (storage 10 MESSAGE 5)"),
            ["* QUOTA #user/alice (STORAGE 2 10 MESSAGE 2 5)", "T OK SETQUOTA completed"],
        )
        self.assertEqual(
            self.alice.command("GETQUOTA #user/alice"),
            ["* QUOTA #user/alice (STORAGE 2 10 MESSAGE 2 5)", "T OK GETQUOTA completed"],
        )
        self.assertEqual(
            self.alice.command('SETQUOTA "#user/alice" (MESSAGE 2)')[0], "* QUOTA #user/alice (MESSAGE 2 2)"
        )
        self.alice.say(b"T APPEND INBOX {3+}\r\nx\r\n\r\n")
        self.assertEqual(self.alice.heard()[-1][:16], b"T NO [OVERQUOTA]")
        self.assertEqual(self.alice.command("SETQUOTA #user/alice ()")[0], "* QUOTA #user/alice ()")

    def test_roots(self) -> None:
        """
        Each tree has a root, which holds for what will be made in it as well (RFC 9208 section 4.1.2).
        """
        for name in ("INBOX", "New", "New/deep/down"):
            self.assertEqual(
                self.alice.command(f"GETQUOTAROOT {name}"),
                [f"* QUOTAROOT {name} #user/alice", "* QUOTA #user/alice ()", "T OK GETQUOTAROOT completed"],
            )
        self.alice.command("SETQUOTA #public (MESSAGE 9)")
        for name in (self.sales, '"Public Folders/Sales/New"'):
            self.assertEqual(
                self.bob.command(f"GETQUOTAROOT {name}")[:-1],
                [f"* QUOTAROOT {name} #public", "* QUOTA #public (MESSAGE 0 9)"],
            )

    def test_refused(self) -> None:
        """
        Each reason not to has its code.
        """
        self.assertNo(self.bob.command("SETQUOTA #public (MESSAGE 1)"), "NOPERM")
        self.assertNo(self.bob.command("SETQUOTA #user/bob (MESSAGE 1)"), "NOPERM")
        for command in ("GETQUOTA nope", 'GETQUOTA ""', "SETQUOTA nope ()", "GETQUOTA #user/nobody"):
            self.assertNo(self.alice.command(command), "NONEXISTENT")
        self.assertNo(self.bob.command("GETQUOTA #user/alice"), "NONEXISTENT")
        self.assertNo(self.bob.command('GETQUOTAROOT "Other Users/alice/INBOX"'), "NONEXISTENT")
        self.assertNo(self.alice.command("SETQUOTA #public (MAILBOX 7)"), "CANNOT")
        for command in (
            "GETQUOTA",
            "GETQUOTAROOT",
            "SETQUOTA #public",
            "SETQUOTA #public MESSAGE 1",
            "SETQUOTA #public (MESSAGE)",
            "SETQUOTA #public (MESSAGE -1)",
            "SETQUOTA #public (MESSAGE 1 MESSAGE 2)",
        ):
            self.assertBad(self.alice.command(command))
