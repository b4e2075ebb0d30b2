"""
Tests for L{mailstore.imap.wire.reader}: where it stands, and its limits.  What it
reads is in L{tests.imap.wire.test_grammar}.
"""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.acl import readAclEntry
from mailstore.imap.wire.enableargs import readEnable
from mailstore.imap.wire.extensions import EVERY_EXTENSION, Extension
from mailstore.imap.wire.fetchitems import readFetchItems
from mailstore.imap.wire.framer import Framer, LiteralAnnounced
from mailstore.imap.wire.listextended import readList
from mailstore.imap.wire.metadata import readGetMetadata
from mailstore.imap.wire.quota import readSetQuota
from mailstore.imap.wire.reader import Reader, ReaderLimits, decodeBase64
from mailstore.imap.wire.storeitems import readStoreFlags
from mailstore.imap.wire.values import ParseError
from tests.imap.wire.encoding import frame, readerOf


class PlaceTests(SynchronousTestCase):
    """
    Where a reader stands.
    """

    def test_wholeCommand(self) -> None:
        """
        Production after production, over literals, to the end.
        """
        reader = readerOf(b'A1 uid COPY 1:* {3+}\r\na b "c" {0}\r\n')
        self.assertEqual(reader.tag(), b"A1")
        reader.space()
        self.assertEqual(reader.commandName(), "UID COPY")
        reader.space()
        self.assertEqual(reader.sequenceSet().ranges, ((1, 0),))
        reader.space()
        self.assertEqual(reader.peek(), b"{")
        self.assertEqual(reader.astring(), b"a b")
        self.assertEqual(reader.peek(), b" ")
        reader.space()
        self.assertEqual(reader.string(), b"c")
        reader.space()
        self.assertFalse(reader.atEnd)
        self.assertRaises(ParseError, reader.end)
        self.assertEqual(reader.astring(), b"")
        self.assertTrue(reader.atEnd)
        self.assertEqual(reader.peek(), b"")
        reader.end()

    def test_acceptAndExpect(self) -> None:
        """
        Fixed bytes are read if they are there, and only then.
        """
        reader = Reader((b"(a",))
        self.assertFalse(reader.accept(b"a"))
        self.assertTrue(reader.accept(b"("))
        self.assertRaises(ParseError, reader.expect, b"(")
        reader.expect(b"a")
        self.assertFalse(reader.accept(b"a"))
        reader.end()

    def test_lookAhead(self) -> None:
        """
        What comes next can be seen without being read.
        """
        reader = Reader((b" (a",))
        self.assertFalse(reader.acceptBefore(b" ", b"["))
        self.assertFalse(reader.ahead(re.compile(rb"\(")))
        self.assertTrue(reader.acceptBefore(b" ", b"("))
        self.assertTrue(reader.ahead(re.compile(rb"\(a")))
        self.assertEqual(reader.peek(), b"(")
        self.assertRaises(ParseError, reader.end)

    def test_extensions(self) -> None:
        """
        A reader knows the extensions that it was told of, and the base always.
        """
        reader = Reader((b"",), extensions=frozenset({Extension.BINARY}))
        self.assertTrue(reader.has(None))
        self.assertTrue(reader.has(Extension.BINARY))
        self.assertFalse(reader.has(Extension.PREVIEW))
        self.assertFalse(Reader((b"",)).has(Extension.BINARY))
        self.assertEqual(EVERY_EXTENSION, set(Extension))

    def test_space(self) -> None:
        """
        One space and no other white space; a missing argument is named as such.
        """
        for wire, sentence in ((b"", "An argument is missing"), (b"\ta", "Expected a space")):
            error = self.assertRaises(ParseError, Reader((wire,)).space)
            self.assertEqual(str(error), sentence)
        reader = Reader((b"  a",))
        reader.space()
        self.assertRaises(ParseError, reader.atom)

    def test_everyByteOfWords(self) -> None:
        """
        Of all 256 bytes, words take exactly those of their class.
        """
        specials = {
            "atom": b'({) %*"\\]',
            "astring": b'({) %*"\\',
            "tag": b'({) %*"\\+',
            "listMailbox": b'({) "\\',
        }
        for method, refused in specials.items():
            taken = set()
            for each in range(256):
                try:
                    getattr(Reader((bytes([each]),)), method)()
                except ParseError:
                    continue
                taken.add(each)
            self.assertEqual(taken, set(range(0x21, 0x7F)) - set(refused), method)

    def test_everyByteInQuoted(self) -> None:
        """
        In quotes everything is taken but NUL, CR, LF and the two specials,
        which need a backslash.
        """
        taken: set[int] = set()
        escaped: set[int] = set()
        for each in range(256):
            for wire, found in ((b'"%c"' % each, taken), (b'"\\%c"' % each, escaped)):
                reader = Reader((wire,))
                try:
                    value = reader.string()
                    reader.end()
                except ParseError:
                    continue
                self.assertEqual(value, bytes([each]))
                found.add(each)
        self.assertEqual(taken, set(range(256)) - set(b'\0\r\n"\\'))
        self.assertEqual(escaped, set(b'"\\'))

    def test_literalAnnounced(self) -> None:
        """
        At the announcement of a literal that has not come, its size can be
        read, but it is no string.
        """
        framer = Framer()
        framer.receive(b"A {3}\r\nabc {0+}\r\n")
        event = framer.next()
        assert isinstance(event, LiteralAnnounced)
        framer.collectLiteral()
        event = framer.next()
        assert isinstance(event, LiteralAnnounced)
        reader = Reader(event.parts)
        reader.atom()
        reader.space()
        self.assertFalse(reader.atPendingLiteral)
        self.assertEqual(reader.string(), b"abc")
        self.assertFalse(reader.atPendingLiteral)
        reader.space()
        self.assertTrue(reader.atPendingLiteral)
        self.assertRaises(ParseError, Reader(event.parts[2:]).string)
        self.assertEqual(reader.literal(), (0, False))
        reader.end()

    def test_literalStreamed(self) -> None:
        """
        A literal that was streamed has a size and is no string.
        """
        parts = (b"~{3}", b"", b" x")
        reader = Reader(parts)
        self.assertEqual(reader.literal(), (3, True))
        reader.space()
        self.assertEqual(reader.atom(), b"x")
        self.assertRaises(ParseError, Reader((b"{3}", b"", b"")).astring)


