"""
What all channels have in common: the books, the delivery, the end.

A transport supplies the medium by a subclass of L{BaseChannel}; what "full"
means, when handlers run, how a channel closes and how its loss is told is
here, once.

  - Handlers run from the reactor only: in L{BaseChannel._turn}, or where the
    medium has become readable.  Never from C{send}, C{resumeDelivery},
    C{close} or C{abort}.
  - There is at most one delayed call of a channel for all purposes, beside the
    one for the deadline of C{close}.
  - Once L{BaseChannel._end} has been called the medium is gone and both books
    are empty; what had arrived whole is still delivered, then the receiver is
    told, once.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import ClassVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from transports._spinning import sched_yield, spinnerFor
from transports.credit import CreditWindow, InboundLedger
from transports.errors import ChannelClosed, MessageTooLarge, PeerLost, TransportError
from transports.interfaces import IChannel, IReceiver
from transports.limits import HEADER_SIZE, Limits
from transports.statistics import QueueStatistics
from transports.waiting import WaitingLine

#: Messages delivered by one channel in one turn of the reactor, at most.
DELIVERY_BUDGET = 256

#: Seconds after which the others have their turn, though the budget is not used
#: up; looked at after every 64 messages, and counted from the first such look.
DELIVERY_TIME = 1e-3

#: Seconds that C{close} waits for both queues to drain.
CLOSE_DEADLINE = 5.0


@implementer(IChannel)
class BaseChannel:
    """
    One end of a channel, without its medium.

    A subclass implements the methods that raise C{NotImplementedError}, and
    calls L{_start}, L{_credited}, L{_peerQuits}, L{_mediumGone} and L{_end}
    when these things happen.

    @ivar limits: the size of both queues.
    """

    window_class: ClassVar[type[CreditWindow]] = CreditWindow
    ledger_class: ClassVar[type[InboundLedger]] = InboundLedger

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        limits: Limits,
        place: str,
        *,
        close_deadline: float = CLOSE_DEADLINE,
        delivery_budget: int = DELIVERY_BUDGET,
        spin: float | None = None,
    ) -> None:
        """
        @param reactor: where handlers are called from.
        @param limits: the size of both queues.
        @param place: the transport's description, for error messages.
        @param close_deadline: seconds that C{close} waits for the queues to drain.
        @param delivery_budget: messages delivered in one turn of the reactor.
        @param spin: seconds that the channel may keep the reactor in one turn,
            looking for the next message, so that two busy peers on idle
            processors need not be woken for each; 0 for never, C{None} for
            where it pays, see L{transports._spinning}.
        """
        self.limits = limits
        self._reactor = reactor
        self._place = place
        self._close_deadline = close_deadline
        self._budget = delivery_budget
        self._spinner = spinnerFor(reactor, spin)
        self._outbound = self.window_class(limits, reactor.seconds)
        self._inbound = self.ledger_class(limits, reactor.seconds)
        self._line = WaitingLine(self._outbound)
        #: Blocks owed to the peer at which C{_settle} is called before the turn ends.
        self._settle_at = 0
        #: Whole messages that wait for their handler.
        self._arrived: deque[bytes] = deque()
        self._receiver: IReceiver | None = None
        self._paused = False
        self._delivering = False
        #: In a call from the reactor at whose end the medium is flushed anyway.
        self._busy = False
        #: Looking for more at the end of a turn: what is owed need not be told yet.
        self._lingering = False
        self._call: IDelayedCall | None = None
        self._deadline: IDelayedCall | None = None
        self._closers: list[Deferred[None]] = []
        #: Why C{send} refuses everything: closed, or lost.
        self._refusal: TransportError | None = None
        self._quitting = False
        self._peer_quitting = False
        #: Why the channel ended; the medium is gone when this is set.
        self._reason: TransportError | None = None
        self._told = False

    # What the medium does.

    def _transmit(self, message: bytes) -> None:
        """
        Take over a message that has been accepted.  Must not fail.
        """
        raise NotImplementedError

    def _settle(self) -> None:
        """
        The handler of a message has returned and C{self._settle_at} blocks are
        owed or more: what C{self._inbound} owes is to be given back, at the
        latest when this turn of the reactor ends.
        """
        raise NotImplementedError

    def _announceQuit(self) -> None:
        """
        Tell the peer, after all messages, that no message will follow.
        """
        raise NotImplementedError

    def _isFlushed(self) -> bool:
        """
        Whether all that was to be told to the peer is out of our hands.
        """
        raise NotImplementedError

    def _flushMedium(self) -> None:
        """
        Hand what is buffered to the peer as far as possible now.
        """
        raise NotImplementedError

    def _releaseMedium(self, discard: bool) -> None:
        """
        The channel has ended: let go of the medium.  Called once.

        @param discard: whether what the peer has not handled is to be thrown
            away as far as possible.
        """
        raise NotImplementedError

    def _collect(self) -> None:
        """
        Enter into C{self._outbound} what the peer has given back and was not
        looked at yet, without calling anybody.  A medium that brings credit by
        itself has nothing to do.  Never raises: if the peer broke the protocol,
        the channel has ended.

        Called by C{whenFree} and C{statistics}.  A medium that has something to
        do sets C{self._outbound.collect} as well, which C{send} comes to when
        there is no room.
        """

    def _refill(self) -> bool:
        """
        C{self._arrived} is being delivered and has become short, and something is
        due in C{self._inbound}, as where the medium keeps what has come until it
        is wanted: put more into it.  Called from the reactor.  Never raises.

        @return: whether C{self._arrived} has something now.
        """
        return False

    def _hold(self) -> None:
        """
        Delivery has been paused in the midst of it: what the medium keeps until
        it is wanted may be taken out, to be looked at now.  Never raises.
        """

    def _look(self) -> bool:
        """
        Do what a turn of the reactor would do if the medium had become readable
        now: take in what has arrived, deliver it, flush.  Does not wait.  Needed
        where C{spin} is.

        @return: whether there was something.
        """
        return False

    # IChannel

    def send(self, message: bytes) -> None:
        """
        See L{IChannel.send<transports.interfaces.IChannel>}.
        """
        if self._refusal is not None:
            raise self._refused()
        if type(message) is not bytes:
            raise TypeError(f"a message is bytes, not {type(message).__name__}")
        self._outbound.take(len(message))
        self._transmit(message)

    def whenFree(self, blocks: int) -> Deferred[None]:
        """
        See L{IChannel.whenFree<transports.interfaces.IChannel>}.

        @raise ValueError: C{blocks} is less than 1.
        """
        if blocks < 1:
            raise ValueError(f"blocks to wait for must be at least 1, not {blocks!r}")
        self._collect()
        if self._refusal is not None:
            return fail(self._refused())
        if blocks > self.limits.capacity:
            size = blocks * self.limits.block_size - HEADER_SIZE
            return fail(MessageTooLarge(size, self.limits.max_message))
        return self._line.join(blocks)

    def flush(self) -> None:
        """
        See L{IChannel.flush<transports.interfaces.IChannel>}.
        """
        if self._reason is None:
            self._flushMedium()

    def pauseDelivery(self) -> None:
        """
        See L{IChannel.pauseDelivery<transports.interfaces.IChannel>}.
        """
        self._paused = True
        if self._reason is not None:
            self._arrived.clear()

    def resumeDelivery(self) -> None:
        """
        See L{IChannel.resumeDelivery<transports.interfaces.IChannel>}.
        """
        if self._paused:
            self._paused = False
            if self._arrived:
                self._schedule()

    def close(self) -> Deferred[None]:
        """
        See L{IChannel.close<transports.interfaces.IChannel>}.
        """
        if self._told:
            return succeed(None)
        closer: Deferred[None] = Deferred()
        self._closers.append(closer)
        if self._reason is None:
            self._quit()
            self._schedule()
        return closer

    def abort(self) -> None:
        """
        See L{IChannel.abort<transports.interfaces.IChannel>}.
        """
        self._end(ChannelClosed("this end aborted the channel"), discard=True)

    def statistics(self) -> QueueStatistics:
        """
        See L{IChannel.statistics<transports.interfaces.IChannel>}.
        """
        self._collect()
        return self._outbound.statistics()

    def inboundStatistics(self) -> QueueStatistics:
        """
        See L{IChannel.inboundStatistics<transports.interfaces.IChannel>}.
        """
        return self._inbound.statistics()

    # Delivery

    def _start(self, receiver: IReceiver) -> None:
        """
        The channel is open and C{receiver} is who gets its messages.
        """
        self._receiver = receiver
        if self._arrived or self._reason is not None:
            self._schedule()

    def _schedule(self) -> None:
        if self._call is None and not self._told:
            self._call = self._reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        """
        What was put off until the reactor is in charge.
        """
        self._call = None
        self._busy = True
        try:
            self._deliver()
            if self._line.waiters:
                self._line.serve()
        finally:
            self._busy = False
        if self._reason is None:
            self._flushMedium()
            self._finishIfDrained()
            if self._spinner is not None:
                self._linger()

    def _linger(self) -> None:
        """
        At the end of a turn: look for more, if the channel is to spin.  A medium
        calls it where it has dealt with what had become readable.

        Where somebody waits for room the peer has enough to do, and the longer
        this side sleeps, the more it has to say when it wakes.
        """
        spinner = self._spinner
        if spinner is None or self._call is not None or self._line.waiters or not spinner.pays():
            return
        found = False
        self._lingering = True
        now = perf_counter()
        last = now + spinner.longest
        end = min(now + spinner.seconds, last)
        while self._call is None and self._refusal is None and not self._paused:
            came = self._look()
            if not came:
                if self._inbound.owed:
                    # As long as there is more to handle, what is given back is
                    # told all at once.
                    self._flushMedium()
                # The look or the flush may have been the end of the channel.  What the
                # reactor is wanted for may be what has come just now.
                if self._refusal is not None or (spinner.wanted(0) and not (came := self._look())):
                    break
            if came:
                found = True
                end = min(perf_counter() + spinner.seconds, last)
            else:
                sched_yield()
            if perf_counter() >= end:
                break
        self._lingering = False
        spinner.note(found)
        if self._inbound.owed and self._reason is None:
            self._flushMedium()

    def _deliver(self) -> None:
        """
        Call the handler for what has arrived, within the budget of one turn.
        """
        receiver = self._receiver
        if receiver is None or self._delivering:
            return
        arrived = self._arrived
        inbound = self._inbound
        one_block = self.limits.block_size - HEADER_SIZE
        settle_at = self._settle_at
        budget = self._budget
        end = 0.0
        self._delivering = True
        try:
            while budget and not self._paused and (arrived or (inbound.due and self._refill())):
                budget -= 1
                if not budget & 63:
                    now = perf_counter()
                    end = end or now + DELIVERY_TIME
                    if now >= end:
                        budget = 0
                message = arrived.popleft()
                try:
                    receiver.messageReceived(message)
                except Exception:
                    self._log.failure("a handler of {place} failed", place=self._place)
                finally:
                    if self._reason is None:
                        size = len(message)
                        if size <= one_block:
                            # As handled() does, which is nearly always.
                            inbound.owed += 1
                        else:
                            inbound.handled(size)
                        if inbound.owed >= settle_at:
                            self._settle()
                    # Before the next is copied, which can have its place then:
                    # malloc gives two large ones back to the system each time.
                    del message
        finally:
            self._delivering = False
        if self._reason is not None and not arrived:
            self._tell()
        elif self._paused:
            self._hold()
        elif not budget and (arrived or (inbound.due and self._refill())):
            # With budget left it has just been looked whether there is more.
            self._schedule()

    # The end

    def _refused(self) -> TransportError:
        assert self._refusal is not None
        return type(self._refusal)(*self._refusal.args)

    def _quit(self) -> None:
        """
        Stop sending, for this side's reason or because the peer has.
        """
        if self._quitting or self._reason is not None:
            return
        self._quitting = True
        self._refusal = ChannelClosed("the channel has been closed")
        self._deadline = self._reactor.callLater(self._close_deadline, self._notDrained)
        self._line.fail(self._refused)
        # One of them may have aborted.
        if self._reason is None:
            self._announceQuit()

    def _peerQuits(self) -> None:
        """
        The peer will send no further message.
        """
        self._peer_quitting = True
        self._quit()

    def _notDrained(self) -> None:
        self._deadline = None
        waited = f"not drained {self._close_deadline} seconds after the close"
        self._end(ChannelClosed(waited), discard=True)

    def _isDrained(self) -> bool:
        return (
            self._quitting
            and self._peer_quitting
            and not self._arrived
            and not self._delivering
            and self._inbound.held == 0
            and self._outbound.allocated == 0
        )

    def _finishIfDrained(self) -> None:
        if self._reason is None and self._isDrained() and self._isFlushed():
            self._end(ChannelClosed("the channel has been closed"))

    def _credited(self, blocks: int) -> None:
        """
        The peer gives blocks back.

        @raise ChannelCorrupt: it never had them.
        """
        self._giveBack(blocks)
        if self._line.waiters:
            self._line.serve()

    def _giveBack(self, blocks: int) -> None:
        """
        Enter what the peer gives back, without calling anybody.  A medium that
        keeps messages for a while overrides it: what has not left cannot be
        given back, and without that check a peer that reads nothing and gives
        back everything would make what waits grow without limit.

        @raise ChannelCorrupt: it never had them.
        """
        self._outbound.giveBack(blocks)

    def _mediumGone(self) -> None:
        """
        Nothing more will come from the medium: it is the end of an orderly
        close, or the peer has vanished.
        """
        if self._isDrained():
            self._end(ChannelClosed("the channel has been closed"))
        else:
            self._end(PeerLost(f"the peer of {self._place} vanished"))

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        """
        The channel is over.  Only the first call counts.

        @param discard: whether what has arrived is thrown away.
        """
        if self._reason is not None:
            return
        self._reason = self._refusal = reason
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._outbound.forget()
        self._inbound.forget()
        if discard or self._paused:
            self._arrived.clear()
        self._releaseMedium(discard)
        self._schedule()
        self._line.fail(self._refused)

    def _tell(self) -> None:
        if self._told:
            return
        self._told = True
        if self._call is not None:
            self._call.cancel()
            self._call = None
        assert self._receiver is not None and self._reason is not None
        try:
            self._receiver.channelLost(Failure(self._reason))  # type: ignore[no-untyped-call]
        except Exception:
            self._log.failure("channelLost of {place} failed", place=self._place)
        closers, self._closers = self._closers, []
        for closer in closers:
            closer.callback(None)
