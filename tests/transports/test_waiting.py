"""
L{transports.waiting}.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from transports.credit import CreditWindow
from transports.errors import PeerLost
from transports.limits import Limits
from transports.waiting import WaitingLine

LIMITS = Limits(block_size=64, capacity=8)


class WaitingLineTests(SynchronousTestCase):
    """
    L{WaitingLine}.
    """

    def setUp(self) -> None:
        """
        A full window.
        """
        self.window = CreditWindow(LIMITS, lambda: 0.0)
        for _ in range(8):
            self.window.take(0)
        self.line = WaitingLine(self.window)

    def test_callbackTakes(self) -> None:
        """
        What one takes in its callback is not there for the next.
        """
        first, second = self.line.join(1), self.line.join(1)
        first.addCallback(lambda _: self.window.take(0))
        self.window.giveBack(1)
        self.line.serve()
        self.successResultOf(first)
        self.assertNoResult(second)
        self.assertEqual(len(self.line), 1)

    def test_joinInCallback(self) -> None:
        """
        Who joins from a callback is behind those who waited already.
        """
        order: list[str] = []

        def again(_: None) -> None:
            self.line.join(1).addCallback(lambda _: order.append("again"))

        self.line.join(1).addCallback(again)
        self.line.join(1).addCallback(lambda _: order.append("second"))
        self.window.giveBack(1)
        self.line.serve()
        self.assertEqual(order, ["second", "again"])

    def test_cancelInCallback(self) -> None:
        """
        One waiter may cancel another.
        """
        second: Deferred[None]
        first = self.line.join(1)
        second = self.line.join(1)
        first.addCallback(lambda _: second.cancel())
        self.window.giveBack(1)
        self.line.serve()
        self.failureResultOf(second, CancelledError)
        self.assertEqual(len(self.line), 0)

    def test_failWhileOneCancelsAnother(self) -> None:
        """
        Who is failed may cancel who is behind: nobody is forgotten or served.
        """
        first, second, third = (self.line.join(1) for _ in range(3))
        first.addErrback(lambda _: second.cancel())
        self.window.giveBack(8)
        self.line.fail(lambda: PeerLost("gone"))
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
        self.failureResultOf(third, PeerLost)
        self.assertEqual(len(self.line), 0)

    def test_fail(self) -> None:
        """
        At the end everybody gets an error of their own.
        """
        waiters = [self.line.join(1), self.line.join(8)]
        self.line.fail(lambda: PeerLost("gone"))
        errors = [self.failureResultOf(each, PeerLost).value for each in waiters]
        self.assertIsNot(errors[0], errors[1])
        self.assertEqual(len(self.line), 0)
