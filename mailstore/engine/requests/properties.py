"""
What folders have beside messages: rights, quotas, annotations, rules for expiry, addresses.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mailstore.engine import addresses, expiry, metadata, opening, quotas
from mailstore.engine.connection import Connection
from mailstore.engine.requests.base import Requests
from mailstore.errors import InvalidRequest
from mailstore.model import Annotated, Expiry, Metadata, Quota, RightsMode, uint64s


class PropertyRequests(Requests):
    """
    What folders have beside messages: rights, quotas, annotations, rules for expiry, addresses.
    """

    async def rights(self, user: str, name: str) -> str:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            # RFC 4314 section 4, MYRIGHTS.
            row = self._places.byName(db, viewer, name, any_of="lrikxa")
            return self._places.rights(db, viewer, row)

    async def acl(self, user: str, name: str) -> tuple[tuple[str, str], ...]:
        with self._database.reading() as db:
            return self._folders.acl(db, self._users.viewer(db, user), name)

    async def setRights(
        self,
        user: str,
        name: str,
        identifier: str,
        letters: str,
        mode: RightsMode = RightsMode.REPLACE,
    ) -> int:
        def change(db: Connection) -> int:
            viewer = self._users.viewer(db, user)
            return self._folders.setRights(db, viewer, name, identifier, letters, mode)

        changed = await self._change(change)
        self._foldersChanged()
        return changed

    async def grantable(self, user: str, name: str, identifier: str) -> tuple[str, str]:
        with self._database.reading() as db:
            return self._folders.grantable(db, self._users.viewer(db, user), name, identifier)

    async def quotaRoots(self, user: str, name: str) -> tuple[str, ...]:
        with self._database.reading() as db:
            return quotas.roots(db, self._places, self._users.viewer(db, user), name)

    async def quota(self, user: str, root: str) -> Quota:
        with self._database.reading() as db:
            return quotas.quota(db, self._places, self._users.viewer(db, user), root)

    async def setQuota(self, user: str, root: str, limits: tuple[tuple[str, int], ...]) -> Quota:
        def change(db: Connection) -> Quota:
            return quotas.setQuota(db, self._places, self._users.viewer(db, user), root, limits)

        return await self._change(change)

    async def metadata(
        self, user: str, name: str, entries: tuple[str, ...], depth: int | None, max_size: int | None
    ) -> Metadata:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            return metadata.metadata(db, self._places, viewer, name, entries, depth, max_size)

    async def annotations(
        self, user: str, folders: bytes, entries: tuple[str, ...]
    ) -> AsyncGenerator[tuple[Annotated, ...], None]:
        if len(folders) % 8:
            raise InvalidRequest("that is no column of identities")
        wanted = uint64s(folders)
        rows = opening.statusRows(self._limits)
        start = 0
        while start < len(wanted):
            with self._database.reading() as db:
                batch, taken = metadata.ofMany(
                    db,
                    self._places,
                    self._users.viewer(db, user),
                    wanted[start : start + rows],
                    entries,
                    self._limits.batch_bytes,
                )
            if batch:
                yield batch
            start += taken

    async def setMetadata(self, user: str, name: str, values: dict[str, bytes | None]) -> None:
        def change(db: Connection) -> None:
            viewer = self._users.viewer(db, user)
            metadata.setMetadata(db, self._places, self._limits, viewer, name, values)

        await self._change(change)

    async def expiry(self, user: str, name: str) -> Expiry:
        with self._database.reading() as db:
            return expiry.expiry(db, self._places, self._users.viewer(db, user), name)

    async def setExpiry(self, user: str, name: str, rule: Expiry) -> None:
        def change(db: Connection) -> None:
            viewer = self._users.viewer(db, user)
            expiry.setExpiry(db, self._places, viewer, name, rule, int(self._clock()))

        await self._change(change)

    async def expiries(self, user: str) -> AsyncGenerator[tuple[tuple[str, Expiry], ...], None]:
        after, rows = 0, self._limits.batch_rows
        while True:
            with self._database.reading() as db:
                rules, after = expiry.listed(db, self._places, self._users.viewer(db, user), after, rows)
            if rules:
                yield rules
            if not after:
                return

    async def addresses(self, user: str) -> AsyncGenerator[tuple[tuple[str, str], ...], None]:
        after, rows = "", self._limits.batch_rows
        while True:
            with self._database.reading() as db:
                pairs, after = addresses.listed(db, self._places, self._users.viewer(db, user), after, rows)
            if pairs:
                yield pairs
            if not after:
                return

    async def addAddress(self, user: str, name: str, address: str) -> None:
        def change(db: Connection) -> None:
            viewer = self._users.viewer(db, user)
            addresses.add(db, self._places, self._limits, viewer, name, address)

        await self._change(change)

    async def removeAddress(self, user: str, address: str) -> None:
        def change(db: Connection) -> None:
            addresses.remove(db, self._places, self._users.viewer(db, user), address)

        await self._change(change)
