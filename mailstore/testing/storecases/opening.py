"""
Opening folders, and following what changes in them.
"""

from __future__ import annotations

from mailstore.errors import InvalidRequest, NoSuchFolder, NotSelectable, PermissionDenied
from mailstore.model import MAX_WATCHERS, FlagMode, FolderDelta, UidSet, Watcher
from mailstore.testing.storecases.base import EVERY, Recorder, StoreCase, flagsOf, mail, modseqsOf, uidsOf

_ONE = UidSet(((1, 1),))


class OpenTests(StoreCase):
    """
    C{openFolder}.
    """

    async def test_openEmpty(self) -> None:
        """
        A new folder is empty and begins with UID 1.
        """
        opened = await self.opened("alice", "inbox", True)
        status = opened.status
        self.assertEqual((opened.name, opened.uids, opened.keywords), ("INBOX", UidSet(), ()))
        self.assertEqual((opened.first_recent, opened.first_unseen), (0, 0))
        self.assertEqual((status.messages, status.uid_next, status.folder), (0, 1, opened.folder))
        self.assertGreater(status.highest_modseq, 0)

    async def test_openFilled(self) -> None:
        """
        An opened folder tells its messages, keywords, and the first that is not seen.
        """
        await self.append("alice", "INBOX", mail(1), mail(2), flags=("\\Seen", "one"))
        await self.append("alice", "INBOX", mail(3), flags=("Two",))
        opened = await self.opened("alice", "INBOX")
        self.assertEqual(opened.uids, UidSet(((1, 3),)))
        self.assertEqual(opened.keywords, ("one", "Two"))
        self.assertEqual((opened.first_unseen, opened.status.unseen), (3, 1))

    async def test_openRefused(self) -> None:
        """
        It needs C{r} on a folder that there is and that can be opened.
        """
        name = await self.public("P")
        await self.store.setRights("alice", name, "authenticated", "l")
        await self.refused(PermissionDenied, self.store.openFolder("bob", name, False))
        await self.refused(NotSelectable, self.store.openFolder("bob", "Public Folders", False))
        await self.refused(NoSuchFolder, self.store.openFolder("bob", "none", False))

    async def test_openRecent(self) -> None:
        """
        Messages are recent to the first who claims them, and to nobody afterwards.
        """
        await self.append("alice", "INBOX", mail(1), mail(2))
        looked = await self.opened("alice", "INBOX", False)
        self.assertEqual((looked.first_recent, looked.status.recent), (1, 2))
        first = await self.opened("alice", "INBOX", True)
        self.assertEqual((first.first_recent, first.status.recent), (1, 2))
        second = await self.opened("alice", "INBOX", True)
        self.assertEqual((second.first_recent, second.status.recent), (0, 0))
        await self.append("alice", "INBOX", mail(3))
        self.assertEqual((await self.store.status("alice", "INBOX")).recent, 1)
        third = await self.opened("alice", "INBOX", True)
        self.assertEqual((third.first_recent, third.status.recent), (3, 1))

    async def test_openRecentExpunged(self) -> None:
        """
        When the recent messages are expunged none are recent.
        """
        await self.append("alice", "INBOX", mail(1))
        folder = (await self.opened("alice", "INBOX", True)).folder
        await self.append("alice", "INBOX", mail(2), flags=("\\Deleted",))
        await self.store.expunge("alice", folder, None)
        opened = await self.opened("alice", "INBOX", True)
        self.assertEqual((opened.first_recent, opened.status.recent), (0, 0))


