"""
Runs a target over many inputs, and watches time and memory.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import attrs

from tests.fuzz.target import Target

#: Seconds of processor time that one input may take, whatever it is.
MAX_SECONDS: Final = 5.0

#: Bytes by which memory may grow after the first tenth of the inputs.
MAX_GROWTH: Final = 16 << 20


@attrs.frozen
class Summary:
    """
    What a run has found, which is nothing: it ends with the first L{Failed}.
    """

    target: str
    inputs: int
    #: Seconds by the clock.
    seconds: float
    #: Seconds of processor time of the slowest input.
    slowest: float
    #: Bytes by which the process has grown since the first tenth of the inputs.
    growth: int


class Failed(Exception):
    """
    An input for which something did not hold.

    @ivar data: the input.
    """

    def __init__(self, target: str, seed: int, number: int, data: bytes, why: str) -> None:
        super().__init__(
            f"{target}, input {number} of seed {seed}: {why}\n"
            f"again: python -m tests.fuzz --target {target} --seed {seed} --only {number}\n"
            f"{len(data)} bytes: {data[:2_000]!r}"
        )
        self.data = data


def residentBytes() -> int:
    """
    Memory of this process that is in use.  0 where that cannot be known.
    """
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def run(
    target: Target,
    numbers: Iterable[int],
    seed: int,
    *,
    total: int,
    clock: Callable[[], float] = time.process_time,
    memory: Callable[[], int] = residentBytes,
) -> Summary:
    """
    Run the inputs of these numbers.

    @param numbers: ascending, from the beginning of an era on.
    @param total: how many there are.
    @raise Failed: with the first input for which something did not hold.
    """
    began = time.monotonic()
    slowest = 0.0
    settled = 0
    count = 0
    number, data = 0, b""
    try:
        for number in numbers:
            if not number % target.era:
                target.renew()
            rng = random.Random(f"{seed}/{target.name}/{number}")
            data = target.make(rng)
            start = clock()
            try:
                target.run(data, rng)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise Failed(target.name, seed, number, data, why) from error
            took = clock() - start
            if took > MAX_SECONDS:
                raise Failed(target.name, seed, number, data, f"it took {took:.1f} s")
            slowest = max(slowest, took)
            count += 1
            if count == max(1, total // 10):
                gc.collect()
                settled = memory()
    finally:
        target.close()
    gc.collect()
    growth = memory() - settled if settled else 0
    if growth > MAX_GROWTH:
        raise Failed(target.name, seed, number, data, f"memory has grown by {growth >> 20} MiB so far")
    return Summary(target.name, count, time.monotonic() - began, slowest, max(0, growth))
