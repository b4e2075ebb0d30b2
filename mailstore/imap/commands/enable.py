"""
ENABLE (RFC 5161).
"""

from __future__ import annotations

from mailstore.imap.capabilities import ENABLEABLE
from mailstore.imap.command import Command, Ok, Reply
from mailstore.imap.session import Session
from mailstore.imap.states import SIGNED_IN
from mailstore.imap.wire.enableargs import enabledLine, readEnable
from mailstore.imap.wire.reader import Reader

#: What cannot be switched on while a folder is open.
_BEFORE_OPENING = frozenset({"IMAP4REV2", "UTF8=ACCEPT"})

#: What tells that the client knows mod-sequences (RFC 7162 sections 3.1 and 3.2.3).
_MOD_SEQUENCES = frozenset({"CONDSTORE", "QRESYNC"})


def parse(reader: Reader) -> tuple[str, ...]:
    """
    One or more names of capabilities.
    """
    reader.space()
    names = readEnable(reader)
    reader.end()
    return names


async def run(session: Session, arguments: tuple[str, ...]) -> Reply:
    """
    Switch on what can be; unknown names are passed over (RFC 5161 section 3.1).
    """
    enabled = [name for name in arguments if name in ENABLEABLE and name not in session.enabled]
    if session.view is not None:
        # RFC 5161 section 3.1 and RFC 6855 section 3 want it before; what has been said of an open
        # folder would not fit.
        enabled = [name for name in enabled if name not in _BEFORE_OPENING]
    session.enabled.update(enabled)
    await session.write(enabledLine(ENABLEABLE[name] for name in enabled))
    if not session.enabled.isdisjoint(_MOD_SEQUENCES):
        await session.useModSequences()
    return Ok()


COMMANDS = (Command("ENABLE", SIGNED_IN, parse, run),)
