"""
What is done beside all requests, and what is told of the whole.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from mailstore.engine import copies, expiry, gone
from mailstore.engine.connection import Connection
from mailstore.engine.requests.base import Requests
from mailstore.engine.statistics import statistics
from mailstore.model import Statistics


class UpkeepRequests(Requests):
    """
    What is done beside all requests, and what is told of the whole.
    """

    def poll(self) -> bool:
        """
        Look whether another process has changed the database; if so forget
        what was read, and tell the observers.

        @return: it has.
        @raise StoreError: that cannot be found out.
        """
        if self._writer.closed or not self._database.changedOutside():
            return False
        self._forget()
        for observer in tuple(self._observers):
            observer.everythingChanged()
        return True

    def together(self) -> AbstractContextManager[None]:
        """
        A context for several requests that are answered in one go: until one has to wait, they share what
        each would need for itself.
        """
        return self._database.together()

    async def statistics(self) -> Statistics:
        with self._database.reading() as db:
            return statistics(db)

    async def indexMore(self) -> bool:
        """
        Do a little of the indexing that deliveries have left undone.  To be called again and again by
        whoever runs the store.

        @return: there is more.
        @raise StoreError: it cannot be done.
        """
        if self._database.read_only:
            return False
        with self._database.reading() as db:
            if not self._index.isBehind(db):
                return False
        await self._change(self._index.step)
        with self._database.reading() as db:
            return self._index.isBehind(db)

    async def tidyMore(self) -> bool:
        if self._database.read_only:
            return False
        with self._database.reading() as db:
            left = copies.abandoned(db, frozenset(self._copying))
            folder = gone.first(db)
        if left is not None:
            await self._clearCopy(*left)
        elif folder:
            await self._writer.change(lambda db: gone.clear(db, folder, self._limits.slice_rows))
        elif self._writer.sweep_due:
            await self._writer.change(lambda db: None)
            return self._writer.sweep_due
        else:
            return False
        self._writer.sweepLater()
        return True

    async def expireMore(self) -> bool:
        """
        Remove a few of the messages that have stayed long enough where there is a rule for
        that.  To be called now and then by whoever runs the store, and again while there is more.

        @return: there is more to look at.
        @raise StoreError: it cannot be done.
        """
        if self._database.read_only:
            return False
        now = int(self._clock())
        with self._database.reading() as db:
            due, reached = expiry.due(db, self._expired_to, self._limits.batch_rows, now)
        if due:
            changed, done = await self._change(lambda db: self._expire(db, due, now))
            for folder in changed:
                self._changed(folder)
            if not done:
                return True
        self._expired_to = reached
        return bool(reached)

    def _expire(self, db: Connection, due: list[int], now: int) -> tuple[list[int], bool]:
        changed, done = expiry.work(db, self._limits, due, now)
        if changed:
            self._writer.sweepLater()
        return changed, done
