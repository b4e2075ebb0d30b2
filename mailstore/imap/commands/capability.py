"""
CAPABILITY (RFC 9051 section 6.1.1).
"""

from __future__ import annotations

from mailstore.imap.capabilities import capabilities
from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import ANY


async def run(session: Session, arguments: None) -> Reply:
    """
    Say what the server can do.
    """
    await session.untagged(b"CAPABILITY " + capabilities(session).encode("ascii"))
    return Ok()


COMMANDS = (Command("CAPABILITY", ANY, nothing, run),)
