"""
Those who wait for room in a queue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from transports.credit import CreditWindow
from transports.errors import TransportError


class WaitingLine:
    """
    Those who wait for room in a queue: first come, first served.  A small
    demand never passes a large one, so a large one is not starved.

    @ivar waiters: who waits, and for how many blocks; to be looked at only.
    """

    def __init__(self, window: CreditWindow) -> None:
        self._window = window
        self.waiters: OrderedDict[Deferred[None], int] = OrderedDict()
        self._line = self.waiters
        self._serving = False

    def __len__(self) -> int:
        return len(self._line)

    def join(self, blocks: int) -> Deferred[None]:
        """
        Wait until C{blocks} blocks are free and nobody is ahead.

        @param blocks: from 1 to the capacity.
        @return: fires with C{None}; has fired already if there is no need to
            wait.  Cancelling it leaves the line.
        """
        if not self._line and blocks <= self._window.free:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._leave)
        self._line[waiter] = blocks
        return waiter

    def _leave(self, waiter: Deferred[None]) -> None:
        self._line.pop(waiter, None)
        self.serve()

    def serve(self) -> None:
        """
        Blocks may have become free: let those go for whom there is room, in
        order.  Room taken by the callback of one is not there for the next.
        """
        if self._serving:
            return
        self._serving = True
        try:
            while self._line:
                waiter, blocks = next(iter(self._line.items()))
                if blocks > self._window.free:
                    break
                del self._line[waiter]
                waiter.callback(None)
        finally:
            self._serving = False

    def fail(self, error: Callable[[], TransportError]) -> None:
        """
        There will be no more room: everybody gets an error of their own.
        """
        # One may cancel another in its errback, and none is to be served meanwhile.
        serving, self._serving = self._serving, True
        try:
            while self._line:
                waiter, _ = self._line.popitem(last=False)
                waiter.errback(error())
        finally:
            self._serving = serving
