"""
The servers of a comparison, each with the same folders and messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import shutil
import sys
from collections.abc import Callable, Iterator

import attrs

from benchmarks import _corpus
from benchmarks._dovecot import dovecot
from benchmarks._dovecot import fill as fillDovecot
from benchmarks._imapload import Client, freePort, python, running
from mailstore import stores
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine.limits import EngineLimits
from mailstore.interfaces import IStore
from mailstore.model import SYSTEM, NewMessage

#: Users of each server that knows more than one.
USERS = 100

#: What lets thousands of sessions come from one address.
_CONFIG = """\
[limits.imap]
max_sessions_per_address = 100000
max_sessions_per_user = 100000
"""


@attrs.frozen
class Server:
    """
    One that runs.
    """

    name: str
    pid: int
    port: int
    #: What stands before the name of a public folder.
    prefix: str = "Public Folders/"
    password: str = "password"
    user: Callable[[int], str] = lambda number: f"user{number % USERS}"
    #: Messages in the big folder that one FETCH or SEARCH of it is about.
    messages: int = 5000
    #: What it is too slow for.
    spared: frozenset[str] = frozenset()


@attrs.frozen
class Size:
    """
    How much all of them hold.
    """

    folders: int
    messages: int


async def _fill(store: IStore, size: Size) -> None:
    # Signing in is not what is measured.
    credentials = makeCredentials("password", QUICK_ITERATIONS)
    for number in range(USERS):
        await store.createUser(f"user{number}", credentials)
    await store.setRights(SYSTEM, "Public Folders", "authenticated", "lrswipkxte")
    for number, name in enumerate(_corpus.folders(size.folders)):
        shown = f"Public Folders/{name}"
        await store.createFolder(SYSTEM, shown)
        if name not in (_corpus.BIG, _corpus.INCOMING):
            await store.append(SYSTEM, shown, (NewMessage(_corpus.small(number)),))
    for start in range(0, size.messages, 500):
        end = min(start + 500, size.messages)
        batch = tuple(NewMessage(_corpus.message(number)) for number in range(start, end))
        await store.append(SYSTEM, f"Public Folders/{_corpus.BIG}", batch)
    await index(store)
    await store.close()


async def index(store: IStore) -> None:
    """
    Let the store finish what it leaves undone at first: its full-text index.
    """
    more = getattr(store, "indexMore", None)
    while more is not None and await more():
        pass


def _made(directory: pathlib.Path, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """
    A directory with what C{make} puts into it, unless it is there from another run.
    """
    if not directory.exists():
        unfinished = directory.with_name(directory.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(directory)
    return directory


@contextlib.contextmanager
def ours(data: pathlib.Path, size: Size, transport: str = "unix") -> Iterator[Server]:
    """
    Ours, store and front end in two processes.
    """

    def make(directory: pathlib.Path) -> None:
        url = f"sqlite:///{directory}/mail.db"
        asyncio.run(_fill(stores.openStore(url, EngineLimits(), create=True), size))

    directory = _made(data / f"mailstore-{size.folders}-{size.messages}", make)
    config = directory / "config.toml"
    config.write_text(_CONFIG)
    port = freePort()
    command = python(
        *("-m", "twisted", "mailstore", "--config", str(config)),
        *("--store", f"sqlite:///{directory}/mail.db", "--transport", f"{transport}:{directory}/s"),
        *("--listen", f"tcp:{port}:interface=127.0.0.1:backlog=500"),
    )
    with running(command, port, directory / "server.log") as pid:
        yield Server("mailstore", pid, port, messages=size.messages)


@contextlib.contextmanager
def dovecots(data: pathlib.Path, size: Size) -> Iterator[list[Server]]:
    """
    Two Dovecots, with the index of folder lists that is the default, and without.
    """
    names = list(_corpus.folders(size.folders))
    with contextlib.ExitStack() as stack:
        found: list[Server] = []
        for name, listed in (("Dovecot", True), ("Dovecot, no list index", False)):
            directory = _made(
                data / f"dovecot{listed:d}-{size.folders}-{size.messages}",
                lambda made: fillDovecot(made, names, size.messages),
            )
            pid, port = stack.enter_context(dovecot(directory, listed))
            found.append(Server(name, pid, port, messages=size.messages))
        yield found


@contextlib.contextmanager
def fannedDovecot(data: pathlib.Path, size: Size) -> Iterator[Server]:
    """
    A Dovecot that tells all who IDLE, however many they are.
    """
    directory = _made(
        data / f"fanned-{size.messages}", lambda made: fillDovecot(made, [_corpus.BIG], size.messages)
    )
    with dovecot(directory, list_index=True, apart=True) as (pid, port):
        yield Server("Dovecot, a process for each client", pid, port, messages=size.messages)


@contextlib.contextmanager
def pymap(data: pathlib.Path, size: Size) -> Iterator[Server]:
    """
    pymap with its store in memory and its only user.
    """
    beside = os.pathsep.join((str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")))
    program = shutil.which("pymap", path=beside)
    if program is None:
        raise SystemExit("pymap is not installed: pip install 'mailstore[bench]'")
    port = freePort()
    command = [program, "--host", "127.0.0.1", "--port", str(port), "dict", "--demo-data"]
    with running(command, port, data / "pymap.log") as pid:
        server = Server(
            "pymap",
            pid,
            port,
            prefix="",
            password="demopass",
            user=lambda _: "demouser",
            messages=size.messages,
        )
        client = Client(port)
        client.login("demouser", server.password)
        for name in _corpus.folders(size.folders):
            client.command(b'CREATE "%s"' % name.encode())
        for number in range(size.messages):
            client.append(_corpus.BIG.encode(), _corpus.message(number))
        client.close()
        yield server
