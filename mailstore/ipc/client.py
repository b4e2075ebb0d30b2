"""
The front end's side: a store that is somewhere else.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import attrs
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from mailstore.errors import InvalidRequest, StoreError, StoreUnavailable
from mailstore.interfaces import IStore, IUpload
from mailstore.ipc import messages as m
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.link import Link
from mailstore.ipc.methods import METHODS
from mailstore.ipc.pending import SingleCall
from mailstore.ipc.remoteupload import InlineUpload, RemoteUpload, Welcomes
from mailstore.ipc.storeconnection import StoreConnection
from mailstore.model import (
    Annotated,
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
    News,
    OpenFolder,
    Quota,
    Recipient,
    RightsMode,
    SearchTerm,
    Section,
    SortKey,
    StatusColumns,
    ThreadAlgorithm,
    ThreadColumns,
    TreeVersion,
    UidSet,
    Watcher,
)

#: Bytes of an append request that a message needs beside its content and flags, at most.
_PER_MESSAGE = 128


#: Whose an upload for delivery is: no user's name begins so.
_COURIER = "#courier"


@implementer(IStore)
class RemoteStore(StoreConnection):
    """
    A store reached through a channel, or through one channel after another
    when the store is restarted.  It keeps nothing of the store's.
    """

    def __init__(self, limits: IpcLimits, clock: IReactorTime, protocol: str = m.PROTOCOLS[0]) -> None:
        """
        @param clock: the reactor.
        @param protocol: what the front end speaks with its clients, one of
            L{PROTOCOLS<mailstore.ipc.messages.PROTOCOLS>}; the queues are counted by it.
        """
        super().__init__(limits, clock, protocol)
        self._uploads: dict[int, InlineUpload | RemoteUpload] = {}
        self._inline: set[int] = set()
        self._welcomes = Welcomes()
        self._last_upload = 0

    async def close(self) -> None:
        """
        See L{IStore.close<mailstore.interfaces.IStore>}.
        """
        self.shut()
        self._uploads.clear()
        self._inline.clear()

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

    async def enrol(self, user: str, iterations: int) -> None:
        """
        See L{IUsers.enrol<mailstore.interfaces.IUsers>}.
        """
        await self._ask(m.Enrol(user, iterations))

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

    def statuses(self, user: str, folders: bytes) -> AsyncGenerator[StatusColumns, None]:
        """
        See L{IHierarchy.statuses<mailstore.interfaces.IHierarchy>}.
        """
        return self._iterate(m.Statuses(user, folders))

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

    async def setRights(
        self,
        user: str,
        name: str,
        identifier: str,
        letters: str,
        mode: RightsMode = RightsMode.REPLACE,
    ) -> int:
        """
        See L{IHierarchy.setRights<mailstore.interfaces.IHierarchy>}.
        """
        changed: int = await self._ask(m.SetRights(user, name, identifier, letters, mode))
        return changed

    async def grantable(self, user: str, name: str, identifier: str) -> tuple[str, str]:
        """
        See L{IHierarchy.grantable<mailstore.interfaces.IHierarchy>}.
        """
        rights: tuple[str, str] = await self._ask(m.Grantable(user, name, identifier))
        return rights

    async def quotaRoots(self, user: str, name: str) -> tuple[str, ...]:
        """
        See L{IHierarchy.quotaRoots<mailstore.interfaces.IHierarchy>}.
        """
        roots: tuple[str, ...] = await self._ask(m.QuotaRoots(user, name))
        return roots

    async def quota(self, user: str, root: str) -> Quota:
        """
        See L{IHierarchy.quota<mailstore.interfaces.IHierarchy>}.
        """
        quota: Quota = await self._ask(m.GetQuota(user, root))
        return quota

    async def setQuota(self, user: str, root: str, limits: tuple[tuple[str, int], ...]) -> Quota:
        """
        See L{IHierarchy.setQuota<mailstore.interfaces.IHierarchy>}.
        """
        quota: Quota = await self._ask(m.SetQuota(user, root, limits))
        return quota

    async def metadata(
        self, user: str, name: str, entries: tuple[str, ...], depth: int | None, max_size: int | None
    ) -> Metadata:
        """
        See L{IHierarchy.metadata<mailstore.interfaces.IHierarchy>}.
        """
        found: Metadata = await self._ask(m.GetMetadata(user, name, entries, depth, max_size))
        return found

    def annotations(
        self, user: str, folders: bytes, entries: tuple[str, ...]
    ) -> AsyncGenerator[tuple[Annotated, ...], None]:
        """
        See L{IHierarchy.annotations<mailstore.interfaces.IHierarchy>}.
        """
        return self._iterate(m.Annotations(user, folders, entries))

    async def setMetadata(self, user: str, name: str, values: dict[str, bytes | None]) -> None:
        """
        See L{IHierarchy.setMetadata<mailstore.interfaces.IHierarchy>}.
        """
        await self._ask(m.SetMetadata(user, name, values))

    # --- IExpiry ---

    async def expiry(self, user: str, name: str) -> Expiry:
        """
        See L{IExpiry.expiry<mailstore.interfaces.IExpiry>}.
        """
        rule: Expiry = await self._ask(m.GetExpiry(user, name))
        return rule

    async def setExpiry(self, user: str, name: str, rule: Expiry) -> None:
        """
        See L{IExpiry.setExpiry<mailstore.interfaces.IExpiry>}.
        """
        await self._ask(m.SetExpiry(user, name, rule))

    def expiries(self, user: str) -> AsyncGenerator[tuple[tuple[str, Expiry], ...], None]:
        """
        See L{IExpiry.expiries<mailstore.interfaces.IExpiry>}.
        """
        return self._iterate(m.Expiries(user))

    # --- IDelivery ---

    def addresses(self, user: str) -> AsyncGenerator[tuple[tuple[str, str], ...], None]:
        """
        See L{IDelivery.addresses<mailstore.interfaces.IDelivery>}.
        """
        return self._iterate(m.Addresses(user))

    async def addAddress(self, user: str, name: str, address: str) -> None:
        """
        See L{IDelivery.addAddress<mailstore.interfaces.IDelivery>}.
        """
        await self._ask(m.AddAddress(user, name, address))

    async def removeAddress(self, user: str, address: str) -> None:
        """
        See L{IDelivery.removeAddress<mailstore.interfaces.IDelivery>}.
        """
        await self._ask(m.RemoveAddress(user, address))

    async def offer(self, recipient: Recipient, size: int) -> None:
        """
        See L{IDelivery.offer<mailstore.interfaces.IDelivery>}.
        """
        await self._ask(m.Offer(recipient, size))

    async def receive(self, size: int) -> IUpload:
        """
        See L{IDelivery.receive<mailstore.interfaces.IDelivery>}.
        """
        upload = await self._openUpload(m.OpenReceipt(size), _COURIER)
        self._uploads[upload.token] = upload
        return upload

    async def deliver(self, recipients: tuple[Recipient, ...], content: bytes | int) -> tuple[Delivered, ...]:
        """
        See L{IDelivery.deliver<mailstore.interfaces.IDelivery>}.  A short
        message travels inside the request.
        """
        if isinstance(content, bytes):
            # A character is at most four bytes, and each of the three texts has its length before it.
            needed = sum(4 * len(each.address + each.user + each.folder) + 16 for each in recipients)
            if needed + len(content) <= self._roomInRequest():
                return await self._delivered(m.Deliver(recipients, content), None)
            upload = await self._openUpload(m.OpenReceipt(len(content)), _COURIER)
            try:
                await upload.write(content)
            except BaseException:
                upload.discard()
                raise
        else:
            found = self._uploads.get(content)
            if not isinstance(found, RemoteUpload) or found.user != _COURIER:
                raise InvalidRequest("there is no such upload")
            upload = found
        self._forget(upload.token)
        try:
            return await self._delivered(m.Deliver(recipients, upload.content()), upload.link)
        except BaseException:
            upload.discard()
            raise

    async def _delivered(self, request: m.Deliver, link: Link | None) -> tuple[Delivered, ...]:
        outcomes: tuple[Delivered, ...] = await self._ask(request, link)
        return outcomes

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

    async def news(self, folder: int, watchers: tuple[Watcher, ...]) -> tuple[News, ...]:
        """
        See L{IMessages.news<mailstore.interfaces.IMessages>}.
        """
        news: tuple[News, ...] = await self._ask(m.AskNews(folder, watchers))
        return news

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

    async def largestMessage(self) -> int:
        """
        See L{IMessages.largestMessage<mailstore.interfaces.IMessages>}.
        """
        size: int = await self._ask(m.LargestMessage())
        return size

    async def upload(self, user: str, name: str, size: int | None) -> IUpload:
        """
        See L{IMessages.upload<mailstore.interfaces.IMessages>}.  A short
        message is kept here and travels inside its append request; the store is
        only asked whether it would take it, unless it took one there just now:
        then it is the append request that may be refused.
        """
        upload: InlineUpload | RemoteUpload
        short = size is not None and size <= self._limits.inline_upload
        if size is not None and short and len(self._inline) < self._limits.max_inline_uploads:
            token = self._newToken()
            self._inline.add(token)
            try:
                if not self._welcomes.has(user, name, self._clock.seconds()):
                    await self._ask(m.OpenUpload(user, name, size, True))
            except BaseException:
                self._inline.discard(token)
                raise
            upload = InlineUpload(token, user, size, self._forget)
        else:
            upload = await self._openUpload(m.OpenUpload(user, name, size, False), user)
        self._uploads[upload.token] = upload
        return upload

    async def append(
        self, user: str, name: str, messages: tuple[NewMessage, ...], replaces: tuple[int, int] | None = None
    ) -> AppendResult:
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
            result: AppendResult = await self._ask(m.Append(user, name, tuple(ready), replaces), link)
        except BaseException:
            self._welcomes.remove(user, name)
            for each in used:
                each.discard()
            raise
        self._welcomes.add(user, name, self._clock.seconds())
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
        upload = await self._openUpload(m.OpenUpload(user, name, len(content), False), user)
        try:
            await upload.write(content)
        except StoreError:
            upload.discard()
            raise
        return upload

    async def _openUpload(self, request: m.OpenUpload | m.OpenReceipt, user: str) -> RemoteUpload:
        body = self._bodyOf(request)
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

    def sort(
        self, user: str, folder: int, term: SearchTerm, keys: tuple[SortKey, ...]
    ) -> AsyncGenerator[bytes, None]:
        """
        See L{IMessages.sort<mailstore.interfaces.IMessages>}.
        """
        return self._iterate(m.Sort(user, folder, term, keys))

    def threads(
        self, user: str, folder: int, term: SearchTerm, algorithm: ThreadAlgorithm
    ) -> AsyncGenerator[ThreadColumns, None]:
        """
        See L{IMessages.threads<mailstore.interfaces.IMessages>}.
        """
        return self._iterate(m.Threads(user, folder, term, algorithm))
