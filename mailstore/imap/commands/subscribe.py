"""
SUBSCRIBE and UNSUBSCRIBE (RFC 9051 sections 6.3.7 and 6.3.8).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.reader import Reader


def parse(reader: Reader) -> str:
    """
    One folder.
    """
    reader.space()
    name = reader.mailbox()
    reader.end()
    return name


async def runSubscribe(session: Session, arguments: str) -> Reply:
    """
    Add a name to the user's own list.  It need not exist.
    """
    await session.store.subscribe(session.user, arguments)
    session.didFolders(arguments)
    return Ok()


async def runUnsubscribe(session: Session, arguments: str) -> Reply:
    """
    Take a name from it.
    """
    await session.store.unsubscribe(session.user, arguments)
    session.didFolders(arguments)
    return Ok()


COMMANDS = (
    Command("SUBSCRIBE", SIGNED_IN, parse, runSubscribe),
    Command("UNSUBSCRIBE", SIGNED_IN, parse, runUnsubscribe),
)
