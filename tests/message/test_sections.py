"""
Tests for L{mailstore.message.sections}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message.index import Ranges, dump, load
from mailstore.message.sections import Cut, applyPartial, filterHeader, locate
from mailstore.message.structure import parse
from mailstore.model import Section, SectionKind
from tests.message.mails import brokenMessages, everyPart, lines, realMessages

# The example of RFC 9051 section 6.4.5.1, each text saying where it is.
EXAMPLE = lines(
    "Subject: outer",
    "Content-Type: multipart/mixed; boundary=A",
    "",
    "--A",
    "Content-Type: text/plain",
    "",
    "1",
    "--A",
    "Content-Type: application/octet-stream",
    "",
    "2",
    "--A",
    "Content-Type: message/rfc822",
    "",
    "Subject: third",
    "Content-Type: multipart/mixed; boundary=B",
    "",
    "--B",
    "Content-Type: text/plain",
    "",
    "3.1",
    "--B",
    "Content-Type: application/octet-stream",
    "",
    "3.2",
    "--B--",
    "--A",
    "Content-Type: multipart/mixed; boundary=C",
    "",
    "--C",
    "Content-Type: image/gif",
    "",
    "4.1",
    "--C",
    "Content-Type: message/rfc822",
    "",
    "Subject: fourth",
    "Content-Type: multipart/mixed; boundary=D",
    "",
    "--D",
    "Content-Type: text/plain",
    "",
    "4.2.1",
    "--D",
    "Content-Type: multipart/alternative; boundary=E",
    "",
    "--E",
    "Content-Type: text/plain",
    "",
    "4.2.2.1",
    "--E",
    "Content-Type: text/richtext",
    "",
    "4.2.2.2",
    "--E--",
    "--D--",
    "--C--",
    "--A--",
)


def cutOf(data: bytes, index: Ranges, section: Section) -> bytes | None:
    """
    The bytes of a section.
    """
    cut = locate(index, section)
    if cut is None:
        return None
    found = data[cut.start : cut.end]
    if cut.fields is not None:
        found = filterHeader(found, cut.fields, cut.negate)
    start, end = applyPartial(len(found), section.partial)
    return found[start:end]


def cut(data: bytes, name: str) -> bytes | None:
    """
    The bytes of a section by the name that FETCH has for it.
    """
    numbers = []
    words = name.split(".") if name else []
    while words and words[0].isdigit():
        numbers.append(int(words.pop(0)))
    kind = SectionKind(".".join(words).lower() or "all")
    return cutOf(data, parse(data).root, Section(kind, tuple(numbers)))


class LocateTests(SynchronousTestCase):
    """
    Parts are numbered as RFC 9051 section 6.4.5.1 says.
    """

    def test_example(self) -> None:
        """
        Each part of the RFC's example is where its number says, and has its own MIME header.
        """
        for name in ("1", "2", "3.1", "3.2", "4.1", "4.2.1", "4.2.2.1", "4.2.2.2"):
            self.assertEqual(cut(EXAMPLE, name), name.encode())
        self.assertEqual(cut(EXAMPLE, "4.1.MIME"), b"Content-Type: image/gif\r\n\r\n")
        self.assertEqual(cut(EXAMPLE, "4.2.2.2.MIME"), b"Content-Type: text/richtext\r\n\r\n")
        self.assertEqual(cut(EXAMPLE, "3.MIME"), b"Content-Type: message/rfc822\r\n\r\n")

    def test_messages(self) -> None:
        """
        HEADER and TEXT are of the message, or of the message in a part.
        """
        header = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n"
        self.assertEqual(cut(EXAMPLE, ""), EXAMPLE)
        self.assertEqual(cut(EXAMPLE, "HEADER"), header)
        self.assertEqual(cut(EXAMPLE, "TEXT"), EXAMPLE[len(header) :])
        header = b"Subject: third\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
        self.assertEqual(cut(EXAMPLE, "3.HEADER"), header)
        text = cut(EXAMPLE, "3.TEXT")
        assert text is not None
        self.assertTrue(text.startswith(b"--B\r\n"))
        self.assertEqual(cut(EXAMPLE, "3"), header + text)
        self.assertTrue((cut(EXAMPLE, "4.2.HEADER") or b"").startswith(b"Subject: fourth"))

    def test_none(self) -> None:
        """
        What a message does not have is C{None}: numbers too low, too high or
        too deep, HEADER and TEXT of what is no message, MIME of no part.
        """
        for name in (
            "MIME",
            "0",
            "5",
            "1.1",
            "1.HEADER",
            "1.TEXT",
            "4.HEADER",
            "4.TEXT",
            "4.3",
            "3.1.1",
            "3.3",
            "4.2.2.3",
            "4.2.2.HEADER",
            "1.1.1.1.1.1",
        ):
            self.assertIsNone(cut(EXAMPLE, name), name)
        for kind in (SectionKind.FIELDS, SectionKind.FIELDS_NOT):
            self.assertIsNone(locate(parse(EXAMPLE).root, Section(kind, (1,), ("A",))))

    def test_notMultipart(self) -> None:
        """
        A message that is no multipart has one part, whose MIME header is that of the message.
        """
        data = lines("Subject: x", "", "body")
        self.assertEqual(cut(data, "1"), b"body\r\n")
        self.assertEqual(cut(data, "1.MIME"), b"Subject: x\r\n\r\n")
        for name in ("2", "1.1", "1.HEADER", "1.TEXT"):
            self.assertIsNone(cut(data, name), name)

    def test_messageIsMessage(self) -> None:
        """
        A message that itself is of type C{message/rfc822}, holding another one.
        """
        data = lines(
            "Content-Type: message/rfc822", "", "Content-Type: message/rfc822", "", "Subject: x", "", "body"
        )
        self.assertEqual(cut(data, "1"), data.split(b"\r\n\r\n", 1)[1])
        self.assertEqual(cut(data, "1.HEADER"), b"Content-Type: message/rfc822\r\n\r\n")
        self.assertEqual(cut(data, "1.1"), b"Subject: x\r\n\r\nbody\r\n")
        self.assertEqual(cut(data, "1.1.HEADER"), b"Subject: x\r\n\r\n")
        self.assertEqual(cut(data, "1.1.1"), b"body\r\n")
        self.assertIsNone(cut(data, "1.1.1.1"))

    def test_fields(self) -> None:
        """
        Fields are cut out of the header of the message, or of the message in a part.
        """
        root = parse(EXAMPLE).root
        self.assertEqual(
            locate(root, Section(SectionKind.FIELDS, (), ("A",))), Cut(0, root.body_start, ("A",), False)
        )
        self.assertEqual(
            cutOf(EXAMPLE, root, Section(SectionKind.FIELDS, (3,), ("SUBJECT",))), b"Subject: third\r\n\r\n"
        )
        self.assertEqual(
            cutOf(EXAMPLE, root, Section(SectionKind.FIELDS_NOT, (3,), ("subject",))),
            b"Content-Type: multipart/mixed; boundary=B\r\n\r\n",
        )
        self.assertEqual(
            cutOf(EXAMPLE, root, Section(SectionKind.FIELDS, (3,), ("SUBJECT",), (2, 5))), b"bject"
        )

    def assertSame(self, data: bytes) -> None:
        """
        Sections found by the index are those found by parsing; parts and
        headers of all parts together are what is in the message.
        """
        root = parse(data).root
        index = load(dump(root))
        for numbers, part in everyPart(root):
            for kind in SectionKind:
                section = Section(kind, numbers, ("subject",))
                self.assertEqual(locate(index, section), locate(root, section))
            if numbers:
                body = locate(index, Section(SectionKind.ALL, numbers))
                self.assertEqual(body, Cut(part.body_start, part.end))
                mime = locate(index, Section(SectionKind.MIME, numbers))
                self.assertEqual(mime, Cut(part.header_start, part.body_start))
            holder = part if part.message is None else part.message
            beyond = Section(SectionKind.ALL, (*numbers, len(holder.parts) + 2))
            self.assertIsNone(locate(index, beyond))

    def test_real(self) -> None:
        """
        All sections of all parts of real messages.
        """
        for _, data in realMessages():
            self.assertSame(data)

    @given(brokenMessages)
    def test_broken(self, data: bytes) -> None:
        """
        And of broken ones.
        """
        self.assertSame(data)

    @given(brokenMessages, st.lists(st.integers(-1, 5), max_size=6), st.sampled_from(SectionKind))
    def test_anything(self, data: bytes, numbers: list[int], kind: SectionKind) -> None:
        """
        Whatever is asked for, it is in the message or it is C{None}.
        """
        found = locate(parse(data).root, Section(kind, tuple(numbers)))
        if found is not None:
            self.assertTrue(0 <= found.start <= found.end <= len(data))
            self.assertEqual(found.size, found.end - found.start)


HEADER = (
    b"From me\r\n"
    b"Subject: a\r\n"
    b" b\r\n"
    b"\tc\r\n"
    b"TO : x\r\n"
    b"no field\r\n"
    b" still none\r\n"
    b"Subject:\r\n"
    b"X-Subject: y\r\n"
    b"\r\n"
)


class FilterTests(SynchronousTestCase):
    """
    L{filterHeader} picks fields.
    """

    def test_picked(self) -> None:
        """
        Fields with the lines that continue them, in any case, in their own
        order, and the empty line.
        """
        self.assertEqual(filterHeader(HEADER, ["SUBJECT"]), b"Subject: a\r\n b\r\n\tc\r\nSubject:\r\n\r\n")
        self.assertEqual(filterHeader(HEADER, ["x-subject", "to"]), b"TO : x\r\nX-Subject: y\r\n\r\n")

    def test_notPicked(self) -> None:
        """
        Names are exact, and lines that are no fields have none.
        """
        for names in ([], ["sub"], ["subject:"], ["no field"], ["from me"], [""], ["\udcff"]):
            self.assertEqual(filterHeader(HEADER, names), b"\r\n", names)

    def test_negated(self) -> None:
        """
        Everything else, also what is no field.
        """
        self.assertEqual(
            filterHeader(HEADER, ["subject"], True),
            b"From me\r\nTO : x\r\nno field\r\n still none\r\nX-Subject: y\r\n\r\n",
        )
        self.assertEqual(filterHeader(HEADER, [], True), HEADER)

    def test_noEmptyLine(self) -> None:
        """
        There is no empty line where the header has none (RFC 9051: "except in
        the case of a message that has no body and no blank line").
        """
        self.assertEqual(filterHeader(b"A: b\r\nC: d", ["a"]), b"A: b\r\n")
        self.assertEqual(filterHeader(b"A: b\r\nC: d\r\n e", ["c"]), b"C: d\r\n e")
        self.assertEqual(filterHeader(b"", ["c"]), b"")

    @given(brokenMessages)
    def test_halves(self, data: bytes) -> None:
        """
        What is picked and what is not are the whole header, in pieces.
        """
        names = ["subject", "Content-Type", "To"]
        header = data[: parse(data).root.body_start]
        self.assertEqual(filterHeader(header, [], True), header)
        picked = filterHeader(header, names)
        others = filterHeader(header, names, True)
        empty = sum(1 for each in header.split(b"\n")[:-1] if each in (b"", b"\r"))
        self.assertTrue(len(header) <= len(picked) + len(others) <= len(header) + 2 * empty)


class PartialTests(SynchronousTestCase):
    """
    L{applyPartial} gives the range that a partial asks for.
    """

    def test_ranges(self) -> None:
        """
        Partials within, across and beyond the end.
        """
        for partial, expected in (
            (None, (0, 10)),
            ((0, 10), (0, 10)),
            ((0, 1), (0, 1)),
            ((9, 5), (9, 10)),
            ((10, 5), (10, 10)),
            ((11, 5), (10, 10)),
            ((4, 1 << 40), (4, 10)),
            ((3, 0), (3, 3)),
            ((-5, -5), (0, 0)),
        ):
            self.assertEqual(applyPartial(10, partial), expected)
