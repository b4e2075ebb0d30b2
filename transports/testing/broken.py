# mypy: allow-untyped-calls
"""
Transports with one fault each, to test the conformance suite with.

Each is the memory transport with a few lines done wrong, and each must be
caught by the check that names its fault.  The first is KB 817051: a queue that
is never full.
"""

from __future__ import annotations

from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from transports.credit import CreditWindow, InboundLedger, WaitingLine
from transports.errors import MessageTooLarge, QueueFull, TransportError
from transports.interfaces import IReceiver
from transports.limits import HEADER_SIZE, Limits
from transports.memory import MemoryChannel, MemoryTransport

# Faults of the window.


class _AnotherCapacity(CreditWindow):
    """
    Decides as if the queue had another capacity.
    """

    off_by = 0

    def take(self, length: int) -> int:
        """
        Decide wrongly.
        """
        self.capacity += self.off_by
        try:
            return super().take(length)
        finally:
            self.capacity -= self.off_by


class _NeverFullWindow(_AnotherCapacity):
    off_by = 1 << 40


class _OneTooManyWindow(_AnotherCapacity):
    off_by = 1


class _OneTooFewWindow(_AnotherCapacity):
    off_by = -1


class _Credulous(InboundLedger):
    """
    A receiver that does not notice.
    """

    def arrive(self, length: int) -> None:
        """
        Believe the sender.
        """
        self.capacity += 1 << 40
        try:
            super().arrive(length)
        finally:
            self.capacity -= 1 << 40


class NeverFull(MemoryChannel):
    """
    KB 817051: the full queue is not noticed.
    """

    window_class = _NeverFullWindow
    ledger_class = _Credulous


class OneTooMany(MemoryChannel):
    """
    C{free + 1 >= needed}.
    """

    window_class = _OneTooManyWindow
    ledger_class = _Credulous


class GreaterForGreaterOrEqual(MemoryChannel):
    """
    C{free > needed} where C{free >= needed} is right.
    """

    window_class = _OneTooFewWindow


class CounterNotRestored(MemoryChannel):
    """
    A refusal leaves blocks allocated.
    """

    class window_class(CreditWindow):
        """
        Allocates first and asks later.
        """

        def take(self, length: int) -> int:
            """
            Forget to undo.
            """
            try:
                return super().take(length)
            except QueueFull:
                self.allocated = self.capacity
                raise


class ForgetsTheHeader(MemoryChannel):
    """
    Blocks are counted for the bytes of the message only.
    """

    class window_class(CreditWindow):
        """
        Counts without the header.
        """

        def take(self, length: int) -> int:
            """
            Count wrongly.
            """
            return super().take(max(0, length - HEADER_SIZE))

    ledger_class = _Credulous


class TooLargeIsFull(MemoryChannel):
    """
    What can never fit is refused as if it could later.
    """

    def send(self, message: bytes) -> None:
        """
        Use the wrong name.
        """
        try:
            super().send(message)
        except MessageTooLarge:
            statistics = self.statistics()
            capacity = statistics.blocks_capacity
            raise QueueFull(capacity + 1, capacity - statistics.blocks_allocated, capacity) from None


class PartialWrite(MemoryChannel):
    """
    A refused message leaves its beginning in the queue.
    """

    def send(self, message: bytes) -> None:
        """
        Write as much as fits, then look.
        """
        try:
            super().send(message)
        except QueueFull as error:
            if error.free:
                super().send(message[: error.free * self.limits.block_size - HEADER_SIZE])
                self._outbound.enqueued -= 1
            raise


class SilentDrop(MemoryChannel):
    """
    Every seventh message is accepted and thrown away.
    """

    def _transmit(self, message: bytes) -> None:
        if self._outbound.enqueued % 7:
            super()._transmit(message)
        else:
            blocks, _ = self._outbound._ledger.pop()
            self._outbound.allocated -= blocks


# Faults of credit.


class LostCredit(MemoryChannel):
    """
    Every third credit gets lost.
    """

    def _settle(self) -> None:
        if self._inbound.handled_total % 3:
            super()._settle()
        else:
            self._inbound.settle()


class DoubleCredit(MemoryChannel):
    """
    Blocks are given back twice.
    """

    ledger_class = _Credulous

    def _settle(self) -> None:
        super()._settle()
        if self._peer._outbound.allocated:
            self._peer._credited(self._peer._outbound._ledger[0][0])


class HoardedCredit(MemoryChannel):
    """
    Credit is given back when half a queue of it has come together.
    """

    def _settle(self) -> None:
        if self._inbound.owed * 2 >= self.limits.capacity:
            super()._settle()


class KeepsBlocksOfFailures(MemoryChannel):
    """
    A handler that raises keeps its blocks.
    """

    def _start(self, receiver: IReceiver) -> None:
        received = receiver.messageReceived
        self._failed = False

        def messageReceived(message: bytes) -> None:
            self._failed = True
            received(message)
            self._failed = False

        receiver.messageReceived = messageReceived  # type: ignore[method-assign]
        super()._start(receiver)

    def _settle(self) -> None:
        if self._failed:
            self._inbound.settle()
        else:
            super()._settle()


