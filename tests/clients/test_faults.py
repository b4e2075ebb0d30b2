"""
What is below a real server fails: clients are told, nothing acknowledged is lost, and it goes
on when the cause is gone, without a restart.
"""

from __future__ import annotations

import os
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from unittest import SkipTest

from mailstore.engine.limits import EngineLimits
from mailstore.stores import openChecker
from tests.channels import describe
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

#: Seconds that a store has for a request, and that a request waits for another process that writes.
_DEADLINE, _BUSY = 1.0, 0.3

#: Attempts to be served again, of which each takes at most a few seconds.
_ATTEMPTS = 40

_SMALL = b"Subject: small\r\n\r\nx\r\n"

#: More than stays in memory, so that it goes by way of a file.
_BIG = b"Subject: big\r\n\r\n" + b"0123456789abcdef" * 8 * 1024 + b"\r\n"


_TWIST = (sys.executable, "-m", "twisted", "--log-format", "text", "mailstore", "--listen", "tcp:0")


def _append(message: bytes, folder: bytes = b"INBOX") -> bytes:
    return b"APPEND %s {%d+}\r\n%s" % (folder, len(message), message)


class FaultCase(ServerTestCase):
    """
    A front end and a store in two processes, and a client.
    """

    def _serve(self, directory: pathlib.Path | None = None, config: str = "") -> None:
        """
        A server with one client.

        @param directory: for the store.
        @param config: what is to be in the config file beside.
        """
        self.url = self.makeStore("alice", "bob")
        if directory is not None:
            shutil.move(self.url.removeprefix("sqlite://"), directory / "mail.db")
            self.url = f"sqlite://{directory}/mail.db"
        self.path = pathlib.Path(self.url.removeprefix("sqlite://"))
        file = self.directory() / "config.toml"
        file.write_text(
            f'[store]\nurl = "{self.url}"\n[transport]\ndescription = "{describe(self, "unix")}"\n'
            f"[overload]\npatience = 1.0\n[limits.store]\nbusy_wait = {_BUSY}\n"
            f"[limits.ipc]\ndeadline = {_DEADLINE}\ngrace = 0.2\n{config}"
        )
        self.server: ServerProcess = self.serve("--config", str(file))
        (self.store,) = self.server.children()
        self.client = self._connect()

    def _connect(self, user: bytes = b"alice") -> RawClient:
        client = RawClient(self.server.port)
        self.addCleanup(client.close)
        self.assertIn(b" OK", client.command(b"LOGIN " + user + b" password")[-1])
        client.command(b"SELECT INBOX")
        return client

    def _refused(self, line: bytes, code: bytes) -> None:
        """
        Check that a command is refused with a response code, and that the words after it are for people.
        """
        reply = self.client.command(line)[-1].partition(b" ")[2]
        self.assertTrue(reply.startswith(b"NO [" + code + b"] "), reply)
        for inside in (b"Error", b"sqlite", b"disk", b"Errno", b"/"):
            self.assertNotIn(inside, reply)

    def _done(self, line: bytes, client: RawClient | None = None) -> list[bytes]:
        responses = (client or self.client).command(line)
        self.assertIn(b" OK", responses[-1])
        return responses

    def _again(self, line: bytes) -> None:
        """
        Check that a command works, soon if not at once.
        """
        for _ in range(_ATTEMPTS):
            reply = self.client.command(line)[-1]
            if b" OK" in reply:
                return
        self.fail(f"{reply!r}\n{self.server.output}")

    def _stored(self) -> int:
        return int(re.findall(rb"MESSAGES (\d+)", self._done(b"STATUS INBOX (MESSAGES)")[0])[0])

    def _told(self, *words: str) -> None:
        """
        Check that the log has one event of it, which no traceback belongs to, and that the store is sound.
        """
        output = self.server.output
        for each in words:
            self.assertEqual(output.count(each), 1, output)
        self.assertNotIn("Traceback", output)
        self.assertEqual(self.server.stop(), -signal.SIGTERM)
        checker = openChecker(self.url, EngineLimits())
        checker.find()
        checker.close()
        self.assertEqual(checker.report.findings, [])


