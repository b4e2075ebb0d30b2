"""
Rights: giving them, and what each allows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mailstore.errors import InvalidName, NoSuchFolder, NoSuchUser, PermissionDenied
from mailstore.model import (
    ALL_RIGHTS,
    SYSTEM,
    Criterion,
    FetchSpec,
    FlagMode,
    NewMessage,
    RightsMode,
    SearchTerm,
    Section,
    SortField,
    SortKey,
    ThreadAlgorithm,
    UidSet,
)
from mailstore.testing.storecases.base import StoreCase, mail

_ONE = UidSet(((1, 1),))


class AclTests(StoreCase):
    """
    C{rights}, C{acl} and C{setRights}.
    """

    async def test_aclDefaults(self) -> None:
        """
        An owner may do everything, and all who have signed in may read the public folders.
        """
        name = await self.public("P")
        self.assertEqual(await self.store.rights("alice", "INBOX"), ALL_RIGHTS)
        self.assertEqual(await self.store.rights("bob", name), "lrs")
        self.assertEqual(await self.store.rights("bob", "Public Folders"), "lrs")
        self.assertEqual(await self.store.rights("alice", name), ALL_RIGHTS)
        await self.refused(NoSuchFolder, self.store.rights("bob", "Other Users/alice/INBOX"))

    async def test_aclSetRights(self) -> None:
        """
        An identifier gets exactly the rights given; none removes it.
        """
        name = await self.public("P")
        self.assertEqual(await self.store.setRights("alice", name, "bob", "wirl"), 1)
        self.assertEqual(
            await self.store.acl("alice", name),
            (("alice", ALL_RIGHTS), ("authenticated", "lrs"), ("bob", "lrwi")),
        )
        self.assertEqual(await self.store.setRights("alice", name, "bob", "lrwi"), 0)
        self.assertEqual(await self.store.rights("bob", name), "lrswi")
        self.assertEqual(await self.store.setRights("alice", name, "bob", ""), 1)
        self.assertEqual(await self.store.setRights("alice", name, "bob", ""), 0)
        self.assertEqual(await self.store.rights("bob", name), "lrs")

    async def test_aclModes(self) -> None:
        """
        Rights are added and taken away in one step, from what an identifier has alone.
        """
        name = await self.public("P")
        add, remove = RightsMode.ADD, RightsMode.REMOVE
        for letters, mode, rights, changed in (
            ("wi", add, "wi", 1),
            ("li", add, "lwi", 1),
            ("l", add, "lwi", 0),
            ("", add, "lwi", 0),
            ("rx", remove, "lwi", 0),
            ("wrx", remove, "li", 1),
            ("dl", add, "lixte", 1),
            ("lixte", remove, None, 1),
            ("l", remove, None, 0),
        ):
            self.assertEqual(await self.store.setRights("alice", name, "bob", letters, mode), changed)
            self.assertEqual(dict(await self.store.acl("alice", name)).get("bob"), rights)
        await self.refused(InvalidName, self.store.setRights("alice", name, "bob", "z", add))
        await self.refused(PermissionDenied, self.store.setRights("bob", name, "bob", "l", add))

    async def test_aclModesRoot(self) -> None:
        """
        On the public root rights are added to and taken from those that each folder has.
        """
        one, two = await self.public("One"), await self.public("Two")
        await self.store.setRights("alice", two, "bob", "lrw")
        root = "Public Folders"
        self.assertEqual(await self.store.setRights("alice", root, "bob", "i", RightsMode.ADD), 3)
        self.assertEqual(
            [dict(await self.store.acl("alice", each))["bob"] for each in (one, two)], ["i", "lrwi"]
        )
        self.assertEqual(await self.store.setRights("alice", root, "bob", "wi", RightsMode.REMOVE), 3)
        self.assertEqual(
            [dict(await self.store.acl("alice", each)).get("bob") for each in (one, two)], [None, "lr"]
        )

    async def test_aclObsoleteLetters(self) -> None:
        """
        C{c} and C{d} mean what RFC 4314 section 2.1.1 says.
        """
        name = await self.public("P")
        await self.store.setRights("alice", name, "bob", "lcd")
        self.assertEqual(dict(await self.store.acl("alice", name))["bob"], "lkxte")

    async def test_aclNegative(self) -> None:
        """
        An identifier with a minus sign takes rights away.
        """
        name = await self.public("P")
        await self.store.setRights("alice", name, "-bob", "rs")
        self.assertEqual(await self.store.rights("bob", name), "l")
        self.assertEqual(await self.store.rights("carol", name), "lrs")

    async def test_aclRoot(self) -> None:
        """
        On the public root it holds for every folder below, and for new ones.
        """
        one, two = await self.public("One"), await self.public("Two")
        await self.store.setRights("alice", two, "carol", "lri")
        self.assertEqual(await self.store.setRights("alice", "Public Folders", "bob", "lrw"), 3)
        for name in (one, two, await self.public("Three")):
            self.assertEqual(await self.store.rights("bob", name), "lrsw")
        self.assertEqual(await self.store.rights("carol", two), "lrsi")
        self.assertEqual(await self.store.rights("carol", one), "lrs")

    async def test_aclOwner(self) -> None:
        """
        The owner's rights are told and cannot be changed; others can be given some.
        """
        self.assertEqual(await self.store.acl("bob", "INBOX"), (("bob", ALL_RIGHTS),))
        await self.refused(PermissionDenied, self.store.setRights("bob", "INBOX", "bob", "l"))
        await self.store.setRights("bob", "INBOX", "carol", "lra")
        await self.append("bob", "INBOX", mail())
        self.assertEqual((await self.store.status("carol", "Other Users/bob/INBOX")).messages, 1)
        await self.store.setRights("carol", "Other Users/bob/INBOX", "alice", "l")
        self.assertEqual(await self.store.rights("alice", "Other Users/bob/INBOX"), "l")

    async def test_aclRefused(self) -> None:
        """
        It needs C{a}, an identifier that means somebody, and letters that mean something.
        """
        name = await self.public("P")
        await self.refused(PermissionDenied, self.store.setRights("bob", name, "bob", "l"))
        await self.refused(PermissionDenied, self.store.acl("bob", name))
        await self.refused(NoSuchFolder, self.store.setRights("alice", "none", "bob", "l"))
        await self.refused(NoSuchFolder, self.store.acl("bob", "Other Users/alice/INBOX"))
        await self.refused(InvalidName, self.store.setRights("alice", name, "bob", "lz"))
        for who in ("nobody", "", "-", SYSTEM):
            await self.refused(NoSuchUser, self.store.setRights("alice", name, who, "l"))


class RightsMatrixTests(StoreCase):
    """
    For each operation the one right that it needs.
    """

    async def _rightsFolder(self) -> None:
        """
        Make what these tests look at.
        """
        self.name = await self.public("Matrix")
        await self.append("alice", self.name, mail(), flags=("\\Deleted",))
        self.folder = (await self.opened("alice", self.name)).folder

    async def _checkRight(self, needed: str, request: Callable[[], Awaitable[object]]) -> None:
        """
        Check that a request is refused without the rights, lacking one at a time,
        and not to be told from one for a folder that does not exist without any.
        """
        grant = self.store.setRights
        await grant("alice", self.name, "authenticated", "")
        for missing in needed:
            given = "".join(each for each in ALL_RIGHTS if each != missing)
            await grant("alice", self.name, "bob", given)
            await self.refused(PermissionDenied, request())
        await grant("alice", self.name, "bob", "")
        await self.refused(NoSuchFolder, request())
        await grant("alice", self.name, "bob", "l" + needed)
        await request()

    async def test_rightsRead(self) -> None:
        """
        Reading needs C{r}.
        """
        await self._rightsFolder()
        everything = SearchTerm(Criterion.ALL)
        await self._checkRight("r", lambda: self.store.status("bob", self.name))
        await self._checkRight("r", lambda: self.store.openFolder("bob", self.name, False))
        await self._checkRight("r", lambda: self.store.openFolder("bob", self.name, True))
        await self._checkRight("r", lambda: self.all(self.store.changes("bob", self.folder, 0, False)))
        await self._checkRight("r", lambda: self.all(self.store.changes("bob", self.folder, 0, True)))
        await self._checkRight(
            "r", lambda: self.all(self.store.fetch("bob", self.folder, _ONE, FetchSpec(size=True)))
        )
        await self._checkRight(
            "r", lambda: self.all(self.store.readSection("bob", self.folder, 1, Section()))
        )
        await self._checkRight("r", lambda: self.all(self.store.search("bob", self.folder, everything)))
        keys = (SortKey(SortField.DATE),)
        await self._checkRight("r", lambda: self.all(self.store.sort("bob", self.folder, everything, keys)))
        for algorithm in ThreadAlgorithm:
            await self._checkRight(
                "r",
                lambda algorithm=algorithm: self.all(  # type: ignore[misc]
                    self.store.threads("bob", self.folder, everything, algorithm)
                ),
            )
        await self._checkRight("r", lambda: self.store.quotaRoots("bob", self.name))

    async def test_rightsInsert(self) -> None:
        """
        Bringing messages in needs C{i}, and nothing else.
        """
        await self._rightsFolder()
        message = NewMessage(mail())
        await self._checkRight("i", lambda: self.store.append("bob", self.name, (message,)))

        async def upload() -> None:
            upload = await self.store.upload("bob", self.name, len(mail()))
            await upload.write(mail())
            await self.store.append("bob", self.name, (NewMessage(upload.token),))

        await self._checkRight("i", upload)
        await self.append("bob", "INBOX", mail())
        inbox = (await self.opened("bob", "INBOX")).folder
        await self._checkRight("i", lambda: self.store.copy("bob", inbox, _ONE, self.name))
        await self.store.setRights("alice", self.name, "bob", "i")
        await self.store.append("bob", self.name, (message,))

    async def test_rightsTakeOut(self) -> None:
        """
        Copying needs C{r}, moving C{rte}, expunging C{e}.
        """
        await self._rightsFolder()
        await self._checkRight("r", lambda: self.store.copy("bob", self.folder, _ONE, "INBOX"))
        await self._checkRight("rte", lambda: self.store.move("bob", self.folder, _ONE, "INBOX"))
        await self._checkRight("e", lambda: self.store.expunge("bob", self.folder, None))

    async def test_rightsFlags(self) -> None:
        """
        C{s} is for seen, C{t} for deleted, C{w} for every other flag.
        """
        await self._rightsFolder()
        for right, flag in (("s", "\\Seen"), ("t", "\\Deleted"), ("w", "\\Flagged"), ("w", "word")):
            for mode in (FlagMode.ADD, FlagMode.REMOVE):
                await self._checkRight(
                    right,
                    lambda mode=mode, flag=flag: self.store.storeFlags(  # type: ignore[misc]
                        "bob", self.folder, _ONE, mode, (flag,)
                    ),
                )

    async def test_rightsSomeFlags(self) -> None:
        """
        Flags that may not be changed stay as they are, as long as there is one that may.
        """
        await self._rightsFolder()
        await self.store.setRights("alice", self.name, "bob", "lrw")
        await self.store.setRights("alice", self.name, "authenticated", "")
        await self.store.storeFlags(
            "bob", self.folder, _ONE, FlagMode.ADD, ("\\Seen", "\\Answered", "\\Deleted", "kept")
        )
        self.assertEqual(await self.flags("bob", self.folder), {1: {"\\Answered", "\\Deleted", "kept"}})
        await self.store.storeFlags("bob", self.folder, _ONE, FlagMode.REPLACE, ("\\Flagged",))
        self.assertEqual(await self.flags("bob", self.folder), {1: {"\\Flagged", "\\Deleted"}})
        await self.store.setRights("alice", self.name, "bob", "lr")
        await self.refused(
            PermissionDenied, self.store.storeFlags("bob", self.folder, _ONE, FlagMode.REPLACE, ())
        )

    async def test_rightsFlagsOfNewMessages(self) -> None:
        """
        Of the flags of a new message those are left out that may not be set, also of one copied.
        """
        await self._rightsFolder()
        await self.store.setRights("alice", self.name, "authenticated", "")
        await self.store.setRights("alice", self.name, "bob", "lrit")
        (uid,) = await self.append(
            "bob", self.name, mail(), flags=("\\Seen", "\\Deleted", "\\Flagged", "word")
        )
        self.assertEqual((await self.flags("bob", self.folder))[uid], {"\\Deleted"})
        await self.append("bob", "INBOX", mail(), flags=("\\Seen", "\\Draft", "\\Deleted", "word"))
        inbox = (await self.opened("bob", "INBOX")).folder
        await self.store.copy("bob", inbox, _ONE, self.name)
        self.assertEqual((await self.flags("bob", self.folder))[uid + 1], {"\\Deleted"})

    async def test_rightsTakenAway(self) -> None:
        """
        A right that is taken away is missing at once, for a folder that is open too.
        """
        await self._rightsFolder()
        opened = await self.opened("bob", self.name)
        await self.store.setRights("alice", self.name, "authenticated", "l")
        await self.refusedAnswer(PermissionDenied, self.store.changes("bob", opened.folder, 0, False))
        await self.store.setRights("alice", self.name, "authenticated", "")
        await self.refusedAnswer(NoSuchFolder, self.store.changes("bob", opened.folder, 0, False))
