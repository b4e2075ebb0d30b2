"""
Users' own C{\\Seen}: the marks fit the messages, and the counts fit the marks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from mailstore.engine.checking.context import GONE, Context, nextModseq
from mailstore.engine.checking.findings import Fault
from mailstore.engine.connection import Connection
from mailstore.model import uint32s

_SYSTEM_ID = -1

#: Above all UIDs.
_END = 1 << 32


def orphans(context: Context) -> Iterator[Fault | None]:
    """
    The folders and the users of such flags are there, and the row that marks belong to.
    """
    found = context.db.execute(
        "SELECT folder, user, EXISTS (SELECT 1 FROM folders f WHERE f.id = s.folder) FROM"
        " (SELECT folder, user FROM seen UNION SELECT folder, user FROM seen_marks) s WHERE"
        f" (NOT EXISTS (SELECT 1 FROM folders f WHERE f.id = s.folder) AND folder NOT IN {GONE})"
        f" OR (user <> {_SYSTEM_ID} AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user))"
    )
    for folder, user, has_folder in found:
        yield Fault(
            "seen-orphan",
            f"seen messages of {context.user(user)} in {context.folder(folder)}",
            "there is no such user" if has_folder else "there is no such folder",
            "removed",
            _forget(folder, user),
        )


class _forget:
    """
    Removes what a user has seen in a folder.
    """

    def __init__(self, folder: int, user: int) -> None:
        self._of = (folder, user)

    def __call__(self, db: Connection) -> None:
        db.execute("DELETE FROM seen WHERE folder = ? AND user = ?", self._of)
        db.execute("DELETE FROM seen_marks WHERE folder = ? AND user = ?", self._of)


def counts(context: Context) -> Iterator[Fault | None]:
    """
    What is kept of each user's flags in a folder equals what can be counted.
    """
    db = context.db
    folders = db.execute(
        "SELECT id, uid_next, modseq, EXISTS (SELECT 1 FROM copies k WHERE k.folder = f.id) FROM folders f"
        " WHERE NOT shared_seen AND (EXISTS (SELECT 1 FROM seen s WHERE s.folder = f.id)"
        " OR EXISTS (SELECT 1 FROM seen_marks k WHERE k.folder = f.id)) ORDER BY id"
    )
    for folder, uid_next, modseq, is_copied_to in folders:
        # What is being copied into it is not counted yet.
        end = uid_next if is_copied_to else _END
        uids: array[int] | None = None
        for user, *said in db.execute(
            "SELECT w.user, s.low, s.low_modseq, s.last, s.seen, s.marks FROM"
            " (SELECT user FROM seen WHERE folder = ?1"
            " UNION SELECT user FROM seen_marks WHERE folder = ?1 AND uid < ?2) w"
            " LEFT JOIN seen s ON s.folder = ?1 AND s.user = w.user",
            (folder, end),
        ):
            if uids is None:
                uids = _uids(db, folder)
            problem = _wrong(db, folder, user, said, uids, uid_next, modseq, end)
            if problem:
                yield Fault(
                    "seen-counts",
                    f"seen messages of {context.user(user)} in {context.folder(folder)}",
                    problem,
                    "counted",
                    _count(folder, user),
                )


def _uids(db: Connection, folder: int) -> array[int]:
    found = db.execute(
        "SELECT uid FROM messages WHERE folder = ? AND uid BETWEEN 1 AND 4294967295 ORDER BY uid", (folder,)
    )
    return uint32s(uid for (uid,) in found)


def _wrong(
    db: Connection,
    folder: int,
    user: int,
    said: list[int | None],
    uids: array[int],
    uid_next: int,
    modseq: int,
    end: int,
) -> str:
    low, low_modseq, last, seen, marks = said
    if low is None or low_modseq is None or last is None:
        return "there are marks and nothing else"
    count, gone, bad, latest = db.execute(
        "SELECT count(*), coalesce(sum(NOT EXISTS"
        " (SELECT 1 FROM messages m WHERE m.folder = k.folder AND m.uid = k.uid)), 0),"
        " coalesce(sum(seen NOT IN (0, 1)), 0), coalesce(max(modseq), 0)"
        " FROM seen_marks k WHERE folder = ? AND user = ? AND uid < ?",
        (folder, user, end),
    ).fetchone()
    wrong = []
    if gone or bad:
        wrong.append(f"{gone or bad} marks are of no message" if gone else f"{bad} marks make no sense")
    if marks != count:
        wrong.append(f"marks are {count}, and it says {marks}")
    right = _seen(db, folder, user, low, uids, end)
    if not gone and not bad and seen != right:
        wrong.append(f"seen are {right}, and it says {seen}")
    if low >= uid_next or low < 0:
        wrong.append(f"all is seen up to UID {low}, and UIDNEXT is {uid_next}")
    if max(latest, low_modseq) > last or last > modseq:
        wrong.append(
            f"there is mod-sequence {max(latest, low_modseq)}, its last is {last}, and the folder's {modseq}"
        )
    return "; ".join(wrong)


def _seen(db: Connection, folder: int, user: int, low: int, uids: array[int], end: int) -> int:
    below, seen = db.execute(
        "SELECT coalesce(sum(uid <= ?), 0), coalesce(sum(seen), 0) FROM seen_marks"
        " WHERE folder = ? AND user = ? AND uid < ?",
        (low, folder, user, end),
    ).fetchone()
    return bisect_right(uids, low) - int(below) + int(seen)


class _count:
    """
    Counts what a user has seen in a folder; what he has seen stays as it is.
    """

    def __init__(self, folder: int, user: int) -> None:
        self._folder = folder
        self._user = user

    def __call__(self, db: Connection) -> None:
        of = (self._folder, self._user)
        last = nextModseq(db, self._folder)
        db.execute(
            "DELETE FROM seen_marks WHERE folder = ? AND user = ? AND (seen NOT IN (0, 1) OR NOT EXISTS"
            " (SELECT 1 FROM messages m WHERE m.folder = seen_marks.folder AND m.uid = seen_marks.uid))",
            of,
        )
        db.execute("UPDATE seen_marks SET modseq = min(modseq, ?) WHERE folder = ? AND user = ?", (last, *of))
        (uid_next,) = db.execute("SELECT uid_next FROM folders WHERE id = ?", (self._folder,)).fetchone()
        row = db.execute(
            "SELECT low, low_modseq, compact_at FROM seen WHERE folder = ? AND user = ?", of
        ).fetchone()
        low, low_modseq, compact_at = row or (0, 0, 0)
        low = min(max(0, low), uid_next - 1)
        (marks,) = db.execute("SELECT count(*) FROM seen_marks WHERE folder = ? AND user = ?", of).fetchone()
        seen = _seen(db, self._folder, self._user, low, _uids(db, self._folder), _END)
        db.execute(
            "INSERT OR REPLACE INTO seen (folder, user, low, low_modseq, last, seen, marks, compact_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*of, low, min(low_modseq, last), last, seen, marks, max(compact_at, 2 * marks + 64)),
        )
