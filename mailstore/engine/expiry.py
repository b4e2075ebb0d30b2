"""
Rules for how long messages stay in a folder, and removing what has stayed long enough.

Messages have the time at which they came into the folder (C{saved}).  A clock
that was wrong at that moment must not cost a message, so it is never taken alone:
C{sure_uid} and C{sure_time} of a rule say that messages from C{sure_uid} on came at
C{sure_time} or later.  The pair is moved forward by and by, with the clock; while the clock is
behind it, it stands still.  Messages whose C{saved} is before it although they came
after it are corrected when it moves.  So after a clock went back, messages go later than the rule says, never
earlier.
"""

from __future__ import annotations

from itertools import takewhile

from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.messages import OldRow, removeMessagesOf
from mailstore.engine.places import COLUMNS, FolderRow, Places
from mailstore.engine.users import PUBLIC, Viewer
from mailstore.errors import InvalidRequest
from mailstore.model import OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, Expiry

_DAY = 86_400

#: Days and messages that make sense.
_MAX_DAYS, _MAX_MESSAGES = 36_500, 0xFFFFFFFF

#: Seconds between two moves of what is sure.
_SURE_EVERY = 3600


# --- rules --------------------------------------------------------------------


def expiry(db: Connection, places: Places, viewer: Viewer, name: str) -> Expiry:
    """
    See L{expiry<mailstore.interfaces.IExpiry.expiry>}.
    """
    row = places.byName(db, viewer, name)
    found = db.execute("SELECT days, messages FROM expiry WHERE folder = ?", (row.id,)).fetchone()
    return Expiry() if found is None else Expiry(*found)


def setExpiry(db: Connection, places: Places, viewer: Viewer, name: str, rule: Expiry, now: int) -> None:
    """
    See L{setExpiry<mailstore.interfaces.IExpiry.setExpiry>}.
    """
    row = places.mailbox(db, viewer, name, "a")
    if rule.days is not None and not 1 <= rule.days <= _MAX_DAYS:
        raise InvalidRequest(f"messages can be kept for 1 to {_MAX_DAYS} days")
    if rule.messages is not None and not 0 <= rule.messages <= _MAX_MESSAGES:
        raise InvalidRequest(f"0 to {_MAX_MESSAGES} messages can be kept")
    drop(db, row.id)
    _insert(db, row.id, rule, row.uid_next, now)


def _insert(db: Connection, folder: int, rule: Expiry, uid: int, now: int) -> None:
    if rule != Expiry():
        db.execute(
            "INSERT INTO expiry (folder, days, messages, sure_uid, sure_time) VALUES (?, ?, ?, ?, ?)",
            (folder, rule.days, rule.messages, uid, now),
        )


def inherit(db: Connection, folder: int, parent: int, now: int) -> None:
    """
    Give a new folder a copy of its parent's rule.
    """
    found = db.execute("SELECT days, messages FROM expiry WHERE folder = ?", (parent,)).fetchone()
    if found is not None:
        _insert(db, folder, Expiry(*found), 1, now)


def drop(db: Connection, folder: int) -> None:
    """
    Remove the rule of a folder.
    """
    db.execute("DELETE FROM expiry WHERE folder = ?", (folder,))


def listed(
    db: Connection, places: Places, viewer: Viewer, after: int, count: int
) -> tuple[tuple[tuple[str, Expiry], ...], int]:
    """
    Names of folders, and their rules.

    @param after: begin with the folder after this one.
    @param count: how many to look at.
    @return: those that the viewer may look up, and the last that was looked at, 0 for the end.
    """
    found = db.execute(
        "SELECT e.folder, e.days, e.messages, f.owner, f.name, f.acl, u.name FROM expiry e"
        " JOIN folders f ON f.id = e.folder LEFT JOIN users u ON u.id = f.owner"
        " WHERE e.folder > ? ORDER BY e.folder LIMIT ?",
        (after, count),
    ).fetchall()
    rules = []
    for _, days, messages, owner, name, acl, user in found:
        if "l" not in places.rightsOn(db, viewer, owner, acl):
            continue
        if owner == PUBLIC:
            name = SEPARATOR.join((PUBLIC_ROOT, name))
        elif owner != viewer.id:
            name = SEPARATOR.join((OTHERS_ROOT, user, name))
        rules.append((name, Expiry(days, messages)))
    return tuple(rules), found[-1][0] if len(found) == count else 0


# --- removing -----------------------------------------------------------------

