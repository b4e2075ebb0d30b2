"""
C{unix:}, C{tcp:} and TLS against peers that do not keep the protocol.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import ssl
import struct
import tempfile
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.transports.certificates import certificates
from transports import _listening, _opening
from transports._framing import OPENING_SIZE, Opening, checkOpening
from transports.errors import (
    CannotConnect,
    ChannelClosed,
    ChannelCorrupt,
    LimitsMismatch,
    PeerLost,
    QueueFull,
)
from transports.interfaces import IChannel, IReceiver
from transports.limits import Limits
from transports.sockets import SocketTransport, TcpTransport, UnixTransport
from transports.testing.conformance import ConformanceBase, Recorder

LIMITS = Limits(block_size=64, capacity=8)
OPENING = Opening(64, 8, 0x817051)


def frame(kind: bytes, credit: int = 0, length: int = 0, payload: bytes = b"") -> bytes:
    """
    A frame of any kind.
    """
    return struct.pack("<4sIQ", kind, credit, length) + payload


class TlsRaw:
    """
    A TLS client by hand, that looks like a non-blocking socket.

    @ivar connected: the socket below.
    @ivar unsent: what TLS has made and the socket has not got.
    @ivar hold: whether nothing goes to the socket.
    """

    def __init__(self, connected: socket.socket, portion: int = 1 << 20) -> None:
        """
        @param portion: bytes that go to the socket at a time.
        """
        self.connected = connected
        self.unsent = b""
        self.hold = False
        self._portion = portion
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = certificates().credentials().load().connecting
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="127.0.0.1")

    def pump(self) -> None:
        """
        Move bytes between TLS and the socket.
        """
        self.unsent += self._outgoing.read()
        try:
            if self.unsent and not self.hold:
                sent = self.connected.send(self.unsent[: self._portion])
                self.unsent = self.unsent[sent:]
            data = self.connected.recv(65536)
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            data = b""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def shakesHands(self) -> bool:
        """
        Go on with the handshake; whether it is over, one way or the other.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.pump()
            return False
        except ssl.SSLEOFError:
            return True
        self.pump()
        return not self.unsent

    def send(self, data: bytes) -> int:
        """
        See C{socket.send}.
        """
        if data:
            self._tls.write(data)
            self.pump()
        return len(data)

    def recv(self, size: int) -> bytes:
        """
        See C{socket.recv}.
        """
        self.pump()
        try:
            return self._tls.read(size)
        except ssl.SSLWantReadError:
            raise BlockingIOError from None
        except ssl.SSLError:
            # The other end has hung up, perhaps saying why.
            return b""

    def shutdown(self, how: int) -> None:
        """
        See C{socket.shutdown}.
        """
        self.connected.shutdown(how)

    def close(self) -> None:
        """
        See C{socket.close}.
        """
        self.connected.close()


Raw = socket.socket | TlsRaw


def unixTransport(case: TestCase, limits: Limits) -> UnixTransport:
    """
    A transport at a place that goes with the test.
    """
    from twisted.internet import reactor

    directory = tempfile.mkdtemp(prefix="ms")
    case.addCleanup(shutil.rmtree, directory)
    return UnixTransport(reactor, f"{directory}/s", limits)


class HostileBase(ConformanceBase):
    """
    A place, and raw connections.
    """

    transport: SocketTransport

    def setUp(self) -> None:
        """
        A transport that nobody uses yet.
        """
        super().setUp()
        self.transport = self.makeTransport(LIMITS)

    def makeTransport(self, limits: Limits) -> SocketTransport:
        """
        See L{ConformanceBase.makeTransport}.
        """
        raise NotImplementedError

    def newSocket(self) -> socket.socket:
        """
        A blocking socket that goes with the test.
        """
        family = socket.AF_UNIX if isinstance(self.transport, UnixTransport) else socket.AF_INET
        raw = socket.socket(family, socket.SOCK_STREAM)
        self.addCleanup(raw.close)
        return raw

    def address(self) -> Any:
        """
        Where the transport's place is, for a socket.
        """
        if isinstance(self.transport, UnixTransport):
            return self.transport.path
        assert isinstance(self.transport, TcpTransport)
        return self.transport.host, self.transport.port

    async def raw(self, data: bytes) -> Raw:
        """
        Connect and say something.
        """
        connected = self.newSocket()
        connected.connect(self.address())
        if connected.family == socket.AF_INET:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setblocking(False)
        connected.send(data)
        return connected

    async def closed(self, raw: Raw) -> bytes:
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


