"""
How fast the channels are, as ratios to plain means in the same run.

    python -m benchmarks.transports [--short]

Both sides of a ratio are measured in turns, round by round, and the best round
of each counts, so that what else the machine does hits both alike.  The exit
code is 1 when a gate fails.  "Bare reactor" is one recv and one send under the
reactor, without any channel: no channel under a reactor can be faster than that.
With C{--short} there are few rounds, and the gates are twice as wide, because
machines that run continuous integration are noisy.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, cast

import attrs
from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from transports.description import transportFor
from transports.errors import QueueFull
from transports.interfaces import IChannel, IReceiver, ITransport
from transports.limits import Limits
from transports.memory import MemoryTransport

#: Sizes of the messages of round trips, in bytes.
TRIP_SIZES = (64, 1024, 4096, 16384)
#: Sizes of the messages sent one way, in bytes.
ONE_WAY_SIZES = (64, 1024)
#: The message that asks the child to answer when everything before it has been handled.
MARK = b"mark"


@attrs.frozen
class Gate:
    """
    One line of the table.
    """

    #: What was measured.
    name: str
    #: The result, in C{unit}.
    value: float
    #: "x" for a ratio, "us", "ms".
    unit: str
    #: The most that passes, or C{None} when the line is for information.
    most: float | None = None
    #: The figures behind it.
    detail: str = ""

    @property
    def passed(self) -> bool:
        """
        Whether the value is good enough.
        """
        return self.most is None or self.value <= self.most

    def row(self) -> str:
        """
        The line as text.
        """
        gate = "" if self.most is None else f"<= {self.most:g} {self.unit}"
        verdict = "" if self.most is None else ("ok" if self.passed else "FAILED")
        return f"{self.name:<44} {self.value:9.2f} {self.unit:<3} {gate:<12} {verdict:<7} {self.detail}"


@implementer(IReceiver)
class Collector:
    """
    Fires a Deferred after so many messages.
    """

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()
        self._missing = 0
        self._done: Deferred[None] = Deferred()
        self.onMessage: Callable[[bytes], None] = self._count

    def messageReceived(self, message: bytes) -> None:
        """
        Hand it to whoever measures at the moment.
        """
        self.onMessage(message)

    def channelLost(self, reason: Failure) -> None:
        """
        Note it.
        """
        self.lost.callback(None)

    def expect(self, count: int) -> Deferred[None]:
        """
        Fires when C{count} further messages have come.
        """
        self._missing = count
        self._done = Deferred()
        self.onMessage = self._count
        return self._done

    def _count(self, message: bytes) -> None:
        self._missing -= 1
        if not self._missing:
            self._done.callback(None)


# The children.


@implementer(IReceiver)
class Echo:
    """
    Sends every message back; in C{sink} mode only the mark.
    """

    def __init__(self, reactor: Any) -> None:
        self.channel: IChannel | None = None
        self._reactor = reactor
        self._sink = False

    def messageReceived(self, message: bytes) -> None:
        """
        Answer it.
        """
        assert self.channel is not None
        if message == b"sink" or message == b"echo":
            self._sink = message == b"sink"
        if not self._sink or message == MARK:
            self.channel.send(message)

    def channelLost(self, reason: Failure) -> None:
        """
        The benchmark is over.
        """
        self._reactor.stop()


def echoChild(description: str) -> None:
    """
    Answer on a channel until it is lost.
    """
    from twisted.internet import reactor

    echo = Echo(reactor)

    def connected(channel: IChannel) -> None:
        echo.channel = channel

    transportFor(description, reactor).connect(echo).addCallback(connected)
    cast(Any, reactor).run()


def rawChild(number: int) -> None:
    """
    Answer on a blocking socket until it is closed.
    """
    with socket.socket(fileno=number) as raw:
        while data := raw.recv(1 << 16):
            raw.sendall(data)


@implementer(IReadDescriptor)
class Bare:
    """
    The least that can be done under a reactor: one C{recv}, one C{send}, no
    channel.  It shows what the reactor itself costs.
    """

    def __init__(self, bare: socket.socket) -> None:
        bare.setblocking(False)
        self.socket = bare
        self.onData: Callable[[bytes], object] = bare.send
        self.onEnd: Callable[[], object] = lambda: None

    def doRead(self) -> None:
        """
        Answer.
        """
        data = self.socket.recv(1 << 16)
        if data:
            self.onData(data)
        else:
            end, self.onEnd = self.onEnd, lambda: None
            end()

    def fileno(self) -> int:
        """
        The number of the socket.
        """
        return self.socket.fileno()

    def logPrefix(self) -> str:
        """
        A name for the log.
        """
        return "bare"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has been stopped.
        """


