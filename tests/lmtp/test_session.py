"""
The dialogue, over an engine in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mailstore import engine
from mailstore.engine import EngineLimits
from mailstore.errors import StoreBusy, StoreError, StoreUnavailable
from mailstore.lmtp.courier import Addressing
from mailstore.lmtp.limits import LmtpLimits
from mailstore.lmtp.protocol import LmtpFactory
from mailstore.model import MESSAGE, SYSTEM, Delivered, FetchSpec, Recipient, UidSet
from mailstore.testing.storecases.base import CREDENTIALS, RENDITIONS

_EVERY = UidSet(((1, 1000),))
_BODY = b"Subject: x\r\n\r\nhello\r\n"


class _Transport(StringTransport):
    """
    A transport whose client can stop reading.
    """

    def abortConnection(self) -> None:
        self.disconnecting = True
        self.aborted = True

    aborted = False


class SlowStore:
    """
    A store that does not answer, or fails, as a test says.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self.gate: Deferred[None] | None = None
        self.error: StoreError | None = None
        self.delivered = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def _pass(self) -> None:
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error

    async def offer(self, recipient: Recipient, size: int) -> None:
        await self._pass()
        await self._store.offer(recipient, size)

    async def deliver(self, recipients: tuple[Recipient, ...], content: bytes | int) -> tuple[Delivered, ...]:
        self.delivered += 1
        await self._pass()
        outcomes: tuple[Delivered, ...] = await self._store.deliver(recipients, content)
        return outcomes


class Client:
    """
    One connection.
    """

    def __init__(self, factory: LmtpFactory, address: Any) -> None:
        self.protocol: Any = factory.buildProtocol(address)
        self.transport = _Transport()
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> list[str]:
        """
        Send bytes; gives the lines that came by then.
        """
        self.protocol.dataReceived(data)
        return self.lines()

    def lines(self) -> list[str]:
        """
        What came since the last look.
        """
        found: list[str] = self.transport.value().decode("ascii").splitlines()
        self.transport.clear()
        return found

    def lose(self) -> None:
        """
        Hang up.
        """
        self.protocol.connectionLost(Failure(ConnectionDone()))


class SessionCase(SynchronousTestCase):
    """
    A server with the users alice, bob and carol, of the domain example.org.
    """

    limits = LmtpLimits()
    detail = ""

    def setUp(self) -> None:
        self.clock = Clock()
        self.engine = engine.open(
            "sqlite::memory:",
            renditions=RENDITIONS,
            renditions_version=1,
            limits=EngineLimits(max_message=1_000_000),
        )
        self.addCleanup(lambda: self.now(self.engine.close()))
        self.store = SlowStore(self.engine)
        for name in ("alice", "bob", "carol"):
            self.now(self.engine.createUser(name, CREDENTIALS))
        self.factory = self.serve(self.limits)

    def serve(self, limits: LmtpLimits) -> LmtpFactory:
        """
        A server with these limits.
        """
        clock: Any = self.clock
        return LmtpFactory(
            self.store,  # type: ignore[arg-type]
            limits,
            Addressing(["example.org"], self.detail),
            "host.example",
            reactor=clock,
            wall_clock=lambda: 1_000_000_000.0,
        )

    def now(self, request: Awaitable[Any]) -> Any:
        """
        The result of a request that does not wait.
        """

        async def wait() -> Any:
            return await request

        return self.successResultOf(Deferred.fromCoroutine(wait()))

    def client(self, greet: bool = True, address: Any = None) -> Client:
        """
        A new client.
        """
        client = Client(self.factory, address or UNIXAddress(b"/x"))
        if greet:
            client.send(b"LHLO mx.example\r\n")
        return client

    def bodies(self, user: str, name: str = "INBOX") -> list[bytes]:
        """
        What is in a folder.
        """
        folder = self.now(self.engine.openFolder(user, name, False)).folder

        async def read() -> list[bytes]:
            spec = FetchSpec(renditions=("all",))
            return [
                each
                async for batch in self.engine.fetch(user, folder, _EVERY, spec)
                for each in batch.renditions[0]
            ]

        found: list[bytes] = self.now(read())
        return found


