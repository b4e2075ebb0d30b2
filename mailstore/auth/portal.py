"""
Sign-in through L{twisted.cred}: the realm, a checker that asks the store, and
the authenticator that the front end calls.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ICredentials, IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from zope.interface import Attribute, Interface, implementer

from mailstore.auth.bearer import OAUTHBEARER, REFUSALS, XOAUTH2, IBearerToken, readBearer
from mailstore.auth.checkers import CheckersInTurn, ForeignChecker, Others
from mailstore.auth.keys import ITERATIONS, decoy, verify
from mailstore.auth.scram import (
    MECHANISM,
    MECHANISM_PLUS,
    IScramProof,
    newNonce,
    readFinal,
    readFirst,
    serverFirst,
)
from mailstore.errors import ActingRefused, InvalidName, SignInGarbled, SignInRefused
from mailstore.interfaces import IMechanisms, IUsers
from mailstore.model import Credentials, userName

#: Runs a slow function without holding up the reactor, and gives its result.
Runner = Callable[[Callable[[], bool]], "Deferred[bool]"]

#: Gives the keys of a name: a decoy's, if there is no such user.
Keys = Callable[[str], Awaitable[Credentials]]


def inThreadsOf(reactor: Any) -> Runner:
    """
    A runner that uses the thread pool of C{reactor}.  How many passwords are
    checked at once is bounded by its size, how many wait by the sessions that
    the front end allows.
    """

    def run(function: Callable[[], bool]) -> Deferred[bool]:
        return deferToThreadPool(reactor, reactor.getThreadPool(), function)

    return run


class IMailUser(Interface):
    """
    Somebody who has signed in.
    """

    name: str = Attribute("The one spelling of the user's name.")


@implementer(IMailUser)
@attrs.frozen
class MailUser:
    """
    The avatar of L{MailRealm}.
    """

    name: str


def _nothing() -> None:
    """
    What there is to do when a user signs out.
    """


@implementer(IRealm)
class MailRealm:
    """
    Gives an L{IMailUser} to everybody whom a checker knows.
    """

    def requestAvatar(
        self, avatarId: bytes | tuple[()], mind: object, *interfaces: Any
    ) -> tuple[Any, object, Callable[[], None]]:
        """
        @param avatarId: the user's name in UTF-8; nobody is let in anonymously.
        @raise UnauthorizedLogin: the checker let in an anonymous user.
        @raise NotImplementedError: something other than an L{IMailUser} is wanted.
        """
        if IMailUser not in interfaces:
            raise NotImplementedError("this realm has only mail users")
        if not isinstance(avatarId, bytes):
            raise UnauthorizedLogin("nobody signs in without a name")
        return IMailUser, MailUser(avatarId.decode()), _nothing


@implementer(ICredentialsChecker)
class StoreChecker:
    """
    Checks passwords, and proofs of SCRAM-SHA-256, against the keys in the store.

    @ivar decoy_iterations: rounds of PBKDF2 that an unknown name costs; as many
        as the users of this store were made with.
    """

    credentialInterfaces = (IUsernamePassword, IScramProof)

    def __init__(
        self, users: IUsers, run: Runner, decoy_iterations: int = ITERATIONS, secret: bytes = b""
    ) -> None:
        """
        @param secret: what the salts of unknown names are made from.  Whoever
            can ask two front ends, or one before and after it was started again, can tell
            users from strangers unless it is the same; random when empty.
        """
        self._users = users
        self._run = run
        self._secret = secret or os.urandom(32)
        self.decoy_iterations = decoy_iterations

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        @return: the user's name in UTF-8.
        @raise UnauthorizedLogin: (as a failure) unknown name, wrong password or wrong proof.
        @raise StoreError: (as a failure) the store could not be asked.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def keys(self, user: str) -> Credentials:
        """
        The keys of a name, or those of a decoy: nobody can tell which.

        @raise StoreError: the store could not be asked.
        """
        _, known, expected = await self._lookUp(user)
        return known or expected

    async def _lookUp(self, given: str) -> tuple[str, Credentials | None, Credentials]:
        """
        @return: the one spelling of the name, its keys if there are any, and
            those to compare with.
        """
        known, name = None, ""
        try:
            name = userName(given)
        except InvalidName:
            # No such user can be: nobody learns anything from the time that asking would take.
            pass
        if name:
            known = await self._users.credentials(name)
        return name, known, known or decoy(name or given, self._secret, self.decoy_iterations)

    async def _check(self, credentials: Any) -> bytes | tuple[()]:
        given = password = ""
        try:
            given = credentials.username.decode()
            if not IScramProof.providedBy(credentials):
                password = credentials.password.decode()
        except UnicodeDecodeError:
            given = password = ""
        name, known, expected = await self._lookUp(given)
        if IScramProof.providedBy(credentials):
            right = credentials.checkKeys(expected)
        else:
            right = await self._run(lambda: verify(expected, password))
        if known is None or not right:
            raise UnauthorizedLogin("wrong name or password")
        return name.encode()


@implementer(IMechanisms)
class PortalAuthenticator:
    """
    Lets a L{Portal} decide who signs in.
    """

    def __init__(self, portal: Portal, keys: Keys | None = None) -> None:
        """
        @param keys: what SCRAM needs beside a portal with a checker of L{IScramProof};
            without both there is no SCRAM.
        """
        self._portal = portal
        self._keys = keys

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """
        See L{IMechanisms.mechanisms}.
        """
        known = self._portal.listCredentialsInterfaces()
        scram = self._keys is not None and IScramProof in known
        return (
            *((MECHANISM_PLUS, MECHANISM) if scram else ()),
            *((OAUTHBEARER, XOAUTH2) if IBearerToken in known else ()),
        )

    async def authenticate(self, user: str, password: str) -> str:
        """
        See L{IAuthenticator.authenticate<mailstore.interfaces.IAuthenticator>}.
        """
        return await self._login(
            UsernamePassword(user.encode("utf-8", "replace"), password.encode("utf-8", "replace"))
        )

    async def converse(
        self,
        mechanism: str,
        first: bytes | None,
        ask: Callable[[bytes], Awaitable[bytes]],
        bindings: Mapping[str, bytes],
    ) -> str:
        """
        See L{IMechanisms.converse}.
        """
        if mechanism not in self.mechanisms:
            raise ValueError(f"there is no mechanism {mechanism!r} here")
        said = await ask(b"") if first is None else first
        if mechanism in REFUSALS:
            return await self._takeToken(mechanism, said)
        assert self._keys is not None
        message = readFirst(said, bindings, mechanism == MECHANISM_PLUS)
        # Also for a decoy: who there is, shows neither here nor at the end.
        challenge = serverFirst(message, newNonce(), await self._keys(message.user))
        proof = readFinal(await ask(challenge), message, challenge)
        name = await self._login(proof)
        if message.identity and message.identity != message.user:
            raise ActingRefused("nobody may act for another user")
        # In IMAP no words come with success, so the client is told before it (RFC 4422 section 5).
        if await ask(proof.lastWords()):
            raise SignInGarbled("There is nothing more to say")
        return name

    async def _takeToken(self, mechanism: str, said: bytes) -> str:
        try:
            return await self._login(readBearer(mechanism, said))
        except SignInRefused as error:
            error.last_words = REFUSALS[mechanism]
            raise

    async def _login(self, credentials: Any) -> str:
        try:
            _, avatar, _ = await self._portal.login(credentials, None, IMailUser)
        except LoginFailed as error:
            raise SignInRefused("wrong name or password") from error
        name: str = avatar.name  # type: ignore[attr-defined]
        return name


def storeAuthenticator(
    users: IUsers,
    run: Runner,
    decoy_iterations: int = ITERATIONS,
    *,
    secret: bytes = b"",
    others: Others | None = None,
) -> PortalAuthenticator:
    """
    The authenticator of a server that knows its users from its store, and from
    others if there are any.

    With others that check passwords there is no SCRAM: clients that can would use it, also for
    users whom only such a checker knows, and fail.  With others that know tokens there are
    OAUTHBEARER and XOAUTH2.

    @param run: see L{inThreadsOf}.
    @param secret: see L{StoreChecker}.
    """
    own = StoreChecker(users, run, decoy_iterations, secret)
    checkers: list[Any] = []
    foreign = () if others is None else tuple(others.checkers)

    def ofKind(kind: type[ICredentials]) -> list[ForeignChecker]:
        return [
            ForeignChecker(each, users, others, decoy_iterations)
            for each in foreign
            if others is not None and kind in each.credentialInterfaces
        ]

    passwords, tokens = ofKind(IUsernamePassword), ofKind(IBearerToken)
    checkers.append(CheckersInTurn((own, *passwords)) if passwords else own)
    if tokens:
        checkers.append(CheckersInTurn(tokens, IBearerToken))
    return PortalAuthenticator(Portal(MailRealm(), checkers), None if passwords else own.keys)
