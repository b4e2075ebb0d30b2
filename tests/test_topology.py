"""
Tests for L{mailstore.topology}: a server's parts, in this process and in a child.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.config import Config, ConfigError
from mailstore.engine.limits import EngineLimits
from mailstore.ipc.limits import IpcLimits
from mailstore.model import SYSTEM, NewMessage
from mailstore.stores import openStore
from mailstore.topology import EX_UNAVAILABLE, MailService, Part, StartFailed
from tests.channels import BETWEEN_PROCESSES, atPort, describe

ANY_PORT = ("tcp:0:interface=127.0.0.1",)


class CheckTests(SynchronousTestCase):
    """
    What is refused before anything starts.
    """

    def test_refused(self) -> None:
        """
        Each mistake is one line that names it.
        """
        here = Config(transport="unix:/tmp/never")
        for part, expected in (
            (Part(role="stor"), "unknown role 'stor'; did you mean 'store'?"),
            (
                Part(role="store"),
                "'memory:' works within one process only; --role store needs another transport, such as",
            ),
            (Part(here, role="frontend", demo=True), "--demo shows a whole server: it needs --role all"),
            (Part(Config(transport="smoke:x")), "transport: there is no transport 'smoke'"),
            (Part(Config(transport="unix:/a:blocks=1:block_size=32")), "unix:/a:blocks=1:block_size=32: "),
            (Part(Config(transport="shm:/a:blocks=1:block_size=32")), "shm:/a:blocks=1:block_size=32: "),
            (Part(Config(transport="shm:/" + "a" * 200)), "transport: shm: the path has 201 bytes, "),
            (
                Part(Config(transport="tcp:mail.example.org:7143")),
                "transport: tcp: mail.example.org is not a loop",
            ),
            (
                Part(Config(transport="tcp:127.0.0.1:0"), role="frontend"),
                "tcp:127.0.0.1:0: port 0 is any free port, which the other process cannot know",
            ),
            (Part(Config(store_url="oracle:x")), "cannot open store 'oracle:x': "),
            (Part(Config(listen=("foo:1",))), "cannot listen on 'foo:1': Unknown endpoint type"),
            (
                Part(Config(listen=("ssl:1",))),
                "ssl:1: TLS needs [tls] certificate and key in the config file",
            ),
            (Part(Config(certificate="/gone", key="/gone")), "/gone: No such file or directory"),
            (
                Part(Config(ipc_limits=IpcLimits(max_calls=19_999))),
                "[limits.ipc] max_calls must be at least 20000, twice [limits.imap] max_sessions: ",
            ),
        ):
            error = self.assertRaises(ConfigError, MailService, None, part)
            self.assertEqual(str(error)[: len(expected)], expected)
            self.assertNotIn("\n", str(error))


class Log:
    """
    What is logged, as text.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        self._text = ""
        self._waiting: list[tuple[str, Deferred[None]]] = []
        observer: Any = self._hear
        globalLogPublisher.addObserver(observer)
        case.addCleanup(globalLogPublisher.removeObserver, observer)

    def _hear(self, event: LogEvent) -> None:
        self._text += formatEvent(event) + "\n"
        for wanted, waiter in self._waiting:
            if wanted in self._text and not waiter.called:
                waiter.callback(None)

    async def said(self, wanted: str) -> None:
        """
        Wait until a line has this in it.
        """
        if wanted not in self._text:
            waiter: Deferred[None] = Deferred()
            self._waiting.append((wanted, waiter))
            await waiter


class ServiceTestCase(TestCase):
    """
    A directory for sockets and stores, and services that are stopped in the end.
    """

    def setUp(self) -> None:
        """
        Make the directory; its name is short, as those of sockets must be.
        """
        self.directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def service(self, **settings: Any) -> MailService:
        """
        A service with these fields of L{Part}.
        """
        from twisted.internet import reactor

        service = MailService(reactor, Part(**settings))
        self.addCleanup(service.stopService)
        return service

    async def started(self, **settings: Any) -> MailService:
        """
        The same, serving.
        """
        service = self.service(**settings)
        service.startService()
        await service.ready
        return service

    async def greeting(self, service: MailService) -> bytes:
        """
        What a client is told first.
        """
        from twisted.internet import reactor

        address: Any = service.ports[0].getHost()
        came: Deferred[bytes] = Deferred()

        class Client(Protocol):
            def dataReceived(self, data: bytes) -> None:
                if not came.called:
                    came.callback(data)

        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", address.port)
        client: Any = await connectProtocol(endpoint, Client())
        data = await came
        client.transport.abortConnection()
        return data

    async def ownStore(self, config: Config) -> tuple[MailService, str]:
        """
        A store's part, serving, as a parent would start it.

        @return: it, and the place to connect to, without options.
        """
        told, tells = os.pipe()
        store = await self.started(config=config, role="store", listening_pipe=tells)
        with open(told, "rb") as pipe:
            place = atPort(config.transport, int(pipe.readline()))
        return store, re.sub(":blocks=.*", "", place)

    async def makeStore(self) -> str:
        """
        A store with the user ann; its URL.
        """
        url = f"sqlite:{self.directory}/mail.db"
        store = openStore(url, EngineLimits(), create=True)
        await store.createUser("ann", makeCredentials("secret", QUICK_ITERATIONS))
        await store.createFolder(SYSTEM, "Public Folders/News")
        await store.setRights(SYSTEM, "Public Folders", "ann", "lrswipkxte")
        await store.close()
        return url


