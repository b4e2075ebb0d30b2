"""
Messages that have stayed long enough go, and no others.
"""

from __future__ import annotations

from typing import Any

from mailstore.engine import EngineLimits, Store
from mailstore.model import SYSTEM, Expiry, NewMessage, UidSet
from mailstore.testing.storecases.base import Recorder, mail
from tests.engine.enginecase import EngineCase

_DAY = 86_400
_NAME = "Public Folders/News"

#: A moment that clocks show.
_NOW = 1_700_000_000


class ExpiryCase(EngineCase):
    """
    A store with a folder, and a clock.
    """

    def setUp(self) -> None:
        self.time = float(_NOW)
        self.store = self.begin(limits=EngineLimits(expire_rows=10))

    def begin(self, path: str = ":memory:", **options: Any) -> Store:
        """
        A store by this clock.
        """
        store = self.open(path, clock=lambda: self.time, **options)
        self.users(store, "alice", "bob")
        self.now(store.createFolder(SYSTEM, _NAME))
        return store

    def keep(self, days: int | None = None, messages: int | None = None, name: str = _NAME) -> None:
        """
        Set the rule.
        """
        self.now(self.store.setExpiry(SYSTEM, name, Expiry(days, messages)))

    def uids(self, name: str = _NAME) -> list[int]:
        """
        The messages that are there.
        """
        return list(self.now(self.store.openFolder("alice", name, False)).uids)

    def expire(self, most: int = 100) -> int:
        """
        Let the store do all that is to be done.

        @return: in how many pieces.
        """
        for piece in range(1, most + 1):
            if not self.now(self.store.expireMore()):
                return piece
        raise AssertionError("it never ends")

    def days(self, count: float) -> None:
        """
        Time goes by, in which the store works once an hour.
        """
        for _ in range(round(count * 24)):
            self.time += 3600
            self.expire()


class ExpiryTests(ExpiryCase):
    """
    What goes and what stays.
    """

    def test_days(self) -> None:
        """
        A message stays as many days as the rule says, from when it came into the folder, whatever its date.
        """
        self.keep(days=3)
        for number in range(1, 6):
            message = NewMessage(mail(number), (), 1_000_000)
            self.now(self.store.append("alice", _NAME, (message,)))
            self.days(1)
        self.assertEqual(self.uids(), [3, 4, 5])
        self.days(1)
        self.assertEqual(self.uids(), [4, 5])
        self.days(10)
        self.assertEqual(self.uids(), [])

    def test_messages(self) -> None:
        """
        The newest stay, as many as the rule says.
        """
        self.append(self.store, "alice", _NAME, *(mail(each) for each in range(1, 6)))
        self.keep(messages=2)
        self.expire()
        self.assertEqual(self.uids(), [4, 5])
        self.append(self.store, "alice", _NAME, mail(6))
        self.expire()
        self.assertEqual(self.uids(), [5, 6])
        self.keep(messages=0)
        self.expire()
        self.assertEqual(self.uids(), [])

    def test_both(self) -> None:
        """
        What either says goes.
        """
        self.keep(days=2, messages=3)
        self.append(self.store, "alice", _NAME, *(mail(each) for each in range(1, 6)))
        self.expire()
        self.assertEqual(self.uids(), [3, 4, 5])
        self.days(1)
        self.append(self.store, "alice", _NAME, mail(6))
        self.expire()
        self.assertEqual(self.uids(), [4, 5, 6])
        self.days(1.5)
        self.assertEqual(self.uids(), [6])

    def test_otherFolders(self) -> None:
        """
        Folders without a rule, or whose rule was taken away, keep everything.
        """
        self.append(self.store, "alice", "INBOX", mail())
        self.append(self.store, "alice", _NAME, mail())
        self.keep(days=1, messages=0)
        self.keep()
        self.days(30)
        self.assertEqual((self.uids("INBOX"), self.uids()), ([1], [1]))

    def test_personal(self) -> None:
        """
        A user's own folder can have a rule, also INBOX.
        """
        self.append(self.store, "alice", "INBOX", mail(1), mail(2))
        self.now(self.store.setExpiry("alice", "INBOX", Expiry(messages=1)))
        self.expire()
        self.assertEqual(self.uids("INBOX"), [2])

    def test_downtime(self) -> None:
        """
        A store that was off for long catches up.
        """
        self.keep(days=3)
        self.append(self.store, "alice", _NAME, mail())
        self.time += 10 * _DAY
        self.expire()
        self.assertEqual(self.uids(), [])

    def test_told(self) -> None:
        """
        Sessions hear of it as of any expunge: observers, the delta, the counts, the quota.
        """
        self.append(self.store, "alice", _NAME, *(mail(each) for each in range(1, 6)))
        opened = self.now(self.store.openFolder("bob", _NAME, False))
        recorder = Recorder()
        self.store.observe(recorder)
        self.keep(messages=2)
        self.expire()
        self.assertIn((opened.folder, ""), recorder.changed)
        (delta,) = self.all(self.store.changes("bob", opened.folder, opened.status.highest_modseq, False))
        self.assertEqual(delta.vanished, UidSet(((1, 3),)))
        status = self.now(self.store.status("bob", _NAME))
        self.assertEqual((status.messages, status.unseen), (2, 2))
        self.assertEqual(self.now(self.store.quota("alice", "#public")).resources[1][1], 2)

    def test_contentGone(self) -> None:
        """
        What no folder holds any more is removed from the file with the next change.
        """
        path = self.path()
        self.store = self.begin(path)
        self.append(self.store, "alice", _NAME, mail(1), mail(2))
        self.keep(messages=0)
        self.expire()
        self.now(self.store.subscribe("alice", "x"))
        self.assertEqual(self.rows(path, "SELECT count(*) FROM contents"), [(0,)])

    def test_slices(self) -> None:
        """
        One piece of work removes a bounded number, and says that there is more.
        """
        self.append(self.store, "alice", _NAME, *(mail(each) for each in range(95)))
        self.keep(messages=5)
        left = 95
        while left > 5:
            self.assertTrue(self.now(self.store.expireMore()))
            before, left = left, len(self.uids())
            self.assertLessEqual(before - left, 10)
            self.assertLess(left, before)
        self.expire()
        self.assertEqual(len(self.uids()), 5)

    def test_manyFolders(self) -> None:
        """
        Folders wait their turn; each gets one, and nothing is written for those with nothing to do.
        """
        self.store = self.begin(limits=EngineLimits(expire_rows=3, batch_rows=2))
        names = [f"Public Folders/F{each}" for each in range(7)]
        for name in names:
            self.now(self.store.createFolder(SYSTEM, name))
            self.append(self.store, "alice", name, mail(1), mail(2))
            self.keep(messages=1, name=name)
        self.expire()
        self.assertEqual([self.uids(name) for name in names], [[2]] * 7)
        with self.store._database.reading() as db:
            before = db.total_changes
            self.expire()
            self.assertEqual(db.total_changes, before)


