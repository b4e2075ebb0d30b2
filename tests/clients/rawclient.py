"""
An IMAP client that shows every byte: for transcripts and for load.
"""

from __future__ import annotations

import re
import socket

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


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
