"""
STATUS (RFC 9051 section 6.3.11), with what STATUS=SIZE (RFC 8438), CONDSTORE (RFC 7162),
OBJECTID (RFC 8474), APPENDLIMIT (RFC 7889) and QUOTA (RFC 9208) add.
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.statusvalues import noteItems, values
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.statusitems import readStatusItems, statusLine
from mailstore.imap.wire.values import StatusItem


def parse(reader: Reader) -> tuple[str, tuple[StatusItem, ...]]:
    """
    The folder and what is asked of it.
    """
    reader.space()
    name = reader.mailbox()
    reader.space()
    items = readStatusItems(reader)
    reader.end()
    return name, items


async def run(session: Session, arguments: tuple[str, tuple[StatusItem, ...]]) -> Reply:
    """
    Answer from the store's counts, also for the folder that is open: those are
    what is, not what the client has been told.
    """
    name, items = arguments
    await noteItems(session, items)
    status = await session.store.status(session.user, name)
    await session.writeWithNext(statusLine(name, await values(session, status, items), session.utf8))
    return Ok()


COMMANDS = (Command("STATUS", SIGNED_IN, parse, run, repeated=True),)
