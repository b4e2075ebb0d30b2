"""
A process that does something to many messages, and kills itself in it: C{python -m tests.engine.slicekills
PATH WHAT NUMBER}, before commit C{NUMBER} is made, or right after it when C{NUMBER} is negative.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from mailstore import engine
from mailstore.engine import EngineLimits, ImmediateCommitter, Store
from mailstore.model import UidSet
from mailstore.testing.storecases.base import RENDITIONS

_ALL = UidSet(((1, 0xFFFFFFFF),))


class DeadlyCommitter(ImmediateCommitter):
    """
    Commits so often and no more.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self._left = abs(number)
        self._afterwards = number < 0

    def attach(
        self, begin: Callable[[], None], commit: Callable[[], None], rollback: Callable[[], None]
    ) -> None:
        """
        See L{ICommitter<mailstore.engine.ICommitter>}.
        """

        def deadly() -> None:
            self._left -= 1
            if self._left == 0 and not self._afterwards:
                os.kill(os.getpid(), signal.SIGKILL)
            commit()
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        super().attach(begin, deadly, rollback)


async def _do(store: Store, what: str) -> None:
    folder = (await store.openFolder("alice", "Big", False)).folder
    if what == "copy":
        await store.copy("alice", folder, _ALL, "Other")
    elif what == "move":
        await store.move("alice", folder, _ALL, "Other")
    elif what == "delete":
        await store.deleteFolder("alice", "Big")
        while await store.tidyMore():
            pass


def main() -> None:
    """
    Do it.
    """
    path, what, number = sys.argv[1:]
    store = engine.open(
        f"sqlite:{path}",
        renditions=RENDITIONS,
        renditions_version=1,
        limits=EngineLimits(slice_rows=3),
        committer=DeadlyCommitter(int(number)),
    )
    asyncio.run(_do(store, what))


if __name__ == "__main__":
    main()
