"""
Tests of LITERAL- (RFC 7888 section 5), where LITERAL+ is not announced.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.support import Client, Server


class LiteralMinusTests(SynchronousTestCase):
    """
    A server that takes small literals without being waited for, and large ones only with.
    """

    def setUp(self) -> None:
        self.client: Client = Server(self, literal_minus=True).client()

    def send(self, command: bytes, size: int, plus: bytes = b"+", tilde: bytes = b"") -> bytes:
        """
        Give a command that ends with a literal of C{size} bytes, and one after it; what comes.
        """
        literal = b"%b{%d%b}\r\n%b" % (tilde, size, plus, b"x" * size)
        self.client.say(b"T %b%b\r\nU NOOP\r\n" % (command, literal))
        heard = b"\r\n".join(self.client.heard())
        self.assertTrue(heard.endswith(b"U OK NOOP completed"), heard)
        return heard

    def test_announced(self) -> None:
        """
        It is announced, and LITERAL+ is not; elsewhere it is the other way round.
        """
        names = self.client.ask(b"CAPABILITY")[0].split()
        self.assertIn(b"LITERAL-", names)
        self.assertNotIn(b"LITERAL+", names)
        names = Server(self).client().ask(b"CAPABILITY")[0].split()
        self.assertIn(b"LITERAL+", names)
        self.assertNotIn(b"LITERAL-", names)

    def test_small(self) -> None:
        """
        4096 bytes need not wait.
        """
        self.assertEqual(self.send(b"SUBSCRIBE ", 4096)[:5], b"T NO ")

    def test_large(self) -> None:
        """
        One byte more is BAD with TOOBIG, for a literal8 and in APPEND too, and nothing of it is run.
        """
        for command, tilde in ((b"SUBSCRIBE ", b""), (b"APPEND INBOX ", b""), (b"APPEND INBOX ", b"~")):
            heard = self.send(command, 4097, tilde=tilde)
            self.assertEqual(heard[:15], b"T BAD [TOOBIG] ")

    def test_waited(self) -> None:
        """
        A client that waits may send more.
        """
        self.client.say(b"T SUBSCRIBE {5000}\r\n")
        (go,) = self.client.heard()
        self.assertEqual(go[:2], b"+ ")
        self.client.say(b"x" * 5000 + b"\r\n")
        self.assertEqual(self.client.heard()[-1][:5], b"T NO ")

    def test_beforeSignIn(self) -> None:
        """
        It holds before sign-in as well.
        """
        client = Server(self, literal_minus=True).connect()
        client.say(b"T LOGIN {4097+}\r\n" + b"x" * 4097 + b" {1+}\r\nx\r\nU NOOP\r\n")
        self.assertEqual([each[:15] for each in client.heard()], [b"T BAD [TOOBIG] ", b"U OK NOOP compl"])
