"""
L{transports.sharedmemory}, beside what every transport must do.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from typing import Any, ClassVar

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReadDescriptor, IReadWriteDescriptor
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from tests.transports.test_conformance import OurTests
from tests.transports.test_segment import held
from transports import _channel, _ring, _sealedchannel, sharedmemory
from transports._descriptors import ring
from transports._halves import Half, createHalf, descriptorsOf
from transports._plainchannel import PlainChannel
from transports._sealedchannel import SealedChannel
from transports._segment import FROM_CONNECTOR, Segment
from transports._shmchannel import RingChannel
from transports._shmopening import QUIT, Kind, MemoryOpening, packNotes
from transports.errors import (
    BadDescription,
    CannotConnect,
    CannotListen,
    ChannelClosed,
    ChannelCorrupt,
    LimitsMismatch,
    PeerLost,
    QueueFull,
)
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits
from transports.sharedmemory import SharedMemoryTransport
from transports.testing.conformance import (
    LIMITS,
    ConformanceBase,
    DeathTests,
    FlowTests,
    Recorder,
    TransportTestsMixin,
)

#: Seconds of the channels that spin.
SPIN = 0.0002


class SleepingConformanceTests(FlowTests, DeathTests, TestCase):
    """
    C{shm:} keeps the contract when it never spins.
    """

    shortenDeadline = OurTests.shortenDeadline

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        return SharedMemoryTransport(reactor, f"{directory}/s", limits, spin=0.0)


class SpinningConformanceTests(TransportTestsMixin, TestCase):
    """
    C{shm:} keeps the contract when it spins.
    """

    shortenDeadline = OurTests.shortenDeadline
    portable = False
    impossible: ClassVar = dict.fromkeys(
        ("CounterTests", "ProcessTests", "HostileTests", "SharedMemoryTests"), "is checked without spinning"
    )

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        return SharedMemoryTransport(reactor, f"{directory}/s", limits, portable=self.portable, spin=SPIN)


class SpinningPortableConformanceTests(SpinningConformanceTests):
    """
    So does C{shm:} with C{portable=yes}.
    """

    portable = True


class SharedMemoryBase(ConformanceBase):
    """
    What the tests of the transport need.
    """

    portable = False

    def setUp(self) -> None:
        """
        A directory and a transport in it.
        """
        super().setUp()
        self.directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = f"{self.directory}/s"
        self.transport = self.makeTransport(LIMITS)

    def makeTransport(
        self, limits: Limits, portable: bool | None = None, spin: float = 0.0
    ) -> SharedMemoryTransport:
        """
        Another transport for the same place.
        """
        from twisted.internet import reactor

        if portable is None:
            portable = self.portable
        return SharedMemoryTransport(reactor, self.path, limits, portable=portable, spin=spin)

    async def listen(self, transport: SharedMemoryTransport) -> IListener:
        """
        Listen, for the length of the test.
        """
        listener = await transport.listen(lambda channel: Recorder())
        self.addCleanup(listener.stopListening)
        # The reactor has descriptors of its own when it runs.
        await self.turn()
        return listener

    async def openChannels(
        self, transport: SharedMemoryTransport | None = None
    ) -> tuple[RingChannel, RingChannel]:
        """
        Open a channel, and look at both ends more closely.
        """
        pair = await self.openThrough(transport or self.transport)
        left, right = pair.left.channel, pair.right.channel
        assert isinstance(left, RingChannel) and isinstance(right, RingChannel)
        self.pair = pair
        return left, right


class SharedMemoryTransportTests(SharedMemoryBase, TestCase):
    """
    What C{shm:} does beside the contract.
    """

    async def test_interfaces(self) -> None:
        """
        The objects are what they say, and of the kind that was asked for.
        """
        listener = await self.listen(self.transport)
        channel = await self.transport.connect(Recorder())
        verifyObject(ITransport, self.transport)
        verifyObject(IListener, listener)
        verifyObject(IReadDescriptor, listener)
        verifyObject(IChannel, channel)
        verifyObject(IReadWriteDescriptor, channel)
        assert isinstance(channel, RingChannel)
        self.assertIsInstance(channel, PlainChannel if self.portable else SealedChannel)
        self.assertEqual(channel.logPrefix(), f"shm:{self.path}")
        self.assertGreaterEqual(channel.fileno(), 0)
        channel.abort()
        self.assertEqual(channel.fileno(), -1)

    async def test_nothingIsLeft(self) -> None:
        """
        While a channel is open there is the socket file and nothing else; when
        nobody listens any more, not even that.
        """
        before = set(os.listdir("/dev/shm"))
        self.patch(tempfile, "tempdir", self.directory)
        listener = await self.listen(self.transport)
        channel = await self.transport.connect(Recorder())
        self.assertEqual(os.listdir(self.directory), ["s"])
        channel.abort()
        await listener.stopListening()
        self.assertEqual(os.listdir(self.directory), [])
        self.assertEqual(set(os.listdir("/dev/shm")) - before, set())

    async def test_mismatch(self) -> None:
        """
        Both ends must have the same limits; the error has both.
        """
        await self.listen(self.transport)
        error = await self.assertFailure(
            self.makeTransport(Limits(64, 9)).connect(Recorder()), LimitsMismatch
        )
        for part in ("9 blocks of 64 bytes", "8 blocks of 64 bytes", self.path):
            self.assertIn(part, str(error))

    async def test_otherKind(self) -> None:
        """
        Both ends must share memory in the same way; the error has both.
        """
        await self.listen(self.transport)
        other = self.makeTransport(LIMITS, portable=not self.portable)
        error = await self.assertFailure(other.connect(Recorder()), LimitsMismatch)
        for part in ("portable=yes", "portable=no", self.path):
            self.assertIn(part, str(error))

    async def test_tooLarge(self) -> None:
        """
        Queues that need 4 GiB are refused by the constructor.
        """
        error = self.assertRaises(BadDescription, self.makeTransport, Limits(1 << 20, 1 << 12))
        self.assertIn("4096 blocks of 1048576 bytes", str(error))
        self.makeTransport(Limits(1 << 20, (1 << 12) - 1))

    async def test_listenerOfAnotherUser(self) -> None:
        """
        A listener that runs as somebody else is not spoken to.
        """
        await self.listen(self.transport)
        other = self.makeTransport(LIMITS)
        other.peerUid = lambda connected: 4711
        error = await self.assertFailure(other.connect(Recorder()), CannotConnect)
        self.assertIn("user 4711", str(error))

    async def test_peerOfAnotherUser(self) -> None:
        """
        A peer that runs as somebody else, or is gone, is hung up on.
        """

        def unknown(connected: socket.socket) -> int:
            raise OSError(errno.ENOTCONN, "not connected")

        for uidOf in (lambda connected: 4711, unknown):
            self.transport.peerUid = uidOf
            listener = await self.listen(self.transport)
            error = await self.assertFailure(self.makeTransport(LIMITS).connect(Recorder()), CannotConnect)
            self.assertIn("hung up", str(error))
            await listener.stopListening()

    async def test_cannotListen(self) -> None:
        """
        A place that is no place is named.
        """
        self.transport.path = f"{self.directory}/none/s"
        error = await self.assertFailure(self.transport.listen(lambda channel: Recorder()), CannotListen)
        self.assertIn(self.transport.path, str(error))

    async def test_cancelled(self) -> None:
        """
        Who gives up connecting leaves nothing.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as place:
            place.bind(self.path)
            place.listen(1)
            await self.turn()
            before = held()
            connecting = self.transport.connect(Recorder())
            connecting.cancel()
            await self.assertFailure(connecting, CancelledError)
            self.assertEqual(held(), before)

    async def test_connectorWithoutMemory(self) -> None:
        """
        When this end has no memory, the error says so and nothing is left.
        """
        await self.listen(self.transport)
        before = held()
        self.refuseMemory(1)
        error = await self.assertFailure(self.transport.connect(Recorder()), CannotConnect)
        self.assertIn("the memory cannot be had: no space", str(error))
        await self.waitFor(lambda: held() == before, "everything to be given back")

    async def test_listenerWithoutMemory(self) -> None:
        """
        When the listener has no memory it hangs up, nothing is left, and it
        goes on.
        """
        await self.listen(self.transport)
        before = held()
        self.refuseMemory(2)
        error = await self.assertFailure(self.transport.connect(Recorder()), CannotConnect)
        self.assertIn("hung up", str(error))
        await self.waitFor(lambda: held() == before, "everything to be given back")
        channel = await self.transport.connect(Recorder())
        channel.abort()

    def refuseMemory(self, number: int) -> None:
        """
        Let there be no memory when it is asked for this many times from now.
        """
        real = createHalf
        asked: list[int] = []

        def scarce(kind: Kind, segment: Segment) -> tuple[Half, int]:
            asked.append(1)
            if len(asked) == number:
                raise OSError(errno.ENOSPC, "no space")
            return real(kind, segment)

        self.patch(sharedmemory, "createHalf", scarce)

    async def test_hungUpBeforeTheAnswer(self) -> None:
        """
        A peer that is gone when it is to be answered leaves nothing.
        """
        accepted: list[IChannel] = []

        def accept(channel: IChannel) -> IReceiver:
            accepted.append(channel)
            return Recorder()

        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)
        await self.turn()
        before = held()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
            raw.connect(self.path)
            half, fd = self.transport.createHalf(7, FROM_CONNECTOR)
            opening = MemoryOpening(64, 8, self.transport.kind, 7)
            socket.send_fds(raw, [opening.encode()], descriptorsOf(half, fd))
            os.close(fd)
            half.close()
        await self.waitFor(lambda: held() == before, "everything to be given back")
        self.assertEqual(accepted, [])

    async def test_notAccepted(self) -> None:
        """
        A channel that the listener's user does not want is gone, with all that
        belongs to it.
        """

        def accept(channel: IChannel) -> IReceiver:
            raise ZeroDivisionError

        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)
        await self.turn()
        before = held()
        recorder = Recorder()
        await self.transport.connect(recorder)
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        await self.waitFor(lambda: held() == before, "everything to be given back")

    async def test_epoch(self) -> None:
        """
        Both ends know the channel by the same number, another one each time.
        """
        epochs = []
        for _ in range(2):
            left, right = await self.openChannels()
            self.assertEqual(left.epoch, right.epoch)
            epochs.append(left.epoch)
            await self.pair.dispose()
        self.assertNotEqual(*epochs)

    async def test_closeDeadline(self) -> None:
        """
        A peer that does not drain is cut off when the deadline has come.
        """

        def hasty(base: type[RingChannel]) -> Any:
            class Hasty(base):  # type: ignore[valid-type,misc]
                def __init__(self, *args: Any, **kwargs: Any) -> None:
                    super().__init__(*args, close_deadline=0.01, **kwargs)

            return Hasty

        self.transport.sealed_channel_class = hasty(SealedChannel)
        self.transport.plain_channel_class = hasty(PlainChannel)
        await self.openChannels()
        self.pair.left.send(b"never handled")
        await self.pair.left.channel.close()
        self.assertEqual([each.type for each in self.pair.left.recorder.losses], [ChannelClosed])
        await self.until(lambda: bool(self.pair.right.recorder.losses), "channelLost")
        self.assertEqual(self.pair.right.messages, [])

    async def test_whatWasPublishedIsDelivered(self) -> None:
        """
        When the peer is gone, what it had published before is delivered first,
        also what nobody has looked at yet.
        """
        left, _ = await self.openChannels()
        self.pair.right.resume()
        self.pair.left.fill(LIMITS.capacity)
        left.flush()
        # Its end is noticed in the same turn of the reactor as its messages.
        left.abort()
        await self.until(lambda: bool(self.pair.right.recorder.losses), "channelLost")
        self.assertEqual(len(self.pair.right.messages), LIMITS.capacity)
        self.assertEqual([each.type for each in self.pair.right.recorder.losses], [PeerLost])

    async def test_unflushedIsLost(self) -> None:
        """
        What was accepted and not flushed when the channel is aborted is not
        delivered; the peer is told of a loss.
        """
        left, _ = await self.openChannels()
        self.pair.right.resume()
        self.pair.left.fill(3)
        left.abort()
        await self.until(lambda: bool(self.pair.right.recorder.losses), "channelLost")
        self.assertEqual(self.pair.right.messages, [])

    async def test_unflushedIsFlushedByAClose(self) -> None:
        """
        What was accepted and not flushed when the channel is closed is delivered.
        """
        left, _ = await self.openChannels()
        self.pair.left.resume()
        self.pair.right.resume()
        self.pair.left.fill(3)
        await left.close()
        await self.until(lambda: bool(self.pair.right.recorder.losses), "channelLost")
        self.assertEqual(self.pair.right.messages, [b"0", b"1", b"2"])
        self.assertEqual([each.type for each in self.pair.right.recorder.losses], [ChannelClosed])

    async def test_farewellBeforeData(self) -> None:
        """
        A farewell that is read before what was published earlier ends nothing
        too soon.
        """
        left, right = await self.openChannels()
        self.pair.left.resume()
        self.pair.right.resume()
        self.pair.left.fill(3)
        left.close()
        left._turn()
        # As the reactor may do it: the socket first.
        right.doRead()
        await self.until(lambda: bool(self.pair.right.recorder.losses), "channelLost")
        self.assertEqual(self.pair.right.messages, [b"0", b"1", b"2"])
        self.assertEqual([each.type for each in self.pair.right.recorder.losses], [ChannelClosed])

    async def test_largeMessagesStayInTheRing(self) -> None:
        """
        A queue of large messages is delivered whole, one or a few at a time,
        and what waits counts.
        """
        limits = Limits(1 << 16, 33)
        transport = self.makeTransport(limits)
        left, right = await self.openChannels(transport)
        self.pair.right.resume()
        messages = [bytes([n]) * (limits.block_size * 4 - 30 + n) for n in range(8)]
        waiting: list[int] = []
        self.pair.right.recorder.on_message = lambda message: waiting.append(
            right.inboundStatistics().queue_length
        )
        for message in messages:
            left.send(message)
        await self.until(lambda: len(self.pair.right.messages) == 8, "all messages")
        self.assertEqual(self.pair.right.messages, messages)
        self.assertEqual(waiting[-1], 1)
        await self.until(lambda: self.pair.left.allocated == 0, "the blocks")

    async def test_pausedWithARestInTheRing(self) -> None:
        """
        A handler that pauses while there is more in the ring than was taken
        out: the rest counts, waits, and is delivered later, also when the peer
        is gone by then.
        """
        limits = Limits(1 << 16, 33)
        left, right = await self.openChannels(self.makeTransport(limits))
        messages = [bytes([n]) * (limits.block_size * 4 - 20) for n in range(8)]
        for message in messages:
            left.send(message)
        self.pair.right.allow(1)
        await self.until(lambda: len(self.pair.right.messages) == 1, "one message")
        await self.settle()
        self.assertEqual(right.inboundStatistics().queue_length, 7)
        self.pair.right.allow(1)
        right.pauseDelivery()
        right.resumeDelivery()
        await self.until(lambda: len(self.pair.right.messages) == 2, "another message")
        self.pair.right.resume()
        left.abort()
        await self.until(lambda: bool(self.pair.right.recorder.losses), "channelLost")
        self.assertEqual(self.pair.right.messages, messages)

    async def test_jumpsBetweenTurns(self) -> None:
        """
        Pausing between two turns of a long delivery keeps what is in the ring.
        """
        limits = Limits(64, 512)
        left, right = await self.openChannels(self.makeTransport(limits))
        for number in range(limits.capacity):
            left.send(b"%d" % number)
        left.flush()
        self.pair.right.resume()
        await self.until(lambda: bool(self.pair.right.messages), "the first messages")
        seen = len(self.pair.right.messages)
        self.assertLess(seen, limits.capacity)
        right.pauseDelivery()
        await self.settle()
        self.assertEqual(len(self.pair.right.messages), seen)
        self.assertEqual(right.inboundStatistics().queue_length, limits.capacity - seen)
        right.resumeDelivery()
        await self.until(lambda: len(self.pair.right.messages) == limits.capacity, "the rest")

    async def test_reactorStops(self) -> None:
        """
        A reactor that is being stopped tells each descriptor; it is one loss.
        """
        left, _ = await self.openChannels()
        failure: Any = None
        left.connectionLost(failure)
        left.connectionLost(failure)
        await self.until(lambda: bool(self.pair.left.recorder.losses), "channelLost")
        self.assertEqual([each.type for each in self.pair.left.recorder.losses], [PeerLost])

    async def test_spinAnswers(self) -> None:
        """
        Ends that spin answer each other within one turn of the reactor.
        """
        left, right = await self.openChannels(self.makeTransport(LIMITS, spin=SPIN))
        self.pair.left.resume()
        self.pair.right.resume()
        left.send(b"question")
        left.flush()
        assert left._call is not None
        left._call.cancel()
        self.assertTrue(right._look())
        self.assertFalse(right._look())
        self.assertEqual(self.pair.right.messages, [b"question"])
        right.send(b"answer")
        right.flush()
        left._turn()
        self.assertEqual(self.pair.left.messages, [b"answer"])

    async def test_spinEndsWithTheChannel(self) -> None:
        """
        A channel that ends while it looks does not look again, though somebody
        else wants the reactor: its memory is gone.
        """
        left, _ = await self.openChannels(self.makeTransport(LIMITS, spin=SPIN))
        self.pair.left.resume()
        await self.settle()
        looks: list[None] = []

        def look() -> bool:
            looks.append(None)
            left.abort()
            return False

        self.patch(left, "_look", look)
        self.patch(left._spinner, "wanted", lambda _: True)
        left._linger()
        self.assertEqual(len(looks), 1)

    async def test_spinIsBounded(self) -> None:
        """
        A channel on which nothing comes keeps the reactor no longer than it was
        told, and one that is paused, closed or has a turn to come not at all.
        """
        left, _ = await self.openChannels(self.makeTransport(LIMITS, spin=SPIN))
        looks: list[float] = []
        now = [0.0]

        def look() -> bool:
            looks.append(now[0])
            now[0] += SPIN / 4
            return False

        self.patch(left, "_look", look)
        self.patch(_channel, "perf_counter", lambda: now[0])
        left._linger()
        self.assertEqual(looks, [])
        self.pair.left.resume()
        left._linger()
        self.assertEqual(len(looks), 4)
        left.send(b"")
        left._linger()
        self.assertEqual(len(looks), 4)


