"""
Large hierarchies, and subscriptions to new public folders.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store
from mailstore.errors import InvalidName, LimitReached
from mailstore.model import SYSTEM
from tests.engine.enginecase import EngineCase

_ROOT = "Public Folders"


class LargeTreeTests(EngineCase):
    """
    A tree of 10,000 folders.
    """

    def _large(self, path: str) -> Store:
        """
        A store with ten thousand folders below C{Tree}, written as another program would.
        """
        store = self.open(path)
        self.users(store, "alice")
        self.now(store.createFolder(SYSTEM, f"{_ROOT}/Tree"))
        self.execute(
            path,
            "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
            " WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
            " SELECT 0, 'Tree/' || CASE WHEN i < 100 THEN i ELSE (i % 100) || '/' || i END, 1,"
            " (SELECT acl FROM folders WHERE owner = 0 AND name = 'Tree'), 0, 1000 + i FROM n",
            "UPDATE trees SET folders = folders + 10000, generation = generation + 1 WHERE owner = 0",
        )
        self.assertTrue(store.poll())
        return store

    def _names(self, store: Store) -> list[str]:
        """
        Public folders as alice sees them.
        """
        tree = self.now(store.trees("alice"))[2]
        return [name for batch in self.all(store.folders("alice", tree)) for name in batch.names]

    def _generation(self, path: str) -> int:
        """
        How often the public tree has changed.
        """
        generation: int
        ((generation,),) = self.rows(path, "SELECT generation FROM trees WHERE owner = 0")
        return generation

    def test_renamed(self) -> None:
        """
        It is renamed in one statement and one change, to a place that lacks parents too.
        """
        path = self.path()
        store = self._large(path)
        before = self._names(store)
        self.assertEqual(len(before), 10_002)
        statements: list[str] = []
        store._database._write.set_trace_callback(statements.append)
        generation = self._generation(path)
        self.now(store.renameFolder("alice", f"{_ROOT}/Tree", f"{_ROOT}/Wood/Tree"))
        store._database._write.set_trace_callback(None)
        self.assertLess(len(statements), 60)
        self.assertEqual(len([each for each in statements if each.startswith("UPDATE folders")]), 1)
        # Once for the parent that was made, once for all that was renamed.
        self.assertEqual(self._generation(path), generation + 2)
        expected = [each.replace("/Tree", "/Wood/Tree", 1) for each in before]
        self.assertEqual(sorted(self._names(store)), sorted([*expected, f"{_ROOT}/Wood"]))

    def test_refusedWhole(self) -> None:
        """
        When one of them would get too long a name all keep theirs.
        """
        path = self.path()
        store = self._large(path)
        before = self._names(store)
        self.failureResultOf(
            Deferred.fromCoroutine(
                store.renameFolder("alice", f"{_ROOT}/Tree", f"{_ROOT}/" + "/".join("t" * 30))
            ),
            InvalidName,
        )
        self.assertEqual(self._names(store), before)
        self.assertEqual(self.rows(path, "PRAGMA integrity_check"), [("ok",)])


class SubscribeNewTests(EngineCase):
    """
    Subscribing everybody to new public folders.
    """

    def _subscribed(self, store: Store, user: str) -> list[str]:
        """
        The names that a user subscribes to, without the root.
        """
        return [each.removeprefix(f"{_ROOT}/") for each in self.now(store.subscriptions(user))]

    def _store(self, **limits: int) -> Store:
        """
        A store that subscribes, with one folder from before it did.
        """
        path = self.path()
        before = self.open(path)
        self.users(before, "alice", "bob")
        self.now(before.createFolder("alice", f"{_ROOT}/Old"))
        self.assertEqual(self._subscribed(before, "bob"), [])
        self.now(before.close())
        return self.open(path, EngineLimits(**limits), subscribe_new=True)

    def test_subscribed(self) -> None:
        """
        Who may look up a new folder subscribes to it, also a user who came later; its
        parents are new folders too; it is kept when the folder is renamed.
        """
        store = self._store()
        self.now(store.createFolder("alice", f"{_ROOT}/New/News"))
        self.now(store.createFolder("alice", "Own"))
        self.users(store, "carol")
        for user in ("alice", "bob", "carol"):
            self.assertEqual(self._subscribed(store, user), ["New", "New/News"])
        self.now(store.setRights(SYSTEM, f"{_ROOT}/New/News", "-bob", "l"))
        self.assertEqual(self._subscribed(store, "bob"), ["New"])
        self.now(store.renameFolder(SYSTEM, f"{_ROOT}/New", f"{_ROOT}/Newer"))
        self.assertEqual(self._subscribed(store, "alice"), ["Newer", "Newer/News"])
        self.assertEqual(self._subscribed(store, SYSTEM), [])
        self.assertEqual(self._subscribed(store, "nobody"), [])

    def test_unsubscribed(self) -> None:
        """
        Who says no does not subscribe any more, to a new folder of that name neither, until he says yes.
        """
        store = self._store()
        name = f"{_ROOT}/New"
        self.now(store.createFolder("alice", name))
        for _ in range(2):
            self.now(store.unsubscribe("bob", name))
            self.assertEqual(self._subscribed(store, "bob"), [])
            self.now(store.deleteFolder("alice", name))
            self.now(store.createFolder("alice", name))
        self.assertEqual(self._subscribed(store, "alice"), ["New"])
        self.now(store.subscribe("bob", name))
        self.assertEqual(self._subscribed(store, "bob"), ["New"])
        self.now(store.deleteFolder("alice", name))
        # As for every name that was subscribed to by its user.
        self.assertEqual(self._subscribed(store, "bob"), ["New"])
        self.now(store.unsubscribe("bob", name))
        self.assertEqual(self._subscribed(store, "bob"), [])
        for name in ("", "x//y", "INBOX"):
            self.now(store.unsubscribe("bob", name))

    def test_bound(self) -> None:
        """
        There are at most as many as one can subscribe to, and as many to which one can say no.
        """
        store = self._store(max_subscriptions=3)
        for number in range(5):
            self.now(store.createFolder("alice", f"{_ROOT}/{number}"))
        self.now(store.subscribe("bob", "INBOX"))
        self.assertEqual(self._subscribed(store, "bob"), ["INBOX", "0", "1"])
        for number in range(2):
            self.now(store.unsubscribe("bob", f"{_ROOT}/{number}"))
        self.assertEqual(self._subscribed(store, "bob"), ["INBOX", "2", "3"])
        self.failureResultOf(Deferred.fromCoroutine(store.unsubscribe("bob", f"{_ROOT}/2")), LimitReached)
        self.assertEqual(self._subscribed(store, "bob"), ["INBOX", "2", "3"])
