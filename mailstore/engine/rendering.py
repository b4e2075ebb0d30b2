"""
What is made of a message when it is delivered, so that reading it later
takes no more than copying bytes: its structure, its renditions, and its texts
folded for searching.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Mapping
from mmap import ACCESS_READ, mmap

import attrs

from mailstore.errors import StoreFault
from mailstore.message import headers, index, text
from mailstore.message.lines import Buffer, canonicalChunks, isCanonical
from mailstore.message.structure import Message, parse

#: Changes when what this module makes of a message changes; then everything is made again.
VERSION = 1

#: Renditions that there can be.
MAX_KINDS = 16

#: Bytes of a message that are converted to the served form in memory; more go
#: through a temporary file.
_IN_MEMORY = 1024 * 1024

Rendition = Callable[[Message], bytes]


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

    def insert(self, db: sqlite3.Connection, content: int) -> None:
        """
        Keep what is kept beside the row of the content, in the place of what is there.
        """
        db.executemany(
            "INSERT OR REPLACE INTO renditions (id, data) VALUES (?, ?)",
            [((content << 4) + kind, data) for kind, data in self.renditions],
        )
        db.execute(
            "INSERT OR REPLACE INTO texts (id, header, body) VALUES (?, ?, ?)",
            (content, self.header, self.body),
        )


class Renderer:
    """
    Makes everything that is made of messages.

    @ivar kinds: the number of each rendition, by name.
    """

    def __init__(self, renditions: Mapping[str, Rendition], version: int) -> None:
        self._renditions = dict(renditions)
        self.version = f"{VERSION}.{version}.{'+'.join(sorted(renditions))}"
        self.kinds: dict[str, int] = {}

    def number(self, db: sqlite3.Connection) -> None:
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
        message = parse(data)
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
