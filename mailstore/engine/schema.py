"""
Bringing a database to the present schema.
"""

from __future__ import annotations

import sqlite3

from mailstore.engine.errors import StoreOpenError
from mailstore.engine.migrations import MIGRATIONS

#: Says that an SQLite file is a mail store ("MSTR"; sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x4D535452

#: The version that this code works with.
SCHEMA_VERSION = len(MIGRATIONS)


def version(db: sqlite3.Connection) -> int:
    """
    The version of a database; 0 when it is empty.

    @raise StoreOpenError: it is a database of something else, or newer than this code.
    """
    application: int = db.execute("PRAGMA application_id").fetchone()[0]
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        tables: int = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application or found or tables:
            raise StoreOpenError("it is a database, but not of a mail store")
        return 0
    if found > SCHEMA_VERSION:
        raise StoreOpenError(
            f"its schema has version {found}, and this program knows versions up to {SCHEMA_VERSION}"
        )
    return found


def upgrade(db: sqlite3.Connection) -> None:
    """
    Take the steps that a database lacks, each in a transaction of its own.

    @raise StoreOpenError: as L{version}.
    """
    while version(db) < SCHEMA_VERSION:
        db.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have taken the step while this one waited.
            at = version(db)
            if at < SCHEMA_VERSION:
                MIGRATIONS[at](db)
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(f"PRAGMA user_version = {at + 1}")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
