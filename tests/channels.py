"""
Every kind of channel there is, for tests that run over all of them.
"""

from __future__ import annotations

import shutil
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from tests.transports.certificates import certificates

#: The kinds, by the names that L{describe} knows them by.
KINDS = ("memory", "unix", "tcp", "tls", "shm", "portable")

#: Those that can join two processes.
BETWEEN_PROCESSES = KINDS[1:]


def shortDirectory(case: SynchronousTestCase) -> str:
    """
    A directory for this test alone, whose path leaves room for the name of a socket.
    """
    path = tempfile.mkdtemp(prefix="ms")
    case.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def describe(case: SynchronousTestCase, kind: str, options: str = "", directory: str = "") -> str:
    """
    The description of a new channel of this kind.

    @param options: further ones, such as C{":blocks=4"}.
    @param directory: where its files go, if it has any; by default, a new one.
    """
    if kind == "memory":
        # The first part is a name, not an option.
        return f"memory:{options}"
    if kind == "tcp":
        return f"tcp:127.0.0.1:0{options}"
    if kind == "tls":
        ours, authority = certificates().ours, certificates().authority
        return f"tcp:127.0.0.1:0:certificate={ours.path}:key={ours.key}:ca={authority.path}{options}"
    directory = directory or shortDirectory(case)
    if kind == "unix":
        return f"unix:{directory}/s{options}"
    if kind == "shm":
        return f"shm:{directory}/s{options}"
    if kind == "portable":
        return f"shm:{directory}/s:portable=yes{options}"
    raise ValueError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")


def atPort(description: str, port: int) -> str:
    """
    Where to connect to what listens at C{description}.

    @param port: what the listener chose for C{tcp:}; 0 if there is nothing to choose.
    """
    return description.replace(":0", f":{port}", 1) if port else description