_DUE = (
    "SELECT e.folder,"
    " ? >= e.sure_time + ?"
    " OR f.messages > e.messages"
    " OR (SELECT m.saved FROM messages m WHERE m.folder = e.folder AND m.uid < e.sure_uid AND m.saved <= ?"
    " ORDER BY m.uid LIMIT 1) < ? - e.days * ?"
    " FROM expiry e JOIN folders f ON f.id = e.folder WHERE e.folder > ? ORDER BY e.folder LIMIT ?"
)


def due(db: Connection, after: int, count: int, now: int) -> tuple[list[int], int]:
    """
    Find folders with something to be done.

    @param after: begin with the folder after this one.
    @param count: how many to look at.
    @param now: seconds since 1970.
    @return: those found, and the last that was looked at; 0 if that was the last of all.
    """
    found = db.execute(_DUE, (now, _SURE_EVERY, now, now, _DAY, after, count)).fetchall()
    return [folder for folder, is_due in found if is_due], found[-1][0] if len(found) == count else 0


def work(db: Connection, limits: EngineLimits, folders: list[int], now: int) -> tuple[list[int], bool]:
    """
    Do what is to be done in some folders, or a piece of it.

    @param now: seconds since 1970.
    @return: the folders that lost messages, and whether all was done.
    """
    left = limits.expire_rows
    changed: list[int] = []
    for folder in folders:
        done, removed, used = _Folder(db, limits, folder, now).work(left)
        if removed:
            changed.append(folder)
        left -= 1 + used
        if not done or left <= 0:
            return changed, False
    return changed, True


class _Folder:
    """
    A folder with a rule, at one moment.
    """

    def __init__(self, db: Connection, limits: EngineLimits, folder: int, now: int) -> None:
        self._db = db
        self._limits = limits
        self._now = now
        self._folder = folder

    def work(self, most: int) -> tuple[bool, int, int]:
        """
        Do up to so many messages.

        @return: whether all is done, how many were removed, and how many were looked at.
        """
        columns = ", ".join(f"f.{each.strip()}" for each in COLUMNS.split(","))
        found = self._db.execute(
            f"SELECT e.days, e.messages, e.sure_uid, e.sure_time, {columns} FROM expiry e"
            " JOIN folders f ON f.id = e.folder WHERE e.folder = ?",
            (self._folder,),
        ).fetchone()
        if found is None:
            # It, or its rule, has gone since it was found.
            return True, 0, 0
        days, messages, sure_uid, sure_time = found[:4]
        row = FolderRow._make(found[4:])
        used = 0
        if self._now >= sure_time + _SURE_EVERY:
            until = min(row.uid_next, sure_uid + most)
            self._moveSure(sure_uid, sure_time, until, until == row.uid_next)
            used = until - sure_uid
            if used >= most:
                return False, 0, used
            sure_uid = until
        gone = self._tooMany(row, messages, most - used) or self._tooOld(days, most - used, sure_uid)
        if gone:
            removeMessagesOf(self._db, row, gone, self._limits.max_tombstones)
        used += len(gone)
        # What is too old may come behind what is too many.
        return not gone, len(gone), used

    def _moveSure(self, uid: int, time: int, until: int, all_seen: bool) -> None:
        self._db.execute(
            "UPDATE messages SET saved = ? WHERE folder = ? AND uid >= ? AND uid < ? AND saved < ?",
            (time, self._folder, uid, until, time),
        )
        # The time moves when everything that came after it has been looked at.
        self._db.execute(
            "UPDATE expiry SET sure_uid = ?, sure_time = ? WHERE folder = ?",
            (until, self._now if all_seen else time, self._folder),
        )

    def _tooMany(self, row: FolderRow, messages: int | None, most: int) -> list[OldRow]:
        if messages is None or row.messages <= messages:
            return []
        found = self._db.execute(
            "SELECT uid, flags, content, size FROM messages WHERE folder = ? ORDER BY uid LIMIT ?",
            (row.id, min(most, row.messages - messages)),
        )
        return [OldRow._make(each) for each in found]

    def _tooOld(self, days: int | None, most: int, sure_uid: int) -> list[OldRow]:
        """
        The oldest messages, up to the first that stays.  UIDs are in the order of arrival, so those
        behind it stay too.  A message from the future does not say anything.
        """
        if days is None:
            return []
        before = self._now - days * _DAY
        found = self._db.execute(
            "SELECT uid, flags, content, size, saved FROM messages"
            " WHERE folder = ? AND uid < ? AND saved <= ? ORDER BY uid LIMIT ?",
            (self._folder, sure_uid, self._now, most),
        )
        return [OldRow._make(each[:4]) for each in takewhile(lambda each: each[4] < before, found)]