class TogetherTests(ServiceTestCase):
    """
    Everything in one process.
    """

    async def test_demo(self) -> None:
        """
        The demo serves, its users are there, and its rights are as promised.
        """
        service = await self.started(config=Config(listen=ANY_PORT), demo=True)
        self.assertTrue((await self.greeting(service)).startswith(b"* OK "))
        assert service.remote is not None
        for user in ("alice", "bob"):
            self.assertIsNotNone(await service.remote.credentials(user))
        self.assertEqual(await service.remote.rights("alice", "Public Folders/News"), "lrswipkxtea")
        self.assertEqual(await service.remote.rights("bob", "Public Folders/News"), "lrs")
        counts = await service.remote.status("bob", "Public Folders/News")
        self.assertEqual((counts.messages, counts.unseen), (3, 3))

    async def test_overASocket(self) -> None:
        """
        The two sides can stay together although the channel could leave the process.
        """
        place = f"unix:{self.directory}/s"
        service = await self.started(
            config=Config(listen=ANY_PORT, transport=place, store_url="sqlite::memory:"), together=True
        )
        self.assertIsNone(service.child)
        self.assertTrue((await self.greeting(service)).startswith(b"* OK "))
        await service.stopService()
        self.assertEqual(os.listdir(self.directory), [])

    async def test_noStore(self) -> None:
        """
        Without a store the person is told how to make one.
        """
        service = self.service(config=Config(listen=ANY_PORT, store_url=f"sqlite:{self.directory}/no.db"))
        service.startService()
        error = await self.failed(service)
        self.assertIn("mailstore init", str(error))
        self.assertEqual(error.code, EX_UNAVAILABLE)

    async def test_portInUse(self) -> None:
        """
        A port in use is named, and what was started before it is stopped.
        """
        first = await self.started(config=Config(listen=ANY_PORT), demo=True)
        address: Any = first.ports[0].getHost()
        taken = f"tcp:{address.port}:interface=127.0.0.1"
        second = self.service(config=Config(listen=(*ANY_PORT, taken)), demo=True)
        second.startService()
        error = await self.failed(second)
        self.assertEqual(str(error), f"cannot listen on {taken}: Address already in use")
        assert second.remote is not None
        self.assertTrue(second.remote.is_closed)

    async def test_noPlace(self) -> None:
        """
        A place that cannot be made is named, in one line, and nothing is left of the attempt.
        """
        with open(f"{self.directory}/file", "w"):
            pass
        for scheme in ("unix", "shm"):
            for place, why in (
                ("gone/s", f"the directory {self.directory}/gone does not exist"),
                ("file/s", f"{self.directory}/file is no directory"),
                ("file", "there is a file that is no socket"),
            ):
                transport = f"{scheme}:{self.directory}/{place}"
                config = Config(transport=transport, store_url="sqlite::memory:")
                service = self.service(config=config, role="store")
                service.startService()
                error = await self.failed(service)
                self.assertEqual(str(error), f"cannot listen at {self.directory}/{place}: {why}")
                self.assertEqual(error.code, EX_UNAVAILABLE)
        self.assertEqual(os.listdir(self.directory), ["file"])

    async def test_otherLimits(self) -> None:
        """
        A front end and a store with queues of different size both say so, in a line
        that names both sizes; the front end tries again, until they are the same.
        """
        for kind in ("unix", "tls", "shm", "portable"):
            place = describe(self, kind)
            config = Config(
                listen=ANY_PORT,
                transport=f"{place}:blocks=64",
                store_url="sqlite::memory:",
                ipc_limits=IpcLimits(reconnect_delay=0.01, max_reconnect_delay=0.05),
            )
            store, place = await self.ownStore(config)
            front_end = self.service(
                config=attrs.evolve(config, transport=f"{place}:blocks=32"), role="frontend"
            )
            log = Log(self)
            front_end.startService()
            here = "this end has 64 blocks of 4096 bytes, the peer has 32 blocks"
            there = "this end has 32 blocks of 4096 bytes, the peer has 64 blocks"
            await log.said(here)
            await log.said(there)
            self.assertFalse(front_end.ready.called)
            await store.stopService()
            if kind != "tls":
                # The port could be somebody else's by now; a path is ours.
                store, _ = await self.ownStore(attrs.evolve(config, transport=f"{place}:blocks=32"))
                await front_end.ready
            await front_end.stopService()
            await store.stopService()

    async def test_twoRoles(self) -> None:
        """
        A front end waits for its store, and opens its port when the store is there.
        """
        for kind in ("unix", "shm"):
            config = Config(
                listen=ANY_PORT,
                transport=describe(self, kind),
                store_url="sqlite::memory:",
                ipc_limits=IpcLimits(reconnect_delay=0.01, max_reconnect_delay=0.05),
            )
            front_end = self.service(config=config, role="frontend")
            front_end.startService()
            self.assertEqual(front_end.ports, [])
            store = await self.started(config=config, role="store")
            await front_end.ready
            self.assertEqual((len(front_end.ports), store.ports), (1, []))
            self.assertIsNone(front_end.store)
            await front_end.stopService()

    async def test_stoppedWhileStarting(self) -> None:
        """
        A front end that waits for its store can be stopped.
        """
        service = self.service(config=Config(transport=f"unix:{self.directory}/s"), role="frontend")
        service.startService()
        await service.stopService()
        self.assertFalse(service.ready.called)

    async def failed(self, service: MailService) -> StartFailed:
        """
        Why it could not start.
        """
        try:
            await service.ready
        except StartFailed as error:
            return error
        self.fail("it started")


