"""
Sign-in through L{twisted.cred}: the realm, a checker that asks the store, and
the authenticator that the front end calls.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from zope.interface import Attribute, Interface, implementer

from mailstore.auth.keys import ITERATIONS, decoy, verify
from mailstore.errors import InvalidName, SignInRefused
from mailstore.interfaces import IAuthenticator, IUsers
from mailstore.model import userName

#: Runs a slow function without holding up the reactor, and gives its result.
Runner = Callable[[Callable[[], bool]], "Deferred[bool]"]


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
    Checks passwords against the keys in the store.

    @ivar decoy_iterations: rounds of PBKDF2 that an unknown name costs; as many
        as the users of this store were made with.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, users: IUsers, run: Runner, decoy_iterations: int = ITERATIONS) -> None:
        self._users = users
        self._run = run
        self._secret = os.urandom(32)
        self.decoy_iterations = decoy_iterations

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        @return: the user's name in UTF-8.
        @raise UnauthorizedLogin: (as a failure) unknown name or wrong password.
        @raise StoreError: (as a failure) the store could not be asked.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> bytes | tuple[()]:
        known = None
        try:
            given = credentials.username.decode()
            password = credentials.password.decode()
            name = userName(given)
        except UnicodeDecodeError:
            given = name = password = ""
        except InvalidName:
            name = ""
        if name:
            known = await self._users.credentials(name)
        expected = known or decoy(name or given, self._secret, self.decoy_iterations)
        right = await self._run(lambda: verify(expected, password))
        if known is None or not right:
            raise UnauthorizedLogin("wrong name or password")
        return name.encode()


@implementer(IAuthenticator)
class PortalAuthenticator:
    """
    Lets a L{Portal} decide who signs in.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    async def authenticate(self, user: str, password: str) -> str:
        """
        See L{IAuthenticator.authenticate}.
        """
        given = UsernamePassword(user.encode("utf-8", "replace"), password.encode("utf-8", "replace"))
        try:
            _, avatar, _ = await self._portal.login(given, None, IMailUser)
        except LoginFailed as error:
            raise SignInRefused("wrong name or password") from error
        name: str = avatar.name  # type: ignore[attr-defined]
        return name


def storeAuthenticator(users: IUsers, run: Runner, decoy_iterations: int = ITERATIONS) -> PortalAuthenticator:
    """
    The authenticator of a server that knows its users from its store alone.

    @param run: see L{inThreadsOf}.
    """
    return PortalAuthenticator(Portal(MailRealm(), [StoreChecker(users, run, decoy_iterations)]))
