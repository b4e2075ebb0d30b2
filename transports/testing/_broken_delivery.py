# mypy: allow-untyped-calls
"""
Channels that are wrong about when handlers are called.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from twisted.internet.interfaces import IReactorTime

from transports.interfaces import IReceiver
from transports.limits import Limits
from transports.memory import MemoryChannel
from transports.testing._broken_window import Credulous


class ReentrantDelivery(MemoryChannel):
    """
    Handlers are called from inside C{send}.
    """

    def _transmit(self, message: bytes) -> None:
        super()._transmit(message)
        if not self._peer._paused:
            self._peer._delivering = False
            self._peer._deliver()


class Reordering(MemoryChannel):
    """
    A message passes the one before it.
    """

    def _transmit(self, message: bytes) -> None:
        super()._transmit(message)
        arrived = self._peer._arrived
        if len(arrived) == 3 and len({self.limits.blocksFor(len(each)) for each in arrived}) == 1:
            arrived[1], arrived[2] = arrived[2], arrived[1]


class DeliversTwice(MemoryChannel):
    """
    Every fifth message arrives twice.
    """

    ledger_class = Credulous

    def _transmit(self, message: bytes) -> None:
        super()._transmit(message)
        if self._outbound.enqueued % 5 == 0 and self._receiver is not None:
            self._peer._reactor.callLater(0, self._again, message)

    def _again(self, message: bytes) -> None:
        receiver = self._peer._receiver
        if receiver is not None and not self._peer._paused and self._reason is None:
            receiver.messageReceived(message)


class DroppedFlush(MemoryChannel):
    """
    What was sent stays where it is until somebody calls C{flush}.
    """

    def _transmit(self, message: bytes) -> None:
        self._peer._inbound.arrive(len(message))
        self._peer._arrived.append(message)

    def flush(self) -> None:
        """
        Wake the peer.
        """
        super().flush()
        if self._reason is None and self._peer._arrived:
            self._peer._schedule()


class NoBudget(MemoryChannel):
    """
    All that has arrived is delivered in one turn.
    """

    def __init__(self, reactor: IReactorTime, limits: Limits, place: str) -> None:
        super().__init__(reactor, limits, place, delivery_budget=1 << 40)


class BudgetEndsIt(MemoryChannel):
    """
    What the budget leaves over waits for the next message.
    """

    def _deliver(self) -> None:
        super()._deliver()
        if self._call is not None and self._reason is None:
            self._call.cancel()
            self._call = None


class DeliversWhilePaused(MemoryChannel):
    """
    C{pauseDelivery} inside a handler is noticed one message too late.
    """

    def pauseDelivery(self) -> None:
        """
        Let one slip through.
        """
        if self._delivering and self._arrived and self._receiver is not None:
            message = self._arrived.popleft()
            self._reactor.callLater(0, self._late, message)
        super().pauseDelivery()

    def _late(self, message: bytes) -> None:
        if self._reason is None and self._receiver is not None:
            self._receiver.messageReceived(message)
            self._inbound.handled(len(message))
            self._settle()


class FlushDelivers(MemoryChannel):
    """
    C{flush} calls the other end's handlers.
    """

    def flush(self) -> None:
        """
        Do not wait for the reactor.
        """
        super().flush()
        if not self._peer._paused:
            self._peer._deliver()


class ResumeDelivers(MemoryChannel):
    """
    C{resumeDelivery} calls the handlers.
    """

    def resumeDelivery(self) -> None:
        """
        Do not wait for the reactor.
        """
        super().resumeDelivery()
        self._deliver()


class PausesAreCounted(MemoryChannel):
    """
    After two pauses delivery must be resumed twice.
    """

    _pauses = 0

    def pauseDelivery(self) -> None:
        """
        Count.
        """
        self._pauses += 1
        super().pauseDelivery()

    def resumeDelivery(self) -> None:
        """
        Count down.
        """
        self._pauses = max(0, self._pauses - 1)
        if not self._pauses:
            super().resumeDelivery()


class EdgeTriggered(MemoryChannel):
    """
    A resume forgets what had arrived before the pause.
    """

    _seen = 0

    def pauseDelivery(self) -> None:
        """
        Note what is there.
        """
        super().pauseDelivery()
        self._seen = self._inbound.statistics().enqueued_total

    def resumeDelivery(self) -> None:
        """
        Look for what is new only.
        """
        self._paused = False
        if self._inbound.statistics().enqueued_total > self._seen:
            self._schedule()


class StopsWhenItCannotAnswer(MemoryChannel):
    """
    Nothing is delivered while the own outbound queue is full.
    """

    def _deliver(self) -> None:
        if self._outbound.free or self._reason is not None:
            super()._deliver()

    def _credited(self, blocks: int) -> None:
        super()._credited(blocks)
        self._schedule()


class FlushesFullBatchesOnly(MemoryChannel):
    """
    Fewer than four messages are kept back until there are more.
    """

    def _transmit(self, message: bytes) -> None:
        peer = self._peer
        peer._inbound.arrive(len(message))
        peer._arrived.append(message)
        if len(peer._arrived) >= 4 and not peer._paused:
            peer._schedule()


class EndsOnAFailure(MemoryChannel):
    """
    A handler that raises costs the channel.
    """

    def _start(self, receiver: IReceiver) -> None:
        received = receiver.messageReceived

        def messageReceived(message: bytes) -> None:
            try:
                received(message)
            except Exception:
                self.abort()
                raise

        receiver.messageReceived = messageReceived  # type: ignore[method-assign]
        super()._start(receiver)


class DoorbellBlocks(MemoryChannel):
    """
    The peer is woken through a pipe that takes only so much.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bell, self._ringer = os.pipe()

    def flush(self) -> None:
        """
        Ring.
        """
        super().flush()
        if self._reason is None:
            os.write(self._ringer, b"!")

    def _releaseMedium(self, discard: bool) -> None:
        os.close(self._bell)
        os.close(self._ringer)
        super()._releaseMedium(discard)


class PausesEverybody(MemoryChannel):
    """
    A full queue of one channel holds up all channels.
    """

    full: ClassVar[set[MemoryChannel]] = set()

    def _transmit(self, message: bytes) -> None:
        super()._transmit(message)
        if not self._outbound.free:
            self.full.add(self)

    def _credited(self, blocks: int) -> None:
        super()._credited(blocks)
        self.full.discard(self)

    def _deliver(self) -> None:
        if not self.full - {self, self._peer} or self._reason is not None:
            super()._deliver()
        else:
            self._schedule()

    def _releaseMedium(self, discard: bool) -> None:
        self.full.discard(self)
        super()._releaseMedium(discard)
