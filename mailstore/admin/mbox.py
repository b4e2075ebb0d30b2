"""
Messages in an mbox file (RFC 4155), by offsets: the file is mapped, not read.

A message begins after a line that begins with C{From } and stands first in the
file or after an empty line.  When the first such line has a date, the others
must have one too, so that a sentence that begins with the word does not tear a
message apart.  A quoted C{>From } loses one C{>} (the mboxrd rule).  The empty
line before the next message belongs to the mbox, not to the message.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from typing import IO

from mailstore.admin.dates import Arrival, fromLineDate, receivedDate

_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)

_END_OF_HEADER = re.compile(rb"\n\r?\n")

#: C{Status} and C{X-Status} fields, in which mail readers keep flags.
_STATUS = re.compile(rb"^(?:X-)?Status:[ \t]*([A-Za-z]*)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

_FLAGS = {"R": "\\Seen", "A": "\\Answered", "F": "\\Flagged", "D": "\\Deleted", "T": "\\Draft"}

#: Bytes of a C{From } line that are looked at.
_LONGEST_LINE = 1000


class Mbox:
    """
    An open mbox file.  To be closed.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        """
        @param size: bytes that the file has now; what is added later is not seen.
        """
        self._data: mmap.mmap | bytes = b""
        if size:
            self._data = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """
        Let go of the file.
        """
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """
        Per message: where its C{From } line begins, where it begins itself, and where it ends.
        """
        data = self._data
        if not data or data[:5] != b"From ":
            return
        dated = fromLineDate(self._line(0)) is not None
        start = 0
        while start < len(data):
            begin = self._lineEnd(start)
            found = self._next(begin, dated)
            yield start, begin, self._withoutEmptyLine(begin, found)
            start = found

    def message(self, begin: int, end: int) -> bytes:
        """
        The bytes of one message, with its quoted lines restored.
        """
        content = self._data[begin:end]
        return _QUOTED.sub(rb"\1", content) if b">From " in content else content

    def arrival(self, start: int, message: bytes) -> Arrival | None:
        """
        When the message after this C{From } line arrived.
        """
        return fromLineDate(self._line(start)) or receivedDate(message)

    def _line(self, start: int) -> bytes:
        return self._data[start : min(self._lineEnd(start), start + _LONGEST_LINE)]

    def _lineEnd(self, start: int) -> int:
        end = self._data.find(b"\n", start)
        return len(self._data) if end < 0 else end + 1

    def _next(self, begin: int, dated: bool) -> int:
        """
        Where the next C{From } line begins, or the end of the file.
        """
        # One back: a message without a line stands between two C{From } lines.
        at = begin - 1
        while (at := self._data.find(b"\nFrom ", at)) >= 0:
            after_empty_line = self._data[max(0, at - 1) : at] == b"\n" or (
                self._data[max(0, at - 2) : at] == b"\n\r"
            )
            if (after_empty_line or at == begin - 1) and (
                not dated or fromLineDate(self._line(at + 1)) is not None
            ):
                return at + 1
            at += 1
        return len(self._data)

    def _withoutEmptyLine(self, begin: int, end: int) -> int:
        tail = self._data[max(begin, end - 3) : end]
        if tail.endswith(b"\n\r\n") or tail == b"\r\n":
            return end - 2
        if tail.endswith(b"\n\n") or tail == b"\n":
            return end - 1
        return end


def statusFlags(message: bytes) -> tuple[str, ...]:
    """
    The flags that mail readers keep in the header (C{Status: RO}, C{X-Status: AF}).
    """
    found = _END_OF_HEADER.search(message)
    header = message[: found.start() + 1] if found else message[:65536]
    letters = "".join(each.decode() for each in _STATUS.findall(header)).upper()
    return tuple(flag for letter, flag in _FLAGS.items() if letter in letters)
