"""
The store's process dies while clients work.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from tests.channels import describe
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

_CLIENTS = 6


class Writer:
    """
    A client that appends without pause, and remembers what it was told.
    """

    def __init__(self, server: ServerProcess, number: int) -> None:
        self._number = number
        self._client = RawClient(server.port)
        assert b" OK" in self._client.command(b"LOGIN alice password")[-1]
        self.acknowledged: list[bytes] = []
        self.refused: list[bytes] = []
        #: Set by the test: no message is begun any more.
        self.enough = threading.Event()
        #: Set when a message was acknowledged after one was refused.
        self.recovered = threading.Event()
        #: Set when the first message was acknowledged.
        self.begun = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self.enough.is_set():
                self._append(b"%d.%d" % (self._number, len(self.acknowledged) + len(self.refused)))
        except Exception as error:
            self.error = error
            self.begun.set()
            self.recovered.set()

    def _append(self, name: bytes) -> None:
        message = b"Subject: %s\r\n\r\n%s\r\n" % (name, name * 20)
        reply = self._client.command(b"APPEND INBOX {%d+}\r\n%s" % (len(message), message))[-1]
        if b" OK " in reply:
            self.acknowledged.append(name)
            self.begun.set()
            if self.refused:
                self.recovered.set()
        else:
            assert b" NO [UNAVAILABLE]" in reply, reply
            self.refused.append(name)

    def finish(self) -> None:
        """
        Let the message under way end, and sign out on the connection of the beginning.
        """
        self.enough.set()
        self._thread.join(60)
        if self.error is None:
            assert b" OK" in self._client.command(b"LOGOUT")[-1]
        self._client.close()


class StoreDeathTestsMixin:
    """
    C{kill -9} of the store's process.  What differs over TCP, the new process's own
    port, is in L{tests.test_topology}.

    @cvar kind: which of L{tests.channels.BETWEEN_PROCESSES}.
    """

    kind = ""

    def _serve(self: Any) -> ServerProcess:
        url = self.makeStore("alice")
        return self.serve("--store", url, "--transport", describe(self, self.kind))  # type: ignore[no-any-return]

    def test_writersGoOn(self: Any) -> None:
        """
        Clients that append while the store is killed stay connected; what was in
        flight is answered NO [UNAVAILABLE]; they go on with the restarted store;
        and what was acknowledged is there, once.
        """
        server = self._serve()
        writers = [Writer(server, number) for number in range(_CLIENTS)]
        for writer in writers:
            writer.begun.wait(60)
        (store,) = server.children()
        os.kill(store, signal.SIGKILL)
        for writer in writers:
            writer.recovered.wait(60)
            writer.finish()
            self.assertIsNone(writer.error, server.output)
        refused = sum(len(writer.refused) for writer in writers)
        # A client has one message in flight; those between messages wait for the new store.
        self.assertGreater(refused, 0)
        self.assertNotIn(store, server.children())

        client = RawClient(server.port)
        client.command(b"LOGIN alice password")
        client.command(b"SELECT INBOX")
        stored = [
            response.split(b"Subject: ")[1].split(b"\r\n")[0]
            for response in client.command(b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
            if b" FETCH (" in response
        ]
        client.close()
        self.assertEqual(len(set(stored)), len(stored))
        acknowledged = {name for writer in writers for name in writer.acknowledged}
        self.assertEqual(acknowledged - set(stored), set())
        # Of what was refused it is unknown, but nothing else may be there.
        maybe = {name for writer in writers for name in writer.refused}
        self.assertEqual(set(stored) - acknowledged - maybe, set())

    def test_openFolderGoesOn(self: Any) -> None:
        """
        A client that idles in a folder while the store is killed hears of a
        message that comes after the restart.
        """
        server = self._serve()
        idler, other = RawClient(server.port), RawClient(server.port)
        for client in (idler, other):
            client.command(b"LOGIN alice password")
        idler.command(b"SELECT INBOX")
        tag = idler.begin(b"IDLE")
        self.assertTrue(idler.response().startswith(b"+"))
        (store,) = server.children()
        os.kill(store, signal.SIGKILL)
        message = b"Subject: after\r\n\r\nthe restart\r\n"
        line = b"APPEND INBOX {%d+}\r\n%s" % (len(message), message)
        for _ in range(20):
            if b" OK" in other.command(line)[-1]:
                break
        else:
            self.fail(server.output)
        self.assertEqual(idler.response(), b"* 1 EXISTS\r\n")
        idler.send(b"DONE\r\n")
        self.assertIn(b" OK", idler.finish(tag)[-1])
        for client in (idler, other):
            client.close()


class UnixTests(StoreDeathTestsMixin, ServerTestCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class SharedMemoryTests(StoreDeathTestsMixin, ServerTestCase):
    """
    Over shared memory, which is thrown away and made anew.
    """

    kind = "shm"
