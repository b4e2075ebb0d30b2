"""
LOGOUT (RFC 9051 section 6.1.3).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import ANY


async def run(session: Session, arguments: None) -> Reply:
    """
    Say good-bye; the session ends after the tagged reply.
    """
    await session.untagged(b"BYE Good-bye")
    session.ended()
    return Ok()


COMMANDS = (Command("LOGOUT", ANY, nothing, run),)
