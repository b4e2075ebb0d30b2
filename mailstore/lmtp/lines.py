"""
From bytes to command lines and the pieces of messages (RFC 5321 sections 2.3.8 and 4.5.2).

    command = *( any octet ) CRLF
    message = *( line ) "." CRLF
    line    = [ "." ] *( any octet ) CRLF      ; a first "." is taken away, unless it is all of the line

CR and LF on their own are octets like others here, and counted.
"""

from __future__ import annotations

import enum

_CRLF = b"\r\n"


class Found(enum.Enum):
    """
    What was found instead of bytes.
    """

    #: More bytes are needed.
    NOTHING = "nothing"
    #: A command line that is too long; it has been thrown away.
    TOO_LONG = "too long"
    #: The end of the message.
    END = "end"


class Framer:
    """
    Takes a stream of bytes apart.  Who reads it says with each call what comes
    next: a command (L{line}), or a piece of a message (L{piece}) until its end.

    @ivar bare: how often, in the message that is being read or was last, a CR or LF stood on its own.
    """

    def __init__(self, max_line: int) -> None:
        """
        @param max_line: bytes of a command line, with its end.
        """
        self._max_line = max_line
        self._buffer = bytearray()
        self._searched = 0
        self._skipping = False
        self._at_line_start = True
        #: The end of the message was found behind the piece given last.
        self._over = False
        self.bare = 0

    def __len__(self) -> int:
        """
        Bytes that wait.
        """
        return len(self._buffer)

    def receive(self, data: bytes) -> None:
        """
        More bytes came.
        """
        self._buffer += data

    def line(self) -> bytes | Found:
        """
        The next command line, without its end.
        """
        buffer = self._buffer
        at = buffer.find(_CRLF, self._searched)
        if at < 0:
            if len(buffer) >= self._max_line:
                self._skipping = True
                # What may be the first half of its end stays.
                del buffer[: -1 if buffer.endswith(b"\r") else None]
            self._searched = max(0, len(buffer) - 1)
            return Found.NOTHING
        line = bytes(buffer[:at])
        del buffer[: at + 2]
        self._searched = 0
        skipping, self._skipping = self._skipping, False
        return Found.TOO_LONG if skipping or at + 2 > self._max_line else line

    def beginMessage(self) -> None:
        """
        What comes next is a message.
        """
        self._searched = 0
        self._at_line_start = True
        self.bare = 0

    def piece(self) -> bytes | Found:
        """
        Some of the message, without the dots that were added to it, or its end.
        """
        pieces: list[bytes] = []
        while not self._over and (found := self._part()) is not Found.NOTHING:
            if isinstance(found, Found):
                self._over = True
                break
            pieces.append(found)
        if not pieces:
            over, self._over = self._over, False
            return Found.END if over else Found.NOTHING
        data = b"".join(pieces)
        ends = data.count(_CRLF)
        self.bare += data.count(b"\r") + data.count(b"\n") - 2 * ends
        return data

    def _part(self) -> bytes | Found:
        """
        The bytes up to the next line that begins with a dot, never half of a CR LF.
        """
        buffer = self._buffer
        start = 0
        if self._at_line_start and buffer[:1] == b".":
            if buffer[:3] == b".\r\n":
                return self._ended()
            if len(buffer) < 2 or buffer[:3] == b".\r":
                return Found.NOTHING
            start = 1
        at = buffer.find(b"\r\n.", start)
        if at >= 0:
            end, self._at_line_start = at + 2, True
        else:
            end = len(buffer) - (1 if buffer.endswith(b"\r") else 0)
            if end <= start:
                return Found.NOTHING
            self._at_line_start = buffer[:end].endswith(_CRLF)
        part = bytes(buffer[start:end])
        del buffer[:end]
        return part

    def _ended(self) -> Found:
        del self._buffer[:3]
        self._at_line_start = False
        return Found.END
