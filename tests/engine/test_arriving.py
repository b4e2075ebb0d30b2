"""
Large messages on their way in and out, which take several transactions: who is answered between them, and
what is left when the last one never comes.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store, chunks, content
from mailstore.errors import OverQuota, StoreBusy
from mailstore.model import SYSTEM, USER_QUOTA, FlagMode, NewMessage, Recipient, Section, UidSet
from mailstore.testing.storecases.base import mail
from tests.engine.test_slices import SlicesCase

_ALL = UidSet(((1, 0xFFFFFFFF),))

#: A message of eight chunks, of which one is written in each slice.
_LARGE = mail(body="x" * (8 * chunks.CHUNK - 1000))
_LIMITS = EngineLimits(slice_bytes=chunks.CHUNK)


class ArrivingTests(SlicesCase):
    """
    Messages that are taken apart beside everything else, and written in slices.
    """

    limits = _LIMITS

    def _append(self, store: Store | None = None, message: bytes = _LARGE) -> Coroutine[Any, Any, Any]:
        return (store or self.store).append("bob", "INBOX", (NewMessage(mail(500)), NewMessage(message)))

    def _read(self, uid: int, store: Store | None = None) -> bytes:
        store = store or self.store
        return b"".join(
            self.all(store.readSection("bob", self.folder("bob", "INBOX", store), uid, Section()))
        )

    def _contents(self, path: str) -> list[tuple[int, int]]:
        """
        Of each content, how many messages it is of and how many chunks are there.
        """
        found = self.rows(
            path, "SELECT refs, (SELECT count(*) FROM chunks k WHERE k.id >> 20 = c.id) FROM contents c"
        )
        return [each for each in found if each != (1, 1)]

    def test_between(self) -> None:
        """
        It is taken apart aside, and written between requests of others; it is there with the last slice.
        """
        answered: list[object] = []

        def look(number: int) -> None:
            self.assertEqual(self.now(self.store.status("bob", "INBOX")).messages, 0)
            self.begin(self.store.subscribe("alice", "x")).addCallback(answered.append)

        result = self.do(self._append(), look)
        self.assertEqual(self.committer.asides, 1)
        self.assertEqual(result.uids, (1, 2))
        self.assertEqual(self.commits, 1 + 8 + 1 + 1)
        self.assertEqual(len(answered), self.commits)
        self.assertEqual(self._read(2), _LARGE)
        self.assertEqual(self._contents(self.db_path), [(1, 8)])
        self.assertEqual(self.findings(), [])

    def test_killed(self) -> None:
        """
        Whenever the process is killed, there is nothing of it; what is left is removed when the store is
        opened.
        """
        paths: list[str] = []
        self.do(self._append(), lambda _: paths.append(self.killed()))
        self.assertEqual(max(sum(count for _, count in self._contents(each)) for each in paths), 8)
        for path in paths:
            self.assertEqual(self.findings(path), [])
            store = self.open(path, _LIMITS)
            self.assertEqual(self._contents(path), [])
            self.assertEqual(self.now(store.status("bob", "INBOX")).messages, 0)
            self.now(self._append(store))
            self.assertEqual(self._read(2, store), _LARGE)
            self.now(store.close())
            self.assertEqual(self.findings(path), [])

    def _givenUp(self, doing: Deferred[Any]) -> None:
        self.settle(doing)
        self.tidy()
        self.assertEqual(len(self.store._pins), 0)
        self.assertEqual(self.findings(), [])

    def test_cancelled(self) -> None:
        """
        When nobody waits for it any more it comes to nothing, and its bytes go.
        """
        appending = self.begin(self._append())
        appending.addErrback(lambda _: None)
        for _ in range(4):
            self.committer.release()
        appending.cancel()
        self.committer.release()
        self._givenUp(appending)
        self.assertEqual(self._contents(self.db_path), [])

    def test_refused(self) -> None:
        """
        So it does when it is refused in the end.
        """
        self.do(self.store.setQuota(SYSTEM, f"{USER_QUOTA}bob", (("MESSAGE", 1),)))
        appending = self.begin(self._append())
        self._givenUp(appending)
        self.failureResultOf(appending, OverQuota)
        self.assertEqual(self._contents(self.db_path), [])

    def test_twice(self) -> None:
        """
        When the same message comes twice at the same time it is kept once.
        """
        one, two = self.begin(self._append()), self.begin(self._append())
        self.settle(one, two)
        self.assertEqual(self.successResultOf(one).uids + self.successResultOf(two).uids, (1, 2, 3, 4))
        self._givenUp(two)
        self.assertEqual(self._contents(self.db_path), [(2, 8), (2, 1)])
        self.assertEqual(self._read(2) + self._read(4), 2 * _LARGE)

    def test_swept(self) -> None:
        """
        What is being written is not swept by others of this process; another one that has swept it is
        noticed.
        """
        appending = self.begin(self._append())
        for number in range(4):
            self.begin(self.store.subscribe("alice", f"n{number}"))
            self.store._writer.sweepLater()
            self.committer.release()
        self.assertEqual(self._contents(self.db_path), [(0, 3)])
        self.committer.open = False
        self.committer.commit()
        self.now(self.open(self.db_path, _LIMITS).close())
        self.assertEqual(self._contents(self.db_path), [])
        self.committer.begin()
        self.committer.open = True
        self.settle(appending)
        self.failureResultOf(appending, StoreBusy)
        self.assertEqual(self.findings(), [])

    def test_delivered(self) -> None:
        """
        The same with a message from outside, for several.
        """
        recipients = (Recipient("bob@example.org", "bob"), Recipient("alice@example.org", "alice"))
        self.do(self.store.deliver(recipients, _LARGE))
        self.assertEqual(self.committer.asides, 1)
        self.assertEqual(self._contents(self.db_path), [(2, 8)])
        self.assertEqual(self._read(1), _LARGE)

    def test_removed(self) -> None:
        """
        A large one is removed in slices too.  When it comes again in the middle of that it is kept anew;
        killed in the middle, the next one goes on.
        """
        self.patch(content, "_SWEEP_BYTES", 2 * chunks.CHUNK)
        self.do(self._append())
        inbox = self.folder("bob", "INBOX")
        self.do(self.store.storeFlags("bob", inbox, _ALL, FlagMode.ADD, ("\\Deleted",)))
        self.do(self.store.expunge("bob", inbox, None))
        again = self.begin(self._append())
        paths: list[str] = []
        left: list[int] = []

        def look() -> None:
            paths.append(self.killed())
            left.extend(count for refs, count in self._contents(self.db_path) if not refs)
            self.assertEqual(self.findings(), [])

        for _ in range(100):
            if again.called:
                break
            look()
            self.committer.release()
        self.successResultOf(again)
        self.tidy()
        self.assertTrue({8, 6, 4, 2} <= set(left), left)
        self.assertEqual(self._contents(self.db_path), [(1, 8)])
        self.assertEqual(self._read(4), _LARGE)
        for path in paths:
            self.assertEqual(self.findings(path), [])
            self.now(self.tidied(path).close())
            self.assertEqual([each for each in self._contents(path) if not each[0]], [])
            self.assertEqual(self.findings(path), [])
