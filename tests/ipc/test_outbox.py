"""
The way out: order, turns, room.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mailstore.ipc.codec import Assembler, Message, QueueTooSmall
from mailstore.ipc.messages import Kind
from mailstore.ipc.outbox import Deferral, Outbox, Outgoing
from transports.errors import ChannelClosed, PeerLost, QueueFull
from transports.limits import Limits


class HandChannel:
    """
    The outbound half of a channel with room for as many frames as a test says.
    """

    def __init__(self, room: int, limits: Limits) -> None:
        self.limits = limits
        self.room = room
        self.frames: list[bytes] = []
        self.waiters: list[Deferred[None]] = []
        self.aborted = False
        self.error: Exception | None = None
        self.refused = 0

    def send(self, frame: bytes) -> None:
        if self.error is not None:
            raise self.error
        if not self.room:
            self.refused += 1
            raise QueueFull(1, 0, 4)
        self.room -= 1
        self.frames.append(frame)

    def whenFree(self, blocks: int) -> Deferred[None]:
        waiter: Deferred[None] = Deferred(self.waiters.remove)
        self.waiters.append(waiter)
        return waiter

    def abort(self) -> None:
        self.aborted = True

    def drain(self, room: int) -> None:
        """
        Make room.
        """
        self.room += room
        while self.room and self.waiters:
            self.waiters.pop(0).callback(None)

    def said(self) -> list[bytes]:
        """
        The bodies that have arrived whole.
        """
        assembler = Assembler(1 << 20)
        whole = [assembler.feed(each) for each in self.frames]
        return [each.body for each in whole if each is not None]


class OutboxTests(SynchronousTestCase):
    """
    Messages in line.
    """

    def make(self, room: int) -> tuple[HandChannel, Outbox]:
        channel = HandChannel(room, Limits(block_size=64, capacity=4))
        self.rooms = 0

        def onRoom() -> None:
            self.rooms += 1

        return channel, Outbox(channel, onRoom)  # type: ignore[arg-type]

    def message(self, body: bytes) -> Outgoing:
        return Outgoing(Message(Kind.RESULT, 1, body))

    def test_inOrder(self) -> None:
        """
        Messages leave in order, long ones whole before the next, as there is room.
        """
        channel, outbox = self.make(0)
        bodies = [b"a" * 100, b"b", b"c" * 43, b""]
        for each in bodies:
            outbox.put(self.message(each))
        self.assertEqual((outbox.backlog, outbox.entries), (144, 4))
        for _ in range(7):
            self.assertLessEqual(len(channel.waiters), 1)
            channel.drain(1)
        self.assertEqual(channel.said(), bodies)
        self.assertEqual((outbox.backlog, outbox.entries, outbox.idle), (0, 0, True))
        self.assertEqual(channel.waiters, [])
        self.assertEqual(self.rooms, 7)

    def test_urgentTakesTurns(self) -> None:
        """
        What is urgent passes those that wait, does not break a message that
        has begun, and lets one pass before it is urgent again.
        """
        channel, outbox = self.make(1)
        outbox.put(self.message(b"a" * 60))
        outbox.put(self.message(b"b"))
        outbox.put(self.message(b"c"))
        urgent = Deferral(lambda: Message(Kind.CONTROL, 0, b"!"))
        outbox.putLater(urgent, urgent=True)
        outbox.putLater(urgent, urgent=True)
        channel.drain(2)
        outbox.putLater(urgent, urgent=True)
        channel.drain(10)
        self.assertEqual(channel.said(), [b"a" * 60, b"!", b"b", b"!", b"c"])

    def test_madeLate(self) -> None:
        """
        A deferred message is made when its turn comes, in its place, and not at
        all if there is nothing to say.
        """
        channel, outbox = self.make(0)
        words: list[bytes] = []
        deferred = Deferral(lambda: Message(Kind.CHANGED, 0, b"+".join(words)) if words else None)
        outbox.put(self.message(b"a"))
        outbox.putLater(deferred)
        outbox.put(self.message(b"b"))
        words += [b"1", b"2"]
        outbox.putLater(deferred)
        channel.drain(3)
        words.clear()
        outbox.putLater(deferred)
        self.assertEqual(channel.said(), [b"a", b"1+2", b"b"])

    def test_withdraw(self) -> None:
        """
        What has not begun can be taken back; then nobody waits for its room.
        """
        channel, outbox = self.make(1)
        first, second, third = (self.message(each) for each in (b"a" * 60, b"b", b"c"))
        for each in (first, second, third):
            outbox.put(each)
        self.assertFalse(outbox.withdraw(first))
        self.assertTrue(outbox.withdraw(second))
        self.assertFalse(outbox.withdraw(second))
        channel.drain(1)
        self.assertTrue(outbox.withdraw(third))
        self.assertEqual((outbox.idle, outbox.backlog, channel.waiters), (True, 0, []))
        outbox.put(self.message(b"d"))
        channel.drain(1)
        self.assertEqual(channel.said(), [b"a" * 60, b"d"])

    def test_lost(self) -> None:
        """
        When the channel is gone nothing is tried again, and nothing is kept.
        """
        for error in (ChannelClosed("x"), PeerLost("x")):
            channel, outbox = self.make(0)
            outbox.put(self.message(b"a"))
            channel.error = error
            channel.waiters.pop().errback(Failure(error))
            outbox.put(self.message(b"b"))
            self.assertTrue(outbox.lost)
            outbox.lose()
            self.assertEqual((outbox.entries, outbox.backlog, channel.refused), (0, 0, 1))
            self.assertFalse(channel.aborted)

    def test_brokenChannel(self) -> None:
        """
        A channel whose wait fails in a way that it must not is cut.
        """
        channel, outbox = self.make(0)
        outbox.put(self.message(b"a"))
        channel.waiters.pop().errback(Failure(RuntimeError("?")))
        self.assertTrue(channel.aborted)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_tooSmall(self) -> None:
        """
        A queue that cannot carry the shortest messages is refused.
        """
        channel = HandChannel(1, Limits(block_size=32, capacity=1))
        self.assertRaises(QueueTooSmall, Outbox, channel, lambda: None)
