"""
A real IMAP server inside a test.

It runs in a thread of its own with a reactor of its own, so it works in any
program: one without Twisted, one with its own reactor running, one that uses
threads or asyncio.  It chooses no reactor for the program, installs no signal
handlers and needs no files.  Nothing is left when it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from ssl import SSLContext, create_default_context
from types import TracebackType
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.pollreactor import PollReactor
from twisted.python.failure import Failure

from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.auth.saslprep import prepare
from mailstore.config import Config, ConfigError
from mailstore.errors import FolderExists
from mailstore.imap.limits import ImapLimits
from mailstore.interfaces import IStore
from mailstore.ipc.limits import IpcLimits
from mailstore.model import (
    ALL_RIGHTS,
    PUBLIC_ROOT,
    SYSTEM,
)
from mailstore.selfsigned import pem, selfSigned
from mailstore.testing.commandfaults import Heard
from mailstore.testing.contents import Contents, several
from mailstore.testing.faults import Faults, Meddler
from mailstore.testing.tokens import TokenChecker
from mailstore.topology import MailService, Part

T = TypeVar("T")

#: Seconds after which starting, stopping or a call has failed.
PATIENCE = 60.0

#: Where it listens, at a free port of this machine or at the same as before.
_PLAIN, _TLS = "tcp:{0}:interface=127.0.0.1", "ssl:{0}:interface=127.0.0.1"


class _Reactor(PollReactor):
    """
    A reactor beside the program's own: it is not the one that makes a thread
    "the I/O thread", and gives back what it holds.
    """

    _registerAsIOThread = False

    def release(self) -> None:
        """
        Close what is left when it has ended for good.
        """
        self.waker.connectionLost(None)


class MailServer(Contents):
    """
    An IMAP server over an empty store in memory, for the time of a C{with}::

        with MailServer(users={"alice": "secret"}, folders=["Public Folders/News"]) as server:
            server.load("tests/mail", "Public Folders/News")
            client = imaplib.IMAP4(server.host, server.port)

    Every request of a client crosses the same bounded channel to the store as in
    a big installation.  Its methods are for the program's own threads; each returns when it is done, so
    that a client that connects afterwards sees it.

    Folders are named in full, C{"Public Folders/News"} or C{"Other Users/alice/INBOX"}; where there is an
    C{owner}, a folder of his is named as he sees it, C{"INBOX"}.

    @ivar host: where to connect to.
    @ivar port: likewise, for IMAP (with STARTTLS, if there is TLS).
    @ivar tls_port: for IMAP with TLS from the first byte; 0 without C{tls}.
    @ivar lmtp_port: for LMTP; 0 without C{lmtp}.
    @ivar faults: what goes wrong.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        folders: Iterable[str] = (),
        *,
        administrators: Iterable[str] = (),
        transport: str = "memory:",
        tls: bool = False,
        lmtp: bool = False,
        tokens: Mapping[str, str] | None = None,
        config: Config | None = None,
    ) -> None:
        """
        @param users: names and passwords.
        @param folders: full names of folders to make; parents are made too.
        @param administrators: users who may do everything in the public folders.
        @param transport: the channel between front end and store, such as
            C{shm:PATH}; whatever it is, both are in this process.
        @param tls: offer STARTTLS, and TLS from the first byte at L{tls_port}, with a certificate made on the
            spot, which L{sslContext} trusts.
        @param lmtp: take messages by LMTP at L{lmtp_port}.
        @param tokens: users by the tokens with which they can sign in by OAUTHBEARER or XOAUTH2; who of
            them is not in C{users} has a mailbox when he comes for the first time.
        @param config: bounds that differ from the usual ones; where it
            listens for IMAP and which store it serves is decided here; if it leaves public folders out of
            the lists of one of its endpoints, so does this server.  By default, wrong
            passwords cost no time and bar nobody, as they do in earnest, and an address of any domain is that
            of the user named before the C{@}.
        @raise ConfigError: it makes no sense, or TLS is not installed.
        @raise ValueError: a password is empty, or has a character that none can have.
        """
        for password in (users or {}).values():
            prepare(password)
        self._config = config or Config(
            imap_limits=ImapLimits(login_delay=0.0, max_failures_per_address=1_000_000),
            ipc_limits=IpcLimits(reconnect_delay=0.01, max_reconnect_delay=0.05),
            lmtp_domains=("*",),
        )
        self._transport = transport
        self._options = selfSigned() if tls else None
        if tls and self._options is None:
            raise ConfigError("TLS is not installed: pip install 'mailstore[tls]'")
        self._lmtp = lmtp
        self._tokens = dict(tokens or {})
        self._users = dict(users or {})
        self._folders = several(folders)
        self._administrators = several(administrators)
        self._reactor: Any = None
        self._thread: threading.Thread | None = None
        self._service: MailService | None = None
        self._meddler: Meddler | None = None
        self.faults = Faults(self)
        self.port = self.tls_port = self.lmtp_port = 0

    # --- life --------------------------------------------------------------

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        Start it.  It serves when this returns.

        @raise StartFailed: it could not; also when a user or a folder could not be made.
        """
        if self._thread is not None:
            raise RuntimeError("it runs already")
        self._reactor = _Reactor()  # type: ignore[no-untyped-call]
        try:
            self._make()
        except BaseException:
            self._reactor.release()
            raise
        self._thread = threading.Thread(target=self._run, name="mailserver", daemon=True)
        self._thread.start()
        try:
            self.call(self._begin)
        except BaseException:
            self.stop()
            raise

    def serviceOn(self, reactor: Any) -> MailService:
        """
        The same server as a service, for a program with a reactor of its own: neither started nor
        known to this object.

        @raise ConfigError: it makes no sense.
        """
        return MailService(reactor, self._part(None))

    def reset(self) -> None:
        """
        As it was when it had started: all connections are dropped; what was stored, the users and folders
        made since, and all faults are gone.  It goes on at the same ports.

        @raise StartFailed: it could not.
        """
        self.call(self._restart)

    def stop(self) -> None:
        """
        Stop it; all its connections are closed.  Idempotent.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._reactor.callFromThread(self._reactor.stop)
        thread.join(PATIENCE)
        if not thread.is_alive():
            # Not before: who asked it to stop may still be about to wake it.
            self._reactor.release()
        self.port = self.tls_port = self.lmtp_port = 0

    @property
    def running(self) -> bool:
        """
        Whether it has been started and not stopped.
        """
        return self._thread is not None

    def _part(self, meddler: Meddler | None) -> Part:
        config = self._config
        listen = [_PLAIN.format(self.port)]
        if self._options is not None:
            listen.append(_TLS.format(self.tls_port))
        config = attrs.evolve(
            config,
            store_url="sqlite::memory:",
            listen=tuple(listen),
            without_public=tuple(listen) if config.without_public else (),
            transport=self._transport,
            lmtp_listen=(_PLAIN.format(self.lmtp_port),) if self._lmtp else config.lmtp_listen,
        )
        return Part(
            config,
            together=True,
            fill=self._fill,
            iterations=QUICK_ITERATIONS,
            tls=self._options,
            meddler=meddler,
            checkers=(TokenChecker(self._tokens),) if self._tokens else (),
        )

    def _make(self) -> None:
        self._meddler = Meddler(self._reactor)
        self._service = MailService(self._reactor, self._part(self._meddler))

    def _run(self) -> None:
        self._reactor.run(installSignalHandlers=False)

    async def _begin(self) -> None:
        self._reactor.addSystemEventTrigger("before", "shutdown", lambda: self.service.stopService())
        await self._serve()

    async def _restart(self) -> None:
        # Nobody is left to finish what he has begun.
        for each in self.service.links:
            each.abort()
        await self.service.stopService()
        self._make()
        await self._serve()

    async def _serve(self) -> None:
        service = self.service
        service.startService()
        await service.ready
        self.port, *more = [_portOf(each) for each in service.ports]
        if more:
            (self.tls_port,) = more
        if self._lmtp:
            self.lmtp_port = _portOf(service.delivery_ports[0])

    async def _fill(self, store: IStore) -> None:
        for name, password in self._users.items():
            await store.createUser(name, makeCredentials(password, QUICK_ITERATIONS))
        for name in self._administrators:
            await store.setRights(SYSTEM, PUBLIC_ROOT, name, ALL_RIGHTS)
        for name in self._folders:
            try:
                await store.createFolder(SYSTEM, name)
            except FolderExists:
                # One of the others was below it.
                pass

    # --- what clients did, and what they need ------------------------------------

    def commands(self, user: str | None = None) -> tuple[str, ...]:
        """
        The names of the commands that clients have given since the start, the oldest first: C{"LOGIN"},
        C{"UID FETCH"} and so on; of very many, the last.

        @param user: only those of one who had signed in.
        """

        async def heard() -> tuple[Heard, ...]:
            return tuple(self.meddler.commands.heard)

        return tuple(each.name for each in self.call(heard) if user in (None, each.user))

    @property
    def certificate(self) -> str:
        """
        The certificate for TLS, as PEM.

        @raise RuntimeError: there is no TLS.
        """
        if self._options is None:
            raise RuntimeError("there is no TLS: MailServer(tls=True)")
        return pem(self._options)

    def sslContext(self) -> SSLContext:
        """
        What a client in Python needs to trust the certificate::

            imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=server.sslContext())

        @raise RuntimeError: there is no TLS.
        """
        return create_default_context(cadata=self.certificate)

    # --- looking inside --------------------------------------------------------

    @property
    def meddler(self) -> Meddler:
        """
        What stands between its parts; to be used through L{call}, or better by L{faults}.

        @raise RuntimeError: it does not run.
        """
        if self._meddler is None:
            raise RuntimeError("the server does not run")
        return self._meddler

    @property
    def reactor(self) -> Any:
        """
        What it runs on, while it runs; for functions that are run through L{call}.
        """
        return self._reactor

    @property
    def service(self) -> MailService:
        """
        What runs, for who wants to look inside; its methods are to be called through L{call}.

        @raise RuntimeError: it does not run.
        """
        if self._service is None:
            raise RuntimeError("the server does not run")
        return self._service

    @property
    def store(self) -> IStore:
        """
        The store itself, to be used through L{call}; not through the channel.

        @raise RuntimeError: it does not run.
        """
        store = self.service.store
        if store is None:
            raise RuntimeError("the server does not run")
        return store

    def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """
        Run an C{async} function in the server's thread, and wait for it.

        @return: its result.
        @raise TimeoutError: after a minute.
        """
        if self._thread is None or threading.current_thread() is self._thread:
            raise RuntimeError("to be called while it runs, from outside its thread")
        result: Future[T] = Future()

        async def run() -> T:
            return await function()

        def failed(failure: Failure) -> None:
            result.set_exception(failure.value)

        def begin() -> None:
            Deferred.fromCoroutine(run()).addCallbacks(result.set_result, failed)

        self._reactor.callFromThread(begin)
        try:
            return result.result(PATIENCE)
        except FutureTimeoutError:
            raise TimeoutError(f"the server did not answer within {PATIENCE:g} s") from None


def _portOf(port: IListeningPort) -> int:
    address: Any = port.getHost()
    number: int = address.port
    return number
