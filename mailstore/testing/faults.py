"""
What can be made to go wrong with a L{MailServer<mailstore.testing.MailServer>}.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from zope.interface import implementer

from mailstore.imap.command import Reply
from mailstore.imap.intercepting import IInterceptor
from mailstore.interfaces import IStore
from mailstore.testing.commandfaults import Fault, Interceptor, Rule, commandNames, reply
from mailstore.testing.storefaults import MeddledStore, MeddledTransport
from mailstore.topology import IMeddler
from transports.interfaces import ITransport

if TYPE_CHECKING:
    from mailstore.testing.server import MailServer

T = TypeVar("T")

#: Seconds that a fault may take at most; whoever waits longer has hung.
MOST_SECONDS = 3600.0


@implementer(IMeddler)
class Meddler:
    """
    What stands between the parts of one server while it runs.

    @ivar commands: between commands and what carries them out.
    @ivar channels: between front end and store, from the front end's side.
    @ivar stored: before the store.
    """

    def __init__(self, reactor: Any) -> None:
        self.commands = Interceptor()
        self.channels: MeddledTransport | None = None
        self.stored: MeddledStore | None = None
        self._reactor = reactor

    def transport(self, transport: ITransport) -> ITransport:
        """
        See L{IMeddler.transport}.
        """
        self.channels = MeddledTransport(transport)
        return self.channels

    def store(self, store: IStore) -> IStore:
        """
        See L{IMeddler.store}.
        """
        self.stored = MeddledStore(store, self._reactor)
        return self.stored.asStore()

    def interceptor(self) -> IInterceptor:
        """
        See L{IMeddler.interceptor}.
        """
        return self.commands


class Faults:
    """
    Makes things go wrong, exactly and only as long as wanted.  To be used from outside the
    server's thread, while it runs::

        with server.faults.refuse("APPEND", code="OVERQUOTA"):
            ...
        server.faults.disconnect("FETCH", times=1)
        with server.faults.fullQueue():
            ...

    Those of commands return a L{Fault<mailstore.testing.commandfaults.Fault>}: it counts its C{hits}, and
    lasts until its C{remove()}, the end of the C{with} that it is used in, C{times} commands, or L{clear}.
    Commands are named as in IMAP; C{"FETCH"} means C{UID FETCH} as well.  C{user} makes it go wrong for one
    user only.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server

    # --- commands ----------------------------------------------------------------

    def refuse(
        self,
        command: str,
        *,
        code: str = "",
        text: str = "Refused, as was asked",
        bad: bool = False,
        times: int | None = None,
        user: str = "",
    ) -> Fault:
        """
        Answer a command C{NO} without carrying it out.

        @param code: a response code without its brackets, such as C{"OVERQUOTA"} or C{"UNAVAILABLE"}.
        @param text: what is said to people.
        @param bad: answer C{BAD}.
        @raise ValueError: there is no such command, or that can be no answer.
        """
        return self._rule(command, times, user, reply=reply(text, code, bad))

    def disconnect(
        self, command: str, *, after: bool = False, times: int | None = None, user: str = ""
    ) -> Fault:
        """
        Drop the connection at a command.

        @param after: not before it has been carried out, so that its client cannot know whether it was.
        @raise ValueError: there is no such command.
        """
        return self._rule(command, times, user, drop_before=not after, drop_after=after)

    def delay(self, command: str, seconds: float, *, times: int | None = None, user: str = "") -> Fault:
        """
        Carry out a command only after C{seconds}.  Everybody else is served meanwhile.

        @raise ValueError: there is no such command, or it would take more than L{MOST_SECONDS}.
        """
        return self._rule(command, times, user, seconds=_seconds(seconds))

    def clear(self) -> None:
        """
        Remove all faults of commands.
        """
        self._run(lambda meddler: meddler.commands.rules.clear())

    def _rule(
        self,
        command: str,
        times: int | None,
        user: str,
        seconds: float = 0.0,
        reply: Reply | None = None,
        drop_before: bool = False,
        drop_after: bool = False,
    ) -> Fault:
        names = commandNames(command)
        fault = Fault(self._remove, times)
        rule = Rule(fault, names, user, seconds, reply, drop_before, drop_after)
        self._run(lambda meddler: meddler.commands.rules.append(rule))
        return fault

    def _remove(self, fault: Fault) -> None:
        def remove(meddler: Meddler) -> None:
            rules = meddler.commands.rules
            rules[:] = [each for each in rules if each.fault is not fault]

        if self._server.running:
            self._run(remove)

    # --- connections, queue and store -------------------------------------------------

    def dropAll(self) -> int:
        """
        Drop all connections of clients, now.

        @return: how many there were.
        """

        async def drop() -> int:
            links = self._server.service.links
            for each in links:
                each.abort()
            return len(links)

        return self._server.call(drop)

    @contextmanager
    def fullQueue(self, patience: float = 0.0) -> Iterator[None]:
        """
        As long as the C{with} lasts, the queue from front end to store has no room.  What needs the store
        is answered C{NO [UNAVAILABLE]}; what is waiting at the end is carried out then.

        @param patience: seconds for which a command waits for room (C{[overload] patience}).
        @raise ValueError: C{patience} makes no sense.
        """
        with self._patience(patience):
            self._run(lambda meddler: _there(meddler.channels).setFull(True))
            try:
                yield
            finally:
                self._runIfRunning(lambda meddler: _there(meddler.channels).setFull(False))

    @contextmanager
    def deadStore(self, patience: float = 0.0) -> Iterator[None]:
        """
        As long as the C{with} lasts, the store cannot be reached: what was in flight, and what comes, is
        answered C{NO [UNAVAILABLE]}, and connections stay.  The C{with} ends when the store is there again,
        with all that it held.

        @param patience: seconds for which a command waits for the store (C{[overload] patience}).
        @raise ValueError: C{patience} makes no sense.
        """
        with self._patience(patience):
            self._run(lambda meddler: _there(meddler.channels).setDead(True))
            try:
                yield
            finally:
                if self._server.running:
                    self._run(lambda meddler: _there(meddler.channels).setDead(False))
                    self._server.call(self._untilReady)

    @contextmanager
    def slowStore(self, seconds: float) -> Iterator[None]:
        """
        As long as the C{with} lasts, the store takes C{seconds} longer for each request.

        @raise ValueError: it would take more than L{MOST_SECONDS}.
        """
        seconds = _seconds(seconds)
        self._run(lambda meddler: setattr(_there(meddler.stored), "seconds", seconds))
        try:
            yield
        finally:
            self._runIfRunning(lambda meddler: setattr(_there(meddler.stored), "seconds", 0.0))

    async def _untilReady(self) -> None:
        for remote in self._server.service.remotes:
            await remote.whenReady()

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        before = self._server.service.remotes[0].limits
        other = attrs.evolve(before, patience=seconds)

        async def use(limits: Any) -> None:
            for remote in self._server.service.remotes:
                remote.limits = limits

        self._server.call(lambda: use(other))
        try:
            yield
        finally:
            if self._server.running:
                self._server.call(lambda: use(before))

    def _run(self, deed: Callable[[Meddler], T]) -> T:
        async def run() -> T:
            return deed(self._server.meddler)

        work: Callable[[], Awaitable[T]] = run
        return self._server.call(work)

    def _runIfRunning(self, deed: Callable[[Meddler], object]) -> None:
        if self._server.running:
            self._run(deed)


def _seconds(seconds: float) -> float:
    if isinstance(seconds, bool) or not 0 <= seconds <= MOST_SECONDS:
        raise ValueError(f"seconds must be from 0 to {MOST_SECONDS:g}, not {seconds!r}")
    return float(seconds)


def _there(part: T | None) -> T:
    assert part is not None, "the server runs, with its store in this process"
    return part
