"""
Changing flags for STORE: in groups, and what the client has to be told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailstore.imap.fetching import flagResponses
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


async def storeGroup(session: Session, view: View, uids: UidSet, item: StoreFlags, with_uid: bool) -> int:
    """
    Change the flags of some messages, and tell the client.

    Who asks for silence believes that the flags are those that he knew, changed as he asked.  He is told
    where that is wrong: where somebody else has changed a message since he was last told of it, and
    where not all of the change was permitted (RFC 4314 section 4).

    @return: how many of the messages there are.
    @raise StoreError: as L{IStore.storeFlags<mailstore.interfaces.IStore.storeFlags>}.
    """
    if not item.silent:
        return await _storeAloud(session, view, uids, item, with_uid)
    stored = await session.store.storeFlags(
        session.user, view.folder, uids, _MODES[item.mode], item.flags, view.known_modseq
    )
    await session.keywordsKnown(stored.keywords)
    changed_by_others = stored.unchanged_since_failed
    changed = stored.changed if not changed_by_others else _without(stored.changed, changed_by_others)
    view.noteOwnChanges(changed)
    told = _unexpected(changed, stored.keywords, item)
    if told.uids:
        await session.write(flagResponses(view, told, with_uid))
    count = _count(changed)
    if changed_by_others:
        count += await _storeAloud(session, view, changed_by_others, item, with_uid)
    return count


async def _storeAloud(session: Session, view: View, uids: UidSet, item: StoreFlags, with_uid: bool) -> int:
    """
    Change flags, and tell what they are now.
    """
    stored = await session.store.storeFlags(session.user, view.folder, uids, _MODES[item.mode], item.flags)
    await session.keywordsKnown(stored.keywords)
    view.noteOwnChanges(stored.changed)
    if stored.changed.uids:
        await session.write(flagResponses(view, stored.changed, with_uid))
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


def _unexpected(changed: FlagColumns, keywords: tuple[str, ...], item: StoreFlags) -> FlagColumns:
    """
    The messages whose flags are not as they would be if everything had been permitted.
    """
    asked = {flag.lower() for flag in item.flags}
    found: dict[int, bool] = {}

    def isUnexpected(uid: int, mask: int) -> bool:
        unexpected = found.get(mask)
        if unexpected is None:
            have = {name.lower() for name in flagNames(mask, keywords)}
            unexpected = found[mask] = not _isAsked(item.mode, have, asked)
        return unexpected

    return _selected(changed, isUnexpected)


def _isAsked(mode: StoreMode, have: set[str], wanted: set[str]) -> bool:
    if mode is StoreMode.ADD:
        return wanted <= have
    if mode is StoreMode.REMOVE:
        return not wanted & have
    return wanted == have
