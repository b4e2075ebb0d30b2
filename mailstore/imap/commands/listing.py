"""
LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9), with CHILDREN (RFC 3348).
"""

from __future__ import annotations

from mailstore.imap.command import Command, No, Ok, Refused, Reply
from mailstore.imap.patterns import Pattern
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire import writer
from mailstore.imap.wire.listargs import readListArguments
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ListArguments
from mailstore.model import SEPARATOR


def parse(reader: Reader) -> ListArguments:
    """
    The reference and the pattern.
    """
    reader.space()
    arguments = readListArguments(reader)
    reader.end()
    return arguments


def _pattern(session: Session, arguments: ListArguments) -> Pattern:
    limits = session.limits
    if len(arguments.reference) + len(arguments.pattern) > limits.max_pattern:
        raise Refused(No("The pattern is too long", "LIMIT"))
    pattern = Pattern(arguments.reference, arguments.pattern)
    if pattern.wildcards > limits.max_wildcards:
        raise Refused(No("The pattern has too many wildcards", "LIMIT"))
    return pattern


async def runList(session: Session, arguments: ListArguments) -> Reply:
    """
    List folders.  An empty pattern asks for the separator only.
    """
    if not arguments.pattern:
        await session.untagged(b'LIST (\\Noselect) "/" ""')
        return Ok()
    pattern = _pattern(session, arguments)
    for piece in await session.front.lists.answer(session.user, pattern, session.utf8):
        await session.write(piece)
    return Ok()


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
    pattern = _pattern(session, arguments)
    found = subscribed(await session.store.subscriptions(session.user), pattern)
    await session.writeLines(
        b'* LSUB (%s) "/" %s\r\n' % (found[name], writer.mailbox(name, session.utf8))
        for name in sorted(found)
    )
    return Ok()


COMMANDS = (
    Command("LIST", SIGNED_IN, parse, runList),
    Command("LSUB", SIGNED_IN, parse, runLsub),
)
