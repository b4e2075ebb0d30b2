"""
Users, their trees, and what names them: rights, subscriptions, annotations.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailstore.engine.acl import EMPTY_ACL, withRights
from mailstore.engine.checking.context import Context
from mailstore.engine.checking.findings import Execute, Fault
from mailstore.engine.connection import Connection
from mailstore.engine.counters import nextUidValidity, touchTree
from mailstore.engine.users import PUBLIC
from mailstore.errors import InvalidName
from mailstore.model import (
    ALL_RIGHTS,
    ANYONE,
    AUTHENTICATED,
    GROUP_PREFIX,
    INBOX,
    PUBLIC_ROOT,
    folderName,
    groupName,
    userName,
)

_IS_USER = "EXISTS (SELECT 1 FROM users u WHERE u.id = {})"


def users(context: Context) -> Iterator[Fault | None]:
    """
    Every user has a name that can be one, a tree and an INBOX.
    """
    found = context.db.execute(
        "SELECT u.id, u.name, t.owner, f.id, f.selectable FROM users u LEFT JOIN trees t ON t.owner = u.id"
        " LEFT JOIN folders f ON f.owner = u.id AND f.name = ? ORDER BY u.id",
        (INBOX,),
    )
    for user, name, tree, inbox, selectable in found:
        where = f"user {name!r}"
        if not _isUserName(name):
            yield Fault("user-name", where, "nobody can be called so")
        if tree is None:
            yield Fault("tree-missing", where, "he has no tree", "made", _makeTree(context, user))
        if inbox is None:
            yield Fault("inbox-missing", where, "he has no INBOX", "made", _makeInbox(context, user))
        elif not selectable:
            yield Fault(
                "inbox-missing", where, "his INBOX is no mailbox", "made one", _makeMailbox(context, inbox)
            )


def _isUserName(name: object) -> bool:
    try:
        return isinstance(name, str) and userName(name) == name
    except InvalidName:
        return False


class _makeTree:
    """
    Gives an owner a tree; what it holds is counted later.
    """

    def __init__(self, context: Context, owner: int) -> None:
        self._context = context
        self._owner = owner

    def __call__(self, db: Connection) -> None:
        # Greater than any generation that somebody may remember.
        generation = int(self._context.clock())
        db.execute("INSERT INTO trees (owner, generation) VALUES (?, ?)", (self._owner, generation))


class _makeInbox:
    """
    Gives a user an INBOX.
    """

    def __init__(self, context: Context, user: int) -> None:
        self._context = context
        self._user = user

    def __call__(self, db: Connection) -> None:
        db.execute(
            "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
            " VALUES (?, ?, 1, ?, 1, ?)",
            (self._user, INBOX, EMPTY_ACL, nextUidValidity(db, self._context.clock())),
        )
        touchTree(db, self._user, False, 1)


class _makeMailbox:
    """
    Makes a node a folder that can hold messages.
    """

    def __init__(self, context: Context, folder: int) -> None:
        self._context = context
        self._folder = folder

    def __call__(self, db: Connection) -> None:
        (owner,) = db.execute(
            "UPDATE folders SET selectable = 1, uid_validity = ? WHERE id = ? RETURNING owner",
            (nextUidValidity(db, self._context.clock()), self._folder),
        ).fetchone()
        touchTree(db, owner, True)


def trees(context: Context) -> Iterator[Fault | None]:
    """
    The public tree is there, and no tree without a user.
    """
    if not context.value("SELECT count(*) FROM trees WHERE owner = ?", PUBLIC):
        yield Fault(
            "tree-missing", "the public folders", "they have no tree", "made", _makeTree(context, PUBLIC)
        )
    if not context.value("SELECT count(*) FROM folders WHERE owner = ? AND name = ''", PUBLIC):
        yield Fault("root-missing", PUBLIC_ROOT, "the root is missing", "made, with no rights", _makeRoot)
    found = context.db.execute(
        f"SELECT owner FROM trees t WHERE owner <> ? AND NOT {_IS_USER.format('t.owner')}", (PUBLIC,)
    )
    for (owner,) in found:
        yield Fault(
            "tree-orphan",
            f"tree of user number {owner}",
            "there is no such user",
            "removed",
            Execute("DELETE FROM trees WHERE owner = ?", owner),
        )


def _makeRoot(db: Connection) -> None:
    db.execute(
        "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
        " VALUES (?, '', 0, ?, 0, 1)",
        (PUBLIC, EMPTY_ACL),
    )
    touchTree(db, PUBLIC, True, 1)


# --- rights -----------------------------------------------------------------


def rights(context: Context) -> Iterator[Fault | None]:
    """
    Every folder has rights, and every distinct set of rights is one row that some folder has and
    that names those who are.
    """
    db = context.db
    first = db.execute("SELECT entries FROM acls WHERE id = ?", (EMPTY_ACL,)).fetchone()
    if first != ("",):
        yield Fault("acl-empty", "the empty set of rights", "it is not there", "made", _makeEmpty)
    found = db.execute("SELECT id FROM folders f WHERE NOT EXISTS (SELECT 1 FROM acls a WHERE a.id = f.acl)")
    for (folder,) in found:
        yield Fault(
            "acl-missing",
            context.folder(folder),
            "its rights are missing",
            "nobody but the system has any now: set them anew",
            _setRights(folder, EMPTY_ACL),
        )
    known = knownIdentifiers(db)
    for acl, entries in db.execute("SELECT id, entries FROM acls WHERE id <> ? ORDER BY id", (EMPTY_ACL,)):
        (used,) = db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM folders WHERE acl = ? LIMIT 1)", (acl,)
        ).fetchone()
        where = f"set of rights number {acl}"
        if not used:
            yield Fault(
                "acl-unused",
                where,
                "no folder has it",
                "removed",
                Execute("DELETE FROM acls WHERE id = ?", acl),
            )
            continue
        better, strangers = _better(str(entries), known)
        where = (
            f"rights on {context.folder(context.value('SELECT id FROM folders WHERE acl = ? LIMIT 1', acl))}"
        )
        if strangers:
            names = ", ".join(repr(each) for each in strangers)
            yield Fault(
                "acl-stranger", where, f"they name nobody: {names}", "taken away", _replaceRights(acl, better)
            )
        elif better != entries:
            yield Fault(
                "acl-form",
                where,
                "they are not written as rights are",
                "written anew",
                _replaceRights(acl, better),
            )


def knownIdentifiers(db: Connection) -> set[str]:
    """
    Whom rights can name.
    """
    users = {name for (name,) in db.execute("SELECT name FROM users")}
    groups = {GROUP_PREFIX + name for (name,) in db.execute("SELECT name FROM user_groups")}
    return {ANYONE, AUTHENTICATED, *users, *groups}


def members(context: Context) -> Iterator[Fault | None]:
    """
    Groups and their members are there, and the groups have names that can be theirs.
    """
    for (name,) in context.db.execute("SELECT name FROM user_groups ORDER BY id"):
        if not _isGroupName(name):
            yield Fault("group-name", f"group {name!r}", "no group can be called so")
    found = context.db.execute(
        f"SELECT user, user_group, {_IS_USER.format('m.user')} FROM members m"
        f" WHERE NOT {_IS_USER.format('m.user')}"
        " OR NOT EXISTS (SELECT 1 FROM user_groups g WHERE g.id = m.user_group)"
    )
    for user, group, has_user in found:
        yield Fault(
            "member-orphan",
            f"{context.user(user)} as a member of group number {group}",
            "there is no such group" if has_user else "there is no such user",
            "removed",
            _leave(user, group),
        )


class _leave:
    """
    Removes a member from a group.
    """

    def __init__(self, user: int, group: int) -> None:
        self._of = (user, group)

    def __call__(self, db: Connection) -> None:
        db.execute("DELETE FROM members WHERE user = ? AND user_group = ?", self._of)
        db.execute("UPDATE meta SET value = value + 1 WHERE key = 'members'")


def _isGroupName(name: object) -> bool:
    try:
        return isinstance(name, str) and groupName(name) == name
    except InvalidName:
        return False


def _better(entries: str, known: set[str]) -> tuple[str, list[str]]:
    """
    Rights as they are to be written, and the identifiers in them that mean nobody.
    """
    better: tuple[tuple[str, str], ...] = ()
    strangers = []
    for line in entries.splitlines():
        identifier, _, letters = line.partition(" ")
        if identifier.removeprefix("-") not in known:
            strangers.append(identifier)
            continue
        had = dict(better).get(identifier, "")
        better = withRights(better, identifier, "".join(each for each in ALL_RIGHTS if each in letters + had))
    return "".join(f"{identifier} {letters}\n" for identifier, letters in better), strangers


def _makeEmpty(db: Connection) -> None:
    (largest,) = db.execute("SELECT coalesce(max(id), 1) FROM acls").fetchone()
    found = db.execute("SELECT id FROM acls WHERE entries = '' AND id <> ?", (EMPTY_ACL,)).fetchone()
    if found is not None:
        db.execute("UPDATE folders SET acl = ? WHERE acl = ?", (EMPTY_ACL, found[0]))
        db.execute("DELETE FROM acls WHERE id = ?", found)
    # The engine has never given anybody anything by this row, whatever it said.
    db.execute("INSERT OR REPLACE INTO acls (id, entries) VALUES (?, '')", (EMPTY_ACL,))
    db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'acls'", (largest,))


class _setRights:
    """
    Gives a folder other rights.
    """

    def __init__(self, folder: int, acl: int) -> None:
        self._folder = folder
        self._acl = acl

    def __call__(self, db: Connection) -> None:
        (owner,) = db.execute(
            "UPDATE folders SET acl = ? WHERE id = ? RETURNING owner", (self._acl, self._folder)
        ).fetchone()
        touchTree(db, owner, True)


class _replaceRights:
    """
    Gives all folders that have some rights others.  A row never changes, for who has read it keeps it.
    """

    def __init__(self, acl: int, entries: str) -> None:
        self._acl = acl
        self._entries = entries

    def __call__(self, db: Connection) -> None:
        owners = db.execute("SELECT DISTINCT owner FROM folders WHERE acl = ?", (self._acl,)).fetchall()
        db.execute("INSERT OR IGNORE INTO acls (entries) VALUES (?)", (self._entries,))
        (acl,) = db.execute("SELECT id FROM acls WHERE entries = ?", (self._entries,)).fetchone()
        db.execute("UPDATE folders SET acl = ? WHERE acl = ?", (acl, self._acl))
        db.execute("DELETE FROM acls WHERE id = ?", (self._acl,))
        for (owner,) in owners:
            touchTree(db, owner, True)


# --- what else is users' own ------------------------------------------------


def subscriptions(context: Context) -> Iterator[Fault | None]:
    """
    Those who subscribe are there, and what they subscribe to can be a name.
    """
    for user, name, known in context.db.execute(
        f"SELECT user, name, {_IS_USER.format('s.user')} FROM subscriptions s ORDER BY user, name"
    ):
        remove = Execute("DELETE FROM subscriptions WHERE user = ? AND name = ?", user, name)
        if not known:
            where = f"subscription of user number {user} to {name!r}"
            yield Fault("subscription-orphan", where, "there is no such user", "removed", remove)
        elif not _isFolderName(name):
            where = f"subscription of {context.user(user)} to {name!r}"
            yield Fault("subscription-name", where, "no folder can be called so", "removed", remove)


def _isFolderName(name: str) -> bool:
    try:
        return folderName(name) == name
    except InvalidName:
        return False


def metadata(context: Context) -> Iterator[Fault | None]:
    """
    What has annotations is there, and so is whose they are.
    """
    found = context.db.execute(
        "SELECT folder, user, entry,"
        " folder <> 0 AND NOT EXISTS (SELECT 1 FROM folders f WHERE f.id = m.folder AND f.selectable),"
        f" user > 0 AND NOT {_IS_USER.format('m.user')} FROM metadata m ORDER BY folder, user, entry"
    )
    for folder, user, entry, no_folder, no_user in found:
        whose = "shared" if user == 0 else f"of {context.user(user)}"
        where = f"annotation {entry!r}, {whose}, of {context.folder(folder) if folder else 'the server'}"
        remove = Execute(
            "DELETE FROM metadata WHERE folder = ? AND user = ? AND entry = ?", folder, user, entry
        )
        if no_folder:
            yield Fault("annotation-orphan", where, "there is no such folder", "removed", remove)
        elif no_user:
            yield Fault("annotation-orphan", where, "there is no such user", "removed", remove)
        elif entry.startswith("/shared/") != (user == 0):
            yield Fault("annotation-name", where, "its name does not fit whose it is", "removed", remove)


# --- what is said of folders ------------------------------------------------


def addresses(context: Context) -> Iterator[Fault | None]:
    """
    Addresses are those of public folders.
    """
    found = context.db.execute(
        "SELECT address, folder FROM addresses a WHERE NOT EXISTS"
        " (SELECT 1 FROM folders f WHERE f.id = a.folder AND f.owner = ? AND f.selectable) ORDER BY address",
        (PUBLIC,),
    )
    for address, folder in found:
        yield Fault(
            "address-orphan",
            f"address {address!r} of {context.folder(folder)}",
            "there is no such public folder",
            "removed",
            Execute("DELETE FROM addresses WHERE address = ?", address),
        )


def expiry(context: Context) -> Iterator[Fault | None]:
    """
    Rules for how long messages stay are those of folders, and can be.
    """
    found = context.db.execute(
        "SELECT e.folder, f.id FROM expiry e LEFT JOIN folders f ON f.id = e.folder AND f.selectable"
        " WHERE f.id IS NULL OR coalesce(e.days, 1) < 1 OR coalesce(e.messages, 0) < 0"
        " OR NOT e.sure_uid BETWEEN 1 AND f.uid_next ORDER BY e.folder"
    )
    for folder, there in found:
        problem = "there is no such folder" if there is None else "it makes no sense"
        yield Fault(
            "expiry-rule",
            f"rule for how long messages stay in {context.folder(folder)}",
            problem,
            "removed: nothing goes",
            Execute("DELETE FROM expiry WHERE folder = ?", folder),
        )
