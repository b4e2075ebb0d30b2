"""
CREATE (RFC 9051 section 6.3.4).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.subscribe import parse
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.model import SEPARATOR


async def run(session: Session, arguments: str) -> Reply:
    """
    Create a folder, and the parents it lacks.
    """
    # RFC 9051 section 6.3.4: a separator at the end says that folders below it will
    # follow, which needs no preparation here.
    name = arguments.removesuffix(SEPARATOR)
    await session.store.createFolder(session.user, name)
    return Ok()


COMMANDS = (Command("CREATE", SIGNED_IN, parse, run),)
