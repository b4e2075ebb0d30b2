"""
Changing flags for STORE: in groups, and what the client has to be told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.fetching import flagResponses, modseqResponses
from mailstore.imap.wire.values import StoreFlags, StoreMode
from mailstore.model import FlagColumns, FlagMode, UidSet, flagNames, uint32s, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Messages whose flags are changed at once.  Other clients have their turn between two groups.
GROUP = 2_000

_MODES = {
    StoreMode.REPLACE: FlagMode.REPLACE,
    StoreMode.ADD: FlagMode.ADD,
    StoreMode.REMOVE: FlagMode.REMOVE,
}


@attrs.frozen
class Stored:
    """
    What became of a group.
    """

    #: How many of the messages there are whose flags were changed.
    count: int
    #: Messages left alone, since they had changed (RFC 7162 section 3.1.3).
    modified: UidSet = attrs.field(factory=UidSet)


async def storeGroup(
    session: Session,
    view: View,
    uids: UidSet,
    item: StoreFlags,
    with_uid: bool,
    unchanged_since: int | None = None,
) -> Stored:
    """
    Change the flags of some messages, and tell the client.

    Who asks for silence believes that the flags are those that he knew, changed as he asked.  He is told
    where that is wrong: where somebody else has changed a message since he was last told of it, and
    where not all of the change was permitted (RFC 4314 section 4).

    @param unchanged_since: leave alone what has changed after this mod-sequence.
    @raise StoreError: as L{IStore.storeFlags<mailstore.interfaces.IStore.storeFlags>}.
    """
    if unchanged_since is not None:
        return await _storeUnchanged(session, view, uids, item, unchanged_since)
    if not item.silent:
        return Stored(await _storeAloud(session, view, uids, item, with_uid))
    stored = await session.store.storeFlags(
        session.user, view.folder, uids, _MODES[item.mode], item.flags, view.known_modseq
    )
    await session.keywordsKnown(stored.keywords)
    changed_by_others = stored.unchanged_since_failed
    changed = stored.changed if not changed_by_others else _without(stored.changed, changed_by_others)
    view.noteOwnChanges(changed)
    await _tellSilently(session, view, changed, stored.keywords, item, with_uid)
    count = _count(changed)
    if changed_by_others:
        count += await _storeAloud(session, view, changed_by_others, item, with_uid)
    return Stored(count)


async def _tellSilently(
    session: Session,
    view: View,
    changed: FlagColumns,
    keywords: tuple[str, ...],
    item: StoreFlags,
    with_uid: bool,
) -> None:
    """
    Tell what a client does not know that wants to hear nothing: flags that it does not expect, and
    mod-sequences if it has shown to know what these are.
    """
    isUnexpected = _unexpected(keywords, item)
    told = _selected(changed, isUnexpected)
    if told.uids:
        await session.writeWithNext(flagResponses(view, told, with_uid, session.condstore))
    if session.condstore:
        if told.uids:
            changed = _selected(changed, lambda uid, mask: not isUnexpected(uid, mask))
        await session.writeWithNext(modseqResponses(view, changed))


async def _storeUnchanged(
    session: Session, view: View, uids: UidSet, item: StoreFlags, unchanged_since: int
) -> Stored:
    """
    Change flags where nothing has changed, and tell what they are elsewhere (RFC 7162 section 3.1.3).
    """
    stored = await session.store.storeFlags(
        session.user, view.folder, uids, _MODES[item.mode], item.flags, unchanged_since
    )
    await session.keywordsKnown(stored.keywords)
    view.noteOwnChanges(stored.changed)
    modified = stored.unchanged_since_failed
    changed = stored.changed if not modified else _without(stored.changed, modified)
    if item.silent and unchanged_since <= view.known_modseq:
        await _tellSilently(session, view, changed, stored.keywords, item, True)
        left = _selected(stored.changed, lambda uid, mask: uid in modified)
        await session.writeWithNext(flagResponses(view, left, True, True))
    else:
        await session.writeWithNext(flagResponses(view, stored.changed, True, True))
    return Stored(_count(changed), modified)


async def _storeAloud(session: Session, view: View, uids: UidSet, item: StoreFlags, with_uid: bool) -> int:
    """
    Change flags, and tell what they are now.
    """
    stored = await session.store.storeFlags(session.user, view.folder, uids, _MODES[item.mode], item.flags)
    await session.keywordsKnown(stored.keywords)
    view.noteOwnChanges(stored.changed)
    if stored.changed.uids:
        await session.writeWithNext(flagResponses(view, stored.changed, with_uid, session.condstore))
    return _count(stored.changed)


def _count(columns: FlagColumns) -> int:
    return len(columns.uids) // uint32s().itemsize


def _without(columns: FlagColumns, left_out: UidSet) -> FlagColumns:
    """
    The other messages.
    """
    return _selected(columns, lambda uid, mask: uid not in left_out)


def _selected(columns: FlagColumns, wanted: Callable[[int, int], bool]) -> FlagColumns:
    """
    The messages whose UID and flags C{wanted} wants.
    """
    uids, flags, modseqs = uint32s(), uint64s(), uint64s()
    rows = zip(uint32s(columns.uids), uint64s(columns.flags), uint64s(columns.modseqs), strict=True)
    for uid, mask, modseq in rows:
        if wanted(uid, mask):
            uids.append(uid)
            flags.append(mask)
            modseqs.append(modseq)
    return FlagColumns(uids.tobytes(), flags.tobytes(), modseqs.tobytes())


def _unexpected(keywords: tuple[str, ...], item: StoreFlags) -> Callable[[int, int], bool]:
    """
    What tells whether a message's flags are not as they would be if everything had been permitted.
    """
    asked = {flag.lower() for flag in item.flags}
    found: dict[int, bool] = {}

    def isUnexpected(uid: int, mask: int) -> bool:
        unexpected = found.get(mask)
        if unexpected is None:
            have = {name.lower() for name in flagNames(mask, keywords)}
            unexpected = found[mask] = not _isAsked(item.mode, have, asked)
        return unexpected

    return isUnexpected


def _isAsked(mode: StoreMode, have: set[str], wanted: set[str]) -> bool:
    if mode is StoreMode.ADD:
        return wanted <= have
    if mode is StoreMode.REMOVE:
        return not wanted & have
    return wanted == have
