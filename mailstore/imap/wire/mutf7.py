"""
Modified UTF-7: how a folder name travels to clients that know no UTF-8.

RFC 3501 section 5.1.3: printable ASCII stands for itself, C{&} is written
C{&-}, and everything else is UTF-16BE in base64 with C{,} for C{/} and no
padding, between C{&} and C{-}.  There is one spelling of every name: ASCII may
not be written in base64, and two base64 runs may not touch.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from typing import Final

from mailstore.imap.wire.classes import MODIFIED_BASE64_CHAR
from mailstore.imap.wire.values import ParseError

#: Runs that have to be written in base64, and C{&}.
_TO_ENCODE: Final = re.compile(r"[^\x20-\x7e]+|&")

#: One shifted sequence.
_SHIFT: Final = re.compile(rb"&([" + MODIFIED_BASE64_CHAR + rb"]*)-")


def _encodeRun(match: re.Match[str]) -> str:
    run = match[0]
    if run == "&":
        return "&-"
    encoded = b2a_base64(run.encode("utf-16be"), newline=False).rstrip(b"=").replace(b"/", b",")
    return f"&{encoded.decode()}-"


def encode(name: str) -> bytes:
    """
    Write a name in modified UTF-7.

    @raise UnicodeEncodeError: it holds half of a surrogate pair, which no
        name has.
    """
    if name.isascii() and name.isprintable() and "&" not in name:
        return name.encode()
    return _TO_ENCODE.sub(_encodeRun, name).encode()


def _bad() -> ParseError:
    return ParseError("A mailbox name is not in modified UTF-7 (RFC 3501 section 5.1.3)")


def decode(data: bytes) -> str:
    """
    Read a name in modified UTF-7.

    @raise ParseError: it is not written as L{encode} would write it.
    """
    if b"&" not in data:
        name = data.decode("ascii", "replace")
        if not name.isascii() or not name.isprintable():
            raise _bad()
        return name
    pieces: list[str] = []
    at = 0
    while (shift := data.find(b"&", at)) >= 0:
        pieces.append(data[at:shift].decode("ascii", "replace"))
        match = _SHIFT.match(data, shift)
        if match is None:
            raise _bad()
        at = match.end()
        if not match[1]:
            pieces.append("&")
            continue
        encoded = match[1].replace(b",", b"/")
        try:
            run = a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True).decode("utf-16be")
        except (BinasciiError, UnicodeDecodeError):
            raise _bad() from None
        pieces.append(run)
    pieces.append(data[at:].decode("ascii", "replace"))
    name = "".join(pieces)
    if encode(name) != data:
        raise _bad()
    return name
