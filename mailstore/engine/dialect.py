"""
What the engine says to its database otherwise than SQL is said everywhere: the one place of it.

All other statements of the engine's logic are such as SQLite and PostgreSQL both understand (rows are written
over by C{ON CONFLICT}, new ids are had by C{RETURNING}), but for the columns named C{user}, which PostgreSQL
wants quoted.  What is about the database as a whole, and not about mail, is elsewhere: the file and its
connections (L{mailstore.engine.database}), the schema and its steps, copies of the file, its errors, the
search index, and the check of a file, which are each SQLite's own.  For another database there are to be
others of these, and of this module.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection

#: Behind C{messages}: by what they are to be looked for, where only the last changes are wanted.
BY_MODSEQ = "INDEXED BY messages_modseq"

#: Behind C{contents}: the same, for those that nobody names.
BY_ORPHANS = "INDEXED BY contents_orphans"

#: Behind C{folders}: the same, for personal ones that somebody else has rights on.
BY_SHARING = "INDEXED BY folders_shared"

#: Joins two tables, of which the first is to be walked through.
FOR_EACH_JOIN = "CROSS JOIN"


def listed(column: str) -> str:
    """
    All numbers of a column as one text, with commas between; null when there are none.
    """
    return f"group_concat({column})"


def octets(text: str) -> str:
    """
    How many bytes a text has in UTF-8.
    """
    return f"length(CAST({text} AS BLOB))"


def fileSizes(db: Connection) -> tuple[int, int]:
    """
    Bytes of the database, and how many of these hold nothing.
    """
    page, pages, free = (
        int(db.execute(f"PRAGMA {each}").fetchone()[0])
        for each in ("page_size", "page_count", "freelist_count")
    )
    return page * pages, page * free
