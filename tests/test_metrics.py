"""
The metrics, scraped as Prometheus does.
"""

from __future__ import annotations

import imaplib
import smtplib
import socket
import sys
import urllib.request
from typing import Any
from unittest import mock

import attrs
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.config import Config, ConfigError
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.statistics import QueueCounters
from mailstore.metrics import MAX_CONNECTIONS, Sources, metricsFactory
from mailstore.stores import openStore
from mailstore.testing import MailServer
from mailstore.timings import BUCKETS, Timings
from mailstore.topology import MailService, Part
from tests.channels import describe

_ANY_PORT = "tcp:0:interface=127.0.0.1"

_CONFIG = Config(metrics_listen=_ANY_PORT, lmtp_listen=(_ANY_PORT,))

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    """
    The samples in what was scraped, by name and labels.
    """
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def scrape(port: int) -> Samples:
    """
    What a server says now.
    """
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain"), answer.headers
        return parsed(answer.read().decode())


class ScrapedTests(TestCase):
    """
    A whole server, in one process and scraped over HTTP.
    """

    timeout = 60

    def _server(self, transport: str = "memory:", config: Config = _CONFIG) -> MailServer:
        server = MailServer({"alice": "secret"}, ["Public Folders/News"], transport=transport, config=config)
        server.start()
        self.addCleanup(server.stop)
        return server

    def _port(self, server: MailServer) -> int:
        port: Any = server.service.metrics_port
        number: int = port.getHost().port
        return number

    def test_commands(self) -> None:
        """
        Connections and commands are what was done, and each command has its time.
        """
        server = self._server()
        client = imaplib.IMAP4(server.host, server.port)
        client.login("alice", "secret")
        client.select("INBOX")
        client.select("none")
        for _ in range(3):
            client.noop()
        self.assertRaises(imaplib.IMAP4.error, client.xatom, "WHAT")
        found = scrape(self._port(server))
        self.assertEqual(found["imap_connections", ()], 1)
        for command, result, count in (
            ("LOGIN", "OK", 1),
            ("SELECT", "OK", 1),
            ("SELECT", "NO", 1),
            ("NOOP", "OK", 3),
            ("unknown", "BAD", 1),
        ):
            labels = (("command", command), ("result", result))
            self.assertEqual(found["imap_commands_total", labels], count, labels)
        commands = sum(value for (name, _), value in found.items() if name == "imap_commands_total")
        self.assertEqual(found["imap_command_seconds_count", ()], commands)
        self.assertEqual(found["imap_command_seconds_bucket", (("le", "+Inf"),)], commands)
        self.assertGreater(found["imap_command_seconds_sum", ()], 0)
        client.logout()
        found = scrape(self._port(server))
        self.assertEqual(found["imap_connections", ()], 0)
        self.assertIn(("process_resident_memory_bytes", ()), found)

    def test_delivery(self) -> None:
        """
        Mail is counted by what became of it, and its channel by its name.
        """
        server = self._server("memory:blocks=64")
        port: Any = server.service.delivery_ports[0]
        with smtplib.LMTP("127.0.0.1", port.getHost().port, timeout=60) as client:
            client.sendmail("", ["alice", "none"], b"Subject: x\r\n\r\nx\r\n")
            found = scrape(self._port(server))
            self.assertEqual(found["lmtp_connections", ()], 1)
        for name, result, count in (
            ("lmtp_offered_total", "accepted", 1),
            ("lmtp_offered_total", "refused", 1),
            ("lmtp_recipients_total", "delivered", 1),
        ):
            self.assertEqual(found[name, (("result", result),)], count)
        self.assertEqual(found["lmtp_delivery_seconds_count", ()], 1)
        for protocol in ("imap", "lmtp"):
            labels = (("protocol", protocol), ("transport", "memory"))
            # Both directions are sent by this process.
            self.assertEqual(found["epoxy_blocks_capacity", labels], 128)
            self.assertEqual(found["epoxy_blocks_allocated", labels], 0)
            self.assertEqual(found["epoxy_refused_total", labels], 0)

    def test_fullQueue(self) -> None:
        """
        A queue that is full shows, while it is and afterwards.
        """
        config = attrs.evolve(_CONFIG, lmtp_listen=(), ipc_limits=IpcLimits(patience=0.0))
        server = self._server("memory:blocks=2:block_size=64", config)
        labels = (("protocol", "imap"), ("transport", "memory"))
        before = scrape(self._port(server))
        self.assertEqual(before["epoxy_refused_total", labels], 0)

        async def flood() -> list[BaseException | None]:
            assert server.service.remote is not None
            requests = [
                Deferred.fromCoroutine(server.service.remote.rights("alice", "Public Folders/News"))
                for _ in range(20)
            ]
            self.during = server.service.remote.statistics()
            outcomes: list[BaseException | None] = []
            for each in requests:
                try:
                    await each
                    outcomes.append(None)
                except Exception as error:
                    outcomes.append(error)
            return outcomes

        outcomes = server.call(flood)
        refused = sum(each is not None for each in outcomes)
        self.assertGreater(refused, 0)
        self.assertEqual(self.during.blocks_allocated, 2)
        found = scrape(self._port(server))
        self.assertGreaterEqual(found["epoxy_refused_total", labels], refused)
        self.assertEqual(found["epoxy_blocks_allocated", labels], 0)

    def test_otherRequests(self) -> None:
        """
        There is nothing else to be had, and nothing to be sent there.
        """
        server = self._server()
        with socket.create_connection(("127.0.0.1", self._port(server)), 60) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertIn(b" 404 ", connection.makefile("rb").readline())
        for body in (b"Content-Length: 1000000000\r\n", b"Transfer-Encoding: chunked\r\n"):
            with socket.create_connection(("127.0.0.1", self._port(server)), 60) as connection:
                connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n%s\r\n" % body)
                try:
                    self.assertEqual(connection.recv(1), b"")
                except ConnectionResetError:
                    pass


