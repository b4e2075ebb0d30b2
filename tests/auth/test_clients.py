"""
Sign-in with the clients that people use.
"""

from __future__ import annotations

import imaplib
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import imapclient
import scramp
from OpenSSL.crypto import FILETYPE_PEM, dump_certificate
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.mail.imap4 import IMAP4Client, PLAINAuthenticator
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.config import Config
from mailstore.imap.limits import ImapLimits
from mailstore.testing import MailServer
from mailstore.topology import MailService, Part
from tests.clients.servercase import ServerTestCase

SCRAM = "SCRAM-SHA-256"


def scramCallback(client: scramp.ScramClient) -> Callable[[bytes], bytes]:
    """
    What imaplib and imapclient call with each challenge.
    """

    def answer(challenge: bytes) -> bytes:
        if not challenge:
            first: str = client.get_client_first()
            return first.encode()
        if challenge.startswith(b"r="):
            client.set_server_first(challenge.decode())
            final: str = client.get_client_final()
            return final.encode()
        client.set_server_final(challenge.decode())
        return b""

    return answer


class ScramClientsTests(SynchronousTestCase):
    """
    SCRAM-SHA-256 with Python's clients.
    """

    @contextmanager
    def server(self) -> Iterator[MailServer]:
        """
        A server with a user.
        """
        with MailServer(users={"zo\u00eb": "p\u00e4ss,w\u00f6rd"}) as server:
            yield server

    def test_imaplib(self) -> None:
        """
        With C{imaplib}'s authenticate.
        """
        with self.server() as server:
            client = imaplib.IMAP4(server.host, server.port)
            self.assertIn("AUTH=SCRAM-SHA-256", client.capabilities)
            status, _ = client.authenticate(
                SCRAM, scramCallback(scramp.ScramClient([SCRAM], "zo\u00eb", "p\u00e4ss,w\u00f6rd"))
            )
            self.assertEqual((status, client.state), ("OK", "AUTH"))
            self.assertEqual(client.select("INBOX")[0], "OK")
            client.logout()

    def bound(self, client: imaplib.IMAP4, password: str, certificate: bytes) -> str:
        """
        Sign in with channel binding.

        @param certificate: of the server, as the client knows it.
        @return: what the server says.
        """
        binding = ("tls-server-end-point", sha256(certificate).digest())
        scram = scramp.ScramClient([f"{SCRAM}-PLUS"], "zo\u00eb", password, channel_binding=binding)
        try:
            return client.authenticate(f"{SCRAM}-PLUS", scramCallback(scram))[0]
        except imaplib.IMAP4.error as error:
            return str(error)

    def test_channelBinding(self) -> None:
        """
        With TLS who signs in can show that it is the same as the server's.
        """
        with MailServer(users={"zo\u00eb": "p\u00e4ss,w\u00f6rd"}, tls=True) as server:
            for implicit in (False, True):
                if implicit:
                    client: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                        server.host, server.tls_port, ssl_context=server.sslContext()
                    )
                else:
                    client = imaplib.IMAP4(server.host, server.port)
                    self.assertNotIn("-PLUS", " ".join(client.capabilities))
                    client.starttls(server.sslContext())
                self.assertIn(b"AUTH=SCRAM-SHA-256-PLUS", client.capability()[1][0].split())
                assert isinstance(client.sock, ssl.SSLSocket)
                certificate = client.sock.getpeercert(True)
                assert certificate is not None
                self.assertIn(
                    "AUTHENTICATIONFAILED", self.bound(client, "p\u00e4ss,w\u00f6rd", certificate + b"x")
                )
                self.assertIn("AUTHENTICATIONFAILED", self.bound(client, "wrong", certificate))
                self.assertEqual(self.bound(client, "p\u00e4ss,w\u00f6rd", certificate), "OK")
                client.logout()

    def test_channelBindingEarlier(self) -> None:
        """
        There is none before TLS 1.3.
        """
        with MailServer(users={"zo\u00eb": "p\u00e4ss,w\u00f6rd"}, tls=True) as server:
            context = server.sslContext()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            client = imaplib.IMAP4(server.host, server.port)
            client.starttls(context)
            self.assertNotIn("AUTH=SCRAM-SHA-256-PLUS", client.capabilities)
            self.assertIn("CANNOT", self.bound(client, "p\u00e4ss,w\u00f6rd", b""))
            client.logout()

    def test_imaplibRefused(self) -> None:
        """
        A wrong password and an unknown user are refused with the same words, and the
        connection is good for another try.
        """
        with self.server() as server:
            client = imaplib.IMAP4(server.host, server.port)
            said = set()
            for user in ("zo\u00eb", "nobody"):
                error = self.assertRaises(
                    imaplib.IMAP4.error,
                    client.authenticate,
                    SCRAM,
                    scramCallback(scramp.ScramClient([SCRAM], user, "wrong")),
                )
                said.add(str(error))
            self.assertEqual(len(said), 1)
            client.authenticate(
                SCRAM, scramCallback(scramp.ScramClient([SCRAM], "zo\u00eb", "p\u00e4ss,w\u00f6rd"))
            )
            client.logout()

    def test_imapclient(self) -> None:
        """
        With imapclient's C{sasl_login}, and its C{plain_login}.
        """
        with self.server() as server:
            with imapclient.IMAPClient(server.host, server.port, ssl=False) as client:
                client.sasl_login(
                    SCRAM, scramCallback(scramp.ScramClient([SCRAM], "zo\u00eb", "p\u00e4ss,w\u00f6rd"))
                )
                self.assertEqual(client.select_folder("INBOX")[b"EXISTS"], 0)
            with imapclient.IMAPClient(server.host, server.port, ssl=False) as client:
                client.plain_login("zo\u00eb", "p\u00e4ss,w\u00f6rd")
                self.assertEqual(client.select_folder("INBOX")[b"EXISTS"], 0)


