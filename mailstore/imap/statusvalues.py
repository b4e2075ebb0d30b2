"""
What STATUS tells of folders: of one, and of many at once for LIST RETURN (STATUS ...)
(RFC 5819).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from mailstore.imap.wire.values import StatusItem
from mailstore.model import (
    Criterion,
    FetchSpec,
    FolderStatus,
    SearchTerm,
    StatusColumns,
    UidSet,
    uint32s,
    uint64s,
)

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: Where each item is found.
_ITEMS: dict[StatusItem, Callable[[FolderStatus], int | str]] = {
    StatusItem.MESSAGES: lambda status: status.messages,
    StatusItem.RECENT: lambda status: status.recent,
    StatusItem.UIDNEXT: lambda status: status.uid_next,
    StatusItem.UIDVALIDITY: lambda status: status.uid_validity,
    StatusItem.UNSEEN: lambda status: status.unseen,
    StatusItem.DELETED: lambda status: status.deleted,
    StatusItem.SIZE: lambda status: status.size,
    StatusItem.HIGHESTMODSEQ: lambda status: status.highest_modseq,
    StatusItem.MAILBOXID: lambda status: status.mailbox_id,
}

#: The same in columns.
_COLUMNS: dict[StatusItem, Callable[[StatusColumns], bytes]] = {
    StatusItem.MESSAGES: lambda columns: columns.messages,
    StatusItem.RECENT: lambda columns: columns.recent,
    StatusItem.UIDNEXT: lambda columns: columns.uid_next,
    StatusItem.UIDVALIDITY: lambda columns: columns.uid_validity,
    StatusItem.UNSEEN: lambda columns: columns.unseen,
    StatusItem.DELETED: lambda columns: columns.deleted,
    StatusItem.SIZE: lambda columns: columns.size,
    StatusItem.HIGHESTMODSEQ: lambda columns: columns.highest_modseq,
}


async def noteItems(session: Session, items: Iterable[StatusItem]) -> None:
    """
    Asking for HIGHESTMODSEQ shows that the client knows CONDSTORE (RFC 7162 section 3.1).
    """
    if StatusItem.HIGHESTMODSEQ in items:
        await session.useModSequences()


def ownRecent(session: Session, folder: int) -> int:
    """
    How many messages of a folder are recent to this session alone.

    The store gives them to one session only (RFC 3501 section 2.3.2), and to it they are recent no
    more: in the folder that is open they are counted beside.
    """
    view = session.view
    return view.recent if view is not None and view.claims_recent and view.folder == folder else 0


async def deletedStorage(session: Session, folder: int) -> int:
    """
    Bytes of a folder's messages with C{\\Deleted}: they are looked for, which takes as long as
    there are many (RFC 9208 section 4.1.4 knows that it may).

    @raise StoreError: as search and fetch.
    """
    found = uint32s()
    term = SearchTerm(Criterion.FLAG, text="\\Deleted")
    matches = session.store.search(session.user, folder, term)
    try:
        async for uids in matches:
            found.frombytes(uids)
    finally:
        await matches.aclose()
    if not found:
        return 0
    total = 0
    batches = session.store.fetch(session.user, folder, UidSet.of(found), FetchSpec(size=True))
    try:
        async for batch in batches:
            total += sum(uint64s(batch.sizes))
    finally:
        await batches.aclose()
    return total


async def values(
    session: Session, status: FolderStatus, items: Sequence[StatusItem]
) -> list[tuple[StatusItem, int | str]]:
    """
    The items of one folder.
    """
    told: list[tuple[StatusItem, int | str]] = []
    for item in items:
        if item is StatusItem.APPENDLIMIT:
            value: int | str = session.limits.max_message
        elif item is StatusItem.DELETED_STORAGE:
            value = await deletedStorage(session, status.folder) if status.deleted else 0
        else:
            value = _ITEMS[item](status)
            if item is StatusItem.RECENT:
                assert isinstance(value, int)
                value += ownRecent(session, status.folder)
        told.append((item, value))
    return told


async def tails(
    session: Session, columns: StatusColumns, items: Sequence[StatusItem]
) -> tuple[list[int], list[bytes]]:
    """
    What stands behind the name in the STATUS response of each folder.

    @return: the folders' identities, and for each the bytes with the space before and the line's end.
    """
    folders = uint64s(columns.folders).tolist()
    words: list[bytes] = []
    told: list[Sequence[object]] = []
    for item in items:
        name = item.value.encode("ascii")
        if item is StatusItem.APPENDLIMIT:
            words.append(b"%b %d" % (name, session.limits.max_message))
            continue
        if item is StatusItem.MAILBOXID:
            words.append(name + b" (%b)")
            told.append([each.encode("ascii") for each in columns.mailbox_ids])
            continue
        words.append(name + b" %d")
        if item is StatusItem.DELETED_STORAGE:
            told.append(
                [
                    await deletedStorage(session, folder) if deleted else 0
                    for folder, deleted in zip(folders, uint64s(columns.deleted), strict=True)
                ]
            )
            continue
        counts = uint64s(_COLUMNS[item](columns)).tolist()
        if item is StatusItem.RECENT:
            own = (ownRecent(session, folder) for folder in folders)
            counts = list(map(int.__add__, counts, own))
        told.append(counts)
    form = b" (" + b" ".join(words) + b")\r\n"
    if not told:
        return folders, [form] * len(folders)
    return folders, [form % each for each in zip(*told, strict=True)]
