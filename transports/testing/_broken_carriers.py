# mypy: allow-untyped-calls
"""
Transports over sockets and shared memory that leave things behind, or believe
what a peer says.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from transports import _segment
from transports._framing import OPENING_SIZE, FrameReader, Opening
from transports._opening import Codec
from transports._ring import RECORD_SIZE, Memory
from transports._sealedchannel import SealedChannel
from transports._segment import RING_START, Mapped, Segment
from transports._socketchannel import SocketChannel
from transports.credit import CreditWindow, PortionedWindow
from transports.errors import ChannelCorrupt, PeerLost, TransportError
from transports.interfaces import IChannel, IListener, IReceiver
from transports.memory import MemoryListener, MemoryTransport
from transports.sockets import UnixTransport
from transports.testing._broken_window import Credulous

#: What puts right what the faults have left behind.
_remedies: list[Callable[[], None]] = []


def cleanUp() -> None:
    """
    Put right what the faults have left behind in this process.
    """
    while _remedies:
        _remedies.pop()()


# Faults of places and of what is left.


class KeepsChannels(UnixTransport):
    """
    The transport remembers all its channels.
    """

    def makeChannel(self, connected: socket.socket, epoch: int) -> SocketChannel:
        """
        Remember it.
        """
        channel = super().makeChannel(connected, epoch)
        self.__dict__.setdefault("all", []).append(channel)
        return channel


class SameEpoch(UnixTransport):
    """
    All channels have the same number.
    """

    def makeChannel(self, connected: socket.socket, epoch: int) -> SocketChannel:
        """
        Forget the number.
        """
        return super().makeChannel(connected, 1)


class PlaceStaysTaken(MemoryTransport):
    """
    A place that is given up is not free.
    """

    def _stopped(self) -> None:
        self._listeners[self._name] = MemoryListener(self.limits, _nobody, lambda: None)


def _nobody(channel: object) -> Any:
    raise AssertionError("this place was given up")


class LeaksDescriptors(SocketChannel):
    """
    One descriptor of each channel stays open.
    """

    def __init__(
        self, reactor: Any, limits: Any, place: str, connected: socket.socket, *rest: Any, **more: Any
    ):
        super().__init__(reactor, limits, place, connected, *rest, **more)
        _remedies.append(partial(os.close, os.dup(self._fileno)))


class LeavesItsFile(UnixTransport):
    """
    The socket file stays when nobody listens any more.
    """

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        Take it for somebody else's.
        """
        listening: Any = super().listen(accept)
        listening.result._identity = None
        return listening  # type: ignore[no-any-return]


class LeavesOpenings(UnixTransport):
    """
    Who is in the midst of the opening is not hung up on when nobody listens
    any more.
    """

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        Forget them.
        """
        listening: Any = super().listen(accept)
        listener = listening.result
        listener._closed = lambda: (type(listener)._closed(listener), listener._openings.clear())
        return listening  # type: ignore[no-any-return]


class StaysWatched(SocketChannel):
    """
    The reactor goes on watching whether it can be written to.
    """

    def _releaseMedium(self, discard: bool) -> None:
        blocked = self._blocked
        super()._releaseMedium(discard)
        if blocked:
            left, right = socket.socketpair()
            left.close()
            self._fileno = right.fileno()
            self._fdset.addWriter(self)
            _remedies.extend((right.close, partial(self._fdset.removeWriter, self)))


# Faults of credit, on a busy carrier.


class HoardsWhileBusy(SocketChannel):
    """
    What is owed when the socket has taken the rest of a large message waits
    for the next one.
    """

    def doWrite(self) -> None:
        """
        Stop watching too soon.
        """
        super().doWrite()
        if self._blocked and not (self._unsent or self._out or self._quit_unsent):
            self._blocked = False
            self._fdset.removeWriter(self)


class ForgetsCreditOfTorn(SocketChannel):
    """
    Credit in the header of a message that has not arrived whole is forgotten.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reader = self._reader

        class Forgetful(FrameReader):
            def receive(self, data: bytes) -> int:
                credit = super().receive(data)
                return 0 if self._missing else credit

        self._reader = Forgetful(reader._ledger, reader._messages)


