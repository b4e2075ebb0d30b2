"""
A channel over a connected stream socket.

The window bounds what either side can have in flight, so the socket is always
read, whatever the state of the queues, and what is written is always taken
over: neither direction can stop the other.  In one turn of the reactor a
channel makes at most one C{recv} and one C{send}, unless it spins.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from transports._connected import ConnectedChannel
from transports._descriptors import looker
from transports._framing import FrameReader, packFrames, packQuit
from transports.errors import ChannelCorrupt

#: Bytes asked for by one C{recv}.
READ_SIZE = 1 << 16

#: Bytes after which a batch goes to C{send}, though more may wait.
_BATCH_SIZE = 1 << 17


class SocketChannel(ConnectedChannel):
    """
    One end of a channel over a socket.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """
        See L{ConnectedChannel}.
        """
        super().__init__(*args, **kwargs)
        self._has_input = looker(self._fileno)
        #: Messages accepted and not yet made into frames.
        self._out: deque[bytes] = deque()
        #: Frames of which the socket has not taken everything.
        self._unsent = memoryview(b"")
        #: The socket has refused to take anything ever again.
        self._gone = False
        self._reader = FrameReader(self._inbound, self._arrived)

    # The medium, for BaseChannel

    def _transmit(self, message: bytes) -> None:
        self._out.append(message)
        if not self._busy:
            self._schedule()

    def _isFlushed(self) -> bool:
        return not (self._blocked or self._out or self._quit_unsent or self._inbound.owed)

    def _flushMedium(self) -> None:
        if not self._blocked:
            self._write()

    def _releaseMedium(self, discard: bool) -> None:
        super()._releaseMedium(discard)
        self._out.clear()
        self._unsent = memoryview(b"")

    def _giveBack(self, blocks: int) -> None:
        self._outbound.giveBack(blocks)
        if self._out and self._outbound.queued < len(self._out):
            raise ChannelCorrupt(f"{blocks} blocks were given back before they had been sent")

    # The socket, as a layer above it (TLS) would have it

    def _take(self) -> bytes:
        """
        Take from the socket what is there, about L{READ_SIZE} bytes at most.

        @return: C{b""} when nothing will ever come again.
        @raise BlockingIOError: nothing is there.
        @raise ChannelCorrupt: what is there is not what the layer takes.
        """
        return self._socket.recv(READ_SIZE)

    def _give(self, batch: bytes | memoryview) -> int:
        """
        Give the socket bytes.  Those that it did not take are given again, first.

        @return: how many it took.
        @raise BlockingIOError: none at this instant.
        @raise OSError: none, and never again.
        """
        return self._socket.send(batch)

    # Writing

    def _write(self) -> None:
        """
        Give the socket one batch; it is writable as far as we know.
        """
        if self._gone:
            return
        batch: bytes | memoryview
        if not self._unsent:
            credit = self._inbound.settle()
            if self._out:
                batch = packFrames(self._out, credit, _BATCH_SIZE)
            elif self._quit_unsent:
                self._quit_unsent = False
                batch = packQuit(credit)
            elif credit:
                batch = packFrames(self._out, credit, 0)
            else:
                return
        else:
            batch = self._unsent
        try:
            sent = self._give(batch)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self._readRest()
            return
        if sent < len(batch):
            self._unsent = memoryview(batch)[sent:]
        elif self._unsent:
            self._unsent = memoryview(b"")
        if self._unsent or self._out or self._quit_unsent:
            if not self._blocked:
                self._blocked = True
                self._fdset.addWriter(self)
        elif self._blocked and not self._inbound.owed:
            self._blocked = False
            self._fdset.removeWriter(self)

    # Reading

    def doRead(self) -> None:
        """
        Something has arrived, or the peer is gone.
        """
        if self._takeIn() and not self._blocked:
            self._linger()

    def _look(self) -> bool:
        return bool(self._has_input(0)) and self._takeIn()

    def _takeIn(self) -> bool:
        """
        Deal with what has arrived: deliver it, flush.

        @return: whether there was something, and the channel goes on.
        """
        if not self._receive(deliver=True):
            return False
        if not self._blocked and (self._out or self._quitting or not self._lingering):
            self._write()
        if self._quitting:
            self._finishIfDrained()
        return self._reason is None

    def _receive(self, deliver: bool) -> bool:
        """
        Make one C{recv} and enter what it brings.

        @param deliver: whether handlers may be called.
        @return: whether the channel goes on and there may be more to read.
        """
        try:
            data = self._take()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            data = b""
        except ChannelCorrupt as error:
            self._end(error, discard=True)
            return False
        if not data:
            self._mediumGone()
            return False
        reader = self._reader
        self._busy = True
        try:
            credit = reader.receive(data)
            if credit:
                self._credited(credit)
            # Who waited for room may have aborted the channel meanwhile.
            if reader.quits and not self._peer_quitting and self._reason is None:
                self._peerQuits()
            if deliver and self._arrived and self._call is None:
                self._deliver()
        except ChannelCorrupt as error:
            self._end(error, discard=True)
        finally:
            self._busy = False
        return self._reason is None

    def _readRest(self) -> None:
        """
        The peer reads no more: it is gone.  Take what it had sent; the window
        bounds how much that is.
        """
        self._gone = True
        while self._receive(deliver=False):
            pass
        self._mediumGone()
