"""
Tests for L{mailstore.imap.wire.writer}: what no reader of ours reads back.  The rest
is in L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import writer
from mailstore.imap.wire.framer import CommandReceived, Framer
from tests.imap.wire.strategies import examples


class StringTests(SynchronousTestCase):
    """
    Strings.
    """

    def test_everyByte(self) -> None:
        """
        Every byte is quoted if it can be in a quoted string, escaped if it has to be,
        and in a literal otherwise; NUL is replaced.
        """
        for each in range(256):
            byte = bytes([each])
            if byte in b'"\\':
                expected = b'"\\%b"' % byte
            elif 0 < each < 0x80 and byte not in b"\r\n":
                expected = b'"%b"' % byte
            else:
                expected = b"{1}\r\n" + (byte if each else b"\x80")
            self.assertEqual(writer.string(byte), expected)

    def test_utf8(self) -> None:
        """
        UTF-8 is quoted for those who asked for it, and nothing else of 8 bits.
        """
        self.assertEqual(writer.string("ü".encode(), utf8=True), '"ü"'.encode())
        self.assertEqual(writer.string("ü".encode()), "{2}\r\nü".encode())
        for data in (b"\xff", b"\xc3\xbc\n", b"\xc3\xbc\r", b"\xc3\xbc\0", b"\xed\xa0\x80"):
            self.assertTrue(writer.string(data, utf8=True).startswith(b"{"), data)
            self.assertRaises(ValueError, writer.quoted, data, True)

    def test_literals(self) -> None:
        """
        Literals of any bytes, and the head of one that is sent afterwards.
        """
        self.assertEqual(writer.literal(b""), b"{0}\r\n")
        self.assertEqual(writer.literal(b"a\0\r\n"), b"{4}\r\na\x80\r\n")
        self.assertEqual(writer.literal8(b"a\0"), b"~{2}\r\na\0")
        self.assertEqual(writer.literalHead(310), b"{310}\r\n")
        self.assertEqual(writer.literal8Head(310), b"~{310}\r\n")

    def test_binary(self) -> None:
        """
        Only a NUL makes it a C{literal8}; what a client has not asked for is never in quotes.
        """
        self.assertEqual(writer.nstring8(None), b"NIL")
        self.assertEqual(writer.nstring8(b"a"), b'"a"')
        self.assertEqual(writer.nstring8(b"\xff"), b"{1}\r\n\xff")
        self.assertEqual(writer.nstring8("ü".encode()), "{2}\r\nü".encode())
        self.assertEqual(writer.nstring8("ü".encode(), utf8=True), '"ü"'.encode())
        self.assertEqual(writer.nstring8(b"\0"), b"~{1}\r\n\0")

    def test_mailbox(self) -> None:
        """
        A name is a word if it can be, but never C{NIL}; half a surrogate pair is no name.
        """
        self.assertEqual(writer.mailbox("Sent"), b"Sent")
        self.assertEqual(writer.mailbox("nil"), b'"nil"')
        self.assertEqual(writer.mailbox(""), b'""')
        self.assertEqual(writer.mailbox("a%b"), b'"a%b"')
        self.assertEqual(writer.mailbox("ü", utf8=True), '"ü"'.encode())
        self.assertRaises(UnicodeEncodeError, writer.mailbox, "\ud800")
        self.assertRaises(UnicodeEncodeError, writer.mailbox, "\ud800", True)


class NumberTests(SynchronousTestCase):
    """
    Numbers and times.
    """

    def test_numbers(self) -> None:
        """
        Numbers with spaces, and sets of ranges.
        """
        self.assertEqual(writer.numbers([]), b"")
        self.assertEqual(writer.numbers([3, 1, 4294967295]), b"3 1 4294967295")
        self.assertEqual(writer.numberSet([(3, 3)]), b"3")
        self.assertEqual(writer.numberSet([(3, 3), (5, 9)]), b"3,5:9")

    def test_flags(self) -> None:
        """
        Flags in parentheses.
        """
        self.assertEqual(writer.flagList([]), b"()")
        self.assertEqual(writer.flagList(("\\Seen", "$Junk")), b"(\\Seen $Junk)")

    def test_internalDate(self) -> None:
        """
        The first and the last time that can be written, and times that cannot.
        """
        self.assertEqual(writer.internalDate(-62135596800), b'" 1-Jan-0001 00:00:00 +0000"')
        self.assertEqual(writer.internalDate(253402300799), b'"31-Dec-9999 23:59:59 +0000"')
        self.assertEqual(writer.internalDate(0, -90), b'"31-Dec-1969 22:30:00 -0130"')
        for epoch in (-62135596801, 253402300800):
            self.assertRaises(ValueError, writer.internalDate, epoch)


class StatusTests(SynchronousTestCase):
    """
    Responses with a text.
    """

    def test_status(self) -> None:
        """
        With and without a code.
        """
        self.assertEqual(writer.status(b"A1", b"OK", "Done"), b"A1 OK Done\r\n")
        self.assertEqual(
            writer.status(b"*", b"NO", "There is no such folder", b"TRYCREATE"),
            b"* NO [TRYCREATE] There is no such folder\r\n",
        )

    def test_texts(self) -> None:
        """
        What cannot be shown is escaped, what looks like a code does not begin a text,
        what looks like a literal does not end one, and nothing is empty.
        """
        for sentence, ascii, utf8 in (
            ("a\r\nb\0", b"a\\r\\nb\\x00", b"a\\r\\nb\\x00"),
            ("ü\u2028\ud800", b"\\xfc\\u2028\\ud800", "ü\\u2028\\ud800".encode()),
            ("[ALERT] x", b"- [ALERT] x", b"- [ALERT] x"),
            ("", b"- ", b"- "),
            ("a {5}", b"a {5}.", b"a {5}."),
        ):
            self.assertEqual(writer.text(sentence), ascii)
            self.assertEqual(writer.text(sentence, utf8=True), utf8)

    def test_long(self) -> None:
        """
        A long text is cut, and not in the middle of a character.
        """
        self.assertEqual(writer.text("x" * 9999), b"x" * 500)
        self.assertEqual(writer.text("x" + "ü" * 9999, utf8=True), ("x" + "ü" * 249).encode())

    @examples
    @given(st.text(), st.booleans())
    def test_anyText(self, sentence: str, utf8: bool) -> None:
        """
        Whatever the sentence, it is one line of one response.
        """
        line = writer.status(b"A1", b"NO", sentence, b"X", utf8)
        framer = Framer()
        framer.receive(line)
        self.assertEqual(framer.next(), CommandReceived((line[:-2],)))
        self.assertIsNone(framer.next())
        line.decode("utf-8" if utf8 else "ascii")
