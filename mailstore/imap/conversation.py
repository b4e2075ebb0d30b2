"""
What is said between a client and a session: bytes out, events of the framer in.

  - L{Conversation.write} returns when the client's socket may take more; who writes
    much writes in pieces and asks the store for more only afterwards.
  - When the client is gone, L{SessionOver} comes out of whatever is waited for
    here.  Commands let it pass (their C{finally} clauses give back what they hold).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from twisted.logger import Logger

from mailstore.imap.compression import Compression, NotCompressed
from mailstore.imap.wire.framer import LineReceived

if TYPE_CHECKING:
    from mailstore.imap.frontend import FrontEnd
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.waiting import IAlarm, ILink, ISignal
    from mailstore.imap.wire.framer import Framer

#: Bytes that L{Conversation.writeWithNext} holds back, at most.
_MOST_HELD = 4096

#: Bytes after which others may run, though the socket still takes more.
_BURST = 1 << 20


class SessionOver(Exception):
    """
    There is nobody to answer any more, or not for long: the connection was
    lost, timed out or is to be closed.
    """

    def __init__(self, bye: str = "") -> None:
        super().__init__(bye)
        #: Words for a last C{BYE}; empty when there is nobody to hear it.
        self.bye = bye


class Conversation:
    """
    What one client hears and says.

    @ivar front: what is shared by all sessions.
    @ivar link: the connection itself.
    @ivar compression: what compresses the connection (RFC 4978), if something does.
    """

    log = Logger()

    def __init__(self, front: FrontEnd, link: ILink, framer: Framer) -> None:
        self.front = front
        self.link = link
        self.framer = framer
        #: Fires when bytes came from the client, the open folder changed, or the client is gone.
        self.bell: ISignal = front.runtime.signal()
        # Each command puts it off.
        self._alarm: IAlarm = front.runtime.alarm(self.bell.fire)
        self.compression: Compression | None = None
        self._leaving = ""
        self._held = b""
        self._burst = 0

    @property
    def limits(self) -> ImapLimits:
        """
        The bounds.
        """
        return self.front.limits

    # --- to the client ------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """
        Send bytes, and wait until the client's socket may take more.

        Any length is right, but what a command holds in memory it holds by
        itself: make pieces of about C{limits.max_write}.

        @raise SessionOver: the client is gone, or does not read.
        """
        size = self.limits.max_write
        if len(data) <= size:
            await self._writePiece(data)
            return
        view = memoryview(data)
        for at in range(0, len(data), size):
            await self._writePiece(view[at : at + size])

    async def writePieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """
        The same for bytes in pieces, which are not joined where that is not necessary.

        @raise SessionOver: the client is gone, or does not read.
        """
        if self.compression is not None or self._held:
            await self.write(b"".join(pieces))
            return
        self._checkThere()
        self.link.writeMany(pieces)
        await self._roomed(sum(map(len, pieces)))

    def hand(self, data: bytes | memoryview) -> None:
        """
        Give bytes to the link, compressed if that was agreed, whether it has room or not.
        """
        self.link.write(self._packed(data))

    def _packed(self, data: bytes | memoryview) -> bytes | memoryview:
        """
        What goes over the connection: what was held back, then C{data}.
        """
        if self._held:
            data, self._held = self._held + data, b""
        return data if self.compression is None else self.compression.deflate(data)

    async def writeWithNext(self, data: bytes) -> None:
        """
        Send bytes together with what is written next, which is the tagged reply at the latest: for
        what nobody is served by having before.  What is more than L{_MOST_HELD} is sent by L{write}.

        @raise SessionOver: the client is gone, or does not read.
        """
        if len(data) > _MOST_HELD - len(self._held):
            await self.write(data)
        else:
            self._held += data

    async def finish(self, data: bytes) -> None:
        """
        Send the last bytes before the client is heard again: a tagged reply.

        @raise SessionOver: the client is gone, or does not read.
        """
        self._checkThere()
        self.link.finish(self._packed(data))
        await self._roomed(len(data))

    async def finishLines(self, lines: Iterable[bytes]) -> None:
        """
        Send many short pieces as L{writeLines} does, the last of them as L{finish}.
        """
        data = b"".join(lines)
        most = self.limits.max_write
        if len(data) > most:
            await self.write(data[:-most])
        if data:
            await self.finish(data[-most:])

    async def _writePiece(self, data: bytes | memoryview) -> None:
        self._checkThere()
        self.hand(data)
        await self._roomed(len(data))

    async def _roomed(self, size: int) -> None:
        """
        Wait until the client may be written to again.

        @param size: bytes that were just written.
        """
        self._burst += size
        if self.link.clogged:
            self._burst = 0
            await self._drain(self.front.runtime.seconds() + self.limits.write_timeout)
        elif self._burst >= _BURST:
            self._burst = 0
            await self.front.runtime.sleep(0)

    async def _drain(self, deadline: float) -> None:
        """
        Wait until the client has read what was written.

        @raise SessionOver: it has not until C{deadline}, or is gone.
        """
        link = self.link
        while link.clogged:
            left = deadline - self.front.runtime.seconds()
            if left <= 0:
                self.log.info("{peer}: does not read, cut off", peer=link.address)
                link.abort()
                raise SessionOver()
            await link.drained.wait(left)
            self._checkThere()

    def _checkThere(self) -> None:
        """
        @raise SessionOver: the client is gone.
        """
        if self.link.lost:
            raise SessionOver()

    async def untagged(self, line: bytes) -> None:
        """
        Send an untagged response: C{line} is what stands between C{* } and CRLF.
        """
        await self.write(b"* " + line + b"\r\n")

    async def writeLines(self, lines: Iterable[bytes]) -> None:
        """
        Send many short pieces, each with its own C{* } and CRLF if it needs
        them, in writes of about C{limits.max_write}.
        """
        pieces: list[bytes] = []
        size = 0
        for line in lines:
            pieces.append(line)
            size += len(line)
            if size >= self.limits.max_write:
                await self.write(b"".join(pieces))
                pieces.clear()
                size = 0
        if pieces:
            await self.write(b"".join(pieces))

    async def sleep(self, seconds: float) -> None:
        """
        Let time pass, while the client is there.

        @raise SessionOver: it has gone.
        """
        deadline = self.front.runtime.seconds() + seconds
        while (left := deadline - self.front.runtime.seconds()) > 0:
            self._checkThere()
            await self.link.drained.wait(left)
        self._checkThere()

    # --- from the client ----------------------------------------------------

    def receive(self, data: bytes) -> None:
        """
        Bytes came from the client.
        """
        if self.compression is None:
            self.framer.receive(data)
        else:
            self.compression.receive(data)

    @property
    def buffered(self) -> int:
        """
        Bytes received and not used yet.
        """
        return self.framer.buffered + (0 if self.compression is None else self.compression.waiting)

    def take(self) -> object | None:
        """
        The next event of the framer, or C{None} when more bytes are needed.

        @raise SessionOver: what came was to be compressed, and is not.
        """
        event: object | None = self.framer.next()
        while event is None and self.compression is not None and self.compression.waiting:
            try:
                self.framer.receive(self.compression.inflate(self.limits.max_write))
            except NotCompressed as error:
                self.log.info("{peer}: {reason}", peer=self.link.address, reason=str(error))
                raise SessionOver("That is not compressed by DEFLATE") from error
            event = self.framer.next()
        if event is None or self.buffered <= self.limits.max_buffered // 2:
            self.link.resume()
        return event

    def compress(self) -> None:
        """
        All that is written and read from now on is compressed; what has been read and not used is
        taken for that.
        """
        self.compression = Compression()
        self.compression.receive(self.framer.takeBuffered())

    def decompress(self) -> None:
        """
        Nothing that is written and read from now on is compressed.
        """
        compression, self.compression = self.compression, None
        if compression is not None:
            self.framer.receive(compression.rest)

    async def nextEvent(self, seconds: float) -> object:
        """
        Wait for the next event of the framer.

        @raise SessionOver: it did not come in time, or the client is gone.
        """
        deadline = self.front.runtime.seconds() + seconds
        while True:
            event = self.take()
            if event is not None:
                return event
            await self.waitUntil(deadline)

    async def waitUntil(self, deadline: float, at_most: float | None = None) -> None:
        """
        Wait at the bell, before the C{deadline} by the runtime's clock.

        @param at_most: seconds, if it is to be shorter.
        @raise SessionOver: the deadline is over, the client is gone or is to go.
        """
        self._checkThere()
        if self._leaving:
            raise SessionOver(self._leaving)
        left = deadline - self.front.runtime.seconds()
        if left <= 0:
            raise SessionOver("Nothing heard for too long")
        if at_most is None:
            self._alarm.set(deadline)
            await self.bell.wait()
        else:
            await self.bell.wait(min(left, at_most))

    def leave(self, bye: str) -> None:
        """
        The client is to go, with these words, when its command has ended.
        """
        self._leaving = bye
        self.bell.fire()

    async def readLine(self) -> bytes | None:
        """
        Wait for a line that is no command: the answer to a challenge.

        @return: the line without its end, C{None} if it was too long.
        @raise SessionOver: as L{nextEvent}.
        """
        self.framer.expectLine()
        event = await self.nextEvent(self.limits.login_timeout)
        return event.line if isinstance(event, LineReceived) else None
