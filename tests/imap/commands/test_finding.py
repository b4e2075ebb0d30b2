"""
Searching, sorting and threading as imapclient does it, on a real server.
"""

from __future__ import annotations

import imapclient
from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing.server import MailServer
from tests.imap.commands.test_thread import message


class ClientTests(SynchronousTestCase):
    """
    imapclient over a socket.
    """

    def setUp(self) -> None:
        server = MailServer(users={"alice": "secret"})
        server.start()
        self.addCleanup(server.stop)
        self.client = imapclient.IMAPClient(server.host, server.port, ssl=False, timeout=60)
        self.addCleanup(self.client.shutdown)
        self.client.login("alice", "secret")
        for text in (
            message("b", "pears", 2),
            message("a", "=?utf-8?q?=C3=84pfel?=", 1),
            message("a1", "Re: =?iso-8859-1?q?=C4pfel?=", 4, "a"),
            message("b1", "Re: pears", 3, "b"),
        ):
            self.client.append("INBOX", text)
        self.client.select_folder("INBOX")

    def test_search(self) -> None:
        """
        Texts are found in whatever character set the client has them.
        """
        for charset in ("UTF-8", "ISO-8859-1", "windows-1252"):
            self.assertEqual(list(self.client.search(["SUBJECT", "äpfel"], charset)), [2, 3], charset)
        self.assertEqual(list(self.client.search(["YOUNGER", "3600"])), [1, 2, 3, 4])

    def test_sort(self) -> None:
        """
        Sorted by the client's criteria, and by text in its character set.
        """
        self.assertTrue(self.client.has_capability("SORT"))
        self.assertEqual(list(self.client.sort("DATE")), [2, 1, 4, 3])
        self.assertEqual(list(self.client.sort(["SUBJECT", "REVERSE DATE"])), [3, 2, 4, 1])
        self.assertEqual(list(self.client.sort(["REVERSE DATE"], ["SUBJECT", "äpfel"], "UTF-8")), [3, 2])

    def test_thread(self) -> None:
        """
        Threaded in both ways.
        """
        for algorithm in ("REFERENCES", "ORDEREDSUBJECT"):
            self.assertTrue(self.client.has_capability(f"THREAD={algorithm}"))
            self.assertEqual(self.client.thread(algorithm), ((2, 3), (1, 4)))
        self.assertEqual(self.client.thread(criteria=["SUBJECT", "Äpfel"]), ((2, 3),))
