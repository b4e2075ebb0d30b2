"""
SEARCH and UID SEARCH (RFC 3501 sections 6.4.4 and 6.4.8).

What was found is held as packed numbers, never more than the view holds itself, and is
sent when it is complete: a search that fails leaves no half an answer.  Messages
that the client does not know of yet, or that vanished, are not in it (RFC
2180 section 4.3).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.command import Command, No, Ok, Refused, Reply
from mailstore.imap.searching import searchTerm
from mailstore.imap.session import SessionOver
from mailstore.imap.states import SELECTED
from mailstore.imap.wire import writer
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearch
from mailstore.imap.wire.values import SearchProgram, UnknownCharset
from mailstore.model import uint32s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Numbers in one piece of an answer.
_PIECE = 4_096

#: The character sets that a client is told of when it names one that is not known; there are more.
_CHARSETS = (
    "US-ASCII UTF-8 ISO-8859-1 ISO-8859-15 WINDOWS-1252 KOI8-R ISO-2022-JP SHIFT_JIS EUC-KR GB18030 BIG5"
)

_BAD_CHARSET = No("That character set is not known", f"BADCHARSET ({_CHARSETS})")


@attrs.frozen
class SearchArguments:
    """
    What to look for, and whether to answer with UIDs.
    """

    program: SearchProgram
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
    except UnknownCharset:
        raise Refused(_BAD_CHARSET) from None


async def run(session: Session, arguments: SearchArguments) -> Reply:
    """
    Search, and send the numbers in one line, in pieces.
    """
    view = session.view
    assert view is not None
    found = await _find(session, view, arguments)
    await session.write(b"* SEARCH")
    for piece in _pieces(found):
        await session.write(piece)
    await session.write(b"\r\n")
    return Ok()


async def _find(session: Session, view: View, arguments: SearchArguments) -> array[int]:
    """
    The numbers of the messages found.

    @raise SessionOver: the client has gone; the store looks no further.
    """
    found = uint32s()
    batches = session.store.search(session.user, view.folder, searchTerm(view, arguments.program.key))
    try:
        async for batch in batches:
            if session.link.lost:
                raise SessionOver()
            uids = uint32s(batch)
            sequences = view.sequencesOf(uids)
            if arguments.by_uid:
                known = zip(uids, sequences, strict=True)
                found.extend(uids if 0 not in sequences else (uid for uid, sequence in known if sequence))
            else:
                found.extend(filter(None, sequences))
    finally:
        await batches.aclose()
    return found


def _pieces(numbers: array[int]) -> Iterator[bytes]:
    for at in range(0, len(numbers), _PIECE):
        yield b" " + writer.numbers(numbers[at : at + _PIECE])


COMMANDS = (
    Command("SEARCH", SELECTED, partial(parse, by_uid=False), run, uses_seqs=True),
    Command("UID SEARCH", SELECTED, partial(parse, by_uid=True), run),
)
