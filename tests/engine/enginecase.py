"""
What tests of the engine have in common.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore import engine
from mailstore.engine import EngineLimits, ICommitter, Store
from mailstore.model import ALL_RIGHTS, SYSTEM, NewMessage
from mailstore.testing.storecases.base import CREDENTIALS, RENDITIONS

_T = TypeVar("_T")


class EngineCase(SynchronousTestCase):
    """
    An engine whose requests are answered at once.
    """

    def path(self) -> str:
        """
        A path for a new database.
        """
        os.makedirs(directory := os.path.abspath(self.mktemp()))
        return os.path.join(directory, "mail.db")

    def open(
        self,
        path: str = ":memory:",
        limits: EngineLimits | None = None,
        committer: ICommitter | None = None,
        version: int = 1,
        **options: Any,
    ) -> Store:
        """
        Open an engine, which is closed at the end.
        """
        url = f"sqlite:{path}"
        options.setdefault("renditions", RENDITIONS)
        store = engine.open(url, limits=limits, committer=committer, renditions_version=version, **options)
        self.addCleanup(lambda: self.now(store.close()))
        return store

    def now(self, request: Coroutine[Any, Any, _T]) -> _T:
        """
        The result of a request that does not wait.
        """
        result: _T = self.successResultOf(Deferred.fromCoroutine(request))
        return result

    def all(self, answer: AsyncGenerator[_T, None]) -> list[_T]:
        """
        All batches of an answer.
        """

        async def gather() -> list[_T]:
            return [each async for each in answer]

        return self.now(gather())

    def users(self, store: Store, *names: str) -> None:
        """
        Create users, of whom the first may do everything in public folders.
        """
        for name in names:
            self.now(store.createUser(name, CREDENTIALS))
        self.now(store.setRights(SYSTEM, "Public Folders", names[0], ALL_RIGHTS))

    def append(
        self, store: Store, user: str, name: str, *contents: bytes, flags: tuple[str, ...] = ()
    ) -> None:
        """
        Append messages.
        """
        self.now(store.append(user, name, tuple(NewMessage(each, flags) for each in contents)))

    def rows(self, path: str, statement: str) -> list[tuple[Any, ...]]:
        """
        What another program reads from a database.
        """
        db = sqlite3.connect(path)
        try:
            return db.execute(statement).fetchall()
        finally:
            db.close()

    def execute(self, path: str, *statements: str) -> None:
        """
        What another program does to a database.
        """
        db = sqlite3.connect(path, isolation_level=None)
        try:
            for each in statements:
                db.execute(each)
        finally:
            db.close()
