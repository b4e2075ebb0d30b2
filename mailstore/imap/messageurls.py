"""
The bytes that a URL names, for CATENATE (RFC 4469).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from mailstore.errors import InvalidName, InvalidRequest, NoSuchFolder, NotSelectable, PermissionDenied
from mailstore.imap.command import No, Refused
from mailstore.imap.fetching import storeSection
from mailstore.imap.session import SessionOver
from mailstore.imap.wire.messageurl import MessageUrl, readMessageUrl
from mailstore.imap.wire.responsecodes import badUrl
from mailstore.imap.wire.values import ParseError

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: What the store says of a URL that leads nowhere, or to what its user may not read.
_NOWHERE = (NoSuchFolder, NotSelectable, PermissionDenied, InvalidName, InvalidRequest)


async def sectionOf(session: Session, url: bytes) -> AsyncGenerator[bytes, None]:
    """
    What FETCH BODY.PEEK would give, in pieces.

    @raise Refused: with NO and C{BADURL}; it leads nowhere.
    @raise SessionOver: the client has gone.
    @raise StoreError: anything else that the store says.
    """
    try:
        source = readMessageUrl(url)
        folder = await _folder(session, source)
        section = storeSection(source.section)
        pieces = session.store.readSection(session.user, folder, source.uid, section)
        async with aclosing(pieces):
            async for piece in pieces:
                if session.link.lost:
                    raise SessionOver()
                yield piece
    except (ParseError, *_NOWHERE) as error:
        raise Refused(No("That URL leads nowhere", badUrl(url))) from error


async def _folder(session: Session, source: MessageUrl) -> int:
    """
    The identity of the folder that a URL names.
    """
    if not source.mailbox:
        if session.view is None:
            raise ParseError("No folder is open")
        return session.view.folder
    status = await session.store.status(session.user, source.mailbox)
    if source.uid_validity not in (None, status.uid_validity):
        raise ParseError("UIDs are not valid any more")
    return status.folder
