"""
What the channels over shared memory have in common: the rings and the socket.

The messages are in two rings (L{transports._ring}), each written by one side
only; between C{send} and the next flush they are kept as references, which the
window bounds.  The socket on which the channel was opened stays open: its end is how
the end of the peer is noticed, and the farewell travels on it.  How the counts
of blocks travel is the subclass's.

Everything that comes from the peer is copied first and checked then; what does
not pass ends the channel with L{ChannelCorrupt}.  The memory is never mended:
the next channel has new memory and another epoch.
"""

from __future__ import annotations

import socket
from typing import Any

from transports._channel import CLOSE_DEADLINE, DELIVERY_BUDGET
from transports._connected import ConnectedChannel
from transports._halves import Half
from transports._ring import RingReader, RingWriter
from transports._segment import RING_START
from transports._shmopening import NoteReader, packNotes
from transports.errors import ChannelCorrupt
from transports.limits import Limits
from transports.statistics import QueueStatistics

#: Bytes asked for by one C{recvmsg}.
_READ_SIZE = 1 << 12


class RingChannel(ConnectedChannel):
    """
    One end of a channel over shared memory.
    """

    #: Whether counts of blocks come as notes on the socket.
    notes_counts = False

    def __init__(
        self,
        reactor: Any,
        limits: Limits,
        place: str,
        connected: socket.socket,
        epoch: int,
        outbound: Half,
        inbound: Half,
        *,
        close_deadline: float = CLOSE_DEADLINE,
        delivery_budget: int = DELIVERY_BUDGET,
        spin: float | None = None,
    ) -> None:
        """
        See L{ConnectedChannel}.

        @param outbound: the direction that this end writes; belongs to the channel.
        @param inbound: the direction that the peer writes; belongs to the channel.
        """
        super().__init__(
            reactor,
            limits,
            place,
            connected,
            epoch,
            close_deadline=close_deadline,
            delivery_budget=delivery_budget,
            spin=spin,
        )
        self._halves = (outbound, inbound)
        self._writer = RingWriter(outbound.memory, RING_START, limits, epoch)
        self._reader = RingReader(inbound.memory, RING_START, limits, epoch, self._inbound, self._arrived)
        self._notes = NoteReader(self.notes_counts)
        #: Notes of which the socket has not taken everything.
        self._unsent = b""

    # What the subclass supplies

    def _flushMedium(self) -> None:
        raise NotImplementedError

    def _nextNotes(self) -> bytes:
        """
        The notes that wait; they are as good as sent.
        """
        quits, self._quit_unsent = self._quit_unsent, False
        return packNotes(0, 0, quits)

    def _heard(self, what: bytes, count: int) -> None:
        """
        A note has come.

        @raise ChannelCorrupt: it must not.
        """
        raise NotImplementedError

    def _takeRest(self) -> None:
        """
        The peer is gone: enter what it had told and is not entered yet.

        @raise ChannelCorrupt: it is wrong.
        """

    # The medium, for BaseChannel

    def _transmit(self, message: bytes) -> None:
        self._writer.put(message, self.limits.blocksFor(len(message)))
        if not self._busy:
            self._schedule()

    def _isFlushed(self) -> bool:
        return not (self._writer.unpublished or self._inbound.owed or self._quit_unsent or self._blocked)

    def _releaseMedium(self, discard: bool) -> None:
        super()._releaseMedium(discard)
        self._writer.forget()
        for each in self._halves:
            each.close()

    def _giveBack(self, blocks: int) -> None:
        self._outbound.giveBack(blocks)
        if self._outbound.allocated < self._writer.unpublished:
            raise ChannelCorrupt(f"{blocks} blocks were given back before they had been published")

    # Messages in

    def _publishedByPeer(self, blocks: int) -> None:
        """
        The peer has published something.

        @raise ChannelCorrupt: it must not.
        """
        if self._peer_quitting:
            raise ChannelCorrupt("a message came after the peer had said that none would follow")
        self._reader.publish(blocks)

    def _work(self) -> None:
        """
        End a turn in which something was entered: deliver it, flush.
        """
        if (self._arrived or self._inbound.due) and self._call is None:
            self._busy = True
            try:
                self._deliver()
            finally:
                self._busy = False
        if self._reason is None:
            if self._writer.unpublished or self._quitting or not self._lingering:
                self._flushMedium()
            if self._quitting:
                self._finishIfDrained()

    def _refill(self) -> bool:
        # Messages stay in the ring until there is a handler for them, so that a
        # long queue of large ones is not copied as a whole.
        try:
            credit = self._reader.receive()
            if credit:
                # As _credited().
                self._giveBack(credit)
                if self._line.waiters:
                    self._line.serve()
        except ChannelCorrupt as error:
            self._end(error, discard=True)
        return bool(self._arrived)

    def _hold(self) -> None:
        self._takeAll()

    def _takeAll(self) -> None:
        """
        Take everything out of the ring, without calling anybody.
        """
        reader, ledger = self._reader, self._inbound
        try:
            while ledger.due and self._reason is None:
                credit = reader.receive()
                if credit:
                    self._giveBack(credit)
                    self._schedule()
        except ChannelCorrupt as error:
            self._end(error, discard=True)

    def pauseDelivery(self) -> None:
        """
        See L{IChannel.pauseDelivery<transports.interfaces.IChannel>}.
        """
        super().pauseDelivery()
        if not self._delivering:
            self._takeAll()

    def inboundStatistics(self) -> QueueStatistics:
        """
        See L{IChannel.inboundStatistics<transports.interfaces.IChannel>}.
        """
        self._takeAll()
        return super().inboundStatistics()

    def _isDrained(self) -> bool:
        return not self._inbound.due and super()._isDrained()

    # Notes out

    def _write(self) -> None:
        """
        Give the socket the notes that wait; it is writable as far as we know.
        """
        while batch := self._unsent or self._nextNotes():
            try:
                sent = self._socket.send(batch)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self._notHeard()
                return
            self._unsent = batch[sent:]
            if self._unsent:
                if not self._blocked:
                    self._blocked = True
                    self._fdset.addWriter(self)
                return
        if self._blocked:
            self._blocked = False
            self._fdset.removeWriter(self)

    def _notHeard(self) -> None:
        """
        The peer reads no more: it is gone.  What it had said is there to be read.
        """
        self._unsent = b""
        while self._listen():
            pass
        self._peerGone()

    # Notes in

    def doRead(self) -> None:
        """
        The peer has said something, or is gone.
        """
        if self._listen():
            self._work()
            if self._reason is None:
                self._linger()

    def _listen(self) -> bool:
        """
        Make one C{recvmsg} and enter what it brings.

        @return: whether the channel goes on and there may be more to read.
        """
        try:
            data, _, flags, _ = self._socket.recvmsg(_READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            data, flags = b"", 0
        if not data:
            self._peerGone()
            return False
        self._busy = True
        try:
            if flags & socket.MSG_CTRUNC:
                raise ChannelCorrupt("descriptors came after the opening")
            for what, count in self._notes.receive(data):
                self._heard(what, count)
                if self._reason is not None:
                    break
        except ChannelCorrupt as error:
            self._end(error, discard=True)
        finally:
            self._busy = False
        return self._reason is None

    def _saysQuit(self) -> None:
        if self._peer_quitting:
            raise ChannelCorrupt("the peer quits twice")
        self._peerQuits()

    def _peerGone(self) -> None:
        """
        Nothing more can come: take what is there, then it is the end.
        """
        if self._reason is not None:
            return
        self._busy = True
        try:
            self._takeRest()
        except ChannelCorrupt as error:
            self._end(error, discard=True)
        finally:
            self._busy = False
        self._takeAll()
        self._mediumGone()
