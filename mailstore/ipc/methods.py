"""
The methods of a store as they cross a channel: for each request how it is
carried out, and how its answer is typed.

Uploads are not among them: they belong to the channel they came by, see
L{mailstore.ipc.intake}.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

import attrs

from mailstore.interfaces import IStore
from mailstore.ipc import messages as m
from mailstore.ipc.codec import Decoder
from mailstore.model import (
    Annotated,
    AppendResult,
    CopyResult,
    Credentials,
    Delivered,
    Expiry,
    FetchBatch,
    FlagsStored,
    FolderColumns,
    FolderDelta,
    FolderStatus,
    Metadata,
    News,
    OpenFolder,
    Quota,
    StatusColumns,
    ThreadColumns,
    TreeVersion,
    UidSet,
)


@attrs.frozen
class Method:
    """
    How one kind of request is answered.
    """

    #: Makes the result, or each batch, from a body.
    decode: Decoder[Any]
    #: Asks the store for the one result; C{None} for a stream.
    call: Callable[[IStore, Any], Awaitable[Any]] | None = None
    #: Asks the store for the batches; C{None} if there is one result.
    iterate: Callable[[IStore, Any], AsyncGenerator[Any, None]] | None = None


def _one(result: Any, call: Callable[[IStore, Any], Awaitable[Any]] | None = None) -> Method:
    return Method(Decoder(result), call=call)


def _many(batch: Any, iterate: Callable[[IStore, Any], AsyncGenerator[Any, None]]) -> Method:
    return Method(Decoder(batch), iterate=iterate)


def _credentials(store: IStore, r: m.GetCredentials) -> Awaitable[Credentials | None]:
    return store.credentials(r.user)


def _enrol(store: IStore, r: m.Enrol) -> Awaitable[None]:
    return store.enrol(r.user, r.iterations)


def _largestMessage(store: IStore, r: m.LargestMessage) -> Awaitable[int]:
    return store.largestMessage()


def _trees(store: IStore, r: m.Trees) -> Awaitable[tuple[TreeVersion, ...]]:
    return store.trees(r.user)


def _folders(store: IStore, r: m.Folders) -> AsyncGenerator[FolderColumns, None]:
    return store.folders(r.user, r.tree)


def _createFolder(store: IStore, r: m.CreateFolder) -> Awaitable[int]:
    return store.createFolder(r.user, r.name, r.special_use)


def _deleteFolder(store: IStore, r: m.DeleteFolder) -> Awaitable[None]:
    return store.deleteFolder(r.user, r.name)


def _renameFolder(store: IStore, r: m.RenameFolder) -> Awaitable[None]:
    return store.renameFolder(r.user, r.name, r.new_name)


def _status(store: IStore, r: m.Status) -> Awaitable[FolderStatus]:
    return store.status(r.user, r.name)


def _statuses(store: IStore, r: m.Statuses) -> AsyncGenerator[StatusColumns, None]:
    return store.statuses(r.user, r.folders)


def _subscriptions(store: IStore, r: m.Subscriptions) -> Awaitable[tuple[str, ...]]:
    return store.subscriptions(r.user)


def _subscribe(store: IStore, r: m.Subscribe) -> Awaitable[None]:
    return store.subscribe(r.user, r.name)


def _unsubscribe(store: IStore, r: m.Unsubscribe) -> Awaitable[None]:
    return store.unsubscribe(r.user, r.name)


def _rights(store: IStore, r: m.Rights) -> Awaitable[str]:
    return store.rights(r.user, r.name)


def _acl(store: IStore, r: m.GetAcl) -> Awaitable[tuple[tuple[str, str], ...]]:
    return store.acl(r.user, r.name)


def _setRights(store: IStore, r: m.SetRights) -> Awaitable[int]:
    return store.setRights(r.user, r.name, r.identifier, r.letters, r.mode)


def _grantable(store: IStore, r: m.Grantable) -> Awaitable[tuple[str, str]]:
    return store.grantable(r.user, r.name, r.identifier)


def _quotaRoots(store: IStore, r: m.QuotaRoots) -> Awaitable[tuple[str, ...]]:
    return store.quotaRoots(r.user, r.name)


def _quota(store: IStore, r: m.GetQuota) -> Awaitable[Quota]:
    return store.quota(r.user, r.root)


def _setQuota(store: IStore, r: m.SetQuota) -> Awaitable[Quota]:
    return store.setQuota(r.user, r.root, r.limits)


def _metadata(store: IStore, r: m.GetMetadata) -> Awaitable[Metadata]:
    return store.metadata(r.user, r.name, r.entries, r.depth, r.max_size)


def _annotations(store: IStore, r: m.Annotations) -> AsyncGenerator[tuple[Annotated, ...], None]:
    return store.annotations(r.user, r.folders, r.entries)


def _setMetadata(store: IStore, r: m.SetMetadata) -> Awaitable[None]:
    return store.setMetadata(r.user, r.name, r.values)


def _expiry(store: IStore, r: m.GetExpiry) -> Awaitable[Expiry]:
    return store.expiry(r.user, r.name)


def _setExpiry(store: IStore, r: m.SetExpiry) -> Awaitable[None]:
    return store.setExpiry(r.user, r.name, r.rule)


def _expiries(store: IStore, r: m.Expiries) -> AsyncGenerator[tuple[tuple[str, Expiry], ...], None]:
    return store.expiries(r.user)


def _addresses(store: IStore, r: m.Addresses) -> AsyncGenerator[tuple[tuple[str, str], ...], None]:
    return store.addresses(r.user)


def _addAddress(store: IStore, r: m.AddAddress) -> Awaitable[None]:
    return store.addAddress(r.user, r.name, r.address)


def _removeAddress(store: IStore, r: m.RemoveAddress) -> Awaitable[None]:
    return store.removeAddress(r.user, r.address)


def _offer(store: IStore, r: m.Offer) -> Awaitable[None]:
    return store.offer(r.recipient, r.size)


def _open(store: IStore, r: m.Open) -> Awaitable[OpenFolder]:
    return store.openFolder(r.user, r.name, r.claim_recent)


def _changes(store: IStore, r: m.Changes) -> AsyncGenerator[FolderDelta, None]:
    return store.changes(r.user, r.folder, r.since, r.claim_recent)


def _news(store: IStore, r: m.AskNews) -> Awaitable[tuple[News, ...]]:
    return store.news(r.folder, r.watchers)


def _fetch(store: IStore, r: m.Fetch) -> AsyncGenerator[FetchBatch, None]:
    return store.fetch(r.user, r.folder, r.uids, r.spec)


def _readSection(store: IStore, r: m.ReadSection) -> AsyncGenerator[bytes, None]:
    return store.readSection(r.user, r.folder, r.uid, r.section)


def _storeFlags(store: IStore, r: m.StoreFlags) -> Awaitable[FlagsStored]:
    return store.storeFlags(r.user, r.folder, r.uids, r.mode, r.flags, r.unchanged_since)


def _copy(store: IStore, r: m.Copy) -> Awaitable[CopyResult]:
    return store.copy(r.user, r.folder, r.uids, r.target)


def _move(store: IStore, r: m.Move) -> Awaitable[CopyResult]:
    return store.move(r.user, r.folder, r.uids, r.target)


def _expunge(store: IStore, r: m.Expunge) -> Awaitable[UidSet]:
    return store.expunge(r.user, r.folder, r.uids)


def _search(store: IStore, r: m.Search) -> AsyncGenerator[bytes, None]:
    return store.search(r.user, r.folder, r.term)


def _sort(store: IStore, r: m.Sort) -> AsyncGenerator[bytes, None]:
    return store.sort(r.user, r.folder, r.term, r.keys)


def _threads(store: IStore, r: m.Threads) -> AsyncGenerator[ThreadColumns, None]:
    return store.threads(r.user, r.folder, r.term, r.algorithm)


#: All methods, by the type of their request.
METHODS: Final[dict[type, Method]] = {
    m.GetCredentials: _one(Credentials | None, _credentials),
    m.CreateUser: _one(None),
    m.Enrol: _one(None, _enrol),
    m.ListUsers: _one(tuple[str, ...]),
    m.Trees: _one(tuple[TreeVersion, ...], _trees),
    m.Folders: _many(FolderColumns, _folders),
    m.CreateFolder: _one(int, _createFolder),
    m.DeleteFolder: _one(None, _deleteFolder),
    m.RenameFolder: _one(None, _renameFolder),
    m.Status: _one(FolderStatus, _status),
    m.Statuses: _many(StatusColumns, _statuses),
    m.Subscriptions: _one(tuple[str, ...], _subscriptions),
    m.Subscribe: _one(None, _subscribe),
    m.Unsubscribe: _one(None, _unsubscribe),
    m.Rights: _one(str, _rights),
    m.GetAcl: _one(tuple[tuple[str, str], ...], _acl),
    m.SetRights: _one(int, _setRights),
    m.Grantable: _one(tuple[str, str], _grantable),
    m.QuotaRoots: _one(tuple[str, ...], _quotaRoots),
    m.GetQuota: _one(Quota, _quota),
    m.SetQuota: _one(Quota, _setQuota),
    m.GetMetadata: _one(Metadata, _metadata),
    m.Annotations: _many(tuple[Annotated, ...], _annotations),
    m.SetMetadata: _one(None, _setMetadata),
    m.GetExpiry: _one(Expiry, _expiry),
    m.SetExpiry: _one(None, _setExpiry),
    m.Expiries: _many(tuple[tuple[str, Expiry], ...], _expiries),
    m.Addresses: _many(tuple[tuple[str, str], ...], _addresses),
    m.AddAddress: _one(None, _addAddress),
    m.RemoveAddress: _one(None, _removeAddress),
    m.Offer: _one(None, _offer),
    m.OpenReceipt: _one(int),
    m.Deliver: _one(tuple[Delivered, ...]),
    m.Open: _one(OpenFolder, _open),
    m.Changes: _many(FolderDelta, _changes),
    m.AskNews: _one(tuple[News, ...], _news),
    m.Fetch: _many(FetchBatch, _fetch),
    m.ReadSection: _many(bytes, _readSection),
    m.LargestMessage: _one(int, _largestMessage),
    m.OpenUpload: _one(int),
    m.WriteUpload: _one(None),
    m.Append: _one(AppendResult),
    m.StoreFlags: _one(FlagsStored, _storeFlags),
    m.Copy: _one(CopyResult, _copy),
    m.Move: _one(CopyResult, _move),
    m.Expunge: _one(UidSet, _expunge),
    m.Search: _many(bytes, _search),
    m.Sort: _many(bytes, _sort),
    m.Threads: _many(ThreadColumns, _threads),
}
