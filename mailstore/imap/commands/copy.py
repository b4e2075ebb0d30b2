"""
COPY and UID COPY (RFC 9051 sections 6.4.7 and 6.4.9), with the C{COPYUID} of RFC 4315.

B{Messages that vanished} are not copied; C{COPYUID} says which were.  If
none was left, a command by sequence number ends in NO with C{EXPUNGEISSUED}, one by UID in OK.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.commands.fetch import EXPUNGED
from mailstore.imap.messagesets import widened
from mailstore.imap.states import SELECTED
from mailstore.imap.uidplus import copyUid, isOpen
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import SequenceSet

if TYPE_CHECKING:
    from mailstore.imap.session import Session


@attrs.frozen
class CopyArguments:
    """
    Which messages are to go where.
    """

    numbers: SequenceSet
    target: str
    by_uid: bool


def parse(reader: Reader, by_uid: bool) -> CopyArguments:
    """
    Read what follows the command's name.

    @raise ParseError:
    """
    reader.space()
    numbers = reader.sequenceSet()
    reader.space()
    target = reader.mailbox()
    reader.end()
    return CopyArguments(numbers, target, by_uid)


async def run(session: Session, arguments: CopyArguments) -> Reply:
    """
    Copy all of the messages or none.
    """
    view = session.view
    assert view is not None
    uids = widened(view.messages, view.uidsOf(arguments.numbers, arguments.by_uid))
    if not uids:
        return Ok("There was nothing to copy")
    result = await session.store.copy(session.user, view.folder, uids, arguments.target)
    if not result.sources and not arguments.by_uid:
        session.touch()
        return EXPUNGED
    if isOpen(session, arguments.target):
        session.touch()
    return Ok(code=await copyUid(session, arguments.target, result))


COMMANDS = (
    Command("COPY", SELECTED, partial(parse, by_uid=False), run, try_create=True),
    Command("UID COPY", SELECTED, partial(parse, by_uid=True), run, try_create=True),
)
