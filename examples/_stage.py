"""
The stage of C{kb817051.py}: a store that can be made slow, a front end, the channel between
them, a crowd of clients, and somebody who looks at the queue all the time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock, LoopingCall, deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from examples._charts import Sample
from examples._crowd import Crowd, Habits, Outcome
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.auth.portal import inThreadsOf, storeAuthenticator
from mailstore.engine.limits import EngineLimits
from mailstore.imap.limits import ImapLimits
from mailstore.imap.protocol import ImapFactory
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.server import StoreServer
from mailstore.ipc.service import StoreClientService, StoreServerService
from mailstore.ipc.statistics import QueueCounters
from mailstore.model import SYSTEM
from mailstore.stores import openStore
from transports.interfaces import IChannel, IListener, IReceiver, ITransport

# The ceilings of a run, beside its C{--seconds}: it ends when one of the first two is reached.

#: Blocks allocated, as many as in the article; of C{BLOCK_SIZE} bytes each.
CEILING_BLOCKS = 100_000

#: Seconds of one run by the clock on the wall.
CEILING_SECONDS = 25.0

#: Sessions of the front end.  One whose client has hung up stays until its command is
#: answered, so this bounds the requests in the queue, and the memory for all of it.
CEILING_SESSIONS = 5_000

#: Bytes of a block: a request of these clients needs three or four.
BLOCK_SIZE = 32

#: Seconds that a command waits its turn when the queue is full.
PATIENCE = 0.25

#: Seconds after which a client hangs up and calls again.
GIVE_UP = 2.0

#: Seconds between two samples of the queue.
INTERVAL = 0.05

#: Seconds in which the queue must be empty when all clients have gone.
REST = 5.0

#: Seconds by which the scene's clock goes on at once, see L{Performance}.
TICK = 0.01

PASSWORD = "secret"


@attrs.frozen
class Scene:
    """
    How big, and how long.
    """

    #: Clients at once.
    clients: int
    #: Public folders.
    folders: int
    #: Seconds in which all come, sign in and list the folders, and the store is quick.
    calm: float
    #: Seconds in which the store is busy.
    seconds: float

    @property
    def blocks(self) -> int:
        """
        Blocks of the queue, unless the transport's description says otherwise.
        """
        return max(16, self.clients // 8)

    @property
    def pace(self) -> float:
        """
        Messages that the busy store takes in a second.  It empties a full queue in about
        a second at most, and is too slow for one request of every client within C{GIVE_UP} seconds.
        """
        return self.clients / 6

    @property
    def names(self) -> list[str]:
        """
        The folders' full names.
        """
        return [f"Public Folders/Team {each % 20:02}/Project {each:05}" for each in range(self.folders)]


@attrs.frozen
class Run:
    """
    What was seen.
    """

    title: str
    samples: tuple[Sample, ...]
    #: From when to when the store was busy, in seconds since the beginning.
    busy: tuple[float, float]
    #: The queue to the store, at the end.
    queue: QueueCounters
    #: The queue back to the front end, at the end.
    back: QueueCounters
    #: Sessions of the front end, at the end.
    sessions: int
    outcome: Outcome
    #: Why it ended.
    ended: str


@implementer(IReceiver)
class _BusyReceiver:
    """
    Takes the next message only some time after the one before.
    """

    def __init__(self, transport: BusyStore, channel: IChannel, receiver: IReceiver) -> None:
        self._transport = transport
        self._channel = channel
        self._receiver = receiver

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver.messageReceived<transports.interfaces.IReceiver>}.
        """
        self._receiver.messageReceived(message)
        pace = self._transport.pace
        if pace:
            self._channel.pauseDelivery()
            self._transport.clock.callLater(1 / pace, self._channel.resumeDelivery)

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver.channelLost<transports.interfaces.IReceiver>}.
        """
        self._receiver.channelLost(reason)


@implementer(ITransport)
class BusyStore:
    """
    Any transport, with a listening side that can be made slow to take what is in its queue.

    @ivar pace: messages that it takes in a second; 0 for as many as come.
    """

    def __init__(self, transport: ITransport, clock: IReactorTime) -> None:
        self.description = transport.description
        self.limits = transport.limits
        self.crosses_processes = transport.crosses_processes
        self.clock = clock
        self.pace = 0.0
        self._transport = transport

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        return self._transport.listen(lambda channel: _BusyReceiver(self, channel, accept(channel)))

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect<transports.interfaces.ITransport>}.
        """
        return self._transport.connect(receiver)


