"""
The one line in which the requests of a front end wait for room, and for a store.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.interfaces import IReactorTime

from mailstore.errors import LimitReached, StoreBusy, StoreError, StoreUnavailable
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.link import Link
from mailstore.ipc.pending import Call, Progress


class Line:
    """
    First come, first served; nobody waits longer than C{patience} seconds, and
    not more than C{max_waiting} wait, nor more than C{max_held} bytes.

    @ivar limits: what holds for who comes from now on.
    @ivar link: where requests can go; C{None} while there is no store.
    """

    def __init__(self, limits: IpcLimits, clock: IReactorTime) -> None:
        self.limits = limits
        self._clock = clock
        self._calls: dict[Call, None] = {}
        self._advancing = False
        self.link: Link | None = None
        self._closed = False
        self._held = 0

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls))

    def enter(self, call: Call) -> None:
        """
        Send a request now if that is possible, else let it wait its turn.
        What becomes of it is told to the call.
        """
        if self._closed:
            call.failed(StoreUnavailable("the store has been closed"))
            return
        if call.link is not None and call.link.lost:
            call.failed(StoreUnavailable("the store went away"))
            return
        first = not self._calls
        link = self.link
        if (
            first
            and link is not None
            and not self._advancing
            and not link.isTooLong(call)
            and link.offer(call)
        ):
            # Nobody stands before it, and there is room: most often.
            return
        size = len(call.body)
        if not first and (
            len(self._calls) >= self.limits.max_waiting or self._held + size > self.limits.max_held
        ):
            call.failed(self._refusal())
            return
        self._calls[call] = None
        self._held += size
        if first:
            self.advance()
        if call in self._calls:
            if self.limits.patience and self.limits.max_waiting:
                call.patience = self._clock.callLater(self.limits.patience, self._ranOut, call)
            else:
                self._ranOut(call)

    def leave(self, call: Call) -> None:
        """
        Take a request out of the line.
        """
        if call in self._calls:
            self._drop(call)
            if self.link is not None:
                self.link.withdraw(call)
            self.advance()

    def advance(self) -> None:
        """
        Send what can be sent.
        """
        if self._advancing or not self._calls:
            return
        self._advancing = True
        too_long: list[Call] = []
        try:
            while self._calls and self.link is not None:
                call = next(iter(self._calls))
                if self.link.isTooLong(call):
                    too_long.append(call)
                elif call.progress is Progress.WAITING and not self.link.offer(call):
                    break
                self._drop(call)
        finally:
            self._advancing = False
        for call in too_long:
            call.failed(LimitReached("the request is too long"))

    def linkLost(self, link: Link) -> None:
        """
        A channel is gone.  Who can go by another one waits on.
        """
        if self.link is link:
            self.link = None
        for call in self:
            if call.link is link:
                self._drop(call)
                call.failed(StoreUnavailable("the store went away"))

    def close(self) -> None:
        """
        Refuse all who wait, and all who come.
        """
        self._closed = True
        for call in self:
            self._drop(call)
            call.failed(StoreUnavailable("the store has been closed"))

    def _drop(self, call: Call) -> None:
        if call in self._calls:
            del self._calls[call]
            self._held -= len(call.body)
        patience, call.patience = call.patience, None
        if patience is not None and patience.active():
            patience.cancel()

    def _ranOut(self, call: Call) -> None:
        refusal = self._refusal()
        self.leave(call)
        call.failed(refusal)

    def _refusal(self) -> StoreError:
        if self.link is None:
            return StoreUnavailable("the store cannot be reached")
        return StoreBusy("the store is busy; try again later")
