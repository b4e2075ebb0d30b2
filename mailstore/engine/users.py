"""
The users, and who it is that asks.
"""

from __future__ import annotations

import os

import attrs

from mailstore.engine import groups
from mailstore.engine.acl import EMPTY_ACL
from mailstore.engine.connection import Connection
from mailstore.engine.counters import nextUidValidity
from mailstore.engine.limits import EngineLimits
from mailstore.errors import InvalidRequest, LimitReached, NoSuchUser, UserExists
from mailstore.lru import Cache
from mailstore.model import INBOX, SYSTEM, Credentials, userName

#: The owner of the public tree, in the place of a user's id.
PUBLIC = 0

#: What stands for the system where a user's id stands; it is no row.
SYSTEM_ID = -1

#: Rounds of PBKDF2 that made up keys may pretend to.
_MOST_ITERATIONS = 10_000_000


@attrs.frozen
class Viewer:
    """
    Who asks.
    """

    name: str
    #: Of the row of users; L{SYSTEM_ID} for the system; C{None} for somebody the
    #: store does not know, who has the rights of everybody and nothing of his own.
    id: int | None
    #: Identifiers of the groups that he is a member of.
    groups: frozenset[str] = frozenset()

    @property
    def is_system(self) -> bool:
        return self.id == SYSTEM_ID


class Users:
    """
    Finds users by name.  What was found is kept, with the number that grows when
    anybody's groups change.
    """

    def __init__(self) -> None:
        self._viewers: Cache[str, tuple[int, Viewer]] = Cache(10_000)

    def viewer(self, db: Connection, name: str) -> Viewer:
        """
        Who C{name} is.
        """
        if name == SYSTEM:
            return Viewer(SYSTEM, SYSTEM_ID)
        (version,) = db.lookup("SELECT value FROM meta WHERE key = 'members'")
        kept = self._viewers.get(name)
        if kept is not None and kept[0] == version:
            return kept[1]
        name = groups.encodable(name)
        row = db.execute("SELECT id FROM users WHERE name = ?", (name,)).fetchone()
        if row is None:
            return Viewer(name, None)
        viewer = Viewer(name, row[0], groups.identifiersOf(db, row[0]))
        self._viewers.put(name, (version, viewer))
        return viewer

    def forget(self) -> None:
        """
        Look everybody up again.
        """
        self._viewers.clear()


def credentials(db: Connection, name: str) -> Credentials | None:
    """
    What a user can be known by.
    """
    row = db.execute(
        "SELECT salt, iterations, stored_key, server_key FROM users WHERE name = ?", (groups.encodable(name),)
    ).fetchone()
    return None if row is None else Credentials(*row)


def createUser(db: Connection, name: str, keys: Credentials, clock: float) -> int:
    """
    Add a user, with an INBOX.

    @return: the new id.
    @raise InvalidName:
    @raise UserExists:
    """
    name = userName(name)
    if db.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone() is not None:
        raise UserExists(f"there is a user {name!r} already")
    (owner,) = db.execute(
        "INSERT INTO users (name, salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?)"
        " RETURNING id",
        (name, keys.salt, keys.iterations, keys.stored_key, keys.server_key),
    ).fetchone()
    db.execute("INSERT INTO trees (owner, folders) VALUES (?, 1)", (owner,))
    db.execute(
        "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
        " VALUES (?, ?, 1, ?, 1, ?)",
        (owner, INBOX, EMPTY_ACL, nextUidValidity(db, clock)),
    )
    db.execute("UPDATE meta SET value = value + 1 WHERE key = 'personal'")
    return int(owner)


def enrol(db: Connection, name: str, iterations: int, limits: EngineLimits, clock: float) -> None:
    """
    Add a user whom somebody else vouches for, if there is none of this name.

    @raise InvalidName:
    @raise InvalidRequest: no keys are made by so many rounds.
    @raise LimitReached: there are too many users.
    """
    if not 1 <= iterations <= _MOST_ITERATIONS:
        raise InvalidRequest(f"keys are made by 1 to {_MOST_ITERATIONS} rounds")
    (count,) = db.execute("SELECT count(*) FROM users").fetchone()
    if count >= limits.max_users:
        raise LimitReached(f"there can be at most {limits.max_users} users that others vouch for")
    try:
        # Keys of SHA-256 with no password behind them.
        createUser(db, name, Credentials(os.urandom(16), iterations, os.urandom(32), os.urandom(32)), clock)
    except UserExists:
        # Since it was asked for, or by another spelling.
        pass


def setCredentials(db: Connection, name: str, keys: Credentials) -> None:
    """
    Change what a user can be known by.

    @raise NoSuchUser:
    """
    changed = db.execute(
        "UPDATE users SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE name = ?",
        (keys.salt, keys.iterations, keys.stored_key, keys.server_key, groups.encodable(name)),
    )
    if not changed.rowcount:
        raise NoSuchUser(f"there is no user {name!r}")


def listUsers(db: Connection) -> tuple[str, ...]:
    """
    All names, in order.
    """
    return tuple(name for (name,) in db.execute("SELECT name FROM users ORDER BY name"))