class RefusalsTests(SynchronousTestCase):
    """
    What is logged of refused connections.
    """

    def test_rate(self) -> None:
        """
        In each minute ten have a line of their own, and the next refusal after
        it tells how many had not.
        """
        clock = Clock()
        refusals = _listening.Refusals("unix:/place", clock.seconds)
        with capturedLogs() as logs:
            for _ in range(3):
                for number in range(1000):
                    refusals.note(str(number))
                    clock.advance(0.05)
                clock.advance(11)
            refusals.sumUp()
            refusals.sumUp()
        lines = [formatEvent(each) for each in logs]
        one_by_one = [f"unix:/place: a connection was refused: {number}" for number in range(10)]
        self.assertEqual(lines[:10], one_by_one)
        self.assertRegex(lines[10], "further ones are only counted for (59|60) seconds$")
        self.assertEqual(lines[11], "unix:/place: 990 more connections were refused")
        self.assertEqual(len(lines), 3 * 12)


class HostilePeerMixin(HostileBase):
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

    async def opened(self) -> tuple[Raw, IChannel, Recorder]:
        """
        Connect with a right opening.
        """
        count = len(self.channels)
        raw = await self.raw(OPENING.encode())
        await self.waitFor(lambda: len(self.channels) > count, "the listener to accept")
        self.assertEqual(checkOpening(await self.heard(raw, OPENING_SIZE)), OPENING)
        return raw, self.channels[-1], self.recorders[-1]

    async def heard(self, raw: Raw, size: int) -> bytes:
        """
        Wait for so many bytes.
        """
        data = b""

        def read() -> bool:
            nonlocal data
            try:
                data += raw.recv(size - len(data))
            except BlockingIOError:
                pass
            return len(data) == size

        await self.waitFor(read, "the answer")
        return data

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
            raw = await self.raw(data)
            self.assertEqual(await self.closed(raw), b"")
        raw = await self.raw(good[:17])
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
            said = await self.closed(await self.raw(opening.encode()))
            self.assertEqual(checkOpening(said), Opening(64, 8, opening.epoch))
        self.assertEqual(self.channels, [])

    async def test_openingInBits(self) -> None:
        """
        An opening may come byte by byte, and frames too.
        """
        await self.listen()
        raw = await self.raw(b"")
        for byte in OPENING.encode() + frame(b"MESG", 0, 3, b"abc"):
            raw.send(bytes([byte]))
            await self.turn()
        await self.waitFor(lambda: bool(self.recorders and self.recorders[0].messages), "the message")
        self.assertEqual(self.recorders[0].messages, [b"abc"])

    async def test_silence(self) -> None:
        """
        Who does not open within the deadline is hung up on.
        """
        self.patch(_opening, "OPENING_DEADLINE", 0.01)
        await self.listen()
        self.assertEqual(await self.closed(await self.raw(OPENING.encode()[:5])), b"")

    async def test_manySilent(self) -> None:
        """
        Those who have not opened yet are bounded in number.
        """
        self.patch(_listening, "MOST_OPENINGS", 3)
        await self.listen()
        silent = [await self.raw(b"") for _ in range(3)]
        await self.closed(await self.raw(b""))
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

    async def test_creditForWhatWasNotSent(self) -> None:
        """
        A peer that reads nothing and gives back everything cannot make what
        waits for it grow: only what was sent can be given back.
        """
        self.transport = self.makeTransport(Limits(1 << 16, 64))
        await self.listen()
        raw = await self.raw(Opening(1 << 16, 64, 1).encode())
        await self.waitFor(lambda: bool(self.channels), "the listener to accept")
        channel, recorder = self.channels[0], self.recorders[0]
        largest = bytes((1 << 16) - 16)
        sent = 0

        def overrun() -> bool:
            nonlocal sent
            try:
                while True:
                    channel.send(largest)
                    sent += 1
            except QueueFull:
                raw.send(frame(b"FREE", 64))
            except ChannelCorrupt:
                pass
            return bool(recorder.losses) or sent > 1000

        await self.waitFor(overrun, "the channel to be cut")
        self.assertEqual([each.type for each in recorder.losses], [ChannelCorrupt])
        self.assertIn("before they had been sent", str(recorder.losses[0].value))
        self.assertLessEqual(sent, 128)

    async def test_abortForCredit(self) -> None:
        """
        Who waits for room may abort when there is some, though the same bytes
        bring the peer's farewell: nothing is left waiting.
        """
        await self.listen()
        raw, channel, recorder = await self.opened()
        channel.send(b"one")
        channel.flush()
        channel.whenFree(8).addCallback(lambda _: channel.abort())
        await self.heard(raw, 16 + 3)
        raw.send(frame(b"FREE", 1) + frame(b"QUIT"))
        await self.lost(recorder)
        self.assertIn("aborted", str(recorder.losses[0].value))
        error = self.assertRaises(ChannelClosed, channel.send, b"")
        self.assertIn("aborted", str(error))

    async def test_refusalsAreCounted(self) -> None:
        """
        A peer that is refused again and again does not fill the log: after some
        lines there is only a number.
        """
        self.patch(_listening, "_TELL_MOST", 3)
        listener = await self.transport.listen(lambda channel: Recorder())
        self.addCleanup(listener.stopListening)
        with capturedLogs() as logs:
            for _ in range(5):
                raw = await self.raw(b"GET / HTTP/1.1\r\n\r\n")
                await self.closed(raw)
            await listener.stopListening()
        self.assertEqual(sum("why" in each for each in logs), 3)
        self.assertEqual([each["count"] for each in logs if "count" in each], [2])
        self.assertEqual(len(logs), 5)

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


