"""
From what SQLite and the system say to the closed set of L{mailstore.errors}.
"""

from __future__ import annotations

import errno
import sqlite3
from types import TracebackType

from mailstore.errors import OverQuota, StoreBusy, StoreError, StoreFault, StoreUnavailable


class StoreOpenError(Exception):
    """
    A store cannot be opened.  The message is one line that names it and says why.
    """


_FULL = frozenset((sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG))
_LOCKED = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_GONE = frozenset(
    (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)
)
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def storeError(error: BaseException) -> StoreError:
    """
    The error of the closed set that tells what C{error} means.  It never repeats C{error}'s
    text, which is for a log and not for a client.
    """
    if isinstance(error, StoreError):
        return error
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code, the rest tells more (sqlite.org/rescode.html).
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if primary in _FULL:
            return OverQuota("the store has no room left")
        if primary in _LOCKED:
            return StoreBusy("the store is being changed by another program")
        if primary in _GONE:
            return StoreUnavailable("the store cannot reach its data")
    elif isinstance(error, OSError):
        if error.errno in _NO_ROOM:
            return OverQuota("the store has no room left")
        return StoreUnavailable("the store cannot reach its data")
    return StoreFault("the store met a condition it was not written for")


class Translated:
    """
    A context that lets only L{StoreError<mailstore.errors.StoreError>} out; what was
    raised instead is its cause.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, StoreError):
            raise storeError(error) from error


#: The one instance; it holds no state.
translated = Translated()
