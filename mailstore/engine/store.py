"""
The engine as a store: each request, with its rights, in front of the modules
that do the work.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TypeVar

from zope.interface import implementer

from mailstore.engine import (
    addresses,
    delivery,
    expiry,
    folders,
    groups,
    metadata,
    moving,
    opening,
    quotas,
    receiving,
    removal,
    rendering,
    subscribing,
    users,
)
from mailstore.engine import flags as flagging
from mailstore.engine.acl import Acls
from mailstore.engine.commit import ICommitter, ImmediateCommitter
from mailstore.engine.content import Pins
from mailstore.engine.database import Database
from mailstore.engine.errors import translated
from mailstore.engine.fetching import Fetch, OriginalReader, SectionReader
from mailstore.engine.hierarchy import Hierarchy
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import FolderRow, Places
from mailstore.engine.search import Search
from mailstore.engine.seen import Views
from mailstore.engine.snapshot import Snapshots
from mailstore.engine.sorting import Gatherer, Sorting
from mailstore.engine.statistics import statistics
from mailstore.engine.textindex import TextIndex
from mailstore.engine.threads import threading
from mailstore.engine.uploads import Uploads
from mailstore.errors import InvalidRequest, StoreError, StoreUnavailable
from mailstore.interfaces import ILocalStore, IStoreObserver, IUpload
from mailstore.model import (
    SYSTEM,
    AppendResult,
    CopyResult,
    Credentials,
    Delivered,
    Expiry,
    FetchBatch,
    FetchSpec,
    FlagMode,
    FlagsStored,
    FolderColumns,
    FolderDelta,
    FolderStatus,
    Metadata,
    NewMessage,
    OpenFolder,
    Quota,
    Recipient,
    RightsMode,
    SearchTerm,
    Section,
    SortKey,
    Statistics,
    StatusColumns,
    ThreadAlgorithm,
    ThreadColumns,
    TreeVersion,
    UidSet,
    uint64s,
)

_T = TypeVar("_T")


@implementer(ILocalStore)
class Store:
    """
    A mail store in an SQLite database.

    It belongs to one thread.  Its methods do their work when they are awaited, and
    wait only for the committer.
    """

    def __init__(
        self,
        database: Database,
        renditions: Mapping[str, rendering.Rendition],
        renditions_version: int,
        limits: EngineLimits | None = None,
        committer: ICommitter | None = None,
        clock: Callable[[], float] = time.time,
        subscribe_new: bool = False,
    ) -> None:
        """
        @param renditions: what is made of each message at delivery, by name.
        @param renditions_version: changes when one of them changes; then all
            are made again here, before this returns.
        @param committer: when changes become durable; by default each on its
            own.  A database in memory has only one connection, which cannot be
            committed elsewhere: for it this is not used.
        @param subscribe_new: who may look up a public folder made from now on
            subscribes to it, until he says otherwise.
        @raise StoreError: the database cannot be used.
        """
        self._database = database
        self._limits = limits or EngineLimits()
        self._clock = clock
        self._observers: list[IStoreObserver] = []
        self._closed = False
        self._sweep_due = False
        #: Much was removed in the write transaction that is open.
        self._swept_much = False
        #: Changes that wait for it to end.
        self._put_off = 0
        self._expired_to = 0
        self._users = users.Users()
        self._acls = Acls(self._limits.max_acl_entries)
        self._places = Places(self._users, self._acls)
        self._hierarchy = Hierarchy(self._places, self._limits)
        self._folders = folders.Folders(self._places, self._limits, clock, subscribe_new)
        self._views = Views(Snapshots(self._limits.snapshot_cache), self._limits.snapshot_cache)
        self._index = TextIndex()
        self._pins = Pins(self._index)
        self._uploads = Uploads(self._limits)
        self._renderer = rendering.Renderer(renditions, renditions_version, self._limits)
        database.transaction(self._index.prepare)
        rendering.bringUpToDate(database, self._renderer, self._index)
        self._sweepAll()
        with database.reading() as db:
            (self._identity,) = db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        self._committer: ICommitter = ImmediateCommitter()
        if committer is not None and not database.in_memory:
            self._committer = committer
            database.refuseWhenBusy()
        self._committer.attach(self._begin, database.commit, self._rollback)

    # --- what the store is made of ---

    def observe(self, observer: IStoreObserver) -> None:
        if observer not in self._observers:
            self._observers.append(observer)

    def unobserve(self, observer: IStoreObserver) -> None:
        if observer in self._observers:
            self._observers.remove(observer)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._observers.clear()
        self._uploads.close()
        try:
            # What has been done before is made durable.
            await self._committer.turn()
            await self._committer.committed()
        except StoreError:
            # Whoever did it was told.
            pass
        self._database.close()

    def poll(self) -> bool:
        """
        Look whether another process has changed the database; if so forget
        what was read, and tell the observers.

        @return: it has.
        @raise StoreError: that cannot be found out.
        """
        if self._closed or not self._database.changedOutside():
            return False
        self._forget()
        for observer in tuple(self._observers):
            observer.everythingChanged()
        return True

    async def indexMore(self) -> bool:
        """
        Do a little of the indexing that deliveries have left undone.  To be called again and again by
        whoever runs the store.

        @return: there is more.
        @raise StoreError: it cannot be done.
        """
        with self._database.reading() as db:
            if not self._index.isBehind(db):
                return False
        await self._change(self._index.step)
        with self._database.reading() as db:
            return self._index.isBehind(db)

    async def expireMore(self) -> bool:
        """
        Remove a few of the messages that have stayed long enough where there is a rule for
        that.  To be called now and then by whoever runs the store, and again while there is more.

        @return: there is more to look at.
        @raise StoreError: it cannot be done.
        """
        now = int(self._clock())
        with self._database.reading() as db:
            due, reached = expiry.due(db, self._expired_to, self._limits.batch_rows, now)
        if due:
            changed, done = await self._change(lambda db: self._expire(db, due, now))
            for folder in changed:
                self._changed(folder)
            if not done:
                return True
        self._expired_to = reached
        return bool(reached)

    def _expire(self, db: sqlite3.Connection, due: list[int], now: int) -> tuple[list[int], bool]:
        changed, done = expiry.work(db, self._limits, due, now)
        self._sweep_due = self._sweep_due or bool(changed)
        return changed, done

    def _forget(self) -> None:
        self._views.forget()
        self._hierarchy.forget()
        self._acls.forget()
        self._users.forget()

    def _begin(self) -> None:
        self._database.begin()
        self._swept_much = False

    def _rollback(self) -> None:
        self._database.rollback()
        # What was removed may be there again.
        self._sweep_due = True
        self._forget()

    def _sweepAll(self) -> None:
        while self._database.transaction(self._pins.sweep):
            pass

    def _requireOpen(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    async def _change(self, change: Callable[[sqlite3.Connection], _T]) -> _T:
        """
        Make a change and wait until it is durable.
        """
        self._requireOpen()
        await self._committer.turn()
        if self._sweep_due or self._swept_much:
            await self._turnAfterSweeping()
        try:
            self._requireOpen()
            result = self._database.mutate(change)
        except BaseException:
            # Numbers of rows that were not kept will be those of others.
            self._acls.forget()
            self._users.forget()
            await self._settle()
            raise
        await self._committer.committed()
        return result

    async def _turnAfterSweeping(self) -> None:
        """
        Remove what has been waiting for that, if nobody has just removed much.  If much was removed in this
        transaction, let it end: who used the same pages again in it would keep in memory what was in
        them.  Meanwhile nobody else removes anything, so this is to be waited for once.
        """
        try:
            self._requireOpen()
            if self._sweep_due and not self._swept_much and not self._put_off:
                self._sweep()
        except BaseException:
            await self._settle()
            raise
        if self._swept_much:
            self._put_off += 1
            try:
                await self._committer.committed()
                await self._committer.turn()
            finally:
                self._put_off -= 1

    def _sweep(self) -> None:
        if self._database.mutate(self._pins.isMuch):
            self._swept_much = True
            self._sweep_due = self._database.alter(self._pins.sweep)
        else:
            self._sweep_due = self._database.mutate(self._pins.sweep)

    async def _settle(self) -> None:
        """
        End a turn in which nothing was changed.
        """
        try:
            await self._committer.committed()
        except StoreError:
            # It was not this request's change that got lost, and this one fails anyway.
            pass

    def _changed(self, folder: int, user: str = "") -> None:
        for observer in tuple(self._observers):
            observer.folderChanged(folder, user)

    # --- users ---

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

    # --- groups ---

    async def createGroup(self, group: str) -> None:
        await self._change(lambda db: groups.create(db, group, self._limits.max_groups))

    async def removeGroup(self, group: str) -> int:
        return await self._change(lambda db: self._folders.dropIdentifier(db, groups.remove(db, group)))

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
        return await self._change(lambda db: groups.setMember(db, group, user, True))

    async def removeMember(self, group: str, user: str) -> bool:
        return await self._change(lambda db: groups.setMember(db, group, user, False))

    # --- looking after it ---

    async def setCredentials(self, user: str, credentials: Credentials) -> None:
        await self._change(lambda db: users.setCredentials(db, user, credentials))

    async def removeUser(self, user: str, keep_as: str = "", delete: bool = False) -> int:
        def change(db: sqlite3.Connection) -> removal.Removed:
            removed = removal.removeUser(
                db, self._folders, self._acls, self._users.viewer(db, user), keep_as, delete
            )
            self._sweep_due = True
            return removed

        removed = await self._change(change)
        # Names and ids never change otherwise.
        self._forget()
        for folder in removed.folders:
            self._changed(folder)
        return removed.messages

    async def statistics(self) -> Statistics:
        with self._database.reading() as db:
            return statistics(db)

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
            self._sweep_due = True

    # --- hierarchy ---

    async def trees(self, user: str) -> tuple[TreeVersion, ...]:
        with self._database.reading() as db:
            return self._hierarchy.trees(db, self._users.viewer(db, user))

    async def folders(self, user: str, tree: TreeVersion) -> AsyncGenerator[FolderColumns, None]:
        with self._database.reading() as db:
            batches = self._hierarchy.enumeration(db, self._users.viewer(db, user), tree)
        for batch in batches:
            self._requireOpen()
            yield batch

    async def createFolder(self, user: str, name: str, special_use: str = "") -> int:
        def change(db: sqlite3.Connection) -> int:
            return self._folders.create(db, self._users.viewer(db, user), name, special_use)

        return await self._change(change)

    async def deleteFolder(self, user: str, name: str) -> None:
        def change(db: sqlite3.Connection) -> int:
            folder = self._folders.delete(db, self._users.viewer(db, user), name)
            self._sweep_due = True
            return folder

        self._changed(await self._change(change))

    async def renameFolder(self, user: str, name: str, new_name: str) -> None:
        def change(db: sqlite3.Connection) -> tuple[int, ...]:
            return self._folders.rename(db, self._users.viewer(db, user), name, new_name).folders

        for folder in await self._change(change):
            self._changed(folder)

    async def status(self, user: str, name: str) -> FolderStatus:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            return opening.status(db, self._places.mailbox(db, viewer, name, "r"), viewer, self._identity)

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

    async def unsubscribe(self, user: str, name: str) -> None:
        await self._change(
            lambda db: subscribing.unsubscribe(db, self._users.viewer(db, user), name, self._limits)
        )

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
        def change(db: sqlite3.Connection) -> int:
            viewer = self._users.viewer(db, user)
            return self._folders.setRights(db, viewer, name, identifier, letters, mode)

        return await self._change(change)

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
        def change(db: sqlite3.Connection) -> Quota:
            return quotas.setQuota(db, self._places, self._users.viewer(db, user), root, limits)

        return await self._change(change)

    async def metadata(
        self, user: str, name: str, entries: tuple[str, ...], depth: int | None, max_size: int | None
    ) -> Metadata:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            return metadata.metadata(db, self._places, viewer, name, entries, depth, max_size)

    async def setMetadata(self, user: str, name: str, values: dict[str, bytes | None]) -> None:
        def change(db: sqlite3.Connection) -> None:
            viewer = self._users.viewer(db, user)
            metadata.setMetadata(db, self._places, self._limits, viewer, name, values)

        await self._change(change)

    # --- expiry ---

    async def expiry(self, user: str, name: str) -> Expiry:
        with self._database.reading() as db:
            return expiry.expiry(db, self._places, self._users.viewer(db, user), name)

    async def setExpiry(self, user: str, name: str, rule: Expiry) -> None:
        def change(db: sqlite3.Connection) -> None:
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

    # --- delivery ---

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
        def change(db: sqlite3.Connection) -> None:
            viewer = self._users.viewer(db, user)
            addresses.add(db, self._places, self._limits, viewer, name, address)

        await self._change(change)

    async def removeAddress(self, user: str, address: str) -> None:
        def change(db: sqlite3.Connection) -> None:
            addresses.remove(db, self._places, self._users.viewer(db, user), address)

        await self._change(change)

    async def offer(self, recipient: Recipient, size: int) -> None:
        with self._database.reading() as db:
            receiving.offer(db, self._places, self._limits.max_message, recipient, size)

    async def receive(self, size: int) -> IUpload:
        self._requireOpen()
        return self._uploads.begin(receiving.COURIER, min(size, self._limits.max_message))

    async def deliver(self, recipients: tuple[Recipient, ...], content: bytes | int) -> tuple[Delivered, ...]:
        receipt = receiving.Receipt(self._renderer, self._limits, self._clock)

        def change(db: sqlite3.Connection) -> tuple[tuple[Delivered, ...], list[int]]:
            return receipt.deliver(db, self._places, recipients)

        try:
            with translated:
                receipt.take(self._uploads, recipients, content)
            with self._database.reading() as db:
                receipt.look(db)
            with translated:
                receipt.prepare()
            outcomes, changed = await self._change(change)
        finally:
            receipt.close()
        for folder in changed:
            self._changed(folder)
        return outcomes

    # --- messages ---

    async def openFolder(self, user: str, name: str, claim_recent: bool) -> OpenFolder:
        with self._database.reading() as db:
            viewer = self._users.viewer(db, user)
            row = self._places.mailbox(db, viewer, name, "r")
            if not (claim_recent and row.recent):
                return self._opened(db, row, user, name, 0 if claim_recent else None)

        def change(db: sqlite3.Connection) -> OpenFolder:
            viewer = self._users.viewer(db, user)
            row, claimed = opening.claimRecent(db, self._places.mailbox(db, viewer, name, "r"))
            # Read at the moment of the claim: what comes after it is recent to somebody else.
            return self._opened(db, row, user, name, claimed)

        return await self._change(change)

    def _opened(
        self, db: sqlite3.Connection, row: FolderRow, user: str, name: str, claimed: int | None
    ) -> OpenFolder:
        viewer = self._users.viewer(db, user)
        shown = self._places.place(db, viewer, name).shown
        rights = self._places.rights(db, viewer, row)
        return opening.opened(db, self._views, row, viewer, shown, rights, claimed, self._identity)

    async def changes(
        self, user: str, folder: int, since: int, claim_recent: bool
    ) -> AsyncGenerator[FolderDelta, None]:
        def claim(db: sqlite3.Connection) -> opening.Difference:
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
            self._requireOpen()
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
            self._sweep_due = True

    async def largestMessage(self) -> int:
        self._requireOpen()
        return self._limits.max_message

    async def upload(self, user: str, name: str, size: int | None) -> IUpload:
        with self._database.reading() as db:
            quotas.foresee(db, self._places.mailbox(db, self._users.viewer(db, user), name, "i"), size or 0)
        return self._uploads.begin(user, size)

    async def append(
        self, user: str, name: str, messages: tuple[NewMessage, ...], replaces: tuple[int, int] | None = None
    ) -> AppendResult:
        arriving = delivery.Delivery(self._renderer, self._limits, self._clock)
        folder = 0

        def change(db: sqlite3.Connection) -> AppendResult:
            nonlocal folder
            viewer = self._users.viewer(db, user)
            row = self._places.mailbox(db, viewer, name, "i")
            folder = row.id
            if replaces is not None:
                # As STORE of the flag and UID EXPUNGE would (RFC 8508 section 4.1).
                old = self._places.byId(db, viewer, replaces[0], "te")
                if not moving.remove(db, old, replaces[1], self._limits.max_tombstones):
                    return AppendResult(row.uid_validity, ())
                self._sweep_due = True
                row = self._places.mailbox(db, viewer, name, "i")
            return arriving.store(db, row, viewer, self._places.rights(db, viewer, row))

        try:
            with translated:
                arriving.gather(self._uploads, user, messages)
            with self._database.reading() as db:
                self._places.mailbox(db, self._users.viewer(db, user), name, "i")
                arriving.look(db)
            with translated:
                arriving.prepare()
            result = await self._change(change)
        finally:
            arriving.close()
        if result.uids:
            self._changed(folder)
            if replaces is not None and replaces[0] != folder:
                self._changed(replaces[0])
        return result

    async def storeFlags(
        self,
        user: str,
        folder: int,
        uids: UidSet,
        mode: FlagMode,
        flags: tuple[str, ...],
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        def change(db: sqlite3.Connection) -> tuple[FlagsStored, bool, bool]:
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

        def change(db: sqlite3.Connection) -> CopyResult:
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
        def change(db: sqlite3.Connection) -> UidSet:
            row = self._places.byId(db, self._users.viewer(db, user), folder, "e")
            removed = moving.expunge(db, row, uids, self._limits.max_tombstones)
            self._sweep_due = self._sweep_due or bool(removed)
            return removed

        removed = await self._change(change)
        if removed:
            self._changed(folder)
        return removed

    async def search(self, user: str, folder: int, term: SearchTerm) -> AsyncGenerator[bytes, None]:
        search: Search | None = None
        while True:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if search is None:
                    search = Search(self._views, self._limits, self._index, term)
                batch = search.batch(db, row, viewer)
            if batch is None:
                return
            yield batch

    async def sort(
        self, user: str, folder: int, term: SearchTerm, keys: tuple[SortKey, ...]
    ) -> AsyncGenerator[bytes, None]:
        sorting = Sorting(self._limits, keys)
        async for batch in self._gathered(user, folder, term, sorting):
            yield batch
        for batch in sorting.batches():
            self._requireOpen()
            yield batch

    async def threads(
        self, user: str, folder: int, term: SearchTerm, algorithm: ThreadAlgorithm
    ) -> AsyncGenerator[ThreadColumns, None]:
        threads = threading(self._limits, algorithm)
        async for _ in self._gathered(user, folder, term, threads):
            yield ThreadColumns(b"", b"")
        for batch in threads.batches():
            self._requireOpen()
            yield batch

    async def _gathered(
        self, user: str, folder: int, term: SearchTerm, gatherer: Gatherer
    ) -> AsyncGenerator[bytes, None]:
        """
        Hand what a search finds to a gatherer; gives an empty batch for each slice.
        """
        search: Search | None = None
        while True:
            with self._database.reading() as db:
                viewer = self._users.viewer(db, user)
                row = self._places.byId(db, viewer, folder, "r")
                if search is None:
                    search = Search(self._views, self._limits, self._index, term)
                found = search.batch(db, row, viewer)
                if found is not None:
                    gatherer.add(db, row, found)
            if found is None:
                return
            yield b""
