"""
Tests for L{mailstore.imap.wire.appendargs} at the moments when a literal is announced.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.appendargs import readAppend, readAppendAnnounced
from mailstore.imap.wire.framer import CommandReceived, Framer, LiteralAnnounced
from mailstore.imap.wire.reader import Reader, ReaderLimits
from mailstore.imap.wire.values import AppendArguments, AppendMessage, ParseError


class AnnouncedTests(SynchronousTestCase):
    """
    L{readAppendAnnounced}.
    """

    def played(self, wire: bytes) -> tuple[list[AppendArguments | None], AppendArguments]:
        """
        What is read at each announcement, and at the end.  The messages are streamed.
        """
        framer = Framer()
        framer.receive(wire)
        announced = []
        while (event := framer.next()) is not None:
            if isinstance(event, LiteralAnnounced):
                announced.append(readAppendAnnounced(Reader(event.parts)))
                if announced[-1] is None:
                    framer.collectLiteral()
                else:
                    framer.streamLiteral()
            elif isinstance(event, CommandReceived):
                return announced, readAppend(Reader(event.parts))
        raise AssertionError("the command does not end")

    def test_one(self) -> None:
        """
        Before the message arrives, all that is said of it is known.
        """
        announced, whole = self.played(b'Sent (\\Seen) "01-Jan-1970 00:00:09 +0000" {5+}\r\nhello\r\n')
        self.assertEqual(whole, AppendArguments("Sent", (AppendMessage(5, ("\\Seen",), 9),)))
        self.assertEqual(announced, [whole])

    def test_mailboxAsLiteral(self) -> None:
        """
        The literal may also be the folder's name, empty or not.
        """
        for size in (0, 4):
            name = "Sent"[:size]
            wire = b"{%d}\r\n%b {2}\r\nab\r\n" % (size, name.encode())
            announced, whole = self.played(wire)
            self.assertEqual(whole, AppendArguments(name, (AppendMessage(2),)))
            self.assertEqual(announced, [None, whole])

    def test_many(self) -> None:
        """
        Each message of MULTIAPPEND is known when it is announced, with those before it.
        """
        announced, whole = self.played(b"a {1}\r\nx (b) ~{2+}\r\nxx UTF8 (~{0}\r\n) {3}\r\nabc\r\n")
        messages = (
            AppendMessage(1),
            AppendMessage(2, ("b",), binary=True),
            AppendMessage(0, binary=True, utf8=True),
            AppendMessage(3),
        )
        self.assertEqual(whole, AppendArguments("a", messages))
        self.assertEqual(announced, [AppendArguments("a", messages[:count]) for count in range(1, 5)])

    def test_wrong(self) -> None:
        """
        A command that is wrong is refused at its first announcement, before any message.
        """
        for text in (
            b"a{1}",
            b"{1}x {2}",
            b"a b {1}",
            b"a (b {1}",
            b'a "x" {1}',
            b"a UTF8 {1}",
            b"a UTF8 ({1}",
            b"% {1}",
        ):
            self.assertRaises(ParseError, readAppendAnnounced, Reader((text,)))

    def test_tooMany(self) -> None:
        """
        At the limit messages are read, one more is refused.
        """
        limits = ReaderLimits(max_items=3)
        parts: tuple[bytes, ...] = (b"a {1}", b"", b" {1}", b"", b" {1}")
        self.assertIsNotNone(readAppendAnnounced(Reader(parts, limits=limits)))
        readAppend(Reader((*parts, b"", b""), limits=limits))
        parts += (b"", b" {1}")
        self.assertRaises(ParseError, readAppendAnnounced, Reader(parts, limits=limits))
        self.assertRaises(ParseError, readAppend, Reader((*parts, b"", b""), limits=limits))
