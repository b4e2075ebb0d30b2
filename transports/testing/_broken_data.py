# mypy: allow-untyped-calls
"""
Channels that are wrong about what arrives, and about what is given back for it.
"""

from __future__ import annotations

from typing import Any

from transports.credit import CreditWindow
from transports.interfaces import IReceiver
from transports.limits import HEADER_SIZE
from transports.memory import MemoryChannel
from transports.testing._broken_window import Credulous

# Faults of credit.


def _oldest(window: CreditWindow) -> int:
    """
    Blocks of the oldest message in the queue.
    """
    return window._ends[-window.queued] - window._given


class LostCredit(MemoryChannel):
    """
    Every third credit gets lost.
    """

    def _settle(self) -> None:
        if self._inbound.handled_total % 3:
            super()._settle()
        else:
            self._inbound.settle()


class DoubleCredit(MemoryChannel):
    """
    Blocks are given back twice.
    """

    ledger_class = Credulous

    def _settle(self) -> None:
        super()._settle()
        if self._peer._outbound.allocated:
            self._peer._credited(_oldest(self._peer._outbound))


class HoardedCredit(MemoryChannel):
    """
    Credit is given back when half a queue of it has come together.
    """

    def _settle(self) -> None:
        if self._inbound.owed * 2 >= self.limits.capacity:
            super()._settle()


class KeepsBlocksOfFailures(MemoryChannel):
    """
    A handler that raises keeps its blocks.
    """

    def _start(self, receiver: IReceiver) -> None:
        received = receiver.messageReceived
        self._failed = False

        def messageReceived(message: bytes) -> None:
            self._failed = True
            received(message)
            self._failed = False

        receiver.messageReceived = messageReceived  # type: ignore[method-assign]
        super()._start(receiver)

    def _settle(self) -> None:
        if self._failed:
            self._inbound.settle()
        else:
            super()._settle()


class CreditOnArrival(MemoryChannel):
    """
    Blocks are given back when the message has arrived, not when it was handled.
    """

    ledger_class = Credulous

    def _transmit(self, message: bytes) -> None:
        super()._transmit(message)
        self._reactor.callLater(0, self._early)

    def _early(self) -> None:
        if self._outbound.allocated:
            self._credited(_oldest(self._outbound))

    def _settle(self) -> None:
        self._inbound.settle()


class CreditBeforeTheHandler(MemoryChannel):
    """
    Blocks are given back just before the handler is called.
    """

    ledger_class = Credulous

    def _start(self, receiver: IReceiver) -> None:
        received = receiver.messageReceived

        def messageReceived(message: bytes) -> None:
            self._peer._credited(_oldest(self._peer._outbound))
            received(message)

        receiver.messageReceived = messageReceived  # type: ignore[method-assign]
        super()._start(receiver)

    def _settle(self) -> None:
        self._inbound.settle()


# Faults of the data.


class _Streaming(MemoryChannel):
    """
    Alters a message by where it comes to lie.
    """

    _position = 0

    def record(self, message: bytes) -> int:
        """
        By how much a message moves the position.
        """
        return HEADER_SIZE + len(message)

    def size(self) -> int:
        """
        Where the position begins again.
        """
        return self.limits.block_size * self.limits.capacity

    def isHurt(self, begin: int, message: bytes) -> bool:
        """
        Whether a message that begins there is altered.
        """
        return begin + HEADER_SIZE > self.size()

    def _transmit(self, message: bytes) -> None:
        begin = self._position
        self._position = (begin + self.record(message)) % self.size()
        if message and self.isHurt(begin, message):
            message = message[:-1] + bytes([message[-1] ^ 0x80])
        super()._transmit(message)


class AltersAtTheWrap(_Streaming):
    """
    One byte is wrong in a message that passes the end of the queue.
    """

    def record(self, message: bytes) -> int:
        """
        Whole blocks.
        """
        return self.limits.blocksFor(len(message)) * self.limits.block_size

    def isHurt(self, begin: int, message: bytes) -> bool:
        """
        If its last byte is the first one after the end.
        """
        return begin + HEADER_SIZE + len(message) == self.size() + 1


class SplitsHeadersAtTheWrap(_Streaming):
    """
    A header that passes the end of the queue is put together wrongly.
    """


class SplitsHeadersAnywhere(_Streaming):
    """
    A header that passes the end of a buffer of the system is put together wrongly.
    """

    def size(self) -> int:
        """
        A usual one.
        """
        return 1 << 16

    def isHurt(self, begin: int, message: bytes) -> bool:
        """
        If only its last byte is missing.
        """
        return begin + HEADER_SIZE == self.size() + 1


class DeliversBuffers(MemoryChannel):
    """
    What is delivered is no C{bytes}.
    """

    def _transmit(self, message: bytes) -> None:
        buffer: Any = bytearray(message)
        super()._transmit(buffer)


class KeepsTheSendersBuffer(MemoryChannel):
    """
    A buffer is accepted, and not copied.
    """

    def send(self, message: bytes) -> None:
        """
        Do not look what it is.
        """
        if self._refusal is not None:
            raise self._refused()
        self._outbound.take(len(message))
        self._transmit(message)
