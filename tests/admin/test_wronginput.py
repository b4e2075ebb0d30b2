"""
Every command with stores that cannot be used, and every argument with what makes no sense: a line
that names the thing, an exit code, and never a traceback.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from mailstore.engine import schema
from tests.admin.commandcase import FROM, MAIL, CommandTestCase

_NEWS = "Public Folders/News"

#: Every command that needs a store, with words that make sense.
_COMMANDS = (
    ("stats",),
    ("stats", "--json"),
    ("user", "add", "zoe", "--password-stdin"),
    ("user", "passwd", "ann", "--password-stdin"),
    ("user", "remove", "ann"),
    ("user", "list"),
    ("group", "add", "staff"),
    ("group", "remove", "staff"),
    ("group", "list"),
    ("group", "member", "add", "staff", "ann"),
    ("group", "member", "remove", "staff", "ann"),
    ("group", "member", "list", "staff"),
    ("folder", "create", _NEWS),
    ("folder", "list"),
    ("folder", "rename", _NEWS, _NEWS + "2"),
    ("folder", "delete", _NEWS),
    ("acl", "get", _NEWS),
    ("acl", "set", _NEWS, "ann", "l"),
    ("acl", "remove", _NEWS, "ann"),
    ("quota", "get"),
    ("quota", "set", "--messages", "5"),
    ("import", "/dev/null", _NEWS),
    ("export", _NEWS, "out"),
    ("check",),
    ("check", "--repair"),
    ("check", "--reindex"),
    ("backup", "copy.db"),
)


class StoreTests(CommandTestCase):
    """
    Stores that cannot be used.
    """

    def _all(self, url: str, expected: str, config: str = "", init: bool = True) -> None:
        """
        Run all commands; each says the same, in one line.
        """
        words = ("--config", config) if config else ("--store", url)
        before = os.getcwd()
        url = url.replace("sqlite:", f"sqlite:{before}/") if not url.startswith("sqlite:/") else url
        for command in _COMMANDS + ((("init",),) if init else ()):
            code = 2 if command[0] == "check" else 1
            given = b"x\n"
            output, errors = self.run_(*command, *words, given=given, store=False, code=code)
            self.assertEqual(output, "", command)
            self.assertEqual(errors.count("\n"), 1, (command, errors))
            self.assertTrue(errors.startswith("mailstore: "), (command, errors))
            self.assertIn(expected, errors, command)

    def test_missing(self) -> None:
        """
        There is none: what makes one is said.
        """
        self._all("sqlite:/nowhere/mail.db", "make one with 'mailstore init --store", init=False)
        self.assertIn("does not exist", self.refused("init", "--store", "sqlite:/nowhere/x.db", store=False))

    def test_urls(self) -> None:
        """
        What is no URL of a store.
        """
        self._all("mail.db", "does not begin with 'sqlite:'; write sqlite:mail.db")
        self._all("postgresql://x/y", "does not begin with 'sqlite:'")
        self._all("sqlite:", "it names no file")
        self._all("sqlite::memory:", "lives within a server only")

    def test_directory(self) -> None:
        """
        A directory.
        """
        self._all(f"sqlite:{self.directory}", "is a directory")

    def test_noDatabase(self) -> None:
        """
        Files of something else, which are not touched.
        """
        path = self.put("text", b"something else that is long enough\n" * 100)
        self._all(f"sqlite:{path}", "file is not a database")
        self.assertEqual(Path(path).read_bytes(), b"something else that is long enough\n" * 100)
        for content in (b"\n", b"x" * 511):
            path = self.put("short", content)
            self._all(f"sqlite:{path}", "file is not a database")
            self.assertEqual(Path(path).read_bytes(), content)
        path = str(self.directory / "other.db")
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE t (a)")
        db.close()
        before = Path(path).read_bytes()
        self._all(f"sqlite:{path}", "not of a mail store")
        self.assertEqual(Path(path).read_bytes(), before)

    def test_newer(self) -> None:
        """
        A store of a later version is left as it is.
        """
        path = self.url.partition(":")[2]
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        db.close()
        before = Path(path).read_bytes()
        self._all(self.url, "and this program knows versions up to")
        self.assertEqual(Path(path).read_bytes(), before)

    def test_locked(self) -> None:
        """
        While another program writes without end, what must write says so and ends.
        """
        other = sqlite3.connect(self.url.partition(":")[2], isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        config = self.put(
            "c.toml", f'[store]\nurl = "{self.url}"\n[limits.store]\nbusy_wait = 0.0\n'.encode()
        )
        for command in (("user", "list"), ("folder", "create", _NEWS), ("import", "/dev/null", _NEWS)):
            _, errors = self.run_(*command, "--config", config, store=False, code=1)
            self.assertIn("the store is being changed by another program", errors)
            self.assertEqual(errors.count("\n"), 1)

    def test_noPermission(self) -> None:
        """
        A file that may not be opened.
        """
        with patch("mailstore.engine.database.os.open", side_effect=PermissionError(13, "Permission denied")):
            self.assertIn("mail.db': Permission denied", self.refused("user", "list"))

    def test_diskFull(self) -> None:
        """
        Where there is no room for more, that is said, and what is there stays.
        """
        path = self.url.partition(":")[2]
        most = os.path.getsize(path) + 8192
        text = f'[store]\nurl = "{self.url}"\n[limits.store]\nmax_database = {most}\n'
        config = self.put("c.toml", text.encode())
        source = self.put("box", FROM + MAIL + b"x\n" * 200_000)
        output, errors = self.run_("import", source, _NEWS, "--config", config, store=False, code=1)
        self.assertIn("imported 0 messages", output)
        self.assertIn(
            "mailstore: the import was not finished\nmailstore: the store has no room left\n", errors
        )
        self.run_("check")


class ArgumentTests(CommandTestCase):
    """
    Arguments that make no sense.
    """

    def test_usage(self) -> None:
        """
        Command lines that are none: exit code 2, and what could be said.
        """
        for words in (
            (),
            ("frobnicate",),
            ("user",),
            ("user", "add"),
            ("user", "add", "a", "b"),
            ("user", "remove", "a", "--keep-as", "x", "--delete-mail"),
            ("group", "member"),
            ("export", _NEWS, "x", "--format", "zip"),
            ("acl", "set", _NEWS),
            ("check", "--mend"),
            ("config", "frobnicate"),
            ("stats", "--store", "x", "--config", "y"),
        ):
            output, errors = self.run_(*words, store=False, code=2)
            self.assertEqual(output, "")
            self.assertTrue(errors.startswith("usage: mailstore"), errors)

    def test_names(self) -> None:
        """
        Names that can be none, in every place; none of their characters reaches the terminal as it is.
        """
        self.user("ann")
        for name in ("", "a\x1b[2J", "a\n", "\udcff", "x" * 2000, "a//b", ".", "Public Folders//x"):
            for words in (
                ("folder", "create", f"Public Folders/{name}" if name != "Public Folders//x" else name),
                ("folder", "create", name, "--owner", "ann"),
                ("folder", "create", "x", "--owner", name),
                ("folder", "rename", "INBOX", name, "--owner", "ann"),
                ("folder", "delete", f"Public Folders/{name}/y"),
                ("acl", "get", f"Public Folders/{name}/y"),
                ("acl", "set", "Public Folders", name + "/", "l"),
                ("acl", "set", "Public Folders", "ann", name + "#"),
                ("user", "add", name + "/", "--password-stdin"),
                ("user", "passwd", name + "/", "--password-stdin"),
                ("user", "remove", name + "/"),
                ("user", "remove", "ann", "--keep-as", name + "/"),
                ("group", "add", name + "/"),
                ("group", "remove", name + "/"),
                ("group", "member", "add", name + "/", "ann"),
                ("quota", "get", "--owner", name + "/"),
                ("import", "/dev/null", name + "/"),
                ("export", name + "/", "out"),
            ):
                if (
                    words[:2] == ("folder", "create")
                    and name in ("", "Public Folders//x")
                    and "--owner" not in words
                ):
                    continue
                message = self.refused(*words, given=b"x")
                self.assertTrue(message.isprintable(), message)
        self.assertEqual(self.run_("user", "list")[0], "ann\n")
        self.run_("check")

    def test_configs(self) -> None:
        """
        Config files that are not there, or are none.
        """
        for path, expected in (
            ("/nowhere.toml", "/nowhere.toml: No such file or directory"),
            (str(self.directory), "Is a directory"),
            (self.put("a.toml", b"\xff"), "not UTF-8"),
            (self.put("b.toml", b"= ="), "b.toml: "),
        ):
            for words in (("user", "list"), ("backup", "x"), ("config",)):
                self.assertIn(expected, self.refused(*words, "--config", path, store=False))
            self.assertIn(expected, self.refused("check", "--config", path, store=False))


class ProcessTests(CommandTestCase):
    """
    As processes: outputs that nobody reads, and signals.
    """

    def start(self, *words: str, **options: object) -> subprocess.Popen[bytes]:
        """
        Run a command as a process.
        """
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-m", "mailstore", *words, "--store", self.url],
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            **options,  # type: ignore[call-overload]
        )
        assert process.stderr is not None
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def _ended(self, process: subprocess.Popen[bytes]) -> tuple[int, str]:
        assert process.stderr is not None
        errors = process.stderr.read().decode()
        return process.wait(60), errors

    def test_noRoom(self) -> None:
        """
        Output that has no room is said, once.
        """
        with open("/dev/full", "wb") as full:
            process = self.start("user", "list", stdout=full)
            listed = self.start("stats", stdout=full)
        self.assertEqual(self._ended(listed), (1, "mailstore: No space left on device\n"))
        self.assertEqual(self._ended(process), (0, ""))

    def test_brokenPipe(self) -> None:
        """
        Who does not read any more is told nothing.
        """
        reading, writing = os.pipe()
        os.close(reading)
        process = self.start("stats", stdout=writing)
        os.close(writing)
        self.assertEqual(self._ended(process), (1, ""))

    def test_interrupted(self) -> None:
        """
        Ctrl-C while it waits is one line.
        """
        process = self.start("user", "add", "ann", "--password-stdin", stdin=subprocess.PIPE)
        assert process.stdin is not None
        self.addCleanup(process.stdin.close)
        # It has opened the store when it waits for the password.
        path = Path(self.url.partition(":")[2] + "-wal")
        while not path.exists() and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        code, errors = self._ended(process)
        self.assertEqual((code, errors), (130, "mailstore: interrupted\n"))
        self.assertEqual(self.run_("user", "list")[0], "")
