"""
Folders: listing, creating, deleting, renaming, subscribing.
"""

from __future__ import annotations

from mailstore.errors import (
    FolderExists,
    FolderInUse,
    InvalidName,
    LimitReached,
    NoSuchFolder,
    NotSelectable,
    PermissionDenied,
    StaleListing,
)
from mailstore.model import HIERARCHY, FlagMode, TreeVersion, UidSet, uint64s
from mailstore.testing.storecases.base import Recorder, StoreCase, mail


class ListingTests(StoreCase):
    """
    Trees and their enumeration.
    """

    async def test_listColumns(self) -> None:
        """
        An enumeration tells of each folder its name, identity, special use, and whether it can be opened.
        """
        ident = await self.store.createFolder("alice", "Sent", "\\Sent")
        personal, others, public = await self.store.trees("alice")
        self.assertEqual([each.tree for each in (personal, others, public)], ["personal", "others", "public"])
        (batch,) = await self.all(self.store.folders("alice", personal))
        self.assertEqual(batch.names, ("INBOX", "Sent"))
        inbox = await self.opened("alice", "INBOX")
        self.assertEqual(list(uint64s(batch.ids)), [inbox.folder, ident])
        self.assertEqual(batch.special_uses, ("", "\\Sent"))
        self.assertEqual(batch.selectable, b"\1\1")
        (batch,) = await self.all(self.store.folders("alice", public))
        self.assertEqual(
            (batch.names, list(uint64s(batch.ids)), batch.selectable), (("Public Folders",), [0], b"\0")
        )
        self.assertEqual(await self.all(self.store.folders("alice", others)), [])

    async def test_listOrder(self) -> None:
        """
        Folders come in the order of their names' code points.
        """
        for name in ("b", "a/x", "a-", "a.b", "é", "Z", "\U0001f600", "\uff21"):
            await self.store.createFolder("alice", name)
        names = [each for each in await self.names("alice") if not each.startswith("Public")]
        self.assertEqual(names, ["INBOX", "Z", "a", "a-", "a.b", "a/x", "b", "é", "\uff21", "\U0001f600"])

    async def test_listBatches(self) -> None:
        """
        A long list comes in several batches, none larger than its bound.
        """
        long_name = "x" * 200
        for number in range(40):
            await self.public(f"{long_name}{number:02}")
        tree = (await self.store.trees("bob"))[2]
        batches = await self.all(self.store.folders("bob", tree))
        self.assertGreater(len(batches), 1)
        for batch in batches:
            self.assertLessEqual(sum(map(len, batch.names)), self.limits.batch_bytes)
            self.assertEqual(len(batch.ids), 8 * len(batch.names))
        self.assertEqual(sum(len(batch.names) for batch in batches), 41)

    async def test_listSharedVersion(self) -> None:
        """
        Users who see the same folders get equal versions of the tree, and others do not.
        """
        secret = await self.public("Secret")
        self.assertEqual((await self.store.trees("bob"))[2], (await self.store.trees("carol"))[2])
        await self.store.setRights("alice", secret, "authenticated", "")
        await self.store.setRights("alice", secret, "carol", "lr")
        bob, carol = (await self.store.trees("bob"))[2], (await self.store.trees("carol"))[2]
        self.assertNotEqual(bob, carol)
        self.assertNotIn(secret, await self.names("bob"))
        self.assertIn(secret, await self.names("carol"))
        self.assertNotEqual((await self.store.trees("bob"))[0], (await self.store.trees("carol"))[0])

    async def test_listVersionChanges(self) -> None:
        """
        A version changes with the folders of its tree and with what of it is
        visible, and with nothing else.
        """
        before = await self.store.trees("bob")
        await self.append("bob", "INBOX", mail())
        await self.store.createFolder("alice", "Mine")
        self.assertEqual(await self.store.trees("bob"), before)
        await self.public("New")
        created = await self.store.trees("bob")
        self.assertEqual([a == b for a, b in zip(before, created, strict=True)], [True, True, False])
        await self.store.renameFolder("alice", "Public Folders/New", "Public Folders/Newer")
        renamed = await self.store.trees("bob")
        self.assertNotEqual(renamed[2], created[2])
        await self.store.setRights("alice", "Public Folders/Newer", "authenticated", "")
        hidden = await self.store.trees("bob")
        self.assertNotEqual(hidden[2], renamed[2])
        await self.store.deleteFolder("alice", "Public Folders/Newer")
        self.assertNotEqual((await self.store.trees("alice"))[2], hidden[2])

    async def test_foldersAreTold(self) -> None:
        """
        Observers are told, of no folder, when folders are made, renamed, deleted or shown to others; and when
        somebody subscribes, of that user.
        """
        for change, user in (
            (lambda: self.store.createFolder("alice", "Made"), ""),
            (lambda: self.store.renameFolder("alice", "Made", "Renamed"), ""),
            (lambda: self.store.setRights("alice", "Renamed", "bob", "l"), ""),
            (lambda: self.store.subscribe("alice", "Renamed"), "alice"),
            (lambda: self.store.unsubscribe("alice", "Renamed"), "alice"),
            (lambda: self.store.deleteFolder("alice", "Renamed"), ""),
        ):
            observer = Recorder()
            self.store.observe(observer)
            await change()
            await observer.wait(HIERARCHY, user)
            self.store.unobserve(observer)

    async def test_listStale(self) -> None:
        """
        A version that is no longer the user's is refused, as is one of somebody else or of no tree.
        """
        tree = (await self.store.trees("bob"))[2]
        await self.public("New")
        await self.refusedAnswer(StaleListing, self.store.folders("bob", tree))
        others = (await self.store.trees("alice"))[0]
        await self.refusedAnswer(StaleListing, self.store.folders("bob", others))
        await self.refusedAnswer(StaleListing, self.store.folders("bob", TreeVersion("moon", "1")))

    async def test_listLeftEarly(self) -> None:
        """
        An enumeration can be left after any batch.
        """
        for number in range(30):
            await self.public("y" * 200 + str(number))
        answer = self.store.folders("bob", (await self.store.trees("bob"))[2])
        await answer.__anext__()
        await answer.aclose()
        self.assertEqual(len(await self.names("bob")), 32)

    async def test_listOthers(self) -> None:
        """
        What somebody shares is listed below his name, for who may look it up,
        with nodes for what lies above.
        """
        await self.store.createFolder("bob", "Projects/Moon")
        await self.store.setRights("bob", "Projects/Moon", "carol", "lr")
        tree = (await self.store.trees("carol"))[1]
        (batch,) = await self.all(self.store.folders("carol", tree))
        self.assertEqual(
            batch.names,
            ("Other Users", "Other Users/bob", "Other Users/bob/Projects", "Other Users/bob/Projects/Moon"),
        )
        self.assertEqual(batch.selectable, b"\0\0\0\1")
        self.assertEqual([bool(each) for each in uint64s(batch.ids)], [False, False, False, True])
        self.assertFalse([each for each in await self.names("alice") if each.startswith("Other")])
        self.assertFalse([each for each in await self.names("bob") if each.startswith("Other")])
        self.assertEqual((await self.opened("carol", "Other Users/bob/Projects/Moon")).rights, "lr")


