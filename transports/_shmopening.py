"""
The bytes on the socket of a shared memory channel, without the socket.

A stream begins with one opening in each direction, all numbers little-endian::

     0               8      12      16      20      24              32
     +---------------+-------+-------+-------+-------+---------------+
     |     magic     |version| block | capa- | kind  |     epoch     |
     |               |       | size  | city  |       |               |
     +---------------+-------+-------+-------+-------+---------------+

The connecting side speaks first and chooses the epoch, a random number; the
listening side repeats it.  With its opening each side sends the descriptors of
its outbound direction: the memory and, for sealed memory, the doorbell of what
is published and the doorbell of what is given back.  A listener that makes no
channel of it answers without descriptors, and hangs up.

Notes follow::

     0       4       8
     +-------+-------+
     | what  | count |
     +-------+-------+

C{QUIT} says that nothing will be published any more.  Where there are no
doorbells, C{DATA} says that C{count} blocks were published and C{FREE} that
C{count} blocks are given back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

import attrs

from transports import _framing
from transports.errors import ChannelCorrupt
from transports.limits import Limits

MAGIC = b"\x91msmemo\n"
VERSION = 1

_OPENING = struct.Struct("<8sIIIIQ")
_NOTE = struct.Struct("<4sI")

#: Bytes of an opening.
OPENING_SIZE = _OPENING.size

DATA = b"DATA"
FREE = b"FREE"
QUIT = b"QUIT"


class Kind(IntEnum):
    """
    How memory is shared.
    """

    #: Sealed memory and doorbells.
    SEALED = 1
    #: Plain memory, and notes on the socket.
    PLAIN = 2


#: How each kind is named to people.
_NAMES = {Kind.SEALED: "portable=no", Kind.PLAIN: "portable=yes"}


@attrs.frozen
class MemoryOpening:
    """
    The first thing that each side says.
    """

    #: Bytes in one block, as that side was configured.
    block_size: int
    #: Blocks in each queue, as that side was configured.
    capacity: int
    #: How that side shares memory.
    kind: Kind
    #: The number that names this opening of a channel.
    epoch: int

    def encode(self) -> bytes:
        """
        The bytes that say it.
        """
        return _OPENING.pack(MAGIC, VERSION, self.block_size, self.capacity, self.kind, self.epoch)

    def mismatch(self, place: str, limits: Limits, kind: Kind) -> str | None:
        """
        Whether that side is configured otherwise than this one: C{None}, or a
        sentence that says so.
        """
        if self.kind is not kind:
            return (
                f"{place}: this end has {_NAMES[kind]}, the peer has {_NAMES[self.kind]}; "
                "both must be configured alike"
            )
        return _framing.Opening(self.block_size, self.capacity, self.epoch).mismatch(place, limits)


def checkOpening(data: bytes) -> MemoryOpening | None:
    """
    Read the peer's opening.

    @param data: what has arrived so far.
    @return: the opening, or C{None} while it is incomplete.
    @raise ChannelCorrupt: it cannot become one, whatever follows.
    """
    _framing.checkBeginning(data, MAGIC, VERSION)
    if len(data) < OPENING_SIZE:
        return None
    _, _, block_size, capacity, kind, epoch = _OPENING.unpack_from(data)
    if kind not in tuple(Kind):
        raise ChannelCorrupt(f"the peer shares memory in a way that this end does not know ({kind})")
    return MemoryOpening(block_size, capacity, Kind(kind), epoch)


def packNotes(published: int, freed: int, quits: bool) -> bytes:
    """
    Make notes.

    @param published: blocks published since the last time.
    @param freed: blocks to give back.
    @param quits: whether nothing will be published any more.
    """
    notes = b""
    if published:
        notes = _NOTE.pack(DATA, published)
    if freed:
        notes += _NOTE.pack(FREE, freed)
    if quits:
        notes += _NOTE.pack(QUIT, 0)
    return notes


class NoteReader:
    """
    Takes a stream of notes apart.
    """

    __slots__ = ("_counts", "_rest")

    def __init__(self, counts: bool) -> None:
        """
        @param counts: whether C{DATA} and C{FREE} may come.
        """
        self._counts = counts
        self._rest = b""

    def receive(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """
        Take what has arrived, all of it.

        @return: each note, and its count.
        @raise ChannelCorrupt: the peer breaks the protocol.
        """
        data = self._rest + data
        whole = len(data) - len(data) % _NOTE.size
        self._rest = data[whole:]
        for what, count in _NOTE.iter_unpack(data[:whole]):
            known = bool(count) if what in (DATA, FREE) and self._counts else what == QUIT and not count
            if not known:
                raise ChannelCorrupt(f"a note of unknown kind came ({what!r}, {count})")
            yield what, count
