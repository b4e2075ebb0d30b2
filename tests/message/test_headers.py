"""
Tests for L{mailstore.message.headers}.
"""

from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import headers
from mailstore.message.headers import decode, fields, headerOf, sentDay, unfold
from mailstore.message.structure import parse
from tests.message.mails import brokenMessages, lines, realMessages


class FieldTests(SynchronousTestCase):
    """
    Fields are found whatever stands between them.
    """

    def test_fields(self) -> None:
        """
        Names and raw values, in order; a value keeps its folds.
        """
        self.assertEqual(
            fields(b"A: b\r\nC :d\r\n e\r\n\tf \r\nA:\r\nLast: x"),
            [(b"A", b" b"), (b"C", b"d\r\n e\r\n\tf "), (b"A", b""), (b"Last", b" x")],
        )

    def test_bareLineEnds(self) -> None:
        """
        Lines that end with LF alone are lines.
        """
        self.assertEqual(fields(b"A: b\n c\nD: e\n\n"), [(b"A", b" b\n c"), (b"D", b" e")])

    def test_noFields(self) -> None:
        """
        Lines that are no fields are passed over with what continues them.
        """
        for junk in (
            b"From me Mon Jan  1 10:00:00 2001",
            b"no colon",
            b"no colon\r\n A: continued",
            b": no name",
            b" A: folded from nothing",
            b"two words: x",
            b"n\xc3\xa4me: x",
            b"na\0me: x",
        ):
            self.assertEqual(fields(junk + b"\r\nA: b\r\n"), [(b"A", b" b")], junk)

    def test_bounds(self) -> None:
        """
        Only so many bytes, and only so many fields, are looked into.
        """
        self.patch(headers, "MAX_FIELDS", 3)
        self.assertEqual(len(fields(b"A:\r\n" * 10)), 3)
        self.patch(headers, "MAX_HEADER", 6)
        self.assertEqual(fields(b"A: b\r\nC: d\r\n"), [(b"A", b" b")])

    def test_headerOf(self) -> None:
        """
        The header of a part is had up to the bound.
        """
        message = parse(lines("A: b", "", "body"))
        self.assertEqual(headerOf(message, message.root), b"A: b\r\n\r\n")
        self.patch(headers, "MAX_HEADER", 3)
        self.assertEqual(headerOf(message, message.root), b"A: ")

    @given(brokenMessages)
    def test_anything(self, data: bytes) -> None:
        """
        Any bytes have fields, and each is in them.
        """
        for name, raw in fields(data):
            self.assertIn(name, data)
            self.assertIn(raw, data)
            decode(raw).encode("utf-8")


class ValueTests(SynchronousTestCase):
    """
    Raw values and their text.
    """

    def test_unfold(self) -> None:
        """
        Folds go, the white space after them stays (RFC 5322 section 2.2.3).
        """
        self.assertEqual(unfold(b" a\r\n b\n\tc \r\n "), b"a b\tc")

    def test_decode(self) -> None:
        """
        Folded encoded words, UTF-8 and Latin-1.
        """
        self.assertEqual(decode(b" =?utf-8?q?=C3=A4?=\r\n =?utf-8?q?=C3=B6?="), "äö")
        self.assertEqual(decode(" ä\r\n ö".encode()), "ä ö")
        self.assertEqual(decode(b"\xe4"), "ä")


class SentDayTests(SynchronousTestCase):
    """
    L{sentDay} is the day in the Date field.
    """

    def day(self, *dates: str | bytes) -> datetime.date | None:
        """
        The day of a message with these Date fields.
        """
        data = b"".join(
            b"Date: " + (each if isinstance(each, bytes) else each.encode()) + b"\r\n" for each in dates
        )
        found = sentDay(parse(b"A: b\r\n" + data + b"\r\nDate: 1 Jan 1999 00:00:00 +0000\r\n"))
        return None if found is None else datetime.date.fromordinal(found)

    def test_days(self) -> None:
        """
        Days as mail writes them, whatever the zone.
        """
        for text, expected in (
            ("Mon, 2 May 2005 23:59:59 -1200", (2005, 5, 2)),
            ("2 May 2005 00:00:00 +1400", (2005, 5, 2)),
            ("Fri, 21 Nov 97 09:55:06 GMT", (1997, 11, 21)),
            ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", None),
            (
                "Thu,\r\n      13\r\n        Feb\r\n          1969 23:32 -0330 (Newfoundland Time)",
                (1969, 2, 13),
            ),
            ("Wed, 31 Feb 2001 10:00:00 +0000", None),
            ("Sat, 1 Jan 0000 10:00:00 +0000", (2000, 1, 1)),
            ("Sat, 1 Jan 99999 10:00:00 +0000", None),
            ("yesterday", None),
            ("", None),
            (b"\xff\xfe\0", None),
            ("1 " * 10_000, None),
        ):
            self.assertEqual(
                self.day(text), None if expected is None else datetime.date(*expected), text[:60]
            )

    def test_first(self) -> None:
        """
        The first field counts; without one there is no day.
        """
        self.assertEqual(self.day("2 May 2005 10:00", "3 May 2005 10:00"), datetime.date(2005, 5, 2))
        self.assertIsNone(self.day("never", "3 May 2005 10:00"))
        self.assertIsNone(self.day())

    @given(st.binary(max_size=40))
    def test_anything(self, value: bytes) -> None:
        """
        No value raises.
        """
        sentDay(parse(b"Date: " + value))
        sentDay(parse(b"Date: Mon, 2 May " + value))

    def test_real(self) -> None:
        """
        Nearly all real messages have a day, in a year that there is.
        """
        days = [sentDay(parse(data)) for _, data in realMessages()]
        found = [datetime.date.fromordinal(each).year for each in days if each is not None]
        self.assertTrue(len(found) > 80)
        self.assertTrue(all(1960 < each < 4000 for each in found))
