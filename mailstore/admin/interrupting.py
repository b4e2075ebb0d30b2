"""
Ending long work in order when a signal asks for it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable


class Interrupted(Exception):
    """
    A signal has ended a command.

    @ivar signal: its number.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


class Interruption:
    """
    A context in which signals that would end the process are noted; a second one
    ends the process.  One that is ignored (C{nohup}) stays so.

    @ivar signal: the number of the one that came; C{None} for none.
    """

    def __init__(self, told: Callable[[int], object] = lambda number: None) -> None:
        """
        @param told: told its number, in the middle of whatever is being done.
        """
        self.signal: int | None = None
        self._told = told
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(each) is not signal.SIG_IGN:
                self._before[each] = signal.signal(each, self._came)
        return self

    def __exit__(self, *what: object) -> None:
        self._putBack()

    def _putBack(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}

    def _came(self, number: int, frame: object) -> None:
        self._putBack()
        self.signal = number
        self._told(number)

    def check(self) -> None:
        """
        Go on, unless a signal has come.

        @raise Interrupted: it has.
        """
        if self.signal is not None:
            raise Interrupted(self.signal)
