"""
REPLACE and UID REPLACE (RFC 8508): a new message and the end of an old one, as one change.

The message comes as in L{mailstore.imap.commands.append}.  An untagged C{OK [APPENDUID ...]} stands before
the C{EXPUNGE} response (RFC 8508 section 4.3), which stands before the tagged reply.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.command import Command, Ok, Reply, Take
from mailstore.imap.commands.append import AppendLiterals, AppendRequest, withoutLiteral
from mailstore.imap.commands.fetch import EXPUNGED
from mailstore.imap.commands.store import READ_ONLY
from mailstore.imap.states import SELECTED
from mailstore.imap.uidplus import appendUid
from mailstore.imap.wire.appendargs import readAppendAnnounced, readReplace, readReplaced
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import AppendArguments, ParseError, SequenceSet

if TYPE_CHECKING:
    from mailstore.imap.session import Session


@attrs.frozen
class ReplaceRequest:
    """
    What to store where, in place of which message.
    """

    #: Its sequence number or UID; 0 for the last one.
    number: int
    new: AppendRequest


class ReplaceLiterals(AppendLiterals):
    """
    Takes the one message of REPLACE.
    """

    async def announced(self, reader: Reader, size: int, synchronizing: bool, binary: bool) -> Take | Reply:
        """
        As for APPEND; into a folder that is open to look only, nothing is taken.
        """
        view = self.session.view
        if view is not None and view.read_only:
            return READ_ONLY
        return await super().announced(reader, size, synchronizing, binary)

    def read(self, reader: Reader) -> AppendArguments | None:
        """
        Read what there is of the arguments.

        @raise ParseError: also for a second message.
        """
        readReplaced(reader)
        arguments = readAppendAnnounced(reader)
        if arguments is not None and len(arguments.messages) > 1:
            raise ParseError("REPLACE brings one message")
        return arguments

    def parse(self, reader: Reader) -> ReplaceRequest:
        """
        Read the whole command.

        @raise ParseError:
        """
        reader.space()
        number, arguments = readReplace(reader)
        return ReplaceRequest(number, AppendRequest(arguments, self))


async def run(session: Session, request: ReplaceRequest, by_uid: bool) -> Reply:
    """
    Store the message and remove the other, or neither.
    """
    view = session.view
    assert view is not None
    uids = list(view.uidsOf(SequenceSet(((request.number, request.number),)), by_uid))
    if not uids:
        return EXPUNGED
    new = request.new
    messages = await new.messages()
    result = await session.store.append(session.user, new.mailbox, messages, (view.folder, uids[0]))
    session.touch()
    if not result.uids:
        return EXPUNGED
    code = await appendUid(session, new.mailbox, result)
    if code:
        await session.untagged(f"OK [{code}] It is replaced".encode("ascii"))
    return Ok(code=await session.highestAfter())


COMMANDS = tuple(
    Command(
        name,
        SELECTED,
        withoutLiteral,
        partial(run, by_uid=by_uid),
        try_create=True,
        literals=ReplaceLiterals,
    )
    for name, by_uid in (("REPLACE", False), ("UID REPLACE", True))
)
