"""
Microsoft KB 817051, re-enacted: what a full queue that nobody notices does to a mail
server, and what one does that is noticed.

The article (2003, Exchange 2000) tells of a heavily loaded server.  Many IMAP clients
browse a heavily populated list of public folders; the "Epoxy" queue between the IMAP
service and the store becomes full, and the code that is to see that does not.  The
counter I{Blocks Allocated} goes from 0 to 100,000 in less than ten minutes, the
service answers nobody any more and then crashes.

Here it takes a few seconds, with sockets, sessions, channel and store all real.  A
crowd of clients signs in, lists the folders, and asks for the state of one after
the other.  Then the store gets busy: it takes few requests a second out of its
queue.  That is run twice:

  - Over a channel with the article's fault, L{NeverFull}.  Every request is
    accepted.  Clients get no answer, hang up after a while and call again, as
    mail programs do; each call leaves one more request in the queue, and soon the
    store works only for those who hung up long ago.

  - Over the real channel, with a queue of the same size.  When it is full, a command
    waits its turn for a moment and is then answered C{NO [UNAVAILABLE]}.  All that
    the store can do, it does for clients who are still there.

The first run ends itself, at the ceilings in C{_stage.py}.  Both are drawn, and it is
counted what became of the clients and their commands.  The exit code is 1 if the two did
not differ as they must::

    python examples/kb817051.py
    python examples/kb817051.py --output chart.png      # pip install 'mailstore[charts]'
    python examples/kb817051.py --transport unix:       # the second run over a Unix socket
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

# So that it runs in a fresh checkout, from anywhere.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from examples import _charts
from examples._stage import BLOCK_SIZE, Performance, Run, Scene
from transports.description import parseDescription, transportFor
from transports.errors import BadDescription
from transports.memory import MemoryTransport
from transports.testing.broken import NeverFull


def table(runs: Sequence[Run]) -> str:
    """
    What became of everybody, one column for each run.
    """
    rows: list[tuple[str, Callable[[Run], str]]] = [
        ("", lambda run: run.title),
        ("clients", lambda run: f"{run.outcome.clients:,}"),
        ("  always answered OK", lambda run: f"{run.outcome.served:,}"),
        ("  refused at times", lambda run: f"{run.outcome.refused:,}"),
        ("  hung", lambda run: f"{run.outcome.hung:,}"),
        ("commands", lambda run: f"{run.outcome.commands:,}"),
        ("  answered OK", lambda run: f"{run.outcome.commands_answered:,}"),
        ("  refused, NO [UNAVAILABLE]", lambda run: f"{run.outcome.commands_refused:,}"),
        ("  never answered", lambda run: f"{run.outcome.commands_hung:,}"),
        (
            "Blocks Allocated, peak",
            lambda run: f"{run.queue.blocks_high_water:,} of {run.queue.blocks_capacity:,}",
        ),
        ("Blocks Allocated, at the end", lambda run: f"{run.queue.blocks_allocated:,}"),
        ("sessions at the end", lambda run: f"{run.sessions:,}"),
    ]
    return "\n".join(f"{name:29}" + "".join(f"{show(run):>32}" for run in runs) for name, show in rows)


def complaints(broken: Run, real: Run) -> list[str]:
    """
    In what the two runs did not differ as they must.
    """
    found = []
    capacity = real.queue.blocks_capacity
    if broken.queue.blocks_high_water <= capacity:
        found.append(f"with the fault the queue did not outgrow its {capacity} blocks")
    if not broken.outcome.hung:
        found.append("with the fault no client hung")
    if real.outcome.hung:
        found.append(f"over the real channel {real.outcome.hung} clients hung")
    for queue, name in ((real.queue, "to the store"), (real.back, "back")):
        if queue.blocks_high_water > capacity:
            found.append(f"the real queue {name} held {queue.blocks_high_water} blocks of {capacity}")
        if queue.blocks_allocated:
            found.append(f"{queue.blocks_allocated} blocks of the real queue {name} were never given back")
    return found


def panel(run: Run) -> _charts.Panel:
    """
    A run, as it is drawn.
    """
    outcome = run.outcome
    note = (
        f"{outcome.commands_answered:,} commands answered OK",
        f"{outcome.commands_refused:,} refused, NO [UNAVAILABLE]",
        f"{outcome.commands_hung:,} never answered",
        run.ended,
    )
    return _charts.Panel(run.title, run.samples, run.queue.blocks_capacity, run.busy, note)


# --- the command -------------------------------------------------------------------

#: What a description that names no place is completed with.
_PLACES = {"unix": "unix:{directory}/store", "shm": "shm:{directory}/store", "tcp": "tcp:127.0.0.1:0"}


def completed(description: str, scene: Scene, directory: str) -> str:
    """
    A transport's description with a place, and with a queue of the scene's size
    unless it has one.

    @param directory: where places can be made.
    @raise BadDescription: it cannot be understood.
    """
    parsed = parseDescription(description)
    if parsed.arguments == ("",) and parsed.scheme in _PLACES:
        rest = description.partition(":")[2].lstrip(":")
        description = _PLACES[parsed.scheme].format(directory=directory) + (rest and f":{rest}")
    for option, value in (("blocks", scene.blocks), ("block_size", BLOCK_SIZE)):
        if option not in parsed.options:
            description += f":{option}={value}"
    return description


def allowSockets(number: int) -> None:
    """
    Let this process have so many open files, as far as it may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def main(reactor: Any, options: argparse.Namespace) -> None:
    """
    Both runs, and what they show.

    @raise SystemExit: with 1 if they did not show it, with 2 if the transport makes no sense.
    """
    scene = Scene(options.clients, options.folders, options.calm, options.seconds)
    # Both ends of a connection are here, and one that ends may overlap with the next.
    allowSockets(4 * scene.clients + 100)
    with tempfile.TemporaryDirectory(prefix="ms") as directory:
        try:
            real = transportFor(completed(options.transport, scene, directory), reactor)
        except BadDescription as error:
            print(error, file=sys.stderr)
            raise SystemExit(2) from None
        broken = MemoryTransport(reactor, real.limits)
        broken.channel_class = NeverFull
        kind = options.transport.partition(":")[0]
        runs = [
            await Performance(reactor, scene, broken).run("never full, as in KB 817051", cut=True),
            await Performance(reactor, scene, real).run(f"the real channel ({kind}:)", cut=False),
        ]
    panels = [panel(run) for run in runs]
    print(_charts.text(panels, ascii_only=not _charts.canPrint(sys.stdout.encoding)))
    print()
    print(table(runs))
    if options.output:
        _charts.picture(panels, options.output)
    found = complaints(*runs)
    for each in found:
        print(f"\nNOT AS IT MUST BE: {each}", file=sys.stderr)
    if found:
        raise SystemExit(1)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """
    The command line.
    """
    parser = argparse.ArgumentParser(description="Microsoft KB 817051, re-enacted.")
    parser.add_argument("--clients", type=int, default=320, help="at once, at least 30 (320)")
    parser.add_argument("--folders", type=int, default=1800, help="in the public tree (1800)")
    parser.add_argument("--calm", type=float, default=2.0, help="seconds before the store gets busy (2)")
    parser.add_argument("--seconds", type=float, default=7.0, help="for which it is busy (7)")
    parser.add_argument("--transport", default="memory:", help="of the second run, such as unix: (memory:)")
    parser.add_argument("--output", default="", metavar="FILE", help="draw a PNG too; needs matplotlib")
    options = parser.parse_args(words)
    if options.output and not _charts.CAN_DRAW:
        parser.error("--output needs matplotlib: pip install 'mailstore[charts]'")
    if options.clients < 30 or options.folders < 1 or options.calm <= 0 or options.seconds <= 0:
        parser.error("at least 30 clients and 1 folder, and more than 0 seconds")
    return options


if __name__ == "__main__":
    react(lambda reactor, options: Deferred.fromCoroutine(main(reactor, options)), (arguments(),))
