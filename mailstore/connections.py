"""
Connections of clients, whatever is spoken on them: back-pressure both ways, an end that no client
can put off, and the end of all of them when the server stops.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

#: Seconds that the last bytes have to reach a client whose connection is being closed.
LINGER = 10.0

#: Seconds that what clients have begun has to end when the server stops.
GRACE = 5.0


class Connections:
    """
    The connections that a server has open.

    @ivar links: those.
    @ivar stopping: no new ones are let in.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """
        @param clock: the reactor.
        """
        self.clock = clock
        self.links: set[ClientProtocol] = set()
        self.stopping = False
        self._stopped: list[Deferred[None]] = []
        self._deadline: IDelayedCall | None = None

    def disconnectAll(self) -> Deferred[None]:
        """
        End all of them: each after the command that it is in, if that does not take longer than
        L{GRACE}.  No new ones are let in.

        @return: fires when all are closed.
        """
        self.stopping = True
        for link in tuple(self.links):
            link.leave()
        if not self.links:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        if self._deadline is None:
            self._deadline = self.clock.callLater(GRACE, self._abortAll)
        return stopped

    def _abortAll(self) -> None:
        self._deadline = None
        for link in tuple(self.links):
            link.abort()

    def tell(self) -> None:
        """
        One is gone: tell who waits for the last.
        """
        if self.links or not self._stopped:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        waiting, self._stopped = self._stopped, []
        for stopped in waiting:
            stopped.callback(None)


@implementer(IPushProducer)
class ClientProtocol(Protocol):
    """
    A connection of a client.

    It is a push producer to its own transport only to be told when the client does not
    read: C{pauseProducing} says that the transport's buffer is full, C{resumeProducing} that it is empty.

    @ivar clogged: the transport's buffer is full.
    @ivar lost: the client is gone.
    """

    def __init__(self, connections: Connections) -> None:
        self.clogged = False
        self.lost = False
        self._connections = connections
        self._reading = True
        self._closing: IDelayedCall | None = None

    # --- for the kinds of clients ------------------------------------------------

    def roomAgain(self) -> None:
        """
        The transport's buffer is empty after it was full.
        """
        raise NotImplementedError

    def clientGone(self) -> None:
        """
        The client is gone.
        """
        raise NotImplementedError

    def leave(self) -> None:
        """
        The server stops: end when the command under way has ended.
        """
        raise NotImplementedError

    # --- from Twisted --------------------------------------------------------------

    def connectionMade(self) -> None:
        """
        Count it, and hear of the transport's buffer.
        """
        transport: Any = self.transport
        if ITCPTransport.providedBy(transport):
            # Answers are made whole before they are written; waiting for more only delays them.
            transport.setTcpNoDelay(True)
        transport.registerProducer(self, True)
        self._connections.links.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The client is gone.
        """
        self.lost = True
        self.clogged = False
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._connections.links.discard(self)
        self.clientGone()
        self._connections.tell()

    def pauseProducing(self) -> None:
        """
        The transport's buffer is full.
        """
        self.clogged = True

    def resumeProducing(self) -> None:
        """
        The transport's buffer is empty.
        """
        self.clogged = False
        self.roomAgain()

    def stopProducing(self) -> None:
        """
        The transport takes nothing more; L{connectionLost} follows.
        """

    # --- what a session does ----------------------------------------------------------

    @property
    def closing(self) -> bool:
        """
        Whether it is being closed: what still comes counts for nothing.
        """
        return self._closing is not None

    def pause(self) -> None:
        """
        Read nothing more.
        """
        if self._reading and not self.lost:
            self._reading = False
            transport: Any = self.transport
            transport.pauseProducing()

    def resume(self) -> None:
        """
        Read again.
        """
        if not self._reading and not self.lost:
            self._reading = True
            transport: Any = self.transport
            transport.resumeProducing()

    def close(self) -> None:
        """
        Close when all is written, or when that takes longer than L{LINGER}.  Idempotent.
        """
        if self.lost or self._closing is not None:
            return
        transport: Any = self.transport
        self._closing = self._connections.clock.callLater(LINGER, transport.abortConnection)
        # Whoever closes must hear of the end: reading goes on, into nothing.
        self.resume()
        transport.unregisterProducer()
        transport.loseConnection()

    def abort(self) -> None:
        """
        Close now.
        """
        if not self.lost:
            transport: Any = self.transport
            transport.abortConnection()
