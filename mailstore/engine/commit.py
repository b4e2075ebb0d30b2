"""
When changes become durable: the seam at which several requests share one commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from zope.interface import Interface, implementer


class ICommitter(Interface):
    """
    Decides when the write transaction of a store begins and ends.

      - Every C{turn()} that returned is followed by exactly one C{committed()},
        also when the caller changed nothing or failed.
      - Several callers may take their turns one after another before one
        commit makes all their changes durable.
      - Nobody touches the write connection while a commit runs.
    """

    def attach(begin: Callable[[], None], commit: Callable[[], None], rollback: Callable[[], None]) -> None:
        """
        Told once, by the store.  The three may be called from any thread, one
        at a time, and raise only L{StoreError<mailstore.errors.StoreError>}.

        @param begin: open the write transaction.  It does not wait: while
            another process has one it raises
            L{StoreBusy<mailstore.errors.StoreBusy>}, and may be tried again.
        @param commit: make it durable; when that fails it is still open.
        @param rollback: undo it.  Does nothing when none is open.
        """

    def turn() -> Awaitable[None]:
        """
        Wait until nobody commits.  When it returns the write transaction is
        open, and the caller may change things until it waits for something.

        @raise StoreError: the transaction could not be opened.
        """

    def committed() -> Awaitable[None]:
        """
        Wait until what was done since C{turn()} is durable.

        @raise StoreError: the commit failed; everything since it began was undone.
        """

    def giveWay() -> Awaitable[None]:
        """
        Let others have their turn, if there can be any.  For whoever does something long in
        slices, and has no transaction open.
        """

    def aside(work: Callable[[], object]) -> Awaitable[None]:
        """
        Do something that takes long and has nothing to do with the database, beside everything
        else if that is possible: in another thread, which it must be fit for.

        @raise Exception: what it raises.
        """


@implementer(ICommitter)
class ImmediateCommitter:
    """
    Commits each request on its own, in the caller's thread.
    """

    def __init__(self) -> None:
        self._open = False

    def attach(
        self, begin: Callable[[], None], commit: Callable[[], None], rollback: Callable[[], None]
    ) -> None:
        self._begin = begin
        self._commit = commit
        self._rollback = rollback

    async def turn(self) -> None:
        if not self._open:
            self._begin()
            self._open = True

    async def committed(self) -> None:
        if not self._open:
            return
        self._open = False
        try:
            self._commit()
        except BaseException:
            self._rollback()
            raise

    async def giveWay(self) -> None:
        pass

    async def aside(self, work: Callable[[], object]) -> None:
        work()
