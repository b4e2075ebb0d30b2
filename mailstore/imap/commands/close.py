"""
CLOSE (RFC 9051 section 6.4.1) and UNSELECT (RFC 3691).
"""

from __future__ import annotations

from mailstore.errors import NoSuchFolder, PermissionDenied
from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import SELECTED


async def runClose(session: Session, arguments: None) -> Reply:
    """
    Expunge without a word, unless the folder was opened to look only or the right to is
    missing (RFC 4314 section 4), and close.  When the store cannot
    be asked, the folder stays open: the client may try again.
    """
    view = session.view
    if view is not None and not view.read_only:
        try:
            await session.store.expunge(session.user, view.folder, None)
        except (PermissionDenied, NoSuchFolder):
            pass
    session.closed()
    return Ok()


async def runUnselect(session: Session, arguments: None) -> Reply:
    """
    Close and change nothing.
    """
    session.closed()
    return Ok()


COMMANDS = (
    Command("CLOSE", SELECTED, nothing, runClose),
    Command("UNSELECT", SELECTED, nothing, runUnselect),
)
