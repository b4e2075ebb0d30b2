"""
C{\\Seen} in a folder where every user has his own.

A user's flags are a low-water mark, up to which everything is seen, and marks
for the messages that are otherwise; each has the mod-sequence of its last
change.  When marks get many the low-water mark is moved to where the fewest are
needed.  The changes of messages that it then stands for all get the latest
of their mod-sequences: who asks what changed may be told too much, and never too little.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from mailstore.engine import copies
from mailstore.engine.connection import Connection
from mailstore.engine.places import FolderRow
from mailstore.engine.snapshot import Snapshot, Snapshots
from mailstore.engine.users import Viewer
from mailstore.lru import Cache
from mailstore.model import SEEN, UidSet, uint32s

#: Marks that are not worth moving the low-water mark.
_FEW = 64

#: Messages on either side of the low-water mark among which a better place for it is looked for.
_NEAR = 1000

#: Marks from which on all messages are looked at for that.
_MANY = 8192

_SOME = "SELECT uid FROM messages WHERE folder = ?"

_ROW = "SELECT low, low_modseq, last, seen, marks, compact_at FROM seen WHERE folder = ? AND user = ?"
_SAVE = (
    "INSERT INTO seen (folder, user, low, low_modseq, last, seen, marks, compact_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (folder, user) DO UPDATE SET low = excluded.low,"
    " low_modseq = excluded.low_modseq, last = excluded.last, seen = excluded.seen, marks = excluded.marks,"
    " compact_at = excluded.compact_at"
)
_MARK = (
    "INSERT INTO seen_marks (folder, user, uid, seen, modseq) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (folder, user, uid) DO UPDATE SET seen = excluded.seen, modseq = excluded.modseq"
)


class SeenRow(NamedTuple):
    """
    A row of seen; the columns are told in the schema.
    """

    low: int = 0
    low_modseq: int = 0
    last: int = 0
    seen: int = 0
    marks: int = 0
    compact_at: int = _FEW


_NOTHING = SeenRow()


def ownSeen(row: FolderRow) -> bool:
    """
    Whether every user has a C{\\Seen} of his own in a folder.
    """
    return not row.shared_seen


def read(db: Connection, folder: int, user: int | None) -> SeenRow:
    """
    The row of a user; it may not exist.
    """
    row = db.lookup(_ROW, (folder, user))
    return _NOTHING if row is None else SeenRow._make(row)


class SeenState:
    """
    Some messages' flags of a user, to look at and change.
    """

    def __init__(self, db: Connection, folder: int, user: int, uids: array[int]) -> None:
        self._db = db
        self._folder = folder
        self._user = user
        self.row = read(db, folder, user)
        self._marks: dict[int, tuple[int, int]] = {}
        if self.row.marks and uids:
            found = db.execute(
                "SELECT uid, seen, modseq FROM seen_marks WHERE folder = ? AND user = ?"
                " AND uid BETWEEN ? AND ?",
                (folder, user, uids[0], uids[-1]),
            )
            self._marks = {uid: (seen, modseq) for uid, seen, modseq in found}

    def seen(self, uid: int) -> bool:
        """
        Whether the message is seen.
        """
        mark = self._marks.get(uid)
        return uid <= self.row.low if mark is None else bool(mark[0])

    def modseq(self, uid: int) -> int:
        """
        When that changed last; 0 for never.
        """
        mark = self._marks.get(uid)
        if mark is not None:
            return mark[1]
        return self.row.low_modseq if uid <= self.row.low else 0

    def change(self, uids: list[int], seen: bool, modseq: int) -> None:
        """
        Set or clear it on messages on which it is otherwise now.
        """
        if not uids:
            return
        added = sum(uid not in self._marks for uid in uids)
        self._db.executemany(_MARK, [(self._folder, self._user, uid, int(seen), modseq) for uid in uids])
        self._marks.update((uid, (int(seen), modseq)) for uid in uids)
        count = len(uids) if seen else -len(uids)
        self.row = self.row._replace(last=modseq, seen=self.row.seen + count, marks=self.row.marks + added)
        self._save()
        if self.row.marks > self.row.compact_at and not copies.isUnderWay(self._db, self._folder):
            self._compact()

    def prepare(self, uids: list[int], modseq: int) -> None:
        """
        Set it on messages that are not there yet, to be counted when they are.
        """
        self._db.executemany(_MARK, [(self._folder, self._user, uid, 1, modseq) for uid in uids])

    def prepared(self, count: int, modseq: int) -> None:
        """
        The messages are there for which L{prepare} was called.
        """
        self.row = self.row._replace(last=modseq, seen=self.row.seen + count, marks=self.row.marks + count)
        self._save()

    def _save(self) -> None:
        self._db.execute(_SAVE, (self._folder, self._user, *self.row))

    def _compact(self) -> None:
        """
        Move the low-water mark to where fewer marks are needed: among the messages near it, since to look
        at all takes long in a large folder; that is done when most of them have marks.
        """
        count, low = f"SELECT count(*) FROM ({_SOME}) s", self.row.low
        below = self._uids(f"{_SOME} AND uid <= ? ORDER BY uid DESC LIMIT ?", low, _NEAR)
        uids = below[::-1] + self._uids(f"{_SOME} AND uid > ? ORDER BY uid LIMIT ?", low, _NEAR)
        if self.row.marks > _MANY and len(uids) >= _NEAR:
            (messages,) = self._db.execute(count, (self._folder,)).fetchone()
            if self.row.marks > messages // 2:
                uids = self._uids(f"{_SOME} ORDER BY uid")
        if uids:
            self._compactAmong(uids)

    def _uids(self, statement: str, *values: int) -> array[int]:
        return uint32s(uid for (uid,) in self._db.execute(statement, (self._folder, *values)))

    def _compactAmong(self, uids: array[int]) -> None:
        """
        @param uids: messages that follow one another, and between which the low-water mark is, or next to.
        """
        of = (self._folder, self._user, uids[0], uids[-1])
        found = self._db.execute(
            "SELECT uid, seen, modseq FROM seen_marks WHERE folder = ? AND user = ? AND uid BETWEEN ? AND ?",
            of,
        )
        marks: dict[int, tuple[int, int]] = {uid: (seen, modseq) for uid, seen, modseq in found}
        low, low_modseq = self.row.low, self.row.low_modseq
        states = [marks.get(uid) or ((1, low_modseq) if uid <= low else (0, 0)) for uid in uids]
        at = _bestLow(states)
        folded = [modseq for seen, modseq in states[:at] if seen]
        renewed = [
            (self._folder, self._user, uid, seen, modseq)
            for position, (uid, (seen, modseq)) in enumerate(zip(uids, states, strict=True))
            if (not seen if position < at else bool(seen or modseq))
        ]
        self._db.execute("DELETE FROM seen_marks WHERE folder = ? AND user = ? AND uid BETWEEN ? AND ?", of)
        self._db.executemany(_MARK, renewed)
        for uid in marks:
            self._marks.pop(uid, None)
        self._marks.update((row[2], (row[3], row[4])) for row in renewed)
        count = self.row.marks - len(marks) + len(renewed)
        self.row = self.row._replace(
            low=uids[at - 1] if at else uids[0] - 1,
            low_modseq=max(folded, default=0) if not low else max(low_modseq, *folded, 0),
            marks=count,
            compact_at=2 * count + _FEW,
        )
        self._save()


def _bestLow(states: list[tuple[int, int]]) -> int:
    """
    Before which position the low-water mark leaves the fewest marks.
    """
    # Before it a message needs a mark if it is not seen, after it if it is, or ever was.
    marks = best_marks = sum(1 for seen, modseq in states if seen or modseq)
    best = 0
    for position, (seen, modseq) in enumerate(states, 1):
        marks += (not seen) - (1 if seen or modseq else 0)
        if marks <= best_marks:
            best, best_marks = position, marks
    return best


def removeMessages(db: Connection, row: FolderRow, gone: UidSet, uids: array[int]) -> None:
    """
    Note for every user that messages are no longer in a folder.

    @param uids: the same as C{gone}.
    """
    if row.shared_seen or not uids:
        return
    for user, *columns in db.execute(
        "SELECT user, low, low_modseq, last, seen, marks, compact_at FROM seen WHERE folder = ?", (row.id,)
    ).fetchall():
        own = SeenRow._make(columns)
        marks: list[tuple[int, int]] = []
        if own.marks:
            found = db.execute(
                "SELECT uid, seen FROM seen_marks WHERE folder = ? AND user = ? AND uid BETWEEN ? AND ?",
                (row.id, user, uids[0], uids[-1]),
            )
            marks = [(uid, seen) for uid, seen in found if uid in gone]
        below = bisect_right(uids, own.low)
        lost = below - sum(uid <= own.low for uid, _ in marks) + sum(seen for _, seen in marks)
        if marks:
            db.executemany(
                "DELETE FROM seen_marks WHERE folder = ? AND user = ? AND uid = ?",
                [(row.id, user, uid) for uid, _ in marks],
            )
        if lost or marks:
            own = own._replace(seen=own.seen - lost, marks=own.marks - len(marks))
            db.execute(_SAVE, (row.id, user, *own))


def clear(db: Connection, folder: int, most: int) -> int:
    """
    Forget some of everybody's flags in a folder that has gone.

    @return: how many marks these were; when they are fewer than C{most}, nothing is left.
    """
    marks = db.execute(
        "SELECT user, uid FROM seen_marks WHERE folder = ? ORDER BY user, uid LIMIT ?", (folder, most)
    ).fetchall()
    db.executemany(
        "DELETE FROM seen_marks WHERE folder = ? AND user = ? AND uid = ?",
        [(folder, user, uid) for user, uid in marks],
    )
    if len(marks) < most:
        db.execute("DELETE FROM seen WHERE folder = ?", (folder,))
    return len(marks)


class Views:
    """
    Snapshots as one user sees them, with his own C{\\Seen}.
    """

    def __init__(self, snapshots: Snapshots, capacity: int) -> None:
        self._snapshots = snapshots
        self._kept: Cache[tuple[int, int], tuple[Snapshot, SeenRow]] = Cache(capacity)

    def get(self, db: Connection, row: FolderRow, viewer: Viewer) -> tuple[Snapshot, SeenRow]:
        """
        The snapshot of a folder as the viewer sees it, and his row.
        """
        base = self._snapshots.get(db, row)
        if row.shared_seen or viewer.id is None:
            return base, _NOTHING
        own = read(db, row.id, viewer.id)
        if not own.last:
            return base, own
        key = (row.id, viewer.id)
        kept = self._kept.get(key)
        if kept is not None and kept[0].version == (row.changed, own.last) and kept[1] == own:
            return kept
        view = _refreshed(db, row, viewer.id, base, own, kept)
        self._kept.put(key, (view, own), view.cost)
        return view, own

    def forget(self) -> None:
        """
        Read everything again.
        """
        self._snapshots.forget()
        self._kept.clear()


def _refreshed(
    db: Connection,
    row: FolderRow,
    user: int,
    base: Snapshot,
    own: SeenRow,
    kept: tuple[Snapshot, SeenRow] | None,
) -> Snapshot:
    since = -1
    if (
        kept is not None
        and kept[0].version[0] == row.changed
        and kept[1].low == own.low
        and (kept[1].low_modseq == own.low_modseq)
    ):
        flags, modseqs = kept[0].flags[:], kept[0].modseqs[:]
        since = kept[1].last
    else:
        at = bisect_right(base.uids, own.low)
        flags, modseqs = base.flags[:], base.modseqs[:]
        if at:
            flags[:at] = array("Q", [each | SEEN for each in flags[:at]])
            low_modseq = own.low_modseq
            modseqs[:at] = array("Q", [each if each > low_modseq else low_modseq for each in modseqs[:at]])
    uids = base.uids
    count = len(uids)
    at = 0
    for uid, seen, modseq in db.execute(
        "SELECT uid, seen, modseq FROM seen_marks WHERE folder = ? AND user = ? AND modseq > ? ORDER BY uid",
        (row.id, user, since),
    ):
        at = bisect_left(uids, uid, at)
        if at < count and uids[at] == uid:
            flags[at] = flags[at] | SEEN if seen else flags[at] & ~SEEN
            modseqs[at] = max(base.modseqs[at], modseq)
    return Snapshot((row.changed, own.last), uids, flags, modseqs)