class UnixPeerTests(HostilePeerMixin, TestCase):
    """
    Over C{unix:}.
    """

    def makeTransport(self, limits: Limits) -> UnixTransport:
        """
        See L{ConformanceBase.makeTransport}.
        """
        return unixTransport(self, limits)


class TcpPeerTests(HostilePeerMixin, TestCase):
    """
    Over C{tcp:}.
    """

    def makeTransport(self, limits: Limits) -> TcpTransport:
        """
        See L{ConformanceBase.makeTransport}.
        """
        from twisted.internet import reactor

        return TcpTransport(reactor, "127.0.0.1", 0, limits)

    async def test_speaksTls(self) -> None:
        """
        Who speaks TLS where none is spoken is told apart from noise.
        """
        await self.listen()
        with capturedLogs() as logs:
            await self.closed(await self.raw(b"\x16\x03\x01\x02\x00"))
        self.assertIn("the peer speaks TLS", str(logs))


class TlsPeerTests(HostilePeerMixin, TestCase):
    """
    Over TLS, as a peer with the right certificate.
    """

    def makeTransport(self, limits: Limits) -> TcpTransport:
        """
        See L{ConformanceBase.makeTransport}.
        """
        from twisted.internet import reactor

        return TcpTransport(reactor, "127.0.0.1", 0, limits, tls=certificates().credentials())

    async def raw(self, data: bytes) -> TlsRaw:
        """
        Connect, shake hands and say something.
        """
        connected = await super().raw(b"")
        assert isinstance(connected, socket.socket)
        raw = TlsRaw(connected)
        await self.waitFor(raw.shakesHands, "the handshake")
        raw.send(data)
        return raw

    async def test_openingAndFramesInOneRecord(self) -> None:
        """
        What TLS has taken from the socket together with the opening is not
        forgotten, though the socket has nothing more.
        """
        await self.listen()
        await self.raw(OPENING.encode() + frame(b"MESG", 0, 2, b"ok"))
        await self.waitFor(lambda: bool(self.recorders and self.recorders[0].messages), "the message")
        self.assertEqual(self.recorders[0].messages, [b"ok"])

    async def test_bytesOfTheHandshakeOneByOne(self) -> None:
        """
        The handshake may come byte by byte too.
        """
        await self.listen()
        connected = await super().raw(b"")
        assert isinstance(connected, socket.socket)
        raw = TlsRaw(connected, portion=1)
        await self.waitFor(raw.shakesHands, "the handshake")
        raw.send(OPENING.encode())
        while raw.unsent:
            raw.pump()
            await self.turn()
        self.assertEqual(checkOpening(await self.heard(raw, OPENING_SIZE)), OPENING)

    async def test_brokenRecords(self) -> None:
        """
        Bytes that are not TLS cut the channel; what came before them is delivered
        or thrown away, never altered.
        """
        await self.listen()
        for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x17\x03\x03\x00\x20" + b"z" * 32, b"\xff" * 64):
            raw, channel, recorder = await self.opened()
            assert isinstance(raw, TlsRaw)
            raw.send(frame(b"MESG", 0, 2, b"ok"))
            raw.connected.send(noise)
            await self.lost(recorder)
            self.assertEqual([each.type for each in recorder.losses], [ChannelCorrupt])
            self.assertIn("the TLS connection broke", str(recorder.losses[0].value))
            self.assertIn(recorder.messages, ([], [b"ok"]))
            self.assertRaises(ChannelCorrupt, channel.send, b"")
        await self.opened()

    async def test_alteredRecord(self) -> None:
        """
        A record of which one bit was changed on its way is not delivered.
        """
        await self.listen()
        raw, _, recorder = await self.opened()
        assert isinstance(raw, TlsRaw)
        raw.hold = True
        raw.send(frame(b"MESG", 0, 4, b"good"))
        altered = bytearray(raw.unsent)
        altered[-20] ^= 1
        raw.connected.send(altered)
        await self.lost(recorder)
        self.assertEqual([each.type for each in recorder.losses], [ChannelCorrupt])
        self.assertEqual(recorder.messages, [])


