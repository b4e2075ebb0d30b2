"""
Opening databases, and their schema.
"""

from __future__ import annotations

import os
import sqlite3
from unittest import mock

from mailstore.engine import EngineLimits, Store, StoreOpenError, schema
from mailstore.engine.database import pathOf
from mailstore.engine.schema import APPLICATION_ID, SCHEMA_VERSION
from mailstore.model import SYSTEM, FetchSpec, UidSet
from tests.engine.enginecase import EngineCase

_EVERY = UidSet(((1, 100),))


class UrlTests(EngineCase):
    """
    L{pathOf}.
    """

    def test_paths(self) -> None:
        """
        A URL names a file, absolute or in the working directory, or memory.
        """
        for url, path in {
            "sqlite:///var/mail.db": "/var/mail.db",
            "sqlite:////var/mail.db": "/var/mail.db",
            "sqlite:/var/mail.db": "/var/mail.db",
            "sqlite:mail.db": "mail.db",
            "sqlite:./a b/mail.db": "./a b/mail.db",
            "sqlite::memory:": ":memory:",
        }.items():
            self.assertEqual(pathOf(url), path)

    def test_refused(self) -> None:
        """
        What names no file is refused in one line that repeats it.
        """
        for url in (
            "",
            "mail.db",
            "postgresql://x/y",
            "sqlite",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite://host/mail.db",
            "sqlite:a\0b",
        ):
            error = self.assertRaises(StoreOpenError, pathOf, url)
            self.assertIn(repr(url), str(error))
            self.assertNotIn("\n", str(error))


class OpenTests(EngineCase):
    """
    L{mailstore.engine.open}.
    """

    def _refused(self, path: str, words: str, **options: bool) -> None:
        """
        Check that a path cannot be opened, and that the reason names it.
        """
        error = self.assertRaises(StoreOpenError, self.open, path, **options)
        self.assertIn(path, str(error))
        self.assertIn(words, str(error))
        self.assertNotIn("\n", str(error))

    def test_created(self) -> None:
        """
        A new database says what it is, and is the same when it is opened again.
        """
        path = self.path()
        store = self.open(path)
        self.users(store, "alice")
        trees = self.now(store.trees("alice"))
        self.now(store.close())
        self.assertEqual(self.rows(path, "PRAGMA application_id"), [(APPLICATION_ID,)])
        self.assertEqual(self.rows(path, "PRAGMA user_version"), [(SCHEMA_VERSION,)])
        self.assertEqual(self.rows(path, "PRAGMA journal_mode"), [("wal",)])
        again = self.open(path, create=False)
        self.assertEqual(self.now(again.trees("alice")), trees)
        self.assertEqual(self.rows(path, "PRAGMA integrity_check"), [("ok",)])

    def test_private(self) -> None:
        """
        Nobody else can read a new database, nor the files beside it.
        """
        path = self.path()
        self.users(self.open(path), "alice")
        directory = os.path.dirname(path)
        modes = {os.stat(os.path.join(directory, name)).st_mode & 0o777 for name in os.listdir(directory)}
        self.assertEqual(modes, {0o600})

    def test_missing(self) -> None:
        """
        A file that is not there is made only if that is wanted, and never its directory.
        """
        path = self.path()
        self._refused(path, "no such file", create=False)
        self.assertFalse(os.path.exists(path))
        self._refused(f"{path}/deeper/mail.db", "does not exist")
        self._refused(os.path.dirname(path), "directory")

    def test_noDatabase(self) -> None:
        """
        A file that is no database is refused and left as it is.
        """
        path = self.path()
        with open(path, "wb") as file:
            file.write(b"no database\n" * 1000)
        self._refused(path, "not a database")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"no database\n" * 1000)

    def test_otherDatabase(self) -> None:
        """
        A database of something else is refused and left as it is.
        """
        path = self.path()
        self.execute(path, "CREATE TABLE users (name)")
        self._refused(path, "not of a mail store")
        self.assertEqual(self.rows(path, "SELECT name FROM sqlite_master"), [("users",)])
        self.execute(path, "DROP TABLE users", "PRAGMA application_id = 7")
        self._refused(path, "not of a mail store")

    def test_newer(self) -> None:
        """
        A database of a newer version is refused.
        """
        path = self.path()
        self.now(self.open(path).close())
        self.execute(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        self._refused(path, f"version {SCHEMA_VERSION + 1}")

    def test_locked(self) -> None:
        """
        A database that another program keeps locked is refused after a bounded wait.
        """
        path = self.path()
        self.now(self.open(path).close())
        other = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        self.assertRaises(StoreOpenError, self.open, path, limits=EngineLimits(busy_wait=0))


class MigrationTests(EngineCase):
    """
    L{schema.upgrade}.
    """

    def _connect(self) -> sqlite3.Connection:
        """
        An empty database.
        """
        db = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(db.close)
        return db

    def test_steps(self) -> None:
        """
        Each step that is lacking is taken, in order, and none twice.
        """
        taken: list[int] = []
        steps = tuple(lambda db, number=number: taken.append(number) for number in (1, 2, 3))
        db = self._connect()
        for count in (1, 3, 3):
            with (
                mock.patch.object(schema, "MIGRATIONS", steps[:count]),
                mock.patch.object(schema, "SCHEMA_VERSION", count),
            ):
                schema.upgrade(db)
            self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (count,))
        self.assertEqual(taken, [1, 2, 3])

    def test_failedStep(self) -> None:
        """
        A step that fails leaves the database as it was before it.
        """

        def first(db: sqlite3.Connection) -> None:
            db.execute("CREATE TABLE one (x)")

        def failing(db: sqlite3.Connection) -> None:
            db.execute("CREATE TABLE two (x)")
            db.execute("nonsense")

        db = self._connect()
        with (
            mock.patch.object(schema, "MIGRATIONS", (first, failing)),
            mock.patch.object(schema, "SCHEMA_VERSION", 2),
        ):
            self.assertRaises(sqlite3.OperationalError, schema.upgrade, db)
        self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (1,))
        self.assertEqual(db.execute("SELECT name FROM sqlite_master").fetchall(), [("one",)])


