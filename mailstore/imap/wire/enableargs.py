"""
ENABLE::

    enable          = "ENABLE" 1*(SP capability)
    enable-data     = "ENABLED" *(SP capability)
    capability      = ("AUTH=" auth-type) / atom

(RFC 5161 section 4.)
"""

from __future__ import annotations

from collections.abc import Iterable

from mailstore.imap.wire.reader import Reader


def readEnable(reader: Reader) -> tuple[str, ...]:
    """
    Read everything behind the command's name and space.

    @return: names of capabilities in upper case, each once; whether they are known or
        not, the command decides (RFC 5161 section 3.1).
    @raise ParseError: none, or more than the limit.
    """
    return tuple(dict.fromkeys(reader.spaced(reader.word)))


def enabledLine(names: Iterable[str]) -> bytes:
    """
    The ENABLED response for what has been switched on, maybe nothing.
    """
    return b"* %b\r\n" % " ".join(["ENABLED", *names]).encode("ascii")
