"""
TLS by a given reactor.

Twisted's C{startTLS} and C{ssl:} endpoints put short writes off by the program's own reactor, whichever
runs the connection: with another one running, as in L{mailstore.testing.MailServer}, they would never be
written, and the program's would be chosen by the way.  The same classes do it right when they are told
which one to use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.internet.protocol import Protocol

if TYPE_CHECKING:
    from twisted.internet.ssl import CertificateOptions


def tlsFactory(
    factory: IProtocolFactory | None, options: CertificateOptions, reactor: IReactorTime, client: bool = False
) -> Any:
    """
    A factory for connections with TLS from the first byte on.

    @param factory: makes the protocols within it.
    @param options: what TLS is done with.
    @param client: whether this side is the client.
    """
    from twisted.protocols.tls import TLSMemoryBIOFactory

    # Without a factory it wraps protocols that are made already.
    return TLSMemoryBIOFactory(options, client, factory, reactor)  # type: ignore[arg-type]


def startTls(
    protocol: Protocol, options: CertificateOptions, reactor: IReactorTime, client: bool = False
) -> None:
    """
    Begin TLS on a connection that is open: what its protocol writes from now on, and what it is given, goes
    through it.  A producer that is registered stays so.

    @param protocol: its C{transport} becomes another, which has the methods of the one before.
    @param options: what TLS is done with.
    @param client: whether this side is the client.
    """
    transport: Any = protocol.transport
    if not isinstance(transport, FileDescriptor):
        # What is no socket of Twisted's has its own way.
        transport.startTLS(options)
        return
    socket: Any = transport
    producer, streaming = socket.producer, socket.streamingProducer
    if producer is not None:
        socket.unregisterProducer()
    wrapper = tlsFactory(None, options, reactor, client)
    # The protocol is connected already: it is given its new transport, and hears nothing of it.
    layer = wrapper.protocol(wrapper, protocol, False)
    socket.protocol = layer
    protocol.transport = layer
    layer.makeConnection(socket)
    if producer is not None:
        layer.registerProducer(producer, streaming)
