"""
What LOGIN and AUTHENTICATE have in common.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.logger import Logger

from mailstore.errors import ActingRefused, CheckerFailed, SignInGarbled, SignInRefused
from mailstore.imap.capabilities import BOUND, capabilities, mayLogin
from mailstore.imap.command import Bad, No, Ok, Refused, Reply
from mailstore.imap.session import SessionOver
from mailstore.imap.wire.reader import decodeBase64
from mailstore.imap.wire.values import ParseError

if TYPE_CHECKING:
    from mailstore.imap.session import Session

log = Logger()

#: What a client is told, by the class of the refusal (RFC 5530 section 3).
_REFUSALS: dict[type[SignInRefused], No] = {
    SignInRefused: No("The name or the password is wrong", "AUTHENTICATIONFAILED"),
    ActingRefused: No("Nobody may act for another user here", "AUTHORIZATIONFAILED"),
    CheckerFailed: No("Not everybody who might know you can be asked now", "UNAVAILABLE"),
}

_BARRED = No("Too many failed sign-ins from your address, try again later", "LIMIT")

#: Doublings of the delay beyond which it has its greatest length anyway.
_MOST_DOUBLINGS = 30


def demandPrivacy(session: Session) -> None:
    """
    Let nobody sign in where others can listen: a password would be theirs, what
    SCRAM shows could be searched for it (RFC 5802 section 9), and the mail is in the clear.

    @raise Refused: with C{NO [PRIVACYREQUIRED]} (RFC 5530 section 3).
    """
    if not mayLogin(session):
        raise Refused(No("Switch on TLS first", "PRIVACYREQUIRED"))


async def ask(session: Session, challenge: bytes) -> bytes:
    """
    Send a challenge, and wait for the answer (RFC 9051 section 6.2.2).

    @raise Refused: the client gives up, or says too much.
    @raise ParseError: the answer is not base64.
    """
    await session.write(b"+ " + b64encode(challenge) + b"\r\n")
    line = await session.readLine()
    if line is None:
        raise Refused(Bad("The answer is too long"))
    if line == b"*":
        raise Refused(Bad("Given up, as you wished"))
    return decodeBase64(line)


async def signIn(session: Session, user: bytes, password: bytes) -> Reply:
    """
    Check a name and a password, which are UTF-8, and let the client in.  Failing
    takes longer each time, and ends the connection in the end.

    @raise Refused: there are too many sessions of this user.
    """

    async def check(attempt: _Attempt) -> str:
        try:
            name, secret = user.decode(), password.decode()
        except UnicodeDecodeError as error:
            raise SignInRefused("not UTF-8") from error
        return await session.front.authenticator.authenticate(name, secret)

    return await _try(session, check)


async def converse(session: Session, mechanism: str, first: bytes | None) -> Reply:
    """
    Lead the client through a mechanism, and let it in.  Failing costs as in L{signIn}.

    @param mechanism: one that L{mechanisms<mailstore.imap.capabilities.mechanisms>} has.
    @param first: the client's first words, if they came with the command.
    @raise Refused: there are too many sessions of this user, or the client gives up.
    """

    async def check(attempt: _Attempt) -> str:
        async def asked(challenge: bytes) -> bytes:
            # While the client thinks, others may try.
            attempt.end()
            answer = await ask(session, challenge)
            await attempt.begin()
            return answer

        authenticator = session.front.authenticator
        bindings = session.link.bindings if session.bound_offered or mechanism.endswith(BOUND) else {}
        name: str = await authenticator.converse(  # type: ignore[attr-defined]
            mechanism, first, asked, bindings
        )
        return name

    try:
        return await _try(session, check)
    except SignInGarbled as error:
        return Bad(str(error))


class _Attempt:
    """
    An attempt to sign in, which counts as failed while it lasts.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._table = session.front.failed_sign_ins
        self._address = session.link.address
        self._begun = False

    async def begin(self) -> None:
        """
        Wait until so few others from this address are at it that it may be one more.

        @raise _Barred: too many have failed.
        @raise SessionOver: the client is gone.
        """
        if not await self._table.enter(self._address):
            raise _Barred()
        self._begun = True
        # Whether there still is somebody who wants to know.
        await self._session.sleep(0)

    def end(self, failed: bool = False) -> None:
        """
        It is over, or rests.  Idempotent.
        """
        if self._begun:
            self._begun = False
            self._table.leave(self._address, failed)


class _Barred(Exception):
    """
    Nobody from this address may try now.
    """


async def _try(session: Session, check: Callable[[_Attempt], Awaitable[str]]) -> Reply:
    attempt = _Attempt(session)
    try:
        await attempt.begin()
        name = await check(attempt)
    except SignInRefused as error:
        attempt.end(failed=True)
        if error.last_words:
            # Whatever the client answers, or that it gives up, changes nothing.
            with suppress(Refused, ParseError):
                await ask(session, error.last_words)
        return await _failed(session, _REFUSALS.get(type(error), _REFUSALS[SignInRefused]))
    except _Barred:
        return await _failed(session, _BARRED)
    finally:
        attempt.end()
    session.signedIn(name)
    log.info("{peer}: {user} signed in", peer=session.link.address, user=name)
    # RFC 9051 section 6.2.3: saves the client from asking.
    return Ok("Welcome", f"CAPABILITY {capabilities(session)}")


async def _failed(session: Session, reply: No) -> Reply:
    session.login_failures += 1
    address, limits = session.link.address, session.limits
    log.info(
        "{peer}: failed sign-in number {count} ({code})",
        peer=address,
        count=session.login_failures,
        code=reply.code,
    )
    failures = max(session.login_failures, session.front.failed_sign_ins.count(address))
    delay = limits.login_delay * 2 ** min(failures - 1, _MOST_DOUBLINGS)
    await session.sleep(min(limits.max_login_delay, delay))
    if session.login_failures >= limits.max_login_failures:

        def leave() -> None:
            raise SessionOver("Too many failed sign-ins")

        session.after_reply = leave
    return reply
