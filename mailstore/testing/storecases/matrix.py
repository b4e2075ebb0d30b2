"""
Every operation of a store by every right: what each needs, in one table, and
whether it is done with a set of rights, or refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import attrs

from mailstore.errors import NoSuchFolder, PermissionDenied, StoreError
from mailstore.interfaces import IGroups, IStore
from mailstore.model import (
    ALL_RIGHTS,
    AUTHENTICATED,
    MESSAGE,
    PUBLIC_QUOTA,
    PUBLIC_ROOT,
    SYSTEM,
    Criterion,
    Expiry,
    FetchSpec,
    FlagMode,
    NewMessage,
    SearchTerm,
    Section,
    SortField,
    SortKey,
    ThreadAlgorithm,
    UidSet,
    Watcher,
    uint64s,
)
from mailstore.testing.storecases.base import StoreCase, mail

#: Pairs of identifier and letters.
Entries = tuple[tuple[str, str], ...]

_ONE = UidSet(((1, 1),))
_EVERYTHING = SearchTerm(Criterion.ALL)


@attrs.frozen
class Target:
    """
    What an operation is tried on: a public folder, with one message that is to be expunged.
    """

    name: str
    folder: int
    #: Bob's INBOX, and a message in it.
    inbox: int
    mail: UidSet


@attrs.frozen
class Operation:
    """
    One way to use a method of a store.
    """

    #: The method's name.
    method: str
    #: Rights that are needed, all of them.
    needed: str
    #: Tries it as bob.
    attempt: Callable[[RightsMatrix, Target], Awaitable[object]]
    #: Rights one of which is needed beside.
    any_of: str = ""
    #: What it raises without them, if that does not depend on the right to look the folder up.
    refusals: tuple[type[Exception], ...] = ()
    #: The rights are those on the public root.
    on_root: bool = False

    def allowed(self, rights: str) -> bool:
        """
        Whether somebody with these rights may do it.
        """
        return set(self.needed) <= set(rights) and (not self.any_of or bool(set(self.any_of) & set(rights)))

    def refused(self, rights: str) -> tuple[type[Exception], ...]:
        """
        How it is refused to who has these rights.
        """
        return self.refusals or ((PermissionDenied,) if "l" in rights else (NoSuchFolder,))


def _taken(at: Target) -> str:
    return f"{PUBLIC_ROOT}/Bobs/{at.folder}"


async def _list(case: RightsMatrix, at: Target) -> object:
    if at.name not in await case.names("bob"):
        raise NoSuchFolder
    return None


async def _statuses(case: RightsMatrix, at: Target) -> object:
    found = await case.all(case.store.statuses("bob", uint64s([at.folder]).tobytes()))
    if not any(batch.folders for batch in found):
        raise NoSuchFolder
    return None


async def _annotations(case: RightsMatrix, at: Target) -> object:
    asked = case.store.annotations("bob", uint64s([at.folder]).tobytes(), ("/shared/comment",))
    if not await case.all(asked):
        raise NoSuchFolder
    return None


async def _expiries(case: RightsMatrix, at: Target) -> object:
    await case.admin.setExpiry(SYSTEM, at.name, Expiry(days=7))
    found = [each for batch in await case.all(case.store.expiries("bob")) for each in batch]
    if at.name not in dict(found):
        raise NoSuchFolder
    return None


_ADDRESS = "target@example.org"


async def _addresses(case: RightsMatrix, at: Target) -> object:
    await case.admin.addAddress(SYSTEM, at.name, _ADDRESS)
    found = [each for batch in await case.all(case.store.addresses("bob")) for each in batch]
    if (_ADDRESS, at.name) not in found:
        raise NoSuchFolder
    return None


async def _addAddress(case: RightsMatrix, at: Target) -> object:
    await case.store.addAddress("bob", f"{PUBLIC_ROOT}/Bobs", _ADDRESS)
    await case.admin.removeAddress(SYSTEM, _ADDRESS)
    return None


async def _removeAddress(case: RightsMatrix, at: Target) -> object:
    await case.admin.addAddress(SYSTEM, f"{PUBLIC_ROOT}/Bobs", _ADDRESS)
    try:
        await case.store.removeAddress("bob", _ADDRESS)
    except StoreError:
        await case.admin.removeAddress(SYSTEM, _ADDRESS)
        raise
    return None


async def _news(case: RightsMatrix, at: Target) -> object:
    if not await case.store.news(at.folder, (Watcher("bob", 0, False),)):
        raise NoSuchFolder
    return None


async def _upload(case: RightsMatrix, at: Target) -> object:
    (await case.store.upload("bob", at.name, 10)).discard()
    return None


def _flag(mode: FlagMode, flag: str) -> Callable[[RightsMatrix, Target], Awaitable[object]]:
    return lambda case, at: case.store.storeFlags("bob", at.folder, _ONE, mode, (flag,))


_FLAGS = (("s", "\\Seen"), ("t", "\\Deleted"), ("w", "\\Flagged"), ("w", "word"))

#: All that can be done with a folder, and what it needs (RFC 4314 section 4).
OPERATIONS = (
    Operation("folders", "l", _list, refusals=(NoSuchFolder,)),
    Operation("createFolder", "k", lambda case, at: case.store.createFolder("bob", f"{at.name}/new")),
    Operation("deleteFolder", "x", lambda case, at: case.store.deleteFolder("bob", at.name)),
    # The new name is below a folder on which bob may create.
    Operation(
        "renameFolder",
        "x",
        lambda case, at: case.store.renameFolder("bob", at.name, _taken(at)),
    ),
    Operation(
        "renameFolder",
        "k",
        lambda case, at: case.store.renameFolder("bob", f"{PUBLIC_ROOT}/Bobs/Away", f"{at.name}/here"),
    ),
    Operation("status", "r", lambda case, at: case.store.status("bob", at.name)),
    Operation("statuses", "r", _statuses, refusals=(NoSuchFolder,)),
    Operation("rights", "", lambda case, at: case.store.rights("bob", at.name), any_of="lrikxa"),
    Operation("acl", "a", lambda case, at: case.store.acl("bob", at.name)),
    Operation("setRights", "a", lambda case, at: case.store.setRights("bob", at.name, "carol", "l")),
    Operation("grantable", "a", lambda case, at: case.store.grantable("bob", at.name, "carol")),
    Operation("quotaRoots", "r", lambda case, at: case.store.quotaRoots("bob", at.name)),
    Operation("quota", "r", lambda case, at: case.store.quota("bob", PUBLIC_QUOTA), refusals=(NoSuchFolder,)),
    Operation(
        "setQuota",
        "lra",
        lambda case, at: case.store.setQuota("bob", PUBLIC_QUOTA, ((MESSAGE, 1000),)),
        refusals=(NoSuchFolder, PermissionDenied),
        on_root=True,
    ),
    Operation(
        "metadata",
        "l",
        lambda case, at: case.store.metadata("bob", at.name, ("/shared/comment",), 0, None),
        any_of="rswip",
    ),
    Operation("annotations", "l", _annotations, any_of="rswip", refusals=(NoSuchFolder,)),
    Operation(
        "setMetadata",
        "l",
        lambda case, at: case.store.setMetadata("bob", at.name, {"/private/comment": b"x"}),
        any_of="rswip",
    ),
    Operation(
        "setMetadata",
        "lw",
        lambda case, at: case.store.setMetadata("bob", at.name, {"/shared/comment": b"x"}),
    ),
    Operation(
        "setMetadata",
        "la",
        lambda case, at: case.store.setMetadata("bob", "", {"/shared/comment": b"x"}),
        on_root=True,
    ),
    Operation("expiry", "l", lambda case, at: case.store.expiry("bob", at.name)),
    Operation("setExpiry", "a", lambda case, at: case.store.setExpiry("bob", at.name, Expiry(days=7))),
    Operation("expiries", "l", _expiries, refusals=(NoSuchFolder,)),
    Operation("addresses", "l", _addresses, refusals=(NoSuchFolder,)),
    Operation("addAddress", "la", _addAddress, on_root=True),
    Operation("removeAddress", "la", _removeAddress, on_root=True),
    Operation("openFolder", "r", lambda case, at: case.store.openFolder("bob", at.name, False)),
    Operation("openFolder", "r", lambda case, at: case.store.openFolder("bob", at.name, True)),
    Operation("changes", "r", lambda case, at: case.all(case.store.changes("bob", at.folder, 0, False))),
    Operation("changes", "r", lambda case, at: case.all(case.store.changes("bob", at.folder, 0, True))),
    Operation("news", "r", _news, refusals=(NoSuchFolder,)),
    Operation(
        "fetch",
        "r",
        lambda case, at: case.all(case.store.fetch("bob", at.folder, _ONE, FetchSpec(size=True))),
    ),
    Operation(
        "readSection", "r", lambda case, at: case.all(case.store.readSection("bob", at.folder, 1, Section()))
    ),
    Operation("upload", "i", _upload),
    Operation("append", "i", lambda case, at: case.store.append("bob", at.name, (NewMessage(mail()),))),
    # In the place of another message (RFC 8508 section 4.1).
    Operation(
        "append",
        "te",
        lambda case, at: case.store.append("bob", "INBOX", (NewMessage(mail()),), (at.folder, 1)),
    ),
    *(
        Operation("storeFlags", right, _flag(mode, flag), refusals=(NoSuchFolder, PermissionDenied))
        for right, flag in _FLAGS
        for mode in (FlagMode.ADD, FlagMode.REMOVE)
    ),
    Operation("storeFlags", "", _flag(FlagMode.REPLACE, "\\Answered"), any_of="stw"),
    Operation("copy", "r", lambda case, at: case.store.copy("bob", at.folder, _ONE, "INBOX")),
    Operation("copy", "i", lambda case, at: case.store.copy("bob", at.inbox, at.mail, at.name)),
    Operation("move", "rte", lambda case, at: case.store.move("bob", at.folder, _ONE, "INBOX")),
    Operation("move", "i", lambda case, at: case.store.move("bob", at.inbox, at.mail, at.name)),
    Operation("expunge", "e", lambda case, at: case.store.expunge("bob", at.folder, None)),
    Operation("search", "r", lambda case, at: case.all(case.store.search("bob", at.folder, _EVERYTHING))),
    Operation(
        "sort",
        "r",
        lambda case, at: case.all(case.store.sort("bob", at.folder, _EVERYTHING, (SortKey(SortField.DATE),))),
    ),
    *(
        Operation(
            "threads",
            "r",
            lambda case, at, algorithm=algorithm: case.all(  # type: ignore[misc]
                case.store.threads("bob", at.folder, _EVERYTHING, algorithm)
            ),
        )
        for algorithm in ThreadAlgorithm
    ),
)

#: What has to do with no folder that has rights, or asks for none.
FREE = frozenset(
    (
        "credentials",
        "createUser",
        "enrol",
        "listUsers",
        "enrol",
        "largestMessage",
        "trees",
        "subscriptions",
        "subscribe",
        "unsubscribe",
        # Of these the right C{p} of C{anyone} is asked for: see DeliveryTests.
        "offer",
        "receive",
        "deliver",
        "largestMessage",
        "observe",
        "unobserve",
        "close",
    )
)


def everySet() -> Iterable[str]:
    """
    Sets of rights: none, all, each alone, with the right to look up, and all but each.
    """
    yield ""
    yield ALL_RIGHTS
    for right in ALL_RIGHTS:
        yield right
        yield "".join(each for each in ALL_RIGHTS if each != right)
        if right != "l":
            yield "l" + right


class RightsMatrix(StoreCase):
    """
    Tries operations.  Bob has the rights in question, and belongs to the group C{staff}.
    """

    async def matrixReady(self) -> None:
        """
        Make what all operations need.
        """
        groups = cast(IGroups, self.admin)
        await groups.createGroup("staff")
        await groups.addMember("staff", "bob")
        await self._grant(PUBLIC_ROOT, ((AUTHENTICATED, ""),))
        await self._grant(await self.public("Bobs"), (("bob", "kx"),))
        await self.public("Matrix")

    def entries(self, rights: str) -> tuple[Entries, ...]:
        """
        The ways in which an ACL can give bob these rights.
        """
        missing = "".join(each for each in ALL_RIGHTS if each not in rights)
        return (
            (("bob", rights),),
            (("group:staff", rights),),
            (("bob", ALL_RIGHTS), ("-group:staff", missing)),
            (("authenticated", ALL_RIGHTS), ("-bob", missing)),
            (("anyone", rights), ("group:staff", rights[::2]), ("bob", rights[1::2])),
        )

    async def tryAll(
        self, rights: str, entries: Entries, operations: Iterable[Operation] = OPERATIONS
    ) -> None:
        """
        Try operations, each on a folder of its own with these entries, and
        check that those are done, and only those, that bob may do.
        """
        await self._grant(f"{PUBLIC_ROOT}/Matrix", entries)
        for operation in operations:
            if not operation.on_root:
                await self._tryOnFolder(operation, rights)
        nothing = tuple((identifier, "") for identifier, _ in entries)
        await self._grant(f"{PUBLIC_ROOT}/Matrix", nothing)
        await self._grant(PUBLIC_ROOT, entries)
        for operation in operations:
            if operation.on_root:
                await self._try(operation, rights, Target(PUBLIC_ROOT, 0, 0, _ONE))
        await self._grant(PUBLIC_ROOT, nothing)
        await self._grant(f"{PUBLIC_ROOT}/Bobs", (("bob", "kx"),))

    async def _grant(self, name: str, entries: Entries) -> None:
        for identifier, letters in entries:
            await self.admin.setRights(SYSTEM, name, identifier, letters)

    async def _tryOnFolder(self, operation: Operation, rights: str) -> None:
        """
        Try an operation on a new folder, and leave nothing of it.
        """
        name = await self.public("Matrix/target")
        await self.public("Bobs/Away")
        message = NewMessage(mail(), ("\\Deleted",))
        await self.admin.append(SYSTEM, name, (message,))
        folder = (await self.admin.openFolder(SYSTEM, name, False)).folder
        inbox = "Other Users/bob/INBOX"
        (uid,) = (await self.admin.append(SYSTEM, inbox, (message,))).uids
        inbox_folder = (await self.admin.openFolder(SYSTEM, inbox, False)).folder
        target = Target(name, folder, inbox_folder, UidSet(((uid, uid),)))
        await self._try(operation, rights, target)
        for each in (f"{name}/new", f"{name}/here", name, f"{PUBLIC_ROOT}/Bobs/Away", _taken(target)):
            try:
                await self.admin.deleteFolder(SYSTEM, each)
            except NoSuchFolder:
                pass

    async def _try(self, operation: Operation, rights: str, target: Target) -> None:
        what = f"{operation.method} with {rights!r}, which needs {operation.needed} {operation.any_of}"
        try:
            await operation.attempt(self, target)
        except StoreError as error:
            self.assertFalse(operation.allowed(rights), f"{what}: {error!r}")
            self.assertIn(type(error), operation.refused(rights), what)
        else:
            self.assertTrue(operation.allowed(rights), f"{what}: done")


class MatrixSampleTests(RightsMatrix):
    """
    Some of the matrix; all of it is tried by L{WholeMatrixTests}.
    """

    async def test_matrixSample(self) -> None:
        """
        Every operation with no right, with every right, and with those of a reader in a group.
        """
        await self.matrixReady()
        for rights in ("", "lr", ALL_RIGHTS):
            await self.tryAll(rights, self.entries(rights)[1])


class WholeMatrixTests(RightsMatrix):
    """
    The whole matrix, which takes some seconds.

    @cvar every_way: with each set of rights, try every way in which an ACL can give it, and not one in turn.
    """

    timeout = 120
    every_way = True

    async def test_matrix(self) -> None:
        """
        Every operation with every right, given and withheld, in each way in which an ACL can do it.
        """
        await self.matrixReady()
        for number, rights in enumerate(everySet()):
            ways = self.entries(rights)
            for entries in ways if self.every_way else (ways[number % len(ways)],):
                await self.tryAll(rights, entries)

    async def test_matrixWhole(self) -> None:
        """
        Every method of a store is in the matrix, or has nothing to do with rights.
        """
        methods = set(IStore.names(all=True))
        self.assertEqual({each.method for each in OPERATIONS} | FREE, methods)
        self.assertFalse({each.method for each in OPERATIONS} & FREE)
