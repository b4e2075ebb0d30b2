"""
L{transports._segment}, L{transports._descriptors} and L{transports._halves}.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable

import attrs
from twisted.trial.unittest import SynchronousTestCase

from transports import _halves, _segment
from transports._descriptors import answer, checkDoorbell, createDoorbell, looker, ring
from transports._halves import DESCRIPTORS, createHalf, descriptorsOf, openHalf
from transports._segment import (
    FROM_CONNECTOR,
    FROM_LISTENER,
    RING_START,
    Mapped,
    Segment,
    canSeal,
    createPlain,
    createSealed,
    openPlain,
    openSealed,
    segmentSize,
)
from transports._shmopening import Kind
from transports.errors import ChannelCorrupt
from transports.limits import Limits
from transports.testing.conformance import LIMITS

SEGMENT = Segment(LIMITS, 0x817051, FROM_CONNECTOR)


def held() -> tuple[int, int]:
    """
    How many descriptors this process has open, and how many shared mappings.
    """
    with open("/proc/self/maps") as maps:
        shared = sum(line.split(maxsplit=2)[1].endswith("s") for line in maps)
    return len(os.listdir("/proc/self/fd")), shared


class HeaderTests(SynchronousTestCase):
    """
    The page that a segment begins with.
    """

    def test_layout(self) -> None:
        """
        The bytes are those that the drawing shows.
        """
        data = SEGMENT.encode()
        self.assertEqual(len(data), RING_START)
        self.assertEqual(data[:8], b"\x91msring\n")
        self.assertEqual(struct.unpack_from("<IIIIQ", data, 8), (1, 64, 8, 1, 0x817051))
        self.assertEqual(data[32:], bytes(RING_START - 32))
        SEGMENT.check(data)

    def test_size(self) -> None:
        """
        A page and the blocks.
        """
        self.assertEqual(SEGMENT.size, 4096 + 64 * 8)
        self.assertEqual(segmentSize(Limits(33, 3)), 4096 + 99)

    def test_lies(self) -> None:
        """
        Each field that is not as agreed is named.
        """
        good = SEGMENT.encode()
        for where, says in (
            (0, "bad magic"),
            (8, "version 0"),
            (12, "8 blocks of 65 bytes where 8 of 64"),
            (16, "9 blocks of 64 bytes where 8 of 64"),
            (20, "direction"),
            (24, "wrong epoch"),
            (31, "wrong epoch"),
        ):
            data = bytearray(good)
            data[where] ^= 1
            error = self.assertRaises(ChannelCorrupt, SEGMENT.check, bytes(data))
            self.assertIn(says, str(error))


class SegmentTests(SynchronousTestCase):
    """
    Memory that is made by one and looked through by another.
    """

    def setUp(self) -> None:
        """
        Note what is held, to see whether it is given back.
        """
        before = held()
        self.addCleanup(lambda: self.assertEqual(held(), before))

    def make(
        self, create: Callable[[Segment], tuple[Mapped, int]], segment: Segment = SEGMENT
    ) -> tuple[Mapped, int]:
        """
        Make memory for the length of the test.
        """
        mapped, fd = create(segment)
        self.addCleanup(mapped.close)
        self.addCleanup(os.close, fd)
        return mapped, fd

    def assertRefused(self, fd: int, says: str, segment: Segment = SEGMENT) -> None:
        """
        The descriptor is not taken for sealed memory, and nothing is kept.
        """
        before = held()
        error = self.assertRaises(ChannelCorrupt, openSealed, fd, segment)
        self.assertIn(says, str(error))
        self.assertEqual(held(), before)

    def memfd(self, size: int, flags: int = os.MFD_ALLOW_SEALING, seals: int = _segment._SEALS) -> int:
        """
        A memfd as somebody else would make it.
        """
        fd = os.memfd_create("x", flags | os.MFD_CLOEXEC)
        self.addCleanup(os.close, fd)
        os.write(fd, SEGMENT.encode().ljust(size, b"\0")[:size])
        if flags & os.MFD_ALLOW_SEALING:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
        return fd

    def test_sealed(self) -> None:
        """
        What the writer writes the reader reads.
        """
        mapped, fd = self.make(createSealed)
        theirs = openSealed(fd, SEGMENT)
        self.addCleanup(theirs.close)
        mapped.memory[4200:4205] = b"hello"
        self.assertEqual(theirs.memory[4200:4205], b"hello")

    def test_sealedIsWritableByItsWriterOnly(self) -> None:
        """
        Who has the descriptor can neither write nor map it writable, nor cut it
        off, nor make it longer, nor take the seals off, nor make holes in it;
        opening it anew through C{/proc} makes no difference.
        """
        mapped, fd = self.make(createSealed)
        anew = os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, anew)
        for each in (fd, anew):
            for attempt in (
                lambda: os.pwrite(each, b"x", 4200),  # noqa: B023
                lambda: mmap.mmap(each, SEGMENT.size),  # noqa: B023
                lambda: os.ftruncate(each, 0),  # noqa: B023
                lambda: os.ftruncate(each, SEGMENT.size + 1),  # noqa: B023
                lambda: fcntl.fcntl(each, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE),  # noqa: B023
            ):
                self.assertRaises(PermissionError, attempt)
        theirs = openSealed(fd, SEGMENT)
        self.addCleanup(theirs.close)
        self.assertRaises(TypeError, theirs.memory.__setitem__, slice(4200, 4201), b"x")
        mapped.memory[4200:4201] = b"y"

    def test_notSealed(self) -> None:
        """
        Memory without one of the seals could kill its reader.
        """
        self.assertRefused(self.memfd(SEGMENT.size, flags=0), "not sealed")
        for missing in (fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_GROW, 0x10, fcntl.F_SEAL_SEAL):
            self.assertRefused(self.memfd(SEGMENT.size, seals=_segment._SEALS & ~missing), "not sealed")

    def test_anotherSize(self) -> None:
        """
        Memory that is shorter or longer than was agreed.
        """
        for size in (0, 31, RING_START, SEGMENT.size - 1, SEGMENT.size + 1):
            self.assertRefused(self.memfd(size), f"has {size} bytes, not {SEGMENT.size}")

    def test_holes(self) -> None:
        """
        Memory that is not there yet, and may not be when it is wanted.
        """
        fd = os.memfd_create("x", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        self.addCleanup(os.close, fd)
        large = attrs.evolve(SEGMENT, limits=Limits(4096, 8))
        os.write(fd, large.encode())
        os.ftruncate(fd, large.size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _segment._SEALS)
        self.assertRefused(fd, "holes", large)

    def test_noMemfd(self) -> None:
        """
        Descriptors of other things.
        """
        left, right = socket.socketpair()
        with tempfile.TemporaryFile() as file, left, right, open("/dev/zero", "rb") as zero:
            file.truncate(SEGMENT.size)
            self.assertRefused(file.fileno(), "no memfd")
            self.assertRefused(left.fileno(), "no memfd")
            self.assertRefused(zero.fileno(), "no memfd")

    def test_sealedLies(self) -> None:
        """
        Memory of another channel, of the other direction, of another size.
        """
        for other in (
            attrs.evolve(SEGMENT, epoch=1),
            attrs.evolve(SEGMENT, direction=FROM_LISTENER),
            attrs.evolve(SEGMENT, limits=Limits(128, 4)),
        ):
            _, fd = self.make(createSealed, other)
            self.assertRefused(fd, "the peer's memory")

    def test_plain(self) -> None:
        """
        What the writer writes the reader reads; it cannot write, and no file is
        left.
        """
        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(os.rmdir, directory)
        self.patch(tempfile, "tempdir", directory)
        mapped, fd = createPlain(SEGMENT)
        self.addCleanup(mapped.close)
        self.assertEqual(os.listdir(directory), [])
        theirs = openPlain(fd, SEGMENT)
        self.addCleanup(theirs.close)
        mapped.memory[4200:4205] = b"hello"
        self.assertEqual(theirs.memory[4200:4205], b"hello")
        self.assertRaises(OSError, theirs.memory.__setitem__, slice(4200, 4201), b"x")
        self.assertRaises(OSError, os.ftruncate, fd, 0)
        self.assertRaises(PermissionError, mmap.mmap, fd, SEGMENT.size)
        self.assertRaises(OSError, os.pwrite, fd, b"x", 4200)

    def test_neverNamed(self) -> None:
        """
        Where the system can do without, there is no name at any time, and no
        name can be made; where it cannot, one is there for a moment only.
        """
        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(os.rmdir, directory)
        self.patch(tempfile, "tempdir", directory)
        mkstemp = tempfile.mkstemp
        named: list[str] = []

        def watched(prefix: str) -> tuple[int, str]:
            fd, path = mkstemp(prefix=prefix)
            named.append(path)
            return fd, path

        self.patch(tempfile, "mkstemp", watched)
        before = held()
        self.assertWorks(*createPlain(SEGMENT))
        self.assertEqual(named, [])
        really = os.open

        def refusing(what: int | str) -> None:
            def refuse(path: str, flags: int, mode: int = 0o777) -> int:
                if flags & what == what if isinstance(what, int) else path.startswith(what):
                    raise OSError(95, "not here")
                return really(path, flags, mode)

            self.patch(os, "open", refuse)

        # No such files in this file system; no /proc; a system without such files.
        refusing(os.O_TMPFILE)
        self.assertWorks(*createPlain(SEGMENT))
        refusing("/proc/")
        self.assertWorks(*createPlain(SEGMENT))
        self.patch(os, "open", really)
        self.patch(os, "O_TMPFILE", 0)
        self.assertWorks(*createPlain(SEGMENT))
        self.assertEqual(len(named), 3)
        refusing(directory)
        self.assertRaises(OSError, createPlain, SEGMENT)
        self.assertEqual(os.listdir(directory), [])
        self.assertEqual(held(), before)

    def assertWorks(self, mapped: _segment.Mapped, fd: int) -> None:
        """
        What is written can be read and not written with the other descriptor,
        which has no name and gets none.
        """
        theirs = openPlain(fd, SEGMENT)
        mapped.memory[4200:4205] = b"hello"
        self.assertEqual(theirs.memory[4200:4205], b"hello")
        self.assertRaises(OSError, os.pwrite, fd, b"x", 4200)
        self.assertEqual(os.fstat(fd).st_nlink, 0)
        theirs.close()
        mapped.close()

    def test_plainTruncated(self) -> None:
        """
        A file that became shorter is found out.
        """
        mapped, fd = createPlain(SEGMENT)
        self.addCleanup(mapped.close)
        theirs = openPlain(fd, SEGMENT)
        self.addCleanup(theirs.close)
        memory = mapped.memory
        assert isinstance(memory, _segment.PlainMemory)
        os.ftruncate(memory._fd, 4203)
        error = self.assertRaises(ChannelCorrupt, theirs.memory.__getitem__, slice(4200, 4205))
        self.assertIn("truncated", str(error))
        self.assertEqual(theirs.memory[4200:4203], bytes(3))

    def test_plainRefused(self) -> None:
        """
        What is no file, or not the right one, stays the caller's.
        """
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        self.assertIn("no file", str(self.assertRaises(ChannelCorrupt, openPlain, reading, SEGMENT)))
        with tempfile.TemporaryFile() as file:
            self.assertIn(
                "0 bytes", str(self.assertRaises(ChannelCorrupt, openPlain, file.fileno(), SEGMENT))
            )
            file.truncate(SEGMENT.size)
            self.assertIn("magic", str(self.assertRaises(ChannelCorrupt, openPlain, file.fileno(), SEGMENT)))
        fd = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, fd)
        self.assertIn("no file", str(self.assertRaises(ChannelCorrupt, openPlain, fd, SEGMENT)))

    def test_unreadable(self) -> None:
        """
        A descriptor that can only be written.
        """
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(SEGMENT.size)
            fd = os.open(file.name, os.O_WRONLY)
            self.addCleanup(os.close, fd)
            error = self.assertRaises(ChannelCorrupt, openPlain, fd, SEGMENT)
        self.assertIn("cannot be read", str(error))

    def test_noMemory(self) -> None:
        """
        When there is no memory, nothing is kept, and no file is left.
        """
        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(os.rmdir, directory)
        self.patch(tempfile, "tempdir", directory)

        def exhausted(fd: int, offset: int, size: int) -> None:
            raise OSError(28, "no space left")

        self.patch(os, "posix_fallocate", exhausted)
        before = held()
        self.assertRaises(OSError, createSealed, SEGMENT)
        self.assertRaises(OSError, createPlain, SEGMENT)
        self.assertEqual(held(), before)
        self.assertEqual(os.listdir(directory), [])

    def test_canSeal(self) -> None:
        """
        Systems that lack something are told by trying.
        """
        canSeal.cache_clear()
        self.addCleanup(canSeal.cache_clear)
        self.assertTrue(canSeal())
        for name in ("memfd_create", "eventfd"):
            canSeal.cache_clear()
            kept = getattr(os, name)
            delattr(os, name)
            try:
                self.assertFalse(canSeal())
            finally:
                setattr(os, name, kept)
        canSeal.cache_clear()
        self.patch(_segment, "_SEALS", 1 << 30)
        self.assertFalse(canSeal())


class DoorbellTests(SynchronousTestCase):
    """
    A number in the kernel.
    """

    def setUp(self) -> None:
        """
        A doorbell.
        """
        self.bell = createDoorbell()
        self.addCleanup(os.close, self.bell)

    def test_counts(self) -> None:
        """
        What is added is taken all at once; then there is nothing, without waiting.
        """
        look = looker(self.bell)
        self.assertFalse(look(0))
        self.assertEqual(answer(self.bell), 0)
        ring(self.bell, 3)
        ring(self.bell, 4)
        self.assertTrue(look(0))
        self.assertEqual(answer(self.bell), 7)
        self.assertEqual(answer(self.bell), 0)

    def test_jammed(self) -> None:
        """
        A doorbell that somebody has filled up does not make us wait.
        """
        ring(self.bell, (1 << 64) - 2)
        self.assertRaises(BlockingIOError, ring, self.bell, 1)

    def test_systemWithout(self) -> None:
        """
        Where the system has neither doorbells nor sealed memory the transport can be
        had all the same, and knows it.
        """
        program = (
            "import os\n"
            "for name in [each for each in dir(os) if 'eventfd' in each.lower()] + ['memfd_create']:\n"
            "    delattr(os, name)\n"
            "import transports.sharedmemory\n"
            "from transports._segment import canSeal\n"
            "print(canSeal())\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.stderr), ("False\n", ""))

    def test_blocking(self) -> None:
        """
        A doorbell that would block is made one that does not.
        """
        checkDoorbell(self.bell)
        os.set_blocking(self.bell, True)
        checkDoorbell(self.bell)
        self.assertFalse(os.get_blocking(self.bell))

    def test_closeOnExec(self) -> None:
        """
        A doorbell is not for programs that this one starts.
        """
        self.assertFalse(os.get_inheritable(self.bell))

    def test_otherKinds(self) -> None:
        """
        What is no doorbell is told from one.
        """
        reading, writing = os.pipe()
        left, right = socket.socketpair()
        fds = [
            reading,
            writing,
            os.memfd_create("x"),
            os.open("/dev/null", os.O_RDONLY),
            os.dup(left.fileno()),
        ]
        with left, right:
            for fd in fds:
                self.addCleanup(os.close, fd)
                self.assertIn("no eventfd", str(self.assertRaises(ChannelCorrupt, checkDoorbell, fd)))
        self.assertRaises(ChannelCorrupt, checkDoorbell, 1 << 20)


class HalfTests(SynchronousTestCase):
    """
    Memory and doorbells together.
    """

    def setUp(self) -> None:
        """
        Note what is held, to see whether it is given back.
        """
        before = held()
        self.addCleanup(lambda: self.assertEqual(held(), before))

    def sent(self, kind: Kind) -> list[int]:
        """
        The descriptors of a direction, as they arrive at the peer.
        """
        half, fd = createHalf(kind, SEGMENT)
        self.addCleanup(half.close)
        self.addCleanup(os.close, fd)
        descriptors = descriptorsOf(half, fd)
        self.assertEqual(len(descriptors), DESCRIPTORS[kind])
        return [os.dup(each) for each in descriptors]

    def test_bothKinds(self) -> None:
        """
        A direction is taken over, and let go.
        """
        for kind in Kind:
            half = openHalf(kind, SEGMENT, self.sent(kind))
            self.assertEqual(half.memory[0:8], b"\x91msring\n")
            half.close()

    def test_wrongDescriptors(self) -> None:
        """
        Too few, too many, in another order, of other things: all are closed.
        """

        def few(given: list[int]) -> None:
            os.close(given.pop())

        def many(given: list[int]) -> None:
            given.append(os.dup(given[-1]))

        def other(given: list[int]) -> None:
            os.close(given[0])
            given[0] = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

        for kind in Kind:
            for spoil in (few, many, other):
                given = self.sent(kind)
                spoil(given)
                before = held()
                self.assertRaises(ChannelCorrupt, openHalf, kind, SEGMENT, given)
                self.assertEqual(held(), (before[0] - len(given), before[1]))
        fd, data, space = self.sent(Kind.SEALED)
        self.assertRaises(ChannelCorrupt, openHalf, Kind.SEALED, SEGMENT, [data, fd, space])

    def test_outOfDescriptors(self) -> None:
        """
        When something cannot be had, what was had is given back.
        """
        before = held()
        real = createDoorbell
        made: list[int] = []

        def scarce() -> int:
            if made:
                raise OSError(24, "too many open files")
            made.append(1)
            return real()

        self.patch(_halves, "createDoorbell", scarce)
        self.assertRaises(OSError, createHalf, Kind.SEALED, SEGMENT)

        def none(segment: Segment) -> tuple[Mapped, int]:
            raise OSError(24, "too many open files")

        self.patch(_halves, "createDoorbell", real)
        self.patch(_halves, "createSealed", none)
        self.patch(_halves, "createPlain", none)
        for kind in Kind:
            self.assertRaises(OSError, createHalf, kind, SEGMENT)
        self.assertEqual(held(), before)
