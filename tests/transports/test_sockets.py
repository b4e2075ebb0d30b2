"""
C{unix:}, and what all channels over sockets do beside the contract.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import stat
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReadDescriptor, IReadWriteDescriptor
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from tests.transports.test_conformance import OurTests
from transports import _listening, _place
from transports._framing import packFrames
from transports._opening import Greeting
from transports._place import isTrusted, peerUid
from transports._socketchannel import SocketChannel
from transports.errors import CannotConnect, CannotListen, ChannelClosed, LimitsMismatch, PeerLost
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits
from transports.sockets import UnixListener, UnixTransport
from transports.testing.conformance import LIMITS, ConformanceBase, DeathTests, FlowTests, Recorder


class SleepingConformanceTests(FlowTests, DeathTests, TestCase):
    """
    C{unix:} keeps the contract when it never spins.
    """

    shortenDeadline = OurTests.shortenDeadline

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        return UnixTransport(reactor, f"{directory}/s", limits, spin=0.0)


class SpinningConformanceTests(FlowTests, DeathTests, TestCase):
    """
    A channel that spins keeps the contract.
    """

    shortenDeadline = OurTests.shortenDeadline

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        return UnixTransport(reactor, f"{directory}/s", limits, spin=0.00002)


class SpinTests(ConformanceBase, TestCase):
    """
    What spinning is.
    """

    async def open(self, spin: float) -> tuple[SocketChannel, Recorder, socket.socket, list[str]]:
        """
        Open a channel by hand.

        @return: the channel, its receiver, the other end, and a list of what
            happens: the messages, and C{"turn"} for the turn of the reactor
            that follows the first one.
        """
        from twisted.internet import reactor

        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        for each in (ours, theirs):
            each.setblocking(False)
        channel = SocketChannel(reactor, LIMITS, "here", ours, 1, spin=spin)
        self.addCleanup(channel.abort)
        recorder = Recorder()
        happened: list[str] = []

        def note(message: bytes) -> None:
            happened.append(message.decode())
            if len(happened) == 1:
                self.loop(lambda: happened.append("turn"))
            # The other end answers at once.
            theirs.send(packFrames(deque([b"%d" % len(recorder.messages)]), 0, 100))

        recorder.on_message = note
        channel._start(recorder)
        theirs.send(packFrames(deque([b"0"]), 0, 100))
        return channel, recorder, theirs, happened

    def loop(self, act: Callable[[], object]) -> None:
        """
        Act in the next turn of the reactor.
        """
        from twisted.internet import reactor

        cast(Any, reactor).callLater(0, act)

    async def test_answersInTheSameTurn(self) -> None:
        """
        What arrives while a channel spins is delivered without another turn of
        the reactor, and the spinning ends though messages do not.
        """
        channel, recorder, _, happened = await self.open(0.001)
        await self.waitFor(lambda: "turn" in happened, "a turn of the reactor")
        self.assertGreater(happened.index("turn"), 2)
        channel.abort()
        self.assertEqual(recorder.messages, [b"%d" % number for number in range(len(recorder.messages))])

    async def test_notByItself(self) -> None:
        """
        A channel that is not told to spin does not.
        """
        channel, _, _, happened = await self.open(0.0)
        await self.waitFor(lambda: "turn" in happened, "a turn of the reactor")
        self.assertEqual(happened[:2], ["0", "turn"])
        channel.abort()

    async def test_endsWithTheChannel(self) -> None:
        """
        A peer that dies while a channel spins is noticed like any other.
        """
        channel, recorder, theirs, _ = await self.open(0.001)
        recorder.on_message = lambda message: theirs.close()
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.assertEqual(recorder.messages, [b"0"])
        self.assertRaises(PeerLost, channel.send, b"")


class UnixTransportTests(ConformanceBase, TestCase):
    """
    What C{unix:} does beside the contract.
    """

    def setUp(self) -> None:
        """
        A directory and a transport in it.
        """
        from twisted.internet import reactor

        self.directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, self.directory)
        self.path = f"{self.directory}/s"
        self.transport = UnixTransport(reactor, self.path, LIMITS)

    def makeTransport(self, limits: Limits) -> UnixTransport:
        """
        Another transport for the same place.
        """
        from twisted.internet import reactor

        return UnixTransport(reactor, self.path, limits)

    async def listen(self, transport: UnixTransport) -> IListener:
        """
        Listen, for the length of the test.
        """
        listener = await transport.listen(lambda channel: Recorder())
        self.addCleanup(listener.stopListening)
        return listener

    async def test_file(self) -> None:
        """
        The socket file is for its owner only; it goes when nobody listens any
        more, and nothing else is left.
        """
        listener = await self.listen(self.transport)
        mode = os.lstat(self.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(os.listdir(self.directory), ["s"])
        await listener.stopListening()
        await listener.stopListening()
        self.assertEqual(os.listdir(self.directory), [])

    async def test_umaskIsRestored(self) -> None:
        """
        The process's umask is what it was.
        """
        before = os.umask(0o022)
        try:
            await self.listen(self.transport)
            self.assertEqual(os.umask(0o022), 0o022)
        finally:
            os.umask(before)

    async def test_stale(self) -> None:
        """
        The file of a listener that died is replaced.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
            dead.bind(self.path)
            dead.listen(1)
        await self.listen(self.transport)
        pair = self.transport.connect(Recorder())
        channel = await pair
        channel.abort()

    async def test_live(self) -> None:
        """
        A place where somebody listens is left alone.
        """
        await self.listen(self.transport)
        failing = self.makeTransport(LIMITS).listen(lambda channel: Recorder())
        error = await self.assertFailure(failing, CannotListen)
        self.assertIn(self.path, str(error))
        channel = await self.transport.connect(Recorder())
        channel.abort()

    async def test_liveButBusy(self) -> None:
        """
        A listener whose backlog is full is alive, and those who connect are told.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as busy:
            busy.bind(self.path)
            busy.listen(0)
            waiting = []
            for _ in range(3):
                raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self.addCleanup(raw.close)
                raw.setblocking(False)
                waiting.append(raw.connect_ex(self.path))
            self.assertNotEqual(waiting[-1], 0)
            await self.assertFailure(self.transport.listen(lambda channel: Recorder()), CannotListen)
            await self.assertFailure(self.transport.connect(Recorder()), CannotConnect)

    async def test_notASocket(self) -> None:
        """
        A file that is no socket is not touched.
        """
        with open(self.path, "w") as file:
            file.write("precious")
        error = await self.assertFailure(self.transport.listen(lambda channel: Recorder()), CannotListen)
        self.assertIn("no socket", str(error))
        await self.assertFailure(self.transport.connect(Recorder()), CannotConnect)
        with open(self.path) as file:
            self.assertEqual(file.read(), "precious")

    async def test_noDirectory(self) -> None:
        """
        A directory that is not there is named.
        """
        transport = UnixTransport(self.transport.reactor, f"{self.directory}/none/s", LIMITS)
        error = await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)
        self.assertEqual(
            str(error),
            f"cannot listen at {self.directory}/none/s: the directory {self.directory}/none does not exist",
        )
        refused = await self.assertFailure(transport.connect(Recorder()), CannotConnect)
        self.assertIn("nobody listens", str(refused))

    async def test_fileAsDirectory(self) -> None:
        """
        A file where the directory should be is named.
        """
        with open(self.path, "w"):
            pass
        transport = UnixTransport(self.transport.reactor, f"{self.path}/s", LIMITS)
        error = await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)
        self.assertIn(f"{self.path} is no directory", str(error))

    async def test_forbiddenDirectory(self) -> None:
        """
        A directory in which this user may not make files is named.
        """

        def forbid(*args: object) -> int:
            raise PermissionError(errno.EACCES, "Permission denied")

        with self.patched((os, "open", forbid), (os, "access", lambda *args: False)):
            listening = self.transport.listen(lambda channel: Recorder())
        error = await self.assertFailure(listening, CannotListen)
        self.assertIn(f"this user may not make files in the directory {self.directory}", str(error))

    @contextmanager
    def patched(self, *changes: tuple[object, str, object]) -> Iterator[None]:
        """
        Replace things for a moment.
        """
        patches = [self.patch(*each) for each in changes]
        try:
            yield
        finally:
            for each in patches:
                each.restore()

    async def test_lockRemoved(self) -> None:
        """
        Whoever removes the lock meanwhile does no harm.
        """
        real = _place._bind

        def bind(listening: socket.socket, path: str) -> None:
            real(listening, path)
            os.unlink(f"{path}.lock")

        self.patch(_place, "_bind", bind)
        await self.listen(self.transport)
        channel = await self.transport.connect(Recorder())
        channel.abort()

    async def test_noDescriptorToConnectWith(self) -> None:
        """
        A process that has no descriptor left cannot connect, and is told so.
        """
        await self.listen(self.transport)

        def exhausted(*args: object) -> socket.socket:
            raise OSError(errno.EMFILE, "Too many open files")

        with self.patched((socket, "socket", exhausted)):
            connecting = self.transport.connect(Recorder())
        error = await self.assertFailure(connecting, CannotConnect)
        self.assertIn(f"cannot connect to unix:{self.path}: Too many open files", str(error))

    async def test_anotherKindOfSocket(self) -> None:
        """
        A socket to which one cannot connect like this is left alone, and it is
        not said that somebody listens.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(self.path)
            error = await self.assertFailure(self.transport.listen(lambda channel: Recorder()), CannotListen)
            self.assertIn(os.strerror(errno.EPROTOTYPE), str(error))
        self.assertTrue(os.path.exists(self.path))

    async def test_somebodyElsesFile(self) -> None:
        """
        A file that took the place of ours is not removed.
        """
        listener = await self.listen(self.transport)
        os.unlink(self.path)
        with open(self.path, "w"):
            pass
        await listener.stopListening()
        self.assertEqual(os.listdir(self.directory), ["s"])

    async def test_beingOpened(self) -> None:
        """
        While another process makes its socket there, this one keeps away; the
        lock of a process that died is no obstacle.
        """
        with open(f"{self.path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            await self.assertFailure(self.transport.listen(lambda channel: Recorder()), CannotListen)
        await self.listen(self.transport)
        self.assertEqual(os.listdir(self.directory), ["s"])

    async def test_mismatch(self) -> None:
        """
        Both ends must have the same limits; the error has both.
        """
        await self.listen(self.transport)
        other = self.makeTransport(Limits(64, 9))
        error = await self.assertFailure(other.connect(Recorder()), LimitsMismatch)
        for part in ("9 blocks of 64 bytes", "8 blocks of 64 bytes", self.path):
            self.assertIn(part, str(error))

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
        A peer that runs as somebody else is hung up on.
        """
        self.transport.peerUid = lambda connected: 4711
        await self.listen(self.transport)
        error = await self.assertFailure(self.makeTransport(LIMITS).connect(Recorder()), CannotConnect)
        self.assertIn("hung up", str(error))

    async def test_goneBeforeItsTurn(self) -> None:
        """
        A peer of which the system says nothing is hung up on.
        """

        def unknown(connected: socket.socket) -> int:
            raise OSError(errno.ENOTCONN, "not connected")

        self.transport.peerUid = unknown
        await self.listen(self.transport)
        await self.assertFailure(self.makeTransport(LIMITS).connect(Recorder()), CannotConnect)

    async def test_peerUid(self) -> None:
        """
        The kernel says who the peer is.
        """
        left, right = socket.socketpair()
        with left, right:
            self.assertEqual(peerUid(left), os.geteuid())
            self.assertTrue(isTrusted(peerUid(right)))
            self.assertFalse(isTrusted(4711))

    async def test_cancelled(self) -> None:
        """
        Who gives up connecting hangs up, and leaves nothing.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as place:
            place.bind(self.path)
            place.listen(1)
            connecting = self.transport.connect(Recorder())
            connecting.cancel()
            await self.assertFailure(connecting, CancelledError)

    async def test_stoppedDuringAnOpening(self) -> None:
        """
        Who is at the opening when the listener stops is hung up on.
        """
        listener = await self.listen(self.transport)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
            raw.connect(self.path)
            await self.turn()
            await self.turn()
            await listener.stopListening()
            self.assertEqual(raw.recv(1), b"")

    async def test_notAccepted(self) -> None:
        """
        A listener that fails is logged; the peer loses its channel, the next
        one is listened to.
        """
        accepted: list[IChannel] = []

        def accept(channel: IChannel) -> IReceiver:
            accepted.append(channel)
            if len(accepted) == 1:
                raise ZeroDivisionError
            return Recorder()

        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)
        recorder = Recorder()
        await self.transport.connect(recorder)
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        channel = await self.transport.connect(Recorder())
        channel.abort()

    async def test_closedAndNotAccepted(self) -> None:
        """
        A listener that closes the channel before it fails is told when it is
        closed.
        """
        closing: list[Deferred[None]] = []

        def accept(channel: IChannel) -> IReceiver:
            closing.append(channel.close())
            raise ZeroDivisionError

        listener = await self.transport.listen(accept)
        self.addCleanup(listener.stopListening)
        recorder = Recorder()
        await self.transport.connect(recorder)
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.flushLoggedErrors(ZeroDivisionError)
        await closing[0]

    async def test_unexpectedFailure(self) -> None:
        """
        Whatever goes wrong while connecting, nothing is left open.
        """

        greetings: list[Greeting[Any]] = []

        class Stumbling(UnixTransport):
            def _greet(self, connected: socket.socket, first: bytes) -> Greeting[Any]:
                greetings.append(super()._greet(connected, first))
                return greetings[-1]

            def _check(self, theirs: object, epoch: int) -> None:
                raise ZeroDivisionError

        await self.listen(self.transport)
        stumbling = Stumbling(self.transport.reactor, self.path, LIMITS)
        await self.assertFailure(stumbling.connect(Recorder()), ZeroDivisionError)
        self.assertEqual([each.fileno() for each in greetings], [-1])

    async def test_outOfDescriptors(self) -> None:
        """
        When the process has no descriptor left, the listener rests and goes on
        later.
        """
        self.patch(_listening, "_REST", 0.0)
        listener = await self.listen(self.transport)
        assert isinstance(listener, UnixListener)
        real = listener._socket
        tries: list[int] = []

        class Exhausted:
            def accept(self) -> tuple[socket.socket, object]:
                tries.append(1)
                if len(tries) == 1:
                    raise OSError(errno.EMFILE, "too many open files")
                return real.accept()

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        listener._socket = Exhausted()  # type: ignore[assignment]
        channel = await self.transport.connect(Recorder())
        channel.abort()
        self.assertEqual(len(tries), 2)

    async def test_closeDeadline(self) -> None:
        """
        A peer that does not drain is cut off when the deadline has come.
        """

        class Hasty(SocketChannel):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, close_deadline=0.01, **options)

        self.transport.channel_class = Hasty
        pair = await self.openThrough(self.transport)
        pair.left.send(b"never handled")
        await pair.left.channel.close()
        self.assertEqual([each.type for each in pair.left.recorder.losses], [ChannelClosed])
        await self.until(lambda: bool(pair.right.recorder.losses), "channelLost")
        self.assertEqual(pair.right.messages, [])

    async def test_epoch(self) -> None:
        """
        Both ends know the channel by the same number, another one each time.
        """
        epochs = []
        for _ in range(2):
            pair = await self.openThrough(self.transport)
            left, right = pair.left.channel, pair.right.channel
            assert isinstance(left, SocketChannel) and isinstance(right, SocketChannel)
            self.assertEqual(left.epoch, right.epoch)
            epochs.append(left.epoch)
            await pair.dispose()
        self.assertNotEqual(*epochs)

    async def test_oneSystemCallForABatch(self) -> None:
        """
        Messages sent in one turn go out together.
        """
        pair = await self.openPair()
        left = pair.left.channel
        assert isinstance(left, SocketChannel)
        real = left._socket
        batches: list[int] = []

        class Counting:
            def send(self, data: bytes) -> int:
                batches.append(len(data))
                return real.send(data)

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        left._socket = Counting()  # type: ignore[assignment]
        pair.left.fill(5)
        self.assertEqual(batches, [])
        await self.drain(pair)
        self.assertEqual(batches, [5 * 17])

    async def test_noDescriptorsLeak(self) -> None:
        """
        After many channels as many descriptors are open as before.
        """
        if not os.path.isdir("/proc/self/fd"):
            listing = "/dev/fd"
        else:
            listing = "/proc/self/fd"
        pair = await self.openThrough(self.transport)
        await pair.dispose()
        before = len(os.listdir(listing))
        for _ in range(10):
            pair = await self.openThrough(self.transport)
            pair.left.fill(3)
            await pair.dispose()
        self.assertEqual(len(os.listdir(listing)), before)

    async def test_interfaces(self) -> None:
        """
        The objects are what they say.
        """
        listener = await self.listen(self.transport)
        channel = await self.transport.connect(Recorder())
        verifyObject(ITransport, self.transport)
        verifyObject(IListener, listener)
        verifyObject(IReadDescriptor, listener)
        verifyObject(IChannel, channel)
        verifyObject(IReadWriteDescriptor, channel)
        channel.abort()
