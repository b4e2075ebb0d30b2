"""
One direction of a shared memory channel, as one side has it: memory, and
doorbells where there are any.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import attrs

from transports._descriptors import checkDoorbell, closeAll, createDoorbell
from transports._ring import Memory
from transports._segment import Segment, createPlain, createSealed, openPlain, openSealed
from transports._shmopening import Kind
from transports.errors import ChannelCorrupt

#: Descriptors that belong to a direction.
DESCRIPTORS = {Kind.SEALED: 3, Kind.PLAIN: 1}


@attrs.frozen
class Half:
    """
    One direction, for its writer or for its reader.
    """

    #: Where its ring is.
    memory: Memory
    #: The doorbell of what is published, or -1.
    data: int
    #: The doorbell of what is given back, or -1.
    space: int
    _unmap: Callable[[], None]

    def close(self) -> None:
        """
        Let go of everything; to be called once.
        """
        self._unmap()
        closeAll(each for each in (self.data, self.space) if each >= 0)


def createHalf(kind: Kind, segment: Segment) -> tuple[Half, int]:
    """
    Make a direction, for its writer.

    @return: it, and the descriptor of its memory for the peer, which is the
        caller's to close.
    @raise OSError: the system refuses.
    """
    if kind is Kind.PLAIN:
        mapped, fd = createPlain(segment)
        return Half(mapped.memory, -1, -1, mapped.close), fd
    doorbells: list[int] = []
    try:
        for _ in range(2):
            doorbells.append(createDoorbell())
        mapped, fd = createSealed(segment)
    except BaseException:
        closeAll(doorbells)
        raise
    data, space = doorbells
    return Half(mapped.memory, data, space, mapped.close), fd


def descriptorsOf(half: Half, fd: int) -> list[int]:
    """
    What L{openHalf} needs of a direction at the other side.

    @param fd: the descriptor of its memory.
    """
    return [each for each in (fd, half.data, half.space) if each >= 0]


def openHalf(kind: Kind, segment: Segment, descriptors: list[int]) -> Half:
    """
    Take over a direction that the peer writes.

    @param descriptors: what the peer sent; they belong to this function.
    @raise ChannelCorrupt: it is not what was agreed; all descriptors are closed.
    """
    try:
        wanted = DESCRIPTORS[kind]
        if len(descriptors) > wanted:
            raise ChannelCorrupt(f"the peer sent more than {wanted} descriptors with its opening")
        if len(descriptors) < wanted:
            raise ChannelCorrupt(
                f"the peer sent {len(descriptors)} descriptors with its opening, not {wanted}"
            )
        if kind is Kind.PLAIN:
            mapped = openPlain(descriptors[0], segment)
            return Half(mapped.memory, -1, -1, mapped.close)
        fd, data, space = descriptors
        checkDoorbell(data)
        checkDoorbell(space)
        mapped = openSealed(fd, segment)
    except BaseException:
        closeAll(descriptors)
        raise
    os.close(fd)
    return Half(mapped.memory, data, space, mapped.close)
