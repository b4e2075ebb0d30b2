"""
What the engine needs of a connection to its database, whatever that is.

Only L{mailstore.engine.database} and what opens, brings up, copies or checks the file itself
know which library this comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")


def marks(values: Collection[object]) -> str:
    """
    What stands for some values in a statement, between the parentheses behind C{IN}.  Nothing is among
    none; but C{NOT IN} none is nothing either.
    """
    return ",".join("?" * len(values)) or "NULL"


class Cursor(Protocol):
    """
    What a statement gave.
    """

    @property
    def rowcount(self) -> int:
        """
        How many rows it changed.
        """

    def fetchone(self) -> Any:
        """
        The next row; C{None} when there are no more.
        """

    def fetchall(self) -> list[Any]:
        """
        The rows that are left.
        """

    def __iter__(self) -> Iterator[Any]:
        """
        The rows that are left, one after another.
        """

    def __next__(self) -> Any:
        """
        The next row.
        """


class Connection(Protocol):
    """
    Executes statements within the transaction that somebody has opened.
    """

    def execute(self, statement: str, parameters: Any = ..., /) -> Cursor:
        """
        Execute a statement.

        @raise Exception: as the library says; L{mailstore.engine.errors} knows what it means.
        """

    def lookup(self, statement: str, parameters: Any = ..., /) -> Any:
        """
        The first row that a statement gives, C{None} when it gives none.  It may be kept for the next
        who looks for the same, as long as nothing changes: for rows that most requests need.
        """

    def remember(self, key: tuple[Any, ...], make: Callable[[], _T], rows: Callable[[_T], int]) -> _T:
        """
        What C{make} makes, of what is in the database and of what the key names only.  It may be kept for
        the next who asks by the same key, as long as nothing changes.

        @param rows: how many rows it is as large as; 0 for what is not to be kept.
        """

    def executemany(self, statement: str, parameters: Iterable[Any], /) -> Cursor:
        """
        Execute a statement with one row of parameters after another.
        """
