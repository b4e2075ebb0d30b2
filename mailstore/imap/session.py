"""
A session: what the commands of one client see and use.

The promises that hold for every session:

  - One command runs at a time.  Nothing else writes to the client.
  - What is written and read goes the ways of a L{Conversation}, with its promises.
"""

from __future__ import annotations

from collections.abc import Callable
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
from mailstore.imap.conversation import Conversation, SessionOver
from mailstore.imap.following import FolderLost, announce, checkIdentity, flagLines, pull
from mailstore.imap.states import Event, State, after
from mailstore.imap.view import View
from mailstore.imap.wire.responsecodes import highestModSequence
from mailstore.model import OpenFolder, folderName

if TYPE_CHECKING:
    from mailstore.imap.bells import Told
    from mailstore.imap.frontend import FrontEnd
    from mailstore.imap.notifying import Notifier
    from mailstore.imap.waiting import ILink
    from mailstore.imap.wire.framer import Framer
    from mailstore.interfaces import IStore

__all__ = ("FolderLost", "Session", "SessionOver")


class Session(Conversation):
    """
    One client's connection, as commands see it.

    @ivar state: where in the state machine the session is.
    @ivar user: who signed in, or C{""}.
    @ivar view: the open folder, or C{None}.
    @ivar tag: of the command that runs, or ran last.
    @ivar enabled: extensions that the client switched on (RFC 5161), in upper case.
    @ivar condstore: whether the client has shown to know mod-sequences (RFC 7162 section 3.1).
    @ivar login_failures: sign-ins that failed.
    @ivar bound_offered: the client was told of a mechanism with channel binding.
    @ivar notifier: what the client has asked to be told of (RFC 5465), if it has.
    @ivar client: what the client said of itself (RFC 2971), for the log.
    """

    log = Logger()

    def __init__(self, front: FrontEnd, link: ILink, framer: Framer) -> None:
        super().__init__(front, link, framer)
        self.state = State.NOT_AUTHENTICATED
        self.user = ""
        self.view: View | None = None
        self.enabled: set[str] = set()
        self.condstore = False
        self.client = ""
        self.tag = b"*"
        #: What a command wants done after its tagged reply has been written.
        self.after_reply: Callable[[], None] | None = None
        self.login_failures = 0
        self.bound_offered = False
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

    @property
    def store(self) -> IStore:
        """
        The store.
        """
        return self.front.store

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

    # --- from the client ----------------------------------------------------

    def decompress(self) -> None:
        """
        See L{Conversation.decompress}; somebody else may compress for it.
        """
        if self.compression is not None:
            self.front.releaseCompression(self)
        super().decompress()

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
