"""
What the store does in how much time and memory, with many folders and many messages.

Four parts, each of which can be left out:

  - C{tree}: opening a store of 100,000 folders, enumerating them for the first who asks and for the next,
    renaming a tall tree, and a folder with 1,000,000 messages: SELECT over IMAP, cold and when another
    session has it open, and the memory of the store's process after all that.
  - C{append}: durable APPEND by 20 clients, against Dovecot.
  - C{search}: SEARCH TEXT for a rare word in 100,000 messages, against Dovecot.
  - C{import}: C{mailstore import} of an mbox.

Dovecot is Debian's, private, on loopback, with Maildir and its default fsync.  All mail is on one file
system: that of C{--data}, by default of the working directory.  The servers have their turns one
after another, and the best turn of each counts.

Run it as C{python -m benchmarks.store}; C{--short} makes everything much smaller and the gates of speed four
times as wide, for continuous integration: that tells whether it works, and not how fast it is.
Exit code 1 when a gate is missed.  Dovecot is left out, with a word, where it is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import attrs

from benchmarks import _large
from benchmarks._corpus import BIG, INCOMING
from benchmarks._dovecot import dovecot, installed
from benchmarks._gates import Table
from benchmarks._imapload import Client, Failed, family, freePort, python, residentMegabytes, running
from benchmarks._load import COUNTER, Crowd, Generator
from benchmarks._servers import index
from mailstore import stores
from mailstore.engine import EngineLimits, Store
from mailstore.model import SYSTEM

_PUBLIC = "Public Folders/"


@attrs.frozen
class Size:
    """
    How much of everything.
    """

    folders: int
    #: Messages in the folder that is only opened.
    big: int
    #: Messages that are searched.
    searched: int
    imported: int
    clients: int
    seconds: float
    rounds: int
    #: By how much the gates of speed are wider.
    slack: float


_FULL = Size(100_000, 1_000_000, 100_000, 20_000, 20, 4.0, 3, 1.0)
_SHORT = Size(5_000, 20_000, 2_000, 1_000, 20, 0.5, 1, 4.0)


def _made(path: pathlib.Path, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """
    What C{make} makes, unless it is there from another run.
    """
    if not path.exists():
        unfinished = path.with_name(path.name + ".part")
        if unfinished.exists():
            raise SystemExit(f"{unfinished} was left by a run that did not end: remove it")
        make(unfinished)
        unfinished.rename(path)
    return path


@contextlib.contextmanager
def _server(directory: pathlib.Path, path: pathlib.Path) -> Iterator[tuple[int, int]]:
    """
    Ours, store and front end in two processes.

    @return: process id and port.
    """
    port = freePort()
    place = tempfile.mkdtemp(prefix="ms")
    command = python(
        *("-m", "twisted", "mailstore", "--store", f"sqlite:///{path}"),
        *("--transport", f"unix:{place}/s"),
        *("--listen", f"tcp:{port}:interface=127.0.0.1:backlog=500"),
    )
    with running(command, port, directory / "server.log") as pid:
        yield pid, port


def _took(work: Callable[[], object]) -> float:
    """
    Milliseconds that something takes.
    """
    gc.collect()
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


# --- tree ---------------------------------------------------------------------


async def _enumerate(store: Store, user: str) -> int:
    found = 0
    tree = (await store.trees(user))[2]
    async for batch in store.folders(user, tree):
        found += len(batch.names)
    return found


def benchTree(table: Table, data: pathlib.Path, size: Size) -> None:
    """
    Many folders in this process, and one with many messages over IMAP.
    """
    path = _made(
        data / f"tree-{size.folders}-{size.big}.db", lambda to: _large.makeTree(to, size.folders, size.big)
    )
    url = f"sqlite:///{path}"
    opened: list[Store] = []
    milliseconds = min(
        _took(lambda: opened.append(stores.openStore(url, EngineLimits()))) for _ in range(size.rounds)
    )
    store = opened.pop()
    for other in opened:
        asyncio.run(other.close())
    thousands = f"{size.folders:,} folders"
    table.row(f"opening a store of {thousands}", milliseconds, "ms", 1000 * size.slack, least=False)
    count = asyncio.run(_enumerate(store, SYSTEM))
    assert count >= size.folders, count
    store._hierarchy.forget()
    first = _took(lambda: asyncio.run(_enumerate(store, "user1")))
    table.row(f"{thousands} enumerated, first", count / first, "folders/ms", 100 / size.slack, least=True)
    again = min(_took(lambda: asyncio.run(_enumerate(store, "user2"))) for _ in range(5))
    table.row("the next user's, of the first one's time", again / first, "x", 0.1 * size.slack, least=False)
    name = f"{_PUBLIC}Department 3"
    asyncio.run(store.renameFolder(SYSTEM, name, f"{_PUBLIC}Moved"))
    back = _took(lambda: asyncio.run(store.renameFolder(SYSTEM, f"{_PUBLIC}Moved", name)))
    table.row(f"renaming a tree of {size.folders // 20:,} folders", back, "ms", 500 * size.slack, least=False)
    asyncio.run(store.close())
    _benchOpen(table, data, path, size)


def _benchOpen(table: Table, data: pathlib.Path, path: pathlib.Path, size: Size) -> None:
    what = f"SELECT of {size.big:,} messages"
    with _server(data, path) as (pid, port), Client(port) as one, Client(port) as two:
        for number, client in enumerate((one, two)):
            client.login(f"user{number}", "password")
        line = f'SELECT "{_PUBLIC}{BIG}"'.encode()
        cold = _took(lambda: one.command(line))
        table.row(f"{what}, cold", cold, "ms", 1000 * size.slack, least=False)
        held = _took(lambda: two.command(line))
        table.row(f"{what}, open in another session", held, "ms", 50 * size.slack, least=False)
        answer = two.command(b'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))')
        assert answer.count(b"* STATUS") >= size.folders
        one.command(b"UID SEARCH UNSEEN SMALLER 10")
        for store in family(pid)[1:]:
            megabytes = residentMegabytes(store)
            table.row("memory of the store's process then", megabytes, "MB", 400, least=False)


# --- append -------------------------------------------------------------------


def _appends(port: int, clients: int) -> Crowd:
    text = _large.message(1)
    at = text.index(b"<1.") + 1
    text = text[:at] + COUNTER + text[at:]
    line = f'APPEND "{_PUBLIC}{INCOMING}" {{{len(text)}+}}\r\n'.encode() + text
    users = tuple(f"user{number % _large.USERS}" for number in range(clients))
    return Crowd(port, users, "password", (), ((line,),) * clients)


def benchAppend(table: Table, data: pathlib.Path, size: Size) -> None:
    """
    Durable APPEND, against Dovecot.
    """
    with contextlib.ExitStack() as stack, Generator() as clients:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=data)))
        directory.chmod(0o755)
        _large.makeFull(directory / "mail.db", 0)
        servers = {"ours": stack.enter_context(_server(directory, directory / "mail.db"))[1]}
        if installed() is not None:
            _large.makeMaildir(directory / "dovecot", 0)
            servers["Dovecot"] = stack.enter_context(dovecot(directory / "dovecot", list_index=True))[1]
        crowds = {name: clients.open(_appends(port, size.clients)) for name, port in servers.items()}
        rates = dict.fromkeys(servers, 0.0)
        for _ in range(size.rounds):
            for name, crowd in crowds.items():
                pace = clients.run(crowd, size.seconds)
                rates[name] = max(rates[name], pace.commands / pace.seconds)
        for crowd in crowds.values():
            clients.close(crowd)
    _compared(table, f"APPEND of 4 KB, {size.clients} clients", rates, "/s", 1.5 / size.slack)


def _compared(table: Table, what: str, rates: dict[str, float], unit: str, gate: float) -> None:
    for name, rate in rates.items():
        table.line(f"{what}: {name}", f"{rate:.4g} {unit}", "")
    if "Dovecot" in rates:
        table.row(f"{what}: ours / Dovecot's", rates["ours"] / rates["Dovecot"], "x", gate, least=True)


# --- search -------------------------------------------------------------------


def benchSearch(table: Table, data: pathlib.Path, size: Size) -> None:
    """
    SEARCH TEXT for a rare word, against Dovecot.
    """
    path = _made(data / f"full-{size.searched}.db", lambda to: _large.makeFull(to, size.searched))
    # The index of a store from another run may have to be made again by this program.
    store = stores.openStore(f"sqlite:///{path}", EngineLimits())
    asyncio.run(index(store))
    asyncio.run(store.close())
    expected = sum(number % _large.RARE_EVERY == 17 for number in range(size.searched))
    rates: dict[str, float] = {}
    with _server(data, path) as (_, port):
        rates["ours"] = _searches(port, expected, 5)
    if installed() is not None:
        maildir = _made(data / f"maildir-{size.searched}", lambda to: _large.makeMaildir(to, size.searched))
        with dovecot(maildir, list_index=True) as (_, port):
            rates["Dovecot"] = _searches(port, expected, 2)
    what = f"SEARCH TEXT for a rare word in {size.searched:,} messages"
    # A folder with few messages is read through soon.
    _compared(table, what, rates, "/s", 50 if size.slack == 1.0 else 1)


def _searches(port: int, expected: int, times: int) -> float:
    """
    Searches in a second, by the best of some, after one that does not count.
    """
    with Client(port) as client:
        client.login("user0", "password")
        client.command(f'SELECT "{_PUBLIC}{BIG}"'.encode())
        best = 0.0
        for turn in range(1 + times):
            start = time.perf_counter()
            answer = client.command(b"SEARCH TEXT " + _large.RARE_WORD.encode())
            taken = time.perf_counter() - start
            # Dovecot says how far it is before.
            lines = [each for each in answer.split(b"\r\n") if each.startswith(b"* SEARCH")]
            found = sum(len(each.split()) - 2 for each in lines)
            if found != expected:
                raise Failed(f"SEARCH found {found} messages and not {expected}")
            if turn:
                best = max(best, 1 / taken)
    return best


# --- import -------------------------------------------------------------------


def benchImport(table: Table, data: pathlib.Path, size: Size) -> None:
    """
    The command, with all that it takes to start.
    """
    mbox = _made(data / f"archive-{size.imported}.mbox", lambda to: _large.makeMbox(to, size.imported))
    best = 0.0
    for _ in range(size.rounds):
        with tempfile.TemporaryDirectory(dir=data) as directory:
            url = f"sqlite:///{directory}/mail.db"
            subprocess.run(python("-m", "mailstore", "init", "--store", url), check=True, capture_output=True)
            command = python("-m", "mailstore", "import", str(mbox), f"{_PUBLIC}Archive", "--store", url)
            start = time.perf_counter()
            done = subprocess.run(command, check=True, capture_output=True)
            taken = time.perf_counter() - start
            assert f"imported {size.imported} messages".encode() in done.stdout, done.stdout
            best = max(best, size.imported / taken)
    table.row(f"import of {size.imported:,} messages of 4 KB", best, "/s", 3000 / size.slack, least=True)


_PARTS = {"tree": benchTree, "append": benchAppend, "search": benchSearch, "import": benchImport}


def main() -> int:
    """
    Run everything.

    @return: the exit code.
    """
    parser = argparse.ArgumentParser(description="the store: time and memory, with gates")
    parser.add_argument("--short", action="store_true", help="much smaller, with wide gates")
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="a part; may be repeated")
    parser.add_argument("--data", metavar="DIR", help="keep the filled stores here, and use those that are")
    options = parser.parse_args()
    size = _SHORT if options.short else _FULL
    table = Table()
    if options.short:
        print(
            "Short: small stores, gates four times as wide; the figures say nothing about speed.", flush=True
        )
    if installed() is None:
        print("Dovecot is not installed (Debian: dovecot-imapd) and is left out", flush=True)
    with contextlib.ExitStack() as stack:
        if options.data is None:
            data = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench", dir=".")))
        else:
            data = pathlib.Path(options.data)
            data.mkdir(parents=True, exist_ok=True)
        data = data.absolute()
        # Dovecot serves it as a user of its own.
        data.chmod(0o755)
        table.head("what", "measured", "gate")
        try:
            for name in options.only or _PARTS:
                _PARTS[name](table, data, size)
        except Failed as error:
            print(f"failed: {error}", file=sys.stderr)
            return 1
    if table.missed:
        print(f"\nFAILED: {', '.join(dict.fromkeys(table.missed))}")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
