"""
The search index names all messages that it should.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from mailstore.engine.checking.comparison import Comparison
from mailstore.engine.checking.context import Context
from mailstore.engine.checking.findings import Fault
from mailstore.engine.connection import Connection
from mailstore.engine.textindex import TextIndex

_REMEDY = "made again from the messages"


def index(context: Context) -> Iterator[Fault | None]:
    """
    Compare the index with all texts.
    """
    try:
        done = indexOf(context.db).done(context.db)
    except ValueError:
        # Told by the check of single values.
        return
    if not done:
        return
    there = context.value("SELECT count(*) FROM sqlite_master WHERE name = 'text_index'")
    given = context.value("SELECT seq FROM sqlite_sequence WHERE name = 'contents'")
    if not there or done > given:
        problem = f"it goes up to content {done}, and there are {given}" if there else "it is missing"
        yield _fault(problem, 0)
        return
    total = context.value("SELECT count(*) FROM texts WHERE id <= ?", done)
    comparison = Comparison(context.db, indexOf(context.db), done)
    try:
        for _ in comparison.run():
            context.progress(comparison.looked, total)
            yield None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        yield _fault("it cannot be read", 0)
        return
    if comparison.lacking:
        count = f"{'at least ' * comparison.is_cut}{len(comparison.lacking)}"
        yield _fault(f"it does not know the texts of {count} contents of {total}", comparison.lacking[0])


def indexOfOne(context: Context, content: int) -> Iterator[Fault]:
    """
    Look for one content; with 0, look whether the index is there.
    """
    if not content:
        yield from (each for each in index(context) if each is not None)
    elif lacks(context, content):
        yield _fault("it does not know all texts", content)


def indexOf(db: Connection) -> TextIndex:
    """
    The index of a database.
    """
    found = TextIndex()
    found.look(db)
    return found


def lacks(context: Context, content: int) -> bool:
    """
    Whether the index does not know a content that it should.
    """
    try:
        text_index = indexOf(context.db)
        return content <= text_index.done(context.db) and text_index.lacks(context.db, content)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        return True


def _fault(problem: str, content: int) -> Fault:
    return Fault("search-index", "the search index", problem, _REMEDY, _reset, content)


def _reset(db: Connection) -> None:
    indexOf(db).reset(db)
