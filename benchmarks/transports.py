"""
What a channel costs, as ratios in one run.

Run it as C{python -m benchmarks.transports}; docs/benchmarks.md explains the
table.  Every figure is the best of many short rounds in which each contestant
has its turn, so that a busy machine slows all of them alike.  Exit code 1 when
a gate fails.

With C{--short} there are few rounds, and the gates are four times as wide, because
machines that run continuous integration are noisy.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import attrs
from twisted.internet import task
from twisted.internet.defer import Deferred

from benchmarks._cast import BARE_EVENTS, BARE_SOCKET, INT32, QUEUE, RAW, SHM_SLEEPS, UNIX_SLEEPS, Cast
from benchmarks._contestants import Collector, Contestant
from benchmarks._placement import Placement, placements
from benchmarks._table import Table, Times
from transports.description import transportFor
from transports.errors import QueueFull
from transports.interfaces import IChannel, IReceiver
from transports.limits import Limits

#: Sizes of the messages of round trips, in bytes.
TRIP_SIZES = (64, 1024, 4096, 16384)
#: Sizes of the messages sent one way, in bytes.
ONE_WAY_SIZES = (64, 1024, 262144)
_NAMES = {64: "64 B", 1024: "1 KiB", 4096: "4 KiB", 16384: "16 KiB", 262144: "256 KiB"}

#: What is done before each round, to get going, as a part of what is done in it: those
#: who had their turn meanwhile have filled the processor's caches with their own.
_WARM_PART = 4
#: Refusals in a round.
_REFUSALS = 1000


@attrs.frozen
class Effort:
    """
    How much is measured.
    """

    #: Rounds of round trips and of refusals.
    trip_rounds: int
    #: Round trips in a round.
    trips: int
    #: Rounds of messages sent one way.
    one_way_rounds: int
    #: Messages sent one way in a round, at most.
    one_way_messages: int
    #: Bytes sent one way in a round, at most.
    one_way_bytes: int
    #: Processes killed, for each transport.
    deaths: int


_FULL = Effort(30, 100, 20, 4000, 1 << 24, 5)
_SHORT = Effort(8, 60, 5, 2000, 1 << 23, 2)


class Benchmark:
    """
    One run.
    """

    def __init__(self, reactor: Any, table: Table, effort: Effort, cast: Cast) -> None:
        self._reactor = reactor
        self._table = table
        self._effort = effort
        self._cast = cast

    async def run(self, places: Sequence[Placement]) -> None:
        """
        Measure and print everything.
        """
        cast = self._cast
        try:
            await cast.start()
            for sentence in cast.missing:
                self._table.note(sentence)
            for placement in places:
                with placement.inForce(cast.pids):
                    await self._roundTrips(placement)
                    await self._oneWays(placement)
            self._table.counts = True
            await self._refusals()
            await self._deaths()
        finally:
            await cast.stop()

    async def _turns(
        self,
        rounds: int,
        contestants: Mapping[int, Sequence[Contestant]],
        measure: Callable[[int, Contestant], Awaitable[float]],
    ) -> dict[int, dict[str, Times]]:
        """
        Let each measure itself in turn with messages of each size, many times.  Every
        round has all sizes, so that each is measured all the time that it takes.

        @param contestants: who takes part, for each size.
        @return: the times of each, by size and name.
        """
        found: dict[int, dict[str, list[float]]] = {
            size: {each.name: [] for each in some} for size, some in contestants.items()
        }
        for index in range(rounds):
            for size, some in contestants.items():
                first = index % len(some)
                for each in (*some[first:], *some[:first]):
                    found[size][each.name].append(await measure(size, each))
                    # Leave the handler of the last message.
                    await task.deferLater(self._reactor, 0)
        return {size: {name: Times(taken) for name, taken in one.items()} for size, one in found.items()}

    async def _roundTrips(self, placement: Placement) -> None:
        contestants = self._cast.trips
        messages = {size: b"x" * size for size in TRIP_SIZES}

        async def trips(size: int, each: Contestant) -> float:
            count = self._effort.trips
            await each.trips(messages[size], count // _WARM_PART)
            return await each.trips(messages[size], count)

        results = await self._turns(self._effort.trip_rounds, dict.fromkeys(TRIP_SIZES, contestants), trips)
        table = self._table
        table.section(f"Round trips, {placement.name}")
        table.matrix(
            [_NAMES[size] for size in TRIP_SIZES],
            {each.name: [results[size][each.name] for size in TRIP_SIZES] for each in contestants},
        )
        for ours, theirs, gate in (
            ("shm", RAW, 1.4),
            (SHM_SLEEPS, RAW, 1.4),
            (BARE_EVENTS, RAW, None),
            ("shm", INT32, 0.5),
            ("unix", RAW, 1.8),
            (UNIX_SLEEPS, RAW, 1.8),
            (BARE_SOCKET, RAW, None),
        ):
            # Of a round trip between cores that stop when idle, most is the time to start them.
            reliable = placement.awake or theirs != RAW
            table.counts = placement.judged and reliable and ours not in (SHM_SLEEPS, UNIX_SLEEPS)
            for size, found in results.items():
                table.ratio(f"{ours} / {theirs}, {_NAMES[size]}", found[ours], found[theirs], gate)

    async def _oneWays(self, placement: Placement) -> None:
        effort = self._effort
        messages = {size: b"\0" * size for size in self._cast.one_way}
        everybody = {id(each): each for some in self._cast.one_way.values() for each in some}.values()

        async def oneWay(size: int, each: Contestant) -> float:
            count = min(effort.one_way_messages, effort.one_way_bytes // size)
            await each.oneWay(messages[size], count // _WARM_PART)
            return await each.oneWay(messages[size], count)

        for each in everybody:
            await each.sink(True)
        results = await self._turns(effort.one_way_rounds, self._cast.one_way, oneWay)
        for each in everybody:
            await each.sink(False)
        table = self._table
        table.section(f"One way, {placement.name}")
        table.matrix(
            [_NAMES[size] for size in results],
            {name: [found[name] for found in results.values()] for name in results[ONE_WAY_SIZES[0]]},
        )
        table.counts = placement.judged
        for theirs, size, gate in ((QUEUE, 64, 8.0), (QUEUE, 1024, 8.0), (RAW, 262144, 2.5)):
            found = results[size]
            table.speedup(f"{theirs} / shm, {_NAMES[size]}", found["shm"], found[theirs], gate)

    async def _refusals(self) -> None:
        self._table.section("A refusal of a full queue")
        for name, description in {"memory": "memory:", **self._cast.descriptions()}.items():
            channel = await self._fullChannel(f"{description}:blocks=4")
            rounds = []
            for _ in range(self._effort.trip_rounds):
                rounds.append(refusals(channel, _REFUSALS))
                await task.deferLater(self._reactor, 0)
            self._table.time(name, Times(rounds), 5.0)
            channel.abort()

    async def _fullChannel(self, description: str) -> IChannel:
        """
        One end of a channel within this process that takes nothing any more.
        """

        def accept(channel: IChannel) -> IReceiver:
            channel.pauseDelivery()
            return Collector()

        transport = transportFor(description, self._reactor)
        listener = await transport.listen(accept)
        channel = await transport.connect(Collector())
        await listener.stopListening()
        for _ in range(channel.limits.capacity):
            channel.send(b"")
        return channel

    async def _deaths(self) -> None:
        self._table.section("The other process is killed: until channelLost")
        for name, description in self._cast.descriptions().items():
            took = []
            for _ in range(self._effort.deaths):
                channel = await self._cast.openChannel(name, description)
                await channel.trips(b"x", 1)
                await task.deferLater(self._reactor, 0)
                assert channel.peer is not None
                start = time.perf_counter()
                channel.peer.kill()
                await channel.collector.lost
                took.append((time.perf_counter() - start) * 1e3)
                channel.peer.wait()
            detail = f"the slowest of {len(took)}; the quickest {min(took):.2f} ms"
            self._table.add(name, max(took), "ms", 50.0, detail=detail)


def refusals(channel: IChannel, count: int) -> float:
    """
    Seconds for one refusal of a full queue.
    """
    send = channel.send
    start = time.perf_counter()
    for _ in range(count):
        try:
            send(b"")
        except QueueFull:
            pass
    return (time.perf_counter() - start) / count


async def run(reactor: Any, short: bool) -> None:
    """
    Measure, print the table, and exit.
    """
    table = Table(4.0 if short else 1.0)
    limits = Limits()
    print(
        f"{os.cpu_count()} processors, Python {platform.python_version()}, {platform.system()};"
        f" queues of {limits.capacity} blocks of {limits.block_size} bytes"
    )
    places = placements()
    if not places[0].awake:
        print("idle cores cannot be kept awake (that needs Linux, root and two cores):")
        print("round trips are not judged against raw AF_UNIX")
    directory = tempfile.mkdtemp(prefix="ms")
    try:
        cast = Cast(reactor, directory, ONE_WAY_SIZES)
        benchmark = Benchmark(reactor, table, _SHORT if short else _FULL, cast)
        await benchmark.run(places[:2] if short else places)
    finally:
        shutil.rmtree(directory)
    if short:
        print("\n--short: gates four times as wide as they should be; it finds what has become much slower")
    for name in table.failed:
        print(f"FAILED {name}")
    if table.failed:
        raise SystemExit(1)


def main() -> None:
    """
    The command.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transports", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few rounds, wide gates")
    options = parser.parse_args()
    task.react(lambda reactor: Deferred.fromCoroutine(run(reactor, options.short)))


if __name__ == "__main__":
    main()
