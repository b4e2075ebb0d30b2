"""
Tests for L{mailstore.message.words}.
"""

from __future__ import annotations

import encodings
import itertools
from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message.words import (
    codecFor,
    decodeBase64,
    decodeBase64Pieces,
    decodeCharset,
    decodeQuotedPrintable,
    decodeWords,
)


class CharsetTests(SynchronousTestCase):
    """
    Charsets by the names that mail has for them.
    """

    def test_names(self) -> None:
        """
        Names in any case and spelling, and those for which a superset is meant.
        """
        for name, data, text in (
            ("utf-8", b"\xc3\xa4", "ä"),
            ("UTF8", b"\xc3\xa4", "ä"),
            ("ISO-8859-1", b"\xe4", "ä"),
            ("iso_8859_15", b"\xa4", "€"),
            ("Windows-1252", b"\x80", "€"),
            ("koi8-r", b"\xc1", "а"),
            ("KOI8-U", b"\xa4", "є"),
            ("GB2312", "鎔".encode("gbk"), "鎔"),
            ("ks_c_5601-1987", "똠".encode("cp949"), "똠"),
            ("Shift_JIS", "①".encode("cp932"), "①"),
            ("x-sjis", "あ".encode("cp932"), "あ"),
            ("iso-2022-jp", b'\x1b$B$"\x1b(B', "あ"),
            ("Big5", "中".encode("big5"), "中"),
            ("windows-874", "ก".encode("cp874"), "ก"),
            ("utf-16", "a".encode("utf-16"), "a"),
        ):
            self.assertEqual(decodeCharset(data, name), text, name)

    def test_unknown(self) -> None:
        """
        With a charset that nobody knows, that is ASCII or is no charset of
        text, bytes are UTF-8 if they can be, or Latin-1.
        """
        for name in (
            "",
            "x-unknown",
            "us-ascii",
            "base64",
            "rot13",
            "zlib",
            "punycode",
            "idna",
            "tis260",
            "ä",
            "unicode_escape",
            "../os",
        ):
            self.assertEqual(decodeCharset(b"\xc3\xa4", name), "ä", name)
            self.assertEqual(decodeCharset(b"\xe4", name), "ä", name)

    def test_nothingLookedUp(self) -> None:
        """
        A name that is unknown is not left to Python's codec search, which would
        keep it for ever.
        """
        before = len(encodings._cache)
        for at in range(10):
            decodeCharset(b"\xff", f"nonsense-{at}")
        self.assertEqual(len(encodings._cache), before)

    def test_malformed(self) -> None:
        """
        Bytes that the charset lacks are replaced.
        """
        self.assertEqual(decodeCharset(b"a\xffb", "utf-8"), "a\ufffdb")

    @given(st.binary(max_size=30))
    def test_anything(self, data: bytes) -> None:
        """
        Every codec there is gives text for every bytes, that UTF-8 can hold.
        """
        for name in (
            "utf-7",
            "utf-16",
            "utf-32",
            "iso-2022-jp",
            "iso-2022-kr",
            "hz",
            "euc-jp",
            "big5hkscs",
            "cp037",
        ):
            self.assertIsNotNone(codecFor(name))
            decodeCharset(data, name).encode("utf-8")

    def test_halfSurrogate(self) -> None:
        """
        UTF-7 can write half a surrogate pair, which is no text.
        """
        self.assertNotIn("\ud800", decodeCharset(b"+2AA-", "utf-7"))


class TransferTests(SynchronousTestCase):
    """
    Transfer encodings, also broken ones.
    """

    def test_base64(self) -> None:
        """
        What is no base64 is passed over, and what is incomplete left out.
        """
        for data, expected in (
            (b"YWJj", b"abc"),
            (b"YW\r\n Jj", b"abc"),
            (b"YWI=", b"ab"),
            (b"YWI", b"ab"),
            (b"YQ", b"a"),
            (b"Y", b""),
            (b"YWJjZ", b"abc"),
            (b"Y!W?J-j", b"abc"),
            (b"====", b""),
            (b"", b""),
        ):
            self.assertEqual(decodeBase64(data), expected, data)

    def test_quotedPrintable(self) -> None:
        """
        Soft line ends go; what is no escape stays.
        """
        self.assertEqual(decodeQuotedPrintable(b"a=3Db=\r\nc=ZZ ="), b"a=bc=ZZ ")
        self.assertEqual(decodeQuotedPrintable(b"a_b", header=True), b"a b")

    @given(st.binary(max_size=40))
    def test_anything(self, data: bytes) -> None:
        """
        No bytes raise.
        """
        decodeBase64(data)
        decodeQuotedPrintable(data)
        decodeQuotedPrintable(data, header=True)

    @given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6), st.integers(1, 200))
    def test_base64Pieces(self, data: bytes, cuts: list[int], most: int) -> None:
        """
        Base64 in pieces is decoded as if it were whole, wherever it is cut, as far as is asked for.
        """
        for text in (data, b64encode(data), b64encode(data).replace(b"A", b"\r\n")):
            places = [0, *sorted(min(each, len(text)) for each in cuts), len(text)]
            pieces = [text[a:b] for a, b in itertools.pairwise(places)]
            whole = decodeBase64(text)
            self.assertEqual(decodeBase64Pieces(pieces, len(text) + 1), whole)
            self.assertEqual(decodeBase64Pieces(pieces, most)[:most], whole[:most])


class WordTests(SynchronousTestCase):
    """
    Encoded words (RFC 2047).
    """

    def test_examples(self) -> None:
        """
        The examples of RFC 2047 section 8, and what is found besides.
        """
        for value, expected in (
            (b"plain", "plain"),
            (b"=?ISO-8859-1?Q?a?=", "a"),
            (b"=?ISO-8859-1?Q?a?= b", "a b"),
            (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
            (b"=?ISO-8859-1?Q?a?=   =?ISO-8859-1?Q?b?=", "ab"),
            (b"=?ISO-8859-1?Q?a_b?=", "a b"),
            (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
            (b"x =?utf-8?b?w6Q=?= y", "x ä y"),
            (b"x=?utf-8?b?w6Q=?=y", "xäy"),
            (b" =?utf-8?b?w6Q=?=", " ä"),
            # A character cut in two.
            (b"=?utf-8?q?=C3?= =?UTF-8?q?=A4?=", "ä"),
            # A language (RFC 2231 section 5).
            (b"=?utf-8*de?q?=C3=A4?=", "ä"),
            # Not allowed and common: a space, no end.
            (b"=?utf-8?q?=C3=A4 b?=", "ä b"),
            (b"=?utf-8?q?abc", "=?utf-8?q?abc"),
            (b"=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
            (b"=?none?b?VEVTVA=?=", "TEST"),
            (b"\xc3\xa4 =?utf-8?q?=C3=A4?=", "ä ä"),
        ):
            self.assertEqual(decodeWords(value), expected, value)

    @given(
        st.lists(
            st.sampled_from(
                [b"=?", b"?=", b"utf-8", b"utf-7", b"?q?", b"?b?", b"=C3", b"+2AA", b" ", b"\xff"]
            )
        )
    )
    def test_anything(self, pieces: list[bytes]) -> None:
        """
        No value raises, and all give text.
        """
        decodeWords(b"".join(pieces)).encode("utf-8")
