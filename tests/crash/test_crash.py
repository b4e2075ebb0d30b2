"""
The play in its short form; C{MAILSTORE_CRASHES=500} in the environment kills so often.
"""

from __future__ import annotations

import asyncio
import io
import os
import pathlib
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.channels import shortDirectory
from tests.crash.__main__ import main
from tests.crash.stage import Stage

_ASKED = int(os.environ.get("MAILSTORE_CRASHES", "0"))


class CrashTests(SynchronousTestCase):
    """
    C{kill -9} of the store and of the front end, while clients work.
    """

    def test_crashes(self) -> None:
        """
        What was acknowledged is there, once, as it came, with its flags; what was not has
        happened wholly or not at all; the file is sound; no number goes back; nobody hangs.
        """
        directory = pathlib.Path(shortDirectory(self))
        transports = (f"shm:{directory}/s", f"unix:{directory}/s")
        seed = str(os.getpid())
        kills = max(10, _ASKED)
        try:
            figures = Stage(directory, transports, seed, asyncio.run).play(kills)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        self.assertGreaterEqual(figures.kills, kills)
        self.assertGreater(figures.front_ends, 0)
        self.assertGreater(figures.acknowledged, kills)
        self.assertGreater(figures.letters, 0)

    def test_program(self) -> None:
        """
        A number of kills that makes no sense is refused in one line.
        """
        heard = io.StringIO()
        self.patch(sys, "stderr", heard)
        with self.assertRaises(SystemExit) as caught:
            main(["--kills", "none"])
        self.assertEqual(caught.exception.code, 2)
        self.assertIn("--kills", heard.getvalue())
