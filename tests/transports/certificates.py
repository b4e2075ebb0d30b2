"""
Certificates for the tests, made at run time, once in each process.

C{certificates()} has one authority and what it has issued, and another one
that nobody trusts.  The files go when the process ends.
"""

from __future__ import annotations

import atexit
import datetime
import functools
import ipaddress
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from transports.tls import TlsCredentials

_DAY = datetime.timedelta(days=1)


@attrs.frozen
class Certificate:
    """
    A certificate in a file, its key in another.
    """

    #: Path of the certificate.
    path: str
    #: Path of the key.
    key: str


class Authority:
    """
    Somebody who issues certificates.

    @ivar path: the file with the authority's own certificate.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issued = 0
        own = (
            self._begin(self._name, self._key.public_key(), _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
            )
        )
        path = directory / f"{name}.pem"
        path.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        self.path = str(path)

    def _begin(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, lasts: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * _DAY)
            .not_valid_after(now + lasts)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )

    def issue(
        self,
        *names: str,
        lasts: datetime.timedelta = _DAY,
        password: str = "",
        carried: Sequence[str] | None = None,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    ) -> Certificate:
        """
        Issue a certificate.

        @param names: names and addresses that it carries; the first is its subject's.
        @param lasts: from now; negative for one that has expired.
        @param password: what the key is encrypted with; C{""} for a plain one.
        @param carried: what it carries instead of C{names}.
        @param key: its key; C{None} for a new one.
        """
        key = ec.generate_private_key(ec.SECP256R1()) if key is None else key
        alternatives: list[x509.GeneralName] = []
        for name in names if carried is None else carried:
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alternatives.append(x509.DNSName(name))
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        building = self._begin(subject, key.public_key(), lasts)
        if alternatives:
            building = building.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        made = building.sign(self._key, hashes.SHA256())
        self._issued += 1
        stem = f"{Path(self.path).stem}-{self._issued}"
        path, key_path = self._directory / f"{stem}.pem", self._directory / f"{stem}.key"
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password.encode())
        key_path.touch(0o600)
        key_path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        )
        return Certificate(str(path), str(key_path))


class Certificates:
    """
    What the tests need.

    @ivar authority: the one that is trusted.
    @ivar ours: carries C{localhost}, C{127.0.0.1} and C{::1}.
    @ivar other: of the same authority, carries C{other.example} only.
    @ivar expired: as C{ours}, but expired.
    @ivar foreign: as C{ours}, but of another authority.
    """

    def __init__(self, directory: Path) -> None:
        here = ("localhost", "127.0.0.1", "::1")
        self.authority = Authority(directory, "authority")
        self.stranger = Authority(directory, "stranger")
        self.ours = self.authority.issue(*here)
        self.other = self.authority.issue("other.example")
        self.expired = self.authority.issue(*here, lasts=-_DAY)
        self.foreign = self.stranger.issue(*here)

    def credentials(self, shown: Certificate | None = None, peer: str = "") -> TlsCredentials:
        """
        Credentials of a peer that trusts the authority.

        @param shown: its certificate; C{ours} by default.
        """
        shown = self.ours if shown is None else shown
        return TlsCredentials(shown.path, shown.key, self.authority.path, peer)


#: Where they go: tests that look for what is left behind use another place for a while.
_PLACE = tempfile.gettempdir()


@functools.cache
def certificates() -> Certificates:
    """
    The certificates of this process.
    """
    directory = tempfile.mkdtemp(prefix="ms", dir=_PLACE)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Certificates(Path(directory))
