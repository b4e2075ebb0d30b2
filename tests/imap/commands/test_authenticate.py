"""
Tests of AUTHENTICATE.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from mailstore.auth.portal import storeAuthenticator
from mailstore.errors import CheckerFailed, StoreUnavailable
from mailstore.imap.limits import ImapLimits
from tests.auth.scramclient import ScramClient
from tests.auth.users import Users
from tests.imap.scramserver import withScram
from tests.imap.support import REMOTE, Client, FakeAuthenticator, Server

REFUSED = [b"T NO [AUTHENTICATIONFAILED] The name or the password is wrong"]


def plain(identity: str, user: str, password: str) -> bytes:
    """
    An answer of the mechanism PLAIN.
    """
    return b64encode("\0".join((identity, user, password)).encode())


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


class ScramTests(SynchronousTestCase):
    """
    AUTHENTICATE SCRAM-SHA-256.
    """

    def setUp(self) -> None:
        """
        A client of a server that knows alice by the password C{secret}.
        """
        self.server = withScram(self)
        self.client = self.server.connect()

    def begin(self, client: Client, scram: ScramClient) -> bytes:
        """
        Say the first words with the command, and hear the challenge.
        """
        client.say(b"a AUTHENTICATE SCRAM-SHA-256 " + b64encode(scram.first()) + b"\r\n")
        (line,) = client.heard()
        self.assertEqual(line[:2], b"+ ")
        return b64decode(line[2:], validate=True)

    def answer(self, client: Client, data: bytes) -> bytes:
        """
        Answer a challenge, and hear one line.
        """
        client.say(b64encode(data) + b"\r\n")
        (line,) = client.heard()
        return line

    def signIn(self, scram: ScramClient) -> bytes:
        """
        Go the whole way.

        @return: the tagged reply.
        """
        said = self.answer(self.client, scram.final(self.begin(self.client, scram)))
        if said[:2] == b"+ ":
            self.assertTrue(scram.knows(b64decode(said[2:])))
            return self.answer(self.client, b"")
        return said

    def test_initialResponse(self) -> None:
        """
        With the first words in the command; both sides show that they know.
        """
        self.assertTrue(self.signIn(ScramClient("alice", "secret")).startswith(b"a OK [CAPABILITY "))
        self.assertEqual(self.client.protocol.connection.session.user, "alice")

    def test_challenge(self) -> None:
        """
        Without them an empty challenge comes first, as with every mechanism that the client begins.
        """
        scram = ScramClient("alice", "secret")
        self.client.say(b"a authenticate scram-sha-256\r\n")
        self.assertEqual(self.client.heard(), [b"+ "])
        challenge = b64decode(self.answer(self.client, scram.first())[2:])
        self.assertEqual(self.answer(self.client, scram.final(challenge))[:2], b"+ ")
        self.assertEqual(self.answer(self.client, b"")[:5], b"a OK ")

    def test_refused(self) -> None:
        """
        A wrong password and a user who does not exist are refused with the same words
        at the same place, as LOGIN does.
        """
        for user in ("alice", "nobody", "#system", "anyone", "x" * 200):
            reply = self.signIn(ScramClient(user, "wrong"))
            self.assertEqual(reply, b"a NO [AUTHENTICATIONFAILED] The name or the password is wrong", user)
            self.client = self.server.connect()

    def test_strangersHaveSalts(self) -> None:
        """
        Who does not exist has a salt that is the same each time and not that of another, of a user's
        length, and as many iterations.
        """

        def ask(user: str) -> list[bytes]:
            challenge = self.begin(self.server.connect(), ScramClient(user, "x"))
            return challenge.split(b",")[1:]

        alice, nobody, other = ask("alice"), ask("nobody"), ask("other")
        self.assertEqual(alice, ask("alice"))
        self.assertEqual(nobody, ask("nobody"))
        self.assertEqual(len({alice[0], nobody[0], other[0]}), 3)
        self.assertEqual({len(alice[0])}, {len(nobody[0]), len(other[0])})
        self.assertEqual({alice[1]}, {nobody[1], other[1]})

    def test_forOneself(self) -> None:
        """
        Clients with Cyrus SASL name whom they act for, which is themselves.
        """
        self.assertEqual(self.signIn(ScramClient("alice", "secret", b"n,a=alice,"))[:5], b"a OK ")

    def test_forAnother(self) -> None:
        """
        Nobody can be somebody else, also who can sign in; it is no way to learn that.
        """
        reply = self.signIn(ScramClient("alice", "secret", b"n,a=jos\xc3\xa9,"))
        self.assertEqual(reply, b"a NO [AUTHORIZATIONFAILED] Nobody may act for another user here")
        self.client = self.server.connect()
        reply = self.signIn(ScramClient("alice", "wrong", b"n,a=jos\xc3\xa9,"))
        self.assertEqual(reply[:27], b"a NO [AUTHENTICATIONFAILED]")

    def test_wouldBind(self) -> None:
        """
        A client that could bind the channel, and sees that the server cannot, is welcome.
        """
        self.assertEqual(self.signIn(ScramClient("alice", "secret", b"y,,"))[:5], b"a OK ")

    def test_garbled(self) -> None:
        """
        What is no SCRAM is BAD, and the next command is a command.
        """
        for first in (
            b"",
            b"n=alice,r=x",
            b"p=tls-unique,,n=alice,r=x",
            b"\xff",
            b"n,,n=alice,r=" + b"x" * 5000,
        ):
            reply = self.server.connect()
            command = b64encode(first) or b"="
            self.assertEqual(reply.ask(b"AUTHENTICATE SCRAM-SHA-256 " + command)[-1][:6], b"T BAD ", first)
            self.assertEqual(reply.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_garbledLater(self) -> None:
        """
        The same for the second message, and for words after the last.
        """
        scram = ScramClient("alice", "secret")
        self.begin(self.client, scram)
        self.assertEqual(self.answer(self.client, b"c=biws,r=other,p=eA==")[:6], b"a BAD ")
        challenge = self.begin(self.client, scram)
        self.assertEqual(self.answer(self.client, scram.final(challenge))[:2], b"+ ")
        self.assertEqual(self.answer(self.client, b"and")[:6], b"a BAD ")
        self.assertEqual(self.client.protocol.connection.session.user, "")

    def test_cancelled(self) -> None:
        """
        C{*} gives up, also when the client finds that the server is not the right one.
        """
        scram = ScramClient("alice", "secret")
        challenge = self.begin(self.client, scram)
        self.client.say(b"*\r\n")
        self.assertEqual(self.client.heard()[0][:6], b"a BAD ")
        challenge = self.begin(self.client, scram)
        self.answer(self.client, scram.final(challenge))
        self.client.say(b"*\r\n")
        self.assertEqual(self.client.heard()[0][:6], b"a BAD ")
        self.assertEqual(self.client.protocol.connection.session.user, "")

    def test_replayed(self) -> None:
        """
        What somebody has listened to is of no use in another conversation.
        """
        scram = ScramClient("alice", "secret")
        final = scram.final(self.begin(self.client, scram))
        other = self.server.connect()
        self.begin(other, scram)
        self.assertEqual(self.answer(other, final)[:6], b"a BAD ")

    def test_costs(self) -> None:
        """
        Failing takes time, as with LOGIN.
        """
        server = withScram(self, ImapLimits(login_delay=1.0))
        client = server.connect()
        scram = ScramClient("alice", "wrong")
        challenge = self.begin(client, scram)
        client.say(b64encode(scram.final(challenge)) + b"\r\n")
        server.clock.advance(0.9)
        self.assertEqual(client.heard(), [])
        server.clock.advance(0.2)
        self.assertEqual(client.heard()[0][:5], b"a NO ")
        self.assertEqual(server.factory.front.failed_sign_ins.count("127.0.0.1"), 1)

    def test_thinking(self) -> None:
        """
        A client that has been given a challenge is in nobody's way while it thinks.
        """
        server = withScram(self, ImapLimits(login_delay=0.0, max_failures_per_address=1))
        thinking, other = server.connect(), server.connect()
        scram = ScramClient("alice", "secret")
        challenge = self.begin(thinking, scram)
        self.assertEqual(other.ask(b"LOGIN alice secret")[-1][:5], b"T OK ")
        self.assertEqual(self.answer(thinking, scram.final(challenge))[:2], b"+ ")
        self.assertEqual(self.answer(thinking, b"")[:5], b"a OK ")

    def test_storeAway(self) -> None:
        """
        When the keys cannot be asked for, that is no failed sign-in.
        """
        users = Users()
        users.error = StoreUnavailable("gone")
        authenticator = storeAuthenticator(users, lambda function: succeed(function()), 10)
        self.server.factory.front.authenticator = authenticator
        reply = self.client.ask(b"AUTHENTICATE SCRAM-SHA-256 " + b64encode(b"n,,n=alice,r=x"))
        self.assertEqual(reply[0][:19], b"T NO [UNAVAILABLE] ")
        self.assertEqual(self.client.protocol.connection.session.login_failures, 0)

    def test_notElsewhere(self) -> None:
        """
        Where others can listen it is refused: they could search for the password at home.
        """
        client = self.server.connect(REMOTE)
        self.assertEqual(client.ask(b"AUTHENTICATE SCRAM-SHA-256")[0][:23], b"T NO [PRIVACYREQUIRED] ")


class OtherRefusalsTests(SynchronousTestCase):
    """
    What an authenticator can answer beside yes and no.
    """

    def test_checkerFailed(self) -> None:
        """
        That somebody who might know could not be asked is no wrong password, but it
        costs the same: else it would be free to guess meanwhile.
        """

        async def authenticate(user: str, password: str) -> str:
            raise CheckerFailed()

        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        client = Server(self).connect()
        reply = client.ask(b"AUTHENTICATE PLAIN " + plain("", "alice", "password"))
        self.assertEqual(reply[0][:19], b"T NO [UNAVAILABLE] ")
        self.assertEqual(client.protocol.connection.session.login_failures, 1)
