"""
The place in the file system where a Unix socket is found.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from transports.errors import CannotConnect, CannotListen

#: Bytes of the longest path that fits into a socket address.
LONGEST_PATH = 107 if sys.platform == "linux" else 103

#: How the system says that nobody listens at a path.
_NOBODY = (errno.ENOENT, errno.ECONNREFUSED)

#: Connections that may wait to be accepted.
_BACKLOG = 128


def openPlace(path: str) -> tuple[socket.socket, tuple[int, int]]:
    """
    Listen at C{path}, for this user only (mode 0600).  The socket file that a
    dead process left there is replaced.

    @return: the listening socket, and what L{closePlace} needs to know the file by.
    @raise CannotListen: somebody listens there, or the system refuses.
    """
    try:
        with _opening(path):
            _removeStale(path)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                _bind(listening, path)
                listening.listen(_BACKLOG)
                listening.setblocking(False)
                return listening, _identity(path)
            except BaseException:
                listening.close()
                raise
    except OSError as error:
        raise CannotListen(f"cannot listen at {path}: {_reason(error, path)}") from error


def _reason(error: OSError, path: str) -> str:
    """
    Say why no socket can be made at C{path}; mostly it is the directory.
    """
    directory = os.path.dirname(path) or os.curdir
    if error.errno == errno.ENOENT and not os.path.exists(directory):
        return f"the directory {directory} does not exist"
    if error.errno == errno.ENOTDIR:
        return f"{directory} is no directory"
    if error.errno in (errno.EACCES, errno.EPERM) and not os.access(directory, os.W_OK | os.X_OK):
        return f"this user may not make files in the directory {directory}"
    return error.strerror or str(error)


def dialPlace(path: str, uidOf: Callable[[socket.socket], int]) -> socket.socket:
    """
    Connect to C{path}, if one listens there who is trusted.

    @param uidOf: L{peerUid}.
    @return: a non-blocking socket.
    @raise CannotConnect: the message says why.
    """
    try:
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.setblocking(False)
            connected.connect(path)
            uid = uidOf(connected)
            if not isTrusted(uid):
                raise CannotConnect(f"the listener runs as user {uid}, not {os.geteuid()}")
            return connected
        except BaseException:
            connected.close()
            raise
    except BlockingIOError as error:
        raise CannotConnect("the listener has too many connections to accept already") from error
    except OSError as error:
        why = "nobody listens there" if error.errno in _NOBODY else error.strerror or str(error)
        raise CannotConnect(why) from error


def closePlace(path: str, identity: tuple[int, int]) -> None:
    """
    Remove the socket file, unless somebody has put another one there.
    """
    try:
        if _identity(path) == identity:
            os.unlink(path)
    except OSError:
        # It is gone, or the directory is not ours any more: nothing is left to do.
        pass


def peerUid(connected: socket.socket) -> int:
    """
    The user that the process at the other end of a Unix socket ran as when it
    connected or began to listen; the kernel's word, not the peer's.

    @raise OSError: the system does not say.
    """
    if hasattr(socket, "SO_PEERCRED"):
        _, uid, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(uid)
    # BSD and macOS: struct xucred begins with its version and the effective uid; level SOL_LOCAL is 0.
    local_peercred = getattr(socket, "LOCAL_PEERCRED", 1)
    _, uid = struct.unpack_from("Ii", connected.getsockopt(0, local_peercred, 76))
    return int(uid)


def isTrusted(uid: int) -> bool:
    """
    Whether a peer of that user is let in: our own user, or root, who could be
    anybody.
    """
    return uid in (os.geteuid(), 0)


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def _bind(listening: socket.socket, path: str) -> None:
    # The mode must be right from the first instant, so it comes from the umask.
    mask = os.umask(0o177)
    try:
        listening.bind(path)
    finally:
        os.umask(mask)


@contextmanager
def _opening(path: str) -> Iterator[None]:
    """
    Keep others from judging or replacing the socket file while this process
    makes its own.
    """
    lock_path = path + ".lock"
    lock = os.open(lock_path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.fstat(lock).st_ino == os.lstat(lock_path).st_ino
        except OSError:
            same = False
        if not same:
            raise CannotListen(f"cannot listen at {path}: another process is about to")
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                os.unlink(lock_path)
    finally:
        os.close(lock)


def _removeStale(path: str) -> None:
    """
    Make way if what is at C{path} is a socket at which nobody listens.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListen(f"cannot listen at {path}: there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        code = probe.connect_ex(path)
    if code != errno.ECONNREFUSED:
        # With a full backlog it is EAGAIN.
        why = "somebody listens there already" if code in (0, errno.EAGAIN) else os.strerror(code)
        raise CannotListen(f"cannot listen at {path}: {why}")
    os.unlink(path)
