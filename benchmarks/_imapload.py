"""
A load generator for IMAP servers that looks for tags and parses nothing else,
and the means to start a server and to read what it costs.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

#: Seconds after which a silent server counts as hung.
TIMEOUT = 120.0

_TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """
    The server did not do what was asked, or not in time.
    """


class Client:
    """
    One blocking connection.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._count = 0
        self.read(b"", b"\r\n")

    def read(self, start: bytes, end: bytes = b"\r\n") -> bytes:
        """
        Read to a line that begins with C{start} and ends with C{end}.
        """
        data = bytearray()
        needle = b"\r\n" + start
        searched = 0
        while True:
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise Failed("the server closed the connection")
            data += piece
            if not data.endswith(end):
                continue
            at = 0 if data.startswith(start) else data.find(needle, searched)
            if at >= 0:
                return bytes(data)
            searched = max(0, len(data) - len(needle))

    def command(self, line: bytes) -> bytes:
        """
        Give a command and wait for its tagged reply.

        @return: everything the server said.
        @raise Failed: the reply is not OK.
        """
        self._count += 1
        tag = b"t%d" % self._count
        self.socket.sendall(tag + b" " + line + b"\r\n")
        answer = self.read(tag + b" ", b"\r\n")
        last = answer[answer.rfind(b"\r\n", 0, -2) + 2 :] if b"\r\n" in answer[:-2] else answer
        if not last.startswith(tag + b" OK"):
            raise Failed(f"{line[:60]!r} was answered {last[:200]!r}")
        return answer

    def append(self, folder: bytes, message: bytes) -> None:
        """
        Append with a synchronising literal, which every server takes.
        """
        self._count += 1
        tag = b"t%d" % self._count
        self.socket.sendall(tag + b" APPEND " + folder + b" {%d}\r\n" % len(message))
        self.read(b"+", b"\r\n")
        self.socket.sendall(message + b"\r\n")
        answer = self.read(tag + b" ", b"\r\n")
        if tag + b" OK" not in answer:
            raise Failed(f"APPEND was answered {answer[:200]!r}")

    def login(self, user: str, password: str) -> None:
        """
        Sign in.
        """
        self.command(f"LOGIN {user} {password}".encode())

    def close(self) -> None:
        """
        Hang up.
        """
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def appendTogether(ports: Sequence[Client], folder: bytes, message: bytes, each: int) -> float:
    """
    Let all clients append C{each} messages, each its next one as soon as the
    last was acknowledged (non-synchronising literals).

    @return: messages per second.
    """
    with selectors.DefaultSelector() as selector:
        left: dict[socket.socket, int] = {}
        heard: dict[socket.socket, bytes] = {}
        request = b"A APPEND " + folder + b" {%d+}\r\n" % len(message) + message + b"\r\n"
        start = time.perf_counter()
        for client in ports:
            left[client.socket] = each
            heard[client.socket] = b""
            selector.register(client.socket, selectors.EVENT_READ)
            client.socket.sendall(request)
        while left:
            ready = selector.select(TIMEOUT)
            if not ready:
                raise Failed("the server stopped answering APPEND")
            for key, _ in ready:
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                piece = sock.recv(65536)
                if not piece:
                    raise Failed("the server closed the connection")
                heard[sock] += piece
                if not heard[sock].endswith(b"\r\n") or b"A OK" not in heard[sock]:
                    if b"A NO" in heard[sock] or b"A BAD" in heard[sock]:
                        raise Failed(f"APPEND was answered {heard[sock][:200]!r}")
                    continue
                heard[sock] = b""
                left[sock] -= 1
                if left[sock]:
                    sock.sendall(request)
                else:
                    del left[sock]
                    selector.unregister(sock)
        return len(ports) * each / (time.perf_counter() - start)


def freePort() -> int:
    """
    A port of the loopback interface that nobody uses now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """
    A process and all its descendants.
    """
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def cpuSeconds(pid: int) -> float:
    """
    Processor time that a process and its descendants have used, those that have ended among them.
    """
    total = 0
    for each in family(pid):
        fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / _TICKS


def residentMegabytes(pid: int) -> float:
    """
    Resident memory of a process and its descendants, in units of 2**20 bytes.
    """
    total = 0
    for each in family(pid):
        for line in pathlib.Path(f"/proc/{each}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


@contextlib.contextmanager
def running(command: Sequence[str], port: int, log: pathlib.Path) -> Iterator[int]:
    """
    Run a server until the block is left.

    @return: its process id, once it greets on C{port}.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                Client(port).close()
                break
            except (OSError, Failed):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"{command[0]} did not start: {log.read_text()[-2000:]}") from None
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def python(*arguments: str) -> list[str]:
    """
    A command line for this interpreter.
    """
    return [sys.executable, *arguments]
