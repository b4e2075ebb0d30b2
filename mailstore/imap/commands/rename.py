"""
RENAME (RFC 9051 section 6.3.6).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.reader import Reader
from mailstore.model import SEPARATOR


def parse(reader: Reader) -> tuple[str, str]:
    """
    The old name and the new.
    """
    reader.space()
    old = reader.mailbox()
    reader.space()
    new = reader.mailbox()
    reader.end()
    return old, new


async def run(session: Session, arguments: tuple[str, str]) -> Reply:
    """
    Rename a folder with all below it.  Clients that have it open keep it: it is
    known by its identity and not by its name.
    """
    old, new = arguments
    await session.store.renameFolder(session.user, old, new.removesuffix(SEPARATOR))
    session.didFolders(old, new.removesuffix(SEPARATOR))
    # Renaming INBOX moves its messages away.
    session.touch()
    return Ok()


COMMANDS = (Command("RENAME", SIGNED_IN, parse, run),)
