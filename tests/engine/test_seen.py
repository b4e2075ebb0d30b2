"""
What each user has seen: few marks, and little to look at when they are made fewer.
"""

from __future__ import annotations

from mailstore.engine import EngineLimits, Store, seen
from mailstore.engine.checking import Checker
from mailstore.model import FetchSpec, FlagMode, UidSet, flagNames, uint32s, uint64s
from mailstore.testing.storecases.base import RENDITIONS, mail
from tests.engine.enginecase import EngineCase

_ALL = UidSet(((1, 0xFFFFFFFF),))

#: Messages, and those on either side of the low-water mark that are looked at.
_COUNT, _NEAR = 200, 20


class CompactingTests(EngineCase):
    """
    The low-water mark of bob in a folder of alice's.
    """

    def setUp(self) -> None:
        """
        Many messages, of which bob has seen none.
        """
        self.db_path = self.path()
        self.patch(seen, "_NEAR", _NEAR)
        self.patch(seen, "_FEW", 4)
        self.patch(seen, "_NOTHING", seen.SeenRow(compact_at=4))
        self.store: Store = self.open(self.db_path, EngineLimits(slice_rows=10))
        self.users(self.store, "alice", "bob")
        self.now(self.store.createFolder("alice", "Public Folders/A"))
        self.append(self.store, "alice", "Public Folders/A", *(mail(number) for number in range(_COUNT)))
        self.folder = self.now(self.store.openFolder("bob", "Public Folders/A", False)).folder
        self.looked: list[int] = []
        real = seen._bestLow

        def look(states: list[tuple[int, int]]) -> int:
            self.looked.append(len(states))
            return real(states)

        self.patch(seen, "_bestLow", look)

    def _store(self, mode: FlagMode, *ranges: tuple[int, int]) -> None:
        self.now(self.store.storeFlags("bob", self.folder, UidSet(ranges), mode, ("\\Seen",)))

    def _seen(self) -> set[int]:
        found: set[int] = set()
        for batch in self.all(self.store.fetch("bob", self.folder, _ALL, FetchSpec(flags=True))):
            columns = zip(uint32s(batch.uids), uint64s(batch.flags), strict=True)
            found |= {uid for uid, mask in columns if "\\Seen" in flagNames(mask, batch.keywords)}
        checker = Checker(self.db_path, RENDITIONS, 1, EngineLimits(), writing=False)
        self.addCleanup(checker.close)
        checker.find()
        self.assertEqual(checker.report.findings, [])
        return found

    def _marks(self) -> int:
        [(count,)] = self.rows(self.db_path, "SELECT count(*) FROM seen_marks")
        return int(count)

    def test_inOrder(self) -> None:
        """
        Who sees all messages has few marks, and who then sees none has one for each, which says since when;
        never are more looked at than are near the mark.
        """
        self._store(FlagMode.ADD, (1, _COUNT))
        self.assertLess(self._marks(), 2 * _NEAR)
        self.assertEqual(self._seen(), set(range(1, _COUNT + 1)))
        for high in range(_COUNT, 0, -10):
            self._store(FlagMode.REMOVE, (high - 9, high))
        self.assertLessEqual(self._marks(), _COUNT)
        self.assertEqual(self._seen(), set())
        self.assertGreater(len(self.looked), 8)
        self.assertLessEqual(max(self.looked), 2 * _NEAR)

    def test_scattered(self) -> None:
        """
        What is seen here and there stays right while the mark moves.
        """
        expected: set[int] = set()
        for step in range(1, 60):
            uid = step * 37 % _COUNT + 1
            self._store(FlagMode.ADD, (uid, min(uid + 4, _COUNT)))
            expected |= set(range(uid, min(uid + 4, _COUNT) + 1))
            if step % 7 == 0:
                self._store(FlagMode.REMOVE, (uid, uid))
                expected.discard(uid)
        self.assertEqual(self._seen(), expected)
        self.assertLessEqual(max(self.looked), 2 * _NEAR)

    def test_farAway(self) -> None:
        """
        When most messages have marks, and the better place is far away, all are looked at.
        """
        self.patch(seen, "_MANY", 50)
        for low in range(61, _COUNT, 10):
            self._store(FlagMode.ADD, (low, low + 9))
        self._store(FlagMode.ADD, (11, 20))
        self.assertIn(_COUNT, self.looked)
        self.assertLessEqual(self._marks(), 60)
        self.assertEqual(self._seen(), set(range(61, _COUNT + 1)) | set(range(11, 21)))
