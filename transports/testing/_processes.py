# mypy: allow-untyped-calls
"""
The checks of a peer in another process: stopped, killed, restarted.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache

from twisted.internet.defer import Deferred

from transports.errors import CannotConnect, ChannelClosed, PeerLost, QueueFull
from transports.interfaces import IChannel, IReceiver, ITransport
from transports.limits import Limits
from transports.testing._harness import ConformanceBase, Recorder
from transports.testing._leaks import Holdings, usePrivateDirectory
from transports.testing._traffic import anyNumbered, numberOf
from transports.testing.peer import HOLDING, LAST

#: The queues between the processes: many messages need several blocks.
LIMITS = Limits(block_size=256, capacity=24)


class Nursery:
    """
    Starts peers, see L{transports.testing.peer}.

    There is one for all tests of this process, because an interpreter takes
    long to start; it ends when it loses us, however that comes about.
    """

    def __init__(self) -> None:
        self._output = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "transports.testing.peer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(each) for each in sys.path)},
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        atexit.register(self._close)

    @classmethod
    @cache
    def ours(cls) -> Nursery:
        """
        The one of this process.
        """
        return cls()

    async def start(self, case: ProcessTests, mode: str, description: str) -> int:
        """
        Start a peer; it is gone when the test is over.

        @param mode: see L{transports.testing.peer}.
        @return: the number of its process.
        """
        pid = await self._ask(case, [mode, description, tempfile.gettempdir()])
        case.addCleanup(lambda: Deferred.fromCoroutine(self._ask(case, pid)))
        return pid

    async def _ask(self, case: ProcessTests, request: list[str] | int) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()

        def answered() -> bool:
            self._output += stdout.read() or b""
            return self._output.endswith(b"\n")

        await case.waitFor(answered, "the other processes to be ready")
        answer, self._output = int(self._output), b""
        return answer

    def _close(self) -> None:
        with self._process:
            pass


class Remote:
    """
    A peer in another process, and this end of the channel to it.

    @ivar pid: the number of its process.
    @ivar channel: this end.
    @ivar recorder: what arrived here.
    """

    def __init__(self, case: ProcessTests, pid: int, channel: IChannel, recorder: Recorder) -> None:
        self._case = case
        self.pid = pid
        self.channel = channel
        self.recorder = recorder

    @property
    def numbers(self) -> list[int]:
        """
        The numbers of the messages that arrived.

        @raise ValueError: one is torn.
        """
        return [numberOf(each) for each in self.recorder.messages]

    def sample(self) -> None:
        """
        The invariant.
        """
        for book in (self.channel.statistics(), self.channel.inboundStatistics()):
            if not 0 <= book.blocks_allocated <= book.blocks_capacity:
                self._case.fail(f"{book.blocks_allocated} of {book.blocks_capacity} blocks allocated")

    def fill(self) -> int:
        """
        Send numbered messages until one is refused.

        @return: how many were accepted.
        """
        number = 0
        try:
            while True:
                self.channel.send(anyNumbered(number, LIMITS.block_size))
                self.sample()
                number += 1
        except QueueFull:
            return number

    async def arrived(self, least: int) -> None:
        """
        Wait until so many messages have been delivered here.
        """
        await self._case.waitFor(
            lambda: len(self.recorder.messages) >= least,
            f"{least} messages from the other process",
            self.sample,
        )

    def kill(self) -> float:
        """
        C{kill -9}.

        @return: when.
        """
        os.kill(self.pid, signal.SIGKILL)
        return time.monotonic()

    async def lost(self, since: float | None) -> None:
        """
        Wait until the loss is told; it must be told once, within a second, and
        end everything.

        @param since: when the process was killed, if that is known.
        """
        case = self._case
        await case.waitFor(lambda: bool(self.recorder.losses), "channelLost", self.sample)
        if since is not None:
            case.assertLess(time.monotonic() - since, 1.0)
        await case.settle()
        case.assertEqual([each.type for each in self.recorder.losses], [PeerLost])
        case.assertEqual(self.recorder.after_loss, 0)
        case.assertEqual(self.channel.statistics().blocks_allocated, 0)
        case.assertEqual(self.channel.inboundStatistics().blocks_allocated, 0)
        case.assertRaises(PeerLost, self.channel.send, b"too late")
        case.failureResultOf(self.channel.whenFree(1), PeerLost)

    def assertUnbroken(self) -> None:
        """
        What arrived is the beginning of what the other process sent, message by
        message, untorn.
        """
        numbers = self.numbers
        self._case.assertEqual(numbers, list(range(len(numbers))))


class ProcessTests(ConformanceBase):
    """
    A peer that dies, however it dies, is an event: told once, within a second,
    with nothing torn, held or left.

    The peers are processes of their own and find the transport through its
    description, see L{transports.testing.peer}.

    @ivar kills: how often a peer is killed by each of the checks that do so;
        the environment variable C{TRANSPORTS_KILLS} sets another number.
    """

    patience = 20.0
    kills = int(os.environ.get("TRANSPORTS_KILLS", "6"))
    timeout = 60.0 + kills

    def descriptionFor(self, transport: ITransport) -> str:
        """
        By which description another process can connect to a transport that
        listens here, or listen for one that connects from here.
        """
        limits = transport.limits
        return f"{transport.description}:blocks={limits.capacity}:block_size={limits.block_size}"

    def makeRemoteTransport(self, limits: Limits) -> ITransport:
        """
        Make a transport for a place where another process will listen.
        """
        return self.makeTransport(limits)

    async def listenHere(self) -> ITransport:
        """
        Listen for processes.
        """
        self.accepted: list[tuple[IChannel, Recorder]] = []

        def accept(channel: IChannel) -> IReceiver:
            recorder = Recorder()
            recorder.channel = channel
            self.accepted.append((channel, recorder))
            return recorder

        transport = self.makeTransport(LIMITS)
        listener = await transport.listen(accept)
        self.addCleanup(listener.stopListening)
        return transport

    async def start(self, mode: str, transport: ITransport) -> Remote:
        """
        Start a process that connects to us.
        """
        pid = await Nursery.ours().start(self, mode, self.descriptionFor(transport))
        await self.waitFor(lambda: bool(self.accepted), "the other process to connect")
        channel, recorder = self.accepted.pop()
        self.addCleanup(channel.abort)
        return Remote(self, pid, channel, recorder)

    async def startListening(self, mode: str, transport: ITransport) -> Remote:
        """
        Start a process that listens, and connect to it.
        """
        pid = await Nursery.ours().start(self, f"{mode},listen", self.descriptionFor(transport))
        end = time.monotonic() + self.patience
        recorder = Recorder()
        while True:
            try:
                channel = await transport.connect(recorder)
                break
            except CannotConnect:
                self.assertLess(time.monotonic(), end, "nobody listens in the other process")
                await self.turn(0.002)
        recorder.channel = channel
        self.addCleanup(channel.abort)
        return Remote(self, pid, channel, recorder)

    async def test_lossIsToldOnceAndWithinASecond(self) -> None:
        """
        An idle peer is killed: C{channelLost} with L{PeerLost}, once, within a
        second.
        """
        transport = await self.listenHere()
        for _ in range(self.kills):
            remote = await self.start("sink", transport)
            await remote.lost(remote.kill())

    async def test_receiverKilledHoldingBlocks(self) -> None:
        """
        The receiver of a full queue is killed again and again: its blocks are
        free, those who wait are told, sends are refused by the right name.
        """
        transport = await self.listenHere()
        for _ in range(self.kills):
            remote = await self.start("hold", transport)
            await remote.arrived(1)
            self.assertEqual(remote.recorder.messages, [HOLDING])
            remote.fill()
            waiters = [remote.channel.whenFree(blocks) for blocks in (LIMITS.capacity, 1)]
            await self.settle()
            self.assertRaises(QueueFull, remote.channel.send, b"x" * LIMITS.max_message)
            await remote.lost(remote.kill())
            for waiter in waiters:
                self.failureResultOf(waiter, PeerLost)

    async def test_killedAtRandomInstants(self) -> None:
        """
        Both ends send as much as they can, and the peer is killed again and
        again, after some messages and some time: what arrived is whole, in
        order, and a beginning of what was sent.
        """
        transport = await self.listenHere()
        numbers = random.Random()
        for _ in range(self.kills):
            remote = await self.start("flood", transport)
            await remote.arrived(numbers.randrange(1, 150))
            for _ in range(numbers.randrange(20)):
                remote.fill()
                await self.turn(numbers.random() * 0.002)
            await remote.lost(remote.kill())
            remote.assertUnbroken()

    async def test_senderKilledInMidCopy(self) -> None:
        """
        The sender is killed at one line after another of what C{send} and
        C{flush} do: what it had not finished never arrives, what it had is whole.
        """
        transport = await self.listenHere()
        for number in range(2 * self.kills):
            # Steps that have no common factor with the lines of one send.
            remote = await self.start(f"flood,die={40 + 97 * number}", transport)
            await remote.lost(None)
            remote.assertUnbroken()

    async def test_listenerKilledAndRestarted(self) -> None:
        """
        The process that listens is killed again and again, and another one
        listens at the same place: the end that had connected is told, connects
        again, and has a channel of its own, with a new epoch where there is one.
        """
        transport = self.makeRemoteTransport(LIMITS)
        epochs = set()
        for number in range(self.kills):
            remote = await self.startListening("echo", transport)
            epochs.add(getattr(remote.channel, "epoch", number))
            self.assertEqual(remote.channel.statistics().enqueued_total, 0)
            sent = remote.fill()
            await remote.arrived(sent)
            self.assertEqual(remote.numbers, list(range(sent)))
            remote.channel.pauseDelivery()
            remote.fill()
            await self.turn(random.random() * 0.002)
            await remote.lost(remote.kill())
        self.assertEqual(len(epochs), self.kills)

    async def test_stoppedFilledAndContinued(self) -> None:
        """
        SIGSTOP, fill, SIGCONT: while the peer stands still the queue fills and
        refuses, and nothing blocks; when it goes on everything is answered.
        """
        remote = await self.start("echo", await self.listenHere())
        os.kill(remote.pid, signal.SIGSTOP)
        try:
            sent = remote.fill()
            for _ in range(200):
                self.assertRaises(QueueFull, remote.channel.send, b"x" * LIMITS.block_size)
                remote.channel.flush()
                remote.sample()
                await self.turn()
            waiter = remote.channel.whenFree(LIMITS.capacity)
            self.assertEqual((remote.recorder.messages, remote.recorder.losses), ([], []))
            self.assertNoResult(waiter)
        finally:
            os.kill(remote.pid, signal.SIGCONT)
        await remote.arrived(sent)
        await waiter
        self.assertEqual(remote.numbers, list(range(sent)))
        self.assertEqual(remote.channel.statistics().blocks_allocated, 0)
        self.assertEqual(remote.recorder.losses, [])

    async def test_killedWhileStopped(self) -> None:
        """
        A peer that stands still, its queue full, is killed: that is told like
        any other death.
        """
        remote = await self.start("flood", await self.listenHere())
        await remote.arrived(10)
        os.kill(remote.pid, signal.SIGSTOP)
        remote.fill()
        waiter = remote.channel.whenFree(LIMITS.capacity)
        await remote.lost(remote.kill())
        self.failureResultOf(waiter, PeerLost)
        remote.assertUnbroken()

    async def test_closesInOrder(self) -> None:
        """
        A peer that closes is no loss: all that it sent arrives first.
        """
        remote = await self.start("close", await self.listenHere())
        await self.waitFor(lambda: bool(remote.recorder.losses), "channelLost", remote.sample)
        await self.settle()
        self.assertEqual([each.type for each in remote.recorder.losses], [ChannelClosed])
        self.assertEqual(remote.numbers, list(range(LAST)))

    async def test_otherProcessesGoOn(self) -> None:
        """
        The death of one peer is nothing to another at the same listener.
        """
        transport = await self.listenHere()
        dying = await self.start("hold", transport)
        living = await self.start("echo", transport)
        await dying.arrived(1)
        dying.fill()
        await dying.lost(dying.kill())
        for _ in range(3):
            living.recorder.messages.clear()
            sent = living.fill()
            await living.arrived(sent)
            self.assertEqual(living.numbers, list(range(sent)))
        self.assertEqual(living.recorder.losses, [])

    async def test_nothingIsLeftOfTheDead(self) -> None:
        """
        After each death this process holds as many descriptors, mappings,
        files and delayed calls as after the first.
        """
        usePrivateDirectory(self)
        transport = await self.listenHere()
        before: Holdings | None = None
        for _ in range(self.kills):
            remote = await self.start("flood", transport)
            await remote.arrived(5)
            remote.fill()
            await remote.lost(remote.kill())
            if before is None:
                before = Holdings.now()
        await self.waitFor(lambda: Holdings.now() == before, f"the process to hold {before} again")
