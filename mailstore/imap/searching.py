"""
From the keys of a SEARCH to the terms that a store understands: what the
client's own view decides is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.command import No
from mailstore.imap.messagesets import widened
from mailstore.imap.wire.responsecodes import badCharset
from mailstore.imap.wire.values import SearchKey, SearchKind, SequenceSet
from mailstore.model import Criterion, SearchTerm, UidSet

if TYPE_CHECKING:
    from mailstore.imap.view import View

#: The reply to who names a character set that is not known.  Of those that are, it lists some.
BAD_CHARSET = No(
    "That character set is not known",
    badCharset(
        (
            *("US-ASCII", "UTF-8", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252", "KOI8-R"),
            *("ISO-2022-JP", "SHIFT_JIS", "EUC-KR", "GB18030", "BIG5"),
        )
    ),
)

_CRITERIA = {
    SearchKind.ALL: Criterion.ALL,
    SearchKind.AND: Criterion.AND,
    SearchKind.OR: Criterion.OR,
    SearchKind.NOT: Criterion.NOT,
    SearchKind.FLAG: Criterion.FLAG,
    SearchKind.LARGER: Criterion.LARGER,
    SearchKind.SMALLER: Criterion.SMALLER,
    SearchKind.BEFORE: Criterion.RECEIVED_BEFORE,
    SearchKind.ON: Criterion.RECEIVED_ON,
    SearchKind.SINCE: Criterion.RECEIVED_SINCE,
    SearchKind.SENTBEFORE: Criterion.SENT_BEFORE,
    SearchKind.SENTON: Criterion.SENT_ON,
    SearchKind.SENTSINCE: Criterion.SENT_SINCE,
    SearchKind.HEADER: Criterion.HEADER,
    SearchKind.BODY: Criterion.BODY,
    SearchKind.TEXT: Criterion.TEXT,
    SearchKind.SAVEDBEFORE: Criterion.SAVED_BEFORE,
    SearchKind.SAVEDON: Criterion.SAVED_ON,
    SearchKind.SAVEDSINCE: Criterion.SAVED_SINCE,
    # Here every folder keeps the time at which a message came to it (RFC 8514 section 4.3).
    SearchKind.SAVEDATESUPPORTED: Criterion.ALL,
    SearchKind.EMAILID: Criterion.EMAIL_ID,
    SearchKind.THREADID: Criterion.THREAD_ID,
}


def asksForModSequence(key: SearchKey) -> bool:
    """
    Whether C{MODSEQ} is in C{key}: then the answer tells a mod-sequence too (RFC 7162 section 3.1.5).
    """
    return key.kind is SearchKind.MODSEQ or any(map(asksForModSequence, key.keys))


def searchTerm(view: View | None, key: SearchKey, now: int, lenient: bool = False) -> SearchTerm:
    """
    The term for C{key}.  Sets of messages and C{RECENT} become sets of UIDs, by the view;
    ages become moments.  What is said of one mod-sequence for each flag is passed over (RFC 7162
    section 3.1.5).

    The wire's limits bound how deep keys are nested.

    @param view: C{None} for a folder that is not open, if nothing in C{key} depends on it.
    @param now: seconds since 1970 UTC.
    @param lenient: pass over sequence numbers that no message has (RFC 7377 section 2).
    @raise Refused: with BAD, for a sequence number that no message has.
    """
    if view is None:
        assert key.kind not in (SearchKind.SEQUENCE, SearchKind.UID, SearchKind.RECENT), key.kind
    elif key.kind is SearchKind.SEQUENCE or key.kind is SearchKind.UID:
        return _messages(view, key.sequence, key.kind is SearchKind.UID, lenient)
    elif key.kind is SearchKind.RECENT:
        return SearchTerm(Criterion.UID, uids=widened(view.messages, _recent(view)))
    if key.kind is SearchKind.MODSEQ:
        return SearchTerm(Criterion.MODSEQ, number=key.number)
    # RFC 5032 section 2: both take in who is exactly as old.
    if key.kind is SearchKind.OLDER:
        return SearchTerm(Criterion.ARRIVED_BEFORE, number=max(0, now - key.number + 1))
    if key.kind is SearchKind.YOUNGER:
        return SearchTerm(Criterion.ARRIVED_SINCE, number=max(0, now - key.number))
    return SearchTerm(
        _CRITERIA[key.kind],
        terms=tuple(searchTerm(view, each, now, lenient) for each in key.keys),
        text=key.text,
        field=key.field,
        number=key.number,
    )


def _messages(view: View, numbers: SequenceSet | None, by_uid: bool, lenient: bool) -> SearchTerm:
    uids = UidSet()
    if numbers is not None and lenient and not by_uid and not numbers.saved:
        count = len(view)
        there = ((low, min(high, count)) for low, high in numbers.resolve(count) if low <= count)
        uids = UidSet.ofRanges(pair for low, high in there for pair in view.messages.between(low, high))
    elif numbers is not None:
        uids = view.uidsOf(numbers, by_uid)
    return SearchTerm(Criterion.UID, uids=widened(view.messages, uids))


def _recent(view: View) -> UidSet:
    """
    The messages that are recent to this view: looked for from the newest on, where they are.
    """
    found: list[int] = []
    for sequence in range(len(view), 0, -1):
        if len(found) == view.recent:
            break
        uid = view.messages.uidOf(sequence)
        if view.isRecent(uid):
            found.append(uid)
    return UidSet.of(found)
