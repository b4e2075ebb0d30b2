"""
Tests of IDLE.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreUnavailable
from mailstore.imap.limits import ImapLimits
from mailstore.model import SEEN
from tests.imap.support import Server


class IdleTests(SynchronousTestCase):
    """
    IDLE (RFC 2177).
    """

    def setUp(self) -> None:
        """
        A client in IDLE on a folder with two messages.
        """
        self.server = Server(self, ImapLimits(login_delay=0.0))
        self.store = self.server.store
        self.folder = self.store.make("Box", messages=2)
        self.client = self.server.client()
        self.client.ask(b"SELECT Box")
        self.client.say(b"a IDLE\r\n")
        self.assertEqual(self.client.heard(), [b"+ Waiting for changes"])

    def test_changes(self) -> None:
        """
        Everything that happens is told without being asked for, expunges too.
        """
        self.store.deliver(self.folder)
        self.assertEqual(self.client.heard(), [b"* 3 EXISTS", b"* 3 RECENT"])
        self.store.flag(self.folder, 3, SEEN)
        self.assertEqual(self.client.heard(), [b"* 3 FETCH (UID 3 FLAGS (\\Seen \\Recent))"])
        self.store.remove(self.folder, 1)
        self.assertEqual(self.client.heard(), [b"* 1 EXPUNGE", b"* 2 RECENT"])

    def test_manyAtOnce(self) -> None:
        """
        Many changes in one moment cost one question to the store.
        """
        self.store.calls.clear()
        for _ in range(50):
            self.store.deliver(self.folder)
        self.assertEqual(self.client.heard(), [b"* 52 EXISTS", b"* 52 RECENT"])
        self.assertEqual(self.store.calls, ["changes"])

    def test_changedBefore(self) -> None:
        """
        What changed before IDLE began is told at its beginning.
        """
        self.client.say(b"DONE\r\n")
        self.store.deliver(self.folder)
        self.client.heard()
        self.client.say(b"b IDLE\r\n")
        self.assertEqual(self.client.heard(), [b"+ Waiting for changes", b"* 3 EXISTS", b"* 3 RECENT"])

    def test_doneOnly(self) -> None:
        """
        DONE, in any case, ends it and nothing else; a command or literal inside is
        neither run nor waited for.
        """
        self.client.say(b"b LOGOUT\r\nc APPEND x {5}\r\n\r\n")
        self.assertEqual(self.client.heard(), [b"* BAD Expected DONE"] * 3)
        self.store.deliver(self.folder)
        self.assertEqual(len(self.client.heard()), 2)
        self.client.say(b"dOnE\r\n")
        self.assertEqual(self.client.heard(), [b"a OK IDLE completed"])
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_commandBehind(self) -> None:
        """
        A command sent together with DONE runs after it.
        """
        self.client.say(b"DONE\r\nb NOOP\r\n")
        self.assertEqual(self.client.heard(), [b"a OK IDLE completed", b"b OK NOOP completed"])

    def test_doneTogether(self) -> None:
        """
        IDLE and DONE in one piece are an IDLE that ends at once.
        """
        self.client.say(b"DONE\r\n")
        self.client.heard()
        self.client.say(b"b IDLE\r\nDONE\r\n")
        self.assertEqual(self.client.heard(), [b"+ Waiting for changes", b"b OK IDLE completed"])

    def test_otherFolder(self) -> None:
        """
        Nothing is told of a folder that is not open.
        """
        self.store.deliver(self.store.named["INBOX"])
        self.assertEqual(self.client.heard(), [])

    def test_otherUser(self) -> None:
        """
        A change that only another user can see does not even lead to a question.
        """
        self.store.calls.clear()
        self.server.factory.front.folderChanged(self.folder.identity, "bob")
        self.server.clock.advance(0)
        self.assertEqual(self.store.calls, [])
        self.server.factory.front.folderChanged(self.folder.identity, "alice")
        self.server.clock.advance(0)
        self.assertEqual(self.store.calls, ["changes"])

    def test_noFolder(self) -> None:
        """
        IDLE is possible with no folder open, and waits for DONE.
        """
        client = self.server.client()
        client.say(b"a IDLE\r\n")
        self.store.deliver(self.folder)
        self.assertEqual(client.heard(), [b"+ Waiting for changes"])
        client.say(b"DONE\r\n")
        self.assertEqual(client.heard(), [b"a OK IDLE completed"])

    def test_timeout(self) -> None:
        """
        Who says nothing for half an hour is gone, however much was told to them.
        """
        for _ in range(10):
            self.server.clock.advance(179)
            self.store.deliver(self.folder)
            self.client.heard()
        self.assertFalse(self.client.gone)
        self.server.clock.advance(11)
        self.assertEqual(self.client.heard(), [b"* BYE Nothing heard for too long"])
        self.assertTrue(self.client.gone)

    def test_storeAway(self) -> None:
        """
        While the store is away it is asked now and then, not all the time; when
        it is back what happened is told.
        """
        self.store.failures["changes"] = StoreUnavailable("gone")
        self.store.calls.clear()
        self.store.deliver(self.folder)
        self.server.clock.advance(0)
        self.assertEqual(self.store.calls, ["changes"])
        self.server.clock.advance(4)
        self.assertEqual(self.store.calls, ["changes"])
        self.store.failures.clear()
        self.server.clock.advance(2)
        self.assertEqual(self.client.heard(), [b"* 3 EXISTS", b"* 3 RECENT"])

    def test_slowReader(self) -> None:
        """
        A client that does not read gets one answer at a time; the rest waits in
        the store, and is told as one when it reads.
        """
        self.client.protocol.pauseProducing()
        self.store.deliver(self.folder)
        self.server.clock.advance(0)
        for _ in range(100):
            self.store.deliver(self.folder)
            self.server.clock.advance(0)
        self.assertLess(len(self.client.transport.value()), 200)
        self.client.protocol.resumeProducing()
        self.assertIn(b"* 103 EXISTS", self.client.heard())

    def test_shutDown(self) -> None:
        """
        When the server stops, who idles is told at once.
        """
        stopped = self.server.factory.disconnectAll()
        self.assertEqual(self.client.heard(), [b"* BYE The server is shutting down"])
        self.successResultOf(stopped)
