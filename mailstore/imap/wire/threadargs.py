"""
THREAD::

    thread          = ["UID" SP] "THREAD" SP thread-alg SP search-criteria
    thread-alg      = "ORDEREDSUBJECT" / "REFERENCES" / thread-alg-ext
    thread-data     = "THREAD" [SP 1*thread-list]
    thread-list     = "(" (thread-members / thread-nested) ")"
    thread-members  = nz-number *(SP nz-number) [SP thread-nested]
    thread-nested   = 2*thread-list

(RFC 5256 section 5.)

Threads are given and written flat, message by message with its depth, since
a client's mail may nest them deeper than any stack::

    (0, 3) (1, 6) (2, 4) (3, 23) (2, 44) (3, 7) (3, 96)
        is  (3 6 (4 23)(44 (7)(96)))
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from mailstore.imap.wire.reader import Reader
from mailstore.imap.wire.searchkeys import readSearchCriteria
from mailstore.imap.wire.values import ParseError, SearchProgram

#: Bytes of one piece of an answer, or a little more.
_PIECE: Final = 16_384


class ThreadAlgorithm(enum.Enum):
    """
    How threads are found (RFC 5256 section 3).
    """

    ORDEREDSUBJECT = "ORDEREDSUBJECT"
    REFERENCES = "REFERENCES"


@attrs.frozen
class ThreadArguments:
    """
    The arguments of THREAD.
    """

    algorithm: ThreadAlgorithm
    program: SearchProgram


_ALGORITHMS: Final = {algorithm.value: algorithm for algorithm in ThreadAlgorithm}

#: A message of a thread: how many parents it has there, and its number; 0 stands for a message that
#: is not there and only holds its children together.
ThreadNode = tuple[int, int]


def readThread(reader: Reader) -> ThreadArguments:
    """
    Read everything behind C{THREAD} and its space, to the end of the command.

    @raise UnknownCharset: as L{readSearch<mailstore.imap.wire.searchkeys.readSearch>}.
    @raise ParseError: an unknown algorithm, or as there.
    """
    algorithm = _ALGORITHMS.get(reader.word())
    if algorithm is None:
        raise ParseError("Unknown algorithm for threads")
    reader.space()
    return ThreadArguments(algorithm, readSearchCriteria(reader))


def threadPieces(nodes: Sequence[ThreadNode]) -> Iterator[bytes]:
    """
    A THREAD response, in pieces to be sent one after the other.

    @param nodes: all messages, each before its children, children before the
        next brother; the first of each thread has depth 0.
    @raise ValueError: a message is deeper than its parent allows, or one that is not there has no children.
    """
    yield b"* THREAD " if nodes else b"* THREAD"
    yield from threadListPieces(nodes)
    yield b"\r\n"


def threadListPieces(nodes: Sequence[ThreadNode]) -> Iterator[bytes]:
    """
    C{*thread-list}: what stands in a THREAD response for some whole threads, in pieces.

    @raise ValueError: as L{threadPieces}.
    """
    pieces: list[str] = []
    size = 0
    #: Depths of the messages whose lists are open.
    lists: list[int] = []
    after_number = False
    for (depth, number), alone in zip(nodes, _onlyChildren(nodes), strict=True):
        text = ""
        if not alone:
            while lists and lists[-1] >= depth:
                lists.pop()
                text += ")"
            text += " (" if after_number and not text else "("
            lists.append(depth)
            after_number = False
        if number:
            text += f" {number}" if after_number else str(number)
            after_number = True
        pieces.append(text)
        size += len(text)
        if size >= _PIECE:
            yield "".join(pieces).encode("ascii")
            pieces.clear()
            size = 0
    yield "".join(pieces).encode("ascii") + b")" * len(lists)


def _onlyChildren(nodes: Sequence[ThreadNode]) -> list[bool]:
    """
    For each message whether it is the only child of its parent: then it needs no list of its own.
    """
    children = [0] * len(nodes)
    parents = [-1] * len(nodes)
    #: Places of the messages on the way to the present one.
    path: list[int] = []
    for at, (depth, _) in enumerate(nodes):
        if depth > len(path):
            raise ValueError("a message is deeper than one below its parent")
        del path[depth:]
        if path:
            parents[at] = path[-1]
            children[path[-1]] += 1
        path.append(at)
    if any(not number and not count for (_, number), count in zip(nodes, children, strict=True)):
        raise ValueError("a message that is not there has no children")
    return [parent >= 0 and children[parent] == 1 for parent in parents]
