"""
The least that can be done, with nothing of a channel about it: what the kernel
costs, and what Twisted's reactor costs.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from benchmarks._contestants import Contestant, startPeer
from benchmarks._peers import MARK, READ_SIZE, Bare


class _OnSocket(Contestant):
    """
    With a connected Unix socket whose other end the peer inherits.
    """

    def __init__(self, name: str, kind: Callable[..., None], *arguments: object) -> None:
        super().__init__(name)
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.peer = startPeer(kind, theirs.fileno(), *arguments, fds=(theirs.fileno(),))

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._socket.close()
        self._reap()


class RawSocket(_OnSocket):
    """
    C{sendall} and C{recv} of a blocking Unix socket, at both ends.
    """

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        sendall, recv = self._socket.sendall, self._socket.recv
        size = len(message)
        start = time.perf_counter()
        for _ in range(count):
            sendall(message)
            got = len(recv(READ_SIZE))
            while got < size:
                got += len(recv(READ_SIZE))
        return (time.perf_counter() - start) / count

    async def oneWay(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.oneWay}.  The peer must be a C{rawSinkPeer} of this size.
        """
        sendall = self._socket.sendall
        mark = b"\1" + message[1:]
        start = time.perf_counter()
        for _ in range(count - 1):
            sendall(message)
        sendall(mark)
        self._socket.recv(len(MARK))
        return (time.perf_counter() - start) / count


class SocketLoop(_OnSocket):
    """
    A loop of C{epoll}, C{recv} and C{send} at both ends: what any reactor must do.
    """

    def __init__(self, name: str, kind: Callable[..., None]) -> None:
        super().__init__(name, kind)
        self._socket.setblocking(False)
        self._poller = select.epoll()
        self._poller.register(self._socket.fileno(), select.EPOLLIN)

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        poll, send, recv = self._poller.poll, self._socket.send, self._socket.recv
        size = len(message)
        start = time.perf_counter()
        for _ in range(count):
            send(message)
            got = 0
            while got < size:
                poll()
                got += len(recv(READ_SIZE))
        return (time.perf_counter() - start) / count

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._poller.close()
        await super().stop()


class _OnEvents(Contestant):
    """
    With one eventfd for each direction; they carry no message.
    """

    def __init__(self, name: str, kind: Callable[..., None]) -> None:
        super().__init__(name)
        flags = os.EFD_CLOEXEC | os.EFD_NONBLOCK
        self._inbound, self._outbound = os.eventfd(0, flags), os.eventfd(0, flags)
        self._guard, theirs = socket.socketpair()
        with theirs:
            fds = (self._outbound, self._inbound, theirs.fileno())
            self.peer = startPeer(kind, *fds, fds=fds)

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._guard.close()
        self._reap()
        os.close(self._inbound)
        os.close(self._outbound)


class EventLoop(_OnEvents):
    """
    A loop of C{epoll}, C{eventfd_read} and C{eventfd_write} at both ends.
    """

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        with select.epoll() as poller:
            poller.register(self._inbound, select.EPOLLIN)
            poll = poller.poll
            start = time.perf_counter()
            for _ in range(count):
                os.eventfd_write(self._outbound, 1)
                poll()
                os.eventfd_read(self._inbound)
            return (time.perf_counter() - start) / count


class BareSocket(_OnSocket):
    """
    One C{recv} and one C{send} under Twisted's reactor at both ends, no channel.
    """

    def __init__(self, name: str, kind: Callable[..., None], reactor: Any) -> None:
        super().__init__(name, kind)
        self._socket.setblocking(False)
        self._reactor = reactor
        self._bare = Bare(self._socket.fileno(), lambda: None)
        reactor.addReader(self._bare)

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        done: Deferred[None] = Deferred()
        send, recv = self._socket.send, self._socket.recv
        size = len(message)
        left, got = count, 0

        def ready() -> None:
            nonlocal left, got
            got += len(recv(READ_SIZE))
            if got == size:
                got = 0
                left -= 1
                if left:
                    send(message)
                else:
                    done.callback(None)

        self._bare.onReady = ready
        start = time.perf_counter()
        send(message)
        await done
        return (time.perf_counter() - start) / count

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._reactor.removeReader(self._bare)
        await super().stop()


class BareEvents(_OnEvents):
    """
    One C{eventfd_read} and one C{eventfd_write} under Twisted's reactor at both ends, no channel.
    """

    def __init__(self, name: str, kind: Callable[..., None], reactor: Any) -> None:
        super().__init__(name, kind)
        self._reactor = reactor
        self._bare = Bare(self._inbound, lambda: None)
        reactor.addReader(self._bare)

    async def trips(self, message: bytes, count: int) -> float:
        """
        See L{Contestant.trips}.
        """
        done: Deferred[None] = Deferred()
        left = count

        def ready() -> None:
            nonlocal left
            os.eventfd_read(self._inbound)
            left -= 1
            if left:
                os.eventfd_write(self._outbound, 1)
            else:
                done.callback(None)

        self._bare.onReady = ready
        start = time.perf_counter()
        os.eventfd_write(self._outbound, 1)
        await done
        return (time.perf_counter() - start) / count

    async def stop(self) -> None:
        """
        See L{Contestant.stop}.
        """
        self._reactor.removeReader(self._bare)
        await super().stop()
