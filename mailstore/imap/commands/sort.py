"""
SORT and UID SORT (RFC 5256 section 3), with RETURN (RFC 5267 section 3).

An answer is sent when it is complete; see L{mailstore.imap.finding}.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.answering import answer
from mailstore.imap.command import Command, Ok, Refused, Reply
from mailstore.imap.finding import termOf
from mailstore.imap.searching import BAD_CHARSET
from mailstore.imap.states import SELECTED
from mailstore.imap.wire import sortargs
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.sortargs import readSort, sortPieces
from mailstore.imap.wire.values import UnknownCharset
from mailstore.model import SortField, SortKey, UidSet

if TYPE_CHECKING:
    from mailstore.imap.session import Session

_FIELDS = {
    sortargs.SortKey.ARRIVAL: SortField.ARRIVAL,
    sortargs.SortKey.CC: SortField.CC,
    sortargs.SortKey.DATE: SortField.DATE,
    sortargs.SortKey.FROM: SortField.FROM,
    sortargs.SortKey.SIZE: SortField.SIZE,
    sortargs.SortKey.SUBJECT: SortField.SUBJECT,
    sortargs.SortKey.TO: SortField.TO,
}


@attrs.frozen
class SortArguments:
    """
    What to look for, in which order to answer, and whether with UIDs.
    """

    #: C{None} for something in an unknown character set that was to be saved (RFC 5182).
    arguments: sortargs.SortArguments | None
    by_uid: bool


def parse(reader: Reader, by_uid: bool) -> SortArguments:
    """
    Read what follows the command's name.

    @raise ParseError:
    @raise Refused: with NO and C{BADCHARSET}, for an unknown character set.
    """
    reader.space()
    try:
        return SortArguments(readSort(reader), by_uid)
    except UnknownCharset as error:
        if error.saves:
            return SortArguments(None, by_uid)
        raise Refused(BAD_CHARSET) from None


async def run(session: Session, arguments: SortArguments) -> Reply:
    """
    Search, and answer as the client wants it.
    """
    view = session.view
    assert view is not None
    wanted = arguments.arguments
    if wanted is None:
        view.save(UidSet())
        return BAD_CHARSET
    term = await termOf(session, view, wanted.program)
    keys = tuple(SortKey(_FIELDS[each.key], each.reverse) for each in wanted.criteria)
    batches = session.store.sort(session.user, view.folder, term, keys)
    await answer(session, view, wanted.program, batches, arguments.by_uid, sortPieces)
    return Ok()


COMMANDS = (
    Command("SORT", SELECTED, partial(parse, by_uid=False), run, uses_seqs=True),
    Command("UID SORT", SELECTED, partial(parse, by_uid=True), run),
)
