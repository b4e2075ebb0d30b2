"""
What all checks use: the database, how folders are called, and small changes
that make others see a change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from mailstore.engine.connection import Connection
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import COLUMNS, FolderRow
from mailstore.engine.rendering import Renderer
from mailstore.engine.users import PUBLIC
from mailstore.model import OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR

_T = TypeVar("_T")

#: Folders that have gone and still hold something, which is cleared away (L{mailstore.engine.gone}).
GONE = "(SELECT folder FROM gone_folders)"


@attrs.define
class Context:
    """
    A database that is being checked.
    """

    db: Connection
    renderer: Renderer
    limits: EngineLimits
    #: Seconds since 1970.
    clock: Callable[[], float]
    #: How often the messages of a content are still looked for, which takes a walk through all messages.
    searches: int = 100
    #: Told how much has been done of how much.
    progress: Callable[[int, int], object] = lambda done, total: None

    def value(self, statement: str, *operands: object) -> int:
        """
        The one number that a statement gives; 0 for none.
        """
        row = self.db.execute(statement, operands).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def folder(self, folder: int) -> str:
        """
        What a folder is called, for whoever reads the report.
        """
        row = self.db.execute(
            "SELECT f.owner, f.name, u.name FROM folders f LEFT JOIN users u ON u.id = f.owner"
            " WHERE f.id = ?",
            (folder,),
        ).fetchone()
        if row is None:
            return f"folder number {folder}"
        return f"folder {self.shownName(*row)!r}"

    def shownName(self, owner: int, name: object, user: str | None) -> str:
        """
        The name of a folder as the system sees it.
        """
        if owner == PUBLIC:
            return SEPARATOR.join((PUBLIC_ROOT, str(name))) if name else PUBLIC_ROOT
        return SEPARATOR.join((OTHERS_ROOT, user or f"number {owner}", str(name)))

    def user(self, user: int) -> str:
        """
        What a user is called.
        """
        if user < 0:
            return "the system"
        name = self.userName(user)
        return f"user number {user}" if name is None else f"user {name!r}"

    def userName(self, user: int) -> str | None:
        """
        The name of a user, if there is one.
        """
        row = self.db.execute("SELECT name FROM users WHERE id = ?", (user,)).fetchone()
        return None if row is None else str(row[0])

    def where(self, content: int) -> str:
        """
        A content, with the messages that are of it for the first ones that are asked for.
        """
        if self.searches <= 0:
            return f"content {content}"
        self.searches -= 1
        found = self.db.execute(
            "SELECT folder, uid FROM messages WHERE content = ? ORDER BY folder, uid LIMIT 3", (content,)
        ).fetchall()
        places = ", ".join(f"UID {uid} in {self.folder(folder)}" for folder, uid in found[:2])
        more = " and others" if len(found) > 2 else ""
        return f"content {content} ({places}{more})" if places else f"content {content}"


def readFolder(db: Connection, folder: int) -> FolderRow:
    """
    The row of a folder that is there.
    """
    return FolderRow._make(db.execute(f"SELECT {COLUMNS} FROM folders WHERE id = ?", (folder,)).fetchone())


def nextModseq(db: Connection, folder: int) -> int:
    """
    The mod-sequence of a change of a folder that everybody can see; from here on
    it is the folder's last.
    """
    row = db.execute(
        "UPDATE folders SET modseq = max(modseq, changed, 0) + 1, changed = max(modseq, changed, 0) + 1"
        " WHERE id = ? RETURNING modseq",
        (folder,),
    ).fetchone()
    number: int = row[0]
    return number
