"""
The framer: a client that keeps to the protocol but for what it says, and one that keeps to nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import attrs

from mailstore.imap.wire.framer import (
    CommandDiscarded,
    CommandReceived,
    Event,
    Framer,
    FramerLimits,
    LineReceived,
    LineTooLong,
    LiteralAnnounced,
    LiteralData,
    TooMuchToDiscard,
)
from tests.fuzz.examples import COMMAND_LINES, COMMAND_TOKENS
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target, check

#: Small, so that each is often reached.
_LIMITS = FramerLimits(
    max_line=200,
    max_literal=60,
    max_literals_total=100,
    max_literals=3,
    max_chunk=16,
    max_discarded=150,
)

_ANNOUNCES = re.compile(rb"\{[0-9]{1,40}\+?\}\r?\Z")

_SENTINEL = b"Z1 NOOP"

#: What the framer may hold beside a line and a literal: a few bytes at the end of a line that is dropped.
_SLACK = 64


@attrs.define
class _Command:
    """
    What a client means to send.
    """

    #: Texts, without an announcement and a line end; there is a literal between each two.
    texts: list[bytes]
    literals: list[bytes]
    binary: list[bool]
    waits: list[bool]


class FramerTarget(Target):
    """
    Whatever a client says, the framer knows where each of its commands ends.
    """

    name = "framer"

    def __init__(self) -> None:
        self._mutator = Mutator(COMMAND_LINES, COMMAND_TOKENS, 1_500)

    def make(self, rng: random.Random) -> bytes:
        """
        Commands, as they stand on the wire, and what has become of them.
        """
        return b"".join(
            self._mutator.make(rng) + b"\r\n" * (rng.random() < 0.8) for _ in range(rng.randrange(1, 4))
        )

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        First as bytes that mean nothing, then as commands of a client that sends the literals it announces.
        """
        self._anyBytes(data, rng)
        _Conversation(rng).run(list(_commands(data, rng)))

    def _anyBytes(self, data: bytes, rng: random.Random) -> None:
        """
        The pieces in which bytes come make no difference; nothing is raised or hoarded.
        """
        seed = rng.getrandbits(32)
        whole = list(_events([data], seed))
        pieces = list(_events(_pieces(data, rng), seed))
        check(_joined(whole) == _joined(pieces), f"pieces make a difference: {whole!r} {pieces!r}")


def _events(pieces: list[bytes], seed: int) -> Iterator[Event]:
    """
    What the framer makes of bytes; literals are dealt with as C{seed} says.
    """
    framer = Framer(_LIMITS)
    decisions = random.Random(seed)
    for piece in pieces:
        framer.receive(piece)
        while (event := framer.next()) is not None:
            yield event
            if isinstance(event, LiteralAnnounced):
                _decide(framer, event, decisions)
            elif not isinstance(event, (LiteralData, TooMuchToDiscard)) and decisions.random() < 0.1:
                framer.expectLine()
        check(framer.buffered <= _LIMITS.max_line + _LIMITS.max_literal + _SLACK, "too much is buffered")


def _decide(framer: Framer, event: LiteralAnnounced, decisions: random.Random) -> str:
    choice = decisions.choice(["collect", "stream", "refuse"])
    if choice == "collect" and event.fits:
        framer.collectLiteral()
    elif choice == "refuse":
        framer.refuseLiteral()
    else:
        choice = "stream"
        framer.streamLiteral()
    return choice


def _joined(events: list[Event]) -> list[object]:
    """
    Events with what was streamed in one piece.
    """
    joined: list[object] = []
    for event in events:
        if isinstance(event, LiteralData):
            if joined and isinstance(joined[-1], bytearray):
                joined[-1] += event.data
            else:
                joined.append(bytearray(event.data))
        else:
            joined.append(event)
    return joined


def _pieces(data: bytes, rng: random.Random) -> list[bytes]:
    pieces = []
    at = 0
    while at < len(data):
        size = rng.choice([1, 1, 2, 3, 7, 40, 400])
        pieces.append(data[at : at + size])
        at += size
    return pieces


