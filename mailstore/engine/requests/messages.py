"""
Messages that are there: looking at them, and changing what they have or where they are.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from mailstore.engine import flags as flagging
from mailstore.engine import moving, opening
from mailstore.engine.connection import Connection
from mailstore.engine.copying import Copying
from mailstore.engine.fetching import Fetch, OriginalReader, SectionReader
from mailstore.engine.messages import present
from mailstore.engine.places import FolderRow
from mailstore.engine.requests.base import Requests
from mailstore.errors import InvalidRequest, OverQuota, StoreUnavailable
from mailstore.model import (
    MAX_WATCHERS,
    SYSTEM,
    CopyResult,
    FetchBatch,
    FetchSpec,
    FlagMode,
    FlagsStored,
    FolderDelta,
    News,
    OpenFolder,
    Section,
    UidSet,
    Watcher,
)


def _rows(opened: OpenFolder | None) -> int:
    """
    How many rows it is as large as.
    """
    return 0 if opened is None else 2 + (len(opened.uids.ranges) + len(opened.keywords)) // 4


class MessageRequests(Requests):
    """
    Messages that are there: looking at them, and changing what they have or where they are.
    """

    async def openFolder(self, user: str, name: str, claim_recent: bool) -> OpenFolder:
        def look(db: Connection) -> OpenFolder | None:
            viewer = self._users.viewer(db, user)
            row = self._places.mailbox(db, viewer, name, "r")
            if claim_recent and row.recent:
                return None
            return self._opened(db, row, user, name, 0 if claim_recent else None)

        with self._database.reading() as db:
            opened = db.remember(("openFolder", user, name, claim_recent), lambda: look(db), _rows)
        if opened is not None:
            return opened

        def change(db: Connection) -> OpenFolder:
            viewer = self._users.viewer(db, user)
            row, claimed = opening.claimRecent(db, self._places.mailbox(db, viewer, name, "r"))
            # Read at the moment of the claim: what comes after it is recent to somebody else.
            return self._opened(db, row, user, name, claimed)

        try:
            return await self._change(change)
        except (OverQuota, StoreUnavailable):
            # Nothing can be written.  It can be read all the same, and stays recent for the next.
            with self._database.reading() as db:
                row = self._places.mailbox(db, self._users.viewer(db, user), name, "r")
                return self._opened(db, row, user, name, None)

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

        def look(always: bool) -> opening.Difference | None:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if not always and claim_recent and row.recent:
                    return None
                return opening.difference(db, self._views, self._limits, row, viewer, since, 0)

        difference = look(False)
        if difference is None:
            try:
                difference = await self._change(claim)
            except (OverQuota, StoreUnavailable):
                difference = look(True)
        assert difference is not None
        for batch in difference.batches(self._limits):
            self._writer.requireOpen()
            yield batch

    async def news(self, folder: int, watchers: tuple[Watcher, ...]) -> tuple[News, ...]:
        if len(watchers) > MAX_WATCHERS:
            raise InvalidRequest("too many are asked for at once")

        def told(db: Connection, claim: bool) -> tuple[News, ...]:
            return opening.news(
                db, self._places, self._users, self._views, self._limits, folder, watchers, claim
            )

        with self._database.reading() as db:
            news = told(db, False)
        if sum(len(each.watchers) for each in news) < len(watchers) and self._recent(folder):
            # Somebody may take what is recent; as openFolder, claimed and read at one moment.
            news = await self._change(lambda db: told(db, True))
        return news

    def _recent(self, folder: int) -> bool:
        with self._database.reading() as db:
            row = db.execute("SELECT recent FROM folders WHERE id = ?", (folder,)).fetchone()
        return row is not None and bool(row[0])

    async def fetch(
        self, user: str, folder: int, uids: UidSet, spec: FetchSpec
    ) -> AsyncGenerator[FetchBatch, None]:
        fetch: Fetch | None = None
        while True:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if fetch is None:
                    fetch = Fetch(
                        self._views, self._limits, self._renderer.kinds, self._landmarks, uids, spec
                    )
                batch = fetch.batch(db, row, viewer)
            if batch is None:
                return
            yield batch

    def readSection(self, user: str, folder: int, uid: int, section: Section) -> AsyncGenerator[bytes, None]:
        def start(db: Connection) -> SectionReader:
            row = self._places.byId(db, self._users.viewer(db, user), folder, "r")
            return SectionReader(db, row, uid, section, self._landmarks)

        return self._pieces(start)

    def readOriginal(self, folder: int, uid: int) -> AsyncGenerator[bytes, None]:
        def start(db: Connection) -> OriginalReader:
            row = self._places.byId(db, self._users.viewer(db, SYSTEM), folder, "r")
            return OriginalReader(db, row, uid)

        return self._pieces(start)

    async def _pieces(
        self, start: Callable[[Connection], SectionReader | OriginalReader]
    ) -> AsyncGenerator[bytes, None]:
        """
        Read a content in pieces; it stays as long as that takes, whoever removes the message.
        """
        size = self._limits.batch_bytes
        with self._database.reading() as db:
            reader = start(db)
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
        results: list[FlagsStored] = []
        wanted = UidSet()
        after = 0

        def change(db: Connection) -> flagging.Stored:
            nonlocal wanted
            viewer = self._users.viewer(db, user)
            row = self._places.byId(db, viewer, folder, "", any_of="stw")
            rights = self._places.rights(db, viewer, row)
            wanted = wanted or present(row, uids)
            most = self._limits.slice_rows
            return flagging.storeFlags(
                db, row, viewer, rights, wanted, mode, flags, unchanged_since, after, most
            )

        shared = own = False
        try:
            while not results or after:
                stored = await self._change(change)
                results.append(stored.result)
                after, shared, own = stored.after, shared or stored.shared, own or stored.own
                await self._writer.giveWay()
        finally:
            if shared or own:
                self._changed(folder, "" if shared else user)
        return flagging.joined(results)

    async def copy(self, user: str, folder: int, uids: UidSet, target: str) -> CopyResult:
        def change(db: Connection) -> tuple[CopyResult | None, int]:
            viewer = self._users.viewer(db, user)
            source = self._places.byId(db, viewer, folder, "r")
            there = self._places.mailbox(db, viewer, target, "i")
            rights = self._places.rights(db, viewer, there)
            now, most = int(self._clock()), self._limits.slice_rows
            result = moving.copy(db, source, viewer, uids, there, rights, now, most)
            if result is None:
                copying.begin(db, source, viewer, there)
            return result, there.id

        copying = Copying(uids, int(self._clock()), self._limits.slice_rows)
        self._copying.add(copying.token)
        try:
            result, target_id = await self._change(change)
            if result is None:
                result = await self._copyInSlices(user, folder, copying)
        finally:
            # What it has left behind, if it has, is removed by whoever finds it.
            self._copying.remove(copying.token)
        if result.sources:
            self._changed(target_id)
        return result

    async def _copyInSlices(self, user: str, folder: int, copying: Copying) -> CopyResult:
        """
        Copy messages that are too many for one transaction, all or none for everybody who looks.
        """

        def more(db: Connection) -> bool:
            viewer = self._users.viewer(db, user)
            source = self._places.byId(db, viewer, folder, "r")
            there = self._places.byId(db, viewer, copying.target, "i")
            return copying.more(db, source, viewer, there, self._places.rights(db, viewer, there))

        def end(db: Connection) -> CopyResult:
            viewer = self._users.viewer(db, user)
            return copying.end(db, viewer, self._places.byId(db, viewer, copying.target, "i"))

        while await self._change(more):
            await self._writer.giveWay()
        return await self._change(end)

    async def move(self, user: str, folder: int, uids: UidSet, target: str) -> CopyResult:
        results: list[CopyResult] = []
        wanted = UidSet()
        target_id = after = 0

        def change(db: Connection) -> tuple[moving.Transferred, int]:
            nonlocal wanted
            viewer = self._users.viewer(db, user)
            source = self._places.byId(db, viewer, folder, "rte")
            if target_id:
                there = self._places.byId(db, viewer, target_id, "i")
            else:
                there = self._places.mailbox(db, viewer, target, "i")
            rights = self._places.rights(db, viewer, there)
            wanted = wanted or present(source, uids)
            now, most, tombstones = int(self._clock()), self._limits.slice_rows, self._limits.max_tombstones
            moved = moving.move(db, source, viewer, wanted, after, most, there, rights, tombstones, now)
            return moved, there.id

        try:
            while not results or after:
                moved, target_id = await self._change(change)
                results.append(moved.result)
                after = moved.after
                await self._writer.giveWay()
        finally:
            if any(each.sources for each in results):
                self._changed(target_id)
                if target_id != folder:
                    self._changed(folder)
        return moving.joined(results)

    async def expunge(self, user: str, folder: int, uids: UidSet | None) -> UidSet:
        removed: list[UidSet] = []
        wanted = UidSet()
        after = 0

        def change(db: Connection) -> tuple[UidSet, int]:
            nonlocal wanted
            row = self._places.byId(db, self._users.viewer(db, user), folder, "e")
            tombstones, most = self._limits.max_tombstones, self._limits.slice_rows
            wanted = wanted or present(row, moving.EVERYTHING if uids is None else uids)
            found, behind = moving.expunge(db, row, wanted, tombstones, after, most)
            if found:
                self._writer.sweepLater()
            return found, behind

        try:
            while not removed or after:
                gone, after = await self._change(change)
                removed.append(gone)
                await self._writer.giveWay()
        finally:
            if any(removed):
                self._changed(folder)
        return UidSet.ofRanges(pair for each in removed for pair in each.ranges)