class ForgetsPortions(SealedChannel):
    """
    Credit that is part of a message's blocks is given back, but not booked.
    """

    class window_class(PortionedWindow):
        """
        Books whole messages only.
        """

        def giveBack(self, blocks: int) -> None:
            """
            Forget the rest.
            """
            super().giveBack(blocks)
            over = len(self._ends) - self.queued
            if over:
                self._given = self._ends[over - 1]


class LooksOnRequestOnly(SealedChannel):
    """
    What was given back is looked at when somebody asks for figures, not when
    somebody sends.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outbound.collect = None


class ClosesWithoutLooking(SealedChannel):
    """
    A channel that closes does not watch what is given back.
    """

    def _watchSpace(self) -> None:
        if not self._quitting:
            super()._watchSpace()


# Faults of trust, on a socket.


class BelievesCredit(SocketChannel):
    """
    More credit than there can be is taken for as much as there can be.
    """

    class window_class(CreditWindow):
        """
        Cuts it down.
        """

        def giveBack(self, blocks: int) -> None:
            """
            Believe the peer.
            """
            if self.allocated:
                super().giveBack(min(blocks, self.allocated))


class BelievesTheSender(SocketChannel):
    """
    The receiver relies on the sender's window.
    """

    ledger_class = Credulous


class CorruptionIsALoss(SocketChannel):
    """
    A peer that breaks the protocol is told as one that vanished.
    """

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        if isinstance(reason, ChannelCorrupt):
            reason = PeerLost("something went wrong")
        super()._end(reason, discard)


class SaysNothing(SocketChannel):
    """
    A peer that breaks the protocol: nobody learns how.
    """

    def _end(self, reason: TransportError, discard: bool = False) -> None:
        if isinstance(reason, ChannelCorrupt):
            reason = ChannelCorrupt("protocol error")
        super()._end(reason, discard)


class AnyEpoch(UnixTransport):
    """
    Any answer is taken for the answer to our opening.
    """

    def _check(self, theirs: Opening, epoch: int) -> None:
        super()._check(theirs, theirs.epoch)


def _anything(data: bytes) -> Opening | None:
    """
    Take any bytes for an opening.
    """
    if len(data) < OPENING_SIZE:
        return None
    block_size, capacity, _, epoch = struct.unpack_from("<IIIQ", data, 12)
    return Opening(block_size, capacity, epoch)


#: For C{transports.sockets._CODEC}: neither magic nor version is looked at.
ANY_OPENING = Codec(OPENING_SIZE, _anything)


# Faults of trust, in memory.


def sameChecksum(data: bytes, begin: int = 0) -> int:
    """
    For C{transports._ring.crc32}: one checksum fits all.
    """
    return 0


class _Renumbered:
    """
    Memory in which each record that is read has the number that is due.
    """

    def __init__(self, memory: Memory, due: int) -> None:
        self._memory = memory
        self._due = due

    def __getitem__(self, where: slice) -> bytes:
        data = self._memory[where]
        if len(data) != RECORD_SIZE:
            return data
        due = self._due
        self._due = due + 1 & 0xFFFFFFFF
        return data[:4] + due.to_bytes(4, "little") + data[8:]

    def __setitem__(self, where: slice, data: bytes) -> None:
        self._memory[where] = data


class NoSequence(SealedChannel):
    """
    The number of a record is not looked at, when its checksum is not either.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reader._memory = _Renumbered(self._reader._memory, self._reader._sequence)


class ReadsWhenItDelivers(SealedChannel):
    """
    A message is checked when it arrives, and what is in the memory when it is
    delivered is delivered.
    """

    def _start(self, receiver: IReceiver) -> None:
        received = receiver.messageReceived

        def messageReceived(message: bytes) -> None:
            size = self.limits.block_size * self.limits.capacity
            ring = self._reader._memory[RING_START : RING_START + size]
            received(message if message in ring else ring[: len(message)])

        receiver.messageReceived = messageReceived  # type: ignore[method-assign]
        super()._start(receiver)


def createWritable(segment: Segment) -> tuple[Mapped, int]:
    """
    For C{transports._halves.createPlain}: the peer gets the writer's own descriptor.
    """
    mapped, fd = _segment.createPlain(segment)
    os.close(fd)
    memory: Any = mapped.memory
    return mapped, os.dup(memory._fd)


def closeNothing(descriptors: Iterable[int]) -> None:
    """
    For C{transports._halves.closeAll}: what is not used stays open.
    """
    for each in descriptors:
        _remedies.append(partial(os.close, each))
