"""
When changes become durable, what a failure leaves, and what other processes do.
"""

from __future__ import annotations

import sqlite3

from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailstore.engine import EngineLimits, ICommitter, ImmediateCommitter
from mailstore.engine.errors import storeError
from mailstore.errors import (
    NoSuchFolder,
    OverQuota,
    StoreBusy,
    StoreError,
    StoreFault,
    StoreUnavailable,
    UserExists,
)
from mailstore.interfaces import IStore
from mailstore.model import SYSTEM, FetchSpec, FolderDelta, NewMessage, UidSet, uint32s
from mailstore.testing.storecases.base import CREDENTIALS, Recorder, mail
from tests.engine.enginecase import EngineCase


@implementer(ICommitter)
class HeldCommitter:
    """
    A committer that commits when it is told to.
    """

    def __init__(self) -> None:
        self.open = False
        self.waiting: list[Deferred[None]] = []
        self.commits = self.asides = 0

    def attach(self, begin, commit, rollback):  # type: ignore[no-untyped-def]
        self.begin, self.commit, self.rollback = begin, commit, rollback

    async def turn(self) -> None:
        if not self.open:
            self.begin()
            self.open = True

    async def committed(self) -> None:
        waiting: Deferred[None] = Deferred()
        self.waiting.append(waiting)
        await waiting

    async def giveWay(self) -> None:
        pass

    async def aside(self, work):  # type: ignore[no-untyped-def]
        self.asides += 1
        work()

    def release(self) -> None:
        """
        Commit, and tell who waits.
        """
        waiting, self.waiting, self.open = self.waiting, [], False
        self.commits += 1
        try:
            self.commit()
        except StoreError as error:
            self.rollback()
            for each in waiting:
                each.errback(type(error)(str(error)))
        else:
            for each in waiting:
                each.callback(None)

    def lose(self) -> None:
        """
        Fail to commit.
        """
        waiting, self.waiting, self.open = self.waiting, [], False
        self.rollback()
        for each in waiting:
            each.errback(StoreUnavailable("lost"))


class InterfaceTests(EngineCase):
    """
    Interfaces.
    """

    def test_provided(self) -> None:
        """
        The store and its committers are what they say they are.
        """
        self.assertTrue(verifyObject(IStore, self.open()))
        self.assertTrue(verifyObject(ICommitter, ImmediateCommitter()))


