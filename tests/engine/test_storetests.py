"""
The tests of every store fail where they must.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.engine import Store
from mailstore.engine.database import Database
from mailstore.interfaces import IStore
from mailstore.model import (
    AppendResult,
    FetchBatch,
    FetchSpec,
    FlagMode,
    FlagsStored,
    NewMessage,
    TreeVersion,
    UidSet,
)
from mailstore.testing.storetests import StoreTestsMixin


class ForgetsRights(Store):
    """
    Lets everybody read everything.
    """

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._places.require = lambda *_: ""  # type: ignore[method-assign]


class SharesSeen(Store):
    """
    Has one C{\\Seen} for everybody.
    """

    async def storeFlags(
        self,
        user: str,
        folder: int,
        uids: UidSet,
        mode: FlagMode,
        flags: tuple[str, ...],
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        return await super().storeFlags("alice", folder, uids, mode, flags, unchanged_since)

    async def fetch(
        self, user: str, folder: int, uids: UidSet, spec: FetchSpec
    ) -> AsyncGenerator[FetchBatch, None]:
        async for batch in super().fetch("alice", folder, uids, spec):
            yield batch


class KeepsSome(Store):
    """
    Stores the messages before the one that it cannot store.
    """

    async def append(
        self, user: str, name: str, messages: tuple[NewMessage, ...], replaces: tuple[int, int] | None = None
    ) -> AppendResult:
        results = [await super(KeepsSome, self).append(user, name, (each,)) for each in messages]
        return AppendResult(
            (await self.status(user, name)).uid_validity, tuple(uid for each in results for uid in each.uids)
        )


class SameVersion(Store):
    """
    Says of every tree that it has not changed.
    """

    async def trees(self, user: str) -> tuple[TreeVersion, ...]:
        return tuple(TreeVersion(each, "") for each in ("personal", "others", "public"))


class TheTestsThemselves(SynchronousTestCase):
    """
    L{StoreTestsMixin} over stores that are wrong.
    """

    def _result(self, make: type[Store], name: str) -> TestResult:
        """
        Run one of the tests over a kind of store.
        """

        class Tests(StoreTestsMixin, TestCase):
            async def makeStore(self) -> tuple[IStore, IStore]:
                database = Database.open("sqlite::memory:", self.limits)
                store = make(database, self.renditions, self.renditions_version, self.limits)
                return store, store

        result = TestResult()
        Tests(name).run(result)
        self.assertEqual(result.testsRun, 1)
        return result

    def _check(self, make: type[Store], *names: str) -> None:
        """
        Check that these tests fail over a kind of store, and pass over the right one.
        """
        for name in names:
            result = self._result(make, name)
            self.assertTrue(result.failures or result.errors, f"{name} passed")
            self.assertTrue(self._result(Store, name).wasSuccessful(), name)

    def test_rights(self) -> None:
        """
        A store that checks no rights is found.
        """
        self._check(
            ForgetsRights, "test_rightsRead", "test_rightsInsert", "test_rightsTakeOut", "test_openRefused"
        )

    def test_seen(self) -> None:
        """
        A store in which what one has seen all have seen is found.
        """
        self._check(SharesSeen, "test_ownSeenOwn")

    def test_allOrNone(self) -> None:
        """
        A store that keeps half of what it could not do is found.
        """
        self._check(KeepsSome, "test_appendAllOrNone")

    def test_versions(self) -> None:
        """
        A store that does not tell of new folders is found.
        """
        self._check(SameVersion, "test_listVersionChanges", "test_listSharedVersion")

    def test_noneHidden(self) -> None:
        """
        No group of tests hides a test, or a helper, of another.
        """
        seen: dict[str, type] = {}
        for group in StoreTestsMixin.__bases__:
            for name, value in vars(group).items():
                if isinstance(value, Callable) and not name.startswith("__"):  # type: ignore[arg-type]
                    self.assertNotIn(name, seen, f"{group} and {seen.get(name)}")
                    seen[name] = group
        self.assertGreater(len(seen), 100)
