"""
How much of everything there is.
"""

from __future__ import annotations

from mailstore.engine import dialect
from mailstore.engine.connection import Connection
from mailstore.engine.users import PUBLIC
from mailstore.model import Statistics


def statistics(db: Connection) -> Statistics:
    """
    Count it.
    """

    def number(statement: str, *operands: object) -> int:
        row = db.execute(statement, operands).fetchone()
        return int(row[0] or 0)

    size, free = dialect.fileSizes(db)
    indexed = str(db.execute("SELECT value FROM meta WHERE key = 'indexed'").fetchone()[0])
    # Up to which content the index goes; see mailstore.engine.textindex.
    done = int(indexed.split(".")[1]) if indexed else 0
    return Statistics(
        users=number("SELECT count(*) FROM users"),
        public_folders=number("SELECT count(*) FROM folders WHERE owner = ? AND selectable", PUBLIC),
        personal_folders=number("SELECT count(*) FROM folders WHERE owner <> ? AND selectable", PUBLIC),
        messages=number("SELECT sum(messages) FROM trees"),
        message_bytes=number("SELECT sum(size) FROM trees"),
        contents=number("SELECT count(*) FROM contents"),
        content_bytes=number("SELECT sum(stored) FROM contents"),
        unindexed=number("SELECT count(*) FROM texts WHERE id > ?", done),
        database_bytes=size,
        free_bytes=free,
    )
