"""
How the tests run the endurance programs: as their users do, in a process of
their own, which has no reactor and can fork.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from twisted.internet.utils import getProcessOutputAndValue

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

ROOT = Path(__file__).resolve().parents[2]


class EnduranceTests(_Base):
    """
    What the tests of such a program have in common.
    """

    #: The program.
    module: ClassVar[str]
    #: The kind of transport, and its options.
    scheme: ClassVar[str]
    options: ClassVar[str] = ""

    def description(self) -> str:
        """
        A transport of this kind, at a place of its own.
        """
        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        return f"{self.scheme}:{directory}/s:blocks=64:block_size=1024{self.options}"

    async def runProgram(self, *arguments: str, code: int = 0) -> str:
        """
        Run the program.

        @param code: the exit code that it must end with.
        @return: what it printed.
        """
        command = ["-m", self.module, *arguments]
        out, err, ended = await getProcessOutputAndValue(sys.executable, command, os.environ, str(ROOT))
        printed: str = out.decode()
        self.assertEqual(ended, code, f"{printed}\n{err.decode()}")
        return printed