class CreateTests(StoreCase):
    """
    C{createFolder}.
    """

    async def test_createWithParents(self) -> None:
        """
        The parents that a folder lacks are made too, with the rights of what they lie in.
        """
        await self.store.createFolder("alice", "Public Folders/A/B/C")
        self.assertEqual(
            await self.names("bob"),
            ["INBOX", "Public Folders", "Public Folders/A", "Public Folders/A/B", "Public Folders/A/B/C"],
        )
        for name in ("A", "A/B", "A/B/C"):
            self.assertEqual(await self.store.rights("bob", f"Public Folders/{name}"), "lrs")
            await self.store.openFolder("bob", f"Public Folders/{name}", False)

    async def test_createInheritsRights(self) -> None:
        """
        A folder gets a copy of its parent's rights, which then goes its own way.
        """
        parent = await self.public("P")
        await self.store.setRights("alice", parent, "carol", "lri")
        child = await self.public("P/child")
        self.assertEqual(await self.store.rights("carol", child), "lrsi")
        await self.store.setRights("alice", parent, "carol", "")
        self.assertEqual(await self.store.rights("carol", child), "lrsi")

    async def test_createExists(self) -> None:
        """
        There cannot be two folders of one name.
        """
        await self.store.createFolder("alice", "Twice")
        for name in ("Twice", "inbox", "INBOX", "Public Folders"):
            await self.refused(FolderExists, self.store.createFolder("alice", name))

    async def test_createNormalized(self) -> None:
        """
        Two spellings of the same characters are one name.
        """
        await self.store.createFolder("alice", "Caf\u00e9")
        await self.refused(FolderExists, self.store.createFolder("alice", "Cafe\u0301"))
        await self.opened("alice", "Cafe\u0301")

    async def test_createInvalid(self) -> None:
        """
        What cannot be a name is refused.
        """
        for name in (
            "",
            "a//b",
            "/a",
            "a/",
            "..",
            "a\0b",
            "x" * 256,
            "/".join("a" * 40),
            "a/" * 20 + "y" * 999,
        ):
            await self.refused(InvalidName, self.store.createFolder("alice", name))

    async def test_createLongest(self) -> None:
        """
        A name may have 32 parts, a part 255 bytes and a whole name 1,000, and not one more of either,
        as UTF-8 and with what the namespace puts before it.
        """
        deepest = "/".join("d" * 32)
        longest = "/".join(("\u00e9" * 127, "x" * 255, "y" * 255, "z" * 233))
        self.assertEqual(len(longest.encode()), 1000)
        public = "Public Folders/" + longest[: -len("Public Folders/")]
        for name, more in (
            (deepest, deepest + "/d"),
            ("x" * 255, "x" * 256),
            ("\u00e9" * 127, "\u00e9" * 128),
            (longest, longest + "z"),
            (public, public + "z"),
        ):
            await self.refused(InvalidName, self.admin.createFolder("alice", more))
            await self.store.createFolder("alice", name)
            self.assertEqual((await self.opened("alice", name)).name, name)
            self.assertIn(name, await self.names("alice"))
            await self.store.deleteFolder("alice", name)

    async def test_createRights(self) -> None:
        """
        It needs C{k} on the parent; who may not look it up is told there is none.
        """
        parent = await self.public("P")
        await self.refused(PermissionDenied, self.store.createFolder("bob", f"{parent}/x"))
        await self.refused(PermissionDenied, self.store.createFolder("bob", "Public Folders/x"))
        await self.store.setRights("alice", parent, "bob", "lk")
        await self.store.createFolder("bob", f"{parent}/x")
        await self.store.setRights("alice", parent, "bob", "")
        await self.store.setRights("alice", parent, "authenticated", "")
        await self.refused(NoSuchFolder, self.store.createFolder("bob", f"{parent}/y"))
        await self.refused(NoSuchFolder, self.store.createFolder("bob", "Other Users/alice/y"))
        await self.refused(NoSuchFolder, self.store.createFolder("bob", "Other Users/nobody/y"))

    async def test_createLimit(self) -> None:
        """
        There can be so many folders, and a refused one leaves nothing behind.
        """
        for number in range(self.limits.max_folders - 1):
            await self.store.createFolder("alice", f"f{number}")
        await self.refused(LimitReached, self.store.createFolder("alice", "many/too/many"))
        self.assertNotIn("many", await self.names("alice"))
        await self.store.deleteFolder("alice", "f0")
        await self.store.createFolder("alice", "room")

    async def test_createSpecialUse(self) -> None:
        """
        A special use that there is not is refused.
        """
        await self.refused(InvalidName, self.store.createFolder("alice", "x", "\\Nonsense"))


