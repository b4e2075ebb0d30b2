"""
C{APPENDUID} and C{COPYUID}: where messages went (RFC 4315 section 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailstore.errors import InvalidName, StoreError
from mailstore.imap.messagesets import orderedRuns
from mailstore.imap.wire import writer
from mailstore.model import OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, AppendResult, CopyResult, folderName, uint32s

if TYPE_CHECKING:
    from mailstore.imap.session import Session


def uidSet(uids: Iterable[int]) -> str:
    """
    C{uid-set} of UIDs in their order, which says which message became which.
    """
    return writer.numberSet(orderedRuns(iter(uids))).decode("ascii")


async def appendUid(session: Session, target: str, result: AppendResult) -> str:
    """
    The response code for messages that were appended to a folder; empty when
    the user may not know their UIDs.
    """
    _note(session, result.uid_validity, result.uids)
    if not result.uids or not await _mayRead(session, target):
        return ""
    return f"APPENDUID {result.uid_validity} {uidSet(result.uids)}"


async def copyUid(session: Session, target: str, result: CopyResult) -> str:
    """
    The response code for messages that were copied to a folder; empty when none
    were (RFC 4315 section 3), or when the user may not know their UIDs.
    """
    _note(session, result.uid_validity, uint32s(result.targets))
    if not result.sources or not await _mayRead(session, target):
        return ""
    sources, targets = uidSet(uint32s(result.sources)), uidSet(uint32s(result.targets))
    return f"COPYUID {result.uid_validity} {sources} {targets}"


def _note(session: Session, uid_validity: int, uids: Iterable[int]) -> None:
    """
    Messages came into the open folder by the client's own doing: of these NOTIFY tells nothing (RFC 5465
    section 5.2).
    """
    view, notifier = session.view, session.notifier
    if view is not None and notifier is not None and notifier.items and view.uid_validity == uid_validity:
        notifier.own.update(uids)


def isOpen(session: Session, name: str) -> bool:
    """
    Whether C{name} is the name of the folder that the session looks at.
    """
    try:
        return session.view is not None and session.view.name == folderName(name)
    except InvalidName:
        return False


async def _mayRead(session: Session, name: str) -> bool:
    """
    Whether the user may open the folder: who may only put messages into it learns nothing of it
    (RFC 4315 section 3).
    """
    if name.split(SEPARATOR)[0] not in (PUBLIC_ROOT, OTHERS_ROOT):
        return True  # the user's own
    try:
        return "r" in await session.store.rights(session.user, name)
    except StoreError:
        return False  # the messages are where they should be; only this cannot be told
