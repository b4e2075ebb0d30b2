"""
FETCH and UID FETCH.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.errors import StoreUnavailable
from mailstore.model import FlagMode, UidSet
from tests.imap.commands.messagecase import MULTIPART, MessageCase, plain

#: 2024-01-05 09:30:15 UTC.
_ARRIVAL = 1704447015

#: Items that a client can ask for of L{MULTIPART}, and the answer.
_ITEMS: tuple[tuple[str, bytes], ...] = (
    ("FLAGS", b"FLAGS (\\Answered \\Recent)"),
    ("UID", b"UID 1"),
    ("INTERNALDATE", b'INTERNALDATE " 5-Jan-2024 11:30:15 +0200"'),
    ("RFC822.SIZE", b"RFC822.SIZE %d" % len(MULTIPART)),
    (
        "ENVELOPE",
        b'ENVELOPE ("Fri, 5 Jan 2024 10:00:00 +0100" "Two parts" (("Ann" NIL "ann" "example.org"))'
        b' (("Ann" NIL "ann" "example.org")) (("Ann" NIL "ann" "example.org"))'
        b' ((NIL NIL "bob" "example.org")) NIL NIL NIL "<two@example.org>")',
    ),
    ("BODY.PEEK[]", b"BODY[] {%d}\r\n%b" % (len(MULTIPART), MULTIPART)),
    ("BODY.PEEK[1]", b"BODY[1] {10}\r\nfirst part"),
    ("BODY.PEEK[2.MIME]", b"BODY[2.MIME] {47}\r\nContent-Type: text/html\r\nContent-ID: <html>\r\n\r\n"),
    ("BODY.PEEK[3]", b"BODY[3] NIL"),
    ("BODY.PEEK[1]<6.100>", b"BODY[1]<6> {4}\r\npart"),
    ("BODY.PEEK[1]<0.5>", b"BODY[1]<0> {5}\r\nfirst"),
    (
        "BODY.PEEK[HEADER.FIELDS (SUBJECT date)]",
        b"BODY[HEADER.FIELDS (SUBJECT date)] {60}\r\n"
        b"Subject: Two parts\r\nDate: Fri, 5 Jan 2024 10:00:00 +0100\r\n\r\n",
    ),
    (
        "BODY.PEEK[HEADER.FIELDS.NOT (From To Date Message-ID MIME-Version Content-Type)]",
        b"BODY[HEADER.FIELDS.NOT (From To Date Message-ID MIME-Version Content-Type)] {22}\r\n"
        b"Subject: Two parts\r\n\r\n",
    ),
    (
        "RFC822.HEADER",
        b"RFC822.HEADER {%d}\r\n%b"
        % (MULTIPART.index(b"--cut\r\n"), MULTIPART[: MULTIPART.index(b"--cut\r\n")]),
    ),
    (
        "BODY.PEEK[TEXT]",
        b"BODY[TEXT] {%d}\r\n%b"
        % (len(MULTIPART) - MULTIPART.index(b"--cut\r\n"), MULTIPART[MULTIPART.index(b"--cut\r\n") :]),
    ),
)


class FetchItemTests(MessageCase):
    """
    What a client can ask for, and how it is answered.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(MULTIPART, flags=("\\Answered",), internal_date=_ARRIVAL, zone=120)

    def test_items(self) -> None:
        """
        Each item is answered by its name and its value.
        """
        client = self.client()
        for item, answer in _ITEMS:
            with self.subTest(item):
                found = client.raw(f"FETCH 1 {item}")
                self.assertEqual(found, b"* 1 FETCH (%b)\r\nT OK FETCH completed\r\n" % answer)

    def test_together(self) -> None:
        """
        All items in one command give one response in the order asked for.
        """
        client = self.client()
        items = " ".join(item for item, _ in _ITEMS)
        answer = b" ".join(answer for _, answer in _ITEMS)
        found = client.raw(f"FETCH 1 ({items})")
        self.assertEqual(found, b"* 1 FETCH (%b)\r\nT OK FETCH completed\r\n" % answer)

    def test_structures(self) -> None:
        """
        C{BODY} is C{BODYSTRUCTURE} without the extension data.
        """
        client = self.client()
        (body, _) = client.command("FETCH 1 BODY")
        (structure, _) = client.command("FETCH 1 BODYSTRUCTURE")
        self.assertTrue(body.startswith('* 1 FETCH (BODY (("text" "plain" ') or "TEXT" in body, body)
        self.assertIn('"cut"', structure)
        self.assertNotIn('"cut"', body)

    def test_macros(self) -> None:
        """
        C{FAST}, C{ALL} and C{FULL} stand for the items that RFC 3501 section 6.4.5 says.
        """
        client = self.client()
        for macro, last in (("FAST", "RFC822.SIZE"), ("ALL", "ENVELOPE"), ("FULL", "BODY")):
            (line, _) = client.command(f"FETCH 1 {macro}")
            names = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"]
            at = [line.find(f" {name} ") if name != "FLAGS" else line.find("(FLAGS ") for name in names]
            wanted = names[: names.index(last) + 1]
            self.assertEqual([name for name, place in zip(names, at, strict=True) if place > 0], wanted)

    def test_modseq(self) -> None:
        """
        The mod-sequence stands in parentheses (RFC 7162 section 3.1.5), and grows with a change.
        """
        client = self.client()
        (_, before, _) = client.command("FETCH 1 (MODSEQ)")
        self.flag(1, "\\Seen")
        client.command("NOOP")
        (after, _) = client.command("FETCH 1 (MODSEQ)")
        pattern = r"^\* 1 FETCH \(MODSEQ \(([0-9]+)\)\)$"
        self.assertRegex(before, pattern)
        self.assertGreater(int(after.split("(")[2].rstrip(")")), int(before.split("(")[2].rstrip(")")))

    def test_uidForm(self) -> None:
        """
        UID FETCH always says the UID, first unless it was asked for elsewhere.
        """
        client = self.client()
        self.assertEqual(
            client.command("UID FETCH 1 RFC822.SIZE")[0], f"* 1 FETCH (UID 1 RFC822.SIZE {len(MULTIPART)})"
        )
        self.assertEqual(
            client.command("UID FETCH 1 (RFC822.SIZE UID)")[0],
            f"* 1 FETCH (RFC822.SIZE {len(MULTIPART)} UID 1)",
        )

    def test_sameSectionTwice(self) -> None:
        """
        C{BODY[1]} and C{BODY.PEEK[1]} have one answer; C{RFC822.HEADER} and C{BODY[HEADER]} have two.
        """
        client = self.client(command="EXAMINE")
        self.assertEqual(client.raw("FETCH 1 (BODY[1] BODY.PEEK[1])").count(b"first part"), 1)
        found = client.raw("FETCH 1 (BODY[HEADER] RFC822.HEADER)")
        self.assertEqual(found.count(b"Subject: Two parts"), 2)
        self.assertEqual(len(self.store.named("fetch")[-1][3].sections), 1)

    def test_percentInFieldName(self) -> None:
        """
        A percent sign in the name of a field is not taken for anything else.
        """
        client = self.client()
        found = client.raw('FETCH 1 (UID BODY.PEEK[HEADER.FIELDS ("X-%d%b")])')
        self.assertEqual(found.split(b"\r\n")[0], b'* 1 FETCH (UID 1 BODY[HEADER.FIELDS ("X-%d%b")] {2}')

    def test_nothingWellFormed(self) -> None:
        """
        What is no FETCH is answered BAD, and nothing is fetched.
        """
        client = self.client()
        for wrong in (
            "FETCH",
            "FETCH 1",
            "FETCH 0 FLAGS",
            "FETCH 1 (FLAGS",
            "FETCH 1 FLAGS x",
            "FETCH 2 FLAGS",
        ):
            self.assertBad(client.command(wrong))
        self.assertEqual(self.store.named("fetch"), [])


