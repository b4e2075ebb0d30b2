"""
LOGIN (RFC 9051 section 6.2.3).
"""

from __future__ import annotations

from mailstore.imap.command import Command, Reply
from mailstore.imap.session import Session
from mailstore.imap.signin import demandPrivacy, signIn
from mailstore.imap.states import BEFORE_LOGIN
from mailstore.imap.wire.reader import Reader


def parse(reader: Reader) -> tuple[bytes, bytes]:
    """
    C{"LOGIN" SP userid SP password}, both C{astring}.
    """
    reader.space()
    user = reader.astring()
    reader.space()
    password = reader.astring()
    reader.end()
    return user, password


async def run(session: Session, arguments: tuple[bytes, bytes]) -> Reply:
    """
    Let the client in.
    """
    demandPrivacy(session)
    return await signIn(session, *arguments)


COMMANDS = (Command("LOGIN", BEFORE_LOGIN, parse, run),)
