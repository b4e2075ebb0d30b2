"""
What LOGIN and AUTHENTICATE have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from mailstore.errors import SignInRefused
from mailstore.imap.capabilities import capabilities, mayLogin
from mailstore.imap.command import No, Ok, Refused, Reply
from mailstore.imap.session import SessionOver

if TYPE_CHECKING:
    from mailstore.imap.session import Session

log = Logger()

#: Seconds that a failed sign-in costs at most.
_MAX_DELAY = 30.0


def demandPrivacy(session: Session) -> None:
    """
    Let nobody send a password where others can listen.

    @raise Refused: with C{NO [PRIVACYREQUIRED]} (RFC 5530 section 3).
    """
    if not mayLogin(session):
        raise Refused(No("Switch on TLS first", "PRIVACYREQUIRED"))


async def signIn(session: Session, user: bytes, password: bytes) -> Reply:
    """
    Check a name and a password, which are UTF-8, and let the client in.  Failing
    takes longer each time, and ends the connection in the end.

    @raise Refused: there are too many sessions of this user.
    """
    try:
        name = await session.front.authenticator.authenticate(user.decode("utf-8"), password.decode("utf-8"))
    except (SignInRefused, UnicodeDecodeError):
        return await _failed(session)
    session.signedIn(name)
    log.info("{peer}: {user} signed in", peer=session.link.address, user=name)
    # RFC 9051 section 6.2.3: saves the client from asking.
    return Ok("Welcome", f"CAPABILITY {capabilities(session)}")


async def _failed(session: Session) -> Reply:
    session.login_failures += 1
    log.info("{peer}: failed sign-in number {count}", peer=session.link.address, count=session.login_failures)
    await session.sleep(min(_MAX_DELAY, session.limits.login_delay * 2 ** (session.login_failures - 1)))
    if session.login_failures >= session.limits.max_login_failures:

        def leave() -> None:
            raise SessionOver("Too many failed sign-ins")

        session.after_reply = leave
    return No("The name or the password is wrong", "AUTHENTICATIONFAILED")
