"""
Parts of messages decoded from their transfer encoding while they are read.
"""

from __future__ import annotations

from typing import Protocol

from mailstore.engine.chunks import Content, ServedReader, served
from mailstore.engine.connection import Connection
from mailstore.engine.landmarks import Landmarks
from mailstore.engine.raw import rawPlace
from mailstore.message.encodings import Binary, Decoding, decodingFor
from mailstore.message.headers import MAX_HEADER
from mailstore.message.index import Ranges
from mailstore.message.sections import Cut, locate
from mailstore.model import Section, SectionKind

#: Bytes that are decoded at once.
_PIECE = 64 * 1024


class IDecoded(Protocol):
    """
    The decoded body of a part.
    """

    @property
    def work(self) -> int:
        """
        Bytes that were decoded, or counted, for what it has told.
        """

    def seek(self, db: Connection, start: int) -> None:
        """
        Go to C{start}, or the end if that comes before.
        """

    def read(self, db: Connection, size: int) -> bytes:
        """
        The next C{size} bytes, or fewer at the end; nothing when all have been given.
        """

    def size(self, db: Connection) -> int:
        """
        How many bytes it has.  To read on, L{seek} is to be called first.
        """


def decoded(
    db: Connection, source: Content, ranges: Ranges, part: tuple[int, ...], cut: Cut, landmarks: Landmarks
) -> IDecoded | None:
    """
    The body of a part, which C{cut} is; C{None} when its served form stands for itself: the message as a
    whole, a part that has parts or holds a message (RFC 2045 section 6.4), or one that is not encoded.

    @param landmarks: what is known of messages, and will be.
    @raise UnknownEncoding:
    """
    if not part or locate(ranges, Section(part=(*part, 1))) is not None:
        return None
    header = locate(ranges, Section(SectionKind.MIME, part))
    assert header is not None
    end = min(header.end, header.start + MAX_HEADER)
    places = landmarks.places(source.id, source.stored)
    decoding = decodingFor(served(db, source, header.start, end, places))
    if decoding is None or (source.canonical and isinstance(decoding, Binary)):
        return None
    if isinstance(decoding, Binary):
        return Unserved(db, source, cut, landmarks)
    return Decoded(source, cut, decoding, landmarks)


class Unserved:
    """
    A part as it came.
    """

    def __init__(self, db: Connection, source: Content, cut: Cut, landmarks: Landmarks) -> None:
        places = landmarks.places(source.id, source.stored)
        self._start = rawPlace(db, source, places, cut.start)
        self._end = rawPlace(db, source, places, cut.end)
        # What came is given as it is.
        self._content = Content(source.id, source.stored, source.stored, True)
        self._reader = ServedReader(self._content, self._start, self._end)
        self.work = 0

    def seek(self, db: Connection, start: int) -> None:
        """
        See L{IDecoded.seek}.
        """
        self._reader = ServedReader(self._content, min(self._start + start, self._end), self._end)

    def read(self, db: Connection, size: int) -> bytes:
        """
        See L{IDecoded.read}.
        """
        return self._reader.read(db, size)

    def size(self, db: Connection) -> int:
        """
        See L{IDecoded.size}.
        """
        return self._end - self._start


class Decoded:
    """
    A part that is decoded while it is read.
    """

    def __init__(self, source: Content, cut: Cut, decoding: Decoding, landmarks: Landmarks) -> None:
        self._source = source
        self._cut = cut
        self._places = landmarks.places(source.id, source.stored)
        self._course = landmarks.course(source.id, cut.start, cut.size, decoding)
        self.work = 0
        self._go(0)

    def _go(self, place: int) -> int:
        """
        Go to the last waypoint that is known not to come after a place.

        @return: how many bytes before it.
        """
        waypoint = self._course.before(place)
        self._decoding: Decoding | None = waypoint.decoding
        #: Bytes of the served form that were decoded, and what they gave.
        self._served, self._decoded = waypoint.served, waypoint.decoded
        start = self._cut.start + waypoint.served
        self._reader = ServedReader(self._source, start, self._cut.end, self._places)
        self._held = b""
        return place - waypoint.decoded

    def seek(self, db: Connection, start: int) -> None:
        """
        See L{IDecoded.seek}.
        """
        if self._course.size is not None:
            start = min(start, self._course.size)
        left = self._go(start)
        while left > 0 and (piece := self.read(db, min(_PIECE, left))):
            left -= len(piece)

    def read(self, db: Connection, size: int) -> bytes:
        """
        See L{IDecoded.read}.
        """
        gathered = [self._held]
        have = len(self._held)
        while have < size and self._decoding is not None:
            raw = self._next(db)
            piece = self._decoding.feed(raw) if raw else self._decoding.finish()
            self._note(len(piece), not raw)
            gathered.append(piece)
            have += len(piece)
        data = b"".join(gathered)
        self._held = data[size:]
        return data[:size]

    def size(self, db: Connection) -> int:
        """
        See L{IDecoded.size}.
        """
        while self._course.size is None:
            if self._decoding is None:
                self._go(0)
                continue
            raw = self._next(db)
            self._note(self._decoding.measure(raw) if raw else len(self._decoding.finish()), not raw)
        return self._course.size

    def _next(self, db: Connection) -> bytes:
        raw = self._reader.read(db, _PIECE)
        self._served += len(raw)
        self.work += len(raw)
        return raw

    def _note(self, given: int, is_end: bool) -> None:
        self._decoded += given
        assert self._decoding is not None
        if is_end:
            self._decoding = None
            self._course.size = self._decoded
        else:
            self._course.note(self._served, self._decoded, self._decoding)
