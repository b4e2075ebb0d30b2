"""
What the transport benchmark compares: each contestant is one end of something
that carries messages, here, and a process that answers at its other end.

This module has what they share and the channels; L{benchmarks._floors} has the
least that can be done, L{benchmarks._rivals} has the ways of others.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from benchmarks._peers import ECHO, MARK, SINK
from transports.errors import QueueFull
from transports.interfaces import IChannel, IListener, IReceiver, ITransport

#: Seconds that a peer may need to start or to end.
PATIENCE = 30.0


def startPeer(
    kind: Callable[..., None], *arguments: object, fds: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """
    Start one of L{benchmarks._peers} as a process.
    """
    command = [sys.executable, "-m", "benchmarks._peers", kind.__name__, *map(str, arguments)]
    return subprocess.Popen(command, pass_fds=fds)


class Contestant:
    """
    One end of something that carries messages.

    @ivar name: for the table.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.peer: subprocess.Popen[bytes] | None = None

    @property
    def pids(self) -> list[int]:
        """
        The processes at the other end.
        """
        return [] if self.peer is None else [self.peer.pid]

    async def trips(self, message: bytes, count: int) -> float:
        """
        Send a message and wait for it to come back, C{count} times.

        @return: seconds for one round trip.
        """
        raise NotImplementedError

    async def oneWay(self, message: bytes, count: int) -> float:
        """
        Send C{count} messages as fast as they are taken and wait until the last has been handled.

        @return: seconds for one message.
        """
        raise NotImplementedError

    async def sink(self, on: bool) -> None:
        """
        Say whether the other end takes messages only, or answers them.
        """

    async def stop(self) -> None:
        """
        Let go of everything; the other process ends.
        """
        raise NotImplementedError

    def _reap(self) -> None:
        if self.peer is not None:
            try:
                self.peer.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.peer.kill()
                self.peer.wait()


@implementer(IReceiver)
class Collector:
    """
    The receiver of this end of a channel.

    @ivar lost: fires when the channel has been lost.
    @ivar onMessage: who is told of messages.
    """

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()
        self.onMessage: Callable[[bytes], None] = lambda _: None
        self._awaited: Deferred[None] = succeed(None)

    def messageReceived(self, message: bytes) -> None:
        """
        Hand it to whoever measures at the moment.
        """
        self.onMessage(message)

    def channelLost(self, reason: Failure) -> None:
        """
        Note it; nobody waits for a message any more.
        """
        self.lost.callback(None)
        if not self._awaited.called:
            self._awaited.errback(reason)

    def awaited(self) -> Deferred[None]:
        """
        A Deferred that fails when the channel is lost; firing it is the caller's business.
        """
        self._awaited = Deferred()
        return self._awaited

    def next(self) -> Deferred[None]:
        """
        Fires with the next message; fails when the channel is lost.
        """
        done = self.awaited()
        self.onMessage = lambda _: done.callback(None)
        return done


class Channel(Contestant):
    """
    A channel of ours.

    @ivar channel: this end.
    @ivar collector: its receiver.
    """

    channel: IChannel
    collector: Collector

    async def open(
        self, transport: ITransport, peer: Callable[[], subprocess.Popen[bytes]] | None, reactor: Any
    ) -> None:
        """
        Listen and wait for the other end.

        @param peer: starts the process that connects, or C{None}: the other end is in this process.
        """
        accepted: Deferred[None] = Deferred()
        self.collector = Collector()

        def accept(channel: IChannel) -> IReceiver:
            self.channel = channel
            accepted.callback(None)
            return self.collector

        listener: IListener = await transport.listen(accept)
        if peer is None:
            inside = Collector()
            echo = await transport.connect(inside)
            inside.onMessage = echo.send
        else:
            self.peer = peer()
        await accepted.addTimeout(PATIENCE, reactor)
        await listener.stopListening()
        # Now the other end is there too, made before anybody says which processor is its own.
        await self.trips(b"ready", 1)

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        done = self.collector.awaited()
        send = self.channel.send
        left = count

        def answered(_: bytes) -> None:
            nonlocal left
            left -= 1
            if left:
                send(message)
            else:
                done.callback(None)

        self.collector.onMessage = answered
        start = time.perf_counter()
        send(message)
        await done
        return (time.perf_counter() - start) / count

    async def oneWay(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.oneWay}.
        """
        send, limits = self.channel.send, self.channel.limits
        batch = max(limits.blocksFor(len(message)), limits.capacity // 4)
        done = self.collector.next()
        start = time.perf_counter()
        for _ in range(count - 1):
            try:
                send(message)
            except QueueFull:
                await self.channel.whenFree(batch)
                send(message)
        await self.channel.whenFree(1)
        send(MARK)
        await done
        return (time.perf_counter() - start) / count

    async def sink(self, on: bool) -> None:
        """
        See L{Contestant.sink}.
        """
        done = self.collector.next()
        self.channel.send(SINK if on else ECHO)
        await done

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self.channel.abort()
        await self.collector.lost
        self._reap()
