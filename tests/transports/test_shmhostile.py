"""
C{shm:} against peers that do not keep the protocol, beside what
L{transports.testing.conformance.SharedMemoryTests} has.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import struct

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.transports.hostile_shm import MemoryPeer, PlainPeer, SealedPeer, note
from tests.transports.test_segment import held
from tests.transports.test_sharedmemory import SharedMemoryBase
from transports._ring import BATCH, RECORD_SIZE
from transports._sealedchannel import SealedChannel
from transports._segment import RING_START
from transports._shmchannel import RingChannel
from transports._shmopening import DATA, FREE, QUIT, Kind
from transports.errors import ChannelClosed, ChannelCorrupt, PeerLost, QueueFull, TransportError
from transports.interfaces import IChannel, IListener, IReceiver
from transports.testing.conformance import LIMITS, HostilePeer, Recorder


class HostileBase(SharedMemoryBase):
    """
    A listener whose peers are made by hand.
    """

    peer_class: type[MemoryPeer] = SealedPeer

    def setUp(self) -> None:
        """
        A transport, and who was accepted.
        """
        super().setUp()
        self.accepted: list[tuple[IChannel, Recorder]] = []

    async def listenForAll(self) -> IListener:
        """
        Listen, for the length of the test.
        """

        def accept(channel: IChannel) -> IReceiver:
            self.accepted.append((channel, Recorder()))
            return self.accepted[-1][1]

        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)
        await self.turn()
        return listener

    async def opened(self) -> tuple[MemoryPeer, RingChannel, Recorder]:
        """
        Open a channel as one should.
        """
        peer = self.peer_class(self, self.transport)
        await peer.connect()
        channel, recorder = self.accepted[-1]
        assert isinstance(channel, RingChannel)
        return peer, channel, recorder

    async def lost(
        self, peer: HostilePeer, recorder: Recorder, reason: type[TransportError], says: str = ""
    ) -> None:
        """
        The channel has ended, once; another one works; nothing is left.
        """
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        await peer.hungUp()
        self.assertEqual([each.type for each in recorder.losses], [reason])
        self.assertIn(says, str(recorder.losses[0].value))
        other, _, heard = await self.opened()
        await other.send(b"another")
        await self.waitFor(lambda: heard.messages == [b"another"], "another channel to work")
        other._raw.close()
        await self.waitFor(lambda: bool(heard.losses), "the other channel to end")
        await other.hungUp()

    async def flat(self) -> None:
        """
        From now to the end of the test no descriptor and no mapping must be kept.
        """
        peer, _, recorder = await self.opened()
        peer._raw.close()
        await self.lost(peer, recorder, PeerLost)
        self.before = held()

    async def assertFlat(self) -> None:
        """
        Everything has been given back.
        """
        await self.waitFor(lambda: held() == self.before, f"{held()} to become {self.before}")


class HostileMemoryTests(HostileBase, TestCase):
    """
    What a peer can do with sealed memory and with plain memory alike.
    """

    async def test_halfAChannel(self) -> None:
        """
        A record that needs more blocks than are told of, and blocks without a
        record.
        """
        await self.listenForAll()
        await self.flat()
        for blocks, says in ((1, "does not add up"), (3, "due")):
            peer, _, recorder = await self.opened()
            peer.lay(b"x" * 100)
            await peer._tell(blocks)
            await self.lost(peer, recorder, ChannelCorrupt, says)
            self.assertLessEqual(len(recorder.messages), 1)
        await self.assertFlat()

    async def test_creditWithARecord(self) -> None:
        """
        A record that gives back what was never allocated.
        """
        await self.listenForAll()
        await self.flat()
        for credit in (2, BATCH - 1):
            for messages in ([b"never delivered"], [b"never", b"delivered"]):
                peer, channel, recorder = await self.opened()
                channel.send(b"")
                await peer._tell(peer.lay(*messages, credit=credit))
                await self.lost(peer, recorder, ChannelCorrupt, f"{credit} blocks were given back where 1")
                self.assertEqual(recorder.messages, [])
        await self.assertFlat()

    async def test_overPublishInPieces(self) -> None:
        """
        More records than there is room for, each of them right, to a receiver
        that delivers nothing: what is kept never exceeds the queue.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        channel.pauseDelivery()
        for _ in range(LIMITS.capacity):
            await peer.send(b"")
        await self.waitFor(lambda: channel.inboundStatistics().blocks_allocated == 8, "a full queue")
        self.assertEqual(recorder.losses, [])
        await peer.send(b"")
        await self.lost(peer, recorder, ChannelCorrupt, "of which 8 were taken")
        self.assertEqual(channel.inboundStatistics().blocks_high_water, 8)
        self.assertEqual(recorder.messages, [])

    async def test_corruptWhilePaused(self) -> None:
        """
        Records are looked at when they come, not when they are wanted.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        channel.pauseDelivery()
        await peer._publish(b"altered", RECORD_SIZE, b"?")
        await self.lost(peer, recorder, ChannelCorrupt, "checksum")

    async def test_rightBeforeWrong(self) -> None:
        """
        What came with a wrong record and before it is as it was sent, if it is
        delivered at all.
        """
        await self.listenForAll()
        peer, _, recorder = await self.opened()
        assert peer._half is not None
        peer.lay(b"right")
        begin = peer._writer._offset + RECORD_SIZE
        peer.lay(b"altered")
        peer._half.memory[begin : begin + 1] = b"?"
        await peer._tell(2)
        await self.lost(peer, recorder, ChannelCorrupt, "checksum")
        self.assertIn(recorder.messages, ([], [b"right"]))

    async def test_lyingBatch(self) -> None:
        """
        A batch, rightly checked, whose count, whose lengths, or whose blocks are
        not those that it has: nothing of it is delivered.
        """
        await self.listenForAll()
        await self.flat()
        for blocks, count, lengths, rest, says in (
            (2, 3, [1, 1], b"ab", "3 messages does not add up"),
            (2, 0xFFFFFFFF, [1, 1], b"ab", "4294967295 messages does not add up"),
            (2, 0, [1, 1], b"ab", "0 messages does not add up"),
            (2, 1, [2], b"ab", "1 messages does not add up"),
            (8, 8, [1, 1], b"ab", "8 messages does not add up with its 14 bytes"),
            (2, 2, [1, 2], b"ab", "have 3 bytes, which does not add up"),
            (2, 2, [1, 0], b"ab", "have 1 bytes, which does not add up"),
            (2, 2, [0xFFFFFFFF, 0xFFFFFFFF], b"ab", "8589934590 bytes, which does not add up"),
            (2, 2, [70, 1], b"x" * 71, "batch of 3 blocks does not add up with the 2"),
            (1, 2, [0, 0], b"", "2 messages does not add up"),
        ):
            peer, _, recorder = await self.opened()
            peer.layBatch(count, lengths, rest)
            await peer._tell(blocks)
            await self.lost(peer, recorder, ChannelCorrupt, says)
            self.assertEqual(recorder.messages, [])
        await self.assertFlat()

    async def test_batchTooShortForACount(self) -> None:
        """
        A batch that has not even the bytes of its count.
        """
        await self.listenForAll()
        for rest in (b"", b"\2\0"):
            peer, _, recorder = await self.opened()
            peer._writer._write(rest, BATCH)
            await peer._tell(2)
            await self.lost(peer, recorder, ChannelCorrupt, "does not add up")

    async def test_anotherEpoch(self) -> None:
        """
        A record of another channel, with the number that is due here.
        """
        await self.listenForAll()
        peer, _, recorder = await self.opened()
        peer._writer._salt += 1
        await peer.send(b"from elsewhere")
        await self.lost(peer, recorder, ChannelCorrupt, "checksum")

    async def test_wrongDirection(self) -> None:
        """
        Memory that says that it is the listener's.
        """
        await self.listenForAll()
        await self.flat()
        peer = self.peer_class(self, self.transport)
        real = peer._make

        def make(*args: object) -> list[int]:
            descriptors = real(*args)  # type: ignore[arg-type]
            assert peer._half is not None
            peer._half.memory[20:24] = struct.pack("<I", 2)
            return descriptors

        self.patch(peer, "_make", make)
        await peer._case.turn()
        peer_connecting = Deferred.fromCoroutine(peer.connect())
        peer_connecting.addErrback(lambda failure: None)
        await self.waitFor(lambda: peer_connecting.called, "the listener to hang up")
        await peer.hungUp()
        self.assertEqual(len(self.accepted), 2)
        await self.assertFlat()

    async def test_quitsTwice(self) -> None:
        """
        A second farewell.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        channel.send(b"held")
        await peer._raw.send(note(QUIT, 0) * 2)
        await self.lost(peer, recorder, ChannelCorrupt, "quits twice")

    async def test_lateDescriptors(self) -> None:
        """
        Descriptors that come with a note are not kept.
        """
        await self.listenForAll()
        await self.flat()
        peer, _, recorder = await self.opened()
        socket.send_fds(peer._raw.socket, [note(QUIT, 0)], [0, 1, 2])
        await self.lost(peer, recorder, ChannelCorrupt, "descriptors came after the opening")
        await self.assertFlat()

    async def test_diesInMidCopy(self) -> None:
        """
        What a dying peer had not published is not delivered; what it had, is.
        """
        await self.listenForAll()
        await self.flat()
        peer, _, recorder = await self.opened()
        await peer.send(b"whole")
        peer.lay(b"half")
        peer._raw.close()
        await self.lost(peer, recorder, PeerLost)
        self.assertEqual(recorder.messages, [b"whole"])
        await self.assertFlat()

    async def test_diesWithCorruptRecords(self) -> None:
        """
        What a dying peer leaves behind is looked at like everything else.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        await peer._publish(b"altered", RECORD_SIZE, b"?")
        peer._raw.close()
        # As the reactor may do it: the socket first.
        channel.doRead()
        await self.lost(peer, recorder, ChannelCorrupt, "checksum")

    async def test_readsNothing(self) -> None:
        """
        A peer that never reads is refused at the end of its window like any
        other, and its end is noticed.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        for _ in range(LIMITS.capacity):
            channel.send(b"")
        await self.turn()
        self.assertEqual(channel.statistics().blocks_allocated, LIMITS.capacity)
        peer._raw.close()
        await self.lost(peer, recorder, PeerLost)

    async def test_creditForWhatWasNotPublished(self) -> None:
        """
        A peer that reads nothing and gives back everything cannot make what
        waits for it grow: only what was published can be given back.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        for _ in range(10):
            with contextlib.suppress(QueueFull):
                while True:
                    channel.send(b"")
            self.assertLessEqual(channel._writer.unpublished, LIMITS.capacity)
            await peer._giveBack(LIMITS.capacity)
            # Sealed memory comes to the credit when there is no room, plain
            # memory when the reactor does.
            with contextlib.suppress(QueueFull, ChannelCorrupt):
                channel.send(b"")
            await self.turn()
            if recorder.losses:
                break
        await self.lost(peer, recorder, ChannelCorrupt, "before they had been published")

    async def test_endsOneSide(self) -> None:
        """
        A peer that shuts its side of the socket is gone.
        """
        await self.listenForAll()
        peer, _, recorder = await self.opened()
        peer._raw.socket.shutdown(socket.SHUT_WR)
        await self.lost(peer, recorder, PeerLost)

    async def test_noise(self) -> None:
        """
        Right records with random faults, in the memory, in the counts and on
        the socket, cut the channel and nothing else; what is delivered is right.
        """
        await self.listenForAll()
        await self.flat()
        numbers = random.Random(817051)
        for _ in range(40):
            peer, _, recorder = await self.opened()
            assert peer._half is not None
            begin = peer._writer._offset
            if numbers.randrange(2):
                blocks = peer.lay(*[b"y" * 60] * 3)
            else:
                blocks = sum(peer.lay(b"y" * 60) for _ in range(3))
            for _ in range(numbers.randrange(1, 8)):
                where = begin + numbers.randrange(peer._writer._offset - begin)
                peer._half.memory[where : where + 1] = bytes([numbers.randrange(256)])
            await peer._tell(numbers.choice([blocks, blocks, blocks - 1, blocks + 1]))
            if numbers.randrange(3) == 0:
                await peer._raw.send(numbers.randbytes(20))
            peer._raw.close()
            await self.waitFor(lambda: bool(recorder.losses), "channelLost")  # noqa: B023
            await peer.hungUp()
            self.assertEqual(len(recorder.losses), 1)
            self.assertIn(recorder.losses[0].type, (ChannelCorrupt, PeerLost))
            self.assertLessEqual(set(recorder.messages), {b"y" * 60})
        await self.assertFlat()


class HostilePlainMemoryTests(HostileMemoryTests):
    """
    The same with C{portable=yes}, and what a peer can do there only.
    """

    portable = True
    peer_class = PlainPeer

    async def test_truncated(self) -> None:
        """
        A peer that cuts off its file, at any place, is found out; nothing dies.
        """
        await self.listenForAll()
        await self.flat()
        for size in (0, RING_START, RING_START + 3, RING_START + RECORD_SIZE + 2):
            peer, _, recorder = await self.opened()
            assert peer._half is not None
            peer.lay(b"cut off")
            os.ftruncate(peer._half.memory._fd, size)  # type: ignore[attr-defined]
            await peer._tell(1)
            await self.lost(peer, recorder, ChannelCorrupt, "truncated")
            self.assertEqual(recorder.messages, [])
        await self.assertFlat()

    async def test_creditForHalfAMessage(self) -> None:
        """
        Credit for a part of a message, and for nothing.
        """
        await self.listenForAll()
        for count, says in ((1, "whole messages"), (0, "unknown kind")):
            peer, channel, recorder = await self.opened()
            channel.send(b"x" * 100)
            await peer._raw.send(note(FREE, count))
            await self.lost(peer, recorder, ChannelCorrupt, says)

    async def test_countsBeforeAnEnd(self) -> None:
        """
        What a peer had told before it stopped reading is taken, when that is
        noticed while writing.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        await peer._raw.send(note(DATA, peer.lay(b"told")))
        peer._raw.close()
        channel.send(b"never read")
        channel.flush()
        await self.lost(peer, recorder, PeerLost)
        self.assertEqual(recorder.messages, [b"told"])


