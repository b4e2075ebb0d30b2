"""
The hierarchy: whose folders are, what they are called, and what is above them.

A folder's row has its whole path, so there can be no cycles; what can be missing is a
row above it.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailstore.engine.acl import EMPTY_ACL
from mailstore.engine.checking.context import Context
from mailstore.engine.checking.findings import Execute, Fault, counted
from mailstore.engine.checking.lostandfound import freeName, requireRoot
from mailstore.engine.connection import Connection
from mailstore.engine.counters import nextUidValidity, touchTree
from mailstore.engine.flags import isKeyword
from mailstore.engine.folders import SPECIAL_USES
from mailstore.engine.places import FREE
from mailstore.engine.users import PUBLIC
from mailstore.errors import InvalidName
from mailstore.model import (
    MAX_KEYWORDS,
    OTHERS_ROOT,
    PUBLIC_ROOT,
    SEPARATOR,
    folderName,
)

_LARGEST_VALIDITY = 0xFFFFFFFF

_NO_CHILDREN = (
    "NOT EXISTS (SELECT 1 FROM folders c WHERE c.owner = f.owner"
    " AND c.name > f.name || '/' AND c.name < f.name || '0')"
)


def owners(context: Context) -> Iterator[Fault | None]:
    """
    Whose folders are is there.
    """
    for owner, count in context.db.execute(
        "SELECT owner, count(*) FROM folders f WHERE owner <> ?"
        " AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = f.owner) GROUP BY owner",
        (PUBLIC,),
    ):
        yield Fault(
            "folder-owner",
            f"{counted(count, 'folder')} of user number {owner}",
            "there is no such user",
            f"moved to {PUBLIC_ROOT}/Lost and Found, where only the system has rights",
            _adopt(owner),
        )


class _adopt:
    """
    Makes the folders of somebody who is gone public ones, which nobody may see.
    """

    def __init__(self, owner: int) -> None:
        self._owner = owner

    def __call__(self, db: Connection) -> None:
        requireRoot(db)
        above = freeName(db, f"User number {self._owner}")
        db.execute(
            "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
            " VALUES (?, ?, 0, ?, 1, 1)",
            (PUBLIC, above, EMPTY_ACL),
        )
        moved = db.execute(
            "UPDATE folders SET owner = ?, name = ? || '/' || name, acl = ? WHERE owner = ?",
            (PUBLIC, above, EMPTY_ACL, self._owner),
        ).rowcount
        touchTree(db, PUBLIC, True, 1 + moved)
        touchTree(db, self._owner, True, -moved)


def names(context: Context) -> Iterator[Fault | None]:
    """
    Every folder has a name by which it can be found.
    """
    for folder, owner, name in context.db.execute("SELECT id, owner, name FROM folders ORDER BY id"):
        if (owner != PUBLIC or name != "") and not _isGood(owner, name):
            yield Fault(
                "folder-name",
                f"folder {name!r} (number {folder})",
                "no folder can be called so",
                f"called 'Folder number {folder}'",
                _rename(folder, owner),
            )


def _isGood(owner: int, name: object) -> bool:
    if not isinstance(name, str):
        return False
    shown = f"{PUBLIC_ROOT}{SEPARATOR}{name}" if owner == PUBLIC else name
    try:
        return folderName(shown) == shown and (
            owner == PUBLIC or name.partition(SEPARATOR)[0] not in (PUBLIC_ROOT, OTHERS_ROOT)
        )
    except InvalidName:
        return False


class _rename:
    """
    Gives a folder a name.
    """

    def __init__(self, folder: int, owner: int) -> None:
        self._folder = folder
        self._owner = owner

    def __call__(self, db: Connection) -> None:
        wanted = found = f"Folder number {self._folder}"
        number = 1
        while db.execute(
            "SELECT 1 FROM folders WHERE owner = ? AND name = ?", (self._owner, found)
        ).fetchone():
            number += 1
            found = f"{wanted} ({number})"
        db.execute("UPDATE folders SET name = ? WHERE id = ?", (found, self._folder))
        touchTree(db, self._owner, True)


def parents(context: Context) -> Iterator[Fault | None]:
    """
    What is above a folder is there.
    """
    known: set[tuple[int, str]] = set(context.db.execute("SELECT owner, name FROM folders"))
    for owner, name, acl in context.db.execute("SELECT owner, name, acl FROM folders ORDER BY owner, name"):
        above = str(name).rpartition(SEPARATOR)[0]
        while above and (owner, above) not in known:
            known.add((owner, above))
            where = context.shownName(owner, above, context.userName(owner))
            yield Fault(
                "parent-missing",
                f"folder {where!r}",
                f"it is missing above {name!r}",
                "made, without messages",
                _insert(owner, above, acl),
            )
            above = above.rpartition(SEPARATOR)[0]


class _insert:
    """
    Makes a node with the rights of what is below it.
    """

    def __init__(self, owner: int, name: str, acl: int) -> None:
        self._owner = owner
        self._name = name
        self._acl = acl

    def __call__(self, db: Connection) -> None:
        db.execute(
            "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
            " VALUES (?, ?, 0, ?, ?, 1)",
            (self._owner, self._name, self._acl, int(self._owner != PUBLIC)),
        )
        touchTree(db, self._owner, True, 1)


def nodes(context: Context) -> Iterator[Fault | None]:
    """
    A name that only holds folders holds some, and no messages.
    """
    found = context.db.execute(
        f"SELECT id, owner, acl, EXISTS (SELECT 1 FROM messages m WHERE m.folder = f.id), {_NO_CHILDREN}"
        " FROM folders f WHERE NOT selectable AND (owner <> ? OR name <> '')",
        (PUBLIC,),
    )
    for folder, owner, _, has_messages, is_leaf in found:
        where = context.folder(folder)
        if has_messages:
            yield Fault(
                "node-messages",
                where,
                "it holds messages, and cannot be opened",
                "it can be opened",
                _open(context, folder, owner),
            )
        elif is_leaf:
            yield Fault(
                "node-empty", where, "it cannot be opened and holds no folders", "removed", _drop(folder)
            )


class _open:
    """
    Makes a node a folder.
    """

    def __init__(self, context: Context, folder: int, owner: int) -> None:
        self._context = context
        self._folder = folder
        self._owner = owner

    def __call__(self, db: Connection) -> None:
        db.execute(
            "UPDATE folders SET selectable = 1, uid_validity = ? WHERE id = ?",
            (nextUidValidity(db, self._context.clock()), self._folder),
        )
        touchTree(db, self._owner, True)


class _drop:
    """
    Removes a node.
    """

    def __init__(self, folder: int) -> None:
        self._folder = folder

    def __call__(self, db: Connection) -> None:
        (owner,) = db.execute("DELETE FROM folders WHERE id = ? RETURNING owner", (self._folder,)).fetchone()
        touchTree(db, owner, True, -1)


def values(context: Context) -> Iterator[Fault | None]:
    """
    What else a folder's row says makes sense.
    """
    uses = ",".join(f"'{each}'" for each in sorted(SPECIAL_USES))
    found = context.db.execute(
        "SELECT id, owner, selectable, special_use, uid_validity, keywords FROM folders WHERE"
        f" (special_use <> '' AND (NOT selectable OR special_use NOT IN ({uses})))"
        " OR (selectable AND NOT uid_validity BETWEEN 1 AND ?) OR selectable NOT IN (0, 1) OR keywords <> ''",
        (_LARGEST_VALIDITY,),
    )
    for folder, owner, selectable, special_use, validity, keywords in found:
        where = context.folder(folder)
        if special_use and (special_use not in SPECIAL_USES or not selectable):
            yield Fault(
                "special-use",
                where,
                f"it cannot be for {special_use!r}",
                "taken away",
                _setUse(folder, owner),
            )
        if selectable and not 1 <= validity <= _LARGEST_VALIDITY:
            yield Fault(
                "uid-validity",
                where,
                f"it has UIDVALIDITY {validity}",
                "it has a new one",
                _open(context, folder, owner),
            )
        better = _betterKeywords(keywords)
        if better != keywords:
            mend = Execute("UPDATE folders SET keywords = ? WHERE id = ?", better, folder)
            if len(better.split()) > MAX_KEYWORDS:
                yield Fault("keywords", where, f"it has more than {MAX_KEYWORDS} keywords")
            else:
                yield Fault(
                    "keywords", where, "some cannot be keywords, or are twice", "called otherwise", mend
                )


class _setUse:
    """
    Takes a special use away.
    """

    def __init__(self, folder: int, owner: int) -> None:
        self._folder = folder
        self._owner = owner

    def __call__(self, db: Connection) -> None:
        db.execute("UPDATE folders SET special_use = '' WHERE id = ?", (self._folder,))
        touchTree(db, self._owner, True)


def _betterKeywords(keywords: str) -> str:
    """
    The keywords, with others in the place of those that can be none: each has its bit by its place.
    """
    found: list[str] = []
    taken: set[str] = set()
    for number, each in enumerate(keywords.split(" ") if keywords else (), 1):
        name = each.removeprefix(FREE)
        if not isKeyword(name) or name.lower() in taken:
            each = name = f"Keyword-{number}"
        taken.add(name.lower())
        found.append(each)
    return " ".join(found)
