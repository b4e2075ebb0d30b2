"""
The front end's side: a store that is somewhere else.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import attrs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailstore.errors import InvalidRequest, LimitReached, StoreError, StoreUnavailable
from mailstore.interfaces import IStore, IStoreObserver, IUpload
from mailstore.ipc import messages as m
from mailstore.ipc.codec import CannotEncode, CodecError, encode
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.line import Line
from mailstore.ipc.link import Link
from mailstore.ipc.methods import METHODS
from mailstore.ipc.pending import Call, Progress, SingleCall, StreamCall
from mailstore.ipc.remoteupload import InlineUpload, RemoteUpload
from mailstore.ipc.statistics import QueueCounters, countersOf, total
from mailstore.model import (
    AppendResult,
    CopyResult,
    Credentials,
    FetchBatch,
    FetchSpec,
    FlagMode,
    FlagsStored,
    FolderColumns,
    FolderDelta,
    FolderStatus,
    NewMessage,
    OpenFolder,
    SearchTerm,
    Section,
    TreeVersion,
    UidSet,
)

#: Bytes of an append request that a message needs beside its content and flags, at most.
_PER_MESSAGE = 128


@implementer(IStore)
class RemoteStore:
    """
    A store reached through a channel, or through one channel after another
    when the store is restarted.  It keeps nothing of the store's.

    Connecting is somebody else's work (see
    L{StoreClientService<mailstore.ipc.service.StoreClientService>}): take a
    L{receiver}, connect it, tell it that it is C{opened}.
    """

    _log = Logger()

    def __init__(self, limits: IpcLimits, clock: IReactorTime) -> None:
        """
        @param clock: the reactor.
        """
        self._limits = limits
        self._clock = clock
        self._line = Line(limits, clock)
        self._link: Link | None = None
        self._observers: list[IStoreObserver] = []
        self._uploads: dict[int, InlineUpload | RemoteUpload] = {}
        self._inline: set[int] = set()
        self._last_upload = 0
        self._was_ready = False
        self._closed = False
        self._past = QueueCounters()
        self._ready_waiters: list[Deferred[None]] = []
        self._lost_waiters: list[Deferred[None]] = []

    @property
    def limits(self) -> IpcLimits:
        """
        What holds for requests from now on.  What was agreed on a channel
        holds as long as that is open.
        """
        return self._limits

    @limits.setter
    def limits(self, limits: IpcLimits) -> None:
        self._limits = self._line.limits = limits

    # --- its channel ---

    @property
    def is_ready(self) -> bool:
        """
        Whether requests can be sent now.
        """
        return self._line.link is not None

    @property
    def is_closed(self) -> bool:
        """
        Whether C{close} was called.
        """
        return self._closed

    @property
    def waiting(self) -> int:
        """
        Requests in line.
        """
        return len(self._line)

    @property
    def calls(self) -> int:
        """
        Requests on the channel without their final answer.
        """
        return 0 if self._link is None else self._link.calls

    def receiver(self) -> Link:
        """
        The receiver for a new channel, which takes the place of the one before.

        @raise StoreUnavailable: closed.
        """
        if self._closed:
            raise StoreUnavailable("the store has been closed")
        self.disconnect()
        self._link = Link(
            self._limits, self._clock, self._ready, self._line.advance, self._changed, self._lost
        )
        return self._link

    def disconnect(self) -> None:
        """
        Cut the channel, if there is one.  What is in flight fails.
        """
        link, self._link = self._link, None
        if link is not None:
            link.abort()

    def hangUp(self) -> Deferred[None]:
        """
        Close the channel in order: what is queued still leaves, what has no
        answer by then fails.

        @return: fires when it is closed.
        """
        link, self._link = self._link, None
        if link is None or link.channel is None or link.lost:
            if link is not None:
                link.abort()
            return succeed(None)
        channel = link.channel
        self._line.link = None
        closed = channel.close()
        closed.addBoth(lambda _: link.abort())
        return closed

    def whenReady(self) -> Deferred[None]:
        """
        Fires when requests can be sent; fails with
        L{StoreUnavailable<mailstore.errors.StoreUnavailable>} when closed before.
        """
        waiter: Deferred[None] = Deferred(lambda each: self._ready_waiters.remove(each))
        self._ready_waiters.append(waiter)
        self._tellReady()
        return waiter

    def whenLost(self) -> Deferred[None]:
        """
        Fires when there is no channel.
        """
        waiter: Deferred[None] = Deferred(lambda each: self._lost_waiters.remove(each))
        self._lost_waiters.append(waiter)
        self._tellLost()
        return waiter

    def statistics(self) -> QueueCounters:
        """
        The queue to the store.
        """
        link = self._link
        if link is None or link.channel is None:
            return self._past
        return total(self._past, countersOf(link.channel.statistics()))

    def _ready(self, link: Link) -> None:
        self._line.link = link
        again, self._was_ready = self._was_ready, True
        if again:
            self._changed(m.Changed(True))
        self._line.advance()
        self._tellReady()

    def _lost(self, link: Link) -> None:
        if link.channel is not None:
            self._past = total(self._past, countersOf(link.channel.statistics()).past())
        if self._link is link:
            self._link = None
        self._line.linkLost(link)
        self._tellLost()

    def _tellReady(self) -> None:
        if self._closed or self.is_ready:
            waiters, self._ready_waiters = self._ready_waiters, []
            for each in waiters:
                if self._closed:
                    each.errback(StoreUnavailable("the store has been closed"))
                else:
                    each.callback(None)

    def _tellLost(self) -> None:
        if self._link is None:
            waiters, self._lost_waiters = self._lost_waiters, []
            for each in waiters:
                each.callback(None)

    # --- observers ---

    def observe(self, observer: IStoreObserver) -> None:
        """
        See L{IStore.observe<mailstore.interfaces.IStore>}.
        """
        if observer not in self._observers:
            self._observers.append(observer)

    def unobserve(self, observer: IStoreObserver) -> None:
        """
        See L{IStore.unobserve<mailstore.interfaces.IStore>}.
        """
        if observer in self._observers:
            self._observers.remove(observer)

    def _changed(self, changed: m.Changed) -> None:
        for observer in tuple(self._observers):
            try:
                if changed.everything:
                    observer.everythingChanged()
                for folder, user in changed.folders:
                    observer.folderChanged(folder, user)
            except Exception:
                self._log.failure("An observer of the store failed")

    async def close(self) -> None:
        """
        See L{IStore.close<mailstore.interfaces.IStore>}.
        """
        self._closed = True
        self._line.close()
        self.disconnect()
        self._uploads.clear()
        self._inline.clear()
        self._observers.clear()
        self._tellReady()

    # --- asking ---

    def _bodyOf(self, request: m.AnyRequest) -> bytes:
        """
        @raise InvalidRequest: it holds what cannot be sent.
        @raise LimitReached: it is too long.
        """
        try:
            body = encode(m.Asked(self._limits.deadline, request))
        except CannotEncode:
            raise InvalidRequest("the request holds a number or a text that is not valid") from None
        if len(body) > self._limits.max_request:
            raise LimitReached("the request is too long")
        return body

    async def _ask(self, request: m.AnyRequest, link: Link | None = None, on_orphan: Any = None) -> Any:
        """
        A request with one result.

        @param link: the one channel it makes sense on.
        """
        body = self._bodyOf(request)
        call = SingleCall(body, METHODS[type(request)].decode, link, self._giveUp, on_orphan)
        self._line.enter(call)
        return await call.result

    async def _iterate(self, request: m.AnyRequest) -> AsyncGenerator[Any, None]:
        """
        A request whose answer comes in batches.
        """
        call = StreamCall(self._bodyOf(request), METHODS[type(request)].decode, self._consumed)
        self._line.enter(call)
        try:
            while True:
                try:
                    batch = await call.next()
                except StopAsyncIteration:
                    return
                except CodecError as error:
                    if call.on is not None:
                        call.on.brokenBy(error)
                    raise StoreUnavailable("the store went away before it answered") from error
                yield batch
        finally:
            self._giveUp(call)

    def _giveUp(self, call: Call) -> None:
        call.unwanted = True
        if call.progress is Progress.WAITING:
            call.progress = Progress.OVER
            self._line.leave(call)
        elif call.on is not None:
            call.on.cancel(call)

    def _consumed(self, call: StreamCall) -> None:
        if call.on is not None:
            call.on.consumed(call)

    # --- IUsers ---

    async def credentials(self, user: str) -> Credentials | None:
        """
        See L{IUsers.credentials<mailstore.interfaces.IUsers>}.
        """
        found: Credentials | None = await self._ask(m.GetCredentials(user))
        return found

    async def createUser(self, user: str, credentials: Credentials) -> None:
        """
        See L{IUsers.createUser<mailstore.interfaces.IUsers>}.  The store refuses it.
        """
        await self._ask(m.CreateUser(user, credentials))

    async def listUsers(self) -> tuple[str, ...]:
        """
        See L{IUsers.listUsers<mailstore.interfaces.IUsers>}.  The store refuses it.
        """
        names: tuple[str, ...] = await self._ask(m.ListUsers())
        return names

    # --- IHierarchy ---

    async def trees(self, user: str) -> tuple[TreeVersion, ...]:
        """
        See L{IHierarchy.trees<mailstore.interfaces.IHierarchy>}.
        """
        versions: tuple[TreeVersion, ...] = await self._ask(m.Trees(user))
        return versions

    def folders(self, user: str, tree: TreeVersion) -> AsyncGenerator[FolderColumns, None]:
        """
        See L{IHierarchy.folders<mailstore.interfaces.IHierarchy>}.
        """
        return self._iterate(m.Folders(user, tree))

    async def createFolder(self, user: str, name: str, special_use: str = "") -> int:
        """
        See L{IHierarchy.createFolder<mailstore.interfaces.IHierarchy>}.
        """
        folder: int = await self._ask(m.CreateFolder(user, name, special_use))
        return folder

    async def deleteFolder(self, user: str, name: str) -> None:
        """
        See L{IHierarchy.deleteFolder<mailstore.interfaces.IHierarchy>}.
        """
        await self._ask(m.DeleteFolder(user, name))

    async def renameFolder(self, user: str, name: str, new_name: str) -> None:
        """
        See L{IHierarchy.renameFolder<mailstore.interfaces.IHierarchy>}.
        """
        await self._ask(m.RenameFolder(user, name, new_name))

    async def status(self, user: str, name: str) -> FolderStatus:
        """
        See L{IHierarchy.status<mailstore.interfaces.IHierarchy>}.
        """
        status: FolderStatus = await self._ask(m.Status(user, name))
        return status

    async def subscriptions(self, user: str) -> tuple[str, ...]:
        """
        See L{IHierarchy.subscriptions<mailstore.interfaces.IHierarchy>}.
        """
        names: tuple[str, ...] = await self._ask(m.Subscriptions(user))
        return names

    async def subscribe(self, user: str, name: str) -> None:
        """
        See L{IHierarchy.subscribe<mailstore.interfaces.IHierarchy>}.
        """
        await self._ask(m.Subscribe(user, name))

    async def unsubscribe(self, user: str, name: str) -> None:
        """
        See L{IHierarchy.unsubscribe<mailstore.interfaces.IHierarchy>}.
        """
        await self._ask(m.Unsubscribe(user, name))

    async def rights(self, user: str, name: str) -> str:
        """
        See L{IHierarchy.rights<mailstore.interfaces.IHierarchy>}.
        """
        rights: str = await self._ask(m.Rights(user, name))
        return rights

    async def acl(self, user: str, name: str) -> tuple[tuple[str, str], ...]:
        """
        See L{IHierarchy.acl<mailstore.interfaces.IHierarchy>}.
        """
        pairs: tuple[tuple[str, str], ...] = await self._ask(m.GetAcl(user, name))
        return pairs

    async def setRights(self, user: str, name: str, identifier: str, letters: str) -> int:
        """
        See L{IHierarchy.setRights<mailstore.interfaces.IHierarchy>}.
        """
        changed: int = await self._ask(m.SetRights(user, name, identifier, letters))
        return changed

    # --- IMessages ---

    async def openFolder(self, user: str, name: str, claim_recent: bool) -> OpenFolder:
        """
        See L{IMessages.openFolder<mailstore.interfaces.IMessages>}.
        """
        opened: OpenFolder = await self._ask(m.Open(user, name, claim_recent))
        return opened

    def changes(
        self, user: str, folder: int, since: int, claim_recent: bool
    ) -> AsyncGenerator[FolderDelta, None]:
        """
        See L{IMessages.changes<mailstore.interfaces.IMessages>}.
        """
        return self._iterate(m.Changes(user, folder, since, claim_recent))

    def fetch(
        self, user: str, folder: int, uids: UidSet, spec: FetchSpec
    ) -> AsyncGenerator[FetchBatch, None]:
        """
        See L{IMessages.fetch<mailstore.interfaces.IMessages>}.
        """
        return self._iterate(m.Fetch(user, folder, uids, spec))

    def readSection(self, user: str, folder: int, uid: int, section: Section) -> AsyncGenerator[bytes, None]:
        """
        See L{IMessages.readSection<mailstore.interfaces.IMessages>}.
        """
        return self._iterate(m.ReadSection(user, folder, uid, section))

    async def upload(self, user: str, name: str, size: int) -> IUpload:
        """
        See L{IMessages.upload<mailstore.interfaces.IMessages>}.  A short
        message is kept here and travels inside its append request; of the
        store it is only asked whether it would take it.
        """
        upload: InlineUpload | RemoteUpload
        if size <= self._limits.inline_upload and len(self._inline) < self._limits.max_inline_uploads:
            token = self._newToken()
            self._inline.add(token)
            try:
                await self._ask(m.OpenUpload(user, name, size, True))
            except BaseException:
                self._inline.discard(token)
                raise
            upload = InlineUpload(token, user, size, self._forget)
        else:
            upload = await self._openUpload(user, name, size)
        self._uploads[upload.token] = upload
        return upload

    async def append(self, user: str, name: str, messages: tuple[NewMessage, ...]) -> AppendResult:
        """
        See L{IMessages.append<mailstore.interfaces.IMessages>}.
        """
        used: list[InlineUpload | RemoteUpload] = []
        whole = True
        for message in messages:
            if isinstance(message.content, int):
                upload = self._uploads.get(message.content)
                if upload is None or upload.user != user:
                    whole = False
                else:
                    self._forget(upload.token)
                    used.append(upload)
        try:
            if not whole:
                raise InvalidRequest("there is no such upload")
            named = iter(tuple(used))
            ready: list[NewMessage] = []
            room = self._roomInRequest()
            for message in messages:
                content: bytes | int
                if isinstance(message.content, int):
                    content = next(named).content()
                else:
                    content = message.content
                needed = _PER_MESSAGE + sum(4 * len(each) + 8 for each in message.flags)
                if isinstance(content, bytes):
                    if needed + len(content) > room:
                        sent = await self._sendWhole(user, name, content)
                        used.append(sent)
                        content = sent.content()
                    else:
                        needed += len(content)
                room -= needed
                ready.append(attrs.evolve(message, content=content))
            links = {each.link for each in used if each.link is not None}
            if len(links) > 1:
                raise StoreUnavailable("the store went away while the messages were brought in")
            link = links.pop() if links else None
            result: AppendResult = await self._ask(m.Append(user, name, tuple(ready)), link)
        except BaseException:
            for each in used:
                each.discard()
            raise
        return result

    def _roomInRequest(self) -> int:
        """
        Bytes that the messages in one append request may have.
        """
        most = self._limits.max_request
        terms = None if self._line.link is None else self._line.link.terms
        if terms is not None:
            most = min(most, terms.max_request)
        return most - 4096

    async def _sendWhole(self, user: str, name: str, content: bytes) -> RemoteUpload:
        upload = await self._openUpload(user, name, len(content))
        try:
            await upload.write(content)
        except StoreError:
            upload.discard()
            raise
        return upload

    async def _openUpload(self, user: str, name: str, size: int) -> RemoteUpload:
        body = self._bodyOf(m.OpenUpload(user, name, size, False))
        call = SingleCall(body, METHODS[m.OpenUpload].decode, None, self._giveUp, Link.discard)
        self._line.enter(call)
        remote_token = await call.result
        link = call.on
        assert link is not None
        piece = self._limits.upload_piece
        if link.terms is not None:
            piece = max(1, min(piece, link.terms.max_request - 256))
        return RemoteUpload(
            self._newToken(), user, link, remote_token, piece, self._writeUpload, self._forget
        )

    async def _writeUpload(self, link: Link, token: int, data: bytes) -> None:
        await self._ask(m.WriteUpload(token, data), link)

    def _newToken(self) -> int:
        self._last_upload += 1
        return self._last_upload

    def _forget(self, token: int) -> None:
        self._uploads.pop(token, None)
        self._inline.discard(token)

    async def storeFlags(
        self,
        user: str,
        folder: int,
        uids: UidSet,
        mode: FlagMode,
        flags: tuple[str, ...],
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        """
        See L{IMessages.storeFlags<mailstore.interfaces.IMessages>}.
        """
        stored: FlagsStored = await self._ask(m.StoreFlags(user, folder, uids, mode, flags, unchanged_since))
        return stored

    async def copy(self, user: str, folder: int, uids: UidSet, target: str) -> CopyResult:
        """
        See L{IMessages.copy<mailstore.interfaces.IMessages>}.
        """
        copied: CopyResult = await self._ask(m.Copy(user, folder, uids, target))
        return copied

    async def move(self, user: str, folder: int, uids: UidSet, target: str) -> CopyResult:
        """
        See L{IMessages.move<mailstore.interfaces.IMessages>}.
        """
        moved: CopyResult = await self._ask(m.Move(user, folder, uids, target))
        return moved

    async def expunge(self, user: str, folder: int, uids: UidSet | None) -> UidSet:
        """
        See L{IMessages.expunge<mailstore.interfaces.IMessages>}.
        """
        removed: UidSet = await self._ask(m.Expunge(user, folder, uids))
        return removed

    def search(self, user: str, folder: int, term: SearchTerm) -> AsyncGenerator[bytes, None]:
        """
        See L{IMessages.search<mailstore.interfaces.IMessages>}.
        """
        return self._iterate(m.Search(user, folder, term))
