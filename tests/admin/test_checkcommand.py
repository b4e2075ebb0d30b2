"""
C{mailstore check}.
"""

from __future__ import annotations

import functools
import io
import os
import signal
import sqlite3
from unittest import mock

from tqdm import tqdm

from mailstore.admin import checkcommand
from mailstore.stores import Checker, CheckStopped
from tests.admin.commandcase import CommandTestCase


class CheckTests(CommandTestCase):
    """
    What is found is named; exit codes tell whether something was.
    """

    def damage(self, *statements: str) -> None:
        """
        Change the store behind its back.
        """
        with sqlite3.connect(self.url.partition(":")[2]) as db:
            for each in statements:
                db.execute(each)
        db.close()

    def test_clean(self) -> None:
        """
        A store in which nothing is wrong; also with the index made again.
        """
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        for words in ((), ("--repair",), ("--reindex",)):
            self.assertEqual(self.run_("check", *words), (f"{self.url}: clean\n", ""))

    def test_found(self) -> None:
        """
        What is wrong is named, on standard output; looking changes nothing, mending ends it.
        """
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        self.damage("UPDATE folders SET unseen = 4, messages = 2 WHERE name = 'A'")
        line = (
            "folder-counts: folder 'Public Folders/A':"
            " messages are 1, and it says 2; unseen are 0, and it says 4"
        )
        tree = "tree-counts: the public folders: messages are 2, and it says 1"
        for _ in range(2):
            output, errors = self.run_("check", code=1)
            self.assertIn(f"{line} -- can be mended: counted\n", output)
            self.assertIn(f"{tree} -- can be mended: counted\n", output)
            self.assertIn(f"{self.url}: 2 inconsistencies found, 0 mended, 2 left\n", output)
            self.assertEqual(errors, "")
        output, _ = self.run_("check", "--repair")
        self.assertIn(f"{line} -- mended: counted\n", output)
        self.assertIn(": 1 inconsistency found, 1 mended, 0 left\n", output)
        self.run_("check")

    def test_left(self) -> None:
        """
        What cannot be mended is named, and the exit code says so.
        """
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        self.damage("DELETE FROM chunks")
        output, _ = self.run_("check", "--repair", code=1)
        self.assertIn("-- cannot be mended\n", output)
        self.assertIn("1 left", output)

    def test_many(self) -> None:
        """
        Of very many only some are named, and the others counted.
        """
        self.damage(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1005)"
            " INSERT INTO subscriptions (user, name) SELECT i + 50, 'x' FROM n"
        )
        output, _ = self.run_("check", code=1)
        self.assertIn("\nsubscription-orphan: 5 more\n", output)
        self.assertIn("1005 inconsistencies found", output)

    def test_couldNot(self) -> None:
        """
        No store, none of this version, one that others write to: that is another exit code.
        """
        for path, expected in (("/nowhere.db", "there is no store at"), ("/", "names no file")):
            words = ("check", "--store", f"sqlite:{path}")
            self.assertIn(expected, self.refused(*words, store=False, code=2))
        self.assertIn(
            "lives within a server only",
            self.refused("check", "--store", "sqlite::memory:", store=False, code=2),
        )
        other = sqlite3.connect(self.url.partition(":")[2], isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        config = self.put(
            "c.toml", f'[store]\nurl = "{self.url}"\n[limits.store]\nbusy_wait = 0.0\n'.encode()
        )
        self.run_("check", "--config", config, store=False)
        _, errors = self.run_("check", "--repair", "--config", config, store=False, code=2)
        self.assertEqual(
            errors,
            "mailstore: the check was not finished: the store is being changed by another program\n",
        )
        other.execute("ROLLBACK")
        other.execute("PRAGMA user_version = 1")
        self.assertIn("'mailstore init' brings it up to date", self.refused("check", code=2))

    def test_interrupted(self) -> None:
        """
        Who interrupts a check is told what it found so far.
        """

        def find(checker: Checker) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            if checker._stopped():
                raise CheckStopped

        with mock.patch.object(Checker, "find", find):
            output, errors = self.run_("check", code=143)
        self.assertEqual(output, f"{self.url}: nothing found so far\n")
        self.assertEqual(errors, "mailstore: the check was not finished\nmailstore: interrupted\n")

    def test_bar(self) -> None:
        """
        However much there is to tell, a terminal is not flooded; each new title is shown.
        """
        shown = io.StringIO()
        always = functools.partial(tqdm, file=shown, mininterval=1000)
        self.patch(checkcommand, "tqdm", lambda disable, **options: always(**options))
        with checkcommand._Bar() as bar:
            for title in ("folders", "messages"):
                for done in range(1000):
                    bar.tell(title, done, 1000)
        for title in ("folders", "messages"):
            self.assertIn(f"{title}:   0%", shown.getvalue())
        self.assertLess(shown.getvalue().count("\r"), 20)