class DialogueTests(SessionCase):
    """
    What is said.
    """

    def test_greeting(self) -> None:
        """
        The greeting, and what is announced.
        """
        client = self.client(greet=False)
        self.assertEqual(client.lines(), ["220 host.example LMTP mailstore"])
        self.assertEqual(
            client.send(b"lhlo mx.example\r\n"),
            [
                "250-host.example",
                "250-PIPELINING",
                "250-SIZE 52428800",
                "250-8BITMIME",
                "250-SMTPUTF8",
                "250 ENHANCEDSTATUSCODES",
            ],
        )

    def test_delivery(self) -> None:
        """
        One message, one recipient: the reply comes after it is stored, with the fields added.
        """
        client = self.client()
        self.assertEqual(client.send(b"MAIL FROM:<x@y.example> SIZE=20\r\n"), ["250 2.1.0 OK"])
        self.assertEqual(client.send(b"RCPT TO:<alice@example.org>\r\n"), ["250 2.1.5 OK"])
        self.assertEqual(client.send(b"DATA\r\n")[0][:4], "354 ")
        self.assertEqual(client.send(_BODY), [])
        self.assertEqual(client.send(b".\r\n"), ["250 2.1.5 <alice@example.org> delivered"])
        (stored,) = self.bodies("alice")
        self.assertTrue(
            stored.startswith(b"Return-Path: <x@y.example>\r\nDelivered-To: alice@example.org\r\n")
        )
        self.assertIn(
            b"Received: from mx.example (local)\r\n\tby host.example (mailstore) with LMTP\r\n", stored
        )
        self.assertTrue(stored.endswith(b"\r\n" + _BODY))
        self.assertEqual(client.send(b"QUIT\r\n"), ["221 2.0.0 Bye"])
        self.assertTrue(client.transport.disconnecting)

    def test_pipelined(self) -> None:
        """
        Commands that come together are carried out in order, also when each has to wait for the store.
        """
        client = self.client()
        gate: Deferred[None] = Deferred()
        self.store.gate = gate
        commands = (
            b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<none>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
        )
        self.assertEqual(client.send(commands), ["250 2.1.0 OK"])
        self.store.gate = None
        gate.callback(None)
        codes = [each[:9] for each in client.lines()]
        self.assertEqual(codes, ["250 2.1.5", "550 5.1.1", "250 2.1.5", "354 Go on"])
        replies = client.send(_BODY + b".\r\nNOOP\r\n")
        self.assertEqual(
            replies, ["250 2.1.5 <alice> delivered", "250 2.1.5 <bob@example.org> delivered", "250 2.0.0 OK"]
        )
        self.assertEqual(self.bodies("alice"), self.bodies("bob"))
        self.assertNotIn(b"Delivered-To", self.bodies("bob")[0])

    def test_eachRecipient(self) -> None:
        """
        Each recipient gets a reply of its own after the message.
        """
        client = self.client()
        client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nRCPT TO:<carol>\r\nDATA\r\n")
        self.now(self.engine.setQuota(SYSTEM, "#user/bob", ((MESSAGE, 0),)))
        codes = [each[:9] for each in client.send(_BODY + b".\r\n")]
        self.assertEqual(codes, ["250 2.1.5", "552 5.2.2", "250 2.1.5"])
        self.assertEqual([len(self.bodies(each)) for each in ("alice", "bob", "carol")], [1, 0, 1])
        self.assertEqual(self.factory.courier.recipients, {"delivered": 2, "refused": 1})

    def test_refusedRecipients(self) -> None:
        """
        What RCPT is refused with.
        """
        self.now(self.engine.createFolder(SYSTEM, "Public Folders/News"))
        self.now(self.engine.addAddress(SYSTEM, "Public Folders/News", "news@lists.example"))
        self.now(self.engine.setQuota(SYSTEM, "#user/bob", ((MESSAGE, 0),)))
        client = self.client()
        client.send(b"MAIL FROM:<> SIZE=2000000\r\n")
        for address, code in (
            ("news@lists.example", "550 5.7.1"),
            ("bob", "552 5.3.4"),
            ("alice@other.example", "550 5.1.1"),
            ("alice@example.org.", "501 5.1.3"),
        ):
            self.assertEqual(client.send(f"RCPT TO:<{address}>\r\n".encode())[0][:9], code)
        client.send(b"RSET\r\nMAIL FROM:<>\r\n")
        self.assertEqual(client.send(b"RCPT TO:<bob>\r\n")[0][:9], "552 5.2.2")
        self.assertEqual(client.send(b"DATA\r\n")[0][:9], "503 5.5.1")
        self.now(self.engine.setRights(SYSTEM, "Public Folders/News", "anyone", "p"))
        self.assertEqual(client.send(b"RCPT TO:<NEWS@lists.example>\r\n"), ["250 2.1.5 OK"])
        client.send(b"DATA\r\n")
        self.assertEqual(client.send(b".\r\n"), ["250 2.1.5 <NEWS@lists.example> delivered"])
        self.assertEqual(len(self.bodies("alice", "Public Folders/News")), 1)

    def test_order(self) -> None:
        """
        Commands out of order, with wrong arguments, or unknown ones.
        """
        client = self.client(greet=False)
        client.lines()
        for command, code in (
            ("MAIL FROM:<>", "503 5.5.1"),
            ("HELO x", "500 5.5.1"),
            ("EHLO x", "500 5.5.1"),
            ("LHLO", "501 5.5.4"),
            ("LHLO mx", "250-host."),
            ("RCPT TO:<alice>", "503 5.5.1"),
            ("DATA", "503 5.5.1"),
            ("MAIL FROM:<a@b", "501 5.1.7"),
            ("MAIL FROM:<a@b> X=1", "555 5.5.4"),
            ("MAIL FROM:<a@b>", "250 2.1.0"),
            ("MAIL FROM:<a@b>", "503 5.5.1"),
            ("RCPT TO:<>", "553 5.1.3"),
            ("DATA x", "501 5.5.4"),
            ("VRFY alice", "252 2.5.0"),
            ("", "500 5.5.1"),
            ("NOOP \0", "500 5.5.2"),
            ("LHLO mx", "250-host."),
            ("RCPT TO:<alice>", "503 5.5.1"),
        ):
            self.assertEqual(client.send(command.encode() + b"\r\n")[0][:9], code, command)

    def test_smuggling(self) -> None:
        """
        A message in which others could see an end and another transaction is refused as a whole.
        """
        inner = b"MAIL FROM:<boss@example.org>\r\nRCPT TO:<bob>\r\nDATA\r\nforged\r\n.\r\n"
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r\n\0.\r\n\n"):
            client = self.client()
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
            replies = client.send(_BODY + end + inner)
            self.assertEqual([each[:9] for each in replies], ["554 5.6.0"], end)
            self.assertEqual(client.send(b"NOOP\r\n"), ["250 2.0.0 OK"])
        self.assertEqual((self.bodies("alice"), self.bodies("bob")), ([], []))

    def test_eightBits(self) -> None:
        """
        Octets of every value (NUL is not served, RFC 9051 section 4.3), and lines of any length.
        """
        body = bytes(each for each in range(256) if each not in b"\r\n\0") + b"x" * 50_000 + b"\r\n"
        client = self.client()
        client.send(b"MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<alice>\r\nDATA\r\n")
        self.assertEqual(client.send(body + b".\r\n")[0][:4], "250 ")
        self.assertTrue(self.bodies("alice")[0].endswith(b"-0000\r\n" + body))

    def test_utf8(self) -> None:
        """
        With SMTPUTF8 an address may have any letters; the reply is ASCII all the same.
        """
        self.now(self.engine.createUser("zoé", CREDENTIALS))
        client = self.client()
        client.send(b"MAIL FROM:<> SMTPUTF8\r\n")
        self.assertEqual(client.send("RCPT TO:<zoe\u0301@example.org>\r\n".encode()), ["250 2.1.5 OK"])
        client.send(b"DATA\r\n")
        self.assertEqual(client.send(b".\r\n"), ["250 2.1.5 <zo?@example.org> delivered"])
        self.assertIn(b"with UTF8LMTP", self.bodies("zoé")[0])

    def test_severalMessages(self) -> None:
        """
        One connection brings one message after the other.
        """
        client = self.client(address=IPv4Address("TCP", "127.0.0.1", 5))
        for number in range(3):
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
            self.assertEqual(client.send(b"%d\r\n.\r\n" % number)[0][:3], "250")
        self.assertEqual([each[-3:-2] for each in self.bodies("alice")], [b"0", b"1", b"2"])
        self.assertIn(b"([127.0.0.1])", self.bodies("alice")[0])


