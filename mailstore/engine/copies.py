"""
Messages that are being copied into a folder, in more than one transaction.

Until the last of them they are there for nobody: they have UIDs from the folder's C{uid_next} on and a
mod-sequence above all that the folder has given out, and whoever looks for messages stops before both.  The
last transaction moves the folder's numbers over them, and all are there at once.  Meanwhile
nothing else is added to this folder, since UIDs are given out in the order in which messages appear
(RFC 9051 section 2.3.1.1); everything else goes on in it.

The row in C{copies} says that there are such messages, and who copies them.  When he comes to
nothing, or his process is killed, they are removed by whoever finds them, in slices; nobody ever
saw them.  If somebody else has removed them, he who copies notices, and gives up.
"""

from __future__ import annotations

from mailstore.engine import content
from mailstore.engine.connection import Connection
from mailstore.engine.places import FolderRow
from mailstore.errors import StoreBusy

#: Mod-sequences that are left to changes of the folder while messages are copied into it.
RESERVED = 1 << 24


class FolderHeld(StoreBusy):
    """
    Nothing can be added to a folder, since messages are being copied into it.
    """

    def __init__(self, folder: int, token: str) -> None:
        """
        @param token: says who does it.
        """
        super().__init__("messages are being copied into this folder")
        self.folder = folder
        self.token = token


def isUnderWay(db: Connection, folder: int) -> bool:
    """
    Whether there are messages in a folder that nobody is to see.
    """
    return db.execute("SELECT 1 FROM copies WHERE folder = ?", (folder,)).fetchone() is not None


def requireFree(db: Connection, row: FolderRow) -> None:
    """
    Check that something can be added to a folder.

    @raise FolderHeld: not now.
    """
    found = db.execute("SELECT token FROM copies WHERE folder = ?", (row.id,)).fetchone()
    if found is not None:
        raise FolderHeld(row.id, found[0])


def begin(db: Connection, row: FolderRow, token: str, user: int | None) -> int:
    """
    Begin to copy into a folder.

    @param user: whose C{\\Seen} there will be, if it is his own.
    @return: the mod-sequence that the messages are to have.
    @raise FolderHeld: somebody else does.
    """
    requireFree(db, row)
    modseq = row.modseq + RESERVED
    db.execute(
        "INSERT INTO copies (folder, token, user, modseq) VALUES (?, ?, ?, ?)", (row.id, token, user, modseq)
    )
    return modseq


def require(db: Connection, row: FolderRow, token: str) -> None:
    """
    Check that what was copied so far is still there.

    @raise StoreBusy: it is not.
    """
    found = db.execute("SELECT token, modseq FROM copies WHERE folder = ?", (row.id,)).fetchone()
    if found is None or found[0] != token or row.modseq >= found[1]:
        raise StoreBusy("another program has broken off the copying")


def end(db: Connection, folder: int) -> None:
    """
    What was copied is there, or has been removed.
    """
    db.execute("DELETE FROM copies WHERE folder = ?", (folder,))


def abandoned(db: Connection, alive: frozenset[str] = frozenset()) -> tuple[int, str] | None:
    """
    A folder with messages that nobody copies any more, and who did.

    @param alive: those who still do.
    """
    for folder, token in db.execute("SELECT folder, token FROM copies"):
        if token not in alive:
            return folder, token
    return None


def clear(db: Connection, folder: int, token: str, most: int) -> None:
    """
    Remove some of the messages that somebody has left behind; after the last ones he is forgotten.
    """
    found = db.execute(
        "SELECT c.user, f.uid_next FROM copies c JOIN folders f ON f.id = c.folder"
        " WHERE c.folder = ? AND c.token = ?",
        (folder, token),
    ).fetchone()
    if found is None:
        return
    user, uid_next = found
    rows = db.execute(
        "SELECT uid, content FROM messages WHERE folder = ? AND uid >= ? ORDER BY uid LIMIT ?",
        (folder, uid_next, most),
    ).fetchall()
    if rows:
        ends = (folder, uid_next, rows[-1][0])
        db.execute("DELETE FROM messages WHERE folder = ? AND uid BETWEEN ? AND ?", ends)
        content.dropReferences(db, (each for _, each in rows))
        if user is not None:
            db.execute(
                "DELETE FROM seen_marks WHERE folder = ? AND uid BETWEEN ? AND ? AND user = ?", (*ends, user)
            )
    if len(rows) < most:
        end(db, folder)
