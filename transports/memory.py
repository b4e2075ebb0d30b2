"""
Channels within one process.

The simplest carrier of the contract: a message goes straight into the other
end's queue and is delivered from the reactor.  C{memory:} joins those who use
the same L{MemoryTransport}; C{memory:NAME} joins those who use the same name
in this process.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from transports._channel import BaseChannel
from transports._deaf import Deaf
from transports.errors import CannotConnect, CannotListen, LimitsMismatch
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits

#: The listeners of C{memory:NAME} in this process; each leaves by itself in C{stopListening}.
_named: dict[str, MemoryListener] = {}


class MemoryChannel(BaseChannel):
    """
    One end; the medium is a reference to the other.
    """

    _peer: MemoryChannel

    def _transmit(self, message: bytes) -> None:
        peer = self._peer
        peer._inbound.arrive(len(message))
        peer._arrived.append(message)
        if not peer._paused:
            peer._schedule()

    def _settle(self) -> None:
        blocks = self._inbound.settle()
        if blocks:
            self._peer._credited(blocks)
            if self._peer._quitting:
                self._peer._schedule()

    def _announceQuit(self) -> None:
        self._peer._schedule()

    def _isFlushed(self) -> bool:
        return self._peer._peer_quitting

    def _flushMedium(self) -> None:
        pass

    def _turn(self) -> None:
        if self._peer._quitting and not self._peer_quitting and self._reason is None:
            self._peerQuits()
        super()._turn()

    def _releaseMedium(self, discard: bool) -> None:
        if discard:
            self._peer._arrived.clear()
        self._peer._mediumGone()


@implementer(IListener)
class MemoryListener:
    """
    The open place of a L{MemoryTransport}.

    @ivar limits: the limits that a peer must have.
    @ivar accept: see L{ITransport.listen<transports.interfaces.ITransport>}.
    """

    def __init__(
        self, limits: Limits, accept: Callable[[IChannel], IReceiver], closed: Callable[[], None]
    ) -> None:
        self.limits = limits
        self.accept = accept
        self._closed = closed
        self._open = True

    def stopListening(self) -> Deferred[None]:
        """
        See L{IListener.stopListening<transports.interfaces.IListener>}.
        """
        if self._open:
            self._open = False
            self._closed()
        return succeed(None)


@implementer(ITransport)
class MemoryTransport:
    """
    The transport of C{memory:} and C{memory:NAME}.

    @ivar description: see L{ITransport<transports.interfaces.ITransport>}.
    @ivar limits: see L{ITransport<transports.interfaces.ITransport>}.
    @ivar crosses_processes: C{False}.
    """

    channel_class: type[MemoryChannel] = MemoryChannel
    crosses_processes = False

    _log = Logger()

    def __init__(self, reactor: IReactorTime, limits: Limits | None = None, name: str = "") -> None:
        """
        @param reactor: where messages are delivered from.
        @param limits: the size of each queue.
        @param name: the name in this process, or C{""} to be known to those
            who hold this object only.
        """
        self.limits = Limits() if limits is None else limits
        self.description = f"memory:{name}"
        self._reactor = reactor
        self._listeners = _named if name else {}
        self._name = name

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        if self._name in self._listeners:
            return fail(CannotListen(f"somebody listens at {self.description} already"))
        listener = MemoryListener(self.limits, accept, self._stopped)
        self._listeners[self._name] = listener
        return succeed(listener)

    def _stopped(self) -> None:
        del self._listeners[self._name]

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect<transports.interfaces.ITransport>}.
        """
        return maybeDeferred(self._connect, receiver)

    def _connect(self, receiver: IReceiver) -> IChannel:
        listener = self._listeners.get(self._name)
        if listener is None:
            raise CannotConnect(f"nobody listens at {self.description}")
        if listener.limits != self.limits:
            raise LimitsMismatch(self.limits.mismatch(self.description, listener.limits))
        ours = self.channel_class(self._reactor, self.limits, self.description)
        theirs = self.channel_class(self._reactor, self.limits, self.description)
        ours._peer, theirs._peer = theirs, ours
        try:
            accepted = listener.accept(theirs)
        except Exception:
            self._log.failure("a channel of {place} was not accepted", place=self.description)
            theirs._start(Deaf())
            theirs.abort()
            raise CannotConnect(f"the listener at {self.description} failed") from None
        theirs._start(accepted)
        ours._start(receiver)
        return ours
