"""
Messages that are there: looking at them, and changing what they have or where they are.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mailstore.engine import flags as flagging
from mailstore.engine import moving, opening
from mailstore.engine.connection import Connection
from mailstore.engine.fetching import Fetch, OriginalReader, SectionReader
from mailstore.engine.places import FolderRow
from mailstore.engine.requests.base import Requests
from mailstore.model import (
    SYSTEM,
    CopyResult,
    FetchBatch,
    FetchSpec,
    FlagMode,
    FlagsStored,
    FolderDelta,
    OpenFolder,
    Section,
    UidSet,
)


class MessageRequests(Requests):
    """
    Messages that are there: looking at them, and changing what they have or where they are.
    """

    async def openFolder(self, user: str, name: str, claim_recent: bool) -> OpenFolder:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            row = self._places.mailbox(db, viewer, name, "r")
            if not (claim_recent and row.recent):
                return self._opened(db, row, user, name, 0 if claim_recent else None)

        def change(db: Connection) -> OpenFolder:
            viewer = self._users.viewer(db, user)
            row, claimed = opening.claimRecent(db, self._places.mailbox(db, viewer, name, "r"))
            # Read at the moment of the claim: what comes after it is recent to somebody else.
            return self._opened(db, row, user, name, claimed)

        return await self._change(change)

    def _opened(
        self, db: Connection, row: FolderRow, user: str, name: str, claimed: int | None
    ) -> OpenFolder:
        viewer = self._users.viewer(db, user)
        shown = self._places.place(db, viewer, name).shown
        rights = self._places.rights(db, viewer, row)
        return opening.opened(db, self._views, row, viewer, shown, rights, claimed, self._identity)

    async def changes(
        self, user: str, folder: int, since: int, claim_recent: bool
    ) -> AsyncGenerator[FolderDelta, None]:
        def claim(db: Connection) -> opening.Difference:
            viewer = self._users.viewer(db, user)
            # As openFolder: claimed and read at one moment.
            row, claimed = opening.claimRecent(db, self._places.byId(db, viewer, folder, "r"))
            return opening.difference(db, self._views, self._limits, row, viewer, since, claimed)

        difference: opening.Difference | None = None
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            row = self._places.byId(db, viewer, folder, "r")
            if not (claim_recent and row.recent):
                difference = opening.difference(db, self._views, self._limits, row, viewer, since, 0)
        if difference is None:
            difference = await self._change(claim)
        for batch in difference.batches(self._limits):
            self._writer.requireOpen()
            yield batch

    async def fetch(
        self, user: str, folder: int, uids: UidSet, spec: FetchSpec
    ) -> AsyncGenerator[FetchBatch, None]:
        fetch: Fetch | None = None
        while True:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if fetch is None:
                    fetch = Fetch(self._views, self._limits, self._renderer.kinds, uids, spec)
                batch = fetch.batch(db, row, viewer)
            if batch is None:
                return
            yield batch

    async def readSection(
        self, user: str, folder: int, uid: int, section: Section
    ) -> AsyncGenerator[bytes, None]:
        size = self._limits.batch_bytes
        with self._database.reading() as db:
            row = self._places.byId(db, self._users.viewer(db, user), folder, "r")
            reader = SectionReader(db, row, uid, section)
            piece = reader.read(db, size)
            self._pins.pin(reader.content)
        try:
            while piece:
                yield piece
                with self._database.reading() as db:
                    piece = reader.read(db, size)
        finally:
            self._pins.unpin(reader.content)
            # It may have been waiting for this.
            self._writer.sweepLater()

    async def readOriginal(self, folder: int, uid: int) -> AsyncGenerator[bytes, None]:
        size = self._limits.batch_bytes
        with self._database.reading() as db:
            self._places.byId(db, self._users.viewer(db, SYSTEM), folder, "r")
            reader = OriginalReader(db, folder, uid)
            piece = reader.read(db, size)
            self._pins.pin(reader.content)
        try:
            while piece:
                yield piece
                with self._database.reading() as db:
                    piece = reader.read(db, size)
        finally:
            self._pins.unpin(reader.content)
            # It may have been waiting for this.
            self._writer.sweepLater()

    async def storeFlags(
        self,
        user: str,
        folder: int,
        uids: UidSet,
        mode: FlagMode,
        flags: tuple[str, ...],
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        def change(db: Connection) -> tuple[FlagsStored, bool, bool]:
            viewer = self._users.viewer(db, user)
            row = self._places.byId(db, viewer, folder, "", any_of="stw")
            rights = self._places.rights(db, viewer, row)
            return flagging.storeFlags(db, row, viewer, rights, uids, mode, flags, unchanged_since)

        result, shared, own = await self._change(change)
        if shared or own:
            self._changed(folder, "" if shared else user)
        return result

    async def copy(self, user: str, folder: int, uids: UidSet, target: str) -> CopyResult:
        return await self._transfer(user, folder, uids, target, "r", None)

    async def move(self, user: str, folder: int, uids: UidSet, target: str) -> CopyResult:
        return await self._transfer(user, folder, uids, target, "rte", self._limits.max_tombstones)

    async def _transfer(
        self, user: str, folder: int, uids: UidSet, target: str, needed: str, move_with: int | None
    ) -> CopyResult:
        target_id = 0

        def change(db: Connection) -> CopyResult:
            nonlocal target_id
            viewer = self._users.viewer(db, user)
            source = self._places.byId(db, viewer, folder, needed)
            there = self._places.mailbox(db, viewer, target, "i")
            target_id = there.id
            rights = self._places.rights(db, viewer, there)
            return moving.copy(db, source, viewer, uids, there, rights, move_with, int(self._clock()))

        result = await self._change(change)
        if result.sources:
            self._changed(target_id)
            if move_with is not None and target_id != folder:
                self._changed(folder)
        return result

    async def expunge(self, user: str, folder: int, uids: UidSet | None) -> UidSet:
        def change(db: Connection) -> UidSet:
            row = self._places.byId(db, self._users.viewer(db, user), folder, "e")
            removed = moving.expunge(db, row, uids, self._limits.max_tombstones)
            if removed:
                self._writer.sweepLater()
            return removed

        removed = await self._change(change)
        if removed:
            self._changed(folder)
        return removed
