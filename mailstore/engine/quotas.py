"""
Quotas (RFC 9208): one root for each tree.  What a tree holds is kept with
it and changed together with its messages.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection
from mailstore.engine.places import FolderRow, Places
from mailstore.engine.users import PUBLIC, Viewer
from mailstore.errors import InvalidRequest, NoSuchFolder, OverQuota, PermissionDenied
from mailstore.model import MESSAGE, PUBLIC_QUOTA, PUBLIC_ROOT, STORAGE, USER_QUOTA, Quota

_KIB = 1024

#: Limits of a resource are less than this (RFC 9208 section 7: number64).
_TOO_MUCH = 1 << 53

_READ = "SELECT messages, size, max_messages, max_kib FROM trees WHERE owner = ?"


def charge(db: Connection, owner: int, messages: int, size: int) -> None:
    """
    Note that a tree holds more, or less.
    """
    db.execute(
        "UPDATE trees SET messages = messages + ?, size = size + ? WHERE owner = ?", (messages, size, owner)
    )


def require(db: Connection, row: FolderRow, more_messages: int = 0, more_bytes: int = 0) -> None:
    """
    Check, after something was added to a folder, that its tree does not hold too much.

    @param more_messages: to be added to what it says that it holds.
    @param more_bytes: as well.
    @raise OverQuota:
    """
    messages, size, max_messages, max_kib = db.execute(_READ, (row.owner,)).fetchone()
    if max_messages is not None and messages + more_messages > max_messages:
        raise OverQuota(f"the limit on the number of messages here is {max_messages}")
    if max_kib is not None and size + more_bytes > max_kib * _KIB:
        raise OverQuota(f"the messages here can have at most {max_kib} KiB together")


def foresee(db: Connection, row: FolderRow, size: int) -> None:
    """
    Check before a message of at least so many bytes is brought that it is not in vain.

    @raise OverQuota:
    """
    messages, held, max_messages, max_kib = db.execute(_READ, (row.owner,)).fetchone()
    if max_messages is not None and messages >= max_messages:
        raise OverQuota(f"the limit on the number of messages here is {max_messages}")
    if max_kib is not None and held + size > max_kib * _KIB:
        raise OverQuota(f"the messages here can have at most {max_kib} KiB together")


def roots(db: Connection, places: Places, viewer: Viewer, name: str) -> tuple[str, ...]:
    """
    See L{quotaRoots<mailstore.interfaces.IHierarchy.quotaRoots>}.
    """
    row = places.byName(db, viewer, name, "r")
    if row.owner == PUBLIC:
        return (PUBLIC_QUOTA,)
    (owner,) = db.execute("SELECT name FROM users WHERE id = ?", (row.owner,)).fetchone()
    return (USER_QUOTA + owner,)


def _owner(db: Connection, places: Places, viewer: Viewer, root: str) -> int:
    """
    Whose tree a root is of.

    @raise NoSuchFolder: nobody's, or the viewer may read none of its folders.
    """
    owner: int | None = None
    if root == PUBLIC_QUOTA:
        owner = PUBLIC
    elif root.startswith(USER_QUOTA):
        owner = places.users.viewer(db, root[len(USER_QUOTA) :]).id
    if owner is None or owner < 0:
        raise NoSuchFolder(f"there is no quota root {root!r}")
    if not viewer.is_system and viewer.id != owner:
        acls = db.execute("SELECT DISTINCT acl FROM folders WHERE owner = ?", (owner,)).fetchall()
        if not any("r" in places.rightsOn(db, viewer, owner, acl) for (acl,) in acls):
            raise NoSuchFolder(f"there is no quota root {root!r}")
    return owner


def quota(db: Connection, places: Places, viewer: Viewer, root: str) -> Quota:
    """
    See L{quota<mailstore.interfaces.IHierarchy.quota>}.
    """
    return _quota(db, root, _owner(db, places, viewer, root))


def _quota(db: Connection, root: str, owner: int) -> Quota:
    messages, size, max_messages, max_kib = db.execute(_READ, (owner,)).fetchone()
    return Quota(root, ((STORAGE, -(-size // _KIB), max_kib), (MESSAGE, messages, max_messages)))


def setQuota(
    db: Connection, places: Places, viewer: Viewer, root: str, limits: tuple[tuple[str, int], ...]
) -> Quota:
    """
    See L{setQuota<mailstore.interfaces.IHierarchy.setQuota>}.
    """
    owner = _owner(db, places, viewer, root)
    public = places.byName(db, viewer, PUBLIC_ROOT)
    if "a" not in places.rights(db, viewer, public):
        raise PermissionDenied("this needs the right 'a' on the public folders")
    wanted: dict[str, int] = {}
    for resource, limit in limits:
        name = resource.upper()
        if name not in (STORAGE, MESSAGE):
            raise InvalidRequest("there is no such resource")
        if name in wanted or not 0 <= limit < _TOO_MUCH:
            raise InvalidRequest("a limit that makes no sense")
        wanted[name] = limit
    db.execute(
        "UPDATE trees SET max_messages = ?, max_kib = ? WHERE owner = ?",
        (wanted.get(MESSAGE), wanted.get(STORAGE), owner),
    )
    return _quota(db, root, owner)
