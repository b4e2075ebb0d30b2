"""
Several front ends, each a process of its own, at one store.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from mailstore.config import Config
from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore
from mailstore.ipc.frontend import FrontEnd
from mailstore.model import SYSTEM, NewMessage
from mailstore.topology import MailService, Part
from tests.channels import atPort, describe
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

_NEWS = "Public Folders/News"

#: Messages that a client asks for and does not read, and bytes of each.
_MESSAGES, _SIZE = 24, 1 << 20

#: Bytes that the system keeps for a client that does not read.
_SOCKET = 16_384


class FrontEndsTestsMixin:
    """
    Two front ends at a store in this process.

    @cvar kind: which of L{tests.channels.BETWEEN_PROCESSES}.
    """

    kind = ""
    timeout = 60

    async def start(self: Any) -> None:
        """
        Start the store and two front ends.
        """
        from twisted.internet import reactor

        async def fill(store: IStore) -> None:
            await store.createFolder(SYSTEM, _NEWS)
            text = b"Subject: long\r\n\r\n" + b"x" * 76 * (_SIZE // 78)
            for _ in range(_MESSAGES):
                await store.append(SYSTEM, _NEWS, (NewMessage(text),))
            # They are recent to nobody who comes later.
            await store.openFolder("alice", _NEWS, True)

        place = describe(self, self.kind)
        config = Config(
            store_url=self.makeStore("alice", fill=fill),
            transport=place,
            # What is left of a front end would be in the way of the next one's upload.
            store_limits=EngineLimits(max_uploads=1),
        )
        told, tells = os.pipe()
        self.addCleanup(os.close, told)
        self.store = MailService(reactor, Part(config, role="store", listening_pipe=tells))
        self.addCleanup(self.store.stopService)
        self.store.startService()
        await self.store.ready
        place = atPort(place, int(os.read(told, 16)))
        both = [deferToThread(self._frontEnd, place) for _ in range(2)]
        self.first, self.second = await gatherResults(both)

    def _frontEnd(self: Any, place: str) -> ServerProcess:
        server = ServerProcess(("--role", "frontend", "--transport", place), self.directory())
        # In a thread: it says good-bye to the store, which is in this one.
        self.addCleanup(deferToThread, server.stop)
        return server

    def _client(self: Any, server: ServerProcess) -> RawClient:
        client = RawClient(server.port, receive_buffer=_SOCKET)
        self.addCleanup(client.close)
        for command in (b"LOGIN alice password", b'SELECT "%s"' % _NEWS.encode()):
            self.assertIn(b" OK", client.command(command)[-1])
        return client

    async def _until(self: Any, condition: Callable[[], bool]) -> None:
        """
        Let the reactor turn until this holds.
        """
        from twisted.internet import reactor

        while not condition():
            turn: Deferred[None] = deferLater(reactor, 0.001)
            await turn

    def _hears(self: Any, who: RawClient, other: RawClient, flags: bytes) -> None:
        """
        One who idles is told of what the other does.
        """
        self.assertIn(b" OK", other.command(b"STORE 2 FLAGS (%s)" % flags)[-1])
        self.assertEqual(who.response(), b"* 2 FETCH (UID 2 FLAGS (%s))\r\n" % flags)

    async def test_both(self: Any) -> None:
        """
        Who idles at one front end is told of what is done at the other.  When that one is killed
        in the middle of an answer and of a message, the store frees all that it held, and the other
        one's clients notice nothing.
        """
        await self.start()
        server = self.store.server
        self.assertEqual(len(server.front_ends), 2)
        idler = await deferToThread(self._client, self.second)
        doomed, uploading, asking = await deferToThread(lambda: [self._client(self.first) for _ in range(3)])

        def before() -> None:
            idler.begin(b"IDLE")
            self.assertTrue(idler.response().startswith(b"+"))
            for flags in (b"\\Flagged", b"", b"\\Answered"):
                self._hears(idler, doomed, flags)
            asking.begin(b"FETCH 1:* BODY.PEEK[]")
            uploading.begin(b'APPEND "%s" {%d+}\r\n%s' % (_NEWS.encode(), _SIZE, b"y" * (_SIZE // 2)))

        await deferToThread(before)

        def held() -> list[FrontEnd]:
            return [each for each in server.front_ends if each.calls and each.uploads]

        await self._until(lambda: bool(held()))
        (lost,) = held()
        os.kill(self.first.pid, signal.SIGKILL)
        await self._until(lambda: len(server.front_ends) == 1)
        self.assertNotIn(lost, server.front_ends)
        self.assertEqual((lost.calls, lost.uploads, lost.backlog), (0, 0, 0))
        self.assertEqual(lost.channel.statistics().blocks_allocated, 0)

        def after() -> None:
            other = self._client(self.second)
            self._hears(idler, other, b"\\Draft")
            text = b"Subject: z\r\n\r\n" + b"z" * _SIZE
            command = b'APPEND "%s" {%d+}\r\n%s' % (_NEWS.encode(), len(text), text)
            self.assertIn(b" OK", other.command(command)[-1])
            self.assertEqual(idler.response(), b"* %d EXISTS\r\n" % (_MESSAGES + 1))

        await deferToThread(after)


class UnixTests(FrontEndsTestsMixin, ServerTestCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class TlsTests(FrontEndsTestsMixin, ServerTestCase):
    """
    Over TCP with mutual TLS, as on several machines.
    """

    kind = "tls"


class SharedMemoryTests(FrontEndsTestsMixin, ServerTestCase):
    """
    Over shared memory.
    """

    kind = "shm"
