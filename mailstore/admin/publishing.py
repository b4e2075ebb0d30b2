"""
Giving a file that is whole its name.
"""

from __future__ import annotations

import errno
import os

#: What a file system says that has no links.
_NO_LINKS = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))


def publish(part: str, destination: str) -> None:
    """
    Rename a file, but never over one that is there.

    @raise FileExistsError: there is one.
    @raise OSError: it cannot be done.
    """
    try:
        os.link(part, destination)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(destination):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), destination) from error
        os.rename(part, destination)
    else:
        os.unlink(part)
    directory = os.open(os.path.dirname(destination) or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
