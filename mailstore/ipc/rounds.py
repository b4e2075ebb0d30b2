"""
Whose turn it is: fair shares of one reactor among front ends and their calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Participant(Protocol):
    """
    Somebody with work in slices.
    """

    def beginRound(self) -> None:
        """
        A new turn of the reactor: what had its slice may have another.
        """

    def runSlice(self) -> bool:
        """
        Do one slice of work.

        @return: whether there was any to do.
        """

    def hasWork(self) -> bool:
        """
        Whether it wants to be called again in the next turn.
        """


class Rounds:
    """
    Gives one slice after another to those who have work, in turn, so that
    none waits for another's whole work; after C{budget} seconds, or when each
    of them had all it may have in a turn, the reactor sees to other things first.
    """

    def __init__(
        self,
        clock: IReactorTime,
        budget: float,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """
        @param around: makes a context in which the slices of one round run, as far as they run in one go.
        """
        self._clock = clock
        self._around = around
        self._budget = budget
        self._ring: deque[Participant] = deque()
        self._members: set[int] = set()
        self._timer: IDelayedCall | None = None

    def wake(self, participant: Participant) -> None:
        """
        It has work.
        """
        if id(participant) not in self._members:
            self._members.add(id(participant))
            self._ring.append(participant)
        if self._timer is None:
            self._timer = self._clock.callLater(0, self._round)

    def leave(self, participant: Participant) -> None:
        """
        It never has work again.
        """
        if id(participant) in self._members:
            self._members.remove(id(participant))
            self._ring = deque(each for each in self._ring if each is not participant)

    def _round(self) -> None:
        until = self._clock.seconds() + self._budget
        for each in list(self._ring):
            each.beginRound()
        active = deque(self._ring)
        with self._around():
            while active:
                each = active.popleft()
                if id(each) not in self._members:
                    continue
                if each.runSlice():
                    active.append(each)
                    if self._clock.seconds() > until:
                        break
        # Who would have been next is first in the next round.
        waiting = [each for each in active if id(each) in self._members]
        ahead = {id(each) for each in waiting}
        rest = [each for each in self._ring if id(each) not in ahead]
        self._ring = deque(each for each in (*waiting, *rest) if each.hasWork())
        self._members = {id(each) for each in self._ring}
        self._timer = self._clock.callLater(0, self._round) if self._ring else None
