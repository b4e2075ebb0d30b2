"""
Tests for L{mailstore.imap.renditions}.
"""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from imapclient.response_parser import parse_fetch_response
from twisted.mail.imap4 import parseNestedParens
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.renditions import RENDITIONS, body, bodyStructure, envelope
from mailstore.message.structure import MAX_DEPTH, Message, Part, parse
from tests.message.imapsyntax import Value, checkBody, checkEnvelope, read
from tests.message.mails import brokenMessages, lines, realMessage, realMessages, served


def fetchLine(message: Message) -> bytes:
    """
    A FETCH response with all renditions, without its line end.
    """
    items = b" ".join(name.upper().encode() + b" " + make(message) for name, make in RENDITIONS.items())
    return b"* 1 FETCH (UID 7 " + items + b")"


def imaplibPieces(line: bytes) -> list[Any]:
    """
    A FETCH response as C{imaplib} hands it on: cut after each literal.
    """
    rest = line.removeprefix(b"* ").replace(b" FETCH", b"", 1)
    pieces: list[Any] = []
    position = 0
    while True:
        # What looks like a literal in a quoted string never ends its line.
        match = re.compile(rb"\{(\d+)\}\r\n").search(rest, position)
        if match is None:
            pieces.append(rest[position:])
            return pieces
        end = match.end() + int(match[1])
        pieces.append((rest[position : match.end() - 2], rest[match.end() : end]))
        position = end


