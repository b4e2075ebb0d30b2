"""
The conformance suite is tested itself: each transport of
L{transports.testing.broken} fails it, by the check that names its fault.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from twisted.trial.reporter import TestResult
from twisted.trial.runner import TestLoader
from twisted.trial.unittest import SynchronousTestCase, TestCase

from transports.interfaces import ITransport
from transports.limits import Limits
from transports.memory import MemoryChannel
from transports.testing.broken import FAULTS, Fault
from transports.testing.conformance import (
    ConformanceBase,
    DataTests,
    DeathTests,
    FlowTests,
    FullTests,
    TransportTestsMixin,
)


def groupOf(check: str) -> type[ConformanceBase]:
    """
    The group of checks that a check belongs to.
    """
    for group in (FullTests, DataTests, FlowTests, DeathTests):
        if hasattr(group, check):
            return group
    raise LookupError(f"there is no check {check}")


def runChecks(group: type[ConformanceBase], fault: Fault, hurry: bool) -> tuple[set[str], set[str]]:
    """
    Run a group of checks against a transport.

    @param hurry: do not wait long for what will not happen.
    @return: the names of the checks that failed, and of those that passed.
    """

    class Suite(group, TestCase):  # type: ignore[valid-type,misc]
        def makeTransport(self, limits: Limits) -> ITransport:
            from twisted.internet import reactor

            return fault.makeTransport(reactor, limits)

    if hurry:
        Suite.patience = 0.03
        Suite.timeout = 0.5
    result = TestResult()
    TestLoader().loadClass(Suite).run(result)
    names = set(TestLoader().getTestCaseNames(Suite))
    failed = {str(case.id()).rpartition(".")[2] for case, _ in (*result.failures, *result.errors)}
    return failed, names - failed


def caught(fault: Fault) -> Callable[[BrokenTransportsTests], None]:
    """
    Make the test that the suite catches a fault.
    """

    def test(self: BrokenTransportsTests) -> None:
        failed, passed = runChecks(groupOf(fault.check), fault, hurry=True)
        # What a broken transport leaves behind must complain now, not in another test.
        gc.collect()
        self.flushLoggedErrors()
        self.assertIn(fault.check, failed)
        self.assertTrue(passed, "a fault that fails everything shows nothing")

    test.__doc__ = f"{fault.name} is caught by {fault.check}."
    return test


class BrokenTransportsTests(SynchronousTestCase):
    """
    The suite finds what it is there to find; there is a test for each fault.
    """

    def test_unbroken(self) -> None:
        """
        The channel that all the broken ones derive from passes everything.
        """
        failed, passed = runChecks(TransportTestsMixin, Fault(MemoryChannel, ""), hurry=False)
        self.assertEqual(failed, set())
        self.assertGreater(len(passed), 50)


for each in FAULTS:
    setattr(BrokenTransportsTests, f"test_{each.name}", caught(each))
