"""
imapclient against C{twist mailstore}.
"""

from __future__ import annotations

import imapclient

from tests.clients.looking import file, folders, letter, look
from tests.clients.servercase import ServerTestCase

WORK = "Public Folders/From imapclient"


class ImapClientTests(ServerTestCase):
    """
    The client that programs choose when C{imaplib} is too little.
    """

    def test_reads(self) -> None:
        """
        It reads namespaces, envelopes, structures and flags of every public folder.
        """
        server = self.serve("--demo")
        with imapclient.IMAPClient("127.0.0.1", server.port, ssl=False) as client:
            client.login("alice", "password")
            spaces = client.namespace()
            self.assertEqual(spaces.shared[0][0], "Public Folders/")
            names = [name for _, _, name in client.list_folders() if name.startswith("Public Folders/")]
            self.assertTrue(names)
            seen = 0
            for name in names:
                client.select_folder(name, readonly=True)
                answer = client.fetch(client.search(), ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "INTERNALDATE"])
                for message in answer.values():
                    self.assertTrue(message[b"ENVELOPE"].subject)
                    self.assertEqual(len(message[b"BODYSTRUCTURE"][:2]), 2)
                    seen += 1
            self.assertGreater(seen, 0)

    def test_works(self) -> None:
        """
        It files, finds, flags, copies, moves, sorts, threads and expunges.
        """
        server = self.serve("--demo")
        with imapclient.IMAPClient("127.0.0.1", server.port, ssl=False) as client:
            client.login("alice", "password")
            client.create_folder(WORK)
            client.append(WORK, letter("hello"), [b"\\Flagged"])
            client.select_folder(WORK)
            (uid,) = client.search(["SUBJECT", "HELLO"])
            self.assertIn(b"\\Flagged", client.get_flags(uid)[uid])
            client.add_flags(uid, [b"\\Answered"])
            client.remove_flags(uid, [b"\\Flagged"])
            client.copy([uid], "INBOX")
            client.move([uid], "INBOX")
            self.assertEqual(client.search(), [])
            self.assertEqual(client.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"], 3)
            client.select_folder("INBOX")
            hellos = client.search(["SUBJECT", "hello"])
            self.assertEqual(client.sort(["SUBJECT"]), [*hellos, 1])
            self.assertEqual(len(client.thread("REFERENCES", ["ALL"])), 2)
            for flags in client.get_flags(hellos).values():
                self.assertIn(b"\\Answered", flags)
            client.delete_messages(hellos)
            client.expunge()
            self.assertEqual(list(look(server, "INBOX")), ["Your mailbox"])
            client.unselect_folder()
            client.delete_folder(WORK)
        self.assertNotIn(WORK, folders(server))

    def test_idles(self) -> None:
        """
        In a public folder it hears of a message that another client files.
        """
        server = self.serve("--demo")
        with imapclient.IMAPClient("127.0.0.1", server.port, ssl=False) as client:
            client.login("bob", "password")
            before = client.select_folder("Public Folders/News", readonly=True)[b"EXISTS"]
            client.idle()
            file(server, "Public Folders/News", letter("news"))
            heard: list[tuple[int, bytes]] = []
            while (before + 1, b"EXISTS") not in heard:
                answer = client.idle_check(timeout=30)
                self.assertTrue(answer, heard)
                heard += answer
            client.idle_done()
            self.assertEqual(client.search(["SUBJECT", "news"]), [before + 1])
