# mypy: allow-untyped-calls
"""
Channels that are wrong about what is full, and about the figures.
"""

from __future__ import annotations

from typing import Any

import attrs

from transports.credit import CreditWindow, InboundLedger
from transports.errors import MessageTooLarge, QueueFull
from transports.limits import HEADER_SIZE
from transports.memory import MemoryChannel
from transports.statistics import QueueStatistics


def held(window: CreditWindow) -> int:
    """
    Blocks of the messages in the queue, whatever the book says.
    """
    return window._ends[-1] - window._given if window.queued else 0


class _AnotherCapacity(CreditWindow):
    """
    Decides as if the queue had another capacity.
    """

    off_by = 0

    def take(self, length: int) -> int:
        """
        Decide wrongly.
        """
        self.capacity += self.off_by
        try:
            return super().take(length)
        finally:
            self.capacity -= self.off_by


class _NeverFullWindow(_AnotherCapacity):
    off_by = 1 << 40


class _OneTooManyWindow(_AnotherCapacity):
    off_by = 1


class _OneTooFewWindow(_AnotherCapacity):
    off_by = -1


class Credulous(InboundLedger):
    """
    A receiver that does not notice.
    """

    def arrive(self, length: int) -> None:
        """
        Believe the sender.
        """
        self.capacity += 1 << 40
        try:
            super().arrive(length)
        finally:
            self.capacity -= 1 << 40


class NeverFull(MemoryChannel):
    """
    KB 817051: the full queue is not noticed.
    """

    window_class = _NeverFullWindow
    ledger_class = Credulous


class OneTooMany(MemoryChannel):
    """
    C{free + 1 >= needed}.
    """

    window_class = _OneTooManyWindow
    ledger_class = Credulous


class GreaterForGreaterOrEqual(MemoryChannel):
    """
    C{free > needed} where C{free >= needed} is right.
    """

    window_class = _OneTooFewWindow


class CounterNotRestored(MemoryChannel):
    """
    A refusal leaves blocks allocated.
    """

    class window_class(CreditWindow):
        """
        Allocates first and asks later.
        """

        def take(self, length: int) -> int:
            """
            Forget to undo.
            """
            try:
                return super().take(length)
            except QueueFull:
                self.allocated = self.capacity
                raise


class ForgetsTheHeader(MemoryChannel):
    """
    Blocks are counted for the bytes of the message only.
    """

    class window_class(CreditWindow):
        """
        Counts without the header.
        """

        def take(self, length: int) -> int:
            """
            Count wrongly.
            """
            return super().take(max(0, length - HEADER_SIZE))

    ledger_class = Credulous


class TooLargeIsFull(MemoryChannel):
    """
    What can never fit is refused as if it could later.
    """

    def send(self, message: bytes) -> None:
        """
        Use the wrong name.
        """
        try:
            super().send(message)
        except MessageTooLarge:
            statistics = self.statistics()
            capacity = statistics.blocks_capacity
            raise QueueFull(capacity + 1, capacity - statistics.blocks_allocated, capacity) from None


class PartialWrite(MemoryChannel):
    """
    A refused message leaves its beginning in the queue.
    """

    def send(self, message: bytes) -> None:
        """
        Write as much as fits, then look.
        """
        try:
            super().send(message)
        except QueueFull as error:
            if error.free:
                super().send(message[: error.free * self.limits.block_size - HEADER_SIZE])
            raise


class SilentDrop(MemoryChannel):
    """
    Every seventh message is accepted and thrown away.
    """

    def _transmit(self, message: bytes) -> None:
        if self._outbound.enqueued % 7:
            super()._transmit(message)
        else:
            self._outbound._ends.pop()
            self._outbound.allocated -= self.limits.blocksFor(len(message))


class PowerOfTwo(MemoryChannel):
    """
    The capacity is rounded up, so that a mask can be used.
    """

    class window_class(CreditWindow):
        """
        Rounds up.
        """

        def take(self, length: int) -> int:
            """
            Use the rounded capacity.
            """
            right = self.capacity
            self.capacity = 1 << (right - 1).bit_length()
            try:
                return super().take(length)
            finally:
                self.capacity = right

    ledger_class = Credulous


class EmptyIsFree(MemoryChannel):
    """
    An empty message takes no block.
    """

    class window_class(CreditWindow):
        """
        Does not count the blocks of empty messages.
        """

        _hidden = 0

        def take(self, length: int) -> int:
            """
            Count wrongly.
            """
            hidden = self._hidden
            self.capacity += hidden
            self.allocated += hidden
            try:
                blocks = super().take(length)
                if not length:
                    self._hidden += blocks
                return blocks
            finally:
                self.capacity -= hidden
                self.allocated -= self._hidden

        def giveBack(self, blocks: int) -> None:
            """
            Hide it.
            """
            self.allocated += self._hidden
            super().giveBack(blocks)
            self._hidden = min(self._hidden, self.allocated)
            self.allocated -= self._hidden

    ledger_class = Credulous