class ChangesTests(StoreCase):
    """
    C{changes}.
    """

    async def _since(self, folder: int, since: int, claim: bool = False, user: str = "alice") -> FolderDelta:
        """
        The only batch of what changed.
        """
        (delta,) = await self.all(self.store.changes(user, folder, since, claim))
        return delta

    async def test_changesNothing(self) -> None:
        """
        When nothing changed there is one batch that says so.
        """
        opened = await self.filled("alice", "INBOX", 2)
        delta = await self._since(opened.folder, opened.status.highest_modseq)
        self.assertEqual((delta.vanished, uidsOf(delta.changed)), (UidSet(), []))
        self.assertEqual(delta.highest_modseq, opened.status.highest_modseq)
        ahead = await self._since(opened.folder, opened.status.highest_modseq + 1000)
        self.assertEqual((ahead.vanished, uidsOf(ahead.changed)), (UidSet(), []))

    async def test_changesDelta(self) -> None:
        """
        New messages, changed flags and expunges since a moment are told, and only those.
        """
        opened = await self.filled("alice", "INBOX", 5)
        folder, before = opened.folder, opened.status.highest_modseq
        await self.store.storeFlags("alice", folder, UidSet(((2, 2),)), FlagMode.ADD, ("\\Flagged", "new"))
        await self.store.storeFlags("alice", folder, UidSet(((4, 4),)), FlagMode.ADD, ("\\Deleted",))
        between = (await self._since(folder, before)).highest_modseq
        await self.store.expunge("alice", folder, None)
        await self.append("alice", "INBOX", mail(6), flags=("\\Seen",))
        delta = await self._since(folder, before)
        self.assertEqual(delta.vanished, UidSet(((4, 4),)))
        self.assertEqual(flagsOf(delta.changed, delta.keywords), {2: {"\\Flagged", "new"}, 6: {"\\Seen"}})
        self.assertTrue(
            all(before < each <= delta.highest_modseq for each in modseqsOf(delta.changed).values())
        )
        later = await self._since(folder, between)
        self.assertEqual((later.vanished, uidsOf(later.changed)), (UidSet(((4, 4),)), [6]))
        done = await self._since(folder, delta.highest_modseq)
        self.assertEqual((done.vanished, uidsOf(done.changed)), (UidSet(), []))

    async def test_changesSameFlags(self) -> None:
        """
        Setting flags that are set changes nothing.
        """
        opened = await self.filled("alice", "INBOX", 1)
        await self.store.storeFlags("alice", opened.folder, _ONE, FlagMode.ADD, ("\\Seen",))
        highest = (await self.opened("alice", "INBOX")).status.highest_modseq
        result = await self.store.storeFlags("alice", opened.folder, _ONE, FlagMode.ADD, ("\\Seen",))
        self.assertEqual(modseqsOf(result.changed), {1: highest})
        self.assertEqual((await self._since(opened.folder, highest)).highest_modseq, highest)

    async def test_changesBatches(self) -> None:
        """
        Many changes come in several batches; together they are all.
        """
        count = self.limits.batch_rows * 2 + 50
        opened = await self.filled("alice", "INBOX", count)
        odd = UidSet.of(range(1, count, 2))
        await self.store.storeFlags("alice", opened.folder, odd, FlagMode.ADD, ("\\Deleted",))
        await self.store.expunge("alice", opened.folder, None)
        deltas = await self.all(self.store.changes("alice", opened.folder, 0, False))
        self.assertGreater(len(deltas), 1)
        left = [uid for delta in deltas for uid in uidsOf(delta.changed)]
        self.assertEqual(left, [uid for uid in range(1, count + 1) if uid not in odd])
        vanished = UidSet.ofRanges(pair for delta in deltas for pair in delta.vanished.ranges)
        self.assertTrue(all(uid in vanished for uid in odd))
        self.assertFalse(any(uid in vanished for uid in left))

    async def test_changesForgottenTombstones(self) -> None:
        """
        Who asks from long ago learns all that has gone, although the store no longer knows when.
        """
        count = 4 * self.limits.max_tombstones
        opened = await self.filled("alice", "INBOX", count)
        before = opened.status.highest_modseq
        gone = list(range(1, count, 2))
        for uid in gone:
            await self.store.storeFlags(
                "alice", opened.folder, UidSet(((uid, uid),)), FlagMode.ADD, ("\\Deleted",)
            )
            await self.store.expunge("alice", opened.folder, None)
        delta = await self._since(opened.folder, before)
        self.assertTrue(all(uid in delta.vanished for uid in gone))
        self.assertFalse(any(uid in delta.vanished for uid in range(2, count + 1, 2)))
        self.assertEqual((await self.opened("alice", "INBOX")).uids, UidSet.of(range(2, count + 1, 2)))

    async def test_changesClaim(self) -> None:
        """
        New messages can be claimed as recent while a folder is open.
        """
        opened = await self.filled("alice", "INBOX", 1)
        await self.opened("alice", "INBOX", True)
        await self.append("alice", "INBOX", mail(2))
        unclaimed = await self._since(opened.folder, opened.status.highest_modseq)
        self.assertEqual(unclaimed.first_recent, 0)
        claimed = await self._since(opened.folder, opened.status.highest_modseq, True)
        self.assertEqual(claimed.first_recent, 2)
        again = await self._since(opened.folder, opened.status.highest_modseq, True)
        self.assertEqual(again.first_recent, 0)
        self.assertEqual((await self.opened("alice", "INBOX", True)).first_recent, 0)

    async def test_newsSame(self) -> None:
        """
        What is asked for many at once is what each would be told, and those who are told the same are
        in one piece of news.
        """
        name = await self.public("P")
        opened = await self.filled("alice", name, 5)
        folder, before = opened.folder, opened.status.highest_modseq
        await self.store.storeFlags("bob", folder, UidSet(((1, 3),)), FlagMode.ADD, ("\\Seen",))
        await self.store.storeFlags("alice", folder, UidSet(((2, 2),)), FlagMode.ADD, ("\\Flagged", "new"))
        await self.store.storeFlags("alice", folder, UidSet(((4, 4),)), FlagMode.ADD, ("\\Deleted",))
        await self.store.expunge("alice", folder, None)
        await self.append("alice", name, mail(6))
        users = ("alice", "bob", "alice", "bob")
        watchers = tuple(Watcher(user, before, False) for user in users)
        watchers += (Watcher("alice", 0, False), Watcher("alice", before + 1000, False))
        news = await self.store.news(folder, watchers)
        told = {place: each.delta for each in news for place in each.watchers}
        self.assertEqual(sorted(told), list(range(len(watchers))))
        for place, watcher in enumerate(watchers):
            (alone,) = await self.all(self.store.changes(watcher.user, folder, watcher.since, False))
            self.assertEqual(told[place], alone, watcher)
        self.assertIn((0, 2), [each.watchers for each in news])

    async def test_newsRefused(self) -> None:
        """
        Who may not read, and for whom there is much, is in no news; of a folder that is not there
        there are none.
        """
        name = await self.public("P")
        opened = await self.filled("alice", name, 150)
        folder, before = opened.folder, opened.status.highest_modseq
        await self.append("alice", name, mail(151))
        await self.store.setRights("alice", name, "authenticated", "l")
        watchers = (
            Watcher("bob", before, False),
            Watcher("alice", before, False),
            Watcher("alice", 0, False),
        )
        (news,) = await self.store.news(folder, watchers)
        self.assertEqual((news.watchers, uidsOf(news.delta.changed)), ((1,), [151]))
        self.assertEqual(await self.store.news(folder + 100, watchers), ())
        self.assertEqual(await self.store.news(folder, ()), ())
        await self.refused(
            InvalidRequest, self.store.news(folder, (Watcher("alice", before, False),) * (MAX_WATCHERS + 1))
        )

    async def test_newsClaim(self) -> None:
        """
        New messages are recent to the first who claims them and is told, and to nobody after.
        """
        opened = await self.filled("alice", "INBOX", 1)
        await self.opened("alice", "INBOX", True)
        before = opened.status.highest_modseq
        await self.append("alice", "INBOX", mail(2))
        watchers = (
            Watcher("bob", before, True),
            Watcher("alice", before, False),
            Watcher("alice", before, True),
            Watcher("alice", before, True),
        )
        news = await self.store.news(opened.folder, watchers)
        told = {place: each.delta.first_recent for each in news for place in each.watchers}
        self.assertEqual(told, {1: 0, 2: 2, 3: 0})
        self.assertEqual((await self.opened("alice", "INBOX", True)).first_recent, 0)

    async def test_changesLeftEarly(self) -> None:
        """
        An answer can be left after any batch, or before the first.
        """
        opened = await self.filled("alice", "INBOX", self.limits.batch_rows * 2)
        answer = self.store.changes("alice", opened.folder, 0, False)
        await answer.__anext__()
        await answer.aclose()
        await self.store.changes("alice", opened.folder, 0, False).aclose()
        self.assertEqual((await self.store.status("alice", "INBOX")).messages, self.limits.batch_rows * 2)


