"""
C{python -m tests.fuzz}: run the fuzzers.
"""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from tests.fuzz.runner import Failed, run
from tests.fuzz.targets import TARGETS


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def main(arguments: list[str]) -> int:
    """
    @return: 0 if all held, 1 if something did not.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Run the fuzzers.")
    parser.add_argument("--inputs", type=_count, default=10_000, metavar="N", help="inputs for each target")
    parser.add_argument("--seed", type=int, default=0, help="other inputs for another seed")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="all if not given")
    parser.add_argument(
        "--only", type=int, metavar="NUMBER", help="one input, by its number (and those that it depends on)"
    )
    options = parser.parse_args(arguments)
    for name in options.target or TARGETS:
        target = TARGETS[name]()
        numbers = range(options.inputs)
        if options.only is not None:
            numbers = range(options.only - options.only % target.era, options.only + 1)
        try:
            found = run(
                target,
                tqdm(numbers, desc=name, unit=" inputs", leave=False, disable=None),
                options.seed,
                total=len(numbers),
            )
        except Failed as failed:
            print(failed, file=sys.stderr)
            return 1
        print(
            f"{name}: {found.inputs} inputs in {found.seconds:.1f} s ({found.inputs / found.seconds:.0f}/s), "
            f"slowest {found.slowest * 1000:.0f} ms, memory +{found.growth >> 10} KiB"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
