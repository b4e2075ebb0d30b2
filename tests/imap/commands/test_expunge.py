"""
EXPUNGE and UID EXPUNGE.
"""

from __future__ import annotations

from mailstore.errors import StoreUnavailable
from mailstore.model import SYSTEM
from tests.imap.commands.messagecase import MessageCase, plain


class ExpungeTests(MessageCase):
    """
    Removing messages.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(str(each)) for each in range(6)))
        self.client().command("CLOSE")  # nothing is recent any more

    def test_numbers(self) -> None:
        """
        Each EXPUNGE says the number at the moment when those before it have gone (RFC 9051 section 7.5.1).
        """
        client, other = self.client(), self.client()
        client.command("STORE 2,3,5 +FLAGS.SILENT (\\Deleted)")
        answer = ["* 2 EXPUNGE", "* 2 EXPUNGE", "* 3 EXPUNGE"]
        self.assertEqual(client.command("EXPUNGE"), [*answer, "T OK EXPUNGE completed"])
        lines = other.command("NOOP")
        self.assertEqual([line for line in lines if "EXPUNGE" in line], answer)
        self.assertEqual(client.command("UID SEARCH ALL")[0], "* SEARCH 1 4 6")

    def test_byUid(self) -> None:
        """
        UID EXPUNGE leaves other deleted messages alone (RFC 4315 section 2.1).
        """
        client = self.client()
        client.command("STORE 2,3,5 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(client.command("UID EXPUNGE 3:4"), ["* 3 EXPUNGE", "T OK UID EXPUNGE completed"])
        self.assertEqual(client.command("UID EXPUNGE 77"), ["T OK UID EXPUNGE completed"])
        self.assertEqual(client.command("UID EXPUNGE 1"), ["T OK UID EXPUNGE completed"])
        self.assertEqual(client.command("EXPUNGE"), ["* 2 EXPUNGE", "* 3 EXPUNGE", "T OK EXPUNGE completed"])

    def test_nothingDeleted(self) -> None:
        """
        There may be nothing to remove.
        """
        self.assertEqual(self.client().command("EXPUNGE"), ["T OK EXPUNGE completed"])

    def test_readOnly(self) -> None:
        """
        A folder opened by EXAMINE loses nothing.
        """
        self.flag(1, "\\Deleted")
        client = self.client(command="EXAMINE")
        self.assertNo(client.command("EXPUNGE"), "READ-ONLY")
        self.assertNo(client.command("UID EXPUNGE 1"), "READ-ONLY")

    def test_withoutRight(self) -> None:
        """
        It needs the right C{e}.
        """
        name = self.public("Notes", alice="lrswt")
        self.fill(plain("x"), user=SYSTEM, folder=name, flags=("\\Deleted",))
        self.assertNo(self.client("alice", name).command("EXPUNGE"), "NOPERM")

    def test_storeAway(self) -> None:
        """
        When the store cannot be reached, nothing is said to be gone.
        """

        async def away(method: object, *arguments: object) -> None:
            raise StoreUnavailable("away")

        client = self.client()
        client.command("STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.store.instead["expunge"] = away
        self.assertNo(client.command("EXPUNGE"), "UNAVAILABLE")

    def test_notWellFormed(self) -> None:
        """
        EXPUNGE has no arguments, UID EXPUNGE has one.
        """
        client = self.client()
        for wrong in ("EXPUNGE 1", "UID EXPUNGE", "UID EXPUNGE x", "UID EXPUNGE 1 2"):
            self.assertBad(client.command(wrong))
