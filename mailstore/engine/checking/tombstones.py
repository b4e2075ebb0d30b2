"""
What is remembered of expunged messages, so that clients learn of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailstore.engine.checking.context import GONE, Context, nextModseq
from mailstore.engine.checking.findings import Execute, Fault, counted
from mailstore.engine.connection import Connection

_COVERS = "EXISTS (SELECT 1 FROM messages m WHERE m.folder = t.folder AND m.uid BETWEEN t.low AND t.high)"


def tombstones(context: Context) -> Iterator[Fault | None]:
    """
    They are of folders that are there and of messages that are not, and none is missing.
    """
    db = context.db
    found = db.execute(
        "SELECT folder, count(*) FROM tombstones t"
        " WHERE NOT EXISTS (SELECT 1 FROM folders f WHERE f.id = t.folder)"
        f" AND folder NOT IN {GONE} GROUP BY folder"
    )
    for folder, count in found:
        yield Fault(
            "tombstone-orphan",
            f"{counted(count, 'expunge')} in folder number {folder}",
            "there is no such folder",
            "removed",
            Execute("DELETE FROM tombstones WHERE folder = ?", folder),
        )
    found = db.execute(
        "SELECT f.id, f.uid_next - 1, f.tombstones_from, coalesce(t.uids, 0), coalesce(t.wrong, 0),"
        " coalesce(t.alive, 0),"
        " (SELECT count(*) FROM messages m WHERE m.folder = f.id AND m.uid < f.uid_next)"
        " FROM folders f LEFT JOIN"
        " (SELECT folder, sum(high - low + 1) AS uids, sum(low > high OR low < 1 OR high >= g.uid_next OR"
        f" t.modseq <= g.tombstones_from) AS wrong, sum({_COVERS}) AS alive"
        " FROM tombstones t JOIN folders g ON g.id = t.folder GROUP BY folder) t ON t.folder = f.id"
        " WHERE f.selectable"
    )
    for folder, given, forgotten, uids, wrong, alive, messages in found:
        problem = ""
        if wrong:
            problem = "expunges that make no sense are remembered"
        elif alive:
            problem = "messages that are there are remembered as expunged"
        elif not forgotten and messages + uids != given:
            problem = f"{given} UIDs were given out; {messages} messages are there, {uids} were expunged"
        if problem:
            yield Fault(
                "tombstones",
                context.folder(folder),
                problem,
                "forgotten: clients compare all that is there",
                _forget(folder),
            )


class _forget:
    """
    Forgets all expunges of a folder, and tells of the messages that were said to be expunged.
    """

    def __init__(self, folder: int) -> None:
        self._folder = folder

    def __call__(self, db: Connection) -> None:
        modseq = nextModseq(db, self._folder)
        db.execute(
            "UPDATE messages SET modseq = ? WHERE folder = ? AND EXISTS (SELECT 1 FROM tombstones t"
            " WHERE t.folder = messages.folder AND messages.uid BETWEEN t.low AND t.high)",
            (modseq, self._folder),
        )
        db.execute("DELETE FROM tombstones WHERE folder = ?", (self._folder,))
        db.execute("UPDATE folders SET tombstones_from = ? WHERE id = ?", (modseq, self._folder))
