"""
Putting what a search finds in order (RFC 5256 section 3), by keys made at delivery.

What is found is gathered slice by slice; only the order itself is made at once.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from typing import Any

from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow
from mailstore.errors import InvalidRequest, LimitReached, StoreBusy
from mailstore.model import SortField, SortKey, uint32s

#: What is read for a key, from the rows of m (messages) and s (sortings).
_COLUMNS = {
    SortField.ARRIVAL: "m.internal_date",
    SortField.CC: "s.copied",
    SortField.DATE: "coalesce(s.sent, m.internal_date)",
    SortField.FROM: "s.sender",
    SortField.SIZE: "m.size",
    SortField.SUBJECT: "s.subject",
    SortField.TO: "s.recipient",
}

#: Those of them that are numbers.
_NUMBERS = frozenset((SortField.ARRIVAL, SortField.DATE, SortField.SIZE))

#: Bytes that a message takes while the order is made: its number and its place, and a key.
_ORDER_COST = 80

#: Bytes of an entry of a list and, nearly, of a dictionary.
_ENTRY, _DICT_ENTRY = 8, 110

#: Texts that are known again in a column: names that many messages have are kept once.
_KNOWN = 20_000


class Room:
    """
    How much all requests together may gather.

    @ivar taken: bytes that they have.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.taken = 0


class Gatherer:
    """
    Takes what a search finds, with some values of each message.  What it holds is taken from
    a L{Room} until it is closed.
    """

    def __init__(self, limits: EngineLimits, room: Room, columns: tuple[str, ...]) -> None:
        """
        @param columns: of m (messages) and s (sortings).
        """
        self._room = room
        self._taken = 0
        self._rows = limits.batch_bytes // 8
        self._statement = (
            f"SELECT m.uid, {', '.join(columns)} FROM messages m JOIN sortings s ON s.id = m.content"
            " WHERE m.folder = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid"
        )

    def add(self, db: Connection, row: FolderRow, found: bytes) -> None:
        """
        Take what one slice of a search has found.

        @raise LimitReached: it is more than can be gathered.
        @raise StoreBusy: it is, with what others are gathering.
        """
        uids = uint32s(found)
        if not uids:
            return
        wanted = frozenset(uids)
        cost = 0
        for uid, *values in db.execute(self._statement, (row.id, uids[0], uids[-1])):
            if uid in wanted:
                cost += self._take(uid, values)
        self._hold(self._taken + cost)

    def close(self) -> None:
        """
        Give back what is held.  Idempotent.
        """
        self._hold(0)

    def _hold(self, size: int) -> None:
        if size > self._room.capacity:
            raise LimitReached("too many messages were found to be put in order")
        taken = self._room.taken - self._taken + size
        if taken > max(self._room.capacity, self._room.taken):
            raise StoreBusy("others are putting very many messages in order")
        self._room.taken, self._taken = taken, size

    def _take(self, uid: int, values: list[Any]) -> int:
        """
        @return: how many bytes it takes, until all is in order.
        """
        raise NotImplementedError


class _Texts:
    """
    A column of texts.
    """

    def __init__(self) -> None:
        self.values: list[str] = []
        self._known: dict[str, str] = {}

    def add(self, value: str) -> int:
        known = self._known.get(value)
        if known is not None:
            self.values.append(known)
            return _ENTRY
        self.values.append(value)
        cost = _ENTRY + sys.getsizeof(value)
        if len(self._known) < _KNOWN:
            self._known[value] = value
            cost += _DICT_ENTRY
        return cost


class _Numbers:
    """
    A column of numbers.
    """

    def __init__(self) -> None:
        self.values = array("q")

    def add(self, value: int) -> int:
        self.values.append(value)
        return self.values.itemsize


class Sorting(Gatherer):
    """
    Messages by some keys.
    """

    def __init__(self, limits: EngineLimits, room: Room, keys: tuple[SortKey, ...]) -> None:
        """
        @raise InvalidRequest: there are no keys, or more than there are different ones.
        """
        # Of a key that is there twice the second one changes nothing.
        unique: dict[SortField, SortKey] = {}
        for key in keys:
            unique.setdefault(key.field, key)
        self._keys = tuple(unique.values())
        if not keys or len(keys) > 2 * len(SortField):
            raise InvalidRequest("there are no sort keys, or too many")
        super().__init__(limits, room, tuple(_COLUMNS[key.field] for key in self._keys))
        self._uids = uint32s()
        self._columns = [_Numbers() if key.field in _NUMBERS else _Texts() for key in self._keys]

    def _take(self, uid: int, values: list[Any]) -> int:
        self._uids.append(uid)
        return _ORDER_COST + sum(
            column.add(value) for column, value in zip(self._columns, values, strict=True)
        )

    def batches(self) -> Iterator[bytes]:
        """
        All UIDs in order.
        """
        order = list(range(len(self._uids)))
        # The last key first: sorting keeps the order of what is equal, in reverse too.
        for key in reversed(self._keys):
            order.sort(key=self._columns.pop().values.__getitem__, reverse=key.reverse)
        ordered = uint32s(map(self._uids.__getitem__, order))
        del order
        # Who reads slowly keeps others from no more than that.
        self._uids = uint32s()
        self._hold(ordered.itemsize * len(ordered))
        for start in range(0, len(ordered), self._rows):
            yield ordered[start : start + self._rows].tobytes()
