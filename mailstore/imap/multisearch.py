"""
Searching many folders for one ESEARCH (RFC 7377).

Which folders there are comes from the lists that all sessions share, and which of them may be read and have
any messages from one scan; each of these is then searched as for SEARCH, one after the other.  An
answer is sent as soon as its folder is done, so nothing is held but what was found in one.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from mailstore.errors import NoSuchFolder, PermissionDenied
from mailstore.imap.answering import enough, resultOf
from mailstore.imap.command import Bad, No, Refused
from mailstore.imap.finding import gather, highestModSequence
from mailstore.imap.folderfilters import folders, means
from mailstore.imap.progress import Progress
from mailstore.imap.searching import asksForModSequence, searchTerm
from mailstore.imap.view import View
from mailstore.imap.wire import writer
from mailstore.imap.wire.esearch import esearchPieces
from mailstore.imap.wire.mailboxfilters import Filter, FolderFilter
from mailstore.imap.wire.values import SearchKey, SearchKind, SearchProgram, SearchReturn
from mailstore.model import UidSet, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session

#: Folders whose counts are asked for at once.
_AT_ONCE = 2000

#: What can only be understood by the numbers of the messages in a folder.
_BY_VIEW = frozenset({SearchKind.SEQUENCE, SearchKind.UID, SearchKind.RECENT})

_NOT_OPEN = Bad("No mailbox is selected")
_TOO_MANY = No("These are too many mailboxes for one search", "LIMIT")


def _needsView(key: SearchKey) -> bool:
    return key.kind in _BY_VIEW or any(map(_needsView, key.keys))


class MultiSearcher:
    """
    One search in many folders.
    """

    def __init__(self, session: Session, program: SearchProgram) -> None:
        self._session = session
        self._program = program
        assert program.returns is not None
        self._wanted = program.returns - {SearchReturn.SAVE}
        self._now = int(time.time())
        self._progress = Progress(session)
        # The terms are the same for all folders, but for those that speak of numbers of messages.
        self._needs_view = _needsView(program.key) or asksForModSequence(program.key)

    async def search(self, sources: Sequence[FolderFilter]) -> None:
        """
        Search all folders that are meant, each once, and answer for those in which something was found.

        @raise Refused: no folder is open, and it is meant; there are too many folders.
        @raise StoreError: the store cannot be asked.
        """
        session = self._session
        if asksForModSequence(self._program.key):
            await session.useModSequences()
        view, done = session.view, 0
        if any(each.kind is Filter.SELECTED for each in sources):
            if view is None:
                raise Refused(_NOT_OPEN)
            done = view.folder
            await self._searchOpen(view)
        others = [each for each in sources if each.kind is not Filter.SELECTED]
        if not others:
            return
        async with aclosing(self._folders(others)) as found:
            async for name, folder, uid_validity in found:
                if folder == done:
                    continue
                try:
                    if view is not None and folder == view.folder:
                        await self._searchOpen(view)
                    else:
                        await self._searchOther(name, folder, uid_validity)
                except (NoSuchFolder, PermissionDenied):
                    # RFC 7377 section 2.2: what may not be read is passed over, and so is what has gone.
                    continue

    async def _folders(self, filters: Sequence[FolderFilter]) -> AsyncGenerator[tuple[str, int, int], None]:
        """
        The folders that are meant, that may be read and that have messages: name, identity and UIDVALIDITY.
        """
        session = self._session
        subscribed: frozenset[str] = frozenset()
        if any(each.kind is Filter.SUBSCRIBED for each in filters):
            subscribed = frozenset(await session.store.subscriptions(session.user))
        trees = await session.front.lists.trees(session.user)
        meant = {
            folder: name
            for name, folder, personal in folders(trees)
            if any(means(each, name, personal, subscribed) for each in filters)
        }
        if len(meant) > session.limits.max_searched_folders:
            raise Refused(_TOO_MANY)
        ids = list(meant)
        for start in range(0, len(ids), _AT_ONCE):
            asked = uint64s(ids[start : start + _AT_ONCE]).tobytes()
            found: list[tuple[str, int, int]] = []
            async with aclosing(session.store.statuses(session.user, asked)) as batches:
                async for columns in batches:
                    rows = zip(
                        *(uint64s(columns.folders), uint64s(columns.messages), uint64s(columns.uid_validity)),
                        strict=True,
                    )
                    found += [(meant[folder], folder, valid) for folder, messages, valid in rows if messages]
            for each in found:
                yield each

    async def _searchOpen(self, view: View) -> None:
        """
        Search the folder that is open, as its client knows it.
        """
        saved = UidSet()
        try:
            saved = await self._searchIn(view)
        finally:
            if SearchReturn.SAVE in (self._program.returns or ()):
                view.save(saved)

    async def _searchOther(self, name: str, folder: int, uid_validity: int) -> None:
        session = self._session
        if self._needs_view:
            opened = await session.store.openFolder(session.user, name, False)
            if opened.folder == folder:
                await self._searchIn(View(opened, True, recent=False))
            return
        term = searchTerm(None, self._program.key, self._now)
        batches = session.store.search(session.user, folder, term)
        most = enough(self._program, self._wanted)
        found = await gather(session, None, batches, True, most, self._progress)
        if found.uids:
            await self._answer(name, uid_validity, found.uids, None)

    async def _searchIn(self, view: View) -> UidSet:
        """
        @return: what was found, if that is to be saved.
        """
        session, program = self._session, self._program
        term = searchTerm(view, program.key, self._now, lenient=True)
        batches = session.store.search(session.user, view.folder, term)
        most = enough(program, self._wanted)
        if SearchReturn.SAVE in (program.returns or ()):
            most = None
        found = await gather(session, view, batches, True, most, self._progress)
        if found.uids and self._wanted:
            modseq = await highestModSequence(session, view, program, found.uids)
            await self._answer(view.name, view.uid_validity, found.uids, modseq)
        return UidSet.of(found.uids)

    async def _answer(self, name: str, uid_validity: int, uids: array[int], modseq: int | None) -> None:
        session = self._session
        result = resultOf(self._program, self._wanted, uids, modseq)
        where = (writer.mailbox(name, session.utf8), uid_validity)
        for piece in esearchPieces(session.tag, True, result, where):
            await session.write(piece)