class RenditionVersionTests(EngineCase):
    """
    Renditions when a store is opened with others than it has.
    """

    def _renditions(self, store: Store, *names: str) -> list[tuple[bytes, ...]]:
        """
        What alice's INBOX has.
        """
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        (batch,) = self.all(store.fetch("alice", folder, _EVERY, FetchSpec(renditions=names)))
        return list(batch.renditions)

    def test_again(self) -> None:
        """
        With another version, or other names, all are made again, of messages of any size.
        """
        path = self.path()
        first = self.open(path)
        self.users(first, "alice")
        big = b"Subject: big\n\n" + b"line\n" * 300_000
        self.append(first, "alice", "INBOX", b"Subject: one\n\n", big)
        self.assertEqual(self._renditions(first, "first"), [(b"Subject: o", b"Subject: b")])
        self.now(first.close())
        sizes = {"size": lambda message: b"%d" % len(message.data)}
        second = self.open(path, renditions=sizes, version=1)
        self.assertEqual(self._renditions(second, "size"), [(b"16", b"1800016")])
        self.now(second.close())
        third = self.open(path, renditions={"size": lambda message: b"new"}, version=2)
        self.assertEqual(self._renditions(third, "size"), [(b"new", b"new")])
        self.now(third.close())
        self.assertEqual(self.rows(path, "SELECT count(*) FROM renditions"), [(2,)])

    def test_same(self) -> None:
        """
        With the same version nothing is made again.
        """
        path = self.path()
        first = self.open(path)
        self.users(first, "alice")
        self.append(first, "alice", "INBOX", b"Subject: one\n\n")
        self.now(first.close())
        made: list[object] = []

        def counting(message: object) -> bytes:
            made.append(message)
            return b""

        self.open(path, renditions={"first": counting, "all": counting})
        self.assertEqual(made, [])

    def test_tooMany(self) -> None:
        """
        A store can keep so many renditions.
        """
        many = {str(number): lambda message: b"" for number in range(17)}
        self.assertRaises(StoreOpenError, self.open, renditions=many)


class IdentityTests(EngineCase):
    """
    What must never be the same twice.
    """

    def test_stores(self) -> None:
        """
        Versions of trees of two stores are never equal.
        """
        one, two = self.open(), self.open()
        self.assertNotEqual(self.now(one.trees(SYSTEM)), self.now(two.trees(SYSTEM)))

    def test_uidValidity(self) -> None:
        """
        It follows the clock when that goes, and grows when it does not; it has 32 bits.
        """
        time = [1000.0]
        store = self.open(clock=lambda: time[0])
        self.users(store, "alice")
        found = []
        for now in (1_000_000.0, 1_000_000.0, 500.0, 2_000_000.5, 1e12, 1e12):
            time[0] = now
            self.now(store.createFolder("alice", "x"))
            found.append(self.now(store.status("alice", "x")).uid_validity)
            self.now(store.deleteFolder("alice", "x"))
        self.assertEqual(found, sorted(set(found)))
        self.assertEqual((found[0], found[3]), (1_000_000, 2_000_000))
        self.assertLess(found[-1], 1 << 32)
