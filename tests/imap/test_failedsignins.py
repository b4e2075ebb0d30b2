"""
Tests of L{mailstore.imap.failedsignins}, by itself and as clients meet it.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import SignInRefused, StoreUnavailable
from mailstore.imap.failedsignins import FailedSignIns, networkOf
from mailstore.imap.limits import ImapLimits
from mailstore.imap.protocol import ReactorRuntime
from tests.imap.support import Client, FakeAuthenticator, Server

HERE, THERE = "192.0.2.1", "192.0.2.2"


class NetworkTests(SynchronousTestCase):
    """
    L{networkOf}.
    """

    def test_networks(self) -> None:
        """
        An address of IPv4, however it is written; a /64 of IPv6; anything else is itself.
        """
        for address, network in (
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("local", "local"),
        ):
            self.assertEqual(networkOf(address), network)


class TableTests(SynchronousTestCase):
    """
    L{FailedSignIns} by itself.
    """

    def table(self, **limits: float) -> FailedSignIns:
        """
        A table with these limits.
        """
        self.clock = Clock()
        return FailedSignIns(ReactorRuntime(self.clock), ImapLimits(**limits))  # type: ignore[arg-type]

    def enter(self, table: FailedSignIns, address: str = HERE) -> Deferred[bool]:
        """
        Want to try.
        """
        return Deferred.fromCoroutine(table.enter(address))

    def miss(self, table: FailedSignIns, address: str = HERE) -> None:
        """
        Try in vain.
        """
        self.assertTrue(self.successResultOf(self.enter(table, address)))
        table.leave(address, failed=True)

    def test_barred(self) -> None:
        """
        After so many failures nobody from there may try; from elsewhere they may.
        """
        table = self.table(max_failures_per_address=3)
        for _ in range(3):
            self.miss(table)
        self.assertFalse(self.successResultOf(self.enter(table)))
        self.assertEqual((table.count(HERE), table.count(THERE)), (3, 0))
        self.assertTrue(self.successResultOf(self.enter(table, THERE)))

    def test_forgotten(self) -> None:
        """
        One is forgotten after each C{failure_memory} seconds, and lets in one more; then all are.
        """
        table = self.table(max_failures_per_address=3, failure_memory=10.0)
        for _ in range(3):
            self.miss(table)
        self.clock.advance(9.9)
        self.assertFalse(self.successResultOf(self.enter(table)))
        self.clock.advance(0.2)
        self.miss(table)
        self.assertFalse(self.successResultOf(self.enter(table)))
        self.clock.advance(9.9)
        self.assertEqual(table.count(HERE), 2)
        self.clock.advance(20)
        self.assertEqual((table.count(HERE), len(table)), (0, 0))

    def test_successForgetsNothing(self) -> None:
        """
        With one right password nobody buys guesses at another.
        """
        table = self.table(max_failures_per_address=2)
        self.miss(table)
        self.assertTrue(self.successResultOf(self.enter(table)))
        table.leave(HERE, failed=False)
        self.assertEqual(table.count(HERE), 1)

    def test_bounded(self) -> None:
        """
        Beyond the bound the one that has not failed for the longest time is forgotten.
        """
        table = self.table(max_failing_addresses=3)
        for last in (1, 2, 3, 1, 4):
            self.miss(table, f"192.0.2.{last}")
        self.assertEqual(len(table), 3)
        self.assertEqual([table.count(f"192.0.2.{last}") for last in (1, 2, 3, 4)], [2, 0, 1, 1])

    def test_waiting(self) -> None:
        """
        What is being looked at counts; the next waits, and has its turn when that was right.
        """
        table = self.table(max_failures_per_address=2)
        self.successResultOf(self.enter(table))
        self.successResultOf(self.enter(table))
        waiting = [self.enter(table) for _ in range(2)]
        self.assertTrue(self.successResultOf(self.enter(table, THERE)))
        table.leave(HERE, failed=False)
        self.clock.advance(0)
        self.assertTrue(self.successResultOf(waiting[0]))
        self.assertNoResult(waiting[1])
        table.leave(HERE, failed=True)
        self.clock.advance(0)
        self.assertNoResult(waiting[1])
        table.leave(HERE, failed=False)
        self.clock.advance(0)
        self.assertTrue(self.successResultOf(waiting[1]))
        table.leave(HERE, failed=False)
        self.assertEqual((table._trying, table._waiting), ({THERE: 1}, {}))

    def test_waitingInVain(self) -> None:
        """
        Who waits is turned away when those before have used up what was left.
        """
        table = self.table(max_failures_per_address=1)
        self.successResultOf(self.enter(table))
        waiting = [self.enter(table) for _ in range(3)]
        table.leave(HERE, failed=True)
        self.clock.advance(0)
        self.assertEqual([self.successResultOf(each) for each in waiting], [False] * 3)
        self.assertEqual((table._trying, table._waiting), ({}, {}))


class ClientTests(SynchronousTestCase):
    """
    As clients meet it.
    """

    barred = b"T NO [LIMIT] Too many failed sign-ins from your address, try again later"

    def server(self, **limits: float) -> Server:
        """
        A server with these limits, where failing takes no time unless they say so.
        """
        return Server(self, ImapLimits(**{"login_delay": 0.0, **limits}))  # type: ignore[arg-type]

    def test_perAddress(self) -> None:
        """
        However many connections it opens, an address has so many tries; then even the right password is
        not looked at.  Another address notices nothing; and with time it passes.
        """
        server = self.server(max_failures_per_address=4, max_login_failures=2, failure_memory=10.0)
        for _ in range(2):
            client = server.connect()
            self.assertEqual(client.ask(b"LOGIN alice wrong")[0][:5], b"T NO ")
            client.say(b"a LOGIN alice wrong\r\n")
            self.assertTrue(client.gone)
        client = server.connect()
        self.assertEqual(client.ask(b"LOGIN alice password"), [self.barred])
        client.say(b"a AUTHENTICATE PLAIN AGFsaWNlAHBhc3N3b3Jk\r\n")
        self.assertEqual(client.heard(), [b"a" + self.barred[1:], b"* BYE Too many failed sign-ins"])
        server.connect(IPv4Address("TCP", "127.0.0.2", 1)).login()
        server.clock.advance(10)
        server.client()

    def test_wholeNetwork(self) -> None:
        """
        Of IPv6 a whole /64 is one address.
        """
        server = self.server(max_failures_per_address=1)

        def connect(host: str) -> Client:
            return server.connect(IPv6Address("TCP", host, 1), provides=(ISSLTransport,))

        connect("2001:db8::1").ask(b"LOGIN alice wrong")
        self.assertEqual(connect("2001:db8::2").ask(b"LOGIN alice password"), [self.barred])
        connect("2001:db8:0:1::1").login()

    def test_manyAtOnce(self) -> None:
        """
        Guesses made at once do not get past the bound: no more are looked at than may fail.
        """
        looked: list[str] = []
        gate: Deferred[None] = Deferred()

        async def authenticate(user: str, password: str) -> str:
            looked.append(password)
            await gate
            raise SignInRefused()

        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        server = self.server(max_failures_per_address=3)
        clients = [server.connect() for _ in range(10)]
        for number, client in enumerate(clients):
            client.say(b"a LOGIN alice x%d\r\n" % number)
        self.assertEqual(looked, ["x0", "x1", "x2"])
        gate.callback(None)
        heard = [client.heard()[0] for client in clients]
        self.assertEqual(len(looked), 3)
        self.assertEqual([line[:11] for line in heard[3:]], [b"a NO [LIMIT"] * 7)

    def test_manyRight(self) -> None:
        """
        Clients that come back all at once, as after a restart, are all let in.
        """
        gate: Deferred[None] = Deferred()

        async def authenticate(user: str, password: str) -> str:
            await gate
            return user

        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        server = self.server(max_failures_per_address=3)
        clients = [server.connect() for _ in range(10)]
        for client in clients:
            client.say(b"a LOGIN alice password\r\n")
        gate.callback(None)
        self.assertEqual([client.heard()[0][:5] for client in clients], [b"a OK "] * 10)

    def test_goneWhileWaiting(self) -> None:
        """
        Who leaves while waiting for a turn, passes it on.
        """
        gates: list[Deferred[None]] = []

        async def authenticate(user: str, password: str) -> str:
            gates.append(Deferred())
            await gates[-1]
            return user

        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        server = self.server(max_failures_per_address=1)
        first, gone, last = (server.connect() for _ in range(3))
        for client in (first, gone, last):
            client.say(b"a LOGIN alice password\r\n")
        gone.disconnect()
        gates[0].callback(None)
        self.assertEqual(first.heard()[0][:5], b"a OK ")
        self.assertEqual(len(gates), 2)
        gates[1].callback(None)
        self.assertEqual(last.heard()[0][:5], b"a OK ")
        self.assertEqual(server.factory.front.failed_sign_ins._trying, {})

    def test_storeAway(self) -> None:
        """
        What could not be found out is no failure, and keeps nobody out.
        """

        async def authenticate(user: str, password: str) -> str:
            raise StoreUnavailable("gone")

        server = self.server(max_failures_per_address=1)
        with_store = FakeAuthenticator.authenticate
        self.patch(FakeAuthenticator, "authenticate", staticmethod(authenticate))
        server.connect().ask(b"LOGIN alice password")
        FakeAuthenticator.authenticate = with_store  # type: ignore[method-assign]
        server.client()

    def test_delayGrowsOverConnections(self) -> None:
        """
        A new connection does not make failing cheap again, and it never costs more than the bound.
        """
        server = self.server(login_delay=1.0, max_login_delay=3.0)
        for delay in (1.0, 2.0, 3.0, 3.0):
            client = server.connect()
            client.say(b"a LOGIN alice wrong\r\n")
            server.clock.advance(delay - 0.1)
            self.assertEqual(client.heard(), [])
            server.clock.advance(0.2)
            self.assertEqual(client.heard()[0][:5], b"a NO ")
            client.disconnect()
