"""
Tests for L{mailstore.engine.workshop}.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailstore.engine import workshop
from mailstore.engine.limits import EngineLimits
from mailstore.engine.rendering import Rendered, Renderer
from mailstore.engine.workshop import Workshop
from mailstore.model import SYSTEM, FetchSpec, NewMessage
from mailstore.testing.storecases.base import RENDITIONS
from tests.engine.enginecase import EngineCase

#: A program that has other processes render messages, tells which they are, and waits.
_PARENT = """
import sys
from mailstore.engine.limits import EngineLimits
from mailstore.engine.rendering import Renderer
from mailstore.engine.workshop import Workshop

if __name__ == "__main__":
    shop = Workshop(Renderer({}, 1, EngineLimits()), 1)
    shop.expect(b"Subject: %d" % each for each in range(64))
    (task,) = shop._tasks
    task.future.result()
    print(*shop._executor._processes, flush=True)
    sys.stdin.read()
"""


def mails(count: int, first: int = 0) -> list[bytes]:
    """
    Some messages, all of them different.
    """
    return [b"Subject: %d\r\n\r\ntext\r\n" % each for each in range(first, first + count)]


class _Executor:
    """
    Stands in for other processes: begins what a test wants it to.
    """

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.given: list[tuple[Future[list[Rendered]], list[bytes]]] = []
        self.closed = False
        self.broken = False

    def submit(self, function: object, contents: list[bytes]) -> Future[list[Rendered]]:
        """
        Take a task.
        """
        if self.broken:
            raise RuntimeError("no process is left")
        future: Future[list[Rendered]] = Future()
        self.given.append((future, contents))
        return future

    def shutdown(self, cancel_futures: bool) -> None:
        """
        Note that it is over.
        """
        self.closed = cancel_futures

    def do(self, number: int) -> None:
        """
        Carry a task out.
        """
        future, contents = self.given[number]
        future.set_running_or_notify_cancel()
        future.set_result([self.renderer.render(each) for each in contents])


class WorkshopTests(SynchronousTestCase):
    """
    L{Workshop}, with a stand-in for the other processes.
    """

    def setUp(self) -> None:
        """
        Make one; what is rendered in this process is counted.
        """
        self.patch(workshop, "_GROUP", 32)
        self.renderer = Renderer({}, 1, EngineLimits())
        self.executor = _Executor(self.renderer)
        self.here: list[bytes] = []
        self.patch(workshop, "_started", lambda renderer, processes: self.executor)
        self.shop = Workshop(Counting(self.renderer, self.here.append), 1)  # type: ignore[arg-type]

    def test_done(self) -> None:
        """
        What the other process has done is not done again, and held no longer than it is needed.
        """
        contents = mails(64)
        self.shop.expect(contents)
        self.assertEqual(self.shop.expected, sum(map(len, contents)))
        self.executor.do(0)
        self.executor.do(1)
        for each in contents:
            self.assertEqual(self.shop.render(each), self.renderer.render(each))
        self.assertEqual((self.here, self.shop.expected), ([], 0))
        # Nothing is kept for who asks again.
        self.shop.render(contents[0])
        self.assertEqual(self.here, contents[:1])

    def test_unexpected(self) -> None:
        """
        What nobody has told of is rendered here, and so is what does not fill a group.
        """
        contents = mails(31)
        self.shop.expect(contents)
        self.assertEqual(self.executor.given, [])
        for each in contents:
            self.shop.render(each)
        self.assertEqual(self.here, contents)

    def test_notBegun(self) -> None:
        """
        What the other process has not begun is done here, group by group, and never there.
        """
        contents = mails(96)
        self.shop.expect(contents)
        for each in contents:
            self.assertEqual(self.shop.render(each), self.renderer.render(each))
        self.assertEqual(sorted(self.here), sorted(contents))
        self.assertTrue(all(future.cancelled() for future, _ in self.executor.given))

    def test_noWaiting(self) -> None:
        """
        While the other process is at what is needed, what comes later is done here.
        """
        contents = mails(96)
        self.shop.expect(contents)
        self.executor.given[0][0].set_running_or_notify_cancel()
        done = [self.renderer.render(each) for each in contents[:32]]

        def note(each: bytes) -> None:
            self.here.append(each)
            if len(self.here) == 64:
                self.executor.given[0][0].set_result(done)

        self.shop._renderer = Counting(self.renderer, note)  # type: ignore[assignment]
        self.assertEqual(self.shop.render(contents[0]), done[0])
        self.assertEqual(self.here, contents[32:])
        for each in contents[1:]:
            self.assertEqual(self.shop.render(each), self.renderer.render(each))
        self.assertEqual((self.here, self.shop.expected), (contents[32:], 0))

    def test_bound(self) -> None:
        """
        When too much is told of, the oldest is forgotten; large messages are not taken at all.
        """
        contents = mails(320)
        self.patch(workshop, "MOST_EXPECTED", 3 * sum(map(len, contents[-32:])))
        for each in contents:
            self.shop.expect((each,))
            self.assertLessEqual(self.shop.expected, workshop.MOST_EXPECTED)
        self.assertEqual(len(self.shop._tasks), 3)
        self.assertEqual(len(self.shop._places), 96)
        self.assertEqual(sum(future.cancelled() for future, _ in self.executor.given), 7)
        before = self.shop.expected
        self.shop.expect([b"x" * (1024 * 1024 + 1)] * 32)
        self.assertEqual(self.shop.expected, before)
        self.shop.close()
        self.assertEqual((self.shop.expected, len(self.shop._tasks), len(self.shop._places)), (0, 0, 0))

    def test_failed(self) -> None:
        """
        Whatever goes wrong elsewhere is done here.
        """
        contents = mails(64)
        self.shop.expect(contents)
        for future, _ in self.executor.given:
            future.set_running_or_notify_cancel()
            future.set_exception(RuntimeError("died"))
        for each in contents:
            self.assertEqual(self.shop.render(each), self.renderer.render(each))
        self.assertEqual(self.here, contents)

    def test_broken(self) -> None:
        """
        Other processes that are no more, or cannot be started, are not asked again.
        """
        self.executor.broken = True
        self.shop.expect(mails(32))
        self.assertTrue(self.executor.closed)
        self.executor.broken = False
        self.shop.expect(mails(32))
        self.assertEqual((self.executor.given, self.shop.expected), ([], 0))

        def refuse(renderer: Renderer, processes: int) -> None:
            raise OSError("no memory")

        self.patch(workshop, "_started", refuse)
        other = Workshop(self.renderer, 1)
        other.expect(mails(32))
        self.assertEqual(other.render(mails(1)[0]), self.renderer.render(mails(1)[0]))


class Counting:
    """
    A renderer that tells what it is given.
    """

    def __init__(self, renderer: Renderer, told: Callable[[bytes], object]) -> None:
        self._renderer = renderer
        self._told = told

    def render(self, raw: bytes) -> Rendered:
        """
        Tell, and render.
        """
        self._told(raw)
        return self._renderer.render(raw)


class ProcessTests(EngineCase):
    """
    The same, with processes.
    """

    def test_store(self) -> None:
        """
        A store with helpers holds what one without holds, byte for byte.
        """
        self.patch(workshop, "_GROUP", 32)
        contents = [*mails(100), b"", b"\0\xff" * 100, *mails(10)]
        found: list[Any] = []
        for helpers in (0, 2):
            store = self.open(helpers=helpers)
            store.expect(contents)
            self.assertEqual(len(store._workshop._tasks), 3 if helpers else 0)
            for task in store._workshop._tasks:
                task.future.result()
            messages = tuple(NewMessage(each, internal_date=1) for each in contents)
            self.now(store.createFolder(SYSTEM, "Public Folders/A"))
            self.now(store.append(SYSTEM, "Public Folders/A", messages))
            opened = self.now(store.openFolder(SYSTEM, "Public Folders/A", False))
            spec = FetchSpec(size=True, renditions=tuple(RENDITIONS))
            found.append(self.all(store.fetch(SYSTEM, opened.folder, opened.uids, spec)))
            self.now(store.close())
        self.assertEqual(found[0], found[1])

    def test_log(self) -> None:
        """
        Who says that much is coming writes to the log until there is much in it.
        """
        sizes = []
        for told in (False, True):
            path = self.path()
            store = self.open(path)
            if told:
                for _ in range(2):
                    store.expect(mails(1))
            self.now(store.createFolder(SYSTEM, "Public Folders/A"))
            for number in range(100):
                self.append(store, SYSTEM, "Public Folders/A", b"%d" % number + b"x" * 100_000)
            sizes.append(os.path.getsize(path + "-wal"))
            self.now(store.close())
            self.assertGreater(os.path.getsize(path), 10_000_000)
        self.assertLess(sizes[0], 6_000_000)
        self.assertGreater(sizes[1], 10_000_000)

    def test_unsendable(self) -> None:
        """
        Renditions that another process cannot be told of are made here.
        """
        renderer = Renderer({"size": lambda message: b"%d" % len(message.data)}, 1, EngineLimits())
        renderer.kinds = {"size": 0}
        shop = Workshop(renderer, 1)
        self.addCleanup(shop.close)
        shop.expect(mails(64))
        self.assertEqual(
            [shop.render(each).renditions for each in mails(64)], [((0, b"20"),)] * 10 + [((0, b"21"),)] * 54
        )

    def test_endsWithParent(self) -> None:
        """
        When the process with the store is killed, the others end.
        """
        path = self.path() + ".py"
        with open(path, "w") as file:
            file.write(_PARENT)
        parent = subprocess.Popen(
            [sys.executable, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert parent.stdout is not None
            (helper,) = map(int, parent.stdout.readline().split())
            watched = os.pidfd_open(helper)
        finally:
            parent.send_signal(signal.SIGKILL)
            parent.communicate()
        self.addCleanup(os.close, watched)
        self.assertEqual(len(select.select([watched], [], [], 60)[0]), 1)