class HostileListenerMixin(HostileBase):
    """
    One who connects, and a listener that is not one.
    """

    opening: Opening | None

    async def answer(self, answer: bytes) -> Deferred[IChannel]:
        """
        Connect to a listener that answers the opening with this, and hangs up.
        """
        with self.newSocket() as place:
            place.bind(self.address())
            place.listen(1)
            if isinstance(self.transport, TcpTransport):
                self.transport.port = place.getsockname()[1]
            connecting = self.transport.connect(Recorder())
            raw, _ = place.accept()
            raw.settimeout(0)
            with raw:
                self.opening = None

                def read() -> bool:
                    try:
                        self.opening = checkOpening(raw.recv(OPENING_SIZE))
                    except BlockingIOError:
                        pass
                    return self.opening is not None

                await self.waitFor(read, "the opening")
                raw.send(answer)
        if isinstance(self.transport, UnixTransport):
            os.unlink(self.transport.path)
        else:
            assert isinstance(self.transport, TcpTransport)
            self.transport.port = 0
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

    async def test_speaksTls(self) -> None:
        """
        The listener speaks TLS and this end does not: that is said.
        """
        error = await self.assertFailure(await self.answer(b"\x15\x03\x03\x00\x02\x02\x46"), CannotConnect)
        self.assertIn("speaks TLS", str(error))


class UnixListenerTests(HostileListenerMixin, TestCase):
    """
    Over C{unix:}.
    """

    def makeTransport(self, limits: Limits) -> UnixTransport:
        """
        See L{ConformanceBase.makeTransport}.
        """
        return unixTransport(self, limits)


class TcpListenerTests(HostileListenerMixin, TestCase):
    """
    Over C{tcp:}.
    """

    def makeTransport(self, limits: Limits) -> TcpTransport:
        """
        See L{ConformanceBase.makeTransport}.
        """
        from twisted.internet import reactor

        return TcpTransport(reactor, "127.0.0.1", 0, limits)
