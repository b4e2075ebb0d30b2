"""
Group commit: durability paid once for all the requests that came together.

A group begins when the first request takes its turn, and is committed when
everything that has arrived meanwhile has taken its own: the reactor is let
round until a whole round has brought nobody new.  The commit, which waits for
the disk, runs in a thread of its own; the reactor goes on, and requests that want
to change something while it runs form the next group.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mailstore.errors import StoreBusy, StoreError, StoreFault, StoreUnavailable
from mailstore.ipc.troubles import another

#: Seconds before the first new attempt to begin while another process writes, and at most.
_FIRST_RETRY, _LAST_RETRY = 0.002, 0.05

#: Seconds that members may work in one turn of the reactor.
_BUDGET = 0.01

#: Turns of the reactor that a group can wait for more members.
_MAX_ROUNDS = 16


class _State(enum.Enum):
    IDLE = "idle"
    #: The transaction could not be opened yet.
    OPENING = "opening"
    OPEN = "open"
    COMMITTING = "committing"
    CLOSED = "closed"


class _InThread(Protocol):
    def __call__(self, work: Callable[[], None]) -> Deferred[None]: ...


class GroupCommitter:
    """
    A committer, as the engine wants one, for a store that lives in a reactor.

    It belongs to the reactor's thread; only the commit itself runs in another.
    Beginning must not block: give a store that is also written by other
    processes no time to wait for them (they are waited for here).
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        busy_patience: float = 5.0,
        max_group: int = 256,
        in_thread: _InThread | None = None,
    ) -> None:
        """
        @param reactor: the reactor; for the thread it must also provide
            L{IReactorFromThreads<twisted.internet.interfaces.IReactorFromThreads>}.
        @param busy_patience: seconds to wait for another process that is writing.
        @param max_group: requests that share one commit, at most.
        @param in_thread: runs the commit elsewhere, and fires when it is
            done; by default in a thread of this object's own, and what else
            takes long in another one.
        """
        self._reactor = reactor
        self._busy_patience = busy_patience
        self._max_group = max_group
        self._in_thread = in_thread or partial(self._inPool, "commit")
        self._beside = in_thread or partial(self._inPool, "aside")
        self._pools: dict[str, ThreadPool] = {}
        self._state = _State.IDLE
        self._line: deque[Deferred[None]] = deque()
        self._members: list[Deferred[None]] = []
        self._joined = self._joined_before = self._rounds = 0
        self._retry_until = self._retry_delay = 0.0
        self._timer: IDelayedCall | None = None
        self._closing: list[Deferred[None]] = []

    def attach(
        self, begin: Callable[[], None], commit: Callable[[], None], rollback: Callable[[], None]
    ) -> None:
        """
        Told once, by the store: how to open the transaction, make it durable, undo it.
        """
        self._begin = begin
        self._commit = commit
        self._rollback = rollback

    async def turn(self) -> None:
        """
        Wait until nobody commits.  When it returns the write transaction is
        open, and the caller may change things until it waits for something.

        @raise StoreBusy: another process kept writing all the time.
        @raise StoreUnavailable: closed.
        @raise StoreError: the transaction could not be opened.
        """
        if self._state is _State.IDLE and not self._line:
            self._open()
        if self._state is _State.OPEN and not self._line and self._joined < self._max_group:
            self._joined += 1
            return
        if self._state is _State.CLOSED:
            raise StoreUnavailable("the store is closed")
        place: Deferred[None] = Deferred(self._leave)
        self._line.append(place)
        await place

    async def committed(self) -> None:
        """
        Wait until what was done since C{turn()} is durable.

        @raise StoreError: the commit failed; everything since it began was undone.
        """
        if self._state in (_State.OPEN, _State.COMMITTING):
            member: Deferred[None] = Deferred()
            self._members.append(member)
            await member

    async def giveWay(self) -> None:
        """
        Let the reactor go round once.
        """
        turn: Deferred[None] = Deferred()
        timer = self._reactor.callLater(0, turn.callback, None)
        try:
            await turn
        finally:
            if timer.active():
                timer.cancel()

    async def aside(self, work: Callable[[], object]) -> None:
        """
        Do something that takes long, in a thread beside everything else.

        @param work: fit for another thread; when the caller is cancelled, it goes on to its end.
        """

        def run() -> None:
            work()

        await self._beside(run)

    async def close(self) -> None:
        """
        Commit what is open, refuse what waits, end the thread.  To be called
        before the store is closed.  Idempotent.
        """
        self._refuseLine(StoreUnavailable("the store is being closed"))
        if self._state is _State.OPENING:
            self._stopTimer()
            self._state = _State.IDLE
        if self._state in (_State.OPEN, _State.COMMITTING):
            done: Deferred[None] = Deferred()
            self._closing.append(done)
            if self._state is _State.OPEN:
                self._stopTimer()
                self._startCommit()
            await done
        self._state = _State.CLOSED
        self._refuseLine(StoreUnavailable("the store is closed"))
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.stop()

    # --- opening a group ---

    def _leave(self, place: Deferred[None]) -> None:
        if place in self._line:
            self._line.remove(place)

    def _open(self) -> None:
        """
        Begin a group; if another process writes, try again later.

        @raise StoreError: that is not possible.
        """
        try:
            self._begin()
        except StoreBusy:
            self._state = _State.OPENING
            self._retry_until = self._reactor.seconds() + self._busy_patience
            self._retry_delay = _FIRST_RETRY
            self._timer = self._reactor.callLater(self._retry_delay, self._openAgain)
        except StoreError:
            raise
        except Exception as error:
            self._log.failure("The write transaction could not be opened")
            raise StoreFault("the store met a condition it was not written for") from error
        else:
            self._opened()

    def _openAgain(self) -> None:
        self._timer = None
        if not self._line:
            self._state = _State.IDLE
            return
        until, delay = self._retry_until, self._retry_delay
        try:
            self._begin()
        except StoreBusy as error:
            if self._reactor.seconds() < until:
                self._retry_delay = min(delay * 2, _LAST_RETRY)
                self._timer = self._reactor.callLater(self._retry_delay, self._openAgain)
                return
            self._state = _State.IDLE
            self._refuseLine(error)
        except Exception as error:
            self._state = _State.IDLE
            self._refuseLine(self._asStoreError(error))
        else:
            self._opened()

    def _opened(self) -> None:
        self._state = _State.OPEN
        self._joined = self._joined_before = self._rounds = 0
        self._timer = self._reactor.callLater(0, self._round)

    def _refuseLine(self, error: StoreError) -> None:
        waiting, self._line = self._line, deque()
        for place in waiting:
            place.errback(another(error))

    # --- filling it ---

    def _round(self) -> None:
        """
        Let in those who wait; commit if nobody has come since the last round.
        """
        self._timer = None
        until = self._reactor.seconds() + _BUDGET
        while self._line and self._joined < self._max_group:
            self._joined += 1
            self._line.popleft().callback(None)
            if self._reactor.seconds() >= until:
                break
        self._rounds += 1
        full = self._joined >= self._max_group
        quiet = not self._line and self._joined == self._joined_before
        if full or quiet or (not self._line and self._rounds >= _MAX_ROUNDS):
            self._startCommit()
        else:
            self._joined_before = self._joined
            self._timer = self._reactor.callLater(0, self._round)

    # --- committing it ---

    def _startCommit(self) -> None:
        self._state = _State.COMMITTING
        self._in_thread(self._commit).addCallbacks(self._finish, self._commitFailed)

    def _inPool(self, name: str, work: Callable[[], None]) -> Deferred[None]:
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools[name] = ThreadPool(1, 1, name)
            pool.start()
        return deferToThreadPool(IReactorFromThreads(self._reactor), pool, work)

    def _commitFailed(self, failure: Failure) -> None:
        error = self._asStoreError(failure.value)
        try:
            self._rollback()
        except Exception:
            self._log.failure("A failed commit could not be undone")
        self._finish(None, error)

    def _asStoreError(self, error: BaseException | None) -> StoreError:
        if isinstance(error, StoreError):
            return error
        self._log.error("the store could not commit: {error!r}", error=error)
        return StoreFault("the store met a condition it was not written for")

    def _finish(self, _: None, error: StoreError | None = None) -> None:
        members, self._members = self._members, []
        for member in members:
            if member.called:
                continue
            if error is None:
                member.callback(None)
            else:
                member.errback(another(error))
        self._state = _State.IDLE
        closing, self._closing = self._closing, []
        for each in closing:
            each.callback(None)
        if self._line and self._state is _State.IDLE:
            try:
                self._open()
            except StoreError as refused:
                self._refuseLine(refused)

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
