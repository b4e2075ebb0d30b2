"""
Running all checks over a file, and mending what can be mended.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs

from mailstore.engine import copies, readonly, schema
from mailstore.engine.checking import (
    contents,
    counts,
    filechecks,
    messages,
    ownseen,
    people,
    searchindex,
    tombstones,
    tree,
)
from mailstore.engine.checking.context import Context
from mailstore.engine.checking.findings import Check, Fault, Report
from mailstore.engine.database import requireFile
from mailstore.engine.errors import StoreOpenError, storeError
from mailstore.engine.limits import EngineLimits
from mailstore.engine.lookups import LookupConnection
from mailstore.engine.rendering import Renderer, Rendition
from mailstore.errors import StoreFault

#: In the order in which they can be mended: what a check needs is looked at before it.
CHECKS = (
    Check("tables", filechecks.tables),
    Check("single values", filechecks.singleValues),
    Check("identities", filechecks.sequences),
    Check("groups", people.members),
    Check("rights", people.rights),
    Check("folders' owners", tree.owners),
    Check("trees", people.trees),
    Check("users", people.users),
    Check("folders' names", tree.names),
    Check("bytes of messages", contents.pieces),
    Check("messages' folders", messages.places),
    Check("messages' contents", messages.contents),
    Check("references", contents.references),
    Check("what is made of messages", contents.made),
    Check("bytes", contents.bytesOfAll, contents.bytesOfOne),
    Check("sizes of messages", messages.contents),
    Check("folders", tree.values),
    Check("names without messages", tree.nodes),
    Check("folders' parents", tree.parents),
    Check("messages", messages.values),
    Check("expunged messages", tombstones.tombstones),
    Check("users' own flags", ownseen.orphans),
    Check("counts of users' own flags", ownseen.counts),
    Check("counts of folders", counts.folders),
    Check("counts of trees", counts.trees),
    Check("subscriptions", people.subscriptions),
    Check("annotations", people.metadata),
    Check("addresses", people.addresses),
    Check("rules for how long messages stay", people.expiry),
    Check("search index", searchindex.index, searchindex.indexOfOne),
)

#: The first of all: when the file is damaged, nothing is mended.
_DAMAGE = Check("file", filechecks.damage)

#: Faults that are mended in one transaction.
_ROUND = 10_000

#: How often all is looked at again after something was mended.
_PASSES = 3

#: Steps of SQLite after which it is asked whether to go on.
_OPCODES = 100_000

#: Told what is looked at, and how much of how much has been done (0 of 0: it cannot be told).
Progress = Callable[[str, int, int], object]


class CheckStopped(Exception):
    """
    Whoever runs a check has stopped it.  What was mended before is mended.
    """


class Checker:
    """
    Checks one file.  Every check sees the file at one moment, or, where it takes long, at
    several; others may use it meanwhile, and are held up only while something is mended.

    @ivar report: filled as the work goes on.
    """

    def __init__(
        self,
        path: str,
        renditions: Mapping[str, Rendition],
        renditions_version: int,
        limits: EngineLimits,
        writing: bool,
        clock: Callable[[], float] = time.time,
        progress: Progress = lambda title, done, total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        @param writing: something may be mended.
        @param progress: told how far it has come.
        @param stopped: asked now and then whether to stop.
        @raise StoreOpenError: the file is not there, is no mail store, has a schema of another
            version, or cannot be used.
        """
        self.report = Report()
        self._progress = progress
        self._stopped = stopped
        self._writing = writing
        requireFile(path)
        try:
            self._db = _connect(path, limits, writing)
        except sqlite3.Error as error:
            raise StoreOpenError(f"cannot open store {path!r}: {readonly.explained(path, error)}") from error
        except OSError as error:
            raise StoreOpenError(f"cannot open store {path!r}: {error.strerror}") from error
        try:
            self._requireVersion(path)
            self._db.set_progress_handler(stopped, _OPCODES)
            renderer = Renderer(renditions, renditions_version, limits)
            self._context = Context(self._db, renderer, limits, clock)
        except BaseException:
            self._db.close()
            raise

    def _requireVersion(self, path: str) -> None:
        try:
            found = schema.version(self._db)
        except (StoreOpenError, sqlite3.Error) as error:
            raise StoreOpenError(f"cannot open store {path!r}: {readonly.explained(path, error)}") from error
        if not found:
            raise StoreOpenError(f"cannot open store {path!r}: it is empty")
        if found < schema.SCHEMA_VERSION:
            raise StoreOpenError(
                f"cannot check store {path!r}: its schema has version {found}, and this program's has"
                f" {schema.SCHEMA_VERSION}; 'mailstore init' brings it up to date"
            )

    def close(self) -> None:
        """
        Idempotent.
        """
        self._db.close()

    # --- running ---

    def find(self) -> None:
        """
        Look at everything, and change nothing.

        @raise StoreError: it cannot be looked at.
        @raise CheckStopped:
        """
        with self._translated():
            self._context.renderer.recall(self._db)
        for check in (_DAMAGE, *CHECKS):
            for fault in self._faults(check):
                self.report.add(fault.finding())

    def repair(self) -> None:
        """
        Look at everything, and mend what can be mended.  In a file that is damaged
        itself nothing is changed but indexes.

        @raise StoreError: it cannot be looked at, or not be changed.
        @raise CheckStopped:
        """
        told: set[int] = set()
        self._mend(_DAMAGE, told)
        if self.report.left:
            self.find()
            return
        with self._transaction():
            self._context.renderer.number(self._db)
        self._breakOff()
        for number in range(_PASSES):
            before = self.report.mended.total()
            for check in CHECKS:
                # What takes long is not changed by what is mended after it.
                if not number or check.find_one is None:
                    self._mend(check, told)
            if self.report.mended.total() == before:
                break
        self.index()

    def _breakOff(self) -> None:
        """
        Remove what is being copied: whoever mends need not know of it.  Who copies notices, and gives up.
        """
        while (left := copies.abandoned(self._db)) is not None:
            with self._transaction():
                copies.clear(self._db, *left, _ROUND)

    def reindex(self) -> None:
        """
        Make the search index again from the messages, whatever it is like.

        @raise StoreError: it cannot be made.
        @raise CheckStopped: the rest of it is made by a server, or when this is called again.
        """
        with self._transaction():
            searchindex.indexOf(self._db).reset(self._db)
        self.index()

    def index(self) -> None:
        """
        Bring the search index up to date.

        @raise StoreError: it cannot be made.
        @raise CheckStopped:
        """
        index = searchindex.indexOf(self._db)
        if not index.usable:
            return
        total = self._context.value("SELECT count(*) FROM texts")
        with self._translated():
            while index.isBehind(self._db):
                if self._stopped():
                    raise CheckStopped
                with self._transaction():
                    index.step(self._db)
                left = self._context.value("SELECT count(*) FROM texts WHERE id > ?", index.done(self._db))
                self._progress("making the search index", max(0, total - left), total)

    # --- one check ---

    def _faults(self, check: Check) -> Iterator[Fault]:
        """
        All faults that a check finds.
        """
        self._progress(check.title, 0, 0)
        self._context.progress = lambda done, total: self._progress(check.title, done, total)
        try:
            with self._translated():
                self._db.execute("BEGIN")
                for fault in check.find(self._context):
                    if fault is not None:
                        yield fault
                        continue
                    self._db.execute("COMMIT")
                    if self._stopped():
                        raise CheckStopped
                    self._db.execute("BEGIN")
        except StoreFault as error:
            cause = error.__cause__
            kind = "file-damaged" if _isDamage(cause) else "unreadable"
            yield Fault(kind, check.title, f"it cannot be read: {cause or error}")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _mend(self, check: Check, told: set[int]) -> None:
        """
        @param told: hashes of the faults that were told already, which are not mended again.
        """
        while True:
            mendable: list[Fault] = []
            for fault in self._faults(check):
                key = hash((fault.key, fault.problem))
                if key in told:
                    continue
                told.add(key)
                if fault.mend is None:
                    self.report.add(fault.finding())
                    continue
                mendable.append(fault)
                if len(mendable) >= _ROUND:
                    break
            if not mendable:
                return
            self._mendThese(check, mendable)

    def _mendThese(self, check: Check, faults: list[Fault]) -> None:
        """
        Look again, since others may have changed something meanwhile, and mend what is found.
        """
        wanted = {each.key: each.where for each in faults}
        with self._transaction():
            again = (
                check.find(self._context)
                if check.find_one is None
                else (each for fault in faults for each in check.find_one(self._context, fault.content))
            )
            # All are found before the first is mended.
            for fault in [each for each in again if each and each.mend and each.key in wanted]:
                finding = fault.finding(self._tryToMend(fault))
                self.report.add(attrs.evolve(finding, where=wanted[fault.key]))

    def _tryToMend(self, fault: Fault) -> bool:
        assert fault.mend is not None
        self._db.execute("SAVEPOINT mending")
        try:
            fault.mend(self._db)
        except (sqlite3.IntegrityError, StoreFault):
            # Something else is wrong that this meets; it is told, and left.
            self._db.execute("ROLLBACK TO mending")
            mended = False
        else:
            mended = True
        self._db.execute("RELEASE mending")
        return mended

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if self._stopped():
                raise CheckStopped from error
            raise storeError(error) from error
        except (sqlite3.Error, OSError) as error:
            raise storeError(error) from error


def _isDamage(error: BaseException | None) -> bool:
    # The low byte is the primary code (sqlite.org/rescode.html).
    code: int = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _connect(path: str, limits: EngineLimits, writing: bool) -> LookupConnection:
    # Who may not write can read a file all the same, if nobody else writes either.
    readable_only = not writing and not os.access(path, os.W_OK)
    name = f"file:{readonly.quoted(path)}?mode={'ro' if readable_only else 'rw'}"
    if readonly.isReadOnly(path):
        if writing:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        name = readonly.uriOf(path)
    db = sqlite3.connect(
        name, timeout=limits.busy_wait, isolation_level=None, uri=True, factory=LookupConnection
    )
    try:
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA synchronous = FULL")
        if not writing:
            db.execute("PRAGMA query_only = ON")
    except BaseException:
        db.close()
        raise
    return db
