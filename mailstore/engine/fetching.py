"""
Reading messages: columns of many, and sections of one.

Flags are slices of the folder's snapshot; everything else comes by one SELECT
for each run of messages that stand together, and is copied, never made.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

from mailstore.engine.chunks import CHUNK, CHUNK_BITS, Content, Places, ServedReader, served
from mailstore.engine.connection import Connection
from mailstore.engine.decoding import IDecoded, decoded
from mailstore.engine.landmarks import Landmarks
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import Views
from mailstore.engine.snapshot import Snapshot
from mailstore.engine.users import Viewer
from mailstore.errors import InvalidRequest, StoreFault
from mailstore.message import index
from mailstore.message.headers import MAX_HEADER
from mailstore.message.index import Ranges
from mailstore.message.lines import canonicalChunks
from mailstore.message.sections import Cut, applyPartial, filterHeader, locate
from mailstore.model import FetchBatch, FetchSpec, Section, SectionKind, UidSet, uint64s

#: Bytes that a row of a batch has beside its values.
_ROW_COST = 40

#: Columns that are always read first; see L{_statement}.
_COLUMNS = 6

_Value = bytes | int | None
_CONTENT = "c.id, c.stored, c.size, c.canonical, c.structure"


def emailId(digest: bytes) -> str:
    """
    What names a content, from its SHA-256 (RFC 8474 section 5.1).
    """
    return f"M{digest[:16].hex()}"


def threadId(thread: bytes) -> str:
    """
    What names a conversation (RFC 8474 section 5.2).
    """
    return f"T{thread.hex()}"


class Fetch:
    """
    One fetch, batch by batch.  Each batch is of one moment; what is expunged between
    two of them is left out, and what arrives comes along.
    """

    def __init__(
        self,
        views: Views,
        limits: EngineLimits,
        kinds: dict[str, int],
        landmarks: Landmarks,
        uids: UidSet,
        spec: FetchSpec,
    ) -> None:
        """
        @param kinds: the renditions that there are.
        @param landmarks: what is known of large messages, and will be.
        @raise InvalidRequest: one is asked for that there is not.
        """
        for name in spec.renditions:
            if name not in kinds:
                raise InvalidRequest("there is no such rendition")
        self._views = views
        self._limits = limits
        self._landmarks = landmarks
        self._uids = uids
        self._spec = spec
        self._after = 0
        self._view: Snapshot | None = None
        self._runs: list[tuple[int, int]] = []
        self._statement = _statement(kinds, spec)

    def batch(self, db: Connection, row: FolderRow, viewer: Viewer) -> FetchBatch | None:
        """
        The next one; C{None} when there are no more messages.
        """
        view, _ = self._views.get(db, row, viewer)
        if view is not self._view:
            self._view = view
            self._runs = view.runs(self._uids, self._after)
            self._runs.reverse()
        if not self._runs:
            return None
        if self._statement is None:
            taken = self._take(self._limits.batch_rows)
            batch = self._flags(view, row, taken)
        else:
            batch = self._read(db, view, row)
        return batch

    def _take(self, count: int) -> list[tuple[int, int]]:
        """
        The next C{count} positions, which are done then.
        """
        taken: list[tuple[int, int]] = []
        while self._runs and count:
            low, high = self._runs.pop()
            if high - low > count:
                self._runs.append((low + count, high))
                high = low + count
            taken.append((low, high))
            count -= high - low
        assert self._view is not None
        self._after = self._view.uids[taken[-1][1] - 1]
        return taken

    def _flags(self, view: Snapshot, row: FolderRow, runs: list[tuple[int, int]]) -> FetchBatch:
        columns = view.columns(runs)
        flags = self._spec.flags
        return FetchBatch(
            uids=columns.uids,
            flags=columns.flags if flags else b"",
            modseqs=columns.modseqs if self._spec.modseq else b"",
            keywords=row.keywordNames() if flags else (),
        )

    def _read(self, db: Connection, view: Snapshot, row: FolderRow) -> FetchBatch:
        values = _Values(self._spec, self._limits, self._landmarks)
        assert self._statement is not None
        for low, high in reversed(self._runs):
            expected = min(self._limits.batch_rows - values.count, high - low)
            if not expected or not values.addAll(
                db, db.execute(self._statement, (row.id, view.uids[low], view.uids[high - 1], expected))
            ):
                break
        batch = self._flags(view, row, self._take(values.count))
        return values.complete(batch)


def _statement(kinds: dict[str, int], spec: FetchSpec) -> str | None:
    """
    What reads all that the snapshot does not have; C{None} when it has all.
    """
    of_content = spec.email_id or spec.thread_id or spec.sections
    if not (spec.internal_date or spec.size or spec.save_date or spec.renditions or of_content):
        return None
    columns = ["m.internal_date, m.zone, m.size, m.saved"]
    joins: list[str] = []
    if of_content:
        columns.append("c.hash, c.thread")
        joins.append("LEFT JOIN contents c ON c.id = m.content")
    else:
        columns.append("NULL, NULL")
    for number, name in enumerate(spec.renditions):
        columns.append(f"r{number}.data")
        joins.append(f"LEFT JOIN renditions r{number} ON r{number}.id = (m.content << 4) + {kinds[name]}")
    if spec.sections:
        columns.append(f"{_CONTENT}, k.data")
        joins.append(f"LEFT JOIN chunks k ON k.id = m.content << {CHUNK_BITS}")
    return (
        f"SELECT {', '.join(columns)} FROM messages m {' '.join(joins)}"
        " WHERE m.folder = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid LIMIT ?"
    )


class _Values:
    """
    The columns of a batch that do not come from the snapshot, growing.
    """

    def __init__(self, spec: FetchSpec, limits: EngineLimits, landmarks: Landmarks) -> None:
        self.count = 0
        self._bytes = 0
        self._spec = spec
        self._limits = limits
        self._landmarks = landmarks
        self._dates = uint64s()
        self._zones = array("h")
        self._sizes = uint64s()
        self._saved = uint64s()
        self._email_ids: list[str] = []
        self._thread_ids: list[str | None] = []
        self._renditions: list[tuple[bytes, ...]] = []
        self._sections: list[tuple[_Value, ...]] = []

    def addAll(self, db: Connection, rows: Iterable[tuple[Any, ...]]) -> bool:
        """
        Add rows as long as there is room.

        @return: there was for all.
        """
        return all(self._add(db, row) for row in rows)

    def _add(self, db: Connection, row: tuple[Any, ...]) -> bool:
        spec = self._spec
        cost = _ROW_COST
        date, zone, size, saved, digest, thread = row[:_COLUMNS]
        sections_at = _COLUMNS + len(spec.renditions)
        renditions: tuple[bytes, ...] = row[_COLUMNS:sections_at]
        for each in renditions:
            if each is None:
                raise StoreFault("a rendition of a message is missing")
            cost += len(each)
        sections: tuple[_Value, ...] = ()
        if spec.sections:
            if self.count and self._bytes + cost > self._limits.batch_bytes:
                return False
            sections, work = _sections(db, row[sections_at:], spec.sections, self._limits, self._landmarks)
            cost += work + sum(len(each) if isinstance(each, bytes) else 8 for each in sections)
        if self.count and self._bytes + cost > self._limits.batch_bytes:
            return False
        self._bytes += cost
        self.count += 1
        if spec.internal_date:
            self._dates.append(date)
            self._zones.append(zone)
        if spec.size:
            self._sizes.append(size)
        if spec.save_date:
            self._saved.append(saved)
        if spec.email_id:
            self._email_ids.append(emailId(digest))
        if spec.thread_id:
            self._thread_ids.append(None if thread is None else threadId(thread))
        if renditions:
            self._renditions.append(renditions)
        if sections:
            self._sections.append(sections)
        return True

    def complete(self, batch: FetchBatch) -> FetchBatch:
        """
        The batch with these columns added.
        """
        return FetchBatch(
            uids=batch.uids,
            flags=batch.flags,
            modseqs=batch.modseqs,
            keywords=batch.keywords,
            internal_dates=self._dates.tobytes(),
            zones=self._zones.tobytes(),
            sizes=self._sizes.tobytes(),
            renditions=tuple(zip(*self._renditions, strict=True)),
            sections=tuple(zip(*self._sections, strict=True)),
            email_ids=tuple(self._email_ids),
            thread_ids=tuple(self._thread_ids),
            save_dates=self._saved.tobytes(),
        )


def _sections(
    db: Connection,
    row: tuple[Any, ...],
    wanted: tuple[Section, ...],
    limits: EngineLimits,
    landmarks: Landmarks,
) -> tuple[tuple[_Value, ...], int]:
    """
    The values of sections, and how many bytes had to be decoded for them.
    """
    ident, stored, size, canonical, structure, chunk = row
    if chunk is None:
        raise StoreFault("a piece of a message is missing")
    source = Content(ident, stored, size, bool(canonical))
    ranges = index.load(structure)
    whole: bytes | None = None
    if stored <= CHUNK:
        whole = chunk if canonical else b"".join(canonicalChunks((chunk,)))
    places = landmarks.places(ident, stored)
    room = max(limits.batch_bytes, limits.inline_section)
    values: list[_Value] = []
    work = 0
    for section in wanted:
        cut = locate(ranges, section)
        if cut is None:
            values.append(None)
            continue
        header = _filtered(db, source, whole, cut, places)
        body = _decoded(db, source, ranges, section, cut, landmarks)
        window = b""
        if body is not None:
            if not section.size_only:
                # Most often that is all of it.
                first, most = (0, limits.inline_section) if section.partial is None else section.partial
                body.seek(db, max(0, first))
                window = body.read(db, min(max(0, most), limits.inline_section))
            size = body.size(db)
            work += body.work
        else:
            size = cut.size if header is None else len(header)
        start, end = applyPartial(size, section.partial)
        length = end - start
        if section.size_only:
            values.append(size)
            continue
        if length > limits.inline_section or length > room:
            values.append(length)
            continue
        room -= length
        if body is not None:
            values.append(window[:length])
        elif header is not None:
            values.append(header[start:end])
        else:
            values.append(_range(db, source, whole, cut.start + start, cut.start + end, places))
    return tuple(values), work


def _range(
    db: Connection, source: Content, whole: bytes | None, start: int, end: int, places: Places
) -> bytes:
    return served(db, source, start, end, places) if whole is None else whole[start:end]


def _filtered(db: Connection, source: Content, whole: bytes | None, cut: Cut, places: Places) -> bytes | None:
    """
    The fields of a header that a cut asks for; C{None} when it asks for a range.
    """
    if cut.fields is None:
        return None
    header = _range(db, source, whole, cut.start, min(cut.end, cut.start + MAX_HEADER), places)
    return filterHeader(header, cut.fields, cut.negate)


def _decoded(
    db: Connection, source: Content, ranges: Ranges, section: Section, cut: Cut, landmarks: Landmarks
) -> IDecoded | None:
    if section.kind is not SectionKind.BINARY:
        return None
    return decoded(db, source, ranges, section.part, cut, landmarks)


class OriginalReader:
    """
    Gives one message as it came, in pieces.
    """

    def __init__(self, db: Connection, row: FolderRow, uid: int) -> None:
        """
        @raise InvalidRequest: there is no such message.
        """
        found = db.execute(
            "SELECT c.id, c.stored FROM messages m JOIN contents c ON c.id = m.content"
            " WHERE m.folder = ? AND m.uid = ? AND m.uid < ?",
            (row.id, uid, row.uid_next),
        ).fetchone()
        if found is None:
            raise InvalidRequest("there is no such message")
        #: The content that is read, to be pinned.
        self.content: int = found[0]
        # What is its own served form is given as it is.
        self._reader = ServedReader(Content(found[0], found[1], found[1], True), 0, found[1])

    def read(self, db: Connection, size: int) -> bytes:
        """
        The next piece; nothing when all have been given.
        """
        return self._reader.read(db, size)


class SectionReader:
    """
    Gives one section of one message in pieces.
    """

    def __init__(
        self, db: Connection, row: FolderRow, uid: int, section: Section, landmarks: Landmarks
    ) -> None:
        """
        @param landmarks: what is known of large messages, and will be.
        @raise InvalidRequest: no such message or no such part.
        @raise UnknownEncoding: it cannot be decoded.
        """
        found = db.execute(
            f"SELECT {_CONTENT} FROM messages m JOIN contents c ON c.id = m.content"
            " WHERE m.folder = ? AND m.uid = ? AND m.uid < ?",
            (row.id, uid, row.uid_next),
        ).fetchone()
        if found is None:
            raise InvalidRequest("there is no such message")
        ident, stored, size, canonical, structure = found
        source = Content(ident, stored, size, bool(canonical))
        ranges = index.load(structure)
        cut = locate(ranges, section)
        if cut is None:
            raise InvalidRequest("the message has no such part")
        #: The content that is read, to be pinned.
        self.content: int = ident
        self._decoded = _decoded(db, source, ranges, section, cut, landmarks)
        self._left = 0
        if self._decoded is not None:
            start, self._left = (0, 1 << 62) if section.partial is None else section.partial
            self._decoded.seek(db, max(0, start))
        places = landmarks.places(ident, stored)
        self._header = _filtered(db, source, None, cut, places)
        start, end = applyPartial(cut.size if self._header is None else len(self._header), section.partial)
        self._at, self._end = start, end
        self._reader = ServedReader(source, cut.start + start, cut.start + end, places)

    def read(self, db: Connection, size: int) -> bytes:
        """
        The next piece; nothing when all have been given.
        """
        if self._decoded is not None:
            data = self._decoded.read(db, max(0, min(size, self._left)))
            self._left -= len(data)
            return data
        if self._header is None:
            return self._reader.read(db, size)
        piece = self._header[self._at : min(self._at + size, self._end)]
        self._at += len(piece)
        return piece
