"""
The contents of messages: each distinct message is kept once, as it came, in
chunks (L{mailstore.engine.chunks}).

A content lives as long as rows of messages name it, and for as long as
somebody is in the middle of reading it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from mailstore.engine.chunks import CHUNK_BITS
from mailstore.engine.connection import Connection
from mailstore.engine.rendering import Rendered
from mailstore.engine.textindex import TextIndex

#: Contents that are removed in one go; others wait for the next change.
_SWEEP = 300

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


def insert(db: Connection, digest: bytes, stored: int, chunks: Iterable[bytes], rendered: Rendered) -> int:
    """
    Keep a content that is not there yet, and that one message is going to name.

    @param chunks: it as it came, in pieces of L{CHUNK<mailstore.engine.chunks.CHUNK>} bytes.
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
