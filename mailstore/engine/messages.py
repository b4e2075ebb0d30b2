"""
Rows of messages: reading them by sets of UIDs, adding and removing them, with
the counts of their folder.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from mailstore.engine import content, copies, quotas
from mailstore.engine.connection import Connection
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import SeenState, ownSeen, removeMessages
from mailstore.engine.users import Viewer
from mailstore.errors import LimitReached
from mailstore.model import DELETED, SEEN, UidSet, uint32s

_MAX_UID = 0xFFFFFFFF

#: Messages that are looked at in one step, when not all that are looked at are wanted.
_LOOK = 20_000


class NewRow(NamedTuple):
    """
    A message to be added: its flags with the C{\\Seen} of who adds it.
    """

    flags: int
    content: int
    internal_date: int
    zone: int
    size: int
    saved: int


class OldRow(NamedTuple):
    """
    A message to be removed.
    """

    uid: int
    flags: int
    content: int
    size: int


def selectRows(
    db: Connection,
    row: FolderRow,
    uids: UidSet,
    columns: str,
    condition: str = "",
    after: int = 0,
    most: int = -1,
) -> tuple[list[Any], int]:
    """
    Rows of the messages of a set that exist, ascending.

    @param columns: what is wanted of them; the UID first.
    @param condition: what else must hold, beginning with C{AND}.
    @param after: begin behind this UID.
    @param most: how many of them, if all are more; looking for one that is not there counts as well.
    @return: them, and the UID behind which to go on; 0 when there are no more.
    """
    statement = (
        f"SELECT {columns} FROM messages WHERE folder = ? AND uid BETWEEN ? AND ? {condition}"
        " ORDER BY uid LIMIT ?"
    )
    ranges = uids.ranges
    found: list[Any] = []
    left, looked = most, 0
    for low, high in ranges[bisect_left(ranges, after + 1, key=itemgetter(1)) :]:
        # What comes behind is not there yet (L{mailstore.engine.copies}).
        low, high = max(low, after + 1), min(high, row.uid_next - 1)
        if low > high:
            break
        end = _within(db, row.id, low, high) if condition and most >= 0 else high
        got = db.execute(statement, (row.id, low, end, left)).fetchall()
        found += got
        if most < 0:
            continue
        looked += end - low + 1
        if len(got) == left:
            return found, got[-1][0]
        left -= max(1, len(got))
        if not left or (condition and looked >= _LOOK):
            return found, end
    return found, 0


def present(row: FolderRow, uids: UidSet) -> UidSet:
    """
    A set without the UIDs that the folder has not given out yet: what comes while something is done in
    slices has nothing to do with it.
    """
    last = row.uid_next - 1
    if not uids or uids.ranges[-1][1] <= last:
        return uids
    return UidSet(tuple((low, min(high, last)) for low, high in uids.ranges if low <= last))


def _within(db: Connection, folder: int, low: int, high: int) -> int:
    """
    The last UID that is to be looked at in one step.
    """
    if high - low < _LOOK:
        return high
    found = db.execute(
        "SELECT uid FROM messages WHERE folder = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT 1 OFFSET ?",
        (folder, low, high, _LOOK - 1),
    ).fetchone()
    return high if found is None else int(found[0])


def requireUids(uids: range) -> None:
    """
    Check that there are such UIDs.

    @raise LimitReached: there are not: the folder has used them up.
    """
    if uids.stop > _MAX_UID:
        raise LimitReached("the folder has used up its UIDs")


def insertMessages(db: Connection, row: FolderRow, modseq: int, messages: list[NewRow], uids: range) -> None:
    """
    Write rows of messages, and nothing else.
    """
    kept_mask = ~SEEN if ownSeen(row) else -1
    db.executemany(
        "INSERT INTO messages (folder, uid, flags, modseq, content, internal_date, zone, size, saved)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (row.id, uid, new.flags & kept_mask, modseq, *new[1:])
            for uid, new in zip(uids, messages, strict=True)
        ],
    )


def addMessages(
    db: Connection, row: FolderRow, viewer: Viewer | None, messages: list[NewRow], keywords: str
) -> tuple[FolderRow, range]:
    """
    Add messages to a folder, whose row is saved.  References to contents are the caller's.

    @param viewer: whose C{\\Seen} it is, in folders where every user has his own.
    @param keywords: the folder's, as they are now.
    @return: the row now, and the messages' UIDs.
    @raise LimitReached: the folder has used up its UIDs.
    @raise FolderHeld: somebody is copying messages into it.
    """
    copies.requireFree(db, row)
    uids = range(row.uid_next, row.uid_next + len(messages))
    requireUids(uids)
    if not messages:
        return row, uids
    modseq = row.modseq + 1
    insertMessages(db, row, modseq, messages, uids)
    if ownSeen(row):
        seen = [uid for uid, new in zip(uids, messages, strict=True) if new.flags & SEEN]
        if seen and viewer is not None and viewer.id is not None:
            SeenState(db, row.id, viewer.id, uint32s()).change(seen, True, modseq)
        unseen = 0
    else:
        unseen = sum(not new.flags & SEEN for new in messages)
    row = row._replace(
        uid_next=uids.stop,
        modseq=modseq,
        changed=modseq,
        recent=row.recent + len(messages),
        messages=row.messages + len(messages),
        unseen=row.unseen + unseen,
        deleted=row.deleted + sum(bool(new.flags & DELETED) for new in messages),
        size=row.size + sum(new.size for new in messages),
        keywords=keywords,
    )
    row.save(db)
    quotas.charge(db, row.owner, len(messages), sum(new.size for new in messages))
    return row, uids


def removeMessagesOf(
    db: Connection, row: FolderRow, messages: list[OldRow], max_tombstones: int, moved: bool = False
) -> FolderRow:
    """
    Remove messages from a folder, whose row is saved.

    @param moved: their contents are named elsewhere now.
    """
    if not messages:
        return row
    uids = uint32s(each.uid for each in messages)
    gone = UidSet.of(uids)
    modseq = row.modseq + 1
    db.executemany(
        "DELETE FROM messages WHERE folder = ? AND uid BETWEEN ? AND ?",
        [(row.id, low, high) for low, high in gone.ranges],
    )
    if not moved:
        content.dropReferences(db, (each.content for each in messages))
    db.executemany(
        "INSERT INTO tombstones (folder, modseq, low, high) VALUES (?, ?, ?, ?)",
        [(row.id, modseq, low, high) for low, high in gone.ranges],
    )
    removeMessages(db, row, gone, uids)
    row = row._replace(
        modseq=modseq,
        changed=modseq,
        recent=row.recent - sum(uid >= row.first_recent for uid in uids),
        messages=row.messages - len(messages),
        unseen=row.unseen - (0 if ownSeen(row) else sum(not each.flags & SEEN for each in messages)),
        deleted=row.deleted - sum(bool(each.flags & DELETED) for each in messages),
        size=row.size - sum(each.size for each in messages),
        tombstones_from=_trimTombstones(db, row, max_tombstones),
    )
    row.save(db)
    quotas.charge(db, row.owner, -len(messages), -sum(each.size for each in messages))
    return row


def _trimTombstones(db: Connection, row: FolderRow, most: int) -> int:
    """
    Forget the older half of a folder's tombstones when they are too many.

    @return: up to which mod-sequence they are forgotten.
    """
    (count,) = db.execute("SELECT count(*) FROM tombstones WHERE folder = ?", (row.id,)).fetchone()
    if count <= most:
        return row.tombstones_from
    (modseq,) = db.execute(
        "SELECT modseq FROM tombstones WHERE folder = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?",
        (row.id, most // 2),
    ).fetchone()
    db.execute("DELETE FROM tombstones WHERE folder = ? AND modseq <= ?", (row.id, modseq))
    forgotten: int = modseq
    return forgotten


def uidSetOf(messages: Iterable[OldRow]) -> UidSet:
    """
    The UIDs of some messages.
    """
    return UidSet.of(each.uid for each in messages)