class ClockTests(ExpiryCase):
    """
    A clock that is wrong costs no message.
    """

    def test_backwards(self) -> None:
        """
        A clock that goes back removes nothing, and nothing too soon when it is right again.
        """
        self.keep(days=3)
        self.append(self.store, "alice", _NAME, mail(1))
        self.days(1)
        right, self.time = self.time, 3600.0
        self.append(self.store, "alice", _NAME, mail(2))
        self.days(0.5)
        self.assertEqual(self.uids(), [1, 2])
        self.time = right + _DAY / 2
        self.expire()
        self.append(self.store, "alice", _NAME, mail(3))
        self.days(1.3)
        self.assertEqual(self.uids(), [1, 2, 3])
        self.days(0.3)
        self.assertEqual(self.uids(), [2, 3])
        self.days(1.5)
        self.assertEqual(self.uids(), [])

    def test_backwardsInQuietFolder(self) -> None:
        """
        The same in a folder where nothing came for long before the clock went wrong.
        """
        self.keep(days=3)
        self.days(20)
        right, self.time = self.time, 0.0
        self.append(self.store, "alice", _NAME, mail(1))
        self.expire()
        self.time = right + 3600
        self.days(2.9)
        self.assertEqual(self.uids(), [1])
        self.days(0.3)
        self.assertEqual(self.uids(), [])

    def test_backwardsMany(self) -> None:
        """
        Also when so much came that it is put right in several pieces.
        """
        self.keep(days=3)
        self.time = 0.0
        self.append(self.store, "alice", _NAME, *(mail(each) for each in range(35)))
        self.time = _NOW + 7200.0
        self.expire()
        self.days(2.5)
        self.assertEqual(len(self.uids()), 35)
        self.days(0.5)
        self.assertEqual(self.uids(), [])

    def test_fromTheFuture(self) -> None:
        """
        A message that came while the clock was ahead does not hold up those behind it.
        """
        self.keep(days=3)
        self.time += 1000 * _DAY
        self.append(self.store, "alice", _NAME, mail(1))
        self.time = _NOW + 60.0
        self.append(self.store, "alice", _NAME, mail(2))
        self.days(3.2)
        self.assertEqual(self.uids(), [1])
