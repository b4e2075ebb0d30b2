"""
A disk that takes its time: those who wait for it wait within their time, and nobody else does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore import engine
from mailstore.errors import StoreUnavailable
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.ipc.limits import IpcLimits
from mailstore.model import NewMessage
from mailstore.testing.storecases.base import CREDENTIALS, RENDITIONS, mail
from tests.ipc.fakes import Joined, Outcome, TurningClock, joined

_LIMITS = IpcLimits(poll_interval=0, deadline=10.0, grace=1.0)


class SlowDiskTests(SynchronousTestCase):
    """
    A store with group commit behind a channel, whose commits end when the test says so.
    """

    def setUp(self) -> None:
        """
        Such a store.
        """
        os.makedirs(directory := os.path.abspath(self.mktemp()))
        clock = TurningClock()
        self.held: list[tuple[Deferred[None], Callable[[], None]]] = []
        committer: Any = GroupCommitter(clock, in_thread=self._slowly)
        url = f"sqlite:{directory}/mail.db"
        self.store = engine.open(url, renditions=RENDITIONS, renditions_version=1, committer=committer)
        creating = Deferred.fromCoroutine(self.store.createUser("alice", CREDENTIALS))
        clock.turn()
        clock.turn()
        clock.turn()
        self._release()
        self.successResultOf(creating)
        self.both: Joined = joined(_LIMITS, store=self.store, connect=False)
        self.both.clock.calls = clock.calls
        self.both.connect()
        self.both.settle()
        self.addCleanup(self._close)

    def _close(self) -> None:
        closing = Deferred.fromCoroutine(self.store.close())
        for _ in range(10):
            self.both.settle()
            self._release()
        self.successResultOf(closing)

    def _slowly(self, work: Callable[[], None]) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.held.append((done, work))
        return done

    def _release(self) -> None:
        held, self.held = self.held, []
        for done, work in held:
            work()
            done.callback(None)

    def _append(self, number: int) -> Outcome:
        request = self.both.remote.append("alice", "INBOX", (NewMessage(mail(number)),))
        outcome = self.both.start(request)
        self.both.settle()
        return outcome

    def _messages(self) -> int:
        outcome = self.both.start(self.both.remote.status("alice", "INBOX"))
        self.both.settle()
        found: int = outcome.value.messages
        return found

    def test_waits(self) -> None:
        """
        While one group is being committed what is there can be read, and further changes wait for
        the next group; each is acknowledged after its own commit.
        """
        first = self._append(1)
        later = [self._append(number) for number in range(2, 6)]
        self.assertEqual([each.done for each in (first, *later)], [False] * 5)
        self.assertEqual(self._messages(), 0)
        self._release()
        self.both.settle()
        self.assertEqual([each.done for each in (first, *later)], [True] + [False] * 4)
        self.assertEqual(self._messages(), 1)
        self.assertEqual(len(self.held), 1)
        self._release()
        self.both.settle()
        self.assertEqual([each.value.uids for each in later], [(2,), (3,), (4,), (5,)])

    def test_tooSlow(self) -> None:
        """
        Whoever has waited for his time is told that it is not known what came of it; nothing is
        there twice when the disk is back, and the next change is made.
        """
        waiting = [self._append(number) for number in (1, 2, 3)]
        self.both.clock.advance(_LIMITS.deadline + 2 * _LIMITS.grace)
        self.both.settle()
        self.assertEqual([each.error for each in waiting], [StoreUnavailable] * 3)
        self.assertEqual(self._messages(), 0)
        for _ in range(3):
            self._release()
            self.both.settle()
        after = self._append(4)
        self._release()
        self.both.settle()
        (uid,) = after.value.uids
        self.assertLessEqual(self._messages(), 4)
        self.assertEqual(self._messages(), uid)
