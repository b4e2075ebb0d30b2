"""
The served form of a message: every line ends with CRLF and there is no NUL.

Messages are kept as they came.  What IMAP sends is their served form, since
a literal of RFC 9051 holds no NUL (section 4.3) and a message has lines that
end with CRLF (RFC 5322 section 2.1).  A CR without LF is left alone: it is
neither a line end nor forbidden on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from mmap import mmap

#: Something that can be sliced and searched without a copy of the whole.
Buffer = bytes | mmap

#: Bytes looked at in one go, so that a big file that is mapped is never copied whole.
WINDOW = 1 << 18

#: Bytes in which something is looked for in one go.
_FAR = 1 << 21

#: Stands in the served form where a NUL was.
NUL_STANDS_AS = b"\x80"


def find(data: Buffer, wanted: bytes, start: int) -> int:
    """
    Where something is in a message, from a place on; -1 when it is not.  As C{find} of the data, but a
    long way in steps, between which other threads have their turn.
    """
    end = len(data)
    while start < end:
        stop = min(start + _FAR, end)
        found = data.find(wanted, start, min(stop + len(wanted) - 1, end))
        if found >= 0:
            return found
        start = stop
    return -1


def isCanonical(data: Buffer) -> bool:
    """
    Whether C{data} is its own served form: every LF follows a CR, and there
    is no NUL.
    """
    if find(data, b"\0", 0) >= 0:
        return False
    after_cr = False
    for start in range(0, len(data), WINDOW):
        window = data[start : start + WINDOW]
        paired = window.count(b"\r\n") + (after_cr and window.startswith(b"\n"))
        if window.count(b"\n") != paired:
            return False
        after_cr = window.endswith(b"\r")
    return True


def canonicalChunks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """
    The served form of a message given in pieces, in pieces: a LF gets the CR
    it lacks, also where the two fall into different pieces, and a NUL
    becomes L{NUL_STANDS_AS}.  Pieces may be empty; the result does not
    depend on where the message is cut.
    """
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        held = b"\r" if chunk.endswith(b"\r") else b""
        if held:
            chunk = chunk[:-1]
        if chunk:
            yield chunk.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\0", NUL_STANDS_AS)
    if held:
        yield held


def canonicalSize(chunks: Iterable[bytes]) -> int:
    """
    How many bytes the served form of a message given in pieces has.
    """
    return sum(map(len, canonicalChunks(chunks)))


class LineCounter:
    """
    Counts line ends up to positions that mostly go forward, in linear time over all.
    """

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._position = 0
        self._count = 0

    def upTo(self, position: int) -> int:
        """
        The number of LF before C{position}.
        """
        while self._position < position:
            stop = min(position, self._position + WINDOW)
            self._count += self._data[self._position : stop].count(b"\n")
            self._position = stop
        if self._position > position:
            return self._count - self._data[position : self._position].count(b"\n")
        return self._count
