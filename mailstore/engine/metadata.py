"""
Annotations of folders and of the server (RFC 5464).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection
from itertools import groupby
from operator import itemgetter
from typing import Any

from mailstore.engine.connection import Connection, marks
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import Places
from mailstore.engine.users import Viewer
from mailstore.errors import InvalidName, LimitReached, MessageTooBig, PermissionDenied
from mailstore.model import PUBLIC_ROOT, Annotated, Metadata

#: The folder that stands for the server, and the user that stands for everybody.
_SERVER, _EVERYBODY = 0, 0

_PRIVATE, _SHARED = "/private", "/shared"

#: Characters that a name may have.
_MAX_NAME = 1000

# RFC 5464 section 3.1: no "*" or "%", no consecutive "/", not at the end, and
# no characters but printable ASCII.
_NAME = re.compile(r"/(?:private|shared)(?:/(?:(?![*%/])[ -~])+)*")

# RFC 5464 section 3.3: "the 'l' right and any one of the 'r', 's', 'w', 'i', or 'p' rights".
_ANY_OF = "rswip"


def _checked(name: str) -> str:
    lowered = name.lower()
    if len(name) > _MAX_NAME or _NAME.fullmatch(lowered) is None:
        raise InvalidName(f"{name[:_MAX_NAME]!r} cannot be the name of an annotation")
    return lowered


def _folder(db: Connection, places: Places, viewer: Viewer, name: str, needed: str) -> int:
    """
    Of what annotations are; checks that a viewer has to do with it.

    @param needed: rights that he must have beside.
    """
    if not name:
        if needed:
            root = places.byName(db, viewer, PUBLIC_ROOT)
            if "a" not in places.rights(db, viewer, root):
                raise PermissionDenied("this needs the right 'a' on the public folders")
        return _SERVER
    row = places.mailbox(db, viewer, name, "l" + needed)
    if not set(_ANY_OF) & set(places.rights(db, viewer, row)):
        raise PermissionDenied(f"this needs the right 'r' on {name!r}")
    return row.id


def metadata(
    db: Connection,
    places: Places,
    viewer: Viewer,
    name: str,
    entries: tuple[str, ...],
    depth: int | None,
    max_size: int | None,
) -> Metadata:
    """
    See L{metadata<mailstore.interfaces.IHierarchy.metadata>}.
    """
    wanted = {_checked(each) for each in entries}
    folder = _folder(db, places, viewer, name, "")
    found: list[tuple[str, bytes]] = []
    longest = 0
    for entry, value in _stored(db, folder, viewer):
        if not _isWanted(entry, wanted, depth):
            continue
        if max_size is not None and len(value) > max_size:
            longest = max(longest, len(value))
        else:
            found.append((entry, value))
    return Metadata(tuple(found), longest)


def ofMany(
    db: Connection,
    places: Places,
    viewer: Viewer,
    folders: array[int],
    entries: tuple[str, ...],
    most: int,
) -> tuple[tuple[Annotated, ...], int]:
    """
    Annotations of the first of some folders; see
    L{annotations<mailstore.interfaces.IHierarchy.annotations>}.

    @param folders: not more at once than a statement may name.
    @param most: bytes that the values may have together, those of the first folder aside.
    @return: those that the viewer may know of, and how many of C{folders} that was about.
    """
    names = sorted({_checked(each) for each in entries})
    wanted = [each for each in folders if each < 1 << 63]
    visible = {
        folder
        for folder, owner, acl in db.execute(
            f"SELECT id, owner, acl FROM folders WHERE selectable AND id IN ({marks(wanted)})", wanted
        )
        if _mayKnow(places.rightsOn(db, viewer, owner, acl))
    }

    def meant(those: Collection[int]) -> tuple[str, tuple[Any, ...]]:
        values = (*those, *_whose(viewer), *names)
        return f"folder IN ({marks(those)}) AND user IN (?, ?) AND entry IN ({marks(names)})", values

    where, values = meant(visible)
    sizes = dict(
        db.execute(
            f"SELECT folder, sum(length(value)) FROM metadata WHERE {where} GROUP BY folder", values
        ).fetchall()
    )
    taken = total = 0
    for folder in folders:
        total += sizes.get(folder, 0)
        if taken and total > most:
            break
        taken += 1
    told = list(dict.fromkeys(each for each in folders[:taken] if each in visible))
    where, values = meant([each for each in told if each in sizes])
    rows = db.execute(
        f"SELECT folder, entry, value FROM metadata WHERE {where} ORDER BY folder, entry", values
    )
    found = {
        folder: tuple((entry, value) for _, entry, value in some)
        for folder, some in groupby(rows, itemgetter(0))
    }
    return tuple(Annotated(folder, found.get(folder, ())) for folder in told), taken


def _mayKnow(rights: str) -> bool:
    return "l" in rights and not set(_ANY_OF).isdisjoint(rights)


def _whose(viewer: Viewer) -> tuple[int, int]:
    return _EVERYBODY, _EVERYBODY if viewer.id is None else viewer.id


def _stored(db: Connection, folder: int, viewer: Viewer) -> list[tuple[str, bytes]]:
    return db.execute(
        "SELECT entry, value FROM metadata WHERE folder = ? AND user IN (?, ?) ORDER BY entry",
        (folder, *_whose(viewer)),
    ).fetchall()


def _isWanted(entry: str, wanted: set[str], depth: int | None) -> bool:
    if entry in wanted:
        return True
    above, levels = entry.rpartition("/")[0], 1
    while above:
        if depth is not None and levels > depth:
            return False
        if above in wanted:
            return True
        above, levels = above.rpartition("/")[0], levels + 1
    return False


def setMetadata(
    db: Connection,
    places: Places,
    limits: EngineLimits,
    viewer: Viewer,
    name: str,
    values: dict[str, bytes | None],
) -> None:
    """
    See L{setMetadata<mailstore.interfaces.IHierarchy.setMetadata>}.
    """
    changes = {_checked(entry): value for entry, value in values.items()}
    shared = any(_isShared(each) for each in changes)
    folder = _folder(db, places, viewer, name, "w" if shared else "")
    if viewer.id is None:
        raise PermissionDenied("this is for users only")
    for entry, value in changes.items():
        if entry in (_PRIVATE, _SHARED):
            raise InvalidName(f"{entry!r} cannot be the name of an annotation")
        key = (folder, _EVERYBODY if _isShared(entry) else viewer.id, entry)
        if value is None:
            db.execute("DELETE FROM metadata WHERE folder = ? AND user = ? AND entry = ?", key)
        elif len(value) > limits.max_annotation:
            raise MessageTooBig(f"an annotation can have at most {limits.max_annotation} bytes")
        else:
            db.execute(
                "INSERT INTO metadata (folder, user, entry, value) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (folder, user, entry) DO UPDATE SET value = excluded.value",
                (*key, value),
            )
    for user in (_EVERYBODY, viewer.id):
        (count,) = db.execute(
            "SELECT count(*) FROM metadata WHERE folder = ? AND user = ?", (folder, user)
        ).fetchone()
        if count > limits.max_annotations:
            raise LimitReached(f"there can be at most {limits.max_annotations} annotations here")


def _isShared(entry: str) -> bool:
    return entry.startswith(_SHARED)


def drop(db: Connection, folder: int) -> None:
    """
    Remove all annotations of a folder, everybody's.
    """
    db.execute("DELETE FROM metadata WHERE folder = ?", (folder,))
