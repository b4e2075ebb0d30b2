"""
An IMAP client that shows every byte: for transcripts and for load.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")

#: Bytes of a piece of a literal.
_PIECE = 65_536


class RawClient:
    """
    A blocking connection with tagged commands.
    """

    def __init__(self, port: int, timeout: float = 60.0, receive_buffer: int = 0) -> None:
        """
        @param receive_buffer: bytes that the system may keep for a client that does
            not read; 0 for as many as it likes.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(timeout)
        self._socket.connect(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")
        self._count = 0
        self.greeting = self.response()

    def response(self) -> bytes:
        """
        One response, with its literals.

        @raise EOFError: the server has closed the connection.
        """
        data = b""
        while True:
            line = self._file.readline()
            if not line.endswith(b"\n"):
                raise EOFError("the server closed the connection")
            data += line
            literal = _LITERAL.search(line)
            if literal is None:
                return data
            data += self._file.read(int(literal[1]))

    def streamed(self, take: Callable[[bytes], object]) -> tuple[bytes, bytes]:
        """
        One response with one literal, which is handed over in pieces.

        @return: what comes before the literal, with its size, and what comes behind it.
        @raise EOFError: the server has closed the connection.
        """
        before = self._file.readline()
        literal = _LITERAL.search(before)
        if literal is None:
            raise AssertionError(f"there is no literal in {before!r}")
        left = int(literal[1])
        while left:
            piece = self._file.read(min(left, _PIECE))
            if not piece:
                raise EOFError("the server closed the connection")
            take(piece)
            left -= len(piece)
        return before, self._file.readline()

    def send(self, data: bytes) -> None:
        """
        Send bytes as they are.
        """
        self._socket.sendall(data)

    def begin(self, line: bytes) -> bytes:
        """
        Send a command.

        @return: its tag.
        """
        self._count += 1
        tag = b"a%d" % self._count
        self.send(tag + b" " + line + b"\r\n")
        return tag

    def finish(self, tag: bytes) -> list[bytes]:
        """
        Read to the tagged reply.

        @return: all responses, the tagged one last.
        """
        responses = []
        while True:
            responses.append(self.response())
            if responses[-1].startswith(tag + b" "):
                return responses

    def command(self, line: bytes) -> list[bytes]:
        """
        Give a command and read its responses, the tagged one last.
        """
        return self.finish(self.begin(line))

    def close(self) -> None:
        """
        Hang up.
        """
        self._file.close()
        self._socket.close()
