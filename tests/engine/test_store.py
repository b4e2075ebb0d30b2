"""
The engine passes the tests of every store.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import TestCase

from mailstore import engine
from mailstore.interfaces import IStore
from mailstore.testing.storetests import StoreTestsMixin


class MemoryEngineTests(StoreTestsMixin, TestCase):
    """
    The engine with a database in memory.
    """

    url = "sqlite::memory:"

    async def makeStore(self) -> tuple[IStore, IStore]:
        """
        One engine is both.
        """
        store = engine.open(
            self.url,
            limits=self.limits,
            renditions=self.renditions,
            renditions_version=self.renditions_version,
        )
        return store, store


class FileEngineTests(MemoryEngineTests):
    """
    The engine with a database in a file.
    """

    async def makeStore(self) -> tuple[IStore, IStore]:
        """
        A new file for each test.
        """
        os.makedirs(path := os.path.abspath(self.mktemp()))
        self.url = f"sqlite://{path}/mail.db"
        store, admin = await super().makeStore()
        assert isinstance(store, engine.Store)
        # That what is written outlives the machine is not what these tests look at.
        store._database._write.execute("PRAGMA synchronous = OFF")
        return store, admin