class DetailTests(SessionCase):
    """
    Addresses that name a folder.
    """

    detail = "+"

    def test_detail(self) -> None:
        """
        What is behind the separator names a folder of the user's.
        """
        self.now(self.engine.createFolder("alice", "Lists"))
        client = self.client()
        for address in (b"alice+Lists", b"alice+none"):
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\n" % address)
            self.assertEqual(client.send(b".\r\n")[0][:3], "250")
        self.assertEqual([len(self.bodies("alice", each)) for each in ("Lists", "INBOX")], [1, 1])


class BoundTests(SessionCase):
    """
    Each bound is reached, and answered.
    """

    limits = LmtpLimits(
        max_connections=2,
        max_recipients=2,
        max_message=10_000,
        max_discarded=20_000,
        max_line=512,
        max_buffered=4096,
        max_inline=1000,
        idle_timeout=60.0,
        max_bad_commands=3,
    )

    def test_connections(self) -> None:
        """
        A connection too many is turned away; when another ends there is room again.
        """
        first, _ = self.client(), self.client()
        third = self.client(greet=False)
        self.assertEqual(third.lines(), ["421 4.3.2 Too many connections, try again later"])
        self.assertTrue(third.transport.disconnecting)
        self.assertEqual(self.factory.courier.turned_away, 1)
        first.lose()
        self.assertEqual(self.client(greet=False).lines()[0][:3], "220")
        self.assertEqual(self.factory.courier.sessions, 2)

    def test_recipients(self) -> None:
        """
        A recipient too many has to wait for another transaction.
        """
        client = self.client()
        replies = client.send(
            b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nRCPT TO:<carol>\r\nDATA\r\n"
        )
        self.assertEqual(replies[3][:9], "452 4.5.3")
        self.assertEqual(len(client.send(b".\r\n")), 2)
        self.assertEqual(len(self.bodies("carol")), 0)

    def test_announcedSize(self) -> None:
        """
        A size too big is refused before the message comes.
        """
        client = self.client()
        self.assertEqual(client.send(b"MAIL FROM:<> SIZE=10001\r\n")[0][:9], "552 5.3.4")
        self.assertEqual(client.send(b"MAIL FROM:<> SIZE=10000\r\n")[0][:3], "250")

    def test_size(self) -> None:
        """
        A message of just the size is taken, one that is bigger is read to its end and refused.
        """
        client = self.client()
        for size, code in ((10_000, "250 2.1.5"), (10_001, "552 5.3.4"), (25_000, "552 5.3.4")):
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n")
            for _ in range(size // 1000):
                client.send(b"x" * 1000)
            replies = client.send(b"x" * (size % 1000 - 2 if size % 1000 else 0) + b"\r\n.\r\n")
            if size == 10_000:
                # The end of its last line has made it too big by two.
                self.assertEqual([each[:9] for each in replies], ["552 5.3.4"] * 2)
                client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n")
                replies = client.send(b"x" * (size - 2) + b"\r\n.\r\n")
            self.assertEqual([each[:9] for each in replies], [code] * 2)
        self.assertEqual(len(self.bodies("alice")), 1)
        self.assertEqual(len(self.engine._uploads), 0)

    def test_endless(self) -> None:
        """
        A message that does not end costs the connection, and takes no memory.
        """
        client = self.client()
        client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
        replies: list[str] = []
        for _ in range(31):
            replies += client.send(b"x" * 1000)
            self.assertLess(len(client.protocol.session.framer), 10)
        self.assertEqual(replies, ["421 4.3.4 The message does not end"])
        self.assertTrue(client.transport.disconnecting)
        self.assertEqual(client.send(b"\r\n.\r\n"), [])

    def test_line(self) -> None:
        """
        A line too long is answered, once.
        """
        client = self.client()
        for _ in range(10):
            self.assertEqual(client.send(b"x" * 1000), [])
        self.assertEqual(client.send(b"\r\nNOOP\r\n"), ["500 5.5.2 The line is too long", "250 2.0.0 OK"])

    def test_idle(self) -> None:
        """
        A client that says nothing for too long is cut off, between commands and in a message.
        """
        for beginning in (b"", b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nhalf a"):
            client = self.client()
            client.send(beginning)
            self.clock.advance(59)
            client.send(b"NOOP\r\n")
            self.clock.advance(59)
            client.lines()
            self.clock.advance(1)
            self.assertEqual(client.lines(), ["421 4.4.2 Nothing came for too long"])
            self.assertTrue(client.transport.disconnecting)
            self.clock.advance(10)
            self.assertTrue(client.transport.aborted)
            client.lose()
        self.assertEqual(self.bodies("alice"), [])

    def test_badCommands(self) -> None:
        """
        A client that does not speak LMTP is cut off.
        """
        client = self.client(greet=False)
        replies = client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nNOOP\r\n")
        self.assertEqual([each[:3] for each in replies], ["220", "500", "500", "500", "421"])
        self.assertTrue(client.transport.disconnecting)

    def test_buffered(self) -> None:
        """
        While the store takes its time, the socket is read up to a bound only.
        """
        client = self.client()
        gate: Deferred[None] = Deferred()
        self.store.gate = gate
        client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\n")
        client.send(b"NOOP\r\n" * 682)
        self.assertEqual(client.transport.producerState, "producing")
        client.send(b"NOOP\r\n")
        self.assertEqual(client.transport.producerState, "paused")
        gate.callback(None)
        while self.clock.getDelayedCalls() and client.transport.producerState == "paused":
            self.clock.advance(0)
        self.assertEqual(len(client.lines()), 684)

    def test_notReading(self) -> None:
        """
        A client that does not read its replies waits, and then is cut off.
        """
        client = self.client()
        client.protocol.pauseProducing()
        self.assertEqual(client.send(b"NOOP\r\nNOOP\r\n"), ["250 2.0.0 OK"])
        client.protocol.resumeProducing()
        self.assertEqual(client.lines(), ["250 2.0.0 OK"])
        client.protocol.pauseProducing()
        client.send(b"NOOP\r\nNOOP\r\n")
        self.clock.advance(60)
        self.assertTrue(client.transport.aborted)

    def test_storeSize(self) -> None:
        """
        The store's own bound holds too, for messages that go there in pieces.
        """
        self.factory = self.serve(LmtpLimits())
        client = self.client()
        client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
        for _ in range(20):
            client.send(b"x" * 60_000)
        self.assertEqual(client.send(b"\r\n.\r\n")[0][:9], "552 5.3.4")
        self.assertEqual(len(self.engine._uploads), 0)


class TroubleTests(SessionCase):
    """
    The store fails, the client goes, the server stops.
    """

    def test_storeFails(self) -> None:
        """
        Nobody is told that it was delivered, and it is not tried again.
        """
        for error, code in (
            (StoreBusy("x"), "452 4.3.1"),
            (StoreUnavailable("x"), "452 4.3.1"),
            (StoreError("x"), "451 4.3.0"),
        ):
            client = self.client()
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n")
            self.store.error, self.store.delivered = error, 0
            self.assertEqual([each[:9] for each in client.send(_BODY + b".\r\n")], [code] * 2)
            self.assertEqual(self.store.delivered, 1)
            self.assertEqual(client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\n")[1][:9], code)
            self.store.error = None
            self.assertEqual(client.send(b"RCPT TO:<alice>\r\n"), ["250 2.1.5 OK"])
        self.assertEqual(self.bodies("alice"), [])

    def test_clientGoes(self) -> None:
        """
        A client that goes in the middle of a message leaves nothing behind.
        """
        client = self.client()
        client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n" + b"x" * 200_000)
        self.assertEqual(len(self.engine._uploads), 1)
        client.lose()
        self.assertEqual(len(self.engine._uploads), 0)
        self.assertEqual((self.factory.courier.sessions, len(self.factory.connections.links)), (0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """
        When the server stops, who waits is told so, and a delivery under way is finished.
        """
        idle, busy, sending = self.client(), self.client(), self.client()
        sending.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\nhalf")
        busy.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
        sending.lines(), idle.lines()
        gate: Deferred[None] = Deferred()
        self.store.gate = gate
        busy.send(_BODY + b".\r\n")
        stopped = self.factory.disconnectAll()
        self.assertIsNone(self.factory.buildProtocol(UNIXAddress(b"/x")))
        for client in (idle, sending):
            self.assertEqual(client.lines(), ["421 4.3.2 The server is shutting down"])
            client.lose()
        self.assertNoResult(stopped)
        gate.callback(None)
        self.assertEqual([each[:3] for each in busy.lines()], ["250", "421"])
        busy.lose()
        self.successResultOf(stopped)
        self.assertEqual(len(self.bodies("alice")), 1)

    def test_stopWaitsNotLong(self) -> None:
        """
        A delivery that does not end does not keep the server from stopping.
        """
        client = self.client()
        client.send(b"MAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n")
        self.store.gate = Deferred()
        client.send(b".\r\n")
        self.factory.disconnectAll()
        self.clock.advance(5)
        self.assertTrue(client.transport.aborted)
