"""
SORT::

    sort            = ["UID" SP] "SORT" [search-return-opts]
                      SP sort-criteria SP search-criteria
    sort-criteria   = "(" sort-criterion *(SP sort-criterion) ")"
    sort-criterion  = ["REVERSE" SP] sort-key
    sort-key        = "ARRIVAL" / "CC" / "DATE" / "FROM" / "SIZE" /
                      "SUBJECT" / "TO"
    sort-data       = "SORT" [1*(SP nz-number) [SP search-sort-mod-seq]]

(RFC 5256 section 5, RFC 5267 section 3, RFC 7162 section 7.)
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from mailstore.imap.wire.esearch import listPieces, readSearchReturn
from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearchCriteria
from mailstore.imap.wire.values import ParseError, SearchProgram


class SortKey(enum.Enum):
    """
    What to sort by (RFC 5256 section 3).
    """

    #: Internal date and time.
    ARRIVAL = "ARRIVAL"
    #: The first address's mailbox in the field.
    CC = "CC"
    FROM = "FROM"
    TO = "TO"
    #: Date and time sent, adjusted to UTC.
    DATE = "DATE"
    SIZE = "SIZE"
    #: Base subject.
    SUBJECT = "SUBJECT"


@attrs.frozen
class SortCriterion:
    """
    One step of a sort order.
    """

    key: SortKey
    reverse: bool = False


@attrs.frozen
class SortArguments:
    """
    The arguments of SORT.
    """

    #: The most important first; each key once, since a later one has nothing left to decide.
    #: What they leave equal is in the order of sequence numbers.
    criteria: tuple[SortCriterion, ...]
    program: SearchProgram


_KEYS: Final = {key.value: key for key in SortKey}


def readSort(reader: Reader) -> SortArguments:
    """
    Read everything behind C{SORT} and its space, to the end of the command.

    @raise UnknownCharset: as L{readSearch<mailstore.imap.wire.searchkeys.readSearch>}.
    @raise ParseError: an unknown key to sort by, or as there.
    """
    returns = None
    if reader.has(Extension.ESORT) and reader.peek() != b"(":
        if reader.word() != "RETURN":
            raise ParseError("Expected the keys to sort by")
        reader.space()
        returns, _ = readSearchReturn(reader, partial=False)
        reader.space()
    criteria: dict[SortKey, SortCriterion] = {}
    for criterion in reader.parenthesized(lambda: _readCriterion(reader)):
        criteria.setdefault(criterion.key, criterion)
    reader.space()
    return SortArguments(tuple(criteria.values()), readSearchCriteria(reader, returns))


def _readCriterion(reader: Reader) -> SortCriterion:
    """
    C{sort-criterion}.
    """
    name = reader.word()
    reverse = name == "REVERSE"
    if reverse:
        reader.space()
        name = reader.word()
    key = _KEYS.get(name)
    if key is None:
        raise ParseError("Unknown key to sort by")
    return SortCriterion(key, reverse)


def sortPieces(numbers: Sequence[int], mod_sequence: int | None = None) -> Iterator[bytes]:
    """
    A SORT response, in pieces to be sent one after the other.

    @param mod_sequence: as for L{searchPieces<mailstore.imap.wire.esearch.searchPieces>}.
    """
    return listPieces(b"* SORT", numbers, mod_sequence)
