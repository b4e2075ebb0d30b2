"""
The positions of a message's parts, kept small: what is needed to cut any section out of
it without parsing it again.

Layout: one byte L{_FORMAT}, then the parts in preorder.  Each is four
numbers in LEB128 (7 bits a byte, the lowest first, the high bit set on all
but the last)::

    header_start - end of what came before in the part around it
    body_start - header_start
    end - body_start
    number of its parts * 2, or 1 if it holds a message
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from mailstore.message.structure import DEEPEST, MOST_PARTS

_FORMAT = 1


class Ranges(Protocol):
    """
    What L{Part<mailstore.message.structure.Part>} and L{Index} have in common:
    enough to find a section.
    """

    @property
    def header_start(self) -> int: ...
    @property
    def body_start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def parts(self) -> Sequence[Ranges]: ...
    @property
    def message(self) -> Ranges | None: ...


@attrs.frozen
class Index:
    """
    Positions of a part; see L{Part<mailstore.message.structure.Part>}.
    """

    header_start: int
    body_start: int
    end: int
    parts: tuple[Index, ...] = ()
    message: Index | None = None


def dump(part: Ranges) -> bytes:
    """
    The positions of C{part} and all in it, as bytes for L{load}.
    """
    result = bytearray([_FORMAT])
    _dump(part, 0, result)
    return bytes(result)


def load(data: bytes) -> Index:
    """
    What L{dump} made the bytes of.

    @raise ValueError: it made no such bytes.
    """
    if data[:1] != bytes([_FORMAT]):
        raise ValueError("not an index of a message, or one of another format")
    reader = _Reader(data)
    index = reader.part(0, 0)
    if reader.position != len(data):
        raise ValueError("more bytes than an index has")
    return index


def _dump(part: Ranges, base: int, result: bytearray) -> None:
    kind = 1 if part.message is not None else len(part.parts) * 2
    for number in (
        part.header_start - base,
        part.body_start - part.header_start,
        part.end - part.body_start,
        kind,
    ):
        while number > 0x7F:
            result.append(number & 0x7F | 0x80)
            number >>= 7
        result.append(number)
    base = part.body_start
    if part.message is not None:
        _dump(part.message, base, result)
    for each in part.parts:
        _dump(each, base, result)
        base = each.end


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 1
        self._count = 0

    def part(self, base: int, depth: int) -> Index:
        self._count += 1
        if depth > DEEPEST or self._count > 2 * MOST_PARTS:
            raise ValueError("an index of too many parts")
        header_start = base + self._number()
        body_start = header_start + self._number()
        end = body_start + self._number()
        kind = self._number()
        if kind & 1:
            return Index(header_start, body_start, end, (), self.part(body_start, depth + 1))
        parts: list[Index] = []
        base = body_start
        for _ in range(kind // 2):
            parts.append(self.part(base, depth + 1))
            base = parts[-1].end
        return Index(header_start, body_start, end, tuple(parts))

    def _number(self) -> int:
        number = shift = 0
        while shift < 64:
            if self.position >= len(self._data):
                raise ValueError("an index that ends early")
            byte = self._data[self.position]
            self.position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
        raise ValueError("a position that no message has")
