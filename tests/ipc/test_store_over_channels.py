"""
A store behind a channel is a store: the one suite, over each transport.
"""

from __future__ import annotations

import shutil
import tempfile
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
from mailstore.testing.storecases.fetching import SectionTests
from mailstore.testing.storecases.opening import OpenTests
from mailstore.testing.storecases.rights import AclTests
from mailstore.testing.storecases.searching import CloseTests
from mailstore.testing.storetests import StoreTestsMixin
from transports.description import transportFor


def shortDirectory(case: TestCase) -> str:
    """
    A directory whose path leaves room for the name of a socket.
    """
    path = tempfile.mkdtemp(prefix="ms")
    case.addCleanup(shutil.rmtree, path)
    return path


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
    """

    ipc_limits = IpcLimits(inline_upload=512, upload_piece=1000, window=2)

    def description(self) -> str:
        """
        The transport to use.
        """
        raise NotImplementedError

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
        remote, _ = await behindChannel(self, store, self.description(), self.ipc_limits)  # type: ignore[arg-type]
        return remote, store


class MemoryTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over memory.
    """

    def description(self) -> str:
        return "memory:"


class UnixTests(OverChannel, StoreTestsMixin, TestCase):
    """
    Over a socket.
    """

    def description(self) -> str:
        return f"unix:{shortDirectory(self)}/s"


class SmallestQueueTests(OverChannel, SectionTests, AclTests, AppendTests, CopyTests, OpenTests, TestCase):
    """
    What has long requests and long answers, through a queue of one small
    block: everything comes in many pieces and waits for room all the time.
    """

    def description(self) -> str:
        return "memory::blocks=1:block_size=64"


class GroupCommitTests(OverChannel, AppendTests, FlagTests, ExpungeTests, CloseTests, TestCase):
    """
    What changes things, with a file and group commit behind the channel.
    """

    def description(self) -> str:
        return "memory:"

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