class PortableTransportTests(SharedMemoryTransportTests):
    """
    The same with C{portable=yes}.
    """

    portable = True

    async def test_chosenByItself(self) -> None:
        """
        Where there is no sealed memory, this is what there is.
        """
        self.patch(sharedmemory, "canSeal", lambda: False)
        self.assertIs(self.makeTransport(LIMITS, portable=False).kind, Kind.PLAIN)

    async def test_notesTogether(self) -> None:
        """
        While the socket takes nothing, counts come together; then all of them
        are told at once.
        """
        left, _ = await self.openChannels()
        self.pair.right.resume()
        real = left._socket
        taken: list[bytes] = []
        takes = [0]

        class Slow:
            def send(self, data: bytes) -> int:
                if not takes[0]:
                    raise BlockingIOError
                taken.append(data[: takes[0]])
                return real.send(data[: takes[0]])

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        left._socket = Slow()  # type: ignore[assignment]
        for _ in range(3):
            self.pair.left.send(b"x")
            left.flush()
        takes[0] = 3
        left.doWrite()
        takes[0] = 100
        left.doWrite()
        self.assertEqual(b"".join(taken), packNotes(1, 0, False) + packNotes(2, 0, False))
        await self.until(lambda: len(self.pair.right.messages) == 3, "all messages")

    async def test_diskFull(self) -> None:
        """
        A file that takes nothing more ends the channel, not the process.
        """
        left, _ = await self.openChannels()

        def full(fd: int, data: bytes, offset: int) -> int:
            raise OSError(errno.ENOSPC, "no space")

        self.patch(os, "pwrite", full)
        left.send(b"lost")
        await self.until(lambda: bool(self.pair.left.recorder.losses), "channelLost")
        self.assertIn("cannot be written: no space", str(self.pair.left.recorder.losses[0].value))


