"""
DEFLATE between a session and its link (RFC 4978).

  - What a client sends is inflated when the session asks for it, a piece at a time: a few bytes
    that stand for many take no more room than the many would, uncompressed.
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
        self._compressed = b""
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
        self._compressed += data

    @property
    def waiting(self) -> int:
        """
        Bytes received that have not been inflated yet; 1 if there are none but L{inflate} has more to give.
        """
        return len(self._compressed) or int(self._more)

    def inflate(self, size: int) -> bytes:
        """
        The next bytes, at most C{size}; none when the client has to send more first.

        @raise NotCompressed:
        """
        try:
            data = self._inflater.decompress(self._compressed, size)
        except zlib.error as error:
            self._compressed = b""
            raise NotCompressed(str(error)) from error
        self._compressed = self._inflater.unconsumed_tail
        # What is inflated already may wait inside, with nothing left to be taken.
        self._more = len(data) == size
        if self._inflater.eof:
            self._compressed = b""
            self._more = False
            if not data:
                raise NotCompressed("the compressed data has ended")
        return data
