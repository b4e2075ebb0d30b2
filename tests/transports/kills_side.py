"""
One side of a kill in L{tests.transports.kills}; C{kills_survivor} and
C{kills_victim} are what the two do with it.

Both open a channel, greet each other, and then send without end and check what
comes.  The one who is going to die speaks first and says in its greeting, its
L{Plan}, what this round is about.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import attrs
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.transports.traffic import Sink, Source
from transports.errors import ChannelClosed, PeerLost, QueueFull, TransportError
from transports.interfaces import IChannel, IReceiver

#: Messages that one side sends in one turn of its reactor at most.
_MOST_IN_A_TURN = 256

#: Messages delivered before a side that holds what it gets begins to.
_MOST_BEFORE_HOLDING = 20

#: Messages that each side sends in a round without a kill.
PEACEFUL = 200


@attrs.frozen
class Plan:
    """
    What one round is about.
    """

    #: Number of the round.
    number: int
    #: Decides on everything that is random in it.
    seed: int
    #: Who ends it: C{"parent"} kills from outside, C{"send"} is a kill in the
    #: midst of C{send}, C{"code"} one anywhere in the transport's code,
    #: C{"opening"} one from outside before both know each other, C{"close"} no kill.
    end: str
    #: Who stops delivery after a while: C{"victim"}, C{"survivor"} or C{""}.
    holds: str = ""


@implementer(IReceiver)
class Side:
    """
    One end of one channel.

    @ivar faults: what was not as it must be.
    @ivar losses: the reasons given to C{channelLost}.
    @ivar told_at: when the first came, on the clock that all processes share.
    """

    def __init__(self, reactor: Any) -> None:
        self.faults: list[str] = []
        self.losses: list[type[BaseException] | None] = []
        self.told_at = 0.0
        self.failed_waiters = 0
        self.sink = Sink()
        self.source: Source | None = None
        self.channel: IChannel
        self._reactor = reactor
        self._waiting = 0
        self._hold_after = 0
        self._most = sys.maxsize

    def opened(self, channel: IChannel) -> None:
        """
        The channel is open; its books must be empty.
        """
        self.channel = channel
        out, inbound = channel.statistics(), channel.inboundStatistics()
        used = [
            *(out.blocks_allocated, out.blocks_high_water, out.queue_length, out.enqueued_total),
            *(out.dequeued_total, out.refused_total, out.too_large_total, out.bytes_total),
            *(inbound.blocks_allocated, inbound.queue_length, inbound.enqueued_total, inbound.bytes_total),
        ]
        self.check(not any(used), f"a new channel has entries in its books: {out} {inbound}")

    def check(self, right: bool, what: str) -> None:
        """
        Note a fault unless C{right}.
        """
        if not right and len(self.faults) < Sink.most_faults:
            self.faults.append(what)

    def startTraffic(self, seed: int, most: int = sys.maxsize, hold: bool = False) -> None:
        """
        Send from now on, always as much as there is room for.

        @param most: messages to send.
        @param hold: whether to stop delivery after some messages.
        """
        chance = random.Random(seed)
        self.source = Source(self.channel.limits, chance)
        self._most = most
        if hold:
            self._hold_after = chance.randint(1, _MOST_BEFORE_HOLDING)
        self._flood(None)

    def send(self, message: bytes) -> None:
        """
        Send one message.
        """
        self.channel.send(message)

    def _flood(self, _: None) -> None:
        source = self.source
        assert source is not None
        if self.losses:
            return
        for _each in range(_MOST_IN_A_TURN):
            if source.tally().count >= self._most:
                return
            message = source.make()
            try:
                self.send(message)
            except QueueFull as full:
                self._waiting += 1
                waiter = self.channel.whenFree(full.needed)
                waiter.addCallbacks(self._roomMade, self._waiterFailed)
                return
            except TransportError as error:
                self._refused(type(error))
                return
            source.accepted(message)
        self._reactor.callLater(0, self._flood, None)

    def _roomMade(self, _: None) -> None:
        self._waiting -= 1
        self.check(not self.losses, "a waiter was told of room after the loss")
        self._reactor.callLater(0, self._flood, None)

    def _waiterFailed(self, reason: Failure) -> None:
        self._waiting -= 1
        self.failed_waiters += 1
        self._refused(reason.type)

    def _refused(self, why: type[BaseException] | None) -> None:
        self.check(why in (PeerLost, ChannelClosed), f"refused with {why}")

    def messageReceived(self, message: bytes) -> None:
        """
        Check it.
        """
        self.check(not self.losses, "a message came after the loss")
        self.sink.receive(message)
        if self._hold_after:
            self._hold_after -= 1
            if not self._hold_after:
                self.channel.pauseDelivery()

    def channelLost(self, reason: Failure) -> None:
        """
        It is over.
        """
        self.losses.append(reason.type)
        self.told_at = self.told_at or time.monotonic()

    def judge(self, expected: type[TransportError]) -> None:
        """
        The loss is some turns of the reactor ago: nobody may wait any more,
        nothing may be allocated, and everything is refused by its name.
        """
        self.check(self.losses == [expected], f"told of {self.losses}, not once of {expected.__name__}")
        self.check(not self._waiting, f"{self._waiting} still wait for room")
        self.faults.extend(self.sink.faults)
        channel = self.channel
        for books in (channel.statistics(), channel.inboundStatistics()):
            self.check(
                (books.blocks_allocated, books.queue_length) == (0, 0),
                f"{books.blocks_allocated} blocks allocated after the loss",
            )
        try:
            channel.send(b"too late")
            self.check(False, "a send after the loss was accepted")
        except expected:
            pass
        late: list[Failure] = []
        channel.whenFree(1).addErrback(late.append)
        self.check(
            [each.type for each in late] == [expected], "a wait after the loss did not fail with its name"
        )
