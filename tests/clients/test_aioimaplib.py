"""
aioimaplib against C{twist mailstore}.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aioimaplib

from tests.clients.looking import file, folders, letter, look
from tests.clients.servercase import ServerProcess, ServerTestCase

WORK = "Public Folders/Work"
_QUOTED = f'"{WORK}"'


class AioimaplibTests(ServerTestCase):
    """
    The client of asyncio.
    """

    async def _client(self, server: ServerProcess) -> Any:
        client = aioimaplib.IMAP4("127.0.0.1", server.port)
        await client.wait_hello_from_server()
        await self._ok(client.login("alice", "password"))
        return client

    async def _ok(self, command: Any) -> list[bytes]:
        """
        The lines that a command was answered with, which has to be OK.
        """
        answer = await command
        self.assertEqual(answer.result, "OK", answer.lines)
        lines: list[bytes] = answer.lines
        return lines

    def test_works(self) -> None:
        """
        It lists, files, finds, reads, flags, copies, moves and expunges, in a public folder and in
        its own mailbox.
        """
        server = self.serve("--demo")

        async def work() -> None:
            client = await self._client(server)
            listed = await self._ok(client.list('"Public Folders/"', "*"))
            self.assertTrue([line for line in listed if b'"Public Folders/News"' in line], listed)
            await self._ok(client.create(_QUOTED))
            for folder in (_QUOTED, "INBOX"):
                for subject in ("one", "two"):
                    await self._ok(
                        client.append(letter(f"{subject} {folder[1:4]}"), folder, flags="\\Flagged")
                    )
            await self._ok(client.select("INBOX"))
            found = (await self._ok(client.search("SUBJECT", "one")))[0]
            self.assertEqual(found, b"2")
            lines = await self._ok(client.fetch("2", "(BODY.PEEK[])"))
            self.assertIn(letter("one NBO"), lines)
            await self._ok(client.uid("STORE", "2", "+FLAGS", "(\\Answered)"))
            await self._ok(client.uid("COPY", "2", _QUOTED))
            await self._ok(client.move("3", _QUOTED))
            await self._ok(client.store("2", "+FLAGS", "(\\Deleted)"))
            await self._ok(client.expunge())
            await self._ok(client.close())
            self.assertEqual(
                look(server, WORK),
                {
                    "one Pub": {"\\Flagged"},
                    "two Pub": {"\\Flagged"},
                    "one NBO": {"\\Flagged", "\\Answered"},
                    "two NBO": {"\\Flagged"},
                },
            )
            self.assertEqual(list(look(server, "INBOX")), ["Your mailbox"])
            await self._ok(client.delete(_QUOTED))
            await self._ok(client.logout())

        asyncio.run(work())
        self.assertNotIn(WORK, folders(server))

    def test_idles(self) -> None:
        """
        In its own mailbox it hears of a message that another client files.
        """
        server = self.serve("--demo")

        async def talk() -> list[bytes]:
            client = await self._client(server)
            await client.select("INBOX")
            idle = await client.idle_start(timeout=30)
            await asyncio.to_thread(file, server, "INBOX", letter("news"))
            pushed: list[bytes] = await client.wait_server_push(30)
            client.idle_done()
            await asyncio.wait_for(idle, 30)
            await client.logout()
            return pushed

        self.assertIn(b"2 EXISTS", asyncio.run(talk()))