class LimitsTests(SynchronousTestCase):
    """
    Who guesses.
    """

    def test_barred(self) -> None:
        """
        With new connections, too, one has so many tries; then the right password does not help.
        """
        limits = ImapLimits(login_delay=0.0, max_failures_per_address=3, failure_memory=3600)
        with MailServer(users={"ann": "secret"}, config=Config(imap_limits=limits)) as server:
            for _ in range(3):
                client = imaplib.IMAP4(server.host, server.port)
                self.assertRaises(imaplib.IMAP4.error, client.login, "ann", "wrong")
                client.logout()
            client = imaplib.IMAP4(server.host, server.port)
            error = self.assertRaises(imaplib.IMAP4.error, client.login, "ann", "secret")
            self.assertIn("[LIMIT]", str(error))
            error = self.assertRaises(
                imaplib.IMAP4.error,
                client.authenticate,
                SCRAM,
                scramCallback(scramp.ScramClient([SCRAM], "ann", "secret")),
            )
            self.assertIn("[LIMIT]", str(error))
            client.logout()


class TwistedClientTests(TestCase):
    """
    Twisted's own client, at a server with TLS and other checkers beside the store.
    """

    async def start(self, *checkers: str) -> MailService:
        """
        A demo with these checkers.
        """
        from twisted.internet import reactor

        config = Config(listen=("tcp:0:interface=127.0.0.1",), checkers=checkers)
        service = MailService(reactor, Part(config, demo=True))
        service.startService()
        self.addCleanup(service.stopService)
        await service.ready
        return service

    async def connect(self, service: MailService) -> IMAP4Client:
        """
        A client that has heard the greeting.
        """
        from twisted.internet import reactor

        port = service.ports[0].getHost().port  # type: ignore[attr-defined]
        client = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), IMAP4Client())
        client.registerAuthenticator(PLAINAuthenticator(b"alice"))
        return client  # type: ignore[no-any-return]

    async def test_plain(self) -> None:
        """
        It signs in by PLAIN where SCRAM, which it cannot do, is offered before.
        """
        client = await self.connect(await self.start())
        offered = await client.getCapabilities()
        self.assertEqual(offered[b"AUTH"], [b"SCRAM-SHA-256", b"PLAIN"])
        await client.authenticate(b"password")
        self.assertEqual((await client.examine("INBOX"))["EXISTS"], 1)
        await client.logout()

    async def test_others(self) -> None:
        """
        A user of another checker has a mailbox from the first sign-in on, sees what everybody who
        signs in may see, and needs the right password.
        """
        service = await self.start("memory:carol:geheim")
        stranger = await self.connect(service)
        self.assertNotIn(b"SCRAM-SHA-256", (await stranger.getCapabilities())[b"AUTH"])
        with self.assertRaises(Exception):  # noqa: B017
            await stranger.login(b"carol", b"password")
        for _ in range(2):
            client = await self.connect(service)
            await client.login(b"carol", b"geheim")
            self.assertEqual((await client.select("INBOX"))["EXISTS"], 0)
            self.assertGreater((await client.examine("Public Folders/News"))["EXISTS"], 0)
            await client.logout()
        own = await self.connect(service)
        await own.login(b"alice", b"password")
        await own.logout()
        await stranger.logout()


