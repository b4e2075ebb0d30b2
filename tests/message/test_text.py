"""
Tests for L{mailstore.message.text}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import text
from mailstore.message.structure import parse
from mailstore.message.text import bodyText, fold, headerText, partHeaderText
from tests.message.mails import brokenMessages, lines, realMessage, realMessages


class FoldTests(SynchronousTestCase):
    """
    The one way in which texts are compared.
    """

    def test_same(self) -> None:
        """
        Case, composition and compatibility forms make no difference.
        """
        for one, other in (
            ("HELLO", "hello"),
            ("STRASSE", "straße"),
            ("Ä", "ä"),
            ("a\u0308", "ä"),
            ("ＡＢＣ", "abc"),
            ("ﬁ", "fi"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ｶﾞ", "ガ"),
            ("각", "\u1100\u1161\u11a8"),
        ):
            self.assertEqual(fold(one), fold(other))

    def test_different(self) -> None:
        """
        Letters do.
        """
        self.assertNotEqual(fold("a"), fold("ä"))
        self.assertNotEqual(fold("ß"), fold("s"))

    @given(st.text(max_size=30))
    def test_twice(self, value: str) -> None:
        """
        Folding twice changes nothing, and case makes no difference.
        """
        self.assertEqual(fold(fold(value)), fold(value))
        self.assertEqual(fold(value.casefold()), fold(value))

    def test_marks(self) -> None:
        """
        A letter under a hundred thousand marks keeps some of them.
        """
        folded = fold("x" + "\u0316\u0301" * 50_000 + "y")
        self.assertTrue(len(folded) < 100)
        self.assertEqual((folded[0], folded[-1]), ("x", "y"))


class HeaderTextTests(SynchronousTestCase):
    """
    The fields of a message as text.
    """

    def test_fields(self) -> None:
        """
        Names in lower case, values decoded, in order, each as often as it is there.
        """
        message = parse(lines("Subject: =?utf-8?q?=C3=A4?=", " b", "TO: x", "to: y", "", "Subject: none"))
        self.assertEqual(headerText(message), (("subject", "ä b"), ("to", "x"), ("to", "y")))

    def test_bound(self) -> None:
        """
        Only so many characters.
        """
        self.patch(text, "MAX_TEXT", 5)
        message = parse(lines("A: 123", "B: 456", "C: 789", ""))
        self.assertEqual(headerText(message), (("a", "123"), ("b", "45")))


class BodyTextTests(SynchronousTestCase):
    """
    The text of a message's body.
    """

    def test_decoded(self) -> None:
        """
        Transfer encodings and charsets are undone.
        """
        for encoding, charset, body in (
            ("8bit", "utf-8", "hällo".encode()),
            ("quoted-printable", "utf-8", b"h=C3=A4l=\r\nlo"),
            ("base64", "iso-8859-1", b"aORs\r\nbG8="),
            ("7bit", "x-unknown", b"h\xe4llo"),
            ("binary", "", b"h\xc3\xa4llo"),
            ("nonsense", "nonsense", b"h\xe4llo"),
        ):
            message = parse(
                lines(
                    f"Content-Type: text/plain; charset={charset}",
                    f"Content-Transfer-Encoding: {encoding}",
                    "",
                    body,
                )
            )
            self.assertEqual(bodyText(message).rstrip("\n"), "hällo", encoding)

    def test_parts(self) -> None:
        """
        All texts and the messages within, in order, with their headers; no
        other part, preamble or header of a part.
        """
        message = parse(
            lines(
                "Subject: outer",
                "Content-Type: multipart/mixed; boundary=b",
                "",
                "preamble",
                "--b",
                "Content-Description: first",
                "",
                "one",
                "--b",
                "Content-Type: image/gif; name=picture",
                "",
                "two",
                "--b",
                "Content-Type: message/rfc822",
                "",
                "Subject: =?utf-8?q?=C3=A4?=",
                "",
                "three",
                "--b",
                "Content-Type: message/delivery-status",
                "",
                "four",
                "--b--",
            )
        )
        self.assertEqual(bodyText(message), "one\nSubject: ä\nthree\nfour")
        self.assertEqual(
            partHeaderText(message),
            "Content-Description: first\nContent-Type: image/gif; name=picture\n"
            "Content-Type: message/rfc822\nContent-Type: message/delivery-status",
        )

    def test_bounds(self) -> None:
        """
        Only so many characters, of whatever is there.
        """
        self.patch(text, "MAX_TEXT", 10)
        part = ("--b", "X: 123456", "", "1234567")
        message = parse(lines("Content-Type: multipart/mixed; boundary=b", "", *part * 5))
        self.assertEqual(bodyText(message), "1234567\n12")
        self.assertEqual(partHeaderText(message), "X: 123456")

    def test_japanese(self) -> None:
        """
        A real message in ISO-2022-JP is text that can be found.
        """
        found = bodyText(parse(realMessage("multi_charset/japanese_iso_2022.eml")))
        self.assertTrue(any("\u3040" <= each <= "\u30ff" for each in found), found)

    def test_real(self) -> None:
        """
        Real messages have texts, which UTF-8 can hold.
        """
        for _, data in realMessages():
            message = parse(data)
            self.assertTrue(headerText(message))
            for each in (bodyText(message), partHeaderText(message), fold(bodyText(message))):
                each.encode("utf-8")

    @given(brokenMessages)
    def test_anything(self, data: bytes) -> None:
        """
        So have broken ones.
        """
        message = parse(data)
        for _, value in headerText(message):
            fold(value).encode("utf-8")
        fold(bodyText(message)).encode("utf-8")
        partHeaderText(message).encode("utf-8")
