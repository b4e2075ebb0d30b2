"""
What commands mean is read once, and a command means what it would mean if it was read each time.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap import registry
from mailstore.imap.knowncommands import KnownCommands
from mailstore.imap.limits import ImapLimits
from tests.imap.support import Server

_NOOP = registry.COMMANDS["NOOP"]


class KnownCommandsTests(SynchronousTestCase):
    """
    The commands alone.
    """

    def test_kept(self) -> None:
        """
        What was read is found by the words and the way in which they are read.
        """
        known = KnownCommands(ImapLimits())
        known.add((b" NOOP", False, frozenset()), _NOOP, 1)
        self.assertEqual(known.get((b" NOOP", False, frozenset())), (_NOOP, 1))
        self.assertIsNone(known.get((b" NOOP", True, frozenset())))
        self.assertIsNone(known.get((b" noop", False, frozenset())))

    def test_bound(self) -> None:
        """
        All that is kept never has more than its bound; what was given longest ago goes first, and long
        commands are not kept.
        """
        known = KnownCommands(ImapLimits(max_known_commands=20_000))
        for number in range(100):
            known.add((b" NOOP %d" % number, False, frozenset()), _NOOP, number)
            self.assertIsNotNone(known.get((b" NOOP 0", False, frozenset())))
            self.assertLessEqual(known.cost, 20_000)
        self.assertIsNone(known.get((b" NOOP 1", False, frozenset())))
        before = known.cost
        known.add((b" NOOP 99", False, frozenset()), _NOOP, 99)
        known.add((b" NOOP " + b"x" * 600, False, frozenset()), _NOOP, None)
        self.assertEqual(known.cost, before)


class SessionTests(SynchronousTestCase):
    """
    Sessions that give the same commands.
    """

    def setUp(self) -> None:
        """
        A server with two clients.
        """
        self.server = Server(self)
        self.known = self.server.factory.front.known_commands
        self.client = self.server.client()
        self.other = self.server.client()

    def test_same(self) -> None:
        """
        Given again, by the same or another, it has the same answer, and nothing more is kept.
        """
        for command in (
            b"STATUS INBOX (MESSAGES UIDNEXT)",
            b"EXAMINE INBOX",
            b"FETCH 1:* (UID FLAGS)",
            b"NOOP",
        ):
            self.other.ask(b"EXAMINE INBOX")
            first = self.client.ask(command)
            kept = self.known.cost
            again = self.client.ask(command)
            self.assertEqual((again[-1], self.known.cost), (first[-1], kept), command)
            self.assertEqual(self.other.ask(command)[-1], first[-1], command)

    def test_state(self) -> None:
        """
        What may not be given now is refused, though it is known.
        """
        self.client.ask(b"SELECT INBOX")
        self.assertTrue(self.client.ask(b"FETCH 1:* (UID)")[-1].startswith(b"T OK"))
        self.client.ask(b"UNSELECT")
        self.assertTrue(self.client.ask(b"FETCH 1:* (UID)")[-1].startswith(b"T BAD"))
        self.client.ask(b"UNAUTHENTICATE")
        self.assertTrue(self.client.ask(b"SELECT INBOX")[-1].startswith(b"T BAD"))

    def test_tags(self) -> None:
        """
        Each has the tag it was given with, and what is no tag is refused.
        """
        self.client.ask(b"NOOP")
        for tag in (b"a", b"b.1"):
            self.client.say(tag + b" NOOP\r\n")
            self.assertTrue(self.client.heard()[-1].startswith(tag + b" OK"))
        for tag in (b"", b"a+b", b"(", b"\xe4"):
            self.client.say(tag + b" NOOP\r\n")
            self.assertIn(b" BAD ", self.client.heard()[-1], tag)

    def test_utf8(self) -> None:
        """
        A name that is written so before ENABLE is another one after it.
        """
        command = b"STATUS INBOX/&AOQ- (MESSAGES)"
        first = self.client.ask(command)
        self.client.ask(b"ENABLE UTF8=ACCEPT")
        kept = self.known.cost
        self.client.ask(command)
        self.assertGreater(self.known.cost, kept)
        self.assertEqual(self.other.ask(command), first)

    def test_noSecrets(self) -> None:
        """
        What signs in, what has literals, and what is wrong is not kept.
        """
        kept = self.known.cost
        client = self.server.client()
        client.ask(b"LOGOUT")
        self.client.ask(b"STATUS INBOX (NONSENSE)")
        self.client.say(b"L STATUS {5}\r\n")
        self.client.heard()
        self.client.say(b"INBOX (MESSAGES)\r\n")
        self.assertTrue(self.client.heard()[-1].startswith(b"L OK"))
        self.client.ask(b"LOGIN alice password")
        self.assertEqual(self.known.cost, kept)