class WholeQueueIsTooLarge(MemoryChannel):
    """
    A message of exactly the size of the queue is taken for too large.
    """

    class window_class(CreditWindow):
        """
        Compares wrongly.
        """

        def take(self, length: int) -> int:
            """
            C{>=} where C{>} is right.
            """
            if self.limits.blocksFor(length) >= self.capacity > 1:
                self.too_large += 1
                raise MessageTooLarge(length, self.limits.max_message)
            return super().take(length)


class LateRefusal(MemoryChannel):
    """
    Accepts everything, and drops later what does not fit.
    """

    def send(self, message: bytes) -> None:
        """
        Ask later.
        """
        try:
            super().send(message)
        except QueueFull:
            pass


class WrongFigures(MemoryChannel):
    """
    The refusal says how many blocks are taken, not how many are free.
    """

    def send(self, message: bytes) -> None:
        """
        Say the wrong thing.
        """
        try:
            super().send(message)
        except QueueFull as error:
            raise QueueFull(error.needed, error.capacity - error.free, error.capacity) from None


class UnflushedIsFree(MemoryChannel):
    """
    What has not been flushed does not count.
    """

    def _transmit(self, message: bytes) -> None:
        super()._transmit(message)
        if self._outbound.allocated == self.limits.capacity and not self._peer._paused:
            self._outbound.allocated -= 1
            self._reactor.callLater(0, self._count)

    def _count(self) -> None:
        self._outbound.allocated = held(self._outbound)

    def _credited(self, blocks: int) -> None:
        self._count()
        super()._credited(blocks)

    ledger_class = Credulous


class OneWindowForBoth(MemoryChannel):
    """
    Both directions share one window.
    """

    def send(self, message: bytes) -> None:
        """
        Count both.
        """
        taken = self._peer._outbound.allocated
        if self.limits.blocksFor(len(message)) > self.limits.capacity - taken - self._outbound.allocated:
            self._outbound.refused += 1
            raise QueueFull(1, 0, self.limits.capacity)
        super().send(message)


class CountersOf32Bits(MemoryChannel):
    """
    Totals begin again at 2**32.
    """

    def statistics(self) -> QueueStatistics:
        """
        Lose the upper half.
        """
        book = super().statistics()
        mask = (1 << 32) - 1
        return attrs.evolve(
            book, enqueued_total=book.enqueued_total & mask, dequeued_total=book.dequeued_total & mask
        )


class _Misreporting(MemoryChannel):
    """
    Tells a figure that is not so.
    """

    def wrong(self, book: QueueStatistics) -> dict[str, Any]:
        """
        The figures that are wrong.
        """
        raise NotImplementedError

    def statistics(self) -> QueueStatistics:
        """
        Tell it.
        """
        book = super().statistics()
        return attrs.evolve(book, **self.wrong(book))


class OffByOne(_Misreporting):
    """
    The message that is being waited for counts as handled.
    """

    def wrong(self, book: QueueStatistics) -> dict[str, Any]:
        """
        One too many.
        """
        return {"dequeued_total": min(book.enqueued_total, book.dequeued_total + 1)}


class CountsHeaders(_Misreporting):
    """
    Headers count as bytes of the messages.
    """

    def wrong(self, book: QueueStatistics) -> dict[str, Any]:
        """
        Too many.
        """
        return {"bytes_total": book.bytes_total + HEADER_SIZE * book.enqueued_total}


class RefusalsCountAsSent(_Misreporting):
    """
    What was refused counts as enqueued too.
    """

    def wrong(self, book: QueueStatistics) -> dict[str, Any]:
        """
        Too many.
        """
        return {"enqueued_total": book.enqueued_total + book.refused_total}


class ForgetsTheHighWater(_Misreporting):
    """
    The high water falls with the tide.
    """

    def wrong(self, book: QueueStatistics) -> dict[str, Any]:
        """
        As low as it may be.
        """
        return {"blocks_high_water": book.blocks_allocated}


class AgeOfTheYoungest(_Misreporting):
    """
    The age told is that of the youngest message.
    """

    def wrong(self, book: QueueStatistics) -> dict[str, Any]:
        """
        Too young.
        """
        window = self._outbound
        if not window.queued:
            return {"oldest_age": 0.0}
        return {"oldest_age": max(0.0, self._reactor.seconds() - window._times.at(window._ends[-1]))}


class TooLargeCountsAsRefused(MemoryChannel):
    """
    What can never fit counts as a refusal too.
    """

    def send(self, message: bytes) -> None:
        """
        Count twice.
        """
        try:
            super().send(message)
        except MessageTooLarge:
            self._outbound.refused += 1
            raise
