"""
From the names that a user sees to the trees they lie in, and from there to
rows, with the rights checked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import attrs

from mailstore.engine.acl import EMPTY_ACL, Acls
from mailstore.engine.connection import Connection
from mailstore.engine.users import PUBLIC, Users, Viewer
from mailstore.errors import InvalidName, NoSuchFolder, NotSelectable, PermissionDenied
from mailstore.model import ALL_RIGHTS, OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, folderName

COLUMNS = (
    "id, owner, name, selectable, acl, special_use, shared_seen, uid_validity, uid_next, modseq, changed,"
    " first_recent, recent, messages, unseen, deleted, size, keywords, tombstones_from"
)

#: L{folderName} of the names that are used most.
_spelling = lru_cache(4096)(folderName)

_BY_NAME = f"SELECT {COLUMNS} FROM folders WHERE owner = ? AND name = ?"
_BY_ID = f"SELECT {COLUMNS} FROM folders WHERE id = ?"
_SAVE = (
    "UPDATE folders SET uid_next = ?, modseq = ?, changed = ?, first_recent = ?, recent = ?, messages = ?,"
    " unseen = ?, deleted = ?, size = ?, keywords = ?, tombstones_from = ? WHERE id = ?"
)


#: In front of a keyword in a folder's row that no message has.
FREE = "\\"


class FolderRow(NamedTuple):
    """
    A row of folders; the columns are told in the schema.
    """

    id: int
    owner: int
    name: str
    selectable: int
    acl: int
    special_use: str
    shared_seen: int
    uid_validity: int
    uid_next: int
    modseq: int
    changed: int
    first_recent: int
    recent: int
    messages: int
    unseen: int
    deleted: int
    size: int
    keywords: str
    tombstones_from: int

    def keywordNames(self) -> tuple[str, ...]:
        """
        The keywords by bit.
        """
        return tuple(name.removeprefix(FREE) for name in self.keywords.split())

    def save(self, db: Connection) -> None:
        """
        Write what changes with messages.
        """
        db.execute(_SAVE, (*self[8:], self.id))


@attrs.frozen
class Place:
    """
    A name, taken apart.
    """

    #: The tree's owner; C{None} when there is no such tree.
    owner: int | None
    #: Below the root of the tree; empty for the root itself.
    path: str
    #: The name as its viewer sees it.
    shown: str


class Places:
    """
    Finds folders for viewers.
    """

    def __init__(self, users: Users, acls: Acls) -> None:
        self.users = users
        self.acls = acls

    def place(self, db: Connection, viewer: Viewer, name: str) -> Place:
        """
        Where a name lies.

        @raise InvalidName:
        """
        name = _spelling(name)
        first, _, rest = name.partition(SEPARATOR)
        if first == PUBLIC_ROOT:
            return Place(PUBLIC, rest, name)
        if first == OTHERS_ROOT:
            who, _, path = rest.partition(SEPARATOR)
            owner = self.users.viewer(db, who).id if who else None
            if owner is None or owner < 0:
                return Place(None, path, name)
            path = _spelling(path) if path else ""
            return Place(owner, path, SEPARATOR.join((first, who, path)) if path else name)
        return Place(None if viewer.is_system else viewer.id, name, name)

    def find(self, db: Connection, owner: int | None, path: str) -> FolderRow | None:
        """
        The row at a path of a tree.
        """
        if owner is None:
            return None
        row = db.lookup(_BY_NAME, (owner, path))
        return None if row is None else FolderRow._make(row)

    def rights(self, db: Connection, viewer: Viewer, row: FolderRow) -> str:
        """
        What a viewer may do with a folder.
        """
        return self.rightsOn(db, viewer, row.owner, row.acl)

    def rightsOn(self, db: Connection, viewer: Viewer, owner: int, acl: int) -> str:
        """
        What a viewer may do with a folder of this owner with this ACL.
        """
        if viewer.is_system or (viewer.id == owner and owner != PUBLIC):
            return ALL_RIGHTS
        return self.acls.rights(db, acl, viewer)

    def parentRights(self, db: Connection, viewer: Viewer, owner: int, path: str) -> tuple[str, int]:
        """
        What a viewer may do with the nearest folder above C{path} that exists, and its ACL.
        """
        while path:
            path = path.rpartition(SEPARATOR)[0]
            row = self.find(db, owner, path)
            if row is not None:
                return self.rights(db, viewer, row), row.acl
        return self.rightsOn(db, viewer, owner, EMPTY_ACL), EMPTY_ACL

    def byName(
        self, db: Connection, viewer: Viewer, name: str, needed: str = "", any_of: str = "l"
    ) -> FolderRow:
        """
        The folder of a name, which may be one that cannot be opened.

        @param needed: the rights that the viewer must have.
        @param any_of: when none is needed, the rights of which he must have one.
        @raise NoSuchFolder: there is none, or he may not know.
        @raise PermissionDenied: he lacks one of the rights.
        """
        row, shown = self._look(db, viewer, name)
        self.require(db, viewer, row, needed, shown, any_of)
        return row

    def mailbox(self, db: Connection, viewer: Viewer, name: str, needed: str) -> FolderRow:
        """
        The folder of a name, to open it.

        @raise NoSuchFolder: as L{byName}.
        @raise NotSelectable: it is a node without messages.
        @raise PermissionDenied: as L{byName}.
        """
        row, shown = self._look(db, viewer, name)
        if not row.selectable:
            self.require(db, viewer, row, "", shown)
            raise NotSelectable(f"{shown!r} holds folders only")
        self.require(db, viewer, row, needed, shown)
        return row

    def _look(self, db: Connection, viewer: Viewer, name: str) -> tuple[FolderRow, str]:
        try:
            place = self.place(db, viewer, name)
        except InvalidName as error:
            raise NoSuchFolder(f"there is no folder {name!r}") from error
        row = self.find(db, place.owner, place.path)
        if row is None:
            raise NoSuchFolder(f"there is no folder {place.shown!r}")
        return row, place.shown

    def byId(self, db: Connection, viewer: Viewer, folder: int, needed: str, any_of: str = "l") -> FolderRow:
        """
        The folder of an identity.

        @param needed: as L{byName}.
        @param any_of: as L{byName}.
        @raise NoSuchFolder: there is none any more, or the viewer may not know.
        @raise PermissionDenied: he lacks one of the rights.
        """
        row = db.lookup(_BY_ID, (folder,)) if -1 << 63 <= folder < 1 << 63 else None
        if row is None or not row[3]:
            raise NoSuchFolder("the folder does not exist any more")
        found = FolderRow._make(row)
        self.require(db, viewer, found, needed, found.name.rpartition("/")[2] or PUBLIC_ROOT, any_of)
        return found

    def require(
        self,
        db: Connection,
        viewer: Viewer,
        row: FolderRow,
        needed: str,
        name: str,
        any_of: str = "l",
    ) -> str:
        """
        Check that a viewer has rights on a folder.

        @return: all that he has.
        @raise NoSuchFolder: he lacks one of them, and may not look the folder up either.
        @raise PermissionDenied: he lacks one of them.
        """
        rights = self.rights(db, viewer, row)
        if needed:
            lacking = [each for each in needed if each not in rights]
        else:
            lacking = [] if any(each in rights for each in any_of) else [any_of[0]]
        if lacking:
            if "l" not in rights:
                raise NoSuchFolder(f"there is no folder {name!r}")
            raise PermissionDenied(f"this needs the right {lacking[0]!r} on {name!r}")
        return rights
