"""
The bytes of a part as they came, of which only places in the served form are known
(L{mailstore.message.lines}): what is in the encoding C{binary} may hold NUL, and its LF are
no line ends (RFC 2045 section 2.9).
"""

from __future__ import annotations

import re

from mailstore.engine.connection import Connection
from mailstore.engine.content import CHUNK, CHUNK_BITS, Content
from mailstore.errors import StoreFault

#: A LF that gets a CR when it is served.
_BARE = re.compile(rb"(?<!\r)\n")


class RawReader:
    """
    Gives a range of a content in pieces, going on where it stopped.
    """

    def __init__(self, content: Content, start: int, end: int) -> None:
        """
        @param start: where it begins in the served form.
        @param end: where it ends there.
        """
        self._content = content
        self._start = start
        self._end = end
        #: The next chunk, and where it begins in the served form.
        self._number = 0
        self._place = 0
        self._after_cr = False

    def read(self, db: Connection, size: int) -> bytes:
        """
        The next piece, of any length whatever C{size} is; nothing when all have been given.
        """
        count = max(1, -(-self._content.stored // CHUNK))
        while self._number < count and self._place < self._end:
            row = db.execute(
                "SELECT data FROM chunks WHERE id = ?", ((self._content.id << CHUNK_BITS) + self._number,)
            ).fetchone()
            if row is None:
                raise StoreFault("a piece of a message is missing")
            self._number += 1
            piece = self._cut(row[0])
            if piece:
                return piece
        return b""

    def _cut(self, chunk: bytes) -> bytes:
        """
        What of a chunk, the next one, is in the range.
        """
        begins, after_cr = self._place, self._after_cr
        paired = chunk.count(b"\r\n") + (after_cr and chunk.startswith(b"\n"))
        self._place += len(chunk) + chunk.count(b"\n") - paired
        self._after_cr = chunk.endswith(b"\r")
        if self._place <= self._start:
            return b""
        first = _placeIn(chunk, after_cr, self._start - begins)
        last = len(chunk) if self._place <= self._end else _placeIn(chunk, after_cr, self._end - begins)
        return chunk[first:last]


def _placeIn(chunk: bytes, after_cr: bool, served: int) -> int:
    """
    How many bytes of a chunk become the first C{served} bytes of its served form.
    """
    added = 0
    for match in _BARE.finditer(chunk):
        at = match.start()
        if at + added >= served:
            break
        added += not (after_cr and at == 0)
    return max(0, served - added)
