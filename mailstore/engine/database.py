"""
The two connections to an SQLite database, and who may use which when.

The I{write} connection is used between C{begin} and C{commit} only, and is
committed by a L{committer<mailstore.engine.commit.ICommitter>}, perhaps in
another thread.  The I{read} connection sees what is committed; what is read in
one L{Database.reading} is of one moment.  A database in memory has one connection for both.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import TypeVar

from mailstore.engine import readonly, schema
from mailstore.engine.errors import StoreOpenError, storeError, translated
from mailstore.engine.limits import EngineLimits
from mailstore.engine.lookups import LookupConnection, Lookups
from mailstore.errors import StoreBusy, StoreError, StoreUnavailable

_T = TypeVar("_T")

#: Bytes to which the write-ahead log is cut back when it has been transferred.
_WAL_BYTES = 64 * 1024 * 1024

_MEMORY = ":memory:"

#: Bytes of the smallest file that is a database (sqlite.org/fileformat.html section 1.2: a page).
_LEAST = 512


def pathOf(url: str) -> str:
    """
    The path of the file that a store's URL names, or C{":memory:"}.

    C{sqlite:///var/mail.db} and C{sqlite:/var/mail.db} are C{/var/mail.db},
    C{sqlite:mail.db} is in the working directory.

    @raise StoreOpenError: it is no URL of an SQLite store.
    """
    scheme, colon, rest = url.partition(":")
    if scheme != "sqlite" or not colon:
        hint = (
            f"write sqlite:{url}"
            if ":" not in url
            else "a store is a file, such as sqlite:///var/lib/mail.db"
        )
        raise StoreOpenError(f"cannot open store {url!r}: it does not begin with 'sqlite:'; {hint}")
    if rest == _MEMORY:
        return rest
    if rest.startswith("//"):
        rest = rest[2:]
        if not rest.startswith("/"):
            raise StoreOpenError(f"cannot open store {url!r}: it names a host; write sqlite:///path")
        rest = "/" + rest.lstrip("/")
    if not rest or "\0" in rest or rest.endswith("/"):
        raise StoreOpenError(f"cannot open store {url!r}: it names no file")
    return rest


def requireFile(path: str, create: bool = False) -> None:
    """
    Check that a file is there, or can be.

    @raise StoreOpenError: it is not.
    """
    if os.path.isdir(path):
        raise StoreOpenError(f"cannot open store {path!r}: it is a directory")
    if not os.path.exists(path):
        if not create:
            raise StoreOpenError(f"cannot open store {path!r}: there is no such file")
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise StoreOpenError(f"cannot create store {path!r}: its directory does not exist")
    elif os.path.isfile(path) and 0 < os.path.getsize(path) < _LEAST:
        # SQLite would take it for an empty database, and write over it.
        raise StoreOpenError(f"cannot open store {path!r}: file is not a database")


class Reading:
    """
    A context that gives a connection to read from, seeing one moment.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> LookupConnection:
        return self._database.beginReading()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._database.endReading()
        if isinstance(error, Exception):
            mapped = storeError(error)
            if mapped is not error:
                raise mapped from error


class Together(AbstractContextManager[None]):
    """
    A context in which readings that follow one another share a transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.beginTogether()

    def __exit__(self, *_: object) -> None:
        self._database.endTogether()


class Database:
    """
    An open SQLite database.

    @ivar in_memory: it has no file, and one connection.
    @ivar read_only: it can only be read.
    """

    def __init__(self, path: str, limits: EngineLimits) -> None:
        self.in_memory = path == _MEMORY
        self.read_only = not self.in_memory and readonly.isReadOnly(path)
        self._writing = False
        self._writes_much = False
        self._closed = False
        #: A change could not be undone on its own: nothing of its transaction may be kept.
        self._spoiled = False
        #: The files that are in use, by path; see L{_requireFiles}.
        self._files: dict[str, tuple[int, int]] = {}
        self._write = _connect(path, limits)
        try:
            # Before anything is changed: it may be somebody else's.
            version = schema.version(self._write)
            if self.read_only and version < schema.SCHEMA_VERSION:
                raise StoreOpenError(
                    f"its schema has version {version}, and this program's has {schema.SCHEMA_VERSION}:"
                    " it is on a read-only file system, and must be opened once where it can be written"
                )
            if not (self.in_memory or self.read_only):
                self._write.execute("PRAGMA journal_mode = WAL")
                self._write.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            self._write.execute("PRAGMA synchronous = FULL")
            self._write.execute("PRAGMA foreign_keys = ON")
            if limits.max_database is not None:
                page_size: int = self._write.execute("PRAGMA page_size").fetchone()[0]
                self._write.execute(f"PRAGMA max_page_count = {max(1, limits.max_database // page_size)}")
            if not self.read_only:
                schema.upgrade(self._write)
            self._data_version = self._dataVersion()
            if self.in_memory:
                self._read = self._write
            else:
                self._read = _connect(path, limits)
                self._read.execute("PRAGMA query_only = ON")
                self._files = {path: _identity(path)}
        except BaseException:
            self._write.close()
            raise
        self._reading = Reading(self)
        self._together = Together(self)
        self._lookups = Lookups(limits.lookup_cache)
        #: Readings share a transaction.
        self._sharing = False
        #: Something was committed since it began.
        self._outdated = False

    @classmethod
    def open(cls, url: str, limits: EngineLimits, create: bool = True) -> Database:
        """
        Open the database that a URL names.

        @param create: make it if it is not there.
        @raise StoreOpenError: that cannot be done; the message names the path and says why.
        """
        path = pathOf(url)
        if path != _MEMORY:
            requireFile(path, create)
        try:
            if path != _MEMORY and not readonly.isReadOnly(path):
                # Mail is nobody else's to read; SQLite gives its other files the same mode.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            return cls(path, limits)
        except StoreOpenError as error:
            raise StoreOpenError(f"cannot open store {path!r}: {error}") from error
        except sqlite3.Error as error:
            raise StoreOpenError(f"cannot open store {path!r}: {readonly.explained(path, error)}") from error
        except OSError as error:
            raise StoreOpenError(f"cannot open store {path!r}: {error.strerror}") from error

    # --- reading ---

    def reading(self) -> Reading:
        """
        A context in which to read, without waiting for anything in it.  What
        it raises is a L{StoreError<mailstore.errors.StoreError>}.

        @raise StoreUnavailable: the database is closed.
        """
        return self._reading

    def beginReading(self) -> LookupConnection:
        """
        See L{reading}.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if not self.in_memory:
            if self._sharing and not self._outdated and self._read.in_transaction:
                return self._read
            with translated:
                if self._read.in_transaction:
                    # It could not be ended when it should have been, or is outdated.
                    self._read.execute("ROLLBACK")
                self._outdated = False
                self._read.execute("BEGIN")
                if self._sharing:
                    self._lookups.at(self._read.execute("PRAGMA data_version").fetchone()[0])
                    self._read.lookups = self._lookups
        return self._read

    def endReading(self) -> None:
        """
        See L{reading}.
        """
        if not (self._sharing or self.in_memory or self._closed) and self._read.in_transaction:
            with translated:
                self._read.execute("COMMIT")

    def together(self) -> Together:
        """
        A context in which what is read is of one moment as long as nothing is committed here, so that
        many short requests that are answered together cost no transaction each.  Nothing may be
        waited for in it.
        """
        return self._together

    def beginTogether(self) -> None:
        """
        See L{together}.
        """
        self._sharing = True

    def endTogether(self) -> None:
        """
        See L{together}.
        """
        self._sharing = False
        if not self.in_memory:
            self._read.lookups = None
            # Who could not read has been told.  What is open then is undone by the next who reads.
            with suppress(StoreError):
                self.endReading()

    # --- writing ---

    def writeMuch(self) -> None:
        """
        From now on much is written: what is in the write-ahead log is transferred when there is much of it,
        and not again and again.  Idempotent.
        """
        if not (self.in_memory or self.read_only or self._writes_much):
            self._writes_much = True
            with translated:
                page_size: int = self._write.execute("PRAGMA page_size").fetchone()[0]
                self._write.execute(f"PRAGMA wal_autocheckpoint = {_WAL_BYTES // page_size}")

    def refuseWhenBusy(self) -> None:
        """
        From now on C{begin} does not wait for another process: who calls it does.
        """
        with translated:
            for each in (self._write, self._read):
                each.execute("PRAGMA busy_timeout = 0")

    def begin(self) -> None:
        """
        Open the write transaction.

        @raise StoreBusy: another process has one, and kept it for long.
        @raise StoreUnavailable: the database is closed, or its file is not the one that was opened.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self.read_only:
            raise StoreUnavailable(readonly.REFUSAL)
        with translated:
            if self._write.in_transaction:
                # It could not be undone when it should have been.
                self._write.execute("ROLLBACK")
            self._spoiled = False
            self._requireFiles()
            self._write.execute("BEGIN IMMEDIATE")
        self._writing = True

    def _requireFiles(self) -> None:
        """
        Check that the files in use still have their names: what is written into files that
        nobody can open again would be lost, however durable.

        @raise OSError: they were removed or replaced.
        """
        for path, identity in self._files.items():
            if _identity(path) != identity:
                raise OSError(
                    errno.ESTALE,
                    "it was removed or replaced while it was in use, and changes would be lost:"
                    " put it back, or start the server again",
                    path,
                )
        if len(self._files) == 1:
            # The write-ahead log comes with the first change, and stays.
            (path,) = self._files
            log = _identity(path + "-wal")
            if log != (0, 0):
                self._files[path + "-wal"] = log

    def commit(self) -> None:
        """
        Make the write transaction durable.

        @raise StoreUnavailable: the database is closed.
        @raise StoreBusy: SQLite has undone the transaction already.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        with translated:
            if self._spoiled or not self._write.in_transaction:
                raise StoreBusy("the store could not keep the change")
            self._write.execute("COMMIT")
        # Whoever is told of it must find it.
        self._outdated = True
        self._writing = False

    def rollback(self) -> None:
        """
        Undo the write transaction, if one is open.
        """
        self._writing = False
        with translated:
            if not self._closed and self._write.in_transaction:
                self._write.execute("ROLLBACK")

    def mutate(self, change: Callable[[LookupConnection], _T]) -> _T:
        """
        Make a change within the write transaction: all of it, or, when it raises, nothing.

        @raise StoreError: whatever C{change} raises, as one.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        db = self._write
        with translated:
            if self._spoiled or not db.in_transaction:
                # SQLite rolls the whole transaction back by itself when the
                # disk is full; then what others changed in it is undone too.
                raise StoreBusy("the store could not keep what was changed just before")
            db.execute("SAVEPOINT change")
            try:
                result = change(db)
                db.execute("RELEASE change")
            except BaseException:
                if db.in_transaction:
                    self._undo(db)
                raise
        return result

    def alter(self, change: Callable[[LookupConnection], _T]) -> _T:
        """
        Make a change within the write transaction; when it raises, nothing of the transaction is kept,
        whoever made it.  To undo a change alone, as L{mutate} can, SQLite holds in memory all pages that
        it overwrites, also those that it removes; for this it holds none.

        @raise StoreError: whatever C{change} raises, as one.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        with translated:
            if self._spoiled or not self._write.in_transaction:
                raise StoreBusy("the store could not keep what was changed just before")
            try:
                return change(self._write)
            except BaseException:
                self._spoiled = True
                raise

    def _undo(self, db: LookupConnection) -> None:
        try:
            db.execute("ROLLBACK TO change")
            db.execute("RELEASE change")
        except sqlite3.Error:
            self._spoiled = True

    def transaction(self, change: Callable[[LookupConnection], _T]) -> _T:
        """
        Make a change in a transaction of its own, when there is no committer yet.
        """
        self.begin()
        try:
            result = self.alter(change)
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return result

    # --- changes from outside ---

    def _dataVersion(self) -> int:
        version: int = self._write.execute("PRAGMA data_version").fetchone()[0]
        return version

    def changedOutside(self) -> bool:
        """
        Whether another process has changed the database since this was asked
        last.  While a write transaction is open it says no, and tells next time.
        """
        if self._writing or self._closed or self.in_memory:
            return False
        with translated:
            found = self._dataVersion()
        changed = found != self._data_version
        self._data_version = found
        return changed

    def close(self) -> None:
        """
        Undo what is not committed, and close.  Idempotent.
        """
        if self._closed:
            return
        with translated:
            self.rollback()
            self._closed = True
            self._read.close()
            self._write.close()


def _identity(path: str) -> tuple[int, int]:
    """
    What file has a name now; (0, 0) for none.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _connect(path: str, limits: EngineLimits) -> LookupConnection:
    read_only = path != _MEMORY and readonly.isReadOnly(path)
    connection = sqlite3.connect(
        readonly.uriOf(path) if read_only else path,
        uri=read_only,
        factory=LookupConnection,
        timeout=limits.busy_wait,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        connection.execute(f"PRAGMA cache_size = -{limits.page_cache // 1024}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection
