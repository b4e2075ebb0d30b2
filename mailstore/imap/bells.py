"""
Waking the sessions that a change concerns; of those that idle in the same folder, asking for
all at once what is new.

  - A session is rung when its open folder may have changed.  Who does anything but IDLE looks by
    himself when his command has ended; who idles looks at once.
  - Many who idle in one folder are told the same of a change.  So the store is asked once for
    L{MAX_WATCHERS<mailstore.model.MAX_WATCHERS>} of them, checks the rights of each, and each
    session takes its part as if it had asked.
  - What was asked before the last change is taken all the same, and asked for again: nothing is lost, and
    nobody waits longer than for the answer that is under way.
  - Whoever the answer does not speak of asks for himself, and is told by the store why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from mailstore.errors import StoreError
from mailstore.model import MAX_WATCHERS, FolderDelta, Watcher

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View
    from mailstore.imap.waiting import IRuntime
    from mailstore.interfaces import IStore


@attrs.frozen
class Told:
    """
    What the store has said is new to a session.
    """

    view: View
    since: int
    #: How often the session had been told of a change when it was asked for.
    touches: int
    delta: FolderDelta


class Bells:
    """
    Wakes the sessions of one front end.
    """

    def __init__(self, store: IStore, runtime: IRuntime) -> None:
        self._store = store
        self._runtime = runtime
        self._ringing: set[Session] = set()
        #: For whom the store is being asked.
        self._asking: set[Session] = set()
        #: Who is to be rung when it has answered.
        self._again: set[Session] = set()

    def ring(self, session: Session) -> None:
        """
        Wake a session, if it waits, once whoever tells of changes has finished.
        """
        if session in self._asking:
            self._again.add(session)
            return
        if not self._ringing:
            self._runtime.soon(self._ringAll)
        self._ringing.add(session)

    def _ringAll(self) -> None:
        ringing, self._ringing = self._ringing, set()
        idling: dict[int, list[Session]] = {}
        for session in ringing:
            plain = session.idles and session.notifier is None and not session.doubtful
            if plain and session.view is not None:
                idling.setdefault(session.view.folder, []).append(session)
            else:
                session.bell.fire()
        for folder, sessions in idling.items():
            if len(sessions) == 1:
                sessions[0].bell.fire()
                continue
            for at in range(0, len(sessions), MAX_WATCHERS):
                self._runtime.start(self._ask(folder, sessions[at : at + MAX_WATCHERS]))

    async def _ask(self, folder: int, sessions: list[Session]) -> None:
        asked: list[tuple[Session, View, int, Watcher]] = []
        for session in sessions:
            view = session.view
            if view is None:
                continue
            watcher = Watcher(session.user, view.known_modseq, view.claims_recent)
            asked.append((session, view, session.touches, watcher))
            session.awaits_news = True
            self._asking.add(session)
        try:
            found = await self._store.news(folder, tuple(each[-1] for each in asked))
        except StoreError:
            # Each finds out for himself.
            found = ()
        finally:
            again = self._again.intersection(sessions)
            self._again -= again
            self._asking.difference_update(sessions)
            for session in sessions:
                session.awaits_news = session in again
                if session in again:
                    self.ring(session)
        for news in found:
            for place in news.watchers:
                if place < len(asked):
                    session, view, touches, watcher = asked[place]
                    session.told = Told(view, watcher.since, touches, news.delta)
        for session in sessions:
            session.bell.fire()
