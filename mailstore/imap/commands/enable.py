"""
ENABLE (RFC 5161).
"""

from __future__ import annotations

from mailstore.imap.capabilities import ENABLEABLE
from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError


def parse(reader: Reader) -> tuple[str, ...]:
    """
    One or more names of capabilities.
    """
    names: list[str] = []
    while not reader.atEnd:
        if len(names) >= reader.limits.max_items:
            raise ParseError("Too many names")
        reader.space()
        names.append(reader.word())
    if not names:
        raise ParseError("An argument is missing")
    return tuple(dict.fromkeys(names))


async def run(session: Session, arguments: tuple[str, ...]) -> Reply:
    """
    Switch on what can be; unknown names are passed over (RFC 5161 section 3.1).
    """
    enabled = [name for name in arguments if name in ENABLEABLE and name not in session.enabled]
    session.enabled.update(enabled)
    await session.untagged(" ".join(["ENABLED", *enabled]).encode("ascii"))
    return Ok()


COMMANDS = (Command("ENABLE", SIGNED_IN, parse, run),)
