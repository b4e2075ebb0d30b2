"""
Sorting and threading: bounds, and trees of any shape.
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import AsyncGenerator

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store
from mailstore.engine.sorting import Room, Sorting
from mailstore.engine.threads import threading
from mailstore.errors import LimitReached, StoreBusy, StoreError
from mailstore.model import Criterion, SearchTerm, SortField, SortKey, ThreadAlgorithm, uint32s
from mailstore.testing.storecases.base import mail
from tests.engine.enginecase import EngineCase

_ALL = SearchTerm(Criterion.ALL)


class OrderingTests(EngineCase):
    """
    C{sort} and C{threads} of an engine.
    """

    def _filled(self, *messages: bytes, limits: EngineLimits | None = None) -> tuple[Store, int]:
        """
        A store where alice has some messages, and the folder they are in.
        """
        store = self.open(limits=limits)
        self.users(store, "alice")
        for at in range(0, len(messages), 1000):
            self.append(store, "alice", "INBOX", *messages[at : at + 1000])
        return store, self.now(store.openFolder("alice", "INBOX", False)).folder

    def _rows(self, store: Store, folder: int) -> list[tuple[int, int]]:
        """
        UIDs and depths of the trees that references make.
        """
        answer = store.threads("alice", folder, _ALL, ThreadAlgorithm.REFERENCES)
        return [
            pair
            for batch in self.all(answer)
            for pair in zip(uint32s(batch.uids), uint32s(batch.depths), strict=True)
        ]

    def _refused(self, answer: AsyncGenerator[object, None], error: type[StoreError] = LimitReached) -> None:
        """
        Check that an answer fails because of a bound.
        """

        async def gather() -> None:
            async for _ in answer:
                pass

        self.failureResultOf(Deferred.fromCoroutine(gather()), error)

    def test_tooMany(self) -> None:
        """
        What is gathered is bounded.
        """
        store, folder = self._filled(*map(mail, range(40)), limits=EngineLimits(max_gathered=4000))
        for key in (SortField.SUBJECT, SortField.DATE):
            answer = store.sort("alice", folder, _ALL, (SortKey(key), SortKey(SortField.FROM)))
            self._refused(answer)
        threads = store.threads("alice", folder, _ALL, ThreadAlgorithm.REFERENCES)
        self._refused(threads)

    def test_shared(self) -> None:
        """
        All requests together gather no more than one may; who is in the way of others gives it back at its
        end, however it ends, and most of it when all is in order.
        """
        store, folder = self._filled(
            *map(mail, range(40)), limits=EngineLimits(max_gathered=11_500, search_rows=10)
        )
        room = store._room
        keys = (SortKey(SortField.SUBJECT),)
        for begin in (
            lambda: store.sort("alice", folder, _ALL, keys),
            lambda: store.threads("alice", folder, _ALL, ThreadAlgorithm.ORDEREDSUBJECT),
        ):
            first = begin()
            self.now(first.__anext__())
            held = room.taken
            self.assertGreater(held, 0)
            for _ in range(2):
                self.now(first.__anext__())
            self.assertGreater(room.taken, 2 * held)
            self._refused(begin(), StoreBusy)
            self.now(first.aclose())
            self.assertEqual(room.taken, 0)
            self.assertTrue(self.all(begin()))
            self.assertEqual(room.taken, 0)
        room.capacity = 1 << 20
        slow = store.sort("alice", folder, _ALL, keys)
        while not self.now(slow.__anext__()):
            pass
        self.assertEqual(room.taken, 4 * 40)
        self.assertEqual(self.all(slow), [])
        self.assertEqual(room.taken, 0)

    def test_honest(self) -> None:
        """
        What is said to be held is no less than the memory that it takes, at its most.
        """
        count, limits, room = 8_000, EngineLimits(), Room(1 << 30)
        chance = random.Random(2)

        def hashes(number: int) -> bytes:
            return b"".join(chance.randbytes(16) for _ in range(number))

        for gatherer, values in (
            (
                Sorting(limits, room, (SortKey(SortField.SUBJECT), SortKey(SortField.DATE))),
                lambda: [f"NOTES OF THE MEETING, NUMBER {chance.random()}", chance.getrandbits(40)],
            ),
            (
                Sorting(limits, room, (SortKey(SortField.FROM), SortKey(SortField.TO))),
                lambda: [f"ANN {chance.randrange(50)}", f"KAT\u0130 {chance.random()}"],
            ),
            (
                threading(limits, room, ThreadAlgorithm.ORDEREDSUBJECT),
                lambda: [f"NOTES {chance.random()}", chance.getrandbits(40)],
            ),
            (
                threading(limits, room, ThreadAlgorithm.REFERENCES),
                lambda: [
                    hashes(1),
                    hashes(chance.randrange(3)),
                    f"X {chance.random()}",
                    0,
                    chance.getrandbits(40),
                ],
            ),
        ):
            tracemalloc.start()
            cost = sum(gatherer._take(uid, values()) for uid in range(1, count + 1))
            for _ in gatherer.batches():
                pass
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            self.assertLess(peak, cost, gatherer)
            self.assertGreater(2.5 * peak, cost, gatherer)

    def test_anyShape(self) -> None:
        """
        Whatever messages say they answer, each is in the trees once, a message that is not there
        is at the top and above several only, and no level is left out.
        """
        source = random.Random(5)
        for size in (3, 10, 40, 200):
            messages = []
            for number in range(size):
                own = f"<{source.randrange(size)}@x>"
                refs = " ".join(f"<{source.randrange(size + 5)}@x>" for _ in range(source.randrange(5)))
                subject = source.choice(("", "a", "Re: a", "b", "Fwd: b", str(number)))
                head = f"Message-ID: {own}\r\nReferences: {refs}\r\nSubject: {subject}\r\nX: {number}\r\n\r\n"
                messages.append(head.encode())
            store, folder = self._filled(*messages)
            rows = self._rows(store, folder)
            self.assertEqual(sorted(uid for uid, _ in rows if uid), list(range(1, size + 1)))
            last = -1
            for at, (uid, depth) in enumerate(rows):
                self.assertLessEqual(depth, last + 1)
                if not uid:
                    self.assertEqual(depth, 0)
                    below = []
                    for _, deeper in rows[at + 1 :]:
                        if not deeper:
                            break
                        below.append(deeper)
                    self.assertGreater(below.count(1), 1)
                last = depth

    def test_deepLoops(self) -> None:
        """
        A deep chain and messages that refer to both ends of it again and again take a bounded time each.
        """
        chain = [
            f"Message-ID: <{at}@x>\r\nIn-Reply-To: <{at - 1}@x>\r\n\r\n".encode() for at in range(1, 900)
        ]
        refs = " ".join("<899@x> <0@x>" for _ in range(50))
        evil = [f"References: {refs}\r\nX: {at}\r\n\r\n".encode() for at in range(100)]
        store, folder = self._filled(*chain, *evil)
        rows = self._rows(store, folder)
        self.assertEqual(sorted(uid for uid, _ in rows if uid), list(range(1, len(chain) + len(evil) + 1)))

    def test_slices(self) -> None:
        """
        Others have their turn while trees are made of many messages.
        """
        heads = (f"Message-ID: <{at}@x>\r\nSubject: {at}\r\n\r\n".encode() for at in range(6000))
        store, folder = self._filled(*heads)
        batches = self.all(store.threads("alice", folder, _ALL, ThreadAlgorithm.REFERENCES))
        searching = 6000 // EngineLimits().search_rows
        self.assertGreater(sum(not each.uids for each in batches), searching + 5)
        self.assertEqual(sum(len(each.uids) for each in batches), 4 * 6000)
