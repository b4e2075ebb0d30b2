"""
Sessions on Twisted: the only module of this package that knows a reactor.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    INegotiated,
    IReactorTime,
    ISSLTransport,
    ITLSTransport,
    ITransport,
)
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from mailstore.channelbindings import channelBindings
from mailstore.connections import ClientProtocol, Connections
from mailstore.imap.connection import Connection
from mailstore.imap.frontend import FrontEnd
from mailstore.imap.limits import ImapLimits
from mailstore.imap.waiting import IAlarm, ILink, IRuntime, ISignal
from mailstore.interfaces import IAuthenticator, IStore
from mailstore.starttls import startTls

#: The bounds when none are given.
DEFAULT_LIMITS = ImapLimits()

#: Bytes that are worth a call of the system for them alone.
_MANY = 1 << 14


def _without(pieces: Sequence[bytes | memoryview], count: int) -> Sequence[bytes | memoryview]:
    """
    What is left of some pieces without so many bytes at their beginning.
    """
    for at, piece in enumerate(pieces):
        if count < len(piece):
            return [memoryview(piece)[count:], *pieces[at + 1 :]]
        count -= len(piece)
    return ()


@implementer(ISignal)
class Signal:
    """
    A place to wait at.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiters: dict[Deferred[bool], IDelayedCall | None] = {}

    def wait(self, seconds: float | None = None) -> Deferred[bool]:
        """
        Wait for L{fire}, at most C{seconds}.
        """
        waiter: Deferred[bool] = Deferred(self._forget)
        self._waiters[waiter] = (
            None if seconds is None else self._clock.callLater(max(0.0, seconds), self._timedOut, waiter)
        )
        return waiter

    def fire(self) -> None:
        """
        Wake everybody who waits.
        """
        waiters, self._waiters = self._waiters, {}
        for timer in waiters.values():
            if timer is not None:
                timer.cancel()
        for waiter in waiters:
            if not waiter.called:
                waiter.callback(True)

    def _timedOut(self, waiter: Deferred[bool]) -> None:
        del self._waiters[waiter]
        waiter.callback(False)

    def _forget(self, waiter: Deferred[bool]) -> None:
        timer = self._waiters.pop(waiter, None)
        if timer is not None and timer.active():
            timer.cancel()


