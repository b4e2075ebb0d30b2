"""
Making, deleting and renaming folders, and their rights.

Folders of a tree are rows with their whole path; a folder that is deleted while
it has children leaves a node, and a node that loses its last child goes too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mailstore.engine import expiry, gone, groups, moving
from mailstore.engine.acl import EMPTY_ACL, Acls, changed, withRights
from mailstore.engine.connection import Connection
from mailstore.engine.counters import nextUidValidity, touchTree
from mailstore.engine.dialect import octets
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow, Place, Places
from mailstore.engine.users import PUBLIC, Viewer
from mailstore.errors import (
    FolderExists,
    FolderInUse,
    InvalidName,
    LimitReached,
    NoSuchFolder,
    NoSuchGroup,
    NoSuchUser,
    PermissionDenied,
)
from mailstore.model import (
    ALL_RIGHTS,
    ANYONE,
    AUTHENTICATED,
    GROUP_PREFIX,
    INBOX,
    MAX_DEPTH,
    MAX_NAME,
    OTHERS_ROOT,
    PUBLIC_ROOT,
    SEPARATOR,
    SYSTEM,
    RightsMode,
    folderName,
    rightsOf,
)

#: What a folder can be made for (RFC 6154 section 2, RFC 8457 section 3).
SPECIAL_USES = frozenset(
    ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
)

# '0' is the character after the separator: between the two are all paths below one.
_BELOW = "owner = ? AND name > ? || '/' AND name < ? || '0'"


class Renamed(NamedTuple):
    """
    An INBOX whose messages are to be moved, and where to; 0 when a folder was simply renamed.
    """

    inbox: int = 0
    created: int = 0
    #: Its last UID.
    last: int = 0


class Folders:
    """
    Changes of the hierarchy.
    """

    def __init__(
        self, places: Places, limits: EngineLimits, clock: Callable[[], float], subscribe_new: bool = False
    ) -> None:
        """
        @param subscribe_new: who may look up a public folder made from now on subscribes to it, until he says
            otherwise.
        """
        self._subscribe_new = subscribe_new
        self._places = places
        self._acls: Acls = places.acls
        self._limits = limits
        self._clock = clock

    # --- create ---

    def create(self, db: Connection, viewer: Viewer, name: str, special_use: str) -> int:
        """
        See L{createFolder<mailstore.interfaces.IHierarchy.createFolder>}.
        """
        if special_use and special_use not in SPECIAL_USES:
            raise InvalidName(f"{special_use!r} is no special use of a folder")
        place = self._newPlace(db, viewer, name)
        self._refuseExisting(db, viewer, place)
        acl = self._mayCreate(db, viewer, place)
        return self._createWithParents(db, place, acl, special_use)

    def _newPlace(self, db: Connection, viewer: Viewer, name: str) -> Place:
        place = self._places.place(db, viewer, name)
        if place.shown in (PUBLIC_ROOT, OTHERS_ROOT):
            raise FolderExists(f"{place.shown!r} exists always")
        if place.owner is None or not place.path:
            raise NoSuchFolder(f"there is no place for a folder {place.shown!r}")
        return place

    def _refuseExisting(self, db: Connection, viewer: Viewer, place: Place) -> None:
        row = self._places.find(db, place.owner, place.path)
        if row is not None and row.selectable and "l" in self._places.rights(db, viewer, row):
            raise FolderExists(f"there is a folder {place.shown!r} already")

    def _mayCreate(self, db: Connection, viewer: Viewer, place: Place) -> int:
        """
        Check that a viewer may make a folder; gives the rights' row that it inherits.
        """
        assert place.owner is not None
        rights, acl = self._places.parentRights(db, viewer, place.owner, place.path)
        if "k" not in rights:
            if "l" not in rights:
                raise NoSuchFolder(f"there is no folder to make {place.shown!r} in")
            raise PermissionDenied(f"this needs the right 'k' on the folder above {place.shown!r}")
        return acl

    def _createWithParents(self, db: Connection, place: Place, acl: int, special_use: str = "") -> int:
        owner, path = place.owner, place.path
        assert owner is not None
        lacking: list[str] = []
        above = path.rpartition(SEPARATOR)[0]
        while above and self._places.find(db, owner, above) is None:
            lacking.append(above)
            above = above.rpartition(SEPARATOR)[0]
        added = len(lacking)
        for each in reversed(lacking):
            self._insert(db, owner, each, acl, "")
        row = self._places.find(db, owner, path)
        if row is None:
            added += 1
        elif row.selectable:
            # There is one that the viewer may not look up.
            raise FolderExists(f"there is a folder {place.shown!r} already")
        else:
            db.execute("DELETE FROM folders WHERE id = ?", (row.id,))
        created = self._insert(db, owner, path, acl, special_use)
        if row is not None:
            self._acls.release(db, row.acl)
        touchTree(db, owner, acl != EMPTY_ACL or (row is not None and row.acl != EMPTY_ACL), added)
        (count,) = db.execute("SELECT folders FROM trees WHERE owner = ?", (owner,)).fetchone()
        if count > self._limits.max_folders:
            raise LimitReached(f"there can be at most {self._limits.max_folders} folders")
        return created

    def _insert(
        self, db: Connection, owner: int, path: str, acl: int, special_use: str, selectable: int = 1
    ) -> int:
        (created,) = db.execute(
            "INSERT INTO folders (owner, name, selectable, acl, special_use, shared_seen, uid_validity,"
            " announced) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                owner,
                path,
                selectable,
                acl,
                special_use,
                int(owner != PUBLIC),
                nextUidValidity(db, self._clock()) if selectable else 1,
                int(self._subscribe_new and owner == PUBLIC and bool(selectable)),
            ),
        ).fetchone()
        above = self._places.find(db, owner, path.rpartition(SEPARATOR)[0])
        if above is not None and selectable:
            expiry.inherit(db, created, above.id, int(self._clock()))
        return int(created)

    # --- delete ---

    def delete(self, db: Connection, viewer: Viewer, name: str) -> int:
        """
        See L{deleteFolder<mailstore.interfaces.IHierarchy.deleteFolder>}.

        @return: the identity that the folder had.
        """
        self._refuseRoot(name)
        row = self._places.byName(db, viewer, name, "x")
        if not row.name or (row.name == INBOX and row.owner != PUBLIC):
            raise FolderInUse(f"{name!r} exists always")
        children = self._hasChildren(db, row)
        if not row.selectable:
            raise FolderInUse(f"{name!r} has folders below it")
        gone.emptyFolder(db, row, self._limits.slice_rows)
        db.execute("DELETE FROM folders WHERE id = ?", (row.id,))
        removed = 1
        if children:
            self._insert(db, row.owner, row.name, row.acl, "", selectable=0)
            removed = 0
        else:
            removed += self._prune(db, row.owner, row.name)
            self._acls.release(db, row.acl)
        touchTree(db, row.owner, removed > 1 or row.acl != EMPTY_ACL, -removed)
        return row.id

    def _refuseRoot(self, name: str) -> None:
        if name in (PUBLIC_ROOT, OTHERS_ROOT):
            raise FolderInUse(f"{name!r} exists always")

    def _hasChildren(self, db: Connection, row: FolderRow) -> bool:
        below = (row.owner, row.name, row.name)
        return db.execute(f"SELECT 1 FROM folders WHERE {_BELOW} LIMIT 1", below).fetchone() is not None

    def _prune(self, db: Connection, owner: int, path: str) -> int:
        """
        Remove the nodes above a path that have no children any more.

        @return: how many.
        """
        removed = 0
        while path := path.rpartition(SEPARATOR)[0]:
            row = self._places.find(db, owner, path)
            if row is None or row.selectable or self._hasChildren(db, row):
                break
            db.execute("DELETE FROM folders WHERE id = ?", (row.id,))
            self._acls.release(db, row.acl)
            removed += 1
        return removed

    # --- rename ---

    def rename(self, db: Connection, viewer: Viewer, name: str, new_name: str) -> Renamed:
        """
        See L{renameFolder<mailstore.interfaces.IHierarchy.renameFolder>}.
        """
        self._refuseRoot(name)
        row = self._places.byName(db, viewer, name, "x")
        if not row.name:
            raise FolderInUse(f"{name!r} exists always")
        place = self._newPlace(db, viewer, new_name)
        if place.owner != row.owner:
            raise InvalidName("a folder cannot be moved into another namespace")
        # Of an INBOX only the messages are moved (RFC 9051 section 6.3.6), which may be below it.
        is_inbox = row.name == INBOX and row.owner != PUBLIC
        if place.path.startswith(row.name + SEPARATOR) and not is_inbox:
            raise InvalidName("a folder cannot be moved into itself")
        target = self._places.find(db, row.owner, place.path)
        if target is not None and "l" in self._places.rights(db, viewer, target):
            raise FolderExists(f"there is a folder {place.shown!r} already")
        acl = self._mayCreate(db, viewer, place)
        if target is not None:
            raise FolderExists(f"there is a folder {place.shown!r} already")
        if is_inbox:
            return self._renameInbox(db, row, place, acl)
        self._renameTree(db, row, place, acl)
        return Renamed()

    def _renameInbox(self, db: Connection, row: FolderRow, place: Place, acl: int) -> Renamed:
        created = self._createWithParents(db, place, acl)
        return Renamed(row.id, created, row.uid_next - 1)

    def moveInbox(self, db: Connection, renamed: Renamed, after: int) -> int:
        """
        Move some of the messages of an INBOX that was renamed.

        @param after: begin behind this UID.
        @return: the UID behind which to go on; 0 when there are no more.
        @raise NoSuchFolder: one of the two has gone since.
        """
        system = self._places.users.viewer(db, SYSTEM)
        source = self._places.byId(db, system, renamed.inbox, "")
        target = self._places.byId(db, system, renamed.created, "")
        most, tombstones = self._limits.slice_rows, self._limits.max_tombstones
        return moving.moveAll(db, source, renamed.last, after, most, target, tombstones, int(self._clock()))

    def _renameTree(self, db: Connection, row: FolderRow, place: Place, acl: int) -> None:
        below = (row.owner, row.name, row.name)
        longest, deepest, shared = db.execute(
            f"SELECT max({octets('name')}), max(length(name) - length(replace(name, '/', ''))),"
            f" max(CASE WHEN acl > {EMPTY_ACL} THEN 1 ELSE 0 END) FROM folders WHERE id = ? OR ({_BELOW})",
            (row.id, *below),
        ).fetchone()
        grown = len(place.shown.encode()) - len(row.name.encode())
        deeper = place.shown.count(SEPARATOR) - row.name.count(SEPARATOR)
        if longest + grown > MAX_NAME or deepest + deeper >= MAX_DEPTH:
            raise InvalidName("a folder below it would get a name that is too long")
        parent = place.path.rpartition(SEPARATOR)[0]
        if parent and self._places.find(db, row.owner, parent) is None:
            above = Place(row.owner, parent, place.shown.rpartition(SEPARATOR)[0])
            self._createWithParents(db, above, acl)
        db.execute(
            f"UPDATE folders SET name = ? || substr(name, ?) WHERE id = ? OR ({_BELOW})",
            (place.path, len(row.name) + 1, row.id, *below),
        )
        removed = self._prune(db, row.owner, row.name)
        touchTree(db, row.owner, bool(shared) or removed > 0, -removed)

    # --- rights ---

    def setRights(
        self, db: Connection, viewer: Viewer, name: str, who: str, letters: str, mode: RightsMode
    ) -> int:
        """
        See L{setRights<mailstore.interfaces.IHierarchy.setRights>}.
        """
        row = self._places.byName(db, viewer, name, "a")
        letters = rightsOf(letters)
        known = dict(self._acls.entries(db, row.acl))
        if not (mode is RightsMode.REPLACE and not letters and who in known):
            # What is left of somebody who is no more can be removed.
            who = self._identifier(db, who)
        if self._isOwner(db, row, who):
            raise PermissionDenied("the owner of a folder has every right on it")
        count = self._setRights(db, row, who, letters, mode)
        if not viewer.is_system and row.owner == PUBLIC:
            self._refuseLockout(db, name)
        if count:
            touchTree(db, row.owner, True)
        return count

    def grantable(self, db: Connection, viewer: Viewer, name: str, who: str) -> tuple[str, str]:
        """
        See L{grantable<mailstore.interfaces.IHierarchy.grantable>}.
        """
        row = self._places.byName(db, viewer, name, "a")
        who = self._identifier(db, who)
        if not self._isOwner(db, row, who):
            return "", ALL_RIGHTS
        return ("" if who.startswith("-") else ALL_RIGHTS), ""

    def _isOwner(self, db: Connection, row: FolderRow, who: str) -> bool:
        return row.owner != PUBLIC and self._places.users.viewer(db, who.removeprefix("-")).id == row.owner

    def _refuseLockout(self, db: Connection, name: str) -> None:
        """
        Check that somebody can still change the rights on a public folder, or on all of them at once.

        @raise PermissionDenied: nobody could.
        """
        for path in (folderName(name).partition(SEPARATOR)[2], ""):
            row = self._places.find(db, PUBLIC, path)
            if row is not None and groups.someoneHas(db, self._acls.entries(db, row.acl), "a"):
                return
        raise PermissionDenied(
            f"nobody could change the rights on {name!r} any more: give somebody else the right 'a' first"
        )

    def _setRights(self, db: Connection, row: FolderRow, who: str, letters: str, mode: RightsMode) -> int:
        if row.name or row.owner != PUBLIC:
            return self._replace(db, row, who, letters, mode)
        return self._replaceAll(db, row.owner, who, letters, mode)

    def _identifier(self, db: Connection, who: str) -> str:
        """
        The one spelling of an identifier.

        @raise NoSuchUser:
        @raise NoSuchGroup:
        """
        minus = "-" if who.startswith("-") else ""
        name = groups.encodable(who[len(minus) :])
        if name.lower() in (ANYONE, AUTHENTICATED):
            return minus + name.lower()
        if name[: len(GROUP_PREFIX)].lower() == GROUP_PREFIX:
            group = name[len(GROUP_PREFIX) :]
            if groups.exists(db, group):
                return minus + GROUP_PREFIX + group
            if self._places.users.viewer(db, name).id is None:
                raise NoSuchGroup(f"there is no group {group!r}")
        known = self._places.users.viewer(db, name)
        if known.id is None or known.is_system:
            raise NoSuchUser(f"there is no user {name!r}")
        return minus + known.name

    def _replace(self, db: Connection, row: FolderRow, who: str, letters: str, mode: RightsMode) -> int:
        acl = self._acls.intern(db, changed(self._acls.entries(db, row.acl), who, letters, mode))
        if acl == row.acl:
            return 0
        db.execute("UPDATE folders SET acl = ? WHERE id = ?", (acl, row.id))
        self._acls.release(db, row.acl)
        return 1

    def _replaceAll(self, db: Connection, owner: int, who: str, letters: str, mode: RightsMode) -> int:
        count = 0
        before = db.execute("SELECT DISTINCT acl FROM folders WHERE owner = ?", (owner,)).fetchall()
        renewed = [
            (old, self._acls.intern(db, changed(self._acls.entries(db, old), who, letters, mode)))
            for (old,) in before
        ]
        # All at once: a new set of rights of some folders can be an old one of others.
        changes = {old: new for old, new in renewed if old != new}
        if changes:
            cases = " ".join(f"WHEN {old} THEN {new}" for old, new in changes.items())
            old_ones = ",".join(map(str, changes))
            count = db.execute(
                f"UPDATE folders SET acl = CASE acl {cases} END WHERE owner = ? AND acl IN ({old_ones})",
                (owner,),
            ).rowcount
            for old in changes:
                self._acls.release(db, old)
        return count

    def dropIdentifier(self, db: Connection, who: str) -> int:
        """
        Remove what all rights say of an identifier, also with a minus sign.

        @return: how many folders it changed.
        """
        count = 0
        pattern = f"%{who} %"
        for old, _ in db.execute("SELECT id, entries FROM acls WHERE entries LIKE ?", (pattern,)).fetchall():
            before = self._acls.entries(db, old)
            entries = tuple(each for each in before if each[0].removeprefix("-") != who)
            if entries == before:
                continue
            new = self._acls.intern(db, entries)
            owners = db.execute("SELECT DISTINCT owner FROM folders WHERE acl = ?", (old,)).fetchall()
            count += db.execute("UPDATE folders SET acl = ? WHERE acl = ?", (new, old)).rowcount
            self._acls.release(db, old)
            for (owner,) in owners:
                touchTree(db, owner, True)
        return count

    def acl(self, db: Connection, viewer: Viewer, name: str) -> tuple[tuple[str, str], ...]:
        """
        See L{acl<mailstore.interfaces.IHierarchy.acl>}.  The owner of a personal
        folder has every right, and is told with them.
        """
        row = self._places.byName(db, viewer, name, "a")
        entries = self._acls.entries(db, row.acl)
        if row.owner != PUBLIC:
            (owner,) = db.execute("SELECT name FROM users WHERE id = ?", (row.owner,)).fetchone()
            entries = withRights(entries, owner, ALL_RIGHTS)
        return entries
