"""
Tests for L{mailstore.bounds}.
"""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailstore.bounds import between


@attrs.frozen
class Limits:
    """
    Some bounds.
    """

    count: int = attrs.field(default=2, validator=between(1, 3))
    seconds: float = attrs.field(default=2.0, validator=between(0.5, 3))


class BetweenTests(SynchronousTestCase):
    """
    L{between}.
    """

    def test_good(self) -> None:
        """
        Both ends are within; a whole number is a number.
        """
        for count in (1, 3):
            self.assertEqual(Limits(count=count).count, count)
        for seconds in (0.5, 1, 3):
            self.assertEqual(Limits(seconds=seconds).seconds, seconds)

    def test_bad(self) -> None:
        """
        Others are refused, and the message names the bound.
        """
        for count in (0, 4, 1.0, True, "2", None, float("nan")):
            error = self.assertRaises(ValueError, Limits, count=count)
            self.assertEqual(str(error), f"count must be a whole number from 1 to 3, not {count!r}")
        for seconds in (0.4, 3.1, True, "2", None, float("nan"), float("inf")):
            error = self.assertRaises(ValueError, Limits, seconds=seconds)
            self.assertEqual(str(error), f"seconds must be a number from 0.5 to 3, not {seconds!r}")
