"""
From the keys of a SEARCH to the terms that a store understands: what the
client's own view decides is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.imap.messagesets import widened
from mailstore.imap.wire.values import SearchKey, SearchKind, SequenceSet
from mailstore.model import Criterion, SearchTerm, UidSet

if TYPE_CHECKING:
    from mailstore.imap.view import View

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
}


def searchTerm(view: View, key: SearchKey) -> SearchTerm:
    """
    The term for C{key}.  Sets of messages and C{RECENT} become sets of UIDs, by the view.

    The wire's limits bound how deep keys are nested.

    @raise Refused: with BAD, for a sequence number that no message has.
    """
    if key.kind is SearchKind.SEQUENCE or key.kind is SearchKind.UID:
        return _messages(view, key.sequence, key.kind is SearchKind.UID)
    if key.kind is SearchKind.RECENT:
        return SearchTerm(Criterion.UID, uids=widened(view.messages, _recent(view)))
    return SearchTerm(
        _CRITERIA[key.kind],
        terms=tuple(searchTerm(view, each) for each in key.keys),
        text=key.text,
        field=key.field,
        number=key.number,
    )


def _messages(view: View, numbers: SequenceSet | None, by_uid: bool) -> SearchTerm:
    uids = UidSet() if numbers is None else view.uidsOf(numbers, by_uid)
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
