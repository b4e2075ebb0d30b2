# mypy: allow-untyped-calls
"""
What the checks of L{transports.testing.conformance} stand on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from transports.interfaces import IChannel, ITransport
from transports.limits import Limits
from transports.testing._pair import LIMITS, End, Pair, Place, Recorder, bytesFor

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

__all__ = ["LIMITS", "TURNS", "ConformanceBase", "End", "Pair", "Place", "Recorder", "bytesFor"]

#: Turns of the reactor after which what could happen has happened, in one process.
TURNS = 25

#: Turns that follow each other at once while something is waited for; then there
#: is a millisecond between them, which leaves the processor to other processes.
_HASTY_TURNS = 200


class ConformanceBase(_Base):
    """
    What all groups of checks need.  A test case derives from one or more groups
    and from L{twisted.trial.unittest.TestCase}, and implements
    L{makeTransport}.
    """

    #: Groups that the test case lacks, and single checks that cannot be made,
    #: each with the reason.
    impossible: ClassVar[Mapping[str, str]] = {}

    #: Seconds that a check waits for something that must happen.
    patience = 10.0
    #: Seconds after which a check is broken off.
    timeout = 60.0

    _pairs: tuple[Pair, ...] = ()

    def setUp(self) -> None:
        """
        Leave out a check that is declared impossible.
        """
        reason = self.impossible.get(self._testMethodName)
        if reason is not None:
            raise SkipTest(reason)

    def makeTransport(self, limits: Limits) -> ITransport:
        """
        Make a transport for one test, on the running reactor, at a place of its own.
        """
        raise NotImplementedError

    def shortenDeadline(self, channel: IChannel) -> None:
        """
        Make the deadline of a channel's C{close} a short one, if there is a way
        to; else the check of it takes as long as the deadline.
        """

    async def openPair(self, limits: Limits = LIMITS) -> Pair:
        """
        Open a channel; it is ended when the test is over.
        """
        return await self.openThrough(self.makeTransport(limits))

    async def openThrough(self, transport: ITransport) -> Pair:
        """
        The same, by a transport that the test holds.
        """
        place = Place(self, transport)
        await place.listen()
        return await self.openAt(place)

    async def openAt(self, place: Place) -> Pair:
        """
        The same, at a place where somebody listens already.
        """
        pair = await place.open()
        self._pairs = (*self._pairs, pair)
        self.addCleanup(lambda: Deferred.fromCoroutine(self._disposeOf(pair)))
        return pair

    async def _disposeOf(self, pair: Pair) -> None:
        if pair in self._pairs:
            await pair.dispose()

    def forgetPair(self, pair: Pair) -> None:
        """
        A pair has been disposed of: do not look at its books any more.
        """
        self._pairs = tuple(each for each in self._pairs if each is not pair)

    def sample(self) -> None:
        """
        Look at the books of all channels that this test has opened.
        """
        for pair in self._pairs:
            pair.sample()

    async def turn(self, seconds: float = 0.0) -> None:
        """
        Let the reactor make one turn.

        @param seconds: how long it may sleep in it.
        """
        from twisted.internet import reactor

        await deferLater(_any(reactor), seconds)

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """
        Wait, turn by turn, until something has happened; look at the books in
        every turn.

        @param what: what is waited for, for the message when it never happens.
        """
        await self.waitFor(happened, what, self.sample)

    async def settle(self) -> None:
        """
        Give everything that must not happen the time to happen.
        """
        for _ in range(TURNS):
            await self.turn()
            self.sample()

    async def waitFor(
        self, happened: Callable[[], bool], what: str, sample: Callable[[], None] = lambda: None
    ) -> None:
        """
        Wait, turn by turn, until something has happened.

        @param what: what is waited for, for the message when it never happens.
        @param sample: called in every turn.
        """
        from twisted.internet import reactor

        end = _any(reactor).seconds() + self.patience
        turns = 0
        while not happened():
            sample()
            if _any(reactor).seconds() > end:
                self.fail(f"waited {self.patience} seconds for {what}")
            turns += 1
            await self.turn(0.0 if turns < _HASTY_TURNS else 0.001)
        sample()

    async def rounds(self, what: str) -> AsyncIterator[None]:
        """
        Go round a loop, a turn each time, but not for ever.

        @param what: what the loop is to bring about.
        """
        from twisted.internet import reactor

        end = _any(reactor).seconds() + self.patience
        while True:
            yield
            if _any(reactor).seconds() > end:
                self.fail(f"waited {self.patience} seconds for {what}")
            await self.turn()

    async def drain(self, pair: Pair) -> None:
        """
        Deliver everything at both ends, until both queues are empty.
        """
        pair.left.resume()
        pair.right.resume()
        await self.until(
            lambda: pair.left.allocated == 0 and pair.right.allocated == 0, "both queues to drain"
        )


def _any(reactor: object) -> Any:
    return reactor
