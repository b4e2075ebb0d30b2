"""
A whole server without sockets, threads or time: sessions on a front end, a channel, the
store's side and an engine, carried forward one turn of the reactor at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine import open as openStore
from mailstore.imap.limits import ImapLimits
from mailstore.imap.protocol import ImapFactory
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.server import StoreServer
from mailstore.model import ALL_RIGHTS, PUBLIC_ROOT, SYSTEM, Credentials, NewMessage
from tests.imap import support
from tests.ipc.fakes import TurningClock
from transports.limits import Limits
from transports.memory import MemoryTransport


class WholeServer:
    """
    A server for C{alice} and C{bob}; both may do everything in the public folders.

    @ivar clock: what all of it goes by.
    @ivar remote: the front end's end of the channel.
    @ivar store: the store's end.
    @ivar alarms: what was logged that should never happen.
    """

    def __init__(
        self,
        case: SynchronousTestCase,
        folders: tuple[str, ...] = (),
        queue: Limits | None = None,
        limits: ImapLimits | None = None,
    ) -> None:
        """
        @param folders: public folders, by their names below the root.
        """
        self._case = case
        self.clock = TurningClock()
        self.clients: list[support.Client] = []
        self.alarms: list[LogEvent] = []
        hear: Any = self._hear
        globalLogPublisher.addObserver(hear)
        case.addCleanup(globalLogPublisher.removeObserver, hear)
        committer: Any = GroupCommitter(self.clock, in_thread=self._later)
        self.engine = openStore(
            "sqlite::memory:",
            renditions=RENDITIONS,
            renditions_version=RENDITIONS_VERSION,
            committer=committer,
        )
        ipc_limits = IpcLimits(poll_interval=0)
        self.store = StoreServer(self.engine, ipc_limits, self.clock)
        self.remote = RemoteStore(ipc_limits, self.clock)
        transport = MemoryTransport(self.clock, Limits() if queue is None else queue)
        transport.listen(self.store.accept)
        self._link = link = self.remote.receiver()
        transport.connect(link).addCallback(link.opened)
        for user in ("alice", "bob"):
            self.result(self.engine.createUser(user, Credentials(b"salt", 1, b"", b"")))
            self.result(self.engine.setRights(SYSTEM, PUBLIC_ROOT, user, ALL_RIGHTS))
        for folder in folders:
            self.result(self.engine.createFolder(SYSTEM, f"{PUBLIC_ROOT}/{folder}"))
        self.factory = ImapFactory(
            self.remote,
            support.FakeAuthenticator(),
            limits or ImapLimits(login_delay=0.0),
            reactor=self.clock,
        )
        self.factory.startFactory()
        self._running = True
        case.addCleanup(self.shut)

    def shut(self) -> None:
        """
        End everything.  Idempotent.
        """
        if not self._running:
            return
        self._running = False
        for client in self.clients:
            client.disconnect()
        self.factory.stopFactory()
        self.result(self.remote.close())
        self.settle()
        self.result(self.engine.close())

    @property
    def held(self) -> int:
        """
        The blocks of the channel that are in use, in both directions.
        """
        channel = self._link.channel
        assert channel is not None
        return channel.statistics().blocks_allocated + channel.inboundStatistics().blocks_allocated

    def _later(self, work: Callable[[], None]) -> Deferred[None]:
        """
        A thread that takes one turn of the reactor for everything.
        """
        done: Deferred[None] = Deferred()
        done.addCallback(lambda _: work())
        self.clock.callLater(0, done.callback, None)
        return done

    def _hear(self, event: LogEvent) -> None:
        if event["log_level"] in (LogLevel.error, LogLevel.critical):
            self.alarms.append(event)

    def result(self, work: Any) -> Any:
        """
        What C{work} gives, by letting time go on until it does.
        """
        outcome = Deferred.fromCoroutine(work)
        self.settle()
        return self._case.successResultOf(outcome)

    def file(self, folder: str, *messages: bytes) -> None:
        """
        Bring messages into a public folder.
        """
        self.result(self.engine.append(SYSTEM, f"{PUBLIC_ROOT}/{folder}", tuple(map(NewMessage, messages))))

    def client(self, user: bytes, folder: str, opens: bytes = b"SELECT") -> support.Client:
        """
        A client with a public folder open.
        """
        client = support.Client(cast(support.Server, self)).login(user)
        self.clients.append(client)
        client.ask(b'%b "%b/%b"' % (opens, PUBLIC_ROOT.encode(), folder.encode()))
        return client

    def settle(self) -> None:
        """
        Let everything come to its end that time alone does not hold up.
        """
        self.clock.advance(0)
