"""
The main loop of a session: one command after the other, each to its tagged
reply.

Pipelined commands wait unparsed in the framer's buffer, and beyond
C{limits.max_buffered} in the client: while a command runs, nothing is read past that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from twisted.logger import Logger

from mailstore.errors import NoSuchFolder, StoreError
from mailstore.imap import registry
from mailstore.imap.capabilities import capabilities, extensions
from mailstore.imap.command import Bad, Command, LiteralHandler, No, Ok, Refused, Reply, Take
from mailstore.imap.following import FolderLost
from mailstore.imap.refusals import BUG, refusal
from mailstore.imap.session import Session, SessionOver
from mailstore.imap.states import State
from mailstore.imap.wire import writer
from mailstore.imap.wire.framer import (
    CommandDiscarded,
    CommandReceived,
    Framer,
    FramerLimits,
    LineTooLong,
    LiteralAnnounced,
    LiteralData,
    TooMuchToDiscard,
)
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.readstrings import isTag
from mailstore.imap.wire.values import ParseError, UnknownCharset

if TYPE_CHECKING:
    from mailstore.imap.frontend import FrontEnd
    from mailstore.imap.knowncommands import Words
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.waiting import ILink

_Result = TypeVar("_Result")

_CONDITIONS: dict[type[Reply], tuple[bytes, str]] = {
    Ok: (b"OK", "OK"),
    No: (b"NO", "NO"),
    Bad: (b"BAD", "BAD"),
}

_TOO_LONG = Bad("The command line is too long", "TOOBIG")

#: RFC 7888 section 5: larger ones the client must have waited for, where LITERAL- is announced.
_MOST_UNASKED = 4096

_UNASKED = Bad(f"A literal of more than {_MOST_UNASKED} bytes must wait for the server", "TOOBIG")

_TOO_MUCH = "[TOOBIG] More than can be read and thrown away was announced"

#: RFC 2180 section 3.3: of what may happen to a session whose folder was deleted, BYE is what
#: every client understands; left alone, its sequence numbers would mean nothing.
_FOLDER_LOST = "The folder that was open is not there any more"

#: Commands that a pipelining client may have run before others get a turn.
_TURN = 32


@attrs.define
class _Head:
    """
    The beginning of a command.
    """

    #: C{*} when there is no tag to answer to.
    tag: bytes = b"*"
    command: Command | None = None
    #: Why it cannot be carried out, if that is known already.
    refused: Reply | None = None
    #: What was known of the command, and a place in it behind its name.
    parts: tuple[bytes, ...] = ()
    reader: Reader | None = None
    #: The words by which it is known.
    words: Words | None = None
    #: It was read before.
    is_known: bool = False
    arguments: Any = None


class Connection:
    """
    Runs one session from its greeting to its end.

    @ivar session: what its commands see.
    """

    log = Logger()

    def __init__(self, front: FrontEnd, link: ILink) -> None:
        limits = front.limits
        framer = Framer(
            FramerLimits(
                max_line=limits.max_line,
                max_literal=limits.max_literal,
                max_literals_total=limits.max_literals,
                max_literals=limits.max_literal_count,
                max_chunk=limits.max_write,
                max_discarded=limits.max_discarded,
            )
        )
        self.session = Session(front, link, framer)
        self._link = link
        self._bad_commands = 0
        self._begun = 0.0

    @property
    def _limits(self) -> ImapLimits:
        return self.session.limits

    # --- from the protocol ----------------------------------------------------

    def received(self, data: bytes) -> None:
        """
        Bytes came from the client.
        """
        session = self.session
        session.receive(data)
        if session.buffered > self._limits.max_buffered:
            self._link.pause()
        session.bell.fire()

    def lost(self) -> None:
        """
        The client is gone.
        """
        self.session.bell.fire()

    async def run(self) -> None:
        """
        Greet, answer commands until the session is over, and close.  Never fails.
        """
        session = self.session
        bye = ""
        try:
            if not session.front.admit(session):
                self.log.info("{peer}: refused, too many connections", peer=self._link.address)
                bye = "[UNAVAILABLE] Too many connections, try again later"
                return
            await self._greet()
            while True:
                for _ in range(_TURN):
                    await self._one()
                    if session.over:
                        return
                await session.front.runtime.sleep(0)
        except SessionOver as over:
            bye = over.bye
        except Exception:
            self.log.failure("{peer}: the session failed", peer=self._link.address)
            bye = "[SERVERBUG] Internal error; it has been logged"
        finally:
            session.ended()
            if bye and not self._link.lost:
                session.hand(b"* BYE %s\r\n" % bye.encode("ascii"))
            self._link.close()

    async def _greet(self) -> None:
        session = self.session
        await session.write(
            writer.status(b"*", b"OK", "mailstore is ready", f"CAPABILITY {capabilities(session)}".encode())
        )

    # --- one command -----------------------------------------------------------

    async def _one(self) -> None:
        session = self.session
        signed_in = session.state is not State.NOT_AUTHENTICATED
        try:
            event = await session.nextCommand(
                self._limits.idle_timeout if signed_in else self._limits.login_timeout
            )
        except FolderLost:
            raise SessionOver(_FOLDER_LOST) from None
        self._begun = session.front.runtime.seconds()
        if isinstance(event, LineTooLong):
            await self._reply(_Head(event.tag or b"*"), _TOO_LONG)
            return
        if isinstance(event, TooMuchToDiscard):
            await self._reply(_Head(event.tag or b"*"), _TOO_LONG)
            raise SessionOver(_TOO_MUCH)
        assert isinstance(event, (CommandReceived, LiteralAnnounced)), event
        head = self._readHead(event.parts)
        session.tag = head.tag
        handler: LiteralHandler | None = None
        try:
            if head.command is not None and head.refused is None and head.command.literals is not None:
                handler = head.command.literals(session)
            if isinstance(event, CommandReceived):
                parts, refused = event.parts, head.refused
            else:
                parts, refused = await self._gather(event, head, handler)
            if refused is None:
                refused = await self._run(head, handler, parts)
        except FolderLost:
            raise SessionOver(_FOLDER_LOST) from None
        finally:
            if handler is not None:
                handler.discard()
        await self._finish(head, refused)

    def _reader(self, parts: tuple[bytes, ...]) -> Reader:
        session = self.session
        return Reader(
            parts,
            utf8=session.utf8,
            extensions=extensions(session),
            limits=session.front.reader_limits,
        )

    def _readHead(self, parts: tuple[bytes, ...]) -> _Head:
        session = self.session
        words: Words | None = None
        if len(parts) == 1 and session.state is not State.NOT_AUTHENTICATED:
            tag, space, rest = parts[0].partition(b" ")
            words = (space + rest, session.utf8, extensions(session))
            known = session.front.known_commands.get(words)
            if known is not None and isTag(tag):
                row, arguments = known
                if session.state in row.states:
                    return _Head(tag, row, None, parts, None, words, True, arguments)
        reader = self._reader(parts)
        try:
            tag = reader.tag()
        except ParseError:
            return _Head(refused=Bad("A command begins with a tag"))
        try:
            reader.space()
            name = reader.commandName()
        except ParseError as error:
            return _Head(tag, refused=Bad(str(error)))
        command = registry.COMMANDS.get(name)
        if command is None:
            return _Head(tag, refused=Bad("There is no such command"))
        if self.session.state not in command.states:
            return _Head(tag, command, Bad(f"{name} is not possible when {self.session.state.value}"))
        return _Head(tag, command, None, parts, reader, words if command.repeated else None)

    async def _gather(
        self, event: object, head: _Head, handler: LiteralHandler | None
    ) -> tuple[tuple[bytes, ...], Reply | None]:
        """
        Receive the rest of a command, literal by literal.

        @return: the whole command; and the reply, if it has been refused.
        """
        session = self.session
        framer = session.framer
        refused = head.refused
        while True:
            if isinstance(event, CommandReceived):
                return event.parts, refused
            if isinstance(event, CommandDiscarded):
                return event.parts, refused
            if isinstance(event, LineTooLong):
                return (), refused or _TOO_LONG
            if isinstance(event, TooMuchToDiscard):
                await self._reply(head, refused or _TOO_LONG)
                raise SessionOver(_TOO_MUCH)
            if isinstance(event, LiteralAnnounced):
                decided = refused or await self._decide(event, head, handler)
                if isinstance(decided, Reply):
                    refused = decided
                    if event.synchronizing:
                        framer.refuseLiteral()
                        return event.parts, refused
                    if event.size > self._limits.max_discarded:
                        await self._reply(head, refused)
                        raise SessionOver(_TOO_MUCH)
                    framer.refuseLiteral()
                else:
                    if decided is Take.STREAM:
                        framer.streamLiteral()
                    else:
                        framer.collectLiteral()
                    if event.synchronizing:
                        await session.write(b"+ Go on\r\n")
            elif isinstance(event, LiteralData) and refused is None:
                assert handler is not None and head.command is not None
                refused = await self._guarded(head.command, _noReply(handler.data(event.data)))
            event = await session.nextEvent(self._limits.literal_timeout)

    async def _decide(
        self, event: LiteralAnnounced, head: _Head, handler: LiteralHandler | None
    ) -> Take | Reply:
        if self.session.front.literal_minus and not event.synchronizing and event.size > _MOST_UNASKED:
            return _UNASKED
        decided: Take | Reply | None = Take.COLLECT
        if handler is not None:
            assert head.command is not None
            reader = self._reader(event.parts)
            self._skipHead(reader)
            decided = await self._guarded(
                head.command, handler.announced(reader, event.size, event.synchronizing, event.binary)
            )
        if decided is Take.COLLECT:
            most = self._limits.max_literal
            if self.session.state is State.NOT_AUTHENTICATED:
                most = min(most, self._limits.max_literal_before_login)
            if not event.fits or event.size > most:
                return No("The literal is too long", "TOOBIG")
        assert decided is not None
        return decided

    def _skipHead(self, reader: Reader) -> None:
        reader.tag()
        reader.space()
        reader.commandName()

    async def _run(self, head: _Head, handler: LiteralHandler | None, parts: tuple[bytes, ...]) -> Reply:
        command, reader = head.command, head.reader
        assert command is not None
        if not head.is_known and (reader is None or parts is not head.parts):
            reader = self._reader(parts)
            self._skipHead(reader)
        parse: Callable[[Reader], Any] = command.parse if handler is None else handler.parse

        interceptor = self.session.front.interceptor

        async def whole() -> Reply:
            arguments = head.arguments
            if reader is not None:
                arguments = parse(reader)
                if head.words is not None and parts is head.parts:
                    self.session.front.known_commands.add(head.words, command, arguments)
            if interceptor is not None:
                refused = await interceptor.before(self.session, command.name)
                if refused is not None:
                    return refused
            if command.by_uid:
                await self.session.catchUp()
            return await command.run(self.session, arguments)

        reply: Reply = await self._guarded(command, whole())
        if interceptor is not None:
            await interceptor.after(self.session, command.name)
        return reply

    async def _guarded(self, command: Command, work: Awaitable[_Result]) -> _Result | Reply:
        """
        Wait for a part of a command, and turn what it raises into a reply.
        """
        session = self.session
        try:
            return await work
        except UnknownCharset as error:
            return No(str(error), "BADCHARSET")
        except ParseError as error:
            return Bad(str(error))
        except Refused as refused:
            return refused.reply
        except StoreError as error:
            if isinstance(error, NoSuchFolder):
                session.touch()
            return refusal(error, command.try_create)
        except (SessionOver, FolderLost):
            raise
        except Exception:
            self.log.failure("{name} of {user!r} failed", name=command.name, user=session.user)
            return BUG

    async def _finish(self, head: _Head, reply: Reply) -> None:
        """
        Tell what changed, then the reply, then do what was to be done after it.
        """
        session = self.session
        lost = False
        if head.command is not None and not isinstance(reply, Bad) and session.view is not None:
            session.replies = True
            try:
                await session.sync(may_expunge=not head.command.uses_seqs)
            except FolderLost:
                lost = True
            finally:
                session.replies = False
            if session.condstore and (session.dirty or session.view.vanished):
                # RFC 7162 section 3.2: a mod-sequence may have been told that is greater than
                # that of an expunge which has to wait.
                await session.sayHighest()
        await self._reply(head, reply)
        if lost:
            raise SessionOver(_FOLDER_LOST)
        if session.state is State.NOT_AUTHENTICATED:
            self._bad_commands = self._bad_commands + 1 if isinstance(reply, Bad) else 0
            if self._bad_commands >= self._limits.max_bad_commands:
                raise SessionOver("Too many bad commands")
        after, session.after_reply = session.after_reply, None
        if after is not None:
            after()

    async def _reply(self, head: _Head, reply: Reply) -> None:
        session = self.session
        condition, counted = _CONDITIONS[type(reply)]
        name = "" if head.command is None else head.command.name
        front = session.front
        front.commands[name, counted] += 1
        if name != "IDLE":
            front.timings.note(front.runtime.seconds() - self._begun)
        text = reply.text or _usualWords(name, condition)
        await session.finish(writer.status(head.tag, condition, text, reply.code.encode("ascii")))


@lru_cache(1024)
def _usualWords(name: str, condition: bytes) -> str:
    """
    What is said of a command that gives no words of its own.
    """
    return f"{name or 'Command'} {'completed' if condition == b'OK' else 'failed'}"


async def _noReply(work: Awaitable[None]) -> None:
    await work
