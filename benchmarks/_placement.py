"""
Where the two processes of a measurement run, and whether idle cores sleep.

How long a sleeping process takes to wake up depends on where it sleeps:

  - on the same core, waking it is a switch from one process to the other;
  - on another core that has nothing else to do, that core has stopped, and
    starting it again takes as long as the machine (or the hypervisor that
    pretends to be one) takes, whatever woke it;
  - on another core that is kept from stopping, it takes what the software takes.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

import attrs

#: While somebody has this open and has written a 0 there, the kernel lets idle
#: cores poll and not stop (Linux, Documentation/power/pm_qos_interface.rst).
_LATENCY = "/dev/cpu_dma_latency"


@attrs.frozen
class Placement:
    """
    Which cores a measurement uses.
    """

    #: For headings.
    name: str
    #: The core of the process that measures, or C{None}: the system decides.
    ours: int | None = None
    #: The core of all the others, or C{None}: the system decides.
    theirs: int | None = None
    #: Whether idle cores are kept from stopping.
    awake: bool = False
    #: Whether the gates are judged here.
    judged: bool = False

    @contextlib.contextmanager
    def inForce(self, pids: list[int]) -> Iterator[None]:
        """
        Run with the processes where they belong; all is as before at the end.

        @param pids: the other processes.
        """
        with contextlib.ExitStack() as stack:
            if self.ours is not None and self.theirs is not None:
                before = os.sched_getaffinity(0)
                for pid in (os.getpid(), *pids):
                    stack.callback(_pin, pid, before)
                _pin(os.getpid(), {self.ours})
                for pid in pids:
                    _pin(pid, {self.theirs})
            if self.awake:
                stack.enter_context(keepAwake())
            yield


def _pin(pid: int, cores: set[int]) -> None:
    """
    Put all threads of a process on C{cores}.
    """
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), cores)


@contextlib.contextmanager
def keepAwake() -> Iterator[None]:
    """
    Keep idle cores from stopping.

    @raise OSError: this needs the right to write to C{/dev/cpu_dma_latency}.
    """
    number = os.open(_LATENCY, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(number, struct.pack("=i", 0))
        yield
    finally:
        os.close(number)


def placements() -> list[Placement]:
    """
    What can be measured on this machine; gates are judged in the first.
    """
    if not hasattr(os, "sched_setaffinity"):
        return [Placement("wherever the system puts them", judged=True)]
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return [Placement("one core", cores[0], cores[0], judged=True)]
    apart = Placement("two cores", cores[0], cores[1])
    together = Placement("one core", cores[0], cores[0])
    try:
        with keepAwake():
            awake = Placement("two cores, awake", cores[0], cores[1], awake=True, judged=True)
    except OSError:
        return [attrs.evolve(apart, judged=True), together]
    return [awake, together, apart]