class FetchSetTests(MessageCase):
    """
    Which messages are meant.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(f"number {each}") for each in range(1, 7)))
        self.remove(2, 4)

    def test_sets(self) -> None:
        """
        Sets by sequence number and by UID, with C{*}, in any order and repeated.
        """
        client = self.client()
        for command, uids in (
            ("FETCH 1:* UID", [1, 3, 5, 6]),
            ("FETCH * UID", [6]),
            ("FETCH 4,1:2,2 UID", [1, 3, 6]),
            ("FETCH 3:2 UID", [3, 5]),
            ("UID FETCH 1:* UID", [1, 3, 5, 6]),
            ("UID FETCH 4 UID", []),
            ("UID FETCH 4:5,99 UID", [5]),
            ("UID FETCH 99:* UID", [6]),
            ("UID FETCH 7:8 UID", []),
        ):
            lines = client.command(command)
            self.assertOk(lines)
            found = [int(line.split("UID ")[1].rstrip(")")) for line in lines[:-1]]
            self.assertEqual(found, uids, command)

    def test_holesAreNotAskedFor(self) -> None:
        """
        The store is asked in as many ranges as the client wrote, however many messages were expunged.
        """
        client = self.client()
        client.command("FETCH 1:* FLAGS")
        self.assertEqual(self.store.named("fetch")[-1][2], UidSet(((1, 6),)))

    def test_emptyFolder(self) -> None:
        """
        In an empty folder C{1:*} is nothing, in both forms.
        """
        self.result(self.engine.createFolder("alice", "Empty"))
        client = self.client(folder="Empty")
        self.assertEqual(client.command("FETCH 1:* FLAGS"), ["T OK FETCH completed"])
        self.assertEqual(client.command("UID FETCH 1:* FLAGS"), ["T OK UID FETCH completed"])

    def test_unannounced(self) -> None:
        """
        A message that came and was not announced yet has no number, and is left out even
        if the store gives it.
        """
        client = self.client()

        async def more(
            method: Any, user: str, folder: int, uids: UidSet, spec: Any
        ) -> AsyncGenerator[Any, None]:
            self.fill(plain("late"))
            async for batch in method(user, folder, UidSet(((1, 99),)), spec):
                yield batch

        self.store.instead["fetch"] = more
        lines = client.command("UID FETCH 5:* UID")
        fetched = [line for line in lines if "FETCH (UID" in line and "FLAGS" not in line]
        self.assertEqual(fetched[-1], "* 4 FETCH (UID 6)")
        self.assertIn("* 5 EXISTS", lines)

    def test_vanished(self) -> None:
        """
        By sequence number, what is there is answered, then NO with C{EXPUNGEISSUED}; the
        numbers stay until a command that may say EXPUNGE (RFC 2180 section 4.1.2).
        """
        client = self.client()
        self.remove(3)
        self.assertEqual(
            client.command("FETCH 1:3 UID"),
            [
                "* 1 FETCH (UID 1)",
                "* 3 FETCH (UID 5)",
                "T NO [EXPUNGEISSUED] Some of these messages were expunged by somebody else",
            ],
        )
        self.assertEqual(client.command("FETCH 3 UID")[0], "* 3 FETCH (UID 5)")
        self.assertEqual(client.command("NOOP"), ["* 2 EXPUNGE", "* 3 RECENT", "T OK NOOP completed"])
        self.assertEqual(client.command("FETCH 2 UID")[0], "* 2 FETCH (UID 5)")

    def test_vanishedByUid(self) -> None:
        """
        By UID a message that vanished is passed over, and its EXPUNGE may come at once.
        """
        client = self.client()
        self.remove(3)
        self.assertEqual(
            client.command("UID FETCH 1:5 UID"),
            [
                "* 1 FETCH (UID 1)",
                "* 3 FETCH (UID 5)",
                "* 2 EXPUNGE",
                "* 3 RECENT",
                "T OK UID FETCH completed",
            ],
        )


class FetchSeenTests(MessageCase):
    """
    Reading sets C{\\Seen}, where it may.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(plain("one"), plain("two"), flags=())

    def test_sets(self) -> None:
        """
        C{BODY[]}, C{RFC822} and C{RFC822.TEXT} set C{\\Seen} and show the flags; the next
        command does not show them again.
        """
        for number, item in enumerate(("BODY[TEXT]", "RFC822.TEXT", "RFC822", "BODY[]<0.1>"), 3):
            self.fill(plain("x"))
            client = self.client()
            found = client.raw(f"FETCH {number} {item}")
            self.assertIn(b" FLAGS (\\Seen \\Recent))\r\n", found, item)
            self.assertEqual(found.count(b"* "), 1, found)
            self.assertEqual(client.command("NOOP"), ["T OK NOOP completed"])

    def test_flagsOnce(self) -> None:
        """
        Flags that were asked for are shown once, with C{\\Seen}.
        """
        client = self.client()
        found = client.raw("FETCH 1 (FLAGS BODY[TEXT])")
        self.assertEqual(
            found,
            b"* 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {6}\r\ntext\r\n)\r\nT OK FETCH completed\r\n",
        )

    def test_seenAlready(self) -> None:
        """
        Where everything has been seen, nothing is written and no flags are shown.
        """
        client = self.client()
        client.raw("FETCH 1 BODY[TEXT]")
        self.store.calls.clear()
        self.assertNotIn(b"FLAGS", client.raw("FETCH 1 BODY[TEXT]"))
        self.assertEqual(self.store.named("storeFlags"), [])

    def test_notSentAfterAll(self) -> None:
        """
        If the store fails after C{\\Seen} was set, before the responses that tell of it, the client
        is told all the same.
        """
        client = self.client()

        async def fail(method: Any, *arguments: Any) -> AsyncGenerator[Any, None]:
            if arguments[-1].sections:
                raise StoreUnavailable("away")
            async for batch in method(*arguments):
                yield batch

        self.store.instead["fetch"] = fail
        lines = client.command("FETCH 1 BODY[TEXT]")
        self.assertEqual(lines[0], "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))")
        self.assertTrue(lines[1].startswith("T NO [UNAVAILABLE] "))

    def test_onlyUnseenAreWritten(self) -> None:
        """
        Only what was not seen yet is changed.
        """
        client = self.client()
        client.raw("FETCH 1 BODY[TEXT]")
        client.raw("FETCH 1:2 BODY[TEXT]")
        self.assertEqual(
            [each[2] for each in self.store.named("storeFlags")], [UidSet(((1, 1),)), UidSet(((2, 2),))]
        )

    def test_peekAndHeader(self) -> None:
        """
        C{BODY.PEEK[]} and C{RFC822.HEADER} leave C{\\Seen} alone.
        """
        client = self.client()
        client.raw("FETCH 1 (BODY.PEEK[] RFC822.HEADER)")
        self.assertEqual(self.store.named("storeFlags"), [])

    def test_readOnly(self) -> None:
        """
        In a folder opened by EXAMINE nothing is set.
        """
        client = self.client(command="EXAMINE")
        self.assertNotIn(b"FLAGS", client.raw("FETCH 1 BODY[]"))
        self.assertEqual(self.store.named("storeFlags"), [])

    def test_withoutRight(self) -> None:
        """
        Who has no right C{s} reads without setting anything.
        """
        name = self.public("Notes", authenticated="lr")
        self.fill(plain("x"), user="#system", folder=name)
        client = self.client("bob", name)
        self.assertIn(b"BODY[TEXT]", client.raw("FETCH 1 BODY[TEXT]"))
        self.assertEqual(self.store.named("storeFlags"), [])

    def test_rightTakenAway(self) -> None:
        """
        If the right was taken away since the folder was opened, reading still works.
        """
        name = self.public("Notes")
        self.fill(plain("x"), user="#system", folder=name)
        client = self.client("bob", name)
        self.result(self.engine.setRights("#system", name, "authenticated", "lr"))
        found = client.raw("FETCH 1 BODY[TEXT]")
        self.assertIn(b"BODY[TEXT] {6}", found)
        self.assertIn(b"T OK ", found)

    def test_ownSeenInPublicFolder(self) -> None:
        """
        What one reader of a public folder has seen is not seen by another.
        """
        name = self.public("Notes")
        self.fill(plain("x"), user="#system", folder=name)
        alice, bob = self.client("alice", name), self.client("bob", name)
        alice.raw("FETCH 1 BODY[]")
        self.assertIn("\\Seen", alice.command("FETCH 1 FLAGS")[0])
        self.assertNotIn("\\Seen", bob.command("FETCH 1 FLAGS")[0])


