"""
What the log says when a store cannot do its work: a client is only told that it cannot.

The disk is full for every request that comes, and a damaged page is met by all who
read it: each trouble is one event, and said again only from time to time, with how often it was met.
"""

from __future__ import annotations

from collections import OrderedDict

import attrs
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailstore.errors import StoreError, StoreFault

#: Seconds after which a trouble that goes on is said again.
AGAIN_AFTER = 60.0

#: Troubles that are told apart.
MAX_KINDS = 50


@attrs.define
class _Told:
    """
    A trouble that was told.
    """

    at: float
    #: How often it was met since.
    since: int = 0


class Troubles:
    """
    Tells the log of errors that have a cause below the store.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        """
        @param clock: the reactor.
        """
        self._clock = clock
        self._told: OrderedDict[tuple[str, str], _Told] = OrderedDict()

    def met(self, error: StoreError) -> None:
        """
        A request ended with this error.  One that only says no, as most do, is no trouble.
        """
        cause = error.__cause__
        if cause is None or isinstance(cause, StoreError):
            return
        # The same file may have another name each time.
        what = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        key = (error.code, f"{type(cause).__name__}: {what}")
        told, now = self._told.get(key), self._clock.seconds()
        if told is not None and now - told.at < AGAIN_AFTER:
            told.since += 1
            return
        self._told[key] = _Told(now)
        self._told.move_to_end(key)
        if len(self._told) > MAX_KINDS:
            self._told.popitem(last=False)
        again = f" (and {told.since} times more before)" if told is not None and told.since else ""
        # What SQLite or the system says is about this machine, and says it all; anything else is
        # a mistake in this program, whose place must be known.
        if isinstance(error, StoreFault) and not _isFromOutside(cause):
            failure = Failure(cause)  # type: ignore[no-untyped-call]
            self._log.failure("A request failed in an unforeseen way{again}", failure, again=again)
            return
        name = getattr(cause, "sqlite_errorname", "")
        self._log.error(
            "a request failed: {error}: {cause}{name}{again}",
            error=str(error),
            cause=str(cause),
            name=f" ({name})" if name else "",
            again=again,
        )


def _isFromOutside(cause: BaseException) -> bool:
    return isinstance(cause, OSError) or bool(getattr(cause, "sqlite_errorname", ""))


def another(error: StoreError) -> StoreError:
    """
    The same error for somebody else, with the same cause.
    """
    made = type(error)(str(error))
    made.__cause__ = error.__cause__
    return made
