"""
Many who idle in one folder are asked for at once, and each is told what he would be told alone.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreUnavailable
from mailstore.imap import bells
from mailstore.model import PUBLIC_ROOT, SYSTEM, Watcher
from tests.imap import support
from tests.imap.wholeserver import WholeServer

_CLIENTS = 5


class BellsTests(SynchronousTestCase):
    """
    A whole server with some clients that idle in a public folder, and one that works there.
    """

    def setUp(self) -> None:
        """
        A folder of three messages.
        """
        self.server = WholeServer(self, ("News", "Other"))
        self.other = self.client(b"bob")
        for _ in range(3):
            self.work(b'APPEND "Public Folders/News" {5+}\r\nA: b\n')
        self.idlers = [self.client(b"alice", idle=True) for _ in range(_CLIENTS)]
        #: What the store was asked.
        self.asked: list[tuple[str, int]] = []
        #: Questions that are not answered yet, when they are to be held back.
        self.held: list[Deferred[None]] | None = None
        remote: Any = self.server.remote
        news, changes = remote.news, remote.changes

        async def askedNews(folder: int, watchers: tuple[Watcher, ...]) -> Any:
            self.asked.append(("news" if len(watchers) > 1 else watchers[0].user, len(watchers)))
            found = await news(folder, watchers)
            if self.held is not None and len(watchers) > 1:
                self.held.append(Deferred())
                await self.held[-1]
            return found

        def askedChanges(user: str, *more: Any) -> Any:
            self.asked.append((user, 1))
            return changes(user, *more)

        self.patch(remote, "news", askedNews)
        self.patch(remote, "changes", askedChanges)

    def client(self, user: bytes, idle: bool = False, folder: bytes = b"News") -> support.Client:
        """
        A client with the folder open.
        """
        client = support.Client(cast(support.Server, self.server)).login(user)
        self.server.clients.append(client)
        client.ask(b'SELECT "Public Folders/%b"' % folder)
        if idle:
            client.say(b"I IDLE\r\n")
            self.assertTrue(client.heard()[0].startswith(b"+ "))
        return client

    def work(self, command: bytes) -> None:
        """
        Change something.
        """
        self.assertTrue(self.other.ask(command)[-1].startswith(b"T OK"))

    def heard(self) -> list[list[bytes]]:
        """
        What each who idles was told.
        """
        self.server.settle()
        return [each.heard() for each in self.idlers]

    def test_oneQuestion(self) -> None:
        """
        The store is asked once for all of them, and all are told the same.
        """
        for command, told in (
            (b"STORE 2 +FLAGS.SILENT (\\Flagged $Junk)", b"* 2 FETCH (UID 2 FLAGS (\\Flagged $Junk))"),
            (b"STORE 1 +FLAGS.SILENT (\\Deleted)", b"* 1 FETCH (UID 1 FLAGS (\\Deleted))"),
            (b"EXPUNGE", b"* 1 EXPUNGE"),
            (b'APPEND "Public Folders/News" {5+}\r\nA: b\n', b"* 3 EXISTS"),
        ):
            self.asked.clear()
            self.work(command)
            heard = self.heard()
            self.assertTrue(all(told in each for each in heard), (command, heard))
            self.assertEqual([each for each in self.asked if each[0] != "bob"], [("news", _CLIENTS)], command)
        for each in self.idlers:
            each.say(b"DONE\r\n")
            self.assertTrue(each.heard()[-1].startswith(b"I OK"))
            self.assertTrue(each.ask(b"NOOP")[0].startswith(b"T OK"))
        self.assertEqual(self.server.alarms, [])

    def test_recentToOne(self) -> None:
        """
        A new message is recent to one of them.
        """
        self.other.ask(b'EXAMINE "Public Folders/Other"')
        self.work(b'APPEND "Public Folders/News" {5+}\r\nA: b\n')
        heard = self.heard()
        self.assertTrue(all(b"* 4 EXISTS" in each for each in heard))
        self.assertEqual(sum(b"* 1 RECENT" in each for each in heard), 1)

    def test_ownSeen(self) -> None:
        """
        What changed for one user only is told to his sessions.
        """
        mine = self.client(b"bob", idle=True)
        self.work(b"STORE 3 +FLAGS.SILENT (\\Seen)")
        self.assertIn(b"* 3 FETCH (UID 3 FLAGS (\\Seen))", mine.heard())
        self.assertEqual(self.heard(), [[]] * _CLIENTS)

    def test_changeMeanwhile(self) -> None:
        """
        What changes while the store is being asked is told as well, by one question more.
        """
        self.held = []
        self.work(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        self.work(b"STORE 2 +FLAGS.SILENT (\\Flagged)")
        self.assertEqual(self.heard(), [[]] * _CLIENTS)
        held, self.held = self.held, None
        self.assertEqual(len(held), 1)
        self.asked.clear()
        held[0].callback(None)
        for each in self.heard():
            self.assertEqual(
                each, [b"* 1 FETCH (UID 1 FLAGS (\\Flagged))", b"* 2 FETCH (UID 2 FLAGS (\\Flagged))"]
            )
        self.assertEqual(self.asked, [("news", _CLIENTS)])

    def test_goneMeanwhile(self) -> None:
        """
        Who ends his IDLE, opens another folder or goes away while the store is being asked is told
        nothing wrong.
        """
        self.held = []
        self.work(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        done, moved, left, *rest = self.idlers
        done.say(b"DONE\r\n")
        self.assertEqual(done.heard()[0], b"* 1 FETCH (UID 1 FLAGS (\\Flagged))")
        moved.say(b'DONE\r\na SELECT "Public Folders/Other"\r\n')
        moved.heard()
        left.disconnect()
        self.server.settle()
        held, self.held = self.held, None
        held[0].callback(None)
        self.server.settle()
        for client in (done, moved):
            self.assertEqual(client.ask(b"NOOP")[:-1], [])
        for each in rest:
            self.assertEqual(each.heard(), [b"* 1 FETCH (UID 1 FLAGS (\\Flagged))"])
        self.assertEqual(self.server.alarms, [])

    def test_rights(self) -> None:
        """
        Who may not read any more is told so, and nobody else.
        """
        mine = self.client(b"bob", idle=True)
        engine = self.server.engine
        for who in ("alice", "authenticated"):
            self.server.result(engine.setRights(SYSTEM, f"{PUBLIC_ROOT}/News", who, ""))
        self.work(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        for each in self.heard():
            self.assertTrue(each[-1].startswith(b"* BYE"), each)
        self.assertIn(b"* 1 FETCH (UID 1 FLAGS (\\Flagged))", mine.heard())

    def test_storeAway(self) -> None:
        """
        When the store cannot be asked for all at once, each asks for himself.
        """

        remote: Any = self.server.remote
        news = remote.news

        async def away(folder: int, watchers: tuple[Watcher, ...]) -> Any:
            if len(watchers) > 1:
                raise StoreUnavailable("the store went away")
            return await news(folder, watchers)

        self.patch(remote, "news", away)
        self.work(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        for each in self.heard():
            self.assertEqual(each, [b"* 1 FETCH (UID 1 FLAGS (\\Flagged))"])

    def test_much(self) -> None:
        """
        Whom more concerns than is told at once asks for himself.
        """
        self.held = []
        self.work(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        for _ in range(110):
            self.work(b'APPEND "Public Folders/News" {5+}\r\nA: b\n')
        held, self.held = self.held, None
        held[0].callback(None)
        for each in self.heard():
            self.assertIn(b"* 113 EXISTS", each)

    def test_bounded(self) -> None:
        """
        One question is for so many at most.
        """
        self.patch(bells, "MAX_WATCHERS", 2)
        self.work(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        self.assertEqual(len([each for each in self.heard() if each]), _CLIENTS)
        counts = sorted(count for what, count in self.asked if what == "news")
        self.assertEqual(counts, [2, 2])
        ringing = self.server.factory.front._bells
        self.assertFalse(ringing._asking or ringing._again or ringing._ringing)
