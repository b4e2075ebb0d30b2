"""
L{tests.transports.kills} in its short form; C{MAILSTORE_KILLS=1000} in the
environment kills so many, over all transports together.
"""

from __future__ import annotations

import os
from typing import ClassVar

from twisted.trial.unittest import TestCase

from tests.transports.endurance import EnduranceTests

#: Kills in all, where the environment says so.
ASKED = int(os.environ.get("MAILSTORE_KILLS", "0"))

_TRANSPORTS = 3


class _KillsTests(EnduranceTests):
    """
    C{kill -9} at random instants.
    """

    module = "tests.transports.kills"
    timeout = 7200.0 if ASKED else 120.0
    #: How many are killed.
    count: ClassVar[int] = max(20, -(-ASKED // _TRANSPORTS))

    async def test_kills(self) -> None:
        """
        Each survivor is told once, soon and by the right name; nothing is left
        of the dead; the next channel works.
        """
        said = await self.runProgram(self.description(), "--count", str(self.count))
        self.assertIn(f": {self.count} of {self.count} killed", said)


class UnixKillsTests(_KillsTests, TestCase):
    """
    Over C{unix:}.
    """

    scheme = "unix"

    async def test_honest(self) -> None:
        """
        When nothing works the exit code says so.
        """
        said = await self.runProgram("unix:/nowhere/s", "--count", "2", code=1)
        self.assertIn("FAILED", said)


class SharedMemoryKillsTests(_KillsTests, TestCase):
    """
    Over C{shm:}.
    """

    scheme = "shm"


class PortableKillsTests(_KillsTests, TestCase):
    """
    Over C{shm:} without memfd and eventfd.
    """

    scheme = "shm"
    options = ":portable=yes"
