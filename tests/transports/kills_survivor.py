"""
The process that lives through all kills of L{tests.transports.kills}.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import DeferredQueue
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.transports.children import Footprint, Tell, live, residentSize
from tests.transports.kills_side import PEACEFUL, Plan, Side
from transports.description import transportFor
from transports.errors import CannotConnect, ChannelClosed, PeerLost
from transports.interfaces import IChannel, IReceiver, ITransport

#: Turns of the reactor after which what a loss brings with it has happened.
_TURNS = 10

#: Seconds between two attempts to connect.
_RETRY = 0.002


class _SurvivorSide(Side):
    """
    The end that lives on.
    """

    plan: Plan | None = None

    def __init__(self, reactor: Any, over: Callable[[_SurvivorSide], None]) -> None:
        super().__init__(reactor)
        self._over = over

    def messageReceived(self, message: bytes) -> None:
        """
        The first message is the plan.
        """
        if self.plan is not None:
            super().messageReceived(message)
            return
        self.plan = plan = Plan(**json.loads(message))
        self.channel.send(b"")
        most = PEACEFUL if plan.end == "close" else sys.maxsize
        self.startTraffic(plan.seed, most, plan.holds == "survivor")

    def channelLost(self, reason: Failure) -> None:
        """
        Judge it a little later.
        """
        super().channelLost(reason)
        if len(self.losses) == 1:
            self._over(self)


class Survivor:
    """
    The process that lives through all kills.  It listens, or connects again
    and again, and reports on each channel that got as far as its plan.
    """

    def __init__(self, tell: Tell, description: str, listens: bool) -> None:
        self._tell = tell
        self._description = description
        self._listens = listens
        self._reactor: Any
        self._transport: ITransport
        self._before: Footprint
        self._reactor_before: tuple[int, int, int]
        self._faults: list[str] = []
        #: Sides that have been told of their end.
        self._over: DeferredQueue[_SurvivorSide] = DeferredQueue()

    def run(self) -> None:
        """
        Run until a round has ended in peace.
        """
        live(self._live)

    async def _live(self, reactor: Any, complaints: list[str]) -> None:
        self._reactor, self._faults = reactor, complaints
        self._transport = transportFor(self._description, reactor)
        listener = await self._transport.listen(self._accept) if self._listens else None
        self._before = Footprint.now()
        self._reactor_before = self._inReactor()
        self._tell({"ready": True})
        end = ""
        while end != "close":
            if listener is None:
                await self._connect()
            side = await self._over.get()
            for _ in range(_TURNS):
                await deferLater(self._reactor, 0)
            end = self._close(side)
        if listener is not None:
            await listener.stopListening()

    def _accept(self, channel: IChannel) -> IReceiver:
        side = _SurvivorSide(self._reactor, self._over.put)
        side.opened(channel)
        return side

    async def _connect(self) -> None:
        while True:
            side = _SurvivorSide(self._reactor, self._over.put)
            try:
                side.opened(await self._transport.connect(side))
            except CannotConnect:
                await deferLater(self._reactor, _RETRY)
            else:
                return

    def _inReactor(self) -> tuple[int, int, int]:
        reactor = self._reactor
        return len(reactor.getReaders()), len(reactor.getWriters()), len(reactor.getDelayedCalls())

    def _close(self, side: _SurvivorSide) -> str:
        """
        The books on this channel.

        @return: how it ended, C{""} if it never got as far as a plan.
        """
        plan = side.plan
        end = "" if plan is None else plan.end
        side.judge(ChannelClosed if end == "close" else PeerLost)
        self._faults.extend(side.faults)
        if plan is None or end == "opening":
            # Another one may be on its way already: what this one left is found by the next.
            return end
        self._faults.extend(Footprint.now().grownSince(self._before))
        held = self._inReactor()
        if held != self._reactor_before:
            self._faults.append(
                f"readers, writers and delayed calls: {held}, before all channels {self._reactor_before}"
            )
        # Garbage is no growth; but what it held of the system has been counted.
        gc.collect()
        assert side.source is not None
        self._tell(
            {
                "number": plan.number,
                "told_at": side.told_at,
                "faults": self._faults,
                "failed_waiters": side.failed_waiters,
                "sent": attrs.asdict(side.source.tally()),
                "received": attrs.asdict(side.sink.tally()),
                "size": residentSize(),
            }
        )
        self._faults.clear()
        return end
