"""
Version 6: what is done in several transactions, for the case that the last one never comes.
"""

from __future__ import annotations

import sqlite3

_STATEMENTS = (
    # Messages of a folder from its uid_next on are there for nobody yet: they are being copied into it.
    # token: who does that; user: whose \Seen they have, if he has one of his own there.
    # modseq: what they have, and what the folder will have when they are there.
    """CREATE TABLE copies (
        folder INTEGER PRIMARY KEY,
        token TEXT NOT NULL,
        user INTEGER,
        modseq INTEGER NOT NULL)""",
    # Folders that are gone, and what they held not yet.
    "CREATE TABLE gone_folders (folder INTEGER PRIMARY KEY)",
)


def upgrade(db: sqlite3.Connection) -> None:
    """
    Make the tables.
    """
    for statement in _STATEMENTS:
        db.execute(statement)
