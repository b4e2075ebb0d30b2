"""
LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9), with CHILDREN (RFC 3348),
LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), LIST-MYRIGHTS (RFC 8440), LIST-METADATA
(RFC 9590) and SPECIAL-USE (RFC 6154).
"""

from __future__ import annotations

from contextlib import aclosing

from mailstore.imap.command import Command, No, Ok, Refused, Reply
from mailstore.imap.listtails import TailLines
from mailstore.imap.patterns import Pattern
from mailstore.imap.selection import select
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.statusvalues import noteItems
from mailstore.imap.wire import writer
from mailstore.imap.wire.listargs import readListArguments
from mailstore.imap.wire.listextended import ListRequest, ListReturn, ListSelect, readList
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ListArguments
from mailstore.model import SEPARATOR

#: What every LIST response tells, asked or not.
_ALWAYS_TOLD = frozenset((ListReturn.CHILDREN, ListReturn.SPECIAL_USE))

#: No folder is on another server, so all are those that are selected.
_SELECTS_ALL = frozenset((ListSelect.REMOTE,))


def parseList(reader: Reader) -> ListRequest:
    """
    The reference, the patterns and the options.
    """
    reader.space()
    return readList(reader)


def parseLsub(reader: Reader) -> ListArguments:
    """
    The reference and the pattern.
    """
    reader.space()
    arguments = readListArguments(reader)
    reader.end()
    return arguments


def _patterns(session: Session, reference: str, texts: tuple[str, ...]) -> list[Pattern]:
    """
    The patterns, which together keep within the bounds that one has.
    """
    limits = session.limits
    if sum(len(reference) + len(text) for text in texts) > limits.max_pattern:
        raise Refused(No("The pattern is too long", "LIMIT"))
    patterns = {pattern.text: pattern for pattern in (Pattern(reference, text) for text in texts)}
    if sum(pattern.wildcards for pattern in patterns.values()) > limits.max_wildcards:
        raise Refused(No("The pattern has too many wildcards", "LIMIT"))
    return list(patterns.values())


async def runList(session: Session, arguments: ListRequest) -> Reply:
    """
    List folders.  An empty pattern asks for the separator, or in an extended LIST for
    nothing (RFC 5258 section 3).
    """
    if not arguments.extended and not arguments.patterns[0]:
        await session.untagged(b'LIST (\\Noselect) "/" ""')
        return Ok()
    patterns = _patterns(session, arguments.reference, tuple(filter(None, arguments.patterns)))
    if not patterns:
        return Ok()
    plain = arguments.select <= _SELECTS_ALL and arguments.returns <= _ALWAYS_TOLD
    plain = plain and not arguments.status and not arguments.annotations
    if plain and len(patterns) == 1:
        lists, public = session.front.lists, session.link.lists_public
        for piece in await lists.answer(session.user, patterns[0], session.utf8, public):
            await session.write(piece)
        return Ok()
    await _listExtended(session, arguments, patterns)
    return Ok()


async def _listExtended(session: Session, request: ListRequest, patterns: list[Pattern]) -> None:
    await noteItems(session, request.status)
    rights = ListReturn.MYRIGHTS in request.returns
    more = None
    if rights or request.status or request.annotations:
        more = TailLines(session, request.status, rights, request.annotations)
    async with aclosing(select(session, request, patterns)) as parts:
        async for part in parts:
            if more is None:
                await session.writeLines(part.rows.lines)
                continue
            async with aclosing(more.of(part)) as batches:
                async for lines in batches:
                    await session.write(lines)


def subscribed(names: tuple[str, ...], pattern: Pattern) -> dict[str, bytes]:
    """
    What LSUB answers, by name: the attributes.

    With C{%}, a name that does not match because it is deeper still shows its
    matching parent, with C{\\Noselect} if that is not subscribed itself (RFC
    3501 section 6.3.9).
    """
    found: dict[str, bytes] = {}
    for name in names:
        if pattern.matches(name):
            found[name] = b""
            continue
        parent = name.rpartition(SEPARATOR)[0] if "%" in pattern.text else ""
        while parent:
            if pattern.matches(parent):
                found.setdefault(parent, b"\\Noselect")
            parent = parent.rpartition(SEPARATOR)[0]
    return found


async def runLsub(session: Session, arguments: ListArguments) -> Reply:
    """
    List what the user subscribes to.
    """
    if not arguments.pattern:
        await session.untagged(b'LSUB (\\Noselect) "/" ""')
        return Ok()
    (pattern,) = _patterns(session, arguments.reference, (arguments.pattern,))
    found = subscribed(await session.store.subscriptions(session.user), pattern)
    await session.writeLines(
        b'* LSUB (%s) "/" %s\r\n' % (found[name], writer.mailbox(name, session.utf8))
        for name in sorted(found)
    )
    return Ok()


COMMANDS = (
    Command("LIST", SIGNED_IN, parseList, runList),
    Command("LSUB", SIGNED_IN, parseLsub, runLsub),
)
