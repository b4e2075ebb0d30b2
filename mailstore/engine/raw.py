"""
The bytes of a part as they came, of which only places in the served form are known
(L{mailstore.message.lines}): what is in the encoding C{binary} may hold NUL, and its LF are
no line ends (RFC 2045 section 2.9).
"""

from __future__ import annotations

from mailstore.engine.chunks import CHUNK, Content, Place, Places, chunkOf
from mailstore.engine.connection import Connection


def rawPlace(db: Connection, content: Content, places: Places, served: int) -> int:
    """
    How many bytes of a content become the first C{served} bytes of its served form.

    @param places: what is known of it, and will be.
    """
    last = max(0, -(-content.stored // CHUNK) - 1)
    place = places.before(served)
    while True:
        chunk = chunkOf(db, content, place.number)
        after = place.served + len(chunk) + _added(chunk, place.after_cr, 0, len(chunk))
        if after >= served or place.number >= last:
            return place.number * CHUNK + _placeIn(chunk, place.after_cr, served - place.served)
        place = Place(place.number + 1, after, chunk.endswith(b"\r"))
        places.note(place)


def _added(chunk: bytes, after_cr: bool, start: int, end: int) -> int:
    """
    How many LF in a range of a chunk get a CR when they are served.
    """
    first = after_cr and start == 0 < end and chunk.startswith(b"\n")
    return chunk.count(b"\n", start, end) - chunk.count(b"\r\n", max(0, start - 1), end) - first


def _placeIn(chunk: bytes, after_cr: bool, served: int) -> int:
    """
    How many bytes of a chunk become the first C{served} bytes of its served form.
    """
    # All up to low become no more than that; with each step half of what is left is counted.
    low, high = 0, min(len(chunk), max(0, served))
    left = max(0, served)
    while low < high:
        middle = (low + high + 1) // 2
        size = middle - low + _added(chunk, after_cr, low, middle)
        if size <= left:
            low, left = middle, left - size
        else:
            high = middle - 1
    return low
