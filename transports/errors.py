"""
What can go wrong on a channel.  Every refusal has a name that says whether to
try again.
"""

from __future__ import annotations


class TransportError(Exception):
    """
    Anything a transport reports.
    """


class QueueFull(TransportError):
    """
    There is not enough room in the queue at this instant; trying again later
    can succeed.

    @ivar needed: blocks that the message needs.
    @ivar free: blocks that were free.
    @ivar capacity: blocks the queue has in all.
    """

    def __init__(self, needed: int, free: int, capacity: int) -> None:
        super().__init__(needed, free, capacity)
        self.needed = needed
        self.free = free
        self.capacity = capacity

    def __str__(self) -> str:
        # Made when it is wanted: most refusals are counted, not read.
        return f"queue full: {self.needed} blocks needed, {self.free} of {self.capacity} free"


class MessageTooLarge(TransportError):
    """
    The message can never fit; trying again is useless.

    @ivar size: length of the message in bytes.
    @ivar largest: length in bytes of the largest message that fits.
    """

    def __init__(self, size: int, largest: int) -> None:
        super().__init__(f"message too large: {size} bytes, at most {largest} fit")
        self.size = size
        self.largest = largest


class ChannelClosed(TransportError):
    """
    The channel has been closed in order, by this side or by the peer.
    """


class PeerLost(TransportError):
    """
    The peer vanished without closing the channel: its process died or the
    connection broke.
    """


class ChannelCorrupt(TransportError):
    """
    The peer broke the protocol; the message says how.  The channel has been
    cut, the process goes on.
    """


class LimitsMismatch(TransportError):
    """
    The two ends were configured with different limits.
    """


class CannotListen(TransportError):
    """
    The place named by the description cannot be opened.
    """


class CannotConnect(TransportError):
    """
    Nobody listens at the place named by the description.
    """


class BadDescription(TransportError):
    """
    A transport description that cannot be understood; the message says what to
    write instead.
    """
