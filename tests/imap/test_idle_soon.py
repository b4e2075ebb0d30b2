"""
What idles hears of changes at once: no timer stands in the way.
"""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from tests.imap import support
from tests.imap.wholeserver import WholeServer


class IdleSoonTests(SynchronousTestCase):
    """
    Two sessions of a whole server, whose clock stands still.
    """

    def test_noTimePasses(self) -> None:
        """
        A new message, its flags and its end are told to who idles before any time has passed.
        """
        server = WholeServer(self, ("News",))
        idler, other = (
            support.Client(cast(support.Server, server)).login(user) for user in (b"alice", b"bob")
        )
        server.clients += (idler, other)
        for client in (other, idler):
            client.ask(b'SELECT "Public Folders/News"')
        idler.say(b"I IDLE\r\n")
        self.assertTrue(idler.heard()[0].startswith(b"+ "))
        now = server.clock.seconds()
        for command, told in (
            (b'APPEND "Public Folders/News" {5+}\r\nA: b\n', b"* 1 EXISTS"),
            (b"STORE 1 +FLAGS (\\Deleted)", b"* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))"),
            (b"EXPUNGE", b"* 1 EXPUNGE"),
        ):
            self.assertTrue(other.ask(command)[-1].startswith(b"T OK "))
            self.assertIn(told, idler.heard())
        self.assertEqual(server.clock.seconds(), now)
        self.assertEqual(server.alarms, [])
