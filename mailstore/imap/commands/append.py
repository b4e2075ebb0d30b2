"""
APPEND (RFC 9051 section 6.3.12), also of several messages at once (RFC 3502),
with the C{APPENDUID} of RFC 4315, as C{literal8} (RFC 3516 section 4.4), and put together of
parts (RFC 4469).

::

    A1 APPEND Sent (\\Seen) {310}      announced: rights and size are checked by IStore.upload,
                                       before a byte of the message is taken
    ... 310 bytes ...                  data: handed to the upload as they come, at the store's pace
                                       parse, run: IStore.append stores them all or none
                                       discard: what was not stored is given back, whatever happened

A message is never held here: what has come is in the store's hands.  Of one that is put together, the
parts that are in the store already are read from there, piece by piece, when the literal behind them is
announced or the command has come to its end, and written into the same upload.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs

from mailstore.imap.command import Bad, Command, LiteralHandler, No, Ok, Refused, Reply, Take
from mailstore.imap.messageurls import sectionOf
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

    arguments: AppendArguments
    literals: AppendLiterals

    @property
    def mailbox(self) -> str:
        """
        The folder.
        """
        return self.arguments.mailbox

    async def messages(self) -> tuple[NewMessage, ...]:
        """
        The messages, which are all in the store's hands then.

        @raise Refused: one cannot be put together.
        @raise StoreError: as the store's C{upload} and C{readSection}.
        """
        return await self.literals.complete(self.arguments)


class AppendLiterals(LiteralHandler):
    """
    Takes the messages of one APPEND.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._uploads: list[IUpload] = []
        #: Bytes that each of them has, or has announced.
        self._sizes: list[int] = []
        #: Parts of each that are in it.
        self._done: list[int] = []

    async def announced(self, reader: Reader, size: int, synchronizing: bool, binary: bool) -> Take | Reply:
        """
        The name of the folder and URLs are collected, if they are literals; then each is a message or a
        part of one.

        @raise StoreError: as L{IStore.upload<mailstore.interfaces.IStore.upload>}.
        """
        reader.space()
        arguments = self.read(reader)
        if arguments is None:
            return Take.COLLECT
        message = arguments.messages[-1]
        if (message.parts[-1].utf8 if message.parts else message.utf8) and not self.session.utf8:
            return _NO_UTF8
        await self._gather(arguments, pending=True)
        if message.parts:
            self._grow(-1, size)
            self._done[-1] += 1
            return Take.STREAM
        if not size:
            # RFC 3502 section 6.3.11: this is how a client gives up the whole command.
            return _EMPTY
        if size > self.session.limits.max_message:
            return _TOO_BIG
        await self._upload(arguments.mailbox, size)
        return Take.STREAM

    def read(self, reader: Reader) -> AppendArguments | None:
        """
        Read what there is of the arguments; C{None} if what was announced is to be collected.

        @raise ParseError:
        """
        return readAppendAnnounced(reader)

    async def _upload(self, mailbox: str, size: int | None) -> None:
        """
        Begin the next message.
        """
        if len(self._uploads) >= MAX_MESSAGES:
            raise Refused(_TOO_MANY)
        session = self.session
        self._uploads.append(await session.store.upload(session.user, mailbox, size))
        self._sizes.append(size or 0)
        self._done.append(0)

    def _grow(self, at: int, size: int) -> None:
        """
        @raise Refused: a message is too big by that.
        """
        self._sizes[at] += size
        if self._sizes[at] > self.session.limits.max_message:
            raise Refused(_TOO_BIG)

    async def _gather(self, arguments: AppendArguments, pending: bool) -> None:
        """
        Copy the parts that are due: all, or if C{pending} all before what was announced.
        """
        last = len(arguments.messages) - 1
        for at, message in enumerate(arguments.messages):
            due = message.parts[:-1] if pending and at == last else message.parts
            if not message.parts:
                if at >= len(self._uploads) + (pending and at == last):
                    raise ParseError("Expected a message as a literal")
                continue
            if at >= len(self._uploads):
                await self._upload(arguments.mailbox, None)
            for part in due[self._done[at] :]:
                if part.url is not None:
                    async with aclosing(sectionOf(self.session, part.url)) as pieces:
                        async for piece in pieces:
                            self._grow(at, len(piece))
                            await self._uploads[at].write(piece)
                self._done[at] += 1

    async def complete(self, arguments: AppendArguments) -> tuple[NewMessage, ...]:
        """
        See L{AppendRequest.messages}.
        """
        await self._gather(arguments, pending=False)
        if not all(self._sizes):
            raise Refused(_EMPTY)
        pairs = zip(self._uploads, arguments.messages, strict=True)
        return tuple(_newMessage(upload.token, message) for upload, message in pairs)

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
        return AppendRequest(readAppend(reader), self)

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
    result = await session.store.append(session.user, request.mailbox, await request.messages())
    if isOpen(session, request.mailbox):
        session.touch()
    return Ok(code=await appendUid(session, request.mailbox, result))


COMMANDS = (Command("APPEND", SIGNED_IN, withoutLiteral, run, try_create=True, literals=AppendLiterals),)
