"""
DEFLATE between a session and its link (RFC 4978).

  - What a client sends is inflated when the session asks for it, a piece at a time: a few bytes
    that stand for many take no more room than the many would, uncompressed.
  - Input is inflated up to the end of one flush at a time: what a client sends behind the command that ends
    the compression (RFC 8437 section 4.1) is not taken for compressed.
  - The two windows take about 80 KiB in all, so there are fewer sessions with compression than without.
"""

from __future__ import annotations

import zlib

#: The window, as a power of two, and the level of memory, with which is deflated: 32 KiB for both.
_WINDOW, _MEMORY = 12, 5

#: How hard the deflater tries, from 1 to 9: IMAP's responses are easy.
_LEVEL = 4

#: The largest window that a client may use, without a header around the data (RFC 4978 section 4).
_CLIENTS_WINDOW = 15

#: What a flush ends in (RFC 1951 section 3.2.4: a stored block of no bytes).  It may also stand elsewhere.
_FLUSHED = b"\0\0\xff\xff"


class NotCompressed(Exception):
    """
    The client sends what is no DEFLATE, or has ended it.  Where the next command would begin is not known.
    """


class Compression:
    """
    Both directions of one connection.  Sans-IO.
    """

    def __init__(self) -> None:
        self._deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -_WINDOW, _MEMORY)
        self._inflater = zlib.decompressobj(-_CLIENTS_WINDOW)
        self._received = b""
        #: How much of that has been inflated.
        self._at = 0
        self._more = False

    def deflate(self, data: bytes | memoryview) -> bytes:
        """
        What to send in place of C{data}; the client can read all of it at once.
        """
        return self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)

    def receive(self, data: bytes) -> None:
        """
        Take what the client has sent.
        """
        self._received = self._received[self._at :] + data
        self._at = 0

    @property
    def waiting(self) -> int:
        """
        Bytes received that have not been inflated yet; 1 if there are none but L{inflate} has more to give.
        """
        return len(self._received) - self._at or int(self._more)

    @property
    def rest(self) -> bytes:
        """
        Bytes received that have not been inflated: what follows, if the client has ended its compression.
        """
        return self._received[self._at :]

    def inflate(self, size: int) -> bytes:
        """
        The next bytes, at most C{size}; none when the client has to send more first.

        @raise NotCompressed:
        """
        if self._inflater.eof:
            raise NotCompressed("the compressed data has ended")
        found = self._received.find(_FLUSHED, self._at)
        end = len(self._received) if found < 0 else found + len(_FLUSHED)
        try:
            data = self._inflater.decompress(memoryview(self._received)[self._at : end], size)
        except zlib.error as error:
            raise NotCompressed(str(error)) from error
        # At the end the other of the two is that of a call before.
        over = self._inflater.eof
        self._at = end - len(self._inflater.unused_data if over else self._inflater.unconsumed_tail)
        # What is inflated already may wait inside, with nothing left to be taken.
        self._more = len(data) == size and not over
        return data