class GroupTests(EngineCase):
    """
    Several requests in one commit.
    """

    def setUp(self) -> None:
        """
        A store with alice, whose next changes are held.
        """
        self.db_path = self.path()
        first = self.open(self.db_path)
        self.users(first, "alice")
        self.now(first.close())
        self.committer = HeldCommitter()
        self.store = self.open(self.db_path, committer=self.committer)
        self.addCleanup(self._finish)

    def _finish(self) -> None:
        """
        Let what is held go.
        """
        closing = Deferred.fromCoroutine(self.store.close())
        while self.committer.waiting:
            self.committer.release()
        self.successResultOf(closing)

    def _append(self, *contents: bytes) -> Deferred[object]:
        """
        Begin to append.
        """
        messages = tuple(NewMessage(each) for each in contents)
        return Deferred.fromCoroutine(self.store.append("alice", "INBOX", messages))

    def _count(self) -> int:
        """
        Messages that can be seen.
        """
        return self.now(self.store.status("alice", "INBOX")).messages

    def test_one(self) -> None:
        """
        Requests that come together are committed together, and are answered
        and can be seen after that only.
        """
        recorder = Recorder()
        self.store.observe(recorder)
        requests = [self._append(mail(number)) for number in range(20)]
        for each in requests:
            self.assertNoResult(each)
        self.assertEqual((self._count(), recorder.changed, self.committer.commits), (0, [], 0))
        self.committer.release()
        uids = [self.successResultOf(each).uids for each in requests]  # type: ignore[attr-defined]
        self.assertEqual(uids, [(number,) for number in range(1, 21)])
        self.assertEqual((self._count(), len(recorder.changed), self.committer.commits), (20, 20, 1))

    def test_recentInOneGroup(self) -> None:
        """
        A message that arrives while others are claimed as recent, in the same commit, is recent
        to the next who claims, and to him alone.
        """
        arriving = self._append(mail(1))
        self.committer.release()
        opening = Deferred.fromCoroutine(self.store.openFolder("alice", "INBOX", True))
        arriving = self._append(mail(2))
        self.committer.release()
        self.successResultOf(arriving)
        opened = self.successResultOf(opening)
        self.assertEqual((opened.first_recent, opened.status.recent, opened.uids), (1, 1, UidSet(((1, 1),))))

        async def changes(since: int) -> FolderDelta:
            (delta,) = [each async for each in self.store.changes("alice", opened.folder, since, True)]
            return delta

        asking = Deferred.fromCoroutine(changes(opened.status.highest_modseq))
        arriving = self._append(mail(3))
        self.committer.release()
        self.successResultOf(arriving)
        delta = self.successResultOf(asking)
        self.assertEqual((delta.first_recent, list(uint32s(delta.changed.uids))), (2, [2]))
        asking = Deferred.fromCoroutine(changes(delta.highest_modseq))
        self.committer.release()
        delta = self.successResultOf(asking)
        self.assertEqual((delta.first_recent, list(uint32s(delta.changed.uids))), (3, [3]))

    def test_failingMember(self) -> None:
        """
        A request that fails leaves nothing behind and does not touch the others of its group.
        """
        before = self._append(mail(1))
        keywords = tuple(f"k{number}" for number in range(60))
        bad = (NewMessage(mail(2)), NewMessage(mail(3), keywords))
        failing = Deferred.fromCoroutine(self.store.append("alice", "INBOX", bad))
        after = self._append(mail(4))
        self.committer.release()
        self.failureResultOf(failing, StoreError)
        self.assertEqual(self.successResultOf(before).uids, (1,))  # type: ignore[attr-defined]
        self.assertEqual(self.successResultOf(after).uids, (2,))  # type: ignore[attr-defined]
        self.assertEqual(self._count(), 2)

    def test_lostCommit(self) -> None:
        """
        When the commit fails all of the group fail, nothing has changed, and the store goes on.
        """
        requests = [self._append(mail(number)) for number in (1, 2)]
        creating = Deferred.fromCoroutine(self.store.createFolder("alice", "New"))
        self.committer.lose()
        for each in (*requests, creating):
            self.failureResultOf(each, StoreUnavailable)
        self.assertEqual(self._count(), 0)
        again = self._append(mail(3))
        self.committer.release()
        self.assertEqual(self.successResultOf(again).uids, (1,))  # type: ignore[attr-defined]
        self.assertEqual(self.rows(self.db_path, "SELECT count(*) FROM contents"), [(1,)])

    def test_readsMeanwhile(self) -> None:
        """
        While changes wait to be committed others read what there was before, as often as they like.
        """
        first = self._append(mail(1))
        self.committer.release()
        self.successResultOf(first)
        self._append(mail(2))
        folder = self.now(self.store.openFolder("alice", "INBOX", False))
        self.assertEqual(folder.uids, UidSet(((1, 1),)))
        (batch,) = self.all(
            self.store.fetch("alice", folder.folder, UidSet(((1, 9),)), FetchSpec(size=True, flags=True))
        )
        self.assertEqual(len(batch.uids), 4)
        self.committer.release()
        self.assertEqual(self.now(self.store.openFolder("alice", "INBOX", False)).uids, UidSet(((1, 2),)))

    def test_closedMeanwhile(self) -> None:
        """
        What was done before the store is closed is made durable.
        """
        request = self._append(mail(1))
        closing = Deferred.fromCoroutine(self.store.close())
        self.assertNoResult(closing)
        self.committer.release()
        self.successResultOf(closing)
        self.successResultOf(request)
        self.assertEqual(self.rows(self.db_path, "SELECT count(*) FROM messages"), [(1,)])

    def test_memory(self) -> None:
        """
        A database in memory commits at once, whatever committer it is given.
        """
        store = self.open(committer=self.committer)
        self.users(store, "bob")
        self.assertEqual(self.committer.waiting, [])


