"""
The processes that die in L{tests.transports.kills}.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

import transports
from tests.transports.children import Tell, live
from tests.transports.kills_side import PEACEFUL, Plan, Side
from transports.description import transportFor
from transports.errors import ChannelClosed
from transports.interfaces import IChannel, IReceiver

#: Lines of a transport that are run at most until a process kills itself there:
#: one message takes some ten.
_FEW_LINES = 40
_MOST_LINES = 4000

_LIBRARY = os.path.dirname(transports.__file__) + os.sep


class _Trigger:
    """
    A trace function by which this process kills itself after some lines of the
    transports' code.
    """

    def __init__(self, tell: Tell, lines: int) -> None:
        self._tell = tell
        self._lines = lines

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        """
        A function is called.
        """
        return self._line if frame.f_code.co_filename.startswith(_LIBRARY) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self._lines -= 1
            if self._lines <= 0:
                where = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
                self._tell({"killed": time.monotonic(), "where": where})
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


class Victim(Side):
    """
    The end that dies, unless its plan says otherwise.
    """

    def __init__(self, reactor: Any, tell: Tell, plan: Plan, over: Callable[[], None]) -> None:
        super().__init__(reactor)
        self._tell = tell
        self._plan = plan
        self._over = over
        self._greeted = False
        chance = random.Random(plan.seed)
        # As often in the first message as somewhere in the traffic.
        self._trigger = _Trigger(tell, chance.randint(1, chance.choice((_FEW_LINES, _MOST_LINES))))

    def opened(self, channel: IChannel) -> None:
        """
        Say what this round is about.
        """
        super().opened(channel)
        channel.send(json.dumps(attrs.asdict(self._plan)).encode("ascii"))

    def check(self, right: bool, what: str) -> None:
        """
        Tell of a fault at once: later may be too late.
        """
        if not right:
            self._tell({"fault": what})

    def send(self, message: bytes) -> None:
        """
        Send one message, and perhaps die of it.
        """
        if self._plan.end != "send":
            super().send(message)
            return
        sys.settrace(self._trigger)
        try:
            super().send(message)
        finally:
            sys.settrace(None)

    def messageReceived(self, message: bytes) -> None:
        """
        The first message answers the plan.
        """
        plan = self._plan
        if self._greeted:
            super().messageReceived(message)
            for fault in self.sink.faults:
                self.check(False, fault)
            if plan.end == "close" and self.sink.tally().count == PEACEFUL:
                self.channel.close()
            return
        self._greeted = True
        self._tell({"up": True})
        # Not the same messages as the survivor's.
        self.startTraffic(plan.seed + 1, hold=plan.holds == "victim")
        if plan.end == "code":
            sys.settrace(self._trigger)

    def channelLost(self, reason: Failure) -> None:
        """
        Only a round without a kill comes here.
        """
        super().channelLost(reason)
        self.check(self._plan.end == "close", f"the victim was told of {reason.value!r}")
        if len(self.losses) == 1:
            self._reactor.callLater(0, self._over)


def dieAsPlanned(tell: Tell, description: str, listens: bool, plan: Plan) -> None:
    """
    Be the victim of one round.

    @param listens: whether the victim is the one that listens.
    """

    async def work(reactor: Any, complaints: list[str]) -> None:
        over: Deferred[None] = Deferred()
        victim = Victim(reactor, tell, plan, lambda: over.callback(None))
        transport = transportFor(description, reactor)

        def accept(channel: IChannel) -> IReceiver:
            victim.opened(channel)
            return victim

        if listens:
            listener = await transport.listen(accept)
            await over
            await listener.stopListening()
        else:
            victim.opened(await transport.connect(victim))
            await over
        victim.judge(ChannelClosed)
        assert victim.source is not None
        tally = {"sent": attrs.asdict(victim.source.tally()), "received": attrs.asdict(victim.sink.tally())}
        tell({**tally, "faults": complaints})

    live(work)
