"""
A real server process for tests of real clients.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from twisted.trial.unittest import TestCase

from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore
from mailstore.model import ALL_RIGHTS, PUBLIC_ROOT, SYSTEM
from mailstore.stores import openStore

#: Seconds that a server may take to start, on a machine that is busy with other tests.
START = 60.0

_ROOT = pathlib.Path(__file__).parents[2]
_LISTENING = re.compile(rb"Imap\w* starting on (\d+)\s")


class ServerProcess:
    """
    C{twist mailstore} in a process of its own, on a free port.
    """

    def __init__(self, options: Sequence[str], directory: pathlib.Path) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "twisted", "--log-format", "text", "mailstore", *options),
                *("--listen", "tcp:0:interface=127.0.0.1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"},
        )
        self.pid = self._process.pid
        self.port = 0
        self._heard = b""
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._listening.wait(START)
        if not self.port:
            self.stop()
            raise AssertionError(f"the server did not say where it listens:\n{self.output}")

    @property
    def output(self) -> str:
        """
        The end of what the server has printed.
        """
        return self._heard.decode(errors="replace")

    def _read(self) -> None:
        """
        In a thread: take what the server prints, so that it never waits for us.
        """
        assert self._process.stdout is not None
        while piece := os.read(self._process.stdout.fileno(), 65536):
            self._heard = (self._heard + piece)[-100_000:]
            found = None if self.port else _LISTENING.search(self._heard)
            if found:
                self.port = int(found[1])
                self._listening.set()
        self._listening.set()

    def children(self) -> list[int]:
        """
        The processes that the server has started.
        """
        found: list[int] = []
        for task in pathlib.Path(f"/proc/{self.pid}/task").glob("*/children"):
            found += map(int, task.read_text().split())
        return found

    def stop(self) -> int:
        """
        End it in order.

        @return: its exit code.
        """
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return self._process.returncode


class ServerTestCase(TestCase):
    """
    Base of tests that need a server process.
    """

    def directory(self) -> pathlib.Path:
        """
        A directory for this test alone.
        """
        path = pathlib.Path(self.mktemp()).absolute()
        path.mkdir(parents=True)
        return path

    def makeStore(
        self, *users: str, fill: Callable[[IStore], Coroutine[Any, Any, None]] | None = None
    ) -> str:
        """
        A store in a file.

        @param users: whom it has, each with the password C{password}; the first may do
            everything in the public folders.
        @return: its URL.
        """
        url = f"sqlite:///{self.directory() / 'mail.db'}"

        async def make() -> None:
            store = openStore(url, EngineLimits(), create=True)
            for user in users:
                await store.createUser(user, makeCredentials("password", QUICK_ITERATIONS))
            await store.setRights(SYSTEM, PUBLIC_ROOT, users[0], ALL_RIGHTS)
            if fill is not None:
                await fill(store)
            await store.close()

        asyncio.run(make())
        return url

    def serve(self, *options: str) -> ServerProcess:
        """
        A server with these options, gone when the test ends.
        """
        server = ServerProcess(options, self.directory())
        self.addCleanup(server.stop)
        return server

    def mailstore(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """
        Run the C{mailstore} command.
        """
        return subprocess.run(
            [sys.executable, "-m", "mailstore", *arguments],
            input=stdin,
            capture_output=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )

    def mailstoreDone(self, *arguments: str, stdin: bytes = b"") -> str:
        """
        Run the C{mailstore} command, which has to succeed.

        @return: what it printed.
        """
        done = self.mailstore(*arguments, stdin=stdin)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stdout.decode()
