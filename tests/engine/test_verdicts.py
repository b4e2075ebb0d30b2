"""
What searches leave behind for others: it is bounded, and what is found is the same with it and without.
"""

from __future__ import annotations

import random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine import Store
from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow
from mailstore.engine.search import Memory
from mailstore.engine.snapshot import Snapshot
from mailstore.engine.verdicts import ContentColumns, Verdicts
from mailstore.model import (
    PUBLIC_ROOT,
    SYSTEM,
    Criterion,
    FlagMode,
    NewMessage,
    SearchTerm,
    UidSet,
    uint32s,
    uint64s,
)
from tests.engine.enginecase import EngineCase

_SUBJECT = ("header", "subject", "notes")


class VerdictsTests(SynchronousTestCase):
    """
    L{Verdicts}.
    """

    def test_kept(self) -> None:
        """
        Answers are found by the question that was asked.
        """
        verdicts = Verdicts(100_000)
        verdicts.add(_SUBJECT, {1: True, 2: False})
        verdicts.add(_SUBJECT, {3: True})
        self.assertEqual(verdicts.of(_SUBJECT), {1: True, 2: False, 3: True})
        self.assertEqual(verdicts.of(("header", "subject", "other")), {})
        verdicts.forget()
        self.assertEqual((verdicts.of(_SUBJECT), verdicts.cost), ({}, 0))

    def test_bound(self) -> None:
        """
        All that is kept never has more than its bound; what was asked longest ago goes first.
        """
        verdicts = Verdicts(EngineLimits(search_cache=40_000).search_cache)
        for number in range(100):
            verdicts.add(("text", "", str(number)), dict.fromkeys(range(20), True))
            verdicts.of(("text", "", "0"))
            self.assertLessEqual(verdicts.cost, 40_000)
        self.assertTrue(verdicts.of(("text", "", "0")))
        self.assertFalse(verdicts.of(("text", "", "1")))
        verdicts.add(_SUBJECT, dict.fromkeys(range(1000), True))
        self.assertEqual((verdicts.of(_SUBJECT), verdicts.cost), ({}, 0))


class _Rows:
    """
    A folder whose messages have a thousand times their UID as contents.
    """

    def __init__(self) -> None:
        self.read = 0

    def execute(self, statement: str, parameters: tuple[int, int, int]) -> list[tuple[int]]:
        """
        The contents of some messages.
        """
        _, low, high = parameters
        rows = [(uid * 1000,) for uid in self.uids if low <= uid <= high]
        self.read += len(rows)
        return rows

    uids: list[int]


class ContentColumnsTests(SynchronousTestCase):
    """
    L{ContentColumns}.
    """

    def setUp(self) -> None:
        """
        A folder of a hundred messages.
        """
        self.rows = _Rows()
        self.db: Connection = self.rows  # type: ignore[assignment]
        self.columns = ContentColumns(10_000)
        self.view = self._view(range(1, 101))

    def _view(self, uids: Any) -> Snapshot:
        self.rows.uids = list(uids)
        zeros = uint64s([0] * len(self.rows.uids))
        return Snapshot((1, 0), uint32s(self.rows.uids), zeros, zeros)

    def _get(self, start: int, end: int, folder: int = 1) -> list[int]:
        row = FolderRow(folder, *([0] * (len(FolderRow._fields) - 1)))  # type: ignore[arg-type]
        return self.columns.get(self.db, row, self.view, start, end).tolist()

    def test_once(self) -> None:
        """
        Each is read once, however the slices lie.
        """
        self.assertEqual(self._get(0, 10), [uid * 1000 for uid in range(1, 11)])
        self.assertEqual(self._get(5, 100), [uid * 1000 for uid in range(6, 101)])
        self.assertEqual(self._get(0, 100), [uid * 1000 for uid in range(1, 101)])
        self.assertEqual(self.rows.read, 100)

    def test_middle(self) -> None:
        """
        Whoever begins in the middle gets what is there.
        """
        self.assertEqual(self._get(50, 60), [uid * 1000 for uid in range(51, 61)])
        self.assertEqual(self._get(0, 60), [uid * 1000 for uid in range(1, 61)])

    def test_arrived(self) -> None:
        """
        When messages come the others are not read again.
        """
        self._get(0, 100)
        self.view = self._view(range(1, 106))
        self.assertEqual(self._get(95, 105), [uid * 1000 for uid in range(96, 106)])
        self.assertEqual(self.rows.read, 105)

    def test_expunged(self) -> None:
        """
        When messages have gone the others stand where they are now.
        """
        self._get(0, 100)
        self.view = self._view(uid for uid in range(1, 101) if uid % 7)
        self.assertEqual(self._get(0, 80), [uid * 1000 for uid in self.rows.uids[:80]])

    def test_bound(self) -> None:
        """
        All that is kept has a bound.
        """
        for folder in range(1, 50):
            self._get(0, 100, folder)
            self.assertLessEqual(self.columns.cost, 10_000)
        before = self.rows.read
        self._get(0, 100, 49)
        self.assertEqual(self.rows.read, before)
        self._get(0, 100, 1)
        self.assertEqual(self.rows.read, before + 100)


