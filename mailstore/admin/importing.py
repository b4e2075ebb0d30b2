"""
From files to folders: what L{mailstore.admin.sources} finds goes into a store,
many messages at a time.

A message that the store refuses is named and the others go on.  What was
stored is counted folder by folder, so that whoever stops half-way knows what
is there.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import aclosing

import attrs

from mailstore.admin.interrupting import Interrupted
from mailstore.admin.sources import Folder, Found, Remark, Source, messages, scan
from mailstore.errors import (
    FolderExists,
    InvalidRequest,
    LimitReached,
    MessageTooBig,
    OverQuota,
    StoreBusy,
    StoreError,
    StoreFault,
    StoreUnavailable,
)
from mailstore.interfaces import IStore
from mailstore.model import SEPARATOR, SYSTEM, FetchSpec, NewMessage
from mailstore.stores import emailId

#: Messages that are stored as one change, if they are small.
BATCH_MESSAGES = 500

#: Bytes of messages after which a batch is stored.
BATCH_BYTES = 8 << 20

#: Batches that wait while they are worked on elsewhere, if they are small: so that there is work
#: while one is written and the disk takes its time.
_AHEAD = 4

#: Bytes to import from which on it pays to start other processes.
_WORTHWHILE = 4 << 20

#: Errors that can be one message's fault; after any other there is no use in going on.
_ABOUT_ONE = (MessageTooBig, LimitReached, InvalidRequest)


#: Errors that have nothing to do with a folder's name.
_ABOUT_ALL = (OverQuota, StoreBusy, StoreFault, StoreUnavailable)


@attrs.define
class Report:
    """
    What an import did.
    """

    #: Messages stored, by the full name of their folder.
    stored: Counter[str] = attrs.field(factory=Counter)
    #: Messages that were there already, by the full name of their folder.
    present: Counter[str] = attrs.field(factory=Counter)
    #: Everything that was not imported.
    remarks: list[Remark] = attrs.field(factory=list)

    @property
    def problems(self) -> list[Remark]:
        """
        What was to be imported and was not.
        """
        return [each for each in self.remarks if not each.harmless]

    @property
    def messages(self) -> int:
        """
        How many messages were stored.
        """
        return sum(self.stored.values())


@attrs.define
class _Batch:
    """
    Messages that are to be stored in one folder together.
    """

    folder: str
    found: list[Found] = attrs.field(factory=list)
    size: int = 0


class Importer:
    """
    Imports one source into one folder.

    @ivar report: filled as the work goes on; right also when it is cut short.
    """

    def __init__(
        self,
        store: IStore,
        target: str,
        largest: int,
        batch: int = BATCH_MESSAGES,
        advanced: Callable[[int], object] = lambda size: None,
        skip_existing: bool = False,
        expect: Callable[[Iterable[bytes]], object] | None = None,
    ) -> None:
        """
        @param target: full name of the folder, as L{SYSTEM} sees it.
        @param largest: bytes that the store takes in one message.
        @param batch: messages that the store takes at once.
        @param advanced: told the bytes that are done, as the work goes on.
        @param skip_existing: leave out messages that are in their folder already, as often as they are.
        @param expect: told of messages some time before they are stored, when there are many; see
            L{expect<mailstore.interfaces.IMaintenance.expect>}.
        """
        self.report = Report()
        self._into = store
        self._target = target
        self._largest = largest
        self._batch = min(batch, BATCH_MESSAGES)
        self._advanced = advanced
        self._skip_existing = skip_existing
        # What the present folder held before, and has not come by yet.
        self._held: Counter[str] = Counter()
        self._known: dict[str, Counter[str]] = {}
        self._made: set[str] = set()
        self._expect = expect
        self._batching = _Batch("")
        # Whole batches, and how many messages and bytes are in them.
        self._whole: deque[_Batch] = deque()
        self._waiting = self._waiting_bytes = 0
        self._signal: int | None = None

    def interrupt(self, signal: int) -> None:
        """
        End the import at the next message, between two changes of the store: so
        the report says exactly what is there.
        """
        self._signal = signal

    def _goOn(self) -> None:
        if self._signal is not None:
            raise Interrupted(self._signal)

    def plan(self, path: str) -> list[Source | Folder]:
        """
        Look at what is there; everything that will not be imported goes into the report.

        @raise Interrupted: see L{interrupt}.
        """
        planned: list[Source | Folder] = []
        for each in scan(path):
            self._goOn()
            if isinstance(each, Remark):
                self.report.remarks.append(each)
            else:
                planned.append(each)
        return planned

    async def run(self, planned: list[Source | Folder]) -> None:
        """
        Import what was planned.

        @raise StoreError: one that has nothing to do with a single message,
            such as a full disk.  The report says what was stored before.
        @raise Interrupted: see L{interrupt}.
        """
        if sum(each.size for each in planned if isinstance(each, Source)) < _WORTHWHILE:
            self._expect = None
        refused: set[str] = set()
        for each in planned:
            name = SEPARATOR.join((self._target, *each.folder))
            if name in refused:
                continue
            if name != self._batching.folder:
                await self._turn()
                if not await self._enter(name, each):
                    refused.add(name)
                    continue
            if isinstance(each, Source):
                await self._import(each)
        await self._turn()
        while self._whole:
            await self._storeNext()

    async def _import(self, source: Source) -> None:
        left = source.size
        for found in messages(source, self._largest):
            self._goOn()
            await self._add(found)
            done = min(left, len(found.content)) if isinstance(found, Found) else 0
            left -= done
            self._advanced(done)
        self._advanced(left)

    async def _enter(self, name: str, source: Source | Folder) -> bool:
        """
        Go on with another folder, made if it is not there.
        """
        if name not in self._made:
            try:
                await self._into.createFolder(SYSTEM, name)
            except FolderExists:
                pass
            except _ABOUT_ALL:
                raise
            except StoreError as error:
                where = source.path if isinstance(source, Source) else name
                self.report.remarks.append(Remark(where, f"{name}: {error}"))
                return False
            self._made.add(name)
            self.report.stored[name] += 0
        self._batching = _Batch(name)
        if self._skip_existing and name not in self._known:
            self._known[name] = await self._identities(name)
        self._held = self._known.get(name, Counter())
        return True

    async def _identities(self, name: str) -> Counter[str]:
        """
        What is in a folder: how often each message, by its bytes.
        """
        found: Counter[str] = Counter()
        opened = await self._into.openFolder(SYSTEM, name, False)
        answer = self._into.fetch(SYSTEM, opened.folder, opened.uids, FetchSpec(email_id=True))
        async with aclosing(answer) as batches:
            async for batch in batches:
                self._goOn()
                found.update(batch.email_ids)
        return found

    async def _add(self, found: Found | Remark) -> None:
        if isinstance(found, Remark):
            self.report.remarks.append(found)
            return
        if self._held:
            identity = emailId(hashlib.sha256(found.content).digest())
            if self._held[identity]:
                self._held[identity] -= 1
                self.report.present[self._batching.folder] += 1
                return
        if self._expect is not None:
            self._expect((found.content,))
        self._batching.found.append(found)
        self._batching.size += len(found.content)
        if len(self._batching.found) >= self._batch or self._batching.size >= BATCH_BYTES:
            await self._turn()

    async def _turn(self) -> None:
        """
        Begin another batch.  The one before waits while it is worked on elsewhere.
        """
        batch, self._batching = self._batching, _Batch(self._batching.folder)
        if self._expect is None:
            await self._storeBatch(batch)
            return
        self._whole.append(batch)
        self._waiting += len(batch.found)
        self._waiting_bytes += batch.size
        while self._waiting > _AHEAD * self._batch or self._waiting_bytes > BATCH_BYTES:
            await self._storeNext()

    async def _storeNext(self) -> None:
        batch = self._whole.popleft()
        self._waiting -= len(batch.found)
        self._waiting_bytes -= batch.size
        await self._storeBatch(batch)

    async def _storeBatch(self, batch: _Batch) -> None:
        """
        Store messages together; if the store refuses that, one by one, so that the one it means can be named.
        """
        if not batch.found:
            return
        try:
            await self._append(batch.folder, batch.found)
        except _ABOUT_ONE:
            for each in batch.found:
                try:
                    await self._append(batch.folder, [each])
                except _ABOUT_ONE as error:
                    self.report.remarks.append(Remark(each.where, str(error)))

    async def _append(self, folder: str, found: list[Found]) -> None:
        messages = tuple(NewMessage(each.content, each.flags, *(each.arrival or (None, 0))) for each in found)
        await self._into.append(SYSTEM, folder, messages)
        self.report.stored[folder] += len(found)
