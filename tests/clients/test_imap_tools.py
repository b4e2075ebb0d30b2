"""
imap-tools against C{twist mailstore}.
"""

from __future__ import annotations

from imap_tools import AND, MailBoxUnencrypted, MailMessageFlags

from tests.clients.looking import file, folders, letter, look
from tests.clients.servercase import ServerTestCase

WORK = "Public Folders/Wörk"

#: As it is written to a server.
_WIRE = "Public Folders/W&APY-rk"


class ImapToolsTests(ServerTestCase):
    """
    imap-tools, with its own search language and its own reading of messages.
    """

    def test_works(self) -> None:
        """
        It lists, reads, files, finds, flags, copies, moves, deletes and subscribes, in a public
        folder and in its own mailbox.
        """
        server = self.serve("--demo")
        with MailBoxUnencrypted("127.0.0.1", server.port).login("alice", "password") as box:
            self.assertIn("Public Folders/Søciety", [each.name for each in box.folder.list()])
            box.folder.set("Public Folders/News")
            self.assertIn("Crème brûlée on Friday", [each.subject for each in box.fetch(mark_seen=False)])
            box.folder.create(WORK)
            self.assertTrue(box.folder.exists(WORK))
            box.folder.subscribe(WORK, True)
            self.assertEqual([each.name for each in box.folder.list(subscribed_only=True)], [WORK])
            for number in range(3):
                box.append(letter(f"number {number}"), WORK, flag_set=[MailMessageFlags.FLAGGED])
            self.assertEqual(box.folder.status(WORK)["MESSAGES"], 3)
            box.folder.set(WORK)
            (one,) = box.fetch(AND(subject="number 1", flagged=True))
            self.assertEqual((one.from_, one.text), ("ann@example.org", "hello\r\n"))
            self.assertEqual(one.uid, "2")
            box.flag(box.uids(AND(subject="number 0")), [MailMessageFlags.ANSWERED, "mine"], True)
            box.flag(box.uids("ALL"), MailMessageFlags.FLAGGED, False)
            box.copy(["1"], "INBOX")
            box.move(["2"], "INBOX")
            box.delete(["3"])
            self.assertEqual(look(server, _WIRE), {"number 0": {"\\Answered", "mine"}})
            self.assertEqual(
                look(server, "INBOX"),
                {"Your mailbox": set(), "number 0": {"\\Answered", "mine"}, "number 1": {"\\Seen"}},
            )
            box.folder.set("INBOX")
            box.folder.rename(WORK, WORK + "er")
            box.folder.delete(WORK + "er")
        self.assertFalse([name for name in folders(server) if "rk" in name])

    def test_idles(self) -> None:
        """
        In a public folder it hears of a message that another client files.
        """
        server = self.serve("--demo")
        with MailBoxUnencrypted("127.0.0.1", server.port).login("bob", "password", None) as box:
            box.folder.set("Public Folders/News", readonly=True)
            with box.idle as idle:
                file(server, "Public Folders/News", letter("news"))
                heard: list[bytes] = []
                while b"* 4 EXISTS" not in heard:
                    answer = idle.poll(timeout=30)
                    self.assertTrue(answer, heard)
                    heard += [line.strip() for line in answer]
            self.assertEqual(
                [each.subject for each in box.fetch(AND(subject="news"), mark_seen=False)], ["news"]
            )
