"""
A client of the targets that talk to a whole server.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

from tests.imap import support

#: Behind this everything is compressed, in both directions (RFC 4978 section 3).
_COMPRESSED: Final = re.compile(rb"(?:\A|\n)\S+ OK DEFLATE from here on\r\n")

#: Behind this nothing is (RFC 8437 section 4.1).
_UNCOMPRESSED: Final = re.compile(rb"(?:\A|\n)\S+ OK \[[^\]]*\] You are nobody now\r\n")

#: What each write of the server's ends in, when it is compressed.
_FLUSHED: Final = b"\0\0\xff\xff"

_WINDOW: Final = -15


class FuzzClient(support.Client):
    """
    Sends any bytes; compresses them when it was told that it may.
    """

    def __init__(self, server: support.Server) -> None:
        self._deflater: Any = None
        self._inflater: Any = None
        super().__init__(server)

    def send(self, data: bytes) -> None:
        """
        Send bytes, and give nobody a turn.
        """
        if self._deflater is not None:
            data = self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        self.protocol.dataReceived(data)

    def take(self) -> bytes:
        """
        What has come since the last time.
        """
        said: bytes = self.transport.value()
        self.transport.clear()
        plain = b""
        while said:
            if self._inflater is None:
                begins = _COMPRESSED.search(said)
                if begins is None:
                    return plain + said
                self._deflater = zlib.compressobj(wbits=_WINDOW)
                self._inflater = zlib.decompressobj(_WINDOW)
                plain, said = plain + said[: begins.end()], said[begins.end() :]
            else:
                one, flushed, said = said.partition(_FLUSHED)
                text = self._inflater.decompress(one + flushed)
                plain += text
                if _UNCOMPRESSED.search(text) is not None:
                    self._deflater = self._inflater = None
        return plain
