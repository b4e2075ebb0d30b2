"""
Writes what a server sends: bytes ready for the socket.

What is written can be read by any client of RFC 3501 unless C{utf8} is asked
for, which needs a client that has enabled UTF8=ACCEPT or IMAP4rev2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Final

from mailstore.imap.wire import mutf7
from mailstore.imap.wire.classes import ASTRING_CHAR, TEXT_CHAR

#: What can go into a quoted string for any client.
_QUOTABLE: Final = re.compile(b"[" + TEXT_CHAR + b"]*")
_ASTRING: Final = re.compile(b"[" + ASTRING_CHAR + b"]+")
_SPECIALS: Final = re.compile(rb'(["\\])')
_NO_TEXT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_MONTHS: Final = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_EPOCH: Final = date(1970, 1, 1).toordinal()

#: Bytes that L{quoted} is used for at most; longer strings are literals
#: (RFC 2683 section 3.2.1.5 wants short lines).
_MAX_QUOTED: Final = 1000

#: Bytes that the human-readable text of a response may have.
_MAX_TEXT: Final = 500


def literalHead(size: int) -> bytes:
    """
    What goes before the bytes of a literal that are sent afterwards.
    """
    return b"{%d}\r\n" % size


def literal(data: bytes) -> bytes:
    """
    C{literal}.  NUL cannot be in one (RFC 9051 section 9); C{0x80} takes its place.
    """
    return b"{%d}\r\n%b" % (len(data), data.replace(b"\0", b"\x80"))


def literal8(data: bytes) -> bytes:
    """
    C{literal8}: any bytes, for clients that asked for BINARY (RFC 3516).
    """
    return b"~{%d}\r\n%b" % (len(data), data)


def literal8Head(size: int) -> bytes:
    """
    What goes before the bytes of a C{literal8} that are sent afterwards.
    """
    return b"~{%d}\r\n" % size


def quoted(data: bytes, utf8: bool = False) -> bytes:
    """
    C{quoted}.

    @raise ValueError: there are bytes that a quoted string cannot hold: CR, LF,
        NUL, and 8-bit ones unless C{utf8} is set and they are UTF-8.
    """
    if _QUOTABLE.fullmatch(data) is None and not (utf8 and _isText(data)):
        raise ValueError("a quoted string cannot hold these bytes")
    if b'"' in data or b"\\" in data:
        data = _SPECIALS.sub(rb"\\\1", data)
    return b'"%b"' % data


def _isText(data: bytes) -> bool:
    """
    Whether it is UTF-8 without CR, LF and NUL.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not (b"\r" in data or b"\n" in data or b"\0" in data)


def string(data: bytes, utf8: bool = False) -> bytes:
    """
    C{string}: quoted if it can be, otherwise a literal.
    """
    if len(data) <= _MAX_QUOTED:
        try:
            return quoted(data, utf8)
        except ValueError:
            pass
    return literal(data)


def nstring(data: bytes | None, utf8: bool = False) -> bytes:
    """
    C{nstring}: C{NIL} for C{None}.
    """
    return b"NIL" if data is None else string(data, utf8)


def nstring8(data: bytes | None, utf8: bool = False) -> bytes:
    """
    C{nstring / literal8}: a C{literal8} only if there is a NUL in it, which tells a client
    that there is one (RFC 3516 section 4.3).
    """
    return literal8(data) if data is not None and b"\0" in data else nstring(data, utf8)


def astring(data: bytes, utf8: bool = False) -> bytes:
    """
    C{astring}: as it is if it can be, otherwise a string.  The word C{NIL} is
    quoted, since clients take it for nothing.
    """
    if _ASTRING.fullmatch(data) is None or data.upper() == b"NIL":
        return string(data, utf8)
    return data


