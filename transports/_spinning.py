"""
Looking for the next message before the reactor sleeps.

Who waits for an answer that comes within microseconds pays more for being put to
sleep and woken than for the answer.  So a channel that has just handled messages
looks for more, for a bounded while: that is called spinning.  By itself it does so
only

  - on a machine with another processor, on which the peer can be at work,
  - as long as nothing else wants the reactor,
  - where it has paid lately: each look in vain makes the channel pass over more
    turns, up to L{MOST_PASSED}, before it looks again.

While it looks, the processor is offered to others all the time.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from functools import partial
from time import sleep

from transports._descriptors import looker

#: Seconds that a channel looks for one message where it has not been told.
SPIN = 50e-6

#: Seconds that a channel which has not been told keeps the reactor in one turn,
#: if message follows upon message.
LONGEST = 1e-3

#: Turns without a look after a look in vain, at most.
MOST_PASSED = 63

# Not every system has the first.
sched_yield: Callable[[], object] = getattr(os, "sched_yield", partial(sleep, 0))


def processors() -> int:
    """
    How many processors this process may use.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _watch(reactor: object) -> Callable[[int], list[tuple[int, int]]] | None:
    """
    A function that tells whether a descriptor of the reactor is ready, see
    L{looker}.  An C{epoll} is itself readable when something in it is; Twisted
    has no public way to ask for it, so where it is not found this is C{None}.
    """
    poller = getattr(reactor, "_poller", None)
    if hasattr(select, "epoll") and isinstance(poller, select.epoll) and not poller.closed:
        return looker(poller.fileno())
    return None


class Spinner:
    """
    When, and how long, one channel spins.

    @ivar seconds: how long it looks for one message.
    @ivar longest: seconds that it keeps the reactor in one turn.
    @ivar wanted: called with 0, true when somebody else may want the reactor.
    """

    __slots__ = ("_adapts", "_passed", "_passes", "longest", "seconds", "wanted")

    def __init__(
        self,
        seconds: float,
        longest: float,
        wanted: Callable[[int], object] = lambda _: False,
        adapts: bool = False,
    ) -> None:
        """
        @param adapts: whether it spins only where that has paid lately.
        """
        self.seconds = seconds
        self.longest = longest
        self.wanted = wanted
        self._adapts = adapts
        #: Turns passed over since the last look, and to be passed over.
        self._passed = 0
        self._passes = 0

    def pays(self) -> bool:
        """
        Whether to spin in this turn.
        """
        if self._passed < self._passes:
            self._passed += 1
            return False
        return True

    def note(self, found: bool) -> None:
        """
        It has spun: did something come?
        """
        if self._adapts:
            self._passed = 0
            self._passes = 0 if found else min(2 * self._passes + 1, MOST_PASSED)


def spinnerFor(reactor: object, seconds: float | None) -> Spinner | None:
    """
    Make what a channel spins by.

    @param reactor: the reactor that the channel keeps.
    @param seconds: how long in one turn, as somebody has chosen it; C{None} if
        nobody has.
    @return: C{None} if the channel is not to spin.
    """
    if seconds is not None:
        return Spinner(seconds, seconds) if seconds else None
    wanted = _watch(reactor)
    if wanted is None or processors() < 2:
        return None
    return Spinner(SPIN, LONGEST, wanted, adapts=True)
