"""
What the channels have in common that keep a connected socket: over a socket the
messages travel on it, over shared memory its end is that of the peer.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from transports._channel import CLOSE_DEADLINE, DELIVERY_BUDGET, BaseChannel
from transports.interfaces import IReceiver
from transports.limits import Limits


@implementer(IReadWriteDescriptor)
class ConnectedChannel(BaseChannel):
    """
    One end of a channel that has a socket, which the reactor watches.

    @ivar epoch: the number that both ends know this channel by; a new one with
        each connection.
    """

    def __init__(
        self,
        reactor: Any,
        limits: Limits,
        place: str,
        connected: socket.socket,
        epoch: int,
        *,
        close_deadline: float = CLOSE_DEADLINE,
        delivery_budget: int = DELIVERY_BUDGET,
        spin: float | None = None,
    ) -> None:
        """
        See L{BaseChannel}.

        @param reactor: provides C{IReactorTime} and C{IReactorFDSet}.
        @param connected: a non-blocking stream socket on which the openings
            have been exchanged; it belongs to the channel from now on.
        """
        super().__init__(
            reactor,
            limits,
            place,
            close_deadline=close_deadline,
            delivery_budget=delivery_budget,
            spin=spin,
        )
        self.epoch = epoch
        self._fdset = reactor
        self._socket = connected
        self._fileno = connected.fileno()
        #: The socket took no more; C{doWrite} goes on.
        self._blocked = False
        self._quit_unsent = False
        # At the end of the turn.
        self._settle_at = limits.capacity + 1

    def _start(self, receiver: IReceiver) -> None:
        super()._start(receiver)
        if self._reason is None:
            self._fdset.addReader(self)

    def _settle(self) -> None:
        pass

    def _announceQuit(self) -> None:
        self._quit_unsent = True
        if not self._busy:
            self._schedule()

    def _releaseMedium(self, discard: bool) -> None:
        self._fdset.removeReader(self)
        self._fdset.removeWriter(self)
        self._socket.close()
        self._fileno = -1

    def _write(self) -> None:
        """
        Give the socket what there is to write; it is writable as far as we know.
        """
        raise NotImplementedError

    def _peerGone(self) -> None:
        """
        Nothing more can come.
        """
        self._mediumGone()

    # IReadWriteDescriptor

    def fileno(self) -> int:
        """
        The number of the socket; -1 after the end.
        """
        return self._fileno

    def logPrefix(self) -> str:
        """
        What the reactor calls this channel in the log.
        """
        return self._place

    def doRead(self) -> None:
        """
        Something has arrived, or the peer is gone.
        """
        raise NotImplementedError

    def doWrite(self) -> None:
        """
        The socket takes more.
        """
        self._write()
        self._finishIfDrained()

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has found the socket broken, or is being stopped.
        """
        self._peerGone()
