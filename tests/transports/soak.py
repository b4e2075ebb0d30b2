"""
Millions of messages offered under sustained overload, from one process to
another::

    python -m tests.transports.soak --messages 5000000 [DESCRIPTION ...]

The sender offers without pause, also to a queue that is full; now and then it
waits for room, so that its reactor can turn.  The receiver checks every
message, and stops delivery again and again so that the queue stays full.  One
line for each description says what came of it; the exit code is 0 only if

  - what was accepted was delivered, all of it, in order, undamaged, once;
  - everything else was refused, in the same call;
  - the queue was really full, never held more than its capacity, and nothing
    at the end;
  - neither process grew by more than L{MOST_GROWTH} after its warm-up, nor
    holds a descriptor or a map that it did not hold before.

L{tests.transports.soak_sides} is what the two processes do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tests.transports.children import Child, progressBar
from tests.transports.soak_sides import receive, send
from transports.description import parseDescription
from transports.errors import BadDescription

#: Bytes that a process may grow by from its warm-up to its end.
MOST_GROWTH = 4 << 20

#: Seconds without a sign of life of the sender until it is given up.
_PATIENCE = 60.0

_MEBI = 1 << 20

#: What both queues hold unless a description says otherwise.
_LIMITS = "blocks=64:block_size=1024"


def _hearReports(children: Sequence[Child], show: Callable[[int], object]) -> list[dict[str, Any]]:
    """
    Listen to the children until each has reported; the first one shows progress.

    @raise TimeoutError: one shows no sign of life, or nothing moves.
    @raise RuntimeError: one ended without a report.
    """
    reports = []
    for number, child in enumerate(children):
        while True:
            told = child.hear(_PATIENCE)
            if told is None:
                raise RuntimeError(f"process {number} of {len(children)} ended with {child.wait()}")
            if "tally" in told:
                reports.append(told)
                break
            show(told["progress"])
    return reports


def soak(description: str, total: int, seed: int) -> bool:
    """
    Offer C{total} messages through one channel, and print what came of it.

    @return: whether everything was as it must be.
    """
    began = time.monotonic()
    bar = progressBar(description, total, " messages")
    children: list[Child] = []
    try:
        receiving = Child(partial(receive, description, total, seed))
        children.append(receiving)
        if receiving.hear(_PATIENCE) is None:
            raise RuntimeError("cannot listen")
        sending = Child(partial(send, description, total, seed))
        children.append(sending)
        sent, received = _hearReports((sending, receiving), lambda count: bar.update(count - bar.n))
        codes = [each.wait() for each in children]
    except (TimeoutError, RuntimeError) as error:
        print(f"{description}: FAILED: {error}")
        return False
    finally:
        bar.close()
        for child in children:
            child.dispose()
    took = time.monotonic() - began
    faults = _judge(total, sent, received)
    if any(codes):
        faults.append(f"the processes ended with {codes}")
    print(_summary(description, total, took, sent, received) + ("FAILED" if faults else "ok"))
    for fault in faults:
        print(f"  {fault}")
    return not faults


def _judge(total: int, sent: Mapping[str, Any], received: Mapping[str, Any]) -> list[str]:
    faults = [f"{who}: {each}" for who, what in _both(sent, received) for each in what["faults"]]
    accepted, refused = sent["tally"]["count"], sent["books"]["refused"]
    if sent["tally"] != received["tally"]:
        faults.append(f"accepted {sent['tally']}, delivered {received['tally']}")
    if accepted + refused != total:
        faults.append(f"{total} offered, but {accepted} accepted and {refused} refused")
    if not refused or sent["books"]["high_water"] != sent["books"]["capacity"]:
        faults.append("the queue was never full")
    if received["books"]["high_water"] > sent["books"]["capacity"]:
        faults.append("more was held than the capacity")
    for who, what in _both(sent, received):
        if not what["warm"]:
            faults.append(f"{who}: too few messages for a warm-up")
        elif what["size"] - what["warm"] > MOST_GROWTH:
            faults.append(f"{who}: grew by {(what['size'] - what['warm']) / _MEBI:.1f} MiB")
    return faults


def _both(sent: Mapping[str, Any], received: Mapping[str, Any]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    return ("sender", sent), ("receiver", received)


def _summary(
    description: str, total: int, took: float, sent: Mapping[str, Any], received: Mapping[str, Any]
) -> str:
    tally, books = sent["tally"], sent["books"]
    sizes = ", ".join(
        f"{who} {what['warm'] / _MEBI:.1f} -> {what['size'] / _MEBI:.1f} MiB"
        for who, what in _both(sent, received)
    )
    return (
        f"{description}: {total} offered, {tally['count']} accepted, {received['tally']['count']} delivered, "
        f"{books['refused']} refused; at most {books['high_water']} of {books['capacity']} blocks, "
        f"{received['books']['pauses']} pauses; {took:.1f} s, {total / took:.0f} offered/s, "
        f"{tally['count'] / took:.0f} delivered/s, {tally['size'] / took / 1e6:.0f} MB/s; "
        f"memory {sizes} (at most +{MOST_GROWTH / _MEBI:.0f}); "
        f"descriptors {sent['descriptors']} and {received['descriptors']}, as before: "
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """
    The command.

    @return: its exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.transports.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--messages", type=int, default=100_000, metavar="N", help="how many are offered")
    parser.add_argument("--seed", type=int, default=817051, help="decides on sizes and contents")
    parser.add_argument(
        "description", nargs="*", help="transports; without any unix: and shm: at places of their own"
    )
    options = parser.parse_args(arguments)
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
        fine = [soak(each, options.messages, options.seed) for each in descriptions]
    finally:
        shutil.rmtree(directory)
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
