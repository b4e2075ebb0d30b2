"""
How SEARCH and SORT answer: with their own response, or with ESEARCH and C{$} (RFC 4731, RFC 5182, RFC 5267).
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mailstore.imap.finding import gather, highestModSequence
from mailstore.imap.messagesets import orderedRuns
from mailstore.imap.wire.esearch import SearchResult, esearchPieces
from mailstore.imap.wire.partial import PartialResult
from mailstore.imap.wire.values import SearchProgram, SearchReturn
from mailstore.model import UidSet, uint32s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

#: Makes a response of its own, in pieces, of numbers and a mod-sequence.
Pieces = Callable[[Sequence[int], int | None], Iterator[bytes]]

#: Options that need no more than the first and the last message found.
_ENDS = frozenset({SearchReturn.MIN, SearchReturn.MAX})

_SAVE = frozenset({SearchReturn.SAVE})


async def answer(
    session: Session,
    view: View,
    program: SearchProgram,
    batches: AsyncGenerator[bytes, None],
    by_uid: bool,
    pieces: Pieces,
) -> None:
    """
    Take what the store finds, answer as the client wants it, and save what it wants saved.

    A search that was to be saved and ends in NO saves nothing, which is not what was there
    before (RFC 5182 section 2.1).

    @param pieces: the response for a client that gave no RETURN.
    """
    if program.returns is None:
        found = await gather(session, view, batches, by_uid)
        modseq = await highestModSequence(session, view, program, found.uids)
        for piece in pieces(found.numbers, modseq):
            await session.write(piece)
        return
    saved = UidSet()
    try:
        meant = await _return(session, view, program, program.returns - _SAVE, batches, by_uid)
        if SearchReturn.SAVE in program.returns:
            saved = UidSet.of(meant)
    finally:
        if SearchReturn.SAVE in program.returns:
            view.save(saved)


async def _return(
    session: Session,
    view: View,
    program: SearchProgram,
    wanted: frozenset[SearchReturn],
    batches: AsyncGenerator[bytes, None],
    by_uid: bool,
) -> array[int]:
    """
    Send an ESEARCH response with what is wanted, none if that is nothing.

    @return: the UIDs of the messages that the answer is about: all, or the ends (RFC 4731
        section 3.2, RFC 5182 section 2.4).
    """
    found = await gather(session, view, batches, by_uid, enough(program, wanted))
    numbers = found.numbers
    meant = _meant(program, wanted, found.uids)
    if not wanted:
        return meant
    modseq = await highestModSequence(session, view, program, meant)
    result = resultOf(program, wanted, numbers, modseq)
    for piece in esearchPieces(session.tag, by_uid, result):
        await session.write(piece)
    return meant


def resultOf(
    program: SearchProgram, wanted: frozenset[SearchReturn], numbers: array[int], modseq: int | None
) -> SearchResult:
    """
    What an ESEARCH response tells of the numbers that were found.
    """
    partial = None
    if program.partial is not None:
        start, end = program.partial.bounds(len(numbers))
        partial = PartialResult(program.partial, tuple(orderedRuns(iter(numbers[start:end]))))
    return SearchResult(
        lowest=numbers[0] if numbers and SearchReturn.MIN in wanted else None,
        highest=numbers[-1] if numbers and SearchReturn.MAX in wanted else None,
        found=orderedRuns(iter(numbers)) if SearchReturn.ALL in wanted else (),
        count=len(numbers) if SearchReturn.COUNT in wanted else None,
        mod_sequence=modseq,
        partial=partial,
    )


def _meant(program: SearchProgram, wanted: frozenset[SearchReturn], uids: array[int]) -> array[int]:
    """
    The messages that an answer is about: all, or the ends (RFC 4731 section 3.2, RFC 5182 section 2.4).
    """
    if program.partial is None:
        return _ends(uids, wanted) if wanted and wanted <= _ENDS else uids
    if SearchReturn.COUNT in wanted:
        return uids
    # RFC 9394 section 3.2: "PARTIAL & MIN & MAX".
    start, end = program.partial.bounds(len(uids))
    return uids[start:end] + _ends(uids, wanted)


def enough(program: SearchProgram, wanted: frozenset[SearchReturn]) -> int | None:
    """
    How many messages need to be found for what is wanted; C{None} for all.
    """
    if wanted == {SearchReturn.MIN}:
        return 1
    partial = program.partial
    if partial is None or partial.from_end or not wanted <= {SearchReturn.MIN, SearchReturn.PARTIAL}:
        return None
    return max(partial.first, partial.last)


def _ends(uids: array[int], wanted: frozenset[SearchReturn]) -> array[int]:
    """
    The first and the last of them, or the one that is wanted.
    """
    first = uids[:1] if SearchReturn.MIN in wanted else uint32s()
    return first + (uids[-1:] if SearchReturn.MAX in wanted else uint32s())