class Performance:
    """
    One run: a store, a front end, the channel between them, and the crowd.

    The clients and the busy store go by a clock that loses the time in which this process did
    not get to run: on a machine that has other things to do all of it takes
    longer, and looks the same.
    """

    def __init__(self, reactor: Any, scene: Scene, transport: ITransport) -> None:
        self._reactor = reactor
        self._scene = scene
        self._clock = Clock()
        self._transport = BusyStore(transport, self._clock)
        self._ends = AsyncExitStack()
        self._samples: list[Sample] = []

    async def run(self, title: str, *, cut: bool) -> Run:
        """
        Set it up, watch it, take it down.

        @param cut: end by pulling the plug, in place of letting all clients finish.
        """
        async with self._ends:
            await self._startStore()
            await self._startFrontEnd()
            # A call that is late is left out, not made up for.
            ticking = LoopingCall(self._clock.advance, TICK)
            ticking.clock = self._reactor
            self._atEnd(ticking.stop)
            both: list[Deferred[Any]] = [
                ticking.start(TICK),
                Deferred.fromCoroutine(self._watch(title, cut)),
            ]
            seen: tuple[Run, int] = await DeferredList(
                both, fireOnOneCallback=True, fireOnOneErrback=True, consumeErrors=True
            )
            return seen[0]

    # --- the parts -------------------------------------------------------------

    async def _startStore(self) -> None:
        scene, limits = self._scene, IpcLimits(patience=PATIENCE)
        committer = GroupCommitter(self._reactor)
        store = openStore("sqlite::memory:", EngineLimits(busy_wait=0.0), create=True, committer=committer)
        self._ends.push_async_callback(store.close)
        self._ends.push_async_callback(committer.close)
        keys = makeCredentials(PASSWORD, QUICK_ITERATIONS)
        for name in Crowd.USERS:
            await store.createUser(name, keys)
        for name in scene.names:
            await store.createFolder(SYSTEM, name)
        self._server = StoreServer(store, limits, self._reactor)
        service = StoreServerService(self._transport, self._server)
        service.startService()
        self._atEnd(service.stopService)
        await service.whenListening()

    async def _startFrontEnd(self) -> None:
        limits = IpcLimits(patience=PATIENCE)
        self._remote = RemoteStore(limits, self._reactor)
        client = StoreClientService(self._transport, self._remote, self._reactor, limits)
        client.startService()
        self._atEnd(client.stopService)
        await self._remote.whenReady()
        authenticator = storeAuthenticator(self._remote, inThreadsOf(self._reactor), QUICK_ITERATIONS)
        sessions = ImapLimits(
            max_sessions=CEILING_SESSIONS,
            max_sessions_per_address=CEILING_SESSIONS,
            max_sessions_per_user=CEILING_SESSIONS,
        )
        factory = ImapFactory(self._remote, authenticator, sessions, reactor=self._reactor)
        self._front = factory.front
        self._atEnd(factory.disconnectAll)
        # What is still in the queue then is thrown away, and the sessions that wait for it end.
        self._ends.push_async_callback(self._remote.close)
        port = self._reactor.listenTCP(0, factory, backlog=1024, interface="127.0.0.1")
        self._port: int = port.getHost().port
        self._atEnd(port.stopListening)

    def _atEnd(self, stop: Callable[[], Any]) -> None:
        self._ends.push_async_callback(maybeDeferred, stop)

    # --- the run ---------------------------------------------------------------

    async def _watch(self, title: str, cut: bool) -> Run:
        scene = self._scene
        habits = Habits(arrive=scene.calm / 2, look=scene.calm / 2, give_up=GIVE_UP)
        crowd = Crowd(self._reactor, self._port, scene.clients, scene.names, habits, self._clock)
        end = scene.calm + scene.seconds
        latest = self._reactor.seconds() + CEILING_SECONDS
        crowd.begin(PASSWORD)
        await self._sampleUntil(lambda: self._now() >= scene.calm)
        self._transport.pace = scene.pace
        await self._sampleUntil(
            lambda: (
                self._now() >= end
                or self._queue().blocks_allocated >= CEILING_BLOCKS
                or self._reactor.seconds() >= latest
            )
        )
        over = self._now()
        if cut:
            full = self._queue().blocks_allocated >= CEILING_BLOCKS
            ceiling = f"{CEILING_BLOCKS:,} blocks" if full else f"{over:.0f} s"
            ended = f"stopped at its ceiling of {ceiling}"
            before = self._seen()
            await crowd.cut()
        else:
            ended = f"store quick again after {over:.0f} s"
            self._transport.pace = 0.0
            gone = crowd.finish()
            await self._sampleUntil(lambda: gone.called)
            await gone
            rested = self._now() + REST
            await self._sampleUntil(lambda: self._isEmpty() or self._now() >= rested)
            before = self._seen()
        return Run(title, tuple(self._samples), (scene.calm, over), *before, crowd.outcome(), ended)

    def _seen(self) -> tuple[QueueCounters, QueueCounters, int]:
        self._sample()
        return self._remote.statistics(), self._server.statistics(), self._front.sessions

    def _now(self) -> float:
        seconds: float = self._clock.seconds()
        return seconds

    def _queue(self) -> QueueCounters:
        return self._remote.statistics()

    def _isEmpty(self) -> bool:
        return not (self._queue().blocks_allocated or self._server.statistics().blocks_allocated)

    def _sample(self) -> None:
        queue = self._queue()
        self._samples.append(Sample(self._now(), queue.blocks_allocated, queue.queue_length))

    async def _sampleUntil(self, over: Callable[[], bool]) -> None:
        while not over():
            self._sample()
            await deferLater(self._clock, INTERVAL)
