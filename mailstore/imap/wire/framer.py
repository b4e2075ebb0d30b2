"""
Cuts what a client sends into commands, before anybody looks at what they say.

These sentences hold (RFC 9051 section 2.2.1, RFC 7888):

  - A command that is refused, too long or nonsense costs itself and never the
    commands after it: bytes of a literal are never taken for a command.
  - L{Framer.next} looks no further than the event it gives.
  - Between events no more is held than one command's lines, its collected
    literals and what L{Framer.receive} was given since.
"""

from __future__ import annotations

import enum
import re
from typing import Final

import attrs

from mailstore.imap.wire.classes import TAG_CHAR
from mailstore.imap.wire.values import MAX_NUMBER64


@attrs.frozen
class FramerLimits:
    """
    How much of a command is kept in memory.
    """

    #: Bytes in all the lines of one command, without line ends and literals.
    max_line: int = 65536
    #: Bytes in one literal that is collected.
    max_literal: int = 65536
    #: Bytes in all collected literals of one command.
    max_literals_total: int = 262144
    #: Literals of any kind in one command, for one more to be collected.
    max_literals: int = 1000
    #: Bytes in one L{LiteralData}.
    max_chunk: int = 65536
    #: Bytes in all the literals of one command that are thrown away.
    max_discarded: int = 128 << 20


@attrs.frozen
class CommandReceived:
    """
    A whole command has arrived.
    """

    #: Text, literal, text, literal, ..., text, without line ends.  A text
    #: before a literal ends with the literal's announcement (C{~{12+}}); the
    #: place of a literal that was streamed is C{b""}.
    parts: tuple[bytes, ...]


@attrs.frozen
class LiteralAnnounced:
    """
    A line ends with the announcement of a literal.  Now exactly one of
    L{Framer.collectLiteral}, L{Framer.streamLiteral} and
    L{Framer.refuseLiteral} must be called.  If C{synchronizing}, and it is not
    refused, send a continuation request.
    """

    #: The command so far, as in L{CommandReceived}; the last is the text with
    #: the announcement.
    parts: tuple[bytes, ...]
    #: Bytes it will have: at most L{MAX_NUMBER64}, any larger number is cut to that.
    size: int
    #: Whether the client waits for a continuation request before it sends the literal.
    synchronizing: bool
    #: Whether it is a C{literal8}, C{~{n}}.
    binary: bool
    #: Whether the limits let it be collected.
    fits: bool


@attrs.frozen
class LiteralData:
    """
    Some bytes of the literal that is being streamed; never empty.  After as
    many bytes as were announced the command's text goes on.
    """

    data: bytes


@attrs.frozen
class CommandDiscarded:
    """
    A command whose non-synchronizing literal was refused has passed by.
    """

    #: The command up to the literal refused, as in L{LiteralAnnounced}.
    parts: tuple[bytes, ...]


@attrs.frozen
class LineTooLong:
    """
    A command or line over the limit has passed by.
    """

    #: The command's tag, if one could be made out.
    tag: bytes | None


@attrs.frozen
class TooMuchToDiscard:
    """
    A command that is being thrown away goes on with a literal that is not worth reading.
    Where the next command begins is not known any more, and there are no further events:
    the connection must be closed (RFC 7888 section 4).
    """

    #: The command's tag, if one could be made out.
    tag: bytes | None


@attrs.frozen
class LineReceived:
    """
    The line asked for with L{Framer.expectLine}, without its end.
    """

    line: bytes


#: What L{Framer.next} can give.
Event = (
    CommandReceived
    | LiteralAnnounced
    | LiteralData
    | CommandDiscarded
    | LineTooLong
    | TooMuchToDiscard
    | LineReceived
)

