"""
What all tests of a store have in common.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore, IStoreObserver
from mailstore.message.structure import Message
from mailstore.model import (
    ALL_RIGHTS,
    SYSTEM,
    Credentials,
    FetchBatch,
    FetchSpec,
    FlagColumns,
    NewMessage,
    OpenFolder,
    SearchTerm,
    Section,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)

if TYPE_CHECKING:

    class _Case:
        """
        What is used of L{twisted.trial.unittest.TestCase}, which has no types.
        """

        addCleanup: Any
        assertEqual: Any
        assertNotEqual: Any
        assertIs: Any
        assertIsNone: Any
        assertTrue: Any
        assertFalse: Any
        assertIn: Any
        assertNotIn: Any
        assertGreater: Any
        assertGreaterEqual: Any
        assertLess: Any
        assertLessEqual: Any

else:
    _Case = object

_T = TypeVar("_T")

#: Of every message there is.
EVERY = UidSet(((1, 0xFFFFFFFF),))

#: The limits that the store under test must be made with: small, so that tests reach them.
LIMITS = EngineLimits(
    max_message=8 * 1024 * 1024,
    max_users=12,
    max_folders=60,
    max_subscriptions=20,
    max_uploads=4,
    max_append=600,
    max_recipients=50,
    max_addresses=6,
    expire_rows=20,
    max_search_terms=200,
    max_search_depth=20,
    inline_section=4096,
    batch_bytes=4096,
    batch_rows=200,
    search_rows=100,
    search_texts=20,
    upload_memory=1024,
    max_tombstones=20,
    max_annotations=10,
    max_annotation=100,
)


def _first(message: Message) -> bytes:
    return message.data[:10]


def _all(message: Message) -> bytes:
    return message.data[:]


#: The renditions that the store under test must be made with.
RENDITIONS: dict[str, Callable[[Message], bytes]] = {"first": _first, "all": _all}

#: Their version.
RENDITIONS_VERSION = 1

#: Anybody's.
CREDENTIALS = Credentials(b"salt", 4096, b"stored key", b"server key")


@implementer(IStoreObserver)
class Recorder:
    """
    An observer that remembers what it was told, and can be waited for.
    """

    def __init__(self) -> None:
        self.changed: list[tuple[int, str]] = []
        self.everything = 0
        self._waiting: list[tuple[tuple[int, str], Deferred[None]]] = []

    def folderChanged(self, folder: int, user: str) -> None:
        self.changed.append((folder, user))
        for wanted, fired in list(self._waiting):
            if wanted == (folder, user):
                self._waiting.remove((wanted, fired))
                fired.callback(None)

    def everythingChanged(self) -> None:
        self.everything += 1

    async def wait(self, folder: int, user: str = "") -> None:
        """
        Wait until it has been told of this.
        """
        if (folder, user) not in self.changed:
            fired: Deferred[None] = Deferred()
            self._waiting.append(((folder, user), fired))
            await fired


class StoreCase(_Case):
    """
    A store with the users alice, bob and carol.  Alice may do everything in the public folders.

    @ivar store: the store under test.
    @ivar admin: the engine behind it, for what only the system may do.
    """

    timeout = 30
    limits = LIMITS
    renditions = RENDITIONS
    renditions_version = RENDITIONS_VERSION

    store: IStore
    admin: IStore

    def makeStore(self) -> Awaitable[tuple[IStore, IStore]]:
        """
        Make an empty store, with L{limits}, L{renditions} and L{renditions_version}.

        @return: the store under test, and one with the same content that
            accepts the system as its user and creates users.  Both are
            closed by the tests; anything else is cleaned up by C{addCleanup}.
        """
        raise NotImplementedError

    def setUp(self) -> Any:
        return self._begin()

    async def _begin(self) -> None:
        self.store, self.admin = await self.makeStore()
        self.addCleanup(self._close)
        for name in ("alice", "bob", "carol"):
            await self.admin.createUser(name, CREDENTIALS)
        await self.admin.setRights(SYSTEM, "Public Folders", "alice", ALL_RIGHTS)

    async def _close(self) -> None:
        await self.store.close()
        await self.admin.close()

    # --- asking ---

    async def all(self, answer: AsyncGenerator[_T, None]) -> list[_T]:
        """
        All batches of an answer.
        """
        return [each async for each in answer]

    async def refused(self, error: type[Exception], request: Awaitable[Any]) -> str:
        """
        Check that a request fails with exactly this error.

        @return: what it says.
        """
        try:
            await request
        except Exception as raised:
            self.assertIs(type(raised), error, repr(raised))
            return str(raised)
        raise AssertionError(f"{error.__name__} not raised")

    async def refusedAnswer(self, error: type[Exception], answer: AsyncGenerator[Any, None]) -> str:
        """
        Check that an answer fails with exactly this error when it is iterated.

        @return: what it says.
        """
        return await self.refused(error, self.all(answer))

    # --- folders ---

    async def public(self, name: str) -> str:
        """
        Make a public folder.

        @return: its name as users see it.
        """
        full = f"Public Folders/{name}"
        await self.admin.createFolder(SYSTEM, full)
        return full

    async def names(self, user: str) -> list[str]:
        """
        The names of all folders that a user sees, in all trees.
        """
        found: list[str] = []
        for tree in await self.store.trees(user):
            for batch in await self.all(self.store.folders(user, tree)):
                found += batch.names
        return found

    async def opened(self, user: str, name: str, claim_recent: bool = False) -> OpenFolder:
        """
        Open a folder.
        """
        return await self.store.openFolder(user, name, claim_recent)

    # --- messages ---

    async def append(
        self, user: str, name: str, *contents: bytes, flags: Iterable[str] = ()
    ) -> tuple[int, ...]:
        """
        Append messages; gives their UIDs.
        """
        messages = tuple(NewMessage(each, tuple(flags), 1_000_000_000) for each in contents)
        return (await self.store.append(user, name, messages)).uids

    async def filled(self, user: str, name: str, count: int) -> OpenFolder:
        """
        Append this many small messages to a folder, and open it.
        """
        contents = [mail(number) for number in range(1, count + 1)]
        for start in range(0, count, 500):
            await self.append(user, name, *contents[start : start + 500])
        return await self.opened(user, name)

    async def fetched(self, user: str, folder: int, uids: UidSet, spec: FetchSpec) -> dict[int, FetchBatch]:
        """
        Fetch; gives for each UID a batch of its one row.
        """
        rows: dict[int, FetchBatch] = {}
        for batch in await self.all(self.store.fetch(user, folder, uids, spec)):
            for at, uid in enumerate(uint32s(batch.uids)):
                rows[uid] = FetchBatch(
                    uids=batch.uids[4 * at : 4 * at + 4],
                    flags=batch.flags[8 * at : 8 * at + 8],
                    modseqs=batch.modseqs[8 * at : 8 * at + 8],
                    internal_dates=batch.internal_dates[8 * at : 8 * at + 8],
                    zones=batch.zones[2 * at : 2 * at + 2],
                    sizes=batch.sizes[8 * at : 8 * at + 8],
                    renditions=tuple((column[at],) for column in batch.renditions),
                    sections=tuple((column[at],) for column in batch.sections),
                    keywords=batch.keywords,
                    email_ids=batch.email_ids[at : at + 1],
                    thread_ids=batch.thread_ids[at : at + 1],
                    save_dates=batch.save_dates[8 * at : 8 * at + 8],
                )
        self.assertEqual(list(rows), sorted(rows))
        return rows

    async def content(self, user: str, folder: int, uid: int, section: Section | None = None) -> bytes:
        """
        A section of a message, the whole of it by default, read on its own.
        """
        wanted = section or Section()
        return b"".join(await self.all(self.store.readSection(user, folder, uid, wanted)))

    async def flags(self, user: str, folder: int) -> dict[int, set[str]]:
        """
        The names of the flags of all messages in a folder.
        """
        rows = await self.fetched(user, folder, EVERY, FetchSpec(flags=True))
        return {uid: set(flagNames(uint64s(row.flags)[0], row.keywords)) for uid, row in rows.items()}

    async def found(self, user: str, folder: int, term: SearchTerm) -> list[int]:
        """
        The UIDs that a search finds.
        """
        uids = uint32s()
        for batch in await self.all(self.store.search(user, folder, term)):
            uids += uint32s(batch)
        self.assertEqual(list(uids), sorted(uids))
        return list(uids)


def mail(number: int = 1, body: str = "a line\r\n") -> bytes:
    """
    A small message.
    """
    return f"From: Ann <ann@example.org>\r\nSubject: number {number}\r\n\r\n{body}".encode()


def uidsOf(columns: FlagColumns) -> list[int]:
    """
    The UIDs in some columns.
    """
    return list(uint32s(columns.uids))


def flagsOf(columns: FlagColumns, keywords: tuple[str, ...] = ()) -> dict[int, set[str]]:
    """
    The names of flags in some columns, by UID.
    """
    pairs = zip(uint32s(columns.uids), uint64s(columns.flags), strict=True)
    return {uid: set(flagNames(mask, keywords)) for uid, mask in pairs}


def modseqsOf(columns: FlagColumns) -> dict[int, int]:
    """
    The mod-sequences in some columns, by UID.
    """
    return dict(zip(uint32s(columns.uids), uint64s(columns.modseqs), strict=True))
