"""
Tests of what a client says before it sees folders: CAPABILITY, ID, STARTTLS,
LOGIN, AUTHENTICATE, ENABLE, NAMESPACE, LOGOUT.
"""

from __future__ import annotations

from base64 import b64encode

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreUnavailable
from mailstore.imap.limits import ImapLimits
from tests.imap.support import REMOTE, Client, FakeAuthenticator, Server

REFUSED = [b"T NO [AUTHENTICATIONFAILED] The name or the password is wrong"]


def plain(identity: str, user: str, password: str) -> bytes:
    """
    An answer of the mechanism PLAIN.
    """
    return b64encode("\0".join((identity, user, password)).encode())


class CapabilityTests(SynchronousTestCase):
    """
    What the server says it can do.
    """

    def names(self, client: Client) -> set[bytes]:
        """
        The capabilities of a client at this moment.
        """
        response, tagged = client.ask(b"CAPABILITY")
        self.assertEqual(tagged, b"T OK CAPABILITY completed")
        self.assertTrue(response.startswith(b"* CAPABILITY "))
        return set(response.split()[2:])

    def test_greeting(self) -> None:
        """
        The greeting has them, so that no client need ask.
        """
        client = Server(self).connect(greeting=False)
        (greeting,) = client.heard()
        self.assertTrue(greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 "), greeting)

    def test_onThisMachine(self) -> None:
        """
        Where nobody can listen a password may be sent.
        """
        names = self.names(Server(self).connect())
        self.assertIn(b"AUTH=PLAIN", names)
        self.assertFalse(names & {b"LOGINDISABLED", b"STARTTLS"})

    def test_elsewhere(self) -> None:
        """
        Elsewhere not without TLS (RFC 9051 section 11.3).
        """
        names = self.names(Server(self).connect(REMOTE))
        self.assertIn(b"LOGINDISABLED", names)
        self.assertNotIn(b"AUTH=PLAIN", names)

    def test_afterSignIn(self) -> None:
        """
        What is of use before sign-in only is not said after it.
        """
        names = self.names(Server(self).client())
        self.assertFalse(names & {b"AUTH=PLAIN", b"LOGINDISABLED", b"STARTTLS"})
        self.assertLessEqual({b"IMAP4rev1", b"IDLE", b"UIDPLUS", b"MOVE", b"NAMESPACE"}, names)

    def test_noArguments(self) -> None:
        """
        It takes none.
        """
        self.assertEqual(Server(self).connect().ask(b"CAPABILITY x")[-1][:6], b"T BAD ")


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


class AuthenticateTests(SynchronousTestCase):
    """
    AUTHENTICATE.
    """

    def setUp(self) -> None:
        """
        A client that has not signed in.
        """
        self.server = Server(self)
        self.client = self.server.connect()

    def test_challenge(self) -> None:
        """
        The answer can be given when it is asked for.
        """
        self.client.say(b"a AUTHENTICATE plain\r\n")
        self.assertEqual(self.client.heard(), [b"+ "])
        self.client.say(plain("", "alice", "password") + b"\r\n")
        self.assertEqual(self.client.heard()[0][:5], b"a OK ")

    def test_initialResponse(self) -> None:
        """
        Or in the command itself (RFC 4959).
        """
        answer = plain("alice", "alice", "password")
        self.assertEqual(self.client.ask(b"AUTHENTICATE PLAIN " + answer)[0][:5], b"T OK ")

    def test_refused(self) -> None:
        """
        A wrong password is refused as with LOGIN.
        """
        self.assertEqual(self.client.ask(b"AUTHENTICATE PLAIN " + plain("", "alice", "wrong")), REFUSED)

    def test_cancelled(self) -> None:
        """
        C{*} gives up; a command after it is a command again.
        """
        self.client.say(b"a AUTHENTICATE PLAIN\r\n*\r\n")
        self.assertEqual(self.client.heard()[1][:6], b"a BAD ")
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_nonsense(self) -> None:
        """
        What is no base64, or no answer of PLAIN, is BAD.
        """
        for answer in (b"%%%", b"=", b64encode(b"alice"), b64encode(b"a\0b\0c\0d"), plain("", "", "x")):
            self.assertEqual(self.client.ask(b"AUTHENTICATE PLAIN " + answer)[0][:6], b"T BAD ", answer)

    def test_answerIsNoCommand(self) -> None:
        """
        What looks like a literal or a command in an answer is neither.
        """
        self.client.say(b"a AUTHENTICATE PLAIN\r\nb LOGOUT {5}\r\n")
        self.assertEqual(self.client.heard()[1][:6], b"a BAD ")
        self.assertFalse(self.client.gone)

    def test_forAnother(self) -> None:
        """
        Nobody can be somebody else.
        """
        (reply,) = self.client.ask(b"AUTHENTICATE PLAIN " + plain("bob", "alice", "password"))
        self.assertTrue(reply.startswith(b"T NO [AUTHORIZATIONFAILED] "), reply)

    def test_unknownMechanism(self) -> None:
        """
        Another mechanism is refused.
        """
        self.assertEqual(self.client.ask(b"AUTHENTICATE KERBEROS_V4")[0][:5], b"T NO ")

    def test_notElsewhere(self) -> None:
        """
        Where others can listen no answer is asked for.
        """
        client = self.server.connect(REMOTE)
        self.assertEqual(client.ask(b"AUTHENTICATE PLAIN")[0][:23], b"T NO [PRIVACYREQUIRED] ")

    def test_noAnswer(self) -> None:
        """
        Who does not answer is not waited for longer than for a command.
        """
        self.client.say(b"a AUTHENTICATE PLAIN\r\n")
        self.server.clock.advance(61)
        self.assertTrue(self.client.gone)


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
        self.assertEqual(self.client.ask(b"ENABLE X-FOO CONDSTORE"), [b"* ENABLED", b"T OK ENABLE completed"])
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
