"""
A peer of C{unix:} and C{tcp:} that breaks the protocol, byte by byte.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from twisted.internet.defer import Deferred

from transports import _opening
from transports._framing import OPENING_SIZE, Opening, checkOpening
from transports.interfaces import ITransport
from transports.sockets import SocketTransport, TcpTransport, UnixTransport
from transports.testing.conformance import ConformanceBase, HostilePeer, Offence
from transports.tls import TlsCredentials


def frame(kind: bytes, credit: int = 0, length: int = 0, payload: bytes = b"") -> bytes:
    """
    A frame of any kind.
    """
    return struct.pack("<4sIQ", kind, credit, length) + payload


class Said(Protocol):
    """
    What an opening can be changed by: those of sockets and of shared memory
    begin alike.
    """

    @property
    def capacity(self) -> int: ...

    @property
    def epoch(self) -> int: ...

    def encode(self) -> bytes: ...


def openingWith(offence: Offence | None, opening: Said) -> bytes:
    """
    The bytes of an opening, with an offence.
    """
    data = bytearray(opening.encode())
    if offence is Offence.MAGIC:
        data[:8] = b"HTTP/1.1"
    elif offence is Offence.VERSION:
        data[8:12] = struct.pack("<I", 99)
    elif offence is Offence.LIMITS:
        data[16:20] = struct.pack("<I", opening.capacity + 1)
    elif offence is Offence.IMPOSSIBLE_LIMITS:
        data[12:20] = struct.pack("<II", 0, 0xFFFFFFFF)
    elif offence is Offence.EPOCH:
        data[24:32] = struct.pack("<Q", opening.epoch ^ 1)
    elif offence in (Offence.HANGS_UP, Offence.STOPS):
        return bytes(data[:20])
    elif offence is Offence.SILENCE:
        return b""
    return bytes(data)


class Raw:
    """
    A connected socket, with or without TLS, in a test's coroutine.
    """

    def __init__(self, case: ConformanceBase, connected: socket.socket) -> None:
        self._case = case
        self.socket = connected
        self.socket.setblocking(False)
        case.addCleanup(self.close)

    async def handshake(self, context: ssl.SSLContext, name: str | None) -> None:
        """
        Put TLS around it.

        @param name: the name that the listener's certificate must carry;
            C{None} on the listening side.
        """
        wrapped = context.wrap_socket(
            self.socket, server_side=name is None, server_hostname=name, do_handshake_on_connect=False
        )
        self.socket = wrapped
        await self._case.waitFor(lambda: self._try(wrapped.do_handshake) is not None, "the handshake")

    def _try(self, act: Callable[[], Any]) -> Any:
        """
        @return: what C{act} returns, C{True} instead of C{None}, and C{None} if it would block.
        """
        try:
            result = act()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        return True if result is None else result

    async def send(self, data: bytes) -> None:
        """
        Send all of it, as far as the other end lets us.
        """
        rest = data

        def sent() -> bool:
            nonlocal rest
            try:
                rest = rest[self._try(lambda: self.socket.send(rest)) or 0 :]
            except (BrokenPipeError, ConnectionResetError):
                rest = b""
            return not rest

        await self._case.waitFor(sent, "the victim to read")

    async def receive(self, size: int) -> bytes:
        """
        Receive so many bytes, or fewer if the other end hangs up.
        """
        data = b""
        ended = False

        def received() -> bool:
            nonlocal data, ended
            try:
                got = self._try(lambda: self.socket.recv(size - len(data)))
            except (ConnectionResetError, ssl.SSLError):
                got = b""
            if got is not None:
                data += got
                ended = not got
            return ended or len(data) == size

        await self._case.waitFor(received, "the victim to speak or to hang up")
        return data

    async def ended(self) -> None:
        """
        Wait until the other end hangs up, whatever it says before.
        """
        while await self.receive(1 << 16):
            pass

    def close(self) -> None:
        """
        Close it; as often as you like.
        """
        self.socket.close()


async def shortDeadline(case: ConformanceBase) -> None:
    """
    Give little time to those who have connected and whose opening is about to
    be waited for, and to nobody else.
    """
    patch = case.patch(_opening, "OPENING_DEADLINE", 0.2)
    await case.settle()
    patch.restore()


class SocketPeer(HostilePeer):
    """
    Connects to a L{SocketTransport}, or listens for one.
    """

    says: ClassVar = {
        Offence.MAGIC: "magic|TLS",
        Offence.VERSION: "version 99",
        Offence.LIMITS: "9 blocks",
        Offence.EPOCH: "epoch",
        Offence.HANGS_UP: "hung up",
        Offence.LENGTH: "18446744073709551615 bytes",
        Offence.OVER_CREDIT: "1 blocks were given back where 0",
        Offence.OVER_PUBLISH: "queue of 8 blocks",
        Offence.GARBAGE: "unknown kind|length of",
        Offence.AFTER_CLOSE: "none would follow",
    }

    def __init__(
        self, case: ConformanceBase, transport: ITransport, credentials: TlsCredentials | None = None
    ) -> None:
        """
        @param credentials: what to show and demand, where there is TLS.
        """
        assert isinstance(transport, SocketTransport)
        self._case = case
        self._transport = transport
        self._credentials = credentials
        self._raw: Raw
        self._listening: socket.socket | None = None
        self._served: Deferred[None] | None = None

    async def connect(self, offence: Offence | None = None) -> None:
        """
        See L{HostilePeer.connect}.
        """
        transport = self._transport
        connected = socket.socket(socket.AF_UNIX if isinstance(transport, UnixTransport) else socket.AF_INET)
        self._raw = Raw(self._case, connected)
        if isinstance(transport, UnixTransport):
            connected.connect(transport.path)
        else:
            assert isinstance(transport, TcpTransport)
            connected.setblocking(True)
            connected.connect((transport.host, transport.port))
            connected.setblocking(False)
        if self._credentials is not None and offence is not Offence.SILENCE:
            await self._raw.handshake(self._credentials.load().connecting, "127.0.0.1")
        limits = transport.limits
        await self._raw.send(openingWith(offence, Opening(limits.block_size, limits.capacity, 0x817051)))
        if offence is Offence.HANGS_UP:
            self._raw.close()
        elif offence is Offence.SILENCE:
            await shortDeadline(self._case)
        elif offence is None:
            answer = checkOpening(await self._raw.receive(OPENING_SIZE))
            assert answer is not None and answer.epoch == 0x817051

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

    async def send(self, message: bytes) -> None:
        """
        See L{HostilePeer.send}.
        """
        await self._raw.send(frame(b"MESG", 0, len(message), message))

    async def commit(self, offence: Offence) -> None:
        """
        See L{HostilePeer.commit}.
        """
        limits = self._transport.limits
        if offence is Offence.LENGTH:
            data = frame(b"MESG", 0, (1 << 64) - 1, b"x")
        elif offence is Offence.OVER_CREDIT:
            data = frame(b"FREE", 1)
        elif offence is Offence.OVER_PUBLISH:
            # The last one tells by its header that it goes too far; nothing of it need come.
            data = frame(b"MESG", 0, limits.max_message, b"p" * limits.max_message)
            data += frame(b"MESG", 0, limits.max_message, b"p")
        elif offence is Offence.GARBAGE:
            data = bytes(range(64, 128))
        else:
            assert offence is Offence.AFTER_CLOSE
            data = frame(b"QUIT") + frame(b"MESG", 0, 4, b"more")
        await self._raw.send(data)

    async def listen(self, offence: Offence) -> None:
        """
        See L{HostilePeer.listen}.
        """
        transport = self._transport
        if isinstance(transport, UnixTransport):
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(transport.path)
        else:
            assert isinstance(transport, TcpTransport)
            listening = socket.socket(socket.AF_INET)
            listening.bind(("127.0.0.1", 0))
            transport.port = listening.getsockname()[1]
        self._case.addCleanup(listening.close)
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
        if self._credentials is not None:
            await self._raw.handshake(self._credentials.load().listening, None)
        theirs = checkOpening(await self._raw.receive(OPENING_SIZE))
        assert theirs is not None
        await self._raw.send(openingWith(offence, theirs))
        if offence is Offence.HANGS_UP:
            self._raw.close()
