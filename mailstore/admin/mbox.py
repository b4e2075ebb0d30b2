"""
Messages in an mbox file (RFC 4155), read line by line in bounded memory.

A message begins after a line that begins with C{From } and stands first in the
file or after an empty line.  When the first such line has a date, the others
must have one too, so that a sentence that begins with the word does not tear a
message apart.  A quoted C{>From } loses one C{>} (the mboxrd rule).  The empty
line before the next message belongs to the mbox, not to the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import IO

import attrs

from mailstore.admin.dates import Arrival, fromLineDate, receivedDate

#: Bytes that are read as one line; a longer one comes in pieces.
_LONGEST_LINE = 1 << 16

_QUOTED = re.compile(rb">+From ")

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
    from_line = file.readline(_LONGEST_LINE)
    if not from_line.startswith(b"From "):
        return
    dated = fromLineDate(from_line) is not None
    lines: list[bytes] = []
    size = 0
    # Whether the line before is whole, and whether it is an empty one.
    whole, empty = from_line.endswith(b"\n"), False
    for line in iter(partial(file.readline, _LONGEST_LINE), b""):
        if empty and line.startswith(b"From ") and (not dated or fromLineDate(line) is not None):
            yield _entry(from_line, lines, size, largest, empty)
            from_line, lines, size = line, [], 0
            whole, empty = line.endswith(b"\n"), False
            continue
        if whole and line.startswith(b">") and _QUOTED.match(line):
            line = line[1:]
        size += len(line)
        if size <= largest + 2:
            lines.append(line)
        empty = whole and line in (b"\n", b"\r\n")
        whole = line.endswith(b"\n")
    yield _entry(from_line, lines, size, largest, empty)


def _entry(from_line: bytes, lines: list[bytes], size: int, largest: int, empty: bool) -> Entry:
    """
    @param empty: the last line is the empty one that belongs to the mbox.
    """
    # Two more than the largest were kept, for the empty line that goes away.
    if size > largest + 2:
        return Entry(from_line, None)
    if empty and lines:
        size -= len(lines.pop())
    return Entry(from_line, b"".join(lines) if size <= largest else None)


def statusFlags(message: bytes) -> tuple[str, ...]:
    """
    The flags that mail readers keep in the header (C{Status: RO}, C{X-Status: AF}).
    """
    found = _END_OF_HEADER.search(message)
    header = message[: found.start() + 1] if found else message[:65536]
    letters = "".join(each.decode() for each in _STATUS.findall(header)).upper()
    return tuple(flag for letter, flag in _FLAGS.items() if letter in letters)
