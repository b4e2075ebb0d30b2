"""
The MIME parser, and all that is made of a message.
"""

from __future__ import annotations

import random

from mailstore.imap.renditions import RENDITIONS
from mailstore.message.headers import sentDay
from mailstore.message.index import Ranges, dump, load
from mailstore.message.lines import canonicalChunks, canonicalSize, isCanonical
from mailstore.message.sections import filterHeader, locate
from mailstore.message.structure import MAX_DEPTH, MAX_PARTS, Message, Part, parse
from mailstore.message.text import bodyText, fold, headerText, partHeaderText
from mailstore.model import Section, SectionKind
from tests.fuzz.examples import MESSAGE_TOKENS, messages
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target, check
from tests.message.imapsyntax import checkBody, checkEnvelope, read

#: Bytes of a rendition for each byte of its message, and for each of its parts.
_BYTES_PER_BYTE = 40
_BYTES_PER_PART = 400


class MessageTarget(Target):
    """
    Any bytes are a message, and everything that is said of it is well formed and consistent.
    """

    name = "message"

    def __init__(self) -> None:
        self._mutator = Mutator(messages(), MESSAGE_TOKENS, 20_000)

    def make(self, rng: random.Random) -> bytes:
        """
        A message, and what has become of it.
        """
        return self._mutator.make(rng)

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        Deliver it.
        """
        served = b"".join(canonicalChunks([data]))
        check(canonicalSize([data]) == len(served), "the size is not that of the served form")
        check(isCanonical(served), "the served form is not canonical")
        message = parse(served)
        parts = _allParts(message.root)
        check(len(parts) <= MAX_PARTS + 1, f"{len(parts)} parts")
        self._ranges(message, parts)
        self._renditions(message, len(parts))
        self._sections(message, rng)
        self._texts(message)

    def _ranges(self, message: Message, parts: list[tuple[Part, int]]) -> None:
        for part, depth in parts:
            check(depth <= MAX_DEPTH, f"{depth} deep")
            check(0 <= part.header_start <= part.body_start <= part.end <= len(message.data), "not a range")
            at = part.body_start
            for each in (*part.parts, *(() if part.message is None else (part.message,))):
                check(at <= each.header_start and each.end <= part.end, "a part is not in its part")
                at = each.end
        index = load(dump(message.root))
        check(_positions(index) == _positions(message.root), "the index is another")

    def _renditions(self, message: Message, count: int) -> None:
        for name, render in RENDITIONS.items():
            rendered = render(message)
            check(
                len(rendered) <= _BYTES_PER_BYTE * len(message.data) + _BYTES_PER_PART * (count + 1),
                f"{name} has {len(rendered)} bytes",
            )
            value = read(rendered)
            if name == "envelope":
                checkEnvelope(value)
            elif name == "preview":
                # RFC 8970 section 3.1: 200 characters, of at most 4 bytes each.
                check(isinstance(value, bytes) and len(value.decode()) <= 200, "a preview is no short text")
            else:
                checkBody(value, extended=name == "bodystructure")

    def _sections(self, message: Message, rng: random.Random) -> None:
        part = tuple(rng.choice([1, 1, 2, 3, 9]) for _ in range(rng.randrange(4)))
        for kind in SectionKind:
            fields = ("subject", "X-y") if kind in (SectionKind.FIELDS, SectionKind.FIELDS_NOT) else ()
            cut = locate(message.root, Section(kind, part, fields, None))
            if cut is None:
                continue
            check(0 <= cut.start <= cut.end <= len(message.data), "a section is no range")
            if cut.fields is not None:
                header = bytes(message.data[cut.start : cut.end])
                check(len(filterHeader(header, cut.fields, cut.negate)) <= len(header), "a header has grown")

    def _texts(self, message: Message) -> None:
        for _, value in headerText(message):
            fold(value)
        fold(bodyText(message))
        partHeaderText(message)
        sentDay(message)


def _allParts(root: Part) -> list[tuple[Part, int]]:
    """
    All parts and messages with their depths.
    """
    found = [(root, 0)]
    for part, depth in found:
        found += ((each, depth + 1) for each in part.parts)
        if part.message is not None:
            found.append((part.message, depth + 1))
    return found


def _positions(root: Ranges) -> list[tuple[int, int, int, int, bool]]:
    found = []
    todo = [root]
    while todo:
        part = todo.pop()
        found.append(
            (part.header_start, part.body_start, part.end, len(part.parts), part.message is not None)
        )
        todo += part.parts
        if part.message is not None:
            todo.append(part.message)
    return found
