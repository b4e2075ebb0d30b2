"""
Tests for L{mailstore.auth.checkers}: other ways to know users.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailstore.auth.checkers import (
    PATIENCE,
    BadChecker,
    CheckersInTurn,
    ForeignChecker,
    Others,
    makeCheckers,
)
from mailstore.auth.keys import verify
from mailstore.auth.portal import PortalAuthenticator, storeAuthenticator
from mailstore.config import Config, ConfigError
from mailstore.errors import CheckerFailed, LimitReached, SignInRefused, StoreUnavailable
from mailstore.topology import MailService, Part
from tests.auth.users import Users


@implementer(ICredentialsChecker)
class Directory:
    """
    Somebody else's users.

    @ivar answer: what it says, whoever asks: an avatar's name, or an exception to raise.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer: Any = None) -> None:
        self.answer = UnauthorizedLogin() if answer is None else answer
        self.asked: list[tuple[bytes, bytes]] = []

    def requestAvatarId(self, credentials: Any) -> Any:
        """
        See L{ICredentialsChecker}.
        """
        self.asked.append((credentials.username, credentials.password))
        return fail(self.answer) if isinstance(self.answer, Exception) else self.answer


class MakeCheckersTests(SynchronousTestCase):
    """
    L{makeCheckers}.
    """

    def test_made(self) -> None:
        """
        Twisted's own kinds are found, in order.
        """
        path = Path(self.mktemp())
        path.write_text("dora:geheim\n")
        made = makeCheckers(["memory:carol:secret:zo\u00eb:p\u00e4ss", f"file:{path}"])
        users = Users()
        checker = CheckersInTurn([ForeignChecker(each, users, Others((), Clock())) for each in made])
        for name, password in (("carol", "secret"), ("zo\u00eb", "p\u00e4ss"), ("dora", "geheim")):
            right = UsernamePassword(name.encode(), password.encode())
            self.assertEqual(self.successResultOf(checker.requestAvatarId(right)), name.encode())
            wrong = UsernamePassword(name.encode(), b"x")
            self.failureResultOf(checker.requestAvatarId(wrong), UnauthorizedLogin)
        self.assertEqual(makeCheckers([]), ())

    def test_refused(self) -> None:
        """
        What cannot be used is one line, in which no password is repeated.
        """
        for description, expected in (
            ("smoke:x", "there is no kind of checker 'smoke'; 'twist mailstore --help-auth' lists them"),
            ("memory:carol:secret:dave", "cannot use the checker 'memory': "),
            ("anonymous", "the checker 'anonymous' does not check passwords, nor tokens"),
        ):
            error = self.assertRaises(BadChecker, makeCheckers, [description])
            self.assertEqual(str(error)[: len(expected)], expected)
            self.assertNotIn("\n", str(error))
            self.assertNotIn("secret", str(error))

    def test_inConfig(self) -> None:
        """
        A config that names one that cannot be used is refused before anything starts; those of
        the command line stand in place of the config's.
        """
        config = Config(checkers=("smoke:x",))
        error = self.assertRaises(ConfigError, MailService, None, Part(config))
        self.assertIn("'smoke'", str(error))
        MailService(None, Part(config, checkers=makeCheckers(["memory:carol:secret"])))


class InTurnTests(SynchronousTestCase):
    """
    L{CheckersInTurn}.
    """

    given = UsernamePassword(b"carol", b"secret")

    def test_interfaces(self) -> None:
        """
        Both classes are checkers.
        """
        verifyObject(ICredentialsChecker, CheckersInTurn(()))
        verifyObject(ICredentialsChecker, ForeignChecker(Directory(), Users(), Others((), Clock())))

    def test_first(self) -> None:
        """
        The first that knows decides, and the others are not asked.
        """
        directories = Directory(), Directory(b"carol"), Directory(b"other")
        checker = CheckersInTurn(directories)
        self.assertEqual(self.successResultOf(checker.requestAvatarId(self.given)), b"carol")
        self.assertEqual([len(each.asked) for each in directories], [1, 1, 0])

    def test_none(self) -> None:
        """
        When none knows, nobody gets in.
        """
        checker = CheckersInTurn((Directory(), Directory()))
        self.failureResultOf(checker.requestAvatarId(self.given), UnauthorizedLogin)

    def test_broken(self) -> None:
        """
        One that breaks is logged and passed over; that nobody else knew, is then not said to be so.
        """
        checker = CheckersInTurn((Directory(OSError("no network")), Directory(b"carol")))
        self.assertEqual(self.successResultOf(checker.requestAvatarId(self.given)), b"carol")
        checker = CheckersInTurn((Directory(OSError("no network")), Directory()))
        self.failureResultOf(checker.requestAvatarId(self.given), CheckerFailed)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_storeAway(self) -> None:
        """
        Without the store there is no point in asking others.
        """
        directory = Directory(b"carol")
        checker = CheckersInTurn((Directory(StoreUnavailable("gone")), directory))
        self.failureResultOf(checker.requestAvatarId(self.given), StoreUnavailable)
        self.assertEqual(directory.asked, [])