class ObserverTests(StoreCase):
    """
    Who observes is told which folder changed.
    """

    async def test_observersTold(self) -> None:
        """
        Every kind of change is told, after it can be seen.
        """
        await self.store.createFolder("alice", "Other")
        inbox, other = await self.filled("alice", "INBOX", 3), await self.opened("alice", "Other")

        async def check(folder: int) -> None:
            await recorder.wait(folder)
            self.store.unobserve(recorder)

        recorder = Recorder()
        self.store.observe(recorder)
        await self.append("alice", "INBOX", mail())
        await check(inbox.folder)
        for request in (
            lambda: self.store.storeFlags("alice", inbox.folder, EVERY, FlagMode.ADD, ("\\Deleted",)),
            lambda: self.store.expunge("alice", inbox.folder, _ONE),
            lambda: self.store.move("alice", inbox.folder, UidSet(((2, 2),)), "Other"),
        ):
            recorder = Recorder()
            self.store.observe(recorder)
            await request()
            await check(inbox.folder)
        recorder = Recorder()
        self.store.observe(recorder)
        await self.store.copy("alice", inbox.folder, UidSet(((3, 3),)), "Other")
        await check(other.folder)
        recorder = Recorder()
        self.store.observe(recorder)
        await self.store.deleteFolder("alice", "Other")
        await check(other.folder)

    async def test_observersUnobserve(self) -> None:
        """
        Who no longer observes, or never did, can be taken away; others are still told.
        """
        opened = await self.opened("alice", "INBOX")
        first, second = Recorder(), Recorder()
        for each in (first, second, second):
            self.store.observe(each)
        self.store.unobserve(first)
        self.store.unobserve(Recorder())
        await self.append("alice", "INBOX", mail())
        await second.wait(opened.folder)
        self.assertEqual(first.changed, [])

    async def test_observersOwnSeen(self) -> None:
        """
        A change that only one user can see is told with his name.
        """
        opened = await self.filled("alice", await self.public("P"), 1)
        recorder = Recorder()
        self.store.observe(recorder)
        await self.store.storeFlags("bob", opened.folder, _ONE, FlagMode.ADD, ("\\Seen",))
        await recorder.wait(opened.folder, "bob")
