"""
A client's book-keeping: what it may be told at all, and what it then knows of its folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fuzz.target import check

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_NUMBERED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH|RECENT)\b")
_VANISHED = re.compile(rb"\* VANISHED ([0-9:,]+)\r\n")
_EARLIER = re.compile(rb"\* VANISHED \(EARLIER\) [0-9:,]+\r\n")

#: While these are answered no message may lose its number (RFC 9051 section 7.5.1).
_KEEPS_NUMBERS = (b"FETCH", b"STORE", b"SEARCH", b"SORT", b"THREAD")

_OPENS = (b"SELECT", b"EXAMINE")
_SHUTS = (b"CLOSE", b"UNSELECT")


def responses(data: bytes) -> Iterator[bytes]:
    """
    Responses with their literals.

    @raise Broken: the last one is not all there.
    """
    start = position = 0
    while position < len(data):
        end = data.find(b"\r\n", position)
        check(end >= 0, f"half a line: {data[start:][-200:]!r}")
        position = end + 2
        literal = _LITERAL.search(data, max(start, position - 30), position)
        if literal is not None:
            position += int(literal[1])
            check(position <= len(data), "half a literal")
        else:
            yield data[start:position]
            start = position


class Hearing:
    """
    What one client has been told of the folder that it has open.

    @ivar messages: how many it has; C{None} if none is open, or if that is not known.
    @ivar notified: whether it has asked to be told between commands (RFC 5465).
    """

    def __init__(self) -> None:
        self.messages: int | None = None
        self.notified = False

    def forget(self) -> None:
        """
        Nothing is known any more: something was said that may have been any command.
        """
        self.messages = None
        self.notified = True

    def hear(self, command: bytes, said: bytes, tag: bytes) -> bytes | None:
        """
        What came while a command was under way.

        @param command: the command without its tag; C{b""} for something that is none.
        @return: the status of the command, if it was answered.
        @raise Broken: this must not be said.
        """
        verb = command.split(b" ")[0].upper()
        status = None
        fresh = verb in _OPENS
        opened: int | None = None
        for response in responses(said):
            if response.startswith(tag + b" "):
                check(status is None, f"answered twice: {response!r}")
                status = response[len(tag) + 1 :].split(b" ")[0]
                continue
            check(response[:2] in (b"* ", b"+ "), f"not a response: {response[:200]!r}")
            numbered = _NUMBERED.match(response)
            if numbered is None:
                self._vanished(verb, response)
            elif fresh and numbered[2] == b"EXISTS":
                # The last that is said is the new folder's: what is told of the old one comes before it.
                opened = int(numbered[1])
            elif not fresh:
                self._numbered(verb, int(numbered[1]), numbered[2])
        if fresh and status is not None:
            self.messages = opened if status == b"OK" else None
        elif verb in _SHUTS and status == b"OK":
            self.messages = None
        elif verb == b"NOTIFY" and status == b"OK":
            self.notified = b"SET" in command.upper().split(b" ")[1]
        elif verb == b"UNAUTHENTICATE" and status == b"OK":
            self.messages = None
            self.notified = False
        return status

    def _numbered(self, verb: bytes, number: int, what: bytes) -> None:
        if self.messages is None:
            return
        if what == b"EXISTS":
            check(number >= self.messages, f"{number} messages are left of {self.messages}")
            self.messages = number
        elif what == b"RECENT":
            check(number <= self.messages, f"{number} recent messages of {self.messages}")
        else:
            check(1 <= number <= self.messages, f"{what!r} of message {number} of {self.messages}")
            if what == b"EXPUNGE":
                check(verb not in _KEEPS_NUMBERS, f"EXPUNGE while {verb!r} is answered")
                self.messages -= 1

    def _vanished(self, verb: bytes, response: bytes) -> None:
        if not response.startswith(b"* VANISHED"):
            return
        gone = _VANISHED.fullmatch(response)
        check(gone is not None or _EARLIER.fullmatch(response) is not None, f"malformed: {response[:200]!r}")
        if gone is None or self.messages is None:
            return
        check(verb not in _KEEPS_NUMBERS, f"VANISHED while {verb!r} is answered")
        for each in gone[1].split(b","):
            first, _, last = each.partition(b":")
            self.messages -= abs(int(last or first) - int(first)) + 1
        check(self.messages >= 0, "more have vanished than there were")
