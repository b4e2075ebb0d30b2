"""
An open folder as one client knows it, and how it is brought up to date.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.command import Bad, Refused
from mailstore.imap.numbering import Numbering
from mailstore.imap.wire.values import STAR
from mailstore.model import (
    SYSTEM_FLAGS,
    FlagColumns,
    FolderDelta,
    OpenFolder,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)

if TYPE_CHECKING:
    from mailstore.imap.wire.values import SequenceSet

_NONE = UidSet()

#: Different sets of flags whose rendering one view keeps.
_MAX_RENDERED = 1024

#: Rights that flags need, if not C{w} (RFC 4314 section 2.1).
_RIGHT_FOR = {"\\Seen": "s", "\\Deleted": "t"}


@attrs.frozen
class ViewChanges:
    """
    What to tell the client, in this order.
    """

    #: Numbers for C{EXPUNGE} responses.
    expunged: array[int]
    #: The same messages, for C{VANISHED}.
    vanished: UidSet
    #: For C{EXISTS}; C{None} when no message came.
    exists: int | None
    #: For C{RECENT}; C{None} when it is as before.
    recent: int | None
    #: Whether there are new keywords, so that C{FLAGS} is to be said again.
    keywords: bool
    #: Messages whose flags changed, for C{FETCH}: sequence numbers, UIDs, flag masks and mod-sequences.
    sequences: array[int]
    uids: array[int]
    flags: array[int]
    modseqs: array[int]


@lru_cache(1024)
def _permanentFlags(rights: str, keywords: tuple[str, ...]) -> tuple[str, ...]:
    """
    The flags that somebody with these rights may change for good.
    """
    flags = [name for name in SYSTEM_FLAGS if _RIGHT_FOR.get(name, "w") in rights]
    if "w" in rights:
        # When all of a folder's keywords are taken, new ones take the place of those that no message has.
        flags += (*keywords, "\\*")
    return tuple(flags)


class View:
    """
    An open folder as one client knows it.

    @ivar folder: the folder's identity in the store.
    @ivar name: its name when it was opened.
    @ivar uid_validity: its UIDVALIDITY.
    @ivar rights: what the user might do here when it was opened.
    @ivar read_only: whether it was opened by EXAMINE, or nothing may be changed.
    @ivar claims_recent: whether new messages are recent to this view alone.
    @ivar keywords: the folder's keywords, by bit.
    @ivar known_modseq: the client knows everything up to here, but for C{vanished}.
    @ivar settled_modseq: the client knows everything up to here (RFC 7162 section 3.2).
    @ivar messages: the numbers of the messages, those that vanished included
        until the client has been told.
    @ivar vanished: messages that are gone from the store, of which the client
        is still to be told.
    @ivar saved: what C{$} stands for, of L{messages} (RFC 5182): empty when the folder is opened, and a
        message of whose end the client has been told is not in it any more.
    """

    def __init__(self, opened: OpenFolder, read_only: bool, recent: bool = True) -> None:
        """
        @param recent: whether messages can be recent to this view; in RFC 9051 there is no such thing.
        """
        self.folder = opened.folder
        self.name = opened.name
        self.uid_validity = opened.status.uid_validity
        self.rights = opened.rights
        self.read_only = read_only
        self.claims_recent = recent and not read_only
        self.keywords = opened.keywords
        self.known_modseq = self.settled_modseq = opened.status.highest_modseq
        self.messages = Numbering(opened.uids)
        self.vanished = _NONE
        self.saved = Numbering(_NONE)
        self._recent = Numbering(_NONE)
        if recent and opened.first_recent:
            self._recent = Numbering(uidsFrom(opened.uids, opened.first_recent))
        self._own: dict[int, UidSet] = {}
        self._rendered: dict[tuple[int, bool], bytes] = {}

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def recent(self) -> int:
        """
        How many messages are recent to this view.
        """
        return len(self._recent)

    def isRecent(self, uid: int) -> bool:
        """
        Whether a message is recent to this view (RFC 3501 section 2.3.2).
        """
        return self._recent.sequenceOf(uid) is not None

    def uidsOf(self, numbers: SequenceSet, by_uid: bool) -> UidSet:
        """
        The messages that a client means, of those in the view.

        By UID, numbers of no message are passed over, and C{*} is the last message
        (RFC 9051 section 6.4.9).  By sequence number each must be there.  C{$} is the
        same messages either way, and may be none (RFC 5182 section 2.1).

        @raise Refused: with BAD, for a sequence number that no message has
            (RFC 9051 section 9, seq-number).
        """
        if numbers.saved:
            return self.saved.uids()
        if by_uid:
            last = self.messages.last
            return self.messages.among(UidSet(numbers.resolve(last))) if last else UidSet()
        count = len(self.messages)
        if not count and numbers.ranges == ((1, STAR),):
            # Clients ask for 1:* without looking at EXISTS first; there is nothing to be wrong about.
            return UidSet()
        ranges = numbers.resolve(count)
        if not count or ranges[-1][1] > count:
            raise Refused(Bad("There is no message of that number"))
        return UidSet.ofRanges(pair for low, high in ranges for pair in self.messages.between(low, high))

    def save(self, uids: UidSet) -> None:
        """
        Let C{$} stand for these messages from now on, of those in the view.
        """
        self.saved = Numbering(self.messages.among(uids))

    def sequenceOf(self, uid: int) -> int | None:
        """
        The sequence number of a message, C{None} if it is not in the view.
        """
        return self.messages.sequenceOf(uid)

    def sequencesOf(self, uids: Iterable[int]) -> array[int]:
        """
        The sequence numbers of many, 0 for one that is not in the view.
        """
        return self.messages.sequencesOf(uids)

    def flagNames(self, uid: int, mask: int) -> tuple[str, ...]:
        """
        The names of a message's flags, C{\\Recent} among them.
        """
        names = flagNames(mask, self.keywords)
        return (*names, "\\Recent") if self.isRecent(uid) else names

    def flagText(self, uid: int, mask: int) -> bytes:
        """
        A message's flags as they stand in a C{FETCH} response: C{(\\Seen \\Recent)}.
        """
        key = (mask, bool(len(self._recent)) and self.isRecent(uid))
        text = self._rendered.get(key)
        if text is None:
            if len(self._rendered) >= _MAX_RENDERED:
                self._rendered.clear()
            text = b"(" + " ".join(self.flagNames(uid, mask)).encode("ascii") + b")"
            self._rendered[key] = text
        return text

    def allFlags(self) -> tuple[str, ...]:
        """
        Every flag that a message here can have.
        """
        return (*SYSTEM_FLAGS, *self.keywords)

    def permanentFlags(self) -> tuple[str, ...]:
        """
        The flags that the user may change for good, by the rights C{s}, C{t}
        and C{w} (RFC 4314 section 5.1.1), and C{\\*} if keywords may be made.
        """
        return () if self.read_only else _permanentFlags(self.rights, self.keywords)

    def learnKeywords(self, keywords: tuple[str, ...]) -> bool:
        """
        Take the folder's keywords as the store now knows them.

        @return: whether there are others.
        """
        if keywords == self.keywords:
            return False
        self.keywords = keywords
        self._rendered.clear()
        return True

    def noteOwnChanges(self, changed: FlagColumns) -> None:
        """
        Remember changes of flags of which the client has been told, or asked not
        to be: L{apply} does not report them again.
        """
        by_modseq: dict[int, list[int]] = {}
        for uid, modseq in zip(uint32s(changed.uids), uint64s(changed.modseqs), strict=True):
            if modseq > self.known_modseq:
                by_modseq.setdefault(modseq, []).append(uid)
        for modseq, uids in by_modseq.items():
            own = UidSet.of(uids)
            if modseq in self._own:
                own = UidSet.ofRanges((*self._own[modseq].ranges, *own.ranges))
            self._own[modseq] = own

    def forgetOwnChanges(self) -> None:
        """
        The command whose changes were noted came to a bad end, and the client cannot know
        how much of it was done: L{apply} reports them after all.
        """
        self._own.clear()

    def apply(self, delta: FolderDelta, may_expunge: bool) -> ViewChanges:
        """
        Take in a batch of changes.

        @param may_expunge: whether the client may be told of vanished messages
            now; else they keep their numbers until a later call.
        @return: what to tell the client.
        """
        recent = len(self._recent)
        vanished = self.messages.among(delta.vanished)
        self.vanished = UidSet.ofRanges((*self.vanished.ranges, *vanished.ranges))
        told = self.vanished if may_expunge else UidSet()
        expunged = self._expunge() if may_expunge else uint32s()
        keywords = self.learnKeywords(delta.keywords)
        last = self.messages.last
        uids, flags, modseqs = uint32s(), uint64s(), uint64s()
        new = uint32s()
        changed = delta.changed
        columns = zip(uint32s(changed.uids), uint64s(changed.flags), uint64s(changed.modseqs), strict=True)
        for uid, mask, modseq in columns:
            if uid > last:
                if uid not in delta.vanished:
                    new.append(uid)
            elif modseq not in self._own or uid not in self._own[modseq]:
                uids.append(uid)
                flags.append(mask)
                modseqs.append(modseq)
        came = self.messages.append(new)
        if delta.first_recent:
            self._recent.append(uid for uid in new if uid >= delta.first_recent)
        sequences = self.messages.sequencesOf(uids)
        if 0 in sequences:
            known = [at for at, sequence in enumerate(sequences) if sequence]
            sequences = uint32s(sequences[at] for at in known)
            uids = uint32s(uids[at] for at in known)
            flags = uint64s(flags[at] for at in known)
            modseqs = uint64s(modseqs[at] for at in known)
        return ViewChanges(
            expunged=expunged,
            vanished=told,
            exists=len(self.messages) if came else None,
            recent=len(self._recent) if came or len(self._recent) != recent else None,
            keywords=keywords,
            sequences=sequences,
            uids=uids,
            flags=flags,
            modseqs=modseqs,
        )

    def applied(self, highest_modseq: int) -> None:
        """
        All batches of an answer have been taken in, up to this mod-sequence.
        """
        self.known_modseq = max(self.known_modseq, highest_modseq)
        if not self.vanished:
            self.settled_modseq = self.known_modseq
        self._own = {modseq: uids for modseq, uids in self._own.items() if modseq > self.known_modseq}

    def nothingNew(self) -> FolderDelta:
        """
        A batch without changes: to L{apply} it tells of what had to wait.
        """
        return FolderDelta(self.known_modseq, UidSet(), FlagColumns(), self.keywords)

    def _expunge(self) -> array[int]:
        if not self.vanished:
            return uint32s()
        numbers = self.messages.remove(self.vanished)
        self._recent.remove(self.vanished)
        self.saved.remove(self.vanished)
        self.vanished = UidSet()
        return numbers


def uidsFrom(uids: UidSet, first: int) -> UidSet:
    """
    Those from C{first} on.
    """
    return UidSet(tuple((max(low, first), high) for low, high in uids.ranges if high >= first))
