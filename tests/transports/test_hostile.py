"""
C{unix:} against peers that do not keep the protocol.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import struct
import tempfile

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from transports import sockets
from transports._framing import OPENING_SIZE, Opening, checkOpening
from transports.errors import CannotConnect, ChannelCorrupt, LimitsMismatch, PeerLost
from transports.interfaces import IChannel, IReceiver
from transports.limits import Limits
from transports.sockets import UnixTransport
from transports.testing.conformance import ConformanceBase, Recorder

LIMITS = Limits(block_size=64, capacity=8)
OPENING = Opening(64, 8, 0x817051)


def frame(kind: bytes, credit: int = 0, length: int = 0, payload: bytes = b"") -> bytes:
    """
    A frame of any kind.
    """
    return struct.pack("<4sIQ", kind, credit, length) + payload


class HostileBase(ConformanceBase, TestCase):
    """
    A place, and raw sockets.
    """

    def setUp(self) -> None:
        """
        A transport that nobody uses yet.
        """
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        self.path = f"{directory}/s"
        self.transport = UnixTransport(reactor, self.path, LIMITS)

    async def closed(self, raw: socket.socket) -> bytes:
        """
        Wait until the other end hangs up.

        @return: what it said before.
        """
        data = b""
        ended = False

        def read() -> bool:
            nonlocal data, ended
            try:
                got = raw.recv(65536)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                got = b""
            data += got
            ended = not got
            return ended

        await self.waitFor(read, "the other end to hang up")
        return data


class HostilePeerTests(HostileBase):
    """
    A listener and those who connect to it.
    """

    async def listen(self) -> None:
        """
        Listen; each channel and its receiver is kept.
        """
        self.channels: list[IChannel] = []
        self.recorders: list[Recorder] = []

        def accept(channel: IChannel) -> IReceiver:
            self.channels.append(channel)
            recorder = Recorder()
            recorder.channel = channel
            self.recorders.append(recorder)
            return recorder

        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)
        self.addCleanup(self.abortAll)

    def abortAll(self) -> None:
        """
        End all channels.
        """
        for channel in self.channels:
            channel.abort()

    async def lost(self, recorder: Recorder) -> None:
        """
        Wait until a channel has ended.
        """
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")

    def raw(self, data: bytes) -> socket.socket:
        """
        Connect and say something.
        """
        raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(raw.close)
        raw.connect(self.path)
        raw.setblocking(False)
        raw.send(data)
        return raw

    async def opened(self) -> tuple[socket.socket, IChannel, Recorder]:
        """
        Connect with a right opening.
        """
        count = len(self.channels)
        raw = self.raw(OPENING.encode())
        await self.waitFor(lambda: len(self.channels) > count, "the listener to accept")
        self.assertEqual(checkOpening(raw.recv(OPENING_SIZE)), OPENING)
        return raw, self.channels[-1], self.recorders[-1]

    async def assertCorrupt(self, data: bytes, says: str) -> None:
        """
        The channel is cut when the peer says this, and the listener goes on.
        """
        raw, channel, recorder = await self.opened()
        raw.send(data)
        await self.lost(recorder)
        await self.closed(raw)
        self.assertEqual([each.type for each in recorder.losses], [ChannelCorrupt])
        self.assertIn(says, str(recorder.losses[0].value))
        self.assertRaises(ChannelCorrupt, channel.send, b"")
        self.assertEqual(channel.inboundStatistics().blocks_allocated, 0)
        again, _, recorder = await self.opened()
        again.send(frame(b"MESG", 0, 2, b"ok"))
        await self.waitFor(lambda: recorder.messages == [b"ok"], "another channel to work")

    async def test_badOpenings(self) -> None:
        """
        Who opens wrongly is hung up on, and no channel comes of it.
        """
        await self.listen()
        good = OPENING.encode()
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0" * 32,
            good[:8] + struct.pack("<I", 2) + good[12:],
            good[:20] + b"\x01" + good[21:],
        ):
            raw = self.raw(data)
            self.assertEqual(await self.closed(raw), b"")
        raw = self.raw(good[:17])
        raw.shutdown(socket.SHUT_WR)
        await self.closed(raw)
        self.assertEqual(self.channels, [])

    async def test_mismatchedLimits(self) -> None:
        """
        Who has other limits is told ours, then hung up on.
        """
        await self.listen()
        for opening in (
            Opening(64, 9, 1),
            Opening(128, 8, 2),
            Opening(0, 0, 3),
            Opening(1 << 31, 1 << 31, 4),
        ):
            said = await self.closed(self.raw(opening.encode()))
            self.assertEqual(checkOpening(said), Opening(64, 8, opening.epoch))
        self.assertEqual(self.channels, [])

    async def test_openingInBits(self) -> None:
        """
        An opening may come byte by byte, and frames too.
        """
        await self.listen()
        raw = self.raw(b"")
        for byte in OPENING.encode() + frame(b"MESG", 0, 3, b"abc"):
            raw.send(bytes([byte]))
            await self.turn()
        await self.waitFor(lambda: bool(self.recorders and self.recorders[0].messages), "the message")
        self.assertEqual(self.recorders[0].messages, [b"abc"])

    async def test_silence(self) -> None:
        """
        Who does not open within the deadline is hung up on.
        """
        self.patch(sockets, "OPENING_DEADLINE", 0.01)
        await self.listen()
        self.assertEqual(await self.closed(self.raw(OPENING.encode()[:5])), b"")

    async def test_manySilent(self) -> None:
        """
        Those who have not opened yet are bounded in number.
        """
        self.patch(sockets, "MOST_OPENINGS", 3)
        await self.listen()
        silent = [self.raw(b"") for _ in range(3)]
        await self.closed(self.raw(b""))
        silent[0].close()
        await self.turn()
        await self.opened()

    async def test_unknownFrames(self) -> None:
        """
        Frames that there are not.
        """
        await self.listen()
        await self.assertCorrupt(frame(b"WHAT"), "unknown kind")
        await self.assertCorrupt(frame(b"QUIT", 0, 5), "length of 5")
        await self.assertCorrupt(frame(b"FREE"), "gives back nothing")

    async def test_overCredit(self) -> None:
        """
        Credit for what was never sent.
        """
        await self.listen()
        await self.assertCorrupt(frame(b"FREE", 1), "1 blocks were given back where 0")
        await self.assertCorrupt(frame(b"MESG", 0xFFFFFFFF, 0), "given back")

    async def test_creditForHalfAMessage(self) -> None:
        """
        Credit for a part of a message, and more than all.
        """
        await self.listen()
        for credit in (1, 3):
            raw, channel, recorder = await self.opened()
            channel.send(b"x" * 60)
            self.assertEqual(channel.statistics().blocks_allocated, 2)
            raw.send(frame(b"FREE", credit))
            await self.lost(recorder)
            self.assertEqual([each.type for each in recorder.losses], [ChannelCorrupt])

    async def test_badLength(self) -> None:
        """
        A message larger than the queue, however large it says it is.
        """
        await self.listen()
        for length in (LIMITS.max_message + 1, 1 << 32, (1 << 64) - 1):
            await self.assertCorrupt(frame(b"MESG", 0, length), "was sent into a queue")

    async def test_overPublish(self) -> None:
        """
        More messages than the window has room for: what is kept never exceeds
        the queue.
        """
        await self.listen()
        raw, channel, recorder = await self.opened()
        channel.pauseDelivery()
        raw.send(frame(b"MESG") * 8)
        await self.waitFor(lambda: channel.inboundStatistics().blocks_allocated == 8, "a full queue")
        self.assertEqual(recorder.losses, [])
        raw.send(frame(b"MESG"))
        await self.lost(recorder)
        self.assertEqual([each.type for each in recorder.losses], [ChannelCorrupt])
        self.assertEqual(channel.inboundStatistics().blocks_high_water, 8)
        self.assertEqual(recorder.messages, [])

    async def test_afterQuit(self) -> None:
        """
        A message, or a second farewell, after the farewell.
        """
        await self.listen()
        await self.assertCorrupt(frame(b"QUIT") + frame(b"MESG"), "after the peer had said")
        await self.assertCorrupt(frame(b"QUIT") + frame(b"QUIT"), "quits twice")

    async def test_neverReads(self) -> None:
        """
        A peer that never reads is refused at the end of its window like any
        other, and its death is noticed.
        """
        await self.listen()
        raw, channel, recorder = await self.opened()
        for _ in range(8):
            channel.send(b"x" * 48)
        await self.turn()
        self.assertEqual(channel.statistics().blocks_allocated, 8)
        raw.close()
        await self.lost(recorder)
        self.assertEqual([each.type for each in recorder.losses], [PeerLost])

    async def test_tornMessage(self) -> None:
        """
        What a dying peer had not sent whole is not delivered; what it had, is.
        """
        await self.listen()
        raw, _, recorder = await self.opened()
        raw.send(frame(b"MESG", 0, 2, b"ok") + frame(b"MESG", 0, 100, b"torn"))
        raw.close()
        await self.lost(recorder)
        self.assertEqual(recorder.messages, [b"ok"])
        self.assertEqual([each.type for each in recorder.losses], [PeerLost])

    async def test_noise(self) -> None:
        """
        Random bytes after a right opening, and right frames with random
        faults, cut the channel and nothing else.
        """
        await self.listen()
        numbers = random.Random(817051)
        for _ in range(40):
            raw, _, recorder = await self.opened()
            data = bytearray(frame(b"MESG", 0, 20, b"y" * 20) * 3)
            for _ in range(numbers.randrange(1, 8)):
                data[numbers.randrange(len(data))] = numbers.randrange(256)
            raw.send(bytes(data))
            raw.close()
            await self.lost(recorder)
            self.assertEqual(len(recorder.losses), 1)
            self.assertIn(recorder.losses[0].type, (ChannelCorrupt, PeerLost))


class HostileListenerTests(HostileBase):
    """
    One who connects, and a listener that is not one.
    """

    async def answer(self, answer: bytes) -> Deferred[IChannel]:
        """
        Connect to a listener that answers the opening with this, and hangs up.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as place:
            place.bind(self.path)
            place.listen(1)
            connecting = self.transport.connect(Recorder())
            raw, _ = place.accept()
            with raw:
                self.opening = checkOpening(raw.recv(OPENING_SIZE))
                raw.send(answer)
        os.unlink(self.path)
        return connecting

    async def test_notAListener(self) -> None:
        """
        Somebody else answers.
        """
        error = await self.assertFailure(await self.answer(b"220 ready\r\n"), CannotConnect)
        self.assertIn("bad magic", str(error))

    async def test_anotherVersion(self) -> None:
        """
        A listener of another version answers: both versions are named.
        """
        good = OPENING.encode()
        answer = good[:8] + struct.pack("<I", 9) + good[12:]
        error = await self.assertFailure(await self.answer(answer), CannotConnect)
        self.assertIn("version 9", str(error))

    async def test_hangsUp(self) -> None:
        """
        The listener hangs up.
        """
        error = await self.assertFailure(await self.answer(OPENING.encode()[:9]), CannotConnect)
        self.assertIn("hung up", str(error))

    async def test_wrongEpoch(self) -> None:
        """
        The answer is to another opening.
        """
        error = await self.assertFailure(await self.answer(OPENING.encode()), CannotConnect)
        self.assertIn("epoch", str(error))

    async def test_otherLimits(self) -> None:
        """
        The listener has other limits.
        """
        error = await self.assertFailure(await self.answer(Opening(64, 80, 0).encode()), LimitsMismatch)
        self.assertIn("80 blocks of 64 bytes", str(error))

    async def test_newEpoch(self) -> None:
        """
        Each connection names itself anew.
        """
        epochs = set()
        for _ in range(3):
            await self.assertFailure(await self.answer(b""), CannotConnect)
            assert self.opening is not None
            epochs.add(self.opening.epoch)
        self.assertEqual(len(epochs), 3)
