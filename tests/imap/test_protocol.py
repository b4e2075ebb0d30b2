"""
Tests of L{mailstore.imap.protocol}: sessions and their transports.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any, cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    INegotiated,
    ISSLTransport,
    ITCPTransport,
    ITLSTransport,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailstore.imap.limits import ImapLimits
from mailstore.imap.protocol import Alarm, ReactorRuntime, Signal
from mailstore.imap.waiting import IAlarm, ILink, IRuntime, ISignal
from tests.imap.support import REMOTE, Server


class SignalTests(SynchronousTestCase):
    """
    Places to wait at.
    """

    def setUp(self) -> None:
        """
        A signal, and a clock.
        """
        self.clock = Clock()
        self.signal = Signal(self.clock)

    def test_interfaces(self) -> None:
        """
        They are what sessions expect.
        """
        verifyObject(ISignal, self.signal)
        verifyObject(IRuntime, ReactorRuntime(self.clock))

    def test_fire(self) -> None:
        """
        All who wait are woken, and no timer is left.
        """
        waiting = [self.signal.wait(), self.signal.wait(5)]
        self.signal.fire()
        self.assertEqual([self.successResultOf(each) for each in waiting], [True, True])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_noMemory(self) -> None:
        """
        Who comes after it fired waits for the next time.
        """
        self.signal.fire()
        self.assertNoResult(self.signal.wait())

    def test_timeout(self) -> None:
        """
        Who waited long enough is told that nothing happened.
        """
        waiting = self.signal.wait(5)
        self.clock.advance(5)
        self.assertFalse(self.successResultOf(waiting))
        self.signal.fire()

    def test_waitAgainFromInside(self) -> None:
        """
        Who waits again as soon as woken is not woken twice by one fire.
        """
        woken: list[bool] = []

        def again(fired: bool) -> None:
            woken.append(fired)
            self.signal.wait().addCallback(again)

        self.signal.wait().addCallback(again)
        self.signal.fire()
        self.assertEqual(woken, [True])

    def test_cancelled(self) -> None:
        """
        Who gives up waiting leaves nothing behind.
        """
        waiting = self.signal.wait(5)
        waiting.addErrback(lambda failure: None)
        waiting.cancel()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.signal.fire()

    def test_backgroundFailure(self) -> None:
        """
        An exception in background work is logged.
        """

        async def work() -> None:
            raise RuntimeError("boom")

        ReactorRuntime(self.clock).start(work())
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class AlarmTests(SynchronousTestCase):
    """
    Moments that are put off.
    """

    def setUp(self) -> None:
        """
        An alarm, a clock, and when it rang.
        """
        self.clock = Clock()
        self.rang: list[float] = []
        self.alarm = Alarm(self.clock, lambda: self.rang.append(self.clock.seconds()))

    def test_interface(self) -> None:
        """
        It is what sessions expect.
        """
        verifyObject(IAlarm, self.alarm)

    def test_rings(self) -> None:
        """
        It rings once, when it was set to, and can be set again.
        """
        for when in (5, 12):
            self.alarm.set(when)
            self.clock.pump([1] * 8)
        self.assertEqual(self.rang, [5, 12])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_putOff(self) -> None:
        """
        Put off however often, it has the one timer, and rings when it was set to last.
        """
        self.alarm.set(5)
        (timer,) = self.clock.getDelayedCalls()
        for when in (6, 7, 8):
            self.alarm.set(when)
            self.assertEqual(self.clock.getDelayedCalls(), [timer])
        self.clock.pump([1] * 10)
        self.assertEqual(self.rang, [8])

    def test_earlier(self) -> None:
        """
        Set to come earlier, it does.
        """
        self.alarm.set(1800)
        self.alarm.set(60)
        self.clock.advance(60)
        self.assertEqual(self.rang, [60])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_past(self) -> None:
        """
        A moment that is over is now.
        """
        self.clock.advance(10)
        self.alarm.set(3)
        self.clock.advance(0)
        self.assertEqual(self.rang, [10])

    def test_stop(self) -> None:
        """
        Stopped, it leaves nothing behind, also when it was not set.
        """
        self.alarm.set(5)
        for _ in range(2):
            self.alarm.stop()
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_setFromInside(self) -> None:
        """
        It can be set as it rings.
        """

        def again() -> None:
            self.rang.append(self.clock.seconds())
            if len(self.rang) < 2:
                alarm.set(9)

        alarm = Alarm(self.clock, again)
        alarm.set(5)
        self.clock.pump([1] * 12)
        self.assertEqual(self.rang, [5, 9])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_idleSession(self) -> None:
        """
        A session is over when nothing came for so long since the last command, not since an earlier one.
        """
        server = Server(self)
        client = server.client()
        timeout = server.factory.front.limits.idle_timeout
        for _ in range(3):
            server.clock.advance(timeout - 1)
            client.ask(b"NOOP")
        server.clock.advance(timeout - 1)
        self.assertFalse(client.gone)
        server.clock.advance(1)
        self.assertTrue(client.gone)


class LinkTests(SynchronousTestCase):
    """
    What a session knows of its connection.
    """

    def test_interface(self) -> None:
        """
        A protocol is the link that sessions expect.
        """
        verifyObject(ILink, Server(self).connect().protocol)

    def test_local(self) -> None:
        """
        Loopback and Unix sockets are this machine, everything else is not.
        """
        server = Server(self)
        addresses: list[tuple[IAddress, bool]] = [
            (IPv4Address("TCP", "127.0.0.1", 1), True),
            (IPv4Address("TCP", "127.9.9.9", 1), True),
            (IPv6Address("TCP", "::1", 1), True),
            (IPv6Address("TCP", "::ffff:127.0.0.1", 1), True),
            (IPv6Address("TCP", "fe80::1%eth0", 1), False),
            (IPv6Address("TCP", "::ffff:192.0.2.1", 1), False),
            (IPv4Address("TCP", "192.0.2.1", 1), False),
            (UNIXAddress(b"/run/x"), True),
        ]
        for address, local in addresses:
            self.assertEqual(server.connect(address).protocol.local, local, address)

    def test_implicitTls(self) -> None:
        """
        A connection that came over TLS is secure from the start, whether the port or
        an endpoint's wrapper speaks it.
        """
        server = Server(self, tls=object())
        for provides in ((ISSLTransport,), (ITLSTransport, INegotiated)):
            protocol = server.connect(REMOTE, provides=provides).protocol
            self.assertTrue(protocol.secure)
            self.assertFalse(protocol.can_start_tls)

    def test_noDelay(self) -> None:
        """
        Small answers are not held back.
        """
        self.assertTrue(Server(self).connect(provides=(ITCPTransport,)).transport.no_delay)


class StartTlsTests(SynchronousTestCase):
    """
    STARTTLS.
    """

    def setUp(self) -> None:
        """
        A client from elsewhere, on a transport that can do TLS.
        """
        self.context = object()
        self.server = Server(self, tls=self.context)
        self.client = self.server.connect(REMOTE, provides=(ITLSTransport,))

    def test_offered(self) -> None:
        """
        It is offered until it has happened; then passwords are welcome.
        """
        before = self.client.ask(b"CAPABILITY")[0].split()
        self.assertLessEqual({b"STARTTLS", b"LOGINDISABLED"}, set(before))
        self.assertEqual(self.client.ask(b"STARTTLS"), [b"T OK Begin TLS now"])
        self.assertEqual(self.client.transport.tls, [self.context])
        after = set(self.client.ask(b"CAPABILITY")[0].split())
        self.assertIn(b"AUTH=PLAIN", after)
        self.assertFalse(after & {b"STARTTLS", b"LOGINDISABLED"})
        self.assertEqual(self.client.ask(b"STARTTLS")[-1][:6], b"T BAD ")

    def test_sentInTheClearIsForgotten(self) -> None:
        """
        What somebody put behind STARTTLS before the handshake is never run.
        """
        self.client.say(b"a STARTTLS\r\nb LOGIN alice password\r\nc NO")
        self.assertEqual(self.client.heard(), [b"a OK Begin TLS now"])
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])
        self.assertEqual(self.client.protocol.connection.session.user, "")

    def test_notWhenSignedIn(self) -> None:
        """
        After sign-in it is too late.
        """
        self.client.ask(b"STARTTLS")
        self.client.login()
        self.assertEqual(self.client.ask(b"STARTTLS")[-1][:6], b"T BAD ")


class EndTests(SynchronousTestCase):
    """
    How connections end.
    """

    def test_nothingLeft(self) -> None:
        """
        A client that goes leaves no timer, no session and no watch.
        """
        server = Server(self)
        client = server.client()
        client.ask(b"SELECT INBOX")
        client.disconnect()
        self.assertEqual(server.clock.getDelayedCalls(), [])
        self.assertEqual(server.factory.front.sessions, 0)
        self.assertEqual(server.factory.connections.links, set())

    def test_lingering(self) -> None:
        """
        A client that does not take the last bytes is cut off.
        """
        server = Server(self)
        client = server.connect()
        client.transport.lingers = True
        client.ask(b"LOGOUT")
        client.say(b"x NOOP\r\n")
        server.clock.advance(9)
        self.assertFalse(client.gone)
        server.clock.advance(2)
        self.assertTrue(client.gone)

    def test_shutDown(self) -> None:
        """
        When the server stops all sessions end: idle ones at once, busy ones after
        their command, and no new one begins.
        """
        server = Server(self)
        idle, busy = server.client(), server.client()
        gate = server.store.gates["status"] = Deferred()
        busy.say(b"a STATUS INBOX (MESSAGES)\r\n")
        stopped = server.factory.disconnectAll()
        self.assertTrue(idle.gone)
        self.assertIsNone(server.factory.buildProtocol(REMOTE))
        self.assertNoResult(stopped)
        gate.callback(None)
        lines = busy.heard()
        self.assertEqual(lines[-2:], [b"a OK STATUS completed", b"* BYE The server is shutting down"])
        self.successResultOf(stopped)
        self.assertEqual(server.clock.getDelayedCalls(), [])

    def test_shutDownOfTheStuck(self) -> None:
        """
        Who does not come to an end is cut off.
        """
        server = Server(self)
        busy = server.client()
        gate = server.store.gates["status"] = Deferred()
        busy.say(b"a STATUS INBOX (MESSAGES)\r\n")
        stopped = server.factory.disconnectAll()
        server.clock.advance(6)
        self.assertTrue(busy.transport.aborted)
        self.successResultOf(stopped)
        gate.callback(None)

    def test_shutDownOfNobody(self) -> None:
        """
        Where nobody is connected there is nothing to wait for.
        """
        self.successResultOf(Server(self).factory.disconnectAll())

    def test_observing(self) -> None:
        """
        There is one observer for all sessions, from the first port to the last.
        """
        server = Server(self, ImapLimits(login_delay=0.0))
        for _ in range(5):
            server.client().ask(b"SELECT INBOX")
        self.assertEqual(len(server.store.observers), 1)
        server.factory.stopFactory()
        self.assertEqual(server.store.observers, [])


class _Descriptor(FileDescriptor):
    """
    A socket that counts how often it is told to write.
    """

    written = 0

    def doWrite(self) -> None:
        """
        Count.
        """
        self.written += 1


class FlushTests(SynchronousTestCase):
    """
    What was written goes out at once.
    """

    def test_atOnce(self) -> None:
        """
        A socket writes before the reactor's next turn, unless the client is gone; what is no
        socket, as TLS, is left alone.
        """
        link = Server(self).client().protocol
        link.flush()
        socket = _Descriptor(cast(Any, _Writers()))
        link.transport = socket
        link.flush()
        self.assertEqual(socket.written, 1)
        # Nothing waits any more.
        link.flush()
        self.assertEqual(socket.written, 1)
        link.write(b"more")
        link.lost = True
        link.flush()
        self.assertEqual(socket.written, 1)

    def test_idle(self) -> None:
        """
        Who idles and is told of a change has been told before the next one is.
        """
        server = Server(self)
        client = server.client()
        client.ask(b"SELECT INBOX")
        finished: list[bytes] = []
        self.patch(client.protocol, "finish", finished.append)
        client.say(b"I IDLE\r\n")
        finished.clear()
        server.store.deliver(server.store.named["INBOX"])
        client.heard()
        self.assertTrue(any(b"EXISTS" in each for each in finished), finished)


class _Socket(FileDescriptor):
    """
    A socket that takes so much at once.

    @ivar taken: what it took.
    @ivar room: bytes that it takes, or how it fails.
    """

    def __init__(self, reactor: _Writers) -> None:
        super().__init__(cast(Any, reactor))
        self.connected = 1
        self.taken = b""
        self.room: int | Exception = 1 << 20

    def writeSomeData(self, data: bytes) -> int | Exception:
        """
        Take what there is room for.
        """
        if isinstance(self.room, Exception):
            return self.room
        part = bytes(data)[: self.room]
        self.taken += part
        self.room -= len(part)
        return len(part)


class _Writers:
    """
    As much of a reactor as a socket needs to write.
    """

    def __init__(self) -> None:
        self.writers: list[FileDescriptor] = []

    def addWriter(self, writer: FileDescriptor) -> None:
        """
        See L{IReactorFDSet}.
        """
        if writer not in self.writers:
            self.writers.append(writer)

    def removeWriter(self, writer: FileDescriptor) -> None:
        """
        See L{IReactorFDSet}.
        """
        if writer in self.writers:
            self.writers.remove(writer)

    def getWriters(self) -> list[FileDescriptor]:
        """
        See L{IReactorFDSet}.
        """
        return list(self.writers)


class FinishTests(SynchronousTestCase):
    """
    The last bytes of an answer go out at once where they can, and always in order.
    """

    def setUp(self) -> None:
        """
        A session whose transport has become a socket.
        """
        self.client = Server(self).client()
        self.link = self.client.protocol
        self.reactor = _Writers()
        self.socket = _Socket(self.reactor)
        before = self.link.transport
        self.link.transport = self.socket
        self.addCleanup(setattr, self.link, "transport", before)
        # The greeting waited, for all that the link knows.
        self.link.dataReceived(b"")

    def test_atOnce(self) -> None:
        """
        With nothing waiting they are sent without the reactor.
        """
        for each in (b"one", b"two"):
            self.link.finish(each)
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"onetwo", []))

    def test_behindOthers(self) -> None:
        """
        What was written before goes before; when that is gone they are sent at once again.
        """
        self.link.write(b"first ")
        self.link.finish(b"second ")
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"", [self.socket]))
        self.socket.doWrite()
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"first second ", []))
        self.link.dataReceived(b"")
        self.link.finish(b"third")
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"first second third", []))

    def test_rest(self) -> None:
        """
        What the socket does not take goes by the reactor, and before all that follows.
        """
        self.socket.room = 3
        self.link.finish(b"12345")
        self.socket.room = 100
        self.link.finish(b"67")
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"123", [self.socket]))
        self.socket.doWrite()
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"1234567", []))

    def test_full(self) -> None:
        """
        A socket that takes nothing is left to the reactor.
        """
        self.socket.room = 0
        self.link.finish(b"12345")
        self.assertEqual(self.reactor.writers, [self.socket])
        self.socket.room = 100
        self.socket.doWrite()
        self.assertEqual(self.socket.taken, b"12345")

    def test_connectionLost(self) -> None:
        """
        That the connection is gone is left to the reactor to find.
        """
        self.socket.room = ConnectionLost()
        self.link.finish(b"12345")
        self.assertEqual(self.reactor.writers, [self.socket])
        self.assertIs(self.socket.doWrite(), self.socket.room)

    def test_notPlain(self) -> None:
        """
        Under TLS, and when the connection is or is being closed, nothing goes past the transport.
        """
        spoilt: list[tuple[object, str, object]] = [
            (self.link, "secure", True),
            (self.link, "lost", True),
            (self.link, "clogged", True),
            (self.socket, "disconnecting", True),
            (self.socket, "connected", False),
        ]
        for owner, name, value in spoilt:
            before = getattr(owner, name)
            self.link._unsent = False
            setattr(owner, name, value)
            self.link.finish(b"secret")
            setattr(owner, name, before)
            self.assertEqual(self.socket.taken, b"", name)

    def test_many(self) -> None:
        """
        Many bytes are sent at once as well; few wait for more.
        """
        self.link.write(b"few")
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"", [self.socket]))
        self.socket.doWrite()
        self.link.dataReceived(b"")
        self.link.write(memoryview(b"x" * 20_000))
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"few" + b"x" * 20_000, []))

    def test_drained(self) -> None:
        """
        When the transport has sent all that it held, what follows is sent at once again.
        """
        self.socket.registerProducer(self.link, True)
        self.socket.room = 1
        self.link.write(b"x" * 70_000)
        self.assertTrue(self.link.clogged)
        self.socket.room = 1 << 20
        self.socket.doWrite()
        self.assertFalse(self.link.clogged)
        self.link.finish(b"y")
        self.assertEqual((self.socket.taken, self.reactor.writers), (b"x" * 70_000 + b"y", []))

    def test_oneWrite(self) -> None:
        """
        What STATUS and SELECT answer leaves in one piece with the tagged reply.
        """
        server = Server(self)
        client = server.client()
        client.ask(b"SELECT INBOX")
        written: list[bytes] = []
        self.patch(client.transport, "write", written.append)
        for command, lines in ((b"STATUS INBOX (MESSAGES)", 2), (b"SELECT INBOX", 8)):
            client.say(b"x %b\r\n" % command)
            (whole,) = written
            self.assertGreaterEqual(whole.count(b"\r\n"), lines)
            self.assertTrue(whole.splitlines()[-1].startswith(b"x OK "), whole)
            written.clear()

    def test_othersHaveTurns(self) -> None:
        """
        A client whose socket takes all at once does not keep the others from running.
        """
        server = Server(self)
        session = server.client().protocol.connection.session
        done = Deferred.fromCoroutine(session.write(b"x" * (1 << 21)))
        self.assertNoResult(done)
        server.clock.advance(0)
        server.clock.advance(0)
        self.successResultOf(done)

    def test_muchIsNotHeld(self) -> None:
        """
        What is held back for the tagged reply is bounded; what is over the bound goes at once, behind it.
        """
        client = Server(self).client()
        session = client.protocol.connection.session
        written: list[bytes] = []
        self.patch(client.protocol, "write", written.append)
        few, many = b"* few\r\n", b"x" * 4094
        for each in (few, many):
            self.successResultOf(Deferred.fromCoroutine(session.writeWithNext(each)))
        self.assertEqual(written, [few + many])


class _RealSocket(_Socket):
    """
    The same with a socket of the system.
    """

    def __init__(self, reactor: _Writers, handle: socket.socket) -> None:
        super().__init__(reactor)
        self._handle = handle

    def getHandle(self) -> socket.socket:
        """
        See L{ISystemHandle}.
        """
        return self._handle

    def writeSomeData(self, data: bytes) -> int | Exception:
        """
        Take what the system takes.
        """
        return self._handle.send(data)


class WriteManyTests(SynchronousTestCase):
    """
    Pieces go to the system as they are, in order.
    """

    def setUp(self) -> None:
        """
        A session whose transport has become a socket of the system that takes little.
        """
        ours, self.theirs = socket.socketpair()
        for each in (ours, self.theirs):
            each.setblocking(False)
            self.addCleanup(each.close)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        self.link = Server(self).client().protocol
        self.reactor = _Writers()
        self.socket = _RealSocket(self.reactor, ours)
        before = self.link.transport
        self.link.transport = self.socket
        self.addCleanup(setattr, self.link, "transport", before)
        self.link._unsent = False

    def _read(self) -> bytes:
        data = b""
        while True:
            try:
                piece = self.theirs.recv(1 << 16)
            except BlockingIOError:
                if self.socket not in self.reactor.writers:
                    return data
                self.socket.doWrite()
                continue
            data += piece

    def test_atOnce(self) -> None:
        """
        What the system takes has left, without the reactor and without being joined.
        """
        self.link.writeMany([b"one", memoryview(b"xtwox")[1:4], b"", b"three"])
        self.assertEqual(self.reactor.writers, [])
        self.assertEqual(self._read(), b"onetwothree")

    def test_rest(self) -> None:
        """
        What it does not take goes by the reactor, from the byte on at which it stopped.
        """
        pieces = [b"%07d\n" % each * 500 for each in range(30)]
        self.link.writeMany(pieces)
        self.assertEqual(self.reactor.writers, [self.socket])
        self.link.writeMany([b"last"])
        self.assertEqual(self._read(), b"".join(pieces) + b"last")

    def test_full(self) -> None:
        """
        When it takes nothing all goes by the reactor.
        """
        filler = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                filler += self.socket.getHandle().send(b"f" * 4096)
        self.link.writeMany([b"a", b"b"])
        self.assertEqual(self.reactor.writers, [self.socket])
        self.assertEqual(self._read()[filler:], b"ab")

    def test_behindOthers(self) -> None:
        """
        What was written before goes before.
        """
        self.link.write(b"first ")
        self.link.writeMany([b"second", b" third"])
        self.assertEqual(self._read(), b"first second third")

    def test_notPlain(self) -> None:
        """
        Under TLS nothing goes past the transport.
        """
        self.link.secure = True
        self.link.writeMany([b"secret"])
        with self.assertRaises(BlockingIOError):
            self.theirs.recv(1)
