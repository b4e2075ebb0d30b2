"""
Other ways to know users, beside the store's: the checkers of Twisted's plugins
(L{twisted.cred.strcred}), such as C{file:/etc/mailstore/passwd} or C{unix}.

A name means the same user whoever lets it in.  The checkers are asked one
after the other, the store first, and the first that knows name and password decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import ICredentials, IUsernamePassword
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.strcred import InvalidAuthType, makeChecker
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailstore.auth.bearer import IBearerToken
from mailstore.auth.keys import ITERATIONS
from mailstore.errors import CheckerFailed, InvalidName, StoreError
from mailstore.interfaces import IUsers
from mailstore.model import userName

#: Seconds that a checker of a plugin may take; after that it counts as failed.
PATIENCE = 30.0


#: What others may check.
_KINDS = (IUsernamePassword, IBearerToken)


@attrs.frozen
class Others:
    """
    Who is asked beside the store.
    """

    #: Checkers of passwords or tokens, in the order in which they are asked.
    checkers: Sequence[Any]
    #: Measures L{PATIENCE}.
    clock: IReactorTime


class BadChecker(Exception):
    """
    A description names no checker that can be used; the message is one line.
    """


def makeCheckers(descriptions: Iterable[str]) -> tuple[Any, ...]:
    """
    The checkers that these texts describe, as C{--auth} takes them.

    @raise BadChecker: there is no such kind, it does not understand what is
        behind the colon, or it checks neither passwords nor tokens.
    """
    return tuple(_make(each) for each in descriptions)


def _make(description: str) -> Any:
    kind = description.partition(":")[0]
    try:
        checker = makeChecker(description)  # type: ignore[no-untyped-call]
    except InvalidAuthType as error:
        raise BadChecker(
            f"there is no kind of checker {kind!r}; 'twist mailstore --help-auth' lists them"
        ) from error
    except Exception as error:
        # Plugins raise what they like; whatever it is, it is about this text, which may hold passwords.
        why = " ".join(str(error).split()) or type(error).__name__
        raise BadChecker(f"cannot use the checker {kind!r}: {why}") from error
    if not set(_KINDS) & set(checker.credentialInterfaces):
        raise BadChecker(f"the checker {kind!r} does not check passwords, nor tokens")
    return checker


def _inBytes(checker: Any) -> Any:
    """
    A checker as it was meant.  What Twisted's plugin C{memory:} makes keeps names and
    passwords as text (seen in Twisted 26.10) but is asked with bytes, and so would let nobody in.
    """
    if type(checker) is not InMemoryUsernamePasswordDatabaseDontUse:
        return checker
    meant = InMemoryUsernamePasswordDatabaseDontUse()
    for name, password in checker.users.items():
        meant.addUser(_bytes(name), _bytes(password))
    return meant


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@implementer(ICredentialsChecker)
class CheckersInTurn:
    """
    One checker made of several.
    """

    log = Logger()

    def __init__(self, checkers: Sequence[Any], kind: type[ICredentials] = IUsernamePassword) -> None:
        """
        @param kind: what all of them check.
        """
        self.credentialInterfaces = (kind,)
        self._checkers = checkers

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        @return: what the first checker says that lets somebody in.
        @raise UnauthorizedLogin: (as a failure) none does.
        @raise CheckerFailed: (as a failure) none does, and one could not do its work.
        @raise StoreError: (as a failure) the store could not be asked.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> bytes | tuple[()]:
        failed = False
        for checker in self._checkers:
            try:
                avatar: bytes | tuple[()] = await maybeDeferred(checker.requestAvatarId, credentials)
                return avatar
            except LoginFailed:
                continue
            except StoreError:
                raise
            except Exception:
                self.log.failure("{checker} could not do its work", checker=type(checker).__name__)
                failed = True
        if failed:
            raise CheckerFailed("not everybody who might know could be asked")
        raise UnauthorizedLogin("wrong name or password")


@implementer(ICredentialsChecker)
class ForeignChecker:
    """
    A checker of a plugin, whose users get a place in the store when they come
    for the first time.
    """

    credentialInterfaces = _KINDS

    log = Logger()

    def __init__(self, checker: Any, users: IUsers, others: Others, iterations: int = ITERATIONS) -> None:
        """
        @param users: the store's.
        @param others: what it is one of.
        @param iterations: as many as the store's other users have, so that the
            time of a refusal does not tell them apart.
        """
        self._checker = _inBytes(checker)
        self._users = users
        self._others = others
        self._iterations = iterations

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        @return: the user's name in UTF-8.
        @raise UnauthorizedLogin: (as a failure) the checker does not let them in, or by
            a name that no user of a store can have.
        @raise StoreError: (as a failure) the store could not be asked.
        @raise TimeoutError: (as a failure) the checker took too long.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> bytes | tuple[()]:
        if IUsernamePassword.providedBy(credentials) and not credentials.password:
            # Some directories take this for a question that anybody may ask (RFC 4513 section 6.3.1).
            raise UnauthorizedLogin("a password cannot be empty")
        asked: Deferred[Any] = maybeDeferred(self._checker.requestAvatarId, credentials)
        avatar: object = await asked.addTimeout(PATIENCE, self._others.clock)
        try:
            name = userName(avatar.decode() if isinstance(avatar, bytes) else str(avatar or ""))
        except (InvalidName, UnicodeDecodeError) as error:
            self.log.warn("{user!r} cannot be the name of a user", user=avatar)
            raise UnauthorizedLogin("no such user can be") from error
        if await self._users.credentials(name) is None:
            await self._users.enrol(name, self._iterations)
            self.log.info("{user} signed in for the first time and has a mailbox now", user=name)
        return name.encode()
