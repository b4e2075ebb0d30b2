"""
Changing flags, copying, moving and expunging.
"""

from __future__ import annotations

from mailstore.errors import LimitReached, NoSuchFolder, NotSelectable
from mailstore.model import (
    MAX_KEYWORD,
    MAX_KEYWORDS,
    CopyResult,
    FetchSpec,
    FlagMode,
    NewMessage,
    UidSet,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import EVERY, StoreCase, flagsOf, mail, modseqsOf

_ONE = UidSet(((1, 1),))
_ADD, _REMOVE, _REPLACE = FlagMode.ADD, FlagMode.REMOVE, FlagMode.REPLACE


class FlagTests(StoreCase):
    """
    C{storeFlags}.
    """

    async def test_flagsModes(self) -> None:
        """
        Flags are added, removed and replaced; names are the same in any case.
        """
        folder = (await self.filled("alice", "INBOX", 2)).folder
        for mode, names, expected in (
            (_ADD, ("\\seen", "\\Flagged", "Word"), {"\\Seen", "\\Flagged", "Word"}),
            (_ADD, ("WORD", "\\Draft"), {"\\Seen", "\\Flagged", "\\Draft", "Word"}),
            (_REMOVE, ("word", "\\DRAFT", "unknown"), {"\\Seen", "\\Flagged"}),
            (_REPLACE, ("other", "\\Answered"), {"\\Answered", "other"}),
            (_REPLACE, (), set()),
        ):
            result = await self.store.storeFlags("alice", folder, _ONE, mode, names)
            self.assertEqual(flagsOf(result.changed, result.keywords), {1: expected})
            self.assertEqual(await self.flags("alice", folder), {1: expected, 2: set()})
        self.assertEqual((await self.opened("alice", "INBOX")).keywords, ("Word", "other"))

    async def test_flagsAll(self) -> None:
        """
        Every message named that exists is told, with its flags now, whether it changed or not.
        """
        folder = (await self.filled("alice", "INBOX", 3)).folder
        await self.store.storeFlags("alice", folder, UidSet(((2, 2),)), _ADD, ("\\Seen",))
        result = await self.store.storeFlags("alice", folder, UidSet(((2, 50),)), _ADD, ("\\Seen",))
        self.assertEqual(flagsOf(result.changed), {2: {"\\Seen"}, 3: {"\\Seen"}})
        modseqs = modseqsOf(result.changed)
        self.assertLess(modseqs[2], modseqs[3])
        nothing = await self.store.storeFlags("alice", folder, UidSet(((9, 9),)), _ADD, ("\\Seen",))
        self.assertEqual((nothing.changed.uids, nothing.unchanged_since_failed), (b"", UidSet()))

    async def test_flagsUnchangedSince(self) -> None:
        """
        Messages that changed since a moment are left alone and told.
        """
        opened = await self.filled("alice", "INBOX", 3)
        since = opened.status.highest_modseq
        await self.store.storeFlags("alice", opened.folder, UidSet(((2, 2),)), _ADD, ("\\Flagged",))
        result = await self.store.storeFlags("alice", opened.folder, EVERY, _ADD, ("\\Seen",), since)
        self.assertEqual(result.unchanged_since_failed, UidSet(((2, 2),)))
        self.assertEqual(
            await self.flags("alice", opened.folder), {1: {"\\Seen"}, 2: {"\\Flagged"}, 3: {"\\Seen"}}
        )
        none = await self.store.storeFlags("alice", opened.folder, EVERY, _ADD, ("\\Draft",), 0)
        self.assertEqual(none.unchanged_since_failed, UidSet(((1, 3),)))

    async def test_flagsKeywordLimit(self) -> None:
        """
        A folder knows so many keywords; more are refused, and change nothing.
        """
        folder = (await self.filled("alice", "INBOX", 1)).folder
        names = tuple(f"k{number}" for number in range(MAX_KEYWORDS))
        result = await self.store.storeFlags("alice", folder, _ONE, _ADD, names)
        self.assertEqual(result.keywords, names)
        self.assertEqual((await self.flags("alice", folder))[1], set(names))
        more = ("\\Flagged", "one-more")
        await self.refused(LimitReached, self.store.storeFlags("alice", folder, _ONE, _ADD, more))
        self.assertEqual((await self.flags("alice", folder))[1], set(names))
        await self.store.storeFlags("alice", folder, _ONE, _REMOVE, ("one-more", "k0"))
        self.assertEqual((await self.flags("alice", folder))[1], set(names[1:]))

    async def test_flagsKeywordLength(self) -> None:
        """
        A keyword can have so many characters.
        """
        folder = (await self.filled("alice", "INBOX", 1)).folder
        longest = "k" * MAX_KEYWORD
        await self.store.storeFlags("alice", folder, _ONE, _ADD, (longest,))
        self.assertEqual((await self.flags("alice", folder))[1], {longest})
        await self.refused(LimitReached, self.store.storeFlags("alice", folder, _ONE, _ADD, (longest + "k",)))

    async def test_flagsRecentIsNoFlag(self) -> None:
        """
        C{\\Recent} cannot be set, and trying it is no error.
        """
        folder = (await self.filled("alice", "INBOX", 1)).folder
        result = await self.store.storeFlags("alice", folder, _ONE, _ADD, ("\\Recent", "\\Seen"))
        self.assertEqual(flagsOf(result.changed, result.keywords), {1: {"\\Seen"}})


class CopyTests(StoreCase):
    """
    C{copy} and C{move}.
    """

    def _pairs(self, result: CopyResult) -> list[tuple[int, int]]:
        """
        Sources and targets.
        """
        return list(zip(uint32s(result.sources), uint32s(result.targets), strict=True))

    async def test_copy(self) -> None:
        """
        Copies have the flags, keywords, date and bytes of the originals, which stay.
        """
        await self.store.createFolder("alice", "Target")
        await self.append("alice", "Target", mail(9), flags=("second", "other"))
        await self.append("alice", "INBOX", mail(1), flags=("first",))
        await self.store.append("alice", "INBOX", (NewMessage(mail(2), ("Second", "\\Seen"), 77, 60),))
        inbox = await self.opened("alice", "INBOX")
        result = await self.store.copy("alice", inbox.folder, UidSet(((1, 99),)), "Target")
        target = await self.opened("alice", "Target")
        self.assertEqual(self._pairs(result), [(1, 2), (2, 3)])
        self.assertEqual(result.uid_validity, target.status.uid_validity)
        self.assertEqual(
            await self.flags("alice", target.folder),
            {1: {"second", "other"}, 2: {"first"}, 3: {"second", "\\Seen"}},
        )
        self.assertEqual(await self.content("alice", target.folder, 3), mail(2))
        rows = await self.fetched("alice", target.folder, EVERY, FetchSpec(internal_date=True))
        self.assertEqual((list(uint64s(rows[3].internal_dates)), rows[3].zones), ([77], b"\x3c\0"))
        self.assertEqual((await self.store.status("alice", "INBOX")).messages, 2)
        self.assertEqual((target.status.unseen, target.status.recent), (2, 3))

    async def test_copyIntoSame(self) -> None:
        """
        Messages can be copied, and moved, into the folder in which they are.
        """
        folder = (await self.filled("alice", "INBOX", 2)).folder
        self.assertEqual(
            self._pairs(await self.store.copy("alice", folder, EVERY, "INBOX")), [(1, 3), (2, 4)]
        )
        moved = await self.store.move("alice", folder, UidSet(((1, 3),)), "INBOX")
        self.assertEqual(self._pairs(moved), [(1, 5), (2, 6), (3, 7)])
        opened = await self.opened("alice", "INBOX")
        self.assertEqual((opened.uids, opened.status.messages), (UidSet(((4, 7),)), 4))
        self.assertEqual(await self.content("alice", folder, 7), mail(1))

    async def test_copyMove(self) -> None:
        """
        Moved messages are there and no longer here, as one change.
        """
        await self.store.createFolder("alice", "Target")
        opened = await self.filled("alice", "INBOX", 5)
        since = opened.status.highest_modseq
        result = await self.store.move("alice", opened.folder, UidSet(((2, 3), (5, 9))), "Target")
        self.assertEqual(self._pairs(result), [(2, 1), (3, 2), (5, 3)])
        self.assertEqual((await self.opened("alice", "INBOX")).uids, UidSet(((1, 1), (4, 4))))
        (delta,) = await self.all(self.store.changes("alice", opened.folder, since, False))
        self.assertEqual(delta.vanished, UidSet(((2, 3), (5, 5))))
        target = await self.opened("alice", "Target")
        self.assertEqual(target.status.size, sum(len(mail(number)) for number in (2, 3, 5)))
        self.assertEqual(await self.content("alice", target.folder, 3), mail(5))
        status = await self.store.status("alice", "INBOX")
        self.assertEqual((status.messages, status.size), (2, len(mail(1)) + len(mail(4))))

    async def test_copyOutlivesOriginal(self) -> None:
        """
        A copy is there after the original has been expunged.
        """
        await self.store.createFolder("alice", "Target")
        await self.append("alice", "INBOX", mail(), flags=("\\Deleted",))
        folder = (await self.opened("alice", "INBOX")).folder
        await self.store.copy("alice", folder, _ONE, "Target")
        await self.store.expunge("alice", folder, None)
        target = (await self.opened("alice", "Target")).folder
        await self.store.expunge("alice", target, UidSet(((5, 5),)))
        self.assertEqual(await self.content("alice", target, 1), mail())

    async def test_copyNothing(self) -> None:
        """
        Copying messages that there are not copies none.
        """
        folder = (await self.filled("alice", "INBOX", 1)).folder
        for request in (self.store.copy, self.store.move):
            result = await request("alice", folder, UidSet(((7, 8),)), "INBOX")
            self.assertEqual((result.sources, result.targets), (b"", b""))

    async def test_copyRefused(self) -> None:
        """
        Both folders must be there, and what is refused changes nothing.
        """
        folder = (await self.filled("alice", "INBOX", 1)).folder
        for request in (self.store.copy, self.store.move):
            message = await self.refused(NoSuchFolder, request("alice", folder, _ONE, "none"))
            self.assertIn("none", message)
            await self.refused(NoSuchFolder, request("alice", 999_999, _ONE, "INBOX"))
            await self.refused(NotSelectable, request("alice", folder, _ONE, "Public Folders"))
        self.assertEqual((await self.store.status("alice", "INBOX")).messages, 1)

    async def test_copyAllOrNone(self) -> None:
        """
        When the target cannot take all keywords, nothing is copied or moved.
        """
        await self.store.createFolder("alice", "Full")
        await self.append("alice", "Full", mail(), flags=(f"k{number}" for number in range(MAX_KEYWORDS)))
        await self.append("alice", "INBOX", mail(1))
        await self.append("alice", "INBOX", mail(2), flags=("more",))
        folder = (await self.opened("alice", "INBOX")).folder
        for request in (self.store.copy, self.store.move):
            await self.refused(LimitReached, request("alice", folder, EVERY, "Full"))
        self.assertEqual((await self.store.status("alice", "Full")).messages, 1)
        self.assertEqual((await self.store.status("alice", "INBOX")).messages, 2)


class ExpungeTests(StoreCase):
    """
    C{expunge}.
    """

    async def test_expungeDeleted(self) -> None:
        """
        Messages with the flag are removed, all of them or those of a set; no UID comes again.
        """
        opened = await self.filled("alice", "INBOX", 6)
        await self.store.storeFlags("alice", opened.folder, UidSet(((2, 5),)), _ADD, ("\\Deleted",))
        some = await self.store.expunge("alice", opened.folder, UidSet(((1, 2), (4, 4))))
        self.assertEqual(some, UidSet(((2, 2), (4, 4))))
        self.assertEqual((await self.opened("alice", "INBOX")).uids, UidSet(((1, 1), (3, 3), (5, 6))))
        self.assertEqual(await self.store.expunge("alice", opened.folder, None), UidSet(((3, 3), (5, 5))))
        self.assertEqual(await self.store.expunge("alice", opened.folder, None), UidSet())
        status = await self.store.status("alice", "INBOX")
        self.assertEqual((status.messages, status.deleted, status.unseen), (2, 0, 2))
        await self.store.storeFlags("alice", opened.folder, EVERY, _ADD, ("\\Deleted",))
        await self.store.expunge("alice", opened.folder, None)
        self.assertEqual(await self.append("alice", "INBOX", mail()), (7,))

    async def test_expungeNoSuchFolder(self) -> None:
        """
        A folder that there is not is refused.
        """
        await self.refused(NoSuchFolder, self.store.expunge("alice", 999_999, None))


class OwnSeenTests(StoreCase):
    """
    In a public folder every user has his own C{\\Seen}.
    """

    async def _sharedFolder(self) -> None:
        """
        Make what these tests look at.
        """
        self.name = await self.public("Shared")
        self.folder = (await self.filled("alice", self.name, 6)).folder

    async def _seen(self, user: str) -> list[int]:
        """
        What the user has seen; all ways to ask agree.
        """
        flags = await self.flags(user, self.folder)
        seen = [uid for uid, names in flags.items() if "\\Seen" in names]
        status = await self.store.status(user, self.name)
        self.assertEqual(status.unseen, len(flags) - len(seen))
        opened = await self.opened(user, self.name)
        first = next((uid for uid in flags if uid not in seen), 0)
        self.assertEqual((opened.status.unseen, opened.first_unseen), (status.unseen, first))
        (delta,) = await self.all(self.store.changes(user, self.folder, 0, False))
        told = flagsOf(delta.changed, delta.keywords)
        self.assertEqual([uid for uid, names in told.items() if "\\Seen" in names], seen)
        return seen

    async def test_ownSeenOwn(self) -> None:
        """
        What one has seen another has not.
        """
        await self._sharedFolder()
        await self.store.storeFlags("bob", self.folder, UidSet(((1, 3),)), _ADD, ("\\Seen",))
        await self.store.storeFlags("carol", self.folder, EVERY, _ADD, ("\\Seen",))
        await self.store.storeFlags("carol", self.folder, UidSet(((2, 2),)), _REMOVE, ("\\Seen",))
        self.assertEqual(await self._seen("bob"), [1, 2, 3])
        self.assertEqual(await self._seen("carol"), [1, 3, 4, 5, 6])
        self.assertEqual(await self._seen("alice"), [])

    async def test_ownSeenOtherFlagsAreShared(self) -> None:
        """
        Every other flag is everybody's.
        """
        await self._sharedFolder()
        await self.store.storeFlags("alice", self.folder, _ONE, _ADD, ("\\Seen", "\\Flagged", "word"))
        self.assertEqual((await self.flags("alice", self.folder))[1], {"\\Seen", "\\Flagged", "word"})
        self.assertEqual((await self.flags("bob", self.folder))[1], {"\\Flagged", "word"})
        await self.store.storeFlags("alice", self.folder, _ONE, _REPLACE, ("\\Draft",))
        self.assertEqual((await self.flags("alice", self.folder))[1], {"\\Draft"})

    async def test_ownSeenModseq(self) -> None:
        """
        A change that only one can see is in his changes and in nobody else's.
        """
        await self._sharedFolder()
        before = {
            user: (await self.opened(user, self.name)).status.highest_modseq for user in ("bob", "carol")
        }
        result = await self.store.storeFlags("bob", self.folder, UidSet(((2, 2),)), _ADD, ("\\Seen",))
        (mine,) = await self.all(self.store.changes("bob", self.folder, before["bob"], False))
        self.assertEqual(flagsOf(mine.changed), {2: {"\\Seen"}})
        self.assertEqual(modseqsOf(mine.changed), modseqsOf(result.changed))
        self.assertEqual(mine.highest_modseq, modseqsOf(mine.changed)[2])
        (theirs,) = await self.all(self.store.changes("carol", self.folder, before["carol"], False))
        self.assertEqual((theirs.changed.uids, theirs.highest_modseq), (b"", before["carol"]))
        await self.store.storeFlags("bob", self.folder, UidSet(((2, 2),)), _REMOVE, ("\\Seen",))
        (mine,) = await self.all(self.store.changes("bob", self.folder, mine.highest_modseq, False))
        self.assertEqual(flagsOf(mine.changed), {2: set()})

    async def test_ownSeenUnchangedSince(self) -> None:
        """
        A user's own changes count for him.
        """
        await self._sharedFolder()
        since = (await self.opened("bob", self.name)).status.highest_modseq
        await self.store.storeFlags("bob", self.folder, _ONE, _ADD, ("\\Seen",))
        mine = await self.store.storeFlags("bob", self.folder, _ONE, _REMOVE, ("\\Seen",), since)
        self.assertEqual(mine.unchanged_since_failed, _ONE)
        theirs = await self.store.storeFlags("carol", self.folder, _ONE, _ADD, ("\\Seen",), since)
        self.assertEqual(theirs.unchanged_since_failed, UidSet())

    async def test_ownSeenExpunged(self) -> None:
        """
        Everybody's counts follow when messages go.
        """
        await self._sharedFolder()
        await self.store.storeFlags("bob", self.folder, UidSet(((1, 3), (5, 5))), _ADD, ("\\Seen",))
        await self.store.storeFlags("carol", self.folder, EVERY, _ADD, ("\\Seen",))
        await self.store.storeFlags("alice", self.folder, UidSet(((3, 4),)), _ADD, ("\\Deleted",))
        await self.store.expunge("alice", self.folder, None)
        self.assertEqual(await self._seen("bob"), [1, 2, 5])
        self.assertEqual(await self._seen("carol"), [1, 2, 5, 6])
        await self.append("alice", self.name, mail(7))
        self.assertEqual(await self._seen("carol"), [1, 2, 5, 6])

    async def test_ownSeenNewMessage(self) -> None:
        """
        Who stores a message as seen has seen it, and nobody else; so with copies.
        """
        await self._sharedFolder()
        await self.append("alice", self.name, mail(7), flags=("\\Seen",))
        self.assertEqual(await self._seen("alice"), [7])
        self.assertEqual(await self._seen("bob"), [])
        await self.store.copy("alice", self.folder, UidSet(((6, 7),)), self.name)
        self.assertEqual(await self._seen("alice"), [7, 9])
        self.assertEqual(await self._seen("bob"), [])
        await self.store.copy("alice", self.folder, UidSet(((6, 7),)), "INBOX")
        inbox = await self.opened("alice", "INBOX")
        self.assertEqual(await self.flags("alice", inbox.folder), {1: set(), 2: {"\\Seen"}})
        self.assertEqual((await self.store.status("alice", "INBOX")).unseen, 1)

    async def test_ownSeenMany(self) -> None:
        """
        However many marks a user makes, in whatever order, they are all kept.
        """
        await self._sharedFolder()
        folder = (await self.filled("alice", self.name, 400)).folder
        expected: set[int] = set()
        highest = 0
        for start, step, mode in (
            (1, 2, _ADD),
            (300, 1, _ADD),
            (1, 7, _REMOVE),
            (2, 2, _ADD),
            (90, 11, _REMOVE),
        ):
            chosen = UidSet.of(range(start, 407, step))
            result = await self.store.storeFlags("bob", folder, chosen, mode, ("\\Seen",))
            expected = expected | set(chosen) if mode is _ADD else expected - set(chosen)
            modseqs = modseqsOf(result.changed)
            self.assertGreater(max(modseqs.values()), highest)
            highest = max(modseqs.values())
            flags = await self.flags("bob", folder)
            self.assertEqual({uid for uid, names in flags.items() if "\\Seen" in names}, expected)
            self.assertEqual((await self.store.status("bob", self.name)).unseen, 406 - len(expected))
        for uid in range(1, 407):
            if uid % 3 == 0:
                await self.store.storeFlags("bob", folder, UidSet(((uid, uid),)), _ADD, ("\\Seen",))
                expected.add(uid)
        (delta,) = (await self.all(self.store.changes("bob", folder, highest, False)))[:1]
        self.assertTrue(set(range(3, 407, 3)) & set(uint32s(delta.changed.uids)))
        flags = await self.flags("bob", folder)
        self.assertEqual({uid for uid, names in flags.items() if "\\Seen" in names}, expected)
        self.assertEqual(set().union(*(await self.flags("carol", folder)).values()), set())

    async def test_ownSeenPersonalIsShared(self) -> None:
        """
        In a user's own folder there is one C{\\Seen}, for those too with whom he shares it.
        """
        await self._sharedFolder()
        await self.append("bob", "INBOX", mail())
        await self.store.setRights("bob", "INBOX", "carol", "lrs")
        folder = (await self.opened("carol", "Other Users/bob/INBOX")).folder
        await self.store.storeFlags("carol", folder, _ONE, _ADD, ("\\Seen",))
        self.assertEqual(await self.flags("bob", folder), {1: {"\\Seen"}})
        self.assertEqual((await self.store.status("bob", "INBOX")).unseen, 0)
