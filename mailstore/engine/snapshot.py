"""
What a folder holds, as columns that never change once made.

A snapshot is of one folder at one mod-sequence, and shared by all who ask for it.
A newer one is made from the one before and what changed since, so that a
change in a big folder costs a copy of three arrays and not a walk through its rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

import msgspec

from mailstore.engine.connection import Connection
from mailstore.engine.dialect import BY_MODSEQ, listed
from mailstore.engine.places import FolderRow
from mailstore.lru import Cache
from mailstore.model import SEEN, FlagColumns, UidSet, uint32s, uint64s

# Each column as one text, which is read as a list: a row at a time takes twice as long.
_COLUMNS = (
    f"SELECT {listed('uid')}, {listed('flags')}, {listed('modseq')} FROM"
    " (SELECT uid, flags, modseq FROM messages WHERE folder = ? AND uid > ? AND uid < ? ORDER BY uid LIMIT ?)"
)
_ROWS = 10_000
_NUMBERS = msgspec.json.Decoder(list[int])


class Snapshot:
    """
    The messages of a folder, ascending by UID.
    """

    __slots__ = ("_first_unseen", "_uid_set", "flags", "modseqs", "uids", "version")

    def __init__(
        self, version: tuple[int, int], uids: array[int], flags: array[int], modseqs: array[int]
    ) -> None:
        #: What it is of: the mod-sequence of the folder, and that of the user's own flags (0: none).
        self.version = version
        self.uids = uids
        self.flags = flags
        self.modseqs = modseqs
        self._uid_set: UidSet | None = None
        self._first_unseen = -1

    @property
    def uid_set(self) -> UidSet:
        """
        The UIDs.
        """
        if self._uid_set is None:
            self._uid_set = UidSet.ofSorted(self.uids)
        return self._uid_set

    @property
    def first_unseen(self) -> int:
        """
        The first UID without C{\\Seen}; 0 when there is none.
        """
        if self._first_unseen < 0:
            found = (uid for uid, flags in zip(self.uids, self.flags, strict=True) if not flags & SEEN)
            self._first_unseen = next(found, 0)
        return self._first_unseen

    @property
    def cost(self) -> int:
        """
        Bytes that it occupies, nearly.
        """
        return 500 + 20 * len(self.uids)

    def runs(self, uids: UidSet, after: int = 0) -> list[tuple[int, int]]:
        """
        Where the messages of a set that come after a UID stand: ranges of
        positions, each without its end.
        """
        found: list[tuple[int, int]] = []
        own = self.uids
        at = bisect_left(own, after + 1)
        for low, high in uids.ranges:
            if high <= after:
                continue
            start = bisect_left(own, low, at)
            at = bisect_left(own, high + 1, start)
            if start == at:
                if at == len(own):
                    break
            elif found and found[-1][1] == start:
                found[-1] = (found[-1][0], at)
            else:
                found.append((start, at))
        return found

    def columns(self, runs: list[tuple[int, int]]) -> FlagColumns:
        """
        The rows at some positions.
        """
        if len(runs) == 1:
            low, high = runs[0]
            return FlagColumns(
                self.uids[low:high].tobytes(),
                self.flags[low:high].tobytes(),
                self.modseqs[low:high].tobytes(),
            )
        uids, flags, modseqs = uint32s(), uint64s(), uint64s()
        for low, high in runs:
            uids += self.uids[low:high]
            flags += self.flags[low:high]
            modseqs += self.modseqs[low:high]
        return FlagColumns(uids.tobytes(), flags.tobytes(), modseqs.tobytes())


class Snapshots:
    """
    Makes snapshots, and keeps them for the next who asks.
    """

    def __init__(self, capacity: int) -> None:
        self._kept: Cache[int, Snapshot] = Cache(capacity)

    def get(self, db: Connection, row: FolderRow) -> Snapshot:
        """
        The snapshot of a folder as its row says it is, with the flags that all users share.
        """
        kept = self._kept.get(row.id)
        if kept is not None and kept.version[0] == row.changed:
            return kept
        made: Snapshot | None = None
        if kept is not None and row.tombstones_from <= kept.version[0] < row.changed:
            made = _refreshed(db, row, kept)
        if made is None:
            made = _loaded(db, row)
        self._kept.put(row.id, made, made.cost)
        return made

    def remove(self, folder: int) -> None:
        """
        Forget a folder.
        """
        self._kept.remove(folder)

    def forget(self) -> None:
        """
        Read everything again.
        """
        self._kept.clear()


def _loaded(db: Connection, row: FolderRow) -> Snapshot:
    uids, flags, modseqs = uint32s(), uint64s(), uint64s()
    after = 0
    while True:
        texts = db.execute(_COLUMNS, (row.id, after, row.uid_next, _ROWS)).fetchone()
        if texts[0] is None:
            return Snapshot((row.changed, 0), uids, flags, modseqs)
        for column, text in zip((uids, flags, modseqs), texts, strict=True):
            column.extend(_NUMBERS.decode(f"[{text}]"))
        after = uids[-1]


def _refreshed(db: Connection, row: FolderRow, before: Snapshot) -> Snapshot | None:
    """
    A newer one; C{None} when so much has changed that it takes less to read everything.
    """
    since = before.version[0]
    uids, flags, modseqs = before.uids, before.flags, before.modseqs
    gone = db.execute(
        "SELECT low, high FROM tombstones WHERE folder = ? AND modseq > ? ORDER BY low", (row.id, since)
    ).fetchall()
    if gone:
        uids, flags, modseqs = without(UidSet.ofRanges(gone), uids, flags, modseqs)
    changed = db.execute(
        f"SELECT uid, flags, modseq FROM messages {BY_MODSEQ}"
        " WHERE folder = ? AND modseq > ? AND modseq <= ? ORDER BY uid LIMIT ?",
        (row.id, since, row.changed, _ROWS + 1),
    ).fetchall()
    if len(changed) > _ROWS:
        return None
    if changed:
        uids, flags, modseqs = uids[:], flags[:], modseqs[:]
        last = uids[-1] if uids else 0
        at = 0
        for uid, mask, modseq in changed:
            if uid > last:
                uids.append(uid)
                flags.append(mask)
                modseqs.append(modseq)
            else:
                at = bisect_left(uids, uid, at)
                flags[at] = mask
                modseqs[at] = modseq
    return Snapshot((row.changed, 0), uids, flags, modseqs)


def without(
    gone: UidSet, uids: array[int], flags: array[int], modseqs: array[int]
) -> tuple[array[int], array[int], array[int]]:
    """
    The columns without some UIDs.
    """
    kept = (uint32s(), uint64s(), uint64s())
    at = 0
    for low, high in gone.ranges:
        start = bisect_left(uids, low, at)
        for column, source in zip(kept, (uids, flags, modseqs), strict=True):
            column += source[at:start]
        at = bisect_left(uids, high + 1, start)
    for column, source in zip(kept, (uids, flags, modseqs), strict=True):
        column += source[at:]
    return kept