class FailureTests(EngineCase):
    """
    Failures of what is below.
    """

    def test_full(self) -> None:
        """
        When there is no room, that is told, nothing is half there, and what fits is still taken.
        """
        path = self.path()
        store = self.open(path, EngineLimits(max_database=1_000_000))
        self.users(store, "alice")
        big = b"\r\n".join(b"%060d" % number for number in range(40_000))
        failure = self.failureResultOf(
            Deferred.fromCoroutine(store.append("alice", "INBOX", (NewMessage(mail()), NewMessage(big))))
        )
        failure.trap(OverQuota)
        self.assertEqual(self.now(store.status("alice", "INBOX")).messages, 0)
        self.append(store, "alice", "INBOX", mail())
        self.now(store.close())
        self.assertEqual(self.rows(path, "SELECT count(*) FROM contents"), [(1,)])
        self.assertEqual(self.rows(path, "PRAGMA integrity_check"), [("ok",)])

    def test_locked(self) -> None:
        """
        While another process writes, changes are refused after a bounded wait, and reading goes on.
        """
        path = self.path()
        store = self.open(path, EngineLimits(busy_wait=0))
        self.users(store, "alice")
        other = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        failure = self.failureResultOf(Deferred.fromCoroutine(store.createFolder("alice", "x")))
        failure.trap(StoreBusy)
        self.assertEqual(self.now(store.status("alice", "INBOX")).messages, 0)
        other.execute("ROLLBACK")
        self.now(store.createFolder("alice", "x"))

    def test_unexpected(self) -> None:
        """
        What nobody thought of is a fault, whose text tells nothing and whose cause is kept.
        """
        path = self.path()
        store = self.open(path)
        self.users(store, "alice")
        self.execute(path, "DROP TABLE subscriptions")
        failure = self.failureResultOf(Deferred.fromCoroutine(store.subscriptions("alice")))
        failure.trap(StoreFault)
        self.assertNotIn("subscriptions", str(failure.value))
        self.assertIsInstance(failure.value.__cause__, sqlite3.OperationalError)
        failure = self.failureResultOf(Deferred.fromCoroutine(store.subscribe("alice", "x")))
        failure.trap(StoreFault)
        self.append(store, "alice", "INBOX", mail())

    def test_mapping(self) -> None:
        """
        Errors of SQLite and the system have their counterparts.
        """

        def sqlite(code: int) -> sqlite3.Error:
            error = sqlite3.OperationalError("details")
            error.sqlite_errorcode = code
            return error

        for error, expected in (
            (sqlite(sqlite3.SQLITE_FULL), OverQuota),
            (sqlite(sqlite3.SQLITE_BUSY), StoreBusy),
            (sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), StoreBusy),
            (sqlite(sqlite3.SQLITE_LOCKED), StoreBusy),
            (sqlite(sqlite3.SQLITE_IOERR_READ), StoreUnavailable),
            (sqlite(sqlite3.SQLITE_READONLY), StoreUnavailable),
            (sqlite(sqlite3.SQLITE_CORRUPT), StoreFault),
            (sqlite3.ProgrammingError("details"), StoreFault),
            (OSError(28, "details"), OverQuota),
            (OSError(5, "details"), StoreUnavailable),
            (KeyError("details"), StoreFault),
        ):
            mapped = storeError(error)
            self.assertIs(type(mapped), expected)
            self.assertNotIn("details", str(mapped))
        kept = NoSuchFolder("which")
        self.assertIs(storeError(kept), kept)

    def test_failedChangeEndsTurn(self) -> None:
        """
        A change that is refused leaves no transaction open.
        """
        path = self.path()
        store = self.open(path)
        self.users(store, "alice")
        failure = self.failureResultOf(Deferred.fromCoroutine(store.createUser("alice", CREDENTIALS)))
        failure.trap(UserExists)
        self.execute(path, "UPDATE meta SET value = value WHERE key = 'identity'")


class OutsideTests(EngineCase):
    """
    Two engines on one database.
    """

    def setUp(self) -> None:
        """
        Two of them.
        """
        path = self.path()
        self.one = self.open(path)
        self.users(self.one, "alice", "bob")
        self.two = self.open(path)

    def test_seen(self) -> None:
        """
        What one changes the other sees in its next request, whatever it has kept.
        """
        before = self.now(self.two.trees("bob"))
        self.now(self.two.openFolder("alice", "INBOX", True))
        self.append(self.one, "alice", "INBOX", mail(1), mail(2))
        self.now(self.one.createFolder("alice", "Public Folders/New"))
        opened = self.now(self.two.openFolder("alice", "INBOX", True))
        self.assertEqual((opened.uids, opened.first_recent), (UidSet(((1, 2),)), 1))
        after = self.now(self.two.trees("bob"))
        self.assertNotEqual(before, after)
        (batch,) = self.all(self.two.folders("bob", after[2]))
        self.assertIn("Public Folders/New", batch.names)
        self.now(self.one.setRights(SYSTEM, "Public Folders/New", "bob", "i"))
        self.assertEqual(self.now(self.two.rights("bob", "Public Folders/New")), "lrsi")

    def test_poll(self) -> None:
        """
        C{poll} tells observers when somebody else has changed something, once, and not of own changes.
        """
        self.two.poll()
        recorder = Recorder()
        self.two.observe(recorder)
        self.append(self.two, "alice", "INBOX", mail(1))
        self.assertFalse(self.two.poll())
        self.append(self.one, "alice", "INBOX", mail(2))
        self.assertTrue(self.two.poll())
        self.assertFalse(self.two.poll())
        self.assertEqual(recorder.everything, 1)
        self.now(self.two.close())
        self.assertFalse(self.two.poll())
