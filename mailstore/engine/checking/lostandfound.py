"""
Where mail goes whose place in the store has been lost: into public folders that
nobody has any right on but the system.  Who looks after the store can give somebody
rights, or move it, or delete it; a check deletes no mail.
"""

from __future__ import annotations

from collections.abc import Callable

from mailstore.engine.acl import EMPTY_ACL
from mailstore.engine.checking.context import readFolder
from mailstore.engine.connection import Connection
from mailstore.engine.counters import nextUidValidity, touchTree
from mailstore.engine.messages import NewRow, addMessages
from mailstore.engine.users import PUBLIC
from mailstore.model import SEPARATOR

#: The public folder that all others of these are in.
LOST = "Lost and Found"


def freeName(db: Connection, name: str) -> str:
    """
    A name below L{LOST} that no folder has.
    """
    wanted = SEPARATOR.join((LOST, name))
    number = 1
    found = wanted
    while db.execute("SELECT 1 FROM folders WHERE owner = ? AND name = ?", (PUBLIC, found)).fetchone():
        number += 1
        found = f"{wanted} ({number})"
    return found


def requireRoot(db: Connection) -> None:
    """
    Make the node that the folders are in, if it is not there.
    """
    cursor = db.execute(
        "INSERT OR IGNORE INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
        " VALUES (?, ?, 0, ?, 1, 1)",
        (PUBLIC, LOST, EMPTY_ACL),
    )
    if cursor.rowcount:
        touchTree(db, PUBLIC, True, 1)


def makeFolder(db: Connection, name: str, clock: Callable[[], float], folder: int | None = None) -> int:
    """
    A folder of this name, which may be there already.

    @param folder: the identity that it is to have; then a new one is made.
    """
    requireRoot(db)
    path = SEPARATOR.join((LOST, name)) if folder is None else freeName(db, name)
    found = db.execute(
        "SELECT id FROM folders WHERE owner = ? AND name = ? AND selectable", (PUBLIC, path)
    ).fetchone()
    if found is not None:
        return int(found[0])
    (made,) = db.execute(
        "INSERT INTO folders (id, owner, name, selectable, acl, shared_seen, uid_validity)"
        " VALUES (?, ?, ?, 1, ?, 1, ?) RETURNING id",
        (folder, PUBLIC, path, EMPTY_ACL, nextUidValidity(db, clock())),
    ).fetchone()
    touchTree(db, PUBLIC, True, 1)
    return int(made)


def fileContent(db: Connection, content: int, clock: Callable[[], float]) -> None:
    """
    Make a content that no message names a message.
    """
    folder = makeFolder(db, "Messages", clock)
    (size,) = db.execute("SELECT size FROM contents WHERE id = ?", (content,)).fetchone()
    db.execute("UPDATE contents SET refs = 1 WHERE id = ?", (content,))
    now = int(clock())
    row = readFolder(db, folder)
    addMessages(db, row, None, [NewRow(0, content, now, 0, size, now)], row.keywords)
