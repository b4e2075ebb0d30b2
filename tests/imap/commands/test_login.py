"""
Tests of what a client says before it sees folders: LOGIN, ID, ENABLE, NAMESPACE, LOGOUT.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreUnavailable
from mailstore.imap.limits import ImapLimits
from tests.imap.support import REMOTE, FakeAuthenticator, Server

REFUSED = [b"T NO [AUTHENTICATIONFAILED] The name or the password is wrong"]


class LoginTests(SynchronousTestCase):
    """
    LOGIN.
    """

    def setUp(self) -> None:
        """
        A client that has not signed in.
        """
        self.server = Server(self)
        self.client = self.server.connect()

    def test_signedIn(self) -> None:
        """
        The right name and password let a client in; the reply has the capabilities then.
        """
        (reply,) = self.client.ask(b'LOGIN "Alice" "password"')
        self.assertTrue(reply.startswith(b"T OK [CAPABILITY IMAP4rev1 "), reply)
        self.assertEqual(self.client.protocol.connection.session.user, "alice")

    def test_literals(self) -> None:
        """
        Name and password may be literals.
        """
        self.client.say(b"a LOGIN {5+}\r\nalice {8+}\r\npassword\r\n")
        self.assertEqual(self.client.heard()[0][:5], b"a OK ")

    def test_refused(self) -> None:
        """
        It is not told whether the name or the password was wrong.
        """
        self.assertEqual(self.client.ask(b"LOGIN alice wrong"), REFUSED)
        self.assertEqual(self.client.ask(b"LOGIN nobody password"), REFUSED)
        self.assertEqual(self.client.ask(b'LOGIN alice ""'), REFUSED)

    def test_noText(self) -> None:
        """
        A name that is no text is nobody's.
        """
        self.client.say(b"a LOGIN {2+}\r\n\xff\xfe x\r\n")
        self.assertEqual(self.client.heard(), [b"a" + REFUSED[0][1:]])

    def test_notElsewhere(self) -> None:
        """
        Where others can listen it is refused, and the password is not even looked at.
        """
        client = self.server.connect(REMOTE)
        (reply,) = client.ask(b"LOGIN alice password")
        self.assertTrue(reply.startswith(b"T NO [PRIVACYREQUIRED] "), reply)

    def test_storeAway(self) -> None:
        """
        When it cannot be found out, that is no failed sign-in.
        """

        async def authenticate(user: str, password: str) -> str:
            raise StoreUnavailable("gone")

        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        self.assertEqual(self.client.ask(b"LOGIN alice password")[0][:17], b"T NO [UNAVAILABLE")
        self.assertEqual(self.client.protocol.connection.session.login_failures, 0)

    def test_delay(self) -> None:
        """
        Failing takes time, twice as much each time; then the connection ends.
        """
        server = Server(self, ImapLimits(login_delay=1.0, max_login_failures=3))
        client = server.connect()
        for delay in (1.0, 2.0, 4.0):
            client.say(b"a LOGIN alice wrong\r\n")
            server.clock.advance(delay - 0.1)
            self.assertEqual(client.heard(), [])
            server.clock.advance(0.2)
            self.assertEqual(client.transport.value()[:5], b"a NO ")
            heard = client.heard()
        self.assertEqual(heard[-1], b"* BYE Too many failed sign-ins")
        self.assertTrue(client.gone)

    def test_goneDuringDelay(self) -> None:
        """
        A client that does not wait for it leaves nothing behind.
        """
        server = Server(self, ImapLimits(login_delay=1.0))
        client = server.connect()
        client.say(b"a LOGIN alice wrong\r\n")
        client.disconnect()
        self.assertEqual(server.factory.front.sessions, 0)
        self.assertEqual(server.clock.getDelayedCalls(), [])

    def test_pipelinedBehind(self) -> None:
        """
        A command sent together with LOGIN runs after it, as the user.
        """
        gate: Deferred[None] = Deferred()

        async def authenticate(user: str, password: str) -> str:
            await gate
            return "alice"

        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        self.client.say(b"a LOGIN alice password\r\nb STATUS INBOX (MESSAGES)\r\n")
        self.assertEqual(self.client.heard(), [])
        gate.callback(None)
        self.assertEqual(self.client.heard()[1:], [b"* STATUS INBOX (MESSAGES 0)", b"b OK STATUS completed"])


class OthersTests(SynchronousTestCase):
    """
    ID, ENABLE, NAMESPACE, STARTTLS without a certificate, LOGOUT.
    """

    def setUp(self) -> None:
        """
        A client that has signed in.
        """
        self.server = Server(self)
        self.client = self.server.client()

    def test_id(self) -> None:
        """
        Both sides say what they are.
        """
        for said in (b"NIL", b"()", b'("name" "Bird" "version" NIL)', b'("Name" "x" "os" "y")'):
            response, tagged = self.client.ask(b"ID " + said)
            self.assertEqual(response, b'* ID ("name" "mailstore")')
            self.assertEqual(tagged, b"T OK ID completed")

    def test_idBounded(self) -> None:
        """
        Nobody says more than RFC 2971 section 3.3 allows, nor anything twice, nor nonsense.
        """
        many = b" ".join(b'"f%d" "v"' % each for each in range(31))
        for said in (
            b"(" + many + b")",
            b'("n" "' + b"x" * 1025 + b'")',
            b'("a" "1" "a" "2")',
            b'("a")',
            b"x",
            b"(a b)",
        ):
            self.assertEqual(self.client.ask(b"ID " + said)[-1][:6], b"T BAD ", said)

    def test_idForLog(self) -> None:
        """
        What is remembered for the log is short and printable.
        """
        self.client.say(b'a ID ("name" {200+}\r\n' + b"x\r\n\x1b[2J" * 25 + b")\r\n")
        session = self.client.protocol.connection.session
        self.assertTrue(session.client.isprintable())
        self.assertLessEqual(len(session.client), 100)

    def test_enable(self) -> None:
        """
        What cannot be switched on is passed over.
        """
        self.assertEqual(self.client.ask(b"ENABLE X-FOO X-BAR"), [b"* ENABLED", b"T OK ENABLE completed"])
        self.assertEqual(self.client.ask(b"ENABLE")[-1][:6], b"T BAD ")

    def test_namespace(self) -> None:
        """
        The three namespaces.
        """
        self.assertEqual(
            self.client.ask(b"NAMESPACE"),
            [
                b'* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Public Folders/" "/"))',
                b"T OK NAMESPACE completed",
            ],
        )

    def test_noCertificate(self) -> None:
        """
        Without a certificate there is no STARTTLS.
        """
        self.assertEqual(self.server.connect().ask(b"STARTTLS")[-1][:6], b"T BAD ")

    def test_logout(self) -> None:
        """
        LOGOUT says good-bye before its reply, and nothing after it is run.
        """
        self.client.say(b"a LOGOUT\r\nb NOOP\r\n")
        self.assertEqual(self.client.heard(), [b"* BYE Good-bye", b"a OK LOGOUT completed"])
        self.assertTrue(self.client.gone)
        self.assertEqual(self.server.factory.front.sessions, 0)

    def test_logoutBeforeSignIn(self) -> None:
        """
        A stranger can leave as well.
        """
        self.assertEqual(self.server.connect().ask(b"LOGOUT")[-1], b"T OK LOGOUT completed")
