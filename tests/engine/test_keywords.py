"""
Keywords of a folder whose bits others get when no message has them any more.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store, keywords
from mailstore.engine.checking import Checker
from mailstore.engine.flags import ALL_FLAGS, Keywords, KeywordsFull
from mailstore.errors import LimitReached
from mailstore.model import (
    KEYWORD_BIT,
    MAX_KEYWORDS,
    FetchSpec,
    FlagMode,
    FlagsStored,
    NewMessage,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import RENDITIONS, mail
from tests.engine.enginecase import EngineCase
from tests.engine.test_slices import SlicesCase

_ALL = UidSet(((1, 0xFFFFFFFF),))

_NAMES = tuple(f"k{number}" for number in range(MAX_KEYWORDS))


class KeywordsTests(EngineCase):
    """
    L{Keywords}.
    """

    def test_released(self) -> None:
        """
        One that was released keeps its name and its bit, is marked in the row, and gives its bit to another
        only when there is no other left; if it is used again before, it stays.
        """
        kept = Keywords(("a", "b", "c"))
        self.assertTrue(kept.release(2 << KEYWORD_BIT))
        self.assertEqual((kept.names, kept.dump()), (["a", "b", "c"], "\\a b \\c"))
        self.assertFalse(kept.release(2 << KEYWORD_BIT))
        again = Keywords(kept.dump().split())
        self.assertEqual(again.names, ["a", "b", "c"])
        self.assertEqual(again.known(("A", "c")), 5 << KEYWORD_BIT)
        self.assertEqual(again.dump(), "\\a b \\c")
        self.assertEqual(again.mask(("C",), ALL_FLAGS), 4 << KEYWORD_BIT)
        self.assertEqual(again.dump(), "\\a b c")
        more = [f"n{number}" for number in range(MAX_KEYWORDS - 2)]
        self.assertEqual(
            again.mask(more, ALL_FLAGS), ALL_FLAGS >> KEYWORD_BIT << KEYWORD_BIT & ~(6 << KEYWORD_BIT)
        )
        self.assertEqual(again.names[:3], [more[-1], "b", "c"])
        self.assertEqual(again.known(("a",)), 0)
        with self.assertRaises(KeywordsFull):
            again.mask(("last",), ALL_FLAGS)

    def test_notAllowed(self) -> None:
        """
        Who may not give a keyword to messages does not take it into use.
        """
        kept = Keywords(("\\a",))
        self.assertEqual(kept.mask(("a",), 1), 0)
        self.assertEqual(kept.dump(), "\\a")


class ReclaimTests(EngineCase):
    """
    A folder that has had all the keywords that it can have.
    """

    def setUp(self) -> None:
        """
        Two messages of alice, each with half of all keywords.
        """
        self.db_path = self.path()
        self.store: Store = self.open(self.db_path)
        self.users(self.store, "alice")
        half = MAX_KEYWORDS // 2
        for number, names in enumerate((_NAMES[:half], _NAMES[half:])):
            self.append(self.store, "alice", "INBOX", mail(number), flags=names)
        self.inbox = self.now(self.store.openFolder("alice", "INBOX", False)).folder

    def _store(self, uids: UidSet, mode: FlagMode, *names: str) -> FlagsStored:
        return self.now(self.store.storeFlags("alice", self.inbox, uids, mode, names))

    def _flags(self, name: str = "INBOX") -> dict[int, set[str]]:
        folder = self.now(self.store.openFolder("alice", name, False)).folder
        found: dict[int, set[str]] = {}
        for batch in self.all(self.store.fetch("alice", folder, _ALL, FetchSpec(flags=True))):
            for uid, mask in zip(uint32s(batch.uids), uint64s(batch.flags), strict=True):
                found[uid] = set(flagNames(mask, batch.keywords))
        return found

    def _findings(self) -> list[Any]:
        checker = Checker(self.db_path, RENDITIONS, 1, EngineLimits(), writing=False)
        self.addCleanup(checker.close)
        checker.find()
        return checker.report.findings

    def test_allUsed(self) -> None:
        """
        While messages have all of them there is no room; that is looked at once, until something has changed.
        """
        with mock.patch.object(keywords.Look, "more", autospec=True, side_effect=keywords.Look.more) as more:
            for _ in range(3):
                self.failureResultOf(self._begin("new"), LimitReached)
            self.assertEqual(more.call_count, 1)
            self._store(UidSet(((1, 1),)), FlagMode.ADD, "\\Flagged")
            self.failureResultOf(self._begin("new"), LimitReached)
            self.assertEqual(more.call_count, 2)
        self.assertEqual(len(self._flags()[1]), MAX_KEYWORDS // 2 + 1)

    def _begin(self, *names: str) -> Any:
        return Deferred.fromCoroutine(
            self.store.storeFlags("alice", self.inbox, UidSet(((1, 1),)), FlagMode.ADD, names)
        )

    def test_store(self) -> None:
        """
        When no message has some of them any more, new ones take their place; who follows the changes learns
        the new names with the flags.
        """
        self._store(_ALL, FlagMode.REMOVE, "k3", "k30")
        since = self.now(self.store.status("alice", "INBOX")).highest_modseq
        result = self._store(UidSet(((2, 2),)), FlagMode.ADD, "new")
        self.assertEqual(result.keywords[3], "new")
        self.assertEqual(len(result.keywords), MAX_KEYWORDS)
        [delta] = self.all(self.store.changes("alice", self.inbox, since, False))
        self.assertEqual(delta.keywords, result.keywords)
        self._store(UidSet(((1, 1),)), FlagMode.ADD, "newer")
        flags = self._flags()
        self.assertIn("newer", flags[1])
        self.assertIn("new", flags[2])
        self.assertFalse(flags[1] & flags[2] | flags[1] & {"k3", "k30"})
        self.failureResultOf(self._begin("newest"), LimitReached)
        self.assertEqual(self._findings(), [])

    def test_forEver(self) -> None:
        """
        So a folder never runs out of them, whatever keywords its messages once had, and by whatever way they
        come.
        """
        self.now(self.store.createFolder("alice", "Other"))
        other = self.now(self.store.openFolder("alice", "Other", False)).folder
        self._store(_ALL, FlagMode.REPLACE)
        for number in range(3 * MAX_KEYWORDS):
            name = f"passing{number}"
            if number % 3 == 0:
                self._store(UidSet(((1, 1),)), FlagMode.REPLACE, name)
            elif number % 3 == 1:
                self._store(UidSet(((2, 2),)), FlagMode.REPLACE)
                self.append(self.store, "alice", "INBOX", mail(9), flags=(name,))
                self.assertIn({name}, self._flags().values())
                gone = UidSet(((3, 0xFFFF),))
                self._store(gone, FlagMode.REPLACE, "\\Deleted")
                self.now(self.store.expunge("alice", self.inbox, gone))
            else:
                self.append(self.store, "alice", "Other", mail(9), flags=(name,))
                self.now(self.store.move("alice", other, _ALL, "INBOX"))
                self.assertIn({name}, self._flags().values())
        self.assertEqual(self._findings(), [])

    def test_changedMeanwhile(self) -> None:
        """
        A keyword that is given to a message while the others are looked at is not taken away.
        """
        self._store(_ALL, FlagMode.REMOVE, "k0", "k1")
        real = keywords.Look.more

        def more(look: keywords.Look, db: Any) -> bool:
            found = real(look, db)
            self.now(self.store.append("alice", "INBOX", (NewMessage(mail(5), ("k0",)),)))
            return found

        with mock.patch.object(keywords.Look, "more", more):
            result = self._store(UidSet(((1, 1),)), FlagMode.ADD, "new")
        self.assertEqual(result.keywords[:2], ("k0", "new"))
        self.assertEqual(self._flags()[3], {"k0"})
        self.assertEqual(self._findings(), [])

    def test_tooMany(self) -> None:
        """
        More than a folder can have are refused, however many are free, and nothing changes.
        """
        self._store(_ALL, FlagMode.REPLACE)
        before = self.contentOf()
        many = (*_NAMES, "one more")
        self.failureResultOf(self._begin(*many[:-1], "onemore"), LimitReached)
        self.assertEqual([set(each) for each in self._flags().values()], [set(), set()])
        self.assertEqual(len(before), len(self.contentOf()))
        self._store(UidSet(((1, 1),)), FlagMode.ADD, *(f"n{each}" for each in range(MAX_KEYWORDS)))
        self.assertEqual(len(self._flags()[1]), MAX_KEYWORDS)

    def contentOf(self) -> list[Any]:
        """
        The messages as they are kept.
        """
        return self.rows(self.db_path, "SELECT * FROM messages")


class SlicesTests(SlicesCase):
    """
    Looking at very many messages.
    """

    def test_inSlices(self) -> None:
        """
        They are looked at in slices, between which others are answered.  What is being copied into the folder
        counts, though nobody sees it.
        """
        self.patch(keywords, "_LOOK", 6)
        self.do(self.store.append("alice", "Other", (NewMessage(mail(1), _NAMES),)))
        other = self.folder("alice", "Other")
        self.do(self.store.storeFlags("alice", other, _ALL, FlagMode.REPLACE, _NAMES[1:]))
        self.do(self.store.storeFlags("alice", self.big, _ALL, FlagMode.REPLACE, ("k0",)))
        copying = self.begin(self.store.copy("alice", self.big, _ALL, "Other"))
        for _ in range(3):
            self.committer.release()
        adding = self.begin(self.store.storeFlags("alice", other, _ALL, FlagMode.ADD, ("new",)))
        self.settle(copying, adding)
        self.failureResultOf(adding, LimitReached)
        self.do(self.store.storeFlags("alice", other, UidSet(((2, 99),)), FlagMode.REPLACE, ()))
        looks: list[int] = []
        real = keywords.Look.more

        def more(look: keywords.Look, db: Any) -> bool:
            looks.append(1)
            return real(look, db)

        self.patch(keywords.Look, "more", more)
        self.do(self.store.storeFlags("alice", other, UidSet(((9, 9),)), FlagMode.ADD, ("new",)))
        self.assertEqual(len(looks), 4)
        known = self.known("alice", "Other")
        self.assertEqual((known[9], known[10], len(known[1])), ({"new"}, set(), MAX_KEYWORDS - 1))
        self.assertEqual(self.findings(), [])
