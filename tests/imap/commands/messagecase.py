"""
What the tests of the message commands share: sessions on a store in memory,
driven line by line without sockets or time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailstore.engine import open as openStore
from mailstore.imap.connection import Connection
from mailstore.imap.frontend import FrontEnd
from mailstore.imap.limits import ImapLimits
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION
from mailstore.imap.waiting import ILink, IRuntime, ISignal
from mailstore.interfaces import IAuthenticator, IStore
from mailstore.model import SYSTEM, Credentials, NewMessage

_Result = TypeVar("_Result")

#: A message with two parts.
MULTIPART = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Two parts\r\n"
    b"Date: Fri, 5 Jan 2024 10:00:00 +0100\r\nMessage-ID: <two@example.org>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    b"--cut\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n"
    b"--cut\r\nContent-Type: text/html\r\nContent-ID: <html>\r\n\r\n<p>second</p>\r\n--cut--\r\n"
)


def plain(subject: str, body: str = "text\r\n") -> bytes:
    """
    A small message.
    """
    return f"From: ann@example.org\r\nSubject: {subject}\r\n\r\n{body}".encode()


@implementer(ISignal)
class Signal:
    """
    Wakes who waits, at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[Deferred[bool]] = []

    def wait(self, seconds: float | None = None) -> Deferred[bool]:
        waiter: Deferred[bool] = Deferred()
        self._waiting.append(waiter)
        if seconds is not None:
            call = self._clock.callLater(seconds, self._expire, waiter)

            def over(result: bool) -> bool:
                if call.active():
                    call.cancel()
                return result

            waiter.addBoth(over)
        return waiter

    def _expire(self, waiter: Deferred[bool]) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)
            waiter.callback(False)

    def fire(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(True)


@implementer(IRuntime)
class Runtime:
    """
    A world whose time stands still.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        self._case = case
        self.clock = Clock()

    def seconds(self) -> float:
        return float(self.clock.seconds())

    def sleep(self, seconds: float) -> Awaitable[None]:
        waiter: Deferred[None] = Deferred()
        self.clock.callLater(seconds, waiter.callback, None)
        return waiter

    def signal(self) -> Signal:
        return Signal(self.clock)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(work).addErrback(lambda failure: failure.printTraceback())


@implementer(ILink)
class Link:
    """
    A client's connection that keeps what is written.

    @ivar limit: bytes after which the client reads no more until L{drain}.
    """

    address = "client"
    secure = False
    local = True
    can_start_tls = False

    def __init__(self, runtime: Runtime) -> None:
        self.drained = runtime.signal()
        self.written: list[bytes] = []
        self.clogged = False
        self.lost = False
        self.aborted = False
        self.closed = False
        self.limit: int | None = None
        self.connection: Connection | None = None

    def write(self, data: bytes) -> None:
        self.written.append(data)
        if self.limit is not None and sum(map(len, self.written)) >= self.limit:
            self.clogged = True

    def drain(self) -> bytes:
        """
        Read everything that was written, and be ready for more.
        """
        data = b"".join(self.written)
        self.written.clear()
        if self.clogged:
            self.clogged = False
            self.drained.fire()
        return data

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def startTLS(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True
        self.lose()

    def lose(self) -> None:
        """
        The client goes away.
        """
        self.lost = True
        self.drained.fire()
        if self.connection is not None:
            self.connection.lost()


@implementer(IAuthenticator)
class AnyPassword:
    """
    Believes everybody.
    """

    async def authenticate(self, user: str, password: str) -> str:
        return user


@implementer(IStore)
class Between:
    """
    A store that hands everything to another one, for tests to put something in between.

    @ivar calls: names of the methods called, with their arguments.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        replaced = getattr(self, "on" + name[0].upper() + name[1:], None) if name[:2] != "on" else None

        def call(*arguments: Any) -> Any:
            self.calls.append((name, arguments))
            return (replaced or method)(*arguments)

        return call

    def named(self, name: str) -> list[tuple[Any, ...]]:
        """
        The arguments of all calls of one method.
        """
        return [arguments for called, arguments in self.calls if called == name]


class Client:
    """
    One session.
    """

    def __init__(self, case: MessageCase, user: str = "alice") -> None:
        self._case = case
        self.link = Link(case.runtime)
        self.connection = Connection(case.front, self.link)
        self.link.connection = self.connection
        self.running = Deferred.fromCoroutine(self.connection.run())
        self._tags = 0
        self.link.drain()
        self.command(f"LOGIN {user} secret")

    def send(self, data: bytes) -> None:
        """
        Send bytes as they are.
        """
        self.connection.received(data)

    def lines(self) -> list[bytes]:
        """
        What came since the last look, by lines.
        """
        data = self.link.drain()
        return data.split(b"\r\n")[:-1] if data.endswith(b"\r\n") else data.split(b"\r\n")

    def raw(self, line: str | bytes) -> bytes:
        """
        Give a command, and have everything up to its tagged reply, which begins with the tag C{T}.
        """
        data = line.encode() if isinstance(line, str) else line
        self.send(b"T " + data + b"\r\n")
        return self.link.drain()

    def command(self, line: str | bytes) -> list[bytes]:
        """
        Give a command, and have its responses by lines, the tagged one last.
        """
        answer = self.raw(line).split(b"\r\n")
        self._case.assertEqual(answer[-1], b"")
        self._case.assertTrue(answer[-2].startswith(b"T "), answer)
        return answer[:-1]


class MessageCase(SynchronousTestCase):
    """
    A store in memory with the users C{alice} and C{bob}.

    @ivar store: what the sessions talk to; all of it reaches L{engine}.
    """

    imap_limits = ImapLimits()

    def setUp(self) -> None:
        self.runtime = Runtime(self)
        self.engine = openStore("sqlite::memory:", renditions=RENDITIONS, renditions_version=RENDITIONS_VERSION)
        self.addCleanup(lambda: self.result(self.engine.close()))
        self.store = Between(self.engine)
        for user in ("alice", "bob"):
            self.result(self.engine.createUser(user, Credentials(b"salt", 1, b"", b"")))
        self.front = FrontEnd(self.store, AnyPassword(), self.runtime, self.imap_limits)
        self.front.open()
        self.addCleanup(self.front.close)

    def result(self, work: Awaitable[_Result]) -> _Result:
        """
        What C{work} gives, which must be at once.
        """

        async def wait() -> _Result:
            return await work

        return self.successResultOf(Deferred.fromCoroutine(wait()))

    def client(self, user: str = "alice", folder: str = "INBOX") -> Client:
        """
        A session that is signed in and has a folder open.
        """
        client = Client(self, user)
        self.addCleanup(client.link.lose)
        if folder:
            client.command(f'SELECT "{folder}"')
        return client

    def fill(self, *messages: bytes, user: str = "alice", folder: str = "INBOX", **more: Any) -> list[int]:
        """
        Put messages into a folder.

        @return: their UIDs.
        """
        new = tuple(NewMessage(message, **more) for message in messages)
        return list(self.result(self.engine.append(user, folder, new)).uids)

    def public(self, name: str, **rights: str) -> str:
        """
        Make a public folder.

        @param rights: who has which rights; others have the default.
        @return: its name.
        """
        path = f"Public Folders/{name}"
        self.result(self.engine.createFolder(SYSTEM, path))
        for identifier, letters in rights.items():
            self.result(self.engine.setRights(SYSTEM, path, identifier, letters))
        return path
