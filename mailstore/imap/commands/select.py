"""
SELECT and EXAMINE (RFC 9051 sections 6.3.2 and 6.3.3; RECENT and UNSEEN by RFC
3501 section 6.3.1; parameters by RFC 7162 section 3.2.5).
"""

from __future__ import annotations

from mailstore.errors import StoreError
from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.following import flagLines
from mailstore.imap.missed import resynchronize
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.listextended import listLine
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.responsecodes import CLOSED, mailboxId
from mailstore.imap.wire.selectargs import SelectArguments, readSelect
from mailstore.model import PUBLIC_ROOT, SEPARATOR, OpenFolder

_PUBLIC = PUBLIC_ROOT + SEPARATOR

#: The rights with one of which a folder is READ-WRITE, in a public folder and in others.
_CHANGING = frozenset("iewt")
_CHANGING_OWN = frozenset("iewts")


_CLOSED = b"* OK [%b] The previous folder is closed\r\n" % CLOSED.encode("ascii")

#: RFC 9051 section 7.1, RFC 7162 section 3.1.2.1.
_NUMBERS = (
    b"* OK [UIDVALIDITY %d] UIDs are valid\r\n"
    b"* OK [UIDNEXT %d] Predicted next UID\r\n"
    b"* OK [HIGHESTMODSEQ %d] Highest\r\n"
)


def parse(reader: Reader) -> SelectArguments:
    """
    The folder, and how to open it.

    @raise ParseError:
    """
    reader.space()
    arguments = readSelect(reader)
    reader.end()
    return arguments


def _mayChange(opened: OpenFolder) -> bool:
    """
    Whether the folder is READ-WRITE to its user: with a right to put in, to expunge, or to
    change flags that others see (RFC 4314 section 5.2).  In a public
    folder C{\\Seen} is each user's own, so C{s} alone does not count there.
    """
    return not (_CHANGING if opened.name.startswith(_PUBLIC) else _CHANGING_OWN).isdisjoint(opened.rights)


async def _open(session: Session, arguments: SelectArguments, examine: bool) -> Reply:
    if session.view is not None:
        # RFC 7162 section 3.2.11, RFC 9051 section 7.1.
        await session.writeWithNext(_CLOSED)
    # RFC 9051 section 6.3.2: also when this fails, nothing is open afterwards.
    session.closed()
    changes = session.front.changes
    claims_recent = not examine and not session.rev2
    opened = await session.store.openFolder(session.user, arguments.mailbox, claims_recent)
    view = session.opened(opened, examine)
    if session.front.changes != changes:
        # Something changed while nobody watched this folder; it may have been this folder.
        session.hear()
    status = opened.status
    lines = [*flagLines(view), b"* %d EXISTS\r\n" % len(view)]
    if not session.rev2:
        lines.append(b"* %d RECENT\r\n" % view.recent)
    lines.append(_NUMBERS % (status.uid_validity, status.uid_next, status.highest_modseq))
    unseen = view.sequenceOf(opened.first_unseen) if opened.first_unseen else None
    if status.mailbox_id:
        # RFC 8474 section 4.2.
        lines.append(f"* OK [{mailboxId(status.mailbox_id)}] Stays when renamed\r\n".encode("ascii"))
    if session.rev2:
        # RFC 9051 section 6.3.2; UNSEEN is no more.
        lines.append(listLine(opened.name, b"", SEPARATOR, utf8=session.utf8))
    elif unseen is not None:
        lines.append(b"* OK [UNSEEN %d] First unseen message\r\n" % unseen)
    await session.writeWithNext(b"".join(lines))
    if arguments.condstore or arguments.qresync is not None:
        session.condstore = True
    if arguments.qresync is not None:
        try:
            await resynchronize(session, view, arguments.qresync, status.uid_next)
        except StoreError:
            session.closed()
            raise
    return Ok(code="READ-ONLY" if examine or not _mayChange(opened) else "READ-WRITE")


async def runSelect(session: Session, arguments: SelectArguments) -> Reply:
    """
    Open a folder.
    """
    return await _open(session, arguments, False)


async def runExamine(session: Session, arguments: SelectArguments) -> Reply:
    """
    Open a folder to look only: nothing changes, not even what is recent.
    """
    return await _open(session, arguments, True)


COMMANDS = (
    Command("SELECT", SIGNED_IN, parse, runSelect, repeated=True),
    Command("EXAMINE", SIGNED_IN, parse, runExamine, repeated=True),
)
