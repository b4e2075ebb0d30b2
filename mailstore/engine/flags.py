"""
Flags: their bits in a folder, who may change which, and changing them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

import attrs

from mailstore.engine.connection import Connection
from mailstore.engine.messages import selectRows
from mailstore.engine.places import FREE, FolderRow
from mailstore.engine.seen import SeenState, ownSeen
from mailstore.engine.users import Viewer
from mailstore.errors import InvalidRequest, LimitReached, PermissionDenied
from mailstore.model import (
    DELETED,
    KEYWORD_BIT,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    SEEN,
    SYSTEM_FLAGS,
    FlagColumns,
    FlagMode,
    FlagsStored,
    UidSet,
    uint32s,
    uint64s,
)

#: Every bit that can be a flag.
ALL_FLAGS = (1 << (KEYWORD_BIT + MAX_KEYWORDS)) - 1

# flag-keyword = atom; ATOM-CHAR is any printable ASCII character but atom-specials (RFC 9051 section 9).
_KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")

_SYSTEM_BITS = {name.lower(): 1 << bit for bit, name in enumerate(SYSTEM_FLAGS)}


def flagRights(rights: str) -> int:
    """
    The flags that somebody with these rights may change (RFC 4314 section 4).
    """
    mask = ALL_FLAGS & ~(SEEN | DELETED) if "w" in rights else 0
    if "s" in rights:
        mask |= SEEN
    if "t" in rights:
        mask |= DELETED
    return mask


def viewerFlagRights(rights: str, row: FolderRow, viewer: Viewer) -> int:
    """
    As L{flagRights}; somebody the store does not know can have no C{\\Seen} of his own.
    """
    mask = flagRights(rights)
    return mask & ~SEEN if ownSeen(row) and viewer.id is None else mask


def isKeyword(name: str) -> bool:
    """
    Whether something can be a keyword.
    """
    return 0 < len(name) <= MAX_KEYWORD and _KEYWORD.fullmatch(name) is not None


class KeywordsFull(LimitReached):
    """
    A folder has no room for another keyword, before somebody has looked which of those that it has are of
    no message (L{mailstore.engine.keywords}).
    """

    def __init__(self, folder: int) -> None:
        super().__init__(f"a folder can have at most {MAX_KEYWORDS} different keywords")
        self.folder = folder


class Keywords:
    """
    The keywords of a folder, which may get more.

    In the folder's row they are in the order of their bits.  One that no message has any more is kept until
    another one needs its bit, and has a C{FREE} in front.
    """

    def __init__(self, names: Iterable[str], folder: int = 0) -> None:
        """
        @param names: as they are kept.
        @param folder: whose they are.
        """
        kept = list(names)
        self._folder = folder
        self.names = [name.removeprefix(FREE) for name in kept]
        self._free = {at for at, name in enumerate(kept) if name.startswith(FREE)}
        self._bits = {name.lower(): 1 << (KEYWORD_BIT + bit) for bit, name in enumerate(self.names)}

    @classmethod
    def of(cls, row: FolderRow) -> Keywords:
        """
        Those of a folder.
        """
        return cls(row.keywords.split(), row.id)

    def bit(self, name: str) -> int:
        """
        The bit of a flag; 0 when there is none.
        """
        lowered = name.lower()
        return _SYSTEM_BITS.get(lowered) or self._bits.get(lowered, 0)

    def mask(self, names: Iterable[str], allowed: int) -> int:
        """
        The bits of flags that messages are going to have, giving new keywords a bit if that is allowed.
        System flags that nobody keeps (C{\\Recent}) have no bit.

        @raise LimitReached: a keyword that is too long.
        @raise KeywordsFull: too many keywords.
        @raise InvalidRequest: something that can be no flag.
        """
        mask = 0
        for name in names:
            bit = self.bit(name)
            if not bit and not name.startswith("\\"):
                if len(name) > MAX_KEYWORD:
                    raise LimitReached(f"a keyword can have at most {MAX_KEYWORD} characters")
                if _KEYWORD.fullmatch(name) is None:
                    raise InvalidRequest("a keyword is made of printable ASCII characters")
                if allowed >> KEYWORD_BIT:
                    bit = self._add(name)
            if bit & allowed:
                self._free.discard(bit.bit_length() - 1 - KEYWORD_BIT)
            mask |= bit
        return mask & allowed

    def known(self, names: Iterable[str]) -> int:
        """
        The bits of those flags that have one.
        """
        mask = 0
        for name in names:
            mask |= self.bit(name)
        return mask

    def _add(self, name: str) -> int:
        at = len(self.names)
        if at < MAX_KEYWORDS:
            self.names.append(name)
        elif self._free:
            at = min(self._free)
            del self._bits[self.names[at].lower()]
            self.names[at] = name
        else:
            raise KeywordsFull(self._folder)
        bit = self._bits[name.lower()] = 1 << (KEYWORD_BIT + at)
        return bit

    def release(self, used: int) -> bool:
        """
        Note which keywords are of no message.

        @param used: the flags of all messages together.
        @return: others are than was known.
        """
        free = {at for at in range(len(self.names)) if not used >> (KEYWORD_BIT + at) & 1}
        found = bool(free - self._free)
        self._free = free
        return found

    def dump(self) -> str:
        """
        As they are kept in the folder's row.
        """
        return " ".join(FREE + name if at in self._free else name for at, name in enumerate(self.names))


@attrs.frozen
class Stored:
    """
    What became of the messages of a slice.
    """

    result: FlagsStored
    #: Everybody can see a change.
    shared: bool
    #: The viewer can see one.
    own: bool
    #: The UID behind which to go on; 0 when there are no more.
    after: int


def storeFlags(
    db: Connection,
    row: FolderRow,
    viewer: Viewer,
    rights: str,
    uids: UidSet,
    mode: FlagMode,
    names: tuple[str, ...],
    unchanged_since: int | None,
    after: int,
    most: int,
) -> Stored:
    """
    See L{storeFlags<mailstore.interfaces.IMessages.storeFlags>}: for up to C{most} of the messages
    behind a UID.
    """
    allowed = viewerFlagRights(rights, row, viewer)
    keywords = Keywords.of(row)
    mask = keywords.known(names) & allowed if mode is FlagMode.REMOVE else keywords.mask(names, allowed)
    _refuse(allowed, mode, names, keywords)
    change = _Change(db, row, viewer, mode, mask, allowed)
    found, after = selectRows(db, row, uids, "uid, flags, modseq", after=after, most=most)
    result, row, shared, own = change.run(found, unchanged_since)
    if keywords.dump() != row.keywords:
        # Who knows the keywords by an older mod-sequence must learn of the new ones.
        shared = True
        row = row._replace(keywords=keywords.dump(), modseq=row.modseq + 1, changed=row.modseq + 1)
    if shared or own:
        row.save(db)
    return Stored(FlagsStored(result[0], result[1], row.keywordNames()), shared, own, after)


def joined(results: list[FlagsStored]) -> FlagsStored:
    """
    What was stored in several slices.
    """
    if len(results) == 1:
        return results[0]
    columns = [each.changed for each in results]
    return FlagsStored(
        FlagColumns(
            b"".join(each.uids for each in columns),
            b"".join(each.flags for each in columns),
            b"".join(each.modseqs for each in columns),
        ),
        UidSet.ofRanges(pair for each in results for pair in each.unchanged_since_failed.ranges),
        results[-1].keywords,
    )


def _refuse(allowed: int, mode: FlagMode, names: tuple[str, ...], keywords: Keywords) -> None:
    if mode is FlagMode.REPLACE:
        denied = not allowed
    else:
        rights = [
            allowed & (keywords.bit(each) or 1 << KEYWORD_BIT) for each in names if each.lower() != "\\recent"
        ]
        denied = bool(rights) and not any(rights)
    if denied:
        raise PermissionDenied("you have no right to change these flags here")


class _Change:
    """
    One change of the flags of some messages.
    """

    def __init__(
        self, db: Connection, row: FolderRow, viewer: Viewer, mode: FlagMode, mask: int, allowed: int
    ) -> None:
        self._db = db
        self._row = row
        self._mode = mode
        self._mask = mask
        self._allowed = allowed
        self._viewer = viewer

    def _new(self, old: int) -> int:
        if self._mode is FlagMode.ADD:
            return old | self._mask
        if self._mode is FlagMode.REMOVE:
            return old & ~self._mask
        return (old & ~self._allowed) | self._mask

    def run(
        self, found: list[tuple[int, int, int]], unchanged_since: int | None
    ) -> tuple[tuple[FlagColumns, UidSet], FolderRow, bool, bool]:
        """
        Make it.

        @param found: UIDs, flags and mod-sequences.
        @return: flags now and what was left alone; the row, not yet saved; whether
            something changed for everybody, and for the viewer alone.
        """
        row = self._row
        state: SeenState | None = None
        if ownSeen(row) and self._viewer.id is not None:
            state = SeenState(self._db, row.id, self._viewer.id, uint32s(each[0] for each in found))
        columns = (uint32s(), uint64s(), uint64s())
        failed: list[int] = []
        updates: list[tuple[int, int, int, int]] = []
        seen_now: list[int] = []
        unseen_now: list[int] = []
        modseq = row.modseq + 1
        unseen, deleted = row.unseen, row.deleted
        for uid, kept, since in found:
            old = kept
            if state is not None:
                old = kept | SEEN if state.seen(uid) else kept & ~SEEN
                since = max(since, state.modseq(uid))
            if unchanged_since is not None and since > unchanged_since:
                failed.append(uid)
                _add(columns, uid, old, since)
                continue
            new = self._new(old)
            difference = new ^ old
            if difference:
                since = modseq
            if state is not None and difference & SEEN:
                (seen_now if new & SEEN else unseen_now).append(uid)
                difference &= ~SEEN
            if difference:
                written = new if state is None else (new & ~SEEN) | (kept & SEEN)
                updates.append((written, modseq, row.id, uid))
                unseen += (difference & SEEN) * (1 if old & SEEN else -1)
                if difference & DELETED:
                    deleted += 1 if new & DELETED else -1
            _add(columns, uid, new, since)
        if updates:
            self._db.executemany(
                "UPDATE messages SET flags = ?, modseq = ? WHERE folder = ? AND uid = ?", updates
            )
            row = row._replace(changed=modseq, unseen=unseen, deleted=deleted)
        if state is not None:
            state.change(seen_now, True, modseq)
            state.change(unseen_now, False, modseq)
        if updates or seen_now or unseen_now:
            row = row._replace(modseq=modseq)
        flags = FlagColumns(*(each.tobytes() for each in columns))
        return (flags, UidSet.of(failed)), row, bool(updates), bool(seen_now or unseen_now)


def _add(columns: tuple[array[int], array[int], array[int]], uid: int, flags: int, modseq: int) -> None:
    columns[0].append(uid)
    columns[1].append(flags)
    columns[2].append(modseq)
