"""
L{transports.memory}.
"""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from transports.interfaces import ITransport
from transports.limits import Limits
from transports.memory import MemoryTransport
from transports.testing.conformance import TransportTestsMixin


class MemoryConformanceTests(TransportTestsMixin, TestCase):
    """
    C{memory:} keeps the contract.
    """

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return MemoryTransport(reactor, limits)
