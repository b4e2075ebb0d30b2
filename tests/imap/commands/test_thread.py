"""
THREAD and UID THREAD.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from twisted.internet.defer import Deferred

from mailstore.errors import StoreUnavailable
from mailstore.model import ThreadColumns, uint32s
from tests.imap.commands.messagecase import MessageCase, plain


def message(name: str, subject: str, day: int, *references: str) -> bytes:
    """
    A message of January 2024.
    """
    fields = [f"Message-ID: <{name}@x.example>", f"Subject: {subject}"]
    fields.append(f"Date: {day} Jan 2024 12:00:00 +0000")
    if references:
        fields.append("References: " + " ".join(f"<{each}@x.example>" for each in references))
    return "\r\n".join((*fields, "", "text", "")).encode()


class ThreadTests(MessageCase):
    """
    What is found, in its trees.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(
            message("gone", "gone", 1),
            message("a", "apples", 1),
            message("b", "pears", 2),
            message("a1", "Re: apples", 3, "a"),
            message("a2", "Re: apples", 4, "a"),
            message("a11", "Re: apples", 5, "a", "a1"),
            message("b1", "Re: pears", 6, "b"),
        )
        self.remove(1)

    def test_references(self) -> None:
        """
        By REFERENCES: trees of answers, the threads by the date of their first message.
        """
        client = self.client()
        self.assertEqual(
            client.command("THREAD REFERENCES UTF-8 ALL"),
            ["* THREAD (1 (3 5)(4))(2 6)", "T OK THREAD completed"],
        )
        self.assertEqual(
            client.command("uid thread references us-ascii all"),
            ["* THREAD (2 (4 6)(5))(3 7)", "T OK UID THREAD completed"],
        )

    def test_orderedSubject(self) -> None:
        """
        By ORDEREDSUBJECT: one level of answers.
        """
        client = self.client()
        self.assertEqual(client.command("THREAD ORDEREDSUBJECT UTF-8 ALL")[0], "* THREAD (1 (3)(4)(5))(2 6)")
        self.assertEqual(
            client.command("UID THREAD ORDEREDSUBJECT UTF-8 ALL")[0], "* THREAD (2 (4)(5)(6))(3 7)"
        )

    def test_found(self) -> None:
        """
        What is not found is not in a tree, but may hold one together.
        """
        client = self.client()
        for key, trees in (
            ("3:4", "((3)(4))"),
            ("UID 6:*", "(5)(6)"),
            ("SUBJECT pears", "(2 6)"),
            ("1", "(1)"),
        ):
            response = client.command(f"THREAD REFERENCES UTF-8 {key}")[0]
            self.assertEqual(response, f"* THREAD {trees}", key)

    def test_nothingFound(self) -> None:
        """
        Of nothing there is an empty response, in an empty folder too.
        """
        self.result(self.engine.createFolder("alice", "Empty"))
        self.assertEqual(self.client().command("THREAD REFERENCES UTF-8 DRAFT")[0], "* THREAD")
        self.assertEqual(self.client(folder="Empty").command("THREAD REFERENCES UTF-8 1:*")[0], "* THREAD")

    def test_notWellFormed(self) -> None:
        """
        What is no THREAD is answered BAD, an unknown character set with C{BADCHARSET}.
        """
        client = self.client()
        for wrong in ("", "X UTF-8 ALL", "REFERENCES", "REFERENCES UTF-8", "REFERENCES UTF-8 X"):
            self.assertBad(client.command(f"THREAD {wrong}".rstrip()))
        self.assertBad(client.command("THREAD REFERENCES UTF-8 7"))
        (line,) = client.command("THREAD REFERENCES X-UNKNOWN ALL")
        self.assertRegex(line, r"^T NO \[BADCHARSET \(US-ASCII UTF-8 [A-Z0-9 _-]+\)\] ")
        self.assertEqual(self.store.named("threads"), [])

    def test_vanished(self) -> None:
        """
        What is not announced yet is taken out of its tree, wherever it stands; what vanished is not found.
        No EXPUNGE comes before the tagged reply of THREAD, but one may in UID THREAD.
        """
        client = self.client()
        self.remove(4)

        async def more(method: Any, *arguments: Any) -> AsyncGenerator[ThreadColumns, None]:
            self.fill(message("c", "cherries", 1), message("c1", "Re: cherries", 7, "c"))
            async for batch in method(*arguments):
                yield batch

        self.store.instead["threads"] = more
        lines = client.command("THREAD REFERENCES UTF-8 ALL")
        self.assertEqual(lines[0], "* THREAD (1 (4)(5))(2 6)")
        self.assertEqual([line for line in lines if "EXPUNGE" in line], [])
        self.store.instead.clear()
        self.assertEqual(
            client.command("UID THREAD ORDEREDSUBJECT UTF-8 ALL")[:2],
            ["* THREAD (2 (5)(6))(8 9)(3 7)", "* 3 EXPUNGE"],
        )

    def test_unknownRoot(self) -> None:
        """
        The children of a message that the client does not know stay together.
        """

        async def trees(method: Any, *arguments: Any) -> AsyncGenerator[ThreadColumns, None]:
            yield ThreadColumns(uint32s((90, 2)).tobytes(), uint32s((0, 1)).tobytes())
            yield ThreadColumns(uint32s((91, 3, 95)).tobytes(), uint32s((1, 2, 0)).tobytes())

        client = self.client()
        self.store.instead["threads"] = trees
        self.assertEqual(client.command("UID THREAD REFERENCES UTF-8 ALL")[0], "* THREAD ((2)(3))")
        self.assertEqual(client.command("UID THREAD ORDEREDSUBJECT UTF-8 ALL")[0], "* THREAD (2 3)")

    def test_failsInTheMiddle(self) -> None:
        """
        One that fails gives no half an answer.
        """

        async def fail(method: Any, *arguments: Any) -> AsyncGenerator[ThreadColumns, None]:
            yield ThreadColumns(uint32s((2,)).tobytes(), uint32s((0,)).tobytes())
            raise StoreUnavailable("away")

        self.store.instead["threads"] = fail
        self.assertNo(self.client().command("THREAD REFERENCES UTF-8 ALL"), "UNAVAILABLE")

    def test_clientLeaves(self) -> None:
        """
        When the client leaves, the store is told to look no further.
        """
        gate: Deferred[None] = Deferred()
        closed = []

        async def slow(method: Any, *arguments: Any) -> AsyncGenerator[ThreadColumns, None]:
            try:
                yield ThreadColumns(b"", b"")
                await gate
                yield ThreadColumns(b"", b"")
                self.fail("asked for more")
            finally:
                closed.append(True)

        self.store.instead["threads"] = slow
        client = self.client()
        client.say(b"T THREAD REFERENCES UTF-8 TEXT x\r\n")
        self.assertEqual(client.heard(), [])
        client.disconnect()
        gate.callback(None)
        self.assertEqual(closed, [True])

    def test_large(self) -> None:
        """
        Ten thousand threads come in one line.
        """
        self.result(self.engine.createFolder("alice", "Box"))
        self.fill(*(plain(f"number {at}") for at in range(10_000)), folder="Box")
        data = self.client(folder="Box").raw("THREAD ORDEREDSUBJECT UTF-8 ALL")
        line, _, _ = data.split(b"\r\n")
        self.assertEqual(line, b"* THREAD " + b"".join(b"(%d)" % each for each in range(1, 10_001)))
