"""
Descriptors that two processes share: doorbells, and what a peer has sent.

A doorbell is an C{eventfd}: a number in the kernel to which one side adds and
which the other takes.  It is not memory, so what was stored before the write
is seen after the read, on every processor; and nothing is lost between
looking and sleeping, because it is the number itself that the reactor waits
for.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable, Iterable

from transports.errors import ChannelCorrupt

_KIND = "anon_inode:[eventfd]"


def _missing(*arguments: int) -> int:
    """
    For systems that have no doorbells, where nobody comes here.
    """
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


#: Add to a doorbell; C{OSError} says that it is so full that the peer must have made it so.
ring: Callable[[int, int], object] = getattr(os, "eventfd_write", _missing)

#: Take what has been added to a doorbell; C{BlockingIOError} says that it is nothing.
take: Callable[[int], int] = getattr(os, "eventfd_read", _missing)


def createDoorbell() -> int:
    """
    Make a doorbell.

    @return: its descriptor, which the caller closes.
    @raise OSError: the system refuses.
    """
    return os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)


def checkDoorbell(fd: int) -> None:
    """
    Look whether what a peer has sent is a doorbell, and see to it that it never
    blocks.

    @raise ChannelCorrupt: it is something else.
    """
    try:
        kind = os.readlink(f"/proc/self/fd/{fd}")
    except OSError as error:
        raise ChannelCorrupt(f"the peer's descriptor cannot be looked at: {error.strerror}") from error
    if kind != _KIND:
        raise ChannelCorrupt("the peer's doorbell is no eventfd")
    if os.get_blocking(fd):
        os.set_blocking(fd, False)


def answer(fd: int) -> int:
    """
    Take what has been added to a doorbell; 0 if that is nothing.
    """
    try:
        return take(fd)
    except BlockingIOError:
        return 0


def looker(fd: int) -> Callable[[int], list[tuple[int, int]]]:
    """
    Make a function that looks whether a doorbell has been rung, or something is
    to be read from a socket, for less than it costs to try to take what is not
    there.

    @return: to be called with 0, for no waiting; what it returns is true when
        there is something.
    """
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return poller.poll


def closeAll(descriptors: Iterable[int]) -> None:
    """
    Close descriptors.
    """
    for each in descriptors:
        os.close(each)
