"""
Twisted's C{IMAP4Client} against C{twist mailstore}.
"""

from __future__ import annotations

from io import BytesIO

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.threads import deferToThread
from twisted.mail.imap4 import IMAP4Client, MessageSet, Query

from tests.clients.looking import folders, letter, look
from tests.clients.servercase import ServerProcess, ServerTestCase

WORK = "Public Folders/Work"


class TwistedClientTests(ServerTestCase):
    """
    The client that Twisted brings, which has no IDLE and no MOVE.
    """

    async def _client(self) -> tuple[IMAP4Client, ServerProcess]:
        """
        A client that has signed in, and its server.
        """
        server = await deferToThread(self.serve, "--demo")
        from twisted.internet import reactor

        client = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", server.port), IMAP4Client())
        await client.login(b"alice", b"password")
        return client, server

    async def test_reads(self) -> None:
        """
        It lists, opens and reads every public folder.
        """
        client, _ = await self._client()
        names = [name for _, _, name in await client.list("", "Public Folders/*")]
        self.assertTrue(names)
        read = 0
        for name in names:
            opened = await client.examine(name)
            if opened["EXISTS"]:
                messages = MessageSet(1, None)
                envelopes = await client.fetchEnvelope(messages)
                structures = await client.fetchBodyStructure(messages)
                bodies = await client.fetchSpecific(messages, peek=True)
                for each in (envelopes, structures, bodies):
                    self.assertEqual(len(each), opened["EXISTS"])
                read += len(bodies)
        self.assertGreater(read, 0)
        await client.logout()

    async def test_works(self) -> None:
        """
        It files, finds, flags, copies and expunges, in a public folder and in its own mailbox.
        """
        client, server = await self._client()
        await client.create(WORK)
        for folder in (WORK, "INBOX"):
            for subject in ("one", "two"):
                message = BytesIO(letter(f"{subject} {folder[:3]}"))
                await client.append(folder, message, ("\\Flagged",), "01-Jul-2026 13:30:00 +0000")
        await client.select("INBOX")
        found = await client.search(Query(subject="INB"), uid=True)
        self.assertEqual(found, [2, 3])
        ours = MessageSet(2, 3)
        await client.addFlags(ours, ("\\Answered", "mine"), uid=True)
        await client.removeFlags(MessageSet(3), ("\\Flagged",), uid=True)
        await client.copy(ours, WORK, uid=True)
        await client.addFlags(ours, ("\\Deleted",), uid=True)
        self.assertEqual(await client.expunge(), [2, 2])
        await client.close()
        status = await client.status(WORK, "MESSAGES", "UIDNEXT")
        self.assertEqual((status["MESSAGES"], int(status["UIDNEXT"])), (4, 5))
        looked = await deferToThread(look, server, WORK)
        self.assertEqual(
            looked,
            {
                "one Pub": {"\\Flagged"},
                "two Pub": {"\\Flagged"},
                "one INB": {"\\Flagged", "\\Answered", "mine"},
                "two INB": {"\\Answered", "mine"},
            },
        )
        self.assertEqual(list(await deferToThread(look, server, "INBOX")), ["Your mailbox"])
        await client.delete(WORK)
        await client.logout()
        self.assertNotIn(WORK, await deferToThread(folders, server))
