"""
A database that fails at a chosen statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine import database
from mailstore.engine.lookups import LookupConnection


@attrs.define
class Plan:
    """
    When to fail, and how.

    @ivar after: statements that still succeed; below 0 all do.
    @ivar code: SQLite's code for it.
    @ivar undoes: the whole transaction is undone by it, as SQLite does when the disk is full.
    @ivar reading: it is the reading connection that fails.
    @ivar failed: it has.
    """

    after: int = -1
    code: int = sqlite3.SQLITE_IOERR_WRITE
    undoes: bool = False
    reading: bool = False
    failed: bool = False

    @contextmanager
    def armed(self, after: int, code: int, undoes: bool = False, reading: bool = False) -> Iterator[None]:
        """
        A context in which one statement fails.
        """
        self.after, self.code, self.undoes, self.reading = after, code, undoes, reading
        self.failed = False
        try:
            yield
        finally:
            self.after = -1

    def next(self, connection: FaultyConnection) -> None:
        """
        A statement is to be executed.
        """
        if self.after < 0 or connection.is_reading is not self.reading:
            return
        self.after -= 1
        if self.after >= 0:
            return
        self.failed = True
        if self.undoes:
            sqlite3.Connection.rollback(connection)
        error = sqlite3.OperationalError("this was to be expected")
        error.sqlite_errorcode = self.code
        error.sqlite_errorname = "SQLITE_IOERR_WRITE"
        raise error


class FaultyConnection(LookupConnection):
    """
    A connection that follows a plan.
    """

    plan: Plan
    is_reading = False

    def execute(self, statement: str, *more: Any) -> sqlite3.Cursor:
        """
        Execute, or fail.
        """
        self.plan.next(self)
        return super().execute(statement, *more)

    def executemany(self, statement: str, rows: Any) -> sqlite3.Cursor:
        """
        Execute, or fail.
        """
        self.plan.next(self)
        return super().executemany(statement, rows)


def plan(case: SynchronousTestCase) -> Plan:
    """
    Let the stores that a test opens from now on follow a plan.
    """
    made = Plan()
    connect = sqlite3.connect

    def faulty(*arguments: Any, **options: Any) -> FaultyConnection:
        connection: FaultyConnection = connect(*arguments, **{**options, "factory": FaultyConnection})
        connection.plan = made
        return connection

    class Sqlite:
        """
        The module, with another way to connect.
        """

        def __getattr__(self, name: str) -> Any:
            return faulty if name == "connect" else getattr(sqlite3, name)

    case.patch(database, "sqlite3", Sqlite())
    return made
