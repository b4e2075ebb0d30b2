"""
Messages in an mbox file (RFC 4155), read in bounded memory.

A message begins after a line that begins with C{From } and stands first in the
file or after an empty line.  When the first such line has a date, the others
must have one too, so that a sentence that begins with the word does not tear a
message apart.  A quoted C{>From } loses one C{>} (the mboxrd rule).  The empty
line before the next message belongs to the mbox, not to the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

import attrs

from mailstore.admin.dates import Arrival, fromLineDate, receivedDate

#: Bytes that are read at once; a line that is longer comes in pieces.
_BLOCK = 1 << 18

#: Bytes of a C{From } line that are looked at; what comes after belongs to the message.
_LONGEST_FROM = 1 << 16

_FROM = b"From "

_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)

#: The same, where the first byte begins no line.
_QUOTED_LATER = re.compile(rb"(?<=\n)>(?=>*From )")

_END_OF_HEADER = re.compile(rb"\n\r?\n")

#: C{Status} and C{X-Status} fields, in which mail readers keep flags.
_STATUS = re.compile(rb"^(?:X-)?Status:[ \t]*([A-Za-z]*)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

_FLAGS = {"R": "\\Seen", "A": "\\Answered", "F": "\\Flagged", "D": "\\Deleted", "T": "\\Draft"}


@attrs.frozen
class Entry:
    """
    One message of an mbox.
    """

    #: The line before it, which tells when it arrived.
    from_line: bytes
    #: C{None} when it is larger than was wanted.
    content: bytes | None

    @property
    def arrival(self) -> Arrival | None:
        """
        When it arrived, if that can be told.
        """
        return fromLineDate(self.from_line) or receivedDate(self.content or b"")


def entries(file: IO[bytes], largest: int) -> Iterator[Entry]:
    """
    The messages in a file, in order; none if it does not begin as an mbox.

    @param largest: bytes that a message may have.
    @raise OSError: the file cannot be read.
    """
    message: _Message | None = None
    dated = False
    # Whether the byte before the block ends a line, and whether that line is empty or there is none.
    whole, empty = True, True
    for block in _blocks(file):
        at = 0
        for start in _starts(block, whole, empty):
            from_line = _line(block, start)
            if message is None:
                if start:
                    return
                dated = fromLineDate(from_line) is not None
            elif dated and fromLineDate(from_line) is None:
                continue
            else:
                message.add(block[at:start], whole)
                yield message.entry(True)
            message = _Message(from_line, largest)
            at = start + len(from_line)
            whole = from_line.endswith(b"\n")
        if message is None:
            return
        message.add(block[at:], whole)
        rest = block[at:]
        empty = (whole and rest in (b"\n", b"\r\n")) or rest.endswith((b"\n\n", b"\n\r\n"))
        whole = block.endswith(b"\n")
    if message is not None:
        yield message.entry(empty)


class _Message:
    """
    A message as it is gathered.
    """

    def __init__(self, from_line: bytes, largest: int) -> None:
        self._from_line = from_line
        self._largest = largest
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes, whole: bool) -> None:
        """
        Take a piece, which ends a line or is a part of a very long one.

        @param whole: it begins a line.
        """
        if b">From " in piece:
            piece = (_QUOTED if whole else _QUOTED_LATER).sub(b"", piece)
        self._size += len(piece)
        # Two more than the largest are kept, for the empty line that goes away.
        if self._size <= self._largest + 2:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def entry(self, empty: bool) -> Entry:
        """
        All of it.

        @param empty: the last line is the empty one that belongs to the mbox.
        """
        if self._size > self._largest + 2:
            return Entry(self._from_line, None)
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if empty:
            content = content[: -2 if content.endswith(b"\r\n") else -1]
        return Entry(self._from_line, content if len(content) <= self._largest else None)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """
    What is in a file, cut where lines end unless they are very long.
    """
    held = b""
    while data := file.read(_BLOCK):
        data = held + data
        end = data.rfind(b"\n") + 1 or (len(data) if len(data) >= _BLOCK else 0)
        held = data[end:]
        if end:
            yield data[:end]
    if held:
        yield held


def _starts(block: bytes, whole: bool, empty: bool) -> Iterator[int]:
    """
    Where lines of a block begin that begin with C{From } and come after an empty line.

    @param whole: the block begins a line.
    @param empty: the line before the block is an empty one.
    """
    if empty and block.startswith(_FROM):
        yield 0
    at = block.find(b"\nFrom ")
    while at >= 0:
        before = at - 1 if block[max(0, at - 1) : at] == b"\r" else at
        if block[before - 1] == 0x0A if before else whole:
            yield at + 1
        at = block.find(b"\nFrom ", at + 1)


def _line(block: bytes, start: int) -> bytes:
    """
    The line that begins there, as far as it is looked at.
    """
    end = block.find(b"\n", start, start + _LONGEST_FROM) + 1
    return block[start : end or start + _LONGEST_FROM]


def statusFlags(message: bytes) -> tuple[str, ...]:
    """
    The flags that mail readers keep in the header (C{Status: RO}, C{X-Status: AF}).
    """
    found = _END_OF_HEADER.search(message)
    header = message[: found.start() + 1] if found else message[:65536]
    letters = "".join(each.decode() for each in _STATUS.findall(header)).upper()
    return tuple(flag for letter, flag in _FLAGS.items() if letter in letters)
