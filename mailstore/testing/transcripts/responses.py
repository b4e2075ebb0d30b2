"""
Cutting what a server sends into responses.
"""

from __future__ import annotations

import re

import attrs

_LITERAL = re.compile(rb"\{([0-9]{1,10})\}\Z")


class ResponseTooLong(Exception):
    """
    A response has more bytes than can be meant.
    """


@attrs.frozen
class Response:
    """
    One response.
    """

    #: Without its last CRLF and without the bytes of its literals, whose announcements stay, with CRLF.
    text: bytes
    literals: tuple[bytes, ...] = ()

    @property
    def whole(self) -> bytes:
        """
        As it came, without its last CRLF.
        """
        pieces = self.text.split(b"\r\n")
        whole = pieces[0]
        for literal, piece in zip(self.literals, pieces[1:], strict=True):
            whole += b"\r\n" + literal + piece
        return whole


class Splitter:
    """
    Takes bytes in pieces of any size, and gives responses.
    """

    def __init__(self, max_response: int) -> None:
        """
        @param max_response: bytes that one response may have.
        """
        self._max_response = max_response
        self._buffer = bytearray()
        self._text = b""
        self._literals: list[bytes] = []
        #: Bytes of the literal that is being received; C{None} if none is.
        self._wanted: int | None = None
        self._taken = 0

    @property
    def rest(self) -> bytes:
        """
        What has come of a response that is not complete.
        """
        return self._text + bytes(self._buffer)

    def receive(self, data: bytes) -> list[Response]:
        """
        Take a piece.

        @return: the responses that are complete now.
        @raise ResponseTooLong:
        """
        self._buffer += data
        found = []
        while (response := self._next()) is not None:
            found.append(response)
        return found

    def _next(self) -> Response | None:
        while True:
            if self._wanted is not None:
                if len(self._buffer) < self._wanted:
                    return None
                self._literals.append(self._take(self._wanted))
                self._wanted = None
            end = self._buffer.find(b"\r\n")
            if end < 0:
                if self._taken + len(self._buffer) > self._max_response:
                    raise ResponseTooLong()
                return None
            line = self._take(end)
            self._take(2)
            literal = _LITERAL.search(line)
            if literal is None:
                response = Response(self._text + line, tuple(self._literals))
                self._text, self._literals, self._taken = b"", [], 0
                return response
            self._text += line + b"\r\n"
            self._wanted = int(literal[1])
            if self._taken + self._wanted > self._max_response:
                raise ResponseTooLong()

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._taken += size
        return data
