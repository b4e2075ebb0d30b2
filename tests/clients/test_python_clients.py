"""
Python's IMAP clients against C{twist mailstore --demo}.
"""

from __future__ import annotations

import asyncio
import imaplib

import aioimaplib
import imapclient
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.threads import deferToThread
from twisted.mail.imap4 import IMAP4Client, MessageSet

from tests.clients.servercase import ServerTestCase


class PythonClientTests(ServerTestCase):
    """
    Each client signs in as alice and reads the public folders.
    """

    def test_imaplib(self) -> None:
        """
        The standard library's client lists, opens, reads and searches.
        """
        server = self.serve("--demo")
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            client.login("alice", "password")
            status, lines = client.list()
            self.assertEqual(status, "OK")
            folders = [line.decode() for line in lines if isinstance(line, bytes)]
            public = [line.split('"/" ')[1].strip('"') for line in folders if '"Public Folders/' in line]
            self.assertTrue(public, folders)
            read = 0
            for name in public:
                status, data = client.select(f'"{name}"', readonly=True)
                self.assertEqual(status, "OK", (name, data))
                status, found = client.search(None, "ALL")
                self.assertEqual(status, "OK")
                for number in found[0].split():
                    status, parts = client.fetch(number.decode(), "(RFC822.SIZE BODY.PEEK[])")
                    self.assertEqual(status, "OK")
                    assert isinstance(parts[0], tuple)
                    head, body = parts[0]
                    self.assertIn(b"RFC822.SIZE %d " % len(body), head)
                    read += 1
            self.assertGreater(read, 0)

    def test_imapclient(self) -> None:
        """
        imapclient reads namespaces, envelopes, structures and flags, files a
        message and takes it away again.
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
            client.create_folder("Public Folders/From imapclient")
            client.append(
                "Public Folders/From imapclient", b"Subject: hello\r\n\r\nhello\r\n", [b"\\Flagged"]
            )
            client.select_folder("Public Folders/From imapclient")
            (uid,) = client.search(["SUBJECT", "HELLO"])
            self.assertIn(b"\\Flagged", client.get_flags(uid)[uid])
            client.delete_messages(uid)
            client.expunge()
            self.assertEqual(client.search(), [])
            client.unselect_folder()
            client.delete_folder("Public Folders/From imapclient")

    def test_aioimaplib(self) -> None:
        """
        aioimaplib reads the public folders, and hears in IDLE of a message that
        another client files.
        """
        server = self.serve("--demo")

        async def talk() -> tuple[int, list[bytes]]:
            client = aioimaplib.IMAP4("127.0.0.1", server.port)
            await client.wait_hello_from_server()
            await client.login("alice", "password")
            listed = await client.list('"Public Folders/"', "*")
            public = sum(b'"Public Folders/' in line for line in listed.lines)
            await client.select("INBOX")
            idle = await client.idle_start(timeout=30)
            with imaplib.IMAP4("127.0.0.1", server.port) as other:
                other.login("alice", "password")
                other.append("INBOX", "", "", b"Subject: news\r\n\r\n")
            pushed: list[bytes] = await client.wait_server_push(30)
            client.idle_done()
            await asyncio.wait_for(idle, 30)
            await client.logout()
            return public, pushed

        public, pushed = asyncio.run(talk())
        self.assertGreater(public, 0)
        self.assertIn(b"2 EXISTS", pushed)

    async def test_twisted(self) -> None:
        """
        Twisted's client lists, opens and reads.
        """
        server = await deferToThread(self.serve, "--demo")
        from twisted.internet import reactor

        client = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", server.port), IMAP4Client())
        await client.login(b"alice", b"password")
        names = [name for _, _, name in await client.list("", "Public Folders/*")]
        self.assertTrue(names)
        read = 0
        for name in names:
            opened = await client.examine(name)
            if opened["EXISTS"]:
                messages = MessageSet(1, None)
                envelopes = await client.fetchEnvelope(messages)
                bodies = await client.fetchSpecific(messages, peek=True)
                self.assertEqual(len(envelopes), opened["EXISTS"])
                self.assertEqual(len(bodies), opened["EXISTS"])
                read += len(bodies)
        self.assertGreater(read, 0)
        await client.logout()
