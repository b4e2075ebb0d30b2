"""
L{transports.sockets}.
"""

from __future__ import annotations

import shutil
import tempfile

from twisted.trial.unittest import TestCase

from transports.interfaces import ITransport
from transports.limits import Limits
from transports.sockets import UnixTransport
from transports.testing.conformance import TransportTestsMixin


class UnixConformanceTests(TransportTestsMixin, TestCase):
    """
    C{unix:} keeps the contract.
    """

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        return UnixTransport(reactor, f"{directory}/s", limits)