class OthersTests(SynchronousTestCase):
    """
    The store's users and those of others, as the front end asks for them.
    """

    def setUp(self) -> None:
        """
        A store, a directory, and a clock.
        """
        self.users = Users()
        self.directory = Directory()
        self.clock = Clock()

    def authenticator(self) -> PortalAuthenticator:
        """
        Who decides.
        """
        others = Others((self.directory,), self.clock)
        return storeAuthenticator(self.users, lambda function: succeed(function()), 10, others=others)

    def signIn(self, user: str, password: str) -> Deferred[str]:
        """
        Try to sign in.
        """
        return Deferred.fromCoroutine(self.authenticator().authenticate(user, password))

    def test_own(self) -> None:
        """
        The store's users need nobody else.
        """
        self.assertEqual(self.successResultOf(self.signIn("alice", "secret")), "alice")
        self.assertEqual(self.directory.asked, [])

    def test_enrolled(self) -> None:
        """
        Somebody else's user gets a place in the store on the first sign-in, and no key that
        any password fits.
        """
        self.directory.answer = b"carol"
        for _ in range(2):
            self.assertEqual(self.successResultOf(self.signIn("Carol", "x")), "carol")
        keys = self.users.known["carol"]
        self.assertFalse(verify(keys, "x"))
        self.assertEqual((keys.iterations, len(keys.stored_key)), (10, 32))
        self.assertEqual(self.directory.asked, [(b"Carol", b"x")] * 2)

    def test_enrolledByAnother(self) -> None:
        """
        Two first sign-ins at once are both right.
        """
        self.directory.answer = b"carol"
        asked = self.users.credentials

        async def late(user: str) -> Any:
            found = await asked(user)
            self.users.known.setdefault(user, self.users.known["alice"])
            return found

        self.patch(self.users, "credentials", late)
        self.assertEqual(self.successResultOf(self.signIn("carol", "x")), "carol")

    def test_notEnrolled(self) -> None:
        """
        Who cannot get a place, since the store is full or away, is not let in and told so.
        """
        self.directory.answer = b"carol"
        for error in (LimitReached("full"), StoreUnavailable("away")):

            async def refuse(user: str, iterations: int, error: Exception = error) -> None:
                raise error

            self.patch(self.users, "enrol", refuse)
            self.failureResultOf(self.signIn("carol", "x"), type(error))
        self.assertNotIn("carol", self.users.known)

    def test_refused(self) -> None:
        """
        Whom nobody knows is refused, as is whoever has no name that a user can have, whatever a checker says.
        """
        self.failureResultOf(self.signIn("carol", "x"), SignInRefused)
        for answer in ((), b"", b"#system", b"anyone", b"a/b", b"\xff", False, ""):
            self.directory.answer = answer
            self.failureResultOf(self.signIn("carol", "x"), SignInRefused)
        self.assertEqual(set(self.users.known), {"alice", "jos\u00e9"})

    def test_textIsGood(self) -> None:
        """
        A checker that gives text in place of bytes is understood.
        """
        self.directory.answer = "caro\u0301l"
        self.assertEqual(self.successResultOf(self.signIn("carol", "x")), "car\u00f3l")

    def test_emptyPassword(self) -> None:
        """
        An empty password is never passed on: some directories let everybody in with it.
        """
        self.directory.answer = b"carol"
        self.failureResultOf(self.signIn("carol", ""), SignInRefused)
        self.assertEqual(self.directory.asked, [])

    def test_hanging(self) -> None:
        """
        A checker that does not answer is not waited for for ever.
        """
        self.directory.answer = Deferred()
        asked = self.signIn("carol", "x")
        self.clock.advance(PATIENCE - 1)
        self.assertNoResult(asked)
        self.clock.advance(2)
        self.failureResultOf(asked, CheckerFailed)
        self.flushLoggedErrors()

    def test_noScram(self) -> None:
        """
        SCRAM, which would not work for everybody, is not offered then.
        """
        self.assertEqual(self.authenticator().mechanisms, ())
        none = Others((), self.clock)
        own = storeAuthenticator(self.users, lambda function: succeed(function()), 10, others=none)
        self.assertEqual(own.mechanisms, ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"))

    def test_fileOfPasswords(self) -> None:
        """
        With one of Twisted's checkers, from its description.
        """
        path = self.mktemp()
        Path(path).write_text("carol:secret\n")
        self.addCleanup(os.remove, path)
        others = Others(makeCheckers([f"file:{path}"]), self.clock)
        authenticator = storeAuthenticator(
            self.users, lambda function: succeed(function()), 10, others=others
        )
        signed_in = Deferred.fromCoroutine(authenticator.authenticate("carol", "secret"))
        self.assertEqual(self.successResultOf(signed_in), "carol")
        self.assertIn("carol", self.users.known)
