"""
STATUS (RFC 9051 section 6.3.11), with STATUS=SIZE (RFC 8438).
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire import writer
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.statusitems import readStatusItems
from mailstore.imap.wire.values import StatusItem
from mailstore.model import FolderStatus

#: Where each item is found.
_ITEMS: dict[StatusItem, Callable[[FolderStatus], int]] = {
    StatusItem.MESSAGES: lambda status: status.messages,
    StatusItem.RECENT: lambda status: status.recent,
    StatusItem.UIDNEXT: lambda status: status.uid_next,
    StatusItem.UIDVALIDITY: lambda status: status.uid_validity,
    StatusItem.UNSEEN: lambda status: status.unseen,
    StatusItem.DELETED: lambda status: status.deleted,
    StatusItem.SIZE: lambda status: status.size,
    StatusItem.HIGHESTMODSEQ: lambda status: status.highest_modseq,
}


def parse(reader: Reader) -> tuple[str, tuple[StatusItem, ...]]:
    """
    The folder and what is asked of it.
    """
    reader.space()
    name = reader.mailbox()
    reader.space()
    items = readStatusItems(reader)
    reader.end()
    return name, items


async def run(session: Session, arguments: tuple[str, tuple[StatusItem, ...]]) -> Reply:
    """
    Answer from the store's counts, also for the folder that is open: those are
    what is, not what the client has been told.

    The messages that are recent to this session are no longer so to the store, which gives them
    to one session only (RFC 3501 section 2.3.2): in the folder that is open they are counted too.
    """
    name, items = arguments
    status = await session.store.status(session.user, name)
    view = session.view
    if view is not None and view.claims_recent and view.folder == status.folder:
        status = attrs.evolve(status, recent=status.recent + view.recent)
    values = " ".join(f"{item.value} {_ITEMS[item](status)}" for item in items)
    await session.untagged(b"STATUS %s (%s)" % (writer.mailbox(name, session.utf8), values.encode("ascii")))
    return Ok()


COMMANDS = (Command("STATUS", SIGNED_IN, parse, run),)