class EnvelopeTests(SynchronousTestCase):
    """
    ENVELOPE (RFC 9051 section 7.5.2).
    """

    def test_full(self) -> None:
        """
        All ten members, in their order; strings unfolded and not decoded.
        """
        message = parse(
            lines(
                "Message-ID: <1@x>",
                "In-Reply-To: <0@x>",
                "Bcc: b@c",
                "Cc: c@c",
                'To: "Bo \\"B\\" X" <t@c>, u@c',
                "Reply-To: r@c",
                "Sender: s@c",
                "From: Ann <f@c>",
                "Subject: =?utf-8?q?=C3=A4?=",
                '\t"b"',
                "Date: Mon, 2 May 2005 10:00:00 +0200",
                "",
            )
        )
        self.assertEqual(
            envelope(message),
            b'("Mon, 2 May 2005 10:00:00 +0200" "=?utf-8?q?=C3=A4?=\t\\"b\\"" '
            b'(("Ann" NIL "f" "c")) ((NIL NIL "s" "c")) ((NIL NIL "r" "c")) '
            b'(("Bo \\"B\\" X" NIL "t" "c")(NIL NIL "u" "c")) '
            b'((NIL NIL "c" "c")) ((NIL NIL "b" "c")) "<0@x>" "<1@x>")',
        )

    def test_absent(self) -> None:
        """
        What is not there is NIL.
        """
        for data in (b"", b"\r\nFrom: a@b\r\n", b"no header"):
            self.assertEqual(envelope(parse(data)), b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)")

    def test_empty(self) -> None:
        """
        A string that is there and empty is an empty string; a list is NIL.
        """
        names = (
            "Date",
            "Subject",
            "From",
            "Sender",
            "Reply-To",
            "To",
            "Cc",
            "Bcc",
            "In-Reply-To",
            "Message-ID",
        )
        message = parse(lines(*(f"{name}: " for name in names), ""))
        self.assertEqual(envelope(message), b'("" "" NIL NIL NIL NIL NIL NIL "" "")')

    def test_sender(self) -> None:
        """
        Sender and Reply-To that are absent, empty or hold no address are as From.
        """
        for more in ((), ("Sender:", "Reply-To: "), ("Sender: ()", "Reply-To: ,,")):
            value = read(envelope(parse(lines("From: A <a@b>, c@d", *more, ""))))
            expected = ((b"A", None, b"a", b"b"), (None, None, b"c", b"d"))
            self.assertEqual(value[2:5], (expected, expected, expected))

    def test_groups(self) -> None:
        """
        A group is opened by an address with its name, and closed by one of four NIL.
        """
        message = parse(lines("To: G: a@b;, undisclosed-recipients:;", ""))
        self.assertIn(
            b'((NIL NIL "G" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)'
            b'(NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))',
            envelope(message),
        )

    def test_noHost(self) -> None:
        """
        An address without a host is not taken for a group.
        """
        self.assertIn(b'((NIL NIL "root" ""))', envelope(parse(lines("To: root", ""))))

    def test_severalFields(self) -> None:
        """
        The first string of several counts; addresses are put together.
        """
        value = read(envelope(parse(lines("Subject: 1", "To: a@b", "Subject: 2", "TO: c@d", ""))))
        self.assertEqual(value[1], b"1")
        self.assertEqual(value[5], ((None, None, b"a", b"b"), (None, None, b"c", b"d")))

    def test_strings(self) -> None:
        """
        Plain ASCII is quoted; what RFC 3501 does not let be quoted, is long or has a
        backslash, is a literal without NUL.
        """
        for subject, expected in (
            (b'a"b', b'"a\\"b"'),
            (b"a\\", b"{2}\r\na\\"),
            (b"NIL", b'"NIL"'),
            (b"{3}", b'"{3}"'),
            (b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
            (b"a\rb", b"{3}\r\na\rb"),
            (b"a\0b", b"{3}\r\na\x80b"),
            (b"a\x07b", b"{3}\r\na\x07b"),
            (b"a" * 1001, b"{1001}\r\n" + b"a" * 1001),
        ):
            value = envelope(parse(b"Subject: " + subject + b"\r\n\r\n"))
            self.assertEqual(value, b"(NIL " + expected + b" NIL" * 8 + b")")


class BodyTests(SynchronousTestCase):
    """
    BODYSTRUCTURE and BODY (RFC 9051 section 7.5.2).
    """

    def test_text(self) -> None:
        """
        A text with lines, and what is said of its charset when it says nothing.
        """
        message = parse(lines("Subject: x", "", "hello", "world"))
        plain = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 14 2'
        self.assertEqual(body(message), plain + b")")
        self.assertEqual(bodyStructure(message), plain + b" NIL NIL NIL NIL)")

    def test_fields(self) -> None:
        """
        All that a part's header can say.
        """
        message = parse(
            lines(
                'Content-Type: image/gif; name="a \\"b\\".gif"; x*=utf-8\'\'%20',
                "Content-ID: <1@x>",
                "Content-Description: A picture",
                "Content-Transfer-Encoding: base64",
                "Content-MD5: Q2hlY2s=",
                "Content-Disposition: attachment; filename=ä.gif",
                "Content-Language: de, en",
                "Content-Location: http://x/y",
                "",
                "R0lG",
            )
        )
        plain = b'("image" "gif" ("name" "a \\"b\\".gif" "x*" "utf-8\'\'%20") "<1@x>" "A picture" "base64" 6'
        self.assertEqual(body(message), plain + b")")
        self.assertEqual(
            bodyStructure(message),
            plain + b' "Q2hlY2s=" ("attachment" ("filename" {6}\r\n\xc3\xa4.gif)) ("de" "en") "http://x/y")',
        )

    def test_multipart(self) -> None:
        """
        Parts without space between them, and the extension data of the multipart.
        """
        message = parse(
            lines(
                "Content-Type: multipart/Mixed; boundary=b",
                "Content-Language: de",
                "",
                "--b",
                "",
                "1",
                "--b",
                "Content-Disposition: inline",
                "",
                "2",
                "--b--",
            )
        )
        part = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0'
        self.assertEqual(body(message), b"(" + part + b")" + part + b') "mixed")')
        self.assertEqual(
            bodyStructure(message),
            b"("
            + part
            + b" NIL NIL NIL NIL)"
            + part
            + b' NIL ("inline" NIL) NIL NIL) "mixed" ("boundary" "b") NIL "de" NIL)',
        )

    def test_message(self) -> None:
        """
        A message in a message, with envelope, structure and lines.
        """
        message = parse(lines("Content-Type: message/rfc822", "", "Subject: in", "", "x"))
        self.assertEqual(
            body(message),
            b'("message" "rfc822" NIL NIL NIL "7bit" 18 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) '
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1) 3)',
        )

    def test_noParts(self) -> None:
        """
        A multipart without parts is a text, since a multipart must have some.
        """
        message = parse(lines("Content-Type: multipart/mixed; boundary=b", "", "x"))
        self.assertEqual(body(message), b'("text" "plain" ("boundary" "b") NIL NIL "7bit" 3 1)')

    def test_deep(self) -> None:
        """
        The deepest message is written to the bottom.
        """
        for data in (
            b"Content-Type: message/rfc822\r\n\r\n" * 1000,
            b"".join(
                b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at)
                for at in range(1000)
            ),
        ):
            message = parse(data)
            checkBody(read(bodyStructure(message)), True)
            self.assertTrue(bodyStructure(message).count(b"(") >= MAX_DEPTH)
            parse_fetch_response(imaplibPieces(fetchLine(message)))


