"""
What all requests share: the parts of the engine, and how something is changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from mailstore.engine import copies, folders, keywords, rendering, users
from mailstore.engine.acl import Acls
from mailstore.engine.commit import ICommitter
from mailstore.engine.connection import Connection
from mailstore.engine.content import Pins
from mailstore.engine.database import Database
from mailstore.engine.flags import KeywordsFull
from mailstore.engine.hierarchy import Hierarchy
from mailstore.engine.landmarks import Landmarks
from mailstore.engine.limits import EngineLimits
from mailstore.engine.places import Places
from mailstore.engine.search import Memory
from mailstore.engine.seen import Views
from mailstore.engine.snapshot import Snapshots
from mailstore.engine.sorting import Room
from mailstore.engine.textindex import TextIndex
from mailstore.engine.uploads import Uploads
from mailstore.engine.workshop import Workshop
from mailstore.engine.writing import Writer
from mailstore.errors import LimitReached, StoreUnavailable
from mailstore.interfaces import IStoreObserver
from mailstore.lru import Cache
from mailstore.model import HIERARCHY, SYSTEM

_T = TypeVar("_T")

#: Folders of which is kept that all their keywords are in use.
_MOST_FULL = 1000


class Requests:
    """
    The parts of an engine, for those who answer requests with them.
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
        helpers: int = 0,
    ) -> None:
        """
        @param renditions: what is made of each message at delivery, by name.
        @param renditions_version: changes when one of them changes; then all
            are made again here, before this returns.
        @param committer: when changes become durable; by default each on its
            own.  A database in memory has only one connection, which cannot be
            committed elsewhere: there it only lets others have their turns.
        @param subscribe_new: who may look up a public folder made from now on
            subscribes to it, until he says otherwise.
        @param helpers: processes that may be started to render messages that are
            L{expected<mailstore.interfaces.IMaintenance.expect>}.
        @raise StoreError: the database cannot be used.
        """
        self._database = database
        self._limits = limits or EngineLimits()
        self._clock = clock
        self._observers: list[IStoreObserver] = []
        self._expired_to = 0
        #: Folders of which all keywords are in use, and since when.
        self._keywords_used: Cache[int, int] = Cache(_MOST_FULL)
        #: Those who are copying very many messages.
        self._copying: set[str] = set()
        self._users = users.Users()
        self._acls = Acls(self._limits.max_acl_entries)
        self._places = Places(self._users, self._acls)
        self._hierarchy = Hierarchy(self._places, self._limits)
        self._folders = folders.Folders(self._places, self._limits, clock, subscribe_new)
        self._views = Views(Snapshots(self._limits.snapshot_cache), self._limits.snapshot_cache)
        self._room = Room(self._limits.max_gathered)
        self._landmarks = Landmarks(self._limits.landmark_cache)
        self._index = TextIndex()
        self._memory = Memory.of(self._limits)
        self._pins = Pins(self._index)
        self._uploads = Uploads(self._limits)
        self._renderer = rendering.Renderer(renditions, renditions_version, self._limits)
        if database.read_only:
            self._recall()
        else:
            database.transaction(self._index.prepare)
            rendering.bringUpToDate(database, self._renderer, self._index)
        self._workshop = Workshop(self._renderer, helpers)
        with database.reading() as db:
            (self._identity,) = db.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        self._writer = Writer(database, self._pins, committer, self._forgetNumbers, self._forget)
        if not database.read_only:
            self._writer.sweepFirst()

    def _recall(self) -> None:
        """
        Take what was made of messages as it is.

        @raise StoreUnavailable: it must be made again.
        """
        with self._database.reading() as db:
            self._index.recall(db)
            if not self._renderer.recall(db):
                raise StoreUnavailable(
                    "it is on a read-only file system, and was used last by another version of this program:"
                    " it must be opened once where it can be written"
                )

    def _forgetNumbers(self) -> None:
        self._acls.forget()
        self._users.forget()

    def _forget(self) -> None:
        self._views.forget()
        self._memory.forget()
        self._landmarks.forget()
        self._hierarchy.forget()
        self._forgetNumbers()

    async def _change(self, change: Callable[[Connection], _T]) -> _T:
        """
        Make a change and wait until it is durable.

        @param change: if it adds something to a folder that somebody is copying very many messages into, it
            is called again when he has finished, and if it needs room for a keyword, when some has been
            found.  Of what it did before nothing is kept.
        """
        while True:
            try:
                return await self._writer.change(change)
            except copies.FolderHeld as held:
                if held.token in self._copying:
                    await self._writer.giveWay()
                else:
                    await self._clearCopy(held.folder, held.token)
            except KeywordsFull as full:
                if not await self._releaseKeywords(full.folder):
                    raise LimitReached(str(full)) from None

    async def _releaseKeywords(self, folder: int) -> bool:
        """
        Find keywords of a folder that no message has.

        @return: there are some.
        """
        with self._database.reading() as db:
            row = self._places.byId(db, self._users.viewer(db, SYSTEM), folder, "")
            if not row.keywords or self._keywords_used.get(folder) == row.changed:
                return False
            look, more = keywords.Look(row), True
        while more:
            with self._database.reading() as db:
                more = look.more(db)
            await self._writer.giveWay()

        def end(db: Connection) -> bool:
            return look.end(db, self._places.byId(db, self._users.viewer(db, SYSTEM), folder, ""))

        found = await self._writer.change(end)
        if not found:
            # Nobody need look again before something has changed.
            self._keywords_used.put(folder, row.changed)
        return found

    async def _clearCopy(self, folder: int, token: str) -> None:
        """
        Remove some of what somebody has left in a folder who copied into it.
        """
        await self._writer.change(lambda db: copies.clear(db, folder, token, self._limits.slice_rows))

    def _foldersChanged(self, user: str = "") -> None:
        self._changed(HIERARCHY, user)

    def _changed(self, folder: int, user: str = "") -> None:
        for observer in tuple(self._observers):
            observer.folderChanged(folder, user)
