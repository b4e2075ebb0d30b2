"""
Other processes that make what is made of messages (L{mailstore.engine.rendering}), for whoever brings many:
told of a message some time before it comes, they have done its work by then.

Nothing depends on them.  What they have not begun when it is needed is made here, and so is everything when
they cannot be started, or have died.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait

import attrs

from mailstore.engine.rendering import Rendered, Renderer
from mailstore.message.lines import Buffer

#: Bytes of messages that are told of and have not come; the oldest are forgotten when there are more.
MOST_EXPECTED = 32 * 1024 * 1024

#: Bytes of one message; a larger one is made here, where its bytes are.
_LARGEST = 1024 * 1024

#: Messages, and bytes of them, that another process is given at once.
_GROUP, _GROUP_BYTES = 64, 512 * 1024


@attrs.define(eq=False)
class _Task:
    """
    Messages that another process was given together.
    """

    future: Future[list[Rendered]]
    contents: list[bytes]
    #: Bytes of them.
    size: int
    #: How many of them have not come.
    left: int
    #: What was made of them in this process after all.
    made: list[Rendered] | None = None


class Workshop:
    """
    Renders messages, some of them in other processes.

    @ivar expected: bytes of the messages that were told of and have not come.
    """

    def __init__(self, renderer: Renderer, processes: int) -> None:
        """
        @param processes: how many others there may be; they are started when there is something to do.
        """
        self._renderer = renderer
        self._processes = processes
        self._executor: ProcessPoolExecutor | None = None
        #: What was told of, the oldest first, and where in its task it is.
        self._tasks: dict[_Task, None] = {}
        self._places: dict[bytes, tuple[_Task, int]] = {}
        self._group: list[bytes] = []
        self._group_bytes = 0
        self.expected = 0

    def expect(self, contents: Iterable[bytes]) -> None:
        """
        Begin with messages that are going to be rendered.
        """
        for content in contents:
            if len(content) > _LARGEST or content in self._places:
                continue
            self._group.append(content)
            self._group_bytes += len(content)
            if len(self._group) >= _GROUP or self._group_bytes >= _GROUP_BYTES:
                self._give()

    def render(self, raw: Buffer) -> Rendered:
        """
        See L{Renderer.render}; with what another process has made of it, or is just making.
        """
        found = self._places.pop(raw, None) if isinstance(raw, bytes) else None
        if found is None:
            return self._renderer.render(raw)
        task, place = found
        task.left -= 1
        if not task.left:
            self._forget(task)
        # An error is raised again here, if it is the message's fault and not the other process's.
        with contextlib.suppress(Exception):
            while task.made is None and not task.future.done() and self._help():
                pass
            if task.made is not None:
                return task.made[place]
            if not task.future.cancel():
                return task.future.result()[place]
        return self._renderer.render(raw)

    def _help(self) -> bool:
        """
        Do what no other process has begun, instead of waiting for what one is doing.

        @return: there was something.
        """
        for task in self._tasks:
            if task.made is None and task.future.cancel():
                task.made = [self._renderer.render(each) for each in task.contents]
                return True
        return False

    def close(self) -> None:
        """
        End the other processes.
        """
        self._processes = 0
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(cancel_futures=True)
        self._tasks.clear()
        self._places.clear()
        self._group.clear()
        self.expected = self._group_bytes = 0

    def _give(self) -> None:
        contents, size = self._group, self._group_bytes
        self._group, self._group_bytes = [], 0
        future = self._submit(contents)
        if future is None:
            return
        task = _Task(future, contents, size, len(contents))
        self._tasks[task] = None
        self._places.update((content, (task, place)) for place, content in enumerate(contents))
        self.expected += task.size
        while self.expected > MOST_EXPECTED:
            self._forget(next(iter(self._tasks)))

    def _submit(self, contents: list[bytes]) -> Future[list[Rendered]] | None:
        if not self._processes:
            return None
        try:
            if self._executor is None:
                self._executor = _started(self._renderer, self._processes)
            return self._executor.submit(_made, contents)
        except Exception:
            # It cannot be had, or is no more: there is no use in trying again.
            self.close()
            return None

    def _forget(self, task: _Task) -> None:
        """
        Let a task go: it is used up, or too old.
        """
        del self._tasks[task]
        self.expected -= task.size
        if task.left:
            task.future.cancel()
        for content in task.contents:
            if self._places.get(content, (None, 0))[0] is task:
                del self._places[content]


def _started(renderer: Renderer, processes: int) -> ProcessPoolExecutor:
    # Begun anew: who has a database open cannot give it to a child.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, context, _begin, (renderer,))


# --- in the other process ---

_renderer: Renderer | None = None


def _begin(renderer: Renderer) -> None:
    global _renderer
    _renderer = renderer
    # Who presses Ctrl-C means the process that has the store, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_endWithParent, daemon=True).start()


def _endWithParent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        with contextlib.suppress(OSError):
            wait([parent.sentinel])
    os._exit(1)


def _made(contents: list[bytes]) -> list[Rendered]:
    assert _renderer is not None
    return [_renderer.render(each) for each in contents]
