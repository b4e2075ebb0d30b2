"""
NAMESPACE (RFC 2342).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Ok, Reply, nothing
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire import writer
from mailstore.model import OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR

#: Personal, other users', shared.
_PREFIXES = ("", OTHERS_ROOT + SEPARATOR, PUBLIC_ROOT + SEPARATOR)

_RESPONSE = b"NAMESPACE " + b" ".join(
    b"((%s %s))" % (writer.quoted(prefix.encode("ascii")), writer.quoted(SEPARATOR.encode("ascii")))
    for prefix in _PREFIXES
)


async def run(session: Session, arguments: None) -> Reply:
    """
    Say where folders are.
    """
    await session.untagged(_RESPONSE)
    return Ok()


COMMANDS = (Command("NAMESPACE", SIGNED_IN, nothing, run),)
