"""
Channels over shared memory: C{shm:PATH}.

They join processes of one user on one machine; the kernel vouches for the user
at the other end.  PATH is a Unix socket, where a channel is opened and the end
of the peer is noticed; messages do not travel on it.

There are two kinds.  The usual one needs sealed memory and doorbells, which
Linux has.  The portable one does with a nameless file and the socket; it is
taken with C{portable=yes}, and where the system has nothing better.  Both ends
must have the same.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import implementer

from transports._halves import DESCRIPTORS, Half, createHalf, descriptorsOf, openHalf
from transports._listening import StreamListener
from transports._opening import Codec, Greeting
from transports._place import closePlace, dialPlace, isTrusted, openPlace, peerUid
from transports._plainchannel import PlainChannel
from transports._sealedchannel import SealedChannel
from transports._segment import FROM_CONNECTOR, FROM_LISTENER, LARGEST, Segment, canSeal, segmentSize
from transports._shmchannel import RingChannel
from transports._shmopening import OPENING_SIZE, Kind, MemoryOpening, checkOpening
from transports.errors import BadDescription, CannotConnect, ChannelCorrupt, LimitsMismatch, TransportError
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits

#: A peer of the other kind is read as well, to be told that it is.
_CODEC = Codec(OPENING_SIZE, checkOpening, max(DESCRIPTORS.values()))


class SharedMemoryListener(StreamListener[MemoryOpening]):
    """
    The open place of a L{SharedMemoryTransport}.
    """

    def __init__(self, transport: SharedMemoryTransport, accept: Callable[[IChannel], IReceiver]) -> None:
        """
        @param accept: see L{ITransport.listen<transports.interfaces.ITransport>}.
        @raise CannotListen: see there.
        """
        listening, self._identity = openPlace(transport.path)
        self._transport = transport
        super().__init__(transport.reactor, transport.description, listening, accept)

    def _screen(self, connected: socket.socket) -> str | None:
        try:
            uid = self._transport.peerUid(connected)
        except OSError:
            return "the peer is gone"
        return None if isTrusted(uid) else f"the peer runs as user {uid}"

    def _greet(self, connected: socket.socket) -> Greeting[MemoryOpening]:
        return Greeting(self._reactor, connected, _CODEC)

    def _welcome(self, greeting: Greeting[MemoryOpening], theirs: MemoryOpening) -> RingChannel:
        transport = self._transport
        limits, kind, epoch = transport.limits, transport.kind, theirs.epoch
        ours = MemoryOpening(limits.block_size, limits.capacity, kind, epoch).encode()
        mismatch = theirs.mismatch(self._place, limits, kind)
        if mismatch is not None:
            greeting.say(ours)
            raise LimitsMismatch(mismatch)
        segment = Segment(limits, epoch, FROM_CONNECTOR)
        inbound = openHalf(kind, segment, greeting.takeDescriptors())
        try:
            outbound, fd = transport.createHalf(epoch, FROM_LISTENER)
            try:
                said = greeting.say(ours, descriptorsOf(outbound, fd))
            finally:
                os.close(fd)
            if not said:
                outbound.close()
                raise CannotConnect("the peer hung up")
        except BaseException:
            inbound.close()
            raise
        return transport.makeChannel(greeting.release(), epoch, outbound, inbound)

    def _closed(self) -> None:
        closePlace(self._transport.path, self._identity)


@implementer(ITransport)
class SharedMemoryTransport:
    """
    The transport of C{shm:PATH}.

    @ivar limits: see L{ITransport<transports.interfaces.ITransport>}.
    @ivar crosses_processes: C{True}.
    @ivar path: where the socket is.
    @ivar kind: how memory is shared.
    @ivar spin: see L{BaseChannel<transports._channel.BaseChannel>}.
    @ivar reactor: the reactor in use.
    """

    sealed_channel_class: type[SealedChannel] = SealedChannel
    plain_channel_class: type[PlainChannel] = PlainChannel
    crosses_processes = True

    #: Replaceable, for tests.
    peerUid = staticmethod(peerUid)

    def __init__(
        self,
        reactor: Any,
        path: str,
        limits: Limits | None = None,
        *,
        portable: bool = False,
        spin: float | None = None,
    ) -> None:
        """
        @param reactor: provides C{IReactorTime} and C{IReactorFDSet}.
        @param path: where the socket is, at most
            L{LONGEST_PATH<transports._place.LONGEST_PATH>} bytes.
        @param limits: the size of each queue.
        @param portable: use nothing that only Linux has.
        @param spin: seconds that a channel may keep the reactor in one turn,
            looking for the next message; 0 for never, C{None} for where it pays.
        @raise BadDescription: the queues are too large.
        """
        self.reactor = reactor
        self.path = path
        self.limits = Limits() if limits is None else limits
        self.kind = Kind.PLAIN if portable or not canSeal() else Kind.SEALED
        self.spin = spin
        if segmentSize(self.limits) > LARGEST:
            raise BadDescription(
                f"shm: {self.limits.capacity} blocks of {self.limits.block_size} bytes are too much memory: "
                "blocks times block_size must stay below 4 GiB"
            )

    @property
    def description(self) -> str:
        """
        See L{ITransport<transports.interfaces.ITransport>}.
        """
        return f"shm:{self.path}"

    def createHalf(self, epoch: int, direction: int) -> tuple[Half, int]:
        """
        Make the direction of a channel that this end writes.

        @return: see L{transports._halves.createHalf}.
        @raise CannotConnect: there is no memory, or there are no descriptors left.
        """
        try:
            return createHalf(self.kind, Segment(self.limits, epoch, direction))
        except OSError as error:
            raise CannotConnect(f"the memory cannot be had: {error.strerror or error}") from error

    def makeChannel(self, connected: socket.socket, epoch: int, outbound: Half, inbound: Half) -> RingChannel:
        """
        Make this end's channel once both openings have been exchanged.
        """
        chosen = self.sealed_channel_class if self.kind is Kind.SEALED else self.plain_channel_class
        return chosen(
            self.reactor, self.limits, self.description, connected, epoch, outbound, inbound, spin=self.spin
        )

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        return maybeDeferred(SharedMemoryListener, self, accept)

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect<transports.interfaces.ITransport>}.
        Cancelling it hangs up.
        """
        return Deferred.fromCoroutine(self._connect(receiver))

    async def _connect(self, receiver: IReceiver) -> IChannel:
        try:
            channel = await self._open()
        except LimitsMismatch:
            raise
        except TransportError as error:
            raise CannotConnect(f"cannot connect to {self.description}: {error}") from error
        channel._start(receiver)
        return channel

    async def _open(self) -> RingChannel:
        epoch = secrets.randbits(64)
        connected = dialPlace(self.path, self.peerUid)
        try:
            outbound, fd = self.createHalf(epoch, FROM_CONNECTOR)
        except BaseException:
            connected.close()
            raise
        ours = MemoryOpening(self.limits.block_size, self.limits.capacity, self.kind, epoch)
        greeting = Greeting(
            self.reactor,
            connected,
            _CODEC,
            first=ours.encode(),
            first_descriptors=descriptorsOf(outbound, fd),
        )
        try:
            try:
                theirs = await greeting.exchange()
            finally:
                os.close(fd)
            self._check(theirs, epoch)
            segment = Segment(self.limits, epoch, FROM_LISTENER)
            inbound = openHalf(self.kind, segment, greeting.takeDescriptors())
        except BaseException:
            greeting.giveUp()
            outbound.close()
            raise
        return self.makeChannel(greeting.release(), epoch, outbound, inbound)

    def _check(self, theirs: MemoryOpening, epoch: int) -> None:
        """
        Look at the listener's answer to our opening.

        @raise TransportError: no channel comes of it.
        """
        mismatch = theirs.mismatch(self.description, self.limits, self.kind)
        if mismatch is not None:
            raise LimitsMismatch(mismatch)
        if theirs.epoch != epoch:
            raise ChannelCorrupt("its opening answers another one (wrong epoch)")
