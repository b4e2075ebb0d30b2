"""
Version 3: addresses of folders, and rules for how long messages stay.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    # address: as mailstore.model.mailAddress gives it.
    """CREATE TABLE addresses (
        address TEXT PRIMARY KEY,
        folder INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX addresses_folder ON addresses (folder)",
    # days, messages: how long and how many stay; NULL for ever and all.
    # sure_uid, sure_time: messages from sure_uid on came at sure_time or later; see mailstore.engine.expiry.
    """CREATE TABLE expiry (
        folder INTEGER PRIMARY KEY,
        days INTEGER,
        messages INTEGER,
        sure_uid INTEGER NOT NULL,
        sure_time INTEGER NOT NULL)""",
)


def upgrade(db: sqlite3.Connection) -> None:
    """
    Add the tables.
    """
    for statement in _STATEMENTS:
        db.execute(statement)