class FetchLargeTests(MessageCase):
    """
    Sections that are read in pieces.
    """

    def setUp(self) -> None:
        super().setUp()
        self.large = plain("large", "0123456789abcdef" * 8 * 1024 * 3 + "\r\n")
        self.fill(plain("small"), self.large, plain("last"))

    def test_whole(self) -> None:
        """
        A large message is served byte for byte, among small ones and other items.
        """
        client = self.client()
        found = client.raw("FETCH 1:3 (UID BODY.PEEK[] RFC822.SIZE)")
        size = len(self.large)
        self.assertIn(
            b"* 2 FETCH (UID 2 BODY[] {%d}\r\n%b RFC822.SIZE %d)\r\n" % (size, self.large, size), found
        )
        self.assertIn(b"* 3 FETCH (UID 3 BODY[] {", found)
        self.assertTrue(found.endswith(b"T OK FETCH completed\r\n"))

    def test_twoSections(self) -> None:
        """
        Two large sections in one response.
        """
        client = self.client()
        found = client.raw("FETCH 2 (BODY.PEEK[] BODY.PEEK[TEXT])")
        head = self.large.index(b"\r\n\r\n") + 4
        self.assertEqual(
            found,
            b"* 2 FETCH (BODY[] {%d}\r\n%b BODY[TEXT] {%d}\r\n%b)\r\nT OK FETCH completed\r\n"
            % (len(self.large), self.large, len(self.large) - head, self.large[head:]),
        )

    def test_partial(self) -> None:
        """
        A large part of a large message.
        """
        client = self.client()
        found = client.raw("FETCH 2 BODY.PEEK[]<10.200000>")
        self.assertIn(b"BODY[]<10> {200000}\r\n%b)\r\n" % self.large[10:200010], found)

    def test_boundedWrites(self) -> None:
        """
        No write is larger than the limit, and the store is asked for the next piece only when the
        last has been taken.
        """
        client = self.client()
        asked = []

        async def count(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            async for piece in method(*arguments):
                asked.append(len(piece))
                yield piece

        self.store.instead["readSection"] = count
        client.readSlowly()
        client.say(b"T FETCH 2 BODY.PEEK[]\r\n")
        whole = b""
        for _ in range(200):
            before = len(asked)
            data = client.readMore()
            self.assertLessEqual(len(data), 65536)
            self.assertLessEqual(len(asked) - before, 1)
            whole += data
            if whole.endswith(b"T OK FETCH completed\r\n"):
                break
        self.assertIn(self.large, whole)
        self.assertGreater(len(asked), 4)

    def _break(self, pieces: int, error: Exception | None) -> None:
        async def broken(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            given = 0
            stream = method(*arguments)
            try:
                while given < pieces:
                    yield await anext(stream)
                    given += 1
            finally:
                await stream.aclose()
            if error is not None:
                raise error

        self.store.instead["readSection"] = broken

    def test_failsAtOnce(self) -> None:
        """
        If the section cannot be had at all, nothing was announced and the answer is an orderly NO.
        """
        self._break(0, StoreUnavailable("away"))
        client = self.client()
        found = client.raw("FETCH 2 (UID BODY.PEEK[])")
        self.assertTrue(found.startswith(b"T NO [UNAVAILABLE] "), found)
        self.assertFalse(client.gone)

    def test_secondFailsAtOnce(self) -> None:
        """
        If only the second section cannot be had, the response ends before it, well formed.
        """
        calls = []

        def second(method: Any, *arguments: Any) -> Any:
            calls.append(arguments)
            if len(calls) == 2:
                self._break(0, StoreUnavailable("away"))
                return self.store.instead["readSection"](method, *arguments)
            return method(*arguments)

        self.store.instead["readSection"] = second
        client = self.client()
        found = client.raw("FETCH 2 (UID BODY.PEEK[] BODY.PEEK[TEXT])")
        self.assertTrue(found.startswith(b"* 2 FETCH (UID 2 BODY[] {%d}\r\n" % len(self.large)))
        self.assertIn(self.large + b")\r\nT NO [UNAVAILABLE] ", found)

    def test_failsInTheMiddle(self) -> None:
        """
        If the section breaks off in the middle of its literal, the connection is cut off: any further
        byte would be taken for the message's.
        """
        for error in (StoreUnavailable("away"), None):
            self._break(2, error)
            client = self.client()
            found = client.raw("FETCH 2 BODY.PEEK[]")
            self.assertTrue(client.transport.aborted)
            self.assertTrue(self.large.startswith(found.split(b"}\r\n", 1)[1]))

    def test_tooLong(self) -> None:
        """
        More bytes than were announced are not sent; the connection is cut off.
        """

        async def longer(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            async for piece in method(*arguments):
                yield piece
            yield b"more"

        self.store.instead["readSection"] = longer
        client = self.client()
        found = client.raw("FETCH 2 BODY.PEEK[]")
        self.assertTrue(client.transport.aborted)
        self.assertTrue(found.endswith(self.large))

    def test_vanishes(self) -> None:
        """
        A message that is expunged between the batch and its large section has no response.
        """
        client = self.client()

        def late(method: Any, *arguments: Any) -> Any:
            self.remove(2)
            return method(*arguments)

        self.store.instead["readSection"] = late
        found = client.raw("FETCH 1:3 (UID BODY.PEEK[])")
        self.assertNotIn(b"UID 2", found)
        self.assertIn(b"UID 3", found)
        self.assertIn(b"T NO [EXPUNGEISSUED] ", found)

    def test_clientLeaves(self) -> None:
        """
        When the client leaves in the middle, the stream is closed.
        """
        closed = []

        async def watched(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            stream = method(*arguments)
            try:
                async for piece in stream:
                    yield piece
            finally:
                await stream.aclose()
                closed.append(True)

        self.store.instead["readSection"] = watched
        client = self.client()
        client.readSlowly()
        client.say(b"T FETCH 2 BODY.PEEK[]\r\n")
        client.readMore()
        client.readMore()
        self.assertEqual(closed, [])
        client.disconnect()
        self.assertEqual(closed, [True])


class FetchFlowTests(MessageCase):
    """
    Many messages.
    """

    def test_nextBatchAfterTheWrite(self) -> None:
        """
        The store is asked for the next batch only after the client's socket took the last one.
        """
        self.fill(*(plain(str(each)) for each in range(2500)))
        client = self.client()
        batches = []

        async def count(method: Any, *arguments: Any) -> AsyncGenerator[Any, None]:
            async for batch in method(*arguments):
                batches.append(len(batch.uids) // 4)
                yield batch

        self.store.instead["fetch"] = count
        client.readSlowly()
        client.say(b"T FETCH 1:* (UID FLAGS)\r\n")
        whole = b""
        for _ in range(100):
            before = len(batches)
            data = client.readMore()
            whole += data
            self.assertLessEqual(len(batches) - before, 1)
            if whole.endswith(b"T OK FETCH completed\r\n"):
                break
        self.assertEqual(sum(batches), 2500)
        self.assertGreater(len(batches), 2)
        self.assertIn(b"* 2500 FETCH (UID 2500 FLAGS (\\Recent))\r\n", whole)

    def test_tooManySections(self) -> None:
        """
        One command may ask for so many sections and no more: the store makes
        all of a message's at one go.
        """
        self.fill(plain("one"))
        client = self.client()
        items = [f"BODY.PEEK[]<{at}.1>" for at in range(101)]
        self.assertNo(client.command(f"FETCH 1 ({' '.join(items)})"), "LIMIT")
        self.assertOk(client.command(f"FETCH 1 ({' '.join(items[1:])})"))

    def test_scattered(self) -> None:
        """
        Messages here and there are asked for in parts, and all of them are answered.
        """
        self.fill(*(plain(f"{at}") for at in range(601)))
        client = self.client()
        numbers = ",".join(str(at) for at in range(1, 602, 2))
        lines = client.command(f"FETCH {numbers} UID")
        self.assertEqual(lines[:-1], [f"* {at} FETCH (UID {at})" for at in range(1, 602, 2)])
        self.assertEqual([len(each[2].ranges) for each in self.store.named("fetch")], [256, 45])

    def test_failsLater(self) -> None:
        """
        If the store fails between two batches, the answer is NO after the whole responses sent.
        """
        self.fill(plain("one"))
        client = self.client()

        async def fail(method: Any, *arguments: Any) -> AsyncGenerator[Any, None]:
            async for batch in method(*arguments):
                yield batch
            raise StoreUnavailable("away")

        self.store.instead["fetch"] = fail
        lines = client.command("FETCH 1 UID")
        self.assertEqual(lines[0], "* 1 FETCH (UID 1)")
        self.assertTrue(lines[1].startswith("T NO [UNAVAILABLE] "))

    def test_newKeywords(self) -> None:
        """
        A keyword that the client does not know yet is announced before it is used.
        """
        self.fill(plain("one"))
        client = self.client()
        self.store.instead["changes"] = lambda *arguments: self.fail("asked for changes")
        self.server.factory.front.close()  # the session does not hear of the change
        folder = self.identity()
        self.result(self.engine.storeFlags("alice", folder, UidSet(((1, 1),)), FlagMode.ADD, ("$Forwarded",)))
        lines = client.command("FETCH 1 FLAGS")
        self.assertIn("$Forwarded", lines[0])
        self.assertTrue(lines[0].startswith("* FLAGS "), lines)
        self.assertIn("$Forwarded", lines[-2])

    def test_waitsForTheStore(self) -> None:
        """
        While the store has nothing to say the session waits, and goes on when it has.
        """
        self.fill(plain("one"))
        client = self.client()
        gate: Deferred[None] = Deferred()

        async def gated(method: Any, *arguments: Any) -> AsyncGenerator[Any, None]:
            await gate
            async for batch in method(*arguments):
                yield batch

        self.store.instead["fetch"] = gated
        self.assertEqual(client.raw("FETCH 1 UID"), b"")
        gate.callback(None)
        self.assertEqual(client.data(), b"* 1 FETCH (UID 1)\r\nT OK FETCH completed\r\n")
