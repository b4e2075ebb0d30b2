"""
The store's side: serves one store to any number of front ends.
"""

from __future__ import annotations

from contextlib import nullcontext
from inspect import isawaitable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailstore.errors import StoreError
from mailstore.interfaces import IStore
from mailstore.ipc.frontend import FrontEnd
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.rounds import Rounds
from mailstore.ipc.statistics import QueueCounters, countersOf, total
from mailstore.ipc.troubles import Troubles
from transports.interfaces import IChannel, IReceiver


@implementer(IReceiver)
class _TurnedAway:
    """
    The receiver of a channel that is being cut.
    """

    def messageReceived(self, message: bytes) -> None:
        """
        Nobody listens.
        """

    def channelLost(self, reason: Failure) -> None:
        """
        As was to be expected.
        """


class StoreServer:
    """
    Serves a store.  The store belongs to whoever made it: C{close} leaves it open.
    """

    _log = Logger()

    def __init__(self, store: IStore, limits: IpcLimits, clock: IReactorTime) -> None:
        """
        @param clock: the reactor.
        """
        self._store = store
        self._limits = limits
        self._clock = clock
        self._rounds = Rounds(clock, limits.slice_budget, getattr(store, "together", nullcontext))
        self._troubles = Troubles(clock)
        self._front_ends: dict[FrontEnd, None] = {}
        self._closed = False
        self._poll_timer: IDelayedCall | None = None
        self._has_chores = False
        self._past: dict[str, QueueCounters] = {}

    @property
    def front_ends(self) -> tuple[FrontEnd, ...]:
        """
        Those connected now.
        """
        return tuple(self._front_ends)

    def accept(self, channel: IChannel) -> IReceiver:
        """
        Serve a new channel; for L{ITransport.listen<transports.interfaces.ITransport>}.

        @raise QueueTooSmall: it cannot carry the shortest messages.
        """
        if self._closed or len(self._front_ends) >= self._limits.max_front_ends:
            if not self._closed:
                self._log.error("a front end is turned away: there are {count}", count=len(self._front_ends))
            channel.abort()
            return _TurnedAway()
        front_end = FrontEnd(
            channel, self._store, self._limits, self._clock, self._rounds, self._troubles, self._gone
        )
        self._front_ends[front_end] = None
        self._schedulePoll()
        return front_end

    def statistics(self) -> QueueCounters:
        """
        The queues to all front ends together.
        """
        return total(*self.byProtocol().values())

    def byProtocol(self) -> dict[str, QueueCounters]:
        """
        The queues to the front ends that speak each protocol with their clients.
        """
        found = dict(self._past)
        for each in self._front_ends:
            now = countersOf(each.channel.statistics())
            found[each.protocol] = total(found.get(each.protocol, QueueCounters()), now)
        return found

    def close(self) -> Deferred[None]:
        """
        Close all channels in order.  Idempotent.

        @return: fires when they are closed.
        """
        self._closed = True
        if self._poll_timer is not None:
            self._poll_timer.cancel()
            self._poll_timer = None
        closings = [each.channel.close() for each in self.front_ends]
        return DeferredList(closings, consumeErrors=True).addCallback(lambda _: None)

    def _gone(self, front_end: FrontEnd) -> None:
        del self._front_ends[front_end]
        past = self._past.get(front_end.protocol, QueueCounters())
        gone = countersOf(front_end.channel.statistics()).past()
        self._past[front_end.protocol] = total(past, gone)

    # --- changes made by other processes, and what the store has left undone ---

    def _schedulePoll(self) -> None:
        poll = getattr(self._store, "poll", None)
        if poll is not None and self._poll_timer is None and self._limits.poll_interval:
            # A store that has left something undone is given a moment for it as often as others can bear.
            delay = self._limits.chore_interval if self._has_chores else self._limits.poll_interval
            self._poll_timer = self._clock.callLater(delay, self._poll, poll)

    def _poll(self, poll: Any) -> None:
        self._poll_timer = None
        if self._front_ends:
            Deferred.fromCoroutine(self._look(poll)).addBoth(self._looked)

    async def _look(self, poll: Any) -> None:
        self._has_chores = False
        try:
            found = poll()
            if isawaitable(found):
                await found
            for name in ("tidyMore", "indexMore"):
                chore = getattr(self._store, name, None)
                if chore is not None:
                    self._has_chores = await chore() or self._has_chores
        except StoreError as error:
            # Nobody waits for it: it is tried again the next time.
            self._troubles.met(error)

    def _looked(self, result: Any) -> None:
        if isinstance(result, Failure):
            self._log.failure("Looking for changes from outside failed", result)
        if not self._closed and self._front_ends:
            self._schedulePoll()
