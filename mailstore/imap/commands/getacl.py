"""
GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 sections 3.3 to 3.5).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.setacl import parseDelete as parseEntry
from mailstore.imap.commands.subscribe import parse
from mailstore.imap.rights import toClient
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
    Tell the rights that somebody has always, and those that he may be given, each by itself.
    """
    name, identifier = arguments.mailbox, arguments.identifier
    always, others = await session.store.grantable(session.user, name, identifier)
    await session.write(listRightsLine(name, identifier, toClient(always), toClient(others), session.utf8))
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
