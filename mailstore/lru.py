"""
A cache with a bound.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


class Cache(Generic[_K, _V]):
    """
    Keeps what was used last, as long as the costs of all it keeps are at most C{capacity}.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.cost = 0
        self._entries: OrderedDict[_K, tuple[_V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def get(self, key: _K) -> _V | None:
        """
        What is kept for C{key}, if anything is.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: _K, value: _V, cost: int = 1) -> None:
        """
        Keep a value in the place of the one there, or not at all if it alone costs too much.
        """
        self.remove(key)
        if cost > self.capacity:
            return
        self._entries[key] = (value, cost)
        self.cost += cost
        self._trim()

    def resize(self, capacity: int) -> None:
        """
        Another C{capacity} from now on; what does not fit goes.
        """
        self.capacity = capacity
        self._trim()

    def _trim(self) -> None:
        while self.cost > self.capacity:
            _, (_, freed) = self._entries.popitem(last=False)
            self.cost -= freed

    def remove(self, key: _K) -> None:
        """
        Forget what is kept for C{key}, if anything is.
        """
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.cost -= entry[1]

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._entries.clear()
        self.cost = 0
