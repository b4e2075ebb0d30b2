"""
C{unix:} between two processes, one of which is stopped or killed.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from transports.errors import PeerLost, QueueFull
from transports.interfaces import IChannel, IReceiver
from transports.limits import Limits
from transports.sockets import UnixTransport
from transports.testing.conformance import ConformanceBase, Recorder

ROOT = Path(__file__).resolve().parents[2]


class ProcessTests(ConformanceBase, TestCase):
    """
    A peer that dies is an event.
    """

    patience = 20.0
    limits = Limits(block_size=1024, capacity=64)

    async def start(self, mode: str) -> tuple[subprocess.Popen[bytes], IChannel, Recorder]:
        """
        Start a peer, and wait until it has connected.

        @param mode: see L{tests.transports.peer}.
        """
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        transport = UnixTransport(reactor, f"{directory}/s", self.limits)
        recorder = Recorder()
        accepted: Deferred[IChannel] = Deferred()

        def accept(channel: IChannel) -> IReceiver:
            accepted.callback(channel)
            return recorder

        listener = await transport.listen(accept)
        description = f"unix:{directory}/s:block_size=1024:blocks=64"
        peer = subprocess.Popen([sys.executable, "-m", "tests.transports.peer", mode, description], cwd=ROOT)
        self.addCleanup(peer.wait)
        self.addCleanup(peer.kill)
        channel = await accepted
        await listener.stopListening()
        self.addCleanup(channel.abort)
        return peer, channel, recorder

    async def received(self, recorder: Recorder, least: int) -> None:
        """
        Wait until so many messages have been delivered.
        """
        await self.waitFor(lambda: len(recorder.messages) >= least, f"{least} messages")

    async def lost(self, peer: subprocess.Popen[bytes], recorder: Recorder) -> None:
        """
        Kill the peer; the loss must be told once and within a second.
        """
        peer.kill()
        began = time.monotonic()
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.assertLess(time.monotonic() - began, 1.0)
        for _ in range(10):
            await self.turn()
        self.assertEqual([each.type for each in recorder.losses], [PeerLost])
        self.assertEqual(recorder.after_loss, 0)

    async def test_killedWhileHolding(self) -> None:
        """
        The receiver of a full queue is killed: its blocks are free, those who
        waited are told, sends are refused with the right name.
        """
        peer, channel, recorder = await self.start("hold")
        await self.waitFor(lambda: bool(recorder.messages), "the peer")
        while channel.statistics().blocks_allocated < 64:
            channel.send(b"x" * 1008)
        self.assertRaises(QueueFull, channel.send, b"")
        waiter = channel.whenFree(1)
        await self.lost(peer, recorder)
        self.failureResultOf(waiter, PeerLost)
        self.assertRaises(PeerLost, channel.send, b"")
        self.assertEqual(channel.statistics().blocks_allocated, 0)

    async def test_killedWhileSending(self) -> None:
        """
        The sender is killed in the midst of it: what was delivered is whole
        and in order, the torn rest is not.
        """
        for least in (1, 40, 200):
            peer, _, recorder = await self.start("flood")
            await self.received(recorder, least)
            await self.lost(peer, recorder)
            for number, message in enumerate(recorder.messages):
                self.assertEqual(message, number.to_bytes(8, "little") * (1 + number % 5000))

    async def test_stopped(self) -> None:
        """
        While the peer is stopped the queue fills and refuses; when it goes on,
        everything is answered.
        """
        peer, channel, recorder = await self.start("echo")
        peer.send_signal(signal.SIGSTOP)
        sent = []
        for number in range(1000):
            message = number.to_bytes(8, "little") * 10
            try:
                channel.send(message)
            except QueueFull:
                continue
            sent.append(message)
            await self.turn()
        self.assertEqual(len(sent), 64)
        self.assertEqual(channel.statistics().refused_total, 936)
        peer.send_signal(signal.SIGCONT)
        await self.waitFor(lambda: len(recorder.messages) == 64, "the answers")
        self.assertEqual(recorder.messages, sent)
        await self.waitFor(lambda: channel.statistics().blocks_allocated == 0, "all blocks")
        self.assertEqual(recorder.losses, [])
        await channel.close()
        peer.wait()
