"""
Header fields (RFC 5322 section 2.2): finding them and reading their values.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from email.utils import parsedate_tz
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from mailstore.message import words

if TYPE_CHECKING:
    from mailstore.message.structure import Message, Part

#: Bytes of a header that are looked into; what follows is served, and no more.
MAX_HEADER = 1 << 19

#: Bytes of a header whose fields are kept for the next who asks.
_KEPT = 1 << 15

#: Fields of a header that are looked into.
MAX_FIELDS = 10_000

# field-name = 1*(%d33-57 / %d59-126), RFC 5322 section 3.6.8; the space before
# the colon is obsolete (section 4.5).  A line that is no field (an mbox "From "
# line, a stray sentence) is passed over with the lines that continue it.
_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)

_DATE_ERRORS = (ValueError, TypeError, IndexError, AttributeError, OverflowError)


def iterFields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """
    The fields of a header in their order: name as it came, and raw value
    (with its folds, without the line end that closes it).  Looks at no more
    than L{MAX_HEADER} bytes and L{MAX_FIELDS} fields.
    """
    return iter(_fields(header)) if len(header) <= _KEPT else _found(header)


def _found(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    for match in islice(_FIELD.finditer(header, 0, MAX_HEADER), MAX_FIELDS):
        name, value = match.groups()
        yield name, value[:-1] if value.endswith(b"\r") else value


@lru_cache(4)
def _fields(header: bytes) -> tuple[tuple[bytes, bytes], ...]:
    # Whatever is made of a message looks at its header, one after the other.
    return tuple(_found(header))


def fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """
    L{iterFields} as a list.
    """
    return list(iterFields(header))


def unfold(raw: bytes) -> bytes:
    """
    A raw value on one line (RFC 5322 section 2.2.3), without space around it.
    """
    if b"\n" in raw:
        raw = raw.replace(b"\r\n", b"").replace(b"\n", b"")
    return raw.strip(b" \t")


def decode(raw: bytes) -> str:
    """
    The text of a raw value: unfolded, encoded words decoded (RFC 2047), UTF-8
    read as such (RFC 6532) and other 8-bit bytes as Latin-1.
    """
    return words.decodeWords(unfold(raw))


def headerOf(message: Message, part: Part) -> bytes:
    """
    The header of a part of C{message}, or as much of it as is looked into.
    """
    return message.data[part.header_start : min(part.body_start, part.header_start + MAX_HEADER)]


def sentDay(message: Message) -> int | None:
    """
    The day (proleptic ordinal) in the first Date field, in the sender's own
    time (RFC 9051 section 6.4.4, SENTON: "disregarding time and timezone");
    C{None} if there is none or it makes no sense.
    """
    for name, raw in iterFields(headerOf(message, message.root)):
        if name.lower() == b"date":
            parsed = parsedDate(raw)
            try:
                return None if parsed is None else datetime.date(*parsed[:3]).toordinal()
            except _DATE_ERRORS:
                return None
    return None


@lru_cache(64)
def _parsedDate(raw: bytes) -> tuple[int, ...] | None:
    try:
        parsed = parsedate_tz(decode(raw))
    except _DATE_ERRORS:
        return None
    return None if parsed is None else tuple(each or 0 for each in parsed)


def parsedDate(raw: bytes) -> tuple[int, ...] | None:
    """
    The ten numbers of L{parsedate_tz} for a raw value (the last one, seconds ahead of UTC, 0 when it says
    nothing), or C{None} when it makes no sense.
    """
    return _parsedDate(raw[:256])