class DeleteTests(StoreCase):
    """
    C{deleteFolder}.
    """

    async def test_deleted(self) -> None:
        """
        A folder that was deleted is gone, for those too who had it open.
        """
        await self.store.createFolder("alice", "Gone")
        await self.append("alice", "Gone", mail())
        gone = await self.opened("alice", "Gone")
        await self.store.deleteFolder("alice", "Gone")
        self.assertNotIn("Gone", await self.names("alice"))
        await self.refused(NoSuchFolder, self.store.openFolder("alice", "Gone", False))
        await self.refusedAnswer(NoSuchFolder, self.store.changes("alice", gone.folder, 0, False))
        await self.refused(
            NoSuchFolder, self.store.storeFlags("alice", gone.folder, UidSet(((1, 1),)), FlagMode.ADD, ())
        )

    async def test_deleteUidValidityGrows(self) -> None:
        """
        A folder made again has a greater UIDVALIDITY and another identity.
        """
        last = (0, 0)
        for _ in range(3):
            await self.store.createFolder("alice", "Again")
            opened = await self.opened("alice", "Again")
            now = (opened.status.uid_validity, opened.folder)
            self.assertTrue(now[0] > last[0] and now[1] > last[1])
            self.assertLessEqual(now[0], 0xFFFFFFFF)
            await self.store.deleteFolder("alice", "Again")
            last = now

    async def test_deleteWithChildren(self) -> None:
        """
        When it has children the name stays as a node that cannot be opened, and
        can be made a folder again; it goes with the last child.
        """
        await self.store.createFolder("alice", "A/B")
        await self.append("alice", "A", mail())
        await self.store.deleteFolder("alice", "A")
        (batch,) = await self.all(self.store.folders("alice", (await self.store.trees("alice"))[0]))
        self.assertEqual((batch.names, batch.selectable), (("A", "A/B", "INBOX"), b"\0\1\1"))
        self.assertEqual(uint64s(batch.ids)[0], 0)
        await self.refused(NotSelectable, self.store.openFolder("alice", "A", False))
        await self.refused(NotSelectable, self.store.status("alice", "A"))
        await self.refused(NotSelectable, self.store.append("alice", "A", ()))
        await self.refused(FolderInUse, self.store.deleteFolder("alice", "A"))
        await self.store.createFolder("alice", "A")
        self.assertEqual((await self.opened("alice", "A")).status.messages, 0)
        await self.store.deleteFolder("alice", "A")
        await self.store.deleteFolder("alice", "A/B")
        self.assertEqual(await self.names("alice"), ["INBOX", "Public Folders"])

    async def test_deleteAlways(self) -> None:
        """
        INBOX and the roots cannot be deleted.
        """
        for name in ("INBOX", "Inbox", "Public Folders", "Other Users"):
            await self.refused(FolderInUse, self.store.deleteFolder("alice", name))

    async def test_deleteRights(self) -> None:
        """
        It needs C{x}.
        """
        name = await self.public("P")
        await self.refused(PermissionDenied, self.store.deleteFolder("bob", name))
        await self.refused(NoSuchFolder, self.store.deleteFolder("bob", "Public Folders/none"))
        await self.refused(NoSuchFolder, self.store.deleteFolder("bob", "Other Users/alice/INBOX"))
        await self.store.setRights("alice", name, "bob", "lx")
        await self.store.deleteFolder("bob", name)


