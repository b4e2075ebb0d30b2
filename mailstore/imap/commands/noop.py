"""
NOOP (RFC 9051 section 6.1.2).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import ANY


async def run(session: Session, arguments: None) -> Reply:
    """
    Ask the store for changes of the open folder, also if it has announced none.
    """
    session.hear()
    return Ok()


COMMANDS = (Command("NOOP", ANY, nothing, run, repeated=True),)
