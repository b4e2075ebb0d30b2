"""
What is made of a message when it is delivered, so that reading it later
takes no more than copying bytes: its structure, its renditions, and its texts
folded for searching.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from mmap import ACCESS_READ, mmap

import attrs

from mailstore.engine.chunks import chunksOf
from mailstore.engine.connection import Connection
from mailstore.engine.database import Database
from mailstore.engine.limits import EngineLimits
from mailstore.engine.textindex import TextIndex
from mailstore.engine.uploads import Spool
from mailstore.errors import StoreFault
from mailstore.message import headers, index, text
from mailstore.message.lines import Buffer, canonicalChunks, isCanonical
from mailstore.message.sorting import SortKeys, sortKeys
from mailstore.message.structure import MAX_DEPTH, MAX_PARTS, Message, parse

#: To be raised whenever something that is kept becomes another: the structure's
#: bytes (L{mailstore.message.index}), what is sorted by
#: (L{mailstore.message.sorting}), the texts or the way they are folded
#: (L{mailstore.message.text}), the day sent.  Then everything is made again.
VERSION = 2

#: Renditions that there can be.
MAX_KINDS = 16

#: Bytes of a message that are converted to the served form in memory; more go
#: through a temporary file.
_IN_MEMORY = 1024 * 1024

#: Contents of which everything is made again in one transaction.
_AGAIN = 100

Rendition = Callable[[Message], bytes]


def renditionsOf(content: int) -> tuple[int, int]:
    """
    The first and the last id that renditions of a content can have.
    """
    return content << 4, ((content + 1) << 4) - 1


@attrs.frozen
class Rendered:
    """
    Everything that is made of a message.
    """

    version: str
    size: int
    canonical: bool
    sent_day: int | None
    structure: bytes
    renditions: tuple[tuple[int, bytes], ...]
    header: str
    body: str
    parts: str
    keys: SortKeys

    def insert(self, db: Connection, content: int) -> None:
        """
        Keep what is kept beside the row of the content, in the place of what is there.
        """
        db.executemany(
            "INSERT INTO renditions (id, data) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            [((content << 4) + kind, data) for kind, data in self.renditions],
        )
        db.execute(
            "INSERT INTO texts (id, header, body, parts) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET header = excluded.header, body = excluded.body, parts = excluded.parts",
            (content, self.header, self.body, self.parts),
        )
        keys = self.keys
        db.execute(
            "INSERT INTO sortings"
            " (id, sent, subject, is_reply, sender, recipient, copied, message, refs)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET sent = excluded.sent,"
            " subject = excluded.subject, is_reply = excluded.is_reply, sender = excluded.sender,"
            " recipient = excluded.recipient, copied = excluded.copied, message = excluded.message,"
            " refs = excluded.refs",
            (
                content,
                keys.sent,
                _storable(keys.subject),
                int(keys.is_reply),
                _storable(keys.sender),
                _storable(keys.recipient),
                _storable(keys.copied),
                keys.references.message,
                keys.references.references,
            ),
        )


class Renderer:
    """
    Makes everything that is made of messages.

    @ivar kinds: the number of each rendition, by name.
    """

    def __init__(self, renditions: Mapping[str, Rendition], version: int, limits: EngineLimits) -> None:
        self._renditions = dict(renditions)
        self._limits = limits
        mime = (limits.max_mime_depth, limits.max_mime_parts)
        names = "+".join(sorted(renditions))
        self.version = f"{VERSION}.{version}.{names}"
        if mime != (MAX_DEPTH, MAX_PARTS):
            self.version += f".{mime[0]}x{mime[1]}"
        self.kinds: dict[str, int] = {}

    def number(self, db: Connection) -> None:
        """
        Find the numbers of the renditions, or give them some.
        """
        known: dict[str, int] = dict(db.execute("SELECT name, id FROM rendition_kinds"))
        free = [each for each in range(MAX_KINDS) if each not in known.values()]
        for name in self._renditions:
            if name not in known:
                if not free:
                    raise StoreFault(f"a store can keep at most {MAX_KINDS} renditions")
                known[name] = free.pop(0)
                db.execute("INSERT INTO rendition_kinds (id, name) VALUES (?, ?)", (known[name], name))
        self.kinds = {name: known[name] for name in self._renditions}

    def recall(self, db: Connection) -> bool:
        """
        Find the numbers of the renditions, if all of them have one.

        @return: whether they are what this makes.
        """
        known: dict[str, int] = dict(db.execute("SELECT name, id FROM rendition_kinds"))
        if all(name in known for name in self._renditions):
            self.kinds = {name: known[name] for name in self._renditions}
        (made,) = db.execute("SELECT value FROM meta WHERE key = 'renditions'").fetchone()
        return bool(made == self.version)

    def render(self, raw: Buffer) -> Rendered:
        """
        Make everything of a message given as it came.
        """
        if isCanonical(raw):
            return self._render(raw, True)
        if len(raw) <= _IN_MEMORY:
            return self._render(b"".join(canonicalChunks(_windows(raw))), False)
        with tempfile.TemporaryFile(prefix="mailstore-") as file:
            for piece in canonicalChunks(_windows(raw)):
                file.write(piece)
            file.flush()
            with mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
                return self._render(mapped, False)

    def _render(self, data: Buffer, canonical: bool) -> Rendered:
        message = parse(data, self._limits.max_mime_depth, self._limits.max_mime_parts)
        lines = (f"{name}: {text.fold(value)}\n" for name, value in _oneLine(text.headerText(message)))
        return Rendered(
            version=self.version,
            size=len(data),
            canonical=canonical,
            sent_day=headers.sentDay(message),
            structure=index.dump(message.root),
            renditions=tuple((self.kinds[name], make(message)) for name, make in self._renditions.items()),
            header=_storable("".join(lines)),
            body=_storable(text.fold(text.bodyText(message))),
            parts=_storable(text.fold(text.partHeaderText(message))),
            keys=sortKeys(message),
        )


def _windows(raw: Buffer) -> Iterable[bytes]:
    return (raw[at : at + _IN_MEMORY] for at in range(0, len(raw), _IN_MEMORY))


def _oneLine(fields: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((name, value.replace("\n", " ")) for name, value in fields)


def _storable(value: str) -> str:
    """
    The text without what UTF-8 cannot hold.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def bringUpToDate(database: Database, renderer: Renderer, index: TextIndex) -> None:
    """
    Make everything again of messages of which something else was made than
    C{renderer} makes.  When this is interrupted it goes on the next time.

    @raise StoreError: the database cannot be used.
    """
    database.transaction(renderer.number)
    with database.reading() as db:
        (made,) = db.execute("SELECT value FROM meta WHERE key = 'renditions'").fetchone()
    if made == renderer.version:
        return
    # Made again from other texts, which is done when the store is in use again.
    database.transaction(index.reset)
    after = 0
    while after >= 0:
        start = after
        after = database.transaction(lambda db: _again(db, renderer, start))  # noqa: B023
    database.transaction(
        lambda db: db.execute("UPDATE meta SET value = ? WHERE key = 'renditions'", (renderer.version,))
    )


def _again(db: Connection, renderer: Renderer, after: int) -> int:
    """
    Do it for some contents after one.

    @return: the last one done; -1 when there are no more.
    """
    found = db.execute(
        "SELECT id FROM contents WHERE id > ? AND rendered <> ? ORDER BY id LIMIT ?",
        (after, renderer.version, _AGAIN),
    ).fetchall()
    for (content,) in found:
        renderAgain(db, renderer, content)
    return found[-1][0] if found else -1


def renderAgain(db: Connection, renderer: Renderer, content: int) -> None:
    """
    Make everything again of one content.
    """
    with contextlib.closing(Spool(_IN_MEMORY)) as spool:
        for (chunk,) in db.execute(
            "SELECT data FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id", chunksOf(content)
        ):
            spool.write(chunk)
        rendered = renderer.render(spool.buffer())
    db.execute("DELETE FROM renditions WHERE id BETWEEN ? AND ?", renditionsOf(content))
    rendered.insert(db, content)
    db.execute(
        "UPDATE contents SET sent_day = ?, structure = ?, rendered = ?, thread = ? WHERE id = ?",
        (rendered.sent_day, rendered.structure, rendered.version, rendered.keys.thread, content),
    )
