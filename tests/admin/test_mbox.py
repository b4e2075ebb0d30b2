"""
Tests for L{mailstore.admin.mbox} and L{mailstore.admin.dates}.
"""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from mailstore.admin import mbox
from mailstore.admin.dates import fileDate, fromLineDate, receivedDate
from mailstore.admin.mbox import entries, statusFlags

DATED = b"From ann@example.org Tue May 10 11:28:07 2005\n"


def contents(data: bytes, largest: int = 1000) -> list[bytes | None]:
    """
    The messages of an mbox with this content.
    """
    return [each.content for each in entries(io.BytesIO(data), largest)]


class EntriesTests(SynchronousTestCase):
    """
    L{entries}.
    """

    def test_noMbox(self) -> None:
        """
        What does not begin as an mbox has no messages.
        """
        self.assertEqual(contents(b""), [])
        self.assertEqual(contents(b"Subject: x\n\nFrom y\n"), [])

    def test_messages(self) -> None:
        """
        The empty line before the next message, and at the end, belongs to the mbox.
        """
        data = DATED + b"A: 1\n\none\n\n" + DATED + b"A: 2\n\ntwo\n\n"
        self.assertEqual(contents(data), [b"A: 1\n\none\n", b"A: 2\n\ntwo\n"])
        self.assertEqual(contents(data[:-1]), [b"A: 1\n\none\n", b"A: 2\n\ntwo\n"])
        self.assertEqual(contents(data[:-2]), [b"A: 1\n\none\n", b"A: 2\n\ntwo"])

    def test_crlf(self) -> None:
        """
        Line ends may be CRLF; they stay.
        """
        line = DATED.replace(b"\n", b"\r\n")
        data = line + b"A: 1\r\n\r\none\r\n\r\n" + line + b"A: 2\r\n\r\n"
        self.assertEqual(contents(data), [b"A: 1\r\n\r\none\r\n", b"A: 2\r\n"])

    def test_unquoted(self) -> None:
        """
        One C{>} goes, at the beginning of a line only.
        """
        data = DATED + b"A: 1\n\n>From you\n>>From me\n > From\nx >From\n>From"
        self.assertEqual(contents(data), [b"A: 1\n\nFrom you\n>From me\n > From\nx >From\n>From"])

    def test_sentence(self) -> None:
        """
        A sentence that begins with the word is no new message if the mbox
        writes dates, nor anywhere but after an empty line.
        """
        data = DATED + b"A: 1\n\nFrom here on.\n\nFrom there on.\n" + DATED + b"x\n"
        self.assertEqual(contents(data), [data[len(DATED) :]])

    def test_withoutDates(self) -> None:
        """
        An mbox whose first line has no date parts messages by the word alone.
        """
        data = b"From ann\nA: 1\n\none\n\nFrom bob\nA: 2\n\ntwo\n"
        self.assertEqual(contents(data), [b"A: 1\n\none\n", b"A: 2\n\ntwo\n"])

    def test_emptyMessages(self) -> None:
        """
        A message may have no bytes.
        """
        self.assertEqual(contents(DATED), [b""])
        self.assertEqual(contents(DATED + b"\n" + DATED + b"\n"), [b"", b""])

    def test_largest(self) -> None:
        """
        A message that is larger than wanted is told as such and not kept; the
        next is whole.
        """
        data = DATED + b"x" * 9 + b"\n\n" + DATED + b"x" * 10 + b"\n\n" + DATED + b"y\n"
        self.assertEqual(contents(data, 10), [b"x" * 9 + b"\n", None, b"y\n"])

    def test_longLine(self) -> None:
        """
        A line longer than is read at once stays whole, also when its end
        comes alone, and what follows inside it is no new message.
        """
        for length in (65535, 65536, 65537, 200000):
            message = b"x" * length + b"\n"
            self.assertEqual(contents(DATED + message, 1 << 20), [message])
            torn = b"x" * length + b"From y\n\n>From"
            self.assertEqual(contents(DATED + torn, 1 << 20), [torn])

    def test_blocks(self) -> None:
        """
        Wherever the blocks end that are read at once, the messages are the same.
        """
        line = DATED.replace(b"\n", b"\r\n")
        text = b"A: 1\n\n>From you\n\nFrom here on.\n>>From me\r\n\r\n"
        data = DATED + text + line + b"\r\n" + DATED + b"\n\n" + line + text * 2 + b"z\n\nFrom"
        whole = contents(data)
        self.assertEqual(len(whole), 4)
        for size in range(len(line), len(data) + 1):
            self.patch(mbox, "_BLOCK", size)
            self.assertEqual(contents(data), whole)
            self.assertEqual(contents(data, 20), [each if len(each or b"") <= 20 else None for each in whole])

    def test_arrival(self) -> None:
        """
        The date is that of the C{From } line, else that of the Received field.
        """
        (first,) = entries(io.BytesIO(DATED), 10)
        self.assertEqual(first.arrival, (1115724487, 0))
        received = b"Received: from a; Tue, 10 May 2005 13:28:07 +0200\n\n"
        (second,) = entries(io.BytesIO(b"From x\n" + received), 100)
        self.assertEqual(second.arrival, (1115724487, 120))
        (third,) = entries(io.BytesIO(b"From x\n"), 100)
        self.assertIsNone(third.arrival)


