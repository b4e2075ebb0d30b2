"""
MOVE and UID MOVE (RFC 9051 section 6.4.8): an untagged C{OK [COPYUID ...]} before
the C{EXPUNGE} responses, which stand before the tagged reply.

Messages that vanished are treated as by L{mailstore.imap.commands.copy}.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.copy import CopyArguments, parse
from mailstore.imap.commands.fetch import EXPUNGED
from mailstore.imap.commands.store import READ_ONLY
from mailstore.imap.messagesets import widened
from mailstore.imap.states import SELECTED
from mailstore.imap.uidplus import copyUid

if TYPE_CHECKING:
    from mailstore.imap.session import Session


async def run(session: Session, arguments: CopyArguments) -> Reply:
    """
    Move all of the messages or none.
    """
    view = session.view
    assert view is not None
    if view.read_only:
        return READ_ONLY
    uids = widened(view.messages, view.uidsOf(arguments.numbers, arguments.by_uid))
    if not uids:
        return Ok("There was nothing to move")
    result = await session.store.move(session.user, view.folder, uids, arguments.target)
    if not result.sources and not arguments.by_uid:
        session.touch()
        return EXPUNGED
    session.touch()
    code = await copyUid(session, arguments.target, result)
    if code:
        await session.untagged(f"OK [{code}] Moved".encode("ascii"))
    return Ok(code=await session.highestAfter() if result.sources else "")


COMMANDS = (
    Command("MOVE", SELECTED, partial(parse, by_uid=False), run, try_create=True),
    Command("UID MOVE", SELECTED, partial(parse, by_uid=True), run, try_create=True),
)
