"""
When contents that nobody names are removed, and with whose change.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.engine import Store
from mailstore.engine.connection import Connection
from mailstore.engine.content import Unused
from mailstore.errors import StoreError
from mailstore.model import FlagMode, NewMessage, Section, UidSet
from mailstore.testing.storecases.base import mail
from tests.engine.enginecase import EngineCase
from tests.engine.test_durability import HeldCommitter

_ALL = UidSet(((1, 1000),))

#: Characters of a message that is much to remove, and of one that is not.
_LONG, _SHORT = 5_000_000, 300_000


class SweepingTests(EngineCase):
    """
    Several changes to a commit.
    """

    def setUp(self) -> None:
        """
        A store with alice, whose changes are committed when the test says so.
        """
        self.db_path = self.path()
        maker = self.open(self.db_path)
        self.users(maker, "alice")
        self.now(maker.close())
        self.committer = HeldCommitter()
        self.store: Store = self.open(self.db_path, committer=self.committer)
        self.addCleanup(self._closing)
        self.inbox = self.now(self.store.openFolder("alice", "INBOX", False)).folder

    def _closing(self) -> None:
        closing = Deferred.fromCoroutine(self.store.close())
        self.committer.release()
        self.successResultOf(closing)

    def _begin(self, change: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(change)

    def _do(self, change: Any) -> None:
        doing = self._begin(change)
        while not doing.called:
            self.committer.release()
        self.successResultOf(doing)

    def _leave(self, size: int) -> None:
        """
        Bring in a message, and expunge it.
        """
        self._do(self._append(size, "x"))
        self._do(self.store.storeFlags("alice", self.inbox, _ALL, FlagMode.ADD, ("\\Deleted",)))
        self._do(self.store.expunge("alice", self.inbox, None))

    def _append(self, size: int, letter: str) -> Any:
        return self.store.append("alice", "INBOX", (NewMessage(mail(body=letter * size)),))

    def _contents(self) -> int:
        (found,) = self.rows(self.db_path, "SELECT (SELECT count(*) FROM contents), count(*) FROM chunks")
        self.assertEqual(found[0] == 0, found[1] == 0)
        count: int = found[0]
        return count

    def test_little(self) -> None:
        """
        A little is removed together with the next change, in one commit.
        """
        self._leave(_SHORT)
        before = self.committer.commits
        change = self._begin(self.store.subscribe("alice", "x"))
        self.committer.release()
        self.successResultOf(change)
        self.assertEqual((self._contents(), self.committer.commits - before), (0, 1))

    def test_much(self) -> None:
        """
        Much is removed in a commit of its own.  Changes that come meanwhile wait for it, once, and then
        share the next one, in which nothing else is removed.
        """
        self._leave(_LONG)
        one, two = (self._begin(self.store.subscribe("alice", name)) for name in ("x", "y"))
        self.assertEqual(self._contents(), 1)
        self.committer.release()
        self.assertEqual(self._contents(), 0)
        self.assertNoResult(one)
        self.assertNoResult(two)
        self.committer.release()
        self.successResultOf(one)
        self.successResultOf(two)
        self.assertEqual(self.now(self.store.subscriptions("alice")), ("x", "y"))

    def test_failed(self) -> None:
        """
        When much cannot be removed nothing of that commit is kept, its changes are refused,
        and all is tried again with the next one.
        """
        self._leave(_LONG)
        sweep = self.store._pins.sweep
        failures = [sqlite3.OperationalError("disk I/O error")]

        def fail(db: Connection, unused: Unused) -> None:
            sweep(db, unused)
            raise failures.pop()

        self.patch(self.store._pins, "sweep", fail)
        change = self._begin(self.store.subscribe("alice", "x"))
        self.committer.release()
        self.failureResultOf(change, StoreError)
        self.assertEqual(self._contents(), 1)
        self.patch(self.store._pins, "sweep", sweep)
        self._do(self.store.subscribe("alice", "y"))
        self.assertEqual(self._contents(), 0)
        self.assertEqual(self.now(self.store.subscriptions("alice")), ("y",))

    def test_commitFailed(self) -> None:
        """
        The same when the commit fails.
        """
        self._leave(_LONG)
        change = self._begin(self.store.subscribe("alice", "x"))
        self.committer.lose()
        self.failureResultOf(change, StoreError)
        self._do(self.store.subscribe("alice", "y"))
        self.assertEqual(self._contents(), 0)

    def test_notCommitted(self) -> None:
        """
        What was expunged in a transaction that is still open is not removed in it: somebody may find
        the message until it is committed, and reads it to its end.  Afterwards it is removed.
        """
        self._do(self._append(_SHORT, "x"))
        self._do(self.store.storeFlags("alice", self.inbox, _ALL, FlagMode.ADD, ("\\Deleted",)))
        expunge = self._begin(self.store.expunge("alice", self.inbox, None))
        subscribe = self._begin(self.store.subscribe("alice", "x"))
        answer = self.store.readSection("alice", self.inbox, 1, Section())
        read = [self.now(answer.__anext__())]
        self.committer.release()
        self.successResultOf(expunge)
        self.successResultOf(subscribe)
        read += self.all(answer)
        self.assertEqual(b"".join(read), mail(body="x" * _SHORT))
        self.assertEqual(self._contents(), 1)
        self._do(self.store.subscribe("alice", "y"))
        self.assertEqual(self._contents(), 0)
