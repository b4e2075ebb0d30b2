"""
Every operation by every right, over the engine; a part of it is tried over every channel.

With C{MAILSTORE_MATRIX} in the environment, in every way in which an ACL can give each set of rights.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import TestCase

from mailstore import engine
from mailstore.interfaces import IStore
from mailstore.testing.storecases.matrix import WholeMatrixTests


class EngineMatrixTests(WholeMatrixTests, TestCase):
    """
    The whole matrix over the engine.
    """

    every_way = bool(os.environ.get("MAILSTORE_MATRIX"))

    async def makeStore(self) -> tuple[IStore, IStore]:
        """
        One engine is both.
        """
        store = engine.open(
            "sqlite::memory:",
            limits=self.limits,
            renditions=self.renditions,
            renditions_version=self.renditions_version,
        )
        return store, store
