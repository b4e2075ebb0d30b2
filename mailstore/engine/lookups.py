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

_NOTHING: Any = object()


class Lookups:
    """
    What is kept: of all rows those that were looked up last, between half the bound and the bound.
    """

    def __init__(self, most: int) -> None:
        """
        @param most: how many.
        """
        self._half = most // 2
        self._version = -1
        self._newer: dict[tuple[Any, ...], Any] = {}
        self._older: dict[tuple[Any, ...], Any] = {}

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def at(self, version: int) -> None:
        """
        What is looked up from now on is of this version of the database.
        """
        if version != self._version:
            self._version = version
            self._newer, self._older = {}, {}

    def get(self, db: sqlite3.Connection, statement: str, parameters: Any) -> Any:
        """
        The first row that a statement gives; C{None} when it gives none.
        """
        return self.find((statement, parameters), lambda: db.execute(statement, parameters).fetchone())

    def find(
        self, key: tuple[Any, ...], make: Callable[[], Any], fits: Callable[[Any], bool] | None = None
    ) -> Any:
        """
        What is kept for a key, or is made now.

        @param fits: whether what was made is small enough to be kept; by default it always is.
        """
        found = self._newer.get(key, _NOTHING)
        if found is not _NOTHING:
            return found
        found = self._older.pop(key, _NOTHING)
        if found is _NOTHING:
            found = make()
        if self._half and (fits is None or fits(found)):
            if len(self._newer) >= self._half:
                self._newer, self._older = {}, self._newer
            self._newer[key] = found
        return found


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

    def remember(self, key: tuple[Any, ...], make: Callable[[], _T], fits: Callable[[_T], bool]) -> _T:
        """
        See L{Connection.remember<mailstore.engine.connection.Connection.remember>}.
        """
        if self.lookups is None:
            return make()
        found: _T = self.lookups.find(key, make, fits)
        return found
