"""
Tests of STARTTLS, and of what somebody may have put behind it.
"""

from __future__ import annotations

from base64 import b64encode

from twisted.internet.interfaces import ITLSTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.imap.support import REMOTE, Client, Server

BEGUN = b"a OK Begin TLS now"


class InjectionTests(SynchronousTestCase):
    """
    Nothing that came before the handshake counts after it (RFC 9051 section 11.1).
    """

    def setUp(self) -> None:
        """
        A server with a certificate.
        """
        self.server = Server(self, tls=object())

    def connect(self) -> Client:
        """
        A client from elsewhere, on a transport that can do TLS.
        """
        return self.server.connect(REMOTE, provides=(ITLSTransport,))

    def checkForgotten(self, client: Client) -> None:
        """
        The client is a stranger, whose next command is the first under TLS.
        """
        session = client.protocol.connection.session
        self.assertEqual(len(client.transport.tls), 1)
        self.assertEqual(session.framer.buffered, 0)
        self.assertEqual(client.ask(b"NOOP"), [b"T OK NOOP completed"])
        self.assertEqual((session.user, session.client), ("", ""))
        client.login()

    def test_behind(self) -> None:
        """
        Whatever stands in the same segment as the command is never run: whole commands, the beginning of one,
        literals of both kinds, whole or not, nonsense, and much of it.
        """
        for behind in (
            b"b LOGIN alice password\r\n",
            b"b LOGIN alice password\r\nc SELECT INBOX\r\n",
            b"b LOGIN alice pass",
            b"b LOGIN {5+}\r\nalice {8+}\r\npassword\r\n",
            b"b LOGIN {5+}\r\nalice {8+}\r\npass",
            b"b LOGIN {5}\r\n",
            b"b LOGIN {5}\r\nalice {8}\r\npassword\r\n",
            b"b LOGIN {4000000000+}\r\nalice",
            b"b AUTHENTICATE PLAIN " + b64encode(b"\0alice\0password") + b"\r\n",
            b"b AUTHENTICATE PLAIN\r\n" + b64encode(b"\0alice\0password") + b"\r\n",
            b'b ID ("name" "intruder")\r\n',
            b"\x16\x03\x01\0\0",
            b"b NOOP\r\n" * 5000,
        ):
            client = self.connect()
            client.say(b"a STARTTLS\r\n" + behind)
            self.assertEqual(client.heard(), [BEGUN], behind[:60])
            self.checkForgotten(client)
            client.disconnect()

    def test_inPieces(self) -> None:
        """
        However the bytes were cut, up to the moment when TLS begins.
        """
        whole = b"a STARTTLS\r\nb LOGIN alice password\r\n"
        for cut in range(1, len(b"a STARTTLS\r\n")):
            client = self.connect()
            client.say(whole[:cut])
            client.say(whole[cut:])
            self.assertEqual(client.heard(), [BEGUN])
            self.checkForgotten(client)
            client.disconnect()

    def test_whileReplying(self) -> None:
        """
        Also what comes while the client does not take the reply.
        """
        client = self.connect()
        client.protocol.pauseProducing()
        client.say(b"a STARTTLS\r\n")
        client.say(b"b LOGIN alice password\r\n")
        self.assertEqual(client.transport.tls, [])
        client.protocol.resumeProducing()
        self.assertEqual(client.heard(), [BEGUN])
        self.checkForgotten(client)

    def test_before(self) -> None:
        """
        What was sent before it was run in the clear, and is answered before it; what the client said of
        itself then is forgotten.
        """
        client = self.connect()
        client.say(b'x ID ("name" "intruder")\r\ny LOGIN alice password\r\na STARTTLS\r\nz NOOP\r\n')
        heard = client.heard()
        self.assertEqual(heard[1], b"x OK ID completed")
        self.assertEqual(heard[2][:23], b"y NO [PRIVACYREQUIRED] ")
        self.assertEqual(heard[3:], [BEGUN])
        self.checkForgotten(client)

    def test_insideLiteral(self) -> None:
        """
        The command in a literal is none.
        """
        client = self.connect()
        client.say(b"a LOGIN {12+}\r\nb STARTTLS\r\n x\r\n")
        self.assertEqual(client.heard()[0][:23], b"a NO [PRIVACYREQUIRED] ")
        self.assertEqual(client.transport.tls, [])

    def test_withArguments(self) -> None:
        """
        With anything behind its name it is refused, and TLS does not begin.
        """
        client = self.connect()
        for behind in (b" now", b" {3+}\r\nnow", b" "):
            self.assertEqual(client.ask(b"STARTTLS" + behind)[-1][:6], b"T BAD ")
        self.assertEqual(client.transport.tls, [])

    def test_failuresAreKept(self) -> None:
        """
        Beginning TLS is no way to have failed sign-ins forgotten.
        """
        server = Server(self, tls=object())
        client = server.connect(provides=(ITLSTransport,))
        client.ask(b"LOGIN alice wrong")
        client.ask(b"STARTTLS")
        self.assertEqual(client.protocol.connection.session.login_failures, 1)
