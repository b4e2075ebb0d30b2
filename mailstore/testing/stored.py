"""
Messages in a store, as tests look at them.
"""

from __future__ import annotations

import datetime
import email.policy
import threading
from array import array
from email.message import EmailMessage
from email.parser import BytesParser

import attrs
from zope.interface import implementer

from mailstore.interfaces import IStore, IStoreObserver
from mailstore.model import FetchSpec, Section, UidSet, flagNames, uint32s, uint64s

_WHOLE = Section()


@attrs.frozen
class Mail:
    """
    A message in a folder.
    """

    uid: int
    #: Names of its flags, such as C{("\\\\Seen",)}.
    flags: tuple[str, ...]
    #: When it arrived, with the zone that the server was told.
    date: datetime.datetime
    #: The whole message, as clients are given it.
    content: bytes = attrs.field(repr=False)

    @property
    def message(self) -> EmailMessage:
        """
        The same, parsed by Python's C{email}.
        """
        return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(self.content)

    @property
    def subject(self) -> str:
        """
        Its subject, decoded; C{""} if it has none.
        """
        return str(self.message.get("Subject", ""))

    @property
    def text(self) -> str:
        """
        Its plain text, decoded, with C{\\n} at the ends of lines; C{""} if it has none.
        """
        body = self.message.get_body(("plain",))
        return "" if body is None else str(body.get_content()).replace("\r\n", "\n")


async def readMails(store: IStore, user: str, name: str) -> tuple[Mail, ...]:
    """
    All messages of a folder, in the order of their UIDs; no flag is set.

    @param name: of the folder, as C{user} sees it.
    @raise StoreError: it is not there, or may not be read.
    """
    folder = await store.openFolder(user, name, False)
    spec = FetchSpec(flags=True, internal_date=True, sections=(_WHOLE,))
    mails: list[Mail] = []
    batches = store.fetch(user, folder.folder, UidSet(((1, 0xFFFFFFFF),)), spec)
    try:
        async for batch in batches:
            zones = array("h", batch.zones)
            rows = zip(
                *(uint32s(batch.uids), uint64s(batch.flags), uint64s(batch.internal_dates)),
                *(zones, batch.sections[0]),
                strict=True,
            )
            for uid, mask, moment, zone, content in rows:
                if not isinstance(content, bytes):
                    # Too much for a batch.
                    pieces = store.readSection(user, folder.folder, uid, _WHOLE)
                    content = b"".join([piece async for piece in pieces])
                where = datetime.timezone(datetime.timedelta(minutes=zone))
                date = datetime.datetime.fromtimestamp(moment, where)
                mails.append(Mail(uid, flagNames(mask, batch.keywords), date, content))
    finally:
        await batches.aclose()
    return tuple(mails)


@implementer(IStoreObserver)
class Watch:
    """
    Tells another thread that something has changed.

    @ivar changed: set when it has.
    """

    def __init__(self) -> None:
        self.changed = threading.Event()

    def folderChanged(self, folder: int, user: str) -> None:
        """
        See L{IStoreObserver.folderChanged}.
        """
        self.changed.set()

    def everythingChanged(self) -> None:
        """
        See L{IStoreObserver.everythingChanged}.
        """
        self.changed.set()
