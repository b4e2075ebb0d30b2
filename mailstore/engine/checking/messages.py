"""
Rows of messages: where they are, what they are of, and what they say of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailstore.engine.checking.context import GONE, Context, nextModseq
from mailstore.engine.checking.findings import Fault, counted
from mailstore.engine.checking.lostandfound import makeFolder
from mailstore.engine.connection import Connection
from mailstore.engine.delivery import LAST_DATE, MAX_ZONE
from mailstore.model import KEYWORD_BIT, MAX_KEYWORDS, PUBLIC_ROOT, SEEN, SYSTEM_FLAGS

_MAX_UID = 0xFFFFFFFF

_SYSTEM = (1 << len(SYSTEM_FLAGS)) - 1

#: The flags that a message of a folder can have.
_DEFINED = (
    f"({_SYSTEM} | (((1 << (CASE f.keywords WHEN '' THEN 0 ELSE"
    f" length(f.keywords) - length(replace(f.keywords, ' ', '')) + 1 END)) - 1) << {KEYWORD_BIT}))"
)


def places(context: Context) -> Iterator[Fault | None]:
    """
    The folders that messages are in are there.
    """
    found = context.db.execute(
        "SELECT folder, count(*) FROM messages m"
        " WHERE NOT EXISTS (SELECT 1 FROM folders f WHERE f.id = m.folder)"
        f" AND folder NOT IN {GONE} GROUP BY folder"
    )
    for folder, count in found:
        yield Fault(
            "message-orphans",
            f"{counted(count, 'message')} of folder number {folder}",
            "there is no such folder",
            f"made, in {PUBLIC_ROOT}/Lost and Found, where only the system has rights",
            _restore(context, folder),
        )


class _restore:
    """
    Makes a folder for messages that are there.  Its counts are checked later.
    """

    def __init__(self, context: Context, folder: int) -> None:
        self._context = context
        self._folder = folder

    def __call__(self, db: Connection) -> None:
        makeFolder(db, f"Folder number {self._folder}", self._context.clock, self._folder)
        (flags,) = db.execute("SELECT max(flags) FROM messages WHERE folder = ?", (self._folder,)).fetchone()
        count = min(MAX_KEYWORDS, max(0, flags >> KEYWORD_BIT).bit_length())
        keywords = " ".join(f"Keyword-{number}" for number in range(1, count + 1))
        # Which of its messages were expunged before is not known any more.
        db.execute(
            "UPDATE folders SET keywords = ?, tombstones_from = 1 WHERE id = ?", (keywords, self._folder)
        )
        db.execute("DELETE FROM tombstones WHERE folder = ?", (self._folder,))


def contents(context: Context) -> Iterator[Fault | None]:
    """
    What messages are of is there, and as long as they say.
    """
    found = context.db.execute(
        "SELECT m.folder, m.uid, m.size, c.size FROM messages m LEFT JOIN contents c ON c.id = m.content"
        " WHERE c.id IS NULL OR c.size <> m.size"
    )
    for folder, uid, size, right in found:
        where = f"UID {uid} in {context.folder(folder)}"
        if right is None:
            yield Fault("message-content", where, "its bytes are missing: restore a backup, or delete it")
        else:
            yield Fault(
                "message-size",
                where,
                f"it has {right} bytes, and says {size}",
                f"says {right}",
                _setSize(folder, uid, right),
            )


class _setSize:
    """
    Notes how long a message is.
    """

    def __init__(self, folder: int, uid: int, size: int) -> None:
        self._of = (size, folder, uid)

    def __call__(self, db: Connection) -> None:
        db.execute("UPDATE messages SET size = ? WHERE folder = ? AND uid = ?", self._of)


def values(context: Context) -> Iterator[Fault | None]:
    """
    Numbers, flags and dates of messages are such as there can be.
    """
    found = context.db.execute(
        f"SELECT m.folder, m.uid, m.flags, {_DEFINED}, f.shared_seen, m.internal_date, m.zone, m.saved"
        " FROM messages m JOIN folders f ON f.id = m.folder"
        f" WHERE NOT m.uid BETWEEN 1 AND {_MAX_UID} OR m.flags & ~{_DEFINED}"
        f" OR (NOT f.shared_seen AND m.flags & {SEEN})"
        f" OR NOT m.internal_date BETWEEN 0 AND {LAST_DATE} OR NOT m.saved BETWEEN 0 AND {LAST_DATE}"
        f" OR NOT m.zone BETWEEN {-MAX_ZONE} AND {MAX_ZONE}"
    )
    for folder, uid, flags, defined, shared_seen, date, zone, saved in found:
        where = f"UID {uid} in {context.folder(folder)}"
        if not 1 <= uid <= _MAX_UID:
            yield Fault(
                "message-uid", where, "there can be no such UID", "it has a new one", _renumber(folder, uid)
            )
            continue
        if not shared_seen:
            defined &= ~SEEN
        if flags & ~defined:
            problem = "it has flags that the folder does not know"
            if not flags & ~defined & ~SEEN:
                problem = "it is seen for all, where each user has his own"
            yield Fault(
                "message-flags", where, problem, "taken away", _setFlags(folder, uid, flags & defined)
            )
        dates = (
            min(max(0, date), LAST_DATE),
            min(max(-MAX_ZONE, zone), MAX_ZONE),
            min(max(0, saved), LAST_DATE),
        )
        if dates != (date, zone, saved):
            yield Fault(
                "message-date",
                where,
                "it has a date that makes no sense",
                "moved",
                _setDates(folder, uid, dates),
            )


class _renumber:
    """
    Gives a message the next UID of its folder.
    """

    def __init__(self, folder: int, uid: int) -> None:
        self._folder = folder
        self._uid = uid

    def __call__(self, db: Connection) -> None:
        modseq = nextModseq(db, self._folder)
        (largest,) = db.execute(
            f"SELECT coalesce(max(uid), 0) FROM messages WHERE folder = ? AND uid BETWEEN 1 AND {_MAX_UID}",
            (self._folder,),
        ).fetchone()
        (uid,) = db.execute(
            "UPDATE folders SET uid_next = max(uid_next, ?) + 1 WHERE id = ? RETURNING uid_next - 1",
            (largest + 1, self._folder),
        ).fetchone()
        db.execute(
            "UPDATE messages SET uid = ?, modseq = ? WHERE folder = ? AND uid = ?",
            (uid, modseq, self._folder, self._uid),
        )


class _setFlags:
    """
    Gives a message other flags.
    """

    def __init__(self, folder: int, uid: int, flags: int) -> None:
        self._folder = folder
        self._uid = uid
        self._flags = flags

    def __call__(self, db: Connection) -> None:
        modseq = nextModseq(db, self._folder)
        db.execute(
            "UPDATE messages SET flags = ?, modseq = ? WHERE folder = ? AND uid = ?",
            (self._flags, modseq, self._folder, self._uid),
        )


class _setDates:
    """
    Gives a message other dates.
    """

    def __init__(self, folder: int, uid: int, dates: tuple[int, int, int]) -> None:
        self._of = (*dates, folder, uid)

    def __call__(self, db: Connection) -> None:
        db.execute(
            "UPDATE messages SET internal_date = ?, zone = ?, saved = ? WHERE folder = ? AND uid = ?",
            self._of,
        )
