"""
A peer of C{shm:} that breaks the protocol: of the socket, of the memory and of
the doorbells.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from twisted.internet.defer import Deferred

from tests.transports.hostile_sockets import Raw, openingWith, shortDeadline
from transports._halves import Half, createHalf, descriptorsOf
from transports._ring import BATCH, RECORD_SIZE, RingWriter
from transports._segment import FROM_CONNECTOR, FROM_LISTENER, RING_START, Segment
from transports._shmopening import DATA, FREE, OPENING_SIZE, QUIT, Kind, MemoryOpening, checkOpening
from transports.interfaces import ITransport
from transports.limits import Limits
from transports.sharedmemory import SharedMemoryTransport
from transports.testing.conformance import ConformanceBase, HostileMemory, Offence

EPOCH = 0x817051


def note(what: bytes, count: int) -> bytes:
    """
    A note of any kind.
    """
    return struct.pack("<4sI", what, count)


class MemoryPeer(HostileMemory):
    """
    Connects to a L{SharedMemoryTransport}, or listens for one.
    """

    says: ClassVar = {
        Offence.MAGIC: "magic",
        Offence.VERSION: "version 99",
        Offence.LIMITS: "9 blocks",
        Offence.EPOCH: "epoch",
        Offence.HANGS_UP: "hung up",
        Offence.LENGTH: "does not add up",
        Offence.OVER_CREDIT: "1 blocks were given back where 0",
        Offence.OVER_PUBLISH: "queue of 8 blocks",
        Offence.GARBAGE: "unknown kind",
        Offence.AFTER_CLOSE: "none would follow",
        Offence.SEQUENCE: "is due",
        Offence.CHECKSUM: "checksum",
        Offence.TRUNCATES: "truncated",
        Offence.LATE_DESCRIPTORS: "descriptors came after",
        Offence.NO_DESCRIPTORS: "0 descriptors",
        Offence.MANY_DESCRIPTORS: "more than",
        Offence.WRONG_DESCRIPTORS: "memory is no|no eventfd",
        Offence.SMALL_MEMORY: "bytes, not",
        Offence.MEMORY_EPOCH: "epoch",
    }

    def __init__(self, case: ConformanceBase, transport: ITransport) -> None:
        assert isinstance(transport, SharedMemoryTransport)
        self._case = case
        self._transport = transport
        self._kind = transport.kind
        self._open: list[int] = []
        self._raw: Raw
        self._half: Half | None = None
        self._writer: RingWriter
        #: What the victim gave us.
        self._given: list[int] = []
        self._listening: socket.socket | None = None
        self._served: Deferred[None] | None = None

    # Opening

    def _make(self, offence: Offence | None, limits: Limits, epoch: int, direction: int) -> list[int]:
        """
        Make our direction.

        @return: the descriptors to give to the victim.
        """
        if offence is Offence.SMALL_MEMORY:
            limits = attrs.evolve(limits, capacity=limits.capacity - 1)
        if offence is Offence.MEMORY_EPOCH:
            epoch ^= 1
        half, fd = createHalf(self._kind, Segment(limits, epoch, direction))
        self._half = half
        self._open.append(fd)
        self._writer = RingWriter(half.memory, RING_START, limits, epoch)
        if offence is Offence.MEMORY_MAGIC:
            half.memory[0:4] = b"ELF!"
        elif offence is Offence.MEMORY_VERSION:
            half.memory[8:12] = struct.pack("<I", 99)
        descriptors = descriptorsOf(half, fd)
        if offence is Offence.NO_DESCRIPTORS:
            return []
        if offence is Offence.FEW_DESCRIPTORS:
            return descriptors[:-1]
        if offence is Offence.MANY_DESCRIPTORS:
            return descriptors + descriptors[-1:]
        if offence is Offence.WRONG_DESCRIPTORS:
            self._open += (pipe := os.pipe())
            return [pipe[0]] * len(descriptors)
        if offence is Offence.WRONG_DOORBELLS:
            self._open += (pipe := os.pipe())
            return descriptors[:1] + [pipe[0]] * len(descriptors[1:])
        if offence is Offence.UNSEALED_MEMORY and self._kind is Kind.SEALED:
            unsealed = os.memfd_create("unsealed", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            self._open.append(unsealed)
            os.write(unsealed, half.memory[0 : RING_START + limits.block_size * limits.capacity])
            return [unsealed, *descriptors[1:]]
        return descriptors

    def _opening(self, epoch: int) -> MemoryOpening:
        limits = self._transport.limits
        return MemoryOpening(limits.block_size, limits.capacity, self._kind, epoch)

    async def _say(self, offence: Offence | None, epoch: int, direction: int) -> None:
        descriptors = self._make(offence, self._transport.limits, epoch, direction)
        data = openingWith(offence, self._opening(epoch))
        if data:
            socket.send_fds(self._raw.socket, [data], descriptors)
        if offence is Offence.HANGS_UP:
            self._raw.close()

    async def connect(self, offence: Offence | None = None) -> None:
        """
        See L{HostilePeer.connect}.
        """
        self._raw = Raw(self._case, socket.socket(socket.AF_UNIX))
        self._raw.socket.connect(self._transport.path)
        await self._say(offence, EPOCH, FROM_CONNECTOR)
        if offence is Offence.SILENCE:
            await shortDeadline(self._case)
        if offence is None or offence in self.harmless:
            answer = await self._hear()
            assert answer.epoch == EPOCH

    async def _hear(self) -> MemoryOpening:
        """
        Wait for the victim's opening, and keep its descriptors.
        """
        data = b""

        def heard() -> bool:
            nonlocal data
            try:
                got, descriptors, _, _ = socket.recv_fds(self._raw.socket, OPENING_SIZE - len(data), 3)
            except BlockingIOError:
                return False
            assert got, "the victim hung up"
            data += got
            self._given += descriptors
            return len(data) == OPENING_SIZE

        await self._case.waitFor(heard, "the victim's opening")
        opening = checkOpening(data)
        assert opening is not None
        return opening

    async def hungUp(self) -> None:
        """
        See L{HostilePeer.hungUp}.
        """
        if self._served is not None:
            await self._served
        if self._raw.socket.fileno() >= 0:
            await self._raw.ended()
        self._raw.close()
        if self._listening is not None:
            self._listening.close()
        for each in (*self._open, *self._given):
            os.close(each)
        self._open, self._given = [], []
        if self._half is not None:
            self._half.close()
            self._half = None

    async def listen(self, offence: Offence) -> None:
        """
        See L{HostilePeer.listen}.
        """
        listening = socket.socket(socket.AF_UNIX)
        self._case.addCleanup(listening.close)
        listening.bind(self._transport.path)
        listening.listen(1)
        listening.setblocking(False)
        self._listening = listening
        self._served = Deferred.fromCoroutine(self._serve(listening, offence))

    async def _serve(self, listening: socket.socket, offence: Offence) -> None:
        connected: list[socket.socket] = []

        def accepted() -> bool:
            try:
                connected.append(listening.accept()[0])
            except BlockingIOError:
                return False
            return True

        await self._case.waitFor(accepted, "the victim to connect")
        self._raw = Raw(self._case, connected[0])
        theirs = await self._hear()
        await self._say(offence, theirs.epoch, FROM_LISTENER)

    # On an open channel

    def lay(self, *messages: bytes, credit: int = 0) -> int:
        """
        Put messages into the memory, as one record, and tell nobody.

        @return: their blocks.
        """
        for message in messages:
            self._writer.put(message, self._transport.limits.blocksFor(len(message)))
        return self._writer.publish(credit)

    def layBatch(self, count: int, lengths: Sequence[int], rest: bytes) -> None:
        """
        Put a batch into the memory that says what one likes and has a right check.
        """
        self._writer._write(struct.pack(f"<I{len(lengths)}I", count, *lengths) + rest, BATCH)

    async def _publish(self, message: bytes, at: int = 0, data: bytes = b"") -> None:
        """
        Publish a message.

        @param at: where its record is changed before the victim is told.
        @param data: what is written there.
        """
        assert self._half is not None
        begin = self._writer._offset + at
        blocks = self.lay(message)
        if data:
            self._half.memory[begin : begin + len(data)] = data
        await self._tell(blocks)

    async def _tell(self, blocks: int) -> None:
        """
        Say that blocks were published.
        """
        assert self._half is not None
        if self._kind is Kind.SEALED:
            os.eventfd_write(self._half.data, blocks)
        else:
            await self._raw.send(note(DATA, blocks))

    async def send(self, message: bytes) -> None:
        """
        See L{HostilePeer.send}.
        """
        await self._publish(message)

    async def commit(self, offence: Offence) -> None:
        """
        See L{HostilePeer.commit}.
        """
        assert self._half is not None
        limits = self._transport.limits
        if offence is Offence.LENGTH:
            await self._publish(b"altered", 0, struct.pack("<I", 0xFFFFFFFF))
        elif offence is Offence.SEQUENCE:
            await self._publish(b"altered", 4, struct.pack("<I", 0))
        elif offence is Offence.CHECKSUM:
            await self._publish(b"altered", RECORD_SIZE, b"A")
        elif offence is Offence.AFTER_CLOSE:
            await self._raw.send(note(QUIT, 0))
            await self._case.settle()
            await self._publish(b"more")
        elif offence is Offence.OVER_PUBLISH:
            await self._tell(limits.capacity + 1)
        elif offence is Offence.OVER_CREDIT:
            await self._giveBack(1)
        elif offence is Offence.GARBAGE:
            await self._raw.send(bytes(range(64, 128)))
        elif offence is Offence.LATE_DESCRIPTORS:
            socket.send_fds(self._raw.socket, [note(QUIT, 0)], self._open[:1])
        elif offence is Offence.OVERWRITES:
            size = limits.block_size * limits.capacity
            self._half.memory[RING_START : RING_START + size] = b"\xff" * size
        elif offence is Offence.TRUNCATES:
            await self._truncate()

    async def _giveBack(self, blocks: int) -> None:
        if self._kind is Kind.SEALED:
            os.eventfd_write(self._given[2], blocks)
        else:
            await self._raw.send(note(FREE, blocks))

    async def _truncate(self) -> None:
        raise NotImplementedError

    def tryToWrite(self) -> list[str]:
        """
        See L{HostileMemory.tryToWrite}.
        """
        fd = self._given[0]
        size = os.fstat(fd).st_size
        worked = []
        for name, attempt in (
            ("mmap", lambda: mmap.mmap(fd, size, prot=mmap.PROT_READ | mmap.PROT_WRITE).close()),
            ("pwrite", lambda: os.pwrite(fd, b"forged", RING_START)),
            ("ftruncate", lambda: os.ftruncate(fd, 0)),
        ):
            try:
                attempt()
            except OSError:
                continue
            worked.append(name)
        return worked


class SealedPeer(MemoryPeer):
    """
    With sealed memory.
    """

    harmless: ClassVar = {Offence.TRUNCATES: "a sealed memory cannot be cut off"}

    async def _truncate(self) -> None:
        try:
            os.ftruncate(self._open[0], RING_START)
        except PermissionError:
            return
        raise AssertionError("sealed memory was cut off")


class PlainPeer(MemoryPeer):
    """
    With a plain file.
    """

    harmless: ClassVar = {
        Offence.WRONG_DOORBELLS: "there are no doorbells",
        Offence.UNSEALED_MEMORY: "the reader maps nothing, so nothing can be cut off under it",
    }

    async def _truncate(self) -> None:
        assert self._half is not None
        memory: Any = self._half.memory
        os.ftruncate(memory._fd, RING_START)
        await self._tell(1)