# Faults of delivery.


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
        if len(arrived) == 3:
            arrived[1], arrived[2] = arrived[2], arrived[1]


class DeliversTwice(MemoryChannel):
    """
    Every fifth message arrives twice.
    """

    ledger_class = _Credulous

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


# Faults of waiting.


class _Impatient(WaitingLine):
    """
    Serves whoever there is room for.
    """

    def serve(self) -> None:
        """
        Let the small ones pass.
        """
        for waiter, blocks in list(self._line.items()):
            if blocks <= self._window.free and self._line.pop(waiter, None) is not None:
                waiter.callback(None)


class _LastComeFirstServed(WaitingLine):
    """
    Puts everybody at the head of the line.
    """

    def join(self, blocks: int) -> Deferred[None]:
        """
        Push in.
        """
        waiter = super().join(blocks)
        if waiter in self._line:
            self._line.move_to_end(waiter, last=False)
        return waiter


class _Forgetful(WaitingLine):
    """
    Tells nobody of the end.
    """

    def fail(self, error: Any) -> None:
        """
        Forget them.
        """


class _WaitingChannel(MemoryChannel):
    line_class: type[WaitingLine] = WaitingLine

    def __init__(self, reactor: IReactorTime, limits: Limits, place: str) -> None:
        super().__init__(reactor, limits, place)
        self._line = self.line_class(self._outbound)


class StarvesLarge(_WaitingChannel):
    """
    Small demands pass large ones.
    """

    line_class = _Impatient


class WaitersOutOfOrder(_WaitingChannel):
    """
    Last come, first served.
    """

    line_class = _LastComeFirstServed


class WaitersForgotten(_WaitingChannel):
    """
    Who waits is not told of a loss.
    """

    line_class = _Forgetful


# Faults of the end.


class LosesTwice(MemoryChannel):
    """
    C{channelLost} is called twice.
    """

    def _tell(self) -> None:
        super()._tell()
        assert self._receiver is not None
        self._receiver.channelLost(Failure(self._reason))


class KeepsBlocksOfTheDead(MemoryChannel):
    """
    After a loss the blocks stay allocated.
    """

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        allocated = self._outbound.allocated
        super()._end(reason, discard)
        self._outbound.allocated = allocated


class CloseThrowsAway(MemoryChannel):
    """
    C{close} does not wait for the queues.
    """

    def close(self) -> Deferred[None]:
        """
        Cut.
        """
        done = super().close()
        self.abort()
        return done


@attrs.frozen
class Fault:
    """
    A transport that must fail, and by what.
    """

    #: The channel with the fault.
    channel_class: type[MemoryChannel]
    #: The check that names it, which must be among the failures.
    check: str

    @property
    def name(self) -> str:
        """
        A name for the fault.
        """
        return self.channel_class.__name__

    def makeTransport(self, reactor: IReactorTime, limits: Limits) -> MemoryTransport:
        """
        Make a transport that has it.
        """
        transport = MemoryTransport(reactor, limits)
        transport.channel_class = self.channel_class
        return transport


#: All faults.
FAULTS = (
    Fault(NeverFull, "test_refusesOneMoreThanCapacity"),
    Fault(OneTooMany, "test_refusesOneMoreThanCapacity"),
    Fault(GreaterForGreaterOrEqual, "test_acceptsExactlyCapacity"),
    Fault(CounterNotRestored, "test_refusalChangesNothing"),
    Fault(ForgetsTheHeader, "test_oneByteOverABlock"),
    Fault(TooLargeIsFull, "test_largerThanTheQueueIsTooLarge"),
    Fault(PartialWrite, "test_refusalLeavesNoPartialMessage"),
    Fault(SilentDrop, "test_everythingAcceptedArrives"),
    Fault(LostCredit, "test_drainAllGaugeZero"),
    Fault(DoubleCredit, "test_drainOneAcceptOne"),
    Fault(HoardedCredit, "test_noCreditHoardedWhenIdle"),
    Fault(KeepsBlocksOfFailures, "test_handlerThatRaises"),
    Fault(ReentrantDelivery, "test_neverDeliveredInsideSend"),
    Fault(Reordering, "test_firstInFirstOut"),
    Fault(DeliversTwice, "test_everythingAcceptedArrives"),
    Fault(DroppedFlush, "test_flushesByItself"),
    Fault(NoBudget, "test_deliveryBudget"),
    Fault(BudgetEndsIt, "test_budgetHitStillRedelivers"),
    Fault(DeliversWhilePaused, "test_pauseInAHandler"),
    Fault(StarvesLarge, "test_largeWaiterIsNotStarved"),
    Fault(WaitersOutOfOrder, "test_waitersAreServedInOrder"),
    Fault(WaitersForgotten, "test_waitersFailOnLoss"),
    Fault(LosesTwice, "test_lossIsReportedOnce"),
    Fault(KeepsBlocksOfTheDead, "test_lossFreesTheBlocks"),
    Fault(CloseThrowsAway, "test_closeDrainsBothWays"),
)
