"""
Users and groups.
"""

from __future__ import annotations

from mailstore.engine import groups, removal, users
from mailstore.engine.connection import Connection
from mailstore.engine.requests.base import Requests
from mailstore.model import Credentials


class PeopleRequests(Requests):
    """
    Users and groups.
    """

    async def credentials(self, user: str) -> Credentials | None:
        with self._database.reading() as db:
            return users.credentials(db, user)

    async def createUser(self, user: str, credentials: Credentials) -> None:
        await self._change(lambda db: users.createUser(db, user, credentials, self._clock()))

    async def enrol(self, user: str, iterations: int) -> None:
        with self._database.reading() as db:
            if users.credentials(db, user) is not None:
                return
        await self._change(lambda db: users.enrol(db, user, iterations, self._limits, self._clock()))

    async def listUsers(self) -> tuple[str, ...]:
        with self._database.reading() as db:
            return users.listUsers(db)

    async def setCredentials(self, user: str, credentials: Credentials) -> None:
        await self._change(lambda db: users.setCredentials(db, user, credentials))

    async def removeUser(self, user: str, keep_as: str = "", delete: bool = False) -> int:
        def change(db: Connection) -> removal.Removed:
            viewer, most = self._users.viewer(db, user), self._limits.slice_rows
            removed = removal.removeUser(db, self._folders, self._acls, viewer, keep_as, delete, most)
            self._writer.sweepLater()
            return removed

        removed = await self._change(change)
        # Names and ids never change otherwise.
        self._forget()
        for folder in removed.folders:
            self._changed(folder)
        self._foldersChanged()
        return removed.messages

    async def createGroup(self, group: str) -> None:
        await self._change(lambda db: groups.create(db, group, self._limits.max_groups))

    async def removeGroup(self, group: str) -> int:
        changed = await self._change(lambda db: self._folders.dropIdentifier(db, groups.remove(db, group)))
        self._foldersChanged()
        return changed

    async def listGroups(self) -> tuple[str, ...]:
        with self._database.reading() as db:
            return groups.names(db)

    async def groupMembers(self, group: str) -> tuple[str, ...]:
        with self._database.reading() as db:
            return groups.membersOf(db, group)

    async def groupsOf(self, user: str) -> tuple[str, ...]:
        with self._database.reading() as db:
            return groups.groupsOf(db, user)

    async def addMember(self, group: str, user: str) -> bool:
        joined = await self._change(lambda db: groups.setMember(db, group, user, True))
        self._foldersChanged()
        return joined

    async def removeMember(self, group: str, user: str) -> bool:
        left = await self._change(lambda db: groups.setMember(db, group, user, False))
        self._foldersChanged()
        return left
