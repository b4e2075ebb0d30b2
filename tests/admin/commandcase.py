"""
What tests of the C{mailstore} command have in common.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from mailstore.admin import passwords
from mailstore.admin.commands import complete
from mailstore.admin.main import main
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.stores import openStore

MAIL = b"From: ann@example.org\nSubject: x\n\nbody\n"
FROM = b"From ann@example.org Tue May 10 11:28:07 2005\n"


class CommandTestCase(SynchronousTestCase):
    """
    Runs commands on a store of its own.
    """

    def setUp(self) -> None:
        """
        Make the store; its users' passwords need not be safe.
        """
        self.patch(passwords, "makeCredentials", partial(makeCredentials, iterations=QUICK_ITERATIONS))
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.url = f"sqlite:{self.directory}/mail.db"
        self.run_("init")

    def run_(self, *words: str, given: bytes = b"", code: int = 0, store: bool = True) -> tuple[str, str]:
        """
        Run a command.

        @param given: its standard input.
        @param code: the exit code that it must have.
        @return: its standard output and standard error.
        """
        output, errors = io.StringIO(), io.StringIO()
        given_stream = io.TextIOWrapper(io.BytesIO(given))
        with redirect_stdout(output), redirect_stderr(errors), patch.object(sys, "stdin", given_stream):
            try:
                ended = main([*words, "--store", self.url] if store else list(words))
            except SystemExit as error:
                ended = int(error.code or 0)
        self.assertEqual(ended, code, errors.getvalue())
        return output.getvalue(), errors.getvalue()

    def refused(self, *words: str, given: bytes = b"", store: bool = True, code: int = 1) -> str:
        """
        Run a command that is refused with one line; the line.
        """
        output, errors = self.run_(*words, given=given, code=code, store=store)
        self.assertEqual((output, errors.count("\n")), ("", 1))
        self.assertTrue(errors.startswith("mailstore: "))
        return errors.removeprefix("mailstore: ").rstrip("\n")

    def user(self, name: str, password: bytes = b"x") -> None:
        """
        Add a user.
        """
        self.run_("user", "add", name, "--password-stdin", given=password)

    def look(self, function: Any) -> Any:
        """
        The result of an C{async} function that is given the store.
        """
        store = openStore(self.url, EngineLimits())
        try:
            return complete(function(store))
        finally:
            complete(store.close())

    def put(self, path: str, content: bytes = MAIL) -> str:
        """
        Write a file.
        """
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return str(file)
