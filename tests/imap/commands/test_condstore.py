"""
Tests of CONDSTORE (RFC 7162 section 3.1): mod-sequences told and asked for.
"""

from __future__ import annotations

import re

from tests.imap.commands.messagecase import Client, MessageCase, plain


def modseqs(lines: list[str]) -> list[int]:
    """
    The mod-sequences in FETCH responses, in order.
    """
    return [int(found) for line in lines for found in re.findall(r"MODSEQ \((\d+)\)", line)]


def highest(lines: list[str]) -> list[int]:
    """
    The values of HIGHESTMODSEQ, in order.
    """
    return [int(found) for line in lines for found in re.findall(r"\[HIGHESTMODSEQ (\d+)\]", line)]


class CondstoreCase(MessageCase):
    """
    A folder with four messages.
    """

    def setUp(self) -> None:
        """
        Four messages.
        """
        super().setUp()
        self.fill(*(plain(str(number)) for number in range(4)))

    def aware(self) -> Client:
        """
        A client that knows mod-sequences.
        """
        client = self.client(folder="")
        self.assertEqual(client.command("ENABLE CONDSTORE")[0], "* ENABLED CONDSTORE")
        self.assertOk(client.command("SELECT INBOX"))
        return client


class EnablingTests(CondstoreCase):
    """
    What makes a client one that is told mod-sequences (RFC 7162 section 3.1).
    """

    def test_announced(self) -> None:
        """
        CONDSTORE is announced.
        """
        (line, _) = self.client(folder="").command("CAPABILITY")
        self.assertIn("CONDSTORE", line.split())

    def test_select(self) -> None:
        """
        Each SELECT says the highest mod-sequence, which every change raises.
        """
        client = self.client(folder="")
        (before,) = highest(client.command("SELECT INBOX (CONDSTORE)"))
        self.flag(2, "\\Seen")
        self.assertEqual(highest(client.command("EXAMINE INBOX")), [before + 1])

    def test_unaware(self) -> None:
        """
        A client that has not shown to know them is told none.
        """
        client = self.client()
        self.flag(2, "\\Seen")
        self.assertEqual(client.command("NOOP")[:-1], ["* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))"])

    def test_enabling(self) -> None:
        """
        The first such command in an open folder is told where it begins, the next one is not;
        from then on changes by others come with mod-sequences.
        """
        for command in (
            "FETCH 1 MODSEQ",
            "FETCH 1:* FLAGS (CHANGEDSINCE 1000)",
            "STORE 1 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Seen)",
            "SEARCH MODSEQ 1",
            "STATUS INBOX (HIGHESTMODSEQ)",
            "ENABLE CONDSTORE",
        ):
            client = self.client()
            lines = client.command(command)
            self.assertOk(lines)
            self.assertEqual(len(highest(lines)), 1, command)
            self.assertEqual(highest(client.command(command)), [], command)
            self.flag(2, "\\Flagged")
            self.flag(2)
            lines = client.command("NOOP")
            self.assertEqual(len(modseqs(lines)), 1, command)
            self.assertIn("UID 2 ", lines[0])

    def test_delayed(self) -> None:
        """
        While an EXPUNGE has to wait, the client is told not to trust greater mod-sequences
        (RFC 7162 section 6).
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX")[:-1])
        self.remove(2)
        self.flag(3, "\\Seen")
        lines = client.command("FETCH 3 (MODSEQ)")
        self.assertOk(lines)
        self.assertEqual(highest(lines)[-1:], [start])
        self.assertGreater(max(modseqs(lines)), start)
        lines = client.command("NOOP")
        self.assertIn("* 2 EXPUNGE", lines)
        self.assertEqual(highest(lines), [])


class FetchTests(CondstoreCase):
    """
    FETCH CHANGEDSINCE (RFC 7162 section 3.1.4.1).
    """

    def test_changedSince(self) -> None:
        """
        Only what has changed since, with its mod-sequence.
        """
        client = self.aware()
        (since,) = highest(client.command("SELECT INBOX"))
        self.flag(2, "\\Seen")
        self.flag(4, "\\Seen")
        client.command("NOOP")
        self.assertEqual(
            client.command(f"FETCH 1:3 (FLAGS) (CHANGEDSINCE {since})")[:-1],
            [f"* 2 FETCH (FLAGS (\\Seen) MODSEQ ({since + 1}))"],
        )
        self.assertEqual(
            client.command(f"UID FETCH 1:* (FLAGS MODSEQ) (CHANGEDSINCE {since + 1})")[:-1],
            [f"* 4 FETCH (UID 4 FLAGS (\\Seen) MODSEQ ({since + 2}))"],
        )
        self.assertEqual(client.command(f"FETCH 1:* FLAGS (CHANGEDSINCE {since + 2})")[:-1], [])

    def test_vanishedMeanwhile(self) -> None:
        """
        A message that has gone is none that has changed.
        """
        client = self.aware()
        self.remove(2)
        lines = client.command("FETCH 1:* FLAGS (CHANGEDSINCE 1)")
        self.assertOk(lines)
        self.assertEqual([line.split()[1] for line in lines if " FETCH (FLAGS" in line], ["1", "3", "4"])

    def test_seen(self) -> None:
        """
        Who sets C{\\Seen} by reading is told the UID, the flags and the mod-sequence
        (RFC 7162 section 3.2.4).
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        answer = client.raw("FETCH 1 BODY[TEXT]<0.2>").decode()
        self.assertIn(f"UID 1 FLAGS (\\Seen) MODSEQ ({start + 1}))", answer)
        self.assertEqual(client.command("NOOP")[:-1], [])

    def test_bad(self) -> None:
        """
        An unknown modifier, a mod-sequence of 0, or VANISHED without ENABLE is BAD.
        """
        client = self.aware()
        for modifiers in ("CHANGEDSINCE 0", "CHANGEDSINCE", "SINCE 1", "CHANGEDSINCE 1 VANISHED"):
            self.assertBad(client.command(f"UID FETCH 1 FLAGS ({modifiers})"))


