"""
One command after the other, each at all servers in turn.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import attrs

from benchmarks import _corpus
from benchmarks._gates import Table
from benchmarks._imapload import Client, Failed, cpuSeconds
from benchmarks._load import Crowd, Generator
from benchmarks._rows import ROWS, Row, quoted
from benchmarks._servers import Server, Size

#: The number of clients at which gates are.
GATED = 20

#: What is to be had against pymap, wherever both can do it.
PYMAP_GATE = 10.0

#: Seconds that one turn of a server may take; what takes longer is left out.
_LONGEST = 8.0

#: Seconds of a turn after which a server has no other.
_LONG = 2.5


@attrs.define
class Result:
    """
    What one server did with one command and some clients.
    """

    #: In the unit of the row, the best turn.
    rate: float = 0.0
    #: Replies a second, the best turn.
    replies: float = 0.0
    commands: int = 0
    cpu: float = 0.0
    #: Seconds of the longest turn.
    longest: float = 0.0

    @property
    def milliseconds(self) -> float:
        """
        Processor time of all the server's processes for one command.
        """
        return self.cpu / max(1, self.commands) * 1e3


@attrs.frozen
class Effort:
    """
    How thoroughly it is measured.
    """

    clients: tuple[int, ...]
    #: Turns of each server with each number of clients.
    turns: int
    #: Seconds of a turn.
    seconds: float


def check(server: Server, row: Row, size: Size) -> None:
    """
    Let one client see that the reply is what it must be.  It is the second that is looked at:
    with the first a server may make what it keeps for the next.

    @raise Failed: it is not.
    """
    client = Client(server.port)
    client.login(server.user(0), server.password)
    for line in _prepare(server, row):
        client.command(line)
    commands = row.commands(server, size, 0)
    for command in (commands * 2)[:2]:
        answer = client.command(command)
    count = answer.count(row.sign)
    if count < row.count(size):
        raise Failed(f"{server.name}: {count} times {row.sign!r} in the reply to {command[:80]!r}")
    client.close()


def _prepare(server: Server, row: Row) -> tuple[bytes, ...]:
    return (b"SELECT " + quoted(server, _corpus.BIG),) if row.opened else ()


def _crowd(server: Server, row: Row, size: Size, clients: int) -> Crowd:
    return Crowd(
        server.port,
        tuple(server.user(number) for number in range(clients)),
        server.password,
        _prepare(server, row),
        tuple(row.commands(server, size, number) for number in range(clients)),
    )


def _measure(
    generator: Generator, row: Row, servers: Sequence[Server], size: Size, clients: int, effort: Effort
) -> dict[str, Result]:
    results = {server.name: Result() for server in servers}
    open_crowds: list[tuple[Server, int]] = []
    try:
        for server in servers:
            open_crowds.append((server, generator.open(_crowd(server, row, size, clients))))
        for turn in range(effort.turns):
            for at in range(len(open_crowds)):
                server, crowd = open_crowds[(at + turn) % len(open_crowds)]
                result = results[server.name]
                if result.longest > _LONG:
                    continue
                before = cpuSeconds(server.pid)
                pace = generator.run(crowd, effort.seconds)
                result.longest = max(result.longest, pace.seconds)
                result.cpu += cpuSeconds(server.pid) - before
                result.commands += pace.commands
                replies = pace.commands / pace.seconds
                result.replies = max(result.replies, replies)
                rate = replies * (row.count(size) if row.unit == "msg/s" else 1)
                if row.unit == "MB/s":
                    rate = pace.received / pace.seconds / 1e6
                result.rate = max(result.rate, rate)
    finally:
        for _, crowd in open_crowds:
            generator.close(crowd)
    return results


def compare(
    table: Table,
    servers: Sequence[Server],
    size: Size,
    effort: Effort,
    slack: float,
    only: frozenset[str] = frozenset(),
) -> None:
    """
    The whole table.

    @param servers: ours first.
    @param only: names of rows, for all when empty.
    """
    names = [server.name for server in servers]
    dovecots = [name for name in names if name.startswith("Dovecot")]
    table.head("command", "clients", *names, "of Dovecot", "gate", "of pymap", "gate")
    with Generator() as generator:
        for row in ROWS:
            if only and row.name not in only:
                continue
            able = [each for each in servers if row.pymap or each.name != "pymap"]
            for server in able:
                check(server, row, size)
            single: dict[str, Result] = {}
            for clients in effort.clients:
                taking = [each for each in able if _fits(single.get(each.name), clients)]
                results = _measure(generator, row, taking, size, clients, effort)
                single = single or results
                _tell(table, row, clients, names, dovecots, results, single, slack)
            if row.tidy:
                for server in able:
                    _tidy(server, row)


def _fits(alone: Result | None, clients: int) -> bool:
    """
    Whether so many clients have their answer in time, going by what one had to wait.
    """
    if alone is None:
        return True
    return clients / alone.replies / min(2, os.cpu_count() or 1) < _LONGEST


def _tell(
    table: Table,
    row: Row,
    clients: int,
    names: Sequence[str],
    dovecots: Sequence[str],
    results: dict[str, Result],
    single: dict[str, Result],
    slack: float,
) -> None:
    """
    Print a line, with the gates of one number of clients.  Of a server that was too slow for
    so many, the gate is compared with what it did for one.
    """
    ours = results[names[0]].rate
    cells = [row.name, str(clients)]
    for name in names:
        result = results.get(name)
        cells.append(
            "" if result is None else f"{_figure(result.rate)} {row.unit}, {_figure(result.milliseconds)} ms"
        )
    gated = clients == GATED
    for rivals, gate in ((dovecots, row.gate), (["pymap"], PYMAP_GATE)):
        best = max((results[name].rate for name in rivals if name in results), default=0.0)
        if not best and gated:
            best = max((single[name].rate for name in rivals if name in single), default=0.0)
        if not best:
            cells += ["", ""]
            continue
        ratio = ours / best
        cells.append(f"{_figure(ratio)} x")
        # pymap is quick as long as there is little in it: what is wide says nothing of it.
        judged = gated and (rivals is dovecots or slack == 1.0)
        cells.append(table.judge(row.name, ratio, gate / slack, least=True) if judged else "")
    table.line(*cells)


def _figure(value: float) -> str:
    """
    Three digits that mean something.
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _tidy(server: Server, row: Row) -> None:
    client = Client(server.port)
    client.login(server.user(0), server.password)
    client.command(b"SELECT " + quoted(server, _corpus.INCOMING))
    for line in row.tidy:
        client.command(line)
    client.close()
