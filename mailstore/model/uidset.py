"""
Sets of UIDs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice

import attrs

from mailstore.model.columns import uint32s


def _checkRanges(instance: UidSet, attribute: object, value: tuple[tuple[int, int], ...]) -> None:
    last = 0
    for low, high in value:
        if not last < low <= high <= 0xFFFFFFFF:
            raise ValueError(f"not a sorted, disjoint set of UID ranges: {value!r}")
        last = high


@attrs.frozen
class UidSet:
    """
    A set of UIDs (1 to 2**32 - 1) as sorted, disjoint, inclusive ranges.
    """

    ranges: tuple[tuple[int, int], ...] = attrs.field(default=(), validator=_checkRanges)

    @classmethod
    def of(cls, uids: Iterable[int]) -> UidSet:
        """
        The set of these UIDs, in any order, repeated or not.
        """
        ranges: list[tuple[int, int]] = []
        low = high = 0
        for uid in sorted(uids):
            if uid <= high and low:
                continue
            if low and uid == high + 1:
                high = uid
                continue
            if low:
                ranges.append((low, high))
            low = high = uid
        if low:
            ranges.append((low, high))
        return cls(tuple(ranges))

    @classmethod
    def ofSorted(cls, uids: array[int]) -> UidSet:
        """
        The set of these UIDs, which ascend.  Where none are missing it takes no time.
        """
        ranges: list[tuple[int, int]] = []
        waiting = [(0, len(uids))] if uids else []
        while waiting:
            start, end = waiting.pop()
            low, high = uids[start], uids[end - 1]
            if high - low == end - 1 - start:
                if ranges and ranges[-1][1] + 1 == low:
                    ranges[-1] = (ranges[-1][0], high)
                else:
                    ranges.append((low, high))
            else:
                middle = (start + end) // 2
                waiting += ((middle, end), (start, middle))
        return cls(tuple(ranges))

    @classmethod
    def ofRanges(cls, ranges: Iterable[tuple[int, int]]) -> UidSet:
        """
        The set of all UIDs in these ranges, which may overlap, touch, stand
        in any order or be written from high to low.
        """
        merged: list[tuple[int, int]] = []
        for low, high in sorted((min(pair), max(pair)) for pair in ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return cls(tuple(merged))

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        at = bisect_left(self.ranges, uid, key=lambda pair: pair[1])
        return at < len(self.ranges) and self.ranges[at][0] <= uid

    def among(self, uids: array[int]) -> array[int]:
        """
        Those of C{uids} (sorted) that are in this set, without walking ranges
        that hold nothing.
        """
        if not uids:
            return uint32s()
        found = uint32s()
        first = bisect_left(self.ranges, uids[0], key=lambda pair: pair[1])
        for low, high in islice(self.ranges, first, None):
            if low > uids[-1]:
                break
            start = bisect_left(uids, low)
            found.extend(uids[start : bisect_left(uids, high + 1, start)])
        return found