def _commands(data: bytes, rng: random.Random) -> Iterator[_Command]:
    """
    The lines of C{data} as texts of commands, with literals of any bytes in between.
    """
    texts = [line if not _ANNOUNCES.search(line) else line + b" " for line in data.split(b"\n")]
    while texts:
        count = min(len(texts), rng.choice([1, 1, 1, 2, 3, 5]))
        taken, texts = texts[:count], texts[count:]
        sizes = [int(rng.expovariate(0.03)) for _ in taken[1:]]
        yield _Command(
            taken,
            [_hostile(rng, size) for size in sizes],
            [rng.random() < 0.3 for _ in sizes],
            [rng.random() < 0.5 for _ in sizes],
        )


def _hostile(rng: random.Random, size: int) -> bytes:
    """
    A literal that would be commands, were it not one.
    """
    data = rng.choice([b"X1 LOGOUT\r\n", b"A {3}\r\n", b"{9+}\r\n", b"\r\n", b"\0\xff", b"}\r\n{1}"])
    return (data * (size // len(data) + 1))[:size]


class _Conversation:
    """
    A client and a framer, and what the framer has to tell.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._framer = Framer(_LIMITS)
        self._events: list[Event] = []
        self._lost = False
        #: What became of each literal of the present command.
        self._verdicts: list[str] = []

    def run(self, commands: list[_Command]) -> None:
        """
        All of the commands have an end, none has two, and what follows them is understood.
        """
        for command in commands:
            self._events.clear()
            self._verdicts.clear()
            self._converse(command)
            if self._lost:
                self._send(b"x" * 500 + b"\r\nA NOOP\r\n")
                check(isinstance(self._events[-1], TooMuchToDiscard), "there was something after the end")
                check(not self._framer.buffered, "something is kept for nobody")
                return
        self._events.clear()
        self._send(_SENTINEL + b"\r\n")
        check(self._events == [CommandReceived((_SENTINEL,))], f"the next command was {self._events!r}")
        check(not self._framer.buffered, "something is left over")

    def _converse(self, command: _Command) -> None:
        for at, text in enumerate(command.texts):
            if at == len(command.literals):
                self._send(text + b"\r\n")
                break
            literal = command.literals[at]
            waits = command.waits[at]
            announcement = b"%b{%d%b}" % (b"~" * command.binary[at], len(literal), b"+" * (not waits))
            told = len(self._events)
            self._send(text + announcement + b"\r\n")
            if waits and not (
                len(self._verdicts) > at
                and self._verdicts[at] != "refuse"
                and isinstance(self._events[told], LiteralAnnounced)
            ):
                # No continuation request has come: the command is over, and it has been answered.
                self._checkEnding(command)
                return
            self._send(literal)
            if self._lost:
                return
        self._checkEnding(command)

    def _send(self, data: bytes) -> None:
        for piece in _pieces(data, self._rng):
            self._framer.receive(piece)
            while (event := self._framer.next()) is not None:
                self._events.append(event)
                if isinstance(event, LiteralAnnounced):
                    self._verdicts.append(_decide(self._framer, event, self._rng))
                elif isinstance(event, TooMuchToDiscard):
                    self._lost = True

    def _checkEnding(self, command: _Command) -> None:
        """
        The command has been told once, and if it was received as it was sent.
        """
        if self._lost:
            return
        refused = [
            event
            for event, verdict in zip(
                [each for each in self._events if isinstance(each, LiteralAnnounced)],
                self._verdicts,
                strict=True,
            )
            if verdict == "refuse" and event.synchronizing
        ]
        endings = [
            event
            for event in self._events
            if isinstance(event, (CommandReceived, CommandDiscarded, LineTooLong))
        ]
        check(
            not any(isinstance(event, LineReceived) for event in self._events), "a line that nobody expects"
        )
        check(len(endings) + len(refused) == 1, f"the command ended {self._events!r}")
        if endings and isinstance(endings[0], CommandReceived):
            parts = endings[0].parts
            check(len(parts) == 2 * len(command.texts) - 1, "parts are missing")
            for at, literal in enumerate(command.literals):
                expected = b"" if self._verdicts[at] == "stream" else literal
                check(parts[2 * at + 1] == expected, "a literal is not as it was sent")
            streamed = b"".join(event.data for event in self._events if isinstance(event, LiteralData))
            sent = b"".join(
                literal
                for literal, verdict in zip(command.literals, self._verdicts, strict=True)
                if verdict == "stream"
            )
            check(streamed == sent, "what was streamed is not what was sent")
