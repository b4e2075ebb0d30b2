"""
The search index: it is never asked for what it cannot tell, and changes nothing but the time it takes.
"""

from __future__ import annotations

import random
from typing import Any
from unittest import mock

from twisted.trial.unittest import TestCase

from mailstore import engine
from mailstore.engine import Store, textindex
from mailstore.engine.textindex import Candidates, TextIndex
from mailstore.interfaces import IStore
from mailstore.model import (
    Criterion,
    FlagMode,
    SearchTerm,
    SortField,
    SortKey,
    UidSet,
    uint32s,
)
from mailstore.testing.storecases.searching import SearchTests
from tests.engine.enginecase import EngineCase

_EVERY = UidSet(((1, 0xFFFFFFFF),))


class IndexedSearchTests(SearchTests, TestCase):
    """
    All that is said of searching, with an index that is complete.
    """

    async def makeStore(self) -> tuple[IStore, IStore]:
        """
        See L{StoreTestsMixin.makeStore}.
        """
        store = engine.open(
            "sqlite::memory:",
            renditions=self.renditions,
            renditions_version=self.renditions_version,
            limits=self.limits,
        )
        self.engine = store
        return store, store

    async def found(self, user: str, folder: int, term: SearchTerm) -> list[int]:
        """
        The UIDs that a search finds.
        """
        while await self.engine.indexMore():
            pass
        return await super().found(user, folder, term)


def _letter(*lines: str, subject: str = "x") -> bytes:
    head = f"Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return (head + "\r\n".join(lines)).encode()


