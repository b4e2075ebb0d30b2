"""
How long other clients wait while one does something to very many messages at once.

Two others ask again and again, one for something to read and one for a small change, each with
a pause of a millisecond.  The longest time that either waited is what counts: from the moment at which he
wanted to ask to the answer, in the process of the store and without the channel to it.

    python -m benchmarks.waiting [--short] [--messages N] [--data DIR]
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import deferLater, react

from benchmarks._corpus import small
from mailstore import stores
from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.engine import EngineLimits, Store
from mailstore.ipc.groupcommit import GroupCommitter
from mailstore.model import FlagMode, NewMessage, UidSet

_ALL = UidSet(((1, 0xFFFFFFFF),))

#: Seconds between an answer and the next question.
_PAUSE = 0.001

#: Bytes of a large message.
_LARGE = 60 << 20

_HEADER = b"From: ann@example.org\r\nSubject: large\r\n\r\n"

#: Milliseconds that somebody else may wait to read; in the short form four times as many.
_GATE = 50.0

#: How many messages, and how many in the short form.
_FULL, _SHORT = 100_000, 5_000

#: Something to wait for as many seconds.
_Pause: TypeAlias = Callable[[float], Deferred[None]]

#: What makes of one message with its content many, each with a content of its own.
_COPIES = (
    "CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    " SELECT i FROM n",
    "INSERT INTO contents (id, hash, refs, stored, size, canonical, sent_day, rendered, structure, thread)"
    " SELECT i, randomblob(32), 1, stored, size, canonical, sent_day, rendered, structure, thread"
    " FROM n, contents c WHERE c.id = 1",
    "INSERT INTO chunks SELECT i << 20, data FROM n, chunks c WHERE c.id = 1 << 20",
    "INSERT INTO renditions SELECT (i << 4) + (r.id & 15), data FROM n, renditions r WHERE r.id >> 4 = 1",
    "INSERT INTO texts SELECT i, header, body, parts FROM n, texts t WHERE t.id = 1",
    "INSERT INTO messages (folder, uid, flags, modseq, content, internal_date, zone, size, saved)"
    " SELECT folder, i, flags, modseq, i, internal_date, zone, size, saved FROM n, messages m"
    " WHERE m.uid = 1",
    "UPDATE folders SET uid_next = :count + 1, messages = :count, unseen = :count * (shared_seen <> 0),"
    " recent = :count, size = size * :count WHERE messages = 1",
    "UPDATE trees SET messages = :count, size = size * :count WHERE messages = 1",
    "UPDATE meta SET value = '2.' || :count || '.0.0' WHERE key = 'indexed'",
)


async def _make(path: pathlib.Path, messages: int) -> None:
    store = stores.openStore(f"sqlite:///{path}", EngineLimits(), create=True)
    for name in ("alice", "bob"):
        await store.createUser(name, makeCredentials("password", QUICK_ITERATIONS))
    await store.createFolder("alice", "Big")
    await store.createFolder("alice", "Other")
    await store.append("alice", "Big", (NewMessage(small(1)),))
    while await store.indexMore():
        pass
    await store.close()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    columns = [row[1] for row in db.execute("PRAGMA table_info(sortings)")]
    db_copies = (
        *_COPIES,
        f"INSERT INTO sortings ({', '.join(columns)}) SELECT i, {', '.join(columns[1:])}"
        " FROM n, sortings s WHERE s.id = 1",
    )
    for statement in db_copies:
        db.execute(statement, {"count": messages} if ":count" in statement else {})
    db.execute("COMMIT")
    db.close()


class _Waiting:
    """
    Asks again and again, and keeps how long that took.
    """

    def __init__(self, ask: Callable[[int], Awaitable[object]], pause: _Pause) -> None:
        self._ask = ask
        self._pause = pause
        self.waits: list[float] = []
        self.stopped = False

    async def run(self) -> None:
        """
        Ask until somebody says that it is enough.
        """
        while not self.stopped:
            wanted = time.perf_counter() + _PAUSE
            await self._pause(_PAUSE)
            await self._ask(len(self.waits))
            self.waits.append(time.perf_counter() - wanted)


async def _measure(store: Store, pause: _Pause, what: str, work: Callable[[], Awaitable[object]]) -> float:
    """
    The longest wait of who reads while something is done, in milliseconds.  Who changes something also
    waits for the disk, which takes its time when nothing else is done too, and is told of only.
    """

    async def write(number: int) -> None:
        await (store.unsubscribe if number % 2 else store.subscribe)("bob", "x")

    others = (_Waiting(lambda number: store.status("bob", "INBOX"), pause), _Waiting(write, pause))
    running = DeferredList([Deferred.fromCoroutine(each.run()) for each in others])
    await pause(0.2)
    for each in others:
        each.waits.clear()
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    await pause(0.05)
    for each in others:
        each.stopped = True
    await running
    longest = [max(each.waits) * 1000 for each in others]
    median = [sorted(each.waits)[len(each.waits) // 2] * 1000 for each in others]
    print(
        f"{what:42} {took:7.2f} s   reading waits {longest[0]:8.1f} ms (median {median[0]:5.1f}),"
        f" changing {longest[1]:8.1f} ms (median {median[1]:5.1f})",
        flush=True,
    )
    return longest[0]


async def _tidy(store: Store, pause: _Pause) -> None:
    while await store.tidyMore():
        await pause(0.005)


async def _run(reactor: Any, path: pathlib.Path, count: int) -> float:
    pause: _Pause = partial(deferLater, reactor)
    committer = GroupCommitter(reactor)
    store = stores.openStore(f"sqlite:///{path}", EngineLimits(), committer=committer)
    folder = (await store.openFolder("alice", "Big", False)).folder
    other = (await store.openFolder("alice", "Other", False)).folder
    measure = partial(_measure, store, pause)
    worst = [
        await measure("nothing", lambda: pause(1.0)),
        await measure(f"COPY of {count}", lambda: store.copy("alice", folder, _ALL, "Other")),
        await measure(f"MOVE of {count}", lambda: store.move("alice", folder, _ALL, "Other")),
        await measure(
            f"STORE \\Deleted of {count}",
            lambda: store.storeFlags("alice", other, UidSet(((1, count),)), FlagMode.ADD, ("\\Deleted",)),
        ),
        await measure(f"EXPUNGE of {count}", lambda: store.expunge("alice", other, None)),
        await measure("what is cleared away then", lambda: _tidy(store, pause)),
    ]

    large = _HEADER + b"all the world's a stage, and all the men and women merely players\r\n" * (
        _LARGE // 68
    )

    async def bring() -> None:
        upload = await store.upload("alice", "Other", len(large))
        for at in range(0, len(large), 1 << 16):
            await upload.write(large[at : at + (1 << 16)])
            if not at % (1 << 20):
                await pause(0)
        await store.append("alice", "Other", (NewMessage(upload.token),))

    worst.append(await measure(f"APPEND of {_LARGE >> 20} MiB", bring))

    async def delete() -> None:
        await store.deleteFolder("alice", "Other")
        await _tidy(store, pause)

    worst.append(await measure(f"deleting a folder of {count}", delete))
    await committer.close()
    await store.close()
    return max(worst[1:])


async def _main(reactor: Any, data: pathlib.Path, count: int, gate: float) -> int:
    path = data / f"waiting-{count}.db"
    if not path.exists():
        await _make(path, count)
    with tempfile.TemporaryDirectory(dir=data) as directory:
        shutil.copy(path, directory)
        worst = await _run(reactor, pathlib.Path(directory) / path.name, count)
    print(f"longest wait to read {worst:.1f} ms, of {gate:.0f} allowed", flush=True)
    return int(worst > gate)


def main() -> int:
    """
    Measure, and tell.

    @return: 1 when somebody waited too long to read.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer messages, with a wide gate")
    parser.add_argument("--messages", type=int, help="how many")
    parser.add_argument("--data", type=pathlib.Path, help="where stores are kept for the next run")
    arguments = parser.parse_args()
    messages = arguments.messages or (_SHORT if arguments.short else _FULL)
    gate = 4 * _GATE if arguments.short else _GATE
    outcome = 0

    async def run(reactor: Any) -> None:
        nonlocal outcome
        if arguments.data is not None:
            outcome = await _main(reactor, arguments.data, messages, gate)
            return
        with tempfile.TemporaryDirectory() as directory:
            outcome = await _main(reactor, pathlib.Path(directory), messages, gate)

    try:
        react(lambda reactor: Deferred.fromCoroutine(run(reactor)))
    except SystemExit as ended:
        if ended.code:
            return int(ended.code)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
