"""
A copy of a store of one moment, made while others use it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable

from mailstore.engine import readonly, schema
from mailstore.engine.database import requireFile
from mailstore.engine.errors import StoreOpenError, storeError
from mailstore.engine.limits import EngineLimits

#: Pages that are copied before anybody is told how far it is.
_STEP = 1000


class BackupStopped(Exception):
    """
    Whoever makes a backup has stopped it.
    """


class Backup:
    """
    Copies one file.

    The copy is of the moment when it begins: it reads in one transaction, which holds
    up nobody who writes.  Only the write-ahead log cannot be cut back until it has ended.
    """

    def __init__(self, path: str, limits: EngineLimits) -> None:
        """
        @raise StoreOpenError: the file is not there, is no mail store, or cannot be read.
        """
        requireFile(path)
        try:
            read_only = readonly.isReadOnly(path)
            name = readonly.uriOf(path) if read_only else path
            self._db = sqlite3.connect(name, uri=read_only, timeout=limits.busy_wait, isolation_level=None)
        except sqlite3.Error as error:
            raise StoreOpenError(f"cannot open store {path!r}: {readonly.explained(path, error)}") from error
        try:
            self._db.execute("PRAGMA query_only = ON")
            schema.version(self._db)
        except (StoreOpenError, sqlite3.Error) as error:
            self._db.close()
            raise StoreOpenError(f"cannot open store {path!r}: {readonly.explained(path, error)}") from error

    def close(self) -> None:
        """
        Idempotent.
        """
        self._db.close()

    def copy(
        self,
        destination: str,
        progress: Callable[[int, int], object] = lambda done, total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        Make the copy, durably; when this raises there is none.

        @param destination: a file that is not there yet.
        @param progress: told how many bytes of how many are copied.
        @param stopped: asked now and then whether to stop.
        @raise FileExistsError: there is one.
        @raise OSError: it cannot be written.
        @raise StoreError: the store cannot be read, or there is no room.
        @raise BackupStopped:
        """
        # Mail is nobody else's to read.
        os.close(os.open(destination, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            self._copy(destination, progress, stopped)
            with open(destination, "rb+") as file:
                os.fsync(file.fileno())
        except BaseException:
            for suffix in ("", "-wal", "-shm", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(destination + suffix)
            raise

    def _copy(
        self, destination: str, progress: Callable[[int, int], object], stopped: Callable[[], bool]
    ) -> None:
        def advanced(status: int, remaining: int, total: int) -> None:
            if stopped():
                raise BackupStopped
            progress((total - remaining) * page, total * page)

        try:
            page: int = self._db.execute("PRAGMA page_size").fetchone()[0]
            target = sqlite3.connect(destination, isolation_level=None)
            try:
                # Held until the end, so that the copy is of one moment and never begins again.
                self._db.execute("BEGIN")
                self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
                self._db.backup(target, pages=_STEP, progress=advanced, sleep=0)
            finally:
                target.close()
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise storeError(error) from error
