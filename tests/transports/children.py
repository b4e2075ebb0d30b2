"""
Processes for the endurance programs L{tests.transports.soak} and
L{tests.transports.kills}: made by C{fork} from a process that has everything
imported and has never had a reactor, so that one costs milliseconds.

A child tells its parent things as JSON objects, one a line, through a pipe.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn

import attrs
from tqdm import tqdm

# Imported here, before any fork; the module that installs a reactor is not.
from twisted.internet import default as default
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

#: How a child tells its parent something.
Tell = Callable[[Mapping[str, Any]], None]

#: Seconds after which a child notices that its parent is gone.
_ORPHAN_CHECK = 1.0


class Child:
    """
    A forked process.

    @ivar pid: its number.
    """

    def __init__(self, work: Callable[[Tell], None]) -> None:
        """
        @param work: what the child does; the child ends when it returns, with
            the exit code 0, or 1 if it raised.
        """
        self._reading, writing = os.pipe()
        self._heard = b""
        self._status: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        # What is there already is left alone by the child's garbage collector: no copies for it.
        gc.freeze()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._reading)
            _live(work, writing)
        os.close(writing)

    def hear(self, patience: float) -> dict[str, Any] | None:
        """
        Wait for what the child tells next.

        @param patience: seconds to wait.
        @return: C{None} when it has ended.
        @raise TimeoutError: it said nothing.
        """
        end = time.monotonic() + patience
        while b"\n" not in self._heard:
            if not self._isReadable(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"a child said nothing for {patience} seconds")
            data = os.read(self._reading, 1 << 16)
            if not data:
                return None
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        return told

    def isHeard(self, patience: float) -> bool:
        """
        Whether the child says something, or ends, within C{patience} seconds.
        """
        return bool(self._heard) or self._isReadable(patience)

    def _isReadable(self, patience: float) -> bool:
        return bool(select.select([self._reading], [], [], patience)[0])

    def kill(self) -> None:
        """
        C{kill -9}.
        """
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """
        Wait until it has ended.

        @return: its exit code, or minus the signal that it died of.
        """
        if self._status is None:
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
            os.close(self._reading)
        return self._status

    def dispose(self) -> None:
        """
        Kill it if it has not been waited for.
        """
        if self._status is None:
            self.kill()
            self.wait()


def _live(work: Callable[[Tell], None], writing: int) -> None:
    def tell(what: Mapping[str, Any]) -> None:
        os.write(writing, json.dumps(what).encode("ascii") + b"\n")

    code = 1
    try:
        # Ctrl-C is the parent's; it kills its children.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        work(tell)
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@implementer(ILogObserver)
class Complaints(list[str]):
    """
    What is logged as an error in this process, the first of it.
    """

    most = 20

    def __call__(self, event: LogEvent) -> None:
        """
        See L{ILogObserver}.
        """
        if event.get("log_level", LogLevel.info) >= LogLevel.error and len(self) < self.most:
            failure = event.get("log_failure")
            detail = "" if failure is None else f": {failure.getTraceback()}"
            self.append(f"logged: {formatEvent(event)}{detail}")


def live(work: Callable[[Any, Complaints], Coroutine[Deferred[Any], Any, None]]) -> None:
    """
    Do the work of a child under a reactor of its own, which watches the parent:
    an orphan ends by itself.

    @param work: is called when the reactor runs, with the reactor and a list of
        what is logged as errors.  What it raises, this raises.
    """
    from twisted.internet import reactor as installed

    reactor: Any = installed
    complaints = Complaints()
    globalLogBeginner.beginLoggingTo([complaints], discardBuffer=True, redirectStandardIO=False)
    parent = os.getppid()
    failures: list[Failure] = []

    def check() -> None:
        if os.getppid() != parent:
            os._exit(1)

    def begin() -> None:
        done = Deferred.fromCoroutine(work(reactor, complaints))
        done.addErrback(failures.append).addBoth(lambda _: reactor.stop())

    watch = LoopingCall(check)
    watch.clock = reactor
    watch.start(_ORPHAN_CHECK)
    reactor.callWhenRunning(begin)
    reactor.run()
    for each in failures:
        each.raiseException()


def progressBar(description: str, total: int, unit: str) -> tqdm[NoReturn]:
    """
    A bar for a parent, on a terminal only.
    """
    # A process with threads must not fork, and the bar's monitor is one.
    tqdm.monitor_interval = 0
    return tqdm(total=total, desc=description, unit=unit, leave=False, disable=None)


def residentSize() -> int:
    """
    Bytes of this process in memory; where the system does not say, the most
    that it ever had.
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


@attrs.frozen
class Footprint:
    """
    What this process holds of the system.
    """

    #: Number and kind of each open descriptor.
    descriptors: frozenset[str]
    #: Each piece of memory that is shared with other processes.
    maps: frozenset[str]

    @classmethod
    def now(cls) -> Footprint:
        """
        At this instant.
        """
        return cls(frozenset(_descriptors()), frozenset(_sharedMaps()))

    def grownSince(self, before: Footprint) -> list[str]:
        """
        What is held now and was not held C{before}, and what is missing.
        """
        return [
            *(f"left open: {each}" for each in sorted(self.descriptors - before.descriptors)),
            *(f"closed: {each}" for each in sorted(before.descriptors - self.descriptors)),
            *(f"left mapped: {each}" for each in sorted(self.maps - before.maps)),
        ]


def _descriptors() -> list[str]:
    found = []
    for name in os.listdir("/dev/fd"):
        try:
            status = os.fstat(int(name))
        except OSError:
            # The one that listed them.
            continue
        try:
            kind = os.readlink(f"/dev/fd/{name}")
        except OSError:
            kind = f"inode {status.st_ino}"
        found.append(f"{name} {kind}")
    return found


def _sharedMaps() -> list[str]:
    try:
        with open("/proc/self/maps") as file:
            lines = [line.split(maxsplit=5) for line in file]
    except OSError:
        return []
    # The C library maps a cache of its own when it likes.
    return [" ".join(each).strip() for each in lines if each[1][3] == "s" and "gconv" not in each[-1]]
