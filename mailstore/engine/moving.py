"""
Copying messages, moving them, and removing them: all of them, or in slices.

MOVE and EXPUNGE of very many messages are several changes, each of which is whole: every message is in
exactly one folder at every moment (RFC 6851 section 3.3).  COPY is one change for all who can
see it (RFC 9051 section 6.4.7), however many transactions it takes; see L{mailstore.engine.copies}.
"""

from __future__ import annotations

import attrs

from mailstore.engine import content, quotas
from mailstore.engine.connection import Connection
from mailstore.engine.flags import ALL_FLAGS, Keywords, viewerFlagRights
from mailstore.engine.messages import (
    NewRow,
    OldRow,
    addMessages,
    removeMessagesOf,
    selectRows,
    uidSetOf,
)
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import SeenState, ownSeen
from mailstore.engine.users import Viewer
from mailstore.model import DELETED, KEYWORD_BIT, SEEN, CopyResult, UidSet, uint32s

#: All UIDs that there can be.
EVERYTHING = UidSet(((1, 0xFFFFFFFF),))

#: What of a message is needed to make it one of another folder.
COLUMNS = "uid, flags, content, internal_date, zone, size"


@attrs.frozen
class Transferred:
    """
    What became of the messages of a slice.
    """

    result: CopyResult
    #: The UID behind which to go on; 0 when there are no more.
    after: int


def copy(
    db: Connection,
    source: FolderRow,
    viewer: Viewer,
    uids: UidSet,
    target: FolderRow,
    target_rights: str,
    now: int,
    most: int,
) -> CopyResult | None:
    """
    Copy messages with their flags and dates, as far as the rights there allow.

    @param now: seconds since 1970.
    @return: C{None} when they are more than C{most}; then nothing is done.
    """
    found, after = selectRows(db, source, uids, COLUMNS, most=most)
    if after:
        return None
    rows, keywords = newRows(
        db, source, viewer, found, target, viewerFlagRights(target_rights, target, viewer), now
    )
    if rows:
        content.addReferences(db, (each.content for each in rows))
        target, targets = addMessages(db, target, viewer, rows, keywords)
        quotas.require(db, target)
        return _result(target, found, targets)
    return _result(target, found, range(0))


def move(
    db: Connection,
    source: FolderRow,
    viewer: Viewer,
    uids: UidSet,
    after: int,
    most: int,
    target: FolderRow,
    target_rights: str,
    max_tombstones: int,
    now: int,
) -> Transferred:
    """
    Move messages with their flags and dates, as far as the rights there allow: up to C{most}
    of those behind a UID.

    @param now: seconds since 1970.
    """
    found, after = selectRows(db, source, uids, COLUMNS, after=after, most=most)
    allowed = viewerFlagRights(target_rights, target, viewer)
    return Transferred(_move(db, source, viewer, found, target, allowed, max_tombstones, now), after)


def moveAll(
    db: Connection,
    source: FolderRow,
    last: int,
    after: int,
    most: int,
    target: FolderRow,
    max_tombstones: int,
    now: int,
) -> int:
    """
    Move messages of a folder with all their flags: up to C{most} of those behind a UID.

    @param last: the UID up to which messages are moved.
    @return: the UID behind which to go on; 0 when there are no more.
    """
    found, after = selectRows(db, source, UidSet(((1, last),)), COLUMNS, after=after, most=most)
    _move(db, source, None, found, target, ALL_FLAGS, max_tombstones, now)
    return after


def _move(
    db: Connection,
    source: FolderRow,
    viewer: Viewer | None,
    found: list[tuple[int, ...]],
    target: FolderRow,
    allowed: int,
    max_tombstones: int,
    now: int,
) -> CopyResult:
    if not found:
        return _result(target, found, range(0))
    rows, keywords = newRows(db, source, viewer, found, target, allowed, now)
    target, targets = addMessages(db, target, viewer, rows, keywords)
    if source.id == target.id:
        source = target
    gone = [OldRow(each[0], each[1], each[2], each[5]) for each in found]
    removeMessagesOf(db, source, gone, max_tombstones, moved=True)
    if source.owner != target.owner:
        quotas.require(db, target)
    return _result(target, found, targets)


def _result(target: FolderRow, found: list[tuple[int, ...]], targets: range) -> CopyResult:
    sources = uint32s(each[0] for each in found)
    return CopyResult(target.uid_validity, sources.tobytes(), uint32s(targets).tobytes())


def newRows(
    db: Connection,
    source: FolderRow,
    viewer: Viewer | None,
    found: list[tuple[int, ...]],
    target: FolderRow,
    allowed: int,
    now: int,
) -> tuple[list[NewRow], str]:
    """
    What the messages are in another folder, and the keywords that it has then.
    """
    masks = _Masks(source, target, allowed)
    state = None
    if ownSeen(source) and viewer is not None and viewer.id is not None:
        state = SeenState(db, source.id, viewer.id, uint32s(each[0] for each in found))
    rows: list[NewRow] = []
    for uid, flags, stored, date, zone, size in found:
        if state is not None:
            flags = flags | SEEN if state.seen(uid) else flags & ~SEEN
        rows.append(NewRow(masks.there(flags), stored, date, zone, size, now))
    return rows, masks.keywords.dump()


def joined(results: list[CopyResult]) -> CopyResult:
    """
    What was moved in several slices.
    """
    if len(results) == 1:
        return results[0]
    sources = b"".join(each.sources for each in results)
    return CopyResult(results[0].uid_validity, sources, b"".join(each.targets for each in results))


class _Masks:
    """
    From the flags in one folder to those in another, which has other keywords.
    """

    def __init__(self, source: FolderRow, target: FolderRow, allowed: int) -> None:
        self._names = source.keywordNames()
        self._allowed = allowed
        self._known: dict[int, int] = {}
        self.keywords = Keywords.of(target)

    def there(self, flags: int) -> int:
        found = self._known.get(flags)
        if found is None:
            names = [name for bit, name in enumerate(self._names) if flags >> (KEYWORD_BIT + bit) & 1]
            system = flags & ((1 << KEYWORD_BIT) - 1) & self._allowed
            found = self._known[flags] = system | self.keywords.mask(names, self._allowed)
        return found


def expunge(
    db: Connection, row: FolderRow, uids: UidSet, max_tombstones: int, after: int, most: int
) -> tuple[UidSet, int]:
    """
    Remove the messages with C{\\Deleted}, or of a set of messages those that have it: up to C{most}
    of those behind a UID.

    @return: what was removed, and the UID behind which to go on; 0 when there are no more.
    """
    if not row.deleted:
        return UidSet(), 0
    columns, condition = "uid, flags, content, size", f"AND (flags & {DELETED}) <> 0"
    found, after = selectRows(db, row, uids, columns, condition, after, most)
    gone = [OldRow._make(each) for each in found]
    removeMessagesOf(db, row, gone, max_tombstones)
    return uidSetOf(gone), after


def remove(db: Connection, row: FolderRow, uid: int, max_tombstones: int) -> bool:
    """
    Remove one message, whatever its flags are.

    @return: whether it was there.
    """
    found, _ = selectRows(db, row, UidSet.of((uid,)), "uid, flags, content, size")
    removeMessagesOf(db, row, [OldRow._make(each) for each in found], max_tombstones)
    return bool(found)
