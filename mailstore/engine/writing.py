"""
Making changes: whose turn it is, when they become durable, and what is cleared away on the occasion.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from mailstore.engine.commit import ICommitter, ImmediateCommitter
from mailstore.engine.connection import Connection
from mailstore.engine.content import Pins, Unused
from mailstore.engine.database import Database
from mailstore.errors import StoreError, StoreUnavailable

_T = TypeVar("_T")

#: Slices of contents that are removed when a store is opened.
_ROUNDS = 20


class Writer:
    """
    The one way to the write connection of a store, for all requests.

    @ivar closed: nothing can be changed any more.
    @ivar sweep_due: there may be contents to be removed.
    """

    def __init__(
        self,
        database: Database,
        pins: Pins,
        committer: ICommitter | None,
        on_refused: Callable[[], None],
        on_undone: Callable[[], None],
    ) -> None:
        """
        @param committer: when changes become durable; by default each on its own.  A database in
            memory has only one connection, which cannot be committed elsewhere: there it only
            lets others have their turns.
        @param on_refused: called when a change was not made: numbers of rows that were not kept will be
            those of others.
        @param on_undone: called when everything since the last commit was undone.
        """
        self._database = database
        self._pins = pins
        self._on_refused = on_refused
        self._on_undone = on_undone
        self.closed = False
        self.sweep_due = False
        #: What is to be swept may not be committed yet.
        self._sweep_again = False
        #: Much was removed in the write transaction that is open.
        self._swept_much = False
        #: Changes that wait for it to end.
        self._put_off = 0
        self._committer: ICommitter = ImmediateCommitter()
        self._others = committer or self._committer
        if committer is not None and not database.in_memory:
            self._committer = committer
            database.refuseWhenBusy()
        self._committer.attach(self._begin, database.commit, self._rollback)

    def requireOpen(self) -> None:
        """
        @raise StoreUnavailable: the store is closed.
        """
        if self.closed:
            raise StoreUnavailable("the store is closed")

    async def close(self) -> None:
        """
        Change nothing any more; wait until what was done before is durable.
        """
        self.closed = True
        try:
            await self._committer.turn()
            await self._committer.committed()
        except StoreError:
            # Whoever did it was told.
            pass

    async def change(self, change: Callable[[Connection], _T]) -> _T:
        """
        Make a change and wait until it is durable.

        @raise StoreError: it was not made, or is not kept.
        """
        self.requireOpen()
        await self._committer.turn()
        if self.sweep_due or self._swept_much:
            await self._turnAfterSweeping()
        try:
            self.requireOpen()
            result = self._database.mutate(change)
        except BaseException:
            self._on_refused()
            await self._settle()
            raise
        await self._committer.committed()
        return result

    async def giveWay(self) -> None:
        """
        Let others have their turn between two steps of something long.
        """
        await self._others.giveWay()

    async def aside(self, work: Callable[[], object]) -> None:
        """
        See L{ICommitter.aside<mailstore.engine.commit.ICommitter.aside>}.
        """
        await self._others.aside(work)

    # --- contents that nobody names ---

    def sweepLater(self) -> None:
        """
        There may be contents that nobody names any more, perhaps not before the next commit.
        """
        self.sweep_due = self._sweep_again = True

    def sweepFirst(self) -> None:
        """
        Remove contents that nobody names, now, when there are no requests yet; if they are very
        many, some are left.
        """
        for _ in range(_ROUNDS):
            unused = self._unused()
            self._database.transaction(partial(self._pins.sweep, unused=unused))
            self.sweep_due = unused.more
            if not unused.more:
                break

    async def _turnAfterSweeping(self) -> None:
        """
        Remove what has been waiting for that, if nobody has just removed much.  If much was removed in this
        transaction, let it end: who used the same pages again in it would keep in memory what was in
        them.  Meanwhile nobody else removes anything, so this is to be waited for once.
        """
        try:
            self.requireOpen()
            if self.sweep_due and not self._swept_much and not self._put_off:
                self._sweep()
        except BaseException:
            await self._settle()
            raise
        if self._swept_much:
            self._put_off += 1
            try:
                await self._committer.committed()
                await self._committer.turn()
            finally:
                self._put_off -= 1

    def _sweep(self) -> None:
        unused = self._unused()
        sweep = partial(self._pins.sweep, unused=unused)
        if unused.is_much:
            self._swept_much = True
            self._database.alter(sweep)
        else:
            self._database.mutate(sweep)
        self.sweep_due = unused.more or self._sweep_again

    def _unused(self) -> Unused:
        with self._database.reading() as db:
            return self._pins.unused(db)

    # --- the transaction ---

    def _begin(self) -> None:
        self._database.begin()
        self._swept_much = self._sweep_again = False

    def _rollback(self) -> None:
        self._database.rollback()
        # What was removed may be there again.
        self.sweep_due = True
        self._on_undone()

    async def _settle(self) -> None:
        """
        End a turn in which nothing was changed.
        """
        try:
            await self._committer.committed()
        except StoreError:
            # It was not this request's change that got lost, and this one fails anyway.
            pass