def bareChild(number: int) -> None:
    """
    Answer under a reactor, without a channel.
    """
    from twisted.internet import reactor

    running = cast(Any, reactor)
    bare = Bare(socket.socket(fileno=number))
    bare.onEnd = running.stop
    running.addReader(bare)
    running.run()


def queueChild(queue: Any, answers: Any) -> None:
    """
    Take everything out of a C{multiprocessing.Queue}; answer to the mark.
    """
    while (item := queue.get()) is not None:
        if item == MARK:
            answers.send(item)


def child(*arguments: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """
    Start this module again, as one of the children.
    """
    return subprocess.Popen([sys.executable, "-m", "benchmarks.transports", *arguments], pass_fds=fds)


# The measurements.


def rawTrips(raw: socket.socket, message: bytes, count: int) -> float:
    """
    Seconds for one round trip over a blocking socket.
    """
    size = len(message)
    start = time.perf_counter()
    for _ in range(count):
        raw.sendall(message)
        got = len(raw.recv(1 << 16))
        while got < size:
            got += len(raw.recv(1 << 16))
    return (time.perf_counter() - start) / count


async def trips(channel: IChannel, collector: Collector, message: bytes, count: int) -> float:
    """
    Seconds for one round trip over a channel.
    """
    done: Deferred[None] = Deferred()
    left = count

    def answered(_: bytes) -> None:
        nonlocal left
        left -= 1
        if left:
            channel.send(message)
        else:
            done.callback(None)

    collector.onMessage = answered
    start = time.perf_counter()
    channel.send(message)
    await done
    return (time.perf_counter() - start) / count


async def bareTrips(bare: Bare, message: bytes, count: int) -> float:
    """
    Seconds for one round trip under a reactor without a channel.
    """
    done: Deferred[None] = Deferred()
    left = count
    got = 0

    def answered(data: bytes) -> None:
        nonlocal left, got
        got += len(data)
        if got == len(message):
            got = 0
            left -= 1
            if left:
                bare.socket.send(message)
            else:
                done.callback(None)

    bare.onData = answered
    start = time.perf_counter()
    bare.socket.send(message)
    await done
    return (time.perf_counter() - start) / count


async def oneWay(channel: IChannel, collector: Collector, message: bytes, count: int) -> float:
    """
    Seconds for one message of many sent one way, until the last has been handled.
    """
    blocks = channel.limits.blocksFor(len(message))
    batch = max(blocks, channel.limits.capacity // 4)
    done = collector.expect(1)
    start = time.perf_counter()
    for _ in range(count):
        try:
            channel.send(message)
        except QueueFull:
            await channel.whenFree(batch)
            channel.send(message)
    await channel.whenFree(1)
    channel.send(MARK)
    await done
    return (time.perf_counter() - start) / count


def queueOneWay(queue: Any, answers: Any, message: bytes, count: int) -> float:
    """
    The same through a C{multiprocessing.Queue}.
    """
    start = time.perf_counter()
    for _ in range(count):
        queue.put(message)
    queue.put(MARK)
    answers.recv()
    return (time.perf_counter() - start) / count


def refusals(channel: IChannel, count: int) -> float:
    """
    Seconds for one refusal of a full queue.
    """
    start = time.perf_counter()
    for _ in range(count):
        try:
            channel.send(b"")
        except QueueFull:
            pass
    return (time.perf_counter() - start) / count


async def pair(transport: ITransport) -> tuple[IChannel, Collector, IChannel, Collector]:
    """
    Both ends of a channel in this process.
    """
    ends: list[IChannel] = []
    ours, theirs = Collector(), Collector()

    def accept(channel: IChannel) -> IReceiver:
        ends.append(channel)
        return theirs

    listener = await transport.listen(accept)
    channel = await transport.connect(ours)
    await listener.stopListening()
    return channel, ours, ends[0], theirs


async def measure(reactor: Any, short: bool) -> list[Gate]:
    """
    Everything, in one run.
    """
    rounds, count = (10, 300) if short else (25, 1000)
    slack = 2.0 if short else 1.0
    gates: list[Gate] = []
    directory = tempfile.mkdtemp(prefix="msbench")
    description = f"unix:{directory}/s:blocks=1024:block_size=4096"
    collector = Collector()
    accepted: Deferred[IChannel] = Deferred()

    def accept(channel: IChannel) -> IReceiver:
        accepted.callback(channel)
        return collector

    listener = await transportFor(description, reactor).listen(accept)
    echo = child("--echo", description)
    raw, raw_theirs = socket.socketpair()
    raw_echo = child("--raw", str(raw_theirs.fileno()), fds=(raw_theirs.fileno(),))
    raw_theirs.close()
    bare_ours, bare_theirs = socket.socketpair()
    bare_echo = child("--bare", str(bare_theirs.fileno()), fds=(bare_theirs.fileno(),))
    bare_theirs.close()
    bare = Bare(bare_ours)
    reactor.addReader(bare)
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    answers, answers_theirs = spawn.Pipe()
    consumer = spawn.Process(target=queueChild, args=(queue, answers_theirs), daemon=True)
    consumer.start()
    try:
        channel = await accepted
        memory, memory_in, memory_peer, memory_peer_in = await pair(MemoryTransport(reactor))
        memory_peer_in.onMessage = memory_peer.send
        queueOneWay(queue, answers, b"warm", 100)

        for size in TRIP_SIZES:
            message = b"x" * size
            best = [float("inf")] * 4
            for _ in range(rounds):
                best[0] = min(best[0], rawTrips(raw, message, count))
                best[1] = min(best[1], await trips(channel, collector, message, count))
                best[2] = min(best[2], await trips(memory, memory_in, message, count))
                best[3] = min(best[3], await bareTrips(bare, message, count))
            plain, unix, inside, least = (each * 1e6 for each in best)
            detail = f"{unix:.1f} us / {least:.1f} us"
            gates.append(
                Gate(f"unix round trip / bare reactor, {size} B", unix / least, "x", 3.0 * slack, detail)
            )
            detail = f"{unix:.1f} us / {plain:.1f} us"
            gates.append(Gate(f"unix round trip / raw AF_UNIX, {size} B", unix / plain, "x", None, detail))
            gates.append(Gate(f"memory round trip, {size} B", inside, "us"))

        first = collector.expect(1)
        channel.send(b"echo")
        await first
        channel.send(b"sink")
        for size in ONE_WAY_SIZES:
            message = b"y" * size
            best = [float("inf")] * 2
            for _ in range(rounds):
                best[0] = min(best[0], queueOneWay(queue, answers, message, count * 5))
                best[1] = min(best[1], await oneWay(channel, collector, message, count * 5))
            slow, unix = (each * 1e6 for each in best)
            detail = f"{unix:.2f} us / {slow:.2f} us a message"
            gates.append(
                Gate(f"unix one way / multiprocessing.Queue, {size} B", unix / slow, "x", None, detail)
            )

        full, _, _, _ = await pair(transportFor(f"unix:{directory}/full:blocks=4", reactor))
        for _ in range(4):
            full.send(b"")
        refusal = min(refusals(full, 2000) for _ in range(rounds))
        gates.append(Gate("a refusal of a full unix queue", refusal * 1e6, "us", 5.0 * slack))

        start = time.perf_counter()
        echo.kill()
        await collector.lost
        gates.append(Gate("peer death noticed", (time.perf_counter() - start) * 1e3, "ms", 50.0 * slack))
        full.abort()
        memory.abort()
        await listener.stopListening()
    finally:
        raw.close()
        reactor.removeReader(bare)
        bare_ours.close()
        queue.put(None)
        consumer.join()
        echo.kill()
        echo.wait()
        raw_echo.wait()
        bare_echo.wait()
        shutil.rmtree(directory)
    return gates


async def run(reactor: Any, short: bool) -> None:
    """
    Measure, print the table, and exit.
    """
    gates = await measure(reactor, short)
    for gate in gates:
        print(gate.row())
    limits = Limits()
    print(f"queues of {limits.capacity} blocks of {limits.block_size} bytes; {os.cpu_count()} processors")
    if short:
        print("--short: the gates are twice as wide as they should be")
    if not all(gate.passed for gate in gates):
        raise SystemExit(1)


def main() -> None:
    """
    The command.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transports", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few rounds, wide gates")
    parser.add_argument("--echo", help=argparse.SUPPRESS)
    parser.add_argument("--raw", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.echo is not None:
        echoChild(options.echo)
    elif options.raw is not None:
        rawChild(options.raw)
    elif options.bare is not None:
        bareChild(options.bare)
    else:
        task.react(lambda reactor: Deferred.fromCoroutine(run(reactor, options.short)))


if __name__ == "__main__":
    main()
