"""
SEARCH and UID SEARCH (RFC 3501 sections 6.4.4 and 6.4.8), with RETURN (RFC 4731) and C{$} (RFC 5182).

An answer is sent when it is complete; see L{mailstore.imap.finding}.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.answering import answer
from mailstore.imap.command import Command, Ok, Refused, Reply
from mailstore.imap.finding import checkCharset, termOf
from mailstore.imap.searching import BAD_CHARSET
from mailstore.imap.states import SELECTED
from mailstore.imap.wire.esearch import searchPieces
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.values import SearchProgram, SearchReturn, UnknownCharset
from mailstore.model import UidSet

if TYPE_CHECKING:
    from mailstore.imap.session import Session


@attrs.frozen
class SearchArguments:
    """
    What to look for, and whether to answer with UIDs.
    """

    #: C{None} for something in an unknown character set that was to be saved.
    program: SearchProgram | None
    by_uid: bool


def parse(reader: Reader, by_uid: bool) -> SearchArguments:
    """
    Read what follows the command's name.

    @raise ParseError:
    @raise Refused: with NO and C{BADCHARSET}, for an unknown character set.
    """
    reader.space()
    try:
        return SearchArguments(readSearch(reader), by_uid)
    except UnknownCharset as error:
        if error.saves:
            return SearchArguments(None, by_uid)
        raise Refused(BAD_CHARSET) from None


async def run(session: Session, arguments: SearchArguments) -> Reply:
    """
    Search, and answer as the client wants it.
    """
    view = session.view
    assert view is not None
    program = arguments.program
    if program is None:
        view.save(UidSet())
        return BAD_CHARSET
    checkCharset(session, program)
    if program.returns is None and "IMAP4REV2" in session.enabled:
        # RFC 9051 section 6.4.4: there is no other response to SEARCH any more.
        program = attrs.evolve(program, returns=frozenset({SearchReturn.ALL}))
    term = await termOf(session, view, program)
    batches = session.store.search(session.user, view.folder, term)
    await answer(session, view, program, batches, arguments.by_uid, searchPieces)
    return Ok()


COMMANDS = (
    Command("SEARCH", SELECTED, partial(parse, by_uid=False), run, uses_seqs=True, repeated=True),
    Command("UID SEARCH", SELECTED, partial(parse, by_uid=True), run, repeated=True),
)
