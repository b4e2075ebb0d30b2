"""
Sessions on real sockets, a real store and clients that others wrote.
"""

from __future__ import annotations

import contextlib
import datetime
import imaplib
import ssl
from collections.abc import Callable
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.threads import deferToThread
from twisted.mail.imap4 import IMAP4Client
from twisted.trial.unittest import TestCase

from mailstore.engine import open as openStore
from mailstore.imap.limits import ImapLimits
from mailstore.imap.protocol import ImapFactory
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION
from mailstore.model import SYSTEM, Credentials
from tests.imap.support import FakeAuthenticator

MESSAGE = b"From: ann@example.org\r\nSubject: Hello\r\n\r\nText\r\n"


def certificate() -> PrivateCertificate:
    """
    A certificate for this test alone.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made: PrivateCertificate = PrivateCertificate.loadPEM(pem)
    return made


class LoopbackTests(TestCase):
    """
    The front end on the engine, over TCP.
    """

    timeout = 30

    def setUp(self) -> Deferred[None]:  # type: ignore[override]
        """
        A server with two users on a free port.
        """
        return Deferred.fromCoroutine(self.start())

    async def start(self) -> None:
        """
        Make the server.
        """
        from twisted.internet import reactor

        self.reactor = cast(Any, reactor)
        store = openStore("sqlite::memory:", renditions=RENDITIONS, renditions_version=RENDITIONS_VERSION)
        self.store = store
        self.addCleanup(lambda: Deferred.fromCoroutine(store.close()))
        for user in ("alice", "bob"):
            await store.createUser(user, Credentials(b"salt", 1, b"", b""))
        await store.createFolder(SYSTEM, "Public Folders/Real")
        await store.setRights(SYSTEM, "Public Folders", "alice", "lrswipkxtea")
        self.factory = ImapFactory(
            store,
            FakeAuthenticator(),
            ImapLimits(login_delay=0.0),
            reactor=self.reactor,
            tls=certificate().options(),
        )
        port = self.reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(self.factory.disconnectAll)
        self.port = port.getHost().port

    def inThread(self, use: Callable[[imaplib.IMAP4], None]) -> Deferred[None]:
        """
        Let imaplib talk to the server, from a thread.
        """

        def run() -> None:
            client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
            try:
                use(client)
            finally:
                # After LOGOUT it is closed already.
                with contextlib.suppress(OSError):
                    client.shutdown()

        return deferToThread(run)

    def test_imaplib(self) -> Deferred[None]:
        """
        imaplib signs in, makes a folder, files mail, reads it, and throws it away.
        """

        def use(client: imaplib.IMAP4) -> None:
            def ok(answer: tuple[str, list[Any]]) -> list[Any]:
                self.assertEqual(answer[0], "OK", answer)
                return answer[1]

            ok(client.login("alice", "password"))
            ok(client.create('"Public Folders/New"'))
            listed = ok(client.list())
            self.assertIn(b'(\\HasNoChildren) "/" "Public Folders/New"', listed)
            ok(client.append('"Public Folders/New"', "(\\Flagged)", None, MESSAGE))
            self.assertEqual(ok(client.select('"Public Folders/New"')), [b"1"])
            fetched = ok(client.fetch("1", "(FLAGS BODY.PEEK[])"))
            self.assertIn(MESSAGE, fetched[0])
            ok(client.store("1", "+FLAGS", "(\\Deleted)"))
            self.assertEqual(ok(client.expunge()), [b"1"])
            ok(client.close())
            ok(client.delete('"Public Folders/New"'))
            ok(client.subscribe("INBOX"))
            self.assertEqual(ok(client.lsub()), [b'() "/" INBOX'])
            client.logout()

        return self.inThread(use)

    def test_startTls(self) -> Deferred[None]:
        """
        TLS is switched on, and everything goes on under it.
        """

        def use(client: imaplib.IMAP4) -> None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.assertEqual(client.starttls(context)[0], "OK")
            self.assertNotIn("STARTTLS", client.capabilities)
            client.login("alice", "password")
            self.assertEqual(client.append("INBOX", None, None, MESSAGE * 20_000)[0], "OK")
            client.select("INBOX")
            answer: Any = client.fetch("1", "BODY.PEEK[]")[1]
            self.assertEqual(answer[0][1], MESSAGE * 20_000)
            client.logout()

        return self.inThread(use)

    @inlineCallbacks
    def test_twistedClient(self) -> Any:
        """
        Twisted's own client reads a folder.
        """
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.port)
        client = yield connectProtocol(endpoint, IMAP4Client())
        yield client.login(b"alice", b"password")
        folders = yield client.list("", "*")
        self.assertIn("Public Folders/Real", [name for _, _, name in folders])
        opened = yield client.select("INBOX")
        self.assertEqual(opened["EXISTS"], 0)
        yield client.logout()

    @inlineCallbacks
    def test_idleHearsOthers(self) -> Any:
        """
        What one client files, another in IDLE hears of.
        """
        lines: list[bytes] = []
        arrived: Deferred[None] = Deferred()

        def idle(client: imaplib.IMAP4) -> None:
            client.login("bob", "password")
            client.select('"Public Folders/Real"', readonly=True)
            client.send(b"I1 IDLE\r\n")
            self.assertEqual(client.readline()[:1], b"+")
            self.reactor.callFromThread(arrived.callback, None)
            while not lines or b"EXISTS" not in lines[-1]:
                lines.append(client.readline())
            client.send(b"DONE\r\n")

        def file(client: imaplib.IMAP4) -> None:
            client.login("alice", "password")
            client.append('"Public Folders/Real"', None, None, MESSAGE)
            client.logout()

        idling = self.inThread(idle)
        # If it fails before it idles, there is nothing to wait for.
        yield DeferredList([arrived, idling], fireOnOneCallback=True, fireOnOneErrback=True)
        yield self.inThread(file)
        yield idling
        self.assertEqual(lines[-1], b"* 1 EXISTS\r\n")
