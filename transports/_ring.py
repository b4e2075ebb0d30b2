"""
One direction of a channel in shared memory, without the memory.

A ring is C{capacity} blocks of C{block_size} bytes.  A record begins where a
block begins, and goes on at the start of the ring when it comes to its end::

     0         4         8         12        16
     +---------+---------+---------+---------+-----------------+ - - - - +
     | length  |sequence | credit  |  check  |     payload     | unused  |
     +---------+---------+---------+---------+-----------------+ - - - - +
     <---------------- as many whole blocks as it needs ---------------->

All numbers are little-endian.  C{sequence} counts records and begins with the
low half of the epoch; it wraps at 2**32.  C{credit} is the number of blocks that
the writer gives back to the reader for the other direction.  C{check} is the
CRC-32 of the payload, begun with the sum of the high half of the epoch,
C{sequence} and C{length}, and mixed with C{credit} in the end: credit is added
to a record that is there already.

Neither cursor is in the ring: the first record is at block 0, and each side
counts.  What has been published is told by number of blocks, outside of the
ring.  The reader copies a record to memory of its own and then looks whether
it is right, so nothing that is changed later changes what was delivered.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Protocol
from zlib import crc32

from transports.credit import InboundLedger
from transports.errors import ChannelCorrupt
from transports.limits import HEADER_SIZE, Limits

_RECORD = struct.Struct("<IIII")
_pack = _RECORD.pack
_unpack = _RECORD.unpack

#: Bytes before the payload of a record; what L{transports.limits} charges for.
RECORD_SIZE = _RECORD.size
assert RECORD_SIZE == HEADER_SIZE

_MASK = 0xFFFFFFFF

# Odd, so that each credit has a product of its own modulo 2**32.
_CREDIT = 0x85EBCA6B

#: Bytes of messages after which a reader has enough for one time: few enough
#: that they stay in the processor's cache until they are handled.
_PORTION = 1 << 17


class Memory(Protocol):
    """
    What a ring is in: a slice of it is a copy, and can be assigned to.
    """

    def __getitem__(self, where: slice, /) -> bytes: ...

    def __setitem__(self, where: slice, data: bytes, /) -> None: ...


class RingWriter:
    """
    Puts records into a ring.

    Whether there is room is the caller's business: it puts no message that the
    L{CreditWindow<transports.credit.CreditWindow>} of the ring has not accepted.

    @ivar unpublished: blocks of records that nobody has been told of.
    """

    __slots__ = (
        "_block_size",
        "_last",
        "_limits",
        "_memory",
        "_offset",
        "_one_block",
        "_salt",
        "_sequence",
        "_start",
        "_stop",
        "unpublished",
    )

    def __init__(self, memory: Memory, start: int, limits: Limits, epoch: int) -> None:
        """
        @param memory: where the ring is.
        @param start: where it begins there.
        @param limits: the size of the ring.
        @param epoch: the number of the channel, 64 bits.
        """
        self.unpublished = 0
        self._memory = memory
        self._limits = limits
        self._block_size = limits.block_size
        self._one_block = limits.block_size - RECORD_SIZE
        self._start = self._offset = start
        self._stop = start + limits.block_size * limits.capacity
        self._sequence = epoch & _MASK
        self._salt = epoch >> 32 & _MASK
        #: Where the last record is.
        self._last = start

    def put(self, message: bytes) -> None:
        """
        Copy a message into the ring.
        """
        length = len(message)
        sequence = self._sequence
        # Of the sum, crc32 takes the low 32 bits.
        header = _pack(length, sequence, 0, crc32(message, self._salt + sequence + length))
        self._last = begin = self._offset
        if length <= self._one_block:
            self._memory[begin : begin + RECORD_SIZE + length] = header + message
            self.unpublished += 1
            begin += self._block_size
        else:
            self._memory[begin : begin + RECORD_SIZE] = header
            self._store(begin + RECORD_SIZE, message)
            blocks = self._limits.blocksFor(length)
            self.unpublished += blocks
            begin += blocks * self._block_size
        self._sequence = sequence + 1 & _MASK
        self._offset = begin if begin < self._stop else begin - self._stop + self._start

    def _store(self, begin: int, message: bytes) -> None:
        """
        Store a payload, around the end of the ring if need be.
        """
        fits = self._stop - begin
        if len(message) <= fits:
            self._memory[begin : begin + len(message)] = message
        else:
            self._memory[begin : self._stop] = message[:fits]
            self._memory[self._start : self._start + len(message) - fits] = message[fits:]

    def publish(self, credit: int) -> int:
        """
        Complete what has been put: the reader is about to be told.

        @param credit: blocks to give back with it.  There must be something
            unpublished if this is not 0.
        @return: how many blocks to tell the reader of.
        """
        if credit:
            header = slice(self._last, self._last + RECORD_SIZE)
            length, sequence, _, check = _unpack(self._memory[header])
            self._memory[header] = _pack(length, sequence, credit, check ^ credit * _CREDIT & _MASK)
        blocks = self.unpublished
        self.unpublished = 0
        return blocks


class RingReader:
    """
    Takes records out of a ring that somebody else writes, and believes nothing.

    @ivar due: blocks that have been published and were not taken yet.
    """

    __slots__ = (
        "_block_size",
        "_ledger",
        "_limits",
        "_memory",
        "_messages",
        "_offset",
        "_one_block",
        "_salt",
        "_sequence",
        "_start",
        "_stop",
        "due",
    )

    def __init__(
        self,
        memory: Memory,
        start: int,
        limits: Limits,
        epoch: int,
        ledger: InboundLedger,
        messages: deque[bytes],
    ) -> None:
        """
        @param memory: where the ring is.
        @param start: where it begins there.
        @param limits: the size of the ring.
        @param epoch: the number of the channel, 64 bits.
        @param ledger: where arrivals are entered.
        @param messages: where messages are put.
        """
        self.due = 0
        self._memory = memory
        self._limits = limits
        self._block_size = limits.block_size
        self._one_block = limits.block_size - RECORD_SIZE
        self._start = self._offset = start
        self._stop = start + limits.block_size * limits.capacity
        self._sequence = epoch & _MASK
        self._salt = epoch >> 32 & _MASK
        self._ledger = ledger
        self._messages = messages

    def publish(self, blocks: int) -> None:
        """
        The writer says that it has published C{blocks} blocks.

        @raise ChannelCorrupt: there was no room for them.
        """
        ledger = self._ledger
        taken = ledger.held + ledger.owed + self.due
        if not 0 < blocks <= ledger.capacity - taken:
            raise ChannelCorrupt(
                f"{blocks} blocks were published in a queue of {ledger.capacity} blocks "
                f"of which {taken} were taken"
            )
        self.due += blocks

    def receive(self, most: int) -> int:
        """
        Take records that are due: C{most} of them, or fewer if that would be
        much at once; one at least, which must be there.

        @return: blocks given back by the peer, not checked in any way.
        @raise ChannelCorrupt: the peer breaks the protocol; this reader is of
            no use any more.
        """
        memory = self._memory
        one_block = self._one_block
        block_size = self._block_size
        stop = self._stop
        salt = self._salt
        sequence = self._sequence
        begin = self._offset
        append = self._messages.append
        blocks = self.due
        count = len(self._messages)
        octets = credit_total = 0
        for _ in range(most):
            payload = begin + RECORD_SIZE
            length, number, credit, check = _unpack(memory[begin:payload])
            if number != sequence:
                raise ChannelCorrupt(f"record number {number} was published where {sequence} is due")
            if length <= one_block:
                blocks -= 1
                message = memory[payload : payload + length]
                begin += block_size
            else:
                used = self._limits.blocksFor(length)
                if used > blocks:
                    raise ChannelCorrupt(
                        f"a record of {length} bytes does not add up with the {blocks} blocks published"
                    )
                blocks -= used
                message = self._load(payload, length)
                begin += used * block_size
            if credit:
                credit_total += credit
                check ^= credit * _CREDIT & _MASK
            if crc32(message, salt + sequence + length) != check:
                raise ChannelCorrupt(f"record number {number}, of {length} bytes, has a wrong checksum")
            append(message)
            octets += length
            sequence = sequence + 1 & _MASK
            if begin >= stop:
                begin += self._start - stop
            if not blocks or octets >= _PORTION:
                break
        self._ledger.arriveTogether(len(self._messages) - count, self.due - blocks, octets)
        self.due = blocks
        self._sequence = sequence
        self._offset = begin
        return credit_total

    def _load(self, begin: int, length: int) -> bytes:
        """
        Copy a payload, around the end of the ring if need be.
        """
        rest = begin + length - self._stop
        if rest <= 0:
            return self._memory[begin : begin + length]
        return self._memory[begin : self._stop] + self._memory[self._start : self._start + rest]
