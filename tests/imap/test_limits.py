"""
Tests of L{mailstore.imap.limits}.
"""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits


class LimitsTests(SynchronousTestCase):
    """
    The bounds of a front end.
    """

    def test_defaults(self) -> None:
        """
        The defaults are within their bounds, and as generous as the RFC demands.
        """
        limits = ImapLimits()
        self.assertGreaterEqual(limits.idle_timeout, 1800)
        self.assertGreaterEqual(limits.max_line, 8000)

    def test_refused(self) -> None:
        """
        A value that makes no sense is refused by a sentence that names it.
        """
        for name, value in (
            ("max_sessions", 0),
            ("max_sessions", 1.5),
            ("max_line", "long"),
            ("max_line", True),
            ("idle_timeout", -1.0),
            ("idle_timeout", float("nan")),
        ):
            wrong: dict[str, Any] = {name: value}
            error = self.assertRaises(ValueError, ImapLimits, **wrong)
            self.assertIn(name, str(error))
