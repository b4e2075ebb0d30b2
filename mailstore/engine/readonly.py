"""
Stores on a file system that cannot be written: a snapshot, or a disk that the system does not
trust any more.
"""

from __future__ import annotations

import os

#: What is said to who wants to change something.
REFUSAL = "the store is on a read-only file system: it can be read, and nothing changed"


def isReadOnly(path: str) -> bool:
    """
    Whether a file is there, on a file system that cannot be written.
    """
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def isUnfinished(path: str) -> bool:
    """
    Whether there is a write-ahead log, with changes that may not be in the database's file.
    """
    try:
        return os.path.getsize(path + "-wal") > 0
    except OSError:
        return False


def uriOf(path: str) -> str:
    """
    By what SQLite opens a database that L{isReadOnly}.  With a write-ahead log it needs the index of
    that too, which it cannot make there; without one it is told that nobody changes the file.
    """
    return f"file:{quoted(path)}?mode=ro" + ("" if isUnfinished(path) else "&immutable=1")


def quoted(path: str) -> str:
    """
    A path as it stands in a URI of SQLite's.
    """
    return os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def explained(path: str, error: Exception) -> str:
    """
    Why a database could not be opened, wherever it is.
    """
    if isUnfinished(path) and isReadOnly(path):
        return (
            f"it is on a read-only file system and was not closed in order ({error}):"
            f" copy it together with {os.path.basename(path)}-wal to where it can be written"
        )
    return str(error)
