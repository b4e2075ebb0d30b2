"""
Version 1: everything.
"""

from __future__ import annotations

import os
import sqlite3

_TABLES = (
    # Single values; see the modules that name them.
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        salt BLOB NOT NULL,
        iterations INTEGER NOT NULL,
        stored_key BLOB NOT NULL,
        server_key BLOB NOT NULL)""",
    # One row per tree: owner 0 is the public one, others are users' ids.
    """CREATE TABLE trees (
        owner INTEGER PRIMARY KEY,
        generation INTEGER NOT NULL DEFAULT 1,
        folders INTEGER NOT NULL DEFAULT 0)""",
    # Each distinct set of rights once; "identifier letters" lines, sorted.
    "CREATE TABLE acls (id INTEGER PRIMARY KEY AUTOINCREMENT, entries TEXT NOT NULL UNIQUE)",
    # name: below the tree's root, which has the empty name.
    # modseq: the last one given out; changed: the last one given to what everybody sees.
    # tombstones_from: expunges up to this mod-sequence are forgotten.
    """CREATE TABLE folders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner INTEGER NOT NULL,
        name TEXT NOT NULL,
        selectable INTEGER NOT NULL,
        acl INTEGER NOT NULL REFERENCES acls(id),
        special_use TEXT NOT NULL DEFAULT '',
        shared_seen INTEGER NOT NULL,
        uid_validity INTEGER NOT NULL,
        uid_next INTEGER NOT NULL DEFAULT 1,
        modseq INTEGER NOT NULL DEFAULT 1,
        changed INTEGER NOT NULL DEFAULT 1,
        first_recent INTEGER NOT NULL DEFAULT 1,
        recent INTEGER NOT NULL DEFAULT 0,
        messages INTEGER NOT NULL DEFAULT 0,
        unseen INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0,
        size INTEGER NOT NULL DEFAULT 0,
        keywords TEXT NOT NULL DEFAULT '',
        tombstones_from INTEGER NOT NULL DEFAULT 0,
        UNIQUE (owner, name))""",
    "CREATE INDEX folders_acl ON folders (acl, owner)",
    # What a user shares; acl 1 is the empty one.
    "CREATE INDEX folders_shared ON folders (acl) WHERE owner > 0 AND acl > 1",
    """CREATE TABLE subscriptions (
        user INTEGER NOT NULL REFERENCES users(id),
        name TEXT NOT NULL,
        PRIMARY KEY (user, name)) WITHOUT ROWID""",
    # Each distinct message once.  refs: rows of messages that name it.
    # stored: bytes as it came; size: bytes as it is served; canonical: they are the same bytes.
    # structure: mailstore.message.index; rendered: number of the renditions' version in meta.
    # An id is never used again: who still reads a content that another process removed finds nothing.
    """CREATE TABLE contents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        refs INTEGER NOT NULL,
        stored INTEGER NOT NULL,
        size INTEGER NOT NULL,
        canonical INTEGER NOT NULL,
        sent_day INTEGER,
        rendered TEXT NOT NULL,
        structure BLOB NOT NULL)""",
    "CREATE INDEX contents_orphans ON contents (id) WHERE refs = 0",
    # id: content << 20 | number of the chunk.
    "CREATE TABLE chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE rendition_kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # id: content << 4 | kind.
    "CREATE TABLE renditions (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    # Folded for searching; id: content.  header: "name: value" lines; parts: the headers of its parts.
    """CREATE TABLE texts (
        id INTEGER PRIMARY KEY,
        header TEXT NOT NULL,
        body TEXT NOT NULL,
        parts TEXT NOT NULL)""",
    """CREATE TABLE messages (
        folder INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        content INTEGER NOT NULL,
        internal_date INTEGER NOT NULL,
        zone INTEGER NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (folder, uid)) WITHOUT ROWID""",
    "CREATE INDEX messages_modseq ON messages (folder, modseq)",
    # Expunged UIDs, low to high.
    """CREATE TABLE tombstones (
        folder INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        low INTEGER NOT NULL,
        high INTEGER NOT NULL,
        PRIMARY KEY (folder, modseq, low)) WITHOUT ROWID""",
    # One user's \Seen in a folder where each has his own (user -1: the system).
    # Up to low everything is seen, since mod-sequence low_modseq; marks say otherwise.
    # last: the last mod-sequence given to a change; seen: messages that are seen;
    # marks: rows in seen_marks; compact_at: how many of them are worth a better low.
    """CREATE TABLE seen (
        folder INTEGER NOT NULL,
        user INTEGER NOT NULL,
        low INTEGER NOT NULL,
        low_modseq INTEGER NOT NULL,
        last INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        marks INTEGER NOT NULL,
        compact_at INTEGER NOT NULL,
        PRIMARY KEY (folder, user)) WITHOUT ROWID""",
    """CREATE TABLE seen_marks (
        folder INTEGER NOT NULL,
        user INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        PRIMARY KEY (folder, user, uid)) WITHOUT ROWID""",
)


def upgrade(db: sqlite3.Connection) -> None:
    """
    Make the tables, and the root of the public folders with its default rights.
    """
    for statement in _TABLES:
        db.execute(statement)
    db.executemany(
        "INSERT INTO meta (key, value) VALUES (?, ?)",
        (
            ("identity", os.urandom(6).hex()),
            ("uid_validity", 1),
            ("shared", 1),
            ("personal", 1),
            ("renditions", ""),
        ),
    )
    db.executemany("INSERT INTO acls (id, entries) VALUES (?, ?)", ((1, ""), (2, "authenticated lrs\n")))
    db.execute("INSERT INTO trees (owner, folders) VALUES (0, 1)")
    db.execute(
        "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
        " VALUES (0, '', 0, 2, 0, 1)"
    )
