"""
What C{tcp:} does beside the contract: the way to a connection, and its end.
TLS is in L{tests.transports.test_tls}.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any, ClassVar

from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.transports.certificates import certificates
from transports import _dialing
from transports._dialing import MOST_ADDRESSES, addressesOf, configure, dial, isLoopback, openPort
from transports._socketchannel import SocketChannel
from transports.errors import BadDescription, CannotConnect, CannotListen, LimitsMismatch
from transports.interfaces import IListener
from transports.limits import Limits
from transports.sockets import TcpTransport
from transports.testing.conformance import (
    LIMITS,
    ConformanceBase,
    Recorder,
)


def reservePort(case: ConformanceBase) -> int:
    """
    A port that is free for a listener, and for nobody else while the test runs.
    """
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    case.addCleanup(reserved.close)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return int(reserved.getsockname()[1])


class TcpTransportTests(ConformanceBase, TestCase):
    """
    What C{tcp:} does beside the contract.
    """

    def setUp(self) -> None:
        """
        A transport on a free port.
        """
        super().setUp()
        self.transport = self.at("127.0.0.1")

    def at(self, host: str, port: int = 0, **options: Any) -> TcpTransport:
        """
        Another transport.
        """
        from twisted.internet import reactor

        return TcpTransport(reactor, host, port, LIMITS, **options)

    async def listen(self, transport: TcpTransport) -> IListener:
        """
        Listen, for the length of the test.
        """
        listener = await transport.listen(lambda channel: Recorder())
        self.addCleanup(listener.stopListening)
        return listener

    async def test_freePort(self) -> None:
        """
        Port 0 is a free one, known and in the description while it is listened
        at; before and after, nobody listens.
        """
        await self.assertFailure(self.transport.connect(Recorder()), CannotConnect)
        listener = await self.listen(self.transport)
        self.assertNotEqual(self.transport.port, 0)
        self.assertEqual(self.transport.description, f"tcp:127.0.0.1:{self.transport.port}")
        channel = await self.at("127.0.0.1", self.transport.port).connect(Recorder())
        channel.abort()
        await listener.stopListening()
        self.assertEqual(self.transport.description, "tcp:127.0.0.1:0")
        error = await self.assertFailure(self.transport.connect(Recorder()), CannotConnect)
        self.assertIn("nobody listens there", str(error))

    async def test_nobodyListens(self) -> None:
        """
        A port at which nobody listens is named.
        """
        port = reservePort(self)
        error = await self.assertFailure(self.at("127.0.0.1", port).connect(Recorder()), CannotConnect)
        self.assertEqual(str(error), f"cannot connect to tcp:127.0.0.1:{port}: nobody listens there")

    async def test_listenAgain(self) -> None:
        """
        A port can be listened at again at once, though its connections are not
        forgotten yet; not while it is listened at.
        """
        transport = self.at("127.0.0.1", reservePort(self))
        for _ in range(3):
            pair = await self.openThrough(transport)
            error = await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)
            self.assertIn("somebody listens there already", str(error))
            pair.right.channel.abort()
            await pair.dispose()

    async def test_options(self) -> None:
        """
        Neither side waits to fill a packet, and both notice a dead host in
        bounded time.
        """
        pair = await self.openThrough(self.transport)
        for end in (pair.left, pair.right):
            assert isinstance(end.channel, SocketChannel)
            raw = end.channel._socket
            self.assertEqual(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)
            self.assertEqual(raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                bound = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                self.assertEqual(bound, 1000 * _dialing.USER_TIMEOUT)

    async def test_localhost(self) -> None:
        """
        C{localhost} is this machine, without asking anybody.
        """
        pair = await self.openThrough(self.at("localhost"))
        await pair.dispose()

    async def test_ipv6(self) -> None:
        """
        C{::1} works where the machine has it; elsewhere it is said that not.
        """
        transport = self.at("::1")
        if os.path.exists("/proc/net/if_inet6") or not os.path.isdir("/proc/net"):
            pair = await self.openThrough(transport)
            self.assertIn("tcp:\\:\\:1:", transport.description)
            await pair.dispose()
        else:
            await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)

    async def test_notOurAddress(self) -> None:
        """
        An address that this machine does not have cannot be listened at.
        """
        transport = self.at("192.0.2.1", tls=certificates().credentials())
        error = await self.assertFailure(transport.listen(lambda channel: Recorder()), CannotListen)
        self.assertIn("cannot listen at tcp:192.0.2.1:0", str(error))

    async def test_mismatch(self) -> None:
        """
        Both ends must have the same limits; the error has both.
        """
        await self.listen(self.transport)
        other = TcpTransport(self.transport.reactor, "127.0.0.1", self.transport.port, Limits(64, 9))
        error = await self.assertFailure(other.connect(Recorder()), LimitsMismatch)
        self.assertIn("9 blocks of 64 bytes", str(error))

    async def test_cancelled(self) -> None:
        """
        Who gives up connecting leaves nothing, whatever it is waiting for.
        """
        await self.turn()
        before = len(os.listdir("/dev/fd"))
        with socket.create_server(("127.0.0.1", 0)) as silent:
            for turns in range(3):
                connecting = self.at("127.0.0.1", silent.getsockname()[1]).connect(Recorder())
                for _ in range(turns):
                    await self.turn()
                connecting.cancel()
                await self.assertFailure(connecting, CancelledError)
        self.assertEqual(len(os.listdir("/dev/fd")), before)

    async def test_connectedToItself(self) -> None:
        """
        When chance connects a socket to itself, nobody listens there.
        """
        from twisted.internet import reactor

        port = reservePort(self)
        attempt = _dialing._Attempt(reactor, _dialing.Address(socket.AF_INET, ("127.0.0.1", port)))
        attempt._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        attempt._socket.bind(("127.0.0.1", port))
        error: Any = await self.assertFailure(attempt.start(), OSError)
        self.assertEqual(error.errno, errno.ECONNREFUSED)
        self.assertEqual(attempt.fileno(), -1)


class TcpPlaceTests(SynchronousTestCase):
    """
    Where C{tcp:} may be.
    """

    def test_loopbackOnly(self) -> None:
        """
        Without TLS any other host is refused, and what to add is said.
        """
        for host in ("192.0.2.1", "0.0.0.0", "::", "fe80::1", "store.example", "localhost.example"):
            error = self.assertRaises(BadDescription, TcpTransport, Clock(), host, 1)
            self.assertIn("certificate=FILE:key=FILE:ca=FILE", str(error))
            TcpTransport(Clock(), host, 1, tls=certificates().credentials())
        for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost", "LocalHost"):
            self.assertTrue(isLoopback(host))
            TcpTransport(Clock(), host, 1)

    def test_port(self) -> None:
        """
        A port is from 0 to 65535.
        """
        for port in (-1, 65536):
            self.assertRaises(BadDescription, TcpTransport, Clock(), "localhost", port)


class Resolver(Clock):
    """
    A reactor whose names and sockets are in the test's hand.

    @ivar writers: who waits for its socket to be writable.
    @ivar asked: the names that were asked for, with who waits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writers: set[Any] = set()
        self.asked: list[tuple[str, int, Any]] = []
        self.nameResolver = self
        self.addWriter: Callable[[Any], None] = self.writers.add
        self.removeWriter: Callable[[Any], None] = self.writers.discard

    def resolveHostName(self, receiver: Any, host: str, port: int) -> None:
        """
        See C{IHostnameResolver}.
        """
        self.asked.append((host, port, receiver))

    def answer(self, *hosts: str) -> None:
        """
        Answer the latest question.
        """
        _, port, receiver = self.asked[-1]
        receiver.resolutionBegan(self)
        for host in hosts:
            kind = IPv6Address if ":" in host else IPv4Address
            receiver.addressResolved(kind("TCP", host, port))
        receiver.resolutionComplete()


