# mypy: allow-untyped-calls
"""
Channels that are wrong about who waits, and about the end.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from transports.errors import ChannelClosed, PeerLost, QueueFull, TransportError
from transports.limits import Limits
from transports.memory import MemoryChannel
from transports.testing._broken_window import held
from transports.waiting import WaitingLine

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


class _Pushing(WaitingLine):
    """
    Looks at the room only.
    """

    def join(self, blocks: int) -> Deferred[None]:
        """
        Pass everybody.
        """
        return succeed(None) if blocks <= self._window.free else super().join(blocks)


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


class SmallOnesPass(_WaitingChannel):
    """
    Who comes and finds room does not look whether others wait.
    """

    line_class = _Pushing


class WaitersForgotten(_WaitingChannel):
    """
    Who waits is not told of a loss.
    """

    line_class = _Forgetful


class _Eager(WaitingLine):
    """
    Serves whoever is first as soon as there is any room.
    """

    def serve(self) -> None:
        """
        Do not look how much is wanted.
        """
        if self._line and self._window.free:
            waiter = next(iter(self._line))
            del self._line[waiter]
            waiter.callback(None)


class _Wholesale(WaitingLine):
    """
    Chooses all for whom there is room now, then lets them go.
    """

    def serve(self) -> None:
        """
        Do not look again.
        """
        chosen = []
        for waiter, blocks in self._line.items():
            if blocks > self._window.free:
                break
            chosen.append(waiter)
        for waiter in chosen:
            if self._line.pop(waiter, None) is not None:
                waiter.callback(None)


class _Stubborn(WaitingLine):
    """
    Keeps those who have left.
    """

    def _leave(self, waiter: Deferred[None]) -> None:
        pass


class _Confused(WaitingLine):
    """
    When somebody leaves, the last one takes the place.
    """

    def _leave(self, waiter: Deferred[None]) -> None:
        self._line.pop(waiter, None)
        if self._line:
            self._line.move_to_end(next(reversed(self._line)), last=False)


class WaiterFiresEarly(_WaitingChannel):
    """
    Who waits is told as soon as anything is free.
    """

    line_class = _Eager


class WaitersGoTogether(_WaitingChannel):
    """
    The room that one waiter takes is promised to the next one too.
    """

    line_class = _Wholesale


class CancelledWaitersStay(_WaitingChannel):
    """
    Who has given up still holds up those behind.
    """

    line_class = _Stubborn


class CancelChangesTheOrder(_WaitingChannel):
    """
    After somebody has given up the others are served in another order.
    """

    line_class = _Confused


class WaitingReserves(MemoryChannel):
    """
    What somebody waits for is kept from those who send.
    """

    def whenFree(self, blocks: int) -> Deferred[None]:
        """
        Take it at once.
        """
        waiter = super().whenFree(blocks)
        if not waiter.called:
            self._outbound.allocated = self.limits.capacity
        return waiter

    def _credited(self, blocks: int) -> None:
        self._outbound.allocated = held(self._outbound)
        super()._credited(blocks)


class WaitsForTooMuch(MemoryChannel):
    """
    Who waits for more than there is waits for ever.
    """

    def whenFree(self, blocks: int) -> Deferred[None]:
        """
        Do not look.
        """
        return self._line.join(blocks)


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


class CloseDropsTheLast(MemoryChannel):
    """
    C{close} loses the message that was sent last.
    """

    def close(self) -> Deferred[None]:
        """
        Drop it.
        """
        arrived = self._peer._arrived
        if not self._quitting and len(arrived) > 1:
            message = arrived.pop()
            self._peer._inbound.handled(len(message))
            self._peer._settle()
        return super().close()


class CloseWaitsForAResume(MemoryChannel):
    """
    An end that is paused does not close, though nothing is queued.
    """

    def _finishIfDrained(self) -> None:
        if not self._paused:
            super()._finishIfDrained()


class CloseWaitsForEver(MemoryChannel):
    """
    There is no deadline for a close.
    """

    def _notDrained(self) -> None:
        self._deadline = None


class ClosedIsLost(MemoryChannel):
    """
    The end that did not close is told of a loss.
    """

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        if isinstance(reason, ChannelClosed) and not self._closers and not discard:
            reason = PeerLost("the other end has gone")
        super()._end(reason, discard)


class ToldInTheCall(MemoryChannel):
    """
    C{abort} calls C{channelLost}.
    """

    def abort(self) -> None:
        """
        Do not wait for the reactor.
        """
        super().abort()
        if self._receiver is not None:
            self._tell()


class DeliversAfterTheLoss(MemoryChannel):
    """
    What was queued is delivered after C{channelLost}.
    """

    def _tell(self) -> None:
        told = self._told
        super()._tell()
        if not told and self._receiver is not None:
            self._receiver.messageReceived(b"0")


class LossWaitsForAResume(MemoryChannel):
    """
    An end that is paused is not told of a loss.
    """

    def _turn(self) -> None:
        if self._reason is None or not self._paused:
            super()._turn()
        else:
            self._call = None

    def resumeDelivery(self) -> None:
        """
        Tell it now.
        """
        super().resumeDelivery()
        self._schedule()


class LateLoss(MemoryChannel):
    """
    A loss is noticed when somebody looks, every two seconds.
    """

    _looking: IDelayedCall | None = None

    def _mediumGone(self) -> None:
        if self._reason is None:
            self._looking = self._reactor.callLater(2.0, self._notice)

    def _notice(self) -> None:
        self._looking = None
        super()._mediumGone()

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        super()._end(reason, discard)


class ThrownAwayIsHandled(MemoryChannel):
    """
    What is thrown away when the channel is lost counts as handled.
    """

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        super()._end(reason, discard)
        self._outbound._forgotten = 0


class FullAfterTheLoss(MemoryChannel):
    """
    After the loss the queue is full, and nothing else.
    """

    def _refused(self) -> TransportError:
        return QueueFull(1, 0, self.limits.capacity)


class GivesBackTwice(MemoryChannel):
    """
    A second abort gives the blocks back once more.
    """

    _aborts = 0

    def abort(self) -> None:
        """
        Do not look whether that was done.
        """
        super().abort()
        self._aborts += 1
        self._outbound.allocated -= self._aborts - 1


class DeadlineStays(MemoryChannel):
    """
    The call for the deadline of C{close} is left to the reactor.
    """

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        self._deadline = None
        super()._end(reason, discard)

    def _notDrained(self) -> None:
        pass
