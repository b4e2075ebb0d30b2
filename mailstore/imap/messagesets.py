"""
Sets of messages as a store is asked about them: in few ranges, and in groups
of bounded size.

What L{View.uidsOf<mailstore.imap.view.View.uidsOf>} gives names nothing but
messages of the view, so it falls apart wherever something was expunged long
ago.  UIDs between two neighbours of a view belong to no message any more and are
never used again (RFC 9051 section 2.3.1.1): here they are taken in, and a
set has no more ranges than the client wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailstore.model import UidSet

if TYPE_CHECKING:
    from mailstore.imap.numbering import Numbering


def spans(messages: Numbering, uids: UidSet) -> Iterator[tuple[int, int]]:
    """
    The first and last sequence numbers of the runs of neighbours in C{uids}, all
    of which are in C{messages}.
    """
    first = last = 0
    for low, high in uids.ranges:
        start = messages.sequenceOf(low)
        end = messages.sequenceOf(high)
        if start is None or end is None:
            raise ValueError("there are UIDs that are not in the view")
        if last and start == last + 1:
            last = end
            continue
        if last:
            yield first, last
        first, last = start, end
    if last:
        yield first, last


def widened(messages: Numbering, uids: UidSet) -> UidSet:
    """
    The same messages in as few ranges as there are runs of neighbours.
    """
    return UidSet(
        tuple((messages.uidOf(first), messages.uidOf(last)) for first, last in spans(messages, uids))
    )


def groups(messages: Numbering, uids: UidSet, size: int) -> Iterator[UidSet]:
    """
    The same messages in groups of at most C{size}, in ascending order, each
    L{widened}.  Nothing is made before it is asked for.
    """
    ranges: list[tuple[int, int]] = []
    room = size
    for first, last in spans(messages, uids):
        while first <= last:
            end = min(last, first + room - 1)
            ranges.append((messages.uidOf(first), messages.uidOf(end)))
            room -= end - first + 1
            first = end + 1
            if not room:
                yield UidSet(tuple(ranges))
                ranges = []
                room = size
    if ranges:
        yield UidSet(tuple(ranges))


def parts(uids: UidSet, most: int) -> Iterator[UidSet]:
    """
    The same UIDs in sets of at most C{most} ranges, in ascending order.
    """
    for at in range(0, len(uids.ranges), most):
        yield UidSet(uids.ranges[at : at + most])


def portion(uids: UidSet, start: int, end: int) -> UidSet:
    """
    Those of some UIDs that stand at the places from C{start} up to C{end}, counted from 0.
    """
    ranges: list[tuple[int, int]] = []
    place = 0
    for low, high in uids.ranges:
        first, last = max(low, low + start - place), min(high, low + end - place - 1)
        if first <= last:
            ranges.append((first, last))
        place += high - low + 1
    return UidSet(tuple(ranges))


def orderedRuns(numbers: Iterator[int]) -> Iterator[tuple[int, int]]:
    """
    Numbers in their order, with each run that counts upwards as its first and last.
    """
    low = high = 0
    for number in numbers:
        if low and number == high + 1:
            high = number
            continue
        if low:
            yield low, high
        low = high = number
    if low:
        yield low, high
