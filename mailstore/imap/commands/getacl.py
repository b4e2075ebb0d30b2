"""
GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 sections 3.3 to 3.5).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.setacl import parseDelete as parseEntry
from mailstore.imap.commands.subscribe import parse
from mailstore.imap.rights import TOLD_RIGHTS, ownerOf, toClient
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.acl import AclEntry, aclLine, listRightsLine, myRightsLine


async def runGet(session: Session, arguments: str) -> Reply:
    """
    Tell the rights that are given.
    """
    entries = await session.store.acl(session.user, arguments)
    told = [(identifier, toClient(rights)) for identifier, rights in entries]
    await session.write(aclLine(arguments, told, session.utf8))
    return Ok()


async def runList(session: Session, arguments: AclEntry) -> Reply:
    """
    Tell the rights that somebody may be given: each by itself, and to the folder's owner none, who has all.
    """
    name, identifier = arguments.mailbox, arguments.identifier
    # Asked for its errors: who may see the rights may see this (RFC 4314 section 4).
    await session.store.acl(session.user, name)
    owns = identifier == ownerOf(session.user, name)
    always, others = (TOLD_RIGHTS, "") if owns else ("", TOLD_RIGHTS)
    await session.write(listRightsLine(name, identifier, always, others, session.utf8))
    return Ok()


async def runMine(session: Session, arguments: str) -> Reply:
    """
    Tell what the user may do.
    """
    rights = await session.store.rights(session.user, arguments)
    await session.write(myRightsLine(arguments, toClient(rights), session.utf8))
    return Ok()


COMMANDS = (
    Command("GETACL", SIGNED_IN, parse, runGet),
    Command("LISTRIGHTS", SIGNED_IN, parseEntry, runList),
    Command("MYRIGHTS", SIGNED_IN, parse, runMine),
)
