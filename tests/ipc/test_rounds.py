"""
Fair shares of a reactor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.trial.unittest import SynchronousTestCase

from mailstore.ipc.rounds import Rounds
from tests.ipc.fakes import TurningClock


class Worker:
    """
    A participant with some calls of many slices each; each slice takes a second.
    """

    def __init__(self, clock: TurningClock, calls: int, slices: int) -> None:
        self.clock = clock
        self.left = [slices] * calls
        self.ready: list[int] = []
        self.done = 0
        self.beginRound()

    def beginRound(self) -> None:
        self.ready = [each for each, left in enumerate(self.left) if left]

    def runSlice(self) -> bool:
        if not self.ready:
            return False
        self.left[self.ready.pop(0)] -= 1
        self.done += 1
        self.clock.rightNow += 1
        return True

    def hasWork(self) -> bool:
        return any(self.left)


class RoundsTests(SynchronousTestCase):
    """
    Who is next.
    """

    def test_onceEach(self) -> None:
        """
        With time enough each call has one slice in a turn of the reactor.
        """
        clock = TurningClock()
        rounds = Rounds(clock, 1000)
        workers = [Worker(clock, 3, 5), Worker(clock, 1, 5)]
        for each in workers:
            rounds.wake(each)
            rounds.wake(each)
        for turn in range(1, 6):
            clock.turn()
            self.assertEqual([each.done for each in workers], [3 * turn, turn])
        clock.turn()
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_around(self) -> None:
        """
        All slices of one round run in one context.
        """
        clock = TurningClock()
        workers = [Worker(clock, 3, 2), Worker(clock, 1, 2)]
        seen: list[object] = []

        @contextmanager
        def around() -> Iterator[None]:
            before = sum(each.done for each in workers)
            yield
            seen.append(sum(each.done for each in workers) - before)

        rounds = Rounds(clock, 1000, around)
        for each in workers:
            rounds.wake(each)
        clock.turn()
        clock.turn()
        self.assertEqual(seen, [4, 4])

    def test_noTime(self) -> None:
        """
        When time is short, who has many calls gets as much as who has one.
        """
        clock = TurningClock()
        rounds = Rounds(clock, 0)
        workers = [Worker(clock, 100, 100), Worker(clock, 1, 100), Worker(clock, 5, 100)]
        for each in workers:
            rounds.wake(each)
        for _ in range(60):
            clock.turn()
        self.assertEqual([each.done for each in workers], [20, 20, 20])

    def test_leave(self) -> None:
        """
        Who has left is not called any more.
        """
        clock = TurningClock()
        rounds = Rounds(clock, 0)
        gone, stays = Worker(clock, 1, 5), Worker(clock, 1, 5)
        rounds.wake(gone)
        rounds.wake(stays)
        rounds.leave(gone)
        for _ in range(10):
            clock.turn()
        self.assertEqual((gone.done, stays.done), (0, 5))
        rounds.wake(gone)
        clock.turn()
        self.assertEqual(gone.done, 1)
