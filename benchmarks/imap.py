"""
What the IMAP server costs: ratios in one run, against Dovecot and pymap.

Three parts, each of which can be left out:

  - C{alone}: LIST of many public folders in memory and processor time, FETCH of short messages against
    pymap, group commit, one IDLE.
  - C{sessions}: memory of idle sessions, growth by a client that does not read, the fan-out of one
    change to many who idle.
  - C{compare}: command by command against Dovecot, as it comes from a distribution, with and without
    its index of folder lists, and against pymap, with 1, 20 and 100 clients.  Rates are the best of some
    turns, which the servers have one after another; beside each stands the processor time of all
    the server's processes for one command.

Run it as C{python -m benchmarks.imap}; all that it prints is Markdown.  C{--only compare --rows ROW} measures
one command alone.  C{--short}, for continuous integration, makes everything smaller and
the gates ten times as wide (those of C{alone} twice), and has none against pymap: a short run on a busy
machine says little more than that all of it works.  Exit code 1 when a gate is missed.
Dovecot is left out, with a word, where it is not installed.
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import resource
import sys
import tempfile
from collections.abc import Iterator

from benchmarks import _alone, _sessions
from benchmarks._compare import Effort, compare
from benchmarks._dovecot import installed
from benchmarks._gates import Table
from benchmarks._imapload import Failed
from benchmarks._rows import ROWS
from benchmarks._servers import Server, Size, dovecots, fannedDovecot, ours, pymap

_FULL = Size(10_000, 5_000)
_SHORT = Size(500, 300)


@contextlib.contextmanager
def _data(kept: str | None) -> Iterator[pathlib.Path]:
    """
    Where the servers have their mail: in memory where there is such a place.
    """
    if kept is not None:
        directory = pathlib.Path(kept).absolute()
        directory.mkdir(parents=True, exist_ok=True)
        # Dovecot serves it as a user of its own.
        directory.chmod(0o755)
        yield directory
        return
    memory = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ms", dir=memory if memory.is_dir() else None) as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        yield directory


def _parts(options: argparse.Namespace, table: Table) -> None:
    wanted = options.only or ["alone", "sessions", "compare"]
    slack = 10.0 if options.short else 1.0
    if "alone" in wanted:
        print("## Alone", flush=True)
        _alone.bench(table, options.short)
    if not {"sessions", "compare"}.intersection(wanted):
        return
    size = _SHORT if options.short else _FULL
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(_data(options.data))
        own = stack.enter_context(ours(data, size, options.transport))
        rivals: list[Server] = []
        if installed() is None:
            print("Dovecot is not installed (Debian: dovecot-imapd) and is left out", flush=True)
        else:
            rivals = stack.enter_context(dovecots(data, size))
        if "sessions" in wanted:
            _bySession(table, own, data, size, slack, options.short)
        if "compare" in wanted:
            print("\n## Command by command", flush=True)
            rivals.append(stack.enter_context(pymap(data, size)))
            effort = Effort((1, 20), 1, 0.2) if options.short else Effort((1, 20, 100), 2, 0.4)
            compare(table, [own, *rivals], size, effort, slack, frozenset(options.rows or ()))


def _bySession(table: Table, own: Server, data: pathlib.Path, size: Size, slack: float, short: bool) -> None:
    print("\n## Sessions", flush=True)
    table.head("what", "measured", "gate")
    _sessions.benchIdleSessions(table, own, 500 if short else 2000)
    _sessions.benchDeaf(table, own, size.folders)
    clients = 20 if short else 100
    _sessions.benchFanOut(table, own, clients, 5 if short else 40, slack)
    if installed() is not None:
        with fannedDovecot(data, size) as server:
            _sessions.benchFanOut(table, server, clients, 5, None)


def main() -> int:
    """
    Run everything.

    @return: the exit code.
    """
    parser = argparse.ArgumentParser(description="IMAP: what it costs, as ratios in one run")
    parser.add_argument("--short", action="store_true", help="smaller, with wide gates")
    parser.add_argument(
        "--only", action="append", choices=("alone", "sessions", "compare"), help="a part; may be repeated"
    )
    names = [row.name for row in ROWS]
    parser.add_argument(
        "--rows", action="append", choices=names, metavar="ROW", help=f"of: {', '.join(names)}"
    )
    parser.add_argument("--data", metavar="DIR", help="keep the filled stores here, and use those that are")
    parser.add_argument(
        "--transport", default="unix", choices=("unix", "shm"), help="between our two processes"
    )
    options = parser.parse_args()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    table = Table()
    try:
        _parts(options, table)
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    if table.missed:
        print(f"\nFAILED: {', '.join(dict.fromkeys(table.missed))}")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
