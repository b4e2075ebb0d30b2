"""
What a transport of your own is built from.

A transport is an L{ITransport<transports.interfaces.ITransport>} whose C{listen}
and C{connect} make channels.  A channel is a L{BaseChannel} with a medium: what
"full" means, when handlers run, how a channel closes and how its loss is told is
in L{BaseChannel} already.  A subclass

  - implements C{_transmit}, C{_settle}, C{_announceQuit}, C{_isFlushed},
    C{_flushMedium} and C{_releaseMedium};
  - puts whole messages that arrive into C{_arrived}, after C{_inbound.arrive}
    has accepted their lengths (L{FrameReader} does both), and then calls
    C{_deliver}, from the reactor only;
  - calls C{_start} when it is open, C{_credited} when the peer has given blocks
    back, C{_peerQuits} when the peer has said that no message will follow,
    C{_mediumGone} when nothing will come any more, C{_end} when the peer breaks
    the protocol, and C{_finishIfDrained} when something has been written.

L{FrameReader}, L{packFrames} and L{packQuit} are frames for any stream of bytes.
L{CreditWindow}, L{InboundLedger} and L{WaitingLine} are the books alone, for a
channel that is quite different.  C{examples/third_party_transport.py} is a whole
transport made of these, and L{transports.testing.conformance} shows whether one
keeps the contract.  To be found by its description it needs an
L{ITransportScheme<transports.interfaces.ITransportScheme>} besides.
"""

from __future__ import annotations

from transports._channel import BaseChannel
from transports._framing import FrameReader, packFrames, packQuit
from transports.credit import CreditWindow, InboundLedger
from transports.waiting import WaitingLine

__all__ = [
    "BaseChannel",
    "CreditWindow",
    "FrameReader",
    "InboundLedger",
    "WaitingLine",
    "packFrames",
    "packQuit",
]
