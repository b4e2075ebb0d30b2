"""
When channels look for the next message, and for how long.
"""

from __future__ import annotations

import os
import select

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from transports import _spinning
from transports._channel import BaseChannel
from transports._spinning import LONGEST, MOST_PASSED, SPIN, Spinner, spinnerFor
from transports.limits import Limits

#: As it is where it is not patched.
_processors = _spinning.processors


class Watched(Clock):
    """
    A clock that has an C{epoll}, as Twisted's reactor has.
    """

    def __init__(self) -> None:
        super().__init__()
        self._poller = select.epoll()


class SpinnerForTests(SynchronousTestCase):
    """
    Who spins.
    """

    def setUp(self) -> None:
        self.reactor = Watched()
        self.addCleanup(self.reactor._poller.close)
        self.patch(_spinning, "processors", lambda: 2)

    def test_byItself(self) -> None:
        """
        A channel that was not told spins for a short while, on an C{epoll} of
        the reactor's that can be asked.
        """
        spinner = spinnerFor(self.reactor, None)
        assert spinner is not None
        self.assertEqual((spinner.seconds, spinner.longest), (SPIN, LONGEST))

    def test_oneProcessor(self) -> None:
        """
        It does not where the peer could only be at work if this side slept.
        """
        self.patch(_spinning, "processors", lambda: 1)
        self.assertIsNone(spinnerFor(self.reactor, None))

    def test_otherReactors(self) -> None:
        """
        Nor where there is no telling whether somebody else wants the reactor.
        """
        self.assertIsNone(spinnerFor(Clock(), None))

    def test_closedReactor(self) -> None:
        """
        Nor where the reactor is gone.
        """
        self.reactor._poller.close()
        self.assertIsNone(spinnerFor(self.reactor, None))

    def test_never(self) -> None:
        """
        A channel that was told not to spin does not.
        """
        self.assertIsNone(spinnerFor(self.reactor, 0.0))

    def test_asTold(self) -> None:
        """
        A channel that was told how long spins so long in a turn, whatever
        comes of it.
        """
        spinner = spinnerFor(Clock(), 0.25)
        assert spinner is not None
        self.assertEqual((spinner.seconds, spinner.longest), (0.25, 0.25))
        for _ in range(5):
            self.assertTrue(spinner.pays())
            spinner.note(False)
        self.assertFalse(spinner.wanted(0))

    def test_wanted(self) -> None:
        """
        Somebody wants the reactor when a descriptor that it watches is ready.
        """
        spinner = spinnerFor(self.reactor, None)
        assert spinner is not None
        reads, writes = os.pipe()
        self.addCleanup(os.close, reads)
        self.addCleanup(os.close, writes)
        self.reactor._poller.register(reads, select.EPOLLIN)
        self.assertFalse(spinner.wanted(0))
        os.write(writes, b"!")
        self.assertTrue(spinner.wanted(0))

    def test_processors(self) -> None:
        """
        Those count that this process may use.
        """
        before = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, before)
        os.sched_setaffinity(0, {min(before)})
        self.assertEqual(_processors(), 1)


class AdaptationTests(SynchronousTestCase):
    """
    A channel that was not told spins where it has paid lately.
    """

    def turnsPassed(self, spinner: Spinner) -> int:
        """
        Count the turns without a look until the next.
        """
        passed = 0
        while not spinner.pays():
            passed += 1
        return passed

    def test_inVain(self) -> None:
        """
        Each look in vain makes it pass over more turns, up to a bound.
        """
        spinner = Spinner(SPIN, LONGEST, adapts=True)
        passed = []
        for _ in range(8):
            passed.append(self.turnsPassed(spinner))
            spinner.note(False)
        self.assertEqual(passed, [0, 1, 3, 7, 15, 31, MOST_PASSED, MOST_PASSED])

    def test_found(self) -> None:
        """
        One that has found something looks again in the next turn.
        """
        spinner = Spinner(SPIN, LONGEST, adapts=True)
        for _ in range(4):
            self.turnsPassed(spinner)
            spinner.note(False)
        self.turnsPassed(spinner)
        spinner.note(True)
        self.assertEqual(self.turnsPassed(spinner), 0)


class _Scripted(BaseChannel):
    """
    A channel that finds what a list says, look by look; at its end, nothing.
    """

    finds: list[bool]

    def _look(self) -> bool:
        return bool(self.finds) and self.finds.pop(0)

    def _flushMedium(self) -> None:
        pass


class LingeringTests(SynchronousTestCase):
    """
    What a channel does while it spins.
    """

    def linger(self, finds: list[bool], wanted: bool) -> Spinner:
        """
        Let a channel look once, until nothing comes.
        """
        channel = _Scripted(Clock(), Limits(64, 8), "here")
        channel.finds = finds
        channel._spinner = spinner = Spinner(SPIN, LONGEST, lambda _: wanted, adapts=True)
        channel._linger()
        self.assertEqual(finds, [])
        return spinner

    def test_foundAtOnce(self) -> None:
        """
        It looks on after each thing that it has found.
        """
        self.assertEqual(self.linger([True, True, False], wanted=False)._passes, 0)

    def test_inVain(self) -> None:
        """
        Nothing found is a look in vain.
        """
        self.assertEqual(self.linger([False, False], wanted=True)._passes, 1)

    def test_foundWhenWanted(self) -> None:
        """
        What the reactor was wanted for was a message of this channel: that is
        found like any other, and it looks on.
        """
        self.assertEqual(self.linger([False, True, True, False, False], wanted=True)._passes, 0)
