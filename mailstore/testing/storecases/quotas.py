"""
Quotas, and annotations.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailstore.errors import (
    InvalidName,
    InvalidRequest,
    LimitReached,
    MessageTooBig,
    NoSuchFolder,
    NotSelectable,
    OverQuota,
    PermissionDenied,
)
from mailstore.model import MESSAGE, STORAGE, SYSTEM, Annotated, FlagMode, Metadata, UidSet, uint64s
from mailstore.testing.storecases.base import EVERY, StoreCase, mail

_ONE = UidSet(((1, 1),))


class QuotaTests(StoreCase):
    """
    C{quotaRoots}, C{quota} and C{setQuota}.
    """

    async def _used(self, root: str) -> tuple[int, int]:
        """
        KiB and messages that a root holds.
        """
        found = await self.store.quota("alice", root)
        self.assertEqual((found.root, [each[0] for each in found.resources]), (root, [STORAGE, MESSAGE]))
        return found.resources[0][1], found.resources[1][1]

    async def test_quotaRoots(self) -> None:
        """
        All folders of a user have one root, and all public ones another.
        """
        public = await self.public("P")
        await self.store.createFolder("alice", "Box")
        await self.store.setRights("alice", "Box", "bob", "lr")
        for user, name, root in (
            ("alice", "INBOX", "#user/alice"),
            ("alice", "Box", "#user/alice"),
            ("bob", "Other Users/alice/Box", "#user/alice"),
            ("bob", public, "#public"),
            ("bob", "Public Folders", "#public"),
        ):
            self.assertEqual(await self.store.quotaRoots(user, name), (root,))
            self.assertEqual((await self.store.quota(user, root)).root, root)
        await self.refused(NoSuchFolder, self.store.quotaRoots("alice", "none"))
        for user, root in (
            ("alice", "#user/bob"),
            ("alice", "#user/none"),
            ("alice", "#user/"),
            ("alice", "#user/#system"),
            ("alice", ""),
            ("nobody", "#public"),
        ):
            await self.refused(NoSuchFolder, self.store.quota(user, root))

    async def test_quotaUsed(self) -> None:
        """
        What is used follows everything that brings or removes messages.
        """
        public = await self.public("P")
        big = mail(body="x" * 1000 + "\r\n")
        kib = -(-3 * len(big) // 1024)
        await self.append("alice", "INBOX", big, big, big)
        self.assertEqual(await self._used("#user/alice"), (kib, 3))
        self.assertEqual(await self._used("#public"), (0, 0))
        inbox = (await self.opened("alice", "INBOX")).folder
        await self.store.copy("alice", inbox, _ONE, public)
        self.assertEqual((await self._used("#user/alice"), (await self._used("#public"))[1]), ((kib, 3), 1))
        await self.store.move("alice", inbox, UidSet(((2, 3),)), public)
        self.assertEqual((await self._used("#user/alice"))[1], 1)
        self.assertEqual(await self._used("#public"), (kib, 3))
        await self.store.renameFolder("alice", "INBOX", "Old")
        self.assertEqual((await self._used("#user/alice"))[1], 1)
        await self.store.deleteFolder("alice", "Old")
        self.assertEqual(await self._used("#user/alice"), (0, 0))
        folder = (await self.opened("alice", public)).folder
        await self.store.storeFlags("alice", folder, _ONE, FlagMode.ADD, ("\\Deleted",))
        await self.store.expunge("alice", folder, None)
        self.assertEqual((await self._used("#public"))[1], 2)

    async def test_quotaMessages(self) -> None:
        """
        As many messages as there may be fit, and no more, by whatever way; moving within is always possible.
        """
        await self.admin.setQuota(SYSTEM, "#user/alice", ((MESSAGE, 3),))
        await self.store.createFolder("alice", "Box")
        await self.append("alice", "INBOX", mail(1), mail(2))
        await self.refused(OverQuota, self.append("alice", "INBOX", mail(3), mail(4)))
        await self.append("alice", "INBOX", mail(3))
        folder = (await self.opened("alice", "INBOX")).folder
        await self.refused(OverQuota, self.append("alice", "INBOX", mail(4)))
        await self.refused(OverQuota, self.store.copy("alice", folder, _ONE, "Box"))
        public = await self.public("P")
        await self.append("alice", public, mail(5))
        there = (await self.opened("alice", public)).folder
        await self.refused(OverQuota, self.store.move("alice", there, EVERY, "INBOX"))
        self.assertEqual((await self.store.status("alice", public)).messages, 1)
        await self.store.move("alice", folder, EVERY, "Box")
        self.assertEqual((await self.store.status("alice", "Box")).messages, 3)
        self.assertEqual((await self._used("#user/alice"))[1], 3)

    async def test_quotaStorage(self) -> None:
        """
        As many KiB as there may be fit, and no byte more.
        """
        await self.admin.setQuota(SYSTEM, "#user/bob", ((STORAGE, 2),))
        head = mail(body="")
        await self.append("bob", "INBOX", head + b"x" * (1024 - len(head)))
        await self.refused(OverQuota, self.append("bob", "INBOX", head + b"y" * (1025 - len(head))))
        await self.refused(OverQuota, self.store.upload("bob", "INBOX", 1025))
        await self.append("bob", "INBOX", head + b"y" * (1024 - len(head)))
        await self.refused(OverQuota, self.append("bob", "INBOX", b"\r\n"))

    async def test_quotaSet(self) -> None:
        """
        Limits take the place of those before; one can be below what is used.
        """
        await self.append("bob", "INBOX", mail(1), mail(2))
        found = await self.store.setQuota("alice", "#public", (("storage", 10), (MESSAGE, 0)))
        self.assertEqual(found.resources, ((STORAGE, 0, 10), (MESSAGE, 0, 0)))
        self.assertEqual(await self.store.quota("bob", "#public"), found)
        await self.refused(OverQuota, self.append("alice", await self.public("P"), mail()))
        found = await self.store.setQuota("alice", "#public", ())
        self.assertEqual([each[2] for each in found.resources], [None, None])
        found = await self.admin.setQuota(SYSTEM, "#user/bob", ((MESSAGE, 1),))
        self.assertEqual(found.resources[1], (MESSAGE, 2, 1))
        folder = (await self.opened("bob", "INBOX")).folder
        await self.store.storeFlags("bob", folder, EVERY, FlagMode.ADD, ("\\Deleted",))
        await self.store.expunge("bob", folder, _ONE)
        await self.refused(OverQuota, self.append("bob", "INBOX", mail(3)))

    async def test_quotaSetRefused(self) -> None:
        """
        Only who administrates the public folders sets limits, and only such that make sense.
        """
        set_quota = self.store.setQuota
        await self.refused(PermissionDenied, set_quota("bob", "#public", ()))
        await self.refused(PermissionDenied, set_quota("bob", "#user/bob", ()))
        await self.refused(NoSuchFolder, set_quota("alice", "#user/none", ()))
        for limits in (
            (("MAILBOX", 1),),
            ((STORAGE, -1),),
            ((STORAGE, 1 << 62),),
            ((STORAGE, 1), (STORAGE, 2)),
        ):
            await self.refused(InvalidRequest, set_quota("alice", "#public", limits))


class MetadataTests(StoreCase):
    """
    C{metadata} and C{setMetadata}.
    """

    async def _metadata(
        self, user: str, name: str, *entries: str, depth: int | None = None, max_size: int | None = None
    ) -> Metadata:
        return await self.store.metadata(user, name, entries, depth, max_size)

    async def test_metadataOwn(self) -> None:
        """
        Private ones are each user's own, shared ones are for all; names match in any case.
        """
        name = await self.public("P")
        await self.store.setMetadata(
            "alice", name, {"/Private/Comment": b"alice's", "/shared/comment": b"for all"}
        )
        await self.store.setMetadata("bob", name, {"/private/comment": b"bob's \0\xff"})
        for user, own in (("alice", b"alice's"), ("bob", b"bob's \0\xff")):
            found = await self._metadata(user, name, "/PRIVATE/comment", "/shared/comment", "/shared/none")
            self.assertEqual(found, Metadata((("/private/comment", own), ("/shared/comment", b"for all"))))
        self.assertEqual((await self._metadata("carol", name, "/private")).entries, ())
        await self.store.setMetadata("bob", name, {"/private/comment": None, "/private/none": None})
        self.assertEqual((await self._metadata("bob", name, "/private")).entries, ())
        self.assertEqual(len((await self._metadata("alice", name, "/private")).entries), 1)

    async def test_metadataDepth(self) -> None:
        """
        What is below a name comes too, as many levels as asked for.
        """
        values = {f"/private/{path}": path.encode() for path in ("a", "a/b", "a/b/c", "ab", "z")}
        await self.store.setMetadata("alice", "INBOX", dict(values))
        for entry, depth, paths in (
            ("/private/a", 0, ["a"]),
            ("/private/a", 1, ["a", "a/b"]),
            ("/private/a", None, ["a", "a/b", "a/b/c"]),
            ("/private", 1, ["a", "ab", "z"]),
            ("/private", 0, []),
            ("/private", None, ["a", "a/b", "a/b/c", "ab", "z"]),
        ):
            found = await self._metadata("alice", "INBOX", entry, depth=depth)
            self.assertEqual([value.decode() for _, value in found.entries], paths, (entry, depth))

    async def test_metadataMaxSize(self) -> None:
        """
        Values that are longer than wanted are left out, and the longest of them is told.
        """
        await self.store.setMetadata(
            "alice", "INBOX", {"/private/a": b"1", "/private/b": b"12345", "/private/c": b"123"}
        )
        for size, names, longest in ((0, 0, 5), (3, 2, 5), (4, 2, 5), (5, 3, 0), (None, 3, 0)):
            found = await self._metadata("alice", "INBOX", "/private", max_size=size)
            self.assertEqual((len(found.entries), found.longest), (names, longest))

    async def test_metadataServer(self) -> None:
        """
        The server has some too; shared ones only who administrates the public folders sets.
        """
        await self.store.setMetadata("alice", "", {"/shared/admin": b"mailto:alice"})
        await self.store.setMetadata("bob", "", {"/private/note": b"mine"})
        found = await self._metadata("bob", "", "/shared/admin", "/private")
        self.assertEqual(found.entries, (("/private/note", b"mine"), ("/shared/admin", b"mailto:alice")))
        await self.refused(PermissionDenied, self.store.setMetadata("bob", "", {"/shared/admin": None}))
        await self.refused(PermissionDenied, self.store.setMetadata("nobody", "", {"/private/x": b""}))

    async def test_metadataRights(self) -> None:
        """
        It needs C{l} and one of C{rswip}, and to change what is shared C{w}.
        """
        name = await self.public("P")
        change = {"/shared/x": b"1", "/private/x": b"2"}
        await self.refused(PermissionDenied, self.store.setMetadata("bob", name, dict(change)))
        self.assertEqual((await self._metadata("bob", name, "/shared", "/private")).entries, ())
        await self.store.setRights("alice", name, "authenticated", "l")
        await self.refused(PermissionDenied, self._metadata("bob", name, "/shared"))
        await self.refused(PermissionDenied, self.store.setMetadata("bob", name, {"/private/x": b""}))
        await self.store.setRights("alice", name, "bob", "lp")
        await self.store.setMetadata("bob", name, {"/private/x": b""})
        await self.store.setRights("alice", name, "bob", "lw")
        await self.store.setMetadata("bob", name, dict(change))
        await self.store.setRights("alice", name, "authenticated", "")
        await self.refused(NoSuchFolder, self._metadata("carol", name, "/shared"))
        await self.refused(NoSuchFolder, self.store.setMetadata("carol", name, {"/private/x": b""}))
        await self.refused(NotSelectable, self._metadata("alice", "Public Folders", "/shared"))

    async def _annotations(self, user: str, folders: Iterable[int], *entries: str) -> list[Annotated]:
        asked = self.store.annotations(user, uint64s(folders).tobytes(), entries)
        return [each for batch in await self.all(asked) for each in batch]

    async def test_annotationsOfMany(self) -> None:
        """
        Those of many folders come in the order asked for, each folder once, and what is not set is
        left out of them; private ones are each user's own.
        """
        first, second, third = [await self.store.createFolder("alice", name) for name in ("a", "b", "c")]
        await self.store.setMetadata("alice", "a", {"/shared/x": b"1", "/private/x": b"", "/shared/y": b"2"})
        await self.store.setMetadata("alice", "c", {"/private/x": b"\0\xff"})
        found = await self._annotations("alice", (third, first, second, third), "/PRIVATE/x", "/shared/X")
        self.assertEqual(
            found,
            [
                Annotated(third, (("/private/x", b"\0\xff"),)),
                Annotated(first, (("/private/x", b""), ("/shared/x", b"1"))),
                Annotated(second, ()),
            ],
        )
        self.assertEqual(await self._annotations("alice", (second,)), [Annotated(second, ())])
        self.assertEqual(await self._annotations("alice", (), "/shared/x"), [])

    async def test_annotationsLeftOut(self) -> None:
        """
        Folders are left out of which the user may know nothing, that are gone or cannot be selected.
        """
        name = await self.public("P/Q")
        folder = (await self.store.status("alice", name)).folder
        await self.store.setMetadata("alice", name, {"/shared/x": b"1", "/private/x": b"2"})
        unknown = (0, 999_999, (1 << 64) - 1, 1 << 62)
        for rights, seen in (("", False), ("l", False), ("r", False), ("lp", True), ("lr", True)):
            await self.store.setRights("alice", name, "authenticated", rights)
            found = await self._annotations("bob", (*unknown, folder), "/shared/x", "/private/x")
            self.assertEqual(found, [Annotated(folder, (("/shared/x", b"1"),))] if seen else [], rights)
        every = await self._annotations("alice", range(1, 30), "/shared/x")
        self.assertIn(Annotated(folder, (("/shared/x", b"1"),)), every)
        self.assertEqual(await self._annotations("nobody", range(1, 30), "/shared/x"), [])

    async def test_annotationsBatches(self) -> None:
        """
        Many values come in more than one batch, and nothing gets lost between two.
        """
        ids = [await self.store.createFolder("alice", f"Many/{each:02}") for each in range(40)]
        value = b"x" * self.limits.max_annotation
        entries = tuple(f"/shared/{each}" for each in range(self.limits.max_annotations))
        for each in range(0, 40, 2):
            await self.store.setMetadata("alice", f"Many/{each:02}", dict.fromkeys(entries, value))
        batches = await self.all(self.store.annotations("alice", uint64s(ids).tobytes(), entries))
        self.assertGreater(len(batches), 1)
        for batch in batches:
            size = sum(len(text) for each in batch for _, text in each.entries)
            self.assertLessEqual(size, self.limits.batch_bytes)
        found = [each for batch in batches for each in batch]
        self.assertEqual([each.folder for each in found], ids)
        self.assertEqual([len(each.entries) for each in found], [len(entries), 0] * 20)

    async def test_annotationsInvalid(self) -> None:
        """
        What is no column of identities, and names that no annotation can have, are refused.
        """
        await self.refusedAnswer(InvalidRequest, self.store.annotations("alice", b"123", ("/shared/x",)))
        await self.refusedAnswer(InvalidName, self.store.annotations("alice", b"\1" + bytes(7), ("/x",)))

    async def test_metadataNames(self) -> None:
        """
        Names that no annotation can have are refused.
        """
        for name in (
            "",
            "/",
            "comment",
            "/public/x",
            "/private/",
            "/private//x",
            "/private/*",
            "/shared/a%",
            "/shared/é",
            "/shared/" + "x" * 2000,
        ):
            await self.refused(InvalidName, self.store.setMetadata("alice", "INBOX", {name: b""}))
            await self.refused(InvalidName, self._metadata("alice", "INBOX", name))
        await self.refused(InvalidName, self.store.setMetadata("alice", "INBOX", {"/private": b""}))

    async def test_metadataBounds(self) -> None:
        """
        There can be so many, each of so many bytes; all changes are made or none.
        """
        most, longest = self.limits.max_annotations, self.limits.max_annotation
        await self.store.setMetadata("alice", "INBOX", {"/private/x": b"x" * longest})
        await self.refused(
            MessageTooBig,
            self.store.setMetadata("alice", "INBOX", {"/private/a": b"", "/private/x": b"x" * (longest + 1)}),
        )
        many: dict[str, bytes | None] = {f"/private/{number}": b"" for number in range(most - 1)}
        await self.store.setMetadata("alice", "INBOX", many)
        one_more: dict[str, bytes | None] = {"/private/one-more": b"", "/private/x": b"new"}
        await self.refused(LimitReached, self.store.setMetadata("alice", "INBOX", one_more))
        self.assertEqual(len((await self._metadata("alice", "INBOX", "/private/x")).entries[0][1]), longest)
        await self.store.setMetadata("alice", "INBOX", {"/shared/x": b""})

    async def test_metadataFolder(self) -> None:
        """
        They stay when a folder is renamed, and go with it.
        """
        await self.store.createFolder("alice", "Box")
        await self.store.setMetadata("alice", "Box", {"/private/x": b"1"})
        await self.store.renameFolder("alice", "Box", "New")
        self.assertEqual(len((await self._metadata("alice", "New", "/private")).entries), 1)
        await self.store.deleteFolder("alice", "New")
        await self.store.createFolder("alice", "New")
        self.assertEqual((await self._metadata("alice", "New", "/private")).entries, ())
        await self.refused(NoSuchFolder, self._metadata("alice", "Box", "/private"))
