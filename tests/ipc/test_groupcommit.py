"""
Group commit: without a disk and a thread, then with both.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.errors import OverQuota, StoreBusy, StoreFault, StoreUnavailable
from mailstore.ipc.groupcommit import GroupCommitter
from tests.ipc.fakes import Outcome, TurningClock


class Books:
    """
    A write transaction that notes what is done with it.
    """

    def __init__(self, max_group: int = 256) -> None:
        self.clock = TurningClock()
        self.log: list[str] = []
        self.begin_errors: list[Exception] = []
        self.commits: list[tuple[Callable[[], None], Deferred[None]]] = []
        self.committer = GroupCommitter(self.clock, 5.0, max_group, self.inThread)
        self.committer.attach(self.begin, self.commit, lambda: self.log.append("rollback"))

    def begin(self) -> None:
        if self.begin_errors:
            raise self.begin_errors.pop(0)
        self.log.append("begin")

    def commit(self) -> None:
        self.log.append("commit")

    def inThread(self, work: Callable[[], None]) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.commits.append((work, done))
        return done

    def finish(self, error: Exception | None = None) -> None:
        """
        The thread is done.
        """
        [(work, done)] = self.commits
        self.commits.clear()
        if error is None:
            work()
            done.callback(None)
        else:
            done.errback(error)

    def turns(self, times: int = 4) -> None:
        for _ in range(times):
            self.clock.turn()

    def write(self, name: str) -> Outcome:
        """
        A request that changes something.
        """

        async def work() -> str:
            await self.committer.turn()
            self.log.append(name)
            await self.committer.committed()
            return name

        return Outcome(work())


class GroupCommitterTests(SynchronousTestCase):
    """
    Who shares which commit.
    """

    def test_together(self) -> None:
        """
        Those who come together share one commit, and none is told before it.
        """
        books = Books()
        outcomes = [books.write(each) for each in "abc"]
        books.turns()
        self.assertEqual(books.log, ["begin", "a", "b", "c"])
        self.assertFalse(any(each.done for each in outcomes))
        books.finish()
        self.assertEqual([each.value for each in outcomes], ["a", "b", "c"])
        self.assertEqual(books.log[-1], "commit")

    def test_givesWay(self) -> None:
        """
        Who does something long in slices goes on after the reactor has gone round; cancelled, it does not.
        """
        books = Books()
        outcome = Outcome(books.committer.giveWay())
        self.assertFalse(outcome.done)
        books.turns(1)
        self.assertTrue(outcome.done)
        waiting = Deferred.fromCoroutine(books.committer.giveWay())
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(books.clock.getDelayedCalls(), [])

    def test_waitsForQuiet(self) -> None:
        """
        A group is open until a whole turn of the reactor has brought nobody.
        """
        books = Books()
        for each in "abc":
            books.write(each)
            self.assertEqual(books.commits, [])
            books.turns(1)
        self.assertEqual(books.commits, [])
        books.turns(2)
        self.assertEqual(len(books.commits), 1)

    def test_notForEver(self) -> None:
        """
        A stream of newcomers does not put the commit off for ever.
        """
        books = Books()
        for each in range(30):
            books.write(str(each))
            books.turns(1)
        self.assertEqual(len(books.commits), 1)

    def test_nextGroup(self) -> None:
        """
        Who comes during a commit changes nothing before it is over, and
        shares the next one.
        """
        books = Books()
        books.write("a")
        books.turns()
        late = [books.write(each) for each in "bc"]
        self.assertEqual(books.log, ["begin", "a"])
        books.finish()
        books.turns()
        self.assertEqual(books.log, ["begin", "a", "commit", "begin", "b", "c"])
        books.finish()
        self.assertEqual([each.value for each in late], ["b", "c"])

    def test_maxGroup(self) -> None:
        """
        A group has a bounded number of members; the others are the next.
        """
        books = Books(max_group=2)
        outcomes = [books.write(each) for each in "abcde"]
        for _ in range(3):
            books.turns()
            books.finish()
        self.assertEqual([each.value for each in outcomes], list("abcde"))
        self.assertEqual("".join(books.log), "beginabcommitbegincdcommitbeginecommit")

    def test_failed(self) -> None:
        """
        When a commit fails all is undone, all members are told, and the next
        group is not concerned.
        """
        books = Books()
        outcomes = [books.write(each) for each in "ab"]
        books.turns()
        late = books.write("c")
        books.finish(OverQuota("no room"))
        self.assertEqual([each.error for each in outcomes], [OverQuota] * 2)
        self.assertEqual(books.log[:4], ["begin", "a", "b", "rollback"])
        books.turns()
        books.finish()
        self.assertEqual(late.value, "c")

    def test_failedUnforeseen(self) -> None:
        """
        What nobody foresaw is logged, and told neutrally.
        """
        books = Books()
        outcome = books.write("a")
        books.turns()
        books.finish(RuntimeError("secret"))
        self.assertNotIn("secret", str(self.assertRaises(StoreFault, lambda: outcome.value)))

    def test_busy(self) -> None:
        """
        While another process writes, opening is tried again by and by.
        """
        books = Books()
        books.begin_errors = [StoreBusy("busy")] * 3
        outcomes = [books.write(each) for each in "ab"]
        books.turns()
        self.assertEqual(books.log, [])
        books.clock.pump([0.05] * 10)
        books.turns()
        books.finish()
        self.assertEqual([each.value for each in outcomes], ["a", "b"])

    def test_busyTooLong(self) -> None:
        """
        After its patience all who wait are refused; who comes then, tries anew.
        """
        books = Books()
        books.begin_errors = [StoreBusy("busy")] * 10_000
        outcomes = [books.write(each) for each in "ab"]
        books.clock.pump([0.05] * 99)
        self.assertFalse(outcomes[0].done)
        books.clock.pump([0.05] * 10)
        self.assertEqual([each.error for each in outcomes], [StoreBusy] * 2)
        books.begin_errors = []
        outcome = books.write("c")
        books.turns()
        books.finish()
        self.assertEqual(outcome.value, "c")

    def test_cannotBegin(self) -> None:
        """
        Any other failure to begin is told at once, first or later.
        """
        books = Books()
        books.begin_errors = [StoreUnavailable("gone")]
        self.assertIs(books.write("a").error, StoreUnavailable)
        books.begin_errors = [RuntimeError("?")]
        self.assertIs(books.write("a").error, StoreFault)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        books.begin_errors = [StoreBusy("busy"), StoreUnavailable("gone")]
        outcome = books.write("a")
        books.clock.pump([0.01] * 3)
        self.assertIs(outcome.error, StoreUnavailable)
        books.write("b")
        books.turns()
        late = books.write("c")
        books.begin_errors = [StoreUnavailable("gone")]
        books.finish()
        self.assertIs(late.error, StoreUnavailable)

    def test_cancelled(self) -> None:
        """
        Who gives up waiting leaves the line; nobody else notices.
        """
        books = Books()
        member = books.write("a")
        books.turns()
        gone, late = books.write("b"), books.write("c")
        gone.deferred.cancel()
        member.deferred.cancel()
        books.finish()
        books.turns()
        books.finish()
        self.assertEqual(late.value, "c")
        self.assertNotIn("b", books.log)

    def test_close(self) -> None:
        """
        Closing commits what is open, refuses who waits and who comes.
        """
        books = Books()
        first = books.write("a")
        closed = Outcome(books.committer.close())
        late = books.write("b")
        self.assertFalse(closed.done)
        books.finish()
        self.assertEqual((first.value, closed.value, late.error), ("a", None, StoreUnavailable))
        self.assertIs(books.write("c").error, StoreUnavailable)
        self.assertIsNone(Outcome(books.committer.close()).value)
        self.assertEqual(books.clock.getDelayedCalls(), [])

    def test_closeWhileOpening(self) -> None:
        """
        Closing ends the attempts to begin.
        """
        books = Books()
        books.begin_errors = [StoreBusy("busy")]
        outcome = books.write("a")
        self.assertTrue(Outcome(books.committer.close()).done)
        self.assertIs(outcome.error, StoreUnavailable)
        self.assertEqual(books.clock.getDelayedCalls(), [])


class FileTests(TestCase):
    """
    With SQLite, a file and a thread.
    """

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.path = self.mktemp()
        self.db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=0)
        self.addCleanup(self.db.close)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE t (n INTEGER)")
        self.commits = self.refusals = 0
        self.refused_often: Deferred[None] = Deferred()
        self.committer = GroupCommitter(reactor)
        self.committer.attach(self.begin, self.commit, lambda: None)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.committer.close()))

    def begin(self) -> None:
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self.refusals += 1
            if self.refusals == 3:
                self.refused_often.callback(None)
            raise StoreBusy("busy") from None

    def commit(self) -> None:
        self.commits += 1
        self.db.execute("COMMIT")

    async def write(self, number: int) -> int:
        await self.committer.turn()
        self.db.execute("INSERT INTO t VALUES (?)", (number,))
        await self.committer.committed()
        other = sqlite3.connect(self.path)
        [(seen,)] = other.execute("SELECT count(*) FROM t WHERE n = ?", (number,)).fetchall()
        other.close()
        return int(seen)

    async def test_durableWhenTold(self) -> None:
        """
        When a request has its answer another connection sees what it wrote;
        fifty requests at once cost few commits.
        """
        seen = await gatherResults([Deferred.fromCoroutine(self.write(each)) for each in range(50)])
        self.assertEqual(seen, [1] * 50)
        self.assertLess(self.commits, 10)

    async def test_aside(self) -> None:
        """
        What takes long is done in another thread than commits, which go on meanwhile; what it raises comes
        back.
        """
        begun, ended = threading.Event(), threading.Event()
        threads: list[int] = []

        def work() -> None:
            threads.append(threading.get_ident())
            begun.set()
            ended.wait(30)

        working = Deferred.fromCoroutine(self.committer.aside(work))
        begun.wait(30)
        self.assertEqual(await Deferred.fromCoroutine(self.write(1)), 1)
        self.assertFalse(working.called)
        ended.set()
        await working
        self.assertNotEqual(threads, [threading.get_ident()])
        with self.assertRaises(ZeroDivisionError):
            await self.committer.aside(lambda: 1 // 0)

    async def test_anotherWriter(self) -> None:
        """
        While another connection writes requests wait, and the reactor does not.
        """
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        written = Deferred.fromCoroutine(self.write(1))
        await self.refused_often
        self.assertFalse(written.called)
        other.execute("COMMIT")
        self.assertEqual(await written, 1)
