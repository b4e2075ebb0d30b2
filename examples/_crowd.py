# mypy: allow-untyped-calls
"""
Many mail programs at once, for the examples: each signs in, lists the folders, and
asks for the state of one folder after the other, until it is told to stop.

One that gets no answer in time hangs up and calls again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
from twisted.internet.defer import CancelledError, Deferred, DeferredList, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure


class Unexpected(Exception):
    """
    The server gave an answer that is neither OK nor NO [UNAVAILABLE].
    """


class Conversation(Protocol):
    """
    One connection of a mail program.  It looks for tags and parses nothing else.
    """

    def __init__(self) -> None:
        #: What has come since the last answer, from the beginning of a line on.
        self._heard = b"\r\n"
        self._count = 0
        self._start = b""
        self._answer: Deferred[bytes] | None = None

    def expect(self, start: bytes) -> Deferred[bytes]:
        """
        Wait for a line that begins with C{start}.

        @return: fires with the rest of it.
        """
        answer: Deferred[bytes] = Deferred()
        self._start, self._answer = b"\r\n" + start, answer
        self._look()
        return answer

    def command(self, line: str) -> Deferred[bytes]:
        """
        Give a command.

        @return: fires with what stands behind its tag in the answer.
        """
        self._count += 1
        tag = b"c%d " % self._count
        transport: Any = self.transport
        transport.write(tag + line.encode("ascii") + b"\r\n")
        return self.expect(tag)

    def dataReceived(self, data: bytes) -> None:
        """
        Bytes from the server.
        """
        self._heard += data
        self._look()

    def _look(self) -> None:
        """
        Whether the answer is there.
        """
        answer, heard = self._answer, self._heard
        if answer is None:
            return
        found, end = heard.find(self._start), heard.rfind(b"\r\n")
        self._heard = heard[end:]
        if 0 <= found < end:
            self._answer = None
            answer.callback(heard[found + len(self._start) :].partition(b"\r\n")[0])

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is gone; no answer will come.
        """
        answer, self._answer = self._answer, None
        if answer is not None and not answer.called:
            answer.errback(reason)

    @property
    def is_waiting(self) -> bool:
        """
        Whether an answer was asked for and has not come.
        """
        return self._answer is not None

    def hangUp(self) -> None:
        """
        Close the connection now.
        """
        self._answer = None
        transport: Any = self.transport
        transport.abortConnection()


@attrs.frozen
class Habits:
    """
    How the people at the mail programs behave; all in seconds.
    """

    #: All arrive within this time, one after the other.
    arrive: float
    #: How long they look at an answer, or wait after a refusal, on average.
    look: float
    #: How long the least patient wait for an answer before they hang up and call
    #: again; the most patient wait a quarter longer.
    give_up: float


@attrs.frozen
class Outcome:
    """
    What became of a crowd.
    """

    #: Clients in all.
    clients: int
    #: Clients that got OK each time.
    served: int
    #: Clients that were told to try later at least once, and got an answer each time.
    refused: int
    #: Clients that got no answer at least once.
    hung: int
    #: Commands answered OK.
    commands_answered: int
    #: Commands answered NO [UNAVAILABLE].
    commands_refused: int
    #: Commands not answered before the client gave up, or the run ended.
    commands_hung: int

    @property
    def commands(self) -> int:
        """
        Commands in all.
        """
        return self.commands_answered + self.commands_refused + self.commands_hung


class Crowd:
    """
    C{size} mail programs that browse C{folders}.
    """

    #: Who may sit at one.
    USERS = tuple(f"reader{number}@example.org" for number in range(10))

    def __init__(
        self,
        reactor: Any,
        port: int,
        size: int,
        folders: Sequence[str],
        habits: Habits,
        clock: IReactorTime | None = None,
    ) -> None:
        """
        @param clock: what their habits go by; the reactor by default.
        """
        self._clock: IReactorTime = clock or reactor
        self._endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        self._size = size
        self._folders = folders
        self._habits = habits
        #: Per client how often it was C{"OK"}, C{"NO"} or C{"hung"}.
        self._outcomes = [Counter[str]() for _ in range(size)]
        # The same people in every crowd.
        self._random = random.Random(817051)
        self._over = False
        self._clients: list[Deferred[None]] = []

    def begin(self, password: str) -> None:
        """
        Let them come.
        """
        self._clients = [
            Deferred.fromCoroutine(self._browse(number, password)) for number in range(self._size)
        ]

    def finish(self) -> Deferred[Any]:
        """
        They are to go when they have the answer that they wait for.

        @return: fires when all have gone; fails if one met what it did not expect.
        """
        self._over = True
        return DeferredList(self._clients, fireOnOneErrback=True, consumeErrors=True)

    def cut(self) -> Deferred[Any]:
        """
        They are to go at once.  What they wait for counts as not answered.

        @return: as that of L{finish}.
        """
        self._over = True
        for client in self._clients:
            client.cancel()
        return self.finish()

    def outcome(self) -> Outcome:
        """
        What became of them so far.
        """
        hung = sum(each["hung"] > 0 for each in self._outcomes)
        refused = sum(each["NO"] > 0 and not each["hung"] for each in self._outcomes)
        commands = sum(self._outcomes, Counter[str]())
        return Outcome(
            clients=self._size,
            served=self._size - hung - refused,
            refused=refused,
            hung=hung,
            commands_answered=commands["OK"],
            commands_refused=commands["NO"],
            commands_hung=commands["hung"],
        )

    async def _browse(self, number: int, password: str) -> None:
        await self._rest(self._habits.arrive * number / self._size)
        while not self._over:
            try:
                program = await connectProtocol(self._endpoint, Conversation())
            except (ConnectError, ConnectingCancelledError):
                await self._rest(self._habits.look)
                continue
            try:
                await self._visit(program, number, password)
            except (TimeoutError, ConnectionClosed):
                self._outcomes[number]["hung"] += 1
            except CancelledError:
                self._outcomes[number]["hung"] += program.is_waiting
                return
            finally:
                program.hangUp()

    async def _visit(self, program: Conversation, number: int, password: str) -> None:
        """
        One connection's life.

        @raise TimeoutError: no answer.
        @raise ConnectionClosed: no answer, and there never will be one.
        """
        outcomes = self._outcomes[number]
        await self._inTime(program.expect(b"* OK"))
        folder = number
        commands = [f"LOGIN {self.USERS[number % len(self.USERS)]} {password}", 'LIST "" "*"']
        while not self._over:
            answer = await self._inTime(program.command(commands[0]))
            if answer.startswith(b"OK"):
                outcomes["OK"] += 1
                commands.pop(0)
                if not commands:
                    folder = (folder + 37) % len(self._folders)
                    commands.append(f'STATUS "{self._folders[folder]}" (MESSAGES UNSEEN)')
            elif answer.startswith(b"NO [UNAVAILABLE]"):
                outcomes["NO"] += 1
            else:
                raise Unexpected(f"{commands[0]}: {answer.decode('ascii', 'replace')}")
            await self._rest(self._habits.look * self._random.uniform(0.5, 1.5))

    def _inTime(self, answer: Deferred[bytes]) -> Deferred[bytes]:
        return answer.addTimeout(self._habits.give_up * self._random.uniform(1, 1.25), self._clock)

    def _rest(self, seconds: float) -> Deferred[None]:
        return deferLater(self._clock, seconds)
