"""
Channels over stream sockets: C{unix:PATH} and C{tcp:HOST:PORT}.

  - C{unix:} joins processes of one user on one machine; the kernel vouches for
    the user at the other end.
  - C{tcp:} joins any two machines.  With L{TlsCredentials} both sides show
    certificates, see L{transports.tls}.  Without, it is for the loopback
    interface only, and lets in every user of the machine.

Frames are described in L{transports._framing}, the channel itself is
L{transports._socketchannel.SocketChannel}.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import implementer

from transports._dialing import configure, dial, isLoopback, openPort
from transports._framing import NAME_REFUSED, OPENING_SIZE, Opening, checkOpening
from transports._listening import StreamListener
from transports._opening import Codec, Greeting
from transports._place import closePlace, dialPlace, isTrusted, openPlace, peerUid
from transports._socketchannel import SocketChannel
from transports._tlschannel import TlsChannel
from transports.errors import (
    BadDescription,
    CannotConnect,
    CannotListen,
    ChannelCorrupt,
    LimitsMismatch,
    TransportError,
)
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits
from transports.tls import TlsCredentials, TlsGreeting, isName

_CODEC = Codec(OPENING_SIZE, checkOpening)


class SocketListener(StreamListener[Opening]):
    """
    What the listeners of this module have in common: the answer to an opening.
    """

    def __init__(
        self, transport: SocketTransport, listening: socket.socket, accept: Callable[[IChannel], IReceiver]
    ) -> None:
        """
        @param listening: a non-blocking listening socket; it belongs to the
            listener from now on.
        @param accept: see L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        self._transport = transport
        super().__init__(transport.reactor, transport.description, listening, accept)

    def _greet(self, connected: socket.socket) -> Greeting[Opening]:
        return Greeting(self._reactor, connected, _CODEC)

    def _unwelcome(self, greeting: Greeting[Opening]) -> str | None:
        """
        Look at who has opened.

        @return: why it is refused (which it is told by L{NAME_REFUSED}), or C{None}.
        """
        return None

    def _welcome(self, greeting: Greeting[Opening], theirs: Opening) -> SocketChannel:
        if theirs.refusal:
            raise ChannelCorrupt("the peer refuses an opening that it has made itself")
        limits = self._transport.limits
        unwelcome = self._unwelcome(greeting)
        refusal = NAME_REFUSED if unwelcome is not None else 0
        said = greeting.say(Opening(limits.block_size, limits.capacity, theirs.epoch, refusal).encode())
        if unwelcome is not None:
            raise CannotConnect(unwelcome)
        mismatch = theirs.mismatch(self._place, limits)
        if mismatch is not None:
            raise LimitsMismatch(mismatch)
        if not said:
            raise CannotConnect("the peer hung up")
        return self._transport.makeChannel(greeting.release(), theirs.epoch)


