"""
Responses that are the same for many are rendered once, and never told where they would be wrong.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits
from mailstore.imap.sharedlines import SharedLines
from tests.imap import support
from tests.imap.wholeserver import WholeServer


class SharedLinesTests(SynchronousTestCase):
    """
    The lines alone.
    """

    def test_kept(self) -> None:
        """
        Lines are found by all that they were made of.
        """
        lines = SharedLines(ImapLimits())
        lines.add((b"numbers", b"flags", ("$Junk",)), b"* 1 FETCH\r\n")
        self.assertEqual(lines.get((b"numbers", b"flags", ("$Junk",))), b"* 1 FETCH\r\n")
        self.assertIsNone(lines.get((b"numbers", b"other", ("$Junk",))))
        self.assertIsNone(lines.get((b"numbers", b"flags", ())))
        lines.clear()
        self.assertEqual((lines.get((b"numbers", b"flags", ("$Junk",))), lines.cost), (None, 0))

    def test_bound(self) -> None:
        """
        All that is kept never has more than its bound; what was used longest ago goes first.
        """
        lines = SharedLines(ImapLimits(max_shared_lines=50_000))
        for number in range(100):
            lines.add((b"%d" % number, b"f" * 500), b"x" * 3000)
            self.assertIsNotNone(lines.get((b"0", b"f" * 500)), number)
            self.assertLessEqual(lines.cost, 50_000)
        self.assertIsNone(lines.get((b"1", b"f" * 500)))
        before = lines.cost
        lines.add((b"99", b"f" * 500), b"x" * 3000)
        self.assertEqual(lines.cost, before)
        lines.add((b"more",), b"x" * 60_000)
        self.assertEqual((lines.get((b"more",)), lines.cost), (None, before))

    def test_worth(self) -> None:
        """
        A few messages are not worth it.
        """
        self.assertEqual(
            [SharedLines(ImapLimits()).isWorthWhile(count) for count in (1, 15, 16)], [False, False, True]
        )
        self.assertFalse(SharedLines(ImapLimits(max_shared_lines=0)).isWorthWhile(100))


class SharingTests(SynchronousTestCase):
    """
    FETCH of a whole server.
    """

    def setUp(self) -> None:
        """
        A folder of twenty messages, open to two clients for whom none is recent.
        """
        self.server = WholeServer(self, ("News",))
        self.server.file("News", *(b"Subject: %d\r\n\r\ntext\r\n" % each for each in range(1, 21)))
        # The first to look takes what is recent.
        self.server.client(b"alice", "News")
        self.alice = self.server.client(b"alice", "News")
        self.bob = self.server.client(b"bob", "News")
        self.lines = self.server.factory.front.lines

    def _counted(self, client: support.Client, command: bytes) -> tuple[list[bytes], int]:
        """
        A reply, and how much more is kept after it.
        """
        before = self.lines.cost
        reply = client.ask(command)
        return reply, self.lines.cost - before

    def test_once(self) -> None:
        """
        The second client is told what was rendered for the first, which is what it would be told anyway.
        """
        for command in (b"FETCH 1:* (UID FLAGS)", b"FETCH 1:* (FLAGS ENVELOPE)", b"UID FETCH 1:* (MODSEQ)"):
            first, kept = self._counted(self.alice, command)
            self.assertGreater(kept, 0, command)
            second, kept = self._counted(self.bob, command)
            self.assertEqual((second, kept), (first, 0), command)
            self.assertEqual(sum(b" FETCH (" in line for line in second), 20)

    def test_ownFlags(self) -> None:
        """
        Whose flags are others is told others.
        """
        self.bob.ask(b"STORE 2 +FLAGS.SILENT (\\Seen)")
        command = b"FETCH 1:* (FLAGS)"
        alice = self.alice.ask(command)
        bob = self.bob.ask(command)
        self.assertIn(b"* 2 FETCH (FLAGS ())", alice)
        self.assertIn(b"* 2 FETCH (FLAGS (\\Seen))", bob)
        self.assertEqual(self.alice.ask(command), alice)

    def test_changed(self) -> None:
        """
        What has changed since is told as it is now.
        """
        command = b"FETCH 1:* (UID FLAGS)"
        self.alice.ask(command)
        self.bob.ask(b"STORE 3 +FLAGS.SILENT (\\Flagged $Junk)")
        self.alice.ask(b"NOOP")
        self.assertIn(b"* 3 FETCH (UID 3 FLAGS (\\Flagged $Junk))", self.alice.ask(command))

    def test_numbers(self) -> None:
        """
        Who has not heard yet that a message is gone keeps his numbers; who has, has others.
        """
        for command in (b"FETCH 1:* (UID FLAGS)", b"FETCH 1:* (UID ENVELOPE)"):
            self.alice.ask(command)
            self.bob.ask(command)
        self.bob.ask(b"STORE 5 +FLAGS.SILENT (\\Deleted)")
        self.bob.ask(b"EXPUNGE")
        for command in (b"FETCH 1:* (UID FLAGS)", b"FETCH 1:* (UID ENVELOPE)"):
            for _ in range(2):
                self.assertTrue(any(each.startswith(b"* 5 FETCH (UID 6 ") for each in self.bob.ask(command)))
                alice = self.alice.ask(command)
                self.assertTrue(any(each.startswith(b"* 6 FETCH (UID 6 ") for each in alice))
                self.assertFalse(any(b"UID 5 " in each for each in alice))

    def test_recent(self) -> None:
        """
        To whom messages are recent it is told, and nobody else.
        """
        self.server.file("News", b"Subject: new\r\n\r\n")
        command = b"FETCH 1:* (FLAGS)"
        self.alice.ask(b"NOOP")
        self.bob.ask(b"NOOP")
        for _ in range(2):
            self.assertIn(b"* 21 FETCH (FLAGS (\\Recent))", self.alice.ask(command))
            self.assertIn(b"* 21 FETCH (FLAGS ())", self.bob.ask(command))
