"""
Work is linear in the size of a message: parsing, and all that is made of it but for its renditions.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import index, structure
from mailstore.message.addresses import addresses
from mailstore.message.headers import sentDay
from mailstore.message.index import dump, load
from mailstore.message.lines import canonicalSize
from mailstore.message.sections import filterHeader
from mailstore.message.structure import parse
from mailstore.message.text import bodyText, fold, headerText, partHeaderText
from tests.message.linear import LinearTestsMixin, repeated


def work(data: bytes) -> None:
    """
    All that is done with a message when it is delivered, but for its renditions.
    """
    canonicalSize([data])
    message = parse(data)
    for _, value in headerText(message):
        fold(value)
    fold(bodyText(message))
    partHeaderText(message)
    sentDay(message)
    load(dump(message.root))
    filterHeader(data, ["subject"], True)


def nested(size: int) -> bytes:
    """
    Multiparts in multiparts.
    """
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(size // 60)
    )


MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


class LinearTests(LinearTestsMixin, SynchronousTestCase):
    """
    Messages made to be slow to read.
    """

    def test_structure(self) -> None:
        """
        Many boundary lines, lines like them, parts that have no end or whose headers have none,
        and deep nesting; also when parts are not bounded.
        """
        self.patch(structure, "MAX_PARTS", 1 << 30)
        self.patch(structure, "MAX_HEADERS", 1 << 30)
        self.patch(index, "MOST_PARTS", 1 << 30)
        for make in (
            repeated(b"--b\r\n", MULTIPART),
            repeated(b"--x\r\n", MULTIPART),
            repeated(b"--b\r\nA: b\r\n", MULTIPART),
            repeated(b"--b", MULTIPART + b"--b"),
            repeated(b"\r\n--b\r\n\r\n", MULTIPART),
            repeated(b"Content-Type: message/rfc822\r\n\r\n"),
            repeated(b"\r\n" + MULTIPART + b"--b\r\n", b"A: b"),
            nested,
        ):
            self.assertLinear(make, parse)

    def test_headers(self) -> None:
        """
        Many fields, many folds, lines that are none, long lines.
        """
        for make in (
            repeated(b"a:\r\n"),
            repeated(b"a\r\n", b"a:\r\n"),
            repeated(b"\r\n ", b"a:"),
            repeated(b"x"),
            repeated(b"x", b"a: "),
            repeated(b" "),
            repeated(b"\t \r", b"a"),
        ):
            self.assertLinear(make, work)

    def test_values(self) -> None:
        """
        Parameters, languages, dates and encoded words that do not come to an end.
        """
        for make in (
            repeated(b";", b"Content-Type: a/b"),
            repeated(b";a=", b"Content-Type: a/b"),
            repeated(b'\\"', b'Content-Type: a/b; a="'),
            repeated(b" (", b"Content-Type: a/b; a=b"),
            repeated(b"a,", b"Content-Language: "),
            repeated(b"1 ", b"Date: "),
            repeated(b" \t", b"Content-ID: x"),
            repeated(b"=?", b"Subject: "),
            repeated(b"=?a?q?", b"Subject: "),
            repeated(b"=?utf-8?q?a?= ", b"Subject: "),
        ):
            self.assertLinear(make, work)

    def test_texts(self) -> None:
        """
        Transfer encodings, charsets and marks.
        """
        printable = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        charset = b"Content-Type: text/plain; charset="
        for make in (
            repeated(b"=", printable),
            repeated(b" ", printable),
            repeated(b"=", b"Content-Transfer-Encoding: base64\r\n\r\n"),
            repeated(b"+AAAA", charset + b"utf-7\r\n\r\n"),
            repeated(b"~{", charset + b"hz\r\n\r\n"),
            repeated(b"\x1b$B", charset + b"iso-2022-jp\r\n\r\n"),
            repeated(b"a-", charset + b"punycode\r\n\r\n"),
            repeated("\u0316\u0301".encode(), b"\r\n"),
            repeated("\ufdfa".encode(), b"\r\n"),
        ):
            self.assertLinear(make, work)

    def test_addresses(self) -> None:
        """
        Address lists of whatever special character comes to mind.
        """
        for piece in (
            b"(",
            b")",
            b'\\"',
            b"(\\",
            b"<",
            b">",
            b"a<",
            b"<@",
            b"@,",
            b"a:;",
            b"a ",
            b",",
            b"a,",
            b"@",
        ):
            for before in (b"", b'"', b"<", b"<@a,"):
                self.assertLinear(repeated(piece, before), addresses, 800)
