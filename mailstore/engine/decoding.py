"""
Parts of messages decoded from their transfer encoding while they are read.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection
from mailstore.engine.content import Content, ServedReader, served
from mailstore.engine.raw import RawReader
from mailstore.message.encodings import Binary, Decoding, decodingFor
from mailstore.message.headers import MAX_HEADER
from mailstore.message.index import Ranges
from mailstore.message.sections import Cut, locate
from mailstore.model import Section, SectionKind

#: Bytes that are decoded at once.
_PIECE = 64 * 1024


class Decoded:
    """
    The decoded body of a part, from its beginning to its end.
    """

    def __init__(self, source: Content, cut: Cut, decoding: Decoding) -> None:
        reads = RawReader if isinstance(decoding, Binary) else ServedReader
        self._reader: RawReader | ServedReader = reads(source, cut.start, cut.end)
        self._decoding: Decoding | None = decoding
        self._held = b""

    @classmethod
    def of(
        cls, db: Connection, source: Content, ranges: Ranges, part: tuple[int, ...], cut: Cut
    ) -> Decoded | None:
        """
        The body of a part, which C{cut} is; C{None} when its served form stands for itself: the message as a
        whole, a part that has parts or holds a message (RFC 2045 section 6.4), or one that is not encoded.

        @raise UnknownEncoding:
        """
        if not part or locate(ranges, Section(part=(*part, 1))) is not None:
            return None
        header = locate(ranges, Section(SectionKind.MIME, part))
        assert header is not None
        end = min(header.end, header.start + MAX_HEADER)
        decoding = decodingFor(served(db, source, header.start, end))
        if decoding is None or (source.canonical and isinstance(decoding, Binary)):
            return None
        return cls(source, cut, decoding)

    def read(self, db: Connection, size: int) -> bytes:
        """
        The next C{size} bytes, or fewer at the end; nothing when all have been given.
        """
        gathered = [self._held]
        have = len(self._held)
        while have < size and self._decoding is not None:
            raw = self._reader.read(db, _PIECE)
            if raw:
                piece = self._decoding.feed(raw)
            else:
                piece = self._decoding.finish()
                self._decoding = None
            gathered.append(piece)
            have += len(piece)
        data = b"".join(gathered)
        self._held = data[size:]
        return data[:size]

    def skip(self, db: Connection, size: int) -> int:
        """
        Pass over the next C{size} bytes.

        @return: over how many, if it ends before.
        """
        skipped = 0
        while skipped < size and (piece := self.read(db, min(_PIECE, size - skipped))):
            skipped += len(piece)
        return skipped

    def measure(self, db: Connection, start: int, most: int) -> tuple[int, bytes]:
        """
        How many bytes it has, and at most C{most} of them from C{start} on.
        """
        size = self.skip(db, start)
        found = self.read(db, most)
        return size + len(found) + self.skip(db, 1 << 62), found