# literal         = "{" number64 ["+"] "}" CRLF *CHAR8     (RFC 9051 section 9)
# literal8        = "~{" number ["+"] "}" CRLF *OCTET      (RFC 4466 section 6)
#: The announcement of a literal at the end of a line.  It is one wherever the line
#: ends so, even in nonsense: the client will send the bytes (RFC 7888 section 3).
#: A number of more digits than this is no number.
_ANNOUNCEMENT: Final = re.compile(rb"(~?)\{([0-9]{1,40})(\+?)\}\Z")

#: Bytes at the end of a line in which an announcement and CR have room.
_TAIL: Final = 48

#: The beginning of a command.
_TAG: Final = re.compile(rb"([" + TAG_CHAR + rb"]+) ")

#: Bytes at the beginning of a line that is too long, in which the tag is looked for.
_HEAD: Final = 256


class _State(enum.Enum):
    """
    What the next byte is.
    """

    #: A command's text.
    TEXT = enum.auto()
    #: A line of its own, in which nothing announces a literal.
    LINE = enum.auto()
    #: Unknown, until it has been said what becomes of a literal.
    VERDICT = enum.auto()
    #: In a literal that is collected.
    COLLECT = enum.auto()
    #: In a literal that is streamed.
    STREAM = enum.auto()
    #: In a literal that nobody wants.
    DROP_LITERAL = enum.auto()
    #: In the text of a command that nobody wants.
    DROP_TEXT = enum.auto()
    #: In a line of its own that nobody wants.
    DROP_LINE = enum.auto()
    #: Somewhere in what nobody wants, for good.
    LOST = enum.auto()


