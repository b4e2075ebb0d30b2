"""
A store behind a channel is a store: the one suite, over each transport.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from mailstore import engine
from mailstore.interfaces import IStore
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.server import StoreServer
from mailstore.ipc.service import StoreClientService, StoreServerService
from mailstore.testing.storecases.appending import AppendTests
from mailstore.testing.storecases.base import StoreCase
from mailstore.testing.storecases.changing import CopyTests, ExpungeTests, FlagTests
from mailstore.testing.storecases.delivering import DeliveryTests
from mailstore.testing.storecases.fetching import SectionTests
from mailstore.testing.storecases.opening import OpenTests
from mailstore.testing.storecases.quotas import MetadataTests, QuotaTests
from mailstore.testing.storecases.rights import AclTests
from mailstore.testing.storecases.searching import CloseTests
from mailstore.testing.storetests import StoreTestsMixin
from tests.channels import describe
from transports.description import transportFor


async def behindChannel(
    case: TestCase, store: IStore, description: str, limits: IpcLimits
) -> tuple[RemoteStore, StoreServer]:
    """
    Put a store behind a channel, and connect.
    """
    from twisted.internet import reactor

    clock: Any = reactor
    transport = transportFor(description, reactor)
    server = StoreServer(store, limits, clock)
    listening = StoreServerService(transport, server)
    remote = RemoteStore(limits, clock)
    connecting = StoreClientService(transport, remote, clock, limits)
    case.addCleanup(listening.stopService)
    case.addCleanup(connecting.stopService)
    listening.startService()
    await listening.whenListening()
    connecting.startService()
    await remote.whenReady()
    return remote, server


class OverChannel(StoreCase):
    """
    The suite, with a channel between the tests and an engine.

    @cvar kind: which of L{tests.channels.KINDS}.
    @cvar options: what follows in the description.
    """

    ipc_limits = IpcLimits(inline_upload=512, upload_piece=8000, window=2)
    kind = "memory"
    options = ""

    def openEngine(self) -> engine.Store:
        """
        The engine at the other end.
        """
        return engine.open(
            "sqlite::memory:",
            renditions=self.renditions,
            renditions_version=self.renditions_version,
            limits=self.limits,
        )

    async def makeStore(self) -> tuple[IStore, IStore]:
        """
        See L{StoreTestsMixin.makeStore}.
        """
        store = self.openEngine()
        description = describe(self, self.kind, self.options)  # type: ignore[arg-type]
        remote, _ = await behindChannel(self, store, description, self.ipc_limits)  # type: ignore[arg-type]
        return remote, store


class MemoryTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over memory.
    """

    kind = "memory"


class UnixTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class TcpTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over TCP.
    """

    kind = "tcp"


class TlsTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over TCP with mutual TLS.
    """

    kind = "tls"


class SharedMemoryTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over shared memory.
    """

    kind = "shm"


class PortableSharedMemoryTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over shared memory without what only Linux has.
    """

    kind = "portable"


class SmallestQueueTests(OverChannel, SectionTests, AclTests, AppendTests, CopyTests, OpenTests, TestCase):
    """
    What has long requests and long answers, through a queue of one small
    block: everything comes in many pieces and waits for room all the time.
    """

    options = ":blocks=1:block_size=64"


class GroupCommitTests(
    OverChannel,
    AppendTests,
    FlagTests,
    ExpungeTests,
    QuotaTests,
    MetadataTests,
    DeliveryTests,
    CloseTests,
    TestCase,
):
    """
    What changes things, with a file and group commit behind the channel.
    """

    def openEngine(self) -> engine.Store:
        from twisted.internet import reactor

        committer: Any = GroupCommitter(cast(Any, reactor))
        self.addCleanup(lambda: Deferred.fromCoroutine(committer.close()))
        return engine.open(
            f"sqlite:{self.mktemp()}",
            renditions=self.renditions,
            renditions_version=self.renditions_version,
            limits=self.limits,
            committer=committer,
        )
