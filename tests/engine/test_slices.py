"""
Changes of very many messages, which are made in slices: who is answered between them, what he sees,
and what is left when the last slice never comes.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store
from mailstore.engine.checking import Checker
from mailstore.errors import NoSuchFolder, OverQuota, StoreBusy, StoreError
from mailstore.model import (
    SYSTEM,
    CopyResult,
    Delivered,
    FetchSpec,
    FlagMode,
    NewMessage,
    Recipient,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import RENDITIONS, Recorder, mail
from tests.engine.enginecase import EngineCase
from tests.engine.test_durability import HeldCommitter

TOP = pathlib.Path(__file__).parent.parent.parent

_ALL = UidSet(((1, 0xFFFFFFFF),))

#: Messages, and how many of them are changed in one slice.
_MANY, _SLICE = 20, 3

#: Slices that they take.
_SLICES = -(-_MANY // _SLICE)

_LIMITS = EngineLimits(slice_rows=_SLICE)

_PUBLIC = "Public Folders/Target"


class SlicesCase(EngineCase):
    """
    Several clients of one store, whose changes are committed when a test says so.
    """

    limits = _LIMITS

    def setUp(self) -> None:
        """
        A store with many messages of alice, every third of them seen, every second flagged; bob may look.
        """
        self.db_path = self.path()
        maker = self.open(self.db_path)
        self.users(maker, "alice", "bob")
        for name in ("Big", "Other", _PUBLIC):
            self.now(maker.createFolder("alice", name))
        self.now(maker.setRights("alice", _PUBLIC, "bob", "lrswite"))
        for number in range(_MANY):
            flags = (("\\Seen",) if number % 3 == 0 else ()) + (("\\Flagged", "red") if number % 2 else ())
            self.append(maker, "alice", "Big", mail(number), flags=flags)
        self.now(maker.close())
        self.committer = HeldCommitter()
        self.store: Store = self.open(self.db_path, self.limits, self.committer)
        self.addCleanup(self._closing)
        self.big = self.folder("alice", "Big")

    def _closing(self) -> None:
        closing = Deferred.fromCoroutine(self.store.close())
        self.settle(closing)
        self.successResultOf(closing)

    def folder(self, user: str, name: str, store: Store | None = None) -> int:
        """
        The identity of a folder.
        """
        return self.now((store or self.store).openFolder(user, name, False)).folder

    def run_(
        self, work: Coroutine[Any, Any, Any], look: Callable[[int], object] = lambda _: None
    ) -> Deferred[Any]:
        """
        Do something to its end, one commit after another.

        @param look: called before each commit, with the number of those before it.
        """
        doing = Deferred.fromCoroutine(work)
        self.commits = 0
        while not doing.called:
            look(self.commits)
            self.committer.release()
            self.commits += 1
            self.assertLess(self.commits, 200)
        return doing

    def settle(self, *doing: Deferred[Any]) -> None:
        """
        Commit until all of these are done.
        """
        for _ in range(200):
            if all(each.called for each in doing):
                return
            self.committer.release()
        self.fail("it does not come to an end")

    def do(self, work: Coroutine[Any, Any, Any], look: Callable[[int], object] = lambda _: None) -> Any:
        """
        The result of it.
        """
        return self.successResultOf(self.run_(work, look))

    def tidy(self) -> int:
        """
        Let the store clear up.

        @return: in how many turns.
        """
        for turns in range(1, 200):
            if not self.do(self.store.tidyMore()):
                return turns
        self.fail("it does not come to an end")

    def begin(self, work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """
        Begin something.
        """
        return Deferred.fromCoroutine(work)

    def known(self, user: str, name: str, store: Store | None = None) -> dict[int, frozenset[str]]:
        """
        What a user sees in a folder: the same by whatever way he looks.
        """
        store = store or self.store
        opened = self.now(store.openFolder(user, name, False))
        found: dict[int, frozenset[str]] = {}
        for batch in self.all(store.fetch(user, opened.folder, _ALL, FetchSpec(flags=True))):
            for uid, mask in zip(uint32s(batch.uids), uint64s(batch.flags), strict=True):
                found[uid] = frozenset(flagNames(mask, batch.keywords))
        status = self.now(store.status(user, name))
        self.assertEqual(opened.status.messages, len(found))
        self.assertEqual(status.messages, len(found))
        self.assertEqual(status.unseen, sum("\\Seen" not in each for each in found.values()))
        self.assertEqual(opened.uids, UidSet.of(found))
        delta = self.all(store.changes(user, opened.folder, 0, False))
        self.assertEqual(sorted(uid for each in delta for uid in uint32s(each.changed.uids)), sorted(found))
        self.assertTrue(all(uid < status.uid_next for uid in found))
        return found

    def findings(self, path: str | None = None) -> list[str]:
        """
        What a check has to say.
        """
        checker = Checker(path or self.db_path, RENDITIONS, 1, _LIMITS, writing=False)
        try:
            checker.find()
            return [str(each) for each in checker.report.findings]
        finally:
            checker.close()

    def killed(self) -> str:
        """
        The file as a process that is killed now leaves it.
        """
        path = self.path()
        for suffix in ("", "-wal"):
            if os.path.exists(self.db_path + suffix):
                shutil.copy(self.db_path + suffix, path + suffix)
        return path

    def tidied(self, path: str) -> Store:
        """
        A store that was killed, after it was opened again and has cleared up.
        """
        store = self.open(path, _LIMITS)
        while self.now(store.tidyMore()):
            pass
        return store


class CopyTests(SlicesCase):
    """
    COPY: all for everybody, or nothing for anybody.
    """

    def _copy(self, target: str = _PUBLIC) -> Coroutine[Any, Any, CopyResult]:
        return self.store.copy("alice", self.big, _ALL, target)

    def _expected(self, first: int = 1) -> dict[int, frozenset[str]]:
        return {uid + first - 1: flags for uid, flags in self.known("alice", "Big").items()}

    def test_nothingBetween(self) -> None:
        """
        While messages are copied nobody sees any of them, by whatever way he looks; others are answered
        between the slices.  Then they are all there, with their flags and one mod-sequence above all before.
        """
        self.do(self.store.append("bob", _PUBLIC, (NewMessage(mail(99)),)))
        before = self.now(self.store.status("bob", _PUBLIC))
        answered: list[int] = []

        def look(number: int) -> None:
            self.assertEqual(list(self.known("bob", _PUBLIC)), [1])
            self.assertEqual(list(self.known("alice", _PUBLIC)), [1])
            status = self.now(self.store.status("bob", _PUBLIC))
            self.assertEqual((status.messages, status.uid_next), (1, 2))
            self.begin(self.store.subscribe("bob", f"n{number}")).addCallback(
                lambda _: answered.append(number)
            )
            self.assertEqual(answered, list(range(number)))

        recorder = Recorder()
        self.store.observe(recorder)
        result = self.do(self._copy(), look)
        self.assertGreaterEqual(self.commits, _SLICES + 2)
        self.assertEqual(list(uint32s(result.sources)), list(range(1, _MANY + 1)))
        self.assertEqual(list(uint32s(result.targets)), list(range(2, _MANY + 2)))
        expected = self._expected(2)
        self.assertEqual(self.known("alice", _PUBLIC), {1: frozenset()} | expected)
        self.assertEqual(
            self.known("bob", _PUBLIC), {1: frozenset()} | {k: v - {"\\Seen"} for k, v in expected.items()}
        )
        self.assertEqual(
            [each for each in recorder.changed if each[0] == before.folder], [(before.folder, "")]
        )
        [delta] = self.all(self.store.changes("bob", before.folder, before.highest_modseq, False))
        self.assertEqual(list(uint32s(delta.changed.uids)), list(range(2, _MANY + 2)))
        modseqs = set(uint64s(delta.changed.modseqs))
        self.assertEqual(modseqs, {delta.highest_modseq})
        self.assertGreater(delta.highest_modseq, before.highest_modseq)
        self.assertEqual(self.findings(), [])

    def test_shared(self) -> None:
        """
        The same where all share one C{\\\\Seen}, with the folder's own counts, and into the folder itself.
        """
        for target, first in (("Other", 1), ("Big", _MANY + 1)):
            expected = self._expected()
            self.do(self._copy(target))
            there = self.known("alice", target)
            self.assertEqual({uid: there[uid + first - 1] for uid in expected}, expected)
        self.assertEqual(self.findings(), [])

    def test_killed(self) -> None:
        """
        Whenever the process is killed, there is nothing of it: a check finds nothing wrong, the next message
        gets the next UID, and what was left is cleared away, with nothing lost.
        """
        paths: list[str] = []
        self.do(self._copy(), lambda _: paths.append(self.killed()))
        self.assertGreaterEqual(len(paths), _SLICES + 1)
        for number, path in enumerate(paths):
            self.assertEqual(self.findings(path), [], number)
            store = self.open(path, _LIMITS)
            self.assertEqual(self.known("alice", _PUBLIC, store), {})
            self.append(store, "bob", _PUBLIC, mail(7))
            self.assertEqual(list(self.known("bob", _PUBLIC, store)), [1])
            self.now(store.close())
            self.now(self.tidied(path).close())
            self.assertEqual(self.findings(path), [], number)
            self.assertEqual(self.rows(path, "SELECT count(*) FROM copies"), [(0,)])
            self.assertEqual(self.rows(path, "SELECT count(*) FROM messages"), [(_MANY + 1,)])
            self.assertEqual(self.rows(path, "SELECT count(*) FROM seen_marks"), [(0,)])

    def test_tidied(self) -> None:
        """
        What was left is cleared away in slices by who runs the store, also when nobody adds anything.
        """
        doing = self.begin(self._copy())
        for _ in range(_SLICES):
            self.committer.release()
        path = self.killed()
        self.assertNoResult(doing)
        store = self.open(path, _LIMITS)
        turns = 1
        while self.now(store.tidyMore()):
            turns += 1
        self.assertGreaterEqual(turns, _SLICES - 1)
        self.assertEqual(self.rows(path, "SELECT count(*) FROM messages"), [(_MANY,)])
        self.settle(doing)

    def test_addersWait(self) -> None:
        """
        Who adds something to that folder meanwhile waits, and is behind what was copied, whatever he adds it
        by.  Who changes something in it does not wait.
        """
        self.do(self.store.append("bob", _PUBLIC, (NewMessage(mail(99)),)))
        self.do(self.store.append("bob", "INBOX", (NewMessage(mail(98)),)))
        inbox, target = self.folder("bob", "INBOX"), self.folder("bob", _PUBLIC)
        copying = self.begin(self._copy())
        self.committer.release()
        adding = [
            self.begin(self.store.append("bob", _PUBLIC, (NewMessage(mail(97)),))),
            self.begin(self.store.copy("bob", inbox, _ALL, _PUBLIC)),
            self.begin(self.store.copy("alice", self.big, _ALL, _PUBLIC)),
        ]
        flagging = self.begin(self.store.storeFlags("bob", target, _ALL, FlagMode.ADD, ("\\Flagged", "blue")))
        self.committer.release()
        self.assertEqual(self.successResultOf(flagging).keywords[-1], "blue")
        while not copying.called:
            for each in adding:
                self.assertNoResult(each)
            self.committer.release()
        result = self.successResultOf(copying)
        self.assertEqual(list(uint32s(result.targets)), list(range(2, _MANY + 2)))
        self.settle(*adding)
        self.assertEqual(self.successResultOf(adding[0]).uids, (_MANY + 2,))
        known = self.known("bob", _PUBLIC)
        self.assertEqual(list(known), list(range(1, 2 * _MANY + 4)))
        self.assertEqual(known[1], {"\\Flagged", "blue"})
        self.assertEqual(self.findings(), [])

    def test_delivered(self) -> None:
        """
        Mail from outside waits too, for all its recipients together, and comes to each once.
        """
        copying = self.begin(self._copy("INBOX"))
        self.committer.release()
        recipients = (Recipient("alice@example.org", "alice"), Recipient("bob@example.org", "bob"))
        delivering = self.begin(self.store.deliver(recipients, mail(99)))
        while not copying.called:
            self.assertNoResult(delivering)
            self.assertEqual(self.known("bob", "INBOX"), {})
            self.committer.release()
        self.settle(delivering)
        self.assertEqual(self.successResultOf(delivering), (Delivered(), Delivered()))
        self.assertEqual(list(self.known("alice", "INBOX")), list(range(1, _MANY + 2)))
        self.assertEqual(list(self.known("bob", "INBOX")), [1])
        self.assertEqual(self.findings(), [])

    def test_refused(self) -> None:
        """
        When it would be too much, or rights are taken away, or a folder, in the middle of it, there is
        nothing of it, and others go on.
        """

        async def quota() -> None:
            await self.store.setQuota(SYSTEM, "#public", (("MESSAGE", _MANY - 1),))

        async def rights() -> None:
            await self.store.setRights("alice", _PUBLIC, "alice", "lra")

        async def target() -> None:
            await self.store.deleteFolder("alice", _PUBLIC)

        async def source() -> None:
            await self.store.deleteFolder("alice", "Big")

        for change, error in (
            (quota, OverQuota),
            (rights, StoreError),
            (target, NoSuchFolder),
            (source, NoSuchFolder),
        ):
            copying = self.begin(self._copy())
            self.committer.release()
            self.committer.release()
            changing = self.begin(change())
            self.settle(copying, changing)
            self.successResultOf(changing)
            self.failureResultOf(copying, error)
            self.tidy()
            self.assertEqual(self.findings(), [])
            self.assertEqual(self.rows(self.db_path, "SELECT * FROM copies"), [])
            if change is rights:
                self.do(self.store.setRights(SYSTEM, _PUBLIC, "alice", "lrswipkxtea"))
            if change is quota:
                self.do(self.store.setQuota(SYSTEM, "#public", ()))
                self.do(self.store.append("bob", _PUBLIC, (NewMessage(mail(1)),)))
            if change is target:
                self.do(self.store.createFolder("alice", _PUBLIC))

    def test_cancelled(self) -> None:
        """
        When nobody waits for it any more it comes to nothing.
        """
        copying = self.begin(self._copy())
        copying.addErrback(lambda _: None)
        for _ in range(3):
            self.committer.release()
        copying.cancel()
        self.committer.release()
        self.do(self.store.append("bob", _PUBLIC, (NewMessage(mail(1)),)))
        self.assertEqual(list(self.known("bob", _PUBLIC)), [1])
        self.assertEqual(self.findings(), [])

    def test_brokenOff(self) -> None:
        """
        Another process that adds something to that folder does not wait for one that may be dead: it clears
        away what is there, and he who copied is told so.
        """
        copying = self.begin(self._copy())
        for _ in range(3):
            self.committer.release()
        self.committer.open = False
        self.committer.commit()
        other = self.open(self.db_path, _LIMITS)
        self.append(other, "bob", _PUBLIC, mail(1))
        self.now(other.close())
        while not copying.called:
            self.committer.open = True
            self.committer.begin()
            self.committer.release()
        self.failureResultOf(copying, StoreBusy)
        self.assertEqual(list(self.known("bob", _PUBLIC)), [1])
        self.assertEqual(self.findings(), [])

    def test_repaired(self) -> None:
        """
        A check that mends breaks off what is being copied first.
        """
        self.begin(self._copy()).addErrback(lambda _: None)
        for _ in range(3):
            self.committer.release()
        path = self.killed()
        self.execute(path, f"UPDATE folders SET messages = 7 WHERE id = {self.big}")
        checker = Checker(path, RENDITIONS, 1, _LIMITS, writing=True)
        checker.repair()
        self.assertEqual(checker.report.left, 0)
        self.assertEqual(list(checker.report.mended), ["folder-counts"])
        checker.close()
        self.assertEqual(self.rows(path, "SELECT * FROM copies"), [])
        self.assertEqual(self.rows(path, "SELECT count(*) FROM messages"), [(_MANY,)])


class MoveTests(SlicesCase):
    """
    MOVE: every message is in one of the two folders.
    """

    def _both(self, store: Store | None = None) -> int:
        return len(self.known("alice", "Big", store)) + len(self.known("alice", "Other", store))

    def test_between(self) -> None:
        """
        Others are answered between the slices, and see each message in one folder.
        """
        expected = self.known("alice", "Big")
        sizes: list[int] = []

        def look(number: int) -> None:
            self.assertEqual(self._both(), _MANY)
            sizes.append(len(self.known("alice", "Other")))

        result = self.do(self.store.move("alice", self.big, _ALL, "Other"), look)
        self.assertEqual(sizes[:3], [0, _SLICE, 2 * _SLICE])
        self.assertEqual(list(uint32s(result.sources)), list(range(1, _MANY + 1)))
        self.assertEqual(list(uint32s(result.targets)), list(range(1, _MANY + 1)))
        self.assertEqual(self.known("alice", "Big"), {})
        self.assertEqual(self.known("alice", "Other"), expected)
        self.assertEqual(self.findings(), [])

    def test_killed(self) -> None:
        """
        Whenever the process is killed, each message is in one folder.
        """
        paths: list[str] = []
        self.do(self.store.move("alice", self.big, _ALL, "Other"), lambda _: paths.append(self.killed()))
        for path in paths:
            store = self.open(path, _LIMITS)
            self.assertEqual(self._both(store), _MANY)
            self.assertEqual(self.findings(path), [])

    def test_itself(self) -> None:
        """
        Within one folder each message is moved once.
        """
        result = self.do(self.store.move("alice", self.big, _ALL, "Big"))
        self.assertEqual(list(uint32s(result.targets)), list(range(_MANY + 1, 2 * _MANY + 1)))
        self.assertEqual(list(self.known("alice", "Big")), list(range(_MANY + 1, 2 * _MANY + 1)))

    def test_inbox(self) -> None:
        """
        The messages of an INBOX that is renamed go in the same way; what comes into it meanwhile stays.
        """
        self.do(self.store.move("alice", self.big, _ALL, "INBOX"))
        expected = self.known("alice", "INBOX")
        inbox = self.folder("alice", "INBOX")
        sizes: list[int] = []
        late: list[Any] = []

        def look(number: int) -> None:
            sizes.append(len(self.known("alice", "INBOX")))
            if number == 1:
                message = NewMessage(mail(99))
                self.begin(self.store.append("alice", "INBOX", (message,))).addCallback(late.append)

        self.do(self.store.renameFolder("alice", "INBOX", "Old"), look)
        self.assertEqual(sizes[:3], [_MANY, _MANY - _SLICE, _MANY - 2 * _SLICE + 1])
        self.assertEqual(self.folder("alice", "INBOX"), inbox)
        self.assertEqual(list(self.known("alice", "INBOX")), list(late[0].uids))
        self.assertEqual(self.known("alice", "Old"), expected)
        self.assertEqual(self.findings(), [])

    def test_targetGone(self) -> None:
        """
        When the folder goes in the middle of it, what has not been moved stays where it is; those who look
        are told of what has.
        """
        recorder = Recorder()
        self.store.observe(recorder)
        moving = self.begin(self.store.move("alice", self.big, _ALL, "Other"))
        self.committer.release()
        self.committer.release()
        deleting = self.begin(self.store.deleteFolder("alice", "Other"))
        self.settle(moving, deleting)
        self.failureResultOf(moving, NoSuchFolder)
        self.assertEqual(len(self.known("alice", "Big")), _MANY - 3 * _SLICE)
        self.assertIn((self.big, ""), recorder.changed)
        self.assertEqual(self.findings(), [])


class FlagTests(SlicesCase):
    """
    STORE and EXPUNGE.
    """

    def test_store(self) -> None:
        """
        Flags of many messages are changed in slices, with the result that they would have had at once.
        """
        answered: list[object] = []
        result = self.do(
            self.store.storeFlags("alice", self.big, _ALL, FlagMode.ADD, ("\\Seen", "new")),
            lambda _: self.begin(self.store.subscribe("bob", "x")).addCallback(answered.append),
        )
        self.assertGreaterEqual(self.commits, _SLICES)
        self.assertEqual(len(answered), self.commits)
        known = self.known("alice", "Big")
        self.assertTrue(all({"\\Seen", "new"} <= each for each in known.values()))
        told = zip(uint32s(result.changed.uids), uint64s(result.changed.flags), strict=True)
        self.assertEqual({uid: frozenset(flagNames(mask, result.keywords)) for uid, mask in told}, known)
        self.assertEqual(self.findings(), [])

    def test_unchangedSince(self) -> None:
        """
        Those that have changed since are left alone in every slice.
        """
        since = self.now(self.store.status("alice", "Big")).highest_modseq
        changed = UidSet(((2, 2), (9, 11), (20, 20)))
        self.do(self.store.storeFlags("alice", self.big, changed, FlagMode.ADD, ("\\Answered",)))
        result = self.do(self.store.storeFlags("alice", self.big, _ALL, FlagMode.ADD, ("\\Draft",), since))
        self.assertEqual(result.unchanged_since_failed, changed)
        drafts = UidSet.of(uid for uid, flags in self.known("alice", "Big").items() if "\\Draft" in flags)
        self.assertEqual(len(drafts), _MANY - len(changed))

    def test_expunge(self) -> None:
        """
        Many messages are expunged in slices; others are answered between them, and what comes
        meanwhile stays.
        """
        self.do(self.store.storeFlags("alice", self.big, _ALL, FlagMode.ADD, ("\\Deleted",)))
        late = NewMessage(mail(99), ("\\Deleted",))
        answered: list[Any] = []
        sizes: list[int] = []

        def look(number: int) -> None:
            sizes.append(
                len(self.known("bob", "INBOX")) + self.now(self.store.status("alice", "Big")).messages
            )
            if number == 1:
                self.begin(self.store.append("alice", "Big", (late,))).addCallback(answered.append)

        removed = self.do(self.store.expunge("alice", self.big, None), look)
        self.assertEqual(sizes[:3], [_MANY, _MANY - _SLICE, _MANY - 2 * _SLICE + 1])
        self.assertEqual(answered[0].uids, (_MANY + 1,))
        self.assertEqual(removed, UidSet(((1, _MANY),)))
        self.assertEqual(list(self.known("alice", "Big")), [_MANY + 1])
        self.assertEqual(self.findings(), [])

    def test_expungeSome(self) -> None:
        """
        Of a set that has holes, and of which not all have the flag, those that have it go.
        """
        deleted = UidSet(((2, 4), (8, 8), (10, 15), (19, 20)))
        self.do(self.store.storeFlags("alice", self.big, deleted, FlagMode.ADD, ("\\Deleted",)))
        removed = self.do(self.store.expunge("alice", self.big, UidSet(((1, 3), (7, 12), (14, 90)))))
        self.assertEqual(removed, UidSet(((2, 3), (8, 8), (10, 12), (14, 15), (19, 20))))

    def test_killed(self) -> None:
        """
        Whenever the process is killed, some are gone and the rest is whole.
        """
        self.do(self.store.storeFlags("alice", self.big, _ALL, FlagMode.ADD, ("\\Deleted",)))
        paths: list[str] = []
        self.do(self.store.expunge("alice", self.big, None), lambda _: paths.append(self.killed()))
        for number, path in enumerate(paths):
            store = self.open(path, _LIMITS)
            known = self.known("alice", "Big", store)
            self.assertEqual(list(known), list(range(1 + min(number * _SLICE, _MANY), _MANY + 1)))
            self.assertEqual(self.findings(path), [])


class DeletingTests(SlicesCase):
    """
    Folders with very much in them.
    """

    def setUp(self) -> None:
        """
        bob has seen some messages of a public folder.
        """
        super().setUp()
        self.do(self.store.copy("alice", self.big, _ALL, _PUBLIC))
        self.target = self.folder("bob", _PUBLIC)
        seen = UidSet(((2, 9),))
        self.do(self.store.storeFlags("bob", self.target, seen, FlagMode.ADD, ("\\Seen",)))

    def _left(self, path: str) -> tuple[int, ...]:
        tables = ("messages", "tombstones", "seen", "seen_marks", "metadata")
        return tuple(
            self.rows(path, f"SELECT count(*) FROM {table} WHERE folder = {self.target}")[0][0]
            for table in tables
        )

    def test_inSlices(self) -> None:
        """
        Its name is gone, and free, with the first commit; what it held is cleared away in slices, between
        which others are answered.
        """
        self.do(self.store.deleteFolder("alice", _PUBLIC))
        self.assertEqual(self.commits, 1)
        self.failureResultOf(self.begin(self.store.status("bob", _PUBLIC)), NoSuchFolder)
        usage = self.now(self.store.quota(SYSTEM, "#public")).resources
        self.assertEqual([used for _, used, _ in usage], [0, 0])
        self.do(self.store.createFolder("alice", _PUBLIC))
        self.assertNotEqual(self.folder("bob", _PUBLIC), self.target)
        turns = 0
        more = True
        while more:
            self.assertEqual(self.findings(), [])
            answered = self.begin(self.store.subscribe("bob", f"n{turns}"))
            more = self.do(self.store.tidyMore())
            self.assertTrue(answered.called or not more)
            self.settle(answered)
            turns += 1
        self.assertGreaterEqual(turns, _SLICES)
        self.assertEqual(self._left(self.db_path), (0, 0, 0, 0, 0))
        self.assertEqual(self.rows(self.db_path, "SELECT * FROM gone_folders"), [])
        self.assertEqual(self.known("bob", _PUBLIC), {})

    def test_killed(self) -> None:
        """
        Whenever the process is killed, the next one goes on, and in the end the bytes that nobody names
        are gone too.
        """
        paths: list[str] = []
        self.do(self.store.deleteFolder("alice", "Big"), lambda _: paths.append(self.killed()))
        self.do(self.store.deleteFolder("alice", _PUBLIC), lambda _: paths.append(self.killed()))
        more = True
        while more:
            more = self.do(self.store.tidyMore(), lambda _: paths.append(self.killed()))
        self.assertGreater(len(paths), _SLICES + 2)
        for path in paths[2:]:
            self.assertEqual(self.findings(path), [])
            self.now(self.tidied(path).close())
            self.assertEqual(self._left(path), (0, 0, 0, 0, 0))
            self.assertEqual(self.rows(path, "SELECT count(*) FROM contents"), [(0,)])
            self.assertEqual(self.findings(path), [])

    def test_user(self) -> None:
        """
        The mail of a user who is removed goes in the same way.
        """
        self.do(self.store.removeUser("alice", delete=True))
        self.assertEqual(self.findings(), [])
        more, turns = True, 0
        while more:
            more = self.do(self.store.tidyMore())
            turns += 1
        self.assertGreaterEqual(turns, _SLICES - 1)
        self.assertEqual(
            self.rows(self.db_path, f"SELECT count(*) FROM messages WHERE folder <> {self.target}"), [(0,)]
        )
        self.assertEqual(self.findings(), [])


class KillTests(EngineCase):
    """
    Processes that are killed indeed.
    """

    def _killed(self, what: str, number: int) -> tuple[Store, str]:
        path = self.path()
        store = self.open(path)
        self.users(store, "alice")
        for name in ("Big", "Other"):
            self.now(store.createFolder("alice", name))
        self.append(store, "alice", "Big", *(mail(number) for number in range(_MANY)))
        self.now(store.close())
        ended = subprocess.run(
            [sys.executable, "-m", "tests.engine.slicekills", path, what, str(number)],
            cwd=TOP,
            timeout=60,
            check=False,
        )
        self.assertEqual(ended.returncode, -signal.SIGKILL)
        checker = Checker(path, RENDITIONS, 1, _LIMITS, writing=False)
        checker.find()
        self.assertEqual(checker.report.findings, [])
        checker.close()
        return self.open(path, _LIMITS), path

    def _count(self, store: Store, name: str) -> int:
        return self.now(store.status("alice", name)).messages

    def test_copy(self) -> None:
        """
        A copy that was killed in the middle, or before its last commit, is not there; one that was killed
        right after that is.
        """
        for number, there in ((4, 0), (-5, 0), (_SLICES + 2, 0), (-_SLICES - 2, _MANY)):
            store, _ = self._killed("copy", number)
            self.assertEqual((self._count(store, "Big"), self._count(store, "Other")), (_MANY, there))

    def test_move(self) -> None:
        """
        Of a move that was killed each message is in one of the two folders.
        """
        store, _ = self._killed("move", 4)
        self.assertEqual(self._count(store, "Big"), _MANY - 3 * _SLICE)
        self.assertEqual(self._count(store, "Other"), 3 * _SLICE)

    def test_delete(self) -> None:
        """
        A folder whose process was killed while it was cleared away is gone, and what is left of it too in the
        end.
        """
        store, path = self._killed("delete", -3)
        self.failureResultOf(Deferred.fromCoroutine(store.status("alice", "Big")), NoSuchFolder)
        self.assertEqual(self.rows(path, "SELECT count(*) FROM messages"), [(_MANY - 3 * _SLICE,)])
        while self.now(store.tidyMore()):
            pass
        self.assertEqual(self.rows(path, "SELECT count(*) FROM messages"), [(0,)])
        self.assertEqual(self.rows(path, "SELECT count(*) FROM contents"), [(0,)])


class InMemoryTests(EngineCase):
    """
    A store in memory, whose changes are committed at once.
    """

    def test_givesWay(self) -> None:
        """
        It lets others have their turn between two slices too.
        """

        class Turns(HeldCommitter):
            """
            Somebody else's turn comes when the test says so.
            """

            async def giveWay(self) -> None:
                await self.committed()

            def go(self) -> None:
                waiting, self.waiting = self.waiting, []
                for each in waiting:
                    each.callback(None)

        turns = Turns()
        store = self.open(limits=_LIMITS, committer=turns)
        self.users(store, "alice")
        self.now(store.createFolder("alice", "Other"))
        self.append(store, "alice", "INBOX", *(mail(number) for number in range(_MANY)))
        inbox = self.now(store.openFolder("alice", "INBOX", False)).folder
        copying = Deferred.fromCoroutine(store.copy("alice", inbox, _ALL, "Other"))
        adding = Deferred.fromCoroutine(store.append("alice", "Other", (NewMessage(mail(99)),)))
        count = 0
        while not copying.called:
            self.assertEqual(self.now(store.status("alice", "Other")).messages, 0)
            self.assertNoResult(adding)
            self.now(store.subscribe("alice", f"n{count}"))
            turns.go()
            count += 1
        self.successResultOf(copying)
        self.assertGreaterEqual(count, _SLICES - 1)
        while not adding.called:
            turns.go()
        self.assertEqual(self.successResultOf(adding).uids, (_MANY + 1,))
