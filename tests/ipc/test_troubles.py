"""
What the log says of a store in trouble.
"""

from __future__ import annotations

import sqlite3

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailstore.errors import NoSuchFolder, OverQuota, StoreBusy, StoreError, StoreFault, StoreUnavailable
from mailstore.ipc.troubles import AGAIN_AFTER, MAX_KINDS, Troubles, another


@implementer(ILogObserver)
class Heard:
    """
    Keeps what is logged as an error.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self)
        case.addCleanup(globalLogPublisher.removeObserver, self)

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") in (LogLevel.error, LogLevel.critical):
            self.events.append(event)

    @property
    def lines(self) -> list[str]:
        """
        What a reader of the log sees.
        """
        return [formatEvent(event) for event in self.events]


def _error(kind: type[StoreError], words: str, cause: BaseException | None) -> StoreError:
    error = kind(words)
    error.__cause__ = cause
    return error


class TroublesTests(SynchronousTestCase):
    """
    L{Troubles}.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.troubles = Troubles(self.clock)
        self.heard = Heard(self)

    def test_no(self) -> None:
        """
        A store that says no is in no trouble.
        """
        for error in (
            NoSuchFolder("x"),
            StoreBusy("x"),
            _error(StoreUnavailable, "x", StoreUnavailable("y")),
        ):
            self.troubles.met(error)
        self.assertEqual(self.heard.events, [])

    def test_once(self) -> None:
        """
        A trouble is one event without a traceback, with what the system says; when it goes on it
        is said again after a minute, with how often it was met.
        """
        cause = sqlite3.OperationalError("database or disk is full")
        cause.sqlite_errorname = "SQLITE_FULL"
        error = _error(OverQuota, "the store has no room left", cause)
        said = "a request failed: the store has no room left: database or disk is full (SQLITE_FULL)"
        for _ in range(100):
            self.troubles.met(error)
        self.assertEqual(self.heard.lines, [said])
        for name in ("/spool", "/spool2"):
            self.troubles.met(_error(StoreUnavailable, "no", OSError(2, "No such file", name)))
        self.assertEqual(self.heard.lines[1:], ["a request failed: no: [Errno 2] No such file: '/spool'"])
        self.clock.advance(AGAIN_AFTER)
        self.troubles.met(error)
        self.assertEqual(self.heard.lines[2:], [said + " (and 99 times more before)"])
        self.assertFalse(any("log_failure" in event for event in self.heard.events))

    def test_mistake(self) -> None:
        """
        A mistake in this program comes with its place.
        """
        try:
            raise KeyError("a mistake")
        except KeyError as mistake:
            self.troubles.met(_error(StoreFault, "neutral", mistake))
        (failure,) = self.flushLoggedErrors(KeyError)
        self.assertIn("test_mistake", failure.getTraceback())
        self.assertEqual(self.heard.lines[0].partition("\n")[0], "A request failed in an unforeseen way")

    def test_bounded(self) -> None:
        """
        However many kinds there are, those told longest ago are forgotten.
        """
        causes = [OSError(number, f"{number}") for number in range(MAX_KINDS + 1)]
        errors = [_error(StoreUnavailable, "no", each) for each in causes]
        for error in errors:
            self.troubles.met(error)
        self.troubles.met(errors[-1])
        self.assertEqual(len(self.heard.events), MAX_KINDS + 1)
        self.troubles.met(errors[0])
        self.assertEqual(len(self.heard.events), MAX_KINDS + 2)

    def test_another(self) -> None:
        """
        The same for each of those who are told.
        """
        first = _error(OverQuota, "full", OSError(28, "x"))
        second = another(first)
        self.assertIsNot(second, first)
        self.assertEqual((type(second), str(second), second.__cause__), (OverQuota, "full", first.__cause__))
