"""
Tests of CREATE, DELETE, RENAME and STATUS.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import LimitReached, PermissionDenied
from mailstore.model import DELETED, SEEN
from tests.imap.support import Server


class FoldersTests(SynchronousTestCase):
    """
    Folders come and go.
    """

    def setUp(self) -> None:
        """
        A client that has signed in.
        """
        self.server = Server(self)
        self.store = self.server.store
        self.client = self.server.client()

    def test_create(self) -> None:
        """
        A folder is created; a separator at its end means nothing.
        """
        self.assertEqual(self.client.ask(b"CREATE Work/2026"), [b"T OK CREATE completed"])
        self.assertEqual(self.client.ask(b"CREATE Plans/"), [b"T OK CREATE completed"])
        self.assertLessEqual({"Work/2026", "Plans"}, set(self.store.named))

    def test_createRefused(self) -> None:
        """
        Each reason not to has its code.
        """
        self.client.ask(b"CREATE Work")
        for name, code in (
            (b"Work", b"ALREADYEXISTS"),
            (b"inbox", b"ALREADYEXISTS"),
            (b"/", b"CANNOT"),
            (b'""', b"CANNOT"),
            (b"a//b", b"CANNOT"),
            (b"a/../b", b"CANNOT"),
            (b'"Public Folders"', b"ALREADYEXISTS"),
        ):
            reply = self.client.ask(b"CREATE " + name)[-1]
            self.assertEqual(reply[: 7 + len(code)], b"T NO [" + code + b"]", name)
        for error, code in ((PermissionDenied("no"), b"NOPERM"), (LimitReached("many"), b"LIMIT")):
            self.store.failures["createFolder"] = error
            self.assertEqual(self.client.ask(b"CREATE x")[-1].split()[2], b"[" + code + b"]")

    def test_badEncoding(self) -> None:
        """
        A name in broken modified UTF-7 is no name.
        """
        self.assertEqual(self.client.ask(b"CREATE a&bc")[-1][:6], b"T BAD ")

    def test_delete(self) -> None:
        """
        A folder is deleted, once.
        """
        self.client.ask(b"CREATE Work")
        self.assertEqual(self.client.ask(b"DELETE Work"), [b"T OK DELETE completed"])
        self.assertEqual(self.client.ask(b"DELETE Work")[-1][:18], b"T NO [NONEXISTENT]")
        self.assertEqual(self.client.ask(b"DELETE INBOX")[-1][:13], b"T NO [CANNOT]")

    def test_deleteOpen(self) -> None:
        """
        Who deletes the folder that they have open is back where no folder is; any
        other client that has it open is cut off, after the reply to its command.
        """
        self.client.ask(b"CREATE Work")
        other = self.server.client()
        self.client.ask(b"SELECT Work")
        other.ask(b"SELECT Work")
        self.assertEqual(self.client.ask(b"DELETE Work")[-1][:5], b"T OK ")
        self.assertEqual(self.client.ask(b"CLOSE")[-1][:6], b"T BAD ")
        self.assertEqual(self.client.ask(b"SELECT INBOX")[-1][:5], b"T OK ")
        other.say(b"a NOOP\r\n")
        tagged, bye = other.heard()
        self.assertEqual(tagged, b"a OK NOOP completed")
        self.assertTrue(bye.startswith(b"* BYE "))
        self.assertTrue(other.gone)

    def test_deletedUnderIdle(self) -> None:
        """
        A client in IDLE hears of it at once.
        """
        self.client.ask(b"CREATE Work")
        other = self.server.client()
        other.ask(b"SELECT Work")
        other.say(b"a IDLE\r\n")
        other.heard()
        self.client.ask(b"DELETE Work")
        (bye,) = other.heard()
        self.assertTrue(bye.startswith(b"* BYE "))
        self.assertTrue(other.gone)

    def test_rename(self) -> None:
        """
        A folder gets a new name; who has it open keeps it.
        """
        self.store.make("Work", messages=2)
        other = self.server.client()
        other.ask(b"SELECT Work")
        self.assertEqual(self.client.ask(b"RENAME Work Play"), [b"T OK RENAME completed"])
        self.store.deliver(self.store.named["Play"])
        self.assertEqual(other.ask(b"NOOP")[0], b"* 3 EXISTS")
        self.assertEqual(self.client.ask(b"RENAME Work x")[-1][:18], b"T NO [NONEXISTENT]")
        self.assertEqual(self.client.ask(b"RENAME Play INBOX")[-1][:20], b"T NO [ALREADYEXISTS]")

    def test_status(self) -> None:
        """
        The counts asked for, in the order asked, also of the folder that is open.
        """
        folder = self.store.make("Work", messages=2)
        self.store.deliver(folder, SEEN | DELETED)
        expected = [
            b"* STATUS Work (UIDNEXT 4 MESSAGES 3 UNSEEN 2 RECENT 3 UIDVALIDITY 1002 SIZE 300 DELETED 1)",
            b"T OK STATUS completed",
        ]
        asked = b"STATUS Work (UIDNEXT MESSAGES UNSEEN RECENT UIDVALIDITY SIZE DELETED)"
        self.assertEqual(self.client.ask(asked), expected)
        self.client.ask(b"EXAMINE Work")
        self.assertEqual(self.client.ask(asked), expected)

    def test_statusRefused(self) -> None:
        """
        What is no folder has no counts, and what is no count cannot be asked for.
        """
        self.assertEqual(self.client.ask(b"STATUS nope (MESSAGES)")[-1][:18], b"T NO [NONEXISTENT]")
        self.assertEqual(self.client.ask(b'STATUS "Public Folders" (MESSAGES)')[-1][:13], b"T NO [CANNOT]")
        for arguments in (b"INBOX", b"INBOX ()", b"INBOX (COLOUR)", b"INBOX MESSAGES"):
            self.assertEqual(self.client.ask(b"STATUS " + arguments)[-1][:6], b"T BAD ", arguments)
