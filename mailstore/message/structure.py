"""
The MIME structure of a message (RFC 2045, RFC 2046): which bytes are which part.

One pass over the message, from one line that begins with C{--} to the next:
no line is looked at twice, and the boundaries of all open multiparts are one
dict, so that the work does not depend on how deep they are nested.

How broken messages are read:

  - A part's header ends at its first empty line, or at a boundary line.  A part
    whose first line has no colon has no header: all of it is body.  But a "From "
    line of an mbox may come first, and lines that are no fields may come
    later: they are part of the header, and passed over.
  - A boundary line is C{--}, the boundary, C{--} if it closes, and white
    space; nothing else may follow, so that similar boundaries do not meet.
    If several open multiparts have the same boundary it is the innermost
    one's.  A boundary line of an outer multipart ends the inner ones.
  - A multipart with no boundary line in it, or with no boundary, cannot be taken apart, and
    RFC 9051 has no way to write a multipart without parts: it is one part
    C{text/plain}, so that its reader sees what is there.
  - A C{message/rfc822} or C{message/global} in an encoding (RFC 2046 section
    5.2.1 forbids it) is no message before it is decoded: C{application/octet-stream}.
  - What cannot be a type is C{text/plain; charset=us-ascii}, or in a
    C{multipart/digest} C{message/rfc822} (RFC 2045 section 5.2, RFC 2046 section 5.1.5).
"""

from __future__ import annotations

import re

import attrs

from mailstore.message import mime
from mailstore.message.headers import MAX_HEADER
from mailstore.message.lines import Buffer, LineCounter, find
from mailstore.message.mime import Params

#: Multiparts and messages that are opened within one another, unless L{parse} is told otherwise,
#: and the most that it can be told.
MAX_DEPTH, DEEPEST = 50, 100

#: Parts that a message is taken apart into, unless L{parse} is told otherwise, and the most that it
#: can be told; the last one holds all the rest.
MAX_PARTS, MOST_PARTS = 1000, 10_000

#: Bytes of headers, of all parts together, that are looked into.  A part
#: met after they are used up is the last one, and holds all the rest.
MAX_HEADERS = 2 * MAX_HEADER

_EMPTY_LINE = re.compile(rb"\n\r?\n")

_PLAIN = (b"text", b"plain")
_OPAQUE = (b"application", b"octet-stream")
_MESSAGES = ((b"message", b"rfc822"), (b"message", b"global"))
_DEFAULT_PARAMS: Params = ((b"charset", b"us-ascii"),)

# Encodings that leave the bytes as they are (RFC 2045 section 6.2).
_IDENTITIES = (b"7bit", b"8bit", b"binary")


@attrs.frozen
class Part:
    """
    A message, or a part of one: three positions in its bytes, what its header says, and its parts.
    """

    #: Where its header begins; the empty line belongs to the header.
    header_start: int
    #: Where its header ends and its body begins.
    body_start: int
    #: Where its body ends.  The line end before a boundary line belongs to the
    #: boundary (RFC 2046 section 5.1.1).
    end: int
    #: Line ends in its body.
    body_lines: int
    #: In lower case, as are L{subtype}, L{encoding}, and names of parameters.
    type: bytes
    subtype: bytes
    params: Params = ()
    #: Values of Content-ID and so on, unfolded; C{None} when there is no such field.
    id: bytes | None = None
    description: bytes | None = None
    encoding: bytes = b"7bit"
    md5: bytes | None = None
    disposition: tuple[bytes, Params] | None = None
    language: tuple[bytes, ...] = ()
    location: bytes | None = None
    #: Its parts, if it is a multipart; then at least one.
    parts: tuple[Part, ...] = ()
    #: The message that it holds, if it is a C{message/rfc822} or C{message/global}; then never C{None}.
    message: Part | None = None


@attrs.frozen
class Message:
    """
    A message in its served form, with its structure.
    """

    data: Buffer = attrs.field(repr=False)
    root: Part


