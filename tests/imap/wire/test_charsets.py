"""
Tests for L{mailstore.imap.wire.charsets}.
"""

from __future__ import annotations

import codecs
import encodings

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire import charsets
from mailstore.imap.wire.charsets import codecOf, decodeText
from mailstore.imap.wire.values import ParseError, UnknownCharset
from tests.imap.wire.strategies import examples


class CharsetTests(SynchronousTestCase):
    """
    L{codecOf} and L{decodeText}.
    """

    def setUp(self) -> None:
        """
        Find all codecs that a name leads to, each once.
        """
        self.codecs = set()
        for name in charsets._NAMES:
            try:
                self.codecs.add(codecs.lookup(codecOf(name.encode())).name)
            except UnknownCharset:
                pass

    def test_names(self) -> None:
        """
        Names as IANA and as clients spell them, in any case.
        """
        for name, text, wire in (
            (b"US-ASCII", "a", b"a"),
            (b"utf-8", "ü", b"\xc3\xbc"),
            (b"UTF8", "ü", b"\xc3\xbc"),
            (b"ISO-8859-1", "ü", b"\xfc"),
            (b"iso_8859-1:1987", "ü", b"\xfc"),
            (b"latin1", "ü", b"\xfc"),
            (b"ISO-8859-15", "€", b"\xa4"),
            (b"windows-1252", "€", b"\x80"),
            (b"KOI8-R", "а", b"\xc1"),
            (b"koi8-u", "ї", b"\xa7"),
            (b"Shift_JIS", "日", b"\x93\xfa"),
            (b"ISO-2022-JP", "日", b"\x1b$BF|\x1b(B"),
            (b"Big5", "日", b"\xa4\xe9"),
            (b"GB18030", "日", b"\xc8\xd5"),
            (b"UTF-16BE", "日", b"\x65\xe5"),
            (b"utf-16", "日", b"\xfe\xff\x65\xe5"),
        ):
            self.assertEqual(decodeText(wire, codecOf(name)), text, name)

    def test_unknown(self) -> None:
        """
        What is no character set is unknown, also if Python has a codec of that name.
        """
        for name in (
            b"",
            b"nonsense",
            b"\xff",
            b"utf-8\x00",
            b"hex",
            b"base64",
            b"zip",
            b"rot13",
            b"idna",
            b"punycode",
            b"unicode_escape",
            b"undefined",
            b"aliases",
            b"__init__",
            b"../utf-8",
            b"x" * 5000,
        ):
            self.assertRaises(UnknownCharset, codecOf, name)

    def test_nothingRemembered(self) -> None:
        """
        Names from the wire do not fill Python's memory of names.
        """
        cache: dict[str, object] = encodings._cache
        for each in range(10):
            self.assertRaises(UnknownCharset, codecOf, b"made-up-%d" % each)
        self.assertEqual([name for name in cache if "made" in name], [])

    @examples
    @given(st.binary(max_size=20))
    def test_anyBytes(self, data: bytes) -> None:
        """
        In every character set, any bytes are text or an error.
        """
        for codec in self.codecs:
            try:
                decodeText(data, codec)
            except ParseError:
                pass
