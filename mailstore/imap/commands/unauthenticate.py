"""
UNAUTHENTICATE (RFC 8437).
"""

from __future__ import annotations

from mailstore.imap.capabilities import capabilities
from mailstore.imap.command import Bad, Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN


async def run(session: Session, arguments: None) -> Reply:
    """
    Forget who the client is, and close its folder without expunging (RFC 8437 section 3).
    """
    if not session.front.unauthenticate:
        return Bad("That is not possible here")
    session.signedOut()
    return Ok("You are nobody now", f"CAPABILITY {capabilities(session)}")


COMMANDS = (Command("UNAUTHENTICATE", SIGNED_IN, nothing, run),)
