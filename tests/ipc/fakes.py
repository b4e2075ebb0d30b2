"""
A store of little, channels that are carried by hand, and both ends joined.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from mailstore.interfaces import IStoreObserver
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.link import Link
from mailstore.ipc.server import StoreServer
from mailstore.model import AppendResult, FolderColumns, NewMessage, TreeVersion
from transports.interfaces import IReceiver
from transports.limits import Limits
from transports.memory import MemoryTransport


class TurningClock(Clock):
    """
    A clock that goes round like a reactor: what is scheduled during a turn is
    for the next one.
    """

    def turn(self) -> None:
        """
        Call what is due now.
        """
        due = [each for each in self.calls if each.getTime() <= self.seconds()]
        for each in due:
            if each.active():
                self.calls.remove(each)
                each.called = 1
                each.func(*each.args, **each.kw)


class FakeUpload:
    """
    An upload that remembers.
    """

    def __init__(self, token: int, size: int) -> None:
        self.token = token
        self.size = size
        self.data = b""
        self.discarded = 0
        #: If set, each piece waits for it.
        self.gate: Deferred[None] | None = None

    async def write(self, data: bytes) -> None:
        if self.gate is not None:
            await self.gate
        self.data += data

    def discard(self) -> None:
        self.discarded += 1


class FakeStore:
    """
    Part of a store, with answers that a test controls.

    @ivar begun: names of the requests begun.
    @ivar gate: if set, C{status} and C{upload} wait for it.
    @ivar batches: what C{search} gives.
    @ivar given: batches of C{search} taken by the server.
    @ivar freed: iterations of C{search} that were ended.
    """

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gate: Deferred[None] | None = None
        self.error: Exception | None = None
        self.answer: Any = None
        self.batches: list[bytes] = []
        self.given = 0
        self.freed = 0
        self.observers: list[IStoreObserver] = []
        self.uploads: dict[int, FakeUpload] = {}
        self.appended: list[tuple[NewMessage, ...]] = []
        self.names = ("Public Folders/" + "x" * 80,) * 20
        self.polled = 0

    def observe(self, observer: IStoreObserver) -> None:
        self.observers.append(observer)

    def unobserve(self, observer: IStoreObserver) -> None:
        if observer in self.observers:
            self.observers.remove(observer)

    def poll(self) -> None:
        self.polled += 1

    async def rights(self, user: str, name: str) -> str:
        self.begun.append(f"rights {user} {name}")
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error
        return "lrs"

    async def subscriptions(self, user: str) -> tuple[str, ...]:
        self.begun.append("subscriptions")
        answer: tuple[str, ...] = self.answer
        return answer

    async def subscribe(self, user: str, name: str) -> None:
        self.begun.append("subscribe")
        for observer in tuple(self.observers):
            observer.folderChanged(7, user)

    async def trees(self, user: str) -> tuple[TreeVersion, ...]:
        return (TreeVersion("public", "1"),)

    async def folders(self, user: str, tree: TreeVersion) -> AsyncGenerator[FolderColumns, None]:
        for _ in range(3):
            yield FolderColumns(self.names, b"\0" * 8 * len(self.names), ("",) * len(self.names), b"")

    async def search(self, user: str, folder: int, term: object) -> AsyncGenerator[bytes, None]:
        self.begun.append(f"search {folder}")
        try:
            for each in self.batches:
                self.given += 1
                yield each
            if self.error is not None:
                raise self.error
        finally:
            self.freed += 1

    async def upload(self, user: str, name: str, size: int) -> FakeUpload:
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error
        upload = FakeUpload(1000 + len(self.uploads), size)
        self.uploads[upload.token] = upload
        return upload

    async def append(
        self, user: str, name: str, messages: tuple[NewMessage, ...], replaces: tuple[int, int] | None = None
    ) -> AppendResult:
        if self.error is not None:
            raise self.error
        self.appended.append(messages)
        return AppendResult(1, tuple(range(1, len(messages) + 1)))


@implementer(IStoreObserver)
class Noting:
    """
    An observer that writes down what it is told.
    """

    def __init__(self) -> None:
        self.told: list[tuple[int, str] | str] = []

    def folderChanged(self, folder: int, user: str) -> None:
        self.told.append((folder, user))

    def everythingChanged(self) -> None:
        self.told.append("everything")


@implementer(IReceiver)
class Collecting:
    """
    A receiver that keeps what arrives.
    """

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.lost: list[Failure] = []

    def messageReceived(self, message: bytes) -> None:
        self.messages.append(message)

    def channelLost(self, reason: Failure) -> None:
        self.lost.append(reason)


@attrs.define
class Joined:
    """
    A store, its server and one front end, over a memory channel moved by a clock.
    """

    clock: TurningClock
    store: Any
    server: StoreServer
    remote: RemoteStore
    transport: MemoryTransport

    def turn(self, times: int = 1) -> None:
        """
        Let the reactor go round.
        """
        for _ in range(times):
            self.clock.turn()

    def settle(self, most: int = 10_000) -> None:
        """
        Let the reactor go round until nothing is due now.
        """
        for _ in range(most):
            due = [each for each in self.clock.getDelayedCalls() if each.getTime() <= self.clock.seconds()]
            if not due:
                return
            self.clock.turn()
        raise AssertionError("the reactor does not come to rest")

    def connect(self) -> Link:
        """
        Connect, without waiting for the greeting.
        """
        link = self.remote.receiver()
        self.transport.connect(link).addCallback(link.opened)
        return link

    def start(self, work: Awaitable[Any]) -> Outcome:
        """
        Begin a request.
        """
        return Outcome(work)


class Outcome:
    """
    What becomes of a coroutine.
    """

    def __init__(self, work: Any) -> None:
        self.results: list[Any] = []
        self.deferred = Deferred.fromCoroutine(work)
        self.deferred.addBoth(self.results.append)

    @property
    def done(self) -> bool:
        return bool(self.results)

    @property
    def value(self) -> Any:
        [result] = self.results
        if isinstance(result, Failure):
            result.raiseException()
        return result

    @property
    def error(self) -> type[BaseException] | None:
        [result] = self.results
        if isinstance(result, Failure) and result.value is not None:
            return type(result.value)
        return None


def joined(
    limits: IpcLimits | None = None,
    queue: Limits | None = None,
    store: Any = None,
    server_limits: IpcLimits | None = None,
    connect: bool = True,
) -> Joined:
    """
    Both ends, greeted.
    """
    clock = TurningClock()
    limits = IpcLimits(poll_interval=0) if limits is None else limits
    store = FakeStore() if store is None else store
    server = StoreServer(store, limits if server_limits is None else server_limits, clock)
    transport = MemoryTransport(clock, Limits() if queue is None else queue)
    transport.listen(server.accept)
    both = Joined(clock, store, server, RemoteStore(limits, clock), transport)
    if connect:
        both.connect()
        both.settle()
    return both


async def allOf(
    iterator: AsyncGenerator[Any, None], on_each: Callable[[Any], None] | None = None
) -> list[Any]:
    """
    All batches.
    """
    found = []
    async for each in iterator:
        found.append(each)
        if on_each is not None:
            on_each(each)
    return found
