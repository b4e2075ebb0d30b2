"""
What is below the engine fails: it says so, nothing is half done, and it goes on when the cause is gone.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store, StoreOpenError
from mailstore.engine.connection import Connection
from mailstore.errors import (
    InvalidRequest,
    OverQuota,
    StoreError,
    StoreFault,
    StoreUnavailable,
)
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION
from mailstore.model import Expiry, FetchSpec, FlagMode, NewMessage, Recipient, UidSet
from mailstore.stores import openChecker
from mailstore.testing.storecases.base import mail
from tests.engine.enginecase import EngineCase
from tests.engine.faulty import FaultyConnection, plan

_EVERY = UidSet(((1, 0xFFFFFFFF),))
_ALICES = "Public Folders/A"

_Request = Callable[[Store, int], Coroutine[Any, Any, Any]]

#: What can be asked that changes something.
_CHANGES: dict[str, _Request] = {
    "append": lambda store, _: store.append(
        "alice", "INBOX", (NewMessage(mail(8), ("\\Seen", "new")), NewMessage(mail(1)))
    ),
    "append to public": lambda store, _: store.append("alice", _ALICES, (NewMessage(mail(9), ("\\Seen",)),)),
    "flags": lambda store, folder: store.storeFlags(
        "alice", folder, _EVERY, FlagMode.ADD, ("\\Seen", "\\Deleted", "k")
    ),
    "copy": lambda store, folder: store.copy("alice", folder, UidSet(((1, 2),)), _ALICES),
    "move": lambda store, folder: store.move("alice", folder, UidSet(((1, 2),)), _ALICES),
    "expunge": lambda store, folder: store.expunge("alice", folder, None),
    "create": lambda store, _: store.createFolder("alice", "new/with/parents"),
    "rename": lambda store, _: store.renameFolder("alice", "old", "renamed/below"),
    "rename INBOX": lambda store, _: store.renameFolder("alice", "INBOX", "renamed"),
    "delete": lambda store, _: store.deleteFolder("alice", "old/a"),
    "rights": lambda store, _: store.setRights("alice", _ALICES, "bob", "lrswi"),
    "subscribe": lambda store, _: store.subscribe("alice", "old"),
    "deliver": lambda store, _: store.deliver(
        (Recipient("alice@x", "alice"), Recipient("bob@x", "bob")), mail(77)
    ),
    "expiry": lambda store, _: store.setExpiry("alice", _ALICES, Expiry(days=5)),
    "address": lambda store, _: store.addAddress("alice", _ALICES, "a@example.org"),
    "group": lambda store, _: store.createGroup("sales"),
    "metadata": lambda store, _: store.setMetadata("alice", "INBOX", {"/private/comment": b"x"}),
}


class FaultCase(EngineCase):
    """
    A store with a little of everything.
    """

    def filled(self, **options: Any) -> tuple[str, Store, int]:
        """
        Such a store.

        @return: its path, it, and alice's INBOX.
        """
        path = self.path()
        options = {"renditions": RENDITIONS, "version": RENDITIONS_VERSION, **options}
        store = self.open(path, **options)
        self.users(store, "alice", "bob")
        for name in ("old/a/b", _ALICES):
            self.now(store.createFolder("alice", name))
        self.append(store, "alice", "INBOX", *(mail(number) for number in range(5)), flags=("one",))
        self.append(store, "alice", "old/a", mail(2), mail(3), mail(90))
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        some = UidSet(((2, 3),))
        self.now(store.storeFlags("alice", folder, some, FlagMode.ADD, ("\\Deleted", "\\Seen")))
        return path, store, folder

    def refused(self, request: Coroutine[Any, Any, Any]) -> StoreError:
        """
        The error of a request that fails, with the closed set's own words and a cause for the log.
        """
        failure = self.failureResultOf(Deferred.fromCoroutine(request))
        self.assertIsInstance(failure.value, StoreError)
        error: StoreError = failure.value
        return error

    def contentOf(self, path: str) -> dict[str, list[tuple[Any, ...]]]:
        """
        All rows of all tables, but for the search index's own.
        """
        tables = self.rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {
            name: sorted(self.rows(path, f"SELECT * FROM {name}"), key=repr)
            for (name,) in tables
            if not name.startswith("text_index")
        }

    def findings(self, path: str) -> list[str]:
        """
        What a check finds.
        """
        checker = openChecker(f"sqlite:{path}", EngineLimits())
        try:
            checker.find()
            return [f"{each.kind}: {each.problem}" for each in checker.report.findings]
        finally:
            checker.close()


class StatementTests(FaultCase):
    """
    Each statement fails, one after the other.
    """

    def _exhaust(self, change: _Request, code: int, undoes: bool) -> int:
        """
        Fail at each statement of a change in turn, until it gets through.

        @return: how many there were.
        """
        faults = plan(self)
        path, store, folder = self.filled()
        before = self.contentOf(path)
        for after in range(400):
            with faults.armed(after, code, undoes):
                request = Deferred.fromCoroutine(change(store, folder))
            if not faults.failed:
                self.successResultOf(request)
                self.assertNotEqual(self.contentOf(path), before)
                self.assertEqual(self.findings(path), [])
                return after
            error = self.failureResultOf(request).value
            self.assertIsInstance(error, StoreError)
            self.assertNotIsInstance(error, StoreFault)
            self.assertNotIn("to be expected", str(error))
            self.assertEqual(self.contentOf(path), before, f"statement {after}")
        raise AssertionError("it never gets through")

    def test_changes(self) -> None:
        """
        Whatever statement of whatever change fails, it says so, nothing of it is there, and the
        same change can be made when the cause is gone.
        """
        for name, change in _CHANGES.items():
            with self.subTest(change=name):
                self.assertGreater(self._exhaust(change, sqlite3.SQLITE_IOERR_WRITE, False), 3)

    def test_changesUndone(self) -> None:
        """
        So it is when SQLite undoes the whole transaction by itself, as when the disk is full.
        """
        for name, change in _CHANGES.items():
            with self.subTest(change=name):
                self.assertGreater(self._exhaust(change, sqlite3.SQLITE_FULL, True), 3)

    def test_notUndoneByHalf(self) -> None:
        """
        When a change fails and cannot be undone either, nothing of its transaction is kept,
        and the next one can be made.
        """
        path, store, _ = self.filled()
        before = self.contentOf(path)

        def fail(db: Connection) -> None:
            db.execute("DELETE FROM messages")
            raise KeyError

        def refuse(db: Connection) -> None:
            database._spoiled = True

        database = store._database
        database._undo = refuse  # type: ignore[method-assign]
        self.assertIsInstance(self.refused(store._change(fail)), StoreFault)
        self.assertEqual(self.contentOf(path), before)
        del database._undo
        self.append(store, "alice", "INBOX", mail(7))
        self.assertEqual(self.findings(path), [])

    def test_reads(self) -> None:
        """
        Whatever statement of reading fails, it says so, and the same can be read when the cause is gone.
        """

        async def readAll(store: Store, folder: int) -> tuple[Any, ...]:
            opened = await store.openFolder("alice", "INBOX", False)
            fetched = [each async for each in store.fetch("alice", folder, _EVERY, FetchSpec(flags=True))]
            trees = await store.trees("alice")
            names = [each async for each in store.folders("alice", trees[0])]
            return opened, fetched, names, await store.subscriptions("alice")

        faults = plan(self)
        _, store, folder = self.filled()
        store._database._read.is_reading = True  # type: ignore[attr-defined]
        expected = self.now(readAll(store, folder))
        for after in range(200):
            store._forget()
            with faults.armed(after, sqlite3.SQLITE_IOERR_READ, reading=True):
                request = Deferred.fromCoroutine(readAll(store, folder))
            if not faults.failed:
                self.assertEqual(self.successResultOf(request), expected)
                break
            self.failureResultOf(request).trap(StoreUnavailable)
            self.assertEqual(self.now(readAll(store, folder)), expected)
        self.assertGreater(after, 10)

    def test_cause(self) -> None:
        """
        The cause goes with the error, for the log.
        """
        faults = plan(self)
        _, store, folder = self.filled()
        with faults.armed(3, sqlite3.SQLITE_FULL, True):
            error = self.refused(_CHANGES["flags"](store, folder))
        self.assertIsInstance(error, OverQuota)
        self.assertIsInstance(error.__cause__, sqlite3.OperationalError)
        self.assertIsInstance(store._database._write, FaultyConnection)


class FileTests(FaultCase):
    """
    Something happens to the file.
    """

    def test_readOnly(self) -> None:
        """
        While the file cannot be written changes are refused, and reading goes on.
        """
        _, store, folder = self.filled()
        write = store._database._write
        write.execute("PRAGMA query_only = ON")
        for name, change in _CHANGES.items():
            self.assertIsInstance(self.refused(change(store, folder)), StoreUnavailable, name)
        self.assertEqual(self.now(store.status("alice", "INBOX")).messages, 5)
        write.execute("PRAGMA query_only = OFF")
        self.append(store, "alice", "INBOX", mail(6))

    def test_mayNotOpen(self) -> None:
        """
        A file that may not be written is not opened, and one line says so.
        """
        path = self.filled()[0]

        def refuse(*_: object) -> int:
            raise PermissionError(errno.EACCES, "Permission denied")

        self.patch(os, "open", refuse)
        error = self.assertRaises(StoreOpenError, self.open, path)
        self.assertEqual(str(error), f"cannot open store {path!r}: Permission denied")

    def test_removed(self) -> None:
        """
        Changes are refused, and not acknowledged and lost, when the file or its log has been removed or
        replaced; when it is put back they are possible again.
        """
        path, store, _ = self.filled()
        for lost in (path, path + "-wal"):
            os.rename(lost, lost + ".away")
            error = self.refused(store.append("alice", "INBOX", (NewMessage(mail(6)),)))
            self.assertIsInstance(error, StoreUnavailable)
            self.assertIn("put it back, or start the server again", str(error.__cause__))
            self.assertIn(lost, str(error.__cause__))
            shutil.copy(lost + ".away", lost)
            self.assertIsInstance(self.refused(store.subscribe("alice", "x")), StoreUnavailable)
            os.rename(lost + ".away", lost)
            self.append(store, "alice", "INBOX", mail(6))
        self.now(store.close())
        self.assertEqual(self.findings(path), [])

    def test_logLost(self) -> None:
        """
        Without its log a store has what was in its file, whole.
        """
        path, store, _ = self.filled()
        store._database._write.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.append(store, "alice", "INBOX", mail(6))
        os.makedirs(copies := self.mktemp())
        copy = os.path.join(copies, "mail.db")
        shutil.copy(path, copy)
        again = self.open(copy, renditions=RENDITIONS, version=RENDITIONS_VERSION)
        self.assertEqual(self.now(again.status("alice", "INBOX")).messages, 5)
        self.append(again, "alice", "INBOX", mail(7))
        self.now(again.close())
        self.assertEqual(self.findings(copy), [])

    def test_logDamaged(self) -> None:
        """
        A log that ends in the middle, or in rubbish, has what was committed before.
        """
        path = self.filled()[0]
        for damage in (b"", os.urandom(3000)):
            os.makedirs(copies := self.mktemp())
            copy = os.path.join(copies, "mail.db")
            shutil.copy(path, copy)
            shutil.copy(path + "-wal", copy + "-wal")
            with open(copy + "-wal", "r+b") as log:
                log.seek(-2000, os.SEEK_END)
                log.truncate()
                log.write(damage)
            again = self.open(copy, renditions=RENDITIONS, version=RENDITIONS_VERSION)
            self.assertEqual(self.now(again.status("alice", "INBOX")).messages, 5)
            self.now(again.close())
            self.assertEqual(self.findings(copy), [])

    def test_noStore(self) -> None:
        """
        A file that is no database any more cannot be opened, and one line says so.
        """
        path, store, _ = self.filled()
        self.now(store.close())
        size = os.path.getsize(path)
        for damage in (lambda: os.truncate(path, 50), lambda: self._overwrite(path, 0, b"x" * 100)):
            shutil.copy(path, path + ".whole")
            damage()
            error = self.assertRaises(StoreOpenError, self.open, path)
            self.assertIn(path, str(error))
            self.assertNotIn("\n", str(error))
            os.replace(path + ".whole", path)
        self.assertEqual(os.path.getsize(path), size)

    def _overwrite(self, path: str, at: int, data: bytes) -> None:
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(data)

    def test_damaged(self) -> None:
        """
        Whatever page is overwritten or missing, requests are answered or refused, nothing else is
        raised, and what can still be read is right.
        """
        path, store, folder = self.filled()
        self.now(store.close())
        chance = random.Random(5)
        pages = os.path.getsize(path) // 4096
        faults = 0
        for number in range(40):
            os.makedirs(copies := self.mktemp())
            copy = os.path.join(copies, "mail.db")
            shutil.copy(path, copy)
            if number % 4:
                at = 4096 * chance.randrange(1, pages) + chance.choice((0, 100, 2000))
                self._overwrite(copy, at, chance.randbytes(chance.choice((4, 100, 2000))))
            else:
                os.truncate(copy, 4096 * chance.randrange(1, pages))
            try:
                damaged = self.open(copy, renditions=RENDITIONS, version=RENDITIONS_VERSION)
            except StoreOpenError as error:
                self.assertNotIn("\n", str(error))
                faults += 1
                continue
            for change in (*_CHANGES.values(), lambda store, _: store.openFolder("alice", "INBOX", False)):
                request = Deferred.fromCoroutine(change(damaged, folder))
                request.addErrback(lambda failure: failure.trap(StoreError))
                faults += self.successResultOf(request) is StoreFault
            closing = Deferred.fromCoroutine(damaged.close())
            closing.addErrback(lambda failure: failure.trap(StoreError))
            self.successResultOf(closing)
        self.assertGreater(faults, 10)

    def test_clockGoesBack(self) -> None:
        """
        When the clock is put back no UIDVALIDITY is, nor any mod-sequence, and mail still comes.
        """
        times = [2_000_000_000.0]
        path = self.path()
        store = self.open(path, clock=lambda: times[0])
        self.users(store, "alice")
        validities = []
        modseq = 0
        for time in (2_000_000_000.0, 1_000_000_000.0, 5.0, -5.0, 2_000_000_000.0):
            times[0] = time
            self.now(store.createFolder("alice", "again"))
            validities.append(self.now(store.status("alice", "again")).uid_validity)
            self.now(store.deleteFolder("alice", "again"))
            self.append(store, "alice", "INBOX", mail(1))
            status = self.now(store.status("alice", "INBOX"))
            self.assertGreater(status.highest_modseq, modseq)
            modseq = status.highest_modseq
        self.assertEqual(validities, sorted(set(validities)))
        self.assertEqual(status.uid_next, 6)


class SpoolTests(FaultCase):
    """
    Messages on their way in have no place.
    """

    def setUp(self) -> None:
        """
        A store to which messages of a few bytes come by way of a file.
        """
        self.spools = os.path.abspath(self.mktemp())
        os.makedirs(self.spools)
        self.patch(tempfile, "tempdir", self.spools)
        self.store = self.filled(limits=EngineLimits(upload_memory=10))[1]

    async def _bring(self, *pieces: bytes) -> tuple[int, ...]:
        upload = await self.store.upload("alice", "INBOX", sum(map(len, pieces)))
        for piece in pieces:
            await upload.write(piece)
        return (await self.store.append("alice", "INBOX", (NewMessage(upload.token),))).uids

    def test_directoryGone(self) -> None:
        """
        Without its directory a message is refused; when it is there again one is taken.
        """
        os.rmdir(self.spools)
        self.assertIsInstance(self.refused(self._bring(mail(70))), StoreUnavailable)
        self.assertEqual(len(self.store._uploads), 0)
        os.makedirs(self.spools)
        self.assertEqual(self.now(self._bring(mail(70))), (6,))

    def test_full(self) -> None:
        """
        When there is no room the message is refused, at whatever moment that shows, and what is
        left of it cannot be taken for the message.
        """
        real = tempfile.TemporaryFile
        for moment in ("write", "flush"):

            class Full:
                """
                A file on a disk that is full.
                """

                def __init__(self, *_: Any, **options: Any) -> None:
                    self._file = real(prefix="mailstore-")

                def __getattr__(self, name: str) -> Any:
                    if name == moment:  # noqa: B023
                        return self._fail
                    return getattr(self._file, name)

                def _fail(self, *_: Any) -> None:
                    raise OSError(errno.ENOSPC, "No space left on device")

                def close(self) -> None:
                    self._file.close()
                    self._fail()

            with self.subTest(moment=moment):
                patched = self.patch(tempfile, "TemporaryFile", Full)
                self.assertIsInstance(self.refused(self._bring(mail(71), mail(72))), OverQuota)
                self.assertEqual(len(self.store._uploads), 0)
                patched.restore()
        self.assertEqual(self.now(self.store.status("alice", "INBOX")).messages, 5)
        self.assertEqual(self.now(self._bring(mail(71), mail(72))), (6,))

    def test_pieceLost(self) -> None:
        """
        After one piece could not be kept the upload is over.
        """

        async def bring() -> None:
            upload = await self.store.upload("alice", "INBOX", 100)
            os.rmdir(self.spools)
            try:
                await upload.write(b"x" * 50)
            except StoreUnavailable:
                os.makedirs(self.spools)
            await upload.write(b"x" * 50)

        self.assertIsInstance(self.refused(bring()), InvalidRequest)
