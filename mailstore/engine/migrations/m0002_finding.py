"""
Version 2: what finding, sorting and threading need, the dates of saving,
quotas and annotations.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    # saved: when it came into this folder; of older messages the internal date.
    "ALTER TABLE messages ADD COLUMN saved INTEGER NOT NULL DEFAULT 0",
    "UPDATE messages SET saved = internal_date",
    # thread: the same for what belongs together; NULL when nothing tells.
    "ALTER TABLE contents ADD COLUMN thread BLOB",
    # What the folders of a tree hold together, and may hold (NULL: there is no limit).
    "ALTER TABLE trees ADD COLUMN messages INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE trees ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE trees ADD COLUMN max_messages INTEGER",
    "ALTER TABLE trees ADD COLUMN max_kib INTEGER",
    "UPDATE trees SET (messages, size) = (SELECT coalesce(sum(f.messages), 0), coalesce(sum(f.size), 0)"
    " FROM folders f WHERE f.owner = trees.owner)",
    # id: content.  What messages are sorted and threaded by; see mailstore.message.sorting.
    """CREATE TABLE sortings (
        id INTEGER PRIMARY KEY,
        sent INTEGER,
        subject TEXT NOT NULL,
        is_reply INTEGER NOT NULL,
        sender TEXT NOT NULL,
        recipient TEXT NOT NULL,
        copied TEXT NOT NULL,
        message BLOB,
        refs BLOB NOT NULL)""",
    # folder 0: the server; user 0: everybody.
    """CREATE TABLE metadata (
        folder INTEGER NOT NULL,
        user INTEGER NOT NULL,
        entry TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (folder, user, entry)) WITHOUT ROWID""",
    # Up to which content the texts are in the search index; see mailstore.engine.textindex.
    "INSERT INTO meta (key, value) VALUES ('indexed', '')",
)


def upgrade(db: sqlite3.Connection) -> None:
    """
    Add tables and columns.  What is made of each message is made again by whoever opens the store.
    """
    for statement in _STATEMENTS:
        db.execute(statement)
