"""
Tests for L{mailstore.imap.wire.framer}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

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
from mailstore.imap.wire.values import MAX_NUMBER64
from tests.imap.wire.cases import CASES
from tests.imap.wire.encoding import frame
from tests.imap.wire.parametrized import over, parametrized
from tests.imap.wire.production import Case
from tests.imap.wire.strategies import examples

#: What becomes of a literal.
Policy = Callable[[Framer, LiteralAnnounced], None]


def collect(framer: Framer, event: LiteralAnnounced) -> None:
    """
    Collect what fits, refuse the rest.
    """
    if event.fits:
        framer.collectLiteral()
    else:
        framer.refuseLiteral()


def stream(framer: Framer, event: LiteralAnnounced) -> None:
    """
    Stream all.
    """
    framer.streamLiteral()


def refuse(framer: Framer, event: LiteralAnnounced) -> None:
    """
    Refuse all.
    """
    framer.refuseLiteral()


def drain(framer: Framer, policy: Policy) -> list[Event]:
    """
    All events that there are, the pieces of a streamed literal put together.
    """
    events: list[Event] = []
    while (event := framer.next()) is not None:
        if isinstance(event, LiteralAnnounced):
            policy(framer, event)
        if isinstance(event, LiteralData) and events and isinstance(events[-1], LiteralData):
            event = LiteralData(events.pop().data + event.data)  # type: ignore[union-attr]
        events.append(event)
    return events


def joined(events: Iterable[Event]) -> list[Event]:
    """
    The same, for events that were drained in several runs.
    """
    result: list[Event] = []
    for event in events:
        if isinstance(event, LiteralData) and result and isinstance(result[-1], LiteralData):
            event = LiteralData(result.pop().data + event.data)  # type: ignore[union-attr]
        result.append(event)
    return result


def events(
    pieces: Iterable[bytes], policy: Policy = collect, limits: FramerLimits | None = None
) -> list[Event]:
    """
    What comes out when these pieces are received one by one.
    """
    framer = Framer(limits or FramerLimits())
    found: list[Event] = []
    for piece in pieces:
        framer.receive(piece)
        found += drain(framer, policy)
    return joined(found)


def bytewise(data: bytes) -> list[bytes]:
    """
    One byte at a time.
    """
    return [data[at : at + 1] for at in range(len(data))]


def commands(found: Iterable[Event]) -> list[Event]:
    """
    Without the announcements.
    """
    return [event for event in found if not isinstance(event, LiteralAnnounced)]


@attrs.frozen
class Stream:
    """
    Something that a client sends, and what comes out.
    """

    name: str
    wire: bytes
    expected: list[Event]
    policy: Policy = collect
    limits: FramerLimits | None = None


_NEXT = CommandReceived((b"B NOOP",))
_SMALL = FramerLimits(max_line=20, max_literal=5, max_literals_total=8, max_chunk=3)

STREAMS = [
    Stream("one command", b"A NOOP\r\n", [CommandReceived((b"A NOOP",))]),
    Stream("pipelined", b"A NOOP\r\nB NOOP\r\n", [CommandReceived((b"A NOOP",)), _NEXT]),
    Stream("bare LF", b"A NOOP\nB NOOP\r\n", [CommandReceived((b"A NOOP",)), _NEXT]),
    Stream("bare CR", b"A\rB\r\r\nB NOOP\r\n", [CommandReceived((b"A\rB\r",)), _NEXT]),
    Stream("empty lines", b"\r\n\nB NOOP\r\n", [CommandReceived((b"",)), CommandReceived((b"",)), _NEXT]),
    Stream("NUL and 8-bit", b"\x00\xff\r\nB NOOP\r\n", [CommandReceived((b"\x00\xff",)), _NEXT]),
    Stream(
        "literals of all four kinds",
        b"A {1}\r\na {1+}\r\nb ~{1}\r\n\x00 ~{1+}\r\n\xff c\r\nB NOOP\r\n",
        [
            CommandReceived((b"A {1}", b"a", b" {1+}", b"b", b" ~{1}", b"\x00", b" ~{1+}", b"\xff", b" c")),
            _NEXT,
        ],
    ),
    Stream("literal after bare LF", b"A {1}\na\nB NOOP\n", [CommandReceived((b"A {1}", b"a", b"")), _NEXT]),
    Stream(
        "line ends and commands in a literal",
        b"A {10+}\r\n\r\nX NOOP\r\n\r\nB NOOP\r\n",
        [CommandReceived((b"A {10+}", b"\r\nX NOOP\r\n", b"")), _NEXT],
    ),
    Stream("empty literal", b"A {0}\r\n b\r\nB NOOP\r\n", [CommandReceived((b"A {0}", b"", b" b")), _NEXT]),
    Stream(
        "literal announced in nonsense",
        b'A "{3+}\r\nabc\r\nB NOOP\r\n',
        [CommandReceived((b'A "{3+}', b"abc", b"")), _NEXT],
    ),
    Stream(
        "not an announcement",
        b'A {1}" {} {-1} {1 } {1}x\r\nA {a}\r\nA {+}\r\nA 1}\r\nB NOOP\r\n',
        [
            CommandReceived((b'A {1}" {} {-1} {1 } {1}x',)),
            CommandReceived((b"A {a}",)),
            CommandReceived((b"A {+}",)),
            CommandReceived((b"A 1}",)),
            _NEXT,
        ],
    ),
    Stream(
        "announcement of too many digits",
        b"A {%b}\r\nB NOOP\r\n" % (b"1" * 41),
        [CommandReceived((b"A {%b}" % (b"1" * 41),)), _NEXT],
    ),
    Stream(
        "streamed",
        b"A {5}\r\nhello x {4+}\r\nabcd y\r\nB NOOP\r\n",
        [
            LiteralData(b"hello"),
            LiteralData(b"abcd"),
            CommandReceived((b"A {5}", b"", b" x {4+}", b"", b" y")),
            _NEXT,
        ],
        stream,
        _SMALL,
    ),
    Stream(
        "empty streamed", b"A {0}\r\n\r\nB NOOP\r\n", [CommandReceived((b"A {0}", b"", b"")), _NEXT], stream
    ),
    Stream("synchronizing literal refused", b"A {5}\r\nB NOOP\r\n", [_NEXT], refuse),
    Stream(
        "non-synchronizing literal refused",
        b"A {8+}\r\nX NOOP\r\n\r\nB NOOP\r\n",
        [CommandDiscarded((b"A {8+}",)), _NEXT],
        refuse,
    ),
    Stream(
        "refused with all that follows",
        b"A {8+}\r\nX NOOP\r\n a {8+}\r\nY NOOP\r\n b ~{0+}\r\n\r\nB NOOP\r\n",
        [CommandDiscarded((b"A {8+}",)), _NEXT],
        refuse,
    ),
    Stream(
        "refused, then a synchronizing literal ends it",
        b"A {2+}\r\n\r\n {8}\r\nB NOOP\r\n",
        [CommandDiscarded((b"A {2+}",)), _NEXT],
        refuse,
    ),
    Stream(
        "refused with a long rest",
        b"A {1+}\r\nx%b {2+}\r\n\r\n%b\r\nB NOOP\r\n" % (b"y" * 300, b"z" * 300),
        [CommandDiscarded((b"A {1+}",)), _NEXT],
        refuse,
        _SMALL,
    ),
    Stream(
        "second literal refused",
        b"A {5}\r\nhello {4+}\r\nX N\n x\r\nB NOOP\r\n",
        [CommandDiscarded((b"A {5}", b"hello", b" {4+}")), _NEXT],
        limits=_SMALL,
    ),
    Stream(
        "longest line",
        b"A%b\r\nB NOOP\r\n" % (b"x" * 19),
        [CommandReceived((b"A" + b"x" * 19,)), _NEXT],
        limits=_SMALL,
    ),
    Stream("line too long", b"A %b\r\nB NOOP\r\n" % (b"x" * 19), [LineTooLong(b"A"), _NEXT], limits=_SMALL),
    Stream(
        "line too long, bare LF", b"A %b\nB NOOP\r\n" % (b"x" * 19), [LineTooLong(b"A"), _NEXT], limits=_SMALL
    ),
    Stream("tag too long", b"%b NOOP\r\nB NOOP\r\n" % (b"A" * 21), [LineTooLong(None), _NEXT], limits=_SMALL),
    Stream("much too long", b"A %b\r\nB NOOP\r\n" % (b"x" * 999), [LineTooLong(b"A"), _NEXT], limits=_SMALL),
    Stream(
        "too long without tag", b"%b\r\nB NOOP\r\n" % (b"(" * 99), [LineTooLong(None), _NEXT], limits=_SMALL
    ),
    Stream(
        "too long with endless tag",
        b"%b\r\nB NOOP\r\n" % (b"x" * 999),
        [LineTooLong(None), _NEXT],
        limits=_SMALL,
    ),
    Stream(
        "too long with a literal after it",
        b"A %b {8+}\r\nX NOOP\r\n {8+}\r\nY NOOP\r\n\r\nB NOOP\r\n" % (b"x" * 99),
        [LineTooLong(b"A"), _NEXT],
        limits=_SMALL,
    ),
    Stream(
        "too long with a literal that is not sent",
        b"A %b {8}\r\nB NOOP\r\n" % (b"x" * 99),
        [LineTooLong(b"A"), _NEXT],
        limits=_SMALL,
    ),
    Stream(
        "all lines of a command together too long",
        b"A {1}\r\nx 45678 {2+}\r\n\r\n x\r\nB NOOP\r\n",
        [LineTooLong(b"A"), _NEXT],
        limits=FramerLimits(max_line=17),
    ),
    Stream(
        "collected literal too large",
        b"A {6+}\r\nX NO\r\n\r\nB NOOP\r\n",
        [CommandDiscarded((b"A {6+}",)), _NEXT],
        limits=_SMALL,
    ),
    Stream(
        "collected literals too large together",
        b"A {5}\r\nabcde {3}\r\nabc {1+}\r\n\n\r\nB NOOP\r\n",
        [CommandDiscarded((b"A {5}", b"abcde", b" {3}", b"abc", b" {1+}")), _NEXT],
        limits=FramerLimits(max_literal=5, max_literals_total=8),
    ),
]


@parametrized
class SplitTests(SynchronousTestCase):
    """
    It does not matter how the bytes are cut when they arrive.
    """

    @over(STREAMS)
    def test_stream(self, case: Stream) -> None:
        """
        The same events in one piece, byte by byte and in every two pieces.
        """

        def run(pieces: list[bytes]) -> list[Event]:
            return commands(events(pieces, case.policy, case.limits))

        wire = case.wire
        self.assertEqual(run([wire]), case.expected)
        self.assertEqual(run(bytewise(wire)), case.expected)
        for at in range(1, len(wire)):
            self.assertEqual(run([wire[:at], wire[at:]]), case.expected, at)

    @over(CASES)
    def test_case(self, case: Case) -> None:
        """
        The same for every case of the grammar.
        """
        wire = case.wire + b"\r\nB NOOP\r\n"
        expected = [CommandReceived(frame(case.wire)), _NEXT]
        self.assertEqual(commands(events([wire])), expected)
        self.assertEqual(commands(events(bytewise(wire))), expected)
        for at in range(1, min(len(wire), 150)):
            self.assertEqual(commands(events([wire[:at], wire[at:]])), expected, at)

    @examples
    @given(
        st.lists(
            st.binary(max_size=5)
            | st.sampled_from(
                [b"{", b"}", b"{3}", b"{3+}", b"~{2+}", b"+}", b"\r", b"\n", b"\r\n", b"A ", b"x" * 9]
            ),
            max_size=30,
        ),
        st.sampled_from([collect, stream, refuse]),
    )
    def test_anything(self, pieces: list[bytes], policy: Policy) -> None:
        """
        Anything at all gives the same events however it is cut, and holds no
        more than the limits say.
        """
        wire = b"".join(pieces)
        expected = events([wire], policy, _SMALL)
        self.assertEqual(events(pieces, policy, _SMALL), expected)
        framer = Framer(_SMALL)
        found: list[Event] = []
        for each in bytewise(wire):
            framer.receive(each)
            found += drain(framer, policy)
            self.assertLessEqual(framer.buffered, 60)
        self.assertEqual(joined(found), expected)


class AnnouncementTests(SynchronousTestCase):
    """
    L{LiteralAnnounced}, and what is said of it.
    """

    def announced(self, wire: bytes, limits: FramerLimits | None = None) -> tuple[Framer, LiteralAnnounced]:
        """
        A framer that waits for a verdict.
        """
        framer = Framer(limits or FramerLimits())
        framer.receive(wire)
        event = framer.next()
        assert isinstance(event, LiteralAnnounced)
        return framer, event

    def test_kinds(self) -> None:
        """
        Size, and the two marks.
        """
        for text, size, synchronizing, binary in (
            (b"{0}", 0, True, False),
            (b"{12}", 12, True, False),
            (b"{12+}", 12, False, False),
            (b"~{12}", 12, True, True),
            (b"~{012+}", 12, False, True),
            (b"{9223372036854775807}", MAX_NUMBER64, True, False),
            (b"{9223372036854775808}", MAX_NUMBER64, True, False),
            (b"{%b+}" % (b"9" * 40), MAX_NUMBER64, False, False),
        ):
            _, event = self.announced(b"A " + text + b"\r\n")
            expected = LiteralAnnounced((b"A " + text,), size, synchronizing, binary, size <= 65536)
            self.assertEqual(event, expected)

    def test_fits(self) -> None:
        """
        A literal at the limit fits, one byte more does not; and all that were
        collected count together, those streamed do not.
        """
        limits = FramerLimits(max_literal=5, max_literals_total=8)
        self.assertTrue(self.announced(b"A {5}\r\n", limits)[1].fits)
        self.assertFalse(self.announced(b"A {6}\r\n", limits)[1].fits)
        framer, _ = self.announced(b"A {100}\r\n" + b"x" * 100 + b" {5}\r\nabcde {3}\r\n", limits)
        framer.streamLiteral()
        self.assertEqual(framer.next(), LiteralData(b"x" * 100))
        sizes = []
        while (event := framer.next()) is not None:
            assert isinstance(event, LiteralAnnounced)
            sizes.append((event.size, event.fits))
            framer.collectLiteral()
            framer.receive(b"abc {1}\r\n" if event.size == 3 else b"")
            if len(sizes) == 2:
                break
        self.assertEqual(sizes, [(5, True), (3, True)])
        last = framer.next()
        assert isinstance(last, LiteralAnnounced)
        self.assertFalse(last.fits)

    def test_totalStartsAnew(self) -> None:
        """
        Each command has the whole bound for itself.
        """
        limits = FramerLimits(max_literal=5, max_literals_total=5)
        wire = b"A {5+}\r\nabcde\r\n"
        self.assertEqual(
            commands(events([wire * 3], limits=limits)), [CommandReceived((b"A {5+}", b"abcde", b""))] * 3
        )

    def test_noVerdict(self) -> None:
        """
        Nothing goes on before it has been said what becomes of a literal.
        """
        framer, _ = self.announced(b"A {1}\r\n")
        self.assertRaises(RuntimeError, framer.next)
        framer.collectLiteral()
        self.assertIsNone(framer.next())

    def test_verdictWithoutLiteral(self) -> None:
        """
        Nothing can be said when no literal was announced, or twice.
        """
        framer = Framer()
        for verdict in (framer.collectLiteral, framer.streamLiteral, framer.refuseLiteral):
            self.assertRaises(RuntimeError, verdict)
        framer, _ = self.announced(b"A {1}\r\n")
        framer.streamLiteral()
        self.assertRaises(RuntimeError, framer.refuseLiteral)

    def test_collectTooLarge(self) -> None:
        """
        What does not fit cannot be collected; it still waits for another verdict.
        """
        framer, _ = self.announced(b"A {6}\r\n", FramerLimits(max_literal=5))
        self.assertRaises(ValueError, framer.collectLiteral)
        framer.refuseLiteral()
        framer.receive(b"B NOOP\r\n")
        self.assertEqual(framer.next(), _NEXT)

    def test_doesNotLookAhead(self) -> None:
        """
        What stands behind an event is left alone until it is asked for.
        """
        framer = Framer()
        framer.receive(b"A IDLE\r\nDONE\r\nB NOOP\r\n")
        self.assertEqual(framer.next(), CommandReceived((b"A IDLE",)))
        self.assertEqual(framer.buffered, 14)
        framer.expectLine()
        self.assertEqual(framer.next(), LineReceived(b"DONE"))
        self.assertEqual(framer.next(), _NEXT)
        self.assertIsNone(framer.next())

    def test_chunks(self) -> None:
        """
        A streamed literal comes in pieces of at most C{max_chunk}, as soon as there is something.
        """
        framer, _ = self.announced(b"A {7}\r\nab", FramerLimits(max_chunk=3))
        framer.streamLiteral()
        self.assertEqual(framer.next(), LiteralData(b"ab"))
        self.assertIsNone(framer.next())
        framer.receive(b"cdefg\r\n")
        self.assertEqual(framer.next(), LiteralData(b"cde"))
        self.assertEqual(framer.next(), LiteralData(b"fg"))
        self.assertEqual(framer.next(), CommandReceived((b"A {7}", b"", b"")))

    def test_manyLiterals(self) -> None:
        """
        A command has at most as many literals as the limit; one more does not fit.
        """
        literal = b" {1+}\r\nx"
        limits = FramerLimits(max_literals=100)
        event = commands(events([b"A" + literal * 100 + b"\r\n"], limits=limits))[-1]
        assert isinstance(event, CommandReceived)
        self.assertEqual(len(event.parts), 201)
        event = commands(events([b"A" + literal * 101 + b"\r\n"], limits=limits))[-1]
        assert isinstance(event, CommandDiscarded)
        self.assertEqual(len(event.parts), 201)


class LineTests(SynchronousTestCase):
    """
    L{Framer.expectLine}.
    """

    def test_noLiteral(self) -> None:
        """
        Nothing in such a line announces a literal.
        """
        for wire in (b"{3+}\r\nB NOOP\r\n", b"{3+}\nB NOOP\r\n"):
            framer = Framer()
            framer.expectLine()
            framer.receive(wire)
            self.assertEqual(drain(framer, refuse), [LineReceived(b"{3+}"), _NEXT])

    def test_inPieces(self) -> None:
        """
        It may arrive byte by byte.
        """
        framer = Framer()
        framer.expectLine()
        found = []
        for each in bytewise(b"dGVzdA==\r\nB NOOP\r\n"):
            framer.receive(each)
            found += drain(framer, refuse)
        self.assertEqual(found, [LineReceived(b"dGVzdA=="), _NEXT])

    def test_tooLong(self) -> None:
        """
        A line over the limit passes by, and what follows is a command again.
        """
        for cut in (1, 7, 500):
            framer = Framer(FramerLimits(max_line=20))
            framer.expectLine()
            found = []
            wire = b"A " + b"x" * 100 + b" {3+}\r\nB NOOP\r\n"
            for at in range(0, len(wire), cut):
                framer.receive(wire[at : at + cut])
                found += drain(framer, refuse)
            self.assertEqual(found, [LineTooLong(None), _NEXT])

    def test_inCommand(self) -> None:
        """
        It cannot be asked for in the middle of a command.
        """
        framer = Framer()
        framer.receive(b"A {1}\r\nx")
        framer.next()
        self.assertRaises(RuntimeError, framer.expectLine)
        framer.collectLiteral()
        framer.next()
        self.assertRaises(RuntimeError, framer.expectLine)


class MemoryTests(SynchronousTestCase):
    """
    Nothing grows without bound.
    """

    def test_endlessLine(self) -> None:
        """
        A line that never ends is not kept.
        """
        framer = Framer(FramerLimits(max_line=1000))
        for _ in range(1000):
            framer.receive(b"x" * 500)
            self.assertIsNone(framer.next())
            self.assertLessEqual(framer.buffered, 1001)

    def test_endlessLiteral(self) -> None:
        """
        A refused literal of any size is not kept.
        """
        framer = Framer()
        framer.receive(b"A {9223372036854775807+}\r\n")
        self.assertIsInstance(framer.next(), LiteralAnnounced)
        framer.refuseLiteral()
        for _ in range(1000):
            framer.receive(b"x" * 500)
            self.assertIsNone(framer.next())
            self.assertEqual(framer.buffered, 0)

    def test_tooMuchToDiscard(self) -> None:
        """
        The literals that follow in a command that is thrown away are bounded together;
        past the bound there is nothing more to be had, and nothing is kept.
        """
        limits = FramerLimits(max_line=20, max_discarded=100)
        for wire, tag in (
            (b"A X {3+}\r\nabc {99999999999999999999+}\r\n", b"A"),
            (b"A X {60+}\r\n" + b"x" * 60 + b" {41+}\r\n", b"A"),
            (b"A " + b"x" * 50 + b" {101+}\r\n", b"A"),
            (b" x {3+}\r\nabc {101+}\r\n", None),
        ):
            framer = Framer(limits)
            framer.receive(wire)
            self.assertEqual(drain(framer, refuse)[-1], TooMuchToDiscard(tag), wire)
            framer.receive(b"y" * 1000 + b"\r\nB NOOP\r\n")
            self.assertIsNone(framer.next())
            self.assertEqual(framer.buffered, 0)

    def test_justEnoughToDiscard(self) -> None:
        """
        Up to the bound, and anew for each command, the stream stays in step.
        """
        framer = Framer(FramerLimits(max_discarded=100))
        for _ in range(3):
            framer.receive(b"A X {60+}\r\n" + b"x" * 60 + b" {40+}\r\n" + b"x" * 40 + b"\r\n")
            self.assertIsInstance(drain(framer, refuse)[-1], CommandDiscarded)

    def test_discardBuffered(self) -> None:
        """
        What came before TLS is forgotten, in whatever state.
        """
        for wire in (b"", b"A STARTTLS\r\nX NOOP\r\nY", b"A {3}\r\nab", b"A {3+}\r\n"):
            framer = Framer()
            framer.receive(wire)
            event = framer.next()
            if isinstance(event, LiteralAnnounced) and event.synchronizing:
                framer.collectLiteral()
                framer.next()
            held = framer.buffered
            self.assertEqual(framer.discardBuffered(), held)
            self.assertEqual(framer.buffered, 0)
            framer.receive(b"B NOOP\r\n")
            self.assertEqual(drain(framer, collect), [_NEXT])
