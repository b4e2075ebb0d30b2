"""
What sessions cost that do nothing, that wait to be told, and that do not listen.
"""

from __future__ import annotations

import socket
import statistics
import time

from benchmarks import _corpus
from benchmarks._gates import Table
from benchmarks._imapload import Client, Failed, cpuSeconds, residentMegabytes
from benchmarks._load import Crowd, Generator
from benchmarks._rows import quoted
from benchmarks._servers import Server

#: LISTs that a client asks for without reading the replies.
_PIPELINED = 200

#: Bytes that its socket takes in.
_RECEIVE = 16 << 10


def benchIdleSessions(table: Table, server: Server, count: int) -> None:
    """
    The memory of all the server's processes, for each session that is signed in and does nothing.
    """
    with Generator() as generator:

        def crowd(size: int) -> int:
            users = tuple(server.user(number) for number in range(size))
            return generator.open(Crowd(server.port, users, server.password))

        # What is made for the first ones only is no session's.
        generator.close(crowd(max(1, count // 20)))
        before = residentMegabytes(server.pid)
        crowd(count)
        grown = residentMegabytes(server.pid) - before
    table.row(f"memory of an idle session, of {count}", grown * 1024 / count, "KB", 40, least=False)


def _settled(server: Server) -> None:
    """
    Wait until the server does nothing any more.

    @raise Failed: it goes on working.
    """
    last = cpuSeconds(server.pid)
    for _ in range(100):
        time.sleep(0.3)
        now = cpuSeconds(server.pid)
        if now - last < 0.02:
            return
        last = now
    raise Failed(f"{server.name} works on without anybody who reads")


def benchDeaf(table: Table, server: Server, folders: int) -> None:
    """
    The growth of the server when a client gives many commands and reads no reply; then it
    reads, and must find all replies whole.
    """
    line = b'LIST "" "*"'
    warm = Client(server.port)
    warm.login(server.user(0), server.password)
    warm.command(line)
    size = len(warm.command(line))
    warm.close()
    _settled(server)
    before = residentMegabytes(server.pid)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE)
        deaf.settimeout(120)
        deaf.connect(("127.0.0.1", server.port))
        deaf.sendall(f"L LOGIN {server.user(1)} {server.password}\r\n".encode())
        deaf.sendall(b"".join(b"n%d %b\r\n" % (number, line) for number in range(_PIPELINED)))
        _settled(server)
        grown = residentMegabytes(server.pid) - before
        received = lists = oks = 0
        tail = b""
        while oks < _PIPELINED:
            piece = deaf.recv(1 << 18)
            if not piece:
                raise Failed("the server closed the connection of a client that had not read")
            received += len(piece)
            data = tail + piece
            cut = data.rfind(b"\n") + 1
            data, tail = data[:cut], data[cut:]
            lists += data.count(b"* LIST ")
            oks += sum(each.startswith(b"n") and b" OK " in each for each in data.split(b"\r\n"))
    if lists < folders * _PIPELINED:
        raise Failed(f"{lists} folders in {_PIPELINED} replies of {folders}")
    what = f"growth by {_PIPELINED} LISTs of {size >> 10} KB that nobody reads"
    table.row(what, max(0.0, grown), "MB", 2, least=False)


def benchFanOut(table: Table, server: Server, clients: int, changes: int, slack: float | None) -> None:
    """
    How soon all who idle in a folder are told of a change, counted from the sending of
    the command that makes it.

    @param slack: how much wider the gate is; C{None} for no gate.
    """
    opened = b"SELECT " + quoted(server, _corpus.BIG)
    users = tuple(server.user(number) for number in range(clients))
    other = Crowd(server.port, (server.user(0),), server.password, (opened,))
    lines = [b"STORE 1 %bFLAGS (\\Flagged)" % (b"-" if each % 2 else b"+") for each in range(changes)]
    with Client(server.port) as first:
        # What it may have been left with.
        first.login(server.user(0), server.password)
        first.command(opened)
        first.command(lines[1])
    with Generator() as generator:
        crowd = generator.open(Crowd(server.port, users, server.password, (opened,)))
        times = generator.hear(crowd, other, lines, b" FETCH (")
        generator.close(crowd)
    median = statistics.median(times)
    what = f"IDLE, {clients} clients told of a change, median of {changes}"
    if slack is None:
        table.line(f"the same, {server.name}", f"{median:.2f} ms", "")
    else:
        table.row(what, median, "ms", 10 * slack, least=False)