class FaultTests(FaultCase):
    """
    Something that a process needs is missing.
    """

    def _diskOf(self, size: int) -> pathlib.Path | None:
        """
        A file system of so many bytes; C{None} where nobody may make one.
        """
        place = self.directory()
        if subprocess.run(
            ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)), capture_output=True
        ).returncode:
            return None
        self.addCleanup(subprocess.run, ("umount", "-l", str(place)), check=True)
        return place

    def test_diskFull(self) -> None:
        """
        When the disk is full, messages are refused with OVERQUOTA, what is there can be read, and
        when room has been made the same connection can bring mail again.  (Where no small
        disk can be made, the database itself may not grow.)
        """
        disk = self._diskOf(3 << 20)
        limit = "" if disk else "max_database = 1500000\n"
        self._serve(disk, "" if disk else "[limits]\n")
        if disk is None:
            self._limitDatabase(limit)
        else:
            (disk / "other").write_bytes(b"x" * (1 << 20))
        acknowledged = 0
        for number in range(300):
            text = b"Subject: %d\r\n\r\n%s\r\n" % (number, os.urandom(10_000).hex().encode())
            if b" OK" not in self.client.command(_append(text))[-1]:
                break
            acknowledged += 1
        self.assertGreater(acknowledged, 2)
        self._refused(_append(text), b"OVERQUOTA")
        self._refused(_append(text), b"OVERQUOTA")
        self.assertEqual(self._stored(), acknowledged)
        self._done(b"FETCH 1:* BODY.PEEK[]")
        # Also by who would change something by it, if that could be.
        other = self._connect()
        self._done(b"SELECT INBOX", other)
        self.assertEqual(len(self._done(b"FETCH 1:* BODY[]", other)), acknowledged + 1)
        other.close()
        if disk is not None:
            (disk / "other").unlink()
            self._again(_append(text))
            self.assertEqual(self._stored(), acknowledged + 1)
        self._told("the store has no room left: database or disk is full")

    def _limitDatabase(self, limit: str) -> None:
        config = self.directory() / "config.toml"
        config.write_text(f'[store]\nurl = "{self.url}"\n[limits.store]\n{limit}')
        self.client.close()
        self.server.stop()
        options = ("--config", str(config), "--transport", describe(self, "unix"))
        self.server = self.serve(*options)
        self.client = self._connect()

    def test_readOnly(self) -> None:
        """
        A server whose store cannot be written lets it be read, and says so.
        """
        disk = self._diskOf(3 << 20)
        if disk is None:
            raise SkipTest("nobody may mount a file system here")
        self._serve(disk)
        self._done(_append(_SMALL))
        self._done(_append(_SMALL + b"2"))
        self.client.close()
        self.server.stop()
        subprocess.run(("mount", "-o", "remount,ro", str(disk)), check=True)
        self.server = self.serve("--store", self.url, "--transport", describe(self, "unix"))
        self.client = self._connect()
        self.assertEqual(len(self._done(b"FETCH 1:* BODY[]")), 3)
        self._refused(_append(_SMALL), b"UNAVAILABLE")
        self._refused(b"STORE 1 +FLAGS (\\Seen)", b"UNAVAILABLE")
        self.assertEqual(self._stored(), 2)
        self._told("is on a read-only file system: mail can be read, and nothing changed")

    def test_filesMayNotGrow(self) -> None:
        """
        A store that may write no further into its files says so, and goes on when it may.
        """
        self._serve()
        self._done(_append(_SMALL))
        log = self.path.with_name(self.path.name + "-wal")
        before = resource.prlimit(self.store, resource.RLIMIT_FSIZE)
        resource.prlimit(self.store, resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
        for _ in range(3):
            self._refused(_append(_SMALL + b"more"), b"UNAVAILABLE")
        self.assertEqual(self._stored(), 1)
        resource.prlimit(self.store, resource.RLIMIT_FSIZE, before)
        self._again(_append(_SMALL + b"more"))
        self._told("the store cannot reach its data: ")

    def test_noDescriptors(self) -> None:
        """
        A store that can open no more files takes what needs none, and all when it can.
        """
        self._serve()
        self._done(_append(_SMALL))
        before = resource.prlimit(self.store, resource.RLIMIT_NOFILE)
        used = max(int(each.name) for each in pathlib.Path(f"/proc/{self.store}/fd").iterdir()) + 1
        resource.prlimit(self.store, resource.RLIMIT_NOFILE, (used, before[1]))
        # Of the numbers below, some may be free.
        held = [self._connect(b"bob") for _ in range(2)]
        reply = b""
        for _ in range(3):
            reply = self.client.command(_append(_BIG))[-1]
        del held
        self._done(_append(_SMALL + b"2"))
        resource.prlimit(self.store, resource.RLIMIT_NOFILE, (3, before[1]))
        self._refused(_append(_BIG + b"3"), b"UNAVAILABLE")
        self._done(_append(_SMALL + b"4"))
        resource.prlimit(self.store, resource.RLIMIT_NOFILE, before)
        self._again(_append(_BIG + b"3"))
        self.assertIn(b" ", reply)
        self._told("Too many open files")

    def test_frontEndWithoutDescriptors(self) -> None:
        """
        A front end that can accept no more connections serves those that it has, and accepts again
        when it can.
        """
        self._serve()
        before = resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE, (3, before[1]))
        waiting: list[OSError | EOFError] = []
        for _ in range(3):
            try:
                RawClient(self.server.port, timeout=0.2).close()
            except (OSError, EOFError) as error:
                waiting.append(error)
        self.assertEqual(len(waiting), 3)
        self._done(_append(_SMALL))
        resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE, before)
        self._connect(b"bob")

    def test_locked(self) -> None:
        """
        While another program changes the database, changes wait a little and are refused; reading goes on.
        """
        self._serve()
        self._done(_append(_SMALL))
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self._refused(_append(_SMALL), b"UNAVAILABLE")
        self._refused(b"STORE 1 +FLAGS (\\Seen)", b"UNAVAILABLE")
        self._done(b"FETCH 1 BODY.PEEK[]")
        other.execute("ROLLBACK")
        other.close()
        self._done(b"STORE 1 +FLAGS (\\Seen)")
        self.assertEqual(self._stored(), 1)
        self._told("database is locked")

    def test_spoolGone(self) -> None:
        """
        Without the directory for temporary files long messages are refused, short ones are not.
        """
        spools = self.directory()
        self.patch(os, "environ", {**os.environ, "TMPDIR": str(spools)})
        self._serve()
        self._done(_append(_BIG))
        spools.rmdir()
        self._refused(_append(_BIG + b"2"), b"UNAVAILABLE")
        self._done(_append(_SMALL))
        spools.mkdir()
        self._done(_append(_BIG + b"2"))
        self.assertEqual(self._stored(), 3)
        self._told("No such file or directory")

    def test_removed(self) -> None:
        """
        When the file is removed changes are refused, and not acknowledged and lost; a store that is
        started again finds it where it was put back.
        """
        self._serve()
        self._done(_append(_SMALL))
        away = self.path.with_name("away")
        self.path.rename(away)
        self._refused(_append(_SMALL), b"UNAVAILABLE")
        self.assertEqual(self._stored(), 1)
        away.rename(self.path)
        self._done(_append(_SMALL))
        self._told("it was removed or replaced while it was in use")

    def test_damaged(self) -> None:
        """
        What lies on damaged pages is refused with SERVERBUG; other folders are served.
        """
        self._serve()
        self._done(_append(_BIG))
        with sqlite3.connect(self.path) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        data = bytearray(self.path.read_bytes())
        for at in range(0, len(data), 4096):
            # What does not fit into a leaf is in pages of its own, after a pointer to the next one.
            if data[at + 4 : at + 4000].strip(b"0123456789abcdef") == b"":
                data[at : at + 4096] = b"\xff" * 4096
        self.path.write_bytes(data)
        os.kill(self.store, signal.SIGKILL)
        reply = b""
        for _ in range(_ATTEMPTS):
            reply = self.client.command(b"FETCH 1 BODY.PEEK[]")[-1]
            if b"[UNAVAILABLE]" not in reply:
                break
        self.assertIn(b"NO [SERVERBUG]", reply)
        other = self._connect(b"bob")
        self._done(_append(_SMALL), other)
        self._done(b"FETCH 1 BODY.PEEK[]", other)
        self.assertNotIn("Traceback", self.server.output)
        self.assertIn("database disk image is malformed (SQLITE_CORRUPT)", self.server.output)

    def test_cannotStart(self) -> None:
        """
        What cannot be opened ends the server in order, with one line and an honest exit code.
        """
        self._serve()
        self.server.stop()
        for damage, words in (
            (lambda: os.truncate(self.path, 2000), "database"),
            (lambda: self.path.write_bytes(b"no database at all" * 100), "file is not a database"),
            (lambda: self.path.unlink(), "there is no store at"),
            (lambda: self.path.mkdir(), "it is a directory"),
        ):
            damage()
            done = subprocess.run(
                [*_TWIST, "--store", self.url, "--transport", describe(self, "unix")],
                capture_output=True,
                env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])},
                timeout=60,
            )
            said = [line for line in done.stderr.decode().splitlines() if line.startswith("mailstore:")]
            self.assertEqual(len(said), 1, done.stderr)
            self.assertIn(words, said[0])
            self.assertNotIn(b"Traceback", done.stderr + done.stdout)
            self.assertEqual(done.returncode, 69)