class StatusFlagsTests(SynchronousTestCase):
    """
    L{statusFlags}.
    """

    def test_flags(self) -> None:
        """
        The letters of both fields count, in the header only.
        """
        message = b"Status: RO\r\nA: b\nX-Status: AFDT\n\nStatus: R\n"
        self.assertEqual(
            set(statusFlags(message)), {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"}
        )
        self.assertEqual(statusFlags(b"A: b\n\nStatus: RO\n"), ())
        self.assertEqual(statusFlags(b""), ())


class DatesTests(SynchronousTestCase):
    """
    Dates of all sources, and what makes no sense.
    """

    def test_fromLine(self) -> None:
        """
        The forms that mail readers write.
        """
        for line in (
            b"From ann@example.org Tue May 10 11:28:07 2005",
            b"From - Tue May 10 11:28:07 2005\r\n",
            b"From MAILER-DAEMON Tue May 10 11:28:07 GMT 2005",
            b"From ann Tue May 10 11:28:07 +0200 2005",
        ):
            self.assertEqual(fromLineDate(line), (1115724487, 0), line)
        self.assertEqual(fromLineDate(b"From a Tue May 10 11:28 2005"), (1115724480, 0))

    def test_fromLineNonsense(self) -> None:
        """
        Impossible dates and none at all.
        """
        for line in (b"", b"From here on", b"From a May 40 11:28:07 2005", b"From a May 10 25:28:07 2005"):
            self.assertIsNone(fromLineDate(line), line)
        self.assertIsNone(fromLineDate(b"From a Tue May 10 11:28:07 1905"))

    def test_received(self) -> None:
        """
        The topmost field counts, also when it is folded; C{;} may stand in it twice.
        """
        header = (
            b"X: y\r\nreceived: from a (b; c)\r\n\tby d;\r\n Tue, 10 May 2005 11:28:07 -0130\r\n"
            b"Received: x; Tue, 10 May 2011 11:28:07 +0000\r\n\r\n"
        )
        self.assertEqual(receivedDate(header), (1115729887, -90))

    def test_receivedNonsense(self) -> None:
        """
        No field, a field of the body, no date, and dates that no clock showed.
        """
        for message in (
            b"",
            b"A: b\n\nReceived: x; Tue, 10 May 2005 11:28:07 -0130\n",
            b"Received: from a",
            b"Received: ; \xff\xfe",
            b"Received: a; Tue, 99 Zzz 99999 99:99:99 +9999999",
            b"Received: a; Tue, 10 May 1905 11:28:07 +0000",
            b"Received: a; 1 Jan 9999999999999 0:0:0",
        ):
            self.assertIsNone(receivedDate(message), message)

    def test_oddZone(self) -> None:
        """
        A zone that does not exist is left out.
        """
        arrival = receivedDate(b"Received: a; Tue, 10 May 2005 11:28:07 +9900")
        assert arrival is not None
        self.assertEqual(arrival[1], 0)

    def test_file(self) -> None:
        """
        A file from before 1970 has no date.
        """
        self.assertEqual(fileDate(7.9), (7, 0))
        self.assertIsNone(fileDate(-1.0))
