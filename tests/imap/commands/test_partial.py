"""
Tests of PARTIAL (RFC 9394).
"""

from __future__ import annotations

from mailstore.imap.messagesets import portion
from mailstore.imap.wire.values import PartialRange
from mailstore.model import UidSet
from tests.imap.commands.messagecase import Client, MessageCase, plain


class PartialTests(MessageCase):
    """
    Ten messages, the UIDs 3 and 7 of which are gone.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(f"number {each}") for each in range(10)))
        self.remove(3, 7)
        self.open = self.client()

    def search(
        self, options: str, key: str = "ALL", by_uid: bool = True, client: Client | None = None
    ) -> str:
        """
        What ESEARCH tells behind the tag.
        """
        lines = (client or self.open).command(f"{'UID ' * by_uid}SEARCH RETURN ({options}) {key}")
        self.assertOk(lines)
        self.assertEqual(len(lines), 2, lines)
        return lines[0].partition(") ")[2].removeprefix("UID ")

    def saved(self) -> str:
        """
        What C{$} is.
        """
        return self.search("ALL", "$").removeprefix("ALL ")

    def test_ranges(self) -> None:
        """
        From the front and from the end, in either direction, past the ends, and where there is nothing.
        """
        for wanted, expected in (
            ("1:3", "1:2,4"),
            ("3:1", "1:2,4"),
            ("4:6", "5:6,8"),
            ("8:8", "10"),
            ("7:100", "9:10"),
            ("9:100", "NIL"),
            ("-1:-3", "8:10"),
            ("-3:-1", "8:10"),
            ("-7:-100", "1:2"),
            ("-9:-100", "NIL"),
        ):
            self.assertEqual(self.search(f"PARTIAL {wanted}"), f"PARTIAL ({wanted} {expected})")
        self.assertEqual(self.search("PARTIAL -1:-3", by_uid=False), "PARTIAL (-1:-3 6:8)")
        self.assertEqual(self.search("PARTIAL 1:2", "SUBJECT none"), "PARTIAL (1:2 NIL)")

    def test_withOthers(self) -> None:
        """
        Beside it stand MIN, MAX and COUNT, of all that is found.
        """
        self.assertEqual(self.search("PARTIAL 2:3 MIN MAX COUNT"), "MIN 1 MAX 10 COUNT 8 PARTIAL (2:3 2,4)")
        self.open.command("SEARCH MODSEQ 1")
        answer = self.search("PARTIAL 2:3", "MODSEQ 1")
        self.assertRegex(answer, r"^PARTIAL \(2:3 2,4\) MODSEQ \d+$")

    def test_save(self) -> None:
        """
        C{$} is what RFC 9394 section 3.2 says in its table.
        """
        for options, expected in (
            ("PARTIAL 4:5", "5:6"),
            ("PARTIAL 4:5 MIN", "1,5:6"),
            ("PARTIAL 4:5 MAX", "5:6,10"),
            ("PARTIAL 4:5 MIN MAX", "1,5:6,10"),
            ("PARTIAL 4:5 COUNT MIN", "1:2,4:6,8:10"),
        ):
            self.search(f"SAVE {options}")
            self.assertEqual(self.saved(), expected)

    def test_bad(self) -> None:
        """
        With ALL, twice, over both ends, without a range, or in SORT it is BAD.
        """
        for options in (
            "PARTIAL 1:2 ALL",
            "PARTIAL 1:2 PARTIAL 1:2",
            "PARTIAL 1:-2",
            "PARTIAL -1:2",
            "PARTIAL",
            "PARTIAL 1",
            "PARTIAL 0:1",
            "PARTIAL 1:*",
            "PARTIAL 1:4294967296",
        ):
            self.assertBad(self.open.command(f"SEARCH RETURN ({options}) ALL"))
        self.assertBad(self.open.command("SORT RETURN (PARTIAL 1:2) (DATE) UTF-8 ALL"))
        self.assertBad(self.open.command("FETCH 1:* UID (PARTIAL 1:2)"))
        self.assertBad(self.open.command("UID FETCH 1:* UID (PARTIAL 1:2 PARTIAL 1:2)"))

    def test_fetch(self) -> None:
        """
        UID FETCH tells of those of the messages named that stand there; with CHANGEDSINCE, of those of them
        that have changed.
        """
        for wanted, expected in (("1:3", [2, 4, 5]), ("-1:-2", [6, 8]), ("4:9", [6, 8]), ("6:9", [])):
            lines = self.open.command(f"UID FETCH 2:8 UID (PARTIAL {wanted})")
            self.assertOk(lines)
            found = [int(line.rpartition("UID ")[2].rstrip(")")) for line in lines[:-1]]
            self.assertEqual(found, expected)
        since = self.result(self.engine.status("alice", "INBOX")).highest_modseq
        self.flag(4, "\\Flagged")
        self.flag(8, "\\Flagged")
        self.open.command("NOOP")
        lines = self.open.command(f"UID FETCH 1:* FLAGS (PARTIAL -1:-4 CHANGEDSINCE {since})")
        (line,) = [line for line in lines if " FETCH " in line and line.startswith("* ")]
        self.assertRegex(line, r"^\* 6 FETCH \(UID 8 FLAGS \(\\Flagged.*\) MODSEQ \(\d+\)\)$")

    def test_portion(self) -> None:
        """
        Places in sets of UIDs, and ranges of any count, by all that are small.
        """
        uids = UidSet(((2, 3), (5, 5), (8, 10)))
        every = list(uids)
        for start in range(8):
            for end in range(start, 8):
                self.assertEqual(list(portion(uids, start, end)), every[start:end])
        for count in range(5):
            things = list(range(count))
            for first in range(1, 7):
                for last in range(first, 7):
                    start, end = PartialRange(first, last).bounds(count)
                    self.assertEqual(things[start:end], things[first - 1 : last])
                    start, end = PartialRange(last, first, True).bounds(count)
                    self.assertEqual(things[start:end], [*reversed([*reversed(things)][first - 1 : last])])
