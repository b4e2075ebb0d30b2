"""
SORT and UID SORT.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.errors import StoreUnavailable
from mailstore.model import uint32s
from tests.imap.commands.messagecase import MessageCase, plain

_DAY = 86_400


def message(sender: str, to: str, cc: str, subject: str, day: int, size: int = 0) -> bytes:
    """
    A message of January 2024.
    """
    return (
        f"From: {sender}\r\nTo: {to}\r\nCc: {cc}\r\nSubject: {subject}\r\n"
        f"Date: {day} Jan 2024 12:00:00 +0000\r\n\r\n{'x' * size}\r\n"
    ).encode()


class SortTests(MessageCase):
    """
    What is found, in its order.
    """

    def setUp(self) -> None:
        super().setUp()
        for at, (text, flags) in enumerate(
            (
                (message("dora@a.example", "b@x", "z@x", "Re: beta", 3), ("\\Seen",)),
                (message("gone@a.example", "b@x", "z@x", "gone", 3), ()),
                (message('"Zoe" <anna@z.example>', "c@x", "y@x", "alpha", 4), ("\\Seen",)),
                (message("bert@a.example", "a@x", "x@x", "[list] Fwd: gamma", 1, 500), ()),
                (message("carl@a.example", "d@x", "w@x", "=?utf-8?q?=C3=A4pfel?=", 2, 100), ()),
            )
        ):
            self.fill(text, flags=flags, internal_date=1_700_000_000 + (10 - at) * _DAY)
        self.remove(2)

    def test_keys(self) -> None:
        """
        Every key of RFC 5256 section 3, in both directions; the words are in any case.
        """
        client = self.client()
        for keys, numbers in (
            ("ARRIVAL", "4 3 2 1"),
            ("REVERSE ARRIVAL", "1 2 3 4"),
            ("CC", "4 3 2 1"),
            ("DATE", "3 4 1 2"),
            ("REVERSE DATE", "2 1 4 3"),
            ("FROM", "2 3 4 1"),
            ("SIZE", "1 2 4 3"),
            ("reverse size", "3 4 2 1"),
            ("TO", "3 1 2 4"),
            ("REVERSE TO", "4 2 1 3"),
        ):
            self.assertEqual(
                client.command(f"SORT ({keys}) UTF-8 ALL"), [f"* SORT {numbers}", "T OK SORT completed"], keys
            )
        response = client.command("SORT (SUBJECT) UTF-8 ALL")[0].removeprefix("* SORT ").split()
        self.assertLess(response.index("2"), response.index("1"))
        self.assertLess(response.index("1"), response.index("3"))

    def test_severalKeys(self) -> None:
        """
        A later key decides where an earlier one does not; at last it is the order in the folder.
        """
        client = self.client()
        self.fill(message("anna@q.example", "z@x", "y@x", "alpha", 9))
        self.fill(message("anna@r.example", "y@x", "y@x", "alpha", 8))
        client.command("NOOP")
        for keys, numbers in (
            ("FROM DATE", "2 6 5"),
            ("FROM REVERSE DATE", "5 6 2"),
            ("FROM", "2 5 6"),
            ("FROM SUBJECT TO", "2 6 5"),
            ("FROM FROM REVERSE FROM", "2 5 6"),
        ):
            self.assertEqual(client.command(f"SORT ({keys}) UTF-8 FROM anna")[0], f"* SORT {numbers}", keys)

    def test_return(self) -> None:
        """
        With RETURN the answer is ESEARCH: the first and the last are those in this order, and all stand in
        it (RFC 5267 section 3); C{$} is set as by SEARCH.
        """
        client = self.client()
        for options, answer, saved in (
            ("", "ALL 4,3,2,1", ""),
            ("MIN", "MIN 4", ""),
            ("MAX COUNT", "MAX 1 COUNT 4", ""),
            ("MIN SAVE", "MIN 4", "4"),
            ("SAVE MIN MAX", "MIN 4 MAX 1", "1 4"),
            ("ALL SAVE COUNT", "COUNT 4 ALL 4,3,2,1", "1 2 3 4"),
        ):
            response, tagged = client.command(f"SORT RETURN ({options}) (ARRIVAL) UTF-8 ALL")
            self.assertEqual(response.partition(") ")[2], answer)
            self.assertEqual(tagged, "T OK SORT completed")
            self.assertEqual(client.command("SEARCH $")[0], f"* SEARCH {saved}".strip(), options)
        (tagged,) = client.command("UID SORT RETURN (SAVE) (ARRIVAL) UTF-8 2")
        self.assertEqual(client.command("UID SEARCH $")[0], "* SEARCH 3")
        response = client.command("UID SORT RETURN (ALL) (REVERSE ARRIVAL) UTF-8 ALL")[0]
        self.assertEqual(response.partition(") ")[2], "UID ALL 1,3:5")
        self.assertTrue(
            client.command("SORT RETURN (SAVE) (DATE) X-NONE ALL")[0].startswith("T NO [BADCHARSET ")
        )
        self.assertEqual(client.command("SEARCH $")[0], "* SEARCH")

    def test_uids(self) -> None:
        """
        UID SORT answers with UIDs; its sets of numbers are sequence numbers all the same.
        """
        client = self.client()
        for key, uids in (("ALL", "5 4 3 1"), ("2:3", "4 3"), ("UID 2:3", "3"), ("SEEN", "3 1")):
            self.assertEqual(
                client.command(f"UID SORT (ARRIVAL) UTF-8 {key}"),
                [f"* SORT {uids}", "T OK UID SORT completed"],
            )

    def test_nothingFound(self) -> None:
        """
        Of nothing there is an empty response, in an empty folder too.
        """
        self.result(self.engine.createFolder("alice", "Empty"))
        self.assertEqual(self.client().command("SORT (DATE) UTF-8 DRAFT")[0], "* SORT")
        self.assertEqual(self.client(folder="Empty").command("SORT (DATE) UTF-8 1:*")[0], "* SORT")

    def test_charset(self) -> None:
        """
        The texts are in the character set that is named; an unknown one is C{BADCHARSET}.
        """
        client = self.client()
        for charset, text in (("UTF-8", b"\xc3\xa4pfel"), ("iso-8859-1", b"\xc4PFEL"), ("KOI8-R", b"pfel")):
            client.say(
                b"T SORT (DATE) %b SUBJECT {%d+}\r\n%b\r\n" % (charset.encode(), len(text), text),
            )
            self.assertEqual(client.heard()[0], b"* SORT 4", charset)
        (line,) = client.command("SORT (DATE) X-UNKNOWN ALL")
        self.assertRegex(line, r"^T NO \[BADCHARSET \(US-ASCII UTF-8 [A-Z0-9 _-]+\)\] ")

    def test_notWellFormed(self) -> None:
        """
        What is no SORT is answered BAD, and nothing is looked for.
        """
        client = self.client()
        for wrong in ("", "()", "(X)", "(REVERSE)", "DATE", "(DATE) UTF-8", "(DATE) UTF-8 X", "(TO) UTF-8 5"):
            self.assertBad(client.command(f"SORT {wrong} ".rstrip()))
        self.assertEqual(self.store.named("sort"), [])

    def test_vanished(self) -> None:
        """
        What vanished, or is not announced yet, is not in it; no EXPUNGE comes before the
        tagged reply of SORT, but one may in UID SORT.
        """
        client = self.client()
        self.remove(3)

        async def more(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            self.fill(plain("late"))
            async for batch in method(*arguments):
                yield batch

        self.store.instead["sort"] = more
        lines = client.command("SORT (ARRIVAL) UTF-8 ALL")
        self.assertEqual(lines[0], "* SORT 4 3 1")
        self.assertEqual([line for line in lines if "EXPUNGE" in line], [])
        lines = client.command("UID SORT (ARRIVAL) UTF-8 ALL")
        self.assertEqual(lines[0], "* SORT 5 4 1 6")
        self.assertIn("* 2 EXPUNGE", lines)

    def test_failsInTheMiddle(self) -> None:
        """
        One that fails gives no half an answer.
        """

        async def fail(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            yield uint32s((1,)).tobytes()
            raise StoreUnavailable("away")

        self.store.instead["sort"] = fail
        self.assertNo(self.client().command("SORT (DATE) UTF-8 ALL"), "UNAVAILABLE")

    def test_clientLeaves(self) -> None:
        """
        When the client leaves, the store is told to look no further.
        """
        gate: Deferred[None] = Deferred()
        closed = []

        async def slow(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            try:
                yield b""
                await gate
                yield b""
                self.fail("asked for more")
            finally:
                closed.append(True)

        self.store.instead["sort"] = slow
        client = self.client()
        client.say(b"T SORT (DATE) UTF-8 TEXT x\r\n")
        self.assertEqual(client.heard(), [])
        client.disconnect()
        gate.callback(None)
        self.assertEqual(closed, [True])

    def test_large(self) -> None:
        """
        Ten thousand numbers come in one line, in pieces.
        """
        self.result(self.engine.createFolder("alice", "Box"))
        self.fill(*(plain("x"),) * 10_000, folder="Box")
        data = self.client(folder="Box").raw("SORT (SUBJECT) UTF-8 ALL")
        line, _, _ = data.split(b"\r\n")
        self.assertEqual(line, b"* SORT " + b" ".join(b"%d" % each for each in range(1, 10_001)))
