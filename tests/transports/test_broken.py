"""
The conformance suite is tested itself: each transport of
L{transports.testing.broken} fails it, by the check that names its fault.

That what they derive from passes all checks is seen in
L{tests.transports.test_conformance}.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure
from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.transports.hostile_shm import PlainPeer, SealedPeer
from tests.transports.hostile_sockets import SocketPeer
from tests.transports.test_conformance import OurTests
from transports._shmopening import Kind
from transports.interfaces import ITransport
from transports.limits import Limits
from transports.sharedmemory import SharedMemoryTransport
from transports.testing.broken import FAULTS, Fault, Maker, cleanUp
from transports.testing.conformance import HostilePeer, SharedMemoryTests

#: Checks of which any fault leaves at least one alone.
SPARED = ("test_waitingForTooMuch", "test_zeroLength", "test_capacityOfOneBlock")


def suiteFor(make: Maker) -> type[TestCase]:
    """
    The checks, for a transport.
    """

    class Suite(OurTests, SharedMemoryTests, TestCase):
        def makeTransport(self, limits: Limits) -> ITransport:
            from twisted.internet import reactor

            directory = tempfile.mkdtemp(prefix="ms")
            self.addCleanup(shutil.rmtree, directory)
            return make(reactor, limits, f"{directory}/s")

        def makeHostilePeer(self, transport: ITransport) -> HostilePeer:  # type: ignore[override]
            if not isinstance(transport, SharedMemoryTransport):
                return SocketPeer(self, transport)
            return (PlainPeer if transport.kind is Kind.PLAIN else SealedPeer)(self, transport)

    return Suite


def fails(make: Maker, check: str, patience: float | None = None) -> str:
    """
    Run one check.

    @param patience: how long to wait for what may never happen, in seconds.
    @return: what it complains of; C{""} if it passes.
    """
    suite = suiteFor(make)
    if patience is not None:
        suite.patience = patience  # type: ignore[attr-defined]
    result = TestResult()
    suite(check).run(result)
    return "\n".join(_complaint(failure) for _, failure in (*result.failures, *result.errors))


def _complaint(failure: Any) -> str:
    return str(failure.getErrorMessage() if isinstance(failure, Failure) else failure)


def caught(fault: Fault) -> Callable[[BrokenTransportsTests], None]:
    """
    Make the test that the suite catches a fault.
    """

    def test(self: BrokenTransportsTests) -> None:
        for each in fault.patches:
            self.patch(*each)
        complaint = fails(fault.make, fault.check, patience=fault.patience)
        self.forget()
        self.assertNotEqual(complaint, "", f"{fault.check} does not notice {fault.name}")
        for check in SPARED:
            if not fails(fault.make, check, patience=2.0):
                return
            self.forget()
        self.fail("a fault that fails everything shows nothing")

    test.__doc__ = f"{fault.name} is caught by {fault.check}."
    return test


class BrokenTransportsTests(SynchronousTestCase):
    """
    The suite finds what it is there to find; there is a test for each fault.
    """

    def forget(self) -> None:
        """
        What a broken transport leaves behind must complain now, not in another test.
        """
        cleanUp()
        gc.collect()
        self.flushLoggedErrors()

    def test_namesAreUnique(self) -> None:
        """
        No fault hides another.
        """
        self.assertEqual(len({fault.name for fault in FAULTS}), len(FAULTS))


for each in FAULTS:
    setattr(BrokenTransportsTests, f"test_{each.name}", caught(each))
