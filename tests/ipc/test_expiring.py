"""
When a store is asked to remove what has stayed long enough.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreUnavailable
from mailstore.ipc.expiring import Expiring
from mailstore.ipc.limits import IpcLimits


class _Store:
    """
    A store with so many pieces of work.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.pieces = 0
        self.gate: Deferred[None] | None = None
        self.error: Exception | None = None

    async def expireMore(self) -> bool:
        self.asked += 1
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error
        self.pieces = max(0, self.pieces - 1)
        return self.pieces > 0


class ExpiringTests(SynchronousTestCase):
    """
    L{Expiring}.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.store = _Store()
        clock: Any = self.clock
        self.expiring = Expiring(self.store, IpcLimits(expire_interval=60, chore_interval=0.5), clock)

    def test_rounds(self) -> None:
        """
        The first round begins at once, its pieces follow each other, and the next round comes later.
        """
        self.store.pieces = 3
        self.expiring.start()
        self.assertEqual(self.store.asked, 0)
        for asked in (1, 2, 3, 3):
            self.clock.advance(0.5)
            self.assertEqual(self.store.asked, asked)
        self.clock.advance(59.4)
        self.assertEqual(self.store.asked, 3)
        self.clock.advance(0.1)
        self.assertEqual(self.store.asked, 4)

    def test_oneAtATime(self) -> None:
        """
        A piece that takes long is waited for.
        """
        gate: Deferred[None] = Deferred()
        self.store.gate = gate
        self.expiring.start()
        self.clock.pump([1.0] * 100)
        self.assertEqual(self.store.asked, 1)
        self.store.gate = None
        gate.callback(None)
        self.clock.advance(60)
        self.assertEqual(self.store.asked, 2)

    def test_failures(self) -> None:
        """
        What fails is tried again with the next round; what nobody foresaw is logged.
        """
        self.store.error = StoreUnavailable("x")
        self.expiring.start()
        self.clock.advance(0.5)
        self.clock.advance(60)
        self.assertEqual((self.store.asked, self.flushLoggedErrors()), (2, []))
        self.store.error = ZeroDivisionError()
        self.clock.advance(60)
        self.clock.advance(60)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_stop(self) -> None:
        """
        When it is stopped, in the middle of a piece too, it asks no more.
        """
        gate: Deferred[None] = Deferred()
        self.store.gate = gate
        self.store.error = StoreUnavailable("closed")
        self.expiring.start()
        self.clock.advance(1)
        self.expiring.stop()
        gate.callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.expiring.stop()

    def test_never(self) -> None:
        """
        It can be switched off.
        """
        clock: Any = self.clock
        Expiring(self.store, IpcLimits(expire_interval=0), clock).start()
        self.assertEqual(self.clock.getDelayedCalls(), [])
