"""
Changing flags for STORE: in groups, and what the client has to be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.fetching import flagResponses
from mailstore.imap.wire.values import StoreFlags, StoreMode
from mailstore.model import FlagColumns, FlagMode, FlagsStored, UidSet, flagNames, uint32s, uint64s

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

    Who asks for silence is told only where the flags are not what the change should have
    made of them, since not all of it was permitted (RFC 4314 section 4): else client
    and server would disagree from then on.

    @return: how many of the messages there are.
    @raise StoreError: as L{IStore.storeFlags<mailstore.interfaces.IStore.storeFlags>}.
    """
    stored = await session.store.storeFlags(session.user, view.folder, uids, _MODES[item.mode], item.flags)
    await session.keywordsKnown(stored.keywords)
    view.noteOwnChanges(stored.changed)
    told = _unexpected(stored, item) if item.silent else stored.changed
    if told.uids:
        await session.write(flagResponses(view, told, with_uid))
    return len(stored.changed.uids) // uint32s().itemsize


def _unexpected(stored: FlagsStored, item: StoreFlags) -> FlagColumns:
    """
    The messages whose flags are not as they would be if everything had been permitted.
    """
    wanted = {flag.lower() for flag in item.flags}
    texts: dict[int, bool] = {}
    uids, flags, modseqs = uint32s(), uint64s(), uint64s()
    changed = stored.changed
    columns = zip(uint32s(changed.uids), uint64s(changed.flags), uint64s(changed.modseqs), strict=True)
    for uid, mask, modseq in columns:
        right = texts.get(mask)
        if right is None:
            have = {name.lower() for name in flagNames(mask, stored.keywords)}
            right = texts[mask] = _isAsked(item.mode, have, wanted)
        if not right:
            uids.append(uid)
            flags.append(mask)
            modseqs.append(modseq)
    return FlagColumns(uids.tobytes(), flags.tobytes(), modseqs.tobytes())


def _isAsked(mode: StoreMode, have: set[str], wanted: set[str]) -> bool:
    if mode is StoreMode.ADD:
        return wanted <= have
    if mode is StoreMode.REMOVE:
        return not wanted & have
    return wanted == have
