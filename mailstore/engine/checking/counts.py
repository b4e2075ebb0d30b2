"""
Everything that is kept so that it need not be counted, and the numbers that only grow.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailstore.engine.checking.context import Context, nextModseq
from mailstore.engine.checking.findings import Execute, Fault
from mailstore.engine.connection import Connection
from mailstore.engine.places import COLUMNS, FolderRow
from mailstore.engine.users import PUBLIC
from mailstore.model import DELETED, SEEN

_MAX_UID = 0xFFFFFFFF

#: By folder: what its messages, tombstones and users' own flags say.
_COUNTED = f"""
    SELECT {", ".join("f." + each.strip() for each in COLUMNS.split(","))},
        coalesce(m.messages, 0), coalesce(m.size, 0), coalesce(m.deleted, 0),
        CASE WHEN f.shared_seen THEN coalesce(m.unseen, 0) ELSE 0 END, coalesce(m.recent, 0),
        coalesce(m.uid, 0), coalesce(m.modseq, 0),
        coalesce(t.uid, 0), coalesce(t.modseq, 0), coalesce(s.modseq, 0)
    FROM folders f
    LEFT JOIN (
        SELECT m.folder, count(*) AS messages, sum(m.size) AS size, sum(m.flags & {DELETED} <> 0) AS deleted,
            sum(m.flags & {SEEN} = 0) AS unseen, sum(m.uid >= g.first_recent) AS recent,
            max(m.uid) AS uid, max(m.modseq) AS modseq
        FROM messages m JOIN folders g ON g.id = m.folder
        WHERE m.uid < g.uid_next OR NOT EXISTS (SELECT 1 FROM copies k WHERE k.folder = g.id)
        GROUP BY m.folder
    ) m ON m.folder = f.id
    LEFT JOIN (
        SELECT folder, max(high) AS uid, max(modseq) AS modseq FROM tombstones GROUP BY folder
    ) t ON t.folder = f.id
    LEFT JOIN (
        SELECT folder, max(max(last, low_modseq)) AS modseq FROM seen GROUP BY folder
    ) s ON s.folder = f.id
    {{where}}
"""


def folders(context: Context) -> Iterator[Fault | None]:
    """
    What folders say of their messages, and the UIDs and mod-sequences that come next.
    """
    for values in context.db.execute(_COUNTED.format(where="")):
        row = FolderRow._make(values[:19])
        messages, size, deleted, unseen, recent, uid, modseq, dead_uid, dead_modseq, seen_modseq = values[19:]
        where = None
        counted = {
            "messages": (row.messages, messages),
            "bytes": (row.size, size),
            "unseen": (row.unseen, unseen),
            "deleted": (row.deleted, deleted),
            "recent": (row.recent, recent),
        }
        wrong = [
            f"{name} are {right}, and it says {said}"
            for name, (said, right) in counted.items()
            if said != right
        ]
        if wrong:
            where = context.folder(row.id)
            yield Fault("folder-counts", where, "; ".join(wrong), "counted", _count(row.id))
        # What everybody can see changed last, and what anybody can.
        changed = max(modseq, dead_modseq, 1)
        last = max(changed, seen_modseq, row.tombstones_from, row.changed)
        wrong = []
        if not max(uid, dead_uid) < row.uid_next or row.first_recent > row.uid_next:
            wrong.append(f"there is UID {max(uid, dead_uid)}, and UIDNEXT is {row.uid_next}")
        if row.changed < changed or row.modseq < last:
            wrong.append(f"there is mod-sequence {last}, and its last is {row.modseq}, of all {row.changed}")
        if not wrong:
            continue
        where = where or context.folder(row.id)
        if max(uid, dead_uid, row.first_recent - 1) >= _MAX_UID:
            yield Fault("folder-bounds", where, f"{'; '.join(wrong)}: it has used up its UIDs")
        else:
            yield Fault("folder-bounds", where, "; ".join(wrong), "raised", _raise(row.id, last))


class _count:
    """
    Counts what is in a folder.
    """

    def __init__(self, folder: int) -> None:
        self._folder = folder

    def __call__(self, db: Connection) -> None:
        # Who knows the counts by an older mod-sequence must ask again.
        nextModseq(db, self._folder)
        values = db.execute(_COUNTED.format(where="WHERE f.id = ?"), (self._folder,)).fetchone()
        db.execute(
            "UPDATE folders SET messages = ?, size = ?, deleted = ?, unseen = ?, recent = ? WHERE id = ?",
            (*values[19:24], self._folder),
        )


class _raise:
    """
    Raises the numbers that come next above those that there are.
    """

    def __init__(self, folder: int, last: int) -> None:
        self._folder = folder
        self._last = last

    def __call__(self, db: Connection) -> None:
        db.execute(
            "UPDATE folders SET modseq = max(modseq, ?), uid_next = max(uid_next, first_recent,"
            " 1 + coalesce((SELECT max(uid) FROM messages WHERE folder = ?2), 0),"
            " 1 + coalesce((SELECT max(high) FROM tombstones WHERE folder = ?2), 0)) WHERE id = ?2",
            (self._last, self._folder),
        )
        nextModseq(db, self._folder)


def trees(context: Context) -> Iterator[Fault | None]:
    """
    What trees say of their folders.
    """
    found = context.db.execute(
        "SELECT * FROM (SELECT t.owner, t.folders AS a, t.messages AS b, t.size AS c,"
        " coalesce(f.folders, 0) AS d, coalesce(f.messages, 0) AS e, coalesce(f.size, 0) AS g"
        " FROM trees t LEFT JOIN"
        " (SELECT owner, count(*) AS folders, sum(messages) AS messages, sum(size) AS size FROM folders"
        " GROUP BY owner) f ON f.owner = t.owner) WHERE (a, b, c) <> (d, e, g)"
    )
    for owner, folders_said, messages_said, size_said, *right in found:
        said = (folders_said, messages_said, size_said)
        wrong = [
            f"{name} are {counted}, and it says {claimed}"
            for name, claimed, counted in zip(("folders", "messages", "bytes"), said, right, strict=True)
            if claimed != counted
        ]
        yield Fault(
            "tree-counts",
            "the public folders" if owner == PUBLIC else f"folders of {context.user(owner)}",
            "; ".join(wrong),
            "counted",
            Execute(
                "UPDATE trees SET folders = ?, messages = ?, size = ?, generation = generation + 1"
                " WHERE owner = ?",
                *right,
                owner,
            ),
        )
