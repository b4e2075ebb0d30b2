"""
What a client missed while it was away (RFC 7162 sections 3.2.5 and 3.2.6).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.fetching import Plan
from mailstore.imap.fetchways import fetchAll
from mailstore.imap.numbering import Numbering
from mailstore.imap.wire.condstore import vanishedLines
from mailstore.imap.wire.values import FetchData
from mailstore.model import UidSet, uint32s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View
    from mailstore.imap.wire.selectargs import QResync

#: Pairs of sequence number and UID that are looked at.
_MOST_SAMPLES = 10_000

#: What is told of a message that changed (RFC 7162 section 3.2.5.1).
_ITEMS = (FetchData.UID, FetchData.FLAGS, FetchData.MODSEQ)


@attrs.frozen
class Missed:
    """
    What happened in a folder after some mod-sequence.
    """

    #: Messages of the view that are new or have changed.
    changed: UidSet
    #: UIDs of messages that have gone, but for those in the view: of these the client
    #: is told in another way.  May name some that it never knew.
    vanished: UidSet

    def changedAmong(self, uids: UidSet) -> UidSet:
        """
        Those of C{uids} that are new or have changed.
        """
        return Numbering(uids).among(self.changed)

    def vanishedAmong(self, uids: UidSet) -> UidSet:
        """
        Those of C{uids} that have gone.
        """
        return Numbering(uids).among(self.vanished)


async def missedSince(session: Session, view: View, since: int) -> Missed:
    """
    Ask the store what happened.

    @raise StoreError: as L{IStore.changes<mailstore.interfaces.IMessages.changes>}.
    """
    changed = uint32s()
    vanished: list[tuple[int, int]] = []
    deltas = session.store.changes(session.user, view.folder, since, False)
    try:
        async for delta in deltas:
            changed.extend(uint32s(delta.changed.uids))
            vanished.extend(delta.vanished.ranges)
    finally:
        await deltas.aclose()
    gone = Numbering(UidSet.ofRanges(vanished))
    gone.remove(view.messages.uids())
    return Missed(view.messages.among(UidSet.of(changed)), gone.uids())


async def resynchronize(session: Session, view: View, known: QResync, uid_next: int) -> None:
    """
    Tell a client that opens a folder again what it missed, if it is still the folder that it knew
    (RFC 7162 section 3.2.5).

    @param uid_next: the folder's.
    @raise StoreError: as L{missedSince}.
    """
    if known.uid_validity != view.uid_validity:
        return
    asked = UidSet(((1, uid_next - 1),) if uid_next > 1 else ())
    if known.known_uids is not None:
        asked = UidSet(known.known_uids.resolve(view.messages.last))
    missed = await missedSince(session, view, known.mod_sequence)
    same = _lastUnmoved(view, known)
    gone = UidSet(
        tuple((max(low, same + 1), high) for low, high in missed.vanishedAmong(asked).ranges if high > same)
    )
    await session.writeLines(vanishedLines(gone.ranges, earlier=True))
    await fetchAll(session, view, missed.changedAmong(asked), Plan(_ITEMS))


def _lastUnmoved(view: View, known: QResync) -> int:
    """
    The last UID that is still at its place, or 0: of all up to it, none has gone since
    (RFC 7162 section 3.2.5.2).
    """
    last = 0
    for sequence, uid in islice(known.samples(), _MOST_SAMPLES):
        if sequence > len(view):
            break
        if view.sequenceOf(uid) != sequence:
            break
        last = uid
    return last
