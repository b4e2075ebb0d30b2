"""
A folder as a whole: its counts, opening it, and what changed in it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import TypeAlias

import attrs

from mailstore.engine import dialect
from mailstore.engine.connection import Connection, marks
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow, Places
from mailstore.engine.seen import SeenRow, SeenState, Views, ownSeen, read
from mailstore.engine.users import Users, Viewer
from mailstore.errors import NoSuchFolder, PermissionDenied
from mailstore.model import (
    SEEN,
    FlagColumns,
    FolderDelta,
    FolderStatus,
    News,
    OpenFolder,
    StatusColumns,
    UidSet,
    Watcher,
    uint32s,
    uint64s,
)

#: Bytes of a row of L{StatusColumns}, nearly.
_ROW_COST = 120

#: What is told to many at once, at most: more is asked for by each, when he has read what came before.
_MOST_NEWS = 100

_ACLS = "SELECT DISTINCT owner, acl FROM folders WHERE selectable AND id IN ({marks}) ORDER BY owner, acl"

_STATUSES = (
    "SELECT id, owner, acl, messages, recent, unseen, deleted, size, uid_next, uid_validity, changed,"
    " shared_seen FROM folders WHERE selectable AND id IN ({marks})"
)


def mailboxId(identity: str, folder: int) -> str:
    """
    What names a folder for ever.

    @param identity: the store's own, since folders of different stores have the same numbers.
    """
    return f"F{identity}-{folder:x}"


def _status(row: FolderRow, own: SeenRow, recent: int, identity: str) -> FolderStatus:
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
        mailbox_id=mailboxId(identity, row.id),
    )


def status(db: Connection, row: FolderRow, viewer: Viewer, identity: str) -> FolderStatus:
    """
    The counts of a folder.
    """
    own = read(db, row.id, viewer.id) if ownSeen(row) else SeenRow()
    return _status(row, own, row.recent, identity)


def statusRows(limits: EngineLimits) -> int:
    """
    How many folders L{statuses} is to be asked for at once.
    """
    return max(1, min(limits.batch_rows, limits.batch_bytes // _ROW_COST, 10_000))


def statuses(
    db: Connection, places: Places, viewer: Viewer, folders: array[int], identity: str
) -> StatusColumns:
    """
    The counts of those of some folders that a viewer may read, and the rights on others.  Who has
    the same rights, and no flags of his own, is told the same.
    """
    wanted = tuple(dict.fromkeys(each for each in folders if each < 1 << 63))
    some = marks(wanted)
    # Few distinct rights over many folders: each is decided once.
    acls: list[tuple[int, int]] = db.remember(
        ("acls", wanted),
        lambda: db.execute(_ACLS.format(marks=some), wanted).fetchall(),
        lambda found: 1 + (len(wanted) + len(found)) // 8,
    )
    decided = {(owner, acl): places.rightsOn(db, viewer, owner, acl) for owner, acl in acls}
    own: dict[int, tuple[int, int]] = {
        folder: (last, seen)
        for folder, last, seen in db.execute(
            f"SELECT folder, last, seen FROM seen WHERE user = ? AND folder IN ({some})",
            (viewer.id, *wanted),
        )
    }

    def make() -> StatusColumns:
        found = {row[0]: row[1:] for row in db.execute(_STATUSES.format(marks=some), wanted)}
        return _statuses(wanted, found, decided, own, identity)

    if own:
        return make()
    return db.remember(
        ("statuses", wanted, tuple(decided.values())), make, lambda columns: 1 + len(columns.mailbox_ids) // 2
    )


def _statuses(
    folders: tuple[int, ...],
    found: dict[int, tuple[int, ...]],
    decided: dict[tuple[int, int], str],
    own: dict[int, tuple[int, int]],
    identity: str,
) -> StatusColumns:
    """
    Columns of what was read.

    @param decided: the viewer's rights, by owner and ACL.
    @param own: the last change of his own flags, and how many messages he has seen.
    """
    rows: list[tuple[int, ...]] = []
    letters: list[str] = []
    unread = uint64s()
    unread_letters: list[str] = []
    for folder in folders:
        row = found.get(folder)
        if row is None:
            continue
        owner, acl, messages, recent, unseen, deleted, size, uid_next, uid_validity, changed, shared = row
        rights = decided[owner, acl]
        if "r" not in rights:
            if "l" in rights:
                unread.append(folder)
                unread_letters.append(rights)
            continue
        if not shared:
            last, seen = own.get(folder, (0, 0))
            unseen, changed = messages - seen, max(changed, last)
        rows.append((folder, messages, recent, unseen, deleted, size, uid_next, uid_validity, changed))
        letters.append(rights)
    columns = list(map(uint64s, zip(*rows, strict=True))) or [uint64s()] * 9
    return StatusColumns(
        folders=columns[0].tobytes(),
        messages=columns[1].tobytes(),
        recent=columns[2].tobytes(),
        unseen=columns[3].tobytes(),
        deleted=columns[4].tobytes(),
        size=columns[5].tobytes(),
        uid_next=columns[6].tobytes(),
        uid_validity=columns[7].tobytes(),
        highest_modseq=columns[8].tobytes(),
        mailbox_ids=tuple(mailboxId(identity, folder) for folder in columns[0]),
        rights=tuple(letters),
        unread=unread.tobytes(),
        unread_rights=tuple(unread_letters),
    )


def claimRecent(db: Connection, row: FolderRow) -> tuple[FolderRow, int]:
    """
    Take the recent messages of a folder, so that nobody else gets them.

    @return: the row now, and the UID from which on they are; 0 when there are none.
    """
    if not row.recent:
        return row, 0
    claimed = row._replace(first_recent=row.uid_next, recent=0)
    claimed.save(db)
    return claimed, row.first_recent


def opened(
    db: Connection,
    views: Views,
    row: FolderRow,
    viewer: Viewer,
    name: str,
    rights: str,
    claimed: int | None,
    identity: str,
) -> OpenFolder:
    """
    A folder at this moment.

    @param claimed: what L{claimRecent} gave; C{None} when it was not to claim anything.
    """
    view, own = views.get(db, row, viewer)
    first_recent = claimed if claimed is not None else row.first_recent if row.recent else 0
    recent = len(view.uids) - bisect_left(view.uids, first_recent) if first_recent else 0
    counts = _status(row, own, recent, identity)
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


#: UIDs, flags and mod-sequences of some messages.
_Columns: TypeAlias = "tuple[array[int], array[int], array[int]]"


@attrs.frozen
class Difference:
    """
    What changed in a folder between two moments, held by what never changes itself.
    """

    row: FolderRow
    highest: int
    vanished: UidSet
    changed: _Columns
    first_recent: int

    @property
    def size(self) -> int:
        """
        How many messages, and ranges of those that are gone, it has.
        """
        return len(self.changed[0]) + len(self.vanished.ranges)

    def batch(self) -> FolderDelta:
        """
        All of it in one batch.
        """
        return FolderDelta(
            highest_modseq=self.highest,
            vanished=self.vanished,
            changed=FlagColumns(*(each.tobytes() for each in self.changed)),
            keywords=self.row.keywordNames(),
            first_recent=self.first_recent,
        )

    def batches(self, limits: EngineLimits) -> Iterator[FolderDelta]:
        """
        It, in batches; at least one.
        """
        keywords = self.row.keywordNames()
        rows = limits.batch_rows
        ranges = self.vanished.ranges
        most = max(len(ranges), len(self.changed[0]), 1)
        for start in range(0, most, rows):
            yield FolderDelta(
                highest_modseq=self.highest,
                vanished=UidSet(ranges[start : start + rows]),
                changed=FlagColumns(*(each[start : start + rows].tobytes() for each in self.changed)),
                keywords=keywords,
                first_recent=self.first_recent,
            )


def difference(
    db: Connection,
    views: Views,
    limits: EngineLimits,
    row: FolderRow,
    viewer: Viewer,
    since: int,
    first_recent: int,
) -> Difference:
    """
    What changed in a folder after a mod-sequence.
    """
    own = read(db, row.id, viewer.id) if ownSeen(row) and viewer.id is not None else SeenRow()
    highest = max(row.changed, own.last)
    if since >= highest:
        return Difference(row, highest, UidSet(), (uint32s(), uint64s(), uint64s()), first_recent)
    changed = None
    if since >= own.low_modseq:
        changed = _fewChanged(db, row, viewer, since, limits.batch_rows)
    if changed is None:
        view, _ = views.get(db, row, viewer)
        at = [position for position, modseq in enumerate(view.modseqs) if modseq > since]
        changed = (
            uint32s(view.uids[each] for each in at),
            uint64s(view.flags[each] for each in at),
            uint64s(view.modseqs[each] for each in at),
        )
    return Difference(row, highest, _vanished(db, views, row, viewer, since), changed, first_recent)


def news(
    db: Connection,
    places: Places,
    users: Users,
    views: Views,
    limits: EngineLimits,
    folder: int,
    watchers: tuple[Watcher, ...],
    claim: bool,
) -> tuple[News, ...]:
    """
    What is new to each of several.  Who knows as much, and has no flags of his own, is told the same.

    @param claim: whether recent messages may be claimed.
    """
    differences: dict[tuple[int, int | None], Difference] = {}
    told: dict[tuple[int, int, int | None], tuple[FolderDelta, list[int]]] = {}
    for at, each in enumerate(watchers):
        viewer = users.viewer(db, each.user)
        try:
            row = places.byId(db, viewer, folder, "r")
        except (NoSuchFolder, PermissionDenied):
            continue
        own = read(db, row.id, viewer.id) if ownSeen(row) and viewer.id is not None else SeenRow()
        whose = viewer.id if own.last else None
        found = differences.get((each.since, whose))
        if found is None:
            found = difference(db, views, limits, row, viewer, each.since, 0)
            differences[each.since, whose] = found
        if found.size > _MOST_NEWS:
            continue
        first_recent = 0
        if each.claim_recent and row.recent:
            if not claim:
                continue
            _, first_recent = claimRecent(db, row)
        key = (each.since, first_recent, whose)
        if key not in told:
            told[key] = (attrs.evolve(found, first_recent=first_recent).batch(), [])
        told[key][1].append(at)
    return tuple(News(tuple(places_), delta) for delta, places_ in told.values())


def _fewChanged(db: Connection, row: FolderRow, viewer: Viewer, since: int, most: int) -> _Columns | None:
    """
    What changed, without a look at all that did not; C{None} when it is more
    than C{most} messages.
    """
    found: dict[int, tuple[int, int]] = {
        uid: (flags, modseq)
        for uid, flags, modseq in db.execute(
            f"SELECT uid, flags, modseq FROM messages {dialect.BY_MODSEQ}"
            " WHERE folder = ? AND modseq > ? AND modseq <= ? LIMIT ?",
            (row.id, since, row.changed, most + 1),
        )
    }
    if ownSeen(row) and viewer.id is not None and len(found) <= most:
        found.update(
            (uid, (flags, modseq))
            for uid, flags, modseq in db.execute(
                "SELECT m.uid, m.flags, m.modseq FROM seen_marks s"
                f" {dialect.FOR_EACH_JOIN} messages m ON m.folder = s.folder AND m.uid = s.uid"
                " WHERE s.folder = ? AND s.user = ? AND s.modseq > ? AND s.uid < ? LIMIT ?",
                (row.id, viewer.id, since, row.uid_next, most + 1),
            )
        )
    if len(found) > most:
        return None
    uids = uint32s(sorted(found))
    flags, modseqs = uint64s(found[uid][0] for uid in uids), uint64s(found[uid][1] for uid in uids)
    if ownSeen(row) and viewer.id is not None and uids:
        state = SeenState(db, row.id, viewer.id, uids)
        for at, uid in enumerate(uids):
            flags[at] = flags[at] | SEEN if state.seen(uid) else flags[at] & ~SEEN
            modseqs[at] = max(modseqs[at], state.modseq(uid))
    return uids, flags, modseqs


def _vanished(db: Connection, views: Views, row: FolderRow, viewer: Viewer, since: int) -> UidSet:
    if since >= row.tombstones_from:
        gone = db.execute("SELECT low, high FROM tombstones WHERE folder = ? AND modseq > ?", (row.id, since))
        return UidSet.ofRanges(gone)
    # Older tombstones are forgotten: whatever is not here has gone.
    view, _ = views.get(db, row, viewer)
    missing: list[tuple[int, int]] = []
    expected = 1
    for low, high in (*view.uid_set.ranges, (row.uid_next, row.uid_next)):
        if expected < low:
            missing.append((expected, low - 1))
        expected = high + 1
    return UidSet(tuple(missing))
