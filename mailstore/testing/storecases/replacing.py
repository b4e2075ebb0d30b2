"""
A new message in the place of an old one.
"""

from __future__ import annotations

from mailstore.errors import LimitReached, NoSuchFolder, OverQuota, PermissionDenied
from mailstore.model import MAX_KEYWORDS, MESSAGE, SYSTEM, NewMessage
from mailstore.testing.storecases.base import StoreCase, mail


class ReplaceTests(StoreCase):
    """
    C{append} with C{replaces}.
    """

    async def _uids(self, name: str, user: str = "alice") -> list[int]:
        """
        The UIDs in a folder.
        """
        return list((await self.opened(user, name)).uids)

    async def test_replace(self) -> None:
        """
        The old message goes and the new one comes, in one change of the folder, whatever their flags are.
        """
        await self.append("alice", "INBOX", mail(1), mail(2))
        before = await self.opened("alice", "INBOX")
        new = (NewMessage(mail(3), ("\\Draft",)),)
        result = await self.store.append("alice", "INBOX", new, (before.folder, 1))
        self.assertEqual((result.uids, result.uid_validity), ((3,), before.status.uid_validity))
        after = await self.opened("alice", "INBOX")
        self.assertEqual((list(after.uids), after.status.messages), ([2, 3], 2))
        self.assertEqual(await self.content("alice", after.folder, 3), mail(3))
        deltas = await self.all(
            self.store.changes("alice", after.folder, before.status.highest_modseq, False)
        )
        self.assertEqual([uid for each in deltas for uid in each.vanished], [1])

    async def test_replaceBySame(self) -> None:
        """
        A message can be replaced by one with the same bytes.
        """
        await self.append("alice", "INBOX", mail(1))
        folder = (await self.opened("alice", "INBOX")).folder
        await self.store.append("alice", "INBOX", (NewMessage(mail(1)),), (folder, 1))
        self.assertEqual(await self._uids("INBOX"), [2])
        self.assertEqual(await self.content("alice", folder, 2), mail(1))

    async def test_replaceElsewhere(self) -> None:
        """
        The new message may go into another folder, by an upload as well.
        """
        await self.append("alice", "INBOX", mail(1), mail(2))
        await self.store.createFolder("alice", "Sent")
        folder = (await self.opened("alice", "INBOX")).folder
        upload = await self.store.upload("alice", "Sent", len(mail(3)))
        await upload.write(mail(3))
        result = await self.store.append("alice", "Sent", (NewMessage(upload.token),), (folder, 2))
        self.assertEqual(result.uids, (1,))
        self.assertEqual((await self._uids("INBOX"), await self._uids("Sent")), ([1], [1]))

    async def test_replaceNothing(self) -> None:
        """
        If the old message is not there, nothing is stored, and there are no UIDs.
        """
        await self.append("alice", "INBOX", mail(1))
        folder = (await self.opened("alice", "INBOX")).folder
        result = await self.store.append("alice", "INBOX", (NewMessage(mail(2)),), (folder, 9))
        self.assertEqual(result.uids, ())
        self.assertEqual(await self._uids("INBOX"), [1])
        await self.refused(
            NoSuchFolder, self.store.append("alice", "INBOX", (NewMessage(mail(2)),), (999_999, 1))
        )

    async def test_replaceAllOrNone(self) -> None:
        """
        If the new message cannot be stored, the old one stays.
        """
        await self.append("alice", "INBOX", mail(1))
        folder = (await self.opened("alice", "INBOX")).folder
        new = NewMessage(mail(2), tuple(f"k{number}" for number in range(MAX_KEYWORDS + 1)))
        await self.refused(LimitReached, self.store.append("alice", "INBOX", (new,), (folder, 1)))
        self.assertEqual(await self._uids("INBOX"), [1])

    async def test_replaceRights(self) -> None:
        """
        It takes the rights C{t} and C{e} where the old message is and C{i} where the new one goes (RFC 8508
        section 4.1).
        """
        source, target = await self.public("Source"), await self.public("Target")
        await self.append("alice", source, mail(1))
        folder = (await self.opened("alice", source)).folder
        new = (NewMessage(mail(2)),)
        for here, there in (("lrte", "lr"), ("lrt", "lri"), ("lre", "lri"), ("lr", "lri")):
            await self.store.setRights("alice", source, "bob", here)
            await self.store.setRights("alice", target, "bob", there)
            await self.refused(PermissionDenied, self.store.append("bob", target, new, (folder, 1)))
        self.assertEqual((await self._uids(source), await self._uids(target)), ([1], []))
        await self.store.setRights("alice", source, "bob", "lrte")
        await self.store.append("bob", target, new, (folder, 1))
        self.assertEqual((await self._uids(source), await self._uids(target)), ([], [1]))

    async def test_replaceQuota(self) -> None:
        """
        Only what is more than before needs room (RFC 8508 section 3.4).
        """
        await self.append("alice", "INBOX", mail(1))
        folder = (await self.opened("alice", "INBOX")).folder
        await self.admin.setQuota(SYSTEM, "#user/alice", ((MESSAGE, 1),))
        await self.refused(OverQuota, self.store.append("alice", "INBOX", (NewMessage(mail(2)),)))
        await self.store.append("alice", "INBOX", (NewMessage(mail(2)),), (folder, 1))
        self.assertEqual(await self._uids("INBOX"), [2])
