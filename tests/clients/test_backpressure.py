"""
Clients that ask for much and do not read, against a real front end and a real store in
two processes: neither grows, nobody else notices, and no byte is lost.
"""

from __future__ import annotations

import asyncio
import pathlib
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Callable

from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore
from mailstore.model import ALL_RIGHTS, OTHERS_ROOT, PUBLIC_ROOT, SYSTEM, NewMessage, UidSet
from mailstore.stores import openStore
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

_FOLDERS = 2_000
_LISTS = 200
_MIB = 1 << 20
_MESSAGES = 48

#: Bytes that a process may grow while a client does not read: what one request may
#: have in flight and one socket may hold, with what Python's allocator makes of it.
_ROOM = 2 * _MIB

#: Looks at a process, with other clients' commands between them, that must all
#: show the same size before it counts as the size that the process stays at.
_STEADY = 20


def residentSize(pid: int) -> int:
    """
    Bytes of memory that a process has.
    """
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
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


class SlowClient(RawClient):
    """
    A client whose socket takes little while nobody reads.
    """

    receive_buffer = 16_384


class BackPressureTests(ServerTestCase):
    """
    Rule 2: from the client's socket to the store.
    """

    def _serve(self, fill: Callable[[IStore], Awaitable[None]]) -> tuple[ServerProcess, tuple[int, int]]:
        """
        A server whose store is filled before it starts.

        @return: the server, and the processes to be watched.
        """
        url = f"sqlite:///{self.directory() / 'mail.db'}"

        async def prepare() -> None:
            store = openStore(url, EngineLimits(), create=True)
            for user in ("alice", "bob"):
                await store.createUser(user, makeCredentials("password", QUICK_ITERATIONS))
            await store.setRights(SYSTEM, PUBLIC_ROOT, "alice", ALL_RIGHTS)
            await fill(store)
            await store.close()

        asyncio.run(prepare())
        sockets = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, sockets)
        server = self.serve("--store", url, "--transport", f"unix:{sockets}/s")
        (store,) = server.children()
        return server, (server.pid, store)

    def _client(self, server: ServerProcess, user: bytes = b"alice", slow: bool = False) -> RawClient:
        client = (SlowClient if slow else RawClient)(server.port)
        self.addCleanup(client.close)
        self.assertIn(b" OK", client.command(b"LOGIN " + user + b" password")[-1])
        return client

    def _grown(self, processes: tuple[int, int], other: Callable[[], None], work: Callable[[], None]) -> None:
        """
        Let a client begin what it does not read the answers of, while another
        one works; then neither process may have grown by more than L{_ROOM}.
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
            self.assertLess(max(grown), _ROOM, f"bytes grown by front end and store: {grown}")
