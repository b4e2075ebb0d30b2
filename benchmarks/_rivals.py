"""
How others carry messages from one process to another.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import Int32StringReceiver

from benchmarks._contestants import PATIENCE, Contestant, startPeer
from benchmarks._peers import ECHO, MARK, SINK, fifoPeer, queuePeer

#: The address space of messages of faster-fifo, in bytes.
_FIFO_SIZE = 1 << 22


class _Int32(Int32StringReceiver):
    """
    This end of an L{Int32}.
    """

    def __init__(self) -> None:
        self.onString: Callable[[bytes], None] = lambda _: None

    def stringReceived(self, string: bytes) -> None:
        """
        Hand it to whoever measures at the moment.
        """
        self.onString(string)


class Int32(Contestant):
    """
    Twisted's own C{Int32StringReceiver} over a Unix socket.
    """

    _port: Any
    _end: _Int32

    async def open(self, reactor: Any, path: str, kind: Callable[..., None]) -> None:
        """
        Start the other end.
        """
        connected: Deferred[None] = Deferred()
        contestant = self

        class Factory(ServerFactory):
            noisy = False

            def buildProtocol(self, address: object) -> _Int32:
                contestant._end = _Int32()
                connected.callback(None)
                return contestant._end

        self._port = reactor.listenUNIX(path, Factory())
        self.peer = startPeer(kind, path)
        await connected.addTimeout(PATIENCE, reactor)

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        done: Deferred[None] = Deferred()
        send = self._end.sendString
        left = count

        def answered(_: bytes) -> None:
            nonlocal left
            left -= 1
            if left:
                send(message)  # type: ignore[no-untyped-call]
            else:
                done.callback(None)

        self._end.onString = answered
        start = time.perf_counter()
        send(message)  # type: ignore[no-untyped-call]
        await done
        return (time.perf_counter() - start) / count

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        await self._port.stopListening()
        assert self._end.transport is not None
        self._end.transport.loseConnection()
        self._reap()


class ProcessQueue(Contestant):
    """
    C{multiprocessing.Queue}, one way; the answer to the mark takes a pipe.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        spawn = multiprocessing.get_context("spawn")
        self._queue = spawn.Queue()
        self._answers, theirs = spawn.Pipe()
        self._consumer = spawn.Process(target=queuePeer, args=(self._queue, theirs), daemon=True)
        self._consumer.start()

    @property
    def pids(self) -> list[int]:
        """
        See L{Contestant.pids}.
        """
        return [self._consumer.pid or 0]

    async def oneWay(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.oneWay}.
        """
        put = self._queue.put
        start = time.perf_counter()
        for _ in range(count - 1):
            put(message)
        put(MARK)
        self._answers.recv()
        return (time.perf_counter() - start) / count

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._queue.put(None)
        self._consumer.join(PATIENCE)
        self._queue.close()


class FasterFifo(Contestant):
    """
    faster-fifo: queues in shared memory, written in C++, that block on a condition variable.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        faster_fifo = importlib.import_module("faster_fifo")
        # Teaches multiprocessing how to hand such a queue to a child.
        importlib.import_module("faster_fifo_reduction")
        spawn = multiprocessing.get_context("spawn")
        self._out, self._in = faster_fifo.Queue(_FIFO_SIZE), faster_fifo.Queue(_FIFO_SIZE)
        self._child = spawn.Process(target=fifoPeer, args=(self._out, self._in), daemon=True)
        self._child.start()

    @property
    def pids(self) -> list[int]:
        """
        See L{Contestant.pids}.
        """
        return [self._child.pid or 0]

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        put, get = self._out.put, self._in.get
        start = time.perf_counter()
        for _ in range(count):
            put(message)
            get(timeout=PATIENCE)
        return (time.perf_counter() - start) / count

    async def oneWay(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.oneWay}.
        """
        put = self._out.put
        start = time.perf_counter()
        for _ in range(count - 1):
            put(message, timeout=PATIENCE)
        put(MARK, timeout=PATIENCE)
        self._in.get(timeout=PATIENCE)
        return (time.perf_counter() - start) / count

    async def sink(self, on: bool) -> None:
        """
        See L{Contestant.sink}.
        """
        self._out.put(SINK if on else ECHO)
        self._in.get(timeout=PATIENCE)

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._out.put(b"")
        self._child.join(PATIENCE)


class Zmq(Contestant):
    """
    A pair of PAIR sockets of pyzmq over C{ipc:}, blocking.
    """

    def __init__(self, name: str, path: str, kind: Callable[..., None]) -> None:
        super().__init__(name)
        zmq = importlib.import_module("zmq")
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PAIR)
        self._socket.setsockopt(zmq.LINGER, 1000)
        self._socket.bind(f"ipc://{path}")
        self.peer = startPeer(kind, f"ipc://{path}")

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        send, recv = self._socket.send, self._socket.recv
        start = time.perf_counter()
        for _ in range(count):
            send(message)
            recv()
        return (time.perf_counter() - start) / count

    async def oneWay(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.oneWay}.
        """
        send = self._socket.send
        start = time.perf_counter()
        for _ in range(count - 1):
            send(message)
        send(MARK)
        self._socket.recv()
        return (time.perf_counter() - start) / count

    async def sink(self, on: bool) -> None:
        """
        See L{Contestant.sink}.
        """
        self._socket.send(SINK if on else ECHO)
        self._socket.recv()

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._socket.send(b"")
        self._socket.close()
        with contextlib.suppress(Exception):
            self._context.term()
        self._reap()
