"""
A COPY of very many messages, in slices of which nobody sees anything before the last one
(L{mailstore.engine.copies}).
"""

from __future__ import annotations

import secrets

from mailstore.engine import content, copies, quotas
from mailstore.engine.connection import Connection
from mailstore.engine.flags import viewerFlagRights
from mailstore.engine.messages import insertMessages, present, requireUids, selectRows
from mailstore.engine.moving import COLUMNS, newRows
from mailstore.engine.places import FolderRow
from mailstore.engine.seen import SeenState, ownSeen
from mailstore.engine.users import Viewer
from mailstore.model import DELETED, SEEN, CopyResult, UidSet, uint32s


class Copying:
    """
    A COPY of more messages than one transaction is to have.  The three steps are transactions: L{begin} once,
    L{more} until there are no more, L{end}.  When one of them fails everything is to be given up.

    @ivar token: says in the database who copies.
    @ivar target: the folder that is copied into; 0 before L{begin}.
    @ivar copied: how many messages have been copied, not counting those that went meanwhile.
    """

    def __init__(self, uids: UidSet, now: int, most: int) -> None:
        """
        @param now: seconds since 1970.
        @param most: messages in one step.
        """
        self.token = secrets.token_hex(8)
        self.target = 0
        self._uids = uids
        self._now = now
        self._most = most
        self._after = 0
        self._modseq = self._uid = 0
        self._sources = uint32s()
        self._first = 0
        self._unseen = self._deleted = self._size = self._seen = 0

    @property
    def copied(self) -> int:
        return len(self._sources)

    def begin(self, db: Connection, source: FolderRow, viewer: Viewer, target: FolderRow) -> None:
        """
        Begin.

        @raise FolderHeld: somebody else copies into this folder.
        """
        self._modseq = copies.begin(db, target, self.token, viewer.id if ownSeen(target) else None)
        self._uids = present(source, self._uids)
        self._first = self._uid = target.uid_next
        self.target = target.id

    def more(
        self, db: Connection, source: FolderRow, viewer: Viewer, target: FolderRow, target_rights: str
    ) -> bool:
        """
        Copy some messages more, for nobody to see.

        @return: whether there are more.
        @raise OverQuota: it would be too much.
        @raise StoreBusy: another program has removed what was copied.
        """
        copies.require(db, target, self.token)
        found, after = selectRows(db, source, self._uids, COLUMNS, after=self._after, most=self._most)
        allowed = viewerFlagRights(target_rights, target, viewer)
        rows, keywords = newRows(db, source, viewer, found, target, allowed, self._now)
        if keywords != target.keywords:
            # Whoever gives one of them to another message meanwhile must find it.
            modseq = target.modseq + 1
            target = target._replace(keywords=keywords, modseq=modseq, changed=modseq)
            target.save(db)
        uids = range(self._uid, self._uid + len(rows))
        requireUids(uids)
        content.addReferences(db, (each.content for each in rows))
        insertMessages(db, target, self._modseq, rows, uids)
        self._after, self._uid = after, uids.stop
        self._sources.extend(each[0] for each in found)
        self._size += sum(each.size for each in rows)
        self._deleted += sum(bool(each.flags & DELETED) for each in rows)
        if ownSeen(target):
            seen = [uid for uid, each in zip(uids, rows, strict=True) if each.flags & SEEN]
            if seen and viewer.id is not None:
                SeenState(db, target.id, viewer.id, uint32s()).prepare(seen, self._modseq)
                self._seen += len(seen)
        else:
            self._unseen += sum(not each.flags & SEEN for each in rows)
        quotas.require(db, target, self.copied, self._size)
        return bool(self._after)

    def end(self, db: Connection, viewer: Viewer, target: FolderRow) -> CopyResult:
        """
        Let all be there.

        @raise OverQuota: it is too much.
        @raise StoreBusy: another program has removed what was copied.
        """
        copies.require(db, target, self.token)
        count = self.copied
        if count:
            if self._seen and viewer.id is not None:
                SeenState(db, target.id, viewer.id, uint32s()).prepared(self._seen, self._modseq)
            target = target._replace(
                uid_next=self._uid,
                modseq=self._modseq,
                changed=self._modseq,
                recent=target.recent + count,
                messages=target.messages + count,
                unseen=target.unseen + self._unseen,
                deleted=target.deleted + self._deleted,
                size=target.size + self._size,
            )
            target.save(db)
            quotas.charge(db, target.owner, count, self._size)
            quotas.require(db, target)
        copies.end(db, target.id)
        targets = uint32s(range(self._first, self._uid))
        return CopyResult(target.uid_validity, self._sources.tobytes(), targets.tobytes())
