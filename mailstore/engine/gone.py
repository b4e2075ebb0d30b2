"""
Removing what folders hold: at once when it is little, else in slices, after their names have gone.

A folder that is deleted is gone for everybody in one transaction, whatever it holds.  Its
identity is never used again, so what is left of it is found by nobody, and is cleared away by and
by; a row in C{gone_folders} says so, also to who opens the store after a crash.
"""

from __future__ import annotations

from mailstore.engine import addresses, content, copies, expiry, metadata, quotas, seen
from mailstore.engine.connection import Connection
from mailstore.engine.places import FolderRow


def emptyFolder(db: Connection, row: FolderRow, most: int) -> None:
    """
    Remove what a folder holds, for good.  The folder is to be deleted in the same transaction.

    @param most: rows that are removed at once; more are left to L{clear}.
    """
    quotas.charge(db, row.owner, -row.messages, -row.size)
    metadata.drop(db, row.id)
    addresses.drop(db, row.id)
    expiry.drop(db, row.id)
    # What is being copied into it goes with the rest.
    copies.end(db, row.id)
    db.execute("INSERT INTO gone_folders (folder) VALUES (?)", (row.id,))
    clear(db, row.id, most)


def first(db: Connection) -> int:
    """
    A folder that has gone and still holds something; 0 when there is none.
    """
    found = db.execute("SELECT folder FROM gone_folders LIMIT 1").fetchone()
    return 0 if found is None else int(found[0])


def clear(db: Connection, folder: int, most: int) -> None:
    """
    Remove some of what a folder held that has gone.  After the last of it, it is forgotten.
    """
    rows = db.execute(
        "SELECT uid, content FROM messages WHERE folder = ? ORDER BY uid LIMIT ?", (folder, most)
    ).fetchall()
    if rows:
        db.execute(
            "DELETE FROM messages WHERE folder = ? AND uid BETWEEN ? AND ?", (folder, rows[0][0], rows[-1][0])
        )
        content.dropReferences(db, (each for _, each in rows))
    left = most - len(rows)
    if not left or seen.clear(db, folder, left) >= left:
        return
    db.execute("DELETE FROM tombstones WHERE folder = ?", (folder,))
    db.execute("DELETE FROM gone_folders WHERE folder = ?", (folder,))
