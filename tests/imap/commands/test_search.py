"""
SEARCH and UID SEARCH.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.errors import StoreUnavailable
from mailstore.model import uint32s
from tests.imap.commands.messagecase import MULTIPART, MessageCase, plain

_DAY = 86400

#: Keys, and the sequence numbers that they find.
_KEYS: tuple[tuple[str, str], ...] = (
    ("ALL", "1 2 3 4 5"),
    ("all", "1 2 3 4 5"),
    ("ANSWERED", "2"),
    ("UNANSWERED", "1 3 4 5"),
    ("DELETED", "3"),
    ("UNDELETED", "1 2 4 5"),
    ("DRAFT", "4"),
    ("UNDRAFT", "1 2 3 5"),
    ("FLAGGED", "2"),
    ("UNFLAGGED", "1 3 4 5"),
    ("SEEN", "1"),
    ("UNSEEN", "2 3 4 5"),
    ("KEYWORD $Label", "5"),
    ("KEYWORD $LABEL", "5"),
    ("KEYWORD Nothing", ""),
    ("UNKEYWORD $Label", "1 2 3 4"),
    ("RECENT", "5"),
    ("NEW", "5"),
    ("OLD", "1 2 3 4"),
    ("2", "2"),
    ("2:4", "2 3 4"),
    ("*", "5"),
    ("1,3:*", "1 3 4 5"),
    ("UID 3", "2"),
    ("UID 1:3", "1 2"),
    ("UID 2", ""),
    ("UID 100:*", "5"),
    ("BEFORE 2-Jan-2024", "1"),
    ('ON "3-Jan-2024"', "3"),
    ("SINCE 4-Jan-2024", "4 5"),
    ("SENTBEFORE 5-Jan-2024", ""),
    ("SENTON 5-Jan-2024", "5"),
    ("SENTSINCE 1-Jan-2024", "5"),
    ("LARGER 1000", "4"),
    ("SMALLER 60", "1 2"),
    ("FROM Ann", "1 2 3 4 5"),
    ("FROM bob", ""),
    ("TO BOB@example", "5"),
    ("CC x", ""),
    ("BCC x", ""),
    ("SUBJECT two", "2 5"),
    ('SUBJECT "Two parts"', "5"),
    ("HEADER Message-ID two@", "5"),
    ('HEADER Message-ID ""', "5"),
    ("HEADER Subject three", "3"),
    ("BODY second", "5"),
    ("BODY two", ""),
    ("TEXT second", "5"),
    ("TEXT two", "2 5"),
    # Of a part's MIME header.
    ("TEXT text/html", "5"),
    ("BODY text/html", ""),
    ("BODY {6+}\r\nsecond", "5"),
    ("CHARSET UTF-8 SUBJECT {8+}\r\ngr\xc3\xbc\xc3\x9fe!", "3"),
    ("CHARSET ISO-8859-1 SUBJECT {7+}\r\nGR\xdcSSE!", "3"),
    ("CHARSET us-ascii ALL", "1 2 3 4 5"),
    ("NOT SEEN", "2 3 4 5"),
    ("NOT NOT SEEN", "1"),
    ("OR SEEN ANSWERED", "1 2"),
    ("OR (SEEN) (ANSWERED FLAGGED)", "1 2"),
    ("ANSWERED FLAGGED", "2"),
    ("SEEN ANSWERED", ""),
    ("NOT (SEEN ANSWERED)", "1 2 3 4 5"),
    ("2:4 UNDELETED NOT DRAFT", "2"),
    ("OR UID 1 OR 3 5", "1 3 5"),
)


class SearchTests(MessageCase):
    """
    What is found.
    """

    def setUp(self) -> None:
        super().setUp()
        date = 19723 * _DAY + 12 * 3600  # 2024-01-01
        for number, (message, flags) in enumerate(
            (
                (plain("one"), ("\\Seen",)),
                (plain("gone"), ()),
                (plain("two"), ("\\Answered", "\\Flagged")),
                (plain("three =?utf-8?q?Gr=C3=BC=C3=9Fe!?="), ("\\Deleted",)),
                (plain("four", "long " * 300), ("\\Draft",)),
            )
        ):
            self.fill(message, flags=flags, internal_date=date + max(0, number - 1) * _DAY)
        self.remove(2)
        self.client().command("UNSELECT")  # so far nothing is recent any more
        self.fill(MULTIPART, flags=("$Label",), internal_date=date + 4 * _DAY)

    def test_keys(self) -> None:
        """
        Every key of RFC 3501 section 6.4.4.
        """
        client = self.client()
        for key, numbers in _KEYS:
            client.say(b"T SEARCH " + key.encode("latin-1") + b"\r\n")
            answer = ["* SEARCH " + numbers if numbers else "* SEARCH", "T OK SEARCH completed"]
            self.assertEqual([line.decode() for line in client.heard()], answer, key)

    def test_uids(self) -> None:
        """
        UID SEARCH answers with UIDs; its sets of numbers are sequence numbers all the same.
        """
        client = self.client()
        for key, uids in (
            ("ALL", "1 3 4 5 6"),
            ("2:3", "3 4"),
            ("UID 2:3", "3"),
            ("RECENT", "6"),
            ("SEEN DRAFT", ""),
        ):
            lines = client.command(f"UID SEARCH {key}")
            self.assertEqual(lines, [f"* SEARCH {uids}".rstrip(), "T OK UID SEARCH completed"])

    def test_unknownCharset(self) -> None:
        """
        An unknown character set is C{BADCHARSET}, with a list of some that are known.
        """
        client = self.client()
        for name in ("X-UNKNOWN", "rot13", "base64", "../etc"):
            lines = client.command(f"SEARCH CHARSET {name} ALL")
            self.assertEqual(len(lines), 1)
            self.assertRegex(lines[0], r"^T NO \[BADCHARSET \(US-ASCII UTF-8 [A-Z0-9 _-]+\)\] ")
        for name in ("US-ASCII", "UTF-8", "ISO-8859-1", "WINDOWS-1252", "KOI8-R", "ISO-2022-JP", "SHIFT_JIS"):
            self.assertOk(client.command(f"SEARCH CHARSET {name} ALL"))

    def test_wrongBytes(self) -> None:
        """
        Text that is not in its character set is refused.
        """
        client = self.client()
        client.say(b"T SEARCH CHARSET UTF-8 SUBJECT {2+}\r\n\xff\xfe\r\n")
        (line,) = client.heard()
        self.assertTrue(line.startswith(b"T BAD "), line)

    def test_notWellFormed(self) -> None:
        """
        What is no SEARCH is answered BAD, and nothing is looked for.
        """
        client = self.client()
        for wrong in (
            "SEARCH",
            "SEARCH X",
            "SEARCH (ALL",
            "SEARCH 6",
            "SEARCH NOT",
            "SEARCH SINCE 99-Jan-2024",
        ):
            self.assertBad(client.command(wrong))
        self.assertBad(client.command("SEARCH " + "NOT (SEEN " * 200 + "ALL" + ")" * 200))
        self.assertEqual(self.store.named("search"), [])

    def test_emptyFolder(self) -> None:
        """
        In an empty folder nothing is found, and C{1:*} is no error.
        """
        self.result(self.engine.createFolder("alice", "Empty"))
        client = self.client(folder="Empty")
        for key in ("ALL", "1:*", "UID 1:*", "RECENT"):
            self.assertEqual(client.command(f"SEARCH {key}"), ["* SEARCH", "T OK SEARCH completed"])

    def test_vanished(self) -> None:
        """
        What vanished is not found; no EXPUNGE comes before the tagged reply of SEARCH, but
        one may in UID SEARCH (RFC 9051 section 7.5.1).
        """
        client = self.client()
        self.remove(3)
        self.assertEqual(client.command("SEARCH ALL"), ["* SEARCH 1 3 4 5", "T OK SEARCH completed"])
        lines = client.command("UID SEARCH ALL")
        self.assertEqual(lines[:2], ["* SEARCH 1 4 5 6", "* 2 EXPUNGE"])

    def test_unannounced(self) -> None:
        """
        A message that came and was not announced yet is not found.
        """
        client = self.client()

        async def more(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            self.fill(plain("late"))
            async for batch in method(*arguments):
                yield batch

        self.store.instead["search"] = more
        self.assertEqual(client.command("SEARCH ALL")[0], "* SEARCH 1 2 3 4 5")

    def test_noRight(self) -> None:
        """
        If the right to read was taken away meanwhile, the answer is NO without a result.
        """
        name = self.public("Notes", alice="lr")
        client = self.client(folder=name)
        self.result(self.engine.setRights("#system", name, "alice", ""))
        self.result(self.engine.setRights("#system", name, "authenticated", ""))
        data = client.raw("SEARCH ALL")
        self.assertNotIn(b"* SEARCH", data)
        self.assertIn(b"T NO ", data)


class SearchFlowTests(MessageCase):
    """
    Large answers, and answers that take their time.
    """

    def answer(self, *batches: bytes) -> list[str]:
        """
        Let the store answer with these batches, each when the next is asked for.

        @return: what happened to the iteration.
        """
        events: list[str] = []

        async def search(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            try:
                for batch in batches:
                    events.append("batch")
                    yield batch
                events.append("end")
            finally:
                events.append("closed")

        self.store.instead["search"] = search
        return events

    def test_hugeAnswer(self) -> None:
        """
        Ten thousand numbers come in one line, written in pieces.
        """
        self.fill(*(plain("x"),) * 10_000)
        client = self.client()
        client.readSlowly()
        client.say(b"T SEARCH ALL\r\n")
        pieces = [client.readMore()]
        while not pieces[-1].endswith(b"T OK SEARCH completed\r\n"):
            pieces.append(client.readMore())
            self.assertLess(len(pieces), 20)
        self.assertGreater(len(pieces), 4)
        self.assertLessEqual(max(map(len, pieces)), 65536)
        (line, _, end) = b"".join(pieces).split(b"\r\n")
        self.assertEqual(end, b"")
        self.assertEqual(line, b"* SEARCH " + b" ".join(b"%d" % each for each in range(1, 10_001)))

    def test_failsInTheMiddle(self) -> None:
        """
        A search that fails gives no half an answer.
        """
        self.fill(plain("x"))

        async def fail(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            yield uint32s((1,)).tobytes()
            raise StoreUnavailable("away")

        self.store.instead["search"] = fail
        self.assertNo(self.client().command("SEARCH ALL"), "UNAVAILABLE")

    def test_clientLeaves(self) -> None:
        """
        When the client leaves, the store is told to look no further.
        """
        self.fill(plain("x"))
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

        self.store.instead["search"] = slow
        client = self.client()
        client.say(b"T SEARCH TEXT x\r\n")
        self.assertEqual(client.heard(), [])
        client.disconnect()
        gate.callback(None)
        self.assertEqual(closed, [True])
