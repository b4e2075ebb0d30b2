"""
Tests for L{mailstore.endpoints}, with certificates made here.
"""

from __future__ import annotations

import datetime
import imaplib
import socket
import ssl
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.config import Config, ConfigError
from mailstore.endpoints import (
    isLocal,
    lastingSecret,
    listenEndpoint,
    localEndpoint,
    tlsContext,
    whyNotListening,
)
from mailstore.selfsigned import selfSigned
from mailstore.topology import MailService, Part


def makeCertificate(directory: Path, name: str = "mail") -> tuple[str, str]:
    """
    Make a key and a certificate for localhost that it signs itself.

    @return: the paths of both, certificate first.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, SHA256())
    )
    directory.mkdir(exist_ok=True)
    paths = directory / f"{name}.crt", directory / f"{name}:key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(paths[0]), str(paths[1])


class TlsContextTests(SynchronousTestCase):
    """
    L{tlsContext}.
    """

    def setUp(self) -> None:
        """
        Make a certificate.
        """
        self.directory = Path(self.mktemp())
        self.certificate, self.key = makeCertificate(self.directory)

    def refusal(self, certificate: str, key: str) -> str:
        """
        Why these files cannot be used.
        """
        error = self.assertRaises(ConfigError, tlsContext, Config(certificate=certificate, key=key))
        self.assertNotIn("\n", str(error))
        return str(error)

    def put(self, name: str, content: bytes) -> str:
        """
        Write a file.
        """
        path = self.directory / name
        path.write_bytes(content)
        return str(path)

    def test_none(self) -> None:
        """
        Without a certificate there is no TLS.
        """
        self.assertIsNone(tlsContext(Config()))

    def test_good(self) -> None:
        """
        A certificate with its key, alone and with a chain.
        """
        self.assertIsNotNone(tlsContext(Config(certificate=self.certificate, key=self.key)))
        other, _ = makeCertificate(self.directory, "other")
        chain = self.put("chain", Path(self.certificate).read_bytes() + Path(other).read_bytes())
        context = tlsContext(Config(certificate=chain, key=self.key))
        assert context is not None
        self.assertEqual(len(context.extraCertChain), 1)

    def test_bad(self) -> None:
        """
        Each file that is not what it should be is named.
        """
        junk = self.put("junk", b"hello")
        broken = self.put("broken", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        _, other = makeCertificate(self.directory, "other")
        self.assertEqual(self.refusal("/gone", self.key), "/gone: No such file or directory")
        self.assertEqual(self.refusal(junk, self.key), f"{junk}: no PEM certificate in it")
        self.assertEqual(self.refusal(broken, self.key), f"{broken}: not a valid certificate")
        self.assertEqual(self.refusal(self.certificate, "/gone"), "/gone: No such file or directory")
        self.assertIn(f"{junk}: no PEM private key", self.refusal(self.certificate, junk))
        self.assertEqual(self.refusal(self.certificate, other), f"{other}: not the key of {self.certificate}")


class ListenEndpointTests(SynchronousTestCase):
    """
    L{listenEndpoint} and L{whyNotListening}.
    """

    def test_refused(self) -> None:
        """
        What is no endpoint is named, whatever Twisted makes of it.
        """
        for text, reason in (
            ("foo:1", "Unknown endpoint type: 'foo'"),
            ("tcp", "port is missing"),
            ("tcp:x", "'x' is no whole number"),
            ("tcp:1:colour=red", "there is no option 'colour'"),
            ("tcp:1:2:3:4:5:6", "too many parts between colons"),
            ("", "Unknown endpoint type: ''"),
        ):
            error = self.assertRaises(ConfigError, listenEndpoint, None, text, None)
            self.assertEqual(str(error), f"cannot listen on {text!r}: {reason}")

    def test_tlsRefused(self) -> None:
        """
        The same for C{ssl:}, which also needs a certificate.
        """
        error = self.assertRaises(ConfigError, listenEndpoint, None, "ssl:993", None)
        self.assertIn("needs [tls] certificate and key", str(error))
        error = self.assertRaises(ConfigError, listenEndpoint, None, "ssl:x", selfSigned())
        self.assertEqual(str(error), "cannot listen on 'ssl:x': 'x' is no whole number")

    def test_sentences(self) -> None:
        """
        Errors of all kinds become one line.
        """
        in_use = CannotListenError("127.0.0.1", 143, OSError(98, "Address already in use"))
        for error, expected in (
            (in_use, "cannot listen on tcp:143: Address already in use"),
            (PermissionError(13, "Permission denied"), "cannot listen on tcp:143: Permission denied"),
            (ValueError("two\nlines"), "cannot listen on tcp:143: two lines"),
            (ValueError(), "cannot listen on tcp:143: ValueError"),
        ):
            self.assertEqual(whyNotListening("tcp:143", error), expected)


class LastingSecretTests(SynchronousTestCase):
    """
    L{lastingSecret}.
    """

    def test_sources(self) -> None:
        """
        It comes from the config, else from the key of the certificate, and is neither of them.
        """
        certificate, key = makeCertificate(Path(self.mktemp()))
        said = Config(secret="nobody can guess this")
        self.assertEqual(lastingSecret(Config()), b"")
        self.assertEqual(lastingSecret(said), lastingSecret(said))
        with_key = Config(certificate=certificate, key=key)
        self.assertEqual(lastingSecret(with_key), lastingSecret(with_key))
        both = attrs.evolve(with_key, secret=said.secret)
        self.assertEqual(lastingSecret(both), lastingSecret(said))
        self.assertNotEqual(lastingSecret(with_key), lastingSecret(said))
        self.assertNotIn(lastingSecret(with_key), Path(key).read_bytes())


class TlsServerTests(TestCase):
    """
    A server with a certificate.
    """

    async def start(self, *listen: str) -> MailService:
        """
        A demo with a certificate; C{self.context} trusts it.
        """
        from twisted.internet import reactor

        directory = Path(self.mktemp())
        self.certificate, self.key = makeCertificate(directory)
        other, _ = makeCertificate(directory, "other")
        self.chain = str(directory / "chain.pem")
        Path(self.chain).write_bytes(Path(self.certificate).read_bytes() + Path(other).read_bytes())
        self.context = ssl.create_default_context(cafile=self.certificate)
        config = Config(certificate=self.chain, key=self.key, listen=listen)
        service = MailService(reactor, Part(config, demo=True))
        service.startService()
        self.addCleanup(service.stopService)
        await service.ready
        return service

    async def test_bothKinds(self) -> None:
        """
        C{ssl:} endpoints use the certificate of C{[tls]}, and so does STARTTLS; both send the whole chain.
        """
        service = await self.start("ssl:0:interface=127.0.0.1", "tcp:0:interface=127.0.0.1")
        implicit, plain = (port.getHost().port for port in service.ports)  # type: ignore[attr-defined]

        def signIn() -> list[str]:
            states = []
            for client in (
                imaplib.IMAP4_SSL("localhost", implicit, ssl_context=self.context),
                imaplib.IMAP4("localhost", plain),
            ):
                if not isinstance(client, imaplib.IMAP4_SSL):
                    client.starttls(self.context)
                client.login("alice", "password")
                states.append(client.state)
                client.logout()
            return states

        self.assertEqual(await deferToThread(signIn), ["AUTH", "AUTH"])
        assert service.tls is not None
        self.assertEqual(len(service.tls.extraCertChain), 1)

    async def test_injected(self) -> None:
        """
        What somebody sends in the clear with STARTTLS, in the same segment, is not run when TLS is
        on: neither whole commands nor the beginning of one, nor literals.
        """
        service = await self.start("tcp:0:interface=127.0.0.1")
        port = service.ports[0].getHost().port  # type: ignore[attr-defined]

        def talk(injected: bytes) -> list[bytes]:
            with socket.create_connection(("127.0.0.1", port), 30) as plain:
                heard = b""
                while not heard.endswith(b"\r\n"):
                    heard += plain.recv(4096)
                plain.sendall(b"a STARTTLS\r\n" + injected)
                heard = b""
                while not heard.endswith(b"\r\n"):
                    heard += plain.recv(4096)
                lines = [heard]
                with self.context.wrap_socket(plain, server_hostname="localhost") as secure:
                    # Were a command or a literal under way, this would belong to it.
                    secure.sendall(b"c SELECT INBOX\r\nd LOGOUT\r\n")
                    heard = b""
                    while piece := secure.recv(4096):
                        heard += piece
                return lines + heard.splitlines(keepends=True)

        for injected in (
            b"b LOGIN alice password\r\n",
            b"b LOGIN {5+}\r\nalice {8+}\r\npassword\r\n",
            b"b LOGIN {5+}\r\nalice {80+}\r\npass",
            b"b LOGIN alice ",
        ):
            begun, refused, bye, over = await deferToThread(talk, injected)
            self.assertEqual(begun, b"a OK Begin TLS now\r\n", injected)
            self.assertTrue(refused.startswith(b"c BAD "), refused)
            self.assertEqual((bye[:6], over[:5]), (b"* BYE ", b"d OK "))

    async def test_ownFiles(self) -> None:
        """
        An C{ssl:} endpoint can name files of its own, as Twisted has it.
        """
        directory = Path(self.mktemp())
        certificate, key = makeCertificate(directory)
        key = key.replace(":", "\\:")
        service = await self.start(f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}")
        port = service.ports[0].getHost().port  # type: ignore[attr-defined]
        context = ssl.create_default_context(cafile=certificate)

        def signIn() -> str:
            with imaplib.IMAP4_SSL("localhost", port, ssl_context=context) as client:
                client.login("alice", "password")
                return client.state

        self.assertEqual(await deferToThread(signIn), "AUTH")


class LocalEndpointTests(SynchronousTestCase):
    """
    L{localEndpoint} and L{isLocal}.
    """

    def test_local(self) -> None:
        """
        Sockets of this machine.
        """
        for description in (
            "unix:/run/lmtp:mode=660",
            "tcp:24:interface=127.0.0.1",
            "tcp:24:interface=127.8.8.8:backlog=5",
            "tcp:interface=127.0.0.1:port=24",
            "tcp6:24:interface=\\:\\:1",
        ):
            localEndpoint(None, description)

    def test_refused(self) -> None:
        """
        What others can reach, and what makes no sense.
        """
        for description, reason in (
            ("tcp:24", "every interface"),
            ("tcp:24:interface=", "every interface"),
            ("tcp:24:interface=192.0.2.1", "interface 192.0.2.1"),
            ("tcp:24:interface=localhost", "interface localhost"),
            ("tcp6:24", "every interface"),
            ("tcp6:24:interface=\\:\\:", "interface ::"),
            ("ssl:24", "every interface"),
        ):
            error = self.assertRaises(ConfigError, localEndpoint, None, description)
            self.assertIn(
                f"{description}: mail is taken without asking who brings it, so not on {reason}", str(error)
            )
        error = self.assertRaises(ConfigError, localEndpoint, None, "unics:/x")
        self.assertIn("cannot listen on 'unics:/x'", str(error))

    def test_address(self) -> None:
        """
        What a port says of itself.
        """
        for address, local in (
            (UNIXAddress(b"/x"), True),
            (IPv4Address("TCP", "127.0.0.1", 24), True),
            (IPv6Address("TCP", "::1", 24), True),
            (IPv4Address("TCP", "0.0.0.0", 24), False),
            (IPv6Address("TCP", "2001:db8::1", 24), False),
            (object(), False),
        ):
            self.assertIs(isLocal(address), local)