def _why() -> str | None:
    """
    Why mbsync with Cyrus SASL cannot be started, if it cannot.
    """
    if shutil.which("mbsync") is None:
        return "mbsync is not installed (.ci/run installs it)"
    if not list(Path("/usr/lib").glob("**/sasl2/libscram.so*")):
        return "libsasl2-modules is not installed (.ci/run installs it)"
    return None


class MbsyncTests(ServerTestCase):
    """
    mbsync, whose SCRAM is Cyrus SASL's.
    """

    skip = _why()

    def run_(self, mechanism: str, password: str) -> subprocess.CompletedProcess[bytes]:
        """
        Let it list the folders.
        """
        base = self.directory()
        config = base / "mbsyncrc"
        config.write_text(
            f"IMAPAccount a\nHost 127.0.0.1\nPort {self.port}\nUser alice\nPass {password}\n"
            f"SSLType None\nAuthMechs {mechanism}\n\nIMAPStore far\nAccount a\nPathDelimiter /\n\n"
            f"MaildirStore near\nPath {base}/\nInbox {base}/INBOX\n\n"
            'Channel all\nFar :far:\nNear :near:\nPatterns "Public Folders/*"\n'
        )
        return subprocess.run(
            ["mbsync", "-D", "-c", str(config), "-l", "all"], capture_output=True, timeout=60, cwd=base
        )

    def test_scram(self) -> None:
        """
        It is let in by SCRAM, which it also chooses by itself, and with the right password only.
        """
        self.port = self.serve("--demo").port
        for mechanism in (SCRAM, "*"):
            done = self.run_(mechanism, "password")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b"Public Folders/News", done.stdout)
            self.assertIn(b"AUTHENTICATE SCRAM-SHA-256", done.stdout)
        done = self.run_(SCRAM, "wrong")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"AUTHENTICATIONFAILED", done.stderr)


class DemoTlsTests(TestCase):
    """
    A demo's own certificate.
    """

    async def test_starttls(self) -> None:
        """
        With it, by STARTTLS and on an C{ssl:} endpoint, clients sign in by each mechanism.
        """
        from twisted.internet import reactor
        from twisted.internet.threads import deferToThread

        listen = ("tcp:0:interface=127.0.0.1", "ssl:0:interface=127.0.0.1")
        service = MailService(reactor, Part(Config(listen=listen), demo=True))
        service.startService()
        self.addCleanup(service.stopService)
        await service.ready
        plain, implicit = (port.getHost().port for port in service.ports)  # type: ignore[attr-defined]
        pem = dump_certificate(FILETYPE_PEM, service.tls.certificate).decode()
        context = ssl.create_default_context(cadata=pem)
        context.verify_flags |= ssl.VERIFY_X509_STRICT

        def signIn() -> list[str]:
            states = []
            for host in ("localhost", "127.0.0.1"):
                first = imaplib.IMAP4(host, plain)
                first.starttls(context)
                first.authenticate(SCRAM, scramCallback(scramp.ScramClient([SCRAM], "alice", "password")))
                second = imaplib.IMAP4_SSL(host, implicit, ssl_context=context)
                second.login("bob", "password")
                for client in (first, second):
                    states.append(client.state)
                    client.logout()
            return states

        self.assertEqual(await deferToThread(signIn), ["AUTH"] * 4)
