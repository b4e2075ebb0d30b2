"""
The books of calls under way: numbers, bounds, deadlines, windows.  Sans-IO;
both ends of a channel keep the same books.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from mailstore.ipc.codec import CodecError
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.messages import Terms

_LAST_ID = (1 << 32) - 1

C = TypeVar("C")


def wantedTerms(limits: IpcLimits) -> Terms:
    """
    What one end would like to agree on.
    """
    return Terms(
        window=limits.window,
        max_calls=limits.max_calls,
        max_held=limits.max_held,
        max_request=limits.max_request,
        max_reply=limits.max_reply,
    )


def agreedTerms(ours: Terms, theirs: Terms) -> Terms:
    """
    What both ends can keep: the smaller of each.

    @raise CodecError: nothing could be done under these terms.
    """
    agreed = Terms(
        window=min(ours.window, theirs.window),
        max_calls=min(ours.max_calls, theirs.max_calls),
        max_held=min(ours.max_held, theirs.max_held),
        max_request=min(ours.max_request, theirs.max_request),
        max_reply=min(ours.max_reply, theirs.max_reply),
    )
    if agreed.max_held < agreed.max_request or agreed.max_request < 4096 or agreed.max_reply < 4096:
        raise CodecError("terms under which nothing could be done")
    return agreed


class CallTable(Generic[C]):
    """
    The calls of one channel that have no final answer yet, within the bounds agreed.

    @ivar held: bytes of their requests together.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._calls: dict[int, tuple[C, int]] = {}
        self._last = 0
        self.held = 0

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[C]:
        return iter([call for call, _ in self._calls.values()])

    def hasRoom(self, size: int) -> bool:
        """
        Whether a request of C{size} bytes may be admitted now.
        """
        return len(self._calls) < self._terms.max_calls and self.held + size <= self._terms.max_held

    def newId(self) -> int:
        """
        A number that no call under way has.
        """
        while True:
            self._last = self._last % _LAST_ID + 1
            if self._last not in self._calls:
                return self._last

    def add(self, number: int, call: C, size: int) -> None:
        """
        Admit a call.

        @raise CodecError: its number is taken, or it is one too many; only a
            peer that breaks the agreement can make this happen.
        """
        if not number or number in self._calls:
            raise CodecError("a request with a number that is not free")
        if not self.hasRoom(size):
            raise CodecError("more requests than agreed")
        self._calls[number] = (call, size)
        self.held += size

    def get(self, number: int) -> C | None:
        """
        The call of this number, if it is under way.
        """
        found = self._calls.get(number)
        return None if found is None else found[0]

    def remove(self, number: int) -> C | None:
        """
        The call has its final answer; its place is free.
        """
        found = self._calls.pop(number, None)
        if found is None:
            return None
        self.held -= found[1]
        return found[0]

    def clear(self) -> list[C]:
        """
        Nobody will answer any more: give back all calls, and forget them.
        """
        calls = list(self)
        self._calls.clear()
        self.held = 0
        return calls


class Ahead:
    """
    The batches that streams may have in flight beyond one for each: one supply for all.

    It gives what there is, so a stream can always begin, and with more the
    fewer others hold what is theirs.

    @ivar most: what there is in all.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0

    def take(self, wanted: int) -> int:
        """
        Take some, for as long as a stream lives.

        @return: how many; from 0 to C{wanted}.
        """
        given = max(0, min(wanted, self.most - self._taken))
        self._taken += given
        return given

    def give(self, taken: int) -> None:
        """
        The stream is over.
        """
        self._taken -= taken


class SendWindow:
    """
    How many batches of one stream the store may still send.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self.free = window

    def take(self) -> None:
        """
        A batch leaves.
        """
        if self.free <= 0:
            raise AssertionError("a batch without credit")
        self.free -= 1

    def give(self, batches: int) -> None:
        """
        The front end consumed some.

        @raise CodecError: more than were sent.
        """
        if not 0 < batches <= self._window - self.free:
            raise CodecError("credit for batches that were never sent")
        self.free += batches


class ReceiveWindow:
    """
    How many batches of one stream have arrived and were not yet reported consumed.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._outstanding = 0
        self._consumed = 0

    def arrived(self) -> None:
        """
        A batch came.

        @raise CodecError: more than the store had credit for.
        """
        if self._outstanding >= self._window:
            raise CodecError("a batch without credit")
        self._outstanding += 1

    def consumed(self) -> None:
        """
        The consumer took a batch.
        """
        self._consumed += 1

    @property
    def due(self) -> bool:
        """
        Whether it is time to report: at half a window, so that the store can
        go on before it must stop.
        """
        return self._consumed >= (self._window + 1) // 2

    def report(self) -> int:
        """
        How many to report now; they count as reported from here on.
        """
        consumed, self._consumed = self._consumed, 0
        self._outstanding -= consumed
        return consumed