class StoreProcessTests(TestCase):
    """
    A store and a front end, each with metrics of its own.
    """

    timeout = 60

    async def test_eachItsOwn(self) -> None:
        """
        A front end counts its queue to the store and its clients, the store its queues to front ends, by what
        those speak.
        """
        from twisted.internet import reactor

        transport = describe(self, "unix")
        config = Config(
            store_url=f"sqlite:{self.mktemp()}",
            transport=transport,
            listen=(_ANY_PORT,),
            lmtp_listen=(_ANY_PORT,),
            metrics_listen=_ANY_PORT,
            metrics_store_listen=_ANY_PORT,
        )
        await openStore(config.store_url, config.store_limits, create=True).close()
        services = []
        for role in ("store", "frontend"):
            part = Part(config, role=role)
            service = MailService(reactor, part)
            services.append(service)
            self.addCleanup(service.stopService)
            service.startService()
            await service.ready
        ports: list[Any] = [each.metrics_port for each in services]
        store, front = [await deferToThread(scrape, each.getHost().port) for each in ports]
        for protocol in ("imap", "lmtp"):
            labels = (("protocol", protocol), ("transport", "unix"))
            for found in (store, front):
                self.assertEqual(found["epoxy_blocks_capacity", labels], 1024)
                self.assertIn(("epoxy_refused_total", labels), found)
        self.assertIn(("imap_connections", ()), front)
        self.assertIn(("lmtp_connections", ()), front)
        self.assertNotIn(("imap_connections", ()), store)


class FactoryTests(SynchronousTestCase):
    """
    L{metricsFactory}.
    """

    def _get(self, factory: Any, request: bytes) -> bytes:
        protocol = factory.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        protocol.dataReceived(request)
        answer: bytes = transport.value()
        return answer

    def test_values(self) -> None:
        """
        Values are read when they are asked for, by protocol, each once.
        """
        counters = QueueCounters(3, 7, 40, 40, 5)
        sources = Sources("shm", client_out=lambda: {"imap": counters}, store_out=lambda: {"lmtp": counters})
        answer = self._get(metricsFactory(sources, Clock()), b"GET /metrics HTTP/1.0\r\n\r\n")
        found = parsed(answer.partition(b"\r\n\r\n")[2].decode())
        for protocol, client, store in (("imap", 3, 0), ("lmtp", 0, 3)):
            labels = (("protocol", protocol), ("transport", "shm"))
            self.assertEqual(found["epoxy_client_out_queue_length", labels], client)
            self.assertEqual(found["epoxy_store_out_queue_length", labels], store)
            self.assertEqual(found["epoxy_blocks_allocated", labels], 7)
            self.assertEqual(found["epoxy_blocks_capacity", labels], 40)
            self.assertEqual(found["epoxy_refused_total", labels], 5)

    def test_bounded(self) -> None:
        """
        A connection too many is closed at once.
        """
        clock = Clock()
        factory = metricsFactory(Sources("memory"), clock)
        transports = []
        for _ in range(MAX_CONNECTIONS):
            protocol = factory.buildProtocol(None)
            transports.append(StringTransport())
            protocol.makeConnection(transports[-1])
        self.assertIsNone(factory.buildProtocol(None))

    def test_notInstalled(self) -> None:
        """
        Without prometheus_client there is one sentence that says what to do.
        """
        with mock.patch.dict(sys.modules, {"prometheus_client": None}):
            error = self.assertRaises(ConfigError, metricsFactory, Sources("memory"), Clock())
        self.assertEqual(
            str(error),
            "[metrics] needs prometheus_client, which is not installed: pip install 'mailstore[metrics]'",
        )


class TimingsTests(SynchronousTestCase):
    """
    L{Timings}.
    """

    def test_classes(self) -> None:
        """
        Each time is in the first class that it fits.
        """
        timings = Timings()
        for seconds in (0.0, BUCKETS[0], BUCKETS[0] * 1.01, 3.0, 1000.0):
            timings.note(seconds)
        self.assertEqual(timings.counts[:2], [2, 1])
        self.assertEqual(timings.counts[-1], 1)
        self.assertEqual(sum(timings.counts), 5)
        self.assertAlmostEqual(timings.total, 1003.001005)
