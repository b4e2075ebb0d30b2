"""
C{kill -9} at random instants, of either side of a channel under traffic in both
directions::

    python -m tests.transports.kills --count 1000 [DESCRIPTION ...]

Half of the victims connect to one long-lived survivor that listens; the others
listen, one after the other at the same place, and the survivor connects.  They
are killed from outside at a random instant, also while one side holds what it
gets so that the queue is full, or kill themselves between two lines of C{send},
or of any of the transport's code.  Now and then another one is killed in the
midst of its opening.

For each description a line says what came of it; the exit code is 0 only if
after each kill

  - the survivor was told, once, of C{PeerLost}, within L{MOST_DELAY};
  - nobody waited any more, and no block was allocated;
  - what had been delivered was in order and undamaged;
  - the survivor held no descriptor, map, reader, writer or delayed call more
    than before its first channel, nor was anything left in the directory for
    temporary files;
  - the next channel worked, and began with empty books;

and in the end nothing is left in the directory of the socket and in /dev/shm,
and the survivor was not larger by more than L{MOST_GROWTH} in the second half of
the kills than in the first.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import attrs

from tests.transports.children import Child, progressBar
from tests.transports.kills_side import Plan
from tests.transports.kills_survivor import Survivor
from tests.transports.kills_victim import dieAsPlanned
from transports.description import parseDescription
from transports.errors import BadDescription

#: Seconds within which a survivor must have been told.
MOST_DELAY = 1.0

#: Bytes by which the second half of the kills may find a survivor larger than the first.
MOST_GROWTH = 4 << 20

#: Ways to die, in turn: who kills, and who holds what it gets.
_ENDS = (("parent", ""), ("send", ""), ("parent", "victim"), ("code", ""), ("parent", "survivor"))

#: A kill during the opening comes before one in so many rounds.
_OPENINGS = 5

#: Seconds of traffic, or of an opening, before a kill from outside; at most.
_LONGEST_TRAFFIC = 0.03
_LONGEST_OPENING = 0.015

#: Seconds without a sign of life after which a process is given up.
_PATIENCE = 30.0

#: Seconds in which other programs take away what they keep in /dev/shm for a moment.
_SHARED_PATIENCE = 5.0

_SHARED = "/dev/shm"

#: How the names of semaphores begin there: other programs' own.
_SEMAPHORE = "sem."

_MEBI = 1 << 20

#: What both queues hold unless a description says otherwise.
_LIMITS = "blocks=64:block_size=1024"


@attrs.define
class _Record:
    """
    What came of the kills of one description.
    """

    faults: list[str] = attrs.Factory(list)
    #: Seconds from each kill until the survivor was told.
    delays: list[float] = attrs.Factory(list)
    openings: int = 0
    stale_sockets: int = 0
    failed_waiters: int = 0
    delivered: int = 0
    #: Lines of code in which victims killed themselves.
    places: set[str] = attrs.Factory(set)

    def check(self, right: bool, what: str) -> None:
        """
        Note a fault unless C{right}.
        """
        if not right:
            self.faults.append(what)


class _Half:
    """
    The kills of one side: of all who connect, or of all who listen.
    """

    def __init__(
        self, description: str, victims_listen: bool, record: _Record, chance: random.Random
    ) -> None:
        self._description = description
        self._listen = victims_listen
        self._record = record
        self._chance = chance
        self._children: list[Child] = []
        self._sizes: list[int] = []
        #: Temporary files that have been complained about.
        self._left: set[str] = set()
        place = parseDescription(description).arguments[0]
        self._place = place if os.sep in place else None

    def run(self, count: int, progress: Callable[[], object]) -> None:
        """
        Kill C{count} victims, and let one live.
        """
        try:
            survivor = self._start(
                lambda tell: Survivor(tell, self._description, listens=not self._listen).run()
            )
            if survivor.hear(_PATIENCE) is None:
                raise RuntimeError(f"the survivor ended with {survivor.wait()}")
            for number in range(count):
                if number % _OPENINGS == 0:
                    self._killOpening()
                end, holds = _ENDS[number % len(_ENDS)]
                self._kill(survivor, Plan(number, self._seed(), end, holds))
                progress()
            self._liveInPeace(survivor, Plan(count, self._seed(), "close"))
            code = survivor.wait()
            self._record.check(code == 0, f"the survivor ended with {code}")
        finally:
            for child in self._children:
                child.dispose()
        half = len(self._sizes) // 2
        growth = max(self._sizes[half:]) - max(self._sizes[:half])
        self._record.check(growth <= MOST_GROWTH, f"the survivor grew by {growth / _MEBI:.1f} MiB")

    def _seed(self) -> int:
        return self._chance.getrandbits(32)

    def _start(self, work: Callable[[Any], None]) -> Child:
        child = Child(work)
        self._children.append(child)
        return child

    def _startVictim(self, plan: Plan) -> Child:
        if self._listen and self._place is not None and os.path.exists(self._place):
            self._record.stale_sockets += 1
        work = partial(dieAsPlanned, description=self._description, listens=self._listen, plan=plan)
        return self._start(work)

    def _killOpening(self) -> None:
        """
        Kill one that has hardly begun; the survivor may or may not have seen it.
        """
        victim = self._startVictim(Plan(-1, self._seed(), "opening"))
        victim.isHeard(self._chance.uniform(0, _LONGEST_OPENING))
        victim.kill()
        self._record.openings += 1
        self._buried(victim)

    def _kill(self, survivor: Child, plan: Plan) -> None:
        """
        One round.
        """
        who = f"kill {plan.number} ({plan.end}{plan.holds and ', ' + plan.holds + ' holds'})"
        victim = self._startVictim(plan)
        up = victim.hear(_PATIENCE)
        if up is None or "up" not in up:
            raise RuntimeError(f"{who}: the victim said {up}, then ended with {victim.wait()}")
        killed = 0.0
        if plan.end == "parent":
            early = survivor.isHeard(self._chance.uniform(0, _LONGEST_TRAFFIC))
            self._record.check(not early, f"{who}: the survivor was told too early")
            killed = time.monotonic()
            victim.kill()
        for told in self._buried(victim):
            killed = told.get("killed", killed)
            self._record.places.update({told["where"]} if "where" in told else ())
        code = victim.wait()
        self._record.check(code == -signal.SIGKILL, f"{who}: the victim ended with {code}")
        report = self._report(survivor, plan, who)
        delay = report["told_at"] - killed
        self._record.delays.append(delay)
        self._record.check(0 <= delay <= MOST_DELAY, f"{who}: told after {delay:.3f} s")
        left = _entries(tempfile.gettempdir()) - self._left
        self._record.check(
            not left, f"{who}, or an opening before it: left behind: {', '.join(sorted(left))}"
        )
        self._left |= left

    def _liveInPeace(self, survivor: Child, plan: Plan) -> None:
        """
        The last round ends in order, and takes nothing with it.
        """
        who = "the last one"
        victim = self._startVictim(plan)
        told = {key: value for each in self._buried(victim) for key, value in each.items()}
        code = victim.wait()
        self._record.check(code == 0, f"{who}: ended with {code}")
        report = self._report(survivor, plan, who)
        for sent, received in (("sent", "received"), ("received", "sent")):
            same = told.get(sent) == report[received]
            self._record.check(
                same, f"{who}: {sent} {told.get(sent)}, the survivor {received} {report[received]}"
            )

    def _report(self, survivor: Child, plan: Plan, who: str) -> dict[str, Any]:
        report = survivor.hear(_PATIENCE)
        if report is None:
            raise RuntimeError(f"{who}: the survivor ended with {survivor.wait()}")
        self._record.check(report["number"] == plan.number, f"{who}: a report on round {report['number']}")
        self._record.faults.extend(f"{who}: {each}" for each in report["faults"])
        self._record.failed_waiters += report["failed_waiters"]
        self._record.delivered += report["received"]["count"]
        self._sizes.append(report["size"])
        return report

    def _buried(self, victim: Child) -> list[dict[str, Any]]:
        """
        Wait for the end of a victim.

        @return: what it had to tell.
        """
        last_words = []
        while (told := victim.hear(_PATIENCE)) is not None:
            if "fault" in told:
                self._record.faults.append(f"victim: {told['fault']}")
            self._record.faults.extend(told.get("faults", ()))
            last_words.append(told)
        victim.wait()
        self._children.remove(victim)
        return last_words


def _entries(directory: str | None) -> set[str]:
    if directory is None or not os.path.isdir(directory):
        return set()
    return {
        os.path.join(directory, name) for name in os.listdir(directory) if not name.startswith(_SEMAPHORE)
    }


@contextmanager
def _ownTemporaryDirectory() -> Iterator[None]:
    """
    Give this process and its children a directory for temporary files where
    nobody else has any.
    """
    directory = tempfile.mkdtemp(prefix="ms")
    before, tempfile.tempdir = tempfile.tempdir, directory
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(directory)


def kills(description: str, count: int, seed: int) -> bool:
    """
    Kill C{count} peers, and print what came of it.

    @return: whether everything was as it must be.
    """
    began = time.monotonic()
    record = _Record()
    chance = random.Random(seed)
    place = parseDescription(description).arguments[0]
    directory = os.path.dirname(place) if os.sep in place else None
    before = _entries(directory) | _entries(_SHARED)
    with progressBar(description, count, " kills") as bar:
        try:
            with _ownTemporaryDirectory():
                for listen, part in ((False, count - count // 2), (True, count // 2)):
                    _Half(description, listen, record, chance).run(part, bar.update)
        except (TimeoutError, RuntimeError) as error:
            record.faults.append(str(error))
    end = time.monotonic() + _SHARED_PATIENCE
    while (left := _entries(directory) | _entries(_SHARED)) - before and time.monotonic() < end:
        time.sleep(0.1)
    record.faults.extend(f"left behind: {each}" for each in sorted(left - before))
    print(
        _summary(description, count, time.monotonic() - began, record) + ("FAILED" if record.faults else "ok")
    )
    for fault in record.faults:
        print(f"  {fault}")
    return not record.faults


def _summary(description: str, count: int, took: float, record: _Record) -> str:
    delays = record.delays or [0.0]
    return (
        f"{description}: {len(delays)} of {count} killed, half of them listening, {record.openings} more "
        f"while opening; told after {statistics.median(delays) * 1e3:.2f} ms (median), "
        f"{max(delays) * 1e3:.1f} ms (worst, at most {MOST_DELAY * 1e3:.0f}); "
        f"{record.failed_waiters} waiters failed, {record.delivered} messages checked, "
        f"{record.stale_sockets} stale sockets replaced, {len(record.places)} different lines of code "
        f"to die in; {took:.1f} s: "
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """
    The command.

    @return: its exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.transports.kills", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--count", type=int, default=100, metavar="N", help="how many are killed in all")
    parser.add_argument("--seed", type=int, default=817051, help="decides on all that is random here")
    parser.add_argument(
        "description", nargs="*", help="transports; without any unix: and shm: at places of their own"
    )
    options = parser.parse_args(arguments)
    if options.count < 2 * max(1, len(options.description)):
        parser.error("at least 2 for each description")
    try:
        for each in options.description:
            parseDescription(each)
    except BadDescription as error:
        parser.error(str(error))
    directory = tempfile.mkdtemp(prefix="ms")
    try:
        descriptions = options.description or [
            f"{scheme}:{directory}/{scheme}:{_LIMITS}" for scheme in ("unix", "shm")
        ]
        share, rest = divmod(options.count, len(descriptions))
        fine = [
            kills(each, share + (number < rest), options.seed) for number, each in enumerate(descriptions)
        ]
    finally:
        shutil.rmtree(directory)
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
