"""
How long things took, counted in classes: cheap to note, small to keep.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

#: Upper ends of the classes, in seconds; what took longer is in one more class.
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Timings:
    """
    The times of things of one kind.

    @ivar counts: how many took how long, for each of L{BUCKETS} and one for longer ones.
    @ivar total: seconds of all of them together.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def note(self, seconds: float) -> None:
        """
        One took so long.
        """
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds
