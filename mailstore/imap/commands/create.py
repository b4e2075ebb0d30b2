"""
CREATE (RFC 9051 section 6.3.4), with a special use (RFC 6154 section 3), and with the
C{MAILBOXID} of RFC 8474.
"""

from __future__ import annotations

from mailstore.errors import StoreError
from mailstore.imap.command import Command, No, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.createargs import SPECIAL_USES, CreateArguments, readCreate
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.responsecodes import USE_ATTR, mailboxId
from mailstore.model import SEPARATOR

#: Uses that a folder cannot be made for: of those that show the messages of others there are none here.
_VIRTUAL = frozenset(("\\All", "\\Flagged"))


def parse(reader: Reader) -> CreateArguments:
    """
    The name, and what it is for.
    """
    reader.space()
    arguments = readCreate(reader)
    reader.end()
    return arguments


async def run(session: Session, arguments: CreateArguments) -> Reply:
    """
    Create a folder, and the parents it lacks.
    """
    uses = arguments.uses
    if len(uses) > 1:
        return No("A folder has one special use here", USE_ATTR)
    if any(use not in SPECIAL_USES or use in _VIRTUAL for use in uses):
        return No("No folder can be made for that use", USE_ATTR)
    # RFC 9051 section 6.3.4: a separator at the end says that folders below it will
    # follow, which needs no preparation here.
    name = arguments.mailbox.removesuffix(SEPARATOR)
    await session.store.createFolder(session.user, name, *uses)
    session.didFolders(name)
    return Ok(code=await _identity(session, name))


async def _identity(session: Session, name: str) -> str:
    """
    The response code that tells a new folder's identifier (RFC 8474 section 4.1).
    """
    try:
        status = await session.store.status(session.user, name)
    except StoreError:
        # It has been created, which is what counts; who may not read it is not told.
        return ""
    return mailboxId(status.mailbox_id) if status.mailbox_id else ""


COMMANDS = (Command("CREATE", SIGNED_IN, parse, run),)
