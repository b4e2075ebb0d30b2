"""
L{transports.memory}.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from transports import _channel
from transports._channel import DELIVERY_TIME
from transports.errors import CannotConnect, ChannelClosed, LimitsMismatch
from transports.interfaces import IChannel, IListener, ITransport
from transports.limits import Limits
from transports.memory import MemoryTransport
from transports.testing.conformance import Recorder


class MemoryTransportTests(SynchronousTestCase):
    """
    What C{memory:} does beside the contract.
    """

    def setUp(self) -> None:
        """
        A clock for a reactor.
        """
        self.clock = Clock()
        self.name = self.id()

    def join(self, ours: MemoryTransport, theirs: MemoryTransport) -> tuple[IChannel, Recorder, Recorder]:
        """
        Open a channel.

        @return: the connecting end, and both receivers; the listening one is
            paused.
        """
        left, right = Recorder(), Recorder()

        def accept(channel: IChannel) -> Recorder:
            channel.pauseDelivery()
            right.channel = channel
            return right

        listener = self.successResultOf(theirs.listen(accept))
        channel: IChannel = self.successResultOf(ours.connect(left))
        self.successResultOf(listener.stopListening())
        self.successResultOf(listener.stopListening())
        return channel, left, right

    def test_byName(self) -> None:
        """
        Those who use the same name are joined; the name is free afterwards.
        """
        limits = Limits(64, 4)
        one, other = (MemoryTransport(self.clock, limits, self.name) for _ in range(2))
        for _ in range(2):
            channel, _, right = self.join(one, other)
            channel.send(b"hello")
            assert right.channel is not None
            right.channel.resumeDelivery()
            self.clock.advance(0)
            self.assertEqual(right.messages, [b"hello"])
        self.failureResultOf(one.connect(Recorder()), CannotConnect)

    def delivered(self, seconds: float) -> list[int]:
        """
        Deliver a long queue to a handler that is slow.

        @param seconds: how long 64 messages take.
        @return: how many messages there were after each turn of the reactor.
        """
        limits = Limits(64, 600)
        transport = MemoryTransport(self.clock, limits)
        channel, _, right = self.join(transport, transport)
        for _ in range(limits.capacity):
            channel.send(b"")
        end: Any = right.channel
        now = count(0.0, seconds)
        self.patch(_channel, "perf_counter", lambda: next(now))
        turn = end._turn
        turns: list[int] = []

        def counted() -> None:
            turn()
            turns.append(len(right.messages))

        self.patch(end, "_turn", counted)
        end.resumeDelivery()
        self.clock.advance(0)
        return turns

    def test_quickHandlers(self) -> None:
        """
        In one turn of the reactor as many messages are delivered as the budget allows.
        """
        self.assertEqual(self.delivered(0.0), [256, 512, 600])

    def test_slowHandlers(self) -> None:
        """
        Slow handlers give others their turn before the budget is used up.
        """
        self.assertEqual(self.delivered(DELIVERY_TIME * 0.6), [192, 384, 576, 600])
        self.assertEqual(self.delivered(DELIVERY_TIME * 2), [128, 256, 384, 512, 600])

    def test_withoutName(self) -> None:
        """
        Without a name only the same object is meant.
        """
        one, other = MemoryTransport(self.clock), MemoryTransport(self.clock)
        listener = self.successResultOf(one.listen(lambda channel: Recorder()))
        self.failureResultOf(other.connect(Recorder()), CannotConnect)
        self.successResultOf(listener.stopListening())

    def test_mismatch(self) -> None:
        """
        Both must have the same limits.
        """
        one = MemoryTransport(self.clock, Limits(64, 4), self.name)
        other = MemoryTransport(self.clock, Limits(64, 5), self.name)
        listener = self.successResultOf(one.listen(lambda channel: Recorder()))
        failure = self.failureResultOf(other.connect(Recorder()), LimitsMismatch)
        self.assertIn("5 blocks of 64 bytes", str(failure.value))
        self.successResultOf(listener.stopListening())

    def test_notAccepted(self) -> None:
        """
        A listener that fails is logged, and the connection fails; if it has
        closed the channel before, it is told when that is done.
        """
        closing: list[Deferred[None]] = []

        def accept(channel: IChannel) -> Recorder:
            closing.append(channel.close())
            raise ZeroDivisionError

        transport = MemoryTransport(self.clock)
        self.successResultOf(transport.listen(accept))
        self.failureResultOf(transport.connect(Recorder()), CannotConnect)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(0)
        self.successResultOf(closing[0])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closeDeadline(self) -> None:
        """
        A peer that does not drain is cut off when the deadline has come, and
        no delayed call is left.
        """
        transport = MemoryTransport(self.clock, Limits(64, 4))
        channel, left, right = self.join(transport, transport)
        channel.send(b"never handled")
        done = channel.close()
        self.clock.pump([1.0] * 4)
        self.assertNoResult(done)
        self.clock.pump([1.0] * 2)
        self.successResultOf(done)
        self.assertEqual([each.type for each in left.losses], [ChannelClosed])
        self.assertEqual(len(right.losses), 1)
        self.assertEqual(right.messages, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_oldestAge(self) -> None:
        """
        Statistics tell how long the oldest message has waited.
        """
        transport = MemoryTransport(self.clock, Limits(64, 4))
        channel, _, right = self.join(transport, transport)
        channel.send(b"")
        self.clock.advance(3.0)
        self.assertEqual(channel.statistics().oldest_age, 3.0)
        assert right.channel is not None
        self.assertEqual(right.channel.inboundStatistics().oldest_age, 3.0)

    def test_onlyBytes(self) -> None:
        """
        What could change after it was sent is no message.
        """
        transport = MemoryTransport(self.clock, Limits(64, 4))
        channel, _, _ = self.join(transport, transport)
        self.assertRaises(TypeError, channel.send, bytearray(b"x"))
        self.assertRaises(ValueError, channel.whenFree, 0)
        self.assertEqual(channel.statistics().blocks_allocated, 0)

    def test_interfaces(self) -> None:
        """
        The objects are what they say.
        """
        transport = MemoryTransport(self.clock)
        channel, _, _ = self.join(transport, transport)
        verifyObject(ITransport, transport)
        verifyObject(IChannel, channel)
        verifyObject(IListener, self.successResultOf(transport.listen(lambda channel: Recorder())))
