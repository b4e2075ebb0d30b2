"""
Tests for L{mailstore.endpoints}, with certificates made here.
"""

from __future__ import annotations

import datetime
import imaplib
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.config import Config, ConfigError
from mailstore.endpoints import listenEndpoint, tlsContext, whyNotListening
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
            error = self.assertRaises(ConfigError, listenEndpoint, None, text, Config())
            self.assertEqual(str(error), f"cannot listen on {text!r}: {reason}")

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


class TlsServerTests(TestCase):
    """
    A server with a certificate.
    """

    async def test_bothKinds(self) -> None:
        """
        C{ssl:} endpoints use the certificate of C{[tls]}, and so does STARTTLS.
        """
        from twisted.internet import reactor

        certificate, key = makeCertificate(Path(self.mktemp()))
        config = Config(
            certificate=certificate,
            key=key,
            listen=("ssl:0:interface=127.0.0.1", "tcp:0:interface=127.0.0.1"),
        )
        service = MailService(reactor, Part(config, demo=True))
        service.startService()
        self.addCleanup(service.stopService)
        await service.ready
        implicit, plain = (port.getHost().port for port in service.ports)  # type: ignore[attr-defined]
        context = ssl.create_default_context(cafile=certificate)

        def signIn() -> list[str]:
            states = []
            for client in (
                imaplib.IMAP4_SSL("localhost", implicit, ssl_context=context),
                imaplib.IMAP4("localhost", plain),
            ):
                if not isinstance(client, imaplib.IMAP4_SSL):
                    client.starttls(context)
                client.login("alice", "password")
                states.append(client.state)
                client.logout()
            return states

        self.assertEqual(await deferToThread(signIn), ["AUTH", "AUTH"])
