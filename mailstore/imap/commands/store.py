"""
STORE and UID STORE (RFC 9051 sections 6.4.6 and 6.4.9; C{UNCHANGEDSINCE} by RFC 7162 section 3.1.3).

B{Messages that vanished.}  Flags are set on those that are still there.  By sequence number, a
command that is not C{.SILENT} then ends in NO with C{EXPUNGEISSUED}, a silent one in
OK unless none was left (RFC 2180 section 4.2).  By UID vanished messages are passed over.

B{Large sets} are changed in groups of at most L{GROUP<mailstore.imap.flagstore.GROUP>} messages;
each group is all or nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.errors import StoreError
from mailstore.imap.command import Bad, Command, No, Ok, Refused, Reply
from mailstore.imap.commands.fetch import EXPUNGED
from mailstore.imap.flagstore import GROUP, storeGroup
from mailstore.imap.messagesets import groups, spans
from mailstore.imap.states import SELECTED
from mailstore.imap.wire import responsecodes
from mailstore.imap.wire.condstore import readStoreModifiers
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.storeitems import readStoreFlags
from mailstore.imap.wire.values import SequenceSet, StoreFlags
from mailstore.model import SYSTEM_FLAGS, UidSet

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: What a command that changes messages says where nothing may be changed.
READ_ONLY = No("This folder is open for reading only", "READ-ONLY")


@attrs.frozen
class StoreArguments:
    """
    How to change the flags of which messages.
    """

    numbers: SequenceSet
    item: StoreFlags
    by_uid: bool
    #: C{UNCHANGEDSINCE}, if there is one.
    unchanged_since: int | None = None


def parse(reader: Reader, by_uid: bool) -> StoreArguments:
    """
    Read what follows the command's name.

    @raise ParseError:
    @raise Refused: with BAD, for C{\\Recent}, which no client can change, and for
        other flags with a backslash than those of RFC 9051 section 2.3.2.
    """
    reader.space()
    numbers = reader.sequenceSet()
    modifiers = readStoreModifiers(reader)
    reader.space()
    item = readStoreFlags(reader)
    reader.end()
    if any(flag[0] == "\\" and flag not in SYSTEM_FLAGS for flag in item.flags):
        raise Refused(Bad("There is no such flag, or no client can change it"))
    return StoreArguments(numbers, item, by_uid, modifiers.unchanged_since)


async def run(session: Session, arguments: StoreArguments) -> Reply:
    """
    Change the flags, and tell the new ones.
    """
    view = session.view
    assert view is not None
    if view.read_only:
        return READ_ONLY
    uids = view.uidsOf(arguments.numbers, arguments.by_uid)
    silent = arguments.item.silent
    if arguments.unchanged_since is not None:
        await session.useModSequences()
    found = 0
    modified: list[tuple[int, int]] = []
    try:
        for group in groups(view.messages, uids, GROUP):
            stored = await storeGroup(
                session, view, group, arguments.item, arguments.by_uid, arguments.unchanged_since
            )
            found += stored.count + len(stored.modified)
            modified += stored.modified.ranges
    except StoreError:
        if silent:
            # After a NO the client does not know of the groups that were changed.
            view.forgetOwnChanges()
            session.touch()
        raise
    code = _modified(view, UidSet.ofRanges(modified), arguments.by_uid)
    if found < len(uids) and not arguments.by_uid and not (silent and found):
        session.touch()
        return attrs.evolve(EXPUNGED, code=code or EXPUNGED.code)
    return Ok(code=code)


def _modified(view: View, uids: UidSet, by_uid: bool) -> str:
    """
    The response code for messages that were left alone; empty for none.
    """
    if not uids:
        return ""
    return responsecodes.modified(uids.ranges if by_uid else spans(view.messages, uids))


COMMANDS = (
    Command("STORE", SELECTED, partial(parse, by_uid=False), run, uses_seqs=True, repeated=True),
    Command("UID STORE", SELECTED, partial(parse, by_uid=True), run, repeated=True),
)
