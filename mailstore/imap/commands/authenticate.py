"""
AUTHENTICATE (RFC 9051 section 6.2.2) with PLAIN (RFC 4616) and whatever else the
authenticator can do, such as SCRAM-SHA-256 (RFC 7677); the first answer may
be in the command (SASL-IR, RFC 4959).
"""

from __future__ import annotations

from mailstore.imap.capabilities import mechanisms
from mailstore.imap.command import Command, No, Reply
from mailstore.imap.session import Session
from mailstore.imap.signin import ask, converse, demandPrivacy, signIn
from mailstore.imap.states import BEFORE_LOGIN
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.values import ParseError


def parse(reader: Reader) -> tuple[str, bytes | None]:
    """
    The mechanism's name, and the first answer if it is there.
    """
    reader.space()
    mechanism = reader.word()
    answer = None
    if not reader.atEnd:
        reader.space()
        answer = reader.base64()
        reader.end()
    return mechanism, answer


async def run(session: Session, arguments: tuple[str, bytes | None]) -> Reply:
    """
    Let the client in.
    """
    mechanism, answer = arguments
    if mechanism not in mechanisms(session):
        return No("That mechanism is not known here", "CANNOT")
    demandPrivacy(session)
    if mechanism != "PLAIN":
        return await converse(session, mechanism, answer)
    if answer is None:
        answer = await ask(session, b"")
    # message = [authzid] NUL authcid NUL passwd                      (RFC 4616 section 2)
    fields = answer.split(b"\0")
    if len(fields) != 3 or not fields[1]:
        raise ParseError("That is no answer of the mechanism PLAIN")
    identity, user, password = fields
    if identity and identity != user:
        return No("Nobody may act for another user here", "AUTHORIZATIONFAILED")
    return await signIn(session, user, password)


COMMANDS = (Command("AUTHENTICATE", BEFORE_LOGIN, parse, run),)
