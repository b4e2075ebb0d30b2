"""
C{python -m tests.crash}: kill a server again and again.
"""

from __future__ import annotations

import argparse
import asyncio
import pathlib
import random
import shutil
import sys
import tempfile
import time
from typing import NoReturn

from tqdm import tqdm

from tests.crash.stage import Stage

#: Kills between two lines where there is no terminal.
_LINE = 50


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def _tell(bar: tqdm[NoReturn], kills: int) -> None:
    """
    On a terminal a bar, elsewhere a line now and then.
    """
    before, bar.n = bar.n, kills
    if not bar.disable:
        bar.refresh()
    elif kills // _LINE > before // _LINE:
        print(f"{kills} kills", flush=True)


def main(arguments: list[str]) -> int:
    """
    @return: 0 if all held, 1 if something did not.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash", description="Kill a server at random instants while clients work."
    )
    parser.add_argument("--kills", type=_count, default=20, metavar="N", help="how often (default: 20)")
    parser.add_argument("--seed", default="", help="the same commands as in the run that printed it")
    parser.add_argument("--clients", type=_count, default=6, metavar="N", help="default: 6")
    parser.add_argument("--transport", choices=("unix", "shm"), action="append", help="default: both")
    options = parser.parse_args(arguments)
    seed = options.seed or str(random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="mscrash"))
    transports = tuple(f"{kind}:{directory}/s" for kind in options.transport or ("unix", "shm"))
    stage = Stage(directory, transports, seed, asyncio.run, options.clients)
    begun = time.monotonic()
    with tqdm(total=options.kills, unit=" kills", disable=None) as bar:
        try:
            figures = stage.play(options.kills, lambda kills: _tell(bar, kills))
        except AssertionError as error:
            print(f"seed {seed}, the store is left in {directory}\n{error}", file=sys.stderr)
            return 1
    shutil.rmtree(directory)
    print(f"{figures}; {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