@implementer(IAlarm)
class Alarm:
    """
    A moment that is put off often and reached seldom: the reactor's timer is left to run, and
    started again only when it has run out or would come too late.
    """

    def __init__(self, clock: IReactorTime, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._when: float | None = None
        self._timer: IDelayedCall | None = None
        #: When the timer runs out.
        self._end = 0.0

    def set(self, when: float) -> None:
        """
        Ring at C{when}.
        """
        self._when = when
        if self._timer is not None:
            if self._end <= when:
                return
            self._timer.cancel()
        self._start(when)

    def stop(self) -> None:
        """
        Not ring.
        """
        self._when = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _start(self, when: float) -> None:
        self._end = when
        self._timer = self._clock.callLater(max(0.0, when - self._clock.seconds()), self._ranOut)

    def _ranOut(self) -> None:
        self._timer = None
        when = self._when
        if when is not None and when > self._clock.seconds():
            self._start(when)
        elif when is not None:
            self._when = None
            self._ring()


@implementer(IRuntime)
class ReactorRuntime:
    """
    Time and concurrency by a reactor.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def seconds(self) -> float:
        """
        The reactor's clock.
        """
        return self._clock.seconds()

    def sleep(self, seconds: float) -> Awaitable[None]:
        """
        Let time pass.
        """
        return deferLater(self._clock, seconds)

    def soon(self, call: Callable[[], None]) -> None:
        """
        Call in the reactor's next turn.
        """
        self._clock.callLater(0, call)

    def signal(self) -> Signal:
        """
        A new place to wait at.
        """
        return Signal(self._clock)

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        """
        A new alarm.
        """
        return Alarm(self._clock, ring)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """
        Run C{work} on its own.
        """
        Deferred.fromCoroutine(work).addErrback(lambda failure: self.log.failure("unexpected error", failure))


def _isLocal(address: object) -> bool:
    """
    Whether only this machine can be at the other end.
    """
    if isinstance(address, UNIXAddress):
        return True
    try:
        host = ipaddress.ip_address(getattr(address, "host", "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(host, "ipv4_mapped", None)
    return host.is_loopback or bool(mapped is not None and mapped.is_loopback)


@implementer(ILink)
class ImapProtocol(ClientProtocol):
    """
    The link of one session: bytes in and out, TLS, and back-pressure both ways.
    """

    factory: ImapFactory

    def __init__(self, address: IAddress | None, factory: ImapFactory, lists_public: bool = True) -> None:
        super().__init__(factory.connections)
        self.factory = factory
        self.lists_public = lists_public
        self.address = str(getattr(address, "host", "") or "local")
        self.local = factory.trust_loopback and _isLocal(address)
        self.secure = False
        self.drained: Signal = factory.runtime.signal()
        self.connection = Connection(factory.front, self)
        #: Fires when the session has ended.
        self.ended: Deferred[None] | None = None
        #: Bytes were handed to the transport, and may wait there.
        self._unsent = False
        #: Some since the client was last heard.
        self._said = False

    # --- from Twisted -------------------------------------------------------

    def connectionMade(self) -> None:
        """
        Begin the session.
        """
        # A transport wrapped by an endpoint's TLS has only the second of the two.
        self.secure = ISSLTransport.providedBy(self.transport) or INegotiated.providedBy(self.transport)
        super().connectionMade()
        self.ended = Deferred.fromCoroutine(self.connection.run())

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the client.
        """
        self._said = False
        if not self.closing:
            self.connection.received(data)

    # --- from the connection -------------------------------------------------

    def clientGone(self) -> None:
        """
        The client is gone.
        """
        self.drained.fire()
        self.connection.lost()

    def roomAgain(self) -> None:
        """
        The transport's buffer is empty.
        """
        self._unsent = False
        self.drained.fire()

    def leave(self) -> None:
        """
        The server stops.
        """
        self.connection.session.leave("The server is shutting down")

    # --- ILink ---------------------------------------------------------------

    @property
    def can_start_tls(self) -> bool:
        """
        Whether there is a certificate, and no TLS yet.
        """
        return self.factory.tls is not None and not self.secure and ITLSTransport.providedBy(self.transport)

    @property
    def bindings(self) -> Mapping[str, bytes]:
        """
        What the connection is known by; nothing before the handshake is over.
        """
        return channelBindings(self.transport) if self.secure else {}

    def write(self, data: bytes | memoryview) -> None:
        """
        Hand bytes to the socket: many at once without the reactor, if nothing waits before them.
        """
        if len(data) >= _MANY:
            self.finish(data)
        else:
            self._queue((data,))

    def writeMany(self, pieces: Sequence[bytes | memoryview]) -> None:
        """
        Hand over bytes in pieces, without the reactor and without joining them if nothing waits
        before them.
        """
        transport: object = self.transport
        if isinstance(transport, FileDescriptor) and self._isIdle(transport):
            handle = getattr(transport, "getHandle", lambda: None)()
            if isinstance(handle, socket.socket):
                try:
                    pieces = _without(pieces, handle.sendmsg(pieces))
                except OSError:
                    # It takes nothing now, or never again: that the reactor finds when it looks.
                    pass
        if pieces:
            self._queue(pieces)

    def finish(self, data: bytes | memoryview) -> None:
        """
        Hand over the last bytes for now, without the reactor if nothing waits before them.
        """
        # What TLS or a compressing transport has between is none of these, or is secure.
        transport: object = self.transport
        if isinstance(transport, FileDescriptor) and self._isIdle(transport):
            # To send a view is all the same to a socket.
            sent = transport.writeSomeData(cast(bytes, data))
            # What is no number is the connection's end, which the reactor finds when it looks.
            if isinstance(sent, int) and sent > 0:
                if sent == len(data):
                    return
                data = memoryview(data)[sent:]
        self._queue((data,))

    def _queue(self, pieces: Sequence[bytes | memoryview]) -> None:
        """
        Let the reactor send bytes when the socket takes them.
        """
        self._unsent = self._said = True
        transport = cast(ITransport, self.transport)
        for piece in pieces:
            transport.write(bytes(piece))

    def _isIdle(self, transport: FileDescriptor) -> bool:
        """
        Whether bytes given to a socket itself come right after those handed to it before.
        """
        if self.secure or self.lost or self.clogged or transport.disconnecting or not transport.connected:
            return False
        if self._unsent and not self._said:
            # It is one of these as long as it has something to send.  That is looked at once for
            # what the client said, as they may be many.
            self._unsent = self._said = transport in transport.reactor.getWriters()
        return not self._unsent

    def flush(self) -> None:
        """
        Not wait for the reactor's next turn.
        """
        # What TLS or a compressing transport has between is none of these, and waits.
        transport: object = self.transport
        if isinstance(transport, FileDescriptor) and self._unsent and not self.lost:
            # Should this fail, the reactor finds the same when it looks.
            transport.doWrite()  # type: ignore[no-untyped-call]
            # As long as it has something to send it is one of these.
            self._unsent = transport in transport.reactor.getWriters()

    def startTLS(self) -> None:
        """
        Begin the handshake.
        """
        self.resume()
        self.secure = True
        startTls(self, self.factory.tls, self.factory.clock)


class ImapFactory(Factory):
    """
    Makes a session for each client that connects.  One factory can serve several
    ports, with implicit TLS or without: what a connection is, it sees by itself.

    @ivar front: what the sessions share, with its counters.
    @ivar connections: those that are open.
    """

    noisy = False

    def __init__(
        self,
        store: IStore,
        authenticator: IAuthenticator,
        limits: ImapLimits = DEFAULT_LIMITS,
        *,
        reactor: IReactorTime,
        tls: Any = None,
        literal_minus: bool = False,
        trust_loopback: bool = True,
        unauthenticate: bool = True,
    ) -> None:
        """
        @param literal_minus: see L{FrontEnd.literal_minus}.
        @param unauthenticate: see L{FrontEnd.unauthenticate}.
        @param tls: what C{startTLS} takes, such as
            L{twisted.internet.ssl.CertificateOptions}; C{None} to offer no STARTTLS.
        @param trust_loopback: whether who connects from this machine may send a password without TLS.
        """
        self.clock = reactor
        self.tls = tls
        self.trust_loopback = trust_loopback
        self.runtime = ReactorRuntime(reactor)
        self.front = FrontEnd(store, authenticator, self.runtime, limits, literal_minus, unauthenticate)
        self.connections = Connections(reactor)

    def startFactory(self) -> None:
        """
        The first port was opened.
        """
        self.connections.stopping = False
        self.front.open()

    def stopFactory(self) -> None:
        """
        The last port was closed.
        """
        self.front.close()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        A session for a new client.
        """
        return self.session(addr, True)

    def session(self, addr: IAddress | None, lists_public: bool) -> ImapProtocol | None:
        """
        A session for a new client; C{None} when no more are let in.
        """
        return None if self.connections.stopping else ImapProtocol(addr, self, lists_public)

    def withoutPublic(self) -> Factory:
        """
        The same for a port where LIST leaves out public folders that it was not asked for by name.
        """
        return _WithoutPublic(self)

    def disconnectAll(self) -> Deferred[None]:
        """
        End all sessions with a BYE: see L{Connections.disconnectAll}.
        """
        return self.connections.disconnectAll()


class _WithoutPublic(Factory):
    """
    See L{ImapFactory.withoutPublic}.
    """

    noisy = False

    def __init__(self, factory: ImapFactory) -> None:
        self._factory = factory

    def startFactory(self) -> None:
        self._factory.doStart()  # type: ignore[no-untyped-call]

    def stopFactory(self) -> None:
        self._factory.doStop()  # type: ignore[no-untyped-call]

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._factory.session(addr, False)
