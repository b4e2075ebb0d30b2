"""
Removing a user, with or without his mail.
"""

from __future__ import annotations

from typing import NamedTuple

from mailstore.engine import expiry, gone, quotas
from mailstore.engine.acl import EMPTY_ACL, Acls
from mailstore.engine.connection import Connection
from mailstore.engine.counters import touchTree
from mailstore.engine.folders import Folders
from mailstore.engine.places import COLUMNS, FolderRow
from mailstore.engine.users import PUBLIC, SYSTEM_ID, Viewer
from mailstore.errors import FolderInUse, InvalidName, NoSuchUser
from mailstore.model import MAX_DEPTH, MAX_NAME, PUBLIC_ROOT, SEPARATOR, SYSTEM, folderName


class Removed(NamedTuple):
    """
    What became of a user's mail.
    """

    messages: int
    #: The folders that nobody finds any more where they were.
    folders: tuple[int, ...]


def removeUser(
    db: Connection, folders: Folders, acls: Acls, user: Viewer, keep_as: str, delete: bool, most: int
) -> Removed:
    """
    See L{removeUser<mailstore.interfaces.IMaintenance.removeUser>}.

    @param most: rows of what a folder held that are removed at once.
    """
    if user.id is None or user.is_system:
        raise NoSuchUser(f"there is no user {user.name!r}")
    found = db.execute(f"SELECT {COLUMNS} FROM folders WHERE owner = ? ORDER BY name", (user.id,)).fetchall()
    rows = [FolderRow._make(each) for each in found]
    messages = sum(each.messages for each in rows)
    if keep_as:
        _keep(db, folders, acls, user.id, rows, keep_as)
    elif messages and not delete:
        raise FolderInUse(f"{user.name!r} has {messages} message{'' if messages == 1 else 's'}")
    else:
        for row in rows:
            gone.emptyFolder(db, row, most)
        db.execute("DELETE FROM folders WHERE owner = ?", (user.id,))
    touchTree(db, user.id, True, -len(rows))
    for acl in {each.acl for each in rows}:
        acls.release(db, acl)
    folders.dropIdentifier(db, user.name)
    for table in ("subscriptions", "seen", "seen_marks", "metadata", "members"):
        db.execute(f"DELETE FROM {table} WHERE user = ?", (user.id,))
    db.execute("UPDATE meta SET value = value + 1 WHERE key = 'members'")
    db.execute("DELETE FROM trees WHERE owner = ?", (user.id,))
    db.execute("DELETE FROM users WHERE id = ?", (user.id,))
    return Removed(messages, tuple(each.id for each in rows))


def _keep(
    db: Connection, folders: Folders, acls: Acls, owner: int, rows: list[FolderRow], keep_as: str
) -> None:
    """
    Make a user's folders public ones that nobody has any right on.
    """
    name = folderName(keep_as)
    first, _, path = name.partition(SEPARATOR)
    if first != PUBLIC_ROOT or not path:
        raise InvalidName(f"{name!r} is no public folder: write '{PUBLIC_ROOT}/{name}'")
    longest = max((len(each.name.encode()) for each in rows), default=0)
    deepest = max((each.name.count(SEPARATOR) for each in rows), default=0)
    if len(name.encode()) + 1 + longest > MAX_NAME or name.count(SEPARATOR) + 2 + deepest > MAX_DEPTH:
        raise InvalidName("a folder below it would get a name that is too long")
    folders.create(db, Viewer(SYSTEM, SYSTEM_ID), name, "")
    (top, inherited) = db.execute(
        "SELECT id, acl FROM folders WHERE owner = ? AND name = ?", (PUBLIC, path)
    ).fetchone()
    db.execute("UPDATE folders SET acl = ? WHERE id = ?", (EMPTY_ACL, top))
    acls.release(db, inherited)
    db.execute(
        "UPDATE folders SET owner = ?, name = ? || '/' || name, acl = ?, special_use = '' WHERE owner = ?",
        (PUBLIC, path, EMPTY_ACL, owner),
    )
    for row in rows:
        # What is kept is not to go by a rule that nobody remembers.
        expiry.drop(db, row.id)
    touchTree(db, PUBLIC, True, len(rows))
    quotas.charge(db, PUBLIC, sum(each.messages for each in rows), sum(each.size for each in rows))
