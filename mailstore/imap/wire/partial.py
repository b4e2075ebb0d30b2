"""
A range of what is found, or of the messages that are named::

    modifier-partial    = "PARTIAL" SP partial-range
    partial-range       = partial-range-first / partial-range-last
    partial-range-first = nz-number ":" nz-number
    partial-range-last  = "-" nz-number ":" "-" nz-number
    ret-data-partial    = "PARTIAL" SP "(" partial-range SP (sequence-set / "NIL") ")"

(RFC 9394 section 4.)
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import MAX_NUMBER, ParseError, PartialRange

_RANGE: Final = re.compile(rb"(-?)([1-9][0-9]{0,9}):(-?)([1-9][0-9]{0,9})")


def readPartialRange(reader: Reader) -> PartialRange:
    """
    C{partial-range}.

    @raise ParseError: none, or one that counts from both ends.
    """
    match = _RANGE.fullmatch(reader.optional(_RANGE))
    if match is None or match[1] != match[3]:
        raise ParseError("PARTIAL takes a range such as 1:100 or -1:-100")
    first, last = int(match[2]), int(match[4])
    if max(first, last) > MAX_NUMBER:
        raise ParseError("A number is too large")
    return PartialRange(first, last, bool(match[1]))


def partialText(wanted: PartialRange) -> bytes:
    """
    C{partial-range}, as it was written.
    """
    sign = "-" if wanted.from_end else ""
    return f"{sign}{wanted.first}:{sign}{wanted.last}".encode("ascii")


@attrs.frozen
class PartialResult:
    """
    C{ret-data-partial}.
    """

    #: What was asked for.
    wanted: PartialRange
    #: What of it there is, as ranges; nothing for C{NIL}.
    found: tuple[tuple[int, int], ...] = ()
