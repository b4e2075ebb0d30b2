"""
What the lists of cases are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from mailstore.imap.wire.extensions import Extension
from mailstore.imap.wire.reader import Reader


@attrs.frozen
class Production:
    """
    What reads and what writes one production of the grammar.
    """

    name: str
    read: Callable[[Reader], Any]
    write: Callable[[Any], bytes]
    utf8: bool = False
    #: The least that it needs.
    extensions: frozenset[Extension] = frozenset()

    def readAll(self, parts: tuple[bytes, ...], extensions: frozenset[Extension] | None = None) -> Any:
        """
        The value of parts that are nothing else.

        @param extensions: what is known, if not what it needs.
        @raise ParseError:
        """
        known = self.extensions if extensions is None else extensions
        reader = Reader(parts, utf8=self.utf8, extensions=known)
        value = self.read(reader)
        reader.end()
        return value


@attrs.frozen
class Case:
    """
    Something well formed.
    """

    production: Production
    wire: bytes
    value: Any
    #: How it is written, where that is not C{wire}.
    written: bytes = b""

    @property
    def name(self) -> str:
        """
        What it shows.
        """
        return f"{self.production.name} {_slug(self.wire)}"


@attrs.frozen
class BadCase:
    """
    Something that is not well formed.
    """

    production: Production
    wire: bytes

    @property
    def name(self) -> str:
        """
        What it shows.
        """
        return f"{self.production.name} {_slug(self.wire)}"


def _slug(wire: bytes) -> str:
    return "".join(chr(each) if chr(each).isalnum() and each < 128 else f"_{each:02x}" for each in wire[:80])
