"""
What every transport must do, as tests.

For a transport of your own::

    class MyTransportTests(TransportTestsMixin, TestCase):
        def makeTransport(self, limits):
            return MyTransport(reactor, limits)

L{TransportTestsMixin} holds all groups; each can be had alone.  Each test is one
property, and L{transports.testing.broken} shows for each important one a
transport that fails it.  The invariant C{0 <= blocks_allocated <= capacity} is
looked at in every step of every test.
"""

from __future__ import annotations

from transports.testing._data import DataTests
from transports.testing._death import DeathTests
from transports.testing._flow import FlowTests
from transports.testing._full import FullTests
from transports.testing._harness import LIMITS, ConformanceBase, End, Pair, Recorder, bytesFor

__all__ = [
    "LIMITS",
    "ConformanceBase",
    "DataTests",
    "DeathTests",
    "End",
    "FlowTests",
    "FullTests",
    "Pair",
    "Recorder",
    "TransportTestsMixin",
    "bytesFor",
]


class TransportTestsMixin(FullTests, DataTests, FlowTests, DeathTests):
    """
    All that can be checked with both ends in one process.
    """