class WellFormedTests(SynchronousTestCase):
    """
    Whatever is in a message, what is said of it is well formed and right.
    """

    def assertCounts(self, value: Value, part: Part) -> None:
        """
        Octets and lines in a body structure are those of the part.
        """
        if part.parts:
            for each, inner in zip(value, part.parts, strict=False):
                self.assertCounts(each, inner)
            return
        self.assertEqual(value[:2], (part.type, part.subtype))
        self.assertEqual(value[6], part.end - part.body_start)
        if part.message is not None:
            self.assertCounts(value[8], part.message)
            self.assertEqual(value[9], part.body_lines)
        elif part.type == b"text":
            self.assertEqual(value[7], part.body_lines)

    def assertWellFormed(self, data: bytes) -> None:
        """
        All renditions are what the RFCs allow, and agree with the structure.
        """
        message = parse(data)
        checkEnvelope(read(envelope(message)))
        for make, extended in ((bodyStructure, True), (body, False)):
            value = read(make(message))
            checkBody(value, extended)
            self.assertCounts(value, message.root)

    @given(brokenMessages)
    def test_broken(self, data: bytes) -> None:
        """
        Broken messages, in their served form or not.
        """
        self.assertWellFormed(data)
        self.assertWellFormed(served(data))

    @given(
        st.sampled_from(
            (
                b"Date",
                b"From",
                b"To",
                b"Content-Type: a/b; c",
                b"Content-Type: text/",
                b"Content-ID",
                b"Content-Language",
                b"Content-Disposition: x; y",
                b"Content-Transfer-Encoding",
            )
        ),
        st.sampled_from([b":", b"="]),
        st.binary(max_size=20),
    )
    def test_values(self, name: bytes, separator: bytes, value: bytes) -> None:
        """
        Any value of any field.
        """
        self.assertWellFormed(name + separator + value)

    def test_real(self) -> None:
        """
        Real messages.
        """
        for _, data in realMessages():
            self.assertWellFormed(data)


class ClientTests(SynchronousTestCase):
    """
    Clients understand what is said.
    """

    def test_imapclient(self) -> None:
        """
        imapclient reads the renditions of all real messages, and sees the same parts.
        """
        for name, data in realMessages():
            message = parse(data)
            found = parse_fetch_response(imaplibPieces(fetchLine(message)), True, True)
            self.assertEqual(set(found), {7}, name)
            self.assertEqual(found[7][b"SEQ"], 1)
            self.assertEqual(found[7][b"ENVELOPE"].subject, read(envelope(message))[1], name)
            structure = found[7][b"BODYSTRUCTURE"]
            self.assertEqual(structure.is_multipart, bool(message.root.parts), name)
            if message.root.parts:
                self.assertEqual(len(structure[0]), len(message.root.parts), name)
                self.assertEqual(structure[1], message.root.subtype, name)

    def test_imapclientAddresses(self) -> None:
        """
        imapclient sees the addresses of a real message with groups.
        """
        message = parse(realMessage("rfc2822/example04.eml"))
        found = parse_fetch_response(imaplibPieces(fetchLine(message)))[7][b"ENVELOPE"]
        self.assertEqual([str(each) for each in found.from_], ["Pete <pete@silly.example>"])
        self.assertEqual(len(found.to), 5)
        self.assertEqual(found.message_id, b"<testabcd.1234@silly.example>")

    def test_twisted(self) -> None:
        """
        Twisted's client reads the renditions of all real messages as they are meant.
        """
        for _, data in realMessages():
            self.assertRead(parse(data))

    @given(brokenMessages)
    def test_broken(self, data: bytes) -> None:
        """
        Both read the renditions of broken messages.
        """
        message = parse(served(data))
        self.assertEqual(set(parse_fetch_response(imaplibPieces(fetchLine(message)), True, True)), {7})
        self.assertRead(message)

    def assertRead(self, message: Message) -> None:
        """
        Twisted's client reads the renditions of a message as they are meant.
        """
        for make in (envelope, bodyStructure, body):
            (found,) = parseNestedParens(make(message))
            self.assertEqual(self._plain(found), self._expected(read(make(message))))

    def _plain(self, found: Any) -> Any:
        if isinstance(found, list):
            return [self._plain(each) for each in found]
        # Twisted leaves a literal in a tuple, and its backslashes in a quoted string.
        if isinstance(found, tuple):
            return found[0]
        return found

    def _expected(self, value: Value) -> Any:
        if isinstance(value, tuple):
            return [self._expected(each) for each in value]
        return str(value).encode() if isinstance(value, int) else value
