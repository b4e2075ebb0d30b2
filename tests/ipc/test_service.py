"""
Connecting, and connecting again.
"""

from __future__ import annotations

from itertools import pairwise

from twisted.internet.defer import fail
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailstore.errors import StoreUnavailable
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.codec import QueueTooSmall
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.server import StoreServer
from mailstore.ipc.service import StoreClientService, StoreServerService
from mailstore.ipc.statistics import QueueCounters, epoxyCounters
from tests.ipc.fakes import FakeStore, Noting, Outcome, TurningClock
from transports.errors import CannotConnect, CannotListen
from transports.interfaces import IChannel, IReceiver
from transports.limits import Limits
from transports.memory import MemoryTransport

LIMITS = IpcLimits(poll_interval=0)


@implementer(ILogObserver)
class Warnings:
    """
    Keeps what is logged as a warning.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        self.lines: list[str] = []
        globalLogPublisher.addObserver(self)
        case.addCleanup(globalLogPublisher.removeObserver, self)

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.warn:
            self.lines.append(formatEvent(event))


@implementer(IReceiver)
class _BrokenOff:
    """
    The receiver of a channel that was cut at once.
    """

    def messageReceived(self, message: bytes) -> None:
        """
        Too late.
        """

    def channelLost(self, reason: Failure) -> None:
        """
        As it was meant.
        """


class ServiceTests(SynchronousTestCase):
    """
    Both services over a memory transport.
    """

    def setUp(self) -> None:
        self.clock = TurningClock()
        self.transport = MemoryTransport(self.clock, Limits())
        self.remote = RemoteStore(LIMITS, self.clock)
        self.client = StoreClientService(self.transport, self.remote, self.clock, LIMITS, lambda: 0.0)
        self.restart()

    def restart(self) -> None:
        """
        Make another store.
        """
        self.store = FakeStore()
        server = StoreServer(self.store, LIMITS, self.clock)  # type: ignore[arg-type]
        self.service = StoreServerService(self.transport, server)

    def turns(self) -> None:
        for _ in range(30):
            self.clock.turn()

    def ask(self) -> Outcome:
        return Outcome(self.remote.rights("ann", "x"))

    def test_life(self) -> None:
        """
        Requests wait for the connection; stopping closes it and leaves nothing.
        """
        self.service.startService()
        self.successResultOf(self.service.whenListening())
        self.client.startService()
        ready = self.remote.whenReady()
        outcome = self.ask()
        self.turns()
        self.successResultOf(ready)
        self.assertEqual(outcome.value, "lrs")
        stopped = self.client.stopService()
        self.turns()
        self.successResultOf(stopped)
        stopped = self.service.stopService()
        self.turns()
        self.successResultOf(stopped)
        self.assertEqual(self.service.server.front_ends, ())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_backOff(self) -> None:
        """
        A store that is not there is tried again, less and less often, and the
        log tells it once.
        """
        warnings = Warnings(self)
        self.client.startService()
        delays = []
        for _ in range(9):
            [call] = self.clock.getDelayedCalls()
            delays.append(round(call.getTime() - self.clock.seconds(), 3))
            self.clock.advance(call.getTime() - self.clock.seconds())
        self.assertEqual(delays, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])
        self.assertEqual(len(warnings.lines), 1)
        self.service.startService()
        self.clock.advance(5)
        self.turns()
        self.assertTrue(self.remote.is_ready)

    def test_neverReady(self) -> None:
        """
        A store that answers the call and breaks off before it is ready, as one of another version does, is
        tried again less and less often, and the log tells it once.
        """
        warnings = Warnings(self)
        accepted: list[float] = []

        def accept(channel: IChannel) -> _BrokenOff:
            accepted.append(self.clock.seconds())
            channel.abort()
            return _BrokenOff()

        self.successResultOf(self.transport.listen(accept))
        self.client.startService()
        for _ in range(2000):
            self.clock.advance(0.01)
        gaps = [round(later - sooner, 1) for sooner, later in pairwise(accepted)]
        self.assertEqual(gaps[:6], [0.1, 0.2, 0.4, 0.8, 1.6, 3.2])
        self.assertEqual(len(accepted), 9)
        self.assertEqual(len(warnings.lines), 1)
        self.assertIn("it broke off before it was ready", warnings.lines[0])
        self.client.stopService()

    def test_otherReason(self) -> None:
        """
        When the reason changes, the new one is told, once.
        """
        warnings = Warnings(self)
        reasons = ["nobody listens", "nobody listens", "other limits", "other limits", "nobody listens"]
        failing = iter([*map(CannotConnect, reasons)])
        self.patch(self.transport, "connect", lambda receiver: fail(next(failing)))
        self.client.startService()
        for _ in reasons[1:]:
            self.clock.advance(5)
        told = [line.partition("trying again: ")[2] for line in warnings.lines]
        self.assertEqual(told, ["nobody listens", "other limits", "nobody listens"])
        self.client.stopService()

    def test_again(self) -> None:
        """
        When the store goes away and comes back the front end goes on with the
        new one, and observers are told that everything may have changed.
        """
        noting = Noting()
        self.remote.observe(noting)
        self.service.startService()
        self.client.startService()
        self.turns()
        self.service.server.front_ends[0].channel.abort()
        self.service.stopService()
        self.turns()
        outcome = self.ask()
        self.restart()
        self.service.startService()
        self.clock.advance(0.2)
        self.turns()
        self.assertEqual(outcome.value, "lrs")
        self.assertEqual(noting.told, ["everything"])
        self.assertEqual(self.store.begun, ["rights ann x"])

    def test_closedStore(self) -> None:
        """
        A remote store that was closed is not connected again.
        """
        self.client.startService()
        Outcome(self.remote.close())
        self.clock.advance(10)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIs(self.ask().error, StoreUnavailable)

    def test_cannotListen(self) -> None:
        """
        A place that is taken is told to who asks.
        """
        self.service.startService()
        self.restart()
        waiting = self.service.whenListening()
        self.service.startService()
        self.failureResultOf(waiting, CannotListen)
        self.failureResultOf(self.service.whenListening(), CannotListen)
        self.flushLoggedErrors(CannotListen)

    def test_tooSmall(self) -> None:
        """
        A transport whose queue is too small is refused before anything starts.
        """
        transport = MemoryTransport(self.clock, Limits(block_size=32, capacity=1))
        self.assertRaises(QueueTooSmall, StoreClientService, transport, self.remote, self.clock)
        self.assertRaises(QueueTooSmall, StoreServerService, transport, self.service.server)

    def test_statistics(self) -> None:
        """
        The counters keep their old names; refusals survive a reconnection.
        """
        self.service.startService()
        self.client.startService()
        self.turns()
        outcomes = [self.ask() for _ in range(3)]
        names = epoxyCounters(self.remote.statistics(), self.service.server.statistics())
        self.assertEqual(
            names,
            {
                "epoxy_client_out_queue_length": 3,
                "epoxy_store_out_queue_length": 0,
                "epoxy_blocks_allocated": 3,
                "epoxy_blocks_capacity": 2048,
                "epoxy_refused_total": 0,
            },
        )
        self.turns()
        self.assertTrue(all(each.done for each in outcomes))
        self.assertEqual(self.remote.statistics(), QueueCounters(blocks_capacity=1024, blocks_high_water=3))
        self.assertEqual(epoxyCounters()["epoxy_blocks_capacity"], 0)
