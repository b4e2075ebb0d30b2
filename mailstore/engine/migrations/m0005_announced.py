"""
Version 5: public folders that everybody subscribes to unless he says no.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    # announced: who may look the folder up subscribes to it, unless he said no.
    "ALTER TABLE folders ADD COLUMN announced INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX folders_announced ON folders (name, acl) WHERE announced = 1",
    # wanted: 0 when a user does not want a folder that was announced.
    "ALTER TABLE subscriptions ADD COLUMN wanted INTEGER NOT NULL DEFAULT 1",
)


def upgrade(db: sqlite3.Connection) -> None:
    """
    Add columns.
    """
    for statement in _STATEMENTS:
        db.execute(statement)
