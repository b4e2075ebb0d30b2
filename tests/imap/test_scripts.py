"""
Every script in C{tests/imap/scripts}, over each of the channels that a front end and its store
can be joined by: one test each, with a server of its own (which takes some 20 ms).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any

from twisted.trial.unittest import TestCase

from mailstore.testing.transcripts import Script, runIn
from tests.channels import describe

SCRIPTS = Path(__file__).parent / "scripts"


@cache
def scripts() -> dict[str, Script]:
    """
    All scripts by name.
    """
    return {path.stem: Script.load(path) for path in sorted(SCRIPTS.glob("*.txt"))}


def _playing(name: str, kind: str) -> Callable[[TestCase], Coroutine[Any, Any, None]]:
    async def test(self: TestCase) -> None:
        from twisted.internet import reactor

        await runIn(reactor, scripts()[name], describe(self, kind))

    test.__doc__ = f"""
        Over C{{{kind}:}}: {scripts()[name].header.title}.
        """
    return test


def _all(kind: str) -> Callable[[type[TestCase]], type[TestCase]]:
    """
    Gives a class a test for each script.
    """

    def decorate(case: type[TestCase]) -> type[TestCase]:
        for name in scripts():
            method = _playing(name, kind)
            method.__name__ = f"test_{name.replace('-', '_')}"
            method.__qualname__ = f"{case.__qualname__}.{method.__name__}"
            setattr(case, method.__name__, method)
        return case

    return decorate


@_all("memory")
class MemoryTests(TestCase):
    """
    All scripts, front end and store joined in one process.
    """


@_all("unix")
class UnixTests(TestCase):
    """
    All scripts, front end and store joined by a Unix socket.
    """


@_all("shm")
class SharedMemoryTests(TestCase):
    """
    All scripts, front end and store joined by shared memory.
    """
