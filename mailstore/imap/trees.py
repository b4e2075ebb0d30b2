"""
Trees of messages, as columns in preorder: what is left of them when some of their messages
are not known to the client.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from mailstore.imap.wire.threadargs import ThreadNode


def trees(depths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """
    Where each tree begins and ends.
    """
    start = 0
    for at in range(1, len(depths) + 1):
        if at == len(depths) or not depths[at]:
            yield start, at
            start = at


def groups(depths: array[int], size: int) -> Iterator[tuple[int, int]]:
    """
    Where groups of whole trees begin and end, of C{size} messages or as many as the last of them has more.
    """
    start = end = 0
    for _, end in trees(depths):
        if end - start >= size:
            yield start, end
            start = end
    if end > start:
        yield start, end


def pruned(nodes: Sequence[ThreadNode]) -> list[ThreadNode]:
    """
    One tree without its messages of number 0, as RFC 5256 section 3 has it for REFERENCES (steps 3 and 4):
    their children take their places; only a root stays, as long as it holds more than one together.
    """
    if all(number for _, number in nodes):
        return list(nodes)
    kept = [nodes[0]]
    #: For each message on the way to the present one: how deep it is, without those that go.
    path = [0]
    children = 0
    for depth, number in nodes[1:]:
        del path[depth:]
        if not number:
            path.append(path[-1])
            continue
        path.append(path[-1] + 1)
        kept.append((path[-1], number))
        children += path[-1] == 1
    if nodes[0][1] or children > 1:
        return kept
    return [(depth - 1, number) for depth, number in kept[1:]]


def flattened(nodes: Sequence[ThreadNode]) -> list[ThreadNode]:
    """
    One tree without its messages of number 0, as ORDEREDSUBJECT has it: all others are children of the first.
    """
    numbers = [number for _, number in nodes if number]
    return [(int(at > 0), number) for at, number in enumerate(numbers)]
