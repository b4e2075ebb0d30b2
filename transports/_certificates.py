"""
From when and until when certificates are valid.

The standard library tells this of a peer's certificate only, and not of one
that it is to show.  So these lines of ASN.1 are read here (RFC 5280, section
4.1)::

    Certificate    SEQUENCE { tbsCertificate, ... }
    tbsCertificate SEQUENCE { [0] version OPTIONAL, serialNumber, signature,
                              issuer, validity, ... }
    validity       SEQUENCE { notBefore, notAfter }

Whether a certificate is good for anything is for OpenSSL to say.
"""

from __future__ import annotations

import binascii
import datetime
import re
from collections.abc import Iterator

import attrs

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)

_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18


@attrs.frozen
class Validity:
    """
    When a certificate is valid.
    """

    begins: datetime.datetime
    ends: datetime.datetime

    def fault(self, now: datetime.datetime) -> str | None:
        """
        What is wrong with it at this time: C{None}, or how a sentence about the
        certificate ends.
        """
        if now < self.begins:
            return f"is not valid before {self.begins:%Y-%m-%d %H:%M} UTC"
        if now > self.ends:
            return f"has expired on {self.ends:%Y-%m-%d %H:%M} UTC"
        return None


def faultOfChain(pem: bytes, now: datetime.datetime) -> str | None:
    """
    What is wrong, at this time, with the first certificate of a file; those that
    follow lead from it to an authority, perhaps by more than one way.

    @return: C{None}, also for what cannot be read, or how a sentence ends.
    """
    return next(iter(_faults(pem, now)), None)


def faultOfAuthorities(pem: bytes, now: datetime.datetime) -> str | None:
    """
    What is wrong, at this time, with all certificates of a file.

    @return: see L{faultOfChain}.
    """
    faults = _faults(pem, now)
    return None if None in faults else next(iter(faults), None)


def _faults(pem: bytes, now: datetime.datetime) -> list[str | None]:
    try:
        return [each.fault(now) for each in validities(pem)]
    except ValueError:
        return []


def validities(pem: bytes) -> list[Validity]:
    """
    Read when the certificates in a file are valid, in their order.

    @raise ValueError: one of them cannot be read.
    """
    try:
        return [_validity(binascii.a2b_base64(each.group(1))) for each in _BLOCK.finditer(pem)]
    except (IndexError, StopIteration) as error:
        raise ValueError("a certificate is cut off") from error


def _validity(der: bytes) -> Validity:
    _, certificate = next(_elements(der))
    _, signed = next(_elements(certificate))
    parts = [content for tag, content in _elements(signed) if tag != _VERSION]
    begins, ends = (_time(tag, content) for tag, content in _elements(parts[3]))
    return Validity(begins, ends)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """
    The elements that follow each other in C{data}, each with its tag.
    """
    while data:
        start, length = 2, data[1]
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        yield data[0], data[start : start + length]
        data = data[start + length :]


def _time(tag: int, content: bytes) -> datetime.datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        # Of two digits, 50 and more are of the last century.
        text = ("19" if text >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("a certificate says in an unknown way when it is valid")
    return datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC)
