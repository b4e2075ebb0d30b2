"""
L{transports.credit}.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.trial.unittest import SynchronousTestCase

from transports.credit import CreditWindow, InboundLedger, PortionedWindow
from transports.errors import ChannelCorrupt, MessageTooLarge, QueueFull
from transports.limits import HEADER_SIZE, Limits

LIMITS = Limits(block_size=64, capacity=8)


class LimitsTests(SynchronousTestCase):
    """
    L{Limits}.
    """

    def test_blocksFor(self) -> None:
        """
        Blocks are counted for header and message, rounded up.
        """
        cases = [(0, 1), (47, 1), (48, 1), (49, 2), (112, 2), (113, 3), (8 * 64 - 16, 8), (8 * 64 - 15, 9)]
        for length, blocks in cases:
            self.assertEqual(LIMITS.blocksFor(length), blocks, length)
        self.assertEqual(LIMITS.max_message, 8 * 64 - HEADER_SIZE)

    def test_impossible(self) -> None:
        """
        Limits that make no sense cannot exist.
        """
        for block_size, capacity in ((31, 1), (64, 0), (64, -1), ((1 << 24) + 1, 1), (64, (1 << 24) + 1)):
            self.assertRaises(ValueError, Limits, block_size, capacity)
        self.assertRaises(ValueError, Limits, 64, 1.5)

    def test_mismatch(self) -> None:
        """
        A mismatch is said with all four numbers.
        """
        text = LIMITS.mismatch("unix:/x", Limits(128, 4))
        for part in ("unix:/x", "8 blocks of 64 bytes", "4 blocks of 128 bytes"):
            self.assertIn(part, text)


class CreditWindowTests(SynchronousTestCase):
    """
    L{CreditWindow}.
    """

    def setUp(self) -> None:
        """
        A window with a clock that stands still.
        """
        self.now = 100.0
        self.window = CreditWindow(LIMITS, lambda: self.now)

    def test_exact(self) -> None:
        """
        The last block is given, the one after it is not.
        """
        for _ in range(8):
            self.assertEqual(self.window.take(48), 1)
        error = self.assertRaises(QueueFull, self.window.take, 0)
        self.assertEqual((error.needed, error.free, error.capacity), (1, 0, 8))
        self.window.giveBack(1)
        self.assertRaises(QueueFull, self.window.take, 49)
        self.window.take(48)
        self.assertEqual(self.window.free, 0)

    def test_tooLarge(self) -> None:
        """
        What can never fit is said to be so even when the queue is full.
        """
        self.window.take(LIMITS.max_message)
        error = self.assertRaises(MessageTooLarge, self.window.take, LIMITS.max_message + 1)
        self.assertEqual((error.size, error.largest), (LIMITS.max_message + 1, LIMITS.max_message))
        self.assertEqual(self.window.statistics().refused_total, 0)

    def test_credit(self) -> None:
        """
        Credit must be more than 0, at most what is allocated, and for whole
        messages, oldest first; else nothing changes.
        """
        self.window.take(49)
        self.window.take(0)
        for wrong in (0, -1, 1, 4, 1 << 32):
            self.assertRaises(ChannelCorrupt, self.window.giveBack, wrong)
            self.assertEqual(self.window.statistics().queue_length, 2)
            self.assertEqual(self.window.allocated, 3)
        self.window.giveBack(2)
        self.window.giveBack(1)
        self.assertRaises(ChannelCorrupt, self.window.giveBack, 1)

    def test_severalAtOnce(self) -> None:
        """
        One credit can be for several messages.
        """
        for length in (0, 100, 0, 48):
            self.window.take(length)
        self.window.giveBack(3 + 1)
        self.assertEqual(self.window.statistics().dequeued_total, 3)
        self.assertEqual(self.window.allocated, 1)

    def test_oldestAge(self) -> None:
        """
        The age is that of the oldest message still held.
        """
        self.assertEqual(self.window.statistics().oldest_age, 0.0)
        self.window.take(0)
        self.now += 2.5
        self.window.take(0)
        self.assertEqual(self.window.statistics().oldest_age, 2.5)
        self.window.giveBack(1)
        self.assertEqual(self.window.statistics().oldest_age, 0.0)

    def test_forget(self) -> None:
        """
        What is lost was never given back.
        """
        self.window.take(0)
        self.window.take(0)
        self.window.giveBack(1)
        self.window.forget()
        statistics = self.window.statistics()
        self.assertEqual((statistics.blocks_allocated, statistics.queue_length), (0, 0))
        self.assertEqual((statistics.enqueued_total, statistics.dequeued_total), (2, 1))

    def test_countersPast32Bits(self) -> None:
        """
        Totals do not wrap.
        """
        self.window.enqueued = self.window.bytes_total = (1 << 32) - 1
        self.window.take(2)
        self.assertEqual(self.window.statistics().enqueued_total, 1 << 32)
        self.assertEqual(self.window.statistics().bytes_total, (1 << 32) + 1)


class BookTests(SynchronousTestCase):
    """
    What the books keep of what is over.
    """

    def test_windowForgets(self) -> None:
        """
        However many messages pass, the sender's book stays short, and it tells
        the same as if it had kept everything.
        """
        for kind in (CreditWindow, PortionedWindow):
            self.now = 0.0
            window = kind(LIMITS, lambda: self.now)
            longest = 0
            window.take(0)
            for number in range(10_000):
                self.now = float(number)
                window.timed = True
                window.take(0)
                window.giveBack(1)
                longest = max(longest, len(window._ends), len(window._times.entries))
            book = window.statistics()
            self.assertEqual(
                (book.queue_length, book.enqueued_total, book.dequeued_total), (1, 10_001, 10_000)
            )
            self.assertEqual(book.oldest_age, 0.0)
            self.now += 5.0
            self.assertEqual(window.statistics().oldest_age, 5.0)
            self.assertLessEqual(longest, 2 * LIMITS.capacity + 1024)

    def test_ledgerForgets(self) -> None:
        """
        The receiver's too.
        """
        self.now = 0.0
        ledger = InboundLedger(LIMITS, lambda: self.now)
        longest = 0
        ledger.arrive(0)
        for number in range(10_000):
            self.now = float(number)
            ledger.arrive(0)
            ledger.handled(0)
            ledger.settle()
            longest = max(longest, len(ledger._times.entries))
        self.now += 5.0
        book = ledger.statistics()
        self.assertEqual((book.queue_length, book.enqueued_total, book.dequeued_total), (1, 10_001, 10_000))
        self.assertEqual(book.oldest_age, 5.0)
        self.assertLessEqual(longest, 2 * LIMITS.capacity + 1024)

    def test_oneTimeForATurn(self) -> None:
        """
        A book that is told of turns looks at the clock once in each, and every
        message of the turn is as old as its first.
        """
        looks = 0

        def seconds() -> float:
            nonlocal looks
            looks += 1
            return float(looks)

        window = PortionedWindow(LIMITS, seconds)
        for _ in range(2):
            for _ in range(3):
                window.take(0)
            window.timed = True
        self.assertEqual(looks, 2)
        ages = []
        for _ in range(5):
            ages.append(window.statistics().oldest_age)
            window.giveBack(1)
        self.assertEqual(ages, [2.0, 3.0, 4.0, 4.0, 5.0])


class CollectTests(SynchronousTestCase):
    """
    Credit that is looked for before a message is refused.
    """

    def setUp(self) -> None:
        """
        A full window, and what can be found when it is asked for.
        """
        self.window = CreditWindow(LIMITS, lambda: 0.0)
        self.found = 0
        self.asked = 0
        self.window.collect = self.collect
        for _ in range(8):
            self.window.take(0)

    def collect(self) -> None:
        """
        Find what there is.
        """
        self.asked += 1
        for _ in range(self.found):
            self.window.giveBack(1)
        self.found = 0

    def test_notAskedWhileThereIsRoom(self) -> None:
        """
        Nobody looks before it is needed, nor for what can never fit.
        """
        self.assertEqual(self.asked, 0)
        self.assertRaises(MessageTooLarge, self.window.take, LIMITS.max_message + 1)
        self.assertEqual(self.asked, 0)

    def test_found(self) -> None:
        """
        What is found is room; nothing is counted as refused.
        """
        self.found = 2
        self.assertEqual(self.window.take(100), 2)
        self.assertEqual((self.asked, self.window.refused, self.window.allocated), (1, 0, 8))

    def test_notEnough(self) -> None:
        """
        When too little is found the refusal counts once, and says what is free.
        """
        self.found = 1
        error = self.assertRaises(QueueFull, self.window.take, 100)
        self.assertEqual((error.needed, error.free, error.capacity), (2, 1, 8))
        self.assertEqual((self.asked, self.window.refused, self.window.allocated), (1, 1, 7))

    def test_broken(self) -> None:
        """
        When what is found is wrong, nothing is taken and nothing counted.
        """

        def broken() -> None:
            raise ChannelCorrupt("wrong")

        self.window.collect = broken
        self.assertRaises(ChannelCorrupt, self.window.take, 0)
        self.assertEqual((self.window.refused, self.window.allocated, self.window.enqueued), (0, 8, 8))


class PortionedWindowTests(SynchronousTestCase):
    """
    L{PortionedWindow}.
    """

    def test_anyPortions(self) -> None:
        """
        Portions need not be whole messages: a message is gone when all its
        blocks are back.
        """
        window = PortionedWindow(LIMITS, lambda: 0.0)
        for length in (0, 100, 0, 200):
            window.take(length)
        seen = []
        for portion in (2, 1, 1, 1, 3):
            window.giveBack(portion)
            book = window.statistics()
            seen.append((book.blocks_allocated, book.queue_length, book.dequeued_total))
        self.assertEqual(seen, [(6, 3, 1), (5, 2, 2), (4, 1, 3), (3, 1, 3), (0, 0, 4)])

    def test_bounds(self) -> None:
        """
        More than is allocated, or nothing, is refused, and nothing has changed.
        """
        window = PortionedWindow(LIMITS, lambda: 0.0)
        for blocks in (1, 0, -1):
            self.assertRaises(ChannelCorrupt, window.giveBack, blocks)
        window.take(100)
        window.giveBack(1)
        for blocks in (2, 0, 1 << 63):
            self.assertRaises(ChannelCorrupt, window.giveBack, blocks)
        self.assertEqual(window.allocated, 1)
        window.giveBack(1)
        self.assertEqual(window.statistics().dequeued_total, 1)


class InboundLedgerTests(SynchronousTestCase):
    """
    L{InboundLedger}.
    """

    def test_overPublish(self) -> None:
        """
        A message for which the sender had no room is refused, and nothing changes.
        """
        ledger = InboundLedger(LIMITS, lambda: 0.0)
        ledger.arrive(LIMITS.max_message - 64)
        ledger.arrive(0)
        self.assertRaises(ChannelCorrupt, ledger.arrive, 0)
        self.assertEqual(ledger.statistics().queue_length, 2)

    def test_owedCounts(self) -> None:
        """
        The sender cannot use blocks that it has not been told of.
        """
        ledger = InboundLedger(LIMITS, lambda: 0.0)
        ledger.arrive(LIMITS.max_message)
        ledger.handled(LIMITS.max_message)
        self.assertRaises(ChannelCorrupt, ledger.arrive, 0)
        self.assertEqual(ledger.settle(), 8)
        self.assertEqual(ledger.settle(), 0)
        ledger.arrive(0)

    def test_hugeLength(self) -> None:
        """
        A length beyond anything is refused like any other.
        """
        ledger = InboundLedger(LIMITS, lambda: 0.0)
        self.assertRaises(ChannelCorrupt, ledger.arrive, (1 << 64) - 1)


class ArriveTogetherTests(SynchronousTestCase):
    """
    L{InboundLedger.arriveTogether}.
    """

    def test_sameAsOneByOne(self) -> None:
        """
        Several at once leave the same book as one after the other.
        """
        together, single = (InboundLedger(LIMITS, lambda: 7.0) for _ in range(2))
        for length in (0, 100, 48):
            single.arrive(length)
        together.announce(4)
        together.arriveTogether(3, 4, 148)
        self.assertEqual(together.statistics(), single.statistics())
        for length in (0, 100, 48):
            together.handled(length)
            single.handled(length)
        self.assertEqual(together.statistics(), single.statistics())
        self.assertEqual(together.settle(), 4)

    def test_overPublish(self) -> None:
        """
        More than there is room for is refused, and nothing has changed.
        """
        ledger = InboundLedger(LIMITS, lambda: 0.0)
        ledger.announce(5)
        before = ledger.statistics()
        for blocks in (0, -1, 4):
            self.assertRaises(ChannelCorrupt, ledger.announce, blocks)
        self.assertRaises(ChannelCorrupt, ledger.arriveTogether, 1, 6, 0)
        self.assertEqual((ledger.statistics(), ledger.due, ledger.taken), (before, 5, 5))

    def test_announced(self) -> None:
        """
        What has been announced is taken from the sender, and in the queue when it
        arrives.
        """
        ledger = InboundLedger(LIMITS, lambda: 0.0)
        ledger.announce(5)
        ledger.arriveTogether(2, 3, 0)
        self.assertEqual((ledger.due, ledger.held, ledger.owed, ledger.taken), (2, 3, 0, 5))
        ledger.handled(LIMITS.block_size)
        self.assertEqual((ledger.held, ledger.owed, ledger.handled_total, ledger.queued), (1, 2, 1, 1))
        self.assertEqual(ledger.settle(), 2)
        self.assertEqual((ledger.due, ledger.held, ledger.owed, ledger.taken), (2, 1, 0, 3))
        ledger.forget()
        self.assertEqual((ledger.due, ledger.held, ledger.owed, ledger.taken), (0, 0, 0, 0))
        self.assertEqual((ledger.lost_total, ledger.handled_total, ledger.queued), (1, 1, 0))


class WindowMachine(RuleBasedStateMachine):
    """
    A window and a ledger against a plain list of lengths.
    """

    def __init__(self) -> None:
        super().__init__()
        self.window = CreditWindow(LIMITS, lambda: 0.0)
        self.ledger = InboundLedger(LIMITS, lambda: 0.0)
        self.queued: list[int] = []
        self.owed: list[int] = []
        self.refused = 0

    def blocks(self, lengths: list[int]) -> int:
        """
        What these messages need, reckoned another way.
        """
        return sum(max(1, (length + 16 + 63) // 64) for length in lengths)

    @rule(length=st.integers(0, 600))
    def offer(self, length: int) -> None:
        """
        Exactly what fits is accepted.
        """
        free = 8 - self.blocks(self.queued) - self.blocks(self.owed)
        try:
            self.window.take(length)
        except QueueFull as error:
            self.refused += 1
            assert error.needed == self.blocks([length]) > free == error.free
        except MessageTooLarge:
            assert length > LIMITS.max_message
        else:
            assert self.blocks([length]) <= free
            self.ledger.arrive(length)
            self.queued.append(length)

    @precondition(lambda self: self.queued)
    @rule()
    def handle(self) -> None:
        """
        A handler returns.
        """
        self.ledger.handled(self.queued[0])
        self.owed.append(self.queued.pop(0))

    @precondition(lambda self: self.owed)
    @rule()
    def settle(self) -> None:
        """
        The credit is told.
        """
        self.window.giveBack(self.ledger.settle())
        self.owed.clear()

    @rule(excess=st.integers(1, 100))
    def overCredit(self, excess: int) -> None:
        """
        Too much credit is refused and changes nothing.
        """
        try:
            self.window.giveBack(self.window.allocated + excess)
        except ChannelCorrupt:
            pass
        else:
            raise AssertionError("too much credit was taken")

    @invariant()
    def exact(self) -> None:
        """
        The books are the list.
        """
        statistics = self.window.statistics()
        assert 0 <= statistics.blocks_allocated <= statistics.blocks_capacity
        assert statistics.blocks_allocated == self.blocks(self.queued) + self.blocks(self.owed)
        assert statistics.queue_length == len(self.queued) + len(self.owed)
        assert statistics.refused_total == self.refused
        assert self.ledger.statistics().blocks_allocated == self.blocks(self.queued)


class WindowModelTests(SynchronousTestCase):
    """
    Both books against a model.
    """

    def test_model(self) -> None:
        """
        No order of events brings the books out of step.
        """
        machine = WindowMachine.TestCase
        machine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
        machine().runTest()
