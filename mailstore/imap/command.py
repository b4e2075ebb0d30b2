"""
What a command is: a row that says its name, where it may be given, how its
arguments are read and what carries it out.

The connection runs one command at a time, to its tagged reply::

    CommandReceived --> row by name --> state allowed? --> parse(reader) --> await run(session, arguments)
                                                                                   |
      tagged reply  <-- changes of the open folder, as Command.uses_seqs allows <--+

A handler returns L{Ok}, L{No} or L{Bad}.  It may let out

  - any L{StoreError<mailstore.errors.StoreError>}: answered by the one table in
    L{mailstore.imap.refusals};
  - L{ParseError<mailstore.imap.wire.values.ParseError>}: answered C{BAD} with its text;
  - L{Refused}: answered with the reply that it carries;
  - anything else: logged, and answered C{NO [SERVERBUG]} without details.

Untagged responses go out through L{Session.write<mailstore.imap.session.Session.write>}.

B{Changes of the open folder} have one way out: the connection asks the store for
what changed after the last modification that the client knows, and writes
C{EXPUNGE}, C{EXISTS}, C{RECENT} and C{FETCH}.  A handler that changed something
itself (EXPUNGE, MOVE, APPEND, COPY) therefore writes none of these, but calls
L{Session.touch<mailstore.imap.session.Session.touch>}; the responses then stand
before its tagged reply.  STORE, which answers with the flags itself, tells
L{View.noteOwnChanges<mailstore.imap.view.View.noteOwnChanges>} so that they are
not sent twice.

B{Literals.}  Those of a command whose row has no C{literals} are collected in
memory, within the bounds of L{ImapLimits<mailstore.imap.limits.ImapLimits>}, and C{parse} sees them as
strings.  A row that has one (APPEND) gets a new L{LiteralHandler} for each command
given, and the handler decides about every literal when it is announced:

 1. C{LiteralAnnounced} from the framer --> C{await handler.announced(reader, size, synchronizing, binary)}.
    C{reader} stands behind the command's name, before the space, and holds everything up to and with this
    announcement; literals streamed before are empty strings in it.  The handler answers

      - L{Take.COLLECT}: hold it in memory (a folder's name); C{parse} will see it as a string.
        Past the bounds the connection refuses it, as for any other command.
      - L{Take.STREAM}: it is wanted; the client is told to go on if it waits for that.
      - a L{No} or L{Bad}, or raises one of the errors above: refused.  A client that waits
        (C{{n}}) gets the tagged reply at once and sends nothing of it.  One that does not wait (C{{n+}}): the
        literal, with the rest of the command, is read and thrown away within
        C{limits.max_discarded}, and then comes the tagged reply (RFC 7888 section 4).

 2. Each piece of a streamed literal --> C{await handler.data(piece)}.  Until it returns, nothing
    further is read from the client: this is the back-pressure from the store to the client.  If it raises,
    the rest of the literal and of the command are thrown away as above, then the error is answered;
    C{data} is called no more.

 3. The command's end --> C{handler.parse(reader)} gives the arguments, and the row's C{run} carries
    them out.  Streamed literals are empty strings in C{reader}, in their places.

 4. In every case, also when the connection is lost, C{handler.discard()} is called last, once.

The state that the row demands is checked before the handler is made.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.states import State
    from mailstore.imap.wire.reader import Reader


@attrs.frozen
class Reply:
    """
    How a command ended.
    """

    #: For people: printable ASCII, one line.  Empty for the usual words.
    text: str = ""
    #: A response code without its brackets, such as C{"TRYCREATE"}, or empty (RFC 9051 section 7.1).
    code: str = ""


@attrs.frozen
class Ok(Reply):
    """
    It was done.
    """


@attrs.frozen
class No(Reply):
    """
    It was not done.
    """


@attrs.frozen
class Bad(Reply):
    """
    It was no command, or not one for this state.
    """


class Refused(Exception):
    """
    A handler gives up with a reply, from wherever it is.
    """

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


class Take(enum.Enum):
    """
    What to do with a literal that was announced.
    """

    #: Hold it in memory; it is a string of the command.
    COLLECT = "collect"
    #: Give it to the handler in pieces.
    STREAM = "stream"


class LiteralHandler(ABC):
    """
    Takes the literals of one command.  See the module's text for the order of calls.
    """

    @abstractmethod
    async def announced(self, reader: Reader, size: int, synchronizing: bool, binary: bool) -> Take | Reply:
        """
        Decide about a literal of C{size} bytes.

        @param reader: the command so far, from behind its name.
        @param synchronizing: whether the client waits for the decision.
        @param binary: whether it is a C{literal8}, which may hold NUL (RFC 3516).
        """

    @abstractmethod
    async def data(self, data: bytes) -> None:
        """
        Take a piece of the literal that was accepted last; the pieces together
        have the size that was announced.
        """

    @abstractmethod
    def parse(self, reader: Reader) -> Any:
        """
        Read the whole command, from behind its name, to its end.

        @return: the arguments for the row's C{run}.
        """

    @abstractmethod
    def discard(self) -> None:
        """
        Give back what is held and was not used.  Never fails.
        """


@attrs.frozen
class Command:
    """
    A row of the registry.
    """

    #: In upper case; a command by UID is C{"UID FETCH"} and the like.
    name: str
    #: Where it may be given.
    states: frozenset[State]
    #: Reads what follows the name (beginning with C{reader.space()} if there are arguments) to the end.
    parse: Callable[[Reader], Any]
    run: Callable[[Session, Any], Awaitable[Reply]]
    #: Whether it names messages by sequence number: then no C{EXPUNGE} is sent
    #: before its tagged reply (RFC 9051 section 7.5.1).  C{FETCH}, C{STORE}, C{SEARCH} (not their UID forms).
    uses_seqs: bool = False
    #: Whether a folder that does not exist is one that the client could create
    #: first: answered C{TRYCREATE} and not C{NONEXISTENT} (RFC 9051 section 7.1).
    try_create: bool = False
    #: Whether clients give it again and again in the same words, and its arguments never change: then
    #: it is read once.
    repeated: bool = False
    #: Makes the taker of the command's literals, if it takes them itself.
    literals: Callable[[Session], LiteralHandler] | None = None
    #: Whether it names messages by UID.
    by_uid: bool = attrs.field(init=False)

    @by_uid.default
    def _byUid(self) -> bool:
        return self.name.startswith("UID ")


def nothing(reader: Reader) -> None:
    """
    The C{parse} of a command without arguments.
    """
    reader.end()
