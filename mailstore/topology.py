"""
One process's part of a mail server: what runs in it, in which order it starts
and stops.

  - The store opens before the channel to it does, the channel before the
    sockets for clients: who can connect, can work.
  - It stops in the opposite order.
  - What cannot start is a L{StartFailed} with one line for a person, and
    nothing stays half open.

::

    role "all", memory:       front end -- channel -- store            one process
    role "all", any other     front end -- channel -- [store]          the store in a child, kept alive
    role "frontend"           front end -- channel -- ...              the store is somebody else's
    role "store"              ... -- channel -- store
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import attrs
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Interface

from mailstore.auth.checkers import BadChecker, Others, makeCheckers
from mailstore.auth.keys import ITERATIONS, QUICK_ITERATIONS
from mailstore.auth.portal import inThreadsOf, storeAuthenticator
from mailstore.config import Config, ConfigError, dump, unknown
from mailstore.connections import ClientProtocol, Connections
from mailstore.demo import fillDemo
from mailstore.endpoints import (
    isLocal,
    lastingSecret,
    listenEndpoint,
    localEndpoint,
    tlsContext,
    whyNotListening,
)
from mailstore.errors import StoreError
from mailstore.imap.frontend import FrontEnd
from mailstore.imap.intercepting import IInterceptor
from mailstore.imap.protocol import ImapFactory
from mailstore.interfaces import IStore
from mailstore.ipc.client import RemoteStore
from mailstore.ipc.codec import QueueTooSmall, pieceSize
from mailstore.ipc.expiring import Expiring
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.ipc.server import StoreServer
from mailstore.ipc.service import StoreClientService, StoreServerService
from mailstore.lmtp.courier import Addressing, Courier
from mailstore.lmtp.protocol import LmtpFactory
from mailstore.metrics import Sources, metricsFactory
from mailstore.ownstore import OwnStore
from mailstore.selfsigned import selfSigned
from mailstore.stores import StoreOpenError, openStore, storePath
from mailstore.supervisor import ParentWatch, StoreProcess, sayListening
from transports.description import transportFor
from transports.errors import BadDescription, TransportError
from transports.interfaces import ITransport

#: The parts that a process can play.
ROLES = ("all", "frontend", "store")

#: Exit codes of sysexits.h: the service cannot be offered; the configuration is wrong.
EX_UNAVAILABLE, EX_CONFIG = 69, 78


class StartFailed(Exception):
    """
    The server could not start.

    @ivar code: the process's exit code.
    """

    def __init__(self, message: str, code: int = EX_UNAVAILABLE) -> None:
        """
        @param message: one line; C{""} when somebody else has said it already.
        """
        super().__init__(message)
        self.code = code


class IMeddler(Interface):
    """
    Takes the place of parts of a server by others that do wrong when they are told to.
    """

    def transport(transport: ITransport) -> ITransport:
        """
        What to use for the channels between front end and store.
        """

    def store(store: IStore) -> IStore:
        """
        What to serve in place of the store, if it is in this process.
        """

    def interceptor() -> IInterceptor:
        """
        Who hears of every command.
        """


@attrs.frozen
class Part:
    """
    Which part of a server this process is.
    """

    config: Config = attrs.field(factory=Config)
    #: One of L{ROLES}.
    role: str = "all"
    #: The store is a throw-away one, with the demo's users and mail.
    demo: bool = False
    #: The store stays in this process even if the channel could leave it.
    together: bool = False
    #: The descriptor of the pipe from a parent with which to end; C{None} if there is none.
    parent_pipe: int | None = None
    #: The descriptor on which the parent is told that the store can be
    #: reached; C{None} if there is nobody to tell.
    listening_pipe: int | None = None
    #: Options of C{twist} itself, such as C{"--log-level=debug"}, for a child to have the same.
    twist_options: tuple[str, ...] = ()
    #: Fills the store before it is served, if it is in this process.
    fill: Callable[[IStore], Awaitable[None]] | None = None
    #: Rounds of PBKDF2 that the sign-in of an unknown user costs.
    iterations: int = ITERATIONS
    #: Checkers of passwords or tokens to ask beside the store; none for those of the config.
    checkers: tuple[Any, ...] = ()
    #: What TLS is done with, a L{CertificateOptions<twisted.internet.ssl.CertificateOptions>}; C{None} for
    #: what the config says.
    tls: Any = None
    #: Who meddles with what goes on, in tests of clients; C{None} for nobody.
    meddler: IMeddler | None = None


def _transportOf(reactor: Any, part: Part) -> ITransport:
    """
    What joins front end and store.

    @raise ConfigError: what is said of it, or of the store, cannot be understood.
    """
    config = part.config
    try:
        transport = transportFor(config.transport, reactor)
        if part.meddler is not None:
            transport = part.meddler.transport(transport)
        pieceSize(transport.limits)
        storePath(config.store_url)
    except BadDescription as error:
        raise ConfigError(f"transport: {error}") from error
    except StoreOpenError as error:
        raise ConfigError(str(error)) from error
    except QueueTooSmall as error:
        raise ConfigError(f"{config.transport}: {error}") from error
    return transport


def _requireSense(part: Part, transport: ITransport) -> None:
    """
    @raise ConfigError: what is asked for does not fit together.
    """
    config = part.config
    if part.role != "all" and not transport.crosses_processes:
        raise ConfigError(
            f"{config.transport!r} works within one process only; "
            f"--role {part.role} needs another transport, such as shm:PATH or unix:PATH"
        )
    if part.role != "all" and part.listening_pipe is None and _portOf(transport) == 0:
        raise ConfigError(
            f"{config.transport}: port 0 is any free port, which the other process cannot know: name one"
        )
    places = 2 * config.imap_limits.max_sessions
    if part.role != "store" and config.ipc_limits.max_calls < places:
        raise ConfigError(
            f"[limits.ipc] max_calls must be at least {places}, twice [limits.imap] max_sessions: "
            "so many requests can be held by clients that do not read"
        )


class MailService(Service):
    """
    A part of a mail server, as a service.

    @ivar ready: fires when it serves, fails with L{StartFailed} if it never will.
    @ivar ports: the sockets where clients can connect.
    @ivar store: the store, if it is in this process.
    @ivar server: what serves it.
    @ivar metrics_port: the socket where this process's metrics are served, if they are.
    @ivar delivery_ports: the sockets where mail servers can connect.
    @ivar remote: the way to the store, if there is a front end.
    @ivar delivery_remote: the same for delivery.
    @ivar child: keeps the store's process, if that is this one's child.
    @ivar tls: what TLS is done with, if it is.
    """

    log = Logger()

    def __init__(self, reactor: Any, part: Part) -> None:
        """
        @raise ConfigError: something cannot be understood, or does not fit together.
        """
        self._reactor = reactor
        self._part = part
        config = part.config
        if part.role not in ROLES:
            raise ConfigError(unknown("role", part.role, ROLES))
        if part.role != "all" and part.demo:
            raise ConfigError("--demo shows a whole server: it needs --role all")
        self._transport = _transportOf(reactor, part)
        _requireSense(part, self._transport)
        self._in_child = part.role == "all" and self._transport.crosses_processes and not part.together
        self.tls: Any = None
        self._endpoints: list[tuple[str, Any]] = []
        self._delivery_endpoints: list[tuple[str, Any]] = []
        self._checkers = part.checkers
        self._secret = b""
        if part.role != "store":
            self.tls = part.tls or tlsContext(config)
            if self.tls is None and part.demo:
                self.tls = selfSigned()
            self._endpoints = [(each, listenEndpoint(reactor, each, self.tls)) for each in config.listen]
            self._delivery_endpoints = [(each, localEndpoint(reactor, each)) for each in config.lmtp_listen]
            try:
                self._checkers = part.checkers or makeCheckers(config.checkers)
            except BadChecker as error:
                raise ConfigError(str(error)) from error
            self._secret = lastingSecret(config)
        self._metrics: tuple[str, Any] | None = None
        place = config.metrics_store_listen if part.role == "store" else config.metrics_listen
        if place:
            metricsFactory(Sources("none"), reactor)
            self._metrics = (place, listenEndpoint(reactor, place, self.tls))
        self._imap: FrontEnd | None = None
        self._connections: list[Connections] = []
        self._courier: Courier | None = None
        self._running_parts = AsyncExitStack()
        self._starting: Deferred[None] | None = None
        self._why: StartFailed | None = None
        self.ready: Deferred[None] = Deferred()
        self.ports: list[IListeningPort] = []
        self.store: IStore | None = None
        self.delivery_ports: list[IListeningPort] = []
        self.metrics_port: IListeningPort | None = None
        self.remote: RemoteStore | None = None
        self.delivery_remote: RemoteStore | None = None
        self.child: StoreProcess | None = None
        self.server: StoreServer | None = None

    @property
    def links(self) -> tuple[ClientProtocol, ...]:
        """
        The connections of clients and mail servers that are open.
        """
        return tuple(link for each in self._connections for link in each.links)

    @property
    def remotes(self) -> tuple[RemoteStore, ...]:
        """
        All ways to the store that there are.
        """
        return tuple(each for each in (self.remote, self.delivery_remote) if each is not None)

    # --- life ------------------------------------------------------------------

    def startService(self) -> None:
        """
        Begin to start; L{ready} tells when that is done.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addCallbacks(self.ready.callback, self._failed)

    def stopService(self) -> Deferred[None]:
        """
        Stop everything, in the opposite order.

        @return: fires when it has stopped.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        if self._starting is not None:
            self._starting.cancel()
        return Deferred.fromCoroutine(self._running_parts.aclose())

    async def _start(self) -> None:
        if self._part.parent_pipe is not None:
            watch = ParentWatch(self._reactor, self._part.parent_pipe, self._parentGone)
            watch.start()
            self._running_parts.callback(watch.stop)
        if self._in_child:
            await self._startChild()
        elif self._part.role != "frontend":
            await self._startStore()
            if self._part.role == "store":
                await self._startMetrics()
            if self._part.listening_pipe is not None:
                sayListening(self._part.listening_pipe, _portOf(self._transport) or 0)
        if self._part.role != "store":
            await self._startFrontEnd()
            await self._startMetrics()

    def _failed(self, failure: Failure) -> None:
        """
        Not everything could be started: stop what was, and say why.
        """
        if self._why is not None:
            why: Exception = self._why
        elif isinstance(failure.value, CancelledError) and not self.running:
            # It was stopped before it was ready; that is no failure.
            return
        elif isinstance(
            failure.value, (StartFailed, ConfigError, StoreOpenError, TransportError, StoreError)
        ):
            code = failure.value.code if isinstance(failure.value, StartFailed) else EX_UNAVAILABLE
            why = StartFailed(str(failure.value), code)
        else:
            self.log.failure("The server could not start", failure)
            why = StartFailed("the server could not start; the log says why")
        closing = Deferred.fromCoroutine(self._running_parts.aclose())
        closing.addErrback(lambda error: self.log.failure("While stopping", error))
        closing.addCallback(lambda _: self.ready.errback(why))

    def _giveUp(self, why: StartFailed) -> None:
        """
        Stop starting.
        """
        self._why = why
        if self._starting is not None:
            self._starting.cancel()

    def _parentGone(self) -> None:
        self.log.error("The parent process is gone: stopping")
        self._reactor.stop()

    # --- the store -----------------------------------------------------------

    async def _startStore(self) -> None:
        config, parts = self._part.config, self._running_parts
        committer = GroupCommitter(self._reactor, busy_patience=config.store_limits.busy_wait)
        # Opening waits for another process that is writing; after that the committer does, without blocking.
        limits = config.store_limits
        url = "sqlite::memory:" if self._part.demo else config.store_url
        store = openStore(
            url,
            limits,
            create=self._part.demo,
            committer=committer,
            subscribe_new=config.subscribe_new,
        )
        self.store = store
        parts.push_async_callback(store.close)
        parts.push_async_callback(committer.close)
        if self._part.demo:
            await fillDemo(store)
        if self._part.fill is not None:
            await self._part.fill(store)
        served = store if self._part.meddler is None else self._part.meddler.store(store)
        self.server = StoreServer(served, config.ipc_limits, self._reactor)
        expiring = Expiring(store, config.ipc_limits, self._reactor)
        parts.callback(expiring.stop)
        expiring.start()
        service = StoreServerService(self._transport, self.server)
        parts.push_async_callback(_waited, service.stopService)
        listening = service.whenListening()
        service.startService()
        await listening
        self.log.info("Serving the store {url} at {place}", url=url, place=config.transport)
        if store.read_only:
            self.log.warn(
                "{url} is on a read-only file system: mail can be read, and nothing changed", url=url
            )

    async def _startChild(self) -> None:
        config = self._part.config
        if self._part.demo:
            directory = tempfile.TemporaryDirectory(prefix="mailstore-demo-")
            self._running_parts.callback(directory.cleanup)
            config = attrs.evolve(config, store_url=f"sqlite:{directory.name}/mail.db")
            store = openStore(config.store_url, config.store_limits, create=True)
            await fillDemo(store)
            await store.close()
        self.child = StoreProcess(self._reactor, dump(config), self._childHopeless, self._part.twist_options)
        self.child.startService()
        self._running_parts.push_async_callback(_waited, self.child.stopService)

    def _childHopeless(self, code: int) -> None:
        # The child has said why on its standard error, which is ours.
        self._giveUp(StartFailed("", code))

    # --- the front end ----------------------------------------------------------

    async def _startFrontEnd(self) -> None:
        config, parts = self._part.config, self._running_parts
        self.log.info("Waiting for the store at {place}", place=config.transport)
        self.remote = remote = await self._reachStore()
        if self.child is not None:
            self.child.ready()
        iterations = QUICK_ITERATIONS if self._part.demo else self._part.iterations
        authenticator = storeAuthenticator(
            remote,
            inThreadsOf(self._reactor),
            iterations,
            secret=self._secret,
            others=Others(self._checkers, self._reactor),
        )
        # Clients are told the store's bound for a message, or the front end's own if that is less.
        largest = min(config.imap_limits.max_message, await remote.largestMessage())
        factory = ImapFactory(
            remote,
            authenticator,
            attrs.evolve(config.imap_limits, max_message=largest),
            reactor=self._reactor,
            tls=self.tls,
            literal_minus=config.literals == "minus",
            trust_loopback=config.trust_loopback,
            unauthenticate=config.unauthenticate,
        )
        self._imap = factory.front
        self._connections.append(factory.connections)
        if self._part.meddler is not None:
            self._imap.interceptor = self._part.meddler.interceptor()
        parts.push_async_callback(_waited, factory.disconnectAll)
        if self._delivery_endpoints:
            await self._startDelivery()
        for description, endpoint in self._endpoints:
            hides = description in config.without_public
            port = await self._listen(description, endpoint, factory.withoutPublic() if hides else factory)
            self.ports.append(port)
            self.log.info("Serving IMAP at {address}", address=port.getHost())

    async def _startDelivery(self) -> None:
        """
        Take messages by LMTP, over a channel of its own: a flood of mail fills no queue that readers use.
        """
        config = self._part.config
        self.delivery_remote = await self._reachStore("lmtp")
        factory = LmtpFactory(
            self.delivery_remote,
            config.lmtp_limits,
            Addressing(config.lmtp_domains, config.lmtp_detail),
            config.lmtp_host or socket.gethostname() or "localhost",
            reactor=self._reactor,
        )
        self._courier = factory.courier
        self._connections.append(factory.connections)
        self._running_parts.push_async_callback(_waited, factory.disconnectAll)
        for description, endpoint in self._delivery_endpoints:
            port = await self._listen(description, endpoint, factory)
            if not isLocal(port.getHost()):
                # What kind of endpoint that is, only its port tells.
                raise StartFailed(f"{description}: mail is taken on this machine only", EX_CONFIG)
            self.delivery_ports.append(port)
            self.log.info("Taking mail by LMTP at {address}", address=port.getHost())

    async def _startMetrics(self) -> None:
        """
        Serve what this process counts, if that is wanted.
        """
        if self._metrics is None:
            return
        description, endpoint = self._metrics
        remotes = {"imap": self.remote, "lmtp": self.delivery_remote}
        sources = Sources(
            transport=self._part.config.transport.partition(":")[0],
            client_out=lambda: {
                name: each.statistics() for name, each in remotes.items() if each is not None
            },
            store_out=dict if self.server is None else self.server.byProtocol,
            imap=self._imap,
            lmtp=self._courier,
        )
        self.metrics_port = await self._listen(description, endpoint, metricsFactory(sources, self._reactor))
        self.log.info("Serving metrics at {address}", address=self.metrics_port.getHost())

    async def _reachStore(self, protocol: str = "imap") -> RemoteStore:
        """
        Open a channel to the store, and wait until there is one.
        """
        limits = self._part.config.ipc_limits
        remote = RemoteStore(limits, self._reactor, protocol)
        self._running_parts.push_async_callback(remote.close)
        place = self._transport if self.child is None else OwnStore(self._transport, self.child)
        client = StoreClientService(place, remote, self._reactor, limits)
        self._running_parts.push_async_callback(_waited, client.stopService)
        client.startService()
        await remote.whenReady()
        return remote

    async def _listen(self, description: str, endpoint: Any, factory: Factory) -> IListeningPort:
        """
        Open a port, which is closed when the service stops.

        @raise StartFailed: it cannot be opened.
        """
        try:
            port: IListeningPort = await endpoint.listen(factory)
        except CancelledError:
            raise
        except Exception as error:
            raise StartFailed(whyNotListening(description, error)) from error
        self._running_parts.push_async_callback(_waited, port.stopListening)
        return port


def _portOf(transport: ITransport) -> int | None:
    """
    The port that a transport uses; 0 for any, C{None} if it uses none.
    """
    port = getattr(transport, "port", None)
    return port if isinstance(port, int) else None


async def _waited(stop: Callable[[], Any]) -> None:
    """
    Stop something, and wait if that takes time.
    """
    result = stop()
    if isinstance(result, Deferred):
        await result