class Base64Tests(SynchronousTestCase):
    """
    Base64 in commands and answers.
    """

    def test_initialResponse(self) -> None:
        """
        C{=} stands for no bytes (RFC 4959 section 3).
        """
        for wire, value in ((b"=", b""), (b"AGEAYg==", b"\0a\0b"), (b"YWJj", b"abc")):
            reader = Reader((wire,))
            self.assertEqual(reader.base64(), value)
            reader.end()

    def test_answer(self) -> None:
        """
        An answer may be empty; what is cut short, padded wrongly or cancelled is no base64.
        """
        self.assertEqual(decodeBase64(b""), b"")
        self.assertEqual(decodeBase64(b"YQ=="), b"a")
        for wire in (
            b"*",
            b"Y",
            b"YQ",
            b"YQ=",
            b"YQ===",
            b"Y Q=",
            b"=",
            b"YQ==YQ==",
            b"\xff",
            b"YW-j",
            b"YWJj\n",
        ):
            self.assertRaises(ParseError, decodeBase64, wire)


def _times(count: int, item: bytes) -> bytes:
    return b" ".join([item] * count)


class LimitTests(SynchronousTestCase):
    """
    L{ReaderLimits}: each at its bound and one over it.
    """

    limits = ReaderLimits(max_ranges=3, max_items=3, max_part_depth=3)

    def test_ranges(self) -> None:
        """
        Ranges in a sequence set.
        """
        self.assertEqual(len(readerOf(b"1,2,3", limits=self.limits).sequenceSet().ranges), 3)
        self.assertRaises(ParseError, readerOf(b"1,2,3,4", limits=self.limits).sequenceSet)
        self.assertRaises(ParseError, readerOf(b"1," * 10_000 + b"1").sequenceSet)

    def test_items(self) -> None:
        """
        Items of a list, with and without parentheses.
        """
        self.assertEqual(readerOf(b"(a b c)", limits=self.limits).flagList(), ("a", "b", "c"))
        self.assertRaises(ParseError, readerOf(b"(a b c d)", limits=self.limits).flagList)
        readStoreFlags(readerOf(b"FLAGS a b c", limits=self.limits))
        self.assertRaises(ParseError, readStoreFlags, readerOf(b"FLAGS a b c d", limits=self.limits))
        readFetchItems(readerOf(b"(UID UID UID)", limits=self.limits))
        self.assertRaises(ParseError, readFetchItems, readerOf(b"(UID UID UID UID)", limits=self.limits))
        readFetchItems(readerOf(b"BODY[HEADER.FIELDS (a b c)]", limits=self.limits))
        self.assertRaises(
            ParseError, readFetchItems, readerOf(b"BODY[HEADER.FIELDS (a b c d)]", limits=self.limits)
        )

    def test_name(self) -> None:
        """
        Bytes in a mailbox name, in every way to write one.
        """
        limits = ReaderLimits(max_name=6)
        for utf8, long, longer in (
            (False, b"&APw-a", b"&APw-aa"),
            (False, '"üüü"'.encode(), '"aüüü"'.encode()),
            (True, b"{6}\r\naaaaaa", b"{7}\r\naaaaaaa"),
        ):
            for method in ("mailbox", "listMailbox"):
                getattr(readerOf(long, utf8, limits), method)()
                self.assertRaises(ParseError, getattr(readerOf(longer, utf8, limits), method))

    def test_extensions(self) -> None:
        """
        Patterns of LIST, options of any kind, identifiers, quota roots and entries.
        """
        limits = ReaderLimits(max_patterns=2, max_items=3, max_name=9)
        for read, fits, too_much in (
            (readList, b'"" (a b)', b'"" (a b c)'),
            (
                readList,
                b'"" a RETURN (CHILDREN CHILDREN CHILDREN)',
                b'"" a RETURN (%b)' % b" ".join([b"CHILDREN"] * 4),
            ),
            (readEnable, b"a b c", b"a b c d"),
            (readSetQuota, b"a (b 1 c 1 d 1)", b"a (b 1 c 1 d 1 e 1)"),
            (readSetQuota, b"aaaaaaaaa ()", b"aaaaaaaaaa ()"),
            (readAclEntry, b"a bbbbbbbbb", b"a bbbbbbbbbb"),
            (readGetMetadata, b"a /shared/b", b"a /shared/bb"),
            (
                readGetMetadata,
                b"a (/shared/a /shared/b /shared/c)",
                b"a (%b)" % b" ".join([b"/shared/a"] * 4),
            ),
        ):
            for wire, fails in ((fits, False), (too_much, True)):
                reader = Reader(frame(wire), extensions=EVERY_EXTENSION, limits=limits)
                if fails:
                    self.assertRaises(ParseError, read, reader)
                else:
                    read(reader)
                    reader.end()

    def test_partDepth(self) -> None:
        """
        Numbers in the number of a part.
        """
        readFetchItems(readerOf(b"BODY[1.2.3]", limits=self.limits))
        self.assertRaises(ParseError, readFetchItems, readerOf(b"BODY[1.2.3.4]", limits=self.limits))
        self.assertRaises(ParseError, readFetchItems, readerOf(b"BODY[1%b]" % (b".1" * 5000)))
