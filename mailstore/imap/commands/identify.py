"""
ID (RFC 2971)::

    id              = "ID" SP id-params-list
    id-params-list  = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
"""

from __future__ import annotations

from twisted.logger import Logger

from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import ANY
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

log = Logger()

#: RFC 2971 section 3.3: pairs, bytes of a field's name, bytes of a value.
_MAX_PAIRS, _MAX_FIELD, _MAX_VALUE = 30, 30, 1024

#: Characters of the client's name and version that are kept.
_MAX_KEPT = 100


def parse(reader: Reader) -> dict[str, str]:
    """
    What the client says of itself, by field.
    """
    reader.space()
    if not reader.accept(b"("):
        if reader.nstring() is not None:
            raise ParseError("Expected a list or NIL")
        reader.end()
        return {}
    fields: dict[str, str] = {}
    while not reader.accept(b")"):
        if fields:
            reader.space()
        field = reader.string()
        reader.space()
        value = reader.nstring() or b""
        if len(field) > _MAX_FIELD or len(value) > _MAX_VALUE or len(fields) >= _MAX_PAIRS:
            raise ParseError("That is more than ID can say")
        name = field.decode("ascii", "replace").lower()
        if name in fields:
            raise ParseError("A field stands twice")
        fields[name] = value.decode("utf-8", "replace")
    reader.end()
    return fields


async def run(session: Session, arguments: dict[str, str]) -> Reply:
    """
    Remember for the log what the client is, and say what this is.
    """
    said = f"{arguments.get('name', '')} {arguments.get('version', '')}".strip()
    session.client = "".join(each if each.isprintable() else "?" for each in said[:_MAX_KEPT])
    log.debug("{peer}: is {client!r}", peer=session.link.address, client=session.client)
    await session.untagged(b'ID ("name" "mailstore")')
    return Ok()


COMMANDS = (Command("ID", ANY, parse, run),)
