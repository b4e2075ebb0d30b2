"""
GETMETADATA and SETMETADATA (RFC 5464).
"""

from __future__ import annotations

from mailstore.errors import LimitReached, MessageTooBig
from mailstore.imap.command import Command, LiteralHandler, No, Ok, Reply, Take
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.metadata import (
    Depth,
    GetMetadata,
    SetMetadata,
    metadataLine,
    readGetMetadata,
    readSetMetadata,
)
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.responsecodes import METADATA_TOO_MANY, metadataLongEntries, metadataMaxSize

_DEPTHS: dict[Depth, int | None] = {Depth.ZERO: 0, Depth.ONE: 1, Depth.INFINITY: None}


def parseGet(reader: Reader) -> GetMetadata:
    """
    The folder, the entries and the options.
    """
    reader.space()
    arguments = readGetMetadata(reader)
    reader.end()
    return arguments


def parseSet(reader: Reader) -> SetMetadata:
    """
    The folder and the values.
    """
    reader.space()
    arguments = readSetMetadata(reader)
    reader.end()
    return arguments


async def runGet(session: Session, arguments: GetMetadata) -> Reply:
    """
    Tell annotations.  An entry that was named and has no value is told as C{NIL}, unless a
    depth or a size makes it unclear whether it is wanted.
    """
    name, size = arguments.mailbox, arguments.max_size
    depth = _DEPTHS[arguments.depth]
    found = await session.store.metadata(session.user, name, arguments.entries, depth, size)
    values: list[tuple[str, bytes | None]] = list(found.entries)
    if depth == 0 and not found.longest:
        there = dict(found.entries)
        values += [(entry, None) for entry in arguments.entries if entry not in there]
    if values:
        await session.write(metadataLine(name, values, session.utf8))
    return Ok(code=metadataLongEntries(found.longest) if found.longest else "")


def _tooBig(session: Session) -> No:
    return No("The annotation is too big", metadataMaxSize(session.limits.max_annotation))


class _Values(LiteralHandler):
    """
    Refuses a value that cannot even be held, with the reply for a value that is too big.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def announced(self, reader: Reader, size: int, synchronizing: bool, binary: bool) -> Take | Reply:
        """
        Everything is collected that fits, since it may as well be the folder's name.
        """
        return _tooBig(self._session) if size > self._session.limits.max_literal else Take.COLLECT

    async def data(self, data: bytes) -> None:
        """
        Nothing is streamed.
        """
        raise AssertionError("nothing is streamed")

    def parse(self, reader: Reader) -> SetMetadata:
        """
        The folder and the values.
        """
        return parseSet(reader)

    def discard(self) -> None:
        """
        Nothing is held.
        """


async def runSet(session: Session, arguments: SetMetadata) -> Reply:
    """
    Change annotations: all that are named or none.
    """
    most = session.limits.max_annotation
    if any(value is not None and len(value) > most for _, value in arguments.values):
        return _tooBig(session)
    try:
        await session.store.setMetadata(session.user, arguments.mailbox, dict(arguments.values))
    except MessageTooBig:
        return _tooBig(session)
    except LimitReached as error:
        return No(str(error), METADATA_TOO_MANY)
    return Ok()


COMMANDS = (
    Command("GETMETADATA", SIGNED_IN, parseGet, runGet),
    Command("SETMETADATA", SIGNED_IN, parseSet, runSet, literals=_Values),
)
