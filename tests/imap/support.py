"""
What the tests of sessions share: a small store in memory that can be made to
fail or to wait, and clients on a transport of bytes, with a clock that stands still.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, alsoProvides, implementer

from mailstore.errors import (
    FolderExists,
    FolderInUse,
    NoSuchFolder,
    NotSelectable,
    PermissionDenied,
    SignInRefused,
    StaleListing,
)
from mailstore.imap.limits import ImapLimits
from mailstore.imap.protocol import ImapFactory, ImapProtocol
from mailstore.interfaces import IAuthenticator, IStore, IStoreObserver
from mailstore.model import (
    DELETED,
    SEEN,
    FlagColumns,
    FolderColumns,
    FolderDelta,
    FolderStatus,
    News,
    OpenFolder,
    TreeVersion,
    UidSet,
    Watcher,
    folderName,
    uint32s,
    uint64s,
)

#: Where clients come from unless a test says otherwise.
LOOPBACK = IPv4Address("TCP", "127.0.0.1", 40000)

#: An address that others can listen in on the way to.
REMOTE = IPv4Address("TCP", "192.0.2.7", 40000)


class FakeFolder:
    """
    A folder: messages as flags and mod-sequence by UID.
    """

    def __init__(self, identity: int, rights: str) -> None:
        self.identity = identity
        self.rights = rights
        self.flags: dict[int, int] = {}
        self.modseqs: dict[int, int] = {}
        self.tombstones: dict[int, int] = {}
        self.modseq = 1
        self.next_uid = 1
        self.uid_validity = 1000 + identity
        self.keywords: tuple[str, ...] = ()
        self.first_recent = 1


class FakeStore:
    """
    As much of an L{IStore} as these tests need, for one tree of each kind.

    @ivar failures: by name of the method, the error that it raises.
    @ivar gates: by name of the method, a Deferred that it waits for first.
    @ivar calls: names of the methods called.
    """

    def __init__(self) -> None:
        self.named: dict[str, FakeFolder] = {}
        self.nodes: set[str] = set()
        self.subscribed: set[str] = set()
        self.failures: dict[str, Exception] = {}
        self.gates: dict[str, Deferred[None]] = {}
        self.calls: list[str] = []
        self.observers: list[Any] = []
        self.generation = 1
        self.batch = 1000
        self._identity = 0
        self.make("INBOX")
        self.nodes.add("Public Folders")

    # --- for tests ---

    def make(self, name: str, rights: str = "lrswipkxtea", messages: int = 0) -> FakeFolder:
        """
        Add a folder with some messages.
        """
        self._identity += 1
        folder = self.named[name] = FakeFolder(self._identity, rights)
        self.generation += 1
        for _ in range(messages):
            self.deliver(folder)
        return folder

    def deliver(self, folder: FakeFolder, flags: int = 0) -> int:
        """
        A message arrives.
        """
        uid = folder.next_uid
        folder.next_uid += 1
        folder.modseq += 1
        folder.flags[uid] = flags
        folder.modseqs[uid] = folder.modseq
        self.tell(folder)
        return uid

    def remove(self, folder: FakeFolder, *uids: int) -> None:
        """
        Messages go.
        """
        folder.modseq += 1
        for uid in uids:
            del folder.flags[uid], folder.modseqs[uid]
            folder.tombstones[uid] = folder.modseq
        self.tell(folder)

    def flag(self, folder: FakeFolder, uid: int, flags: int) -> None:
        """
        A message's flags change.
        """
        folder.modseq += 1
        folder.flags[uid] = flags
        folder.modseqs[uid] = folder.modseq
        self.tell(folder)

    def tell(self, folder: FakeFolder) -> None:
        """
        Tell observers that a folder changed.
        """
        for observer in tuple(self.observers):
            observer.folderChanged(folder.identity, "")

    async def _enter(self, method: str) -> None:
        self.calls.append(method)
        gate = self.gates.get(method)
        if gate is not None:
            await gate
        failure = self.failures.get(method)
        if failure is not None:
            raise failure

    def _find(self, name: str) -> FakeFolder:
        name = folderName(name)
        if name in self.nodes:
            raise NotSelectable(f"{name} has no messages")
        if name not in self.named:
            raise NoSuchFolder(f"there is no folder {name}")
        return self.named[name]

    def _byIdentity(self, identity: int) -> FakeFolder:
        for folder in self.named.values():
            if folder.identity == identity:
                return folder
        raise NoSuchFolder("the folder was deleted")

    def _status(self, folder: FakeFolder) -> FolderStatus:
        return FolderStatus(
            folder=folder.identity,
            messages=len(folder.flags),
            recent=sum(uid >= folder.first_recent for uid in folder.flags),
            unseen=sum(not flags & SEEN for flags in folder.flags.values()),
            deleted=sum(bool(flags & DELETED) for flags in folder.flags.values()),
            size=100 * len(folder.flags),
            uid_next=folder.next_uid,
            uid_validity=folder.uid_validity,
            highest_modseq=folder.modseq,
        )

    # --- IStore ---

    def observe(self, observer: IStoreObserver) -> None:
        self.observers.append(observer)

    def unobserve(self, observer: IStoreObserver) -> None:
        if observer in self.observers:
            self.observers.remove(observer)

    async def trees(self, user: str) -> tuple[TreeVersion, ...]:
        await self._enter("trees")
        return tuple(TreeVersion(tree, str(self.generation)) for tree in ("personal", "others", "public"))

    async def folders(self, user: str, tree: TreeVersion) -> AsyncGenerator[FolderColumns, None]:
        await self._enter("folders")
        if tree.version != str(self.generation):
            raise StaleListing("changed")
        roots = {"personal": "", "others": "Other Users", "public": "Public Folders"}
        names = []
        for name in sorted(self.nodes.union(self.named)):
            first = name.partition("/")[0]
            kind = first if first in ("Other Users", "Public Folders") else ""
            if kind == roots[tree.tree]:
                names.append(name)
        for at in range(0, len(names), self.batch):
            some = names[at : at + self.batch]
            yield FolderColumns(
                names=tuple(some),
                ids=uint64s(
                    self.named[name].identity if name in self.named else 999 for name in some
                ).tobytes(),
                special_uses=tuple("\\Sent" if name == "Sent" else "" for name in some),
                selectable=bytes(name in self.named for name in some),
            )

    async def createFolder(self, user: str, name: str, special_use: str = "") -> int:
        await self._enter("createFolder")
        name = folderName(name)
        if name in self.named or name in self.nodes:
            raise FolderExists(f"there is a folder {name} already")
        return self.make(name).identity

    async def deleteFolder(self, user: str, name: str) -> None:
        await self._enter("deleteFolder")
        if name == "INBOX":
            raise FolderInUse("INBOX always exists")
        folder = self._find(name)
        del self.named[folderName(name)]
        self.generation += 1
        self.tell(folder)

    async def renameFolder(self, user: str, name: str, new_name: str) -> None:
        await self._enter("renameFolder")
        self._find(name)
        new_name = folderName(new_name)
        if new_name in self.named:
            raise FolderExists(f"there is a folder {new_name} already")
        self.named[new_name] = self.named.pop(name)
        self.generation += 1

    async def status(self, user: str, name: str) -> FolderStatus:
        await self._enter("status")
        return self._status(self._find(name))

    async def subscriptions(self, user: str) -> tuple[str, ...]:
        await self._enter("subscriptions")
        return tuple(sorted(self.subscribed))

    async def subscribe(self, user: str, name: str) -> None:
        await self._enter("subscribe")
        self.subscribed.add(folderName(name))

    async def unsubscribe(self, user: str, name: str) -> None:
        await self._enter("unsubscribe")
        self.subscribed.discard(name)

    async def openFolder(self, user: str, name: str, claim_recent: bool) -> OpenFolder:
        await self._enter("openFolder")
        folder = self._find(name)
        if "r" not in folder.rights:
            raise PermissionDenied("no right r")
        status = self._status(folder)
        first = folder.first_recent
        if claim_recent:
            folder.first_recent = folder.next_uid
        unseen = [uid for uid, flags in folder.flags.items() if not flags & SEEN]
        return OpenFolder(
            folder=folder.identity,
            name=folderName(name),
            rights=folder.rights,
            status=status,
            keywords=folder.keywords,
            uids=UidSet.of(folder.flags),
            first_recent=first if any(uid >= first for uid in folder.flags) else 0,
            first_unseen=min(unseen, default=0),
        )

    async def changes(
        self, user: str, folder: int, since: int, claim_recent: bool
    ) -> AsyncGenerator[FolderDelta, None]:
        await self._enter("changes")
        found = self._byIdentity(folder)
        changed = [uid for uid in sorted(found.flags) if found.modseqs[uid] > since]
        first = found.first_recent
        if claim_recent:
            found.first_recent = found.next_uid
        yield FolderDelta(
            highest_modseq=found.modseq,
            vanished=UidSet.of(uid for uid, modseq in found.tombstones.items() if modseq > since),
            changed=FlagColumns(
                uint32s(changed).tobytes(),
                uint64s(found.flags[uid] for uid in changed).tobytes(),
                uint64s(found.modseqs[uid] for uid in changed).tobytes(),
            ),
            keywords=found.keywords,
            first_recent=first if claim_recent else 0,
        )

    async def news(self, folder: int, watchers: tuple[Watcher, ...]) -> tuple[News, ...]:
        found: list[News] = []
        for at, each in enumerate(watchers):
            deltas = [delta async for delta in self.changes(each.user, folder, each.since, each.claim_recent)]
            found.append(News((at,), deltas[0]))
        return tuple(found)

    async def expunge(self, user: str, folder: int, uids: UidSet | None) -> UidSet:
        await self._enter("expunge")
        found = self._byIdentity(folder)
        if "e" not in found.rights:
            raise PermissionDenied("no right e")
        gone = [uid for uid, flags in found.flags.items() if flags & DELETED]
        if gone:
            self.remove(found, *gone)
        return UidSet.of(gone)


@implementer(IAuthenticator)
class FakeAuthenticator:
    """
    Knows alice and bob, both by the password C{password}.
    """

    async def authenticate(self, user: str, password: str) -> str:
        if user.lower() not in ("alice", "bob") or password != "password":
            raise SignInRefused()
        return user.lower()


class FakeTransport(StringTransport):
    """
    A transport that tells its protocol when it has been closed.

    @ivar tls: what TLS was started with.
    @ivar lingers: whether the client does not take the last bytes.
    @ivar pieces: the sizes of all writes.
    """

    def __init__(self, address: IAddress) -> None:
        super().__init__(peerAddress=address)
        self.protocol: ImapProtocol | None = None
        self.aborted = False
        self.no_delay = False
        self.tls: list[object] = []
        self.lingers = False
        self.pieces: list[int] = []

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def startTLS(self, context: object) -> None:
        self.tls.append(context)

    def write(self, data: bytes) -> None:
        self.pieces.append(len(data))
        super().write(data)

    def loseConnection(self) -> None:
        if not self.lingers:
            self._lose()

    def abortConnection(self) -> None:
        self.aborted = True
        self._lose()

    def _lose(self) -> None:
        self.connected = False
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionDone()))


class Client:
    """
    Somebody who talks to a session.
    """

    def __init__(
        self,
        server: Server,
        address: IAddress = LOOPBACK,
        greeting: bool = True,
        provides: tuple[type[Interface], ...] = (),
        factory: IProtocolFactory | None = None,
    ) -> None:
        """
        @param provides: interfaces of the transport.
        @param factory: of the port that is connected to.
        """
        protocol = (factory or server.factory).buildProtocol(address)
        assert isinstance(protocol, ImapProtocol)
        self.protocol = protocol
        self.clock = server.clock
        self.transport = FakeTransport(address)
        self.transport.protocol = self.protocol
        alsoProvides(self.transport, *provides)
        self.protocol.makeConnection(self.transport)
        self._tag = 0
        if greeting:
            self.heard()

    @property
    def gone(self) -> bool:
        """
        Whether the server has closed the connection.
        """
        return self.transport.protocol is None

    def say(self, data: bytes) -> None:
        """
        Send bytes as they are.
        """
        self.protocol.dataReceived(data)
        self.clock.advance(0)

    def heard(self) -> list[bytes]:
        """
        The lines that came since the last time.
        """
        self.clock.advance(0)
        lines: list[bytes] = self.transport.value().split(b"\r\n")
        self.transport.clear()
        assert lines.pop() == b"", "an incomplete line"
        return lines

    def ask(self, command: bytes) -> list[bytes]:
        """
        Give a command, and hear its responses; the tag of the last is C{T}.
        """
        self._tag += 1
        tag = b"T%d" % self._tag
        self.say(tag + b" " + command + b"\r\n")
        lines = self.heard()
        assert all(not line.startswith(tag) for line in lines[:-1]), lines
        assert lines[-1].startswith(tag + b" "), lines
        return [*lines[:-1], b"T" + lines[-1].removeprefix(tag)]

    def login(self, user: bytes = b"alice") -> Client:
        """
        Sign in.
        """
        answer = self.ask(b"LOGIN " + user + b" password")
        assert answer[-1].startswith(b"T OK "), answer
        return self

    def disconnect(self) -> None:
        """
        Go away without a word.
        """
        self.transport._lose()


class Server:
    """
    A front end on a L{FakeStore}.
    """

    def __init__(
        self,
        case: SynchronousTestCase,
        limits: ImapLimits | None = None,
        tls: object = None,
        store: Any = None,
        literal_minus: bool = False,
        unauthenticate: bool = True,
    ) -> None:
        self.clock = Clock()
        self.clients: list[Client] = []
        case.addCleanup(self.stop)
        self.store: FakeStore = FakeStore() if store is None else store
        self.factory = ImapFactory(
            cast(IStore, self.store),
            FakeAuthenticator(),
            limits or ImapLimits(login_delay=0.0),
            reactor=self.clock,
            tls=tls,
            literal_minus=literal_minus,
            unauthenticate=unauthenticate,
        )
        self.factory.startFactory()

    def stop(self) -> None:
        """
        All clients go.
        """
        for client in self.clients:
            client.disconnect()

    def connect(
        self,
        address: IAddress = LOOPBACK,
        greeting: bool = True,
        provides: tuple[type[Interface], ...] = (),
    ) -> Client:
        """
        A client that has heard the greeting.
        """
        self.clients.append(Client(self, address, greeting, provides))
        return self.clients[-1]

    def client(self, user: bytes = b"alice") -> Client:
        """
        A client that has signed in.
        """
        return self.connect().login(user)