class StoreTests(CondstoreCase):
    """
    STORE and UNCHANGEDSINCE (RFC 7162 section 3.1.3).
    """

    def test_aloud(self) -> None:
        """
        The responses of STORE tell the UID and the mod-sequence.
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        self.assertEqual(
            client.command("STORE 2 +FLAGS (\\Seen)")[:-1],
            [f"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ ({start + 1}))"],
        )

    def test_silent(self) -> None:
        """
        A silent STORE tells the mod-sequence alone.
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        self.assertEqual(
            client.command("STORE 1:2 +FLAGS.SILENT (\\Seen)")[:-1],
            [f"* {number} FETCH (UID {number} MODSEQ ({start + 1}))" for number in (1, 2)],
        )

    def test_unchanged(self) -> None:
        """
        All messages pass.
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        self.assertEqual(
            client.command(f"UID STORE 1:2 (UNCHANGEDSINCE {start}) +FLAGS.SILENT (\\Seen)"),
            [
                *(f"* {number} FETCH (UID {number} MODSEQ ({start + 1}))" for number in (1, 2)),
                "T OK UID STORE completed",
            ],
        )

    def test_modified(self) -> None:
        """
        What has changed is left alone and named in MODIFIED, as the command names messages; the flags that it
        has come along.
        """
        client = self.aware()
        self.remove(1)
        (start,) = highest(client.command("SELECT INBOX"))
        self.flag(3, "\\Flagged")
        lines = client.command(f"STORE 1:2 (UNCHANGEDSINCE {start}) +FLAGS.SILENT (\\Seen)")
        self.assertEqual(
            lines,
            [
                f"* 1 FETCH (UID 2 MODSEQ ({start + 2}))",
                f"* 2 FETCH (UID 3 FLAGS (\\Flagged) MODSEQ ({start + 1}))",
                "T OK [MODIFIED 2] STORE completed",
            ],
        )
        lines = client.command(f"UID STORE 2:4 (UNCHANGEDSINCE {start}) FLAGS (\\Draft)")
        self.assertEqual(lines[-1], "T OK [MODIFIED 2:3] UID STORE completed")
        self.assertIn(f"* 3 FETCH (UID 4 FLAGS (\\Draft) MODSEQ ({start + 3}))", lines)

    def test_zero(self) -> None:
        """
        Nothing is as old as 0.
        """
        client = self.aware()
        self.assertEqual(
            client.command("STORE 3 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)")[-1],
            "T OK [MODIFIED 3] STORE completed",
        )

    def test_toldOnce(self) -> None:
        """
        What MODIFIED came with is not told again, and what others do later is.
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        self.flag(3, "\\Flagged")
        client.command(f"STORE 3 (UNCHANGEDSINCE {start}) +FLAGS (\\Seen)")
        self.assertEqual(client.command("NOOP")[:-1], [])
        self.flag(3, "\\Draft")
        self.assertEqual(modseqs(client.command("NOOP")), [start + 2])

    def test_expunged(self) -> None:
        """
        When some have gone and others have changed, NO tells which have changed.
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        self.flag(2, "\\Flagged")
        self.remove(3)
        lines = client.command(f"STORE 1:4 (UNCHANGEDSINCE {start}) +FLAGS (\\Seen)")
        self.assertTrue(lines[-1].startswith("T NO [MODIFIED 2] "), lines)
        self.assertIn("* 3 EXPUNGE", client.command("NOOP"))

    def test_bad(self) -> None:
        """
        Unknown modifiers and no mod-sequence are BAD.
        """
        client = self.aware()
        for modifiers in ("UNCHANGEDSINCE", "UNCHANGEDSINCE x", "SINCE 1", ""):
            self.assertBad(client.command(f"STORE 1 ({modifiers}) +FLAGS (\\Seen)"))


class SearchTests(CondstoreCase):
    """
    SEARCH MODSEQ (RFC 7162 section 3.1.5).
    """

    def test_search(self) -> None:
        """
        What has changed at that mod-sequence or later, and the highest of them.
        """
        client = self.aware()
        (start,) = highest(client.command("SELECT INBOX"))
        self.flag(2, "\\Seen")
        self.assertEqual(client.command(f"SEARCH MODSEQ {start + 1}")[0], f"* SEARCH 2 (MODSEQ {start + 1})")
        self.assertIn("* SEARCH", client.command(f"SEARCH MODSEQ {start + 2}"))


class ExpungeTests(CondstoreCase):
    """
    EXPUNGE and MOVE tell the mod-sequence reached (RFC 7162 section 3.2.7).
    """

    def test_expunge(self) -> None:
        """
        It stands in the tagged reply, if anything was expunged.
        """
        client = self.aware()
        client.command("STORE 2 +FLAGS.SILENT (\\Deleted)")
        lines = client.command("EXPUNGE")
        self.assertEqual(lines[0], "* 2 EXPUNGE")
        self.assertEqual(highest(lines), highest(self.client(folder="").command("EXAMINE INBOX")))
        self.assertEqual(client.command("EXPUNGE"), ["T OK EXPUNGE completed"])
        self.assertEqual(highest(client.command("CLOSE")), [])

    def test_move(self) -> None:
        """
        C{COPYUID} comes first.
        """
        client = self.aware()
        client.command("CREATE Box")
        lines = client.command("MOVE 2 Box")
        self.assertIn("[COPYUID ", lines[0])
        self.assertEqual(lines[1], "* 2 EXPUNGE")
        self.assertEqual(len(highest(lines[-1:])), 1)
