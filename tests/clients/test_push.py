"""
Somebody who idles hears of what others do, over a socket channel and over shared memory.  How soon is
measured by C{benchmarks.imap}.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing import MailServer
from tests.channels import describe
from tests.clients.rawclient import RawClient

#: Changes made.
_TRIES = 10


class PushTestsMixin:
    """
    IDLE, with the store behind a channel.

    @cvar kind: which of L{tests.channels.KINDS}.
    """

    kind = ""

    def setUp(self: Any) -> None:
        """
        Somebody who idles, and the same user once more and another one.
        """
        server = MailServer(
            users={"alice": "a", "bob": "b"},
            folders=["Public Folders/News"],
            administrators=["alice", "bob"],
            transport=describe(self, self.kind),
        )
        server.start()
        self.addCleanup(server.stop)
        server.append(b"Subject: x\r\n\r\nx\r\n", "Public Folders/News")
        self.same, self.other, self.idler = (
            self._client(server, login) for login in (b"alice a", b"bob b", b"alice a")
        )
        self.idler.begin(b"IDLE")
        self.assertTrue(self.idler.response().startswith(b"+"))

    def _client(self: Any, server: MailServer, login: bytes) -> RawClient:
        client = RawClient(server.port)
        self.addCleanup(client.close)
        for command in (b"LOGIN " + login, b'SELECT "Public Folders/News"'):
            self.assertIn(b" OK", client.command(command)[-1])
        return client

    def _checkTold(self: Any, client: RawClient, item: bytes, told: tuple[bytes, bytes]) -> None:
        """
        Let a client set and take away a flag, again and again.

        @param told: what the one who idles has to hear, in turn.
        """
        for number in range(_TRIES):
            sign = b"-" if number % 2 else b"+"
            self.assertIn(b" OK", client.command(b"STORE 1 %sFLAGS %s" % (sign, item))[-1])
            self.assertEqual(self.idler.response(), b"* 1 FETCH (UID 1 FLAGS (%s))\r\n" % told[number % 2])

    def test_othersFlags(self: Any) -> None:
        """
        What another user changes.
        """
        self._checkTold(self.other, b"(\\Flagged)", (b"\\Flagged", b""))

    def test_ownSeen(self: Any) -> None:
        """
        What the same user has seen in another session; nobody else hears of it.
        """
        self._checkTold(self.same, b"(\\Seen)", (b"\\Seen", b""))
        self.assertEqual(len(self.other.command(b"NOOP")), 1)

    def test_newMail(self: Any) -> None:
        """
        A message that has come, and one that has gone.
        """
        mail = b"Subject: y\r\n\r\ny\r\n"

        def hear(word: bytes) -> None:
            # Whether it is recent, and to whom, depends on who asks first.
            while not self.idler.response().startswith(b"* 2 " + word):
                pass

        for number in range(2, 2 + _TRIES):
            self.other.command(b'APPEND "Public Folders/News" {%d+}\r\n%s' % (len(mail), mail))
            hear(b"EXISTS")
            self.other.command(b"UID STORE %d +FLAGS (\\Deleted)" % number)
            hear(b"FETCH (UID %d FLAGS (\\Deleted" % number)
            self.other.command(b"EXPUNGE")
            hear(b"EXPUNGE")


class UnixTests(PushTestsMixin, SynchronousTestCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class SharedMemoryTests(PushTestsMixin, SynchronousTestCase):
    """
    Over shared memory.
    """

    kind = "shm"
