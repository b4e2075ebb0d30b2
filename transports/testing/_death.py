# mypy: allow-untyped-calls
"""
The checks of the end: in order, by force, by loss.
"""

from __future__ import annotations

import time

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from transports.errors import CannotConnect, CannotListen, ChannelClosed, PeerLost, TransportError
from transports.interfaces import IChannel
from transports.testing._harness import LIMITS, ConformanceBase, End, Pair, Place, Recorder

#: How often a place is opened, used and given up again.
RESTARTS = 100


class NotToday(Exception):
    """
    What a listener raises on purpose.
    """


class DeathTests(ConformanceBase):
    """
    An end is told once to each side, and leaves nobody waiting.
    """

    async def lost(self, *ends: End) -> None:
        """
        Wait until these ends have been told.
        """
        await self.until(lambda: all(end.recorder.losses for end in ends), "channelLost")
        await self.settle()

    def assertLostOnce(self, end: End, reason: type[TransportError]) -> None:
        """
        The end was told once, why, and nothing was delivered afterwards.
        """
        self.assertEqual([failure.type for failure in end.recorder.losses], [reason])
        self.assertEqual(end.recorder.after_loss, 0)

    async def test_lossIsReportedOnce(self) -> None:
        """
        An abort is told to both receivers, once, within a second: to this side
        as closed, to the other as a loss.
        """
        pair = await self.openPair()
        pair.left.resume()
        pair.right.resume()
        pair.left.fill(3)
        pair.right.fill(3)
        await self.turn()
        began = time.monotonic()
        pair.left.channel.abort()
        self.assertEqual(pair.left.recorder.losses, [])
        pair.left.channel.abort()
        await self.lost(pair.left, pair.right)
        self.assertLess(time.monotonic() - began, 1.0)
        pair.left.channel.abort()
        pair.right.channel.abort()
        await self.settle()
        self.assertLostOnce(pair.left, ChannelClosed)
        self.assertLostOnce(pair.right, PeerLost)

    async def test_lossIsReportedWhilePaused(self) -> None:
        """
        An end that delivers nothing learns of the loss all the same.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        await self.settle()
        pair.left.channel.abort()
        await self.lost(pair.right)
        self.assertLostOnce(pair.right, PeerLost)
        self.assertEqual(pair.right.messages, [])

    async def test_lossFreesTheBlocks(self) -> None:
        """
        After a loss neither end holds blocks.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        pair.right.fill(LIMITS.capacity)
        await self.settle()
        pair.left.channel.abort()
        await self.lost(pair.left, pair.right)
        for end in (pair.left, pair.right):
            for each in (end.channel.statistics(), end.channel.inboundStatistics()):
                self.assertEqual((each.blocks_allocated, each.queue_length), (0, 0))
                # Thrown away is not handled.
                self.assertEqual(each.dequeued_total, 0)

    async def test_waiterMayCancelAnotherOnLoss(self) -> None:
        """
        Who is told that there will be no room may cancel who is behind; the
        others are told all the same, and the end goes its way.
        """
        pair = await self.openPair()
        pair.right.fill(LIMITS.capacity)
        waiters = [pair.right.channel.whenFree(LIMITS.capacity) for _ in range(3)]
        waiters[0].addErrback(lambda _: waiters[1].cancel())
        pair.right.channel.abort()
        await self.lost(pair.left, pair.right)
        self.successResultOf(waiters[0])
        self.failureResultOf(waiters[1], CancelledError)
        self.failureResultOf(waiters[2], ChannelClosed)
        self.assertLostOnce(pair.right, ChannelClosed)

    async def test_waitersFailOnLoss(self) -> None:
        """
        Who waits for room is told that there will be none.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        pair.right.fill(LIMITS.capacity)
        waiters = [end.channel.whenFree(1) for end in (pair.left, pair.left, pair.right)]
        pair.left.channel.abort()
        await self.until(lambda: all(each.called for each in waiters), "the waiters")
        self.failureResultOf(waiters[0], ChannelClosed)
        self.failureResultOf(waiters[1], ChannelClosed)
        self.failureResultOf(waiters[2], PeerLost)

    async def test_waitersMayAskAgain(self) -> None:
        """
        Who is told that there will be no room and asks again is told again,
        at once.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        told: list[type[BaseException] | None] = []

        def again(failure: Failure) -> Deferred[None]:
            told.append(failure.type)
            return pair.left.channel.whenFree(1)

        waiter = pair.left.channel.whenFree(1).addErrback(again)
        pair.right.channel.abort()
        await self.until(lambda: bool(told), "the waiter")
        self.failureResultOf(waiter, PeerLost)
        self.assertEqual(told, [PeerLost])

    async def test_sendAfterLoss(self) -> None:
        """
        After a loss sends and waits are refused with its name; nothing counts.
        """
        pair = await self.openPair()
        pair.left.channel.abort()
        await self.lost(pair.left, pair.right)
        for end, error in ((pair.left, ChannelClosed), (pair.right, PeerLost)):
            self.assertRaises(error, end.send, b"too late")
            self.failureResultOf(end.channel.whenFree(1), error)
            end.channel.flush()
            end.channel.resumeDelivery()
            self.assertEqual(end.channel.statistics().enqueued_total, 0)

    async def test_closeDrainsBothWays(self) -> None:
        """
        What was accepted before the close is delivered in both directions;
        then both are told, as an end in order.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        pair.right.fill(LIMITS.capacity)
        done = pair.left.channel.close()
        self.assertRaises(ChannelClosed, pair.left.send, b"too late")
        await self.settle()
        self.assertNoResult(done)
        self.assertEqual((pair.left.recorder.losses, pair.right.recorder.losses), ([], []))
        pair.left.resume()
        pair.right.resume()
        await self.lost(pair.left, pair.right)
        self.successResultOf(done)
        expected = [b"%d" % n for n in range(LIMITS.capacity)]
        self.assertEqual((pair.left.messages, pair.right.messages), (expected, expected))
        self.assertLostOnce(pair.left, ChannelClosed)
        self.assertLostOnce(pair.right, ChannelClosed)

    async def test_closeEndsThoughNobodyLooks(self) -> None:
        """
        A close with full queues drains and ends without anybody asking for figures.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        pair.right.fill(LIMITS.capacity)
        done = pair.left.channel.close()
        pair.left.resume()
        pair.right.resume()
        await self.waitFor(
            lambda: bool(pair.left.recorder.losses and pair.right.recorder.losses), "the end of the close"
        )
        self.successResultOf(done)
        self.assertLostOnce(pair.left, ChannelClosed)
        self.assertLostOnce(pair.right, ChannelClosed)
        self.assertEqual(len(pair.right.messages), LIMITS.capacity)

    async def test_closeWhenIdle(self) -> None:
        """
        With nothing queued a close ends at once, within a second, though
        delivery is paused at both ends.
        """
        pair = await self.openPair()
        began = time.monotonic()
        done = pair.left.channel.close()
        await self.lost(pair.left, pair.right)
        self.successResultOf(done)
        self.assertLess(time.monotonic() - began, 1.0)
        self.assertLostOnce(pair.left, ChannelClosed)
        self.assertLostOnce(pair.right, ChannelClosed)

    async def test_closeStopsThePeer(self) -> None:
        """
        When one end has closed, the other learns that it cannot send.
        """
        pair = await self.openPair()
        pair.right.fill(1)
        pair.left.channel.close()
        await self.settle()
        self.assertRaises(ChannelClosed, pair.right.send, b"too late")
        pair.left.resume()
        await self.lost(pair.left, pair.right)
        self.assertEqual(pair.left.messages, [b"0"])

    async def test_closeFromBothEnds(self) -> None:
        """
        Both ends may close at once, and more than once.
        """
        pair = await self.openPair()
        pair.left.resume()
        pair.right.resume()
        pair.left.fill(3)
        done = [pair.left.channel.close(), pair.right.channel.close(), pair.left.channel.close()]
        await self.lost(pair.left, pair.right)
        for each in (*done, pair.right.channel.close()):
            self.successResultOf(each)
        self.assertLostOnce(pair.left, ChannelClosed)
        self.assertLostOnce(pair.right, ChannelClosed)
        self.assertEqual(len(pair.right.messages), 3)

    async def test_closeHasADeadline(self) -> None:
        """
        A peer that does not drain is cut off when the close has waited long
        enough; both ends are told.
        """
        pair = await self.openPair()
        self.shortenDeadline(pair.left.channel)
        self.shortenDeadline(pair.right.channel)
        pair.left.fill(2)
        done = pair.left.channel.close()
        await self.settle()
        self.assertNoResult(done)
        await self.lost(pair.left, pair.right)
        self.successResultOf(done)
        self.assertLostOnce(pair.left, ChannelClosed)
        self.assertEqual(len(pair.right.recorder.losses), 1)
        self.assertEqual(pair.right.messages, [])
        self.assertEqual(pair.left.allocated, 0)

    async def test_closeFailsWaiters(self) -> None:
        """
        Who waits for room at the end that closes is told at once.
        """
        pair = await self.openPair()
        pair.left.fill(LIMITS.capacity)
        waiter = pair.left.channel.whenFree(1)
        pair.left.channel.close()
        self.failureResultOf(waiter, ChannelClosed)
        await self.drain(pair)

    async def test_abortCutsAClose(self) -> None:
        """
        An abort ends a close that waits for a peer that does not drain.
        """
        pair = await self.openPair()
        pair.left.fill(1)
        done = pair.left.channel.close()
        await self.settle()
        pair.left.channel.abort()
        await self.lost(pair.left, pair.right)
        self.successResultOf(done)
        self.assertLostOnce(pair.left, ChannelClosed)

    async def test_endInAHandler(self) -> None:
        """
        A handler may abort: it is the last one called.
        """
        pair = await self.openPair()
        pair.right.recorder.on_message = lambda message: pair.right.channel.abort()
        pair.left.fill(3)
        pair.right.resume()
        await self.lost(pair.left, pair.right)
        self.assertEqual(pair.right.messages, [b"0"])
        self.assertLostOnce(pair.right, ChannelClosed)

    async def test_closeInAHandler(self) -> None:
        """
        A handler may close: what else has arrived is delivered first.
        """
        pair = await self.openPair()
        done: list[Deferred[None]] = []
        pair.right.recorder.on_message = lambda message: done.append(pair.right.channel.close())
        pair.left.fill(3)
        pair.left.resume()
        pair.right.resume()
        await self.lost(pair.left, pair.right)
        self.assertEqual(pair.right.messages, [b"0", b"1", b"2"])
        for each in done:
            self.successResultOf(each)
        self.assertLostOnce(pair.left, ChannelClosed)

    async def test_openAgain(self) -> None:
        """
        After a loss a new channel can be opened at the same place, with empty
        queues and counters.
        """
        transport = self.makeTransport(LIMITS)
        pairs: list[Pair] = []
        for _ in range(5):
            pair = await self.openThrough(transport)
            pairs.append(pair)
            self.assertEqual(pair.left.channel.statistics().enqueued_total, 0)
            pair.left.fill(LIMITS.capacity)
            await self.drain(pair)
            pair.left.fill(2)
            await pair.dispose()
        self.assertEqual([len(each.left.recorder.losses) for each in pairs], [1] * 5)

    async def test_reconnectHasANewEpoch(self) -> None:
        """
        A channel is a channel of its own: nothing that was meant for one that
        was lost arrives at, or counts for, the one that is opened after it.
        Where channels are numbered (an attribute C{epoch}) both ends have the
        same number, and no other channel has it.
        """
        place = Place(self, self.makeTransport(LIMITS))
        await place.listen()
        epochs: list[object] = []
        for number in range(5):
            pair = await self.openAt(place)
            for end in (pair.left, pair.right):
                book = end.channel.statistics()
                self.assertEqual((book.enqueued_total, book.blocks_high_water, book.bytes_total), (0, 0, 0))
            ours, theirs = (getattr(end.channel, "epoch", None) for end in (pair.left, pair.right))
            self.assertEqual(ours, theirs)
            if ours is not None:
                self.assertNotIn(ours, epochs)
                epochs.append(ours)
            pair.left.send(b"%d" % number)
            pair.right.send(b"%d" % number)
            await self.drain(pair)
            self.assertEqual((pair.left.messages, pair.right.messages), ([b"%d" % number],) * 2)
            pair.left.channel.pauseDelivery()
            pair.right.channel.pauseDelivery()
            pair.left.fill(2)
            pair.right.fill(2)
            if number % 2:
                pair.left.channel.flush()
                await self.settle()
            (pair.left if number % 3 else pair.right).channel.abort()
            # The next one is opened while the last is not gone yet.

    async def test_hundredRestarts(self) -> None:
        """
        A place can be opened, used, and given up, in order and otherwise, a
        hundred times.
        """
        transport = self.makeTransport(LIMITS)
        for number in range(RESTARTS):
            pair = await self.openThrough(transport)
            pair.left.fill(LIMITS.capacity)
            pair.right.fill(number % LIMITS.capacity)
            if number % 3:
                await self.drain(pair)
                self.assertEqual(len(pair.right.messages), LIMITS.capacity)
            if number % 3 == 1:
                pair.left.channel.close()
                await self.lost(pair.left, pair.right)
            await pair.dispose()
            self.assertLostOnce(pair.left, ChannelClosed)

    async def test_sendWhileBeingOpened(self) -> None:
        """
        The listener may send while it accepts a channel, and the connector as
        soon as it has one; nothing is delivered before that.
        """
        place = Place(self, self.makeTransport(LIMITS))
        place.on_accept = lambda channel: channel.send(b"welcome")
        await place.listen()
        pair = await self.openAt(place)
        pair.left.send(b"thanks")
        self.assertEqual((pair.left.messages, pair.right.messages), ([], []))
        await self.drain(pair)
        self.assertEqual((pair.left.messages, pair.right.messages), ([b"welcome"], [b"thanks"]))

    async def test_acceptThatRaises(self) -> None:
        """
        A listener whose callback fails is logged; that channel is lost, or
        there is none, and the next one is opened as if nothing had been.
        """
        place = Place(self, self.makeTransport(LIMITS))
        place.on_accept = self._refuse
        await place.listen()
        recorder = Recorder()
        try:
            await place.transport.connect(recorder)
        except CannotConnect:
            pass
        else:
            await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.assertEqual(len(self.flushLoggedErrors(NotToday)), 1)
        place.on_accept = lambda channel: None
        pair = await self.openAt(place)
        pair.left.fill(1)
        await self.drain(pair)
        self.assertEqual(pair.right.messages, [b"0"])

    def _refuse(self, channel: IChannel) -> None:
        raise NotToday

    async def test_nobodyListens(self) -> None:
        """
        Connecting fails before somebody listens and after they have stopped;
        channels that are open go on.
        """
        transport = self.makeTransport(LIMITS)
        await self.assertFailure(transport.connect(Recorder()), CannotConnect)
        pair = await self.openThrough(transport)
        await pair.stopListening()
        await self.assertFailure(transport.connect(Recorder()), CannotConnect)
        pair.left.fill(3)
        await self.drain(pair)
        self.assertEqual(len(pair.right.messages), 3)

    async def test_listenTwice(self) -> None:
        """
        A place that is taken is not taken again; once given up it is free.
        """
        transport = self.makeTransport(LIMITS)
        pair = await self.openThrough(transport)
        await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)
        await pair.stopListening()
        listener = await transport.listen(lambda channel: Recorder())
        await listener.stopListening()
