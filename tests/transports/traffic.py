"""
Messages that show whether they were reordered, doubled, torn or lost.

A message of at least 12 bytes is::

    0               8       12
    +---------------+-------+----------- - -
    |   sequence    |  CRC  |  body
    +---------------+-------+----------- - -

The sequence counts accepted messages; the CRC is of the sequence and the body.
A shorter one is the beginning of such a message without a body.  Both sides
count messages and bytes and keep a CRC over all of them, so that the short ones
are accounted for as well.
"""

from __future__ import annotations

import random
import struct
from binascii import crc32

import attrs

from transports.limits import HEADER_SIZE, Limits

_HEAD = struct.Struct("<QI")
_SEQUENCE = struct.Struct("<Q")

#: How many different sizes there are, used in turn.
_SIZES = 4096

#: Bytes of the largest message: the queue of the programs' own choice is full with it.
_LARGEST = 1 << 16


def _message(sequence: int, body: bytes) -> bytes:
    return _HEAD.pack(sequence, crc32(body, crc32(_SEQUENCE.pack(sequence)))) + body


def drawSizes(limits: Limits, chance: random.Random, count: int = _SIZES) -> list[int]:
    """
    Random sizes of messages: from nothing to several blocks, with the exact
    fits and one byte over among them, and one that fills the whole queue unless
    that is very large.
    """
    block = limits.block_size
    most = min(limits.max_message, _LARGEST)

    def one() -> int:
        kind = chance.random()
        if kind < 0.1:
            return chance.randrange(16)
        if kind < 0.6:
            return chance.randrange(block)
        if kind < 0.9:
            return chance.randrange(4 * block)
        return chance.randint(1, 4) * block - HEADER_SIZE + chance.randint(-1, 1)

    sizes = [0, *(min(max(0, one()), most) for _ in range(count - 2)), most]
    chance.shuffle(sizes)
    return sizes


@attrs.frozen
class Tally:
    """
    What one side knows of a stream of messages.
    """

    #: Messages.
    count: int = 0
    #: Bytes of all messages.
    size: int = 0
    #: CRC over all of them, in order.
    digest: int = 0


class Source:
    """
    Makes messages.
    """

    def __init__(self, limits: Limits, chance: random.Random) -> None:
        """
        @param limits: of the queue they are for.
        @param chance: decides on sizes and contents.
        """
        self._sizes = drawSizes(limits, chance)
        self._pool = chance.randbytes(max(self._sizes) + _SIZES)
        self._turn = 0
        self._count = 0
        self._size = 0
        self._digest = 0

    def make(self) -> bytes:
        """
        The next message to offer.  Until one has been accepted all have the
        same sequence.
        """
        turn = self._turn = self._turn + 1
        size = self._sizes[turn % _SIZES]
        start = turn % (len(self._pool) - size + 1)
        length = size - _HEAD.size
        if length >= 0:
            return _message(self._count, self._pool[start : start + length])
        return _message(self._count, b"")[:size]

    def accepted(self, message: bytes) -> None:
        """
        Count it.
        """
        self._count += 1
        self._size += len(message)
        self._digest = crc32(message, self._digest)

    def tally(self) -> Tally:
        """
        All accepted messages.
        """
        return Tally(self._count, self._size, self._digest)


class Sink:
    """
    Checks messages.

    @ivar faults: what was wrong, the first of it.
    """

    most_faults = 10

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._count = 0
        self._size = 0
        self._digest = 0

    def receive(self, message: bytes) -> None:
        """
        Check it against what should come now.
        """
        count = self._count
        length = len(message)
        if length >= _HEAD.size:
            sequence, crc = _HEAD.unpack_from(message)
            if sequence != count:
                self._fault(f"message {sequence} came where {count} was due")
            elif crc != crc32(message[_HEAD.size :], crc32(message[:8])):
                self._fault(f"message {count}, of {length} bytes, is damaged")
        elif message != _message(count, b"")[:length]:
            self._fault(f"message {count}, of {length} bytes, is another one")
        self._count = count + 1
        self._size += length
        self._digest = crc32(message, self._digest)

    def _fault(self, what: str) -> None:
        if len(self.faults) < self.most_faults:
            self.faults.append(what)

    def tally(self) -> Tally:
        """
        All messages that came.
        """
        return Tally(self._count, self._size, self._digest)
