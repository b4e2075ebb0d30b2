"""
The other processes of the transport benchmark: everything that answers.

C{python -m benchmarks._peers KIND ARGUMENT...} is started by
L{benchmarks._contestants}; each kind is a function here.
"""

from __future__ import annotations

import importlib
import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ClientFactory
from twisted.protocols.basic import Int32StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from transports.description import transportFor
from transports.interfaces import IChannel, IReceiver

#: Bytes asked for by one C{recv}.
READ_SIZE = 1 << 16
#: The message that asks for an answer when everything before it has been handled.
MARK = b"mark"
#: From now on every message is answered.
ECHO = b"echo"
#: From now on only the mark is answered.
SINK = b"sink"


@implementer(IReceiver)
class _Echo:
    """
    Sends every message back, or only the mark.
    """

    def __init__(self, reactor: Any) -> None:
        self.channel: IChannel | None = None
        self._reactor = reactor
        self._sink = False

    def messageReceived(self, message: bytes) -> None:
        """
        Answer it.
        """
        if self._sink:
            if len(message) != len(MARK):
                return
            self._sink = message != ECHO
        elif message == SINK:
            self._sink = True
        assert self.channel is not None
        self.channel.send(message)

    def channelLost(self, reason: Failure) -> None:
        """
        The benchmark is over.
        """
        self._reactor.stop()


def channelPeer(description: str) -> None:
    """
    Answer on a channel.
    """
    from twisted.internet import reactor

    running = cast(Any, reactor)
    echo = _Echo(running)

    def connected(channel: IChannel) -> None:
        echo.channel = channel

    def failed(reason: Failure) -> None:
        print(reason.getErrorMessage(), file=sys.stderr)
        running.stop()

    def start() -> None:
        transportFor(description, running).connect(echo).addCallbacks(connected, failed)

    running.callWhenRunning(start)
    running.run()


def rawPeer(number: str) -> None:
    """
    Answer on a blocking socket.
    """
    with socket.socket(fileno=int(number)) as raw:
        while data := raw.recv(READ_SIZE):
            raw.sendall(data)


def rawSinkPeer(number: str, size: str) -> None:
    """
    Take messages of C{size} bytes from a blocking socket; a first byte of 1 asks for an answer.
    """
    length = int(size)
    with socket.socket(fileno=int(number)) as raw:
        while data := raw.recv(length, socket.MSG_WAITALL):
            if data[0]:
                raw.sendall(MARK)


def socketLoopPeer(number: str) -> None:
    """
    Answer in a loop of C{epoll}, C{recv} and C{send}: no reactor.
    """
    with socket.socket(fileno=int(number)) as plain, select.epoll() as poller:
        plain.setblocking(False)
        poller.register(plain, select.EPOLLIN)
        while True:
            poller.poll()
            data = plain.recv(READ_SIZE)
            if not data:
                return
            plain.send(data)


def eventLoopPeer(inbound: str, outbound: str, guard: str) -> None:
    """
    Answer in a loop of C{epoll} and two eventfds, until C{guard} hangs up: no reactor, no message.
    """
    read_from, write_to = int(inbound), int(outbound)
    with select.epoll() as poller:
        poller.register(read_from, select.EPOLLIN)
        poller.register(int(guard), 0)
        while True:
            for number, _ in poller.poll():
                if number != read_from:
                    return
                os.eventfd_read(read_from)
                os.eventfd_write(write_to, 1)


@implementer(IReadDescriptor)
class Bare:
    """
    The least that can be done under a reactor, without any channel: call
    C{onReady} when a descriptor is readable.
    """

    def __init__(self, number: int, onReady: Callable[[], object]) -> None:
        self._number = number
        self.onReady = onReady

    def doRead(self) -> None:
        """
        Something has arrived.
        """
        self.onReady()

    def fileno(self) -> int:
        """
        The number of the descriptor.
        """
        return self._number

    def logPrefix(self) -> str:
        """
        A name for the log.
        """
        return "bare"

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor has found the descriptor hung up, or has been stopped.
        """


def bareSocketPeer(number: str) -> None:
    """
    Answer under a reactor: one C{recv}, one C{send}, no channel.
    """
    from twisted.internet import reactor

    running = cast(Any, reactor)
    plain = socket.socket(fileno=int(number))
    plain.setblocking(False)

    def ready() -> None:
        data = plain.recv(READ_SIZE)
        if data:
            plain.send(data)
        else:
            running.removeReader(bare)
            running.stop()

    bare = Bare(plain.fileno(), ready)
    running.addReader(bare)
    running.run()


def bareEventPeer(inbound: str, outbound: str, guard: str) -> None:
    """
    Answer under a reactor: one C{eventfd_read}, one C{eventfd_write}, no message, no channel.
    """
    from twisted.internet import reactor

    running = cast(Any, reactor)
    read_from, write_to = int(inbound), int(outbound)

    def ready() -> None:
        os.eventfd_read(read_from)
        os.eventfd_write(write_to, 1)

    def over() -> None:
        running.removeReader(end)
        running.stop()

    end = Bare(int(guard), over)
    running.addReader(Bare(read_from, ready))
    running.addReader(end)
    running.run()


class _Int32Echo(Int32StringReceiver):
    """
    Sends every string back.
    """

    def stringReceived(self, string: bytes) -> None:
        """
        Answer it.
        """
        self.sendString(string)  # type: ignore[no-untyped-call]


class _Int32Factory(ClientFactory):
    """
    Ends the process with the connection.
    """

    noisy = False
    protocol = _Int32Echo

    def clientConnectionLost(self, connector: object, reason: Failure) -> None:
        """
        The benchmark is over.
        """
        from twisted.internet import reactor

        cast(Any, reactor).stop()


def int32Peer(path: str) -> None:
    """
    Answer with Twisted's own C{Int32StringReceiver} over a Unix socket.
    """
    from twisted.internet import reactor

    running = cast(Any, reactor)
    running.connectUNIX(path, _Int32Factory())
    running.run()


def zmqPeer(address: str) -> None:
    """
    Answer on a PAIR socket of pyzmq; an empty message ends it.
    """
    zmq = importlib.import_module("zmq")
    with zmq.Context() as context, context.socket(zmq.PAIR) as plain:
        plain.setsockopt(zmq.LINGER, 0)
        plain.connect(address)
        sink = False
        while message := plain.recv():
            if sink:
                if len(message) != len(MARK):
                    continue
                sink = message != ECHO
            elif message == SINK:
                sink = True
            plain.send(message)


def queuePeer(queue: Any, answers: Any) -> None:
    """
    Take everything out of a C{multiprocessing.Queue}; answer to the mark.
    """
    while (item := queue.get()) is not None:
        if item == MARK:
            answers.send(item)


def fifoPeer(inbound: Any, outbound: Any) -> None:
    """
    Answer with queues of faster-fifo, as many messages at once as there are; an empty message ends it.
    """
    sink = False
    while True:
        for message in inbound.get_many(timeout=3600.0):
            if not message:
                return
            if sink:
                if len(message) != len(MARK):
                    continue
                sink = message != ECHO
            elif message == SINK:
                sink = True
            outbound.put(message)


_KINDS: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (
        channelPeer,
        rawPeer,
        rawSinkPeer,
        socketLoopPeer,
        eventLoopPeer,
        bareSocketPeer,
        bareEventPeer,
        int32Peer,
        zmqPeer,
    )
}

if __name__ == "__main__":
    _KINDS[sys.argv[1]](*sys.argv[2:])
