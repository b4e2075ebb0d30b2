"""
Has a store remove what has stayed long enough, a little at a time.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailstore.errors import StoreError
from mailstore.ipc.limits import IpcLimits


class Expiring:
    """
    Asks a store again and again, while it runs: every C{expire_interval} seconds for a round
    through its folders, and within a round every C{chore_interval} seconds for the next piece of work.
    Between two pieces everybody else's requests are carried out.
    """

    _log = Logger()

    def __init__(self, store: Any, limits: IpcLimits, clock: IReactorTime) -> None:
        """
        @param store: has L{expireMore<mailstore.engine.store.Store.expireMore>}.
        @param clock: the reactor.
        """
        self._store = store
        self._limits = limits
        self._clock = clock
        self._timer: IDelayedCall | None = None
        self._running = False

    def start(self) -> None:
        """
        Begin with a round.
        """
        if self._limits.expire_interval:
            self._running = True
            self._schedule(self._limits.chore_interval)

    def stop(self) -> None:
        """
        Ask no more.
        """
        self._running = False
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _schedule(self, delay: float) -> None:
        if self._running:
            self._timer = self._clock.callLater(delay, self._ask)

    def _ask(self) -> None:
        self._timer = None
        Deferred.fromCoroutine(self._store.expireMore()).addCallbacks(self._asked, self._failed)

    def _asked(self, more: bool) -> None:
        self._schedule(self._limits.chore_interval if more else self._limits.expire_interval)

    def _failed(self, failure: Failure) -> None:
        if not self._running:
            return
        if isinstance(failure.value, StoreError):
            # Nobody waits for it: it is tried again with the next round.
            self._log.warn("old messages stay for now: {reason}", reason=str(failure.value))
        else:
            self._log.failure("Removing old messages failed", failure)
        self._schedule(self._limits.expire_interval)
