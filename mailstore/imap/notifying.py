"""
What a client has asked to be told of by NOTIFY (RFC 5465), and telling it.

::

    store: a folder has changed      --> L{Notifier.folderChanged}: a mark, nothing more
    store: the folders have changed  --> L{Notifier.folderChanged} of L{HIERARCHY}: another
    between two commands, or in IDLE --> L{Notifier.tell}: asks the store, and says what differs from
                                         what it said last

There is no queue of events, so nothing can pile up: who does not read hears, when he reads again, what
is different then.  The bounds are the folders that one session, and all together, may watch.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs
from twisted.logger import Logger

from mailstore.errors import StoreError
from mailstore.imap.folderfilters import folders, means
from mailstore.imap.folderlist import FolderTree
from mailstore.imap.treechanges import GONE, TreeChange
from mailstore.imap.wire.listextended import listLine
from mailstore.imap.wire.mailboxfilters import Filter
from mailstore.imap.wire.notifyargs import (
    FLAG_CHANGE,
    MAILBOX_NAME,
    MESSAGE_NEW,
    SUBSCRIPTION_CHANGE,
    EventGroup,
    NotifyRequest,
)
from mailstore.imap.wire.responsecodes import NOTIFICATION_OVERFLOW
from mailstore.imap.wire.statusitems import statusLine
from mailstore.imap.wire.values import FetchItems, StatusItem
from mailstore.model import HIERARCHY, SEPARATOR, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.model import StatusColumns

#: Folders whose counts are asked for at once.
_AT_ONCE = 2000

#: Seconds between two looks at all the folders there are.
_LIST_PAUSE = 0.5

#: Seconds until a store that could not be asked is asked again.
_RETRY = 5.0

#: What is wanted of a folder, in bits: its messages, and their flags.
_MESSAGES, _FLAGS = 1, 2


class TooManyFolders(Exception):
    """
    More folders are to be watched than may be.
    """


@attrs.frozen
class _Known:
    """
    What a client knows of a folder's counts.
    """

    messages: int = 0
    uid_next: int = 1
    uid_validity: int = 0
    highest_modseq: int = 0
    unseen: int = 0


class _Watched:
    """
    The folders whose messages are watched, as columns in the order of their identities: some 50 bytes each.
    """

    def __init__(self) -> None:
        self.ids = uint64s()
        self.names: list[str] = []
        self.wants = bytearray()
        self._columns = [uint64s() for _ in attrs.fields(_Known)]

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, folder: int) -> int | None:
        """
        Where a folder stands.
        """
        at = bisect_left(self.ids, folder)
        return at if at < len(self.ids) and self.ids[at] == folder else None

    def known(self, at: int) -> _Known:
        """
        What is known of one.
        """
        return _Known(*(column[at] for column in self._columns))

    def learn(self, at: int, known: _Known) -> None:
        """
        More is known of one.
        """
        for column, value in zip(self._columns, attrs.astuple(known), strict=True):
            column[at] = value

    def add(self, folder: int, name: str, wants: int, known: _Known) -> None:
        """
        Watch one more, whose identity is greater than all others.
        """
        self.ids.append(folder)
        self.names.append(name)
        self.wants.append(wants)
        for column, value in zip(self._columns, attrs.astuple(known), strict=True):
            column.append(value)


class Notifier:
    """
    What one session is told of.

    @ivar items: what is told of new messages in the open folder; C{()} for nothing.
    @ivar tells_flags: whether changes of flags in it are told.
    @ivar immediate: whether messages may go from it at any time.
    @ivar mutes: whether nothing is told of it.
    @ivar own_folders: names of folders that this client has just made, deleted, renamed or subscribed to.
    @ivar own: UIDs of messages in it that this client has just brought.
    """

    log = Logger()

    def __init__(self, session: Session, request: NotifyRequest) -> None:
        self._session = session
        self._groups = tuple(group for group in request.groups if not group.is_of_selected)
        selected = next((group for group in request.groups if group.is_of_selected), None)
        events = frozenset() if selected is None else selected.events
        self.items: FetchItems = () if selected is None else selected.items
        self.mutes = MESSAGE_NEW not in events
        self.tells_flags = FLAG_CHANGE in events
        self.immediate = selected is not None and selected.filter.kind is Filter.SELECTED and not self.mutes
        self.own: set[int] = set()
        self.own_folders: set[str] = set()
        self._wants_names = any(MAILBOX_NAME in group.events for group in self._groups)
        self._wants_subscriptions = any(SUBSCRIPTION_CHANGE in group.events for group in self._groups)
        self._watched = _Watched()
        self._trees: list[FolderTree] = []
        self._subscribed: frozenset[str] = frozenset()
        self._dirty: set[int] = set()
        self._folders_dirty = False
        self._look_after = 0.0
        self._retry_after = 0.0

    @property
    def looks_further(self) -> bool:
        """
        Whether anything is to be told beside the open folder.
        """
        return bool(self._groups)

    @property
    def folders(self) -> int:
        """
        How many are watched.
        """
        return len(self._watched)

    # --- from the store ----------------------------------------------------------

    def folderChanged(self, folder: int) -> bool:
        """
        Take a mark.

        @return: whether it is of any interest.
        """
        if folder == HIERARCHY:
            self._folders_dirty = bool(self._groups)
            return self._folders_dirty
        if self._watched.place(folder) is None:
            return False
        self._dirty.add(folder)
        return True

    def everythingChanged(self) -> None:
        """
        Take all marks.
        """
        self._folders_dirty = bool(self._groups)
        self._dirty.update(self._watched.ids)

    # --- telling -------------------------------------------------------------------

    async def begin(self, status: bool) -> None:
        """
        Find out what is to be watched, and how it stands.

        @param status: whether the client is told.
        @raise TooManyFolders:
        @raise StoreError: the store cannot be asked.
        """
        await self._lookAtFolders()
        self._dirty.clear()
        for start in range(0, len(self._watched), _AT_ONCE):
            await self._tellCounts(list(self._watched.ids[start : start + _AT_ONCE]), begin=True, told=status)

    def wait(self, may_expunge: bool) -> float | None:
        """
        Seconds until there may be something to tell; 0 for now, C{None} for not before the next mark.

        @param may_expunge: as for L{tell}.
        """
        session = self._session
        view = session.view
        left = self._retry_after - session.front.runtime.seconds()
        if left > 0:
            return left
        vanished = view is not None and bool(view.vanished) and not self.mutes
        if session.dirty or self._dirty or (vanished and (may_expunge or self.immediate)):
            return 0.0
        if self._folders_dirty:
            return max(0.0, self._look_after - session.front.runtime.seconds())
        return None

    async def tell(self, may_expunge: bool) -> None:
        """
        Tell what there is to tell.

        @param may_expunge: whether messages may go from the open folder now, whatever L{immediate} says.
        @raise FolderLost: the open folder is not there any more.
        """
        session = self._session
        done = True
        try:
            if self._folders_dirty and session.front.runtime.seconds() >= self._look_after:
                self._folders_dirty = False
                self._look_after = session.front.runtime.seconds() + _LIST_PAUSE
                await self._lookAgain()
            while self._dirty:
                some = sorted(self._dirty)[:_AT_ONCE]
                self._dirty.difference_update(some)
                try:
                    await self._tellCounts(some, begin=False, told=True)
                except BaseException:
                    self._dirty.update(some)
                    raise
        except TooManyFolders:
            await self._overflow()
            return
        except StoreError as error:
            self._folders_dirty = bool(self._groups)
            self.log.debug("{user}: cannot notify: {error}", user=session.user, error=error.code)
            done = False
        if not await session.sync(may_expunge or self.immediate) or not done:
            self._retry_after = session.front.runtime.seconds() + _RETRY

    async def _overflow(self) -> None:
        """
        There are more folders now than can be watched (RFC 5465 section 5.8).
        """
        session = self._session
        code = NOTIFICATION_OVERFLOW.encode("ascii")
        await session.untagged(b"OK [%b] Too many mailboxes to be notified of" % code)
        session.notify(Notifier(session, NotifyRequest()))

    # --- folders -----------------------------------------------------------------------

    async def _lookAtFolders(self) -> None:
        """
        Read the lists of folders, and decide which to watch.
        """
        session = self._session
        if not self._groups:
            return
        self._trees = await session.front.lists.trees(session.user)
        if self._needsSubscriptions:
            self._subscribed = frozenset(await session.store.subscriptions(session.user))
        self._watch()

    @property
    def _needsSubscriptions(self) -> bool:
        return (
            self._wants_names
            or self._wants_subscriptions
            or any(group.filter.kind is Filter.SUBSCRIBED for group in self._groups)
        )

    def _watch(self) -> None:
        """
        Watch the folders that are meant now; what is known of those that were watched before stays known.

        @raise TooManyFolders:
        """
        found: list[tuple[int, str, int]] = []
        messages = tuple(group for group in self._groups if MESSAGE_NEW in group.events)
        if messages:
            for name, folder, personal in folders(self._trees):
                wants = self._wantsOf(messages, name, personal)
                if wants:
                    found.append((folder, name, wants))
        if not self._session.front.admitNotifier(self._session, len(found)):
            raise TooManyFolders()
        before, self._watched = self._watched, _Watched()
        for folder, name, wants in sorted(found):
            at = before.place(folder)
            self._watched.add(folder, name, wants, _Known() if at is None else before.known(at))
            if at is None:
                self._dirty.add(folder)
        self._dirty.intersection_update(self._watched.ids)

    def _wantsOf(self, groups: Sequence[EventGroup], name: str, personal: bool) -> int:
        wants = 0
        for group in groups:
            if means(group.filter, name, personal, self._subscribed):
                wants |= _MESSAGES | (_FLAGS if FLAG_CHANGE in group.events else 0)
        return wants

    async def _lookAgain(self) -> None:
        """
        Folders were made, deleted or renamed, or others may look at them, or somebody subscribed: tell.

        @raise TooManyFolders:
        @raise StoreError: the store cannot be asked.
        """
        trees, subscribed = self._trees, self._subscribed
        await self._lookAtFolders()
        told: dict[str, TreeChange] = {}
        if self._wants_names:
            for at, (before, now) in enumerate(zip(trees, self._trees, strict=True)):
                for change in self._session.front.tree_changes.between(before, now):
                    if self._isToldOf(MAILBOX_NAME, change.name, at == 0, subscribed):
                        told[change.name] = change
        if self._wants_subscriptions:
            for name in subscribed.symmetric_difference(self._subscribed):
                personal = name in self._trees[0].attributes
                if name not in told and self._isToldOf(SUBSCRIPTION_CHANGE, name, personal, subscribed):
                    told[name] = TreeChange(name, self._attributes(name))
        # RFC 5465 section 5: not what this client has caused.
        own = {each for name in self.own_folders for each in (name, name.rpartition(SEPARATOR)[0])}
        below = tuple(name + SEPARATOR for name in self.own_folders)
        told = {
            name: change for name, change in told.items() if name not in own and not name.startswith(below)
        }
        self.own_folders.clear()
        await self._session.writeLines(self._line(change) for _, change in sorted(told.items()))

    def _isToldOf(self, event: str, name: str, personal: bool, before: frozenset[str]) -> bool:
        both = before | self._subscribed
        return any(
            event in group.events and means(group.filter, name, personal, both) for group in self._groups
        )

    def _attributes(self, name: str) -> bytes:
        return next((tree.attributes[name] for tree in self._trees if name in tree.attributes), GONE)

    def _line(self, change: TreeChange) -> bytes:
        attributes = change.attributes
        if change.name in self._subscribed:
            attributes += b" \\Subscribed"
        return listLine(change.name, attributes, old_name=change.old_name, utf8=self._session.utf8)

    # --- counts ---------------------------------------------------------------------------

    async def _tellCounts(self, folders: list[int], begin: bool, told: bool) -> None:
        """
        Ask for the counts of some folders, and tell those that are not what they were.

        @param begin: tell all, and those that cannot be read.
        @param told: whether the client is told at all.
        """
        session = self._session
        asked = uint64s(folders).tobytes()
        async with aclosing(session.store.statuses(session.user, asked)) as batches:
            async for columns in batches:
                await session.writeLines(self._countLines(columns, begin, told))

    def _countLines(self, columns: StatusColumns, begin: bool, told: bool) -> list[bytes]:
        lines: list[bytes] = []
        watched, session = self._watched, self._session
        open_folder = None if session.view is None else session.view.folder
        fields: list[array[int]] = [
            uint64s(each)
            for each in (
                *(columns.messages, columns.uid_next, columns.uid_validity),
                *(columns.highest_modseq, columns.unseen),
            )
        ]
        for folder, *values in zip(uint64s(columns.folders), *fields, strict=True):
            at = watched.place(folder)
            if at is None:
                continue
            before, now = watched.known(at), _Known(*values)
            watched.learn(at, now)
            if not told or folder == open_folder:
                # What happens in the open folder is told in other ways.
                continue
            wants = watched.wants[at]
            items = self._all(wants) if begin else self._differing(wants, before, now)
            if items:
                lines.append(statusLine(watched.names[at], _named(items, now), session.utf8))
        if begin:
            for folder in uint64s(columns.unread):
                at = watched.place(folder)
                if at is not None:
                    # RFC 5465 section 3.1: it may be looked up and not read.
                    name = watched.names[at]
                    attributes = self._attributes(name) + b" \\NoAccess"
                    lines.append(listLine(name, attributes, utf8=session.utf8))
        return lines

    def _all(self, wants: int) -> list[StatusItem]:
        """
        What is told of a folder at the beginning (RFC 5465 section 3.1).
        """
        items = [StatusItem.MESSAGES, StatusItem.UIDNEXT, StatusItem.UIDVALIDITY]
        if wants & _FLAGS or self._session.condstore:
            items.append(StatusItem.HIGHESTMODSEQ)
        return items

    def _differing(self, wants: int, before: _Known, now: _Known) -> list[StatusItem]:
        """
        What is told of a folder that changed (RFC 5465 sections 5.1 to 5.3).
        """
        items: list[StatusItem] = []
        new = before.uid_validity not in (0, now.uid_validity)
        if new or (before.messages, before.uid_next) != (now.messages, now.uid_next):
            items += (StatusItem.MESSAGES, StatusItem.UIDNEXT, StatusItem.UIDVALIDITY)
        if wants & _FLAGS and before.unseen != now.unseen:
            items.append(StatusItem.UNSEEN)
        changed = bool(wants & _FLAGS) and before.highest_modseq != now.highest_modseq
        if self._session.condstore and (items or changed):
            items += (StatusItem.HIGHESTMODSEQ, StatusItem.UIDVALIDITY)
        return list(dict.fromkeys(items))


_VALUES = {
    StatusItem.MESSAGES: lambda known: known.messages,
    StatusItem.UIDNEXT: lambda known: known.uid_next,
    StatusItem.UIDVALIDITY: lambda known: known.uid_validity,
    StatusItem.HIGHESTMODSEQ: lambda known: known.highest_modseq,
    StatusItem.UNSEEN: lambda known: known.unseen,
}


def _named(items: list[StatusItem], known: _Known) -> list[tuple[StatusItem, int]]:
    return [(item, _VALUES[item](known)) for item in items]
