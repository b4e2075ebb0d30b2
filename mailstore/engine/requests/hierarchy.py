"""
Folders, their counts, and who subscribes to them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial

from mailstore.engine import opening, subscribing
from mailstore.engine.connection import Connection
from mailstore.engine.folders import Renamed
from mailstore.engine.requests.base import Requests
from mailstore.errors import InvalidRequest
from mailstore.model import FolderColumns, FolderStatus, StatusColumns, TreeVersion, uint64s


class HierarchyRequests(Requests):
    """
    Folders, their counts, and who subscribes to them.
    """

    async def trees(self, user: str) -> tuple[TreeVersion, ...]:
        with self._database.reading() as db:
            return self._hierarchy.trees(db, self._users.viewer(db, user))

    async def folders(self, user: str, tree: TreeVersion) -> AsyncGenerator[FolderColumns, None]:
        with self._database.reading() as db:
            batches = self._hierarchy.enumeration(db, self._users.viewer(db, user), tree)
        for batch in batches:
            self._writer.requireOpen()
            yield batch

    async def createFolder(self, user: str, name: str, special_use: str = "") -> int:
        def change(db: Connection) -> int:
            return self._folders.create(db, self._users.viewer(db, user), name, special_use)

        folder = await self._change(change)
        self._foldersChanged()
        return folder

    async def deleteFolder(self, user: str, name: str) -> None:
        def change(db: Connection) -> int:
            folder = self._folders.delete(db, self._users.viewer(db, user), name)
            self._writer.sweepLater()
            return folder

        self._changed(await self._change(change))
        self._foldersChanged()

    async def renameFolder(self, user: str, name: str, new_name: str) -> None:
        def change(db: Connection) -> tuple[Renamed, int]:
            renamed = self._folders.rename(db, self._users.viewer(db, user), name, new_name)
            return renamed, self._folders.moveInbox(db, renamed, 0) if renamed.last else 0

        renamed, after = await self._change(change)
        try:
            while after:
                await self._writer.giveWay()
                after = await self._change(partial(self._folders.moveInbox, renamed=renamed, after=after))
        finally:
            self._foldersChanged()
            if renamed.inbox:
                self._changed(renamed.inbox)
                self._changed(renamed.created)

    async def status(self, user: str, name: str) -> FolderStatus:
        def look() -> FolderStatus:
            viewer = self._users.viewer(db, user)
            return opening.status(db, self._places.mailbox(db, viewer, name, "r"), viewer, self._identity)

        with self._database.reading() as db:
            return db.remember(("status", user, name), look, lambda _: 1)

    async def statuses(self, user: str, folders: bytes) -> AsyncGenerator[StatusColumns, None]:
        if len(folders) % 8:
            raise InvalidRequest("that is no column of identities")
        wanted = uint64s(folders)
        rows = opening.statusRows(self._limits)
        for start in range(0, len(wanted), rows):
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                batch = opening.statuses(
                    db, self._places, viewer, wanted[start : start + rows], self._identity
                )
            yield batch

    async def subscriptions(self, user: str) -> tuple[str, ...]:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            return subscribing.subscriptions(db, self._places, viewer, self._limits)

    async def subscribe(self, user: str, name: str) -> None:
        await self._change(
            lambda db: subscribing.subscribe(db, self._users.viewer(db, user), name, self._limits)
        )
        self._foldersChanged(user)

    async def unsubscribe(self, user: str, name: str) -> None:
        await self._change(
            lambda db: subscribing.unsubscribe(db, self._users.viewer(db, user), name, self._limits)
        )
        self._foldersChanged(user)
