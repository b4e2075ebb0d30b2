"""
ID::

    id              = "ID" SP id-params-list
    id-params-list  = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
    id-response     = "ID" SP id-params-list

(RFC 2971 section 4, where C{#} lets the list be empty.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mailstore.imap.wire import writer
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

#: RFC 2971 section 3.3: pairs, bytes of a field's name, bytes of a value.
_MAX_PAIRS: Final = 30
_MAX_FIELD: Final = 30
_MAX_VALUE: Final = 1024

#: Names of fields, and values.
IdParams = tuple[tuple[bytes, bytes | None], ...]


def readId(reader: Reader) -> IdParams:
    """
    Read everything behind C{ID} and its space.

    @return: the fields in the order written, names in lower case and each once; none for C{NIL}.
    @raise ParseError: it is no such list, or more than RFC 2971 section 3.3 allows.
    """
    if reader.peek() != b"(":
        if reader.nstring() is not None:
            raise ParseError("Expected a list or NIL")
        return ()

    def pair() -> tuple[bytes, bytes | None]:
        field = reader.string()
        reader.space()
        value = reader.nstring()
        if len(field) > _MAX_FIELD or len(value or b"") > _MAX_VALUE:
            raise ParseError("That is more than ID can say")
        return field.lower(), value

    pairs = reader.parenthesizedOrEmpty(pair)
    if len(pairs) > _MAX_PAIRS:
        raise ParseError("That is more than ID can say")
    if len(dict(pairs)) < len(pairs):
        raise ParseError("A field stands twice")
    return pairs


def idLine(params: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """
    The ID response; with no parameters it tells nothing.
    """
    items = [b"%b %b" % (writer.string(field), writer.nstring(value)) for field, value in params]
    return b"* ID (%b)\r\n" % b" ".join(items) if items else b"* ID NIL\r\n"
