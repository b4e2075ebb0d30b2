"""
What CONDSTORE and QRESYNC add to FETCH and STORE, and what they answer::

    fetch               = "FETCH" SP sequence-set SP (...) [fetch-modifiers]
    fetch-modifiers     = SP "(" fetch-modifier *(SP fetch-modifier) ")"
    fetch-modifier     =/ "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" / modifier-partial
    store               = "STORE" SP sequence-set [store-modifiers]
                          SP store-att-flags
    store-modifiers     = SP "(" store-modifier *(SP store-modifier) ")"
    store-modifier     =/ "UNCHANGEDSINCE" SP mod-sequence-valzer
    expunged-resp       = "VANISHED" [SP "(EARLIER)"] SP known-uids
    fetch-mod-resp      = "MODSEQ" SP "(" permsg-modsequence ")"
    search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")"

(RFC 4466 section 3, RFC 7162 section 7, RFC 9394 section 4.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.options import readOptions, withoutValue, withValue
from mailstore.imap.wire.partial import readPartialRange
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, PartialRange

#: Ranges in one VANISHED response.  More of them are several responses, so that
#: no line gets too long for a client.
RANGES_OF_VANISHED = 400


@attrs.frozen
class FetchModifiers:
    """
    What FETCH has behind its items.
    """

    #: Only messages with a larger mod-sequence, and C{MODSEQ} for each of them (RFC 7162
    #: section 3.1.4.1); C{None} for all messages.
    changed_since: int | None = None
    #: Say which of the messages have vanished since then; never without it.
    vanished: bool = False
    #: Only these of the messages named (RFC 9394 section 3.3); C{None} for all.
    partial: PartialRange | None = None


@attrs.frozen
class StoreModifiers:
    """
    What STORE has before its flags.
    """

    #: Only messages with no larger mod-sequence (RFC 7162 section 3.1.3); 0 fits none.
    unchanged_since: int | None = None


def readFetchModifiers(reader: Reader, by_uid: bool) -> FetchModifiers:
    """
    Read what may stand behind the items of FETCH, from the space before it on.

    @param by_uid: it is UID FETCH, which alone may have VANISHED and PARTIAL.
    @raise ParseError: a modifier that is not known, or VANISHED where it may not be
        (RFC 7162 section 3.2.6).
    """
    if not reader.accept(b" "):
        return FetchModifiers()
    known: dict[str, Callable[[], Any]] = {}
    if reader.has(Extension.CONDSTORE):
        known["CHANGEDSINCE"] = withValue(reader, reader.modSequence)
    if reader.has(Extension.QRESYNC):
        known["VANISHED"] = withoutValue
    if reader.has(Extension.PARTIAL) and by_uid:
        known["PARTIAL"] = withValue(reader, lambda: readPartialRange(reader))
    found = readOptions(reader, known, "FETCH")
    modifiers = FetchModifiers(found.get("CHANGEDSINCE"), "VANISHED" in found, found.get("PARTIAL"))
    if modifiers.vanished and (modifiers.changed_since is None or not by_uid):
        raise ParseError("VANISHED needs UID FETCH and CHANGEDSINCE")
    return modifiers


def readStoreModifiers(reader: Reader) -> StoreModifiers:
    """
    Read what may stand behind the set of messages of STORE, from the space before it
    on; the space before the flags comes after it.

    @raise ParseError: a modifier that is not known.
    """
    if not reader.acceptBefore(b" ", b"("):
        return StoreModifiers()
    known: dict[str, Callable[[], Any]] = {}
    if reader.has(Extension.CONDSTORE):
        known["UNCHANGEDSINCE"] = withValue(reader, lambda: reader.modSequence(zero=True))
    return StoreModifiers(readOptions(reader, known, "STORE").get("UNCHANGEDSINCE"))


def vanishedLines(ranges: Iterable[tuple[int, int]], earlier: bool = False) -> Iterator[bytes]:
    """
    The VANISHED responses for UIDs, none for none; each is short enough for a line.

    @param ranges: first and last UID of each, as they are to be written.
    @param earlier: they answer a question for what vanished before (RFC 7162 section
        3.2.10.1), and do not renumber messages.
    """
    head = b"* VANISHED (EARLIER) " if earlier else b"* VANISHED "
    left = iter(ranges)
    while some := list(islice(left, RANGES_OF_VANISHED)):
        yield b"%b%b\r\n" % (head, writer.numberSet(some))


def modSequence(value: int) -> bytes:
    """
    C{fetch-mod-resp}, as it stands in FETCH.
    """
    return b"MODSEQ (%d)" % value


def highestFound(value: int) -> bytes:
    """
    C{search-sort-mod-seq}, with which SEARCH and SORT end that looked for a MODSEQ
    and found something.
    """
    return b"(MODSEQ %d)" % value
