"""
DELETE (RFC 9051 section 6.3.5).
"""

from __future__ import annotations

from mailstore.errors import StoreError
from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.subscribe import parse
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN


async def run(session: Session, arguments: str) -> Reply:
    """
    Delete a folder.  If it is the one that this client has open, the client knows, and the
    folder is simply closed; other clients that have it open are cut off
    (RFC 2180 section 3.3).
    """
    is_open = session.view is not None and await _isOpen(session, arguments)
    await session.store.deleteFolder(session.user, arguments)
    session.didFolders(arguments)
    if is_open:
        session.closed()
        return Ok("DELETE completed, and the folder is closed")
    return Ok()


async def _isOpen(session: Session, name: str) -> bool:
    try:
        status = await session.store.status(session.user, name)
    except StoreError:
        # Whatever it is, deleting it will say so.
        return False
    return session.view is not None and session.view.folder == status.folder


COMMANDS = (Command("DELETE", SIGNED_IN, parse, run),)
