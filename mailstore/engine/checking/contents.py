"""
The bytes of messages and what was made of them.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

from mailstore.engine import content as storing
from mailstore.engine.checking.context import Context
from mailstore.engine.checking.findings import Execute, Fault, counted
from mailstore.engine.checking.lostandfound import LOST, fileContent
from mailstore.engine.chunks import CHUNK, CHUNK_BITS
from mailstore.engine.connection import Connection, Cursor
from mailstore.engine.rendering import renderAgain
from mailstore.engine.uploads import Spool
from mailstore.message import index
from mailstore.message.lines import canonicalSize
from mailstore.model import PUBLIC_ROOT

#: Bytes that are looked at before others may change the store.
_SLICE = 8 << 20

_NO_CONTENT = "NOT EXISTS (SELECT 1 FROM contents c WHERE c.id = {})"

_LOST = f"filed in {PUBLIC_ROOT}/{LOST}, where only the system has rights"


def pieces(context: Context) -> Iterator[Fault | None]:
    """
    Bytes that are there belong to a content.
    """
    found = context.db.execute(
        f"SELECT DISTINCT id >> {CHUNK_BITS} FROM chunks k WHERE"
        f" {_NO_CONTENT.format(f'k.id >> {CHUNK_BITS}')}"
    )
    for (content,) in found:
        yield Fault(
            "content-headless",
            context.where(content),
            "there are its bytes and nothing else",
            f"made again from them; if no message is of it, {_LOST}",
            _restore(context, content),
            content,
        )


class _restore:
    """
    Makes a content of bytes that belong to none.
    """

    def __init__(self, context: Context, content: int) -> None:
        self._context = context
        self._content = content

    def __call__(self, db: Connection) -> None:
        with contextlib.closing(Spool(self._context.limits.upload_memory)) as spool:
            for (chunk,) in _chunks(db, self._content):
                spool.write(chunk)
            digest = spool.digest()
            db.execute(
                f"DELETE FROM chunks WHERE id BETWEEN ?1 << {CHUNK_BITS} AND ((?1 + 1) << {CHUNK_BITS}) - 1",
                (self._content,),
            )
            found = storing.find(db, digest)
            if found is None:
                rendered = self._context.renderer.render(spool.buffer())
                new = storing.insert(db, digest, spool.size, spool.chunks(CHUNK), rendered)
            else:
                new = found[0]
        _join(db, self._content, new)
        if found is None and not db.execute("SELECT refs FROM contents WHERE id = ?", (new,)).fetchone()[0]:
            fileContent(db, new, self._context.clock)


def _chunks(db: Connection, content: int) -> Cursor:
    return db.execute(
        "SELECT CAST(data AS BLOB) FROM chunks"
        f" WHERE id BETWEEN ?1 << {CHUNK_BITS} AND ((?1 + 1) << {CHUNK_BITS}) - 1 ORDER BY id",
        (content,),
    )


def _join(db: Connection, old: int, new: int) -> None:
    """
    Make all messages that are of one content of another.
    """
    db.execute("UPDATE messages SET content = ? WHERE content = ?", (new, old))
    db.execute(
        "UPDATE contents SET refs = (SELECT count(*) FROM messages WHERE content = ?1) WHERE id = ?1", (new,)
    )


def references(context: Context) -> Iterator[Fault | None]:
    """
    Every content knows how many messages are of it.
    """
    found = context.db.execute(
        "SELECT c.id, c.refs, coalesce(m.count, 0) FROM contents c LEFT JOIN"
        " (SELECT content, count(*) AS count FROM messages GROUP BY content) m ON m.content = c.id"
        " WHERE c.refs <> coalesce(m.count, 0)"
    )
    for content, refs, count in found:
        where = context.where(content)
        if count or refs < 0:
            yield Fault(
                "content-refs",
                where,
                f"it is of {counted(count, 'message')}, and says {refs}",
                f"says {count}",
                Execute("UPDATE contents SET refs = ? WHERE id = ?", count, content),
                content,
            )
        else:
            yield Fault(
                "content-lost",
                where,
                f"it is of no message, and says {refs}",
                _LOST,
                _file(context, content),
                content,
            )


class _file:
    """
    Makes a content a message.
    """

    def __init__(self, context: Context, content: int) -> None:
        self._context = context
        self._content = content

    def __call__(self, db: Connection) -> None:
        fileContent(db, self._content, self._context.clock)


def made(context: Context) -> Iterator[Fault | None]:
    """
    What is made of contents is there, and of nothing else.
    """
    db = context.db
    for table, what, identity in (
        ("renditions", "rendition", "id >> 4"),
        ("texts", "text for searching", "id"),
        ("sortings", "key for sorting", "id"),
    ):
        for identifier, content in db.execute(
            f"SELECT id, {identity} FROM {table} t WHERE {_NO_CONTENT.format('t.' + identity)}"
        ):
            yield Fault(
                "content-orphan",
                f"{what} of content {content}",
                "there is no such content",
                "removed",
                Execute(f"DELETE FROM {table} WHERE id = ?", identifier),
            )
    for identifier, kind in db.execute(
        "SELECT id, id & 15 FROM renditions r WHERE NOT EXISTS"
        " (SELECT 1 FROM rendition_kinds k WHERE k.id = r.id & 15)"
    ):
        yield Fault(
            "content-orphan",
            f"rendition of content {identifier >> 4}",
            f"there is no kind {kind}",
            "removed",
            Execute("DELETE FROM renditions WHERE id = ?", identifier),
        )
    yield from _lacking(context)


def _lacking(context: Context) -> Iterator[Fault | None]:
    kinds = context.renderer.kinds.values()
    of_all = context.db.execute("SELECT value FROM meta WHERE key = 'renditions'").fetchone()
    version = context.renderer.version
    # Otherwise everything is made again when the store is opened.
    if of_all != (version,) or not kinds:
        return
    found = context.db.execute(
        "SELECT c.id FROM contents c WHERE c.rendered <> ?"
        " OR NOT EXISTS (SELECT 1 FROM texts t WHERE t.id = c.id)"
        " OR NOT EXISTS (SELECT 1 FROM sortings s WHERE s.id = c.id)"
        " OR (SELECT count(*) FROM renditions r WHERE r.id BETWEEN c.id << 4 AND (c.id << 4) + 15"
        f" AND r.id & 15 IN ({','.join(map(str, kinds))})) < ?",
        (version, len(kinds)),
    )
    for (content,) in found:
        yield Fault(
            "content-made",
            context.where(content),
            "something that is made of it is missing",
            "made again",
            _again(context, content),
            content,
        )


class _again:
    """
    Makes again what is made of a content.
    """

    def __init__(self, context: Context, content: int) -> None:
        self._context = context
        self._content = content

    def __call__(self, db: Connection) -> None:
        renderAgain(db, self._context.renderer, self._content)


# --- the bytes themselves ---------------------------------------------------


def bytesOfAll(context: Context) -> Iterator[Fault | None]:
    """
    Contents have the bytes that they had when they came.
    """
    total = context.value("SELECT sum(stored) FROM contents")
    done = here = last = 0
    while True:
        row = context.db.execute(
            "SELECT id, stored FROM contents WHERE id > ? ORDER BY id LIMIT 1", (last,)
        ).fetchone()
        if row is None:
            return
        last, stored = row
        yield from bytesOfOne(context, last)
        done, here = done + stored, here + stored
        context.progress(done, total)
        if here >= _SLICE:
            here = 0
            yield None


def bytesOfOne(context: Context, content: int) -> Iterator[Fault]:
    """
    Look at one content.
    """
    row = context.db.execute(
        "SELECT hash, refs, stored, size, canonical, structure FROM contents WHERE id = ?", (content,)
    ).fetchone()
    if row is None:
        return
    digest, refs, stored, size, canonical, structure = row
    if len(digest) == storing.TOKEN_BYTES and not refs:
        # It is on its way in, or out.
        return
    problem = _gap(context.db, content, stored)
    if problem:
        yield Fault("content-bytes", context.where(content), f"{problem}: restore a backup", content=content)
        return
    hashed = hashlib.sha256()
    for (chunk,) in _chunks(context.db, content):
        hashed.update(chunk)
    if hashed.digest() != digest:
        yield Fault(
            "content-hash",
            context.where(content),
            "its bytes are not those that came: compare it with a backup",
            "kept as it is now, and no longer given for what came",
            _refile(context, content, hashed.digest()),
            content,
        )
        return
    served, is_canonical = _served(context.db, content, stored)
    if served != size or is_canonical != bool(canonical):
        yield Fault(
            "content-size",
            context.where(content),
            f"it is served in {served} bytes, and says {size}",
            "measured again",
            _measure(context, content, served, is_canonical),
            content,
        )
    elif not _isStructure(structure):
        yield Fault(
            "content-made",
            context.where(content),
            "its structure cannot be read",
            "made again",
            _again(context, content),
            content,
        )


def _gap(db: Connection, content: int, stored: int) -> str:
    """
    What is wrong with the pieces of a content.
    """
    base = content << CHUNK_BITS
    have = 0
    for number, (identifier, length) in enumerate(
        db.execute(
            "SELECT id, CASE typeof(data) WHEN 'blob' THEN length(data) ELSE -1 END FROM chunks"
            " WHERE id BETWEEN ? AND ? ORDER BY id",
            (base, base + (1 << CHUNK_BITS) - 1),
        )
    ):
        if identifier != base + number or length != min(CHUNK, stored - have):
            return f"a piece of it is missing or has another length, after byte {have}"
        have += length
    return "" if have == stored else f"{have} bytes of it are there, and there should be {stored}"


def _served(db: Connection, content: int, stored: int) -> tuple[int, bool]:
    """
    How many bytes a content has as it is served, and whether they are those that came.
    """
    has_nul = False

    def looked() -> Iterator[bytes]:
        nonlocal has_nul
        for (chunk,) in _chunks(db, content):
            has_nul = has_nul or b"\0" in chunk
            yield chunk

    # Line ends that are mended only ever add bytes, and a NUL becomes another byte.
    size = canonicalSize(looked())
    return size, size == stored and not has_nul


def _isStructure(structure: bytes) -> bool:
    try:
        index.load(structure)
    except ValueError:
        return False
    return True


class _refile:
    """
    Keeps changed bytes by the hash that they have now: what came, when it comes again, is kept anew.
    """

    def __init__(self, context: Context, content: int, digest: bytes) -> None:
        self._context = context
        self._content = content
        self._digest = digest

    def __call__(self, db: Connection) -> None:
        other = storing.find(db, self._digest)
        if other is not None:
            _join(db, self._content, other[0])
            db.execute("UPDATE contents SET refs = 0 WHERE id = ?", (self._content,))
            return
        db.execute("UPDATE contents SET hash = ? WHERE id = ?", (self._digest, self._content))
        renderAgain(db, self._context.renderer, self._content)
        (stored,) = db.execute("SELECT stored FROM contents WHERE id = ?", (self._content,)).fetchone()
        served, canonical = _served(db, self._content, stored)
        _measure(self._context, self._content, served, canonical)(db)


class _measure:
    """
    Notes how long a content is as it is served.
    """

    def __init__(self, context: Context, content: int, size: int, canonical: bool) -> None:
        self._context = context
        self._content = content
        self._size = size
        self._canonical = canonical

    def __call__(self, db: Connection) -> None:
        db.execute(
            "UPDATE contents SET size = ?, canonical = ? WHERE id = ?",
            (self._size, int(self._canonical), self._content),
        )
