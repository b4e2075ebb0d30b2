"""
FETCH and UID FETCH (RFC 9051 sections 6.4.5 and 6.4.9).

B{Messages that vanished.}  A client that names, by sequence number, a message which another
client has expunged meanwhile gets the responses for those that are still
there, and a tagged NO with C{EXPUNGEISSUED} (RFC 2180 section 4.1.2, RFC 5530).  By UID such a
message is passed over without a word, as RFC 9051 section 6.4.9 wants.

B{What changed since} (RFC 7162 sections 3.1.4.1 and 3.2.6) comes from the same log of changes as all that the
client is told by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.errors import OverQuota, PermissionDenied, StoreError, StoreUnavailable
from mailstore.imap.command import Command, No, Ok, Reply
from mailstore.imap.fetching import Plan
from mailstore.imap.fetchways import fetchAll
from mailstore.imap.messagesets import groups, portion
from mailstore.imap.missed import Missed, missedSince
from mailstore.imap.states import SELECTED
from mailstore.imap.wire.condstore import FetchModifiers, readFetchModifiers, vanishedLines
from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import MAX_NUMBER, FetchData, FetchItems, FetchSection, SequenceSet
from mailstore.model import SEEN, FetchSpec, FlagMode, UidSet, uint32s, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Messages whose C{\Seen} is set in one change, before they are sent.
_SEEN_GROUP = 200

#: What is told of a message besides what was asked for when C{\Seen} has been set.
_TOLD = (FetchData.FLAGS,)

#: The same to a client that knows mod-sequences (RFC 7162 section 3.2.4).
_TOLD_KNOWING = (FetchData.UID, FetchData.FLAGS, FetchData.MODSEQ)

#: What a command by sequence number says of messages that are not there any more.
EXPUNGED = No("Some of these messages were expunged by somebody else", "EXPUNGEISSUED")

_TOO_MANY = No("Too many sections at once", "LIMIT")


@attrs.frozen
class FetchArguments:
    """
    What a client wants of which messages.
    """

    numbers: SequenceSet
    #: In the order of the answer; by UID, C{UID} is among them.
    items: FetchItems
    by_uid: bool
    modifiers: FetchModifiers = attrs.field(factory=FetchModifiers)

    @property
    def sets_seen(self) -> bool:
        """
        Whether reading these items means that the messages have been seen.
        """
        return any(isinstance(item, FetchSection) and not item.peek for item in self.items)


def parse(reader: Reader, by_uid: bool) -> FetchArguments:
    """
    Read what follows the command's name.

    @raise ParseError:
    """
    reader.space()
    numbers = reader.sequenceSet()
    reader.space()
    items = readFetchItems(reader)
    modifiers = readFetchModifiers(reader, by_uid)
    reader.end()
    if by_uid and FetchData.UID not in items:
        items = (FetchData.UID, *items)
    if modifiers.changed_since is not None:
        items = _with(items, FetchData.MODSEQ)
    return FetchArguments(numbers, items, by_uid, modifiers)


def _with(items: FetchItems, *more: FetchData) -> FetchItems:
    """
    The items and these, each once.
    """
    return tuple(dict.fromkeys((*items, *more)))


async def run(session: Session, arguments: FetchArguments) -> Reply:
    """
    Send the responses, at the pace at which the client reads.
    """
    view = session.view
    assert view is not None
    if sum(isinstance(item, FetchSection) for item in arguments.items) > session.limits.max_sections:
        return _TOO_MANY
    uids = view.uidsOf(arguments.numbers, arguments.by_uid)
    if arguments.modifiers.partial is not None:
        # RFC 9394 section 3.4: before CHANGEDSINCE.
        uids = portion(uids, *arguments.modifiers.partial.bounds(len(uids)))
    if FetchData.MODSEQ in arguments.items:
        await session.useModSequences()
    if arguments.modifiers.changed_since is not None:
        missed = await missedSince(session, view, arguments.modifiers.changed_since)
        if arguments.modifiers.vanished:
            await session.writeLines(_vanished(view, missed, arguments.numbers))
        uids = missed.changedAmong(uids)
    plan = Plan(arguments.items)
    sent = 0
    if arguments.sets_seen and not view.read_only and "s" in view.rights:
        flagged = Plan(_with(arguments.items, *_TOLD_KNOWING if session.condstore else _TOLD))
        for group in groups(view.messages, uids, _SEEN_GROUP):
            changed = await setSeen(session, view, group)
            try:
                sent += await fetchAll(session, view, group, flagged if changed else plan)
            except StoreError:
                if changed:
                    # Not all of the responses that tell of it have been sent.
                    view.forgetOwnChanges()
                    session.touch()
                raise
    else:
        sent = await fetchAll(session, view, uids, plan)
    if sent < len(uids) and not arguments.by_uid:
        session.touch()
        return EXPUNGED
    return Ok()


def _vanished(view: View, missed: Missed, numbers: SequenceSet) -> Iterator[bytes]:
    """
    The C{VANISHED (EARLIER)} responses for UIDs that a client names.  What has gone from the end of
    the folder is above every message that is left, and meant by C{*} too.
    """
    asked = UidSet.ofRanges((*numbers.resolve(view.messages.last), *numbers.resolve(MAX_NUMBER)))
    return vanishedLines(missed.vanishedAmong(asked).ranges, earlier=True)


async def setSeen(session: Session, view: View, uids: UidSet) -> bool:
    """
    Set C{\\Seen} where it is not set yet; the responses to come tell the client.

    @return: whether that changed anything.
    """
    unseen = await _unseen(session, view, uids)
    if not unseen:
        return False
    try:
        stored = await session.store.storeFlags(session.user, view.folder, unseen, FlagMode.ADD, ("\\Seen",))
    except (PermissionDenied, OverQuota, StoreUnavailable):
        # The right was taken away since the folder was opened, or nothing can be written; reading
        # still works.
        return False
    view.noteOwnChanges(stored.changed)
    return True


async def _unseen(session: Session, view: View, uids: UidSet) -> UidSet:
    unseen = []
    batches = session.store.fetch(session.user, view.folder, uids, FetchSpec(flags=True))
    try:
        async for batch in batches:
            columns = zip(uint32s(batch.uids), uint64s(batch.flags), strict=True)
            unseen += [uid for uid, mask in columns if not mask & SEEN]
    finally:
        await batches.aclose()
    return UidSet.of(unseen)


COMMANDS = (
    Command("FETCH", SELECTED, partial(parse, by_uid=False), run, uses_seqs=True, repeated=True),
    Command("UID FETCH", SELECTED, partial(parse, by_uid=True), run, repeated=True),
)
