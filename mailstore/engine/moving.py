"""
Copying messages, moving them, and removing them.
"""

from __future__ import annotations

from mailstore.engine import content, quotas
from mailstore.engine.connection import Connection
from mailstore.engine.flags import ALL_FLAGS, Keywords, viewerFlagRights
from mailstore.engine.messages import NewRow, OldRow, addMessages, removeMessagesOf, selectRows, uidSetOf
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import SeenState, ownSeen
from mailstore.engine.users import Viewer
from mailstore.model import DELETED, KEYWORD_BIT, SEEN, CopyResult, UidSet, uint32s

_EVERYTHING = UidSet(((1, 0xFFFFFFFF),))


def copy(
    db: Connection,
    source: FolderRow,
    viewer: Viewer,
    uids: UidSet,
    target: FolderRow,
    target_rights: str,
    move_with: int | None,
    now: int,
) -> CopyResult:
    """
    Copy messages with their flags and dates, as far as the rights there allow.

    @param move_with: C{None} to leave them in the source; else remove them
        there, keeping this many tombstones.
    @param now: seconds since 1970.
    """
    allowed = viewerFlagRights(target_rights, target, viewer)
    return _transfer(db, source, viewer, uids, target, allowed, move_with, now)


def moveAll(db: Connection, source: FolderRow, target: FolderRow, max_tombstones: int, now: int) -> None:
    """
    Move all messages of a folder, with all their flags.
    """
    _transfer(db, source, None, _EVERYTHING, target, ALL_FLAGS, max_tombstones, now)


def _transfer(
    db: Connection,
    source: FolderRow,
    viewer: Viewer | None,
    uids: UidSet,
    target: FolderRow,
    allowed: int,
    move_with: int | None,
    now: int,
) -> CopyResult:
    found = selectRows(db, source.id, uids, "uid, flags, content, internal_date, zone, size")
    sources = uint32s(each[0] for each in found)
    if not found:
        return CopyResult(target.uid_validity, b"", b"")
    masks = _Masks(source, target, allowed)
    state = None
    if ownSeen(source) and viewer is not None and viewer.id is not None:
        state = SeenState(db, source.id, viewer.id, sources)
    rows: list[NewRow] = []
    for uid, flags, stored, date, zone, size in found:
        if state is not None:
            flags = flags | SEEN if state.seen(uid) else flags & ~SEEN
        rows.append(NewRow(masks.there(flags), stored, date, zone, size, now))
    if move_with is None:
        content.addReferences(db, (each.content for each in rows))
    target, targets = addMessages(db, target, viewer, rows, masks.keywords.dump())
    if move_with is not None:
        if source.id == target.id:
            source = target
        gone = [OldRow(each[0], each[1], each[2], each[5]) for each in found]
        removeMessagesOf(db, source, gone, move_with, moved=True)
    if move_with is None or source.owner != target.owner:
        quotas.require(db, target)
    return CopyResult(target.uid_validity, sources.tobytes(), uint32s(targets).tobytes())


class _Masks:
    """
    From the flags in one folder to those in another, which has other keywords.
    """

    def __init__(self, source: FolderRow, target: FolderRow, allowed: int) -> None:
        self._names = source.keywordNames()
        self._allowed = allowed
        self._known: dict[int, int] = {}
        self.keywords = Keywords(target.keywords.split())

    def there(self, flags: int) -> int:
        found = self._known.get(flags)
        if found is None:
            names = [name for bit, name in enumerate(self._names) if flags >> (KEYWORD_BIT + bit) & 1]
            system = flags & ((1 << KEYWORD_BIT) - 1) & self._allowed
            found = self._known[flags] = system | self.keywords.mask(names, self._allowed)
        return found


def expunge(db: Connection, row: FolderRow, uids: UidSet | None, max_tombstones: int) -> UidSet:
    """
    Remove the messages with C{\\Deleted}, or of a set of messages those that have it.

    @return: what was removed.
    """
    if not row.deleted:
        return UidSet()
    wanted = _EVERYTHING if uids is None else uids
    found = selectRows(db, row.id, wanted, "uid, flags, content, size", f"AND flags & {DELETED}")
    gone = [OldRow._make(each) for each in found]
    removeMessagesOf(db, row, gone, max_tombstones)
    return uidSetOf(gone)


def remove(db: Connection, row: FolderRow, uid: int, max_tombstones: int) -> bool:
    """
    Remove one message, whatever its flags are.

    @return: whether it was there.
    """
    found = selectRows(db, row.id, UidSet.of((uid,)), "uid, flags, content, size")
    removeMessagesOf(db, row, [OldRow._make(each) for each in found], max_tombstones)
    return bool(found)
