"""
The memory of one direction: made by its writer, looked through by its reader.

A segment begins with a page that says what it is; the ring follows
(L{transports._ring})::

     0               8      12      16      20      24              32    4096
     +---------------+-------+-------+-------+-------+---------------+-...-+----
     |     magic     |version| block | capa- |direc- |     epoch     |  0  | ring
     |               |       | size  | city  | tion  |               |     |
     +---------------+-------+-------+-------+-------+---------------+-...-+----

There are two kinds.  A I{sealed} segment is a C{memfd} that can neither shrink
nor grow, and of which nobody but its writer can have a writable mapping; both
map it.  A I{plain} one is a file without a name: the writer writes into it, the
reader has a descriptor that can only be read, and maps nothing, so that a
writer who makes the file shorter is found out instead of killing the reader by
SIGBUS.

Neither has a name in the file system, so nothing is left of them when
everybody who had them is gone, however they went.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import stat
import struct
import sys
import tempfile
from collections.abc import Callable
from functools import cache

import attrs

from transports._ring import Memory
from transports.errors import ChannelCorrupt
from transports.limits import Limits

MAGIC = b"\x91msring\n"
VERSION = 1

#: Bytes before the ring.
RING_START = 4096

#: Bytes of the largest segment.
LARGEST = 0xFFFFFFFF

#: Directions.
FROM_CONNECTOR = 1
FROM_LISTENER = 2

_HEADER = struct.Struct("<8sIIIIQ")

# The standard library learnt this name late.
_F_SEAL_FUTURE_WRITE = getattr(fcntl, "F_SEAL_FUTURE_WRITE", 0x0010)

#: What keeps a reader safe from the writer, and the writer from the reader.
_SEALS = (
    getattr(fcntl, "F_SEAL_SHRINK", 2)
    | getattr(fcntl, "F_SEAL_GROW", 4)
    | getattr(fcntl, "F_SEAL_SEAL", 1)
    | _F_SEAL_FUTURE_WRITE
)


@attrs.frozen
class Segment:
    """
    What a segment is.
    """

    #: The size of the ring.
    limits: Limits
    #: The number of the channel.
    epoch: int
    #: L{FROM_CONNECTOR} or L{FROM_LISTENER}.
    direction: int

    @property
    def size(self) -> int:
        """
        Bytes of the segment.
        """
        return segmentSize(self.limits)

    def encode(self) -> bytes:
        """
        The bytes it begins with.
        """
        limits = self.limits
        return _HEADER.pack(
            MAGIC, VERSION, limits.block_size, limits.capacity, self.direction, self.epoch
        ).ljust(RING_START, b"\0")

    def check(self, data: bytes) -> None:
        """
        Look whether a segment that begins with C{data} is this one.

        @raise ChannelCorrupt: it is not; the message says how they differ.
        """
        magic, version, block_size, capacity, direction, epoch = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise ChannelCorrupt("the peer's memory is no ring (bad magic)")
        if version != VERSION:
            raise ChannelCorrupt(f"the peer's memory is of version {version}, this end knows {VERSION}")
        if (block_size, capacity) != (self.limits.block_size, self.limits.capacity):
            raise ChannelCorrupt(
                f"the peer's memory has {capacity} blocks of {block_size} bytes "
                f"where {self.limits.capacity} of {self.limits.block_size} were agreed"
            )
        if direction != self.direction:
            raise ChannelCorrupt("the peer's memory is not for its own direction")
        if epoch != self.epoch:
            raise ChannelCorrupt("the peer's memory belongs to another channel (wrong epoch)")


def segmentSize(limits: Limits) -> int:
    """
    Bytes of a segment with a ring of that size.
    """
    return RING_START + limits.block_size * limits.capacity


class PlainMemory:
    """
    A plain segment: a slice of it is read from the file, or written to it.
    """

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        """
        @param fd: the file; it belongs to this object from now on.
        """
        self._fd = fd

    def __getitem__(self, where: slice, /) -> bytes:
        """
        Read.

        @raise ChannelCorrupt: the file is not as long as it was, or cannot be read.
        """
        size = where.stop - where.start
        try:
            data = os.pread(self._fd, size, where.start)
        except OSError as error:
            raise ChannelCorrupt(f"the peer's memory cannot be read: {error.strerror}") from error
        if len(data) != size:
            raise ChannelCorrupt("the peer's memory has been truncated")
        return data

    def __setitem__(self, where: slice, data: bytes, /) -> None:
        """
        Write.

        @raise OSError: the system does not take it.
        """
        if os.pwrite(self._fd, data, where.start) != len(data):
            raise OSError(f"the file took less than {len(data)} bytes")

    def close(self) -> None:
        """
        Close the file.
        """
        os.close(self._fd)


@attrs.frozen
class Mapped:
    """
    A segment in use.
    """

    #: Where to read or write.
    memory: Memory
    #: Lets go of it; to be called once.
    close: Callable[[], None]


def createSealed(segment: Segment) -> tuple[Mapped, int]:
    """
    Make a sealed segment.

    @return: its memory, to write to, and a descriptor for the peer, which is
        the caller's to close.
    @raise OSError: the system refuses.
    """
    fd = os.memfd_create("transports", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    try:
        # All of it now: nobody is to die later because there is no memory left.
        os.posix_fallocate(fd, 0, segment.size)
        memory = _map(fd, segment.size, mmap.PROT_READ | mmap.PROT_WRITE)
        try:
            memory[:RING_START] = segment.encode()
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
        except BaseException:
            memory.close()
            raise
    except BaseException:
        os.close(fd)
        raise
    return Mapped(memory, memory.close), fd


def openSealed(fd: int, segment: Segment) -> Mapped:
    """
    Map a sealed segment that a peer has made, for reading.

    @param fd: what the peer sent; it stays the caller's, and is not needed any
        more.
    @raise ChannelCorrupt: it is not what was agreed; nothing is mapped.
    """
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError:
        raise ChannelCorrupt("the peer's memory is no memfd") from None
    if seals & _SEALS != _SEALS:
        raise ChannelCorrupt(f"the peer's memory is not sealed (seals {seals:#x}, not {_SEALS:#x})")
    status = _checkSize(fd, segment)
    if status.st_blocks * 512 < segment.size:
        raise ChannelCorrupt("the peer's memory has holes")
    try:
        memory = _map(fd, segment.size, mmap.PROT_READ)
    except OSError as error:
        raise ChannelCorrupt(f"the peer's memory cannot be mapped: {error.strerror}") from error
    try:
        segment.check(memory[:RING_START])
    except BaseException:
        memory.close()
        raise
    return Mapped(memory, memory.close)


def _nameless() -> tuple[int, int]:
    """
    Make a file that has no name, or none for long: where the system cannot do
    without, a process killed between two lines leaves an empty file.

    @return: a descriptor to write with, and one that can only be read.
    @raise OSError: the system refuses.
    """
    without_name = getattr(os, "O_TMPFILE", 0)
    if without_name:
        # O_EXCL: nobody can give it a name later.
        flags = without_name | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        try:
            fd = os.open(tempfile.gettempdir(), flags, 0o600)
        except OSError:
            # Not on this file system.
            pass
        else:
            try:
                return fd, os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                # There is no /proc.
                os.close(fd)
    fd, path = tempfile.mkstemp(prefix="transports-")
    try:
        return fd, os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        os.close(fd)
        raise
    finally:
        os.unlink(path)


def createPlain(segment: Segment) -> tuple[Mapped, int]:
    """
    Make a plain segment.

    @return: see L{createSealed}; the descriptor can only be read.
    @raise OSError: the system refuses.
    """
    fd, shared = _nameless()
    try:
        try:
            _reserve(fd, segment.size)
            memory = PlainMemory(fd)
            memory[0:RING_START] = segment.encode()
        except BaseException:
            os.close(shared)
            raise
    except BaseException:
        os.close(fd)
        raise
    return Mapped(memory, memory.close), shared


def openPlain(fd: int, segment: Segment) -> Mapped:
    """
    Use a plain segment that a peer has made.

    @param fd: what the peer sent; it belongs to what is returned, and stays the
        caller's if nothing is.
    @raise ChannelCorrupt: it is not what was agreed.
    """
    _checkSize(fd, segment)
    memory = PlainMemory(fd)
    segment.check(memory[0:RING_START])
    return Mapped(memory, memory.close)


@cache
def canSeal() -> bool:
    """
    Whether this system has all that sealed segments and their doorbells need.
    """
    if not (hasattr(os, "memfd_create") and hasattr(os, "eventfd")):
        return False
    try:
        mapped, fd = createSealed(Segment(Limits(32, 1), 0, FROM_CONNECTOR))
    except OSError:
        return False
    os.close(fd)
    mapped.close()
    return True


def _map(fd: int, size: int, protection: int) -> mmap.mmap:
    # All at once now, and not a page fault for each page when it is reached first.
    flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
    if sys.version_info >= (3, 13):
        return mmap.mmap(fd, size, flags=flags, prot=protection, trackfd=False)
    # Holds a duplicate of the descriptor until it is closed.
    return mmap.mmap(fd, size, flags=flags, prot=protection)


def _checkSize(fd: int, segment: Segment) -> os.stat_result:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise ChannelCorrupt("the peer's memory is no file")
    if status.st_size != segment.size:
        raise ChannelCorrupt(f"the peer's memory has {status.st_size} bytes, not {segment.size}")
    return status


def _reserve(fd: int, size: int) -> None:
    """
    Give a file its size, and the space on the disk where the system can.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:
        os.ftruncate(fd, size)