@lru_cache(4096)
def mailbox(name: str, utf8: bool = False) -> bytes:
    """
    C{mailbox}: in modified UTF-7 (RFC 3501 section 5.1.3), or in UTF-8 (RFC
    6855 section 3).

    @raise UnicodeEncodeError: it holds half of a surrogate pair.
    """
    return astring(name.encode() if utf8 else mutf7.encode(name), utf8)


def flagList(flags: Iterable[str]) -> bytes:
    r"""
    C{flag-list}: C{(\Seen $Forwarded)}.

    @param flags: names as L{Reader.flag<mailstore.imap.wire.reader.Reader.flag>} gives them.
    """
    return b"(%b)" % " ".join(flags).encode("ascii")


def numbers(values: Iterable[int]) -> bytes:
    """
    Numbers with a space between each two.
    """
    return " ".join(map(str, values)).encode("ascii")


def numberSet(ranges: Iterable[tuple[int, int]]) -> bytes:
    """
    C{uid-set} or C{sequence-set} without C{*}: C{3,5:9}.  At least one range.

    @param ranges: first and last number of each.
    """
    return ",".join([str(low) if low == high else f"{low}:{high}" for low, high in ranges]).encode("ascii")


def numberSetPieces(ranges: Iterable[tuple[int, int]], size: int = 2_000) -> Iterator[bytes]:
    """
    The same as L{numberSet} in pieces to be sent one after the other, for sets that may be
    large; no piece for no range.

    @param size: ranges in one piece.
    """
    left = iter(ranges)
    comma = b""
    while some := list(islice(left, size)):
        yield comma + numberSet(some)
        comma = b","


def internalDate(epoch: int, zone: int = 0) -> bytes:
    """
    C{date-time}, in quotes.

    @param epoch: seconds since 1970 UTC.
    @param zone: by how many minutes local time was ahead of UTC.
    @raise ValueError: it is not in the years 1 to 9999.
    """
    days, second = divmod(epoch + zone * 60, 86400)
    day = date.fromordinal(days + _EPOCH)
    sign = b"-" if zone < 0 else b"+"
    zone = abs(zone)
    return b'"%2d-%b-%04d %02d:%02d:%02d %b%02d%02d"' % (
        day.day,
        _MONTHS[day.month - 1],
        day.year,
        second // 3600,
        second // 60 % 60,
        second % 60,
        sign,
        zone // 60,
        zone % 60,
    )


@lru_cache(1024)
def text(sentence: str, utf8: bool = False) -> bytes:
    """
    C{text} of a response: one line for a person, whatever is in it.  What
    cannot be shown is escaped, what is too long is cut, and it is never empty
    nor taken for a response code or the announcement of a literal.

    @param utf8: whether it may be UTF-8; otherwise it is ASCII.
    """
    sentence = _NO_TEXT.sub(_escape, sentence)
    if utf8:
        data = sentence.encode()[:_MAX_TEXT].decode("utf-8", "ignore").encode()
    else:
        data = sentence.encode("ascii", "backslashreplace")[:_MAX_TEXT]
    if data[:1] in (b"[", b""):
        data = b"- " + data
    return data + b"." if data.endswith(b"}") else data


def _escape(match: re.Match[str]) -> str:
    """
    A character that cannot be shown, as Python would write it.
    """
    return match[0].encode("unicode_escape").decode("ascii")


def status(tag: bytes, condition: bytes, sentence: str, code: bytes = b"", utf8: bool = False) -> bytes:
    """
    A line with a C{resp-cond-state}: C{A1 NO [TRYCREATE] There is no such folder}.

    @param tag: the command's tag, or C{*}.
    @param condition: C{OK}, C{NO}, C{BAD}, C{BYE} or C{PREAUTH}.
    @param sentence: as for L{text}.
    @param code: a response code without its brackets, well formed.
    """
    if code:
        return b"%b %b [%b] %b\r\n" % (tag, condition, code, text(sentence, utf8))
    return b"%b %b %b\r\n" % (tag, condition, text(sentence, utf8))