class HostileDoorbellTests(HostileBase, TestCase):
    """
    What a peer can do with doorbells.
    """

    async def test_overCredit(self) -> None:
        """
        Credit for what was never allocated is found when somebody asks for the
        figures, has no room, waits, or closes.
        """
        await self.listenForAll()
        await self.flat()

        def figures(channel: RingChannel) -> None:
            channel.statistics()

        def send(channel: RingChannel) -> None:
            for _ in range(LIMITS.capacity):
                channel.send(b"")
            self.assertRaises(ChannelCorrupt, channel.send, b"")
            self.assertEqual(channel.statistics().refused_total, 0)

        def wait(channel: RingChannel) -> None:
            self.failureResultOf(channel.whenFree(LIMITS.capacity), ChannelCorrupt)

        def close(channel: RingChannel) -> None:
            channel.send(b"")
            channel.close()

        for act in (figures, send, wait, close):
            peer, channel, recorder = await self.opened()
            assert peer._kind is Kind.SEALED
            os.eventfd_write(peer._given[2], LIMITS.capacity + 1)
            act(channel)
            await self.lost(peer, recorder, ChannelCorrupt, "9 blocks were given back")
        await self.assertFlat()

    async def test_overCreditForWaiters(self) -> None:
        """
        Who waits already is told of it.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        for _ in range(LIMITS.capacity):
            channel.send(b"")
        waiter = channel.whenFree(1)
        os.eventfd_write(peer._given[2], LIMITS.capacity + 1)
        await self.lost(peer, recorder, ChannelCorrupt, "9 blocks were given back where 8")
        self.failureResultOf(waiter, ChannelCorrupt)

    async def test_jammed(self) -> None:
        """
        A peer that fills up a doorbell that we are to ring is found out; nobody
        waits for it.
        """
        await self.listenForAll()
        await self.flat()
        peer, channel, recorder = await self.opened()
        os.eventfd_write(peer._given[1], (1 << 64) - 2)
        channel.send(b"x")
        await self.lost(peer, recorder, ChannelCorrupt, "jammed a doorbell")
        peer, channel, recorder = await self.opened()
        assert peer._half is not None
        os.eventfd_write(peer._half.space, (1 << 64) - 2)
        await peer.send(b"whose blocks cannot be given back")
        await self.lost(peer, recorder, ChannelCorrupt, "jammed a doorbell")
        await self.assertFlat()

    async def test_drained(self) -> None:
        """
        A peer that answers a doorbell in our place makes nobody wait.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        await peer.send(b"taken back")
        assert peer._half is not None
        os.eventfd_read(peer._half.data)
        assert isinstance(channel, SealedChannel)
        channel._dataRung()
        channel._spaceRung()
        self.assertEqual((recorder.messages, recorder.losses), ([], []))
        await peer._tell(1)
        await self.waitFor(lambda: recorder.messages == [b"taken back"], "the message")
        peer._raw.close()
        await self.lost(peer, recorder, PeerLost)

    async def test_blockingDoorbells(self) -> None:
        """
        Doorbells that would block are made such that do not.
        """
        await self.listenForAll()
        peer = self.peer_class(self, self.transport)
        real = peer._make

        def make(*args: object) -> list[int]:
            descriptors = real(*args)  # type: ignore[arg-type]
            for each in descriptors[1:]:
                os.set_blocking(each, True)
            return descriptors

        self.patch(peer, "_make", make)
        await peer.connect()
        assert peer._half is not None
        for each in (peer._half.data, peer._half.space):
            self.assertTrue(fcntl.fcntl(each, fcntl.F_GETFL) & os.O_NONBLOCK)
        peer._raw.close()
        await self.lost(
            peer, self.accepted[-2][1] if len(self.accepted) > 1 else self.accepted[-1][1], PeerLost
        )

    async def test_countsOnTheSocket(self) -> None:
        """
        Counts that come as notes where there are doorbells.
        """
        await self.listenForAll()
        for what in (DATA, FREE):
            peer, channel, recorder = await self.opened()
            channel.send(b"")
            await peer._raw.send(note(what, 1))
            await self.lost(peer, recorder, ChannelCorrupt, "unknown kind")

    async def test_farewellOvertakesData(self) -> None:
        """
        What was published before the farewell is not taken for a message after it.
        """
        await self.listenForAll()
        peer, channel, recorder = await self.opened()
        peer.lay(b"last")
        await peer._tell(1)
        await peer._raw.send(note(QUIT, 0))
        # As the reactor may do it: the socket first.
        channel.doRead()
        await self.waitFor(lambda: recorder.messages == [b"last"], "the last message")
        self.assertEqual(recorder.losses, [])
        self.assertRaises(ChannelClosed, channel.send, b"")
        peer._raw.close()
        await self.lost(peer, recorder, ChannelClosed)

    async def test_sameDescriptorTwice(self) -> None:
        """
        One doorbell for both purposes, or ours sent back to us, is a channel
        that corrupts itself at the first message at the latest.
        """
        await self.listenForAll()
        peer = self.peer_class(self, self.transport)
        real = peer._make

        def make(*args: object) -> list[int]:
            memory, data, _ = real(*args)  # type: ignore[arg-type]
            return [memory, data, data]

        self.patch(peer, "_make", make)
        await peer.connect()
        _, recorder = self.accepted[-1]
        await peer.send(b"echo")
        await self.lost(peer, recorder, ChannelCorrupt)
