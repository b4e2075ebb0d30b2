"""
What SEARCH may be asked to return, and how it answers::

    search-return-opts = SP "RETURN" SP "(" [search-return-opt
                         *(SP search-return-opt)] ")"
    search-return-opt  = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE" / modifier-partial
    esearch-response   = "ESEARCH" [search-correlator] [SP "UID"]
                         *(SP search-return-data)
    search-correlator  = SP "(" one-correlator *(SP one-correlator) ")"
    one-correlator     = "TAG" SP tag-string / "MAILBOX" SP astring / "UIDVALIDITY" SP nz-number
    search-return-data = "MIN" SP nz-number / "MAX" SP nz-number /
                         "ALL" SP sequence-set / "COUNT" SP number /
                         "MODSEQ" SP mod-sequence-value / ret-data-partial
    mailbox-data      =/ "SEARCH" [1*(SP nz-number) SP search-sort-mod-seq]

(RFC 9051 section 9, RFC 4731 section 4, RFC 5182 section 3, RFC 7162 section 7,
RFC 7377 section 4, RFC 9394 section 4.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from mailstore.imap.wire import writer
from mailstore.imap.wire.condstore import highestFound
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.partial import PartialResult, partialText, readPartialRange
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError, PartialRange, SearchReturn

_OPTIONS: Final = {option.value: option for option in SearchReturn}

_EXTENSIONS: Final = {SearchReturn.SAVE: Extension.SEARCHRES, SearchReturn.PARTIAL: Extension.PARTIAL}

#: Numbers in one piece of an answer.
_PIECE: Final = 4_096


@attrs.frozen
class SearchResult:
    """
    What an ESEARCH response tells; C{None} is not told.
    """

    #: Lowest and highest number found; C{None} also if none was found.
    lowest: int | None = None
    highest: int | None = None
    #: All numbers found, as ranges; also if none was found C{()}.
    found: Iterable[tuple[int, int]] = ()
    count: int | None = None
    #: Highest mod-sequence of what was found, for a search that had a MODSEQ.
    mod_sequence: int | None = None
    #: A range of what was found, for who asked for one.
    partial: PartialResult | None = None


def readSearchReturn(
    reader: Reader, partial: bool = True
) -> tuple[frozenset[SearchReturn], PartialRange | None]:
    """
    Read the options behind C{RETURN} and its space.

    @param partial: whether C{PARTIAL} may be among them; SORT has none (RFC 9394 section 3.1).
    @return: what is asked for; an empty list asks for C{ALL} (RFC 4731 section 3.1).  And the range of
        C{PARTIAL}.
    @raise ParseError: no list, or an unknown option in it, or more than one of C{PARTIAL} and C{ALL}.
    """
    ranges: list[PartialRange] = []

    def option() -> SearchReturn:
        found = _OPTIONS.get(reader.word())
        if found is None or not reader.has(_EXTENSIONS.get(found)):
            raise ParseError("Unknown option of SEARCH RETURN")
        if found is SearchReturn.PARTIAL:
            if not partial:
                raise ParseError("PARTIAL is for SEARCH only")
            reader.space()
            ranges.append(readPartialRange(reader))
        return found

    options = frozenset(reader.parenthesizedOrEmpty(option)) or frozenset({SearchReturn.ALL})
    if len(ranges) > 1 or (ranges and SearchReturn.ALL in options):
        raise ParseError("Of PARTIAL and ALL only one is possible, and once")
    return options, ranges[0] if ranges else None


def esearchPieces(
    tag: bytes, by_uid: bool, result: SearchResult, where: tuple[bytes, int] | None = None
) -> Iterator[bytes]:
    """
    An ESEARCH response, in pieces to be sent one after the other.

    @param tag: of the command that it answers.
    @param by_uid: whether the numbers are UIDs.
    @param where: the name of the folder, as it is sent, and its UIDVALIDITY (RFC 7377 section 2.1); C{None}
        for the folder that is open.
    """
    found_in = b"" if where is None else b" MAILBOX %b UIDVALIDITY %d" % where
    head = [b"* ESEARCH (TAG %b%b)" % (writer.quoted(tag), found_in)]
    if by_uid:
        head.append(b"UID")
    for name, number in ((b"MIN", result.lowest), (b"MAX", result.highest), (b"COUNT", result.count)):
        if number is not None:
            head.append(b"%b %d" % (name, number))
    yield b" ".join(head)
    label = b" ALL "
    for piece in writer.numberSetPieces(result.found):
        yield label + piece
        label = b""
    if result.partial is not None:
        label = b" PARTIAL (%b " % partialText(result.partial.wanted)
        for piece in writer.numberSetPieces(result.partial.found):
            yield label + piece
            label = b""
        yield label + b"NIL)" if label else b")"
    yield b"\r\n" if result.mod_sequence is None else b" MODSEQ %d\r\n" % result.mod_sequence


def searchPieces(numbers: Sequence[int], mod_sequence: int | None = None) -> Iterator[bytes]:
    """
    A SEARCH response, in pieces to be sent one after the other.

    @param mod_sequence: the highest of what was found, for a search that had a MODSEQ; it is
        left out if nothing was (RFC 7162 section 3.1.6).
    """
    return listPieces(b"* SEARCH", numbers, mod_sequence)


def listPieces(head: bytes, numbers: Sequence[int], mod_sequence: int | None) -> Iterator[bytes]:
    """
    C{head *(SP nz-number) [SP search-sort-mod-seq]}, a whole response in pieces.
    """
    yield head
    for at in range(0, len(numbers), _PIECE):
        yield b" " + writer.numbers(numbers[at : at + _PIECE])
    if mod_sequence is None or not numbers:
        yield b"\r\n"
    else:
        yield b" %b\r\n" % highestFound(mod_sequence)
