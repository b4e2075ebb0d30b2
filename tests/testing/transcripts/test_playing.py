"""
Tests of L{play}: what a server does right passes, and whatever it does wrong is found.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailstore.testing.transcripts import NotOffered, Script, TranscriptFailed, play, playing

#: What a server answers to a line, if anything.
Answers = dict[bytes, bytes | None]


class Wire(StringTransport):
    """
    A connection to a server that answers by rote.
    """

    def __init__(self, server: RoteServer) -> None:
        super().__init__()
        self.server = server
        self.client: Any = None
        self.writes: list[bytes] = []
        self._buffer = b""

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        self._buffer += data
        while b"\r\n" in self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            self.server.clock.callLater(0, self.answer, line)

    def answer(self, line: bytes) -> None:
        """
        The server has read a line.
        """
        answer = self.server.answers.get(line, b"? what\r\n")
        if answer is None:
            self.loseConnection()
        elif self.client is not None:
            self.client.dataReceived(answer)

    def loseConnection(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            client.connectionLost(Failure(ConnectionDone()))

    abortConnection = loseConnection


@implementer(IStreamClientEndpoint)
class RoteServer:
    """
    A server that has one answer for each line.
    """

    def __init__(self, answers: Answers) -> None:
        self.clock = Clock()
        self.answers: Answers = {
            b'in LOGIN "ann" "secret"': b"* CAPABILITY X\r\nin OK\r\n",
            b'in SELECT "Public Folders/\\"x"': b"* 1 EXISTS\r\nin OK\r\n",
            b"cap CAPABILITY": b"* CAPABILITY IMAP4rev1 Uidplus LIMIT=3\r\ncap OK\r\n",
            b"end LOGOUT": b"* BYE\r\nend OK\r\n",
            b"": b"* OK hello\r\n",
            **answers,
        }
        self.wires: list[Wire] = []
        self.refuses: Callable[[], Deferred[Any]] | None = None

    def connect(self, factory: Any) -> Deferred[Any]:
        """
        A new connection.
        """
        if self.refuses is not None:
            return self.refuses()
        wire = Wire(self)
        wire.client = factory.buildProtocol(None)
        wire.client.makeConnection(wire)
        self.wires.append(wire)
        self.clock.callLater(0, wire.answer, b"")
        return succeed(wire.client)


class PlayTests(SynchronousTestCase):
    """
    L{play}, without sockets and without time.
    """

    def begin(self, text: str, answers: Answers | None = None) -> tuple[RoteServer, Deferred[None]]:
        """
        Begin to play a script, and let everything happen that takes no time.
        """
        server = RoteServer(answers or {})
        result = Deferred.fromCoroutine(play(Script.parse(text, "x.txt"), server, server.clock, 10.0, 30.0))
        server.clock.pump([0.0] * 30)
        return server, result

    def passes(self, text: str, answers: Answers | None = None) -> RoteServer:
        """
        The script passes, and nothing is left.
        """
        server, result = self.begin(text, answers)
        self.assertIsNone(self.successResultOf(result))
        self.nothingLeft(server)
        return server

    def nothingLeft(self, server: RoteServer) -> None:
        """
        All connections and timers are gone.
        """
        self.assertEqual([wire.client for wire in server.wires], [None] * len(server.wires))
        server.clock.advance(0)
        self.assertEqual(server.clock.getDelayedCalls(), [])

    def fails(
        self, text: str, answers: Answers | None = None, place: str = "x.txt:", wait: float = 0.0
    ) -> str:
        """
        The script fails.

        @return: the message.
        """
        server, result = self.begin(text, answers)
        if wait:
            self.assertNoResult(result)
            server.clock.advance(wait)
        failure = self.failureResultOf(result, TranscriptFailed)
        self.nothingLeft(server)
        message = str(failure.value)
        self.assertTrue(message.startswith(place), message)
        return message

    # --- right ---

    def test_right(self) -> None:
        """
        Commands, literals, variables and the greeting, as they should be.
        """
        server = self.passes(
            "S: * OK ${word=/h.*/}\nC: a SELECT\nS: * OK [UIDVALIDITY ${v=number}] ...\nS: a OK ...\n"
            "C: b FETCH ${v} {#}\nS: + ...\nC| ${v}\nS: * 1 FETCH {#}\nS| x${v}\nS|\nS> )\nS: b OK\n".replace(
                "word=", "hello="
            ),
            {
                b"a SELECT": b"* OK [UIDVALIDITY 77] x\r\na OK x\r\n",
                b"b FETCH 77 {2}": b"+ go\r\n",
                b"77": b"* 1 FETCH {5}\r\nx77\r\n)\r\nb OK\r\n",
            },
        )
        self.assertEqual(
            server.wires[0].writes, [b"a SELECT\r\n", b"b FETCH 77 {2}\r\n", b"77\r\n", b"end LOGOUT\r\n"]
        )

    def test_pipelined(self) -> None:
        """
        Lines of one session that follow each other go out in one write.
        """
        server = self.passes(
            "C: a\nC: b {#+}\nC| x\nS: a OK\nS: b OK\nC: a\nB C: c\nB S: c OK\nS: a OK\n",
            {b"a": b"a OK\r\n", b"b {1+}": b"", b"x": b"b OK\r\n", b"c": b"c OK\r\n"},
        )
        self.assertEqual(server.wires[0].writes[:2], [b"a\r\nb {1+}\r\nx\r\n", b"a\r\n"])

    def test_anyOrder(self) -> None:
        """
        A group's responses may come in any order, and keep what they should.
        """
        for answer in (b"* 1\r\n* 2\r\n* 77\r\n", b"* 77\r\n* 2\r\n* 1\r\n"):
            self.passes(
                "C: a\nS~ * 1\nS~ * 2\nS~ * ${x=/../}\nS: a OK\nC: ${x}\nS: OK\n",
                {b"a": answer + b"a OK\r\n", b"77": b"OK\r\n"},
            )

    def test_optional(self) -> None:
        """
        What may come may be missing.
        """
        for answer in (b"* 0 RECENT\r\na OK\r\n", b"a OK\r\n"):
            self.passes("C: a\nS? * ${n=number} RECENT\nS: a OK\n", {b"a": answer})

    def test_closing(self) -> None:
        """
        A connection that is closed as the script says is not logged out.
        """
        server = self.passes("C: a\nS: ${closed}\nB C: ${close}\n", {b"a": None})
        self.assertEqual(server.wires[0].writes, [b"a\r\n"])

    def test_header(self) -> None:
        """
        Sessions are signed in and folders selected before the conversation, and capabilities looked for.
        """
        server = self.passes(
            "Require: uidplus limit LIMIT=3\n"
            'Session: A ann in Public Folders/"x\nA C: a\nA S: a OK\nC: a\nS: a OK\n',
            {b"a": b"a OK\r\n"},
        )
        self.assertEqual(len(server.wires), 2)
        self.assertEqual(server.wires[0].writes[2:], [b"cap CAPABILITY\r\n", b"a\r\n", b"end LOGOUT\r\n"])
        server = self.passes("Require: UIDPLUS\nS: * OK hello\n")
        self.assertEqual(
            [wire.writes for wire in server.wires], [[b"cap CAPABILITY\r\n"], [b"end LOGOUT\r\n"]]
        )

    def test_notOffered(self) -> None:
        """
        A capability that is missing is named.
        """
        _, result = self.begin("Require: UIDPLUS MOVE X-Y\nC: a\nS: a OK\n")
        self.assertIn("MOVE X-Y", str(self.failureResultOf(result, NotOffered).value))

    # --- wrong ---

    def test_wrongAnswer(self) -> None:
        """
        An answer that differs is shown with what was expected, where, and what came before.
        """
        message = self.fails("C: a\nS: a OK\nB C: b\nB S: b OK ...", {b"a": b"a OK\r\n", b"b": b"b NO x\r\n"})
        self.assertEqual(
            message.split("\n"),
            [
                "x.txt:4: session B: B S: b OK ...",
                "    expected: b OK ...",
                "    got:      b NO x",
                "    the last lines:",
                "        S: * OK hello",
                "        C: b",
                "        S: b NO x",
            ],
        )

    def test_unexpected(self) -> None:
        """
        What comes besides is found, wherever it comes.
        """
        for text, place in (
            ("C: a\nS: a OK", "x.txt:2:"),
            ("C: a\nS? * 2 EXISTS\nS: a OK", "x.txt:3:"),
            ("C: a\nS~ a OK\nS~ * 2 EXISTS", "x.txt:2:"),
            ("C: a\nS: ${closed}", "x.txt:2:"),
        ):
            self.assertIn("got:      * 1 EXISTS", self.fails(text, {b"a": b"* 1 EXISTS\r\na OK\r\n"}, place))
        message = self.fails("C: a\nS: a OK", {b"a": b"a OK\r\n* 1 EXISTS\r\n"})
        self.assertIn("expected: nothing more", message)
        self.assertIn("got:      * 1 EXISTS", message)

    def test_literals(self) -> None:
        """
        A literal with other bytes, of another size, too many and too few are found.
        """
        for answer in (
            b"* {3}\r\nabd)\r\n",
            b"* {2}\r\nab)\r\n",
            b"* abc)\r\n",
            b"* {3}\r\nabc {1}\r\nx)\r\n",
        ):
            self.fails("C: a\nS: * {#}\nS| abc\nS> )", {b"a": answer}, "x.txt:2:")
        self.passes("C: a\nS: * {#}\nS| abc\nS> )", {b"a": b"* {3}\r\nabc)\r\n"})

    def test_missing(self) -> None:
        """
        An answer that does not come fails the script, when the time for it is over.
        """
        for answer, got in ((b"", "nothing in time"), (b"a O", "half a line: a O")):
            message = self.fails("C: a\nS: a OK", {b"a": answer}, "x.txt:2:", wait=10.0)
            self.assertIn(f"got:      {got}", message)
        self.fails("C: a\nS: ${closed}", {b"a": b""}, "x.txt:2:", wait=10.0)
        self.fails("C: a\nS: * OK hello", {b"": b""}, "x.txt:1:", wait=10.0)
        self.fails("C: a\nS: a OK", {b"a": b"a OK\r\n", b"end LOGOUT": b""}, "x.txt:2:", wait=10.0)

    def test_deadline(self) -> None:
        """
        A script has an end, even if each answer comes in time.
        """
        server, result = self.begin(
            "C: a\nS: 1\nC: b\nS: 2\nC: c\nS: 3\nC: d\nS: 4\n", dict.fromkeys((b"a", b"b", b"c", b"d"), b"")
        )
        for number in (b"1\r\n", b"2\r\n", b"3\r\n"):
            server.clock.advance(9.0)
            server.wires[0].client.dataReceived(number)
        server.clock.advance(2.9)
        self.assertNoResult(result)
        server.clock.advance(0.1)
        self.assertIn("x.txt:8:", str(self.failureResultOf(result, TranscriptFailed).value))
        self.nothingLeft(server)

    def test_closedByServer(self) -> None:
        """
        A connection that the server closes is no answer, before, in and after a script.
        """
        self.assertIn("closed the connection", self.fails("C: a\nS: a OK", {b"a": None}, "x.txt:2:"))
        self.assertIn("closed", self.fails("C: a\nS: a OK", {b"": None}, "x.txt:1:"))
        self.assertIn(
            "closed", self.fails("C: a\nB C: b\nB S: x\nC: c", {b"a": None, b"b": b"x\r\n"}, "x.txt:4:")
        )
        self.assertIn("closed", self.fails("C: a\nB C: b\nB S: x", {b"a": None, b"b": b"x\r\n"}, "x.txt:3:"))

    def test_notConnected(self) -> None:
        """
        A server that cannot be reached, or does not answer, is a failure.
        """
        for refuses, wait, got in (
            (lambda: fail(ConnectionRefusedError()), 0.0, "ConnectionRefusedError"),
            (lambda: Deferred(), 10.0, "nothing in time"),
        ):
            server = RoteServer({})
            server.refuses = refuses
            script = Script.parse("C: a\nS: a OK", "x.txt")
            result = Deferred.fromCoroutine(play(script, server, server.clock, 10.0, 30.0))
            server.clock.advance(wait)
            self.assertIn(got, str(self.failureResultOf(result, TranscriptFailed).value))

    def test_greeting(self) -> None:
        """
        A server that does not greet with OK is found.
        """
        for text in ("C: a\nS: a OK", "Session: ann\nC: a\nS: a OK", "Require: X\nC: a\nS: a OK"):
            self.assertIn("expected: a greeting", self.fails(text, {b"": b"* BYE full\r\n"}, "x.txt"))

    def test_signIn(self) -> None:
        """
        A user who cannot sign in, a folder that cannot be opened, and CAPABILITY failing, are failures.
        """
        text = 'Require: UIDPLUS\nSession: A ann in Public Folders/"x\nC: a\nS: a OK'
        for line in (
            b'in LOGIN "ann" "secret"',
            b'in SELECT "Public Folders/\\"x"',
            b"cap CAPABILITY",
        ):
            self.assertIn("session A", self.fails(text, {line: line[:3] + b"NO\r\n"}, "x.txt: "))
        self.fails(text, {b"cap CAPABILITY": b"* CAPABILITY X\r\ncap NO\r\n"}, "x.txt: ")

    def test_bounded(self) -> None:
        """
        A response of any length is not kept, and what is shown of one is short.
        """
        self.patch(playing, "MAX_RESPONSE", 1000)
        self.assertIn("no response: too long", self.fails("C: a\nS: a OK", {b"a": b"x" * 2000}, "x.txt:2:"))
        message = self.fails("C: a\nS: a OK", {b"a": b"x" * 900 + b"\0\xff\r\n"}, "x.txt:2:")
        self.assertIn("(902 bytes)", message)
        self.assertLess(len(message), 1000)
        self.assertIn("got:      \\x00\\xff", self.fails("C: a\nS: a OK", {b"a": b"\0\xff\r\n"}, "x.txt:2:"))

    def test_deflated(self) -> None:
        """
        What is not compressed after both sides agreed to it is no response.
        """
        server, result = self.begin("C: a\nS: a OK\nC: ${deflate}\nC: b\nS: b OK", {b"a": b"a OK\r\n"})
        sent = zlib.decompressobj(-zlib.MAX_WBITS).decompress(server.wires[0].writes[1])
        self.assertEqual(sent, b"b\r\n")
        server.wires[0].client.dataReceived(b"b OK\r\n")
        failure = self.failureResultOf(result, TranscriptFailed)
        self.assertIn("no response: too long, or not compressed", str(failure.value))
        self.nothingLeft(server)
