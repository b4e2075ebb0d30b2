"""
All transports keep one contract: the same checks over each of them.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from typing import ClassVar

from twisted.trial.unittest import TestCase

from tests.transports.certificates import certificates
from tests.transports.hostile_shm import PlainPeer, SealedPeer
from tests.transports.hostile_sockets import SocketPeer
from transports._channel import BaseChannel
from transports._shmchannel import RingChannel
from transports.interfaces import IChannel, ITransport
from transports.limits import Limits
from transports.memory import MemoryTransport
from transports.sharedmemory import SharedMemoryTransport
from transports.sockets import TcpTransport, UnixTransport
from transports.testing.conformance import (
    CounterTests,
    HostileMemory,
    HostilePeer,
    HostileTests,
    ProcessTests,
    SharedMemoryTests,
    TransportTestsMixin,
)

NO_MEMORY = "it shares no memory"


def newPath(case: TestCase) -> str:
    """
    A short path in a directory that goes with the test.
    """
    directory = tempfile.mkdtemp(prefix="ms")
    case.addCleanup(shutil.rmtree, directory)
    return f"{directory}/s"


def freePort() -> int:
    """
    A port at which nobody listens, for somebody who will in a moment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class OurTests(TransportTestsMixin, CounterTests):
    """
    For channels that derive from C{BaseChannel}.
    """

    def shortenDeadline(self, channel: IChannel) -> None:
        assert isinstance(channel, BaseChannel)
        channel._close_deadline = 0.3

    def ageChannel(self, left: IChannel, right: IChannel, count: int) -> None:
        for end in (left, right):
            assert isinstance(end, BaseChannel)
            end._outbound.enqueued = end._inbound.arrived_total = end._inbound.handled_total = count
            end._outbound.bytes_total = end._inbound.bytes_total = count
            if isinstance(end, RingChannel):
                end._writer._sequence = end._reader._sequence = count % (1 << 32)


class MemoryConformanceTests(OurTests, TestCase):
    """
    C{memory:}
    """

    impossible: ClassVar = {
        "ProcessTests": "both ends are in one process",
        "HostileTests": "the ends call each other; there is no protocol to break",
        "SharedMemoryTests": NO_MEMORY,
    }

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return MemoryTransport(reactor, limits)


class UnixConformanceTests(OurTests, ProcessTests, HostileTests, TestCase):
    """
    C{unix:}
    """

    impossible: ClassVar = {"SharedMemoryTests": NO_MEMORY}

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return UnixTransport(reactor, newPath(self), limits)

    def makeHostilePeer(self, transport: ITransport) -> HostilePeer:
        return SocketPeer(self, transport)


class TcpConformanceTests(OurTests, ProcessTests, HostileTests, TestCase):
    """
    C{tcp:}
    """

    impossible: ClassVar = {"SharedMemoryTests": NO_MEMORY}

    def makeTransport(self, limits: Limits, port: int = 0) -> ITransport:
        from twisted.internet import reactor

        return TcpTransport(reactor, "127.0.0.1", port, limits)

    def makeRemoteTransport(self, limits: Limits) -> ITransport:
        return self.makeTransport(limits, freePort())

    def makeHostilePeer(self, transport: ITransport) -> HostilePeer:
        return SocketPeer(self, transport)


class TlsConformanceTests(OurTests, ProcessTests, HostileTests, TestCase):
    """
    C{tcp:} with mutual TLS
    """

    impossible: ClassVar = {"SharedMemoryTests": NO_MEMORY}

    def makeTransport(self, limits: Limits, port: int = 0) -> ITransport:
        from twisted.internet import reactor

        return TcpTransport(reactor, "127.0.0.1", port, limits, tls=certificates().credentials())

    def makeRemoteTransport(self, limits: Limits) -> ITransport:
        return self.makeTransport(limits, freePort())

    def descriptionFor(self, transport: ITransport) -> str:
        shown = certificates().ours
        files = f"certificate={shown.path}:key={shown.key}:ca={certificates().authority.path}"
        return f"{super().descriptionFor(transport)}:{files}"

    def makeHostilePeer(self, transport: ITransport) -> HostilePeer:
        return SocketPeer(self, transport, certificates().credentials())


class SealedConformanceTests(OurTests, ProcessTests, SharedMemoryTests, TestCase):
    """
    C{shm:}
    """

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return SharedMemoryTransport(reactor, newPath(self), limits)

    def makeHostilePeer(self, transport: ITransport) -> HostileMemory:
        return SealedPeer(self, transport)


class PortableConformanceTests(OurTests, ProcessTests, SharedMemoryTests, TestCase):
    """
    C{shm:} with C{portable=yes}
    """

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return SharedMemoryTransport(reactor, newPath(self), limits, portable=True)

    def descriptionFor(self, transport: ITransport) -> str:
        return f"{super().descriptionFor(transport)}:portable=yes"

    def makeHostilePeer(self, transport: ITransport) -> HostileMemory:
        return PlainPeer(self, transport)
