"""
Tests for L{mailstore.auth.portal}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from mailstore.auth.keys import makeCredentials
from mailstore.auth.portal import IMailUser, MailRealm, PortalAuthenticator, inThreadsOf, storeAuthenticator
from mailstore.errors import ActingRefused, SignInGarbled, SignInRefused, StoreUnavailable
from mailstore.interfaces import IAuthenticator, IMechanisms, IUsers
from tests.auth.scramclient import ScramClient
from tests.auth.users import Users


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
        self.assertTrue(verifyObject(IMechanisms, self.authenticator))

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


class ScramTests(SynchronousTestCase):
    """
    SCRAM through the portal.
    """

    def setUp(self) -> None:
        """
        An authenticator that never checks a password.
        """
        self.users = Users()
        self.heard: list[bytes] = []

        def run(function: Callable[[], bool]) -> Deferred[bool]:
            raise AssertionError("there is no password to check")

        self.authenticator = storeAuthenticator(self.users, run, 10, secret=b"x" * 32)

    def converse(
        self,
        client: ScramClient,
        initial: bool = True,
        mechanism: str = "SCRAM-SHA-256",
        bindings: Mapping[str, bytes] | None = None,
    ) -> Deferred[str]:
        """
        Sign in, as an honest client would.
        """

        async def ask(challenge: bytes) -> bytes:
            self.heard.append(challenge)
            if not challenge:
                return client.first()
            if challenge.startswith(b"r="):
                return client.final(challenge)
            return b"" if client.knows(challenge) else b"*"

        first = client.first() if initial else None
        return Deferred.fromCoroutine(self.authenticator.converse(mechanism, first, ask, bindings or {}))

    def test_right(self) -> None:
        """
        Who knows the password is let in, and learns that the server knows the keys.
        """
        self.assertEqual(self.authenticator.mechanisms, ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"))
        for initial in (True, False):
            client = ScramClient("jos\u00e9", "p\u00e4ss")
            self.assertEqual(self.successResultOf(self.converse(client, initial)), "jos\u00e9")
            self.assertTrue(client.knows(self.heard[-1]))

    def test_bound(self) -> None:
        """
        With channel binding only who has the same channel is let in, and nobody is kept from it by being
        told that there is none.
        """
        plus, here = "SCRAM-SHA-256-PLUS", {"tls-exporter": b"here", "other": b"there"}
        for header, binding, mechanism, bindings, refusal in (
            (b"p=tls-exporter,,", b"here", plus, here, None),
            (b"p=other,,", b"there", plus, here, None),
            (b"n,,", b"", "SCRAM-SHA-256", here, None),
            (b"y,,", b"", "SCRAM-SHA-256", {}, None),
            (b"p=tls-exporter,,", b"there", plus, here, SignInRefused),
            (b"p=tls-exporter,,", b"", plus, here, SignInRefused),
            (b"y,,", b"", "SCRAM-SHA-256", here, SignInRefused),
            (b"p=tls-unique,,", b"here", plus, here, SignInGarbled),
            (b"p=tls-exporter,,", b"", plus, {}, SignInGarbled),
            (b"p=tls-exporter,,", b"here", "SCRAM-SHA-256", here, SignInGarbled),
            (b"n,,", b"", plus, here, SignInGarbled),
            (b"y,,", b"", plus, here, SignInGarbled),
        ):
            client = ScramClient("alice", "secret", header, binding=binding)
            signed_in = self.converse(client, mechanism=mechanism, bindings=bindings)
            if refusal is None:
                self.assertEqual(self.successResultOf(signed_in), "alice")
            else:
                self.failureResultOf(signed_in, refusal)

    def test_oneSpelling(self) -> None:
        """
        The name is given in its one spelling, and is proven as it was sent.
        """
        signed_in = self.converse(ScramClient("jose\u0301", "p\u00e4ss"))
        self.assertEqual(self.successResultOf(signed_in), "jos\u00e9")

    def test_refusedAlike(self) -> None:
        """
        A wrong password, an unknown name and one that none can have go the same way: one challenge, then
        the same refusal.  The store is asked as often for the first two.
        """
        answers, asked = set(), []
        for user in ("alice", "nobody", "#system", "ALICE"):
            self.heard.clear()
            self.users.asked.clear()
            failure = self.failureResultOf(self.converse(ScramClient(user, "wrong")), SignInRefused)
            answers.add((type(failure.value), str(failure.value), len(self.heard)))
            asked.append(len(self.users.asked))
        self.assertEqual(len(answers), 1)
        self.assertEqual(asked, [2, 2, 0, 2])

    def test_wrongServer(self) -> None:
        """
        A server without the user's keys cannot show that it has them.
        """
        self.users.known["alice"] = attrs.evolve(self.users.known["alice"], server_key=b"x" * 32)
        self.failureResultOf(self.converse(ScramClient("alice", "secret")), SignInGarbled)

    def test_passwordChanged(self) -> None:
        """
        The keys that count are those of the moment of the proof.
        """
        client = ScramClient("alice", "secret")

        async def ask(challenge: bytes) -> bytes:
            self.users.known["alice"] = makeCredentials("other", 10)
            return client.final(challenge)

        conversation = self.authenticator.converse("SCRAM-SHA-256", client.first(), ask, {})
        self.failureResultOf(Deferred.fromCoroutine(conversation), SignInRefused)

    def test_forAnother(self) -> None:
        """
        To act for another is refused to who has shown who they are, and only to them.
        """
        client = ScramClient("alice", "secret", b"n,a=bob,")
        self.failureResultOf(self.converse(client), ActingRefused)
        client = ScramClient("alice", "wrong", b"n,a=bob,")
        failure = self.failureResultOf(self.converse(client), SignInRefused)
        self.assertNotIsInstance(failure.value, ActingRefused)

    def test_lastingSalts(self) -> None:
        """
        With the same secret another front end, or the same after a new start, shows the same
        salt for an unknown name.
        """

        def salt(authenticator: PortalAuthenticator) -> bytes:
            self.authenticator = authenticator
            self.heard.clear()
            self.failureResultOf(self.converse(ScramClient("nobody", "x")), SignInRefused)
            return self.heard[0].split(b",")[1]

        def make(secret: bytes) -> PortalAuthenticator:
            return storeAuthenticator(self.users, lambda function: succeed(function()), 10, secret=secret)

        salts = [salt(make(each)) for each in (b"a" * 32, b"a" * 32, b"b" * 32, b"", b"")]
        self.assertEqual(salts[0], salts[1])
        self.assertEqual(len(set(salts)), 4)

    def test_unknownMechanism(self) -> None:
        """
        What is not offered is a mistake of the caller's.
        """

        async def ask(challenge: bytes) -> bytes:
            return b""

        conversation = self.authenticator.converse("GSSAPI", b"", ask, {})
        self.failureResultOf(Deferred.fromCoroutine(conversation), ValueError)

    def test_storeAway(self) -> None:
        """
        That the store cannot be asked is told as such.
        """
        self.users.error = StoreUnavailable("the store is away")
        self.failureResultOf(self.converse(ScramClient("alice", "secret")), StoreUnavailable)


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
