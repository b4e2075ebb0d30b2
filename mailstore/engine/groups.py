"""
Groups of users, and who has a right by an ACL that may name them.

The number C{members} in meta grows with every change of who belongs to what;
what is known of a viewer is kept with it (L{mailstore.engine.users}).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from mailstore.engine.acl import Entries
from mailstore.engine.connection import Connection, marks
from mailstore.errors import GroupExists, LimitReached, NoSuchGroup, NoSuchUser
from mailstore.model import ANYONE, AUTHENTICATED, GROUP_PREFIX, groupName

# Whether a user is one of some: by name, or as a member of a group.
_NAMED = "u.name IN ({marks})"
_MEMBERS = (
    "u.id IN (SELECT m.user FROM members m JOIN user_groups g ON g.id = m.user_group"
    " WHERE g.name IN ({marks}))"
)


def encodable(name: str) -> str:
    """
    A name in its one spelling, as the database can be asked for it: what is no text becomes something that
    nobody is called.
    """
    return unicodedata.normalize("NFC", name).encode("utf-8", "replace").decode()


def identifiersOf(db: Connection, user: int) -> frozenset[str]:
    """
    The ACL identifiers of the groups that a user belongs to.
    """
    return frozenset(GROUP_PREFIX + name for name in _namesOf(db, user))


def _namesOf(db: Connection, user: int) -> tuple[str, ...]:
    found = db.execute(
        "SELECT g.name FROM members m JOIN user_groups g ON g.id = m.user_group"
        " WHERE m.user = ? ORDER BY g.name",
        (user,),
    )
    return tuple(name for (name,) in found)


def exists(db: Connection, group: str) -> bool:
    """
    Whether there is a group of this name.
    """
    return db.execute("SELECT 1 FROM user_groups WHERE name = ?", (group,)).fetchone() is not None


def create(db: Connection, group: str, max_groups: int) -> None:
    """
    See L{createGroup<mailstore.interfaces.IGroups.createGroup>}.
    """
    group = groupName(group)
    if exists(db, group):
        raise GroupExists(f"there is a group {group!r} already")
    # Made before there were groups.
    if db.execute("SELECT 1 FROM users WHERE name = ?", (GROUP_PREFIX + group,)).fetchone() is not None:
        raise GroupExists(f"there is a user {GROUP_PREFIX + group!r}, who has the group's identifier")
    (count,) = db.execute("SELECT count(*) FROM user_groups").fetchone()
    if count >= max_groups:
        raise LimitReached(f"there can be at most {max_groups} groups")
    db.execute("INSERT INTO user_groups (name) VALUES (?)", (group,))


def remove(db: Connection, group: str) -> str:
    """
    Remove a group and who belongs to it, but not what is said of it in ACLs.

    @return: the identifier that it had.
    @raise NoSuchGroup:
    """
    ident = _groupId(db, group)
    db.execute("DELETE FROM members WHERE user_group = ?", (ident,))
    db.execute("DELETE FROM user_groups WHERE id = ?", (ident,))
    _touch(db)
    return GROUP_PREFIX + encodable(group)


def names(db: Connection) -> tuple[str, ...]:
    """
    All groups, in order.
    """
    return tuple(name for (name,) in db.execute("SELECT name FROM user_groups ORDER BY name"))


def membersOf(db: Connection, group: str) -> tuple[str, ...]:
    """
    See L{groupMembers<mailstore.interfaces.IGroups.groupMembers>}.
    """
    found = db.execute(
        "SELECT u.name FROM members m JOIN users u ON u.id = m.user WHERE m.user_group = ? ORDER BY u.name",
        (_groupId(db, group),),
    )
    return tuple(name for (name,) in found)


def groupsOf(db: Connection, user: str) -> tuple[str, ...]:
    """
    See L{groupsOf<mailstore.interfaces.IGroups.groupsOf>}.
    """
    return _namesOf(db, _userId(db, user))


def setMember(db: Connection, group: str, user: str, belongs: bool) -> bool:
    """
    See L{addMember<mailstore.interfaces.IGroups.addMember>} and
    L{removeMember<mailstore.interfaces.IGroups.removeMember>}.
    """
    pair = (_userId(db, user), _groupId(db, group))
    if belongs:
        statement = "INSERT INTO members (user, user_group) VALUES (?, ?) ON CONFLICT DO NOTHING"
    else:
        statement = "DELETE FROM members WHERE user = ? AND user_group = ?"
    changed = db.execute(statement, pair).rowcount > 0
    if changed:
        _touch(db)
    return changed


def someoneHas(db: Connection, entries: Entries, right: str) -> bool:
    """
    Whether an ACL gives any user a right.
    """
    given = {who for who, letters in entries if right in letters and who[0] != "-"}
    taken = {who[1:] for who, letters in entries if right in letters and who[0] == "-"}
    everybody = {ANYONE, AUTHENTICATED}
    if not given or taken & everybody:
        return False
    among, who_among = _among(given)
    except_for, who_not = _among(taken)
    if given & everybody:
        among, who_among = "TRUE", []
    return (
        db.execute(
            f"SELECT 1 FROM users u WHERE {among} AND NOT {except_for} LIMIT 1", (*who_among, *who_not)
        ).fetchone()
        is not None
    )


def _among(identifiers: Iterable[str]) -> tuple[str, list[str]]:
    """
    The condition that a user is one of these, and what stands for its question marks.
    """
    users = [each for each in identifiers if not each.startswith(GROUP_PREFIX)]
    groups = [each.removeprefix(GROUP_PREFIX) for each in identifiers if each.startswith(GROUP_PREFIX)]
    parts = [_NAMED.format(marks=marks(users))] * bool(users)
    parts += [_MEMBERS.format(marks=marks(groups))] * bool(groups)
    return f"({' OR '.join(parts) or 'FALSE'})", users + groups


def _groupId(db: Connection, group: str) -> int:
    row = db.execute("SELECT id FROM user_groups WHERE name = ?", (encodable(group),)).fetchone()
    if row is None:
        raise NoSuchGroup(f"there is no group {group!r}")
    ident: int = row[0]
    return ident


def _userId(db: Connection, user: str) -> int:
    row = db.execute("SELECT id FROM users WHERE name = ?", (encodable(user),)).fetchone()
    if row is None:
        raise NoSuchUser(f"there is no user {user!r}")
    ident: int = row[0]
    return ident


def _touch(db: Connection) -> None:
    db.execute("UPDATE meta SET value = value + 1 WHERE key = 'members'")
