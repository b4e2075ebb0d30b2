"""
The other process of L{tests.transports.test_processes}: connects to a
description and does what its mode says, until it is killed.
"""

from __future__ import annotations

import sys
from typing import Any, cast

from twisted.python.failure import Failure
from zope.interface import implementer

from transports.description import transportFor
from transports.errors import QueueFull
from transports.interfaces import IChannel, IReceiver


@implementer(IReceiver)
class Peer:
    """
    Echoes, holds what it gets, or sends without end.
    """

    def __init__(self, mode: str, reactor: Any) -> None:
        self._mode = mode
        self._reactor = reactor
        self._number = 0
        self._channel: IChannel | None = None

    def connected(self, channel: IChannel) -> None:
        """
        Begin.
        """
        self._channel = channel
        if self._mode == "hold":
            channel.pauseDelivery()
            channel.send(b"holding")
        elif self._mode == "flood":
            self._flood()

    def _flood(self) -> None:
        assert self._channel is not None
        try:
            while True:
                message = self._number.to_bytes(8, "little") * (1 + self._number % 5000)
                self._channel.send(message)
                self._number += 1
        except QueueFull as error:
            self._channel.whenFree(error.needed).addCallback(lambda _: self._flood())

    def messageReceived(self, message: bytes) -> None:
        """
        Answer it.
        """
        assert self._channel is not None
        self._channel.send(message)

    def channelLost(self, reason: Failure) -> None:
        """
        The test is over.
        """
        self._reactor.stop()


def main() -> None:
    """
    C{python -m tests.transports.peer MODE DESCRIPTION}.
    """
    from twisted.internet import reactor

    peer = Peer(sys.argv[1], reactor)
    transportFor(sys.argv[2], reactor).connect(peer).addCallback(peer.connected)
    cast(Any, reactor).run()


if __name__ == "__main__":
    main()
