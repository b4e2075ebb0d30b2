"""
Tests of L{mailstore.imap.connection}: the stream of commands, whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailstore.errors import MessageTooBig, NoSuchFolder, StoreBusy, StoreUnavailable
from mailstore.imap import registry
from mailstore.imap.command import Command, LiteralHandler, No, Ok, Reply, Take
from mailstore.imap.limits import ImapLimits
from mailstore.imap.session import Session
from mailstore.imap.states import ANY
from mailstore.imap.wire.reader import Reader
from mailstore.model import DELETED
from tests.imap.support import REMOTE, Client, Server


class Spool(LiteralHandler):
    """
    Takes literals as the test says.

    @ivar verdict: the answer to every announcement, or an exception.
    @ivar failure: raised by C{data}.
    @ivar gate: waited for by C{data}.
    """

    verdict: Any = Take.STREAM
    failure: Exception | None = None
    gate: Deferred[None] | None = None

    def __init__(self) -> None:
        self.announcements: list[tuple[int, bool, bool]] = []
        self.taken: list[bytes] = []
        self.discarded = 0

    async def announced(self, reader: Reader, size: int, synchronizing: bool, binary: bool) -> Take | Reply:
        reader.space()
        self.announcements.append((size, synchronizing, binary))
        if isinstance(self.verdict, Exception):
            raise self.verdict
        verdict: Take | Reply = self.verdict
        return verdict

    async def data(self, data: bytes) -> None:
        if self.gate is not None:
            await self.gate
        if self.failure is not None:
            raise self.failure
        self.taken.append(data)

    def parse(self, reader: Reader) -> bytes:
        return b"".join(self.taken)

    def discard(self) -> None:
        self.discarded += 1


class ConnectionCase(SynchronousTestCase):
    """
    A server with more commands than usual: C{SPOOL}, which streams its literals, and C{STRINGS} and
    C{UID STRINGS}, which have them collected.
    """

    def setUp(self) -> None:
        """
        One client that has signed in.
        """
        self.spools: list[Spool] = []
        self.prepare: Callable[[Spool], None] = lambda spool: None
        self.ran: list[Any] = []

        def makeSpool(session: Session) -> Spool:
            spool = Spool()
            self.prepare(spool)
            self.spools.append(spool)
            return spool

        async def run(session: Session, arguments: Any) -> Reply:
            self.ran.append(arguments)
            if isinstance(arguments, Exception):
                raise arguments
            return Ok()

        def strings(reader: Reader) -> list[bytes]:
            found = []
            while not reader.atEnd:
                reader.space()
                found.append(reader.astring())
            return found

        rows = (
            Command("SPOOL", ANY, strings, run, literals=makeSpool),
            Command("STRINGS", ANY, strings, run),
            Command("UID STRINGS", ANY, strings, run),
        )
        self.patch(registry, "COMMANDS", {**registry.COMMANDS, **{row.name: row for row in rows}})
        self.start(ImapLimits(login_delay=0.0))

    def start(self, limits: ImapLimits) -> None:
        """
        Begin anew with these bounds.
        """
        self.server = Server(self, limits)
        self.client = self.server.client()

    def assertInSync(self) -> None:
        """
        The next command is understood and nothing else was run.
        """
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])


class CollectedLiteralTests(ConnectionCase):
    """
    Literals of ordinary commands.
    """

    def test_synchronizing(self) -> None:
        """
        The client is told to go on, and the literal is a string of the command.
        """
        self.client.say(b"a STRINGS {3}\r\n")
        self.assertEqual([line[:1] for line in self.client.heard()], [b"+"])
        self.client.say(b"x yz\r\n")
        self.assertEqual(self.client.heard(), [b"a BAD Expected a space"])
        self.client.say(b"a STRINGS {3}\r\nx y {2+}\r\n\r\n\r\n")
        self.assertEqual(self.client.heard(), [b"+ Go on", b"a OK STRINGS completed"])
        self.assertEqual(self.ran, [[b"x y", b"\r\n"]])

    def test_tooLong(self) -> None:
        """
        A literal over the bound is refused before any of it has come.
        """
        self.client.say(b"a STRINGS {65537}\r\n")
        self.assertEqual(self.client.heard(), [b"a NO [TOOBIG] The literal is too long"])
        self.assertInSync()

    def test_tooLongNonSynchronizing(self) -> None:
        """
        One that comes without waiting is thrown away with the rest of its
        command; nothing of it is taken for a command.
        """
        literal = b"x LOGOUT\r\n" * 7000
        self.client.say(b"a STRINGS {%d+}\r\n%s {3+}\r\nabc more\r\n" % (len(literal), literal))
        self.assertEqual(self.client.heard(), [b"a NO [TOOBIG] The literal is too long"])
        self.assertEqual(self.ran, [])
        self.assertInSync()

    def test_allTogetherTooLong(self) -> None:
        """
        Many literals that fit one by one are refused when they are too much together.
        """
        line = b"a STRINGS" + b" {60000+}\r\n" + b"x" * 60000
        for _ in range(10):
            line += b" {60000+}\r\n" + b"x" * 60000
        self.client.say(line + b"\r\n")
        self.assertEqual(self.client.heard(), [b"a NO [TOOBIG] The literal is too long"])
        self.assertInSync()

    def test_smallerBeforeSignIn(self) -> None:
        """
        A stranger may make us hold less.
        """
        client = self.server.connect()
        client.say(b"a LOGIN {5000}\r\n")
        self.assertEqual(client.heard(), [b"a NO [TOOBIG] The literal is too long"])

    def test_unknownCommand(self) -> None:
        """
        The literals of a command that does not exist are refused with it.
        """
        self.client.say(b"a FROB {10+}\r\nb LOGOUT\r\n x {3}\r\n")
        self.assertEqual(self.client.heard(), [b"a BAD There is no such command"])
        self.assertInSync()

    def test_tooBigToDiscard(self) -> None:
        """
        More than can sensibly be read and thrown away costs the connection,
        after the answer (RFC 7888 section 4).
        """
        self.client.say(b"a STRINGS {99999999999+}\r\n")
        tagged, bye = self.client.heard()
        self.assertEqual(tagged, b"a NO [TOOBIG] The literal is too long")
        self.assertTrue(bye.startswith(b"* BYE "))
        self.assertTrue(self.client.gone)

    def test_laterTooBigToDiscard(self) -> None:
        """
        The same for a literal that follows in a command that is thrown away already, for whatever reason:
        nobody waits for the end of it.
        """
        for line, answer in (
            (b"a FROB {3+}\r\nabc {99999999999+}\r\n", b"a BAD There is no such command"),
            (
                b"a NOOP " + b"x" * 70_000 + b" {99999999999+}\r\n",
                b"a BAD [TOOBIG] The command line is too long",
            ),
            (
                b"a STRINGS {3+}\r\nabc" + b"x" * 70_000 + b" {99999999999+}\r\n",
                b"a BAD [TOOBIG] The command line is too long",
            ),
        ):
            client = self.server.client()
            client.say(line)
            tagged, bye = client.heard()
            self.assertEqual(tagged, answer)
            self.assertTrue(bye.startswith(b"* BYE [TOOBIG] "), bye)
            self.assertTrue(client.gone)


class StreamedLiteralTests(ConnectionCase):
    """
    Literals of commands that take them themselves.
    """

    def test_streamed(self) -> None:
        """
        Its pieces reach the handler as they come, and make up the literal.
        """
        self.client.say(b"a SPOOL x {10}\r\n")
        self.assertEqual(self.client.heard(), [b"+ Go on"])
        self.client.say(b"12345")
        self.assertEqual(self.spools[0].taken, [b"12345"])
        self.client.say(b"67890\r\n")
        self.assertEqual(self.client.heard(), [b"a OK SPOOL completed"])
        self.assertEqual(self.ran, [b"1234567890"])
        self.assertEqual(self.spools[0].announcements, [(10, True, False)])
        self.assertEqual(self.spools[0].discarded, 1)

    def test_several(self) -> None:
        """
        A command may have many, of either kind.
        """
        self.client.say(b"a SPOOL x {2+}\r\nab {3}\r\n")
        self.assertEqual(self.client.heard(), [b"+ Go on"])
        self.client.say(b"cde ~{1+}\r\nf\r\n")
        self.assertEqual(self.client.heard(), [b"a OK SPOOL completed"])
        self.assertEqual(
            self.spools[0].announcements, [(2, False, False), (3, True, False), (1, False, True)]
        )
        self.assertEqual(self.ran, [b"abcdef"])

    def refuse(self, verdict: object) -> None:
        """
        All literals are refused from now on.
        """

        def prepare(spool: Spool) -> None:
            spool.verdict = verdict

        self.prepare = prepare

    def test_refusedSynchronizing(self) -> None:
        """
        Who waits is refused at once and sends nothing of it.
        """
        self.refuse(No("No room", "OVERQUOTA"))
        self.client.say(b"a SPOOL x {10}\r\n")
        self.assertEqual(self.client.heard(), [b"a NO [OVERQUOTA] No room"])
        self.assertEqual(self.spools[0].discarded, 1)
        self.assertInSync()

    def test_refusedNonSynchronizing(self) -> None:
        """
        Who does not wait is refused after all of it has gone by.
        """
        self.refuse(MessageTooBig("at most 5 bytes"))
        self.client.say(b"a SPOOL x {12+}\r\nb LOGOUT\r\n")
        self.assertEqual(self.client.heard(), [])
        self.client.say(b"\r\n (x) {9+}\r\nc LOGOUT\n\r\n")
        self.assertEqual(self.client.heard(), [b"a NO [TOOBIG] at most 5 bytes"])
        self.assertEqual(self.spools[0].taken, [])
        self.assertInSync()

    def test_failsHalfway(self) -> None:
        """
        When the store fails in the middle, the rest is thrown away and the
        failure answered, once.
        """

        def prepare(spool: Spool) -> None:
            spool.failure = StoreUnavailable("gone")

        self.prepare = prepare
        self.client.say(b"a SPOOL x {10}\r\n")
        self.client.heard()
        self.client.say(b"1234")
        self.assertEqual(self.client.heard(), [])
        self.client.say(b"567890 {3+}\r\nabc\r\n")
        self.assertEqual(self.client.heard(), [b"a NO [UNAVAILABLE] The store cannot be reached, try again"])
        self.assertEqual(self.ran, [])
        self.assertEqual(self.spools[0].discarded, 1)
        self.assertInSync()

    def test_collectedByHandler(self) -> None:
        """
        A handler can have a literal collected; the bounds hold there as well.
        """
        self.refuse(Take.COLLECT)
        self.client.say(b"a SPOOL {3+}\r\nabc\r\n")
        self.assertEqual(self.client.heard(), [b"a OK SPOOL completed"])
        self.client.say(b"a SPOOL {999999}\r\n")
        self.assertEqual(self.client.heard(), [b"a NO [TOOBIG] The literal is too long"])

    def test_storeSetsThePace(self) -> None:
        """
        While the store has not taken a piece, the socket is not read beyond the
        bound; nothing is lost when it goes on.
        """
        self.start(ImapLimits(max_buffered=8192, login_delay=0.0))
        gate: Deferred[None] = Deferred()

        def prepare(spool: Spool) -> None:
            spool.gate = gate

        self.prepare = prepare
        self.client.say(b"a SPOOL x {50000+}\r\n" + b"1" * 5000)
        self.assertEqual(self.client.transport.producerState, "producing")
        self.client.say(b"2" * 9000)
        self.assertEqual(self.client.transport.producerState, "paused")
        gate.callback(None)
        self.assertEqual(self.client.transport.producerState, "producing")
        self.client.say(b"3" * 36000 + b"\r\n")
        self.assertEqual(self.client.heard(), [b"a OK SPOOL completed"])
        self.assertEqual(b"".join(self.spools[0].taken), b"1" * 5000 + b"2" * 9000 + b"3" * 36000)

    def test_clientGoesHalfway(self) -> None:
        """
        A client that goes in the middle leaves nothing behind.
        """
        self.client.say(b"a SPOOL x {10}\r\n123")
        self.client.disconnect()
        self.assertEqual(self.spools[0].discarded, 1)
        self.assertEqual(self.ran, [])

    def test_clientStopsHalfway(self) -> None:
        """
        A client that stops in the middle is cut off after a while.
        """
        self.client.say(b"a SPOOL x {10+}\r\n123")
        self.server.clock.advance(299)
        self.assertFalse(self.client.gone)
        self.server.clock.advance(2)
        self.assertTrue(self.client.gone)
        self.assertEqual(self.spools[0].discarded, 1)

    def test_stateFirst(self) -> None:
        """
        A command that is not possible now does not get as far as its handler.
        """
        client = self.server.connect()
        client.say(b"a APPEND INBOX {10}\r\n")
        self.assertEqual([line[:6] for line in client.heard()], [b"a BAD "])


class StreamTests(ConnectionCase):
    """
    Commands one after the other.
    """

    def test_pipelined(self) -> None:
        """
        Commands sent together are answered in order, each once, even from pieces of one byte.
        """
        commands = b"".join(b"p%d NOOP\r\n" % each for each in range(100))
        expected = [b"p%d OK NOOP completed" % each for each in range(100)]
        self.client.say(commands)
        for _ in range(5):
            self.server.clock.advance(0)
        self.assertEqual(self.client.heard(), expected)
        for each in commands:
            self.client.say(bytes([each]))
        self.assertEqual(self.client.heard(), expected)

    def test_pipelineBounded(self) -> None:
        """
        While a command runs, the socket is read up to a bound and no further.
        """
        self.start(ImapLimits(max_buffered=4096, login_delay=0.0))
        gate = self.server.store.gates["status"] = Deferred()
        self.client.say(b"a STATUS INBOX (MESSAGES)\r\n" + b"b NOOP\r\n" * 100)
        self.assertEqual(self.client.transport.producerState, "producing")
        self.client.say(b"b NOOP\r\n" * 900)
        self.assertEqual(self.client.transport.producerState, "paused")
        self.assertEqual(self.client.heard(), [])
        gate.callback(None)
        for _ in range(40):
            self.server.clock.advance(0)
        self.assertEqual(len(self.client.heard()), 2 + 1000)
        self.assertEqual(self.client.transport.producerState, "producing")

    def test_otherGetTheirTurn(self) -> None:
        """
        A client with many commands ready lets others run in between.
        """
        self.client.say(b"")
        self.client.protocol.dataReceived(b"b NOOP\r\n" * 100)
        self.assertLess(self.client.transport.value().count(b"\n"), 50)
        for _ in range(10):
            self.server.clock.advance(0)
        self.assertEqual(self.client.transport.value().count(b"\n"), 100)

    def test_badBeginnings(self) -> None:
        """
        What is no command is answered, with its tag where there is one.
        """
        for line, answer in (
            (b"", b"* BAD "),
            (b"(", b"* BAD "),
            (b"+ NOOP", b"* BAD "),
            (b"a", b"a BAD "),
            (b"a ", b"a BAD "),
            (b"a  NOOP", b"a BAD "),
            (b"a UID", b"a BAD "),
            (b"a UID NOOP", b"a BAD "),
            (b"a NOOP now", b"a BAD "),
            (b"\xff\xfe NOOP", b"* BAD "),
            (b"a N\0OP", b"a BAD "),
        ):
            self.client.say(line + b"\r\n")
            (heard,) = self.client.heard()
            self.assertTrue(heard.startswith(answer), (line, heard))

    def test_nameInAnyCase(self) -> None:
        """
        A command's name is the same in any case.
        """
        self.assertEqual(self.client.ask(b"nOOp"), [b"T OK NOOP completed"])

    def test_lineTooLong(self) -> None:
        """
        A line over the bound is passed over without being held, and answered.
        """
        for _ in range(100):
            self.client.say(b"a" + b" x" * 1000)
        self.assertLess(self.client.protocol.connection.session.framer.buffered, 70_000)
        self.client.say(b"\r\n")
        self.assertEqual(self.client.heard(), [b"a BAD [TOOBIG] The command line is too long"])
        self.assertInSync()

    def test_notNow(self) -> None:
        """
        A command in the wrong state is BAD.
        """
        self.assertEqual(self.client.ask(b"CLOSE")[-1][:6], b"T BAD ")
        self.assertEqual(self.client.ask(b"LOGIN alice password")[-1][:6], b"T BAD ")

    def test_counted(self) -> None:
        """
        Every command is counted by its name and its end; names from the wire
        that do not exist are all one.
        """
        self.client.ask(b"NOOP")
        self.client.ask(b"FROB")
        self.client.ask(b"FRUB")
        counts = self.server.factory.front.commands
        self.assertEqual((counts["NOOP", "OK"], counts["", "BAD"]), (1, 2))


class FailureTests(ConnectionCase):
    """
    Commands that fail.
    """

    def test_storeErrors(self) -> None:
        """
        An error of the store is answered by the table.
        """
        self.server.store.failures["status"] = StoreBusy("queue full")
        self.assertEqual(
            self.client.ask(b"STATUS INBOX (MESSAGES)"),
            [b"T NO [UNAVAILABLE] The store is busy, try again"],
        )

    def test_behind(self) -> None:
        """
        A message that the client knows of, but could not be told of while the store was away, is there for
        the next command by UID; until it can be told of, such a command is refused.
        """
        store = self.server.store
        self.client.ask(b"SELECT INBOX")
        store.failures["changes"] = StoreUnavailable("gone")
        store.deliver(store.named["INBOX"])
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])
        (refused,) = self.client.ask(b"UID STRINGS 1")
        self.assertTrue(refused.startswith(b"T NO [UNAVAILABLE]"), refused)
        self.assertEqual(self.ran, [])
        del store.failures["changes"]
        store.calls.clear()
        answer = self.client.ask(b"UID STRINGS 1")
        self.assertEqual((answer[0], answer[-1]), (b"* 1 EXISTS", b"T OK UID STRINGS completed"))
        self.client.ask(b"UID STRINGS 1")
        self.assertEqual((self.ran, store.calls), ([[b"1"]] * 2, ["changes"]))

    def test_untold(self) -> None:
        """
        A message that came just before the store went away, so that nobody was told of it, is there for the
        first command by UID after its return.
        """
        store = self.server.store
        self.client.ask(b"SELECT INBOX")
        self.patch(store, "tell", lambda folder: None)
        store.deliver(store.named["INBOX"], DELETED)
        self.server.factory.front.everythingChanged()
        answer = self.client.ask(b"UID EXPUNGE 1")
        self.assertEqual(answer[:1], [b"* 1 EXISTS"])
        self.assertIn(b"* 1 EXPUNGE", answer)
        self.assertEqual(store.named["INBOX"].flags, {})

    def test_bug(self) -> None:
        """
        Whatever else goes wrong is logged in full, and told without a word of it.
        """
        seen: list[Any] = []

        @implementer(ILogObserver)
        def observer(event: Any) -> None:
            seen.append(event)

        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.server.store.failures["status"] = RuntimeError("secret /path")
        self.assertEqual(
            self.client.ask(b"STATUS INBOX (MESSAGES)"),
            [b"T NO [SERVERBUG] Internal error; it has been logged"],
        )
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertTrue(any(event["log_level"] is LogLevel.critical for event in seen))
        self.assertInSync()

    def test_folderGone(self) -> None:
        """
        A command that meets the open folder's end gets its answer, then the
        session ends: what it knows of messages means nothing any more (RFC 2180 section 3.3).
        """
        self.server.store.make("Box")
        self.client.ask(b"SELECT Box")
        del self.server.store.named["Box"]
        self.server.store.failures["expunge"] = NoSuchFolder("gone")
        self.client.say(b"a CHECK\r\n")
        tagged, bye = self.client.heard()
        self.assertEqual(tagged, b"a OK CHECK completed")
        self.assertTrue(bye.startswith(b"* BYE "))
        self.assertTrue(self.client.gone)

    def test_clientGoneWhileRunning(self) -> None:
        """
        A command whose client has gone runs to its end, and the session is then over.
        """
        gate = self.server.store.gates["status"] = Deferred()
        self.client.say(b"a STATUS INBOX (MESSAGES)\r\n")
        self.client.disconnect()
        self.assertEqual(self.server.factory.front.sessions, 1)
        gate.callback(None)
        self.assertEqual(self.server.factory.front.sessions, 0)


class BoundsTests(SynchronousTestCase):
    """
    How many, and for how long.
    """

    def test_sessions(self) -> None:
        """
        One connection too many is told so and closed; when one goes there is room again.
        """
        server = Server(self, ImapLimits(max_sessions=2))
        first, _ = server.connect(), server.connect()
        third = server.connect(greeting=False)
        self.assertEqual(third.heard(), [b"* BYE [UNAVAILABLE] Too many connections, try again later"])
        self.assertTrue(third.gone)
        first.disconnect()
        self.assertFalse(server.connect().gone)

    def test_sessionsPerAddress(self) -> None:
        """
        One address has its own bound.
        """
        server = Server(self, ImapLimits(max_sessions_per_address=1))
        server.connect()
        self.assertTrue(server.connect(greeting=False).gone)
        self.assertFalse(server.connect(REMOTE).gone)

    def test_sessionsPerUser(self) -> None:
        """
        One user has their own bound, and may stay connected to try again.
        """
        server = Server(self, ImapLimits(max_sessions_per_user=1, login_delay=0.0))
        first = server.client()
        second = server.connect()
        self.assertEqual(
            second.ask(b"LOGIN alice password"), [b"T NO [LIMIT] You have too many connections at once"]
        )
        second.login(b"bob")
        first.disconnect()
        server.client()

    def test_idleSignedIn(self) -> None:
        """
        Who says nothing for half an hour is let go with a BYE, not sooner.
        """
        server = Server(self)
        client = server.client()
        server.clock.advance(1799)
        self.assertEqual(client.ask(b"NOOP"), [b"T OK NOOP completed"])
        server.clock.advance(1799)
        self.assertFalse(client.gone)
        server.clock.advance(2)
        self.assertEqual(client.heard(), [b"* BYE Nothing heard for too long"])
        self.assertTrue(client.gone)

    def test_idleStranger(self) -> None:
        """
        A stranger has a minute, however they drip.
        """
        server = Server(self)
        client = server.connect()
        for _ in range(61):
            client.say(b"a")
            server.clock.advance(1)
        self.assertTrue(client.gone)

    def test_noImap(self) -> None:
        """
        Something that speaks another protocol is not listened to for long.
        """
        server = Server(self)
        client = server.connect()
        client.say(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Y: z\r\n" * 50)
        self.assertLess(len(client.heard()), 15)
        self.assertTrue(client.gone)


class WritingTests(SynchronousTestCase):
    """
    Clients that read slowly, or not at all.
    """

    def setUp(self) -> None:
        """
        A long list to be read.
        """
        self.server = Server(self, ImapLimits(max_write=4096, login_delay=0.0))
        for each in range(1000):
            self.server.store.make(f"Public Folders/{each:05d}")

    def clog(self, client: Client) -> None:
        """
        The client's socket takes no more.
        """
        client.protocol.pauseProducing()

    def test_waits(self) -> None:
        """
        While the socket is full nothing more is written; then it goes on where it was.
        """
        client = self.server.client()
        self.clog(client)
        client.say(b'a LIST "" *\r\n')
        written = len(client.transport.value())
        self.assertLess(written, 5000)
        lines: list[bytes] = []
        while not lines or not lines[-1].startswith(b"a "):
            lines += client.heard()
            client.protocol.resumeProducing()
            self.clog(client)
        self.assertEqual(len(lines), 1000 + 2 + 1)
        self.assertEqual(len(set(lines)), len(lines))

    def test_timeout(self) -> None:
        """
        A client that never reads is cut off; the others have noticed nothing.
        """
        slow, other = self.server.client(), self.server.client(b"bob")
        self.clog(slow)
        slow.say(b'a LIST "" *\r\n')
        self.assertEqual(len(other.ask(b'LIST "" *')), 1003)
        self.server.clock.advance(119)
        self.assertFalse(slow.gone)
        self.server.clock.advance(2)
        self.assertTrue(slow.gone)
        self.assertTrue(slow.transport.aborted)
        self.assertEqual(other.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_goneWhileWaiting(self) -> None:
        """
        A client that goes while its socket is full ends its session.
        """
        client = self.server.client()
        self.clog(client)
        client.say(b'a LIST "" *\r\n')
        client.disconnect()
        self.assertEqual(self.server.factory.front.sessions, 0)
