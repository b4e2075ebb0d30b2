"""
Messages that can be told apart and that show when they are torn.
"""

from __future__ import annotations

import random
from zlib import crc32

#: Bytes of the shortest message.
LEAST = 12


def numbered(number: int, length: int) -> bytes:
    """
    A message that carries its number and a checksum, and C{length} bytes more.
    """
    body = number.to_bytes(8, "little") + random.Random(number).randbytes(length)
    return crc32(body).to_bytes(4, "little") + body


def numberOf(message: bytes) -> int:
    """
    The number of a L{numbered} message.

    @raise ValueError: it is torn.
    """
    if crc32(message[4:]) != int.from_bytes(message[:4], "little"):
        raise ValueError(f"a torn message of {len(message)} bytes")
    return int.from_bytes(message[4:12], "little")


def anyNumbered(number: int, most: int) -> bytes:
    """
    A numbered message of some length, the same for the same number, of at most
    C{most} bytes in all.
    """
    return numbered(number, number * 7919 % (most - LEAST + 1))