def parse(data: Buffer, max_depth: int | None = None, max_parts: int | None = None) -> Message:
    """
    Find the structure of a message, given whole and in its served form
    (L{mailstore.message.lines}).  Any bytes at all have one.

    @param max_depth: multiparts and messages that are opened within one another, at most L{DEEPEST}.
    @param max_parts: parts that it is taken apart into, at most L{MOST_PARTS}.
    """
    depth = MAX_DEPTH if max_depth is None else max_depth
    return Message(data, _Scan(data, depth, MAX_PARTS if max_parts is None else max_parts).run())


@attrs.define
class _Open:
    # A part whose end is not known yet.
    header_start: int
    body_start: int
    lines_before: int
    fields: dict[bytes, bytes]
    type: bytes = b""
    subtype: bytes = b""
    params: Params = ()
    encoding: bytes = b"7bit"
    #: While its boundary is looked for.
    boundary: bytes | None = None
    parts: list[Part] = attrs.field(factory=list)
    message: Part | None = None
    holds_message: bool = False


class _Scan:
    # Parts that are open are on a stack, the outermost first; all but the
    # innermost are multiparts or hold a message.

    def __init__(self, data: Buffer, max_depth: int, max_parts: int) -> None:
        self._data = data
        self._max_depth = max_depth
        self._max_parts = max_parts
        self._size = len(data)
        self._lines = LineCounter(data)
        self._stack: list[_Open] = []
        # Boundary -> places on the stack of the multiparts that have it, innermost last.
        self._boundaries: dict[bytes, list[int]] = {}
        # The next line that begins with "--" and has not been looked at; the end if there is none.
        self._dashes = -1
        # The next empty line: where the line end before it is, and where what follows begins.
        self._empty_line = (-1, -1)
        self._count = 0
        self._header_bytes = 0

    def run(self) -> Part:
        self._begin(0, _PLAIN)
        while True:
            found = self._nextBoundary(self._size)
            if found is None:
                break
            position, following, place, closes = found
            self._endBefore(position, place + 1)
            multipart = self._stack[place]
            if closes:
                self._forget(multipart)
            else:
                digest = multipart.subtype == b"digest"
                self._begin(following, _MESSAGES[0] if digest else _PLAIN)
                if self._full():
                    break
        self._endAt(self._size, 1)
        return self._close(self._stack.pop(), self._size)

    def _full(self) -> bool:
        return self._count >= self._max_parts or self._header_bytes >= MAX_HEADERS

    def _begin(self, start: int, default: tuple[bytes, bytes]) -> None:
        # Put the part that begins at start on the stack, and if it holds a message that message too.
        while True:
            body_start = self._bodyStart(start)
            header_size = min(body_start - start, MAX_HEADER)
            self._count += 1
            self._header_bytes += header_size
            fields = mime.contentFields(self._data[start : start + header_size])
            part = _Open(start, body_start, self._lines.upTo(body_start), fields)
            self._classify(part, default)
            self._stack.append(part)
            if not part.holds_message:
                return
            start = body_start
            default = _PLAIN

    def _classify(self, part: _Open, default: tuple[bytes, bytes]) -> None:
        given = part.fields.get(b"type")
        parsed = None if given is None else mime.contentType(given)
        if parsed is not None:
            part.type, part.subtype, part.params = parsed
        else:
            part.type, part.subtype = default
            if default == _PLAIN:
                part.params = _DEFAULT_PARAMS
        part.encoding = mime.encoding(part.fields.get(b"transfer-encoding", b""))
        opens = len(self._stack) < self._max_depth and not self._full()
        if part.type == b"multipart":
            boundary = dict(part.params).get(b"boundary", b"").rstrip(b" \t\r\n")
            if opens and boundary:
                part.boundary = boundary
                self._boundaries.setdefault(boundary, []).append(len(self._stack))
        elif (part.type, part.subtype) in _MESSAGES:
            if opens and part.encoding in _IDENTITIES:
                part.holds_message = True
            else:
                part.type, part.subtype = _OPAQUE

    def _forget(self, part: _Open) -> None:
        # No more boundary lines of this multipart, the innermost that has its boundary.
        if part.boundary is not None:
            places = self._boundaries[part.boundary]
            places.pop()
            if not places:
                del self._boundaries[part.boundary]
            part.boundary = None

    def _endBefore(self, position: int, place: int) -> None:
        # A boundary line begins at position: end all parts from the given place on the stack on.
        end = position - (2 if self._data[max(0, position - 2) : position] == b"\r\n" else 1)
        self._endAt(end, place)

    def _endAt(self, end: int, place: int) -> None:
        # A part holds all of its own parts, also if one's header was cut short by the boundary line.
        while len(self._stack) > place:
            part = self._close(self._stack.pop(), end)
            end = part.end
            outer = self._stack[-1]
            if outer.holds_message:
                outer.message = part
            else:
                outer.parts.append(part)

    def _close(self, part: _Open, end: int) -> Part:
        self._forget(part)
        end = max(end, part.body_start)
        media = (part.type, part.subtype)
        if part.type == b"multipart" and not part.parts:
            media = _PLAIN
        fields = part.fields
        return Part(
            header_start=part.header_start,
            body_start=part.body_start,
            end=end,
            body_lines=self._lines.upTo(end) - part.lines_before,
            type=media[0],
            subtype=media[1],
            params=part.params,
            id=fields.get(b"id"),
            description=fields.get(b"description"),
            encoding=part.encoding,
            md5=fields.get(b"md5"),
            disposition=mime.disposition(fields.get(b"disposition", b"")),
            language=mime.languages(fields.get(b"language", b"")),
            location=fields.get(b"location"),
            parts=tuple(part.parts),
            message=part.message,
        )

    def _bodyStart(self, start: int) -> int:
        # Where the header that begins at start ends.
        self._seekDashes(start)
        if self._hasNoHeader(start):
            return start
        end = self._afterEmptyLine(start)
        found = self._nextBoundary(end, keep=True)
        return end if found is None else found[0]

    def _hasNoHeader(self, start: int) -> bool:
        # Whether the first line cannot begin a header; an empty line ends one that is empty.
        if self._data[start : start + 6].startswith((b"\r\n", b"\n", b"From ", b">From ")):
            return False
        line_end = self._data.find(b"\n", start)
        return self._data.find(b":", start, self._size if line_end < 0 else line_end) < 0

    def _afterEmptyLine(self, start: int) -> int:
        if self._data[start : start + 1] == b"\n":
            return start + 1
        if self._data[start : start + 2] == b"\r\n":
            return start + 2
        if self._empty_line[0] < start:
            match = _EMPTY_LINE.search(self._data, start)
            self._empty_line = (self._size, self._size) if match is None else match.span()
        return self._empty_line[1]

    def _seekDashes(self, start: int) -> None:
        # Go on to the first line at or after start, which begins a line, that begins with "--".
        if self._dashes < start:
            if self._data[start : start + 2] == b"--":
                self._dashes = start
            else:
                found = find(self._data, b"\n--", start)
                self._dashes = self._size if found < 0 else found + 1

    def _nextBoundary(self, limit: int, keep: bool = False) -> tuple[int, int, int, bool] | None:
        # The next boundary line before limit: where it begins, where the line after it begins,
        # the place of its multipart on the stack, and whether it closes it.  Kept, it is
        # found again; what is no boundary line is not looked at again.
        while self._dashes < limit:
            start = self._dashes
            line_end = self._data.find(b"\n", start)
            if line_end < 0:
                line_end = self._size
            following = min(line_end + 1, self._size)
            line = self._data[start + 2 : line_end].rstrip(b" \t\r")
            places = self._boundaries.get(line)
            closes = False
            if places is None and line.endswith(b"--"):
                places = self._boundaries.get(line[:-2])
                closes = True
            if places is not None:
                if not keep:
                    self._dashes = -1
                    self._seekDashes(following)
                return start, following, places[-1], closes
            self._dashes = -1
            self._seekDashes(following)
        return None
