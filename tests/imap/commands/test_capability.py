"""
Tests of CAPABILITY.
"""

from __future__ import annotations

from twisted.cred.portal import Portal
from twisted.internet.interfaces import ISSLTransport, ITLSTransport
from twisted.trial.unittest import SynchronousTestCase

from mailstore.auth.portal import MailRealm, PortalAuthenticator
from tests.imap.scramserver import withScram
from tests.imap.support import REMOTE, Client, Server


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

    def test_mechanisms(self) -> None:
        """
        SCRAM is announced where it works, the best first; PLAIN always is.
        """
        (greeting,) = withScram(self).connect(greeting=False).heard()
        self.assertIn(b" AUTH=SCRAM-SHA-256 AUTH=PLAIN ", greeting)
        self.assertNotIn(b"SCRAM", Server(self).connect(greeting=False).heard()[0])

    def test_noProofs(self) -> None:
        """
        Where no checker knows what to do with the proofs of SCRAM, it is not announced, nor does it work.
        """
        server = Server(self)
        server.factory.front.authenticator = PortalAuthenticator(Portal(MailRealm()))
        client = server.connect()
        self.assertFalse([each for each in self.names(client) if b"SCRAM" in each])
        self.assertEqual(client.ask(b"AUTHENTICATE SCRAM-SHA-256")[0][:14], b"T NO [CANNOT] ")

    def test_nothingWithoutTls(self) -> None:
        """
        No mechanism is announced where others can listen; under TLS all are.
        """
        server = withScram(self, tls=object())
        names = self.names(server.connect(REMOTE, provides=(ITLSTransport,)))
        self.assertLessEqual({b"LOGINDISABLED", b"STARTTLS"}, names)
        self.assertFalse([each for each in names if each.startswith(b"AUTH=")])
        names = self.names(server.connect(REMOTE, provides=(ISSLTransport,)))
        self.assertLessEqual({b"AUTH=SCRAM-SHA-256", b"AUTH=PLAIN"}, names)
        self.assertFalse(names & {b"LOGINDISABLED", b"STARTTLS"})
