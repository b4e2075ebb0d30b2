"""
Whole messages are read from the store once for all who read them, and never given to who may not.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreUnavailable
from mailstore.imap.limits import ImapLimits
from mailstore.model import PUBLIC_ROOT, SYSTEM
from tests.imap import support
from tests.imap.wholeserver import WholeServer

_SMALL = [b"Subject: %d\r\n\r\n" % each + b"text %d\r\n" % each * (each * 30) for each in range(1, 11)]

#: More than the store gives in a batch.
_LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 5_000


class WholeMessagesTests(SynchronousTestCase):
    """
    FETCH BODY[] of a whole server.
    """

    def setUp(self) -> None:
        """
        A folder of ten messages and a large one between them, open to two clients.
        """
        self.make(ImapLimits(login_delay=0.0))

    def make(self, limits: ImapLimits) -> None:
        """
        A server with these bounds.
        """
        self.server = WholeServer(self, ("News",), limits=limits)
        self.messages = [*_SMALL[:6], _LARGE, *_SMALL[6:]]
        self.server.file("News", *self.messages)
        # The first to look takes what is recent.
        self.server.client(b"alice", "News")
        self.alice = self.server.client(b"alice", "News", b"EXAMINE")
        self.bob = self.server.client(b"bob", "News", b"EXAMINE")
        #: UIDs of which the store was asked for the bytes.
        self.read: list[int] = []
        remote: Any = self.server.remote
        fetch, section = remote.fetch, remote.readSection

        def noting(user: str, folder: int, uids: Any, spec: Any) -> Any:
            if spec.sections:
                self.read += uids
            return fetch(user, folder, uids, spec)

        def notingOne(user: str, folder: int, uid: int, wanted: Any) -> Any:
            self.read.append(uid)
            return section(user, folder, uid, wanted)

        self.patch(remote, "fetch", noting)
        self.patch(remote, "readSection", notingOne)

    def raw(self, client: support.Client, command: bytes) -> bytes:
        """
        A reply as it comes, without its last line.
        """
        client.transport.clear()
        client.say(b"X " + command + b"\r\n")
        self.server.settle()
        reply: bytes = client.transport.value()
        client.heard()
        lines, tagged, _ = reply.rpartition(b"X OK")
        self.assertTrue(tagged, reply[-200:])
        return lines

    def test_once(self) -> None:
        """
        The store is asked for the bytes by the first client only, and both get them, in order.
        """
        expected = b"".join(
            b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (at, at, len(each), each)
            for at, each in enumerate(self.messages, 1)
        )
        self.assertEqual(self.raw(self.alice, b"FETCH 1:* (UID BODY.PEEK[])"), expected)
        self.assertEqual(sorted(set(self.read)), list(range(1, 12)))
        self.read.clear()
        self.assertEqual(self.raw(self.bob, b"FETCH 1:* (UID BODY.PEEK[])"), expected)
        self.assertEqual(self.read, [])

    def test_amongOthers(self) -> None:
        """
        It stands among other items where it was asked for, and what can change is what it is now.
        """
        command = b"FETCH 7:8 (FLAGS BODY.PEEK[] RFC822.SIZE)"
        for client in (self.alice, self.bob):
            self.assertEqual(
                self.raw(client, command),
                b"".join(
                    b"* %d FETCH (FLAGS () BODY[] {%d}\r\n%b RFC822.SIZE %d)\r\n"
                    % (at, len(each), each, len(each))
                    for at, each in ((7, self.messages[6]), (8, self.messages[7]))
                ),
            )

    def test_partial(self) -> None:
        """
        A part of the bytes is cut out of what is kept; not to be read as a whole is no reason to keep it.
        """
        expected = b"* 7 FETCH (BODY[]<90> {20}\r\n%b)\r\n" % _LARGE[90:110]
        self.assertEqual(self.raw(self.alice, b"FETCH 7 (BODY.PEEK[]<90.20>)"), expected)
        self.assertEqual(self.server.factory.front.contents.cost, 0)
        self.raw(self.alice, b"FETCH 7 (BODY.PEEK[])")
        self.read.clear()
        self.assertEqual(self.raw(self.bob, b"FETCH 7 (BODY.PEEK[]<90.20>)"), expected)
        self.assertEqual(self.raw(self.bob, b"FETCH 7 (RFC822)").partition(b"}\r\n")[2], _LARGE + b")\r\n")
        beyond = b"* 7 FETCH (BODY[]<%d> {0}\r\n)\r\n" % (1 << 20)
        self.assertEqual(self.raw(self.bob, b"FETCH 7 (BODY.PEEK[]<%d.20>)" % (1 << 20)), beyond)
        self.assertEqual(self.read, [])

    def test_rights(self) -> None:
        """
        Who may not read any more gets nothing of what is kept.
        """
        self.raw(self.alice, b"FETCH 1:* (BODY.PEEK[])")
        engine = self.server.engine
        for who in ("bob", "authenticated"):
            self.server.result(engine.setRights(SYSTEM, f"{PUBLIC_ROOT}/News", who, ""))
        self.bob.say(b"X FETCH 1:* (BODY.PEEK[])\r\n")
        self.assertNotIn(b"text", b"".join(self.bob.heard()))

    def test_expunged(self) -> None:
        """
        What was expunged has no response, though its bytes are kept.
        """
        self.raw(self.bob, b"FETCH 1:* (BODY.PEEK[])")
        self.alice.ask(b'SELECT "Public Folders/News"')
        self.alice.ask(b"STORE 5 +FLAGS.SILENT (\\Deleted)")
        self.alice.ask(b"EXPUNGE")
        lines = self.bob.ask(b"FETCH 4:6 (UID BODY.PEEK[])")
        self.assertTrue(lines[-1].startswith(b"T NO [EXPUNGEISSUED]"))
        self.assertEqual(
            [line.split(b" BODY")[0] for line in lines if b" FETCH (" in line],
            [b"* 4 FETCH (UID 4", b"* 6 FETCH (UID 6"],
        )

    def test_off(self) -> None:
        """
        With no room for them they come from the store each time, all the same.
        """
        kept = self.raw(self.alice, b"FETCH 1:* (UID BODY.PEEK[])")
        self.make(ImapLimits(login_delay=0.0, max_shared_contents=0))
        for _ in range(2):
            self.assertEqual(self.raw(self.alice, b"FETCH 1:* (UID BODY.PEEK[])"), kept)
            self.assertEqual(sorted(set(self.read)), list(range(1, 12)))
            self.read.clear()

    def test_little(self) -> None:
        """
        With room for a few, what is asked for most lately is kept, and the answer is the same.
        """
        kept = self.raw(self.alice, b"FETCH 1:* (UID BODY.PEEK[])")
        self.make(ImapLimits(login_delay=0.0, max_shared_contents=20_000))
        for _ in range(3):
            self.assertEqual(self.raw(self.alice, b"FETCH 1:* (UID BODY.PEEK[])"), kept)
            self.assertLessEqual(self.server.factory.front.contents.cost, 20_000)

    def test_breaksOff(self) -> None:
        """
        When the store goes away between two messages, what was sent is whole and the command is refused.
        """
        remote: Any = self.server.remote
        fetch = remote.fetch

        async def failing(user: str, folder: int, uids: Any, spec: Any) -> Any:
            async for batch in fetch(user, folder, uids, spec):
                yield batch
                if spec.sections:
                    raise StoreUnavailable("the store went away")

        self.patch(remote, "fetch", failing)
        self.alice.transport.clear()
        self.alice.say(b"X FETCH 7 (BODY.PEEK[])\r\n")
        self.server.settle()
        reply = self.alice.transport.value()
        whole = b"* 7 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(_LARGE), _LARGE)
        self.assertEqual(reply.partition(b"X NO [UNAVAILABLE]")[0], whole)

    def test_storeAway(self) -> None:
        """
        When the store has been away, nothing of what messages say is known.
        """
        self.raw(self.alice, b"FETCH 1:* (BODY.PEEK[])")
        self.server.factory.front.everythingChanged()
        self.assertEqual(self.server.factory.front.contents.cost, 0)
