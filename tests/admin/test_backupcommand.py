"""
C{mailstore backup}, C{mailstore stats}, C{mailstore config}.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from pathlib import Path
from unittest import mock

from mailstore.admin import backupcommand
from mailstore.config import parse
from mailstore.engine import backup as copying
from mailstore.engine.errors import storeError
from mailstore.engine.limits import EngineLimits
from mailstore.model import SYSTEM, NewMessage
from mailstore.stores import openBackup
from tests.admin.commandcase import MAIL, CommandTestCase


class BackupTests(CommandTestCase):
    """
    Copies.
    """

    def setUp(self) -> None:
        """
        A store with mail.
        """
        super().setUp()
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        self.target = str(self.directory / "copy.db")

    def left(self) -> list[str]:
        """
        The files in the directory that belong to copies.
        """
        return sorted(each.name for each in self.directory.iterdir() if each.name.startswith("copy.db"))

    def test_copy(self) -> None:
        """
        The copy is a store with the same mail, for nobody else to read, and one file.
        """
        output, errors = self.run_("backup", self.target)
        self.assertEqual(errors, "")
        self.assertTrue(output.startswith(f"{self.target}: ") and output.endswith(", checked\n"), output)
        self.assertEqual(self.left(), ["copy.db"])
        self.assertEqual(os.stat(self.target).st_mode & 0o777, 0o600)
        listed = self.run_("folder", "list", "--store", f"sqlite:{self.target}", store=False)
        self.assertEqual(listed, self.run_("folder", "list"))

    def test_whileWritten(self) -> None:
        """
        While others write, at each step, nobody waits for anybody, and the copy is of one moment: that of its
        beginning.
        """
        self.patch(copying, "_STEP", 3)
        other = sqlite3.connect(self.url.partition(":")[2], isolation_level=None, timeout=0)
        self.addCleanup(other.close)
        steps = 0

        def written(done: int, total: int) -> None:
            nonlocal steps
            steps += 1
            other.execute("UPDATE trees SET generation = generation + 1, folders = folders + 1")
            other.execute("INSERT INTO chunks (id, data) VALUES (?, zeroblob(20000))", (steps << 40,))

        made = openBackup(self.url, EngineLimits())
        self.addCleanup(made.close)
        made.copy(self.target, written)
        self.assertGreater(steps, 5)
        self.run_("check", "--store", f"sqlite:{self.target}", store=False)
        self.run_("check", code=1)

    def test_refused(self) -> None:
        """
        Nothing is overwritten; what cannot be written or read is named; nothing is left behind.
        """
        Path(self.target).write_bytes(b"precious")
        self.assertIn("exists already: a backup overwrites nothing", self.refused("backup", self.target))
        self.assertEqual(Path(self.target).read_bytes(), b"precious")
        os.unlink(self.target)
        self.assertIn("No such file or directory", self.refused("backup", self.target + "/x/y"))
        self.assertIn("exists already", self.refused("backup", str(self.directory)))
        self.assertIn(
            "there is no store at",
            self.refused("backup", self.target, "--store", "sqlite:/no.db", store=False),
        )
        real = backupcommand._copy

        def late(*arguments: object) -> None:
            real(*arguments)  # type: ignore[arg-type]
            Path(self.target).write_bytes(b"precious")

        with mock.patch.object(backupcommand, "_copy", late):
            self.assertIn("exists already", self.refused("backup", self.target))
        self.assertEqual(self.left(), ["copy.db"])
        self.assertEqual(Path(self.target).read_bytes(), b"precious")

    def test_full(self) -> None:
        """
        Where there is no room, that is said, and nothing is left.
        """
        for failing in (OSError(28, "No space left on device"), sqlite3.OperationalError("disk full")):
            with (
                mock.patch("mailstore.engine.backup.os.fsync", side_effect=failing)
                if isinstance(failing, OSError)
                else mock.patch.object(copying.Backup, "_copy", side_effect=storeError(failing))
            ):
                _, errors = self.run_("backup", self.target, code=1)
            self.assertEqual(errors.count("\n"), 1)
            self.assertEqual(self.left(), [])

    def test_interrupted(self) -> None:
        """
        Who interrupts a backup has none.
        """
        self.patch(copying, "_STEP", 1)
        real = copying.Backup.copy

        def interrupted(made, destination, progress, stopped):  # type: ignore[no-untyped-def]
            def told(done: int, total: int) -> None:
                os.kill(os.getpid(), signal.SIGTERM)

            real(made, destination, told, stopped)

        with mock.patch.object(copying.Backup, "copy", interrupted):
            _, errors = self.run_("backup", self.target, code=143)
        self.assertEqual(errors, "mailstore: interrupted\n")
        self.assertEqual(self.left(), [])

    def test_inconsistent(self) -> None:
        """
        A copy of a store that is not in order is there, and that is said.
        """
        with sqlite3.connect(self.url.partition(":")[2]) as db:
            db.execute("UPDATE contents SET refs = 7")
        db.close()
        message = self.refused("backup", self.target)
        self.assertIn("a whole copy, but 'mailstore check' finds 1 inconsistency in it", message)
        self.assertEqual(self.left(), ["copy.db"])
        self.run_("backup", self.target + ".2", "--no-check")


class StatsTests(CommandTestCase):
    """
    C{mailstore stats}.
    """

    def test_counted(self) -> None:
        """
        What is counted is what is there.
        """
        self.user("ann")
        self.run_("import", self.put("a.eml"), "Public Folders/A")
        self.run_("import", self.put("b.eml"), "INBOX", "--owner", "ann")
        self.run_("import", self.put("c.eml", MAIL + b"more\n"), "INBOX", "--owner", "ann")
        found = json.loads(self.run_("stats", "--json")[0])
        served = len(MAIL) + MAIL.count(b"\n")
        expected = {
            "users": 1,
            "public_folders": 1,
            "personal_folders": 1,
            "messages": 3,
            "message_bytes": 3 * served + 6,
            "contents": 2,
            "content_bytes": 2 * len(MAIL) + 5,
            "unindexed": 2,
        }
        self.assertEqual({name: found[name] for name in expected}, expected)
        self.assertEqual(found["file"], found["database_bytes"])
        output, _ = self.run_("stats")
        self.assertIn("messages       3, ", output)
        self.assertIn("2 messages behind", output)
        self.run_("check", "--reindex")
        self.assertIn("up to date", self.run_("stats")[0])

    def test_empty(self) -> None:
        """
        An empty store has nothing.
        """
        self.assertIn("messages       0, 0 bytes\n", self.run_("stats")[0])

    def test_original(self) -> None:
        """
        Messages can be read as they came, by whoever looks after the store.
        """

        async def read(store):  # type: ignore[no-untyped-def]
            await store.createFolder(SYSTEM, "Public Folders/R")
            await store.append(SYSTEM, "Public Folders/R", (NewMessage(b"A: b\n\n\0"),))
            folder = (await store.openFolder(SYSTEM, "Public Folders/R", False)).folder
            return b"".join([each async for each in store.readOriginal(folder, 1)])

        self.assertEqual(self.look(read), b"A: b\n\n\0")


class ConfigTests(CommandTestCase):
    """
    C{mailstore config}.
    """

    def test_show(self) -> None:
        """
        What is printed is a config file for the same configuration, without what is secret.
        """
        path = self.put("c.toml", b'[overload]\npatience = 7.5\n[auth]\nsecret = "0123456789abcdefghijkl"\n')
        for words in (("config",), ("config", "show")):
            output, _ = self.run_(*words, "--config", path, store=False)
            self.assertTrue(output.startswith("# not shown: [auth] secret\n"))
            self.assertNotIn("0123456789abcdef", output)
            config = parse(output.encode(), "printed")
            self.assertEqual(config.ipc_limits.patience, 7.5)
            self.assertEqual(config.secret, "")
        self.assertIn(f'url = "{self.url}"', self.run_("config")[0])

    def test_check(self) -> None:
        """
        A file is good, or what is wrong is named.
        """
        path = self.put("c.toml", b"[overload]\npatience = 7.5\n")
        self.assertEqual(self.run_("config", "check", path, store=False)[0], f"{path}: good\n")
        bad = self.put("d.toml", b"[overlod]\n")
        self.assertIn("did you mean 'overload'?", self.refused("config", "check", bad, store=False))
        self.assertIn("d.toml", self.refused("config", "--config", bad, store=False))
