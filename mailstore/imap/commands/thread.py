"""
THREAD and UID THREAD (RFC 5256 section 3), by REFERENCES and by ORDEREDSUBJECT.

The trees are held as packed numbers, no more than twice what a view can have, until they are complete.  A
message that the client does not know of yet, or that vanished, is taken out of its tree.
"""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING

import attrs

from mailstore.imap.command import Command, Ok, Refused, Reply
from mailstore.imap.finding import termOf
from mailstore.imap.progress import Progress
from mailstore.imap.searching import BAD_CHARSET
from mailstore.imap.session import SessionOver
from mailstore.imap.states import SELECTED
from mailstore.imap.trees import flattened, groups, pruned, trees
from mailstore.imap.wire import threadargs
from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.threadargs import ThreadNode, readThread, threadListPieces
from mailstore.imap.wire.values import UnknownCharset
from mailstore.model import SearchTerm, ThreadAlgorithm, uint32s

if TYPE_CHECKING:
    from mailstore.imap.session import Session
    from mailstore.imap.view import View

_ALGORITHMS = {
    threadargs.ThreadAlgorithm.ORDEREDSUBJECT: ThreadAlgorithm.ORDEREDSUBJECT,
    threadargs.ThreadAlgorithm.REFERENCES: ThreadAlgorithm.REFERENCES,
}

_WITHOUT_UNKNOWN = {
    ThreadAlgorithm.ORDEREDSUBJECT: flattened,
    ThreadAlgorithm.REFERENCES: pruned,
}

#: Messages that are made into text at once.
_GROUP = 4_096


@attrs.frozen
class ThreadArguments:
    """
    What to look for, how to put it together, and whether to answer with UIDs.
    """

    arguments: threadargs.ThreadArguments
    by_uid: bool


def parse(reader: Reader, by_uid: bool) -> ThreadArguments:
    """
    Read what follows the command's name.

    @raise ParseError:
    @raise Refused: with NO and C{BADCHARSET}, for an unknown character set.
    """
    reader.space()
    try:
        return ThreadArguments(readThread(reader), by_uid)
    except UnknownCharset:
        raise Refused(BAD_CHARSET) from None


async def run(session: Session, arguments: ThreadArguments) -> Reply:
    """
    Search, and send the trees in one line, in pieces.
    """
    view = session.view
    assert view is not None
    term = await termOf(session, view, arguments.arguments.program)
    algorithm = _ALGORITHMS[arguments.arguments.algorithm]
    numbers, depths = await _find(session, view, term, algorithm, arguments.by_uid)
    await session.write(b"* THREAD")
    space = b" "
    for start, end in groups(depths, _GROUP):
        nodes = _nodes(numbers[start:end], depths[start:end], algorithm)
        if not nodes:
            continue
        for piece in threadListPieces(nodes):
            await session.write(space + piece)
            space = b""
    await session.write(b"\r\n")
    return Ok()


async def _find(
    session: Session, view: View, term: SearchTerm, algorithm: ThreadAlgorithm, by_uid: bool
) -> tuple[array[int], array[int]]:
    """
    The numbers and depths of the messages found; 0 for a message that is not there or not known.

    @raise SessionOver: the client has gone; the store looks no further.
    """
    numbers, depths = uint32s(), uint32s()
    progress = Progress(session)
    batches = session.store.threads(session.user, view.folder, term, algorithm)
    try:
        async for batch in batches:
            await progress.tell()
            if session.link.lost:
                raise SessionOver()
            uids = uint32s(batch.uids)
            sequences = view.sequencesOf(uids)
            if by_uid:
                known = zip(uids, sequences, strict=True)
                numbers.extend(uid if sequence else 0 for uid, sequence in known)
            else:
                numbers.extend(sequences)
            depths.extend(uint32s(batch.depths))
    finally:
        await batches.aclose()
    return numbers, depths


def _nodes(numbers: array[int], depths: array[int], algorithm: ThreadAlgorithm) -> list[ThreadNode]:
    """
    Some whole trees, with nothing in them but what the client knows.
    """
    nodes = list(zip(depths, numbers, strict=True))
    if 0 not in numbers:
        return nodes
    without = _WITHOUT_UNKNOWN[algorithm]
    return [node for start, end in trees(depths) for node in without(nodes[start:end])]


COMMANDS = (
    Command("THREAD", SELECTED, partial(parse, by_uid=False), run, uses_seqs=True),
    Command("UID THREAD", SELECTED, partial(parse, by_uid=True), run),
)
