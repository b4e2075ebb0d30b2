# mypy: allow-untyped-calls
"""
A channel against a model of it, by random programs.

Hypothesis makes the programs.  Its engine runs in a thread and hands each step
to the reactor; a step is over when both ends have come to rest where the model
says, so that the next step begins from a known state.

The programs are the same in every run, and the first that fails is shown as it
is.  With the environment variable C{TRANSPORTS_PROGRAMS} set to a number, that
many are made at random, and what fails is made as short as possible.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from transports.errors import ChannelClosed, MessageTooLarge, QueueFull
from transports.limits import HEADER_SIZE, Limits
from transports.testing._harness import End, Pair

if TYPE_CHECKING:
    from transports.testing._harness import ConformanceBase

#: How many programs are run.
PROGRAMS = int(os.environ.get("TRANSPORTS_PROGRAMS", "20"))

#: Whether they differ from run to run and are shortened; that takes time.
_RANDOM = "TRANSPORTS_PROGRAMS" in os.environ

#: The queues of the programs: nothing about them is even.
MODEL_LIMITS = Limits(block_size=50, capacity=7)

#: The ends, as numbers: left and right.
_BOTH = (0, 1)

_sides = st.sampled_from(_BOTH)
_lengths = st.one_of(
    st.integers(0, MODEL_LIMITS.max_message + 2),
    st.builds(
        lambda blocks, over: blocks * MODEL_LIMITS.block_size - HEADER_SIZE + over,
        st.integers(1, MODEL_LIMITS.capacity),
        st.sampled_from((-1, 0, 1)),
    ),
)


@attrs.define(eq=False)
class Waiter:
    """
    Somebody who waits for room.
    """

    blocks: int
    deferred: Deferred[None]
    outcome: list[object] = attrs.Factory(list)

    def watch(self) -> None:
        """
        Note how it ends.
        """
        self.deferred.addBoth(self.outcome.append)


@attrs.define(eq=False)
class Queue:
    """
    The model of one direction: what is in it, and who waits.
    """

    waiting: deque[bytes] = attrs.Factory(deque)
    line: deque[Waiter] = attrs.Factory(deque)
    served: list[Waiter] = attrs.Factory(list)
    delivered: list[bytes] = attrs.Factory(list)
    #: How many messages the receiver still takes; C{None} for any number.
    allowance: int | None = 0
    accepted: int = 0
    refused: int = 0
    too_large: int = 0
    octets: int = 0
    high_water: int = 0

    @property
    def allocated(self) -> int:
        """
        Blocks held by what is in it.
        """
        return sum(MODEL_LIMITS.blocksFor(len(each)) for each in self.waiting)

    @property
    def free(self) -> int:
        """
        Blocks that are left.
        """
        return MODEL_LIMITS.capacity - self.allocated

    def offer(self, message: bytes) -> type[Exception] | None:
        """
        What C{send} does: accept, or the name of the refusal.
        """
        needed = MODEL_LIMITS.blocksFor(len(message))
        if needed > MODEL_LIMITS.capacity:
            self.too_large += 1
            return MessageTooLarge
        if needed > self.free:
            self.refused += 1
            return QueueFull
        self.waiting.append(message)
        self.accepted += 1
        self.octets += len(message)
        self.high_water = max(self.high_water, self.allocated)
        return None

    def run(self) -> None:
        """
        Deliver what may be delivered, and serve the line.
        """
        while self.waiting and self.allowance != 0:
            if self.allowance is not None:
                self.allowance -= 1
            self.delivered.append(self.waiting.popleft())
        while self.line and self.line[0].blocks <= self.free:
            self.served.append(self.line.popleft())


class ChannelMachine(RuleBasedStateMachine):
    """
    Programs over both ends of one channel.
    """

    case: ClassVar[ConformanceBase]

    def __init__(self) -> None:
        super().__init__()
        self.queues = (Queue(), Queue())
        self.closed = False
        self.number = 0
        self.pair: Pair = self.inReactor(self.case.openPair(MODEL_LIMITS))

    @property
    def ends(self) -> tuple[End, End]:
        """
        Both ends; the queue of a number is the one that this end sends into.
        """
        return self.pair.left, self.pair.right

    def inReactor(self, step: Coroutine[Deferred[Any], Any, Any]) -> Any:
        """
        Let the reactor do a step, and wait for it.
        """
        from twisted.internet import reactor

        loop: Any = reactor
        return blockingCallFromThread(loop, Deferred.fromCoroutine, step)

    def do(self, act: Callable[[], None]) -> None:
        """
        One step of a program: act, then wait until the channel is where the
        model is.
        """
        self.inReactor(self._do(act))

    async def _do(self, act: Callable[[], None]) -> None:
        act()
        for queue in self.queues:
            queue.run()
        await self.case.until(self.atRest, "the channel to come to where the model is")
        self.compare()

    def atRest(self) -> bool:
        """
        Whether the channel has come to where the model is.
        """
        for side, queue in enumerate(self.queues):
            if self.ends[side].allocated != queue.allocated:
                return False
            if len(self.ends[1 - side].messages) != len(queue.delivered):
                return False
        return not self.closed or all(self.ends[side].recorder.losses or self.holds() for side in _BOTH)

    def holds(self) -> bool:
        """
        Whether something is queued still, so that a close cannot end.
        """
        return any(queue.waiting for queue in self.queues)

    def compare(self) -> None:
        """
        Everything that can be seen is as the model has it.
        """
        case = self.case
        for side, queue in enumerate(self.queues):
            case.assertEqual(self.ends[1 - side].messages, queue.delivered)
            book = self.ends[side].channel.statistics()
            case.assertEqual(
                (
                    book.blocks_allocated,
                    book.blocks_high_water,
                    book.queue_length,
                    book.enqueued_total,
                    book.dequeued_total,
                    book.refused_total,
                    book.too_large_total,
                    book.bytes_total,
                ),
                (
                    queue.allocated,
                    queue.high_water,
                    len(queue.waiting),
                    queue.accepted,
                    len(queue.delivered),
                    queue.refused,
                    queue.too_large,
                    queue.octets,
                ),
            )
            for each in queue.served:
                case.assertEqual(each.outcome, [None])
            for each in queue.line:
                case.assertEqual(each.outcome, [])

    # The steps

    @rule(side=_sides, length=_lengths)
    def send(self, side: int, length: int) -> None:
        """
        A message is accepted or refused as the model says.
        """
        self.number += 1
        message = (self.number.to_bytes(4, "little") * (length // 4 + 1))[:length]
        self.do(partial(self._send, side, message))

    def _send(self, side: int, message: bytes) -> None:
        expected = ChannelClosed if self.closed else self.queues[side].offer(message)
        try:
            self.ends[side].send(message)
        except (QueueFull, MessageTooLarge, ChannelClosed) as error:
            self.case.assertIs(type(error), expected)
        else:
            self.case.assertIs(expected, None)

    @rule(side=_sides, count=st.integers(1, 4))
    def allow(self, side: int, count: int) -> None:
        """
        Some messages may be delivered here.
        """
        self.do(partial(self._allow, side, count))

    def _allow(self, side: int, count: int) -> None:
        self.queues[1 - side].allowance = count
        self.ends[side].allow(count)

    @rule(side=_sides)
    def resume(self, side: int) -> None:
        """
        Everything is delivered here from now on.
        """
        self.do(partial(self._resume, side))

    def _resume(self, side: int) -> None:
        self.queues[1 - side].allowance = None
        self.ends[side].resume()

    @rule(side=_sides)
    def pause(self, side: int) -> None:
        """
        Nothing is delivered here from now on.
        """
        self.do(partial(self._pause, side))

    def _pause(self, side: int) -> None:
        self.queues[1 - side].allowance = 0
        self.ends[side].channel.pauseDelivery()

    @rule(side=_sides)
    def flush(self, side: int) -> None:
        """
        Nobody can tell.
        """
        self.do(self.ends[side].channel.flush)

    @rule(side=_sides, blocks=st.integers(1, MODEL_LIMITS.capacity))
    @precondition(lambda self: not self.closed)
    def wait(self, side: int, blocks: int) -> None:
        """
        Somebody wants room.
        """
        self.do(partial(self._wait, side, blocks))

    def _wait(self, side: int, blocks: int) -> None:
        waiter = Waiter(blocks, self.ends[side].channel.whenFree(blocks))
        waiter.watch()
        self.queues[side].line.append(waiter)

    @rule(side=_sides, place=st.integers(0, 3))
    @precondition(lambda self: any(queue.line for queue in self.queues))
    def cancel(self, side: int, place: int) -> None:
        """
        Somebody gives up.
        """
        self.do(partial(self._cancel, side, place))

    def _cancel(self, side: int, place: int) -> None:
        line = self.queues[side].line
        if line:
            waiter = line[place % len(line)]
            line.remove(waiter)
            waiter.deferred.cancel()
            (failure,) = waiter.outcome
            self.case.assertIs(getattr(failure, "type", None), CancelledError)

    @rule(side=_sides)
    @precondition(lambda self: not self.closed and self.number > 15)
    def close(self, side: int) -> None:
        """
        The end begins: nobody waits, nobody sends; what is queued can still be
        delivered.
        """
        self.do(partial(self._close, side))
        self.inReactor(self.case.until(self.bothClosed, "the other end to learn of the close"))

    def _close(self, side: int) -> None:
        self.closed = True
        self.ends[side].channel.close()

    def bothClosed(self) -> bool:
        """
        Whether both ends refuse to send, and have told those who waited.
        """
        for side, queue in enumerate(self.queues):
            while queue.line and queue.line[0].outcome:
                failure = queue.line.popleft().outcome[0]
                self.case.assertIs(getattr(failure, "type", None), ChannelClosed)
            try:
                self.ends[side].channel.flush()
                self.ends[side].channel.send(b"x" * (MODEL_LIMITS.max_message + 1))
            except ChannelClosed:
                pass
            except MessageTooLarge:
                queue.too_large += 1
                return False
        return not any(queue.line for queue in self.queues)

    def teardown(self) -> None:
        """
        In the end everything arrives.
        """
        self.inReactor(self._finish())

    async def _finish(self) -> None:
        try:
            for side in _BOTH:
                self._resume(side)
            await self._do(lambda: None)
        finally:
            await self.pair.dispose()
        for end in self.ends:
            self.case.assertEqual(len(end.recorder.losses), 1)
            self.case.assertEqual(end.recorder.after_loss, 0)
            self.case.assertFalse(end.recorder.nested or end.recorder.in_call)


async def runModel(case: ConformanceBase) -> None:
    """
    Run random programs over channels of the case's transport.
    """
    machine = type("Machine", (ChannelMachine,), {"case": case})
    await deferToThread(
        run_state_machine_as_test,
        machine,
        settings=settings(
            max_examples=PROGRAMS,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=not _RANDOM,
            phases=(Phase.generate, *((Phase.shrink,) if _RANDOM else ())),
            suppress_health_check=list(HealthCheck),
        ),
    )
