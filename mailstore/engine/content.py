"""
The bytes of messages: each distinct message is kept once, as it came, in
chunks, and given as it is served (L{mailstore.message.lines}).

A content lives as long as rows of messages name it, and for as long as
somebody is in the middle of reading it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import attrs

from mailstore.engine.connection import Connection
from mailstore.engine.rendering import Rendered
from mailstore.engine.textindex import TextIndex
from mailstore.errors import StoreFault
from mailstore.message.lines import canonicalChunks

#: Bytes of a chunk; only the last one of a content has fewer.
CHUNK = 128 * 1024

#: Where the number of a chunk begins in its id.
CHUNK_BITS = 20

#: Contents that are removed in one go; others wait for the next change.
_SWEEP = 300

#: Bytes of contents from which on their removal is a transaction of its own.
_MUCH = 4 * 1024 * 1024


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


def find(db: Connection, digest: bytes) -> tuple[int, int] | None:
    """
    Id and served size of the content with this SHA-256.
    """
    found: tuple[int, int] | None = db.execute(
        "SELECT id, size FROM contents WHERE hash = ?", (digest,)
    ).fetchone()
    return found


def insert(db: Connection, digest: bytes, stored: int, chunks: Iterable[bytes], rendered: Rendered) -> int:
    """
    Keep a content that is not there yet, and that one message is going to name.

    @param chunks: it as it came, in pieces of L{CHUNK} bytes.
    """
    cursor = db.execute(
        "INSERT INTO contents (hash, refs, stored, size, canonical, sent_day, rendered, structure, thread)"
        " VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)",
        (
            digest,
            stored,
            rendered.size,
            int(rendered.canonical),
            rendered.sent_day,
            rendered.version,
            rendered.structure,
            rendered.keys.thread,
        ),
    )
    content = cursor.lastrowid
    assert content is not None
    base = content << CHUNK_BITS
    count = 0
    for chunk in chunks:
        db.execute("INSERT INTO chunks (id, data) VALUES (?, ?)", (base + count, chunk))
        count += 1
    if not count:
        db.execute("INSERT INTO chunks (id, data) VALUES (?, x'')", (base,))
    rendered.insert(db, content)
    return content


def addReferences(db: Connection, contents: Iterable[int]) -> None:
    """
    Note that one more message names each of these, which may be repeated.
    """
    db.executemany("UPDATE contents SET refs = refs + 1 WHERE id = ?", ((each,) for each in contents))


def dropReferences(db: Connection, contents: Iterable[int]) -> None:
    """
    Note that one message less names each of these, which may be repeated.
    """
    db.executemany("UPDATE contents SET refs = refs - 1 WHERE id = ?", ((each,) for each in contents))


@attrs.frozen
class Unused:
    """
    Some contents that can go.
    """

    contents: tuple[int, ...]
    size: int
    #: There may be others.
    more: bool

    @property
    def is_much(self) -> bool:
        """
        Whether removing them would free so much that whoever takes the place in the same transaction
        would have to remember what was there.
        """
        return self.size >= _MUCH


class Pins:
    """
    Contents that are being read, which must stay although no message names them.
    """

    def __init__(self, index: TextIndex) -> None:
        self._index = index
        self._pinned: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._pinned)

    def pin(self, content: int) -> None:
        """
        Keep a content until it is unpinned as often as it was pinned.
        """
        self._pinned[content] += 1

    def unpin(self, content: int) -> None:
        """
        See L{pin}.
        """
        self._pinned[content] -= 1
        if not self._pinned[content]:
            del self._pinned[content]

    def unused(self, db: Connection) -> Unused:
        """
        Contents that nobody names and nobody reads.

        @param db: sees what is committed and nothing else.  Who expunges a message in a transaction that is
            still open cannot keep others from finding it, and from beginning to read it, until then.
        """
        found = db.execute(
            "SELECT id, stored FROM contents INDEXED BY contents_orphans WHERE refs = 0 LIMIT ?",
            (_SWEEP + len(self._pinned),),
        ).fetchall()
        unused = [each for each in found if each[0] not in self._pinned]
        return Unused(
            tuple(ident for ident, _ in unused), sum(stored for _, stored in unused), len(found) >= _SWEEP
        )

    def sweep(self, db: Connection, unused: Unused) -> None:
        """
        Remove contents that L{unused} has found, without those that somebody names again.
        """
        gone = [
            each
            for each in unused.contents
            if db.execute("SELECT 1 FROM contents WHERE id = ? AND refs = 0", (each,)).fetchone()
        ]
        if not gone:
            return
        rows = [(each,) for each in gone]
        db.executemany(
            f"DELETE FROM chunks WHERE id BETWEEN ?1 << {CHUNK_BITS} AND ((?1 + 1) << {CHUNK_BITS}) - 1", rows
        )
        db.executemany("DELETE FROM renditions WHERE id BETWEEN ?1 << 4 AND ((?1 + 1) << 4) - 1", rows)
        db.executemany("DELETE FROM texts WHERE id = ?", rows)
        db.executemany("DELETE FROM sortings WHERE id = ?", rows)
        db.executemany("DELETE FROM contents WHERE id = ?", rows)
        self._index.removed(db, gone)


class ServedReader:
    """
    Gives a range of a content's served form in pieces, a few chunks at a time,
    going on where it stopped.
    """

    def __init__(self, content: Content, start: int, end: int) -> None:
        self._content = content
        self._left = max(0, end - start)
        if content.canonical:
            self._number, self._skip = divmod(start, CHUNK)
            self._pieces: Iterator[bytes] = self._raw()
        else:
            self._number, self._skip = 0, start
            self._pieces = canonicalChunks(self._raw())
        self._held = b""

    def _raw(self) -> Iterator[bytes]:
        count = max(1, -(-self._content.stored // CHUNK))
        while self._number < count:
            row = self._db.execute(
                "SELECT data FROM chunks WHERE id = ?", ((self._content.id << CHUNK_BITS) + self._number,)
            ).fetchone()
            if row is None:
                raise StoreFault("a piece of a message is missing")
            self._number += 1
            data: bytes = row[0]
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


def served(db: Connection, content: Content, start: int, end: int) -> bytes:
    """
    A range of a content's served form, at once.
    """
    return ServedReader(content, start, end).read(db, end - start)
