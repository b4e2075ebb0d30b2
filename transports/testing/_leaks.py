# mypy: allow-untyped-calls
"""
The checks of what is left when channels have ended: nothing.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from transports.errors import CannotConnect, CannotListen, PeerLost
from transports.limits import Limits
from transports.testing._harness import LIMITS, ConformanceBase, Pair, Place, Recorder

#: How often each kind of end is brought about.
ROUNDS = 8

_DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def openDescriptors() -> Counter[str]:
    """
    What this process has open, counted by kind.
    """
    kinds: Counter[str] = Counter()
    for name in os.listdir(_DESCRIPTORS):
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{name}")
        except OSError:
            # The descriptor of this very listing, or a system without links there.
            target = "unknown"
        # "socket:[123]" and "/memfd:queue (deleted)" differ in numbers from one to the next.
        kinds[re.sub("[0-9]+", "N", target)] += 1
    return kinds


def sharedMappings() -> int:
    """
    How many pieces of memory are shared with other processes or with files
    that may be written.
    """
    try:
        with open("/proc/self/maps") as maps:
            return sum(line.split(maxsplit=2)[1].endswith("s") for line in maps)
    except FileNotFoundError:
        return 0


def filesIn(directory: str) -> set[str]:
    """
    All files in a directory and those below it; none if there is no such directory.
    """
    return {f"{path}/{name}" for path, _, names in os.walk(directory) for name in names}


@attrs.frozen
class Holdings:
    """
    What the process holds, by the things that a transport could leave behind.
    """

    #: Open file descriptors, by kind.
    descriptors: Counter[str]
    #: Shared memory mapped.
    mappings: int
    #: Files of the directory for temporary files, which is this test's own.
    temporary: set[str]
    #: Calls that the reactor is to make later.
    delayed_calls: int
    #: Descriptors that the reactor watches for reading and for writing.
    watched: tuple[int, int]

    @classmethod
    def now(cls) -> Holdings:
        """
        What is held at this instant.
        """
        from twisted.internet import reactor

        loop: Any = reactor
        return cls(
            descriptors=openDescriptors(),
            mappings=sharedMappings(),
            temporary=filesIn(tempfile.gettempdir()),
            delayed_calls=len(loop.getDelayedCalls()),
            watched=(len(loop.getReaders()), len(loop.getWriters())),
        )


def usePrivateDirectory(case: ConformanceBase) -> None:
    """
    Have a directory for temporary files that nobody else uses, for one test.
    """
    directory = tempfile.mkdtemp(prefix="ms")
    case.addCleanup(shutil.rmtree, directory)
    case.patch(tempfile, "tempdir", directory)


class LeakTests(ConformanceBase):
    """
    Descriptors, mappings, files, delayed calls and objects do not grow in
    number with the channels that have been opened.
    """

    async def test_nothingLeaksFromClosedChannels(self) -> None:
        """
        Channels that are used and closed in order leave nothing.
        """
        await self.assertFlat(self._close)

    async def test_nothingLeaksFromAbortedChannels(self) -> None:
        """
        Channels that are aborted in the midst of their traffic leave nothing.
        """
        await self.assertFlat(self._abort)

    async def test_nothingLeaksFromLostChannels(self) -> None:
        """
        Channels whose other end goes while both queues are full and somebody
        waits for room leave nothing at the end that stays.
        """
        await self.assertFlat(self._lose)

    async def test_nothingLeaksFromCutCloses(self) -> None:
        """
        Closes that wait for a peer and are cut by an abort leave nothing, the
        call for their deadline neither.
        """
        await self.assertFlat(self._cut)

    async def test_nothingLeaksFromStuffedChannels(self) -> None:
        """
        Channels that are aborted or lost while the carrier takes no more leave
        nothing at either end.
        """
        await self.assertFlat(self._stuff, Limits(block_size=1 << 14, capacity=256))

    async def test_nothingLeaksFromPlaces(self) -> None:
        """
        Places where somebody listened, and where nobody did, leave nothing, and
        no file when they have been given up.
        """
        place = await self.assertFlat(self._listen)
        await place.stop()
        self.assertEqual(filesIn(tempfile.gettempdir()), set())

    async def test_trafficCostsNothing(self) -> None:
        """
        After many messages an open channel holds what it held after the first.
        """
        place = await self.openPrivatePlace()
        pair = await self.openAt(place)
        await self._use(pair)
        await self.settle()
        before = Holdings.now()
        for _ in range(60):
            await self._use(pair)
        await self.until(lambda: Holdings.now() == before, "the channel to hold what it held before")

    async def test_endedChannelsAreForgotten(self) -> None:
        """
        Nothing keeps a channel that has ended, nor its receiver, while others
        go on listening and connecting at the same place.
        """
        place = await self.openPrivatePlace()
        remains: list[weakref.ref[object]] = []
        for act in (self._close, self._abort, self._lose, self._cut):
            pair = await self._open(place)
            await act(pair)
            await self._end(pair)
            for end in (pair.left, pair.right):
                remains.append(weakref.ref(end.recorder))
                # A class may not allow it; the receiver speaks for the channel then.
                with suppress(TypeError):
                    remains.append(weakref.ref(end.channel))
        del pair, end

        def forgotten() -> bool:
            gc.collect()
            return not any(each() for each in remains)

        await self.waitFor(forgotten, "the channels to be forgotten")

    async def openPrivatePlace(self, limits: Limits = LIMITS) -> Place:
        """
        Listen, with a directory for temporary files that nobody else uses.
        """
        usePrivateDirectory(self)
        place = Place(self, self.makeTransport(limits))
        await place.listen()
        self.addCleanup(lambda: Deferred.fromCoroutine(place.stop()))
        return place

    async def assertFlat(self, act: Callable[[Pair], Awaitable[None]], limits: Limits = LIMITS) -> Place:
        """
        Do something with new channels again and again: after the first time
        the process does not come to hold more.

        @return: where they were opened; somebody listens there still.
        """
        place = await self.openPrivatePlace(limits)
        shared = filesIn("/dev/shm")
        for number in range(ROUNDS + 1):
            pair = await self._open(place)
            await act(pair)
            await self._end(pair)
            if not number:
                await self.settle()
                before = Holdings.now()
        held = Holdings.now()

        def flat() -> bool:
            nonlocal held
            held = Holdings.now()
            return held == before

        try:
            await self.waitFor(flat, "what was opened to be given back")
        except self.failureException:
            self.fail(f"after {ROUNDS} more channels the process holds {held}, before {before}")
        await self.waitFor(lambda: filesIn("/dev/shm") <= shared, "/dev/shm to be as it was")
        return place

    async def _open(self, place: Place) -> Pair:
        """
        Open a channel of which the test case keeps nothing after its end.
        """
        pair = await place.open()
        self._pairs = (pair,)
        return pair

    async def _end(self, pair: Pair) -> None:
        for end in (pair.left, pair.right):
            end.channel.abort()
        await self.until(
            lambda: bool(pair.left.recorder.losses and pair.right.recorder.losses), "both ends to be told"
        )
        self._pairs = ()

    async def _use(self, pair: Pair) -> None:
        pair.left.fill(LIMITS.capacity)
        pair.right.fill(LIMITS.capacity)
        await self.drain(pair)

    async def _close(self, pair: Pair) -> None:
        await self._use(pair)
        pair.left.fill(2)
        await pair.left.channel.close()

    async def _abort(self, pair: Pair) -> None:
        await self._use(pair)
        pair.left.fill(2)
        pair.right.fill(2)
        await self.turn()
        pair.left.channel.abort()

    async def _lose(self, pair: Pair) -> None:
        pair.left.fill(LIMITS.capacity)
        pair.right.fill(LIMITS.capacity)
        waiter = pair.left.channel.whenFree(3)
        await self.turn()
        pair.right.channel.abort()
        await self.assertFailure(waiter, PeerLost)

    async def _cut(self, pair: Pair) -> None:
        pair.left.fill(2)
        done = pair.left.channel.close()
        await self.settle()
        pair.left.channel.abort()
        await done

    async def _stuff(self, pair: Pair) -> None:
        for end in (pair.left, pair.right):
            end.send(b"s" * 4_000_000)
            end.channel.flush()
        pair.left.channel.abort()

    async def _listen(self, pair: Pair) -> None:
        transport = pair.place.transport
        await pair.stopListening()
        await self.assertFailure(transport.connect(Recorder()), CannotConnect)
        await pair.place.listen()
        await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)
