"""
Tests for L{mailstore.channelbindings}.  Real connections are in C{tests.auth.test_clients}.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from OpenSSL.crypto import X509
from OpenSSL.SSL import Error
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from mailstore.channelbindings import END_POINT, EXPORTER, channelBindings


def certificate(key: Any, signed_with: Any) -> X509:
    """
    One that is signed by itself.
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return X509.from_cryptography(builder.sign(key, signed_with))


class Handle:
    """
    A connection of pyOpenSSL's, as far as it matters.
    """

    def __init__(self, presented: X509 | None, version: str = "TLSv1.3", over: bool = True) -> None:
        self._presented = presented
        self._version = version
        self._over = over

    def get_protocol_version_name(self) -> str:
        """
        The version of TLS.
        """
        return self._version

    def export_keying_material(self, label: bytes, length: int) -> bytes:
        """
        What both sides can make.
        """
        if not self._over:
            raise Error([])
        return label[:1] * length

    def get_certificate(self) -> X509 | None:
        """
        The one presented.
        """
        return self._presented


class ChannelBindingsTests(SynchronousTestCase):
    """
    L{channelBindings}.
    """

    def bindings(self, *arguments: Any) -> dict[str, bytes]:
        """
        Those of a transport with a L{Handle}.
        """
        transport = StringTransport()
        transport.getHandle = lambda: Handle(*arguments)  # type: ignore[attr-defined]
        return channelBindings(transport)

    def test_none(self) -> None:
        """
        There are none without TLS, before the handshake is over, or before TLS 1.3.
        """
        self.assertEqual(channelBindings(StringTransport()), {})
        self.assertEqual(channelBindings(None), {})
        self.assertEqual(self.bindings(None, "TLSv1.2"), {})
        self.assertEqual(self.bindings(None, "TLSv1.3", False), {})

    def test_certificates(self) -> None:
        """
        A certificate is known by the hash that it was signed with, if it was with one.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        for signed_with in (hashes.SHA256(), hashes.SHA384()):
            made = certificate(key, signed_with)
            expected = {EXPORTER: b"E" * 32, END_POINT: made.to_cryptography().fingerprint(signed_with)}
            self.assertEqual(self.bindings(made), expected)
        for without in (None, certificate(ed25519.Ed25519PrivateKey.generate(), None)):
            self.assertEqual(self.bindings(without), {EXPORTER: b"E" * 32})
