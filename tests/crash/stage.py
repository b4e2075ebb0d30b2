"""
The play: a server, clients that work, and a killer.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.model import ALL_RIGHTS, OTHERS_ROOT, PUBLIC_ROOT, SYSTEM
from mailstore.stores import openChecker, openStore
from tests.clients.servercase import ServerProcess
from tests.crash.deeds import SHARED
from tests.crash.ledger import Found, History
from tests.crash.reading import read
from tests.crash.worker import Round, Worker

USERS = ("alice", "bob", "carol")

#: Seconds within which a dead process has left the list, and a new one has come.
_SOON = 20.0

#: Seconds between two looks at the list of processes.
_LOOK = 0.005

#: Seconds that clients work before a kill, and after one, at most.
_WORK, _AFTERWARDS = 0.4, 0.5

#: Seconds in which a new process is killed again: before, while and after it opens the store.
_STARTING = 1.2


@attrs.define
class Figures:
    """
    What came of it.

    @ivar stores: kills of the store's process.
    @ivar starting: of these, while it was being started.
    @ivar front_ends: kills of the front end, which is the store's parent.
    @ivar acknowledged: commands that were answered OK.
    @ivar unknown: commands of which no client was told what came of them.
    @ivar happened: of these, those that had happened.
    @ivar letters: messages that were compared byte for byte, in all.
    """

    stores: int = 0
    starting: int = 0
    front_ends: int = 0
    acknowledged: int = 0
    unknown: int = 0
    happened: int = 0
    letters: int = 0

    @property
    def kills(self) -> int:
        """
        All together.
        """
        return self.stores + self.front_ends

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.stores} of the store, {self.starting} of them while it started; "
            f"{self.front_ends} of the front end); {self.acknowledged} commands acknowledged, all there; "
            f"{self.unknown} not answered, of which {self.happened} had happened; "
            f"{self.letters} messages compared"
        )


class Stage:
    """
    One play.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        transports: tuple[str, ...],
        seed: str,
        run: Callable[[Coroutine[Any, Any, None]], None],
        clients: int = 6,
    ) -> None:
        """
        @param directory: for the store, which stays there.
        @param transports: descriptions; each server gets another one.
        @param seed: other commands and other moments for another one.
        @param run: carries out a coroutine.
        """
        self.figures = Figures()
        self._directory = directory
        self._path = directory / "mail.db"
        self._transports = transports
        self._chance = random.Random(seed)
        self._workers = [
            Worker(number, USERS[number % len(USERS)], f"{seed}/{number}") for number in range(clients)
        ]
        self._history = History()
        self._server: ServerProcess | None = None
        self._lives = 0
        run(self._makeStore())

    async def _makeStore(self) -> None:
        store = openStore(f"sqlite:{self._path}", EngineLimits(), create=True)
        for user in USERS:
            await store.createUser(user, makeCredentials("password", QUICK_ITERATIONS))
            await store.setRights(SYSTEM, PUBLIC_ROOT, user, ALL_RIGHTS)
        await store.createFolder(SYSTEM, SHARED.decode())
        for worker in self._workers:
            personal, public = (each.decode() for each in worker.roots)
            await store.createFolder(SYSTEM, f"{OTHERS_ROOT}/{worker.user}/{personal}")
            await store.createFolder(SYSTEM, public)
        await store.close()

    # --- playing ---

    def play(self, kills: int, told: Callable[[int], object] = lambda kills: None) -> Figures:
        """
        Kill so many times.

        @param told: called with the number of kills from time to time.
        @raise AssertionError: something is not as it must be.
        """
        try:
            self._serve()
            while self.figures.kills < kills:
                for _ in range(self._chance.randint(2, 4)):
                    if self.figures.kills < kills:
                        self._round(self._killStore)
                        told(self.figures.kills)
                if self.figures.kills < kills:
                    self._round(self._killFrontEnd)
                    told(self.figures.kills)
        except AssertionError as error:
            output = "" if self._server is None else self._server.output[-5000:]
            raise AssertionError(f"after {self.figures}:\n{error}\nThe server said:\n{output}") from error
        finally:
            self._stop()
        return self.figures

    def _serve(self) -> None:
        transport = self._transports[self._lives % len(self._transports)]
        self._lives += 1
        # Every other pair of servers does in slices what is about more than two messages.
        limits = "slice_rows = 2\n" if self._lives // len(self._transports) % 2 else ""
        config = self._directory / "config.toml"
        config.write_text(f'[store]\nurl = "sqlite:{self._path}"\n[limits.store]\n{limits}')
        options = ("--config", str(config), "--transport", transport)
        self._server = ServerProcess(options, self._directory)

    def _stop(self) -> None:
        for worker in self._workers:
            worker.hangUp()
        server, self._server = self._server, None
        if server is not None:
            children = server.children()
            server.stop()
            for pid in children:
                _gone(pid)

    def _round(self, kill: Callable[[Round], None]) -> None:
        """
        Work, death, and a look at what is left.
        """
        assert self._server is not None
        play = Round()
        for worker in self._workers:
            worker.begin(self._server.port, play)
        self._let(_WORK)
        play.killed.set()
        kill(play)
        play.enough.set()
        for worker in self._workers:
            worker.rest()
        if kill == self._killFrontEnd:
            self._stop()
            self._serve()
        self._look()

    def _let(self, most: float) -> None:
        """
        Let time pass, as much as chance will have it.
        """
        time.sleep(self._chance.uniform(0, most))

    def _killStore(self, _: Round) -> None:
        assert self._server is not None
        old = self._kill(self._store(0))
        while self._chance.random() < 0.2:
            # The next one does not get far.
            store = self._store(old)
            self._let(_STARTING)
            old = self._kill(store)
            self.figures.starting += 1
        self._let(_AFTERWARDS)

    def _kill(self, store: int) -> int:
        os.kill(store, signal.SIGKILL)
        self.figures.stores += 1
        return store

    def _store(self, old: int) -> int:
        """
        The store's process, when it is another one than the C{old} one.
        """
        assert self._server is not None
        until = time.monotonic() + _SOON
        while time.monotonic() < until:
            for pid in self._server.children():
                if pid != old:
                    return pid
            time.sleep(_LOOK)
        raise AssertionError("the store's process is not started again")

    def _killFrontEnd(self, play: Round) -> None:
        assert self._server is not None
        children = self._server.children()
        play.hangs_up.set()
        os.kill(self._server.pid, signal.SIGKILL)
        self.figures.front_ends += 1
        for pid in children:
            # It notices that its parent is gone.
            _gone(pid)

    # --- looking ---

    def _look(self) -> None:
        """
        Hold everything that is there against everything that was told.
        """
        assert self._server is not None
        found: dict[str, list[Found]] = {}
        told: dict[tuple[str, int, int], int] = {}
        for user in USERS:
            workers = [each for each in self._workers if each.user == user]
            wanted = (b"INBOX", SHARED, *(root for each in workers for root in each.roots))
            seen = read(self._server.port, user, wanted)
            for worker in workers:
                told |= {(user, *key): modseq for key, modseq in worker.told.items()}
                worker.agree(seen.folders, seen.subscribed)
            _ownersOnly(seen.folders[b"INBOX"], {worker.name for worker in workers})
            found[user] = list(seen.folders.values())
            self.figures.letters += sum(len(each.letters) for each in found[user])
        wrong = [self._history.advance(found, told), *faults(f"sqlite:{self._path}")]
        if any(wrong):
            raise AssertionError("\n".join(filter(None, wrong)))
        self.figures.acknowledged = sum(each.acknowledged for each in self._workers)
        self.figures.unknown = sum(each.unknown for each in self._workers)
        self.figures.happened = sum(each.happened for each in self._workers)


def _ownersOnly(inbox: Found, names: set[str]) -> None:
    for uid, letter in inbox.letters.items():
        name = letter.text.removeprefix(b"Subject: ").partition(b".")[0].decode()
        assert name in names, f"UID {uid} in an INBOX is a letter of {name}"


def faults(url: str) -> list[str]:
    """
    What C{mailstore check} finds in a store, which may be in use.
    """
    checker = openChecker(url, EngineLimits())
    try:
        checker.find()
        return [f"{each.kind}: {each.where}: {each.problem}" for each in checker.report.findings]
    finally:
        checker.close()


def _gone(pid: int) -> None:
    """
    Wait until a process that nobody waits for has ended.

    @raise AssertionError: it lives on.
    """
    until = time.monotonic() + _SOON
    while time.monotonic() < until:
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(_LOOK)
    raise AssertionError(f"process {pid} goes on without its parent")
