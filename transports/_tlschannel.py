"""
A channel over TLS.

L{TlsChannel} is a L{SocketChannel} whose socket is an L{ssl.SSLSocket}.  What is
different:

  - TLS may have taken bytes from the socket that nobody has asked it for.  The
    socket does not become readable for these, so they are taken to the last
    byte before the reactor can sleep.
  - Either direction of TLS may need the other direction of the socket.  TLS 1.3,
    the only version spoken here, knows no renegotiation; still a key update is
    answered while reading.
  - Bytes that TLS could not get rid of must be given again, the same ones, and
    L{SocketChannel} does just that.
"""

from __future__ import annotations

import ssl

from transports._opening import Wait
from transports._socketchannel import READ_SIZE, SocketChannel
from transports.errors import ChannelCorrupt
from transports.interfaces import IReceiver
from transports.tls import reasonOf


class TlsChannel(SocketChannel):
    """
    One end of a channel over TLS.
    """

    _socket: ssl.SSLSocket

    #: What reading, and what writing, needs of the socket before it can go on,
    #: when that is not the obvious thing.
    _reading_needs = Wait.NOTHING
    _writing_needs = Wait.NOTHING

    #: What every further read would come to: C{b""}, or why the channel is cut.
    #: TLS must not be asked again once it has failed.
    _over: bytes | ChannelCorrupt | None = None

    def _start(self, receiver: IReceiver) -> None:
        super()._start(receiver)
        self._takeSoon()

    def _takeSoon(self) -> None:
        """
        If there is something to take that the socket does not tell of, see to
        it that it is taken in the next turn.
        """
        if self._reason is None and (self._over is not None or self._socket.pending()):
            self._schedule()

    def _turn(self) -> None:
        if self._reason is None and (self._over is not None or self._socket.pending()):
            self._receive(deliver=False)
        super()._turn()
        # This turn may have met the end after data; it was no time to ask for another one.
        self._takeSoon()

    def _take(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        connected = self._socket
        try:
            # One call gives one record of 16 KiB at most.
            while self._over is None and (size < READ_SIZE or connected.pending()):
                data = connected.recv(READ_SIZE)
                if not data:
                    self._over = b""
                parts.append(data)
                size += len(data)
        except ssl.SSLWantReadError:
            if not size:
                raise BlockingIOError from None
        except ssl.SSLWantWriteError:
            self._reading_needs = Wait.WRITABLE
            self._fdset.addWriter(self)
            if not size:
                raise BlockingIOError from None
        except ssl.SSLError as error:
            # After a failed send TLS may fail here too, which means no more than that.
            self._over = b"" if self._gone else ChannelCorrupt(f"the TLS connection broke: {reasonOf(error)}")
        except OSError:
            self._over = b""
        if size:
            # What came before the end is good; the end comes next.
            self._takeSoon()
            return b"".join(parts)
        if isinstance(self._over, ChannelCorrupt):
            raise self._over
        return b""

    def _give(self, batch: bytes | memoryview) -> int:
        try:
            return self._socket.send(batch)
        except ssl.SSLWantWriteError:
            raise BlockingIOError from None
        except ssl.SSLWantReadError:
            self._writing_needs = Wait.READABLE
            raise BlockingIOError from None

    def _write(self) -> None:
        super()._write()
        if self._reason is not None:
            return
        if self._writing_needs is Wait.READABLE:
            # Being writable is of no use; doRead goes on.
            self._fdset.removeWriter(self)
        elif self._reading_needs is Wait.WRITABLE:
            self._fdset.addWriter(self)

    def doRead(self) -> None:
        """
        Something has arrived, or the peer is gone.
        """
        super().doRead()
        if self._writing_needs is Wait.READABLE and self._reason is None:
            self._writing_needs = Wait.NOTHING
            self._fdset.addWriter(self)

    def doWrite(self) -> None:
        """
        The socket takes more.
        """
        if self._reading_needs is Wait.WRITABLE:
            self._reading_needs = Wait.NOTHING
            if not self._blocked:
                self._fdset.removeWriter(self)
            self.doRead()
        if self._blocked and self._reason is None:
            super().doWrite()
