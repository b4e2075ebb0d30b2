"""
COMPRESS (RFC 4978)::

    compress  = "COMPRESS" SP algorithm
    algorithm = "DEFLATE"
"""

from __future__ import annotations

from mailstore.imap.command import Bad, Command, No, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError

_ACTIVE = Bad("The connection is compressed already")
_TOO_MANY = No("Too many connections are compressed", "LIMIT")


def parse(reader: Reader) -> None:
    """
    The one algorithm that there is.

    @raise ParseError: it is another (RFC 4978 section 3: BAD).
    """
    reader.space()
    if reader.word() != "DEFLATE":
        raise ParseError("The only compression is DEFLATE")
    reader.end()


async def run(session: Session, arguments: None) -> Reply:
    """
    Compress everything behind the tagged reply.
    """
    if session.compression is not None:
        return _ACTIVE
    if not session.front.admitCompression(session):
        return _TOO_MANY
    session.after_reply = session.compress
    return Ok("DEFLATE from here on")


COMMANDS = (Command("COMPRESS", SIGNED_IN, parse, run),)
