"""
One direction of a channel in shared memory, without the memory.

A ring is C{capacity} times C{block_size} bytes.  Records are in it one right
after the other, from its beginning; what comes to its end, header or payload,
goes on at its beginning::

     0         4         8         12        16
     +---------+---------+---------+---------+- - - - - - - - -+
     | length  |sequence |B| credit|  check  |     payload     | next record
     +---------+---------+---------+---------+- - - - - - - - -+
                                             <---- length ----->

The payload is a message.  Where the highest bit of C{credit} (B) is set it is a
batch, two messages or more that were published together::

     0         4         8                   4 + 4 n
     +---------+---------+-   -+-------------+-----------+-   -+-----------+
     |    n    |length 1 | ... |  length n   | message 1 | ... | message n |
     +---------+---------+-   -+-------------+-----------+-   -+-----------+

All numbers are little-endian.  C{sequence} counts records and begins with the
low half of the epoch; it wraps at 2**32.  C{credit} is the number of blocks that
the writer gives back to the reader for the other direction.

Records always fit.  A message is charged 16 bytes and its length, at least,
while it holds its blocks, and a batch takes up no more than its messages were
charged, because 16 + 4 + 4 n + sum <= 16 n + sum for n >= 2.  A record is read
as a whole before the first of its messages is handled, so as long as it is
needed all its messages hold their blocks, and never more than the ring has.

C{check} is a CRC-32, begun with the high half of the epoch, of the twelve bytes
before it and of the payload: all of it up to 256 bytes, of a longer one the first
64 and the last 192.  That finds a record that was not written to its end, is not where it should
be, belongs to another channel, or was overwritten at either end by something gone
astray.  It does not find a byte that was changed in the middle of a long
payload: the memory is sealed, with one writer, so only the writer could change it, and who
writes what he likes can make it a right check as well.  All of 256 KiB would cost
96 microseconds at each side, where a copy costs 5.

Neither cursor is in the ring: each side counts.  What has been published is
told by number of blocks, outside of the ring; together with L{RESTART} it says
that the first of these records is at the start of the ring.  A writer may begin
there anew when everything before has been given back, and so a dialogue stays
in memory that both processors have at hand, instead of walking through all of
the ring.  The reader copies a record to
memory of its own and then looks whether it is right, so nothing that is changed
later changes what was delivered.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import deque
from itertools import accumulate, pairwise
from mmap import mmap
from typing import Protocol
from zlib import crc32

from transports.credit import InboundLedger
from transports.errors import ChannelCorrupt
from transports.limits import HEADER_SIZE, Limits

_RECORD = struct.Struct("<IIII")
_pack_record = _RECORD.pack
_unpack = _RECORD.unpack

# What the check comes after.
_HEAD = struct.Struct("<III")
_pack = _HEAD.pack

#: Bytes before the payload of a record; what L{transports.limits} charges for.
RECORD_SIZE = _RECORD.size
assert RECORD_SIZE == HEADER_SIZE

_HEAD_SIZE = _HEAD.size

_MASK = 0xFFFFFFFF

#: Set in the word of C{credit}, which is far less, where the payload is a batch.
BATCH = 1 << 31

#: Bytes of a payload that are under the check, and how many of them are the first.
_CHECKED = 256
_FIRST = 64
_LAST = _CHECKED - _FIRST

#: Added to the number of blocks published, which is far less, where the records
#: begin at the start of the ring.
RESTART = 1 << 40

#: Bytes from the start beyond which a writer begins anew when it may.
_FAR = 1 << 17

#: Messages of a batch, and bytes of them, at most: few enough that they stay in
#: the processor's cache until they are handled.  A longer message goes alone.
_MOST_MESSAGES = 1 << 10
_MOST_BYTES = 1 << 16

#: Bytes of a payload that is stored together with its header: copying it once
#: more is less than storing twice.
_SMALL = 1 << 9

#: Bytes of a message from which on it pays to claim the memory of the next record, and
#: bytes that are claimed at most.
_CLAIM_FROM = 1 << 13
_CLAIM_MOST = 1 << 16
_BLANK = bytes(_CLAIM_MOST)


class Memory(Protocol):
    """
    What a ring is in: a slice of it is a copy, and can be assigned to.
    """

    def __getitem__(self, where: slice, /) -> bytes: ...

    def __setitem__(self, where: slice, data: bytes, /) -> None: ...


class RingWriter:
    """
    Puts messages into a ring.

    Whether there is room is the caller's business: it puts no message that the
    L{CreditWindow<transports.credit.CreditWindow>} of the ring has not accepted.
    What is put is kept, as a reference, until it is published; because it was
    accepted, that is no more than the ring can take.

    @ivar pending: messages that have been put and not published.
    @ivar unpublished: blocks of them.
    @ivar claimable: bytes that it pays to L{claim} now; 0 for none.
    """

    __slots__ = (
        "_block_size",
        "_far",
        "_memory",
        "_offset",
        "_salt",
        "_sequence",
        "_start",
        "_stop",
        "claimable",
        "pending",
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
        self.pending: list[bytes] = []
        self.claimable = 0
        self._memory = memory
        self._start = self._offset = start
        self._far = start + _FAR
        self._block_size = limits.block_size
        self._stop = start + limits.block_size * limits.capacity
        self._sequence = epoch & _MASK
        self._salt = epoch >> 32 & _MASK

    def put(self, message: bytes, blocks: int) -> None:
        """
        Take over a message.

        @param blocks: what it holds.
        """
        self.pending.append(message)
        self.unpublished += blocks

    def publish(self, credit: int, alone: bool = False) -> int:
        """
        Copy what has been put into the ring: the reader is about to be told.

        @param credit: blocks to give back with it.  There must be something
            unpublished if this is not 0.
        @param alone: whether everything published before has been given back.
        @return: how many blocks to tell the reader of, and L{RESTART} if so.
        @raise OSError: the memory cannot be written; this writer is of no use
            any more.
        """
        blocks = self.unpublished
        pending = self.pending
        if alone and blocks and self._offset > self._far:
            self._offset = self._start
            blocks += RESTART
        if len(pending) == 1:
            self.unpublished = 0
            self._write(pending.pop(), credit)
        elif pending:
            self.unpublished = 0
            self.pending = []
            self._writeAll(pending, credit)
        return blocks

    @property
    def far(self) -> bool:
        """
        Whether it would begin at the start of the ring if it might.
        """
        return self._offset > self._far

    def claim(self, free: int) -> None:
        """
        For who has time: write to the memory of the next record, as if that were
        as long as the last.  What a processor has written to, it has for itself;
        what the reader has read, both have, and to write there takes five times as
        long.  Nothing is seen of it: what is not published is not read.

        @param free: blocks that nothing holds.
        """
        begin = self._offset
        end = begin + self.claimable
        # Where the oldest record is that is still needed, nobody knows here; but from
        # here to there are the bytes of all the free blocks, at least.
        if end < self._stop and self.claimable <= free * self._block_size and not self.far:
            self._memory[begin:end] = _BLANK[: self.claimable]
        self.claimable = 0

    def forget(self) -> None:
        """
        What was put and not published will not be.
        """
        self.unpublished = 0
        self.pending = []

    def _writeAll(self, messages: list[bytes], credit: int) -> None:
        """
        Write messages, in as few records as the bounds of a batch allow.
        """
        lengths = list(map(len, messages))
        ends = list(accumulate(lengths))
        begin = octets = 0
        while begin < len(messages):
            end = bisect_right(ends, octets + _MOST_BYTES, begin, min(len(ends), begin + _MOST_MESSAGES))
            if end <= begin + 1:
                end = begin + 1
                self._write(messages[begin], credit)
            else:
                count = end - begin
                table = struct.pack(f"<I{count}I", count, *lengths[begin:end])
                self._write(b"".join((table, *messages[begin:end])), credit | BATCH)
            octets = ends[end - 1]
            begin = end
            credit = 0

    def _write(self, payload: bytes, word: int) -> None:
        """
        Write one record.

        @param word: the credit, and whether it is a batch.
        """
        length = len(payload)
        sequence = self._sequence
        self._sequence = sequence + 1 & _MASK
        checked = payload if length <= _CHECKED else payload[:_FIRST] + payload[-_LAST:]
        check = crc32(_pack(length, sequence, word) + checked, self._salt)
        header = _pack_record(length, sequence, word, check)
        begin = self._offset
        middle = begin + RECORD_SIZE
        end = middle + length
        if end < self._stop:
            if length <= _SMALL:
                self._memory[begin:end] = header + payload
            else:
                # The header last: who looks at the memory is not to see it long before it is told.
                self._memory[middle:end] = payload
                self._memory[begin:middle] = header
                if length >= _CLAIM_FROM:
                    self.claimable = min(RECORD_SIZE + length, _CLAIM_MOST)
            self._offset = end
        else:
            self._store(self._after(middle), payload)
            self._store(begin, header)
            self._offset = self._after(end)

    def _store(self, begin: int, data: bytes) -> None:
        """
        Store some bytes, around the end of the ring if need be.
        """
        fits = self._stop - begin
        if len(data) <= fits:
            self._memory[begin : begin + len(data)] = data
        else:
            self._memory[begin : self._stop] = data[:fits]
            self._memory[self._start : self._start + len(data) - fits] = data[fits:]

    def _after(self, offset: int) -> int:
        """
        Where that is in the ring.
        """
        return offset if offset < self._stop else offset - self._stop + self._start


class RingReader:
    """
    Takes records out of a ring that somebody else writes, and believes nothing.

    What has been published and was not taken yet is what is due in the ledger.
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

        @param blocks: how many, and L{RESTART} if they begin at the start.
        @raise ChannelCorrupt: there was no room for them.
        """
        ledger = self._ledger
        if blocks > RESTART and not ledger.taken:
            blocks -= RESTART
            self._offset = self._start
        ledger.announce(blocks)

    def nextPlaces(self) -> tuple[bytes, slice, slice]:
        """
        For who has time to look: the number of the next record, and the two
        places in the memory where that number appears when the record is put
        there.  Whether it is there, only what has been published can tell.
        """
        here, start = self._offset + 4, self._start + 4
        number = self._sequence.to_bytes(4, "little")
        return number, slice(here, here + 4), slice(start, start + 4)

    def receive(self) -> int:
        """
        Take one record, which must be due: a message, or a batch of them.

        @return: blocks given back by the peer, not checked in any way.
        @raise ChannelCorrupt: the peer breaks the protocol; this reader is of
            no use any more.
        """
        # Nearly always nothing wraps, and it is done without further calls.
        memory = self._memory
        begin = self._offset
        middle = begin + RECORD_SIZE
        stop = self._stop
        if middle < stop:
            header = memory[begin:middle]
        else:
            header = self._copy(begin, middle)
            middle = self._after(middle)
        word: int
        length, number, word, check = _unpack(header)
        sequence = self._sequence
        if number != sequence:
            raise ChannelCorrupt(f"record number {number} was published where {sequence} is due")
        ledger = self._ledger
        if length > self._one_block and RECORD_SIZE + length > ledger.due * self._block_size:
            raise ChannelCorrupt(
                f"a record of {length} bytes does not add up with the {ledger.due} blocks published"
            )
        end = middle + length
        if end < stop:
            payload = memory[middle:end]
        else:
            payload = self._copy(middle, end)
            end = self._after(end)
        checked = payload if length <= _CHECKED else payload[:_FIRST] + payload[-_LAST:]
        if crc32(header[:_HEAD_SIZE] + checked, self._salt) != check:
            raise ChannelCorrupt(f"record number {number}, of {length} bytes, has a wrong checksum")
        self._sequence = sequence + 1 & _MASK
        self._offset = end
        if word < BATCH:
            # They are there, because the bytes are.
            blocks = 1 if length <= self._one_block else -(-(RECORD_SIZE + length) // self._block_size)
            ledger.arriveTogether(1, blocks, length)
            self._messages.append(payload)
            return word
        self._receiveBatch(payload)
        return word - BATCH

    def _receiveBatch(self, payload: bytes) -> None:
        """
        Take the messages of a batch.

        @raise ChannelCorrupt: see L{receive}.
        """
        size = len(payload)
        count = int.from_bytes(payload[:4], "little")
        first = 4 + 4 * count
        # A message is one block at least; so this also bounds what is made below.
        if not 2 <= count <= self._ledger.due or first > size:
            raise ChannelCorrupt(
                f"a batch of {count} messages does not add up with its {size} bytes "
                f"and the {self._ledger.due} blocks published"
            )
        lengths = struct.unpack_from(f"<{count}I", payload, 4)
        ends = list(accumulate(lengths, initial=first))
        if ends[-1] != size:
            raise ChannelCorrupt(
                f"the messages of a batch have {ends[-1] - first} bytes, "
                f"which does not add up with its {size} bytes"
            )
        blocks: int = count
        if max(lengths) > self._one_block:
            blocks = sum(map(self._limits.blocksFor, lengths))
        if blocks > self._ledger.due:
            raise ChannelCorrupt(
                f"a batch of {blocks} blocks does not add up with the {self._ledger.due} blocks published"
            )
        self._ledger.arriveTogether(count, blocks, size - first)
        self._messages.extend([payload[begin:end] for begin, end in pairwise(ends)])

    def _after(self, offset: int) -> int:
        """
        Where that is in the ring.
        """
        return offset if offset < self._stop else offset - self._stop + self._start

    def _copy(self, begin: int, end: int) -> bytes:
        """
        Copy some bytes, around the end of the ring if need be.
        """
        memory = self._memory
        if end <= self._stop:
            return memory[begin:end]
        first = slice(begin, self._stop)
        second = slice(self._start, end - self._stop + self._start)
        if isinstance(memory, mmap):
            # One allocation instead of three; for a long payload that is much.
            with memoryview(memory) as view:
                return b"".join((view[first], view[second]))
        return memory[first] + memory[second]