class ChildTests(ServiceTestCase):
    """
    The store in a child process.
    """

    #: Keeps the child's log out of the test's output.
    quiet = (f"--log-file={os.devnull}",)

    async def test_killed(self) -> None:
        """
        The store's process is started, and again when it was killed, then at another
        port if any will do; what was acknowledged before is there, and requests wait for it.
        """
        limits = IpcLimits(patience=60.0, reconnect_delay=0.01, max_reconnect_delay=0.05)
        config = Config(
            listen=ANY_PORT,
            transport=describe(self, "tcp"),
            store_url=await self.makeStore(),
            ipc_limits=limits,
        )
        service = await self.started(config=config, twist_options=self.quiet)
        assert service.remote is not None and service.child is not None
        self.assertIsNone(service.store)
        name = "Public Folders/News"
        await service.remote.append("ann", name, (NewMessage(b"Subject: kept\r\n\r\n"),))
        pid = service.child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await service.remote.whenLost()
        self.assertEqual((await service.remote.status("ann", name)).messages, 1)
        self.assertEqual(service.child.starts, 2)
        self.assertNotEqual(service.child.pid, pid)
        await service.stopService()
        self.assertIsNone(service.child.pid)

    async def test_hopeless(self) -> None:
        """
        A child that cannot open its store says so itself, and is not tried again.
        """
        config = Config(
            listen=ANY_PORT, transport=f"unix:{self.directory}/s", store_url=f"sqlite:{self.directory}"
        )
        service = self.service(config=config, twist_options=self.quiet)
        service.startService()
        try:
            await service.ready
        except StartFailed as error:
            self.assertEqual((str(error), error.code), ("", EX_UNAVAILABLE))
        else:
            self.fail("it started")
        assert service.child is not None
        self.assertEqual(service.child.starts, 1)

    async def test_placeTaken(self) -> None:
        """
        Where another server's store listens, this one does not start, and its
        clients never reach the other's store.
        """
        config = Config(
            listen=ANY_PORT,
            transport=f"unix:{self.directory}/s",
            store_url="sqlite::memory:",
            ipc_limits=IpcLimits(reconnect_delay=0.01, max_reconnect_delay=0.05),
        )
        await self.started(config=config, role="store")
        second = self.service(
            config=attrs.evolve(config, store_url=await self.makeStore()), twist_options=self.quiet
        )
        second.startService()
        with self.assertRaises(StartFailed) as caught:
            await second.ready
        self.assertEqual((second.ports, caught.exception.code), ([], EX_UNAVAILABLE))

    async def test_demo(self) -> None:
        """
        The demo's store can be a process, too, behind every channel that can lead there;
        nothing of it is left.
        """
        for kind in BETWEEN_PROCESSES:
            transport = describe(self, kind, "", self.directory)
            before = os.listdir(self.directory)
            config = Config(listen=ANY_PORT, transport=transport)
            service = await self.started(config=config, demo=True, twist_options=self.quiet)
            assert service.remote is not None and service.child is not None
            self.assertEqual((await service.remote.status("bob", "INBOX")).messages, 1)
            await service.stopService()
            self.assertEqual(os.listdir(self.directory), before)
