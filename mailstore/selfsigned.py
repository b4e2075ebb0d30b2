"""
A certificate made on demand, for a demo or a test: it is held in memory only, so it is gone with
the process, and with it the key.
"""

from __future__ import annotations

import datetime
import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.ssl import CertificateOptions

#: How long it is valid; no demo runs longer.
_VALID = datetime.timedelta(days=30)

#: For clients whose clocks are not right.
_BEFORE = datetime.timedelta(days=1)


def selfSigned() -> CertificateOptions | None:
    """
    What TLS is done with by a server at this machine's loopback addresses; C{None} where
    TLS is not installed.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.x509.oid import ExtendedKeyUsageOID
        from OpenSSL import crypto
        from twisted.internet.ssl import CertificateOptions
    except ImportError:
        return None
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mailstore demo")])
    here = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _VALID)
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return CertificateOptions(
        privateKey=crypto.PKey.from_cryptography_key(key),
        certificate=crypto.X509.from_cryptography(certificate),
    )


def fingerprint(options: CertificateOptions) -> str:
    """
    The SHA-256 fingerprint of the certificate, as mail programs show it.
    """
    certificate = options.certificate
    assert certificate is not None, "a server has one"
    return certificate.digest("sha256").decode("ascii")


def pem(options: CertificateOptions) -> str:
    """
    The certificate as PEM, for clients to trust it.
    """
    from OpenSSL import crypto

    certificate = options.certificate
    assert certificate is not None, "a server has one"
    return crypto.dump_certificate(crypto.FILETYPE_PEM, certificate).decode("ascii")
