"""
The examples of C{docs/admin.md}: each is run, and says what the document says.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from pathlib import Path
from unittest import SkipTest

import mailstore
from mailstore.admin.main import parser
from tests.admin.commandcase import FROM, MAIL, CommandTestCase

_DOCUMENT = Path(mailstore.__file__).parent.parent / "docs" / "admin.md"

_EXAMPLE = re.compile(
    r"^\$ (?:echo (?P<given>\S+) \| )?mailstore (?P<words>.*)\n(?P<output>(?:(?!\$ |```).*\n)*)", re.M
)


def _document() -> str:
    """
    The document; a package that is installed has none.
    """
    if not _DOCUMENT.exists():
        raise SkipTest("the documents are not here")
    return _DOCUMENT.read_text()


class DocumentTests(CommandTestCase):
    """
    What is written is so.
    """

    def test_examples(self) -> None:
        """
        Every example, in order, in one directory.
        """
        document = _document()
        self.put("archive/cur/1:2,S", MAIL)
        self.put("archive/new/2", b"Subject: two\n\n")
        self.put("archive/2025.mbox", FROM + b"Subject: three\n\n\n")
        self.put("server.toml", b'[store]\nurl = "sqlite:///var/lib/mailstore/mail.db"\n')
        (self.directory / "mail.db").unlink()
        before = os.getcwd()
        os.chdir(self.directory)
        self.addCleanup(os.chdir, before)
        examples = list(_EXAMPLE.finditer(document))
        self.assertGreater(len(examples), 30)
        for each in examples:
            given = (each["given"] or "").encode() + b"\n"
            output, errors = self.run_(*shlex.split(each["words"]), given=given, store=False)
            self.assertEqual(errors, "", each["words"])
            pattern = re.escape(each["output"]).replace(re.escape("..."), "(?s:.*)")
            self.assertTrue(re.fullmatch(pattern, output), f"{each['words']}:\n{output}")

    def test_everyCommand(self) -> None:
        """
        Every command is in the document.
        """
        document = _document()
        for words in _commands(parser()):
            self.assertIn(words, document)


def _commands(place: argparse.ArgumentParser) -> list[str]:
    """
    The words of all commands, as they are said.
    """
    found = []
    for action in place._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, each in action.choices.items():
                found += [f"{name} {below}" for below in _commands(each)] or [name]
    return found
