"""
Clients that ask for much and do not read, against a real front end and a real store in
two processes: neither grows, nobody else notices, and no byte is lost.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Coroutine
from typing import Any

from mailstore.interfaces import IStore
from mailstore.model import OTHERS_ROOT, PUBLIC_ROOT, SYSTEM, NewMessage, UidSet
from tests.channels import describe
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

_FOLDERS = 2_000
_LISTS = 200
_MIB = 1 << 20
_MESSAGES = 48

#: Clients that do not read at the same time.
_CLIENTS = 30

#: Bytes that the system keeps for a client that does not read.
_SOCKET = 16_384

#: Bytes that a process may grow while a client does not read: what one request may
#: have in flight and one socket may hold, with what Python's allocator makes of it.
_ROOM = 2 * _MIB

#: Looks at a process, with other clients' commands between them, that must all
#: show the same size before it counts as the size that the process stays at.
_STEADY = 20


def residentSize(pid: int, which: str = "VmRSS") -> int:
    """
    Bytes of memory that a process has, or with C{VmHWM} ever had.
    """
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"there is no process {pid}")


def message(number: int, size: int) -> bytes:
    """
    A message in which every line is another, of C{size} bytes or a little more.
    """
    lines = [b"Subject: %d\r\n\r\n" % number]
    at = 0
    while at < size:
        lines.append(b"%d.%012d %s\r\n" % (number, at, b"x" * 50))
        at += len(lines[-1])
    return b"".join(lines)


class BackPressureTests(ServerTestCase):
    """
    Rule 2: from the client's socket to the store.
    """

    def _serve(
        self, fill: Callable[[IStore], Coroutine[Any, Any, None]]
    ) -> tuple[ServerProcess, tuple[int, int]]:
        """
        A server whose store is filled before it starts.

        @return: the server, and the processes to be watched.
        """

        async def filled(store: Any) -> None:
            await fill(store)
            # What is left undone at first would be done while the processes are watched.
            while await store.indexMore():
                pass

        url = self.makeStore("alice", "bob", fill=filled)
        server = self.serve("--store", url, "--transport", describe(self, "unix"))
        (store,) = server.children()
        return server, (server.pid, store)

    def _client(self, server: ServerProcess, user: bytes = b"alice") -> RawClient:
        client = RawClient(server.port, receive_buffer=_SOCKET)
        self.addCleanup(client.close)
        self.assertIn(b" OK", client.command(b"LOGIN " + user + b" password")[-1])
        return client

    def _grown(
        self,
        processes: tuple[int, int],
        other: Callable[[], None],
        work: Callable[[], None],
        most: int = _ROOM,
    ) -> None:
        """
        Let a client begin what it does not read the answers of, while another
        one works; then neither process may have grown by more than C{most} bytes.
        """
        for _ in range(_STEADY):
            other()
        before = [residentSize(pid) for pid in processes]
        work()
        sizes: list[list[int]] = []
        while len(sizes) < _STEADY or len({tuple(each) for each in sizes[-_STEADY:]}) > 1:
            other()
            sizes.append([residentSize(pid) for pid in processes])
            grown = [now - then for now, then in zip(sizes[-1], before, strict=True)]
            self.assertLess(max(grown), most, f"bytes grown by front end and store: {grown}")

    def test_lists(self) -> None:
        """
        A client that pipelines 200 LISTs of 2,000 folders and reads none of it
        costs neither process anything to speak of; when it reads, each
        answer is there, whole.
        """

        async def fill(store: IStore) -> None:
            for number in range(_FOLDERS):
                await store.createFolder(SYSTEM, f"{PUBLIC_ROOT}/Team {number % 20}/Folder {number:04}")

        server, processes = self._serve(fill)
        slow, other = self._client(server), self._client(server, b"bob")
        expected = slow.command(b'LIST "" "*"')[:-1]
        self.assertEqual(sum(b"/Folder " in line for line in expected), _FOLDERS)
        tags: list[bytes] = []

        def pipeline() -> None:
            tags.extend(slow.begin(b'LIST "" "*"') for _ in range(_LISTS))

        def look() -> None:
            self.assertIn(b" OK", other.command(b'STATUS "Public Folders/Team 1/Folder 0001" (UIDNEXT)')[-1])

        self._grown(processes, look, pipeline)
        for tag in tags:
            responses = slow.finish(tag)
            self.assertIn(b" OK", responses[-1])
            self.assertEqual(responses[:-1], expected)

    def test_messages(self) -> None:
        """
        A client that asks for many long messages and reads none of them costs each process
        the pieces under way; when it reads, every byte is right.
        """
        text = message(1, _MIB)

        async def fill(store: IStore) -> None:
            inbox = f"{OTHERS_ROOT}/alice/INBOX"
            await store.append(SYSTEM, inbox, (NewMessage(text),))
            opened = await store.openFolder("alice", "INBOX", False)
            while (count := (await store.status("alice", "INBOX")).messages) < _MESSAGES:
                last = min(count, _MESSAGES - count)
                await store.copy("alice", opened.folder, UidSet(((1, last),)), "INBOX")

        server, processes = self._serve(fill)
        slow, other = self._client(server), self._client(server, b"bob")
        slow.command(b"SELECT INBOX")
        self.assertEqual(slow.command(b"FETCH 1 BODY.PEEK[]")[0], self._body(1, text))
        tags: list[bytes] = []

        def look() -> None:
            self.assertIn(b" OK", other.command(b"STATUS INBOX (UIDNEXT)")[-1])

        self._grown(processes, look, lambda: tags.append(slow.begin(b"FETCH 1:* BODY.PEEK[]")))
        for number in range(1, _MESSAGES + 1):
            self.assertTrue(slow.response() == self._body(number, text), f"message {number}")
        self.assertIn(b" OK", slow.finish(tags[0])[-1])

    def test_manyClients(self) -> None:
        """
        Many clients that do not read cost what is under way for each of them,
        and are answered in full when they read.
        """
        text = message(2, _MIB)

        async def fill(store: IStore) -> None:
            await store.append(SYSTEM, f"{OTHERS_ROOT}/alice/INBOX", (NewMessage(text),) * 3)

        server, processes = self._serve(fill)
        slow = [self._client(server) for _ in range(_CLIENTS)]
        other = self._client(server, b"bob")
        for client in slow:
            client.command(b"SELECT INBOX")

        def look() -> None:
            self.assertIn(b" OK", other.command(b"STATUS INBOX (UIDNEXT)")[-1])

        def fetch() -> None:
            for client in slow:
                client.begin(b"FETCH 1:* BODY.PEEK[]")

        self._grown(processes, look, fetch, _ROOM + _CLIENTS * _ROOM // 4)
        for client in slow[:3]:
            for number in range(1, 4):
                self.assertTrue(client.response() == self._body(number, text), f"message {number}")

    def test_longAppend(self) -> None:
        """
        A long message passes through the front end without being held there, however it is announced.
        """

        async def fill(store: IStore) -> None:
            pass

        server, (front_end, _) = self._serve(fill)
        client = self._client(server)
        text = message(3, 24 * _MIB)
        before = residentSize(front_end, "VmHWM")
        self.assertIn(b" OK", client.command(b"APPEND INBOX {%d+}\r\n%s" % (len(text), text))[-1])
        client.send(b"b APPEND INBOX {%d}\r\n" % len(text))
        self.assertTrue(client.response().startswith(b"+"))
        client.send(text + b"\r\n")
        self.assertIn(b" OK", client.finish(b"b")[-1])
        self.assertLess(residentSize(front_end, "VmHWM") - before, _ROOM)
        client.command(b"EXAMINE INBOX")
        self.assertTrue(client.command(b"FETCH 2 BODY.PEEK[]")[0] == self._body(2, text))

    @staticmethod
    def _body(number: int, text: bytes) -> bytes:
        return b"* %d FETCH (BODY[] {%d}\r\n%s)\r\n" % (number, len(text), text)
