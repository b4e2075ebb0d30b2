"""
What messages say is rendered once for all sessions, and never told of what is not there or not allowed.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits
from mailstore.imap.sharedtexts import SharedTexts, TextsOf
from mailstore.imap.wire.values import FetchData, FetchSection
from mailstore.model import PUBLIC_ROOT, SYSTEM, FetchSpec
from tests.imap.wholeserver import WholeServer

_ENVELOPE = TextsOf(1, 7, (FetchData.ENVELOPE,))


class SharedTextsTests(SynchronousTestCase):
    """
    The texts alone.
    """

    def test_kept(self) -> None:
        """
        A text is found by all that it belongs to, and by nothing else.
        """
        texts = SharedTexts(ImapLimits())
        texts.add(_ENVELOPE, [(5, b"five")])
        self.assertEqual(texts.of(_ENVELOPE), {5: b"five"})
        for other in (
            TextsOf(2, 7, (FetchData.ENVELOPE,)),
            TextsOf(1, 8, (FetchData.ENVELOPE,)),
            TextsOf(1, 7, (FetchData.BODY,)),
            TextsOf(1, 7, (FetchSection(b"BODY[1.MIME]"),)),
        ):
            self.assertEqual(texts.of(other), {})

    def test_bound(self) -> None:
        """
        All that is kept never has more than its bound; what was used longest ago goes first.
        """
        texts = SharedTexts(ImapLimits(max_shared_texts=100_000))
        groups = [TextsOf(number, 1, (FetchData.ENVELOPE,)) for number in range(50)]
        for number, group in enumerate(groups):
            texts.add(group, [(uid, b"x" * 1000) for uid in range(10)])
            texts.of(groups[0])
            self.assertLessEqual(texts.cost, 100_000, number)
        self.assertEqual(len(texts.of(groups[0])), 10)
        self.assertEqual(texts.of(groups[1]), {})
        self.assertEqual(len(texts.of(groups[-1])), 10)
        texts.clear()
        self.assertEqual((texts.cost, texts.of(groups[-1])), (0, {}))

    def test_tooMuch(self) -> None:
        """
        What is more than the bound by itself is used once and not kept; so are endless names of items.
        """
        texts = SharedTexts(ImapLimits(max_shared_texts=20_000))
        self.assertEqual(texts.add(_ENVELOPE, [(1, b"x" * 30_000)]), {1: b"x" * 30_000})
        self.assertEqual((texts.cost, texts.of(_ENVELOPE)), (0, {}))
        for number in range(100):
            texts.add(TextsOf(1, 1, (FetchSection(b"X%d" % number + b"y" * 900),)), [])
            self.assertLessEqual(texts.cost, 20_000)

    def test_worth(self) -> None:
        """
        A few messages are not worth it, nor are so many that none would still be there the next time.
        """
        texts = SharedTexts(ImapLimits(max_shared_texts=1 << 20))
        self.assertEqual(
            [texts.isWorthWhile(count) for count in (1, 8, 1024, 1025)], [False, True, True, False]
        )
        self.assertFalse(SharedTexts(ImapLimits(max_shared_texts=0)).isWorthWhile(8))


class SharingTests(SynchronousTestCase):
    """
    FETCH of a whole server.
    """

    def setUp(self) -> None:
        """
        A folder of thirty messages, open to two clients.
        """
        self.server = WholeServer(self, ("News",))
        self.server.file(
            "News",
            *(
                b"Subject: number %d\r\nFrom: carol@example.org\r\n\r\ntext\r\n" % each
                for each in range(1, 31)
            ),
        )
        self.alice = self.server.client(b"alice", "News")
        self.bob = self.server.client(b"bob", "News")
        #: What the store is asked for.
        self.asked: list[FetchSpec] = []
        remote = self.server.remote
        fetch = remote.fetch

        def noting(user, folder, uids, spec):  # type: ignore[no-untyped-def]
            self.asked.append(spec)
            return fetch(user, folder, uids, spec)

        self.patch(remote, "fetch", noting)

    def test_once(self) -> None:
        """
        The store is asked for what messages say by the first client only, and the second gets the same.
        """
        command = b"FETCH 1:* (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        first = self.alice.ask(command)
        self.assertEqual([each.renditions for each in self.asked], [(), ("envelope",)])
        self.assertIn(b"Subject: number 30", first)
        self.assertEqual(sum(line.startswith(b"* ") and b"ENVELOPE (" in line for line in first), 30)
        self.asked.clear()
        self.assertEqual(self.bob.ask(command), first)
        self.assertEqual(self.asked, [FetchSpec()])

    def test_flags(self) -> None:
        """
        Flags are what they are now, also beside what is kept.
        """
        command = b"UID FETCH 1:* (FLAGS ENVELOPE)"
        self.assertNotIn(b"\\Flagged", b"".join(self.alice.ask(command)))
        self.bob.ask(b"STORE 3 +FLAGS.SILENT (\\Flagged)")
        lines = [line for line in self.alice.ask(command) if b"ENVELOPE" in line and b"\\Flagged" in line]
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].startswith(b"* 3 FETCH (FLAGS (\\Flagged"), lines)

    def test_expunged(self) -> None:
        """
        What was expunged has no response, though its text is kept; new messages have theirs.
        """
        command = b"FETCH 1:* (UID ENVELOPE)"
        self.alice.ask(command)
        self.bob.ask(b"STORE 5 +FLAGS.SILENT (\\Deleted)")
        self.bob.ask(b"EXPUNGE")
        lines = self.alice.ask(command)
        self.assertEqual(
            lines[-1], b"T NO [EXPUNGEISSUED] Some of these messages were expunged by somebody else"
        )
        self.assertEqual(sum(b"ENVELOPE" in line for line in lines), 29)
        self.assertNotIn(b'number 5"', b"".join(lines))
        self.server.file("News", b"Subject: new\r\n\r\n")
        self.alice.ask(b"NOOP")
        self.asked.clear()
        lines = self.alice.ask(command)
        self.assertTrue(
            any(line.startswith(b'* 30 FETCH (UID 31 ENVELOPE (NIL "new"') for line in lines), lines
        )
        self.assertEqual(len(self.asked), 2)

    def test_rights(self) -> None:
        """
        Who may not read any more gets nothing of what is kept.
        """
        command = b"FETCH 1:* (UID ENVELOPE)"
        self.alice.ask(command)
        engine = self.server.engine
        self.server.result(engine.setRights(SYSTEM, f"{PUBLIC_ROOT}/News", "bob", ""))
        self.server.result(engine.setRights(SYSTEM, f"{PUBLIC_ROOT}/News", "authenticated", ""))
        self.bob.say(b"X " + command + b"\r\n")
        self.assertFalse([line for line in self.bob.heard() if b"ENVELOPE" in line])

    def test_tooLarge(self) -> None:
        """
        A header too large to be kept is sent as it comes, with all that follows, once each and in order.
        """
        self.server.file("News", b"Subject: %b\r\n\r\n" % (b"long " * 30_000), b"Subject: last\r\n\r\n")
        self.alice.ask(b"NOOP")
        command = b"FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        for _ in range(2):
            lines = self.alice.ask(command)
            self.assertTrue(lines[-1].startswith(b"T OK"))
            numbers = [int(line.split()[1]) for line in lines if b" FETCH (UID " in line]
            self.assertEqual(numbers, list(range(1, 33)))
            self.assertIn(b"Subject: " + (b"long " * 30_000).rstrip(), [line.rstrip() for line in lines])

    def test_storeAway(self) -> None:
        """
        When the store has been away, nothing is known of what messages say.
        """
        command = b"FETCH 1:* (UID ENVELOPE)"
        self.alice.ask(command)
        self.server.factory.front.everythingChanged()
        self.assertEqual(self.server.factory.front.texts.cost, 0)
        self.asked.clear()
        self.alice.ask(command)
        self.assertEqual([each.renditions for each in self.asked], [(), ("envelope",)])
