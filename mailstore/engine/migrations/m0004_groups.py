"""
Version 4: groups of users.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    "CREATE TABLE user_groups (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE members (
        user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        user_group INTEGER NOT NULL REFERENCES user_groups(id) ON DELETE CASCADE,
        PRIMARY KEY (user, user_group)) WITHOUT ROWID""",
    "CREATE INDEX members_by_group ON members (user_group)",
    # Grows with every change of who is a member of what.
    "INSERT INTO meta (key, value) VALUES ('members', 1)",
)


def upgrade(db: sqlite3.Connection) -> None:
    """
    Add tables.
    """
    for statement in _STATEMENTS:
        db.execute(statement)
