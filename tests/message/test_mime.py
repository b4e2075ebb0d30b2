"""
Tests for L{mailstore.message.mime}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import mime
from mailstore.message.mime import contentFields, contentType, disposition, encoding, languages, parameters


class ParameterTests(SynchronousTestCase):
    """
    Parameters as mail writes them.
    """

    def test_values(self) -> None:
        """
        Tokens, quoted strings, and what is neither.
        """
        for value, expected in (
            (b"", ()),
            (b"; a=b", ((b"a", b"b"),)),
            (b";A=B;c=d", ((b"a", b"B"), (b"c", b"d"))),
            (b'; a="b; c=d"; e=f', ((b"a", b"b; c=d"), (b"e", b"f"))),
            (b'; a="b\\"c\\\\"', ((b"a", b'b"c\\'),)),
            (b'; a="open; b=c', ((b"a", b"open; b=c"),)),
            (b'; a="x" junk; b=c', ((b"a", b"x"), (b"b", b"c"))),
            (b'; a=""', ((b"a", b""),)),
            (b"; a=", ((b"a", b""),)),
            (b"; a = b ; c=d", ((b"a", b"b"), (b"c", b"d"))),
            (b"; name=my file (1).pdf; x=y", ((b"name", b"my file (1).pdf"), (b"x", b"y"))),
            (b"; charset=us-ascii (Plain text)", ((b"charset", b"us-ascii"),)),
            (b"; a; b=c;; =d; e", ((b"b", b"c"),)),
            (b"; a=1; A=2", ((b"a", b"1"),)),
            (b"; a=b=c", ((b"a", b"b=c"),)),
            (b"; a=\xff", ((b"a", b"\xff"),)),
        ):
            self.assertEqual(parameters(value), expected, value)

    def test_continuations(self) -> None:
        """
        What comes in sections is put together (RFC 2231 section 6), and a section alone is left alone.
        """
        for value, expected in (
            (b"; n*0*=utf-8''%20; n*1*=%41", ((b"n*", b"utf-8''%20%41"),)),
            (b'; n*0="a b"; x=y; n*1=c', ((b"n", b"a bc"), (b"x", b"y"))),
            (b"; n*1=b; n*2=c; n*0=a", ((b"n", b"abc"),)),
            (b"; n*0*=utf-8'en'a; n*1=\"b c%\"", ((b"n*", b"utf-8'en'ab%20c%25"),)),
            (b'; n*0="a b"; n*1*=%41', ((b"n*", b"''a%20b%41"),)),
            (b"; n*0=a; n*2=c", ((b"n", b"a"), (b"n*2", b"c"))),
            (b"; n*1=b", ((b"n*1", b"b"),)),
            (b"; n=z; n*0=a; n*1=b", ((b"n", b"z"),)),
            (b"; n*00=a; n*01=b", ((b"n*00", b"a"), (b"n*01", b"b"))),
            (b"; n*=utf-8''x", ((b"n*", b"utf-8''x"),)),
            (b"; boundary*0=x; boundary*1=y", ((b"boundary", b"xy"),)),
        ):
            self.assertEqual(parameters(value), expected, value)

    def test_bound(self) -> None:
        """
        Only so many are kept.
        """
        found = parameters(b"".join(b";a%d=b" % at for at in range(1000)))
        self.assertEqual(len(found), mime.MAX_PARAMS)

    @given(
        st.lists(
            st.sampled_from([b";", b"=", b'"', b"\\", b"(", b")", b" ", b"a", b"b", b"a*0", b"a*1*", b"\xff"])
        )
    )
    def test_anything(self, pieces: list[bytes]) -> None:
        """
        Any value has parameters, each name once and none empty.
        """
        names = [name for name, _ in parameters(b"".join(pieces))]
        self.assertEqual(len(set(names)), len(names))
        self.assertNotIn(b"", names)


class ValueTests(SynchronousTestCase):
    """
    The other values.
    """

    def test_contentType(self) -> None:
        """
        A type and a subtype, or nothing.
        """
        self.assertEqual(contentType(b" Text / HTML ; a=b"), (b"text", b"html", ((b"a", b"b"),)))
        self.assertEqual(contentType(b"text/plain junk; a=b"), (b"text", b"plain", ((b"a", b"b"),)))
        self.assertEqual(contentType(b"application/vnd.x+y"), (b"application", b"vnd.x+y", ()))
        for value in (b"", b"text", b"text/", b"/html", b'"text"/plain', b"(comment)text/plain"):
            self.assertIsNone(contentType(value), value)

    def test_disposition(self) -> None:
        """
        A kind with parameters, or nothing.
        """
        self.assertEqual(disposition(b"INLINE"), (b"inline", ()))
        self.assertEqual(disposition(b"attachment; filename=x"), (b"attachment", ((b"filename", b"x"),)))
        for value in (b"", b"; filename=x", b'"inline"'):
            self.assertIsNone(disposition(value), value)

    def test_encoding(self) -> None:
        """
        The first token, or C{7bit} when that is no encoding and there is more.
        """
        for value, expected in (
            (b"Base64", b"base64"),
            (b"quoted-printable;", b"quoted-printable"),
            (b"", b"7bit"),
            (b";", b"7bit"),
            (b"7-bit", b"7-bit"),
            (b"8bit (really)", b"8bit"),
            (b"8bit really", b"8bit"),
            (b"X-uuencode", b"x-uuencode"),
            (b"x-none (at all)", b"x-none"),
            (b"text/html", b"7bit"),
            (b"quoted printable", b"7bit"),
        ):
            self.assertEqual(encoding(value), expected)

    def test_languages(self) -> None:
        """
        Tags, as many as are kept.
        """
        self.assertEqual(languages(b"de, en-GB (British)"), (b"de", b"en-GB", b"British"))
        self.assertEqual(languages(b""), ())
        self.assertEqual(len(languages(b"a," * 1000)), mime.MAX_LANGUAGES)

    def test_contentFields(self) -> None:
        """
        The first of each, in any case, and no other field.
        """
        self.assertEqual(
            contentFields(b"A: b\r\nCONTENT-ID: 1\r\n 2\r\ncontent-id: 3\r\nContent-Foo: x\r\n\r\n"),
            {b"id": b"1 2"},
        )
