"""
A channel over sealed memory: counts of blocks travel by doorbells.

  - What has been published in a turn of the reactor is one write to the doorbell
    of our direction.
  - What the handlers of a turn have given back goes with the last record that is
    published in that turn, or else is one write to the doorbell of the peer's
    direction.  None is kept for later.
  - A quarter of a long queue, and a message that is long by itself, is told
    before the turn ends, so that both sides work at the same time.
  - What the peer gives back by doorbell is looked at when there is no room, when
    somebody asks for L{statistics<BaseChannel.statistics>}, and as long as
    somebody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from transports._descriptors import answer, looker, ring, take
from transports._shmchannel import RingChannel
from transports.credit import CreditWindow, PortionedWindow
from transports.errors import ChannelCorrupt
from transports.interfaces import IReceiver

#: How often a channel that spins looks at the memory between two calls of the system.
_GLANCES = range(60)

#: Bytes in a queue for which a peer is woken before the turn ends; what is less
#: is told with all the rest of the turn.
_MUCH = 1 << 16


@implementer(IReadDescriptor)
class Doorbell:
    """
    A doorbell, as the reactor watches it.
    """

    def __init__(self, fd: int, name: str, rung: Callable[[], None], lost: Callable[[Failure], None]) -> None:
        """
        @param fd: the doorbell; it stays the caller's.
        @param name: what the reactor calls it in the log.
        @param rung: called when there is something to take.
        @param lost: called when the reactor gives up.
        """
        self._fd = fd
        self._name = name
        self.doRead = rung
        self.connectionLost = lost

    def fileno(self) -> int:
        """
        The number of the doorbell.
        """
        return self._fd

    def logPrefix(self) -> str:
        """
        What the reactor calls this in the log.
        """
        return self._name


class SealedChannel(RingChannel):
    """
    One end of a channel over sealed memory.
    """

    window_class: ClassVar[type[CreditWindow]] = PortionedWindow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """
        See L{RingChannel}.
        """
        super().__init__(*args, **kwargs)
        outbound, inbound = self._halves
        # The peer answers the first of these and rings the second; the other way
        # round for the others.
        self._tell_data = outbound.data
        self._get_space = outbound.space
        self._get_data = inbound.data
        self._tell_space = inbound.space
        self._has_data = looker(self._get_data)
        self._has_space = looker(self._get_space)
        self._data_bell = Doorbell(self._get_data, self._place, self._dataRung, self.connectionLost)
        self._space_bell = Doorbell(self._get_space, self._place, self._spaceRung, self.connectionLost)
        self._watching_space = False
        #: Blocks of messages that the peer is told of at once: enough to keep it
        #: busy for a while.
        self._much = max(1, self.limits.capacity // 4, _MUCH // self.limits.block_size)
        #: Blocks of one message that is as much by itself.
        self._large = max(2, _MUCH // self.limits.block_size)
        self._settle_at = self._much
        self._outbound.collect = self._collectOrRefuse

    def _start(self, receiver: IReceiver) -> None:
        super()._start(receiver)
        if self._reason is None:
            self._fdset.addReader(self._data_bell)

    def send(self, message: bytes) -> None:
        """
        See L{IChannel.send<transports.interfaces.IChannel>}.
        """
        # As in BaseChannel, with C{_transmit} and C{put} in their places: two calls less.
        if self._refusal is not None:
            raise self._refused()
        if type(message) is not bytes:
            raise TypeError(f"a message is bytes, not {type(message).__name__}")
        blocks = self._outbound.take(len(message))
        writer = self._writer
        writer.pending.append(message)
        writer.unpublished += blocks
        if writer.unpublished >= self._much or blocks >= self._large:
            self._flushMedium()
        elif self._call is None and not self._busy:
            self._schedule()

    def whenFree(self, blocks: int) -> Deferred[None]:
        """
        See L{IChannel.whenFree<transports.interfaces.IChannel>}.
        """
        waiter = super().whenFree(blocks)
        if self._line.waiters:
            self._watchSpace()
        return waiter

    # Out

    def _settle(self) -> None:
        self._flushMedium()

    def _flushMedium(self) -> None:
        inbound, outbound, writer = self._inbound, self._outbound, self._writer
        unpublished = writer.unpublished
        alone = outbound.allocated == unpublished
        if not alone and unpublished and writer.far:
            # Nobody has looked yet at what the doorbell says.
            self._collect()
            if self._reason is not None:
                return
            alone = outbound.allocated == unpublished
        owed = inbound.settle() if inbound.owed else 0
        outbound.timed = True
        try:
            if unpublished:
                ring(self._tell_data, writer.publish(owed, alone))
            elif owed:
                ring(self._tell_space, owed)
        except OSError as error:
            # It is so full that the peer must have made it so.
            self._end(ChannelCorrupt(f"the peer has jammed a doorbell: {error.strerror}"), discard=True)
            return
        # After the data, which the peer therefore finds when it reads this.
        if self._quit_unsent and not self._blocked:
            self._write()

    def _announceQuit(self) -> None:
        super()._announceQuit()
        self._watchSpace()

    def _releaseMedium(self, discard: bool) -> None:
        self._fdset.removeReader(self._data_bell)
        self._fdset.removeReader(self._space_bell)
        self._outbound.collect = None
        super()._releaseMedium(discard)

    # Data in

    def _takeData(self) -> bool:
        blocks = answer(self._get_data)
        if not blocks:
            return False
        self._publishedByPeer(blocks)
        return True

    def _enter(self, entry: Callable[[], bool]) -> bool:
        """
        Enter something that the peer has told.

        @return: whether there was something, and the channel goes on.
        """
        self._busy = True
        try:
            return entry() and self._reason is None
        except ChannelCorrupt as error:
            self._end(error, discard=True)
            return False
        finally:
            self._busy = False

    def _dataRung(self) -> None:
        if self._answerData():
            self._linger()

    def _answerData(self) -> bool:
        """
        Deal with what the peer has published, if anything.

        @return: whether there was something, and the channel goes on.
        """
        # As _enter(_takeData), with fewer calls: each message of a dialogue comes here.
        try:
            blocks = take(self._get_data)
            if self._peer_quitting:
                # Which raises.
                self._publishedByPeer(blocks)
            self._reader.publish(blocks)
        except BlockingIOError:
            return False
        except ChannelCorrupt as error:
            self._end(error, discard=True)
            return False
        self._work()
        return self._reason is None

    def _look(self) -> bool:
        if self._writer.claimable:
            self._writer.claim(self._outbound.free)
        # That the next record is in the memory says nothing, and costs nothing to
        # see; what counts is the doorbell, which is about to be rung then.
        memory = self._halves[1].memory
        number, here, start = self._reader.nextPlaces()
        for _ in _GLANCES:
            if memory[here] == number or memory[start] == number:
                if self._answerData():
                    return True
                if self._reason is not None:
                    return False
        return bool(self._has_data(0)) and self._answerData()

    # Credit in

    def _watchSpace(self) -> None:
        if not self._watching_space and self._reason is None:
            self._watching_space = True
            self._fdset.addReader(self._space_bell)

    def _takeSpace(self) -> bool:
        blocks = answer(self._get_space)
        if not blocks:
            return False
        self._credited(blocks)
        return True

    def _spaceRung(self) -> None:
        if self._enter(self._takeSpace):
            self._work()
        if self._reason is None:
            if not self._line.waiters and not self._quitting:
                self._watching_space = False
                self._fdset.removeReader(self._space_bell)
            self._linger()

    def _collect(self) -> None:
        # Where somebody waits, the reactor brings it to who is first.
        if not self._line.waiters:
            self._enterSpace()

    def _enterSpace(self) -> None:
        if self._reason is not None or not self._has_space(0):
            return
        try:
            blocks = answer(self._get_space)
            if blocks:
                self._giveBack(blocks)
        except ChannelCorrupt as error:
            self._end(error, discard=True)
        if self._quitting or self._line.waiters:
            # It may have been what the end waited for, or who is first in line.
            self._schedule()

    def _collectOrRefuse(self) -> None:
        self._enterSpace()
        if self._refusal is not None:
            raise self._refused()

    # Notes in

    def _heard(self, what: bytes, count: int) -> None:
        # It was published before, but may have come after.
        self._takeData()
        if self._reason is None:
            self._saysQuit()

    def _takeRest(self) -> None:
        self._takeData()
        if self._reason is None:
            self._takeSpace()
