"""
Rows, and answers, that are asked for again and again while nothing changes.

SQLite tells, by C{PRAGMA data_version}, whether anybody else has committed anything since it was asked
last.  As long as nobody has, a row that was read is what would be read again, and so is what was made
of rows and of nothing else, such as what a user may be told of a folder.  So what is kept is never
out of date: with the first commit, whoever made it and whatever it changed, all of it is forgotten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


def _one(found: object) -> int:
    return 1


class Lookups:
    """
    What is kept: of all rows those that were looked up last, between half the bound and the bound.
    """

    def __init__(self, most: int) -> None:
        """
        @param most: how many rows, or as much as so many rows.
        """
        self._half = most // 2
        self._version = -1
        #: What is kept, and how many rows it is as large as.
        self._newer: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self._older: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self._newer_rows = self._older_rows = 0

    def __len__(self) -> int:
        return self._newer_rows + self._older_rows

    def at(self, version: int) -> None:
        """
        What is looked up from now on is of this version of the database.
        """
        if version != self._version:
            self._version = version
            self._newer, self._older = {}, {}
            self._newer_rows = self._older_rows = 0

    def get(self, db: sqlite3.Connection, statement: str, parameters: Any) -> Any:
        """
        The first row that a statement gives; C{None} when it gives none.
        """
        return self.find((statement, parameters), lambda: db.execute(statement, parameters).fetchone(), _one)

    def find(self, key: tuple[Any, ...], make: Callable[[], Any], rows: Callable[[Any], int]) -> Any:
        """
        What is kept for a key, or is made now.

        @param rows: how many rows what was made is as large as; 0 for what is not to be kept.
        """
        entry = self._newer.get(key)
        if entry is not None:
            return entry[0]
        entry = self._older.pop(key, None)
        if entry is None:
            found = make()
            entry = (found, rows(found))
        else:
            self._older_rows -= entry[1]
        size = entry[1]
        if 0 < size <= self._half:
            if self._newer_rows + size > self._half:
                self._newer, self._older = {}, self._newer
                self._newer_rows, self._older_rows = 0, self._newer_rows
            self._newer[key] = entry
            self._newer_rows += size
        return entry[0]


class LookupConnection(sqlite3.Connection):
    """
    A connection that can look up rows.

    @ivar lookups: where rows are kept; C{None} while they are not to be.
    """

    lookups: Lookups | None = None

    def lookup(self, statement: str, parameters: Any = (), /) -> Any:
        """
        See L{Connection.lookup<mailstore.engine.connection.Connection.lookup>}.
        """
        if self.lookups is None:
            return self.execute(statement, parameters).fetchone()
        return self.lookups.get(self, statement, parameters)

    def remember(self, key: tuple[Any, ...], make: Callable[[], _T], rows: Callable[[_T], int]) -> _T:
        """
        See L{Connection.remember<mailstore.engine.connection.Connection.remember>}.
        """
        if self.lookups is None:
            return make()
        found: _T = self.lookups.find(key, make, rows)
        return found
