"""
Many callers through a queue that is far too small for them: nobody hangs,
nothing overflows, everything is answered once.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from mailstore.errors import StoreBusy, StoreError, StoreUnavailable
from mailstore.interfaces import IStore
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.server import StoreServer
from mailstore.ipc.service import StoreClientService, StoreServerService
from mailstore.model import Criterion, NewMessage, SearchTerm
from tests.channels import describe
from tests.ipc.fakes import FakeStore, allOf
from transports.description import transportFor
from transports.interfaces import IChannel

CALLERS = 50


class TightQueueTestsMixin:
    """
    What holds over every transport.

    @cvar kind: which of L{tests.channels.KINDS}.
    """

    timeout = 60
    kind = ""

    async def open(self: Any, blocks: int, block_size: int, limits: IpcLimits) -> None:
        """
        Put a store behind a channel, and connect.
        """
        from twisted.internet import reactor

        store: Any = FakeStore()
        clock: Any = reactor
        self.store = store
        self.capacity = blocks
        self.samples = 0
        transport = transportFor(
            describe(self, self.kind, f":blocks={blocks}:block_size={block_size}"), reactor
        )
        self.server = StoreServer(store, limits, clock)
        listening = StoreServerService(transport, self.server)
        self.remote = RemoteStore(limits, clock)
        connecting = StoreClientService(transport, self.remote, clock, limits)
        self.addCleanup(listening.stopService)
        self.addCleanup(connecting.stopService)
        listening.startService()
        await listening.whenListening()
        connecting.startService()
        await self.remote.whenReady()

    def channels(self: Any) -> list[IChannel]:
        """
        Both ends.
        """
        link = self.remote._link
        ends = [] if link is None else [link.channel]
        return ends + [each.channel for each in self.server.front_ends]

    def sample(self: Any, _: object = None) -> None:
        """
        The gauge is never beyond the queue's capacity.
        """
        for each in self.channels():
            statistics = each.statistics()
            self.assertLessEqual(statistics.blocks_allocated, self.capacity)
            self.assertLessEqual(statistics.blocks_high_water, self.capacity)
            self.samples += 1

    async def caller(self: Any, number: int) -> int:
        """
        Lists all folders, asks, changes, brings in a message, leaves a search early.
        """
        remote: IStore = self.remote
        [tree] = await remote.trees("ann")
        batches = await allOf(remote.folders("ann", tree), self.sample)
        assert await remote.rights("ann", f"folder {number}") == "lrs"
        await remote.subscribe("ann", f"folder {number}")
        upload = await remote.upload("ann", "x", 700)
        await upload.write(b"x" * 700)
        await remote.append("ann", "x", (NewMessage(upload.token), NewMessage(b"y" * 300)))
        search = remote.search("ann", number, SearchTerm(Criterion.ALL))
        async for _ in search:
            self.sample()
            break
        await search.aclose()
        return sum(len(each.names) for each in batches)

    async def drained(self: Any) -> None:
        """
        Wait until both queues are empty; they must become so by themselves.
        """
        from twisted.internet import reactor

        turn: Any = reactor
        while self.remote.calls or any(each.statistics().blocks_allocated for each in self.channels()):
            again: Deferred[None] = Deferred()
            turn.callLater(0, again.callback, None)
            await again

    async def check(self: Any, blocks: int, block_size: int) -> None:
        """
        Fifty callers, each with all its answers.
        """
        limits = IpcLimits(poll_interval=0, patience=60, inline_upload=500, upload_piece=300)
        await self.open(blocks, block_size, limits)
        self.store.batches = [b"z" * 100] * 20
        found = await gatherResults([Deferred.fromCoroutine(self.caller(each)) for each in range(CALLERS)])
        self.assertEqual(found, [3 * len(self.store.names)] * CALLERS)
        self.assertEqual(len(self.store.appended), CALLERS)
        await self.drained()
        self.assertEqual(self.store.freed, CALLERS)
        self.sample()
        self.assertGreater(self.samples, CALLERS)
        self.assertEqual([each.statistics().blocks_allocated for each in self.channels()], [0, 0])

    async def test_fourBlocks(self: Any) -> None:
        """
        A queue of four blocks serves fifty callers at once.
        """
        await self.check(4, 512)

    async def test_oneSmallBlock(self: Any) -> None:
        """
        So does the smallest queue there can be.
        """
        await self.check(1, 64)

    async def test_noPatience(self: Any) -> None:
        """
        Without patience everybody gets an answer at once, be it that the store
        is busy; afterwards all is empty and works.
        """
        await self.open(4, 512, IpcLimits(poll_interval=0, patience=0))

        async def one(number: int) -> type[StoreError] | None:
            try:
                await self.caller(number)
            except StoreBusy as error:
                return type(error)
            return None

        outcomes = await gatherResults([Deferred.fromCoroutine(one(each)) for each in range(CALLERS)])
        self.assertEqual(set(outcomes), {StoreBusy, None})
        await self.drained()
        self.sample()
        self.assertEqual(await self.remote.rights("ann", "x"), "lrs")
        self.assertEqual(self.server.front_ends[0].uploads, 0)

    async def test_cutMidStream(self: Any) -> None:
        """
        When the channel is cut in the middle of many answers each caller is told
        once, and the next connection serves them all.
        """
        await self.open(4, 512, IpcLimits(poll_interval=0, patience=60, reconnect_delay=0.001))
        self.store.batches = [b"z" * 400] * 50
        seen = []

        def cut(_: object) -> None:
            seen.append(1)
            if len(seen) == CALLERS:
                self.server.front_ends[0].channel.abort()

        async def one(number: int) -> str:
            found = []
            try:
                search = self.remote.search("ann", number, SearchTerm(Criterion.ALL))
                found = await allOf(search, cut)
            except StoreUnavailable:
                await self.remote.rights("ann", "x")
                return "cut"
            return str(len(found))

        outcomes = await gatherResults([Deferred.fromCoroutine(one(each)) for each in range(CALLERS)])
        self.assertEqual(set(outcomes), {"cut"})
        self.assertEqual(self.store.freed, len([each for each in self.store.begun if "search" in each]))
        await self.drained()
        self.assertEqual([each.statistics().blocks_allocated for each in self.channels()], [0, 0])


class MemoryTests(TightQueueTestsMixin, TestCase):
    """
    Over memory.
    """

    kind = "memory"


class UnixTests(TightQueueTestsMixin, TestCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class SharedMemoryTests(TightQueueTestsMixin, TestCase):
    """
    Over shared memory.
    """

    kind = "shm"


class PortableSharedMemoryTests(TightQueueTestsMixin, TestCase):
    """
    Over shared memory without what only Linux has.
    """

    kind = "portable"
