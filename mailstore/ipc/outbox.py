"""
The way out of one end of a channel: whole messages in line, frames as there is room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailstore.ipc.codec import Fragments, Message, onlyFrame, pieceSize
from transports.errors import ChannelClosed, PeerLost, QueueFull, TransportError
from transports.interfaces import IChannel


@attrs.define(eq=False)
class Outgoing:
    """
    A message in line.
    """

    message: Message
    #: Called when its first frame has been accepted by the channel.
    on_started: Callable[[], None] | None = None

    def render(self) -> Message | None:
        """
        Itself.
        """
        return self.message


@attrs.define(eq=False)
class Deferral:
    """
    A place in line for a message that is made only when its turn comes, so
    that what happens until then goes into it.
    """

    make: Callable[[], Message | None]
    queued: bool = False

    def render(self) -> Message | None:
        """
        Whatever there is to say by now.
        """
        self.queued = False
        return self.make()


class Outbox:
    """
    The outbound side of one channel.

    Messages leave in the order in which they were put, except that one urgent
    entry may pass those that have not begun.  It takes turns with them, so
    neither holds up the other.

    @ivar backlog: bytes of the messages in line.
    @ivar lost: nothing can leave any more.
    """

    _log = Logger()

    def __init__(self, channel: IChannel, on_room: Callable[[], None]) -> None:
        """
        @param on_room: called after messages have left.
        @raise QueueTooSmall: the channel cannot carry the shortest messages.
        """
        self._channel = channel
        self._on_room = on_room
        self._piece = pieceSize(channel.limits)
        self._line: deque[Outgoing | Deferral] = deque()
        self._urgent: Deferral | None = None
        self._was_urgent = False
        self._current: Fragments | None = None
        self._current_entry: Outgoing | Deferral | None = None
        self._waiting: Deferred[None] | None = None
        self._pumping = False
        self.backlog = 0
        self.lost = False

    @property
    def idle(self) -> bool:
        """
        Nothing is in line and nothing is under way.
        """
        return self._current is None and not self._line and self._urgent is None

    @property
    def entries(self) -> int:
        """
        Messages in line or under way.
        """
        return len(self._line) + (self._urgent is not None) + (self._current is not None)

    def put(self, entry: Outgoing) -> None:
        """
        Put a message at the end of the line, and send what can be sent.
        """
        message = entry.message
        if not self.idle or self._pumping or self._isStuck() or len(message.body) > self._piece:
            self._line.append(entry)
            self.backlog += len(message.body)
            self.pump()
            return
        # Nothing stands before it, and it is short: most often.
        try:
            self._channel.send(onlyFrame(message))
        except QueueFull as full:
            self._line.append(entry)
            self.backlog += len(message.body)
            self._begin()
            self._wait(full.needed)
        except (ChannelClosed, PeerLost):
            self.lost = True
        else:
            self._was_urgent = False
            if entry.on_started is not None:
                entry.on_started()

    def putLater(self, entry: Deferral, urgent: bool = False) -> None:
        """
        Keep a place for a message that will be made when its turn comes: at the
        end of the line, or before all that have not begun.  Does nothing if it has a place.
        """
        if entry.queued:
            return
        entry.queued = True
        if urgent:
            self._urgent = entry
        else:
            self._line.append(entry)
        self.pump()

    def withdraw(self, entry: Outgoing) -> bool:
        """
        Take a message out of the line.

        @return: whether that was possible: none of its frames had left.
        """
        current = self._current
        if entry is self._current_entry and current is not None:
            if current.started:
                return False
            self._current = self._current_entry = None
        elif entry in self._line:
            self._line.remove(entry)
        else:
            return False
        self.backlog -= len(entry.message.body)
        if self.idle:
            self._stopWaiting()
        return True

    def pump(self) -> None:
        """
        Send what there is room for.
        """
        if self._pumping or self._isStuck():
            return
        self._pumping = True
        progress = False
        try:
            while not self._isStuck() and self._begin():
                progress = self._sendFrame() or progress
        finally:
            self._pumping = False
        if progress and not self.lost:
            self._on_room()

    def lose(self) -> None:
        """
        The channel is gone: forget everything.
        """
        self.lost = True
        self._stopWaiting()
        self._line.clear()
        self._urgent = self._current = self._current_entry = None
        self.backlog = 0

    def _isStuck(self) -> bool:
        return self.lost or self._waiting is not None

    def _begin(self) -> bool:
        """
        Make sure that a message is under way.

        @return: C{False} when there is none to send.
        """
        while self._current is None:
            if self._urgent is not None and not (self._was_urgent and self._line):
                entry: Outgoing | Deferral = self._urgent
                self._urgent = None
                self._was_urgent = True
            elif self._line:
                entry = self._line.popleft()
                self._was_urgent = False
            else:
                return False
            message = entry.render()
            if message is not None:
                self._current = Fragments(message, self._piece)
                self._current_entry = entry
        return True

    def _sendFrame(self) -> bool:
        """
        Offer the next frame to the channel.

        @return: whether it was accepted; if not, either somebody will call
            again or everything is lost.
        """
        current, entry = self._current, self._current_entry
        assert current is not None
        try:
            self._channel.send(current.frame())
        except QueueFull as full:
            self._wait(full.needed)
            return False
        except (ChannelClosed, PeerLost):
            self.lost = True
            return False
        first = not current.started
        current.advance()
        if current.done:
            self._current = self._current_entry = None
            if isinstance(entry, Outgoing):
                self.backlog -= len(entry.message.body)
        if first and isinstance(entry, Outgoing) and entry.on_started is not None:
            entry.on_started()
        return True

    def _wait(self, blocks: int) -> None:
        waiting = self._channel.whenFree(blocks)
        self._waiting = waiting
        waiting.addCallbacks(self._roomFound, self._roomNever)

    def _roomFound(self, _: None) -> None:
        self._waiting = None
        self.pump()

    def _roomNever(self, failure: Failure) -> None:
        self._waiting = None
        if isinstance(failure.value, CancelledError):
            return
        self.lost = True
        if not isinstance(failure.value, TransportError):
            self._log.failure("Waiting for room in a channel failed", failure)
            self._channel.abort()

    def _stopWaiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
