"""
What a search found: gathered from the store, as numbers for the client.

It is held as packed numbers, never more than the view holds itself, and answers
are sent when it is complete: a search that fails leaves no half an answer.  Messages that
the client does not know of yet, or that vanished, are not in it (RFC 2180 section 4.3).
"""

from __future__ import annotations

import time
from array import array
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.command import Bad, Refused
from mailstore.imap.messagesets import parts, widened
from mailstore.imap.progress import Progress
from mailstore.imap.searching import asksForModSequence, searchTerm
from mailstore.imap.session import SessionOver
from mailstore.imap.wire.values import SearchProgram
from mailstore.model import FetchSpec, SearchTerm, UidSet, uint32s, uint64s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Ranges of messages whose mod-sequences are asked for at once.
_RANGES = 256


@attrs.frozen
class Found:
    """
    Messages in the order in which they were found.
    """

    uids: array[int]
    #: The same array, or the sequence numbers, as the client asked.
    numbers: array[int]


async def termOf(session: Session, view: View, program: SearchProgram) -> SearchTerm:
    """
    What the store is to look for, at this moment.  Who looks for a mod-sequence is told
    of them from now on (RFC 7162 section 3.1).

    @raise Refused: with BAD, for a sequence number that no message has.
    """
    term = searchTerm(view, program.key, int(time.time()))
    if asksForModSequence(program.key):
        await session.useModSequences()
    return term


def checkCharset(session: Session, program: SearchProgram) -> None:
    """
    Who has enabled UTF-8 names no character set (RFC 6855 section 3).

    @raise Refused: with BAD.
    """
    if program.charset and "UTF8=ACCEPT" in session.enabled:
        raise Refused(Bad("There is no CHARSET after ENABLE UTF8=ACCEPT"))


async def gather(
    session: Session,
    view: View | None,
    batches: AsyncGenerator[bytes, None],
    by_uid: bool,
    enough: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """
    Take everything that the store finds, of the messages that the client knows.

    @param view: C{None} for a folder of which it knows nothing; then C{by_uid} is true.
    @param batches: packed UIDs; is closed in the end.
    @param enough: look no further when there are so many.
    @param progress: of a command that gathers more than once.
    @raise SessionOver: the client has gone; the store looks no further.
    """
    uids = uint32s()
    numbers = uids if by_uid else uint32s()
    progress = progress or Progress(session)
    try:
        async for batch in batches:
            if session.link.lost:
                raise SessionOver()
            await progress.tell()
            some = uint32s(batch)
            if view is not None:
                sequences = view.sequencesOf(some)
                if 0 in sequences:
                    known = zip(some, sequences, strict=True)
                    some = uint32s(uid for uid, sequence in known if sequence)
                    sequences = uint32s(filter(None, sequences))
                if not by_uid:
                    numbers.extend(sequences)
            uids.extend(some)
            if enough is not None and len(uids) >= enough:
                break
    finally:
        await batches.aclose()
    return Found(uids, numbers)


async def highestModSequence(
    session: Session, view: View, program: SearchProgram, uids: array[int]
) -> int | None:
    """
    What to tell of the mod-sequences of the messages found: the highest of them (RFC 7162
    sections 3.1.5 and 3.1.6).

    @return: C{None} if the client did not ask for it, or if there are no messages.
    @raise SessionOver: the client has gone.
    """
    if not uids or not asksForModSequence(program.key):
        return None
    highest = 0
    spec = FetchSpec(modseq=True)
    for part in parts(widened(view.messages, UidSet.of(uids)), _RANGES):
        batches = session.store.fetch(session.user, view.folder, part, spec)
        try:
            async for batch in batches:
                if session.link.lost:
                    raise SessionOver()
                highest = max(highest, max(uint64s(batch.modseqs), default=0))
        finally:
            await batches.aclose()
    return highest or None
