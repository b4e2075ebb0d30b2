"""
Sequence numbers and UIDs: the order of the messages in an open folder, as
one client knows it (RFC 9051 section 2.3.1.2).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from mailstore.model import UidSet, uint32s


class Numbering:
    """
    An ascending list of UIDs; the sequence number of each is its place in it,
    counted from 1.

    It is held as ranges, so a folder from which little was deleted costs a few
    words, however many messages and sessions there are.
    """

    def __init__(self, uids: UidSet) -> None:
        self._set(uids)

    def _set(self, uids: UidSet) -> None:
        self._lows, self._highs, self._before = array("I"), array("I"), array("I")
        count = 0
        for low, high in uids.ranges:
            self._lows.append(low)
            self._highs.append(high)
            self._before.append(count)
            count += high - low + 1
        self._count = count

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> int:
        """
        The greatest UID, or 0.
        """
        return self._highs[-1] if self._highs else 0

    def uids(self) -> UidSet:
        """
        All of them.
        """
        return UidSet(tuple(zip(self._lows, self._highs, strict=True)))

    def uidOf(self, sequence: int) -> int:
        """
        The UID of a message.

        @raise IndexError: there is no message of that number.
        """
        if not 0 < sequence <= self._count:
            raise IndexError(sequence)
        at = bisect_right(self._before, sequence - 1) - 1
        return self._lows[at] + (sequence - 1 - self._before[at])

    def sequenceOf(self, uid: int) -> int | None:
        """
        The sequence number of a message, C{None} if it is not in the list.
        """
        at = bisect_left(self._highs, uid)
        if at == len(self._highs) or uid < self._lows[at]:
            return None
        return self._before[at] + (uid - self._lows[at]) + 1

    def sequencesOf(self, uids: Iterable[int]) -> array[int]:
        """
        The sequence numbers of many; 0 for one that is not in the list.
        Fastest when they ascend.
        """
        if isinstance(uids, array) and uids and uids[-1] - uids[0] == len(uids) - 1:
            # Most often they are neighbours.
            at = bisect_left(self._highs, uids[0])
            if at < len(self._highs) and self._lows[at] <= uids[0] and uids[-1] <= self._highs[at]:
                first = self._before[at] + 1 + uids[0] - self._lows[at]
                if uids == uint32s(range(uids[0], uids[-1] + 1)):
                    return uint32s(range(first, first + len(uids)))
        found = uint32s()
        low = 1
        high = offset = 0
        for uid in uids:
            if not low <= uid <= high:
                at = bisect_left(self._highs, uid)
                if at == len(self._highs) or uid < self._lows[at]:
                    found.append(0)
                    continue
                low, high = self._lows[at], self._highs[at]
                offset = self._before[at] + 1 - low
            found.append(uid + offset)
        return found

    def between(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """
        The UID ranges of the messages numbered C{first} to C{last}, which are
        in C{1 .. len}.
        """
        at = bisect_right(self._before, first - 1) - 1
        while first <= last:
            low = self._lows[at] + (first - 1 - self._before[at])
            high = min(self._highs[at], low + (last - first))
            yield low, high
            first += high - low + 1
            at += 1

    def among(self, uids: UidSet) -> UidSet:
        """
        Those of C{uids} that are in the list.
        """
        found = []
        for low, high in uids.ranges:
            at = bisect_left(self._highs, low)
            while at < len(self._lows) and self._lows[at] <= high:
                found.append((max(low, self._lows[at]), min(high, self._highs[at])))
                at += 1
        return UidSet.ofRanges(found)

    def countFrom(self, uid: int) -> int:
        """
        How many UIDs are C{uid} or greater.
        """
        at = bisect_left(self._highs, uid)
        if at == len(self._highs):
            return 0
        return self._count - self._before[at] - max(0, uid - self._lows[at])

    def append(self, uids: Iterable[int]) -> int:
        """
        Add messages.  UIDs that are not greater than the last are passed over.

        @return: how many were added.
        """
        before = self._count
        last = self.last
        for uid in uids:
            if uid <= last:
                continue
            if last and uid == last + 1:
                self._highs[-1] = uid
            else:
                self._before.append(self._count)
                self._lows.append(uid)
                self._highs.append(uid)
            self._count += 1
            last = uid
        return self._count - before

    def remove(self, uids: UidSet) -> array[int]:
        """
        Take messages out.

        @return: the numbers to say in C{EXPUNGE} responses, in this order: each
            is the number at the moment when those before it have gone.
        """
        gone = self.among(uids)
        if not gone:
            return uint32s()
        numbers = uint32s()
        for low, high in gone.ranges:
            first = self.sequenceOf(low)
            assert first is not None
            numbers.extend([first - len(numbers)] * (high - low + 1))
        self._set(_without(self.uids(), gone))
        return numbers


def _without(uids: UidSet, gone: UidSet) -> UidSet:
    left = []
    ranges = iter(gone.ranges)
    hole = next(ranges, None)
    for low, high in uids.ranges:
        while hole is not None and hole[1] < low:
            hole = next(ranges, None)
        while hole is not None and hole[0] <= high:
            if low < hole[0]:
                left.append((low, hole[0] - 1))
            low = hole[1] + 1
            if low > high:
                break
            hole = next(ranges, None)
        if low <= high:
            left.append((low, high))
    return UidSet(tuple(left))
