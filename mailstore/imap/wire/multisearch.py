"""
ESEARCH::

    esearch         = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
    esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"
    source-mbox     = filter-mailboxes *(SP filter-mailboxes)

(RFC 7377 section 4.)  There are no scope options yet.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from mailstore.imap.wire.mailboxfilters import OF_ESEARCH, Filter, FolderFilter, readFilter
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.values import ParseError, SearchProgram, SearchReturn

_IN: Final = re.compile(rb"IN (?=\()", re.IGNORECASE)

#: What is searched where nothing is said (RFC 7377 section 2.2).
_SELECTED: Final = (FolderFilter(Filter.SELECTED),)


@attrs.frozen
class MultiSearch:
    """
    The arguments of ESEARCH.
    """

    program: SearchProgram
    sources: tuple[FolderFilter, ...] = _SELECTED


def readMultiSearch(reader: Reader) -> MultiSearch:
    """
    Read everything behind C{ESEARCH} and its space, to the end of the command.

    @raise UnknownCharset: as L{readSearch}.
    @raise ParseError: as L{readSearch}; a source is not known; what is found cannot be saved, because it
        may be in other folders than the open one.
    """
    sources: tuple[FolderFilter, ...] = _SELECTED
    if reader.optional(_IN):
        reader.expect(b"(")
        read: list[FolderFilter] = [readFilter(reader, OF_ESEARCH)]
        while reader.accept(b" "):
            if len(read) >= reader.limits.max_items:
                raise ParseError(f"A list has more than {reader.limits.max_items} items")
            if reader.peek() == b"(":
                raise ParseError("Unknown scope of ESEARCH")
            read.append(readFilter(reader, OF_ESEARCH))
        reader.expect(b")")
        reader.space()
        sources = tuple(read)
    program = readSearch(reader)
    if program.returns is None:
        program = attrs.evolve(program, returns=frozenset({SearchReturn.ALL}))
    if SearchReturn.SAVE in (program.returns or ()) and any(
        each.kind is not Filter.SELECTED for each in sources
    ):
        raise ParseError("Only what is in the selected mailbox can be saved")
    return MultiSearch(program, sources)