class DoorbellTrafficTests(SharedMemoryBase, TestCase):
    """
    How often doorbells are rung, and looked at.
    """

    def setUp(self) -> None:
        """
        Count.
        """
        super().setUp()
        self.rung: list[tuple[int, int]] = []

        def counting(fd: int, count: int) -> None:
            self.rung.append((fd, count))
            ring(fd, count)

        self.patch(_sealedchannel, "ring", counting)

    async def channels(self, limits: Limits = LIMITS) -> tuple[SealedChannel, SealedChannel]:
        """
        Open a channel that delivers at both ends.
        """
        left, right = await self.openChannels(self.makeTransport(limits))
        assert isinstance(left, SealedChannel) and isinstance(right, SealedChannel)
        self.pair.left.resume()
        self.pair.right.resume()
        return left, right

    async def test_oneForABatch(self) -> None:
        """
        Messages sent in one turn are one ring; so is what comes back for them.
        """
        left, right = await self.channels()
        self.pair.left.fill(5)
        self.assertEqual(self.rung, [])
        await self.until(lambda: self.pair.left.allocated == 0, "the blocks")
        self.assertEqual(self.rung, [(left._tell_data, 5), (right._tell_space, 5)])

    async def test_creditWithTheAnswer(self) -> None:
        """
        When a handler answers, the blocks go back with its answer.
        """
        left, right = await self.channels()
        self.pair.right.recorder.on_message = lambda message: right.send(b"answer")
        self.pair.left.send(b"question")
        await self.until(lambda: self.pair.left.messages == [b"answer"], "the answer")
        self.assertEqual(self.rung[:2], [(left._tell_data, 1), (right._tell_data, 1)])
        self.assertEqual(left._outbound.allocated, 0)

    async def test_creditOvertaken(self) -> None:
        """
        Blocks given back by doorbell that are looked at before those that were
        given back with a message earlier are right all the same.
        """
        left, right = await self.channels()
        self.pair.right.channel.pauseDelivery()
        self.pair.left.send(b"")
        self.pair.left.send(b"x" * 100)
        await self.until(lambda: right.inboundStatistics().queue_length == 2, "both")
        for act in (lambda message: right.send(b"with credit"), lambda message: None):
            self.pair.right.recorder.on_message = act
            self.pair.right.allow(1)
            right._turn()
        # Nothing has been looked at on this side.
        self.assertEqual(left._outbound.allocated, 3)
        self.assertEqual(self.pair.left.allocated, 1)
        await self.until(lambda: self.pair.left.messages == [b"with credit"], "the message")
        self.assertEqual(self.pair.left.allocated, 0)
        self.assertEqual(left.statistics().dequeued_total, 2)

    async def test_creditIsCollectedFarFromTheStart(self) -> None:
        """
        A channel that has come far looks at its doorbell for blocks that came back
        without an answer, so that it begins anew at the start of the ring.
        """
        self.patch(_ring, "_FAR", 100)
        left, right = await self.channels()
        begins = []
        for _ in range(4):
            self.pair.left.send(b"x" * 100)
            left.flush()
            right._dataRung()
            begins.append(left._writer._offset)
        self.assertEqual(len(set(begins)), 1)
        self.assertEqual(left._outbound.allocated, LIMITS.blocksFor(100))

    async def test_falseCreditFarFromTheStart(self) -> None:
        """
        When what it finds there is wrong, that is the end of the channel.
        """
        self.patch(_ring, "_FAR", 100)
        left, right = await self.channels()
        left.send(b"x" * 100)
        left.flush()
        ring(right._tell_space, LIMITS.capacity)
        left.send(b"x" * 100)
        left.flush()
        await self.until(lambda: bool(self.pair.left.recorder.losses), "the loss")
        self.assertIsInstance(self.pair.left.recorder.losses[0].value, ChannelCorrupt)

    async def test_creditIsCollectedBeforeARefusal(self) -> None:
        """
        What has been given back is room, though the reactor has not run since.
        """
        left, right = await self.channels()
        self.pair.left.fill(LIMITS.capacity)
        left.flush()
        self.assertRaises(QueueFull, left.send, b"")
        right._dataRung()
        left.send(b"there is room")
        self.assertEqual(left._outbound.refused, 1)
        self.assertEqual(left._outbound.allocated, 1)

    async def test_creditIsCollectedForWaiters(self) -> None:
        """
        Who asks for what has been given back need not wait.
        """
        left, right = await self.channels()
        self.pair.left.fill(LIMITS.capacity)
        left.flush()
        right._dataRung()
        self.successResultOf(left.whenFree(LIMITS.capacity))
        self.assertFalse(left._watching_space)

    async def test_watchedWhileSomebodyWaits(self) -> None:
        """
        The doorbell of what comes back is in the reactor while somebody waits.
        """
        left, _ = await self.channels()
        self.pair.right.channel.pauseDelivery()
        self.pair.left.fill(LIMITS.capacity)
        waiter = left.whenFree(1)
        self.assertTrue(left._watching_space)
        self.pair.right.resume()
        await waiter
        await self.until(lambda: self.pair.left.allocated == 0, "the rest")
        await self.settle()
        self.assertFalse(left._watching_space)

    async def test_statisticsAtTheEndOfAClose(self) -> None:
        """
        Looking at the figures of a closing channel takes nothing away from it.
        """
        left, right = await self.channels()
        self.pair.right.channel.pauseDelivery()
        self.pair.left.fill(3)
        closed = left.close()
        await self.settle()
        self.pair.right.resume()
        right._turn()
        self.assertEqual(left.statistics().blocks_allocated, 0)
        await closed
        self.assertEqual([each.type for each in self.pair.left.recorder.losses], [ChannelClosed])

    async def test_longQueueIsToldEarly(self) -> None:
        """
        A quarter of a long queue is told at once, and given back at once, so
        that both ends work at the same time.
        """
        limits = Limits(1 << 14, 64)
        left, right = await self.channels(limits)
        for _ in range(limits.capacity):
            left.send(b"")
        self.assertEqual(self.rung, [(left._tell_data, 16)] * 4)
        right._dataRung()
        self.assertEqual(self.rung[4:], [(right._tell_space, 16)] * 4)

    async def test_longMessageIsToldAtOnce(self) -> None:
        """
        A message that is long by itself does not wait for others; what was sent
        before goes with it.
        """
        limits = Limits(1 << 12, 1024)
        left, _ = await self.channels(limits)
        left.send(b"short")
        left.send(b"x" * ((1 << 16) - 17 - (1 << 12)))
        self.assertEqual(self.rung, [])
        left.send(b"y" * (1 << 16))
        self.assertEqual(self.rung, [(left._tell_data, 1 + 15 + 17)])
        await self.until(lambda: len(self.pair.right.messages) == 3, "all messages")

    async def test_farewellOnly(self) -> None:
        """
        Nothing but the farewell travels on the socket.
        """
        left, _ = await self.channels()
        sent: list[bytes] = []
        real = left._socket

        class Counting:
            def send(self, data: bytes) -> int:
                sent.append(data)
                return real.send(data)

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        left._socket = Counting()  # type: ignore[assignment]
        self.pair.left.fill(5)
        await left.close()
        self.assertEqual(sent, [QUIT + bytes(4)])