class TextIndexTests(EngineCase):
    """
    L{TextIndex}, behind a store.
    """

    def _store(self, *messages: bytes, path: str = ":memory:", **more: Any) -> Store:
        """
        A store where alice has some messages.
        """
        store = self.open(path, **more)
        self.users(store, "alice")
        for at in range(0, len(messages), 500):
            self.append(store, "alice", "INBOX", *messages[at : at + 500])
        return store

    def _indexed(self, store: Store) -> int:
        """
        Index all that is there to index.

        @return: in how many steps.
        """
        steps = 0
        while self.now(store.indexMore()):
            steps += 1
        return steps + 1

    def _candidates(self, store: Store, text: str) -> Candidates | None:
        with store._database.reading() as db:
            return store._index.candidates(db, text)

    def _search(self, store: Store, text: str, criterion: Criterion = Criterion.BODY) -> list[int]:
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        term = SearchTerm(criterion, text=text, field="Subject")
        batches = self.all(store.search("alice", folder, term))
        return [uid for batch in batches for uid in uint32s(batch)]

    def test_candidates(self) -> None:
        """
        Before it is indexed everything may hold a text; afterwards what does, and what comes later.
        """
        store = self._store(_letter("the quince"), _letter("a medlar"))
        nothing = self._candidates(store, "quince")
        assert nothing is not None
        self.assertEqual((nothing.found, 1 in nothing, 2 in nothing), (frozenset(), True, True))
        self._indexed(store)
        self.assertFalse(self.now(store.indexMore()))
        for text, expected in (("quince", {1}), ("medlar", {2}), ("absent", set()), (": x", {1, 2})):
            found = self._candidates(store, text)
            assert found is not None
            self.assertEqual(found.found, expected)
            self.assertEqual([each in found for each in (1, 2, 3)], [1 in expected, 2 in expected, True])
        self.append(store, "alice", "INBOX", _letter("another quince"))
        self.assertEqual(self._search(store, "quince"), [1, 3])
        self.assertEqual(self._search(store, "x", Criterion.HEADER), [1, 2, 3])

    def test_partlyIndexedGoes(self) -> None:
        """
        A long message that goes when some of its pieces are indexed takes none from the next one.
        """
        long = _letter(*(f"{number:01000}" for number in range(200)), subject="long")
        store = self._store(long)
        self.now(store.indexMore())
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        first = UidSet(((1, 1),))
        self.now(store.storeFlags("alice", folder, first, FlagMode.ADD, ("\\Deleted",)))
        self.now(store.expunge("alice", folder, first))
        self.append(store, "alice", "INBOX", _letter("a quince", subject="short"))
        self._indexed(store)
        self.assertEqual(self._search(store, "quince"), [2])
        self.assertEqual(self._search(store, "short", Criterion.HEADER), [2])

    def test_cannotTell(self) -> None:
        """
        It is not asked for what is too short, and what is in too many is looked for without it.
        """
        store = self._store(*(_letter(f"common {number}") for number in range(20)))
        self._indexed(store)
        for text in ("", "ab", "a\0b", "\n\n\n"):
            self.assertIsNone(self._candidates(store, text))
        self.assertEqual(len(self._search(store, "mo")), 20)
        with mock.patch.object(textindex, "_MAX_FOUND", 5):
            self.assertIsNone(self._candidates(store, "common"))
            self.assertEqual(len(self._search(store, "common")), 20)
            self.assertEqual(self._search(store, "common 7"), [8])

    def test_sameAsWithout(self) -> None:
        """
        Whatever is looked for, and however much is indexed, the same is found as without an index.
        """
        source = random.Random(11)
        alphabet = "ab \u00e9\u00df\"'%*\0\n\u4e2d\U0001f600"
        texts = ["".join(source.choices(alphabet, k=source.randrange(60))) for _ in range(150)]
        store = self._store(*{_letter(text, subject=f"{number}"): 0 for number, text in enumerate(texts)})
        for share in (0, 50, 150):
            with mock.patch.object(textindex, "_STEP", 1):
                for _ in range(share):
                    self.now(store.indexMore())
            for _ in range(60):
                text = source.choice(texts)
                at = source.randrange(len(text) + 1)
                wanted = text[at : at + source.randrange(2, 12)]
                if source.random() < 0.3:
                    wanted = "".join(source.choices(alphabet, k=4))
                criterion = source.choice((Criterion.BODY, Criterion.TEXT, Criterion.HEADER))
                with_index = self._search(store, wanted, criterion)
                with mock.patch.object(TextIndex, "candidates", lambda *_: None):
                    self.assertEqual(with_index, self._search(store, wanted, criterion), repr(wanted))

    def test_longTexts(self) -> None:
        """
        A long text is indexed in several steps, and found also where two pieces meet.
        """
        words = [f"{number:06x}" for number in range(30_000)]
        store = self._store(_letter(" ".join(words)), _letter("short"))
        self.assertGreater(self._indexed(store), 5)
        body = " ".join(words)
        for at in range(textindex._PIECE - 60, textindex._PIECE + 10, 7):
            wanted = body[at : at + 50]
            found = self._candidates(store, wanted)
            assert found is not None
            self.assertEqual(found.found, {1}, at)
            self.assertEqual(self._search(store, wanted), [1])
        self.assertEqual(self._search(store, "short"), [2])

    def test_kept(self) -> None:
        """
        It goes on where it was when the store is opened again, and is not made again.
        """
        path = self.path()
        first = self._store(_letter("quince"), path=path)
        self._indexed(first)
        self.append(first, "alice", "INBOX", _letter("medlar"))
        self.now(first.close())
        second = self.open(path)
        found = self._candidates(second, "quince")
        assert found is not None
        self.assertEqual((found.found, found.indexed), ({1}, 1))
        self.assertEqual(self._indexed(second), 1)
        self.assertEqual(self._search(second, "medlar"), [2])
        self.now(second.close())
        self.assertEqual(self.rows(path, "PRAGMA integrity_check"), [("ok",)])

    def test_unusable(self) -> None:
        """
        Where SQLite cannot have one everything is found without; who can begins again.
        """
        path = self.path()
        first = self._store(_letter("quince"), path=path)
        self._indexed(first)
        self.now(first.close())
        with mock.patch.object(textindex, "_hasTrigrams", lambda db: False):
            without = self.open(path)
            self.append(without, "alice", "INBOX", _letter("more quince"))
            self.assertFalse(self.now(without.indexMore()))
            self.assertIsNone(self._candidates(without, "quince"))
            self.assertEqual(self._search(without, "quince"), [1, 2])
            self.now(without.close())
        again = self.open(path)
        found = self._candidates(again, "quince")
        assert found is not None
        self.assertEqual((found.found, found.indexed), (frozenset(), 0))
        self._indexed(again)
        self.assertEqual(self._search(again, "quince"), [1, 2])

    def test_gone(self) -> None:
        """
        What is gone is found no more; when it is most of what there was the index is made again.
        """
        path = self.path()
        store = self._store(*(_letter(f"quince {number}") for number in range(10)), path=path)
        self._indexed(store)
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        with mock.patch.object(textindex, "_MIN_GONE", 4):
            for last, expected in ((3, "2.10.0.3"), (8, "2.0.0.0")):
                gone = UidSet(((1, last),))
                self.now(store.storeFlags("alice", folder, gone, FlagMode.ADD, ("\\Deleted",)))
                self.now(store.expunge("alice", folder, None))
                self.now(store.subscribe("alice", f"{last}"))
                self.assertEqual(
                    self.rows(path, "SELECT value FROM meta WHERE key = 'indexed'"), [(expected,)]
                )
                self.assertEqual(self._search(store, "quince"), list(range(last + 1, 11)))
        self._indexed(store)
        self.assertEqual(self._search(store, "quince"), [9, 10])

    def test_renderedAgain(self) -> None:
        """
        When what is made of messages is made again, so is the index.
        """
        path = self.path()
        first = self._store(_letter("quince"), path=path)
        self._indexed(first)
        self.now(first.close())
        self.assertEqual(self._indexed(self.open(path, version=2)), 1)

    def test_slices(self) -> None:
        """
        A search that the index answers looks at many messages at once, and reads the texts of few.
        """
        messages = [_letter("rare" if number % 100 == 0 else "usual", str(number)) for number in range(1000)]
        store = self._store(*messages)
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        term = SearchTerm(Criterion.BODY, text="rare")
        before = len(self.all(store.search("alice", folder, term)))
        self._indexed(store)
        after = self.all(store.search("alice", folder, term))
        self.assertEqual((before, len(after)), (20, 1))
        self.assertEqual(list(uint32s(after[0])), list(range(1, 1001, 100)))
        usual = SearchTerm(Criterion.BODY, text="usual")
        self.assertEqual(len(self.all(store.search("alice", folder, usual))), 20)
        keys = (SortKey(SortField.ARRIVAL, True),)
        ordered = [uid for each in self.all(store.sort("alice", folder, term, keys)) for uid in uint32s(each)]
        self.assertEqual(ordered, list(range(1, 1001, 100)))
