"""
MOVE and UID MOVE.
"""

from __future__ import annotations

from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import MessageCase, plain


class MoveTests(MessageCase):
    """
    Moving messages (RFC 6851).
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(str(each)) for each in range(5)))
        self.client().command("CLOSE")  # nothing is recent any more
        self.result(self.engine.createFolder("alice", "Target"))
        self.validity = self.result(self.engine.status("alice", "Target")).uid_validity

    def test_order(self) -> None:
        """
        First C{COPYUID} in an untagged OK, then the EXPUNGEs, then the tagged reply (section 4.3).
        """
        client = self.client()
        self.assertEqual(
            client.command("MOVE 2:3,5 Target"),
            [
                f"* OK [COPYUID {self.validity} 2:3,5 1:3] Moved",
                "* 2 EXPUNGE",
                "* 2 EXPUNGE",
                "* 3 EXPUNGE",
                "T OK MOVE completed",
            ],
        )
        self.assertEqual(
            client.command("UID MOVE 4 Target"),
            [f"* OK [COPYUID {self.validity} 4 4] Moved", "* 2 EXPUNGE", "T OK UID MOVE completed"],
        )
        self.assertEqual(client.command("UID SEARCH ALL")[0], "* SEARCH 1")
        self.assertEqual(self.result(self.engine.status("alice", "Target")).messages, 4)

    def test_onlyThese(self) -> None:
        """
        Messages with C{\\Deleted} that were not named stay.
        """
        client = self.client()
        client.command("STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(client.command("MOVE 3 Target")[1:], ["* 3 EXPUNGE", "T OK MOVE completed"])

    def test_nothing(self) -> None:
        """
        An empty set is no error.
        """
        self.assertEqual(self.client().command("UID MOVE 99 Target"), ["T OK There was nothing to move"])

    def test_refusals(self) -> None:
        """
        Without a target, without rights or when opened for reading only, everything stays where it is.
        """
        closed = self.public("Closed", alice="lr")
        source = self.public("Source", alice="lrs")
        self.fill(plain("x"), user=SYSTEM, folder=source)
        client = self.client()
        self.assertNo(client.command("MOVE 1 Nowhere"), "TRYCREATE")
        self.assertNo(client.command(f'MOVE 1 "{closed}"'), "NOPERM")
        self.assertNo(self.client(folder=source).command("MOVE 1 Target"), "NOPERM")
        self.assertNo(self.client(command="EXAMINE").command("UID MOVE 1 Target"), "READ-ONLY")
        self.assertEqual(self.result(self.engine.status("alice", "INBOX")).messages, 5)
        self.assertEqual(self.result(self.engine.status("alice", "Target")).messages, 0)

    def test_intoDropFolder(self) -> None:
        """
        Who may not read the target is not told the UIDs.
        """
        drop = self.public("Drop", alice="li", authenticated="")
        self.assertEqual(self.client().command(f'MOVE 1 "{drop}"'), ["* 1 EXPUNGE", "T OK MOVE completed"])

    def test_vanished(self) -> None:
        """
        What is there is moved; if nothing is, the answer by sequence number is NO.
        """
        client = self.client()
        self.remove(2)
        lines = client.command("MOVE 1:3 Target")
        self.assertEqual(lines[0], f"* OK [COPYUID {self.validity} 1,3 1:2] Moved")
        self.assertEqual(lines[1:], ["* 1 EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE", "T OK MOVE completed"])
        self.remove(4)
        lines = client.command("MOVE 1 Target")
        self.assertTrue(lines[-1].startswith("T NO [EXPUNGEISSUED] "), lines)
        self.assertEqual(lines[:-1], ["* 1 EXPUNGE"])

    def test_othersAreTold(self) -> None:
        """
        Other sessions see the messages go and come.
        """
        source, target = self.client(), self.client(folder="Target")
        self.client().command("MOVE 1:2 Target")
        self.assertEqual(source.command("NOOP"), ["* 1 EXPUNGE", "* 1 EXPUNGE", "T OK NOOP completed"])
        self.assertIn("* 2 EXISTS", target.command("NOOP"))

    def test_withinFolder(self) -> None:
        """
        Moving into the same folder gives the messages new UIDs.
        """
        client = self.client()
        lines = client.command("MOVE 1 INBOX")
        self.assertIn("1 6] Moved", lines[0])
        self.assertIn("* 1 EXPUNGE", lines)
        self.assertEqual(client.command("UID SEARCH ALL")[0], "* SEARCH 2 3 4 5 6")
