"""
GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208 section 4.1).
"""

from __future__ import annotations

from mailstore.errors import NoSuchFolder
from mailstore.imap.command import Command, No, Ok, Reply
from mailstore.imap.commands.subscribe import parse as parseRootOf
from mailstore.imap.rights import parentOf
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.quota import (
    QuotaResource,
    SetQuota,
    quotaLine,
    quotaRootLine,
    readQuotaRoot,
    readSetQuota,
)
from mailstore.imap.wire.reader import Reader
from mailstore.model import MESSAGE, STORAGE, Quota

_RESOURCES = (STORAGE, MESSAGE)


def parseGet(reader: Reader) -> str:
    """
    A quota root.
    """
    reader.space()
    root = readQuotaRoot(reader)
    reader.end()
    return root


def parseSet(reader: Reader) -> SetQuota:
    """
    A quota root and its limits.
    """
    reader.space()
    arguments = readSetQuota(reader)
    reader.end()
    return arguments


async def _tell(session: Session, quota: Quota) -> None:
    """
    The QUOTA response: what has a limit.  Without any the list is empty, as RFC 2087 section 5.1 has it.
    """
    limited = [QuotaResource(name, used, limit) for name, used, limit in quota.resources if limit is not None]
    await session.write(quotaLine(quota.root, limited, session.utf8))


async def _rootsOf(session: Session, name: str) -> tuple[str, ...]:
    """
    The quota roots of a folder, or of where a new one would be (RFC 9208 section
    4.1.2: it "doesn't have to reference an existing mailbox").
    """
    at = name
    while True:
        try:
            return await session.store.quotaRoots(session.user, at)
        except NoSuchFolder:
            at = parentOf(at)
            if not at:
                raise


async def runGetRoot(session: Session, arguments: str) -> Reply:
    """
    Tell the quota roots of a folder, and their quotas.
    """
    roots = await _rootsOf(session, arguments)
    quotas = [await session.store.quota(session.user, root) for root in roots]
    await session.write(quotaRootLine(arguments, roots, session.utf8))
    for quota in quotas:
        await _tell(session, quota)
    return Ok()


async def runGet(session: Session, arguments: str) -> Reply:
    """
    Tell a quota.
    """
    await _tell(session, await session.store.quota(session.user, arguments))
    return Ok()


async def runSet(session: Session, arguments: SetQuota) -> Reply:
    """
    Limit what a quota root may hold; what is not named is without limit afterwards.
    """
    for name, _ in arguments.limits:
        if name not in _RESOURCES:
            return No(f"Only {' and '.join(_RESOURCES)} can be limited", "CANNOT")
    await _tell(session, await session.store.setQuota(session.user, arguments.root, arguments.limits))
    return Ok()


COMMANDS = (
    Command("GETQUOTA", SIGNED_IN, parseGet, runGet),
    Command("GETQUOTAROOT", SIGNED_IN, parseRootOf, runGetRoot),
    Command("SETQUOTA", SIGNED_IN, parseSet, runSet),
)
