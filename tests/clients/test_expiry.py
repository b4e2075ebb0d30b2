"""
Messages that have stayed long enough vanish under the eyes of IMAP clients.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.config import Config
from mailstore.engine.limits import EngineLimits
from mailstore.ipc.limits import IpcLimits
from mailstore.model import SYSTEM, Expiry
from mailstore.testing import MailServer
from tests.clients.rawclient import RawClient

_NAME = "Public Folders/News"


class ExpiryTests(SynchronousTestCase):
    """
    A server that looks for old messages all the time, and one of them at a time.
    """

    def setUp(self) -> None:
        config = Config(
            store_limits=EngineLimits(expire_rows=1),
            ipc_limits=IpcLimits(expire_interval=0.02, chore_interval=0.02),
        )
        self.server = MailServer({"alice": "secret"}, [_NAME], config=config)
        self.server.start()
        self.addCleanup(self.server.stop)

    def client(self) -> RawClient:
        """
        A client that has signed in.
        """
        client = RawClient(self.server.port)
        self.addCleanup(client.close)
        client.command(b"LOGIN alice secret")
        return client

    def fill(self, count: int) -> None:
        """
        Bring messages into the folder.
        """
        for number in range(count):
            self.server.append(b"Subject: %d\r\n\r\nx\r\n" % number, _NAME)

    def keep(self, messages: int) -> None:
        """
        Give the folder a rule.
        """

        async def keep() -> None:
            store = self.server.service.store
            assert store is not None
            await store.setExpiry(SYSTEM, _NAME, Expiry(messages=messages))

        self.server.call(keep)

    def test_expunge(self) -> None:
        """
        A client that idles sees EXPUNGE, one with QRESYNC sees VANISHED, and one that comes back later
        learns what has gone meanwhile.
        """
        self.fill(5)
        idler, knowing, away = self.client(), self.client(), self.client()
        idler.command(b'EXAMINE "Public Folders/News"')
        away.command(b"ENABLE QRESYNC")
        selected = b"".join(away.command(b'EXAMINE "Public Folders/News"'))
        validity = selected.split(b"UIDVALIDITY ")[1].split(b"]")[0]
        modseq = selected.split(b"HIGHESTMODSEQ ")[1].split(b"]")[0]
        away.command(b"UNSELECT")
        knowing.command(b"ENABLE QRESYNC")
        knowing.command(b'EXAMINE "Public Folders/News"')
        tags = [each.begin(b"IDLE") for each in (idler, knowing)]
        for each in (idler, knowing):
            self.assertTrue(each.response().startswith(b"+"))
        self.keep(messages=2)
        expunged = 0
        while expunged < 3:
            response = idler.response()
            expunged += response == b"* 1 EXPUNGE\r\n"
            self.assertTrue(response.endswith((b" EXPUNGE\r\n", b" RECENT\r\n")), response)
        # Two that went shortly after each other may be told together.
        vanished: set[int] = set()
        while vanished != {1, 2, 3}:
            response = knowing.response()
            if not response.endswith(b" RECENT\r\n"):
                self.assertTrue(response.startswith(b"* VANISHED "), response)
                first, _, last = response.split()[2].partition(b":")
                vanished |= set(range(int(first), int(last or first) + 1))
        for each, tag in zip((idler, knowing), tags, strict=True):
            each.send(b"DONE\r\n")
            each.finish(tag)
        answer = away.command(b'EXAMINE "Public Folders/News" (QRESYNC (%s %s))' % (validity, modseq))
        self.assertIn(b"* VANISHED (EARLIER) 1:3\r\n", answer)
        self.assertIn(b"* 2 EXISTS\r\n", answer)

    def test_othersGoOn(self) -> None:
        """
        While a folder is cleared, piece by piece, requests are answered in between.
        """
        self.fill(30)
        client = self.client()
        self.keep(messages=0)
        seen = set()
        while 0 not in seen:
            (status, _) = client.command(b'STATUS "Public Folders/News" (MESSAGES)')
            seen.add(int(status.split(b"(MESSAGES ")[1].split(b")")[0]))
        self.assertGreater(len(seen), 5)
