"""
Work is linear in the size of a message, whatever it holds.

Processor time for a message is compared with that for one of the same
kind that is 16 times as big.  Work that grows with the square would take 256 times
as long; up to 50 times is let pass, as is what takes next to no time at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SMALL = 6_000
FACTOR = 16
ALLOWED = 50

# Seconds that are too few to be compared.
NOTHING = 0.05


def repeated(piece: bytes, before: bytes = b"") -> Callable[[int], bytes]:
    """
    Makes messages of a size that go on with C{piece} again and again.
    """
    return lambda size: before + piece * (size // len(piece))


class LinearTestsMixin:
    """
    Compares.
    """

    def assertLinear(
        self: Any, make: Callable[[int], bytes], task: Callable[[bytes], object], size: int = SMALL
    ) -> None:
        """
        The task's time grows no faster than it may; a disturbed measurement is repeated.
        """
        small, large = make(size), make(size * FACTOR)
        for _ in range(4):
            start = time.process_time()
            task(small)
            middle = time.process_time()
            task(large)
            end = time.process_time()
            if end - middle < max(NOTHING, ALLOWED * (middle - start)):
                return
        self.fail(
            f"{end - middle:.3f} s for what is {FACTOR} times as big as what took {middle - start:.3f} s"
        )