class RenameTests(StoreCase):
    """
    C{renameFolder}.
    """

    async def test_renameSubtree(self) -> None:
        """
        Everything below moves along, with identities and messages, and parents are made.
        """
        await self.store.createFolder("alice", "A/B/C")
        await self.store.createFolder("alice", "AB")
        await self.append("alice", "A/B/C", mail())
        before = await self.opened("alice", "A/B/C")
        await self.store.renameFolder("alice", "A", "X/Y")
        self.assertEqual(
            await self.names("alice"), ["AB", "INBOX", "X", "X/Y", "X/Y/B", "X/Y/B/C", "Public Folders"]
        )
        after = await self.opened("alice", "X/Y/B/C")
        self.assertEqual((after.folder, after.uids), (before.folder, before.uids))
        self.assertEqual(after.status.uid_validity, before.status.uid_validity)

    async def test_renameIntoChildless(self) -> None:
        """
        A node that loses its last child by a renaming goes.
        """
        await self.store.createFolder("alice", "A/B")
        await self.store.deleteFolder("alice", "A")
        await self.store.renameFolder("alice", "A/B", "C")
        self.assertEqual(await self.names("alice"), ["C", "INBOX", "Public Folders"])

    async def test_renameNode(self) -> None:
        """
        A node is renamed with what is below it.
        """
        await self.store.createFolder("alice", "A/B")
        await self.store.deleteFolder("alice", "A")
        await self.store.renameFolder("alice", "A", "C")
        self.assertEqual(await self.names("alice"), ["C", "C/B", "INBOX", "Public Folders"])

    async def test_renameInbox(self) -> None:
        """
        Renaming INBOX moves its messages into a new folder, with their flags and
        dates, and leaves INBOX empty and its children where they are.
        """
        await self.store.createFolder("alice", "INBOX/child")
        await self.append("alice", "INBOX", mail(1), flags=("\\Seen", "work"))
        await self.append("alice", "INBOX", mail(2))
        await self.store.renameFolder("alice", "INBOX", "Old/Mail")
        inbox, old = await self.opened("alice", "INBOX"), await self.opened("alice", "Old/Mail")
        self.assertEqual((inbox.status.messages, inbox.uids), (0, UidSet()))
        self.assertGreaterEqual(inbox.status.uid_next, 3)
        self.assertEqual((old.status.messages, old.status.unseen), (2, 1))
        self.assertEqual(await self.flags("alice", old.folder), {1: {"\\Seen", "work"}, 2: set()})
        self.assertEqual(await self.content("alice", old.folder, 2), mail(2))
        self.assertIn("INBOX/child", await self.names("alice"))

    async def test_renameInboxBelowItself(self) -> None:
        """
        The messages of INBOX can be moved into a new folder below it, which is
        not taken along.
        """
        await self.append("alice", "INBOX", mail(1))
        await self.store.renameFolder("alice", "INBOX", "inbox/Old")
        self.assertEqual((await self.store.status("alice", "INBOX")).messages, 0)
        self.assertEqual((await self.store.status("alice", "INBOX/Old")).messages, 1)
        await self.refused(FolderExists, self.store.renameFolder("alice", "INBOX", "inbox"))

    async def test_renameManyAtOnce(self) -> None:
        """
        A whole tree is renamed in one change, whatever it holds: identities, rights, messages, special uses
        and what is below move along; the tree's version changes once, and who subscribed to names still does.
        """
        await self.public("Tree")
        for number in range(40):
            await self.public(f"Tree/{number % 7}/{number}")
        some = "Public Folders/Tree/3/3"
        await self.store.setRights("alice", some, "carol", "lri")
        await self.append("carol", some, mail())
        await self.store.subscribe("bob", some)
        ids = {name: await self._identity(name) for name in await self.names("bob") if "/Tree/" in name}
        await self.store.renameFolder("alice", "Public Folders/Tree", "Public Folders/Wood/Tree")
        renamed = {name: await self._identity(name) for name in await self.names("bob") if "/Tree/" in name}
        self.assertEqual(renamed, {name.replace("/Tree", "/Wood/Tree", 1): ids[name] for name in ids})
        self.assertEqual(len(renamed), 47)
        new = some.replace("/Tree", "/Wood/Tree", 1)
        self.assertEqual(await self.store.rights("carol", new), "lrsi")
        self.assertEqual((await self.store.status("carol", new)).messages, 1)
        self.assertEqual(await self.store.subscriptions("bob"), (some,))
        await self.refused(NoSuchFolder, self.store.status("bob", some))

    async def _identity(self, name: str) -> tuple[int, int]:
        status = await self.store.status("alice", name)
        return status.folder, status.uid_validity

    async def test_renameTooLongBelow(self) -> None:
        """
        When one folder below would get a name that cannot be, nothing is renamed.
        """
        deep = "/".join("d" * 20)
        await self.store.createFolder("alice", f"A/{deep}")
        await self.store.createFolder("alice", "A/B")
        before = await self.names("alice")
        await self.refused(InvalidName, self.store.renameFolder("alice", "A", "/".join("e" * 13)))
        await self.store.createFolder("alice", "L/" + "/".join("l" * 240 for _ in range(3)))
        before = await self.names("alice")
        await self.refused(InvalidName, self.store.renameFolder("alice", "L", "m" * 250 + "/" + "n" * 50))
        self.assertEqual(await self.names("alice"), before)
        await self.store.renameFolder("alice", "A", "/".join("e" * 12))
        await self.opened("alice", "/".join("e" * 12) + "/" + deep)

    async def test_renameUidValidity(self) -> None:
        """
        A folder made under a name that was renamed away cannot be taken for the old one, nor one that
        is renamed to a name that was deleted.
        """
        await self.store.createFolder("alice", "A")
        first = (await self.opened("alice", "A")).status.uid_validity
        await self.store.renameFolder("alice", "A", "B")
        await self.store.createFolder("alice", "A")
        again = (await self.opened("alice", "A")).status.uid_validity
        self.assertGreater(again, first)
        await self.store.deleteFolder("alice", "B")
        await self.store.renameFolder("alice", "A", "B")
        self.assertEqual((await self.opened("alice", "B")).status.uid_validity, again)

    async def test_renameRefused(self) -> None:
        """
        What cannot be done is refused, and changes nothing.
        """
        await self.store.createFolder("alice", "A/B")
        await self.store.createFolder("alice", "C")
        before = await self.names("alice")
        rename = self.store.renameFolder
        await self.refused(NoSuchFolder, rename("alice", "none", "x"))
        await self.refused(FolderExists, rename("alice", "A", "C"))
        await self.refused(FolderExists, rename("alice", "A", "A"))
        await self.refused(FolderExists, rename("alice", "A", "INBOX"))
        await self.refused(FolderExists, rename("alice", "A", "Public Folders"))
        await self.refused(InvalidName, rename("alice", "A", "A/B/D"))
        await self.refused(InvalidName, rename("alice", "A", "a//b"))
        await self.refused(InvalidName, rename("alice", "A", "Public Folders/A"))
        await self.refused(InvalidName, rename("alice", "A", "/".join("y" * 32)))
        await self.refused(InvalidName, rename("alice", "A", "/".join(["z" * 249] * 4)))
        await self.refused(FolderInUse, rename("alice", "Public Folders", "Public Folders/x"))
        self.assertEqual(await self.names("alice"), before)

    async def test_renameRights(self) -> None:
        """
        It needs C{x} on the folder and C{k} on the new parent.
        """
        one, two = await self.public("One"), await self.public("Two")
        rename = self.store.renameFolder
        await self.refused(PermissionDenied, rename("bob", one, f"{two}/One"))
        await self.store.setRights("alice", one, "bob", "lx")
        await self.refused(PermissionDenied, rename("bob", one, f"{two}/One"))
        await self.store.setRights("alice", two, "bob", "lk")
        await rename("bob", one, f"{two}/One")
        self.assertIn("Public Folders/Two/One", await self.names("bob"))


