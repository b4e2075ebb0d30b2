"""
Tests for L{mailstore.message.structure}.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import mmap
import tempfile
from typing import Any

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import structure
from mailstore.message.structure import Part, parse
from tests.message.mails import brokenMessages, lines, realMessage, realMessages, served


def shape(data: bytes, part: Part | None = None) -> Any:
    """
    What a message is made of: type and body of a part, or type and parts.
    """
    if part is None:
        part = parse(data).root
    name = f"{part.type.decode()}/{part.subtype.decode()}"
    if part.message is not None:
        return name, [shape(data, part.message)]
    if part.parts:
        return name, [shape(data, each) for each in part.parts]
    return name, data[part.body_start : part.end]


MIXED = "Content-Type: multipart/mixed; boundary=b"


class ShapeTests(SynchronousTestCase):
    """
    Which parts a message has, and what their bodies are.
    """

    def test_plain(self) -> None:
        """
        A message without MIME is one text, in ASCII.
        """
        data = lines("Subject: x", "", "hello", "world")
        root = parse(data).root
        self.assertEqual(shape(data), ("text/plain", b"hello\r\nworld\r\n"))
        self.assertEqual(root.params, ((b"charset", b"us-ascii"),))
        self.assertEqual(root.encoding, b"7bit")
        self.assertEqual((root.header_start, root.body_start, root.end), (0, 14, len(data)))
        self.assertEqual(root.body_lines, 2)

    def test_headerEnds(self) -> None:
        """
        A header ends with its first empty line, and may be empty, all there is, or missing.
        """
        for data, expected in (
            (b"", 0),
            (b"\r\n", 2),
            (b"\r\nbody", 2),
            (b"A: b\r\n\r\nbody", 8),
            (b"A: b\r\n", 6),
            (b"A: b", 4),
            (b"A: b\r\nno field\r\nC: d\r\n\r\nbody", 24),
            (b"A: b\r\n \r\nC: d\r\n\r\nbody", 17),
            (b"just text\r\n\r\nmore: text", 0),
            (b"just text", 0),
            (b"From me at noon\r\nA: b\r\n\r\nbody", 25),
            (b">From me at noon\r\nA: b\r\n\r\nbody", 26),
            (b"From me 10:00\r\nA: b\r\n\r\nbody", 23),
        ):
            self.assertEqual(parse(data).root.body_start, expected, data)

    def test_mboxLine(self) -> None:
        """
        The fields after an mbox "From " line count.
        """
        data = lines("From me@x", "Content-Type: text/html", "", "x")
        self.assertEqual(shape(data), ("text/html", b"x\r\n"))

    def test_multipart(self) -> None:
        """
        Bodies end before the line end that belongs to the boundary (RFC 2046
        section 5.1.1); preamble and epilogue belong to no part.
        """
        data = lines(
            MIXED, "", "preamble", "--b", "", "one", "--b", "A: b", "", "two", "", "--b--", "epilogue"
        )
        root = parse(data).root
        self.assertEqual(
            shape(data), ("multipart/mixed", [("text/plain", b"one"), ("text/plain", b"two\r\n")])
        )
        self.assertEqual([part.body_lines for part in root.parts], [0, 1])
        self.assertEqual(root.end, len(data))

    def test_emptyParts(self) -> None:
        """
        Parts may have nothing between their boundaries, or only an empty line, or
        only a header.
        """
        data = lines(MIXED, "", "--b", "--b", "", "--b", "Content-Type: text/html", "--b--")
        self.assertEqual(
            shape(data),
            ("multipart/mixed", [("text/plain", b""), ("text/plain", b""), ("text/html", b"")]),
        )
        self.assertEqual(data[slice(*self._header(data, 1))], b"\r\n")
        self.assertEqual(data[slice(*self._header(data, 2))], b"Content-Type: text/html\r\n")

    def _header(self, data: bytes, at: int) -> tuple[int, int]:
        part = parse(data).root.parts[at]
        return part.header_start, part.body_start

    def test_unclosed(self) -> None:
        """
        The last part of a multipart that is not closed goes on to the end.
        """
        data = lines(MIXED, "", "--b", "", "one", "--b", "", "two")
        self.assertEqual(
            shape(data), ("multipart/mixed", [("text/plain", b"one"), ("text/plain", b"two\r\n")])
        )

    def test_closedTwice(self) -> None:
        """
        Boundary lines after the closing one are epilogue.
        """
        data = lines(MIXED, "", "--b", "", "one", "--b--", "--b", "", "two", "--b--")
        self.assertEqual(shape(data), ("multipart/mixed", [("text/plain", b"one")]))

    def test_noBoundary(self) -> None:
        """
        What calls itself multipart and cannot be taken apart is text that can be read.
        """
        for first in (
            "Content-Type: multipart/mixed",
            'Content-Type: multipart/mixed; boundary=""',
            "Content-Type: multipart/mixed; boundary=c",
        ):
            data = lines(first, "", "--b", "", "one")
            self.assertEqual(shape(data), ("text/plain", b"--b\r\n\r\none\r\n"))
        data = lines(MIXED, "", "preamble", "--b--")
        self.assertEqual(shape(data), ("text/plain", b"preamble\r\n--b--\r\n"))
        self.assertEqual(shape(lines(MIXED)), ("text/plain", b""))

    def test_nested(self) -> None:
        """
        Multiparts in multiparts, with boundaries that begin alike.
        """
        inner = "Content-Type: multipart/alternative; boundary=bb"
        data = lines(
            MIXED,
            "",
            "--b",
            inner,
            "",
            "--bb",
            "",
            "1",
            "--bb",
            "",
            "2",
            "--bb--",
            "",
            "--b",
            "",
            "3",
            "--b--",
        )
        self.assertEqual(
            shape(data),
            (
                "multipart/mixed",
                [
                    ("multipart/alternative", [("text/plain", b"1"), ("text/plain", b"2")]),
                    ("text/plain", b"3"),
                ],
            ),
        )

    def test_outerEndsInner(self) -> None:
        """
        The boundary of an outer multipart ends the inner ones, also within a
        header, and each part still holds its own parts.
        """
        inner = "Content-Type: multipart/alternative; boundary=i"
        data = lines(MIXED, "", "--b", inner, "", "--i", "A: b", "--b", "", "3", "--b--")
        self.assertEqual(
            shape(data),
            ("multipart/mixed", [("multipart/alternative", [("text/plain", b"")]), ("text/plain", b"3")]),
        )

    def test_sameBoundary(self) -> None:
        """
        Where an inner multipart uses the boundary of the outer one, lines are the inner
        one's until it is closed.
        """
        data = lines(MIXED, "", "--b", MIXED, "", "--b", "", "1", "--b--", "--b", "", "2", "--b--")
        self.assertEqual(
            shape(data),
            ("multipart/mixed", [("multipart/mixed", [("text/plain", b"1")]), ("text/plain", b"2")]),
        )

    def test_boundaryLines(self) -> None:
        """
        White space may follow a boundary, and nothing else; it begins a line.
        """
        data = lines(MIXED, "", "--b \t", "", "x --b", " --b", "--bc", "--b-", "--b--x", "-- b", "--b--  ")
        self.assertEqual(
            shape(data),
            ("multipart/mixed", [("text/plain", b"x --b\r\n --b\r\n--bc\r\n--b-\r\n--b--x\r\n-- b")]),
        )

    def test_boundaryThatEndsInDashes(self) -> None:
        """
        A boundary may itself end in dashes.
        """
        data = lines("Content-Type: multipart/mixed; boundary=b--", "", "--b--", "", "x", "--b----")
        self.assertEqual(shape(data), ("multipart/mixed", [("text/plain", b"x")]))

    def test_atOnce(self) -> None:
        """
        A boundary line may come right after the header, or be the last line without an end.
        """
        self.assertEqual(
            shape(lines(MIXED, "", "--b", "", "x") + b"--b"),
            ("multipart/mixed", [("text/plain", b"x"), ("text/plain", b"")]),
        )

    def test_noHeaderInPart(self) -> None:
        """
        A part that lacks the empty line, and whose first line is no field, is all body.
        """
        data = lines(MIXED, "", "--b", "text at once", "a: b", "", "more", "--b--")
        self.assertEqual(
            shape(data), ("multipart/mixed", [("text/plain", b"text at once\r\na: b\r\n\r\nmore")])
        )

    def test_message(self) -> None:
        """
        A message within a message, and one within that.
        """
        data = lines(
            "Content-Type: message/rfc822",
            "",
            "Content-Type: Message/RFC822",
            "",
            "Content-Type: text/html",
            "",
            "x",
        )
        self.assertEqual(shape(data), ("message/rfc822", [("message/rfc822", [("text/html", b"x\r\n")])]))
        root = parse(data).root
        assert root.message is not None
        self.assertEqual(root.message.header_start, root.body_start)
        self.assertEqual(root.body_lines, 5)

    def test_encodedMessage(self) -> None:
        """
        An encoded message is no message until somebody has decoded it.
        """
        data = lines("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "QTogYg0K")
        self.assertEqual(shape(data), ("application/octet-stream", b"QTogYg0K\r\n"))

    def test_globalMessage(self) -> None:
        """
        C{message/global} is a message too (RFC 9051 section 6.4.5.1).
        """
        data = lines("Content-Type: message/global", "", "Subject: ä", "", "x")
        self.assertEqual(shape(data), ("message/global", [("text/plain", b"x\r\n")]))

    def test_digest(self) -> None:
        """
        The parts of a digest are messages unless they say otherwise (RFC 2046 section 5.1.5).
        """
        data = lines(
            "Content-Type: multipart/digest; boundary=b",
            "",
            "--b",
            "",
            "Subject: 1",
            "",
            "one",
            "--b",
            "Content-Type: text/html",
            "",
            "two",
            "--b--",
        )
        self.assertEqual(
            shape(data),
            ("multipart/digest", [("message/rfc822", [("text/plain", b"one")]), ("text/html", b"two")]),
        )

    def test_notTyped(self) -> None:
        """
        What names no type is text (RFC 2045 section 5.2); of several fields the first counts.
        """
        for value in ("", "text", "/plain", "text/", ";", "a b/c", "\xe4/plain"):
            data = lines(f"Content-Type: {value}", "", "x")
            self.assertEqual(shape(data), ("text/plain", b"x\r\n"), value)
        data = lines("Content-Type: text/html", "Content-Type: image/gif", "", "x")
        self.assertEqual(shape(data), ("text/html", b"x\r\n"))

    def test_fields(self) -> None:
        """
        What the fields of a part say, unfolded.
        """
        root = parse(
            lines(
                'Content-Type: Image/GIF; Name="a',
                ' b.gif"; x=y',
                "Content-ID: <1@x>",
                "Content-Description: Some",
                "\tpicture",
                "Content-Transfer-Encoding: BASE64 (of course)",
                "Content-MD5: Q2hlY2s=",
                "Content-Disposition: Attachment; FileName*=utf-8''a%20b",
                "Content-Language: de, en-GB",
                "Content-Location: http://x/y",
                "",
            )
        ).root
        self.assertEqual((root.type, root.subtype), (b"image", b"gif"))
        self.assertEqual(root.params, ((b"name", b"a b.gif"), (b"x", b"y")))
        self.assertEqual(root.id, b"<1@x>")
        self.assertEqual(root.description, b"Some\tpicture")
        self.assertEqual(root.encoding, b"base64")
        self.assertEqual(root.md5, b"Q2hlY2s=")
        self.assertEqual(root.disposition, (b"attachment", ((b"filename*", b"utf-8''a%20b"),)))
        self.assertEqual(root.language, (b"de", b"en-GB"))
        self.assertEqual(root.location, b"http://x/y")

    def test_mapped(self) -> None:
        """
        A mapped file is read like bytes.
        """
        data = realMessage("attachment_emails/attachment_message_rfc822.eml")
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                mapped.seek(7)
                self.assertEqual(parse(mapped).root, parse(data).root)


class BoundTests(SynchronousTestCase):
    """
    What can be many is bounded, and what is beyond the bound is one part.
    """

    def test_depth(self) -> None:
        """
        A thousand multiparts in one another are opened down to the bound.
        """
        data = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(1000)
        )
        part = parse(data).root
        depth = 0
        while part.parts:
            (part,) = part.parts
            depth += 1
        self.assertEqual(depth, structure.MAX_DEPTH)
        self.assertEqual((part.type, part.subtype, part.end), (b"text", b"plain", len(data)))

    def test_messageDepth(self) -> None:
        """
        A thousand messages in one another are opened down to the bound.
        """
        data = b"Content-Type: message/rfc822\r\n\r\n" * 1000
        part = parse(data).root
        depth = 0
        while part.message is not None:
            part = part.message
            depth += 1
        self.assertEqual(depth, structure.MAX_DEPTH)
        self.assertEqual((part.type, part.subtype), (b"application", b"octet-stream"))

    def test_parts(self) -> None:
        """
        Ten thousand parts are as many as the bound allows, and the last holds the rest.
        """
        data = lines(MIXED, "") + b"--b\r\n\r\nx\r\n" * 10_000 + b"--b--\r\n"
        root = parse(data).root
        # The multipart is one itself.
        self.assertEqual(len(root.parts), structure.MAX_PARTS - 1)
        self.assertEqual(root.parts[-2].body_lines, 0)
        self.assertEqual(root.parts[-1].end, len(data))
        self.assertTrue(data[root.parts[-1].body_start :].startswith(b"x\r\n--b\r\n\r\nx\r\n"))

    def test_lastPartIsNotOpened(self) -> None:
        """
        The part at the bound is a leaf, whatever it says it is.
        """
        self.patch(structure, "MAX_PARTS", 2)
        data = lines(MIXED, "", "--b", "Content-Type: multipart/mixed; boundary=c", "", "--c", "", "x")
        self.assertEqual(shape(data), ("multipart/mixed", [("text/plain", b"--c\r\n\r\nx\r\n")]))
        data = lines(MIXED, "", "--b", "Content-Type: message/rfc822", "", "A: b", "", "x")
        self.assertEqual(
            shape(data), ("multipart/mixed", [("application/octet-stream", b"A: b\r\n\r\nx\r\n")])
        )

    def test_headers(self) -> None:
        """
        When the headers that may be looked into are used up, the part is the last one.
        """
        self.patch(structure, "MAX_HEADERS", 100)
        data = lines(MIXED, "", "--b", "A: " + "x" * 100, "", "1", "--b", "", "2", "--b--")
        self.assertEqual(
            shape(data), ("multipart/mixed", [("text/plain", b"1\r\n--b\r\n\r\n2\r\n--b--\r\n")])
        )

    def test_bigHeader(self) -> None:
        """
        A header of ten megabytes is a header; what is far behind in it is not looked into.
        """
        data = b"Content-Type: text/html\r\n" + b"X: y\r\n" * 1_700_000 + b"Content-ID: <1>\r\n\r\nbody"
        root = parse(data).root
        self.assertEqual(data[root.body_start :], b"body")
        self.assertEqual((root.subtype, root.id), (b"html", None))


class AnythingTests(SynchronousTestCase):
    """
    Any bytes at all have a structure.
    """

    def assertNested(self, data: bytes, part: Part) -> None:
        """
        The ranges of a part lie in the message, one after the other, those of
        its own parts within its body; lines are counted right.
        """
        self.assertTrue(0 <= part.header_start <= part.body_start <= part.end <= len(data))
        self.assertEqual(part.body_lines, data[part.body_start : part.end].count(b"\n"))
        self.assertEqual(bool(part.parts), part.type == b"multipart")
        self.assertEqual(
            part.message is not None, part.type == b"message" and part.subtype in (b"rfc822", b"global")
        )
        position = part.body_start
        for each in part.parts:
            self.assertTrue(position < each.header_start and each.end <= part.end)
            position = each.end
            self.assertNested(data, each)
        if part.message is not None:
            self.assertEqual((part.message.header_start, part.message.end), (part.body_start, part.end))
            self.assertNested(data, part.message)

    @given(brokenMessages)
    def test_broken(self, data: bytes) -> None:
        """
        Broken messages, in their served form or not.
        """
        for each in (data, served(data)):
            root = parse(each).root
            self.assertEqual((root.header_start, root.end), (0, len(each)))
            self.assertNested(each, root)

    def test_real(self) -> None:
        """
        Real messages.
        """
        for name, data in realMessages():
            root = parse(data).root
            self.assertEqual((root.header_start, root.end), (0, len(data)), name)
            self.assertNested(data, root)


#: C{email} takes its body apart, though it is no message (RFC 3464).
STATUS = "message/delivery-status"

#: Where C{email} reads a real message in another way, and why this way is kept.
DIFFERENT = {
    # Multiparts without a boundary line: C{email} has none to show, we show text.
    "attachment_emails/attachment_message_rfc822_inline_image.eml",
    "error_emails/bad_date_header2.eml",
    "error_emails/empty_in_reply_to.eml",
    "error_emails/missing_body.eml",
    "error_emails/must_supply_encoding.eml",
    # C{email} ends a header at the first line that is no field.
    "plain_emails/raw_email_incorrect_header.eml",
    "rfc2822/example13.eml",
    # C{email} loses a line end at the end of the message.
    "mime_emails/raw_email4.eml",
}


class AgainstEmailTests(SynchronousTestCase):
    """
    The standard library's parser as a second opinion.
    """

    def _shape(self, message: email.message.Message) -> Any:
        payload: Any = message.get_payload()
        if message.get_content_type() == STATUS:
            return STATUS, None
        if isinstance(payload, list):
            return message.get_content_type(), [self._shape(each) for each in payload]
        payload = message._payload  # type: ignore[attr-defined]
        return message.get_content_type(), payload.encode("ascii", "surrogateescape")

    def _ours(self, found: Any) -> Any:
        name, content = found
        if name == STATUS:
            return name, None
        return name, [self._ours(each) for each in content] if isinstance(content, list) else content

    def test_real(self) -> None:
        """
        Types, nesting and bytes of the real messages are the same, but for
        those known to be read otherwise.
        """
        different = set()
        for name, data in realMessages():
            if self._shape(email.message_from_bytes(data, policy=email.policy.compat32)) != self._ours(
                shape(data)
            ):
                different.add(name)
        self.assertEqual(different, DIFFERENT)
