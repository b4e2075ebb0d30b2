"""
A folder as a whole: its counts, opening it, and what changed in it.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator

import attrs

from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import SeenRow, Views, ownSeen, read
from mailstore.engine.snapshot import Snapshot
from mailstore.engine.users import Viewer
from mailstore.model import FlagColumns, FolderDelta, FolderStatus, OpenFolder, UidSet


def _status(row: FolderRow, own: SeenRow, recent: int) -> FolderStatus:
    return FolderStatus(
        folder=row.id,
        messages=row.messages,
        recent=recent,
        unseen=row.messages - own.seen if ownSeen(row) else row.unseen,
        deleted=row.deleted,
        size=row.size,
        uid_next=row.uid_next,
        uid_validity=row.uid_validity,
        highest_modseq=max(row.changed, own.last),
    )


def status(db: sqlite3.Connection, row: FolderRow, viewer: Viewer) -> FolderStatus:
    """
    The counts of a folder.
    """
    return _status(row, read(db, row.id, viewer.id) if ownSeen(row) else SeenRow(), row.recent)


def claimRecent(db: sqlite3.Connection, row: FolderRow) -> int:
    """
    Take the recent messages of a folder, so that nobody else gets them.

    @return: the UID from which on they are; 0 when there are none.
    """
    if not row.recent:
        return 0
    row._replace(first_recent=row.uid_next, recent=0).save(db)
    return row.first_recent


def opened(
    db: sqlite3.Connection,
    views: Views,
    row: FolderRow,
    viewer: Viewer,
    name: str,
    rights: str,
    claimed: int | None,
) -> OpenFolder:
    """
    A folder at this moment.

    @param claimed: what L{claimRecent} gave; C{None} when it was not to claim anything.
    """
    view, own = views.get(db, row, viewer)
    first_recent = claimed if claimed is not None else row.first_recent if row.recent else 0
    recent = len(view.uids) - bisect_left(view.uids, first_recent) if first_recent else 0
    counts = _status(row, own, recent)
    return OpenFolder(
        folder=row.id,
        name=name,
        rights=rights,
        status=counts,
        keywords=row.keywordNames(),
        uids=view.uid_set,
        first_recent=first_recent if recent else 0,
        first_unseen=view.first_unseen if counts.unseen else 0,
    )


@attrs.frozen
class Difference:
    """
    What changed in a folder between two moments, held by what never changes itself.
    """

    row: FolderRow
    view: Snapshot
    highest: int
    vanished: UidSet
    positions: list[int]
    first_recent: int

    def batches(self, limits: EngineLimits) -> Iterator[FolderDelta]:
        """
        It, in batches; at least one.
        """
        keywords = self.row.keywordNames()
        rows = limits.batch_rows
        ranges = self.vanished.ranges
        changed_batches = -(-len(self.positions) // rows)
        vanished_batches = -(-len(ranges) // rows)
        for number in range(max(1, changed_batches, vanished_batches)):
            yield FolderDelta(
                highest_modseq=self.highest,
                vanished=UidSet(ranges[number * rows : (number + 1) * rows]),
                changed=self._columns(self.positions[number * rows : (number + 1) * rows]),
                keywords=keywords,
                first_recent=self.first_recent,
            )

    def _columns(self, positions: list[int]) -> FlagColumns:
        if not positions:
            return FlagColumns()
        runs: list[tuple[int, int]] = []
        for at in positions:
            if runs and runs[-1][1] == at:
                runs[-1] = (runs[-1][0], at + 1)
            else:
                runs.append((at, at + 1))
        return self.view.columns(runs)


def difference(
    db: sqlite3.Connection, views: Views, row: FolderRow, viewer: Viewer, since: int, first_recent: int
) -> Difference:
    """
    What changed in a folder after a mod-sequence.
    """
    view, own = views.get(db, row, viewer)
    highest = max(row.changed, own.last)
    vanished, positions = UidSet(), list[int]()
    if since < highest:
        vanished = _vanished(db, row, view, since)
        positions = [at for at, modseq in enumerate(view.modseqs) if modseq > since]
    return Difference(row, view, highest, vanished, positions, first_recent)


def _vanished(db: sqlite3.Connection, row: FolderRow, view: Snapshot, since: int) -> UidSet:
    if since >= row.tombstones_from:
        gone = db.execute("SELECT low, high FROM tombstones WHERE folder = ? AND modseq > ?", (row.id, since))
        return UidSet.ofRanges(gone)
    # Older tombstones are forgotten: whatever is not here has gone.
    missing: list[tuple[int, int]] = []
    expected = 1
    for low, high in (*view.uid_set.ranges, (row.uid_next, row.uid_next)):
        if expected < low:
            missing.append((expected, low - 1))
        expected = high + 1
    return UidSet(tuple(missing))
