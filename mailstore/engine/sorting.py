"""
Putting what a search finds in order (RFC 5256 section 3), by keys made at delivery.

What is found is gathered slice by slice; only the order itself is made at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow
from mailstore.errors import InvalidRequest, LimitReached
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

#: Bytes that a message and each of its values occupy, beside what a text or hash itself has.
_COST, _VALUE_COST = 16, 48


def _weight(value: object) -> int:
    # Hashes become entries of a table.
    return len(value) if isinstance(value, str) else 12 * len(value) if isinstance(value, bytes) else 0


class Gatherer:
    """
    Takes what a search finds, with some values of each message.
    """

    def __init__(self, limits: EngineLimits, columns: tuple[str, ...]) -> None:
        """
        @param columns: of m (messages) and s (sortings).
        """
        self._room = limits.max_gathered
        self._rows = limits.batch_bytes // 8
        self._statement = (
            f"SELECT m.uid, {', '.join(columns)} FROM messages m JOIN sortings s ON s.id = m.content"
            " WHERE m.folder = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid"
        )

    def add(self, db: Connection, row: FolderRow, found: bytes) -> None:
        """
        Take what one slice of a search has found.

        @raise LimitReached: it is more than can be gathered.
        """
        uids = uint32s(found)
        if not uids:
            return
        wanted = frozenset(uids)
        for uid, *values in db.execute(self._statement, (row.id, uids[0], uids[-1])):
            if uid in wanted:
                texts = sum(_weight(each) for each in values)
                self._room -= _COST + _VALUE_COST * len(values) + texts
                if self._room < 0:
                    raise LimitReached("too many messages were found to be put in order")
                self._take(uid, values)

    def _take(self, uid: int, values: list[Any]) -> None:
        raise NotImplementedError


class Sorting(Gatherer):
    """
    Messages by some keys.
    """

    def __init__(self, limits: EngineLimits, keys: tuple[SortKey, ...]) -> None:
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
        super().__init__(limits, tuple(_COLUMNS[key.field] for key in self._keys))
        self._uids = uint32s()
        self._values: tuple[list[Any], ...] = tuple([] for _ in self._keys)

    def _take(self, uid: int, values: list[Any]) -> None:
        self._uids.append(uid)
        for column, value in zip(self._values, values, strict=True):
            column.append(value)

    def batches(self) -> Iterator[bytes]:
        """
        All UIDs in order.
        """
        order = list(range(len(self._uids)))
        # The last key first: sorting keeps the order of what is equal, in reverse too.
        for key, column in reversed(tuple(zip(self._keys, self._values, strict=True))):
            order.sort(key=column.__getitem__, reverse=key.reverse)
        for start in range(0, len(order), self._rows):
            yield uint32s(self._uids[at] for at in order[start : start + self._rows]).tobytes()
