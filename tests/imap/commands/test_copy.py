"""
COPY and UID COPY.
"""

from __future__ import annotations

from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import MessageCase, plain


class CopyTests(MessageCase):
    """
    Copying messages.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(str(each)) for each in range(5)), flags=("\\Flagged",), internal_date=86400)
        self.remove(2)
        self.result(self.engine.createFolder("alice", "Target"))
        self.validity = self.result(self.engine.status("alice", "Target")).uid_validity

    def test_codes(self) -> None:
        """
        C{COPYUID} says which message became which (RFC 4315 section 3).
        """
        client = self.client()
        for command, code in (
            ("COPY 1 Target", "1 1"),
            ("COPY 3:4,1 target", None),
            ("COPY 3:4,1 Target", "1,4:5 2:4"),
            ('UID COPY 3:4 "Target"', "3:4 5:6"),
            ("UID COPY 1:* Target", "1,3:5 7:10"),
        ):
            lines = client.command(command)
            if code is None:
                self.assertNo(lines, "TRYCREATE")
            else:
                name = command.split(" 1")[0].split(" 3")[0]
                self.assertEqual(lines, [f"T OK [COPYUID {self.validity} {code}] {name} completed"])

    def test_whatIsCopied(self) -> None:
        """
        Content, flags and date go along.
        """
        client = self.client()
        client.command("COPY 2 Target")
        client.command("SELECT Target")
        (line, _) = client.command("FETCH 1 (FLAGS INTERNALDATE)")
        self.assertEqual(
            line, '* 1 FETCH (FLAGS (\\Flagged \\Recent) INTERNALDATE " 2-Jan-1970 00:00:00 +0000")'
        )
        self.assertIn(b"Subject: 2\r\n", client.raw("FETCH 1 BODY.PEEK[]"))

    def test_nothing(self) -> None:
        """
        An empty set by UID is no error, and names no UIDs.
        """
        self.assertEqual(self.client().command("UID COPY 99 Target"), ["T OK There was nothing to copy"])

    def test_noTarget(self) -> None:
        """
        A folder that could be created first is C{TRYCREATE}.
        """
        client = self.client()
        self.assertNo(client.command("COPY 1 Nowhere"), "TRYCREATE")
        self.assertNo(client.command("UID COPY 1 Nowhere"), "TRYCREATE")

    def test_intoOpenFolder(self) -> None:
        """
        Copies into the open folder are announced before the tagged reply.
        """
        client = self.client()
        lines = client.command("COPY 1:2 INBOX")
        self.assertIn("* 6 EXISTS", lines[:-1])
        self.assertIn(" 1,3 6:7] ", lines[-1])

    def test_vanished(self) -> None:
        """
        What is there is copied; if nothing is, the answer by sequence number is NO.
        """
        client = self.client()
        self.remove(3)
        lines = client.command("COPY 1:3 Target")
        self.assertIn(f"T OK [COPYUID {self.validity} 1,4 1:2] COPY completed", lines)
        self.assertIn("* 2 EXPUNGE", lines)
        self.remove(4)
        lines = client.command("COPY 2 Target")
        self.assertTrue(lines[-1].startswith("T NO [EXPUNGEISSUED] "), lines)
        self.assertIn("* 2 EXPUNGE", lines)

    def test_vanishedByUid(self) -> None:
        """
        By UID a message that vanished is passed over.
        """
        client = self.client()
        self.remove(3)
        lines = client.command("UID COPY 3 Target")
        self.assertEqual(lines[-1], "T OK UID COPY completed")

    def test_rights(self) -> None:
        """
        It needs the right C{i} there; who may not read there is not told the UIDs.
        """
        closed = self.public("Closed", alice="lr")
        drop = self.public("Drop", alice="li", authenticated="")
        both = self.public("Both", alice="lri")
        client = self.client()
        self.assertNo(client.command(f'COPY 1 "{closed}"'), "NOPERM")
        self.assertEqual(client.command(f'COPY 1 "{drop}"'), ["T OK COPY completed"])
        self.assertEqual(self.result(self.engine.status(SYSTEM, drop)).messages, 1)
        self.assertIn("COPYUID", client.command(f'COPY 1 "{both}"')[-1])

    def test_fromReadOnly(self) -> None:
        """
        Copying out of a folder opened by EXAMINE is possible.
        """
        self.assertOk(self.client(command="EXAMINE").command("COPY 1 Target"))

    def test_notWellFormed(self) -> None:
        """
        What is no COPY is answered BAD.
        """
        client = self.client()
        for wrong in ("COPY", "COPY 1", "COPY x Target", "COPY 9 Target", "UID COPY 1", "COPY 1 Target x"):
            self.assertBad(client.command(wrong))
