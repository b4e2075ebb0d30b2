"""
The one place that knows "full".

Each direction of a channel has two books, and both are plain integers in the
memory of the side that keeps them; nothing is guessed from a kernel buffer or
compared across a shared boundary:

  - the sender's L{CreditWindow} decides whether a message is accepted;
  - the receiver's L{InboundLedger} holds the sender to that decision, so that
    a peer that ignores its window cannot make this side's memory grow.

L{WaitingLine} is the line of those who wait for room.  Nothing here does any
input or output.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import repeat

from twisted.internet.defer import Deferred, succeed

from transports.errors import ChannelCorrupt, MessageTooLarge, QueueFull, TransportError
from transports.limits import HEADER_SIZE, Limits
from transports.statistics import QueueStatistics


class CreditWindow:
    """
    The sender's book of one queue.

    At every instant C{0 <= allocated <= capacity}.  A message is accepted if
    and only if the blocks it needs are not more than C{capacity - allocated};
    it holds them until the receiver has given them back.

    @ivar limits: the size of the queue.
    @ivar capacity: blocks the queue has in all.
    @ivar allocated: blocks held by messages accepted and not yet given back.
    @ivar collect: called when a message would be refused for lack of room, to
        enter what has been given back and was not looked at yet; C{None} where
        there is no such thing.  What it raises, C{take} raises.
    """

    __slots__ = (
        "_forgotten",
        "_high_water",
        "_ledger",
        "_one_block",
        "_seconds",
        "allocated",
        "bytes_total",
        "capacity",
        "collect",
        "enqueued",
        "limits",
        "refused",
        "too_large",
    )

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """
        @param limits: the size of the queue.
        @param seconds: the clock that ages messages, in seconds.
        """
        self.limits = limits
        self.capacity = limits.capacity
        self.allocated = 0
        self.enqueued = 0
        self.refused = 0
        self.too_large = 0
        self.bytes_total = 0
        self.collect: Callable[[], None] | None = None
        self._seconds = seconds
        self._high_water = 0
        #: Bytes of the longest message that needs one block only.
        self._one_block = limits.block_size - HEADER_SIZE
        #: (blocks, time of acceptance) of each message not yet given back, in order.
        self._ledger: deque[tuple[int, float]] = deque()
        #: Messages that were in the queue when it was lost.
        self._forgotten = 0

    @property
    def free(self) -> int:
        """
        Blocks that can be taken at this instant.
        """
        return self.capacity - self.allocated

    @property
    def queued(self) -> int:
        """
        Messages accepted and not yet given back.
        """
        return len(self._ledger)

    def take(self, length: int) -> int:
        """
        Accept a message of C{length} bytes, or refuse it and change nothing
        but one counter.

        @return: the blocks it holds from now on.
        @raise QueueFull: it does not fit at this instant.
        @raise MessageTooLarge: it can never fit.
        """
        blocks = 1 if length <= self._one_block else self.limits.blocksFor(length)
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
        self.enqueued += 1
        self.bytes_total += length
        self._ledger.append((blocks, self._seconds()))
        return blocks

    def giveBack(self, blocks: int) -> None:
        """
        The receiver has returned blocks: those of the oldest messages, whole
        messages only.

        @raise ChannelCorrupt: not C{0 < blocks <= allocated}, or not the sum
            of the oldest messages.  Nothing has changed.
        """
        if not 0 < blocks <= self.allocated:
            raise ChannelCorrupt(f"{blocks} blocks were given back where {self.allocated} were allocated")
        ledger = self._ledger
        if ledger[0][0] == blocks:
            ledger.popleft()
        else:
            self._checkWhole(blocks)
            rest = blocks
            while rest:
                rest -= ledger.popleft()[0]
        self._fall(self.allocated - blocks)

    def _fall(self, allocated: int) -> None:
        """
        Blocks have become free.  It is the only time to look how many were
        taken at most, because C{take} only adds.
        """
        if self.allocated > self._high_water:
            self._high_water = self.allocated
        self.allocated = allocated

    def _checkWhole(self, blocks: int) -> None:
        rest = blocks
        for held, _ in self._ledger:
            rest -= held
            if rest <= 0:
                break
        if rest:
            raise ChannelCorrupt(f"{blocks} blocks were given back, which is not a number of whole messages")

    def forget(self) -> None:
        """
        The queue is gone and everything in it; the totals stay as they are.
        """
        self._fall(0)
        self._forgotten += len(self._ledger)
        self._ledger.clear()

    def statistics(self) -> QueueStatistics:
        """
        The state of the queue at this instant.
        """
        ledger = self._ledger
        return QueueStatistics(
            blocks_allocated=self.allocated,
            blocks_capacity=self.capacity,
            block_size=self.limits.block_size,
            blocks_high_water=max(self._high_water, self.allocated),
            queue_length=len(ledger),
            enqueued_total=self.enqueued,
            dequeued_total=self.enqueued - self._forgotten - len(ledger),
            refused_total=self.refused,
            too_large_total=self.too_large,
            bytes_total=self.bytes_total,
            oldest_age=max(0.0, self._seconds() - ledger[0][1]) if ledger else 0.0,
        )


class PortionedWindow(CreditWindow):
    """
    The book of a sender to whom credit comes on two ways, of which neither
    waits for the other: a portion is exact, but need not be that of whole
    messages.  What is given back was handled in order all the same, so the
    blocks that are free are those of the oldest messages.
    """

    __slots__ = ("_rest",)

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """
        @param limits: the size of the queue.
        @param seconds: the clock that ages messages, in seconds.
        """
        super().__init__(limits, seconds)
        #: Blocks of the oldest message that have been given back.
        self._rest = 0

    def giveBack(self, blocks: int) -> None:
        """
        The receiver has returned blocks.

        @raise ChannelCorrupt: not C{0 < blocks <= allocated}.  Nothing has changed.
        """
        if not 0 < blocks <= self.allocated:
            raise ChannelCorrupt(f"{blocks} blocks were given back where {self.allocated} were allocated")
        self._fall(self.allocated - blocks)
        ledger = self._ledger
        if ledger[0][0] == blocks and not self._rest:
            ledger.popleft()
            return
        rest = self._rest + blocks
        while rest and (held := ledger[0][0]) <= rest:
            rest -= held
            ledger.popleft()
        self._rest = rest


class InboundLedger:
    """
    The receiver's book of one queue.

    @ivar held: blocks of messages that have arrived and whose handler has not
        returned.
    @ivar owed: blocks whose handler has returned and that the sender has not
        been told of yet.
    @ivar arrived_total: messages that have arrived since the channel was opened.
    """

    __slots__ = (
        "_arrivals",
        "_one_block",
        "_seconds",
        "arrived_total",
        "bytes_total",
        "capacity",
        "held",
        "high_water",
        "limits",
        "lost_total",
        "owed",
    )

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        """
        @param limits: the size of the queue.
        @param seconds: the clock that ages messages, in seconds.
        """
        self.limits = limits
        self.capacity = limits.capacity
        self.held = 0
        self.owed = 0
        self.high_water = 0
        self.arrived_total = 0
        self.lost_total = 0
        self.bytes_total = 0
        self._seconds = seconds
        self._one_block = limits.block_size - HEADER_SIZE
        self._arrivals: deque[float] = deque()

    def arrive(self, length: int) -> None:
        """
        A message of C{length} bytes arrives (or has been announced by its
        header; nothing of it need be here).

        @raise ChannelCorrupt: the sender has no room left for it, so should
            not have sent it.
        """
        held = self.held + (1 if length <= self._one_block else self.limits.blocksFor(length))
        if held + self.owed > self.capacity:
            raise ChannelCorrupt(
                f"a message of {length} bytes was sent into a queue of {self.capacity} blocks "
                f"of which {self.held + self.owed} were taken"
            )
        self.held = held
        if held > self.high_water:
            self.high_water = held
        self.arrived_total += 1
        self.bytes_total += length
        self._arrivals.append(self._seconds())

    @property
    def handled_total(self) -> int:
        """
        Messages whose handler has returned.
        """
        return self.arrived_total - self.lost_total - len(self._arrivals)

    def arriveTogether(self, messages: int, blocks: int, octets: int) -> None:
        """
        Several messages arrive at once.

        @param messages: how many.
        @param blocks: the blocks that they hold, all together.
        @param octets: their length in bytes, all together.
        @raise ChannelCorrupt: as with L{arrive}.
        """
        held = self.held + blocks
        if held + self.owed > self.capacity:
            raise ChannelCorrupt(
                f"{blocks} blocks were sent into a queue of {self.capacity} blocks "
                f"of which {self.held + self.owed} were taken"
            )
        self.held = held
        if held > self.high_water:
            self.high_water = held
        self.arrived_total += messages
        self.bytes_total += octets
        if messages == 1:
            self._arrivals.append(self._seconds())
        else:
            self._arrivals.extend(repeat(self._seconds(), messages))

    def handled(self, length: int) -> None:
        """
        The handler of the oldest message, of C{length} bytes, has returned:
        its blocks are owed to the sender.
        """
        blocks = 1 if length <= self._one_block else self.limits.blocksFor(length)
        self.held -= blocks
        self.owed += blocks
        self._arrivals.popleft()

    def settle(self) -> int:
        """
        The sender is being told of all that it is owed.

        @return: how many blocks that is; may be 0.
        """
        owed = self.owed
        self.owed = 0
        return owed

    def forget(self) -> None:
        """
        The queue is gone and everything in it; the totals stay as they are.
        """
        self.held = self.owed = 0
        self.lost_total += len(self._arrivals)
        self._arrivals.clear()

    def statistics(self) -> QueueStatistics:
        """
        The state of the queue, as far as the receiver knows it.  What the
        sender refused is not known here and is 0.
        """
        arrivals = self._arrivals
        return QueueStatistics(
            blocks_allocated=self.held,
            blocks_capacity=self.capacity,
            block_size=self.limits.block_size,
            blocks_high_water=self.high_water,
            queue_length=len(arrivals),
            enqueued_total=self.arrived_total,
            dequeued_total=self.handled_total,
            refused_total=0,
            too_large_total=0,
            bytes_total=self.bytes_total,
            oldest_age=max(0.0, self._seconds() - arrivals[0]) if arrivals else 0.0,
        )


class WaitingLine:
    """
    Those who wait for room in a queue: first come, first served.  A small
    demand never passes a large one, so a large one is not starved.

    @ivar waiters: who waits, and for how many blocks; to be looked at only.
    """

    def __init__(self, window: CreditWindow) -> None:
        self._window = window
        self.waiters: OrderedDict[Deferred[None], int] = OrderedDict()
        self._line = self.waiters
        self._serving = False

    def __len__(self) -> int:
        return len(self._line)

    def join(self, blocks: int) -> Deferred[None]:
        """
        Wait until C{blocks} blocks are free and nobody is ahead.

        @param blocks: from 1 to the capacity.
        @return: fires with C{None}; has fired already if there is no need to
            wait.  Cancelling it leaves the line.
        """
        if not self._line and blocks <= self._window.free:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._leave)
        self._line[waiter] = blocks
        return waiter

    def _leave(self, waiter: Deferred[None]) -> None:
        self._line.pop(waiter, None)
        self.serve()

    def serve(self) -> None:
        """
        Blocks may have become free: let those go for whom there is room, in
        order.  Room taken by the callback of one is not there for the next.
        """
        if self._serving:
            return
        self._serving = True
        try:
            while self._line:
                waiter, blocks = next(iter(self._line.items()))
                if blocks > self._window.free:
                    break
                del self._line[waiter]
                waiter.callback(None)
        finally:
            self._serving = False

    def fail(self, error: Callable[[], TransportError]) -> None:
        """
        There will be no more room: everybody gets an error of their own.
        """
        # One may cancel another in its errback, and none is to be served meanwhile.
        serving, self._serving = self._serving, True
        try:
            while self._line:
                waiter, _ = self._line.popitem(last=False)
                waiter.errback(error())
        finally:
            self._serving = serving
