"""
The conformance suite is tested itself: each transport of
L{transports.testing.broken} fails it, by the check that names its fault.
"""

from __future__ import annotations

from twisted.trial.reporter import TestResult
from twisted.trial.runner import TestLoader
from twisted.trial.unittest import SynchronousTestCase, TestCase

from transports.interfaces import ITransport
from transports.limits import Limits
from transports.memory import MemoryChannel
from transports.testing.broken import FAULTS, Fault
from transports.testing.conformance import TransportTestsMixin


def runSuite(fault: Fault) -> tuple[set[str], set[str]]:
    """
    Run the whole suite.

    @return: the names of the checks that failed, and of those that passed.
    """

    class Suite(TransportTestsMixin, TestCase):
        patience = 0.03
        timeout = 2.0

        def makeTransport(self, limits: Limits) -> ITransport:
            from twisted.internet import reactor

            return fault.makeTransport(reactor, limits)

    result = TestResult()
    suite = TestLoader().loadClass(Suite)
    suite.run(result)
    names = set(TestLoader().getTestCaseNames(Suite))
    failed = {str(case.id()).rpartition(".")[2] for case, _ in (*result.failures, *result.errors)}
    return failed, names - failed


class BrokenTransportsTests(SynchronousTestCase):
    """
    The suite finds what it is there to find.
    """

    def test_unbroken(self) -> None:
        """
        The channel that all the broken ones derive from passes.
        """
        failed, passed = runSuite(Fault(MemoryChannel, ""))
        self.assertEqual(failed, set())
        self.assertGreater(len(passed), 50)

    def test_each(self) -> None:
        """
        Each fault is caught by the check that names it, and none breaks
        everything.
        """
        for fault in FAULTS:
            failed, passed = runSuite(fault)
            self.assertIn(fault.check, failed, fault.name)
            self.assertTrue(passed, fault.name)
