"""
The bytes of a content, kept as they came in chunks, and given as they are served
(L{mailstore.message.lines}).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import attrs

from mailstore.engine.connection import Connection
from mailstore.errors import StoreFault
from mailstore.message.lines import canonicalChunks
from mailstore.model import uint64s

#: Bytes of a chunk of a content; only the last one has fewer.
CHUNK = 128 * 1024

#: Where the number of a chunk begins in its id.
CHUNK_BITS = 20


def chunksOf(content: int) -> tuple[int, int]:
    """
    The first and the last id that chunks of a content can have.
    """
    return content << CHUNK_BITS, ((content + 1) << CHUNK_BITS) - 1


@attrs.frozen
class Content:
    """
    Where a message's bytes are.
    """

    id: int
    #: Bytes as it came.
    stored: int
    #: Bytes as it is served.
    size: int
    #: Both are the same bytes.
    canonical: bool


class Place(NamedTuple):
    """
    The beginning of a chunk.
    """

    number: int
    #: Bytes of the served form of all that comes before.
    served: int
    #: The byte before is a CR.
    after_cr: bool


class Places:
    """
    Where the chunks of a content begin in its served form, as far as that is known.
    """

    def __init__(self) -> None:
        # Twice the place, and 1 after a CR.
        self._places: array[int] = uint64s((0,))

    def before(self, served: int) -> Place:
        """
        The last chunk that is known not to begin after C{served}.
        """
        number = bisect_right(self._places, 2 * served + 1) - 1
        return Place(number, self._places[number] >> 1, bool(self._places[number] & 1))

    def note(self, place: Place) -> None:
        """
        Learn a place, if it is the first one that is not known.
        """
        if place.number == len(self._places):
            self._places.append(2 * place.served + place.after_cr)


def chunkOf(db: Connection, content: Content, number: int) -> bytes:
    """
    One chunk of a content.

    @raise StoreFault: it is missing.
    """
    row = db.execute(
        "SELECT data FROM chunks WHERE id = ?", ((content.id << CHUNK_BITS) + number,)
    ).fetchone()
    if row is None:
        raise StoreFault("a piece of a message is missing")
    data: bytes = row[0]
    return data


class ServedReader:
    """
    Gives a range of a content's served form in pieces, a few chunks at a time,
    going on where it stopped.
    """

    def __init__(self, content: Content, start: int, end: int, places: Places | None = None) -> None:
        """
        @param places: what is known of the content, and will be.
        """
        self._content = content
        self._left = max(0, end - start)
        if content.canonical:
            self._number, self._skip = divmod(start, CHUNK)
            self._pieces: Iterator[bytes] = self._raw()
        else:
            self._places = places or Places()
            self._number, self._given, after_cr = self._places.before(start)
            # The CR stands before what it belongs to.
            self._given -= after_cr
            self._skip = start - self._given
            self._pieces = canonicalChunks(self._noting(b"\r" if after_cr else b""))
        self._held = b""

    def _raw(self) -> Iterator[bytes]:
        count = max(1, -(-self._content.stored // CHUNK))
        while self._number < count:
            data = chunkOf(self._db, self._content, self._number)
            self._number += 1
            yield data

    def _noting(self, data: bytes) -> Iterator[bytes]:
        """
        Noting where each chunk begins: at that moment all before it has been given but a CR at its end.
        """
        yield data
        for chunk in self._raw():
            after_cr = data.endswith(b"\r")
            self._places.note(Place(self._number - 1, self._given + after_cr, after_cr))
            data = chunk
            yield data

    def read(self, db: Connection, size: int) -> bytes:
        """
        The next C{size} bytes, or fewer at the end; nothing when all have been given.
        """
        self._db = db
        size = min(size, self._left)
        gathered = [self._held]
        have = len(self._held)
        while have < size:
            piece = next(self._pieces, None)
            if piece is None:
                raise StoreFault("a message is shorter than it was")
            if not self._content.canonical:
                self._given += len(piece)
            if self._skip:
                skipped = min(self._skip, len(piece))
                self._skip -= skipped
                piece = piece[skipped:]
            gathered.append(piece)
            have += len(piece)
        data = b"".join(gathered) if len(gathered) > 1 else gathered[0]
        self._held = data[size:]
        self._left -= size
        return data[:size]


def served(db: Connection, content: Content, start: int, end: int, places: Places | None = None) -> bytes:
    """
    A range of a content's served form, at once.

    @param places: what is known of the content, and will be.
    """
    return ServedReader(content, start, end, places).read(db, end - start)
