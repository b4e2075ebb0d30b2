"""
STARTTLS (RFC 9051 section 6.2.1).
"""

from __future__ import annotations

from mailstore.imap.command import Bad, Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import BEFORE_LOGIN


async def run(session: Session, arguments: None) -> Reply:
    """
    Begin TLS after the tagged reply.  What the client sent before that, in the clear,
    is forgotten unread: somebody else may have put it there (RFC 9051 section 11.1).
    """
    if not session.link.can_start_tls:
        return Bad("TLS is on already, or not to be had here")

    def start() -> None:
        session.framer.discardBuffered()
        session.client = ""
        session.link.startTLS()

    session.after_reply = start
    return Ok("Begin TLS now")


COMMANDS = (Command("STARTTLS", BEFORE_LOGIN, nothing, run),)
