"""
SETACL and DELETEACL (RFC 4314 sections 3.1 and 3.2).
"""

from __future__ import annotations

from mailstore import model
from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.rights import fromClient
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.acl import AclEntry, RightsMode, SetAcl, readAclEntry, readSetAcl
from mailstore.imap.wire.reader import Reader

_MODES = {
    RightsMode.REPLACE: model.RightsMode.REPLACE,
    RightsMode.ADD: model.RightsMode.ADD,
    RightsMode.REMOVE: model.RightsMode.REMOVE,
}


def parseSet(reader: Reader) -> SetAcl:
    """
    The folder, whose rights, and which.
    """
    reader.space()
    arguments = readSetAcl(reader)
    reader.end()
    return arguments


def parseDelete(reader: Reader) -> AclEntry:
    """
    The folder, and whose rights.
    """
    reader.space()
    arguments = readAclEntry(reader)
    reader.end()
    return arguments


async def runSet(session: Session, arguments: SetAcl) -> Reply:
    """
    Change the rights of somebody.
    """
    letters = fromClient(arguments.rights)
    await session.store.setRights(
        session.user, arguments.mailbox, arguments.identifier, letters, _MODES[arguments.mode]
    )
    return Ok()


async def runDelete(session: Session, arguments: AclEntry) -> Reply:
    """
    Take all rights from somebody.  That there were none is no error.
    """
    await session.store.setRights(session.user, arguments.mailbox, arguments.identifier, "")
    return Ok()


COMMANDS = (
    Command("SETACL", SIGNED_IN, parseSet, runSet),
    Command("DELETEACL", SIGNED_IN, parseDelete, runDelete),
)
