"""
Tests for L{mailstore.auth.bearer}, and for who takes tokens.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailstore.auth.bearer import MAX_MESSAGE, OAUTHBEARER, XOAUTH2, BearerToken, IBearerToken, readBearer
from mailstore.auth.checkers import Others
from mailstore.auth.portal import PortalAuthenticator, storeAuthenticator
from mailstore.errors import SignInGarbled, SignInRefused
from mailstore.testing.tokens import TokenChecker
from tests.auth.test_checkers import Directory
from tests.auth.users import Users


class ReadBearerTests(SynchronousTestCase):
    """
    L{readBearer}.
    """

    def test_read(self) -> None:
        """
        The name and the token are taken, and what else a client says is passed over.
        """
        for mechanism, data, user, token in (
            (OAUTHBEARER, b"n,a=u@h,\1host=server\1port=143\1auth=Bearer a.b~c==\1\1", b"u@h", b"a.b~c=="),
            (OAUTHBEARER, b"y,,\1auth=bearer  x\1\1", b"", b"x"),
            (OAUTHBEARER, b"n,a=a=2Cb=3Dc,\1auth=BEARER x\1\1", b"a,b=c", b"x"),
            (OAUTHBEARER, b"n,a=\xc3\xa9,\1AUTH=Bearer x\1\1", b"\xc3\xa9", b"x"),
            (XOAUTH2, b"user=u@h\1auth=Bearer x\1\1", b"u@h", b"x"),
            (XOAUTH2, b"user=\1auth=Bearer x\1\1", b"", b"x"),
        ):
            found = readBearer(mechanism, data)
            self.assertEqual((found.username, found.token), (user, token))
            self.assertTrue(verifyObject(IBearerToken, found))

    def test_garbled(self) -> None:
        """
        What is no message, or has no token or several in it, is refused.
        """
        for mechanism, data in (
            (OAUTHBEARER, b""),
            (OAUTHBEARER, b"\1"),
            (OAUTHBEARER, b"n,,\1\1"),
            (OAUTHBEARER, b"n,,\1auth=Bearer x\1"),
            (OAUTHBEARER, b"n,,auth=Bearer x\1\1"),
            (OAUTHBEARER, b"p=tls-exporter,,\1auth=Bearer x\1\1"),
            (OAUTHBEARER, b"n,a=,\1auth=Bearer x\1\1"),
            (OAUTHBEARER, b"n,u,\1auth=Bearer x\1\1"),
            (OAUTHBEARER, b"n,,\1auth=Basic x\1\1"),
            (OAUTHBEARER, b"n,,\1auth=Bearer \1\1"),
            (OAUTHBEARER, b"n,,\1auth=Bearer x y\1\1"),
            (OAUTHBEARER, b"n,,\1auth=Bearer x\1auth=Bearer y\1\1"),
            (OAUTHBEARER, b"n,,\1auth=Bearer x\1\1more"),
            (OAUTHBEARER, b"n,a=\xff,\1auth=Bearer x\1\1"),
            (OAUTHBEARER, b"n,,\1auth=Bearer " + b"x" * MAX_MESSAGE + b"\1\1"),
            (OAUTHBEARER, b"user=u\1auth=Bearer x\1\1"),
            (XOAUTH2, b"n,,\1auth=Bearer x\1\1"),
            (XOAUTH2, b"user=u\0\1auth=Bearer x\1\1"),
            (XOAUTH2, b"user=u\1\1"),
        ):
            self.assertRaises(SignInGarbled, readBearer, mechanism, data)

    def test_secret(self) -> None:
        """
        A token does not get into logs.
        """
        self.assertNotIn("hidden", repr(BearerToken(b"u", b"hidden")))


class TokensTests(SynchronousTestCase):
    """
    An authenticator with a checker of tokens.
    """

    def setUp(self) -> None:
        """
        Alice, of the store, and dora, whom only the checker knows.
        """
        self.users = Users()
        self.checker = TokenChecker({"one": "alice", "two": "dora"})
        self.authenticator = self.make(self.checker)

    def make(self, *checkers: Any) -> PortalAuthenticator:
        """
        An authenticator with these beside the store.
        """
        others = Others(checkers, Clock())
        return storeAuthenticator(self.users, lambda function: succeed(function()), 10, others=others)

    def present(self, token: bytes, user: bytes = b"") -> Deferred[str]:
        """
        Sign in with a token.
        """

        async def ask(challenge: bytes) -> bytes:
            raise AssertionError("there is nothing to ask")

        header = b"n,a=%s," % user if user else b"n,,"
        said = header + b"\1auth=Bearer %s\1\1" % token
        return Deferred.fromCoroutine(self.authenticator.converse(OAUTHBEARER, said, ask, {}))

    def test_taken(self) -> None:
        """
        Who has a token is let in, and has a mailbox from the first time on.
        """
        self.assertTrue(verifyObject(ICredentialsChecker, self.checker))
        self.assertEqual(self.successResultOf(self.present(b"one")), "alice")
        self.assertEqual(self.successResultOf(self.present(b"two", b"dora")), "dora")
        self.assertIn("dora", self.users.known)

    def test_refused(self) -> None:
        """
        An unknown token, or one of somebody else's, is refused with the words of the mechanism.
        """
        for token, user in ((b"three", b""), (b"one", b"dora"), (b"ONE", b"alice")):
            failure = self.failureResultOf(self.present(token, user), SignInRefused)
            self.assertIn(b"invalid_token", failure.value.last_words)

    def test_offered(self) -> None:
        """
        What is offered depends on what the checkers check.
        """
        scram = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
        tokens = (OAUTHBEARER, XOAUTH2)
        self.assertEqual(self.authenticator.mechanisms, (*scram, *tokens))
        self.assertEqual(self.make().mechanisms, scram)
        self.assertEqual(self.make(Directory()).mechanisms, ())
        self.assertEqual(self.make(Directory(), self.checker).mechanisms, tokens)

    def test_passwords(self) -> None:
        """
        Passwords are not shown to a checker of tokens.
        """
        signed_in = Deferred.fromCoroutine(self.authenticator.authenticate("alice", "secret"))
        self.assertEqual(self.successResultOf(signed_in), "alice")
