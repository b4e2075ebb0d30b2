"""
Tests for L{mailstore.auth.portal}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailstore.auth.keys import makeCredentials
from mailstore.auth.portal import IMailUser, MailRealm, PortalAuthenticator, inThreadsOf, storeAuthenticator
from mailstore.errors import SignInRefused, StoreUnavailable
from mailstore.interfaces import IAuthenticator, IUsers
from mailstore.model import Credentials


@implementer(IUsers)
class Users:
    """
    A store that knows alice, and says what it was asked.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.known = {"alice": makeCredentials("secret", 10), "jos\u00e9": makeCredentials("p\u00e4ss", 10)}

    async def credentials(self, user: str) -> Credentials | None:
        """
        See L{IUsers.credentials}.
        """
        self.asked.append(user)
        if self.error is not None:
            raise self.error
        return self.known.get(user)

    async def createUser(self, user: str, credentials: Credentials) -> None:
        """
        See L{IUsers.createUser}.
        """

    async def listUsers(self) -> tuple[str, ...]:
        """
        See L{IUsers.listUsers}.
        """
        return tuple(self.known)


class PortalAuthenticatorTests(SynchronousTestCase):
    """
    Sign-in through the portal, with the check made at once.
    """

    def setUp(self) -> None:
        """
        An authenticator that counts how often a password is checked.
        """
        self.users = Users()
        self.checks = 0

        def run(function: Callable[[], bool]) -> Deferred[bool]:
            self.checks += 1
            return succeed(function())

        self.authenticator: PortalAuthenticator = storeAuthenticator(self.users, run, 10)

    def signIn(self, user: str, password: str) -> Deferred[str]:
        """
        Try to sign in.
        """
        return Deferred.fromCoroutine(self.authenticator.authenticate(user, password))

    def test_interface(self) -> None:
        """
        It is an L{IAuthenticator}.
        """
        self.assertTrue(verifyObject(IAuthenticator, self.authenticator))

    def test_right(self) -> None:
        """
        The right password gives the user's name.
        """
        self.assertEqual(self.successResultOf(self.signIn("alice", "secret")), "alice")

    def test_oneSpelling(self) -> None:
        """
        A name in another normalization form is the same user, and the answer
        is the one spelling.
        """
        self.assertEqual(self.successResultOf(self.signIn("jose\u0301", "pa\u0308ss")), "jos\u00e9")

    def test_refusedAlike(self) -> None:
        """
        A wrong password, an unknown name and a name that none can have get the
        same answer, and each costs one check.
        """
        answers = set()
        for user, password in (
            ("alice", "wrong"),
            ("nobody", "secret"),
            ("#system", "secret"),
            ("", ""),
            ("a\ud800b", "secret"),
            ("alice", "\x00"),
            ("ALICE", "secret"),
        ):
            self.checks = 0
            failure = self.failureResultOf(self.signIn(user, password), SignInRefused)
            answers.add(str(failure.value))
            self.assertEqual(self.checks, 1, user)
        self.assertEqual(len(answers), 1)

    def test_systemIsNeverAsked(self) -> None:
        """
        A name that none can have is not even looked up.
        """
        self.failureResultOf(self.signIn("#system", "x"), SignInRefused)
        self.assertEqual(self.users.asked, [])

    def test_storeAway(self) -> None:
        """
        That the store cannot be asked is told as such, not as a wrong password.
        """
        self.users.error = StoreUnavailable("the store is away")
        self.failureResultOf(self.signIn("alice", "secret"), StoreUnavailable)


class MailRealmTests(SynchronousTestCase):
    """
    L{MailRealm}.
    """

    def test_avatar(self) -> None:
        """
        Users become mail users.
        """
        interface, avatar, logout = MailRealm().requestAvatar("jos\u00e9".encode(), None, IMailUser)
        self.assertIs(interface, IMailUser)
        self.assertTrue(verifyObject(IMailUser, avatar))
        logout()

    def test_refused(self) -> None:
        """
        Nobody is let in without a name, and there is nothing but mail users.
        """
        with self.assertRaises(UnauthorizedLogin):
            MailRealm().requestAvatar((), None, IMailUser)
        with self.assertRaises(NotImplementedError):
            MailRealm().requestAvatar(b"alice", None, IUsers)


class ThreadsTests(TestCase):
    """
    L{inThreadsOf}.
    """

    async def test_inThread(self) -> None:
        """
        The function runs in another thread, and its result comes back.
        """
        import threading

        from twisted.internet import reactor

        threads: list[Any] = []

        def slow() -> bool:
            threads.append(threading.current_thread())
            return True

        self.assertTrue(await inThreadsOf(reactor)(slow))
        self.assertNotEqual(threads, [threading.current_thread()])
