"""
Sets of rights (RFC 4314): each distinct one is a row, which folders share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.engine.connection import Connection
from mailstore.errors import LimitReached, StoreFault
from mailstore.lru import Cache
from mailstore.model import ALL_RIGHTS, ANYONE, AUTHENTICATED, RightsMode

if TYPE_CHECKING:
    from mailstore.engine.users import Viewer

#: Pairs of identifier and letters, in the order of the identifiers.
Entries = tuple[tuple[str, str], ...]

#: The row that gives nobody anything.
EMPTY_ACL = 1


def _dump(entries: Entries) -> str:
    return "".join(f"{identifier} {letters}\n" for identifier, letters in entries)


def _load(text: str) -> Entries:
    pairs = (line.split(" ", 1) for line in text.splitlines())
    return tuple((identifier, letters) for identifier, letters in pairs)


def withRights(entries: Entries, identifier: str, letters: str) -> Entries:
    """
    The entries when C{identifier} has exactly these rights.
    """
    others = [pair for pair in entries if pair[0] != identifier]
    if letters:
        others.append((identifier, letters))
    return tuple(sorted(others))


def changed(entries: Entries, identifier: str, letters: str, mode: RightsMode) -> Entries:
    """
    The entries when the rights of C{identifier} are changed.
    """
    if mode is not RightsMode.REPLACE:
        before = dict(entries).get(identifier, "")
        keep = mode is RightsMode.ADD
        letters = "".join(
            each
            for each in ALL_RIGHTS
            if (each in before or each in letters if keep else each in before and each not in letters)
        )
    return withRights(entries, identifier, letters)


def effective(entries: Entries, viewer: Viewer) -> str:
    """
    What the entries let a viewer do: what any identifier that means him gives,
    without what any of them with a minus sign takes (RFC 4314 section 2).
    """
    meant = {ANYONE}
    if viewer.id is not None:
        meant |= {AUTHENTICATED, viewer.name, *viewer.groups}
    given = {letter for who, letters in entries if who in meant for letter in letters}
    taken = {letter for who, letters in entries if who[0] == "-" and who[1:] in meant for letter in letters}
    return "".join(each for each in ALL_RIGHTS if each in given and each not in taken)


class Acls:
    """
    The rows, by id.  A row never changes and its id is never used again, so
    what was read is kept.
    """

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: Cache[int, Entries] = Cache(10_000)
        self._rights: Cache[tuple[int, Viewer], str] = Cache(50_000)

    def entries(self, db: Connection, acl: int) -> Entries:
        """
        The entries of a row.
        """
        found = self._entries.get(acl)
        if found is None:
            row = db.execute("SELECT entries FROM acls WHERE id = ?", (acl,)).fetchone()
            if row is None:
                raise StoreFault("a folder's rights are missing")
            found = _load(row[0])
            self._entries.put(acl, found)
        return found

    def rights(self, db: Connection, acl: int, viewer: Viewer) -> str:
        """
        What a row lets a viewer do, who is neither the owner nor the system.
        """
        if acl == EMPTY_ACL:
            return ""
        key = (acl, viewer)
        found = self._rights.get(key)
        if found is None:
            found = effective(self.entries(db, acl), viewer)
            self._rights.put(key, found)
        return found

    def intern(self, db: Connection, entries: Entries) -> int:
        """
        The row that has these entries; made if there is none.

        @raise LimitReached: there are too many of them.
        """
        if len(entries) > self._max_entries:
            raise LimitReached(f"a folder's rights can name at most {self._max_entries} identifiers")
        text = _dump(entries)
        row = db.execute("SELECT id FROM acls WHERE entries = ?", (text,)).fetchone()
        if row is None:
            row = db.execute("INSERT INTO acls (entries) VALUES (?) RETURNING id", (text,)).fetchone()
        acl: int = row[0]
        return acl

    def release(self, db: Connection, acl: int) -> None:
        """
        Remove a row if no folder has it any more.
        """
        if acl != EMPTY_ACL:
            db.execute(
                "DELETE FROM acls WHERE id = ? AND NOT EXISTS (SELECT 1 FROM folders WHERE acl = ?)",
                (acl, acl),
            )

    def forget(self) -> None:
        """
        Read everything again.
        """
        self._entries.clear()
        self._rights.clear()
