"""
EXPUNGE (RFC 9051 section 6.4.3) and UID EXPUNGE (RFC 4315 section 2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.commands.store import READ_ONLY
from mailstore.imap.messagesets import widened
from mailstore.imap.states import SELECTED
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import SequenceSet

if TYPE_CHECKING:
    from mailstore.imap.session import Session


def parseUid(reader: Reader) -> SequenceSet:
    """
    Read what follows C{UID EXPUNGE}.

    @raise ParseError:
    """
    reader.space()
    numbers = reader.sequenceSet()
    reader.end()
    return numbers


async def run(session: Session, numbers: SequenceSet | None) -> Reply:
    """
    Remove the messages with C{\\Deleted}, of these UIDs if some are given.
    The C{EXPUNGE} responses stand before the tagged reply.
    """
    view = session.view
    assert view is not None
    if view.read_only:
        return READ_ONLY
    uids = None
    if numbers is not None:
        uids = widened(view.messages, view.uidsOf(numbers, by_uid=True))
        if not uids:
            return Ok()
    if not await session.store.expunge(session.user, view.folder, uids):
        return Ok()
    session.touch()
    return Ok(code=await session.highestAfter())


COMMANDS = (
    Command("EXPUNGE", SELECTED, nothing, run),
    Command("UID EXPUNGE", SELECTED, parseUid, run),
)