class Framer:
    """
    Takes bytes in, gives events out::

        framer.receive(data)
        while (event := framer.next()) is not None:
            ...

    Sans-IO, for one connection.  Every method but L{receive} belongs to whoever takes
    the events.
    """

    def __init__(self, limits: FramerLimits = FramerLimits()) -> None:
        self._limits = limits
        self._buffer = bytearray()
        #: Bytes of the buffer known to have no line end.
        self._scanned = 0
        self._state = _State.TEXT
        self._announced: LiteralAnnounced | None = None
        #: Bytes of the present literal that are still to come.
        self._remaining = 0
        #: Bytes of literals that may still be dropped with the present command.
        self._droppable = 0
        #: What is told when the present command has been dropped.
        self._ending: CommandDiscarded | LineTooLong = LineTooLong(None)
        self._newCommand()

    def _newCommand(self) -> None:
        """
        The next byte begins a command.
        """
        self._state = _State.TEXT
        self._parts: tuple[bytes, ...] = ()
        #: Bytes of text in C{_parts}.
        self._text = 0
        #: Bytes of collected literals in C{_parts}.
        self._collected = 0
        self._literal = bytearray()

    @property
    def buffered(self) -> int:
        """
        Bytes received that no event has given yet.  Stop reading the socket
        while this is above a bound I{and} events are not being taken; after
        L{next} gave C{None} it always needs more, and holds no more than
        C{max_line} and a few bytes.
        """
        return len(self._buffer) + len(self._literal)

    def receive(self, data: bytes) -> None:
        """
        Take what the client has sent, in pieces of any length.
        """
        self._buffer += data

    def expectLine(self) -> None:
        """
        Say that the client's next line is no command, such as DONE (RFC 2177)
        or an answer to a challenge (RFC 9051 section 6.2.2).  The next event
        is then L{LineReceived}, or L{LineTooLong} if it is longer than
        C{max_line}.

        @raise RuntimeError: a command has begun.
        """
        if self._state is not _State.TEXT or self._parts:
            raise RuntimeError("a line can only be expected between commands")
        self._state = _State.LINE

    def discardBuffered(self) -> int:
        """
        Forget what has been received, and begin anew with a command: after
        STARTTLS nothing sent in the clear may be taken for sent under TLS
        (RFC 9051 section 11.1).

        @return: how many bytes were thrown away.
        """
        count = self.buffered
        self._buffer.clear()
        self._scanned = 0
        self._announced = None
        self._newCommand()
        return count

    def takeBuffered(self) -> bytes:
        """
        Take back what has been received and no event has given, before what is received next is read in
        another way.

        @raise RuntimeError: a command has begun.
        """
        if self._state is not _State.TEXT or self._parts:
            raise RuntimeError("what is part of a command cannot be taken back")
        return self._take(len(self._buffer))

    # --- what becomes of a literal ---

    def _verdict(self) -> LiteralAnnounced:
        """
        @raise RuntimeError: no literal waits for it.
        """
        announced = self._announced
        if announced is None:
            raise RuntimeError("no literal has been announced")
        self._announced = None
        self._remaining = announced.size
        return announced

    def collectLiteral(self) -> None:
        """
        Keep the literal announced as a part of its command.

        @raise ValueError: it does not fit.
        @raise RuntimeError: none has been announced.
        """
        if self._announced is not None and not self._announced.fits:
            raise ValueError("the literal is over the limit for collected literals")
        self._collected += self._verdict().size
        self._state = _State.COLLECT

    def streamLiteral(self) -> None:
        """
        Give the literal announced as L{LiteralData}, whatever its size.

        @raise RuntimeError: none has been announced.
        """
        self._verdict()
        self._state = _State.STREAM

    def refuseLiteral(self) -> None:
        """
        Do without the literal announced, and the command.

        A synchronizing one: the command is over, and its refusal is to be sent.
        A non-synchronizing one: the rest of the command, up to its end or
        to a synchronizing literal, is thrown away as it arrives, and then
        L{CommandDiscarded} is given.  The refusal may be sent before that
        (RFC 7888 section 4).  If more than C{max_discarded} bytes of
        literals follow, L{TooMuchToDiscard} is given instead.

        @raise RuntimeError: none has been announced.
        """
        announced = self._verdict()
        if announced.synchronizing:
            self._newCommand()
        else:
            self._drop(CommandDiscarded(announced.parts), _State.DROP_LITERAL)
            self._droppable -= announced.size

    def _drop(self, ending: CommandDiscarded | LineTooLong, state: _State) -> None:
        """
        Throw away the present command, and then give C{ending}.
        """
        self._newCommand()
        self._ending = ending
        self._droppable = self._limits.max_discarded
        self._state = state

    # --- events ---

    def next(self) -> Event | None:
        """
        The next event; C{None} if more bytes are needed for it.

        @raise RuntimeError: it has not been said what becomes of the literal
            just announced.
        """
        while True:
            state = self._state
            event: Event | None = None
            if state is _State.TEXT:
                event = self._nextText()
            elif state is _State.COLLECT:
                self._nextCollect()
            elif state is _State.STREAM:
                event = self._nextStream()
            elif state is _State.LINE:
                event = self._nextLine()
            elif state is _State.DROP_LITERAL:
                self._nextDropLiteral()
            elif state is _State.LOST:
                self._buffer.clear()
                self._scanned = 0
            elif state is _State.VERDICT:
                raise RuntimeError("the literal announced was neither collected, streamed nor refused")
            else:
                event = self._nextDropText()
            if event is not None or state is self._state:
                return event

    def _take(self, count: int) -> bytes:
        """
        The first C{count} bytes of the buffer, which leave it.
        """
        buffer = self._buffer
        if count == len(buffer):
            data = bytes(buffer)
            buffer.clear()
        else:
            with memoryview(buffer) as view:
                data = bytes(view[:count])
            del buffer[:count]
        self._scanned = 0
        return data

    def _takeLine(self, room: int) -> bytes | None:
        """
        The buffer's first line, without its end (CRLF, or LF alone), if it is
        all there.

        @raise OverflowError: it has more bytes than C{room}.
        """
        buffer = self._buffer
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            # One more may be a CR.
            if self._scanned > room + 1:
                raise OverflowError
            return None
        stop = end - 1 if end and buffer[end - 1] == 0x0D else end
        if stop > room:
            raise OverflowError
        return self._take(end + 1)[:stop]

    def _nextText(self) -> Event | None:
        """
        Look for the end of the present line of a command.
        """
        try:
            line = self._takeLine(self._limits.max_line - self._text)
        except OverflowError:
            # Not more than is there in any case, however the bytes came.
            head = min(_HEAD, self._limits.max_line)
            first = self._parts[0] if self._parts else bytes(self._buffer[:head])
            self._drop(LineTooLong(_tagOf(first)), _State.DROP_TEXT)
            return None
        if line is None:
            return None
        parts = (*self._parts, line)
        literal = _ANNOUNCEMENT.search(line, max(0, len(line) - _TAIL)) if line.endswith(b"}") else None
        if literal is None:
            self._newCommand()
            return CommandReceived(parts)
        self._text += len(line)
        self._parts = parts
        size = min(int(literal[2]), MAX_NUMBER64)
        limits = self._limits
        self._announced = LiteralAnnounced(
            parts=parts,
            size=size,
            synchronizing=not literal[3],
            binary=bool(literal[1]),
            fits=(
                size <= limits.max_literal
                and self._collected + size <= limits.max_literals_total
                and len(parts) < 2 * limits.max_literals
            ),
        )
        self._state = _State.VERDICT
        return self._announced

    def _nextCollect(self) -> None:
        """
        Collect what there is of the present literal.
        """
        data = self._take(min(self._remaining, len(self._buffer)))
        self._remaining -= len(data)
        if self._remaining:
            self._literal += data
            return
        self._parts += (bytes(self._literal) + data if self._literal else data,)
        self._literal.clear()
        self._state = _State.TEXT

    def _nextStream(self) -> LiteralData | None:
        """
        Give what there is of the present literal.
        """
        if not self._remaining:
            self._parts += (b"",)
            self._state = _State.TEXT
            return None
        data = self._take(min(self._remaining, len(self._buffer), self._limits.max_chunk))
        self._remaining -= len(data)
        return LiteralData(data) if data else None

    def _nextLine(self) -> LineReceived | None:
        """
        Look for the end of a line of its own.
        """
        try:
            line = self._takeLine(self._limits.max_line)
        except OverflowError:
            self._drop(LineTooLong(None), _State.DROP_LINE)
            return None
        if line is None:
            return None
        self._newCommand()
        return LineReceived(line)

    def _nextDropLiteral(self) -> None:
        """
        Throw away what there is of the present literal.
        """
        count = min(self._remaining, len(self._buffer))
        del self._buffer[:count]
        self._scanned = 0
        self._remaining -= count
        if not self._remaining:
            self._state = _State.DROP_TEXT

    def _nextDropText(self) -> Event | None:
        """
        Throw away what there is of the present line; but if it announces a
        literal that the client sends without waiting, that must go as well.
        """
        buffer = self._buffer
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            del buffer[:-_TAIL]
            self._scanned = len(buffer)
            return None
        tail = bytes(buffer[max(0, end - _TAIL) : end]).removesuffix(b"\r")
        del buffer[: end + 1]
        self._scanned = 0
        literal = _ANNOUNCEMENT.search(tail)
        if self._state is _State.DROP_TEXT and literal is not None and literal[3]:
            self._remaining = int(literal[2])
            if self._remaining > self._droppable:
                self._state = _State.LOST
                ending = self._ending
                return TooMuchToDiscard(
                    ending.tag if isinstance(ending, LineTooLong) else _tagOf(ending.parts[0])
                )
            self._droppable -= self._remaining
            self._state = _State.DROP_LITERAL
            return None
        self._newCommand()
        return self._ending


def _tagOf(text: bytes) -> bytes | None:
    """
    The tag with which a command begins, if it does.
    """
    tag = _TAG.match(text)
    return tag[1] if tag else None
