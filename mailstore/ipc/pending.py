"""
Calls of a front end: what waits for an answer of the store, and who for.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from mailstore.ipc.calls import ReceiveWindow
from mailstore.ipc.codec import CodecError, Decoder

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from mailstore.ipc.link import Link


class Progress(enum.Enum):
    """
    How far a call has come.
    """

    #: Stands in line for room.
    WAITING = "waiting"
    #: The store has it, or will have it.
    ADMITTED = "admitted"
    #: It has its outcome.
    OVER = "over"


class Call:
    """
    A request and its outcome.

    @ivar body: the request.
    @ivar link: the one channel it makes sense on; C{None} for any.
    @ivar on: the channel it went out on.
    @ivar number: its number there.
    @ivar expires: when to give up waiting; C{None} while nobody waits.
    @ivar patience: runs out while it is in line.
    @ivar unwanted: nobody waits for the outcome any more.
    """

    def __init__(self, body: bytes, decode: Decoder[Any], link: Link | None) -> None:
        self.body = body
        self._decode = decode
        self.link = link
        self.on: Link | None = None
        self.number = 0
        self.progress = Progress.WAITING
        self.expires: float | None = None
        self.patience: IDelayedCall | None = None
        self.unwanted = False

    def admitted(self, window: int) -> None:
        """
        It has left.
        """
        self.progress = Progress.ADMITTED

    def failed(self, error: Exception) -> None:
        """
        It came to nothing.  At most one outcome is ever told.
        """
        raise NotImplementedError

    def decodeResult(self, body: bytes) -> Any:
        """
        Its one result has come.

        @raise CodecError: this is no such result.
        """
        raise CodecError("one result for a request that has many")

    def resulted(self, result: Any) -> None:
        """
        Tell of the one result.
        """
        raise NotImplementedError

    def batchArrived(self, body: bytes) -> bool:
        """
        One of its batches has come.

        @return: whether somebody was waiting for it.
        @raise CodecError: this is no request with batches, or one too many.
        """
        raise CodecError("a batch for a request that has one result")

    @property
    def may_end(self) -> bool:
        """
        Whether the store may leave it at what has come.
        """
        return True

    def ended(self) -> None:
        """
        There is no more to come.
        """
        self.progress = Progress.OVER


class SingleCall(Call):
    """
    A call with one result.
    """

    def __init__(
        self,
        body: bytes,
        decode: Decoder[Any],
        link: Link | None,
        on_cancel: Callable[[Call], None],
        on_orphan: Callable[[Link, Any], None] | None = None,
    ) -> None:
        """
        @param on_cancel: called when the caller does not want the result any more.
        @param on_orphan: called with a result that came when nobody wanted it.
        """
        super().__init__(body, decode, link)
        self.result: Deferred[Any] = Deferred(lambda _: on_cancel(self))
        self._on_orphan = on_orphan

    def failed(self, error: Exception) -> None:
        if self.progress is not Progress.OVER:
            self.progress = Progress.OVER
            if not self.unwanted:
                self.result.errback(error)

    def decodeResult(self, body: bytes) -> Any:
        return self._decode(body)

    def resulted(self, result: Any) -> None:
        self.progress = Progress.OVER
        if not self.unwanted:
            self.result.callback(result)
        elif self._on_orphan is not None and self.on is not None:
            self._on_orphan(self.on, result)

    @property
    def may_end(self) -> bool:
        return self.unwanted


class StreamCall(Call):
    """
    A call whose answer comes in batches.
    """

    def __init__(
        self, body: bytes, decode: Decoder[Any], on_consumed: Callable[[StreamCall], None], most: int
    ) -> None:
        """
        @param on_consumed: called when it is time to tell the store of batches consumed.
        @param most: batches that the request says may be in flight.
        """
        super().__init__(body, decode, None)
        self._most = most
        self._on_consumed = on_consumed
        self._batches: deque[bytes] = deque()
        self._window: ReceiveWindow | None = None
        self._waiter: Deferred[None] | None = None
        self._error: Exception | None = None

    @property
    def awaited(self) -> bool:
        """
        Whether the consumer waits for the next batch.
        """
        return self._waiter is not None

    def admitted(self, window: int) -> None:
        super().admitted(window)
        self._window = ReceiveWindow(min(window, self._most))

    def failed(self, error: Exception) -> None:
        if self.progress is not Progress.OVER:
            self.progress = Progress.OVER
            self._error = error
            self._tell()

    def batchArrived(self, body: bytes) -> bool:
        assert self._window is not None
        self._window.arrived()
        if self.unwanted:
            return False
        self._batches.append(body)
        awaited = self.awaited
        self._tell()
        return awaited

    def ended(self) -> None:
        super().ended()
        self._tell()

    def report(self) -> int:
        """
        Batches consumed since the last report.
        """
        return 0 if self._window is None else self._window.report()

    def abandon(self) -> None:
        """
        Forget what has come: the consumer wants no more.
        """
        self.unwanted = True
        self._batches.clear()

    async def next(self) -> Any:
        """
        The next batch.

        @raise StopAsyncIteration: there are no more.
        @raise CodecError: this is no such batch.
        @raise StoreError: it failed.
        """
        while not self._batches:
            if self._error is not None:
                raise self._error
            if self.progress is Progress.OVER:
                raise StopAsyncIteration
            if self.on is not None:
                self.on.awaiting(self)
            self._waiter = Deferred()
            try:
                await self._waiter
            finally:
                self._waiter = None
        body = self._batches.popleft()
        if self._window is not None and self.progress is Progress.ADMITTED:
            self._window.consumed()
            if self._window.due:
                self._on_consumed(self)
        return self._decode(body)

    def _tell(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)
