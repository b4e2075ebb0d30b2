# mypy: allow-untyped-calls
"""
What every transport must do, as tests.

For a transport of your own::

    class MyTransportTests(TransportTestsMixin, TestCase):
        impossible = {"ProcessTests": "both ends of it are in one process", ...}

        def makeTransport(self, limits):
            return MyTransport(reactor, limits)

C{TestCase} is L{twisted.trial.unittest.TestCase}.  The checks come in groups.
Those that need nothing but both ends in one process are in
L{TransportTestsMixin}: L{FullTests}, L{DataTests}, L{FlowTests}, L{DeathTests}
and L{LeakTests}.  The others need more of you:

  - L{ProcessTests}: a description by which another process can connect;
  - L{HostileTests}: a peer that breaks your transport's protocol by hand;
  - L{SharedMemoryTests}: the same for what is peculiar to shared memory;
  - L{CounterTests}: a way to make a channel's counters large.

A group that makes no sense for a transport is declared in C{impossible}, with
the reason; a check sees to it that each group is either there or declared.  A
single check can be declared too, by its name; it is then reported as skipped.

C{TRANSPORTS_SOAK} (messages offered under overload), C{TRANSPORTS_KILLS} (how
often a process is killed by one check) and C{TRANSPORTS_PROGRAMS} (random
programs against the model) in the environment make it longer.

Each test is one property, and L{transports.testing.broken} shows for each
important one a transport that fails it.  The invariant
C{0 <= blocks_allocated <= capacity} is looked at in every step of every test.
L{DataTests} needs Hypothesis.
"""

from __future__ import annotations

from transports.testing._data import CounterTests, DataTests
from transports.testing._death import DeathTests
from transports.testing._flow import FlowTests
from transports.testing._full import FullTests
from transports.testing._harness import LIMITS, ConformanceBase, End, Pair, Place, Recorder, bytesFor
from transports.testing._hostile import HostilePeer, HostileTests, Offence
from transports.testing._leaks import LeakTests
from transports.testing._processes import ProcessTests
from transports.testing._sharedmemory import HostileMemory, SharedMemoryTests

__all__ = [
    "GROUPS",
    "LIMITS",
    "ConformanceBase",
    "CounterTests",
    "DataTests",
    "DeathTests",
    "End",
    "FlowTests",
    "FullTests",
    "HostileMemory",
    "HostilePeer",
    "HostileTests",
    "LeakTests",
    "Offence",
    "Pair",
    "Place",
    "ProcessTests",
    "Recorder",
    "SharedMemoryTests",
    "TransportTestsMixin",
    "bytesFor",
]

#: All groups of checks.
GROUPS: tuple[type[ConformanceBase], ...] = (
    FullTests,
    DataTests,
    FlowTests,
    DeathTests,
    LeakTests,
    CounterTests,
    ProcessTests,
    HostileTests,
    SharedMemoryTests,
)


class TransportTestsMixin(FullTests, DataTests, FlowTests, DeathTests, LeakTests):
    """
    All that can be checked with both ends in one process, and that the rest is
    there or declared impossible.
    """

    def test_everyGroupIsThereOrDeclared(self) -> None:
        """
        Each group of checks is either run or declared impossible, with a
        reason, and nothing else is declared.
        """
        lacking = {group.__name__ for group in GROUPS if not isinstance(self, group)}
        declared = set(self.impossible)
        self.assertEqual(lacking - declared, set(), "neither there nor declared impossible")
        unknown = {
            name for name in declared - lacking if not name.startswith("test_") or not hasattr(self, name)
        }
        self.assertEqual(unknown, set(), "declared impossible, but there or unknown")
        for name, reason in self.impossible.items():
            self.assertGreater(len(reason.split()), 2, f"why is {name} impossible?")
