"""
A session: what the commands of one client see and use.

The promises that hold for every session:

  - One command runs at a time.  Nothing else writes to the client.
  - L{Session.write} returns when the client's socket may take more; who writes
    much writes in pieces and asks the store for more only afterwards.
  - When the client is gone, L{SessionOver} comes out of whatever the command waits for
    here.  Commands let it pass (their C{finally} clauses give back what they hold).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from twisted.logger import Logger

from mailstore.errors import (
    DeadlineExpired,
    InvalidName,
    NoSuchFolder,
    PermissionDenied,
    StoreBusy,
    StoreError,
    StoreFault,
    StoreUnavailable,
)
from mailstore.imap.command import No, Refused
from mailstore.imap.compression import Compression, NotCompressed
from mailstore.imap.following import FolderLost, announce, checkIdentity, flagLines, pull
from mailstore.imap.states import Event, State, after
from mailstore.imap.view import View
from mailstore.imap.wire.framer import LineReceived
from mailstore.imap.wire.responsecodes import highestModSequence
from mailstore.model import OpenFolder, folderName

if TYPE_CHECKING:
    from mailstore.imap.bells import Told
    from mailstore.imap.frontend import FrontEnd
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.notifying import Notifier
    from mailstore.imap.waiting import IAlarm, ILink, ISignal
    from mailstore.imap.wire.framer import Framer
    from mailstore.interfaces import IStore

__all__ = ("FolderLost", "Session", "SessionOver")

#: Bytes that L{Session.writeWithNext} holds back, at most.
_MOST_HELD = 4096

#: Bytes after which others may run, though the socket still takes more.
_BURST = 1 << 20


class SessionOver(Exception):
    """
    There is nobody to answer any more, or not for long: the connection was
    lost, timed out or is to be closed.
    """

    def __init__(self, bye: str = "") -> None:
        super().__init__(bye)
        #: Words for a last C{BYE}; empty when there is nobody to hear it.
        self.bye = bye


class Session:
    """
    One client's connection, as commands see it.

    @ivar front: what is shared by all sessions.
    @ivar link: the connection itself.
    @ivar state: where in the state machine the session is.
    @ivar user: who signed in, or C{""}.
    @ivar view: the open folder, or C{None}.
    @ivar tag: of the command that runs, or ran last.
    @ivar enabled: extensions that the client switched on (RFC 5161), in upper case.
    @ivar condstore: whether the client has shown to know mod-sequences (RFC 7162 section 3.1).
    @ivar login_failures: sign-ins that failed.
    @ivar bound_offered: the client was told of a mechanism with channel binding.
    @ivar compression: what compresses the connection (RFC 4978), if something does.
    @ivar notifier: what the client has asked to be told of (RFC 5465), if it has.
    @ivar client: what the client said of itself (RFC 2971), for the log.
    """

    log = Logger()

    def __init__(self, front: FrontEnd, link: ILink, framer: Framer) -> None:
        self.front = front
        self.link = link
        self.framer = framer
        self.state = State.NOT_AUTHENTICATED
        self.user = ""
        self.view: View | None = None
        self.enabled: set[str] = set()
        self.condstore = False
        self.client = ""
        self.tag = b"*"
        #: Fires when bytes came from the client, the open folder changed, or the client is gone.
        self.bell: ISignal = front.runtime.signal()
        # Each command puts it off.
        self._alarm: IAlarm = front.runtime.alarm(self.bell.fire)
        #: What a command wants done after its tagged reply has been written.
        self.after_reply: Callable[[], None] | None = None
        self.login_failures = 0
        self.bound_offered = False
        self.compression: Compression | None = None
        self.notifier: Notifier | None = None
        #: The open folder may have changed, and the client does not want to hear of it.
        self._unheard = False
        self._dirty = False
        self._doubtful = False
        #: The store could not be asked for what changed, or has been away.
        self._behind = False
        #: Whether a tagged reply is next, after what has changed.
        self.replies = False
        #: Whether it is in IDLE.
        self.idles = False
        #: Whether the store is being asked for what is new here; it need not be asked again meanwhile.
        self.awaits_news = False
        #: What it said, until that has been told.
        self.told: Told | None = None
        #: How often it was said that the open folder may have changed.
        self.touches = 0
        self._leaving = ""
        self._held = b""
        self._burst = 0

    @property
    def store(self) -> IStore:
        """
        The store.
        """
        return self.front.store

    @property
    def limits(self) -> ImapLimits:
        """
        The bounds.
        """
        return self.front.limits

    @property
    def utf8(self) -> bool:
        """
        Whether the client takes folder names in UTF-8 (RFC 6855, RFC 9051 section 5.1); else they
        are in modified UTF-7 (RFC 3501 section 5.1.3).
        """
        return self.rev2 or "UTF8=ACCEPT" in self.enabled

    @property
    def rev2(self) -> bool:
        """
        Whether the client speaks IMAP4rev2 (RFC 9051); else it is RFC 3501.
        """
        return "IMAP4REV2" in self.enabled

    @property
    def qresync(self) -> bool:
        """
        Whether the client wants C{VANISHED} in place of C{EXPUNGE} (RFC 7162 section 3.2.3).
        """
        return "QRESYNC" in self.enabled

    # --- to the client ------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """
        Send bytes, and wait until the client's socket may take more.

        Any length is right, but what a command holds in memory it holds by
        itself: make pieces of about C{limits.max_write}.

        @raise SessionOver: the client is gone, or does not read.
        """
        size = self.limits.max_write
        if len(data) <= size:
            await self._writePiece(data)
            return
        view = memoryview(data)
        for at in range(0, len(data), size):
            await self._writePiece(view[at : at + size])

    async def writePieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """
        The same for bytes in pieces, which are not joined where that is not necessary.

        @raise SessionOver: the client is gone, or does not read.
        """
        if self.compression is not None or self._held:
            await self.write(b"".join(pieces))
            return
        self._checkThere()
        self.link.writeMany(pieces)
        await self._roomed(sum(map(len, pieces)))

    def hand(self, data: bytes | memoryview) -> None:
        """
        Give bytes to the link, compressed if that was agreed, whether it has room or not.
        """
        self.link.write(self._packed(data))

    def _packed(self, data: bytes | memoryview) -> bytes | memoryview:
        """
        What goes over the connection: what was held back, then C{data}.
        """
        if self._held:
            data, self._held = self._held + data, b""
        return data if self.compression is None else self.compression.deflate(data)

    async def writeWithNext(self, data: bytes) -> None:
        """
        Send bytes together with what is written next, which is the tagged reply at the latest: for
        what nobody is served by having before.  What is more than L{_MOST_HELD} is sent by L{write}.

        @raise SessionOver: the client is gone, or does not read.
        """
        if len(data) > _MOST_HELD - len(self._held):
            await self.write(data)
        else:
            self._held += data

    async def finish(self, data: bytes) -> None:
        """
        Send the last bytes before the client is heard again: a tagged reply.

        @raise SessionOver: the client is gone, or does not read.
        """
        self._checkThere()
        self.link.finish(self._packed(data))
        await self._roomed(len(data))

    async def finishLines(self, lines: Iterable[bytes]) -> None:
        """
        Send many short pieces as L{writeLines} does, the last of them as L{finish}.
        """
        data = b"".join(lines)
        most = self.limits.max_write
        if len(data) > most:
            await self.write(data[:-most])
        if data:
            await self.finish(data[-most:])

    async def _writePiece(self, data: bytes | memoryview) -> None:
        self._checkThere()
        self.hand(data)
        await self._roomed(len(data))

    async def _roomed(self, size: int) -> None:
        """
        Wait until the client may be written to again.

        @param size: bytes that were just written.
        """
        self._burst += size
        if self.link.clogged:
            self._burst = 0
            await self._drain(self.front.runtime.seconds() + self.limits.write_timeout)
        elif self._burst >= _BURST:
            self._burst = 0
            await self.front.runtime.sleep(0)

    async def _drain(self, deadline: float) -> None:
        """
        Wait until the client has read what was written.

        @raise SessionOver: it has not until C{deadline}, or is gone.
        """
        link = self.link
        while link.clogged:
            left = deadline - self.front.runtime.seconds()
            if left <= 0:
                self.log.info("{peer}: does not read, cut off", peer=link.address)
                link.abort()
                raise SessionOver()
            await link.drained.wait(left)
            self._checkThere()

    def _checkThere(self) -> None:
        """
        @raise SessionOver: the client is gone.
        """
        if self.link.lost:
            raise SessionOver()

    async def untagged(self, line: bytes) -> None:
        """
        Send an untagged response: C{line} is what stands between C{* } and CRLF.
        """
        await self.write(b"* " + line + b"\r\n")

    async def writeLines(self, lines: Iterable[bytes]) -> None:
        """
        Send many short pieces, each with its own C{* } and CRLF if it needs
        them, in writes of about C{limits.max_write}.
        """
        pieces: list[bytes] = []
        size = 0
        for line in lines:
            pieces.append(line)
            size += len(line)
            if size >= self.limits.max_write:
                await self.write(b"".join(pieces))
                pieces.clear()
                size = 0
        if pieces:
            await self.write(b"".join(pieces))

    async def sleep(self, seconds: float) -> None:
        """
        Let time pass, while the client is there.

        @raise SessionOver: it has gone.
        """
        deadline = self.front.runtime.seconds() + seconds
        while (left := deadline - self.front.runtime.seconds()) > 0:
            self._checkThere()
            await self.link.drained.wait(left)
        self._checkThere()

    # --- from the client ----------------------------------------------------

    def receive(self, data: bytes) -> None:
        """
        Bytes came from the client.
        """
        if self.compression is None:
            self.framer.receive(data)
        else:
            self.compression.receive(data)

    @property
    def buffered(self) -> int:
        """
        Bytes received and not used yet.
        """
        return self.framer.buffered + (0 if self.compression is None else self.compression.waiting)

    def take(self) -> object | None:
        """
        The next event of the framer, or C{None} when more bytes are needed.

        @raise SessionOver: what came was to be compressed, and is not.
        """
        event: object | None = self.framer.next()
        while event is None and self.compression is not None and self.compression.waiting:
            try:
                self.framer.receive(self.compression.inflate(self.limits.max_write))
            except NotCompressed as error:
                self.log.info("{peer}: {reason}", peer=self.link.address, reason=str(error))
                raise SessionOver("That is not compressed by DEFLATE") from error
            event = self.framer.next()
        if event is None or self.buffered <= self.limits.max_buffered // 2:
            self.link.resume()
        return event

    def compress(self) -> None:
        """
        All that is written and read from now on is compressed; what has been read and not used is
        taken for that.
        """
        self.compression = Compression()
        self.compression.receive(self.framer.takeBuffered())

    def decompress(self) -> None:
        """
        Nothing that is written and read from now on is compressed.
        """
        compression, self.compression = self.compression, None
        if compression is not None:
            self.front.releaseCompression(self)
            self.framer.receive(compression.rest)

    async def nextEvent(self, seconds: float) -> object:
        """
        Wait for the next event of the framer.

        @raise SessionOver: it did not come in time, or the client is gone.
        """
        deadline = self.front.runtime.seconds() + seconds
        while True:
            event = self.take()
            if event is not None:
                return event
            await self.waitUntil(deadline)

    async def waitUntil(self, deadline: float, at_most: float | None = None) -> None:
        """
        Wait at the bell, before the C{deadline} by the runtime's clock.

        @param at_most: seconds, if it is to be shorter.
        @raise SessionOver: the deadline is over, the client is gone or is to go.
        """
        self._checkThere()
        if self._leaving:
            raise SessionOver(self._leaving)
        left = deadline - self.front.runtime.seconds()
        if left <= 0:
            raise SessionOver("Nothing heard for too long")
        if at_most is None:
            self._alarm.set(deadline)
            await self.bell.wait()
        else:
            await self.bell.wait(min(left, at_most))

    def leave(self, bye: str) -> None:
        """
        The client is to go, with these words, when its command has ended.
        """
        self._leaving = bye
        self.bell.fire()

    async def nextCommand(self, seconds: float) -> object:
        """
        As L{nextEvent}, between two commands: meanwhile the client is told what it has asked to be told of
        (RFC 5465).

        @raise FolderLost: the open folder is not there any more.
        """
        if self.notifier is None:
            return await self.nextEvent(seconds)
        deadline = self.front.runtime.seconds() + seconds
        while True:
            event = self.take()
            if event is not None:
                return event
            pause = await self.tellNews(may_expunge=False)
            if pause != 0.0:
                await self.waitUntil(deadline, pause)

    async def tellNews(self, may_expunge: bool) -> float | None:
        """
        Tell the client what it has asked to be told of by NOTIFY, if there is anything.

        @param may_expunge: whether it may be told of expunged messages in any case.
        @return: seconds after which there may be something if nothing happens before, C{None} for never; 0
            when time has passed, in which the client may have said something.
        @raise FolderLost: the open folder is not there any more.
        """
        if self.notifier is None:
            return None
        pause = self.notifier.wait(may_expunge)
        if pause != 0.0:
            return pause
        await self.notifier.tell(may_expunge)
        # Many may be told of the same change: each is, before the next is seen to.
        self.link.flush()
        return 0.0

    async def readLine(self) -> bytes | None:
        """
        Wait for a line that is no command: the answer to a challenge.

        @return: the line without its end, C{None} if it was too long.
        @raise SessionOver: as L{nextEvent}.
        """
        self.framer.expectLine()
        event = await self.nextEvent(self.limits.login_timeout)
        return event.line if isinstance(event, LineReceived) else None

    # --- the state machine --------------------------------------------------

    @property
    def over(self) -> bool:
        """
        Whether no command is to be taken any more.
        """
        return self.state is State.LOGOUT

    def signedIn(self, user: str) -> None:
        """
        The client has shown to be C{user}.

        @raise Refused: the user has too many sessions.
        """
        state = after(self.state, Event.SIGNED_IN)
        if not self.front.admitUser(user):
            raise Refused(No("You have too many connections at once", "LIMIT"))
        self.user = user
        self.state = state

    def signedOut(self) -> None:
        """
        The client is nobody any more, and nothing that it said of itself holds (RFC 8437 section 3); TLS,
        and how often it has failed to sign in, stay.  Compression ends behind the tagged reply (section 4.1).
        """
        self.closed()
        self.front.releaseUser(self)
        self.state = after(self.state, Event.SIGNED_OUT)
        self.user = ""
        self.client = ""
        self.enabled.clear()
        self.condstore = False
        self.notify(None)
        if self.compression is not None:
            self.after_reply = self.decompress

    def opened(self, folder: OpenFolder, read_only: bool) -> View:
        """
        The client looks at a folder from now on.
        """
        self.closed()
        self.view = View(folder, read_only, recent=not self.rev2)
        self.state = after(self.state, Event.OPENED)
        self.front.watch(self, folder.folder)
        return self.view

    def closed(self) -> None:
        """
        The client looks at no folder any more.  Idempotent.
        """
        if self.view is not None:
            self.front.unwatch(self, self.view.folder)
            self.view = None
            self.state = after(self.state, Event.CLOSED)
        self._dirty = self._doubtful = self._behind = self._unheard = False
        self.told = None

    def ended(self) -> None:
        """
        The session is over.  Idempotent.
        """
        self._alarm.stop()
        self.notify(None)
        self.closed()
        self.front.release(self)
        self.state = after(self.state, Event.ENDED)

    # --- the open folder ----------------------------------------------------

    @property
    def dirty(self) -> bool:
        """
        Whether the open folder may have changed since the client was last told.
        """
        return self._dirty

    def notify(self, notifier: Notifier | None) -> None:
        """
        What the client is told by itself is decided by C{notifier} from now on; C{None} for as ever.
        """
        self.notifier = notifier
        if notifier is None or not notifier.looks_further:
            self.front.releaseNotifier(self)
        else:
            self.front.admitNotifier(self, notifier.folders)

    def didFolders(self, *names: str) -> None:
        """
        The client has made, deleted, renamed or subscribed to these itself, and need not be told.
        """
        notifier = self.notifier
        if notifier is not None and notifier.looks_further:
            for name in names:
                try:
                    notifier.own_folders.add(folderName(name))
                except InvalidName:
                    # It can be unsubscribed from all the same.
                    pass

    def hear(self) -> None:
        """
        From the store: the open folder has changed.
        """
        if self.view is not None and self.notifier is not None and self.notifier.mutes:
            self._unheard = True
        else:
            self.touch()

    def hearAgain(self) -> None:
        """
        The client wants to hear of what it did not want to hear of before.
        """
        if self._unheard:
            self._unheard = False
            self.touch()

    def touch(self) -> None:
        """
        The open folder may have changed.  A command that changed messages in it calls
        this; the client is told before the tagged reply.
        """
        if self.view is not None:
            self._dirty = True
            self.touches += 1

    @property
    def doubtful(self) -> bool:
        """
        Whether the open folder may be another one than it was.
        """
        return self._doubtful

    def doubt(self) -> None:
        """
        The open folder may have changed, or be another one than it was.
        """
        if self.view is not None:
            # What came before the store went away may not have been told.
            self._doubtful = self._behind = True
            self.hear()

    async def sync(self, may_expunge: bool) -> bool:
        """
        Tell the client what changed in the open folder, if anything may have.

        @param may_expunge: whether it may be told of expunged messages now.
        @return: whether that worked; C{False} when the store could not be asked,
            which leaves the folder marked for the next time.
        @raise FolderLost: it is not there any more.
        """
        view = self.view
        if view is None:
            return True
        if self._dirty:
            told, self.told = self.told, None
            # What was asked for before the last change may not have it.
            self._dirty = told is not None and told.touches != self.touches
            self._behind = True
            try:
                if self._doubtful:
                    await checkIdentity(self, view)
                    self._doubtful = False
                await pull(self, view, may_expunge, told)
            except (NoSuchFolder, PermissionDenied) as error:
                raise FolderLost() from error
            except (StoreBusy, DeadlineExpired, StoreUnavailable, StoreFault) as error:
                self._dirty = True
                self.log.debug(
                    "{user}: cannot ask for changes of {folder}: {error}",
                    user=self.user,
                    folder=view.folder,
                    error=error.code,
                )
                return False
            except StoreError:
                self._dirty = True
                self.log.failure("asking for changes of {folder}", folder=view.folder)
                return False
            self._behind = False
        if may_expunge and view.vanished:
            await announce(self, view, view.apply(view.nothingNew(), True))
            view.applied(view.known_modseq)
        return True

    async def catchUp(self) -> None:
        """
        Before a command by UID: tell what the store could not be asked for at the end of the one
        before, or did not tell before it went away.  The client may know new messages all the same, from
        C{APPENDUID} or C{COPYUID} or another connection, and mean them.

        @raise StoreUnavailable: it still cannot.
        @raise FolderLost: the folder is not there any more.
        """
        if self._behind and not await self.sync(may_expunge=False):
            raise StoreUnavailable("what changed in the open folder cannot be asked for")

    async def useModSequences(self) -> None:
        """
        The client has shown to know mod-sequences: with all flags it is told them from now
        on.  For a folder that is open it needs one to begin with (RFC 7162 section 3.1).
        """
        if self.condstore:
            return
        self.condstore = True
        await self.sayHighest()

    async def sayHighest(self) -> None:
        """
        Tell up to which mod-sequence the client knows everything of the open folder.
        """
        if self.view is not None:
            code = highestModSequence(self.view.settled_modseq)
            await self.untagged(f"OK [{code}] Known so far".encode("ascii"))

    async def highestAfter(self) -> str:
        """
        The response code for a command that has expunged messages, after telling of them; empty for a
        client that does not know mod-sequences (RFC 7162 sections 3.2.7 and 3.2.9).

        @raise FolderLost: the folder is not there any more.
        """
        view = self.view
        if view is None or not self.condstore or not await self.sync(may_expunge=True):
            return ""
        return highestModSequence(view.settled_modseq)

    async def keywordsKnown(self, keywords: tuple[str, ...]) -> None:
        """
        Take the folder's keywords as the store now knows them, and tell the client
        when there are new ones; to be called before flags are written.
        """
        if self.view is not None and self.view.learnKeywords(keywords):
            await self.write(b"".join(flagLines(self.view)))
