"""
The small parts: sets of rights, snapshots, and how little is asked of the database.
"""

from __future__ import annotations

import itertools
import random

from mailstore.engine import Store, snapshot
from mailstore.engine.acl import effective, withRights
from mailstore.engine.flags import ALL_FLAGS, Keywords, flagRights
from mailstore.engine.snapshot import Snapshot, without
from mailstore.engine.users import Viewer
from mailstore.errors import InvalidRequest
from mailstore.model import (
    ALL_RIGHTS,
    DELETED,
    SEEN,
    SYSTEM,
    FetchSpec,
    FlagMode,
    Section,
    SectionKind,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import mail
from tests.engine.enginecase import EngineCase

_EVERY = UidSet(((1, 0xFFFFFFFF),))


class AclTests(EngineCase):
    """
    L{effective} and L{withRights}.
    """

    def test_effective(self) -> None:
        """
        The rights of all identifiers that mean somebody add up, and what is taken from one of them is taken.
        """
        entries = (
            ("-bob", "r"),
            ("anyone", "l"),
            ("authenticated", "rs"),
            ("bob", "w"),
            ("carol", ALL_RIGHTS),
        )
        for viewer, rights in (
            (Viewer("bob", 1), "lsw"),
            (Viewer("carol", 2), ALL_RIGHTS),
            (Viewer("dora", 3), "lrs"),
            (Viewer("bob", None), "l"),
        ):
            self.assertEqual(effective(entries, viewer), rights)

    def test_withRights(self) -> None:
        """
        Entries stay sorted, each identifier once.
        """
        entries = withRights((("b", "l"),), "c", "r")
        self.assertEqual(withRights(entries, "a", "s"), (("a", "s"), ("b", "l"), ("c", "r")))
        self.assertEqual(withRights(entries, "b", "w"), (("b", "w"), ("c", "r")))
        self.assertEqual(withRights(entries, "b", ""), (("c", "r"),))

    def test_interned(self) -> None:
        """
        Folders with the same rights share a row, and a row that no folder has goes.
        """
        path = self.path()
        store = self.open(path)
        self.users(store, "alice", "bob")
        for number in range(10):
            self.now(store.createFolder("alice", f"Public Folders/{number}"))
        for number in range(5):
            self.now(store.setRights("alice", f"Public Folders/{number}", "bob", "lrw"))
        count = "SELECT count(*) FROM acls WHERE id > 1"
        self.assertEqual(self.rows(path, count), [(2,)])
        self.now(store.setRights("alice", "Public Folders", "bob", "lrwi"))
        self.assertEqual(self.rows(path, count), [(1,)])
        self.now(store.setRights("alice", "Public Folders", "bob", ""))
        self.assertEqual(self.rows(path, count), [(1,)])


class FlagPartsTests(EngineCase):
    """
    Bits of flags.
    """

    def test_flagRights(self) -> None:
        """
        Together the three rights are for every flag, and no flag needs two.
        """
        s, t, w = (flagRights(each) for each in "stw")
        self.assertEqual((s, t, w, s | t | w), (SEEN, DELETED, ALL_FLAGS & ~SEEN & ~DELETED, ALL_FLAGS))
        self.assertEqual(flagRights("lrikxea"), 0)

    def test_invalidKeyword(self) -> None:
        """
        What cannot be an atom can be no keyword.
        """
        for name in ("", "a b", "a(b", "é", "a\r\n", "a]", 'a"', "*", "%"):
            self.assertRaises(InvalidRequest, Keywords(()).mask, (name,), ALL_FLAGS)
        self.assertEqual(Keywords(()).mask(("\\Nonsense", "\\*"), ALL_FLAGS), 0)
        keywords = Keywords(())
        self.assertEqual(keywords.mask(("$Forwarded", "$forwarded"), ALL_FLAGS), 1 << 8)
        self.assertEqual(keywords.mask(("new",), SEEN), 0)
        self.assertEqual(keywords.names, ["$Forwarded"])


class SnapshotTests(EngineCase):
    """
    L{Snapshot}.
    """

    def test_runs(self) -> None:
        """
        The runs of a set are the positions of those that are in it and exist.
        """
        chance = random.Random(1)
        for _ in range(300):
            uids = uint32s(sorted(chance.sample(range(1, 60), chance.randrange(30))))
            zeros = uint64s([0] * len(uids))
            snapshot = Snapshot((1, 0), uids, zeros, zeros)
            wanted = UidSet.of(chance.sample(range(1, 70), chance.randrange(40)))
            after = chance.choice((0, 0, 20))
            runs = snapshot.runs(wanted, after)
            found = [uids[at] for low, high in runs for at in range(low, high)]
            self.assertEqual(found, [uid for uid in uids if uid in wanted and uid > after])
            self.assertTrue(all(one[1] < two[0] for one, two in itertools.pairwise(runs)))
            left = without(wanted, uids, zeros, zeros)
            self.assertEqual(list(left[0]), [uid for uid in uids if uid not in wanted])
            self.assertEqual({len(each) for each in left}, {len(left[0])})

    def test_muchChanged(self) -> None:
        """
        When most of a folder has changed it is read again, in pieces, and nothing is sorted for that.
        """
        self.patch(snapshot, "_ROWS", 10)
        store = self.open(self.path())
        self.users(store, "alice")
        self.append(store, "alice", "INBOX", *(mail(number) for number in range(35)))
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        asked: list[str] = []
        store._database._read.set_trace_callback(asked.append)
        for few, loads in ((10, 0), (11, 1), (35, 1)):
            some = UidSet(((1, few),))
            self.now(store.storeFlags("alice", folder, some, FlagMode.REPLACE, (f"k{few}",)))
            asked.clear()
            (batch,) = self.all(store.fetch("alice", folder, UidSet(((1, 35),)), FetchSpec(flags=True)))
            names = [flagNames(each, batch.keywords) for each in uint64s(batch.flags)]
            self.assertEqual(names[:few], [(f"k{few}",)] * few)
            self.assertEqual(len(names), 35)
            self.assertEqual(sum("group_concat" in each for each in asked), 5 * loads)


class CostTests(EngineCase):
    """
    What costs nothing must stay so.
    """

    def _statements(self, store: Store) -> list[str]:
        """
        What the store asks its database from now on.
        """
        asked: list[str] = []
        store._database._read.set_trace_callback(asked.append)
        return asked

    def test_fetch(self) -> None:
        """
        A batch of a fetch asks as much for a thousand messages as for one; flags ask
        for no message at all when their folder's snapshot is kept.
        """
        store = self.open(self.path())
        self.users(store, "alice")
        for start in range(0, 1000, 500):
            self.append(store, "alice", "INBOX", *(mail(start + number) for number in range(500)))
        folder = self.now(store.openFolder("alice", "INBOX", True)).folder
        asked = self._statements(store)
        specs = (
            FetchSpec(flags=True, modseq=True),
            FetchSpec(size=True, internal_date=True),
            FetchSpec(renditions=("first",)),
            FetchSpec(sections=(Section(SectionKind.HEADER),)),
        )
        for spec in specs:
            asked.clear()
            batches = self.all(store.fetch("alice", folder, _EVERY, spec))
            self.assertEqual(sum(len(each.uids) for each in batches), 4000)
            self.assertLessEqual(len(asked), 6 * (len(batches) + 1))
        asked.clear()
        self.all(store.fetch("alice", folder, _EVERY, specs[0]))
        self.assertFalse([each for each in asked if "messages m" in each or "FROM messages" in each])

    def test_listing(self) -> None:
        """
        Users who see the same folders get the same columns, and the second one
        has none of them read.
        """
        store = self.open(self.path())
        self.users(store, "alice", "bob", "carol")
        for number in range(50):
            self.now(store.createFolder("alice", f"Public Folders/{number}"))
        (bobs,) = self.all(store.folders("bob", self.now(store.trees("bob"))[2]))
        asked = self._statements(store)
        (carols,) = self.all(store.folders("carol", self.now(store.trees("carol"))[2]))
        self.assertIs(bobs, carols)
        self.assertFalse([each for each in asked if "FROM folders" in each])

    def test_system(self) -> None:
        """
        The system sees every folder of every user.
        """
        store = self.open()
        self.users(store, "alice", "bob")
        self.now(store.createFolder("bob", "Deep/Down"))
        names = [
            name
            for tree in self.now(store.trees(SYSTEM))
            for batch in self.all(store.folders(SYSTEM, tree))
            for name in batch.names
        ]
        self.assertEqual(
            names,
            [
                "Other Users",
                "Other Users/alice",
                "Other Users/alice/INBOX",
                "Other Users/bob",
                "Other Users/bob/Deep",
                "Other Users/bob/Deep/Down",
                "Other Users/bob/INBOX",
                "Public Folders",
            ],
        )
        self.append(store, SYSTEM, "Other Users/bob/Deep/Down", mail())
        folder = self.now(store.openFolder(SYSTEM, "Other Users/bob/Deep/Down", False)).folder
        self.now(store.storeFlags(SYSTEM, folder, _EVERY, FlagMode.ADD, ("\\Seen",)))
        self.assertEqual(self.now(store.status("bob", "Deep/Down")).unseen, 0)


class UidSetTests(EngineCase):
    """
    L{UidSet.ofSorted}.
    """

    def test_ofSorted(self) -> None:
        """
        It is L{UidSet.of}, for every pattern of ten UIDs and for one of many.
        """
        for pattern in range(1 << 10):
            uids = uint32s(each + 5 for each in range(10) if pattern >> each & 1)
            self.assertEqual(UidSet.ofSorted(uids), UidSet.of(uids))
        many = uint32s(each for each in range(1, 50_000) if each % 977 and each % 1000 < 990)
        self.assertEqual(UidSet.ofSorted(many), UidSet.of(many))
