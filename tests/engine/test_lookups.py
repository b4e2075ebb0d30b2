"""
Rows that are kept while nothing changes, and readings that share a transaction.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine.database import Database
from mailstore.engine.limits import EngineLimits
from mailstore.engine.lookups import LookupConnection, Lookups

_VALUE = "SELECT value FROM things WHERE name = ?"


class _Counting(LookupConnection):
    """
    A connection that counts what it is asked.
    """

    executed = 0

    def execute(self, statement: str, *more: Any) -> sqlite3.Cursor:
        """
        Execute, and count.
        """
        self.executed += 1
        return super().execute(statement, *more)


class LookupsTests(SynchronousTestCase):
    """
    What is kept.
    """

    def setUp(self) -> None:
        """
        A connection with a hundred rows.
        """
        self.db = sqlite3.connect(":memory:", factory=_Counting)
        self.addCleanup(self.db.close)
        self.db.execute("CREATE TABLE things (name INTEGER PRIMARY KEY, value)")
        self.db.executemany("INSERT INTO things VALUES (?, ?)", [(each, -each) for each in range(100)])
        self.db.lookups = self.lookups = Lookups(20)
        self.lookups.at(1)
        self.db.executed = 0

    def test_once(self) -> None:
        """
        A row is read once, and so is that there is none.
        """
        for _ in range(3):
            self.assertEqual(self.db.lookup(_VALUE, (5,)), (-5,))
            self.assertIsNone(self.db.lookup(_VALUE, (500,)))
        self.assertEqual(self.db.executed, 2)

    def test_version(self) -> None:
        """
        Of another version nothing is known.
        """
        self.db.lookup(_VALUE, (5,))
        self.lookups.at(1)
        self.assertEqual(len(self.lookups), 1)
        self.db.execute("UPDATE things SET value = 'new'")
        self.lookups.at(2)
        self.assertEqual(len(self.lookups), 0)
        self.assertEqual(self.db.lookup(_VALUE, (5,)), ("new",))

    def test_bound(self) -> None:
        """
        No more rows are kept than the bound, and those that were looked up last are among them.
        """
        for number in range(100):
            self.db.lookup(_VALUE, (number,))
            self.db.lookup(_VALUE, (0,))
            self.assertLessEqual(len(self.lookups), 20)
        self.db.executed = 0
        for number in (0, 99, 98, 97):
            self.db.lookup(_VALUE, (number,))
        self.assertEqual(self.db.executed, 0)
        self.db.lookup(_VALUE, (1,))
        self.assertEqual(self.db.executed, 1)

    def test_remember(self) -> None:
        """
        What was made of rows is made once, if it is small, and again when something has changed; what fails
        is not kept.
        """
        made: list[object] = []

        def make() -> int:
            made.append(None)
            return len(made)

        for _ in range(3):
            self.assertEqual(self.db.remember(("a",), make, lambda _: 1), 1)
        for number in (2, 3):
            self.assertEqual(self.db.remember(("b",), make, lambda _: 0), number)
        self.lookups.at(2)
        self.assertEqual(self.db.remember(("a",), make, lambda _: 1), 4)

        def fail() -> int:
            raise KeyError

        for _ in range(2):
            self.assertRaises(KeyError, self.db.remember, ("c",), fail, lambda _: 1)
        self.db.lookups = None
        self.assertEqual(self.db.remember(("a",), make, lambda _: 1), 5)

    def test_large(self) -> None:
        """
        What is as large as many rows counts as so many, and what is larger than half the bound is not kept.
        """
        for number in range(30):
            self.db.remember((number,), lambda: "", lambda _: 4)
            self.assertLessEqual(len(self.lookups), 20)
        self.assertEqual(self.db.remember((29,), lambda: "again", lambda _: 4), "")
        self.assertEqual(self.db.remember((0,), lambda: "again", lambda _: 4), "again")
        for _ in range(2):
            self.assertEqual(self.db.remember(("big",), lambda: "big", lambda _: 11), "big")
        self.assertEqual(self.db.remember(("big",), lambda: "other", lambda _: 11), "other")

    def test_none(self) -> None:
        """
        With a bound of nothing every row is read.
        """
        self.db.lookups = Lookups(EngineLimits(lookup_cache=0).lookup_cache)
        for _ in range(3):
            self.assertEqual(self.db.lookup(_VALUE, (5,)), (-5,))
        self.assertEqual((self.db.executed, len(self.db.lookups)), (3, 0))


class TogetherTests(SynchronousTestCase):
    """
    L{Database.together}.
    """

    def setUp(self) -> None:
        """
        A database in a file, with a counter in it.
        """
        self.path = os.path.abspath(self.mktemp())
        self.database = Database(self.path, EngineLimits())
        self.addCleanup(self.database.close)
        self.database.transaction(lambda db: db.execute("INSERT INTO meta (key, value) VALUES ('count', 0)"))

    def _count(self) -> int:
        with self.database.reading() as db:
            (count,) = db.lookup("SELECT value FROM meta WHERE key = 'count'")
        return int(count)

    def _raise(self) -> None:
        self.database.transaction(
            lambda db: db.execute("UPDATE meta SET value = value + 1 WHERE key = 'count'")
        )

    def _begun(self) -> int:
        """
        How many transactions are begun until the end of the test, from now on.
        """
        return sum(each == "BEGIN" for each in self.statements)

    def test_oneTransaction(self) -> None:
        """
        Readings in one context share a transaction; it is over when that is left.
        """
        self.statements: list[str] = []
        self.database.beginReading().set_trace_callback(self.statements.append)
        self.database.endReading()
        self.statements.clear()
        with self.database.together():
            for _ in range(5):
                self._count()
        self.assertEqual(self._begun(), 1)
        self.assertFalse(self.database.beginReading().lookups)
        self.database.endReading()
        self._count()
        self.assertEqual(self._begun(), 3)

    def test_ownCommit(self) -> None:
        """
        What was committed in between is found at once.
        """
        with self.database.together():
            self.assertEqual(self._count(), 0)
            self._raise()
            self.assertEqual(self._count(), 1)
            self._raise()
            self.assertEqual(self._count(), 2)

    def test_nextTime(self) -> None:
        """
        What was committed between two contexts, here or by another process, is found in the second.
        """
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        for number in range(3):
            with self.database.together():
                self.assertEqual(self._count(), 2 * number)
            self._raise()
            with self.database.together():
                self.assertEqual(self._count(), 2 * number + 1)
            other.execute("UPDATE meta SET value = value + 1 WHERE key = 'count'")

    def test_uncommitted(self) -> None:
        """
        What is not committed is not found, and what is undone never was.
        """
        self.database.begin()
        self.database.mutate(lambda db: db.execute("UPDATE meta SET value = 7 WHERE key = 'count'"))
        with self.database.together():
            self.assertEqual(self._count(), 0)
        self.database.rollback()
        with self.database.together():
            self.assertEqual(self._count(), 0)

    def test_inMemory(self) -> None:
        """
        A database in memory, which has one connection for all, keeps nothing.
        """
        self.database = Database(":memory:", EngineLimits())
        self.addCleanup(self.database.close)
        self.database.transaction(lambda db: db.execute("INSERT INTO meta (key, value) VALUES ('count', 0)"))
        with self.database.together():
            self.assertEqual(self._count(), 0)
            self._raise()
            self.assertEqual(self._count(), 1)

    def test_closed(self) -> None:
        """
        A database that is closed in the context can be left.
        """
        with self.database.together():
            self._count()
            self.database.close()
