"""
What all sessions of a front end share: the store, the bounds, who is
connected, and who looks at which folder.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from twisted.logger import Logger
from zope.interface import implementer

from mailstore.imap.bells import Bells
from mailstore.imap.failedsignins import FailedSignIns
from mailstore.imap.folderlist import FolderLists
from mailstore.imap.knowncommands import KnownCommands
from mailstore.imap.sharedcontents import SharedContents
from mailstore.imap.sharedlines import SharedLines
from mailstore.imap.sharedtexts import SharedTexts
from mailstore.imap.treechanges import TreeChanges
from mailstore.interfaces import IStoreObserver
from mailstore.timings import Timings

if TYPE_CHECKING:
    from mailstore.imap.intercepting import IInterceptor
    from mailstore.imap.limits import ImapLimits
    from mailstore.imap.session import Session
    from mailstore.imap.waiting import IRuntime
    from mailstore.interfaces import IAuthenticator, IStore


@implementer(IStoreObserver)
class FrontEnd:
    """
    The one place that counts sessions, and the one observer of the store: it
    marks the sessions that look at a changed folder.

    @ivar changes: counts what the store has told of, so that a change between a
        look at a folder and the beginning of watching it is not missed.
    @ivar reader_limits: how much one command may ask for.
    @ivar failed_sign_ins: what is remembered of failed sign-ins.
    @ivar literal_minus: whether literals for which nobody waits are small (LITERAL-, RFC 7888 section 5).
    @ivar unauthenticate: whether clients may become nobody again (RFC 8437, which demands that this can be
        switched off).
    @ivar commands: how many commands ended how, by name and C{"OK"}, C{"NO"} or C{"BAD"}.
    @ivar timings: how long commands took; without IDLE, whose end is the client's to choose.
    @ivar tree_changes: what became of folders, for all who are told of it.
    @ivar interceptor: who stands between commands and what carries them out; C{None} but in tests of clients.
    """

    log = Logger()

    def __init__(
        self,
        store: IStore,
        authenticator: IAuthenticator,
        runtime: IRuntime,
        limits: ImapLimits,
        literal_minus: bool = False,
        unauthenticate: bool = True,
    ) -> None:
        self.store = store
        self.authenticator = authenticator
        self.runtime = runtime
        self.limits = limits
        self.literal_minus = literal_minus
        self.unauthenticate = unauthenticate
        self.reader_limits = limits.reader()
        self.lists = FolderLists(store, runtime, limits)
        self.known_commands = KnownCommands(limits)
        self.texts = SharedTexts(limits)
        self.lines = SharedLines(limits)
        self.contents = SharedContents(limits)
        self.failed_sign_ins = FailedSignIns(runtime, limits)
        self.changes = 0
        self.commands: Counter[tuple[str, str]] = Counter()
        self.timings = Timings()
        self.interceptor: IInterceptor | None = None
        self._sessions: set[Session] = set()
        self._compressed: set[Session] = set()
        self.tree_changes = TreeChanges()
        #: How many folders each session watches by NOTIFY, and all together.
        self._notified: dict[Session, int] = {}
        self._notified_folders = 0
        self._addresses: Counter[str] = Counter()
        self._users: Counter[str] = Counter()
        self._watchers: dict[int, set[Session]] = {}
        self._bells = Bells(store, runtime)

    # --- life -------------------------------------------------------------

    def open(self) -> None:
        """
        Begin to hear of changes.
        """
        self.store.observe(self)

    def close(self) -> None:
        """
        Hear of no more changes.
        """
        self.store.unobserve(self)

    # --- who is connected -------------------------------------------------

    @property
    def sessions(self) -> int:
        """
        How many clients are connected.
        """
        return len(self._sessions)

    def admit(self, session: Session) -> bool:
        """
        Count a new connection.

        @return: whether it fits within the bounds; if not, it is not counted.
        """
        address = session.link.address
        if len(self._sessions) >= self.limits.max_sessions:
            return False
        if self._addresses[address] >= self.limits.max_sessions_per_address:
            return False
        self._sessions.add(session)
        self._addresses[address] += 1
        return True

    def admitUser(self, user: str) -> bool:
        """
        Count a sign-in.

        @return: whether it fits within the bounds; if not, it is not counted.
        """
        if self._users[user] >= self.limits.max_sessions_per_user:
            return False
        self._users[user] += 1
        return True

    def release(self, session: Session) -> None:
        """
        A connection is over.  Idempotent.
        """
        if session not in self._sessions:
            return
        self._sessions.discard(session)
        _uncount(self._addresses, session.link.address)
        self.releaseUser(session)
        self.releaseCompression(session)

    def releaseUser(self, session: Session) -> None:
        """
        A session is not signed in any more.  Idempotent, as long as the session forgets its user.
        """
        if session.user:
            _uncount(self._users, session.user)

    def admitCompression(self, session: Session) -> bool:
        """
        Count a session that is to be compressed.

        @return: whether it fits within the bounds; if not, it is not counted.
        """
        if len(self._compressed) >= self.limits.max_compressed:
            return False
        self._compressed.add(session)
        return True

    def admitNotifier(self, session: Session, folders: int) -> bool:
        """
        Tell a session of changes of other folders than the one that it looks at, from now on.

        @param folders: how many, in place of those before.
        @return: whether that fits within the bounds; if not, nothing changes.
        """
        total = self._notified_folders - self._notified.get(session, 0) + folders
        if folders > self.limits.max_notified_folders or total > self.limits.max_all_notified_folders:
            return False
        self._notified_folders = total
        self._notified[session] = folders
        return True

    def releaseNotifier(self, session: Session) -> None:
        """
        Tell a session of no other folders any more.  Idempotent.
        """
        self._notified_folders -= self._notified.pop(session, 0)

    def releaseCompression(self, session: Session) -> None:
        """
        A session is not compressed any more.  Idempotent.
        """
        self._compressed.discard(session)

    # --- who looks at what --------------------------------------------------

    def watch(self, session: Session, folder: int) -> None:
        """
        Mark C{session} from now on when the folder changes.
        """
        self._watchers.setdefault(folder, set()).add(session)

    def unwatch(self, session: Session, folder: int) -> None:
        """
        Mark it no more.
        """
        watchers = self._watchers.get(folder)
        if watchers is not None:
            watchers.discard(session)
            if not watchers:
                del self._watchers[folder]

    def folderChanged(self, folder: int, user: str) -> None:
        """
        From the store: mark the sessions that can see the change.
        """
        self.changes += 1
        for session in self._watchers.get(folder, ()):
            if not user or session.user == user:
                session.hear()
                self._bells.ring(session)
        for session in self._notified:
            notifier = session.notifier
            if notifier is not None and (not user or session.user == user) and notifier.folderChanged(folder):
                self._bells.ring(session)

    def everythingChanged(self) -> None:
        """
        From the store: mark all sessions, and doubt their folders' identity.
        """
        self.changes += 1
        self.texts.clear()
        self.lines.clear()
        self.contents.clear()
        for watchers in self._watchers.values():
            for session in watchers:
                session.doubt()
                self._bells.ring(session)
        for session in self._notified:
            if session.notifier is not None:
                session.notifier.everythingChanged()
                self._bells.ring(session)


def _uncount(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
