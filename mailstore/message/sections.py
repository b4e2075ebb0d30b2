"""
Sections: which bytes of a message a reader means (RFC 9051 section 6.4.5.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import attrs

from mailstore.message.index import Ranges
from mailstore.model import Section, SectionKind

# A field with the lines that continue it, or any other line.
_LINES = re.compile(rb"[^\n]*+(?:\n(?:[ \t][^\n]*+\n)*+(?:[ \t][^\n]*+\Z)?+|\Z)")

_WHOLE = (SectionKind.ALL, SectionKind.BINARY)


@attrs.frozen
class Cut:
    """
    A range of a message's served form, and what to do with it.
    """

    start: int
    end: int
    #: C{None}: the range as it is.  Else it is a header, of which only these
    #: fields are wanted; see L{filterHeader}.
    fields: tuple[str, ...] | None = None
    #: With L{fields}: all but these.
    negate: bool = False

    @property
    def size(self) -> int:
        """
        Bytes of the range, before fields are picked.
        """
        return self.end - self.start


def locate(index: Ranges, section: Section) -> Cut | None:
    """
    Where a section is, apart from its C{partial}; C{None} when the message has no such section.
    """
    kind = section.kind
    if not section.part:
        if kind is SectionKind.MIME:
            # RFC 9051: "The MIME part specifier MUST be prefixed by one or more numeric part specifiers".
            return None
        if kind in _WHOLE:
            return Cut(index.header_start, index.end)
        return _ofMessage(index, section)
    part = _find(index, section.part)
    if part is None:
        return None
    if kind is SectionKind.MIME:
        return Cut(part.header_start, part.body_start)
    if kind in _WHOLE:
        return Cut(part.body_start, part.end)
    return None if part.message is None else _ofMessage(part.message, section)


def _ofMessage(message: Ranges, section: Section) -> Cut:
    if section.kind is SectionKind.TEXT:
        return Cut(message.body_start, message.end)
    if section.kind is SectionKind.HEADER:
        return Cut(message.header_start, message.body_start)
    negate = section.kind is SectionKind.FIELDS_NOT
    return Cut(message.header_start, message.body_start, section.fields, negate)


def _find(root: Ranges, numbers: tuple[int, ...]) -> Ranges | None:
    # A message that is no multipart has one part, itself.
    message: Ranges | None = root
    part: Ranges | None = None
    for number in numbers:
        if part is not None:
            message = part if part.parts else part.message
        if message is None:
            return None
        candidates = message.parts or (message,)
        if not 1 <= number <= len(candidates):
            return None
        part = candidates[number - 1]
    return part


def filterHeader(header: bytes, fields: Iterable[str], negate: bool = False) -> bytes:
    """
    The named fields of a header, in the order in which they are there, and the
    empty line if there is one; with C{negate} all else instead.  Names match
    in any case and are otherwise exact.  Linear in the header and the names.
    """
    names = {each.encode("utf-8", "replace").strip(b" \t").lower() for each in fields}
    kept = bytearray()
    for match in _LINES.finditer(header):
        line = match[0]
        if line in (b"\r\n", b"\n"):
            kept += line
            continue
        name, colon, _ = line.partition(b":")
        if (bool(colon) and name.rstrip(b" \t").lower() in names) != negate:
            kept += line
    return bytes(kept)


def applyPartial(size: int, partial: tuple[int, int] | None) -> tuple[int, int]:
    """
    The range of C{size} bytes that a partial asks for: begin and end.  It is
    empty when the partial begins after the end (RFC 9051 section 6.4.5).
    """
    if partial is None:
        return 0, size
    start = min(max(partial[0], 0), size)
    return start, min(start + max(partial[1], 0), size)
