"""
The transport contract: bounded channels of bytes between two peers.

A *channel* joins two peers by two bounded queues, one per direction.  These
sentences hold for every implementation, and
L{transports.testing.conformance} checks them:

  - A message occupies C{limits.blocksFor(len(message))} blocks from the
    accepted C{send} until the receiver's handler has returned.
  - C{0 <= blocks_allocated <= blocks_capacity} at every instant, and 0 once
    everything has been drained.
  - C{send} accepts a message whole or refuses it whole, in the same call.
  - Messages arrive in the order they were accepted, each exactly once, never
    from inside C{send} and never from inside another delivery.
  - Neither peer stops draining because its own outbound queue is full.
  - Loss is reported exactly once to each receiver, and fails every waiter.

Nothing in this package knows what the bytes mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from transports.limits import Limits
    from transports.statistics import QueueStatistics


class IReceiver(Interface):
    """
    What the user of a channel gives it: the place where messages arrive.
    """

    def messageReceived(message: bytes) -> None:
        """
        One whole message has arrived.  Called from the reactor, never
        re-entrantly.  Its blocks are returned to the sender when this method
        returns or raises (an exception is logged and the channel goes on).
        """

    def channelLost(reason: Failure) -> None:
        """
        No message will arrive any more.  Called exactly once, after the last
        C{messageReceived}.

        @param reason: L{ChannelClosed<transports.errors.ChannelClosed>} after
            an orderly close by either side,
            L{PeerLost<transports.errors.PeerLost>} when the peer vanished, or
            L{ChannelCorrupt<transports.errors.ChannelCorrupt>} when it broke
            the protocol.
        """


class IChannel(Interface):
    """
    One end of an open channel.
    """

    limits: Limits = Attribute("The L{Limits} of both queues, agreed when the channel opened.")

    def send(message: bytes) -> None:
        """
        Put one message into the outbound queue, all or nothing, now.

        After any exception nothing has changed but one counter.

        @raise QueueFull: there is not enough room at this instant; it carries
            C{needed}, C{free} and C{capacity} in blocks.  Try again, for
            example after L{whenFree}.
        @raise MessageTooLarge: it could never fit.  Permanent.
        @raise ChannelClosed: this end has been closed or aborted.
        @raise PeerLost: the peer is gone.
        """

    def whenFree(blocks: int) -> Deferred[None]:
        """
        Wait until C{blocks} blocks of the outbound queue are free.

        Waiters are served first come, first served; a small one never passes
        a large one.  Cancelling the Deferred gives up the place in the line.
        The blocks are not reserved: when the Deferred fires, a C{send} of that
        size made synchronously from its callback succeeds.  A C{send} made by
        somebody else while others wait is not refused on their behalf.

        @raise MessageTooLarge: (as a failure) more blocks than the capacity.
        @raise ChannelClosed: (as a failure) closed while waiting.
        @raise PeerLost: (as a failure) the peer vanished while waiting.
        """

    def flush() -> None:
        """
        Wake the peer for what has been sent so far.  Happens by itself before
        the reactor can sleep; call it only to be earlier.
        """

    def pauseDelivery() -> None:
        """
        Deliver no further message until L{resumeDelivery}.  What is queued
        keeps its blocks.  Idempotent.
        """

    def resumeDelivery() -> None:
        """
        Deliver again.  Never calls the receiver from inside this call.  Idempotent.
        """

    def close() -> Deferred[None]:
        """
        Close in order: refuse further sends, let both queues drain, then tell
        both receivers with L{ChannelClosed<transports.errors.ChannelClosed>}.
        Fires when done; a peer that does not drain within the implementation's
        deadline is cut off as by L{abort}.  Idempotent.
        """

    def abort() -> None:
        """
        Close at once; what is queued is thrown away.  Both receivers are told
        (asynchronously).  Idempotent.
        """

    def statistics() -> QueueStatistics:
        """
        The state of the outbound queue at this instant.
        """

    def inboundStatistics() -> QueueStatistics:
        """
        What this end knows of the inbound queue at this instant (blocks of
        messages that have arrived here and whose handler has not returned).
        """


class IListener(Interface):
    """
    An open place where peers can connect.
    """

    def stopListening() -> Deferred[None]:
        """
        Accept no further channel; channels already open are left alone.
        """


class ITransport(Interface):
    """
    A way to open channels: what a transport description names.
    """

    description: str = Attribute("The description that this transport was made from.")
    limits: Limits = Attribute("The L{Limits} this side asks for; both sides must ask for the same.")
    crosses_processes: bool = Attribute("Whether the two peers may be in different processes.")

    def listen(accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        Wait for peers.

        @param accept: a callable that is given each new L{IChannel} and
            returns the L{IReceiver} for it.  No message is delivered before
            it has returned.
        @return: fires with the L{IListener} once a peer can connect.
        @raise CannotListen: (as a failure) with a sentence that names the place.
        """

    def connect(receiver: IReceiver) -> Deferred[IChannel]:
        """
        Open a channel to the listening peer.

        @param receiver: the L{IReceiver} of this end.
        @raise CannotConnect: (as a failure) nobody listens there.
        @raise LimitsMismatch: (as a failure) the peer was configured with other limits.
        """


class ITransportScheme(Interface):
    """
    A kind of transport, as a plugin.  A distribution adds its own by putting an
    object that provides this interface into a module of C{twisted.plugins}
    (see L{twisted.plugin}).
    """

    scheme: str = Attribute(
        "What descriptions of this kind begin with, before the first colon: lower case letters."
    )
    form: str = Attribute("How such a description looks, for error messages: C{unix:PATH}.")
    options: tuple[str, ...] = Attribute(
        "Names of the options it knows besides C{blocks} and C{block_size}, which all kinds have: "
        "lower case letters and underscores."
    )

    def makeTransport(
        arguments: tuple[str, ...], options: Mapping[str, str], limits: Limits, reactor: object
    ) -> ITransport:
        """
        Make the transport that a description names.

        @param arguments: the parts after the scheme that are no options; an
            empty description (C{memory:}) has one empty part.
        @param options: those of C{options} that were given.
        @param limits: made from C{blocks} and C{block_size}.
        @param reactor: the reactor to use.
        @raise BadDescription: the arguments or options make no sense; the
            message says what to write instead.
        """
