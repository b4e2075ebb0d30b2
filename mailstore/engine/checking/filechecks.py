"""
The file itself: its pages, its tables and the single values in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator

from mailstore.engine import schema
from mailstore.engine.checking.context import Context
from mailstore.engine.checking.findings import Execute, Fault
from mailstore.engine.connection import Connection
from mailstore.engine.lookups import LookupConnection

#: Of an index that does not fit its table SQLite says one of these.
_INDEX_WORDS = ("missing from index", "wrong # of entries in index", "non-unique entry in index")

#: Faults that SQLite is asked for at most.
_MOST = 1000

#: The search index, which is looked at by itself.
_INDEX = "text_index"

_LARGEST_VALIDITY = 0xFFFFFFFF

#: Tables whose identities are never used again, and who names them.
_SEQUENCES = {
    "users": "SELECT max((SELECT max(id) FROM users), (SELECT max(owner) FROM trees))",
    "acls": "SELECT max(id) FROM acls",
    "user_groups": "SELECT max(id) FROM user_groups",
    "folders": "SELECT max(id) FROM folders",
    "contents": "SELECT max(id) FROM contents",
}


def damage(context: Context) -> Iterator[Fault | None]:
    """
    What SQLite itself finds: damaged pages, and indexes that do not fit their tables.
    """
    for (line,) in context.db.execute(f"PRAGMA integrity_check({_MOST})"):
        if line == "ok":
            continue
        if any(each in line for each in _INDEX_WORDS):
            yield Fault("index-damaged", "the database", line, "made again from its table", _reindex)
        elif _INDEX in line:
            # Looked at by its own check.
            continue
        else:
            for each in line.splitlines():
                yield Fault("file-damaged", "the database", f"{each}: restore a backup of the file")


def _reindex(db: Connection) -> None:
    db.execute("REINDEX")


def tables(context: Context) -> Iterator[Fault | None]:
    """
    Tables and indexes are those of this version.
    """
    fresh = sqlite3.connect(":memory:", isolation_level=None, factory=LookupConnection)
    try:
        schema.upgrade(fresh)
        expected = _described(fresh)
    finally:
        fresh.close()
    present = _described(context.db)
    for name, (kind, statement, columns) in expected.items():
        if name not in present:
            if kind == "index":
                yield Fault("schema", f"index {name!r}", "it is missing", "made", Execute(statement))
            else:
                yield Fault("schema", f"table {name!r}", "it is missing: restore a backup of the file")
        elif present[name][2] != columns:
            yield Fault("schema", f"{kind} {name!r}", "it is not as this version makes it")


def _described(db: Connection) -> dict[str, tuple[str, str, list[object]]]:
    found: dict[str, tuple[str, str, list[object]]] = {}
    for kind, name, statement in db.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'index')"
        " AND name NOT LIKE 'sqlite_%' AND sql IS NOT NULL"
    ).fetchall():
        if not name.startswith(_INDEX):
            pragma = "table_xinfo" if kind == "table" else "index_xinfo"
            found[name] = (kind, statement, db.execute(f"PRAGMA {pragma}({name})").fetchall())
    return found


def singleValues(context: Context) -> Iterator[Fault | None]:
    """
    The values in C{meta}.
    """
    db = context.db
    values: dict[str, object] = dict(db.execute("SELECT key, value FROM meta"))

    def fault(key: str, problem: str, remedy: str, value: object) -> Fault:
        mend = Execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)
        return Fault("single-value", f"value {key!r} of the store", problem, remedy, mend)

    identity = values.get("identity")
    if not isinstance(identity, str) or not identity.isalnum():
        yield fault("identity", "it is missing", "a new one: MAILBOXIDs change", os.urandom(6).hex())
    largest = min(_LARGEST_VALIDITY, context.value("SELECT max(uid_validity) FROM folders"))
    validity = values.get("uid_validity")
    if not isinstance(validity, int) or not largest <= validity <= _LARGEST_VALIDITY:
        problem = f"it is {validity}, and folders have UIDVALIDITY up to {largest}"
        yield fault("uid_validity", problem, f"set to {largest or 1}", largest or 1)
    for key in ("shared", "personal", "members"):
        if not isinstance(values.get(key), int):
            # Greater than any that somebody may remember.
            now = int(context.clock())
            yield fault(key, f"it is {values.get(key)!r}, and no number", f"set to {now}", now)
    if not isinstance(values.get("renditions"), str):
        yield fault("renditions", "it is missing", "everything is made again when the store is opened", "")
    indexed = values.get("indexed")
    numbers = indexed.split(".") if isinstance(indexed, str) and indexed else ["0"] * 4
    if not isinstance(indexed, str) or len(numbers) != 4 or not all(each.isdecimal() for each in numbers):
        yield fault("indexed", f"it is {indexed!r}", "the search index is made again", "")


def sequences(context: Context) -> Iterator[Fault | None]:
    """
    Identities that were given out are behind the next one.
    """
    given: dict[str, int] = dict(context.db.execute("SELECT name, seq FROM sqlite_sequence"))
    for table, statement in _SEQUENCES.items():
        largest = context.value(statement)
        if given.get(table, 0) < largest:
            yield Fault(
                "identity-reuse",
                f"table {table!r}",
                f"its next identity is {given.get(table, 0) + 1}, and there is {largest} already",
                f"goes on after {largest}",
                _setSequence(table, largest),
            )


class _setSequence:
    """
    Sets the last identity that was given out.
    """

    def __init__(self, table: str, last: int) -> None:
        self._table = table
        self._last = last

    def __call__(self, db: Connection) -> None:
        changed = db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (self._last, self._table))
        if not changed.rowcount:
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (self._table, self._last))
