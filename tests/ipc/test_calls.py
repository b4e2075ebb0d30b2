"""
The books of calls under way.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.ipc.calls import Ahead, CallTable, ReceiveWindow, SendWindow, agreedTerms, wantedTerms
from mailstore.ipc.codec import CodecError
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.messages import Terms


class TermsTests(SynchronousTestCase):
    """
    What two ends agree on.
    """

    def test_smaller(self) -> None:
        """
        The smaller of each holds.
        """
        self.assertEqual(
            agreedTerms(Terms(1, 20, 30_000, 4096, 5000), Terms(10, 2, 30_000, 5000, 4096)),
            Terms(1, 2, 30_000, 4096, 4096),
        )
        ours = wantedTerms(IpcLimits())
        self.assertEqual(agreedTerms(ours, ours), ours)

    def test_useless(self) -> None:
        """
        Terms under which no request could be sent are refused.
        """
        ours = wantedTerms(IpcLimits())
        for theirs in (
            Terms(1, 1, 1 << 20, 4095, 4096),
            Terms(1, 1, 1 << 20, 4096, 4095),
            Terms(1, 1, 4096, 4097, 4096),
        ):
            self.assertRaises(CodecError, agreedTerms, ours, theirs)


class CallTableTests(SynchronousTestCase):
    """
    Calls without their final answer.
    """

    def table(self) -> CallTable[str]:
        return CallTable(Terms(1, 3, 8192, 4096, 4096))

    def test_bounds(self) -> None:
        """
        Neither too many calls nor too many bytes are admitted.
        """
        table = self.table()
        table.add(1, "a", 4096)
        table.add(2, "b", 4096)
        self.assertTrue(table.hasRoom(0))
        self.assertFalse(table.hasRoom(1))
        self.assertRaises(CodecError, table.add, 3, "c", 1)
        table.add(3, "c", 0)
        self.assertRaises(CodecError, table.add, 4, "d", 0)
        self.assertEqual(table.remove(1), "a")
        self.assertEqual((len(table), table.held), (2, 4096))
        self.assertEqual(table.clear(), ["b", "c"])
        self.assertEqual((len(table), table.held), (0, 0))

    def test_numbers(self) -> None:
        """
        A number is used by one call at a time; 0 is none.
        """
        table = self.table()
        table.add(7, "a", 0)
        self.assertRaises(CodecError, table.add, 7, "b", 0)
        self.assertRaises(CodecError, table.add, 0, "b", 0)
        self.assertEqual((table.get(7), table.get(8)), ("a", None))
        self.assertIsNone(table.remove(8))

    def test_newId(self) -> None:
        """
        Numbers go round and pass over those in use.
        """
        table = self.table()
        table.add(2, "a", 0)
        self.assertEqual([table.newId() for _ in range(3)], [1, 3, 4])
        table._last = (1 << 32) - 2
        self.assertEqual([table.newId() for _ in range(3)], [(1 << 32) - 1, 1, 3])


class WindowTests(SynchronousTestCase):
    """
    Credit, at both ends.
    """

    def test_send(self) -> None:
        """
        A batch takes, a report gives, and none gives more than was taken.
        """
        window = SendWindow(2)
        self.assertRaises(CodecError, window.give, 1)
        window.take()
        window.take()
        self.assertEqual(window.free, 0)
        self.assertRaises(AssertionError, window.take)
        self.assertRaises(CodecError, window.give, 3)
        self.assertRaises(CodecError, window.give, 0)
        window.give(2)
        self.assertEqual(window.free, 2)

    def test_ahead(self) -> None:
        """
        The one supply gives what it has, takes back, and can be made smaller meanwhile.
        """
        ahead = Ahead(5)
        self.assertEqual([ahead.take(3) for _ in range(3)], [3, 2, 0])
        ahead.give(2)
        self.assertEqual(ahead.take(1), 1)
        ahead.most = 2
        self.assertEqual(ahead.take(1), 0)
        ahead.give(3)
        self.assertEqual(ahead.take(3), 1)

    def test_receive(self) -> None:
        """
        More batches than there was credit for are noticed.
        """
        window = ReceiveWindow(2)
        window.arrived()
        window.arrived()
        self.assertRaises(CodecError, window.arrived)
        window.consumed()
        self.assertRaises(CodecError, window.arrived)
        self.assertEqual(window.report(), 1)
        window.arrived()

    def test_never_stuck(self) -> None:
        """
        Whatever the window, when the store has sent all it may and the
        consumer has consumed all, a report is due.
        """
        for size in range(1, 20):
            window = ReceiveWindow(size)
            for _ in range(size):
                window.arrived()
            for _ in range(size):
                window.consumed()
            self.assertTrue(window.due)
            self.assertEqual(window.report(), size)
            self.assertFalse(window.due)


class LimitsTests(SynchronousTestCase):
    """
    Bounds that make sense.
    """

    def test_refused(self) -> None:
        """
        Each impossible bound is named.
        """
        for name, value in (
            ("patience", -1),
            ("deadline", 0),
            ("window", 0),
            ("window", 1.5),
            ("window", True),
            ("max_calls", "many"),
            ("max_held", 4096),
            ("inline_upload", 1 << 24),
        ):
            error = self.assertRaises(ValueError, IpcLimits, **{name: value})
            self.assertIn(name, str(error))
