"""
Our server alone, and against pymap with short messages: the rows that need no other server.
"""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks._gates import Table
from benchmarks._imapload import (
    Client,
    appendTogether,
    cpuSeconds,
    freePort,
    python,
    residentMegabytes,
    running,
)
from mailstore import stores
from mailstore.auth.keys import makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore
from mailstore.model import SYSTEM, NewMessage

MESSAGE = (
    b"Return-Path: <carol@example.org>\r\n"
    b"Received: from mx.example.org (mx.example.org [192.0.2.7]) by mail.example.net with ESMTP\r\n"
    b"Date: Tue, 3 Nov 2026 10:11:12 +0100\r\n"
    b"From: Carol Baker <carol@example.org>\r\n"
    b"To: alice@example.net, Bob Stone <bob@example.net>\r\n"
    b"Subject: Notes of the weekly meeting, number %d\r\n"
    b"Message-ID: <%d.notes@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n" + b"The minutes are below, please send corrections before Friday.\r\n" * 30
)


def message(number: int) -> bytes:
    """
    A message like no other, of about 2 KB.
    """
    return MESSAGE % (number, number)


async def _users(store: IStore) -> None:
    for user in ("alice", "bob"):
        await store.createUser(user, makeCredentials("password"))
    await store.setRights(SYSTEM, "Public Folders", "alice", "lrswipkxtea")


async def _fill(store: IStore, folders: int, messages: int) -> None:
    await _users(store)
    for number in range(folders):
        await store.createFolder(SYSTEM, f"Public Folders/Archive/Department {number % 40}/Folder {number}")
    await store.createFolder(SYSTEM, "Public Folders/Bench")
    for start in range(0, messages, 500):
        batch = tuple(NewMessage(message(n)) for n in range(start, min(start + 500, messages)))
        await store.append(SYSTEM, "Public Folders/Bench", batch)
    await store.close()


@contextlib.contextmanager
def server(directory: pathlib.Path, folders: int, messages: int) -> Iterator[tuple[int, int]]:
    """
    Our server with its store in a process of its own.

    @return: process id and port.
    """
    url = f"sqlite:///{directory}/mail.db"
    asyncio.run(_fill(stores.openStore(url, EngineLimits(), create=True), folders, messages))
    port = freePort()
    command = python(
        *("-m", "twisted", "mailstore", "--store", url),
        *("--transport", f"unix:{directory}/s", "--listen", f"tcp:{port}:interface=127.0.0.1"),
    )
    with running(command, port, directory / "server.log") as pid:
        yield pid, port


def benchList(table: Table, folders: int, slack: float) -> None:
    """
    Memory, and the second LIST against the first.
    """
    with temporary() as directory, server(directory, folders, 0) as (pid, port):
        costs: list[float] = []
        for user in ("alice", "bob", "alice", "bob"):
            client = Client(port)
            client.login(user, "password")
            before = cpuSeconds(pid)
            # One LIST is too short for the clock of the processor: repeat what is already shared.
            repeat = 1 if not costs else 5
            for _ in range(repeat):
                answer = client.command(b'LIST "" "*"')
            costs.append((cpuSeconds(pid) - before) / repeat)
            assert answer.count(b"* LIST") >= folders, answer[:200]
            client.close()
        table.row(f"LIST of {folders} folders: memory", residentMegabytes(pid), "MB", 300, least=False)
        ratio = min(costs[1:]) / max(costs[0], 0.01)
        table.row("LIST: second client's CPU / first's", ratio, "x", 0.3 * slack, least=False)


def benchFetch(table: Table, messages: int, rounds: int, slack: float) -> None:
    """
    FETCH against pymap's.
    """
    pymap = shutil.which("pymap", path=str(pathlib.Path(sys.executable).parent)) or shutil.which("pymap")
    if pymap is None:
        raise SystemExit("pymap is not installed: pip install 'mailstore[bench]'")
    port = freePort()
    demo = [pymap, "--host", "127.0.0.1", "--port", str(port), "dict", "--demo-data"]
    with (
        temporary() as directory,
        server(directory, 10, messages) as (_, our_port),
        running(demo, port, directory / "pymap.log"),
    ):
        theirs = Client(port)
        theirs.login("demouser", "demopass")
        theirs.command(b"CREATE Bench")
        for number in range(messages):
            theirs.append(b"Bench", message(number))
        theirs.command(b"SELECT Bench")
        ours = Client(our_port)
        ours.login("alice", "password")
        ours.command(b'SELECT "Public Folders/Bench"')
        for items in (b"(UID FLAGS)", b"(UID ENVELOPE)"):
            best: dict[str, float] = {}
            for _ in range(rounds):
                for name, client in (("ours", ours), ("theirs", theirs)):
                    start = time.perf_counter()
                    answer = client.command(b"FETCH 1:* " + items)
                    rate = messages / (time.perf_counter() - start)
                    assert answer.count(b" FETCH (") == messages
                    best[name] = max(best.get(name, 0.0), rate)
            rates = f"{best['ours']:.0f}/s, pymap {best['theirs']:.0f}/s"
            what = f"FETCH 1:* {items.decode()} of {messages}: {rates}"
            table.row(what, best["ours"] / best["theirs"], "x", 5 / slack, least=True)


def benchAppend(table: Table, each: int, rounds: int, slack: float) -> None:
    """
    Twenty clients against one.
    """
    with temporary() as directory, server(directory, 10, 0) as (_, port):
        clients = [Client(port) for _ in range(20)]
        for client in clients:
            client.login("alice", "password")
        body = message(1)
        best = {1: 0.0, 20: 0.0}
        for _ in range(rounds):
            for count in best:
                rate = appendTogether(clients[:count], b"INBOX", body, each * 20 // count)
                best[count] = max(best[count], rate)
        what = f"APPEND, 20 clients {best[20]:.0f}/s, one {best[1]:.0f}/s"
        table.row(what, best[20] / best[1], "x", 3 / slack, least=True)


def benchIdle(table: Table, changes: int, slack: float) -> None:
    """
    How soon who idles is told, counted from the other's sending of the command.
    """
    with temporary() as directory, server(directory, 10, 1) as (_, port):
        idler, other = Client(port), Client(port)
        for client in (other, idler):
            client.login("alice", "password")
            client.command(b'SELECT "Public Folders/Bench"')
        idler.socket.sendall(b"I IDLE\r\n")
        idler.read(b"+ ")
        times = []
        for number in range(changes):
            start = time.perf_counter()
            other.command(b"STORE 1 %sFLAGS (\\Flagged)" % (b"-" if number % 2 else b"+"))
            idler.read(b"* 1 FETCH")
            times.append((time.perf_counter() - start) * 1e3)
        median = statistics.median(times)
        table.row(f"IDLE: another's change told, median of {changes}", median, "ms", 100 * slack, least=False)


@contextlib.contextmanager
def temporary() -> Iterator[pathlib.Path]:
    """
    A directory until the block is left.
    """
    with tempfile.TemporaryDirectory(prefix="ms") as name:
        yield pathlib.Path(name)


def bench(table: Table, short: bool) -> None:
    """
    All of them.
    """
    slack = 2.0 if short else 1.0
    table.head("what", "measured", "gate")
    benchList(table, 2000 if short else 10_000, slack)
    benchFetch(table, 500 if short else 5000, 2 if short else 3, slack)
    benchAppend(table, 10 if short else 50, 2 if short else 3, slack)
    benchIdle(table, 20 if short else 100, slack)
