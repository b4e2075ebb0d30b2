"""
Bulk data: packed machine-order arrays as bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable


def uint32s(data: bytes | Iterable[int] = b"") -> array[int]:
    """
    An array of unsigned 32-bit numbers (UIDs, sizes of small things) from its
    packed bytes or from numbers.
    """
    return array("I", data)


def uint64s(data: bytes | Iterable[int] = b"") -> array[int]:
    """
    An array of unsigned 64-bit numbers (flag masks, mod-sequences) from its
    packed bytes or from numbers.
    """
    return array("Q", data)
