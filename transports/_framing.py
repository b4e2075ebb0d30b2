"""
The bytes on a stream socket, without the socket.

A stream begins with one opening in each direction, all numbers little-endian::

     0               8      12      16      20      24              32
     +---------------+-------+-------+-------+-------+---------------+
     |     magic     |version| block | capa- |refusal|     epoch     |
     |               |       | size  | city  |       |               |
     +---------------+-------+-------+-------+-------+---------------+

The connecting side speaks first and chooses the epoch, a random number; the
listening side repeats it, so that an answer belongs to this opening.
C{refusal} is 0, or why the listening side is about to hang up
(L{NAME_REFUSED}).  Frames follow::

     0       4       8              16
     +-------+-------+---------------+----------- - -
     | kind  |credit |    length     |  payload
     +-------+-------+---------------+----------- - -

C{credit} is the number of blocks that the sender of the frame gives back;
every frame can carry it.  C{MESG} carries a message of C{length} bytes;
C{FREE} carries nothing but credit; C{QUIT} says that no C{MESG} will follow.
Only C{MESG} has a payload, only C{MESG} uses up blocks.
"""

from __future__ import annotations

import struct
from collections import deque

import attrs

from transports.credit import InboundLedger
from transports.errors import ChannelCorrupt
from transports.limits import Limits

MAGIC = b"\x91mschan\n"
VERSION = 1

#: The refusal of a peer whose certificate does not carry the right name; TLS
#: itself cannot say so to the side that connects.
NAME_REFUSED = 1

#: How a stream begins that is TLS: an alert or a handshake, of any version since 3.0.
_TLS = (b"\x15\x03", b"\x16\x03")

_OPENING = struct.Struct("<8sIIIIQ")
_FRAME = struct.Struct("<4sIQ")
_pack = _FRAME.pack
_unpack = _FRAME.unpack_from

#: Bytes of an opening.
OPENING_SIZE = _OPENING.size
#: Bytes before the payload of a frame; what L{transports.limits} charges for.
FRAME_SIZE = _FRAME.size

_MESSAGE = b"MESG"
_FREE = b"FREE"
_QUIT = b"QUIT"


@attrs.frozen
class Opening:
    """
    The first thing that each side says.
    """

    #: Bytes in one block, as that side was configured.
    block_size: int
    #: Blocks in each queue, as that side was configured.
    capacity: int
    #: The number that names this opening of a channel.
    epoch: int
    #: Why no channel will come of it; 0 when one may.
    refusal: int = 0

    def encode(self) -> bytes:
        """
        The bytes that say it.
        """
        return _OPENING.pack(MAGIC, VERSION, self.block_size, self.capacity, self.refusal, self.epoch)

    def mismatch(self, place: str, ours: Limits) -> str | None:
        """
        Whether that side's limits differ from C{ours}: C{None}, or a sentence
        that says so.
        """
        if (self.block_size, self.capacity) == (ours.block_size, ours.capacity):
            return None
        try:
            theirs = Limits(self.block_size, self.capacity)
        except ValueError:
            return f"{place}: the peer announced queues of an impossible size"
        return ours.mismatch(place, theirs)


def checkBeginning(data: bytes, magic: bytes, version: int) -> None:
    """
    Look whether an opening, as far as it has come, is of our protocol.

    @raise ChannelCorrupt: it is of another, or of another version.
    """
    if not magic.startswith(data[: len(magic)]):
        raise ChannelCorrupt("the peer does not speak this protocol (bad magic)")
    if len(data) >= 12:
        theirs = int.from_bytes(data[8:12], "little")
        if theirs != version:
            raise ChannelCorrupt(
                f"the peer speaks version {theirs} of the protocol, this end version {version}"
            )


