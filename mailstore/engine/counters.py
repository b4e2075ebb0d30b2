"""
Numbers that only grow.
"""

from __future__ import annotations

from mailstore.engine.connection import Connection
from mailstore.errors import LimitReached

_LARGEST = 0xFFFFFFFF


def nextUidValidity(db: Connection, clock: float) -> int:
    """
    A UIDVALIDITY that no folder of this store had, greater than all that had
    one (RFC 9051 section 2.3.1.1).  It follows the clock, so that it also grows
    when a store is lost and made anew.
    """
    number: int
    (last,) = db.execute("SELECT value FROM meta WHERE key = 'uid_validity'").fetchone()
    number = max(last + 1, min(int(clock), _LARGEST - (1 << 24)))
    if number > _LARGEST:
        raise LimitReached("the store has used up its UIDVALIDITY numbers")
    db.execute("UPDATE meta SET value = ? WHERE key = 'uid_validity'", (number,))
    return number


def touchTree(db: Connection, owner: int, shared: bool, folders: int = 0) -> None:
    """
    Note that the folders of a tree, or their rights, have changed.

    @param shared: somebody else may see the difference; of no meaning for the public tree.
    @param folders: how many more folders there are now.
    """
    db.execute(
        "UPDATE trees SET generation = generation + 1, folders = folders + ? WHERE owner = ?",
        (folders, owner),
    )
    if owner:
        db.execute("UPDATE meta SET value = value + 1 WHERE key = 'personal'")
        if shared:
            db.execute("UPDATE meta SET value = value + 1 WHERE key = 'shared'")
