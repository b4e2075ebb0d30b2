"""
APPEND (RFC 9051 section 6.3.12), also of several messages at once (RFC 3502),
with the C{APPENDUID} of RFC 4315, and as C{literal8} (RFC 3516 section 4.4).

::

    A1 APPEND Sent (\\Seen) {310}      announced: rights and size are checked by IStore.upload,
                                       before a byte of the message is taken
    ... 310 bytes ...                  data: handed to the upload as they come, at the store's pace
                                       parse, run: IStore.append stores them all or none
                                       discard: what was not stored is given back, whatever happened

A message is never held here: what has come is in the store's hands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from mailstore.imap.command import Bad, Command, LiteralHandler, No, Ok, Refused, Reply, Take
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.uidplus import appendUid, isOpen
from mailstore.imap.wire.appendargs import readAppend, readAppendAnnounced
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import AppendArguments, AppendMessage, ParseError
from mailstore.model import SYSTEM_FLAGS, NewMessage

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.interfaces import IUpload

#: Messages that one command may bring.  Each of them is an upload under way until all have come.
MAX_MESSAGES = 100

_NO_UTF8 = Bad("A message with UTF8 needs ENABLE UTF8=ACCEPT before")
_EMPTY = No("A message cannot be empty")
_TOO_MANY = No(f"One APPEND can bring at most {MAX_MESSAGES} messages", "LIMIT")

#: RFC 7889: over what C{APPENDLIMIT} says.
_TOO_BIG = No("The message is too big", "TOOBIG")


@attrs.frozen
class AppendRequest:
    """
    What to store where.
    """

    mailbox: str
    messages: tuple[NewMessage, ...]


class AppendLiterals(LiteralHandler):
    """
    Takes the messages of one APPEND.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._uploads: list[IUpload] = []

    async def announced(self, reader: Reader, size: int, synchronizing: bool, binary: bool) -> Take | Reply:
        """
        The name of the folder is collected, if it is a literal; then each is a message.

        @raise StoreError: as L{IStore.upload<mailstore.interfaces.IStore.upload>}.
        """
        reader.space()
        arguments = self.read(reader)
        if arguments is None:
            return Take.COLLECT
        message = arguments.messages[-1]
        if len(arguments.messages) != len(self._uploads) + 1:
            raise ParseError("Expected a message as a literal")
        if message.utf8 and not self.session.utf8:
            return _NO_UTF8
        if not size:
            # RFC 3502 section 6.3.11: this is how a client gives up the whole command.
            return _EMPTY
        if len(self._uploads) >= MAX_MESSAGES:
            return _TOO_MANY
        session = self.session
        if size > session.limits.max_message:
            return _TOO_BIG
        self._uploads.append(await session.store.upload(session.user, arguments.mailbox, size))
        return Take.STREAM

    def read(self, reader: Reader) -> AppendArguments | None:
        """
        Read what there is of the arguments; C{None} if the folder's name is what was announced.

        @raise ParseError:
        """
        return readAppendAnnounced(reader)

    async def data(self, data: bytes) -> None:
        """
        Hand a piece to the store, which keeps it as it came, NUL as well (RFC 3516 section 4.4).

        @raise StoreError: as L{IUpload.write<mailstore.interfaces.IUpload.write>}.
        """
        await self._uploads[-1].write(data)

    def parse(self, reader: Reader) -> Any:
        """
        Read the whole command.

        @return: an L{AppendRequest}.
        @raise ParseError:
        """
        reader.space()
        return self.request(readAppend(reader))

    def request(self, arguments: AppendArguments) -> AppendRequest:
        """
        What to store where, when all has come.

        @raise ParseError: not every message has.
        """
        if len(arguments.messages) != len(self._uploads):
            raise ParseError("Expected a message as a literal")
        pairs = zip(self._uploads, arguments.messages, strict=True)
        return AppendRequest(
            arguments.mailbox, tuple(_newMessage(upload.token, message) for upload, message in pairs)
        )

    def discard(self) -> None:
        """
        Give back the uploads that were not stored.
        """
        for upload in self._uploads:
            upload.discard()


def _newMessage(token: int, message: AppendMessage) -> NewMessage:
    """
    Flags that no client can set are left out, as are those that the user has no
    right to set (RFC 4314 section 4): C{\\Recent} and flags with a backslash that nobody knows.
    """
    flags = tuple(flag for flag in message.flags if flag[0] != "\\" or flag in SYSTEM_FLAGS)
    return NewMessage(token, flags, message.internal_date, message.zone)


def withoutLiteral(reader: Reader) -> AppendRequest:
    """
    Where there is no literal there is no message.

    @raise Refused:
    """
    raise Refused(Bad("That needs a message"))


async def run(session: Session, request: AppendRequest) -> Reply:
    """
    Store the messages.
    """
    result = await session.store.append(session.user, request.mailbox, request.messages)
    if isOpen(session, request.mailbox):
        session.touch()
    return Ok(code=await appendUid(session, request.mailbox, result))


COMMANDS = (Command("APPEND", SIGNED_IN, withoutLiteral, run, try_create=True, literals=AppendLiterals),)
