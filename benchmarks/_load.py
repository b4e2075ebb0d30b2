"""
The clients of a comparison, in a process of their own, which looks for tags and parses
nothing else.

All clients of a crowd wait in one loop; each gives its next command as soon as
the tagged reply to the last has come.
"""

from __future__ import annotations

import multiprocessing
import resource
import select
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import attrs

from benchmarks._imapload import Client, Failed

_TAG = b"zq7"

#: Stands in a command for a number that has not been before.
COUNTER = b"=?number?="

#: Bytes that a tagged line has at most.
_TAIL = 1024

#: Seconds without a word from any server.
_SILENCE = 120.0


@attrs.frozen
class Crowd:
    """
    Clients of one server that all do the same.
    """

    port: int
    #: User names, one for each client.
    users: tuple[str, ...]
    password: str
    #: What each does before the clock runs.
    prepare: tuple[bytes, ...] = ()
    #: What each then does over and over: its own list, without tags, from the beginning again
    #: when it has come to the end.
    commands: tuple[tuple[bytes, ...], ...] = ()


@attrs.frozen
class Pace:
    """
    What was measured.
    """

    #: Commands that were answered.
    commands: int
    seconds: float
    #: Bytes that came from the server.
    received: int


def _connect(crowd: Crowd, user: str) -> socket.socket:
    client = Client(crowd.port)
    client.login(user, crowd.password)
    for line in crowd.prepare:
        client.command(line)
    return client.socket


class _Crowd:
    def __init__(self, crowd: Crowd) -> None:
        self.sockets = [_connect(crowd, user) for user in crowd.users]
        self._requests = [[_TAG + b" " + line + b"\r\n" for line in commands] for commands in crowd.commands]
        self._numbered = any(COUNTER in line for commands in crowd.commands for line in commands)
        self._sent = time.time_ns() % 10**9
        self._at = [0] * len(self.sockets)
        self._buffer = bytearray(1 << 20)

    def close(self) -> None:
        for each in self.sockets:
            each.close()

    def run(self, seconds: float) -> Pace:
        """
        Go on for some time, and then until every client has its answer; at least one
        command of each.
        """
        poller = select.epoll()
        places = {each.fileno(): at for at, each in enumerate(self.sockets)}
        tails = [b""] * len(self.sockets)
        buffer, view = self._buffer, memoryview(self._buffer)
        done = received = 0
        start = time.perf_counter()
        end = start + seconds
        for at, each in enumerate(self.sockets):
            poller.register(each.fileno(), select.EPOLLIN)
            self._send(at)
        waiting = len(self.sockets)
        while waiting:
            events = poller.poll(_SILENCE)
            if not events:
                raise Failed("the server stopped answering")
            for number, _ in events:
                at = places[number]
                size = self.sockets[at].recv_into(buffer)
                if not size:
                    raise Failed("the server closed the connection")
                received += size
                tail = bytes(view[max(0, size - _TAIL) : size])
                if size < _TAIL:
                    tail = (tails[at] + tail)[-_TAIL:]
                if not tail.endswith(b"\r\n"):
                    tails[at] = tail
                    continue
                line = tail[tail.rfind(b"\r\n", 0, -2) + 2 :] if b"\r\n" in tail[:-2] else tail
                if not line.startswith(_TAG):
                    tails[at] = tail
                    continue
                if not line.startswith(_TAG + b" OK"):
                    raise Failed(f"{self._requests[at][0][:80]!r} was answered {line[:200]!r}")
                tails[at] = b""
                done += 1
                if time.perf_counter() < end:
                    self._send(at)
                else:
                    waiting -= 1
        taken = time.perf_counter() - start
        poller.close()
        return Pace(done, taken, received)

    def _send(self, at: int) -> None:
        requests = self._requests[at]
        request = requests[self._at[at] % len(requests)]
        if self._numbered:
            self._sent += 1
            request = request.replace(COUNTER, b"%0*d" % (len(COUNTER), self._sent))
        self.sockets[at].sendall(request)
        self._at[at] += 1

    def hear(self, other: Client, changes: Sequence[bytes], sign: bytes) -> list[float]:
        """
        Let all IDLE while another makes changes.

        @return: for each client and change, the milliseconds until it was told C{sign}.
        """
        poller = select.epoll()
        places = {each.fileno(): each for each in self.sockets}
        for each in self.sockets:
            poller.register(each.fileno(), select.EPOLLIN)
            each.sendall(_TAG + b" IDLE\r\n")
        greeted = 0
        while greeted < len(self.sockets):
            for number, _ in poller.poll(_SILENCE):
                greeted += b"+ " in places[number].recv(1 << 16)
        times: list[float] = []
        for change in changes:
            heard: dict[int, bytes] = dict.fromkeys(places, b"")
            start = time.perf_counter()
            other.socket.sendall(b"S " + change + b"\r\n")
            while heard:
                events = poller.poll(_SILENCE)
                if not events:
                    raise Failed("a client that idles was not told of a change")
                now = time.perf_counter()
                for number, _ in events:
                    data = heard.get(number, b"") + places[number].recv(1 << 16)
                    if number in heard:
                        heard[number] = data
                        if sign in data:
                            times.append((now - start) * 1e3)
                            del heard[number]
            other.read(b"S ")
        for each in self.sockets:
            each.sendall(b"DONE\r\n")
        poller.close()
        return times


def _serve(pipe: Connection) -> None:
    """
    The process: one request after the other.
    """
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    crowds: dict[int, _Crowd] = {}
    while True:
        try:
            what, number, *arguments = pipe.recv()
        except EOFError:
            return
        answer: Any = None
        try:
            if what == "open":
                crowds[number] = _Crowd(*arguments)
            elif what == "run":
                answer = crowds[number].run(*arguments)
            elif what == "hear":
                other, *rest = arguments
                one = Client(other.port)
                one.login(other.users[0], other.password)
                for line in other.prepare:
                    one.command(line)
                answer = crowds[number].hear(one, *rest)
                one.close()
            else:
                crowds.pop(number).close()
        except Exception as error:
            answer = Failed(f"{type(error).__name__}: {error}")
        pipe.send(answer)


class Generator:
    """
    The process with the clients, from outside.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._last = 0

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()

    def _ask(self, *what: Any) -> Any:
        self._pipe.send(what)
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise Failed("the process with the clients died") from None
        if isinstance(answer, Failed):
            raise answer
        return answer

    def open(self, crowd: Crowd) -> int:
        """
        Connect clients and let them prepare.

        @return: what names them.
        @raise Failed: a server did not do what was asked.
        """
        self._last += 1
        self._ask("open", self._last, crowd)
        return self._last

    def run(self, crowd: int, seconds: float) -> Pace:
        """
        Let them work for some time.

        @raise Failed: a server refused a command, or fell silent.
        """
        pace: Pace = self._ask("run", crowd, seconds)
        return pace

    def hear(self, crowd: int, other: Crowd, changes: Sequence[bytes], sign: bytes) -> list[float]:
        """
        Let them IDLE while another client makes changes.

        @return: milliseconds until each was told of each.
        @raise Failed: one was not told.
        """
        times: list[float] = self._ask("hear", crowd, other, tuple(changes), sign)
        return times

    def close(self, crowd: int) -> None:
        """
        Hang up.
        """
        self._ask("close", crowd)
