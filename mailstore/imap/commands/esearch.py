"""
ESEARCH (RFC 7377): a search in many folders at once.
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Refused, Reply
from mailstore.imap.finding import checkCharset
from mailstore.imap.multisearch import MultiSearcher
from mailstore.imap.searching import BAD_CHARSET
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.multisearch import MultiSearch, readMultiSearch
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import UnknownCharset


def parse(reader: Reader) -> MultiSearch:
    """
    Where to look, what for, and what to tell.

    @raise ParseError:
    @raise Refused: with NO and C{BADCHARSET}, for an unknown character set.
    """
    reader.space()
    try:
        return readMultiSearch(reader)
    except UnknownCharset:
        raise Refused(BAD_CHARSET) from None


async def run(session: Session, arguments: MultiSearch) -> Reply:
    """
    Search, and answer for each folder in which something was found.
    """
    checkCharset(session, arguments.program)
    await session.catchUp()
    await MultiSearcher(session, arguments.program).search(arguments.sources)
    return Ok()


COMMANDS = (Command("ESEARCH", SIGNED_IN, parse, run),)
