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
from types import TracebackType
from typing import Any, TypeVar

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.pollreactor import PollReactor
from twisted.python.failure import Failure

from mailstore.admin.importing import Importer
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.auth.saslprep import prepare
from mailstore.config import Config
from mailstore.errors import FolderExists
from mailstore.imap.limits import ImapLimits
from mailstore.interfaces import IStore
from mailstore.model import ALL_RIGHTS, OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, SYSTEM, NewMessage, folderName
from mailstore.topology import MailService, Part

T = TypeVar("T")

#: Seconds after which starting, stopping or a call has failed.
PATIENCE = 60.0

#: Where it listens: any free port of this machine.
_LISTEN = "tcp:0:interface=127.0.0.1"


def _several(texts: Iterable[str]) -> tuple[str, ...]:
    """
    @raise TypeError: it is one text, which would be taken for its letters.
    """
    if isinstance(texts, str):
        raise TypeError(f"a list of texts is wanted, not {texts!r}")
    return tuple(texts)


class NotLoaded(Exception):
    """
    What was to be loaded into a server is no mail; the message names it.
    """


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


class MailServer:
    """
    An IMAP server over an empty store in memory, for the time of a C{with}::

        with MailServer(users={"alice": "secret"}, folders=["Public Folders/News"]) as server:
            server.load("tests/mail", "Public Folders/News")
            client = imaplib.IMAP4(server.host, server.port)

    Every request of a client crosses the same bounded channel to the store as in
    a big installation.

    @ivar host: where to connect to.
    @ivar port: likewise.
    @ivar service: what runs, for who wants to look inside; its methods are
        to be called through L{call}.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        folders: Iterable[str] = (),
        *,
        administrators: Iterable[str] = (),
        transport: str = "memory:",
        config: Config | None = None,
    ) -> None:
        """
        @param users: names and passwords.
        @param folders: full names of folders to make, such as
            C{"Public Folders/News"} or C{"Other Users/alice/Sent"}; parents are made too.
        @param administrators: users who may do everything in the public folders.
        @param transport: the channel between front end and store, such as
            C{shm:PATH}; whatever it is, both are in this process.
        @param config: bounds that differ from the usual ones; where it
            listens and which store it serves is decided here; if it leaves public folders out of
            the lists of one of its endpoints, so does this server.  By default, wrong
            passwords cost no time and bar nobody, as they do in earnest.
        @raise ConfigError: it makes no sense.
        @raise ValueError: a password is empty, or has a character that none can have.
        """
        for password in (users or {}).values():
            prepare(password)
        config = config or Config(imap_limits=ImapLimits(login_delay=0.0, max_failures_per_address=1_000_000))
        self._config = attrs.evolve(
            config,
            store_url="sqlite::memory:",
            listen=(_LISTEN,),
            without_public=(_LISTEN,) if config.without_public else (),
            transport=transport,
        )
        self._users = dict(users or {})
        self._folders = _several(folders)
        self._administrators = _several(administrators)
        self._reactor: Any = None
        self._thread: threading.Thread | None = None
        self._service: MailService | None = None
        self.port = 0

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
            self._service = self.serviceOn(self._reactor)
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
        part = Part(self._config, together=True, fill=self._fill, iterations=QUICK_ITERATIONS)
        return MailService(reactor, part)

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
        self.port = 0

    def _run(self) -> None:
        self._reactor.run(installSignalHandlers=False)

    async def _begin(self) -> None:
        service = self.service
        self._reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
        service.startService()
        await service.ready
        address: Any = service.ports[0].getHost()
        self.port = address.port

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

    # --- filling it ----------------------------------------------------------

    def load(self, path: str, folder: str, owner: str | None = None) -> int:
        """
        Import mail, as C{mailstore import} does: an mbox, a Maildir, an .eml
        file or a directory of them.

        @param folder: its full name, or its name in C{owner}'s mailbox.
        @return: the number of messages.
        @raise NotLoaded: something was no mail, or cannot be read.
        """
        limits = self._config.store_limits
        importer = Importer(self._store, self._name(folder, owner), limits.max_message, limits.max_append)

        async def load() -> int:
            await importer.run(importer.plan(path))
            for each in importer.report.problems:
                raise NotLoaded(f"{each.path}: {each.reason}")
            return importer.report.messages

        return self.call(load)

    def append(self, message: bytes, folder: str, flags: Iterable[str] = (), owner: str | None = None) -> int:
        """
        Store one message.

        @param folder: its full name, or its name in C{owner}'s mailbox.
        @return: its UID.
        """
        if not isinstance(message, bytes):
            raise TypeError("a message is bytes")
        new = NewMessage(message, _several(flags))

        async def append() -> int:
            result = await self._store.append(SYSTEM, self._name(folder, owner), (new,))
            return result.uids[0]

        return self.call(append)

    def setRights(self, folder: str, identifier: str, rights: str) -> None:
        """
        Give a user, C{"authenticated"} or C{"anyone"} exactly these rights (RFC 4314).
        """

        async def setRights() -> None:
            await self._store.setRights(SYSTEM, folder, identifier, rights)

        self.call(setRights)

    @staticmethod
    def _name(folder: str, owner: str | None) -> str:
        return folder if owner is None else SEPARATOR.join((OTHERS_ROOT, owner, folderName(folder)))

    # --- looking inside --------------------------------------------------------

    @property
    def reactor(self) -> Any:
        """
        What it runs on, while it runs; for functions that are run through L{call}.
        """
        return self._reactor

    @property
    def service(self) -> MailService:
        """
        What runs.

        @raise RuntimeError: it does not run.
        """
        if self._service is None:
            raise RuntimeError("the server does not run")
        return self._service

    @property
    def _store(self) -> IStore:
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