def checkOpening(data: bytes) -> Opening | None:
    """
    Read the peer's opening.

    @param data: what has arrived so far.
    @return: the opening, or C{None} while it is incomplete.
    @raise ChannelCorrupt: it cannot become one, whatever follows.
    """
    if data[:2] in _TLS:
        raise ChannelCorrupt("the peer speaks TLS, this end does not: it needs certificate, key and ca")
    checkBeginning(data, MAGIC, VERSION)
    if len(data) < OPENING_SIZE:
        return None
    _, _, block_size, capacity, refusal, epoch = _OPENING.unpack_from(data)
    if refusal not in (0, NAME_REFUSED):
        raise ChannelCorrupt("the peer refuses for a reason that this end does not know")
    return Opening(block_size, capacity, epoch, refusal)


def packFrames(messages: deque[bytes], credit: int, most: int) -> bytes:
    """
    Take messages off C{messages} and make frames of them.

    @param messages: what waits to be sent; what is packed is removed.
    @param credit: blocks to give back; always goes with the first frame.
    @param most: stop after the message that brings the frames to this many bytes.
    """
    pack = _pack
    if len(messages) == 1:
        message = messages.popleft()
        return pack(_MESSAGE, credit, len(message)) + message
    parts = []
    size = 0
    while messages and size < most:
        message = messages.popleft()
        length = len(message)
        parts.append(pack(_MESSAGE, credit, length))
        parts.append(message)
        credit = 0
        size += length + FRAME_SIZE
    if credit:
        parts.append(pack(_FREE, credit, 0))
    return b"".join(parts)


def packQuit(credit: int) -> bytes:
    """
    Make the frame that says that no message will follow.
    """
    return _pack(_QUIT, credit, 0)


class FrameReader:
    """
    Takes a stream of frames apart.

    What it keeps is bounded by the limits: a message is checked against the
    ledger when its header has been read, before any of its bytes are kept.

    @ivar quits: whether the peer has said that no message will follow.
    """

    __slots__ = ("_head", "_ledger", "_messages", "_missing", "_payload", "quits")

    def __init__(self, ledger: InboundLedger, messages: deque[bytes]) -> None:
        """
        @param ledger: where arrivals are entered.
        @param messages: where whole messages are put.
        """
        self.quits = False
        self._ledger = ledger
        self._messages = messages
        #: An incomplete header.
        self._head = b""
        #: An incomplete payload and the bytes it still lacks; 0 when there is none.
        self._payload = bytearray()
        self._missing = 0

    def receive(self, data: bytes) -> int:
        """
        Take what has arrived.

        @return: blocks given back by the peer, not checked in any way.
        @raise ChannelCorrupt: the peer breaks the protocol; this reader is of
            no use any more.
        """
        offset = 0
        end = len(data)
        missing = self._missing
        if missing:
            if end < missing:
                self._payload += data
                self._missing = missing - end
                return 0
            self._payload += data[:missing]
            self._messages.append(bytes(self._payload))
            self._payload = bytearray()
            self._missing = 0
            offset = missing
        elif self._head:
            data = self._head + data
            self._head = b""
            end = len(data)
        credit_total: int = 0
        unpack = _unpack
        arrive = self._ledger.arrive
        append = self._messages.append
        while end - offset >= FRAME_SIZE:
            kind, credit, length = unpack(data, offset)
            offset += FRAME_SIZE
            credit_total += credit
            if kind == _MESSAGE and not self.quits:
                arrive(length)
                stop = offset + length
                if stop > end:
                    self._payload += data[offset:]
                    self._missing = stop - end
                    return credit_total
                append(data[offset:stop])
                offset = stop
            else:
                self._control(kind, credit, length)
        if offset < end:
            self._head = data[offset:]
        return credit_total

    def _control(self, kind: bytes, credit: int, length: int) -> None:
        if kind == _MESSAGE:
            raise ChannelCorrupt("a message came after the peer had said that none would follow")
        if length:
            raise ChannelCorrupt(f"a frame that is no message has a length of {length}")
        if kind == _FREE:
            if not credit:
                raise ChannelCorrupt("a frame gives back nothing")
        elif kind == _QUIT:
            if self.quits:
                raise ChannelCorrupt("the peer quits twice")
            self.quits = True
        else:
            raise ChannelCorrupt("a frame of unknown kind came")