class StoppedTests(FaultCase):
    """
    Somebody does nothing for a while.
    """

    def test_store(self) -> None:
        """
        While the store's process is stopped each command is answered within its time, with
        UNAVAILABLE if it needs the store; when it continues, everything does.
        """
        self._serve()
        self._done(_append(_SMALL))
        clients = [self._connect(user) for user in (b"alice", b"bob", b"alice")]
        os.kill(self.store, signal.SIGSTOP)
        try:
            self._done(b"CAPABILITY")
            tags = [each.begin(_append(_SMALL)) for each in clients]
            for client, tag in zip(clients, tags, strict=True):
                self.assertIn(b" NO [UNAVAILABLE]", client.finish(tag)[-1])
            newcomer = RawClient(self.server.port)
            self.addCleanup(newcomer.close)
            self.assertIn(b" NO [UNAVAILABLE]", newcomer.command(b"LOGIN bob password")[-1])
        finally:
            os.kill(self.store, signal.SIGCONT)
        self._again(_append(_SMALL))
        for client in (*clients, self.client):
            self._done(b"NOOP", client)
        # Two of alice's were not acknowledged: they may be there.
        self.assertIn(self._stored(), (2, 3, 4))
        self.assertEqual(self.server.children(), [self.store])
        self._told()

    def test_frontEnd(self) -> None:
        """
        While the front end is stopped its clients wait; when it continues, nothing is lost.
        """
        self._serve()
        os.kill(self.server.pid, signal.SIGSTOP)
        try:
            tags = [self.client.begin(_append(_SMALL)) for _ in range(5)]
        finally:
            os.kill(self.server.pid, signal.SIGCONT)
        for tag in tags:
            self.assertIn(b" OK", self.client.finish(tag)[-1])
        self.assertEqual(self._stored(), 5)
        self._told()

    def test_deafClient(self) -> None:
        """
        A client that does not read what it asked for keeps nobody from changing what it reads; what it
        is told when it reads is whole.
        """
        self._serve()
        for _ in range(20):
            self._done(_append(_BIG))
        deaf = RawClient(self.server.port, receive_buffer=16_384)
        self.addCleanup(deaf.close)
        self._done(b"LOGIN alice password", deaf)
        self._done(b"SELECT INBOX", deaf)
        tag = deaf.begin(b"FETCH 1:20 BODY.PEEK[]")
        for number in range(1, 21):
            self._done(b"STORE %d +FLAGS (\\Deleted)" % number)
        self._done(b"EXPUNGE")
        self._done(_append(_SMALL))
        self.assertEqual(self._stored(), 1)
        responses = deaf.finish(tag)
        self.assertTrue(responses[-1].partition(b" ")[2].startswith((b"OK", b"NO [EXPUNGEISSUED]")))
        for each in responses[:-1]:
            if b"BODY[]" in each:
                self.assertIn(_BIG, each)
        self._told()
