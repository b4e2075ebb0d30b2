"""
Finding out which keywords of a folder are of no message any more, so that others can have their bits.

A folder has a bit for each keyword, and has few of them.  That no message has one any more is not noticed
when it happens; it is found out when a folder has no bit left: all its messages are looked at, in slices, and
then, in the transaction that notes what was found, those that have changed since the first of them.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection
from mailstore.engine.dialect import BY_MODSEQ
from mailstore.engine.flags import Keywords
from mailstore.engine.places import FolderRow

#: Messages that are looked at in one slice.
_LOOK = 20_000


class Look:
    """
    What flags messages of a folder have, from one moment on.
    """

    def __init__(self, row: FolderRow) -> None:
        self._folder = row.id
        self._since = row.modseq
        self._after = 0
        self._used = 0

    def more(self, db: Connection) -> bool:
        """
        Look at some messages more.

        @return: there are more.
        """
        last, count = db.execute(
            "SELECT max(uid), count(*) FROM"
            " (SELECT uid FROM messages WHERE folder = ? AND uid > ? ORDER BY uid LIMIT ?)",
            (self._folder, self._after, _LOOK),
        ).fetchone()
        if not count:
            return False
        found = db.execute(
            "SELECT DISTINCT flags FROM messages WHERE folder = ? AND uid > ? AND uid <= ?",
            (self._folder, self._after, last),
        )
        for (flags,) in found:
            self._used |= flags
        self._after = last
        return bool(count == _LOOK)

    def end(self, db: Connection, row: FolderRow) -> bool:
        """
        Note which keywords are of no message.

        @param row: the folder as it is now.
        @return: there are some of which that was not known.
        """
        used = self._used
        found = db.execute(
            f"SELECT DISTINCT flags FROM messages {BY_MODSEQ} WHERE folder = ? AND modseq > ?",
            (self._folder, self._since),
        )
        for (flags,) in found:
            used |= flags
        keywords = Keywords.of(row)
        if not keywords.release(used):
            return False
        row._replace(keywords=keywords.dump()).save(db)
        return True