class SameTests(EngineCase):
    """
    Searches of a store that remembers, and of one that does not.
    """

    def _store(self, limits: EngineLimits, messages: list[bytes]) -> tuple[Store, int]:
        store = self.open(":memory:", limits=limits)
        self.users(store, "alice")
        self.now(store.createFolder(SYSTEM, f"{PUBLIC_ROOT}/News"))
        for each in messages:
            self.now(store.append(SYSTEM, f"{PUBLIC_ROOT}/News", (NewMessage(each),)))
        while self.now(store.indexMore()):
            pass
        # One that is not in the index.
        self.now(
            store.append(SYSTEM, f"{PUBLIC_ROOT}/News", (NewMessage(b"Subject: late notes\r\n\r\nnews\r\n"),))
        )
        return store, self.now(store.openFolder("alice", f"{PUBLIC_ROOT}/News", False)).folder

    def test_same(self) -> None:
        """
        Whatever is asked, in whatever order, while messages come, go and change.
        """
        chance = random.Random(7)
        words = ("notes", "meeting", "minutes", "report", "travel")
        messages: list[bytes] = []
        for number in range(90):
            one, two, three, four = chance.choices(words, k=4)
            text = f"Subject: {one} {number}\r\nFrom: {two}@example.org\r\n\r\n{three} {four}\r\n"
            messages.append(text.encode())
        stores = [
            self._store(limits, messages)
            for limits in (
                EngineLimits(search_rows=20, search_texts=5),
                EngineLimits(search_rows=20, search_texts=5, search_cache=0),
                EngineLimits(search_rows=20, search_texts=5, search_cache=6000),
            )
        ]

        def term() -> SearchTerm:
            text = chance.choice((*words, "otes mee", "zz"))
            kind = chance.randrange(6)
            if kind == 0:
                return SearchTerm(Criterion.HEADER, field=chance.choice(("Subject", "From")), text=text)
            if kind == 1:
                return SearchTerm(Criterion.TEXT, text=text)
            if kind == 2:
                return SearchTerm(Criterion.FLAG, text="\\Flagged")
            inner = tuple(term() for _ in range(1 if kind == 5 else 2))
            return SearchTerm((Criterion.AND, Criterion.OR, Criterion.NOT)[kind - 3], terms=inner)

        for step in range(60):
            wanted = term()
            self.assertEqual(
                len({tuple(self.found(store, folder, wanted)) for store, folder in stores}),
                1,
                f"{step} {wanted}",
            )
            uid = UidSet.of([chance.randrange(1, 100)])
            what = chance.randrange(4)
            for store, folder in stores:
                if what == 0:
                    self.now(store.storeFlags(SYSTEM, folder, uid, FlagMode.ADD, ("\\Flagged",)))
                elif what == 1:
                    self.now(store.storeFlags(SYSTEM, folder, uid, FlagMode.ADD, ("\\Deleted",)))
                    self.now(store.expunge(SYSTEM, folder, uid))
                elif what == 2:
                    self.now(
                        store.append(
                            SYSTEM,
                            f"{PUBLIC_ROOT}/News",
                            (NewMessage(b"Subject: notes %d\r\n\r\nreport\r\n" % step),),
                        )
                    )

    def found(self, store: Store, folder: int, wanted: SearchTerm) -> list[int]:
        """
        What a search finds.
        """
        batches = self.all(store.search("alice", folder, wanted))
        return [uid for batch in batches for uid in uint32s(batch)]

    def test_forgotten(self) -> None:
        """
        When it may not be so any more nothing is known.
        """
        memory = Memory.of(EngineLimits())
        memory.verdicts.add(_SUBJECT, {1: True})
        memory.forget()
        self.assertEqual(memory.verdicts.cost, 0)