class SubscriptionTests(StoreCase):
    """
    Subscriptions.
    """

    async def test_subscriptionsNames(self) -> None:
        """
        Each user has his own names, which need not exist; twice is once.
        """
        for name in ("Z", "inbox", "Public Folders/none", "Z"):
            await self.store.subscribe("alice", name)
        self.assertEqual(await self.store.subscriptions("alice"), ("INBOX", "Public Folders/none", "Z"))
        self.assertEqual(await self.store.subscriptions("bob"), ())
        for name in ("Z", "never", "", "a//b"):
            await self.store.unsubscribe("alice", name)
        self.assertEqual(await self.store.subscriptions("alice"), ("INBOX", "Public Folders/none"))

    async def test_subscriptionsRefused(self) -> None:
        """
        What can be no name is refused, and more than so many.
        """
        await self.refused(InvalidName, self.store.subscribe("alice", "a//b"))
        for number in range(self.limits.max_subscriptions):
            await self.store.subscribe("alice", str(number))
        await self.store.subscribe("alice", "0")
        await self.refused(LimitReached, self.store.subscribe("alice", "more"))
        self.assertNotIn("more", await self.store.subscriptions("alice"))


class StatusTests(StoreCase):
    """
    C{status}.
    """

    async def test_statusCounts(self) -> None:
        """
        The counts follow all that happens to messages.
        """
        first, second = mail(1), mail(2, "another line\r\n")
        await self.append("alice", "INBOX", first, second, flags=("\\Deleted",))
        await self.append("alice", "INBOX", first, flags=("\\Seen",))
        status = await self.store.status("alice", "INBOX")
        counts = (status.messages, status.recent, status.unseen, status.deleted, status.uid_next)
        self.assertEqual(counts, (3, 3, 2, 2, 4))
        self.assertEqual(status.size, 2 * len(first) + len(second))
        await self.store.storeFlags("alice", status.folder, UidSet(((1, 1),)), FlagMode.ADD, ("\\Seen",))
        await self.store.expunge("alice", status.folder, UidSet(((2, 2),)))
        after = await self.store.status("alice", "INBOX")
        self.assertEqual((after.messages, after.recent, after.unseen, after.deleted), (2, 2, 0, 1))
        self.assertEqual((after.size, after.uid_next), (2 * len(first), 4))
        self.assertGreater(after.highest_modseq, status.highest_modseq)
        self.assertEqual(after.uid_validity, status.uid_validity)

    async def test_statusRefused(self) -> None:
        """
        It needs C{r} on a folder that there is.
        """
        name = await self.public("P")
        await self.store.setRights("alice", name, "authenticated", "l")
        await self.refused(PermissionDenied, self.store.status("bob", name))
        await self.refused(NotSelectable, self.store.status("bob", "Public Folders"))
        for missing in ("none", "", "a//b", "Other Users/alice/INBOX", "Other Users", "Other Users/bob"):
            await self.refused(NoSuchFolder, self.store.status("bob", missing))
