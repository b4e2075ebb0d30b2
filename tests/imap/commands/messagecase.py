"""
What the tests of the message commands share: sessions on a real store in memory,
driven line by line without sockets or time.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailstore.engine import open as openStore
from mailstore.imap.renditions import RENDITIONS, RENDITIONS_VERSION
from mailstore.interfaces import IStore
from mailstore.model import SYSTEM, Credentials, FlagMode, NewMessage, UidSet
from tests.imap import support

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


@implementer(IStore)
class Between:
    """
    A store that hands everything on to another one and remembers it, for tests to put something in between.

    @ivar calls: names of the methods called, with their arguments.
    @ivar instead: by name, what is called with the method and its arguments instead of it.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.instead: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*arguments: Any) -> Any:
            self.calls.append((name, arguments))
            if name in self.instead:
                return self.instead[name](method, *arguments)
            return method(*arguments)

        return call

    def named(self, name: str) -> list[tuple[Any, ...]]:
        """
        The arguments of all calls of one method.
        """
        return [arguments for called, arguments in self.calls if called == name]


class Client(support.Client):
    """
    Somebody who talks to a session, with ways to read literals and to read slowly.
    """

    def data(self) -> bytes:
        """
        What came since the last time, as it is.
        """
        self.clock.advance(0)
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def raw(self, command: str) -> bytes:
        """
        Give a command with the tag C{T}; everything that comes.
        """
        self.say(b"T " + command.encode() + b"\r\n")
        return self.data()

    def command(self, command: str) -> list[str]:
        """
        Give a command; its responses by lines, the tagged one last.
        """
        return [line.decode("latin-1") for line in self.ask(command.encode())]

    def readSlowly(self) -> None:
        """
        From now on take one write at a time, each when L{readMore} is called.
        """
        transport = self.transport
        write = transport.write

        def writeAndClog(data: bytes) -> None:
            write(data)
            self.protocol.pauseProducing()

        transport.write = writeAndClog  # type: ignore[method-assign]

    def readMore(self) -> bytes:
        """
        Take what was written, and let the server write again.
        """
        data = self.data()
        self.protocol.resumeProducing()
        return data


class MessageCase(SynchronousTestCase):
    """
    A store in memory with the users C{alice} and C{bob}.

    @ivar engine: the store itself.
    @ivar store: what the sessions talk to; all of it reaches L{engine}.
    """

    def setUp(self) -> None:
        self.engine = openStore(
            "sqlite::memory:", renditions=RENDITIONS, renditions_version=RENDITIONS_VERSION
        )
        self.addCleanup(lambda: self.result(self.engine.close()))
        for user in ("alice", "bob"):
            self.result(self.engine.createUser(user, Credentials(b"salt", 1, b"", b"")))
        self.store = Between(self.engine)
        self.server = support.Server(self, store=self.store)
        self.addCleanup(self.server.factory.stopFactory)

    def result(self, work: Awaitable[_Result]) -> _Result:
        """
        What C{work} gives, which must be at once.
        """

        async def wait() -> _Result:
            return await work

        return self.successResultOf(Deferred.fromCoroutine(wait()))

    def client(self, user: str = "alice", folder: str = "INBOX", command: str = "SELECT") -> Client:
        """
        A session that is signed in and has a folder open, if one is named.
        """
        client = Client(self.server)
        self.server.clients.append(client)
        client.login(user.encode())
        if folder:
            self.assertOk(client.command(f'{command} "{folder}"'))
        return client

    def assertOk(self, lines: list[str]) -> None:
        """
        The command was carried out.
        """
        self.assertTrue(lines[-1].startswith("T OK "), lines)

    def assertNo(self, lines: list[str], code: str) -> None:
        """
        The command was refused, with this response code and nothing before it.
        """
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[-1].startswith(f"T NO [{code}] "), lines)

    def assertBad(self, lines: list[str]) -> None:
        """
        It was no command, and nothing else was said.
        """
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[-1].startswith("T BAD "), lines)

    def fill(self, *messages: bytes, user: str = "alice", folder: str = "INBOX", **more: Any) -> list[int]:
        """
        Put messages into a folder.

        @return: their UIDs.
        """
        uids: list[int] = []
        for at in range(0, len(messages), 500):
            new = tuple(NewMessage(message, **more) for message in messages[at : at + 500])
            uids += self.result(self.engine.append(user, folder, new)).uids
        return uids

    def identity(self, name: str = "INBOX", user: str = "alice") -> int:
        """
        The identity of a folder.
        """
        return self.result(self.engine.status(user, name)).folder

    def remove(self, *uids: int, name: str = "INBOX", user: str = "alice") -> None:
        """
        Somebody else expunges messages.
        """
        folder, gone = self.identity(name, user), UidSet.of(uids)
        self.result(self.engine.storeFlags(user, folder, gone, FlagMode.ADD, ("\\Deleted",)))
        self.result(self.engine.expunge(user, folder, gone))

    def flag(self, uid: int, *flags: str, name: str = "INBOX", user: str = "alice") -> None:
        """
        Somebody else gives a message these flags.
        """
        folder = self.identity(name, user)
        self.result(self.engine.storeFlags(user, folder, UidSet.of((uid,)), FlagMode.REPLACE, flags))

    def public(self, name: str, **rights: str) -> str:
        """
        Make a public folder.

        @param rights: who has which rights; everybody else has the default.
        @return: its name.
        """
        path = f"Public Folders/{name}"
        self.result(self.engine.createFolder(SYSTEM, path))
        for identifier, letters in rights.items():
            self.result(self.engine.setRights(SYSTEM, path, identifier, letters))
        return path
