"""
SELECT and EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3; RECENT and UNSEEN by RFC
3501 section 6.3.1).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.subscribe import parse
from mailstore.imap.following import flagLines
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.model import PUBLIC_ROOT, SEPARATOR, OpenFolder


def _mayChange(opened: OpenFolder) -> bool:
    """
    Whether the folder is READ-WRITE to its user: with a right to put in, to expunge, or to
    change flags that others see (RFC 4314 section 5.2).  In a public
    folder C{\\Seen} is each user's own, so C{s} alone does not count there.
    """
    rights = set("iewt")
    if not opened.name.startswith(PUBLIC_ROOT + SEPARATOR):
        rights.add("s")
    return not rights.isdisjoint(opened.rights)


async def _open(session: Session, name: str, examine: bool) -> Reply:
    # RFC 9051 section 6.3.2: also when this fails, nothing is open afterwards.
    session.closed()
    changes = session.front.changes
    opened = await session.store.openFolder(session.user, name, not examine)
    view = session.opened(opened, examine)
    if session.front.changes != changes:
        # Something changed while nobody watched this folder; it may have been this folder.
        session.touch()
    lines = [
        *flagLines(view),
        b"* %d EXISTS\r\n" % len(view),
        b"* %d RECENT\r\n" % view.recent,
        b"* OK [UIDVALIDITY %d] UIDs are valid\r\n" % opened.status.uid_validity,
        b"* OK [UIDNEXT %d] Predicted next UID\r\n" % opened.status.uid_next,
    ]
    unseen = view.sequenceOf(opened.first_unseen) if opened.first_unseen else None
    if unseen is not None:
        lines.append(b"* OK [UNSEEN %d] First unseen message\r\n" % unseen)
    await session.writeLines(lines)
    return Ok(code="READ-ONLY" if examine or not _mayChange(opened) else "READ-WRITE")


async def runSelect(session: Session, arguments: str) -> Reply:
    """
    Open a folder.
    """
    return await _open(session, arguments, False)


async def runExamine(session: Session, arguments: str) -> Reply:
    """
    Open a folder to look only: nothing changes, not even what is recent.
    """
    return await _open(session, arguments, True)


COMMANDS = (
    Command("SELECT", SIGNED_IN, parse, runSelect),
    Command("EXAMINE", SIGNED_IN, parse, runExamine),
)
