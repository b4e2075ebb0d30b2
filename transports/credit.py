"""
The one place that knows "full".

Each direction of a channel has two books, and both are plain integers in the
memory of the side that keeps them; nothing is guessed from a kernel buffer or
compared across a shared boundary:

  - the sender's L{CreditWindow} decides whether a message is accepted;
  - the receiver's L{InboundLedger} holds the sender to that decision, so that
    a peer that ignores its window cannot make this side's memory grow.

Nothing here does any input or output; those who wait for room stand in a
L{WaitingLine<transports.waiting.WaitingLine>}.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from math import inf
from typing import ClassVar

from transports.errors import ChannelCorrupt, MessageTooLarge, QueueFull
from transports.limits import HEADER_SIZE, Limits
from transports.statistics import QueueStatistics

#: Messages of a book beyond which it is looked whether some are over and done with.
_MANY = 1 << 10


class Times:
    """
    When messages came, for telling how old the oldest of a queue is.  Several
    that came in one moment share an entry; those that came into an empty queue, as
    all do of a dialogue, need none.

    @ivar begun: when those came that are before all entries.  Who sets it, because
        the queue was empty, clears the entries.
    @ivar entries: C{(position, seconds)}: messages at this position, and at all
        higher ones until the next entry, came at that time.  Positions only rise.
    """

    __slots__ = ("begun", "entries")

    def __init__(self) -> None:
        self.begun = 0.0
        self.entries: deque[tuple[int, float]] = deque()

    def at(self, position: int) -> float:
        """
        When the message at this position came.
        """
        before = bisect_right(self.entries, (position, inf))
        return self.entries[before - 1][1] if before else self.begun

    def forget(self, position: int) -> None:
        """
        Nobody will ask for what is before this position.
        """
        entries = self.entries
        while len(entries) > 1 and entries[1][0] <= position:
            entries.popleft()


class CreditWindow:
    """
    The sender's book of one queue.

    At every instant C{0 <= allocated <= capacity}.  A message is accepted if
    and only if the blocks it needs are not more than C{capacity - allocated};
    it holds them until the receiver has given them back.

    All that is kept of a message is the number of blocks accepted since the
    beginning, itself included.  They are given back in that order, so one number
    tells which are; what is over and done with is thrown away now and then, which
    leaves C{2 * capacity + 1024} at most.

    @ivar limits: the size of the queue.
    @ivar capacity: blocks the queue has in all.
    @ivar allocated: blocks held by messages accepted and not yet given back.
    @ivar collect: called when a message would be refused for lack of room, to
        enter what has been given back and was not looked at yet; C{None} where
        there is no such thing.  What it raises, C{take} raises.
    @ivar timed: whether the next message is given a time of its own; otherwise
        it has that of the one before.  A channel that sets it at the end of each
        turn of the reactor makes the book look at the clock once a turn.
    """

    __slots__ = (
        "_block_size",
        "_ends",
        "_first",
        "_forgotten",
        "_given",
        "_high_water",
        "_look_at",
        "_one_block",
        "_over",
        "_seconds",
        "_times",
        "allocated",
        "bytes_total",
        "capacity",
        "collect",
        "limits",
        "refused",
        "timed",
        "too_large",
    )

    #: What C{timed} is after a message.
    always_timed: ClassVar[bool] = True

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """
        @param limits: the size of the queue.
        @param seconds: the clock that ages messages, in seconds.
        """
        self.limits = limits
        self.capacity = limits.capacity
        self.allocated = 0
        self.refused = 0
        self.too_large = 0
        self.bytes_total = 0
        self.collect: Callable[[], None] | None = None
        self.timed = True
        self._seconds = seconds
        self._high_water = 0
        self._block_size = limits.block_size
        #: Bytes of the longest message that needs one block only.
        self._one_block = limits.block_size - HEADER_SIZE
        #: Blocks accepted up to the end of each message, in order.
        self._ends: list[int] = []
        #: Which of them is the oldest that is still held, or an earlier one.
        self._first = 0
        #: Length of C{_ends} at which to look for what is over.
        self._look_at = _MANY
        #: Messages that are not in C{_ends} any more.
        self._over = 0
        #: Blocks given back since the beginning.
        self._given = 0
        self._times = Times()
        #: Messages that were in the queue when it was lost.
        self._forgotten = 0

    @property
    def free(self) -> int:
        """
        Blocks that can be taken at this instant.
        """
        return self.capacity - self.allocated

    @property
    def enqueued(self) -> int:
        """
        Messages accepted since the beginning.
        """
        return self._over + len(self._ends)

    @enqueued.setter
    def enqueued(self, messages: int) -> None:
        self._over = messages - len(self._ends)

    @property
    def queued(self) -> int:
        """
        Messages accepted and not yet given back.
        """
        self._first = bisect_right(self._ends, self._given, self._first)
        return len(self._ends) - self._first

    def take(self, length: int) -> int:
        """
        Accept a message of C{length} bytes, or refuse it and change nothing
        but one counter.

        @return: the blocks it holds from now on.
        @raise QueueFull: it does not fit at this instant.
        @raise MessageTooLarge: it can never fit.
        """
        blocks = 1 if length <= self._one_block else -(-(HEADER_SIZE + length) // self._block_size)
        allocated = self.allocated + blocks
        if allocated > self.capacity:
            if blocks > self.capacity:
                self.too_large += 1
                raise MessageTooLarge(length, self.limits.max_message)
            if self.collect is not None:
                self.collect()
            allocated = self.allocated + blocks
            if allocated > self.capacity:
                self.refused += 1
                raise QueueFull(blocks, self.capacity - self.allocated, self.capacity)
        self.allocated = allocated
        self.bytes_total += length
        end = self._given + allocated
        self._ends.append(end)
        if self.timed:
            times = self._times
            if allocated > blocks:
                times.entries.append((end, self._seconds()))
            else:
                times.begun = self._seconds()
                if times.entries:
                    times.entries.clear()
            self.timed = self.always_timed
        return blocks

    def giveBack(self, blocks: int) -> None:
        """
        The receiver has returned blocks: those of the oldest messages, whole
        messages only.

        @raise ChannelCorrupt: not C{0 < blocks <= allocated}, or not the sum
            of the oldest messages.  Nothing has changed.
        """
        ends = self._ends
        given = self._given + blocks
        last = bisect_left(ends, given, self._first)
        if 0 < blocks <= self.allocated and ends[last] != given:
            raise ChannelCorrupt(f"{blocks} blocks were given back, which is not a number of whole messages")
        self._giveBackPortion(blocks)

    def _giveBackPortion(self, blocks: int) -> None:
        """
        The receiver has returned blocks: some of the oldest.

        @raise ChannelCorrupt: not C{0 < blocks <= allocated}.  Nothing has changed.
        """
        allocated = self.allocated
        if not 0 < blocks <= allocated:
            raise ChannelCorrupt(f"{blocks} blocks were given back where {allocated} were allocated")
        # It is the only time to look how many were taken at most, because take() only adds.
        if allocated > self._high_water:
            self._high_water = allocated
        self.allocated = allocated - blocks
        self._given += blocks
        if len(self._ends) >= self._look_at:
            self._throwAway()

    def _throwAway(self) -> None:
        """
        Forget messages that have been given back.
        """
        queued = self.queued
        self._over += self._first
        del self._ends[: self._first]
        self._first = 0
        self._look_at = _MANY + 2 * queued
        self._times.forget(self._given + 1)

    def forget(self) -> None:
        """
        The queue is gone and everything in it; the totals stay as they are.
        """
        self._forgotten += self.queued
        if self.allocated:
            self._giveBackPortion(self.allocated)

    def statistics(self) -> QueueStatistics:
        """
        The state of the queue at this instant.
        """
        queued = self.queued
        return QueueStatistics(
            blocks_allocated=self.allocated,
            blocks_capacity=self.capacity,
            block_size=self.limits.block_size,
            blocks_high_water=max(self._high_water, self.allocated),
            queue_length=queued,
            enqueued_total=self.enqueued,
            dequeued_total=self.enqueued - self._forgotten - queued,
            refused_total=self.refused,
            too_large_total=self.too_large,
            bytes_total=self.bytes_total,
            oldest_age=max(0.0, self._seconds() - self._times.at(self._ends[self._first])) if queued else 0.0,
        )


class PortionedWindow(CreditWindow):
    """
    The book of a sender to whom credit comes on two ways, of which neither
    waits for the other: a portion is exact, but need not be that of whole
    messages.  What is given back was handled in order all the same, so the
    blocks that are free are those of the oldest messages.

    Whoever uses it sets C{timed} at the end of each turn.
    """

    __slots__ = ()

    always_timed = False

    # A portion is all that there is.
    giveBack = CreditWindow._giveBackPortion


class InboundLedger:
    """
    The receiver's book of one queue.

    A message is announced, arrives, is handled, and its blocks are owed until they
    are settled.  Where nothing is announced before it arrives, both are one step.

    @ivar taken: blocks that the sender may not use: announced and not yet settled.
    @ivar due: blocks that have been announced and whose messages have not arrived.
    @ivar owed: blocks whose handler has returned and that the sender has not
        been told of yet.
    @ivar arrived_total: messages that have arrived since the channel was opened.
    """

    __slots__ = (
        "_block_size",
        "_excess",
        "_look_at",
        "_one_block",
        "_seconds",
        "_settled",
        "_times",
        "arrived_total",
        "bytes_total",
        "capacity",
        "due",
        "high_water",
        "limits",
        "lost_total",
        "owed",
        "taken",
    )

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """
        @param limits: the size of the queue.
        @param seconds: the clock that ages messages, in seconds.
        """
        self.limits = limits
        self.capacity = limits.capacity
        self.taken = 0
        self.due = 0
        self.owed = 0
        self.high_water = 0
        self.arrived_total = 0
        self.lost_total = 0
        self.bytes_total = 0
        self._seconds = seconds
        self._block_size = limits.block_size
        self._one_block = limits.block_size - HEADER_SIZE
        #: Blocks settled since the beginning.
        self._settled = 0
        #: Blocks of messages handled since the beginning, beyond one for each.
        self._excess = 0
        self._times = Times()
        #: Messages arrived at which to look for what is over.
        self._look_at = _MANY

    @property
    def held(self) -> int:
        """
        Blocks of messages that have arrived and whose handler has not returned.
        """
        return self.taken - self.due - self.owed

    @property
    def handled_total(self) -> int:
        """
        Messages whose handler has returned.  Not counted one by one: each was one
        block owed, or the blocks beyond that are in C{_excess}.
        """
        return self._settled + self.owed - self._excess

    @handled_total.setter
    def handled_total(self, messages: int) -> None:
        self._excess = self._settled + self.owed - messages

    def announce(self, blocks: int) -> None:
        """
        The sender says that messages of that many blocks are there to be taken.

        @raise ChannelCorrupt: it has no room left for them, so should not have
            sent them.
        """
        taken = self.taken + blocks
        if blocks <= 0 or taken > self.capacity:
            raise ChannelCorrupt(
                f"{blocks} blocks were published in a queue of {self.capacity} blocks "
                f"of which {self.taken} were taken"
            )
        self.taken = taken
        self.due += blocks

    def arrive(self, length: int) -> None:
        """
        A message of C{length} bytes arrives that nobody has announced (or its
        header does; nothing more of it need be here).

        @raise ChannelCorrupt: the sender has no room left for it, so should
            not have sent it.
        """
        blocks = 1 if length <= self._one_block else -(-(HEADER_SIZE + length) // self._block_size)
        taken = self.taken + blocks
        if taken > self.capacity:
            raise ChannelCorrupt(
                f"a message of {length} bytes was sent into a queue of {self.capacity} blocks "
                f"of which {self.taken} were taken"
            )
        self.taken = taken
        self.due += blocks
        self.arriveTogether(1, blocks, length)

    def arriveTogether(self, messages: int, blocks: int, octets: int) -> None:
        """
        Several messages arrive at once that have been announced.

        @param messages: how many.
        @param blocks: the blocks that they hold, all together.
        @param octets: their length in bytes, all together.
        @raise ChannelCorrupt: not so many blocks are due.
        """
        due = self.due - blocks
        if due < 0:
            raise ChannelCorrupt(
                f"messages of {blocks} blocks do not add up with the {self.due} blocks published"
            )
        self.due = due
        held = self.taken - due - self.owed
        if held > self.high_water:
            self.high_water = held
        arrived = self.arrived_total
        times = self._times
        if held > blocks:
            times.entries.append((arrived, self._seconds()))
        else:
            times.begun = self._seconds()
            if times.entries:
                times.entries.clear()
        self.arrived_total = arrived = arrived + messages
        self.bytes_total += octets
        if arrived >= self._look_at:
            handled = self.handled_total
            self._times.forget(handled)
            self._look_at = arrived + _MANY + arrived - handled

    def handled(self, length: int) -> None:
        """
        The handler of the oldest message, of C{length} bytes, has returned:
        its blocks are owed to the sender.

        For a message of one block that is C{owed += 1} and nothing else, which who
        delivers many may do by itself.
        """
        blocks = 1 if length <= self._one_block else -(-(HEADER_SIZE + length) // self._block_size)
        self.owed += blocks
        self._excess += blocks - 1

    def settle(self) -> int:
        """
        The sender is being told of all that it is owed.

        @return: how many blocks that is; may be 0.
        """
        owed = self.owed
        self.owed = 0
        self.taken -= owed
        self._settled += owed
        return owed

    @property
    def queued(self) -> int:
        """
        Messages that have arrived and whose handler has not returned.
        """
        return self.arrived_total - self.lost_total - self.handled_total

    def forget(self) -> None:
        """
        The queue is gone and everything in it; the totals stay as they are.
        """
        self.lost_total += self.queued
        self.settle()
        self.taken = self.due = 0

    def statistics(self) -> QueueStatistics:
        """
        The state of the queue, as far as the receiver knows it.  What the
        sender refused is not known here and is 0.
        """
        queued = self.queued
        return QueueStatistics(
            blocks_allocated=self.held,
            blocks_capacity=self.capacity,
            block_size=self.limits.block_size,
            blocks_high_water=self.high_water,
            queue_length=queued,
            enqueued_total=self.arrived_total,
            dequeued_total=self.handled_total,
            refused_total=0,
            too_large_total=0,
            bytes_total=self.bytes_total,
            oldest_age=max(0.0, self._seconds() - self._times.at(self.handled_total)) if queued else 0.0,
        )
