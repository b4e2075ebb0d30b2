"""
L{transports._certificates}: when certificates are valid.
"""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.transports.certificates import certificates
from transports._certificates import Validity, faultOfAuthorities, faultOfChain, validities


def moment(*date: int) -> datetime.datetime:
    """
    A time of day in UTC.
    """
    return datetime.datetime(*date, tzinfo=datetime.UTC)  # type: ignore[arg-type, misc]


def element(tag: int, content: bytes) -> bytes:
    """
    An element of ASN.1.
    """
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    return bytes([tag, 0x82]) + length.to_bytes(2, "big") + content


def certificate(begins: bytes, ends: bytes, version: bytes = element(0xA0, b"\2\1\2")) -> bytes:
    """
    The beginning of a certificate, as far as it matters here, in PEM form.

    @param begins: an element.
    @param ends: another one.
    """
    issuer = element(0x30, bytes(200))
    signed = version + element(2, b"\1") + element(0x30, b"") + issuer + element(0x30, begins + ends)
    encoded = base64.encodebytes(element(0x30, element(0x30, signed) + element(3, b"\0")))
    return b"-----BEGIN CERTIFICATE-----\n" + encoded + b"-----END CERTIFICATE-----\n"


OLD = certificate(element(0x17, b"500102030405Z"), element(0x17, b"491231235959Z"))
LONG = certificate(element(0x18, b"20500102030405Z"), element(0x18, b"99991231235959Z"), b"")


class ValidityTests(SynchronousTestCase):
    """
    Dates are read as RFC 5280 has them.
    """

    def test_dates(self) -> None:
        """
        Years of two digits are from 1950 to 2049, others have four; the version
        may be missing; text around certificates is no obstacle.
        """
        old = Validity(moment(1950, 1, 2, 3, 4, 5), moment(2049, 12, 31, 23, 59, 59))
        long = Validity(moment(2050, 1, 2, 3, 4, 5), moment(9999, 12, 31, 23, 59, 59))
        self.assertEqual(validities(b"Subject: x\n" + OLD + b"\r\n" + LONG), [old, long])
        self.assertEqual(validities(b""), [])

    def test_real(self) -> None:
        """
        Those of the tests are valid for a day, as it is now.
        """
        made = certificates()
        now = datetime.datetime.now(datetime.UTC)
        (found,) = validities(Path(made.ours.path).read_bytes())
        self.assertIs(found.fault(now), None)
        self.assertLess(abs(found.ends - now), datetime.timedelta(days=1.1))

    def test_faults(self) -> None:
        """
        Of a chain the first counts, of authorities any.
        """
        now = moment(2049, 6, 1)
        early = "is not valid before 2050-01-02 03:04 UTC"
        self.assertEqual([fault(OLD + LONG, now) for fault in (faultOfChain, faultOfAuthorities)], [None] * 2)
        self.assertEqual(faultOfChain(LONG + OLD, now), early)
        self.assertIs(faultOfAuthorities(LONG + OLD, now), None)
        self.assertEqual(faultOfAuthorities(LONG, now), early)
        self.assertEqual(faultOfChain(OLD, moment(2050, 1, 1)), "has expired on 2049-12-31 23:59 UTC")

    def test_unreadable(self) -> None:
        """
        What cannot be read has no fault: it is OpenSSL that judges.
        """
        der = base64.b64decode(b"".join(OLD.splitlines()[1:-1]))
        whole = der.index(b"491231235959Z") + 13
        for size in range(whole):
            part = base64.encodebytes(der[:size])
            pem = b"-----BEGIN CERTIFICATE-----\n" + part + b"-----END CERTIFICATE-----\n"
            self.assertRaises(ValueError, validities, pem)
            self.assertIs(faultOfChain(pem, moment(2100, 1, 1)), None)
            self.assertIs(faultOfAuthorities(pem, moment(2100, 1, 1)), None)
        self.assertRaises(
            ValueError, validities, certificate(element(4, b"500102030405Z"), element(0x17, b""))
        )
