"""
The contents of messages: each distinct message is kept once, as it came, in
chunks (L{mailstore.engine.chunks}).

A content lives as long as rows of messages name it, and for as long as
somebody is in the middle of reading it.  Large ones come and go in several transactions.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator

import attrs

from mailstore.engine.chunks import CHUNK, CHUNK_BITS, chunksOf
from mailstore.engine.connection import Connection
from mailstore.engine.dialect import BY_ORPHANS
from mailstore.engine.rendering import Rendered, renditionsOf
from mailstore.engine.textindex import TextIndex
from mailstore.errors import StoreBusy

#: Contents that are removed in one go; others wait for the next change.
_SWEEP = 100

#: Bytes of contents that are removed in one go.
_SWEEP_BYTES = 8 * 1024 * 1024

#: Bytes of what a content has in place of its hash that is not there as a whole: fewer than a hash has.
TOKEN_BYTES = 16

#: Its chunks, or its renditions.
_OF_CONTENT = "id BETWEEN ? AND ?"

#: Bytes of contents from which on their removal is a transaction of its own.
_MUCH = 4 * 1024 * 1024


def find(db: Connection, digest: bytes) -> tuple[int, int] | None:
    """
    Id and served size of the content with this SHA-256.
    """
    found: tuple[int, int] | None = db.execute(
        "SELECT id, size FROM contents WHERE hash = ?", (digest,)
    ).fetchone()
    return found


def isNamed(db: Connection, digest: bytes) -> bool:
    """
    Whether there is a content with this SHA-256 that messages name: another one may be gone at any moment.
    """
    found = db.execute("SELECT 1 FROM contents WHERE hash = ? AND refs > 0", (digest,)).fetchone()
    return found is not None


def insert(db: Connection, digest: bytes, stored: int, chunks: Iterable[bytes], rendered: Rendered) -> int:
    """
    Keep a content that is not there yet, and that one message is going to name.

    @param chunks: it as it came, in pieces of L{CHUNK<mailstore.engine.chunks.CHUNK>} bytes.
    """
    content = _insert(db, digest, 1, stored, rendered)
    base = content << CHUNK_BITS
    count = 0
    for chunk in chunks:
        db.execute("INSERT INTO chunks (id, data) VALUES (?, ?)", (base + count, chunk))
        count += 1
    if not count:
        db.execute("INSERT INTO chunks (id, data) VALUES (?, ?)", (base, b""))
    return content


def _insert(db: Connection, digest: bytes, refs: int, stored: int, rendered: Rendered) -> int:
    (content,) = db.execute(
        "INSERT INTO contents (hash, refs, stored, size, canonical, sent_day, rendered, structure, thread)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            digest,
            refs,
            stored,
            rendered.size,
            int(rendered.canonical),
            rendered.sent_day,
            rendered.version,
            rendered.structure,
            rendered.keys.thread,
        ),
    ).fetchone()
    rendered.insert(db, content)
    return int(content)


class Arriving:
    """
    A large content on its way in, written in slices: L{begin} once, L{more} until there is no more, L{end}.

    Until the end nobody names it, and instead of its hash it has a token that no content has, so nobody
    finds it.  What is left of one that does not come to its end is removed as all contents are that nobody
    names.  Meanwhile it is to be pinned.

    @ivar id: its id; 0 before it has one.
    """

    def __init__(self, stored: int, chunks: Iterator[bytes], rendered: Rendered) -> None:
        """
        @param stored: its bytes as it came; not none.
        @param chunks: them, in pieces of L{CHUNK} bytes.
        """
        self.id = 0
        self._stored = stored
        self._chunks = chunks
        self._rendered = rendered
        self._token = secrets.token_bytes(TOKEN_BYTES)
        self._count = 0

    def begin(self, db: Connection) -> None:
        """
        Write all but its bytes.
        """
        self.id = _insert(db, self._token, 0, self._stored, self._rendered)

    def more(self, db: Connection, size: int) -> bool:
        """
        Write the next of its bytes.

        @return: whether there are more.
        @raise StoreBusy: another program has removed it.
        """
        self._require(db)
        for _ in range(max(1, size // CHUNK)):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            number = (self.id << CHUNK_BITS) + self._count
            db.execute("INSERT INTO chunks (id, data) VALUES (?, ?)", (number, chunk))
            self._count += 1
        return True

    def end(self, db: Connection, digest: bytes) -> None:
        """
        Let it be a content that one message is going to name.

        @raise StoreBusy: another program has removed it.
        """
        self._require(db)
        db.execute("UPDATE contents SET hash = ?, refs = 1 WHERE id = ?", (digest, self.id))

    def _require(self, db: Connection) -> None:
        found = db.execute("SELECT 1 FROM contents WHERE id = ? AND hash = ?", (self.id, self._token))
        if found.fetchone() is None:
            raise StoreBusy("another program has removed what was being written")


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

    #: Ids, and bytes of each.
    contents: tuple[tuple[int, int], ...]
    #: There may be others.
    more: bool

    @property
    def is_much(self) -> bool:
        """
        Whether removing them would free so much that whoever takes the place in the same transaction
        would have to remember what was there.
        """
        return sum(stored for _, stored in self.contents) >= _MUCH


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
            f"SELECT id, stored FROM contents {BY_ORPHANS} WHERE refs = 0 LIMIT ?",
            (_SWEEP + len(self._pinned),),
        ).fetchall()
        unused: list[tuple[int, int]] = []
        size = 0
        for content, stored in found:
            if content not in self._pinned:
                size += stored
                if unused and size > _SWEEP_BYTES:
                    return Unused(tuple(unused), True)
                unused.append((content, stored))
        return Unused(tuple(unused), len(found) >= _SWEEP or size > _SWEEP_BYTES)

    def sweep(self, db: Connection, unused: Unused) -> None:
        """
        Remove contents that L{unused} has found, without those that somebody names again.  A large one
        takes several times.
        """
        gone: list[int] = []
        for content, stored in unused.contents:
            if not db.execute("SELECT 1 FROM contents WHERE id = ? AND refs = 0", (content,)).fetchone():
                continue
            if stored <= _SWEEP_BYTES or self._shorten(db, content):
                gone.append(content)
        if not gone:
            return
        rows = [(each,) for each in gone]
        db.executemany(f"DELETE FROM chunks WHERE {_OF_CONTENT}", map(chunksOf, gone))
        db.executemany(f"DELETE FROM renditions WHERE {_OF_CONTENT}", map(renditionsOf, gone))
        db.executemany("DELETE FROM texts WHERE id = ?", rows)
        db.executemany("DELETE FROM sortings WHERE id = ?", rows)
        db.executemany("DELETE FROM contents WHERE id = ?", rows)
        self._index.removed(db, gone)

    def _shorten(self, db: Connection, content: int) -> bool:
        """
        Remove some of the bytes of a large content, which nobody is to find by its hash any more.

        @return: there are none left.
        """
        db.execute("UPDATE contents SET hash = ? WHERE id = ?", (secrets.token_bytes(TOKEN_BYTES), content))
        removed = db.execute(
            f"DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE {_OF_CONTENT} LIMIT ?)",
            (*chunksOf(content), _SWEEP_BYTES // CHUNK),
        )
        return removed.rowcount == 0