@implementer(ITransport)
class SocketTransport:
    """
    What the transports of this module have in common.

    @ivar limits: see L{ITransport<transports.interfaces.ITransport>}.
    @ivar crosses_processes: C{True}.
    @ivar reactor: the reactor in use.
    @ivar spin: see L{BaseChannel<transports._channel.BaseChannel>}.
    """

    channel_class: type[SocketChannel] = SocketChannel
    crosses_processes = True

    def __init__(self, reactor: Any, limits: Limits | None, spin: float | None) -> None:
        self.reactor = reactor
        self.limits = Limits() if limits is None else limits
        self.spin = spin

    @property
    def description(self) -> str:
        """
        See L{ITransport<transports.interfaces.ITransport>}.
        """
        raise NotImplementedError

    def makeChannel(self, connected: socket.socket, epoch: int) -> SocketChannel:
        """
        Make this end's channel once both openings have been exchanged.
        """
        return self._channelClass()(
            self.reactor, self.limits, self.description, connected, epoch, spin=self.spin
        )

    def _channelClass(self) -> type[SocketChannel]:
        return self.channel_class

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        raise NotImplementedError

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect<transports.interfaces.ITransport>}.
        Cancelling it hangs up.
        """
        return Deferred.fromCoroutine(self._connect(receiver))

    async def _dial(self) -> socket.socket:
        """
        Make a connection on which nothing has been said yet.

        @raise TransportError: there is none; the message says why.
        """
        raise NotImplementedError

    def _greet(self, connected: socket.socket, first: bytes) -> Greeting[Opening]:
        """
        Make the greeting of the connecting side.
        """
        return Greeting(self.reactor, connected, _CODEC, first=first)

    async def _connect(self, receiver: IReceiver) -> IChannel:
        epoch = secrets.randbits(64)
        try:
            connected = await self._dial()
            ours = Opening(self.limits.block_size, self.limits.capacity, epoch)
            greeting = self._greet(connected, ours.encode())
            try:
                theirs = await greeting.exchange()
                self._check(theirs, epoch)
            except BaseException:
                greeting.giveUp()
                raise
        except LimitsMismatch:
            raise
        except TransportError as error:
            raise CannotConnect(f"cannot connect to {self.description}: {error}") from error
        channel = self.makeChannel(greeting.release(), epoch)
        channel._start(receiver)
        return channel

    def _check(self, theirs: Opening, epoch: int) -> None:
        """
        Look at the listener's answer to our opening.

        @raise TransportError: no channel comes of it.
        """
        if theirs.refusal == NAME_REFUSED:
            raise CannotConnect(
                "the peer refused our certificate: it does not carry the name that it lets in"
            )
        mismatch = theirs.mismatch(self.description, self.limits)
        if mismatch is not None:
            raise LimitsMismatch(mismatch)
        if theirs.epoch != epoch:
            raise ChannelCorrupt("its opening answers another one (wrong epoch)")


class UnixListener(SocketListener):
    """
    The open place of a L{UnixTransport}.
    """

    _transport: UnixTransport

    def __init__(self, transport: UnixTransport, accept: Callable[[IChannel], IReceiver]) -> None:
        """
        @param accept: see L{ITransport.listen<transports.interfaces.ITransport>}.
        @raise CannotListen: see there.
        """
        listening, self._identity = openPlace(transport.path)
        super().__init__(transport, listening, accept)

    def _screen(self, connected: socket.socket) -> str | None:
        try:
            uid = self._transport.peerUid(connected)
        except OSError:
            return "the peer is gone"
        return None if isTrusted(uid) else f"the peer runs as user {uid}"

    def _closed(self) -> None:
        closePlace(self._transport.path, self._identity)


class UnixTransport(SocketTransport):
    """
    The transport of C{unix:PATH}.

    @ivar path: where the socket is.
    """

    #: Replaceable, for tests.
    peerUid = staticmethod(peerUid)

    def __init__(
        self, reactor: Any, path: str, limits: Limits | None = None, *, spin: float | None = None
    ) -> None:
        """
        @param reactor: provides C{IReactorTime} and C{IReactorFDSet}.
        @param path: where the socket is, at most
            L{LONGEST_PATH<transports._place.LONGEST_PATH>} bytes.
        @param limits: the size of each queue.
        @param spin: seconds, see L{BaseChannel<transports._channel.BaseChannel>}.
        """
        super().__init__(reactor, limits, spin)
        self.path = path

    @property
    def description(self) -> str:
        """
        See L{ITransport<transports.interfaces.ITransport>}.
        """
        return f"unix:{self.path}"

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        return maybeDeferred(UnixListener, self, accept)

    async def _dial(self) -> socket.socket:
        return dialPlace(self.path, self.peerUid)


class TcpListener(SocketListener):
    """
    The open place of a L{TcpTransport}.
    """

    _transport: TcpTransport

    def _screen(self, connected: socket.socket) -> str | None:
        try:
            configure(connected)
        except OSError:
            return "the peer is gone"
        return None

    def _greet(self, connected: socket.socket) -> Greeting[Opening]:
        contexts = self._transport.contexts
        if contexts is None:
            return super()._greet(connected)
        return TlsGreeting(self._reactor, connected, _CODEC, contexts.listening)

    def _unwelcome(self, greeting: Greeting[Opening]) -> str | None:
        contexts = self._transport.contexts
        if contexts is None or not contexts.peer:
            return None
        assert isinstance(greeting, TlsGreeting)
        if greeting.carries(contexts.peer):
            return None
        return f"the peer's certificate does not carry the name {contexts.peer}"

    def _closed(self) -> None:
        self._transport._notListening()


class TcpTransport(SocketTransport):
    """
    The transport of C{tcp:HOST:PORT}.

    @ivar host: the name or address.
    @ivar port: the port; when 0 was asked for, the one that the system chose,
        while this object's listener is open.
    @ivar contexts: the credentials, read; C{None} without TLS.
    """

    tls_channel_class: type[TlsChannel] = TlsChannel

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        limits: Limits | None = None,
        *,
        tls: TlsCredentials | None = None,
        spin: float | None = None,
    ) -> None:
        """
        @param reactor: provides C{IReactorTime}, C{IReactorFDSet} and, for
            names, C{IReactorPluggableNameResolver}.
        @param host: a name or an address; to listen, one of this machine.
        @param port: from 0 to 65535; 0 to listen at a free one.
        @param limits: the size of each queue.
        @param tls: needed for any host but this machine's loopback addresses.
        @param spin: seconds, see L{BaseChannel<transports._channel.BaseChannel>}.
        @raise BadDescription: the host or port makes no sense, a host that is
            not loopback is used without TLS, or a file cannot be used.
        """
        super().__init__(reactor, limits, spin)
        if not isName(host):
            raise BadDescription(f"tcp: {host!r} is neither the name of a host nor an address")
        if not 0 <= port <= 0xFFFF:
            raise BadDescription(f"tcp: the port must be a number from 0 to 65535, not {port}")
        if tls is None and not isLoopback(host):
            raise BadDescription(
                f"tcp: {host} is not a loopback address, so it needs TLS: "
                "add certificate=FILE:key=FILE:ca=FILE (127.0.0.1, ::1 and localhost do without)"
            )
        self.host = host
        self.port = port
        self.contexts = None if tls is None else tls.load()
        self._asked_port = port

    @property
    def description(self) -> str:
        """
        See L{ITransport<transports.interfaces.ITransport>}.
        """
        host = self.host.replace(":", "\\:")
        return f"tcp:{host}:{self.port}"

    def _channelClass(self) -> type[SocketChannel]:
        return self.channel_class if self.contexts is None else self.tls_channel_class

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        return Deferred.fromCoroutine(self._listen(accept))

    async def _listen(self, accept: Callable[[IChannel], IReceiver]) -> IListener:
        try:
            listening = await openPort(self.reactor, self.host, self.port)
        except CannotListen as error:
            raise CannotListen(f"cannot listen at {self.description}: {error}") from error
        self.port = listening.getsockname()[1]
        return TcpListener(self, listening, accept)

    def _notListening(self) -> None:
        self.port = self._asked_port

    async def _dial(self) -> socket.socket:
        if not self.port:
            raise CannotConnect("nobody listens there")
        return await dial(self.reactor, self.host, self.port)

    def _greet(self, connected: socket.socket, first: bytes) -> Greeting[Opening]:
        if self.contexts is None:
            return super()._greet(connected, first)
        name = self.contexts.peer or self.host
        return TlsGreeting(self.reactor, connected, _CODEC, self.contexts.connecting, name=name, first=first)