class DialingTests(SynchronousTestCase):
    """
    The way from a name to a connection.
    """

    everything: ClassVar[tuple[str, ...]] = tuple(f"127.0.0.{number}" for number in range(1, 30))

    def setUp(self) -> None:
        """
        A place where connections stay unanswered, since its backlog is full.
        """
        self.reactor = Resolver()
        self.busy = socket.socket()
        self.addCleanup(self.busy.close)
        self.busy.bind(("127.0.0.1", 0))
        self.busy.listen(0)
        self.port = self.busy.getsockname()[1]
        for _ in range(2):
            raw = socket.socket()
            self.addCleanup(raw.close)
            raw.setblocking(False)
            raw.connect_ex(self.busy.getsockname())

    def test_resolved(self) -> None:
        """
        A name is looked up; of very many addresses only the first are taken.
        """
        looking = addressesOf(self.reactor, "store.example", 99)
        self.reactor.asked[-1][2].addressResolved(HostnameAddress(b"store.example", 99))
        self.reactor.answer("192.0.2.1", "2001:db8::1", *self.everything)
        found = self.successResultOf(looking)
        self.assertEqual(len(found), MOST_ADDRESSES)
        self.assertEqual(found[0].name, ("192.0.2.1", 99))
        self.assertEqual((found[1].family, found[1].name[:2]), (socket.AF_INET6, ("2001:db8::1", 99)))
        self.assertEqual(str(found[1]), "2001:db8::1")

    def test_literals(self) -> None:
        """
        What is an address already, and C{localhost}, is not looked up.
        """
        for host, first in (("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost", "127.0.0.1")):
            self.assertEqual(str(self.successResultOf(addressesOf(self.reactor, host, 1))[0]), first)
        self.assertEqual(self.reactor.asked, [])

    def test_unknownName(self) -> None:
        """
        A name that nobody knows is named.
        """
        opening: Deferred[socket.socket] = Deferred.fromCoroutine(openPort(self.reactor, "no.example", 1))
        self.reactor.answer()
        self.assertIn("no.example", str(self.failureResultOf(opening, CannotListen).value))
        opening = dial(self.reactor, "no.example", 1)
        self.reactor.answer()
        self.assertIn("no.example", str(self.failureResultOf(opening, CannotConnect).value))

    def test_resolverIsSilent(self) -> None:
        """
        A resolver that does not answer is waited for until the deadline; what
        it says later is not wanted.
        """
        dialing = dial(self.reactor, "slow.example", 1)
        self.reactor.advance(_dialing.CONNECT_DEADLINE)
        error = self.failureResultOf(dialing, CannotConnect).value
        self.assertEqual(str(error), "no connection within 10.0 seconds")
        self.reactor.answer("127.0.0.1")
        self.assertEqual((self.reactor.writers, self.reactor.getDelayedCalls()), (set(), []))

    def test_resolverIsSilentToAListener(self) -> None:
        """
        Who wants to listen does not wait for a resolver for ever either.
        """
        opening: Deferred[socket.socket] = Deferred.fromCoroutine(openPort(self.reactor, "slow.example", 1))
        self.reactor.advance(_dialing.CONNECT_DEADLINE)
        error = self.failureResultOf(opening, CannotListen).value
        self.assertEqual(str(error), "nobody said within 10.0 seconds where slow.example is")
        self.reactor.answer("127.0.0.1")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cancelled(self) -> None:
        """
        Giving up works while looking up and while connecting.
        """
        dialing = dial(self.reactor, "slow.example", self.port)
        dialing.cancel()
        self.failureResultOf(dialing, CancelledError)
        dialing = dial(self.reactor, "127.0.0.1", self.port)
        (attempt,) = self.reactor.writers
        dialing.cancel()
        self.failureResultOf(dialing, CancelledError)
        self.assertEqual(attempt.fileno(), -1)
        self.assertEqual((self.reactor.writers, self.reactor.getDelayedCalls()), (set(), []))

    def test_eachInTurn(self) -> None:
        """
        An address that refuses, or does not answer for some seconds, is
        followed by the next.
        """
        with socket.create_server(("127.0.0.3", self.port)) as answering:
            dialing = dial(self.reactor, "store.example", self.port)
            self.reactor.answer("127.0.0.2", "127.0.0.1", "127.0.0.3")
            self.happen()
            self.assertNoResult(dialing)
            self.reactor.advance(_dialing.ADDRESS_DEADLINE)
            self.happen()
            connected = self.successResultOf(dialing)
            with connected, answering.accept()[0]:
                self.assertEqual(connected.getpeername()[0], "127.0.0.3")
                self.assertFalse(connected.getblocking())
        self.assertEqual((self.reactor.writers, self.reactor.getDelayedCalls()), (set(), []))

    def test_noneAnswers(self) -> None:
        """
        When none answers, what became of each is said.
        """
        dialing = dial(self.reactor, "store.example", self.port)
        self.reactor.answer("127.0.0.1", "127.0.0.2")
        self.reactor.advance(_dialing.ADDRESS_DEADLINE)
        self.happen()
        error = str(self.failureResultOf(dialing, CannotConnect).value)
        self.assertEqual(error, "127.0.0.1: no answer within 3.0 seconds; 127.0.0.2: nobody listens there")

    def test_brokenBeforeItsTurn(self) -> None:
        """
        The reactor may find the socket broken before it is connected.
        """
        dialing = dial(self.reactor, "127.0.0.1", self.port)
        (attempt,) = self.reactor.writers
        attempt.connectionLost(None)
        self.failureResultOf(dialing, CannotConnect)
        attempt.doWrite()
        attempt.connectionLost(None)
        self.assertEqual(self.reactor.writers, set())

    def test_configureWhatIsBroken(self) -> None:
        """
        A socket that is closed cannot be configured.
        """
        raw = socket.socket()
        raw.close()
        self.assertRaises(OSError, configure, raw)

    def happen(self) -> None:
        """
        Tell those whose sockets are connected, or refused, by now.
        """
        while self.reactor.writers:
            ready = select.select([], self.reactor.writers, [], 0)[1]
            if not ready:
                return
            for each in ready:
                each.doWrite()
