"""
Mail programs that are installed beside Python's packages, or are not.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

#: Where npm has installed what C{tests/clients/imapflow/package.json} names.
NODE = "MAILSTORE_NODE"

_BUILD = pathlib.Path(__file__).parents[2] / "build" / "node"


def need(*programs: str) -> str | None:
    """
    Why a test of these programs cannot run, if it cannot: to be its C{skip}.
    """
    for program in programs:
        if not found(program):
            return f"{program} is not installed (.ci/run installs it)"
    return None


def found(program: str) -> str | None:
    """
    The path of a program, beside this Python or elsewhere; C{None} if there is none.
    """
    beside = pathlib.Path(sys.executable).with_name(program)
    return str(beside) if beside.exists() else shutil.which(program)


def environment(home: pathlib.Path) -> dict[str, str]:
    """
    For a program that may be run by another Python than this one, which must not find our packages
    (C{trial -j} names them in C{PYTHONPATH}).

    @param home: what it takes for the user's directory.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "HOME": str(home)}


def nodeDirectory() -> pathlib.Path | None:
    """
    Where imapflow is, if it is: in the directory that C{MAILSTORE_NODE} names, or in C{build/node}.
    """
    directory = pathlib.Path(os.environ.get(NODE) or _BUILD).absolute()
    return directory if (directory / "node_modules" / "imapflow").is_dir() else None
