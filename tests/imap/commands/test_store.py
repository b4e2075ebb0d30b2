"""
STORE and UID STORE.
"""

from __future__ import annotations

from typing import Any

from mailstore.errors import StoreUnavailable
from mailstore.imap.commands import store
from mailstore.model import SYSTEM, UidSet
from tests.imap.commands.messagecase import MessageCase, plain


class StoreTests(MessageCase):
    """
    Changing flags in a folder of one's own.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(str(each)) for each in range(4)))
        self.client().command("CLOSE")  # nothing is recent any more

    def test_transcript(self) -> None:
        """
        Flags are replaced, added and removed; the answer says what they are now.
        """
        client = self.client()
        for command, answer in (
            ("STORE 1 FLAGS (\\Seen \\Draft)", ["* 1 FETCH (FLAGS (\\Seen \\Draft))"]),
            ("STORE 1 +FLAGS \\Answered", ["* 1 FETCH (FLAGS (\\Seen \\Answered \\Draft))"]),
            ("STORE 1 -FLAGS (\\seen \\DRAFT)", ["* 1 FETCH (FLAGS (\\Answered))"]),
            ("STORE 1 FLAGS ()", ["* 1 FETCH (FLAGS ())"]),
            ("STORE 1 +FLAGS \\Seen \\Flagged", ["* 1 FETCH (FLAGS (\\Seen \\Flagged))"]),
            ("UID STORE 1 FLAGS ()", ["* 1 FETCH (UID 1 FLAGS ())"]),
            (
                "STORE 2:3 +FLAGS (\\Deleted)",
                ["* 2 FETCH (FLAGS (\\Deleted))", "* 3 FETCH (FLAGS (\\Deleted))"],
            ),
            ("STORE 2:3 -FLAGS.SILENT (\\Deleted)", []),
            ("STORE 2 +FLAGS.SILENT (\\Deleted)", []),
            ("STORE 2 FLAGS.SILENT (\\Deleted)", []),
            ("UID STORE 99 +FLAGS (\\Seen)", []),
        ):
            lines = client.command(command)
            self.assertEqual(lines[:-1], answer, command)
            self.assertOk(lines)

    def test_notEchoed(self) -> None:
        """
        What was answered, or was not wanted to be, does not come again.
        """
        client = self.client()
        client.command("STORE 1 +FLAGS (\\Seen)")
        client.command("STORE 2 +FLAGS.SILENT (\\Seen)")
        self.assertEqual(client.command("NOOP"), ["T OK NOOP completed"])

    def test_othersAreTold(self) -> None:
        """
        Another session sees the change with its next command.
        """
        client, other = self.client(), self.client()
        client.command("STORE 1 +FLAGS.SILENT (\\Seen)")
        self.assertEqual(other.command("NOOP")[0], "* 1 FETCH (UID 1 FLAGS (\\Seen))")

    def test_silentKeepsOthersChanges(self) -> None:
        """
        What somebody else changed in the same message is told even if one's own change is
        silent, and together with it: not as if one's own had not been made.
        """
        client = self.client()
        self.flag(1, "\\Flagged")
        lines = client.command("STORE 1,2 +FLAGS.SILENT (\\Seen)")
        self.assertEqual(lines, ["* 1 FETCH (FLAGS (\\Seen \\Flagged))", "T OK STORE completed"])
        self.assertEqual(client.command("NOOP"), ["T OK NOOP completed"])

    def test_silentKeepsOthersLatestChanges(self) -> None:
        """
        The same when the front end has not yet heard of the other's change.
        """
        client = self.client()

        async def late(method: Any, *arguments: Any) -> Any:
            del self.store.instead["storeFlags"]
            self.flag(1, "\\Flagged")
            return await method(*arguments)

        self.store.instead["storeFlags"] = late
        lines = client.command("STORE 1 +FLAGS.SILENT (\\Seen)")
        self.assertEqual(lines, ["* 1 FETCH (FLAGS (\\Seen \\Flagged))", "T OK STORE completed"])

    def test_newKeyword(self) -> None:
        """
        A new keyword is announced before it is used, to others as well.
        """
        client, other = self.client(), self.client()
        lines = client.command("STORE 1 +FLAGS ($Forwarded)")
        self.assertTrue(lines[0].startswith("* FLAGS ("), lines)
        self.assertIn("$Forwarded", lines[0])
        self.assertEqual(lines[-2], "* 1 FETCH (FLAGS ($Forwarded))")
        lines = other.command("NOOP")
        self.assertIn("$Forwarded", lines[0])
        self.assertEqual(lines[-2], "* 1 FETCH (UID 1 FLAGS ($Forwarded))")

    def test_flagsNobodyHas(self) -> None:
        """
        C{\\Recent} and unknown flags with a backslash are answered BAD.
        """
        client = self.client()
        for flag in ("\\Recent", "\\Nonsense"):
            self.assertBad(client.command(f"STORE 1 +FLAGS ({flag})"))
        self.assertEqual(self.store.named("storeFlags"), [])

    def test_nothingWellFormed(self) -> None:
        """
        What is no STORE is answered BAD, and nothing is changed.
        """
        client = self.client()
        for wrong in (
            "STORE",
            "STORE 1",
            "STORE 1 FLAGS",
            "STORE 1 XFLAGS ()",
            "STORE 9 FLAGS ()",
            "STORE 1 FLAGS (a",
        ):
            self.assertBad(client.command(wrong))
        self.assertEqual(self.store.named("storeFlags"), [])

    def test_readOnly(self) -> None:
        """
        A folder opened by EXAMINE is not changed.
        """
        client = self.client(command="EXAMINE")
        self.assertNo(client.command("STORE 1 +FLAGS (\\Seen)"), "READ-ONLY")
        self.assertNo(client.command("UID STORE 1 +FLAGS (\\Seen)"), "READ-ONLY")

    def test_vanished(self) -> None:
        """
        Flags are set on what is there; by sequence number the answer is NO, or OK if silence
        was asked for and something was left (RFC 2180 section 4.2).
        """
        client = self.client()
        self.remove(2)
        lines = client.command("STORE 1:3 +FLAGS (\\Seen)")
        self.assertEqual(lines[:-1], ["* 1 FETCH (FLAGS (\\Seen))", "* 3 FETCH (FLAGS (\\Seen))"])
        self.assertTrue(lines[-1].startswith("T NO [EXPUNGEISSUED] "))
        self.assertEqual(client.command("STORE 1:3 -FLAGS.SILENT (\\Seen)"), ["T OK STORE completed"])
        self.assertNo(client.command("STORE 2 -FLAGS.SILENT (\\Seen)"), "EXPUNGEISSUED")
        self.assertNo(client.command("STORE 2 -FLAGS (\\Seen)"), "EXPUNGEISSUED")
        self.assertEqual(client.command("UID STORE 2 -FLAGS (\\Seen)")[0], "* 2 EXPUNGE")

    def test_groups(self) -> None:
        """
        Many messages are changed in groups, each told before the next is begun.
        """
        self.patch(store, "GROUP", 2)
        self.fill(plain("5"))
        self.remove(2)
        client = self.client()
        lines = client.command("STORE 1:* +FLAGS (\\Seen)")
        self.assertEqual(len(lines), 5)
        self.assertEqual(
            [each[2] for each in self.store.named("storeFlags")], [UidSet(((1, 3),)), UidSet(((4, 5),))]
        )

    def test_laterGroupFails(self) -> None:
        """
        If a later group cannot be changed, the answer is NO after what was done.
        """
        self.patch(store, "GROUP", 2)
        client = self.client()

        async def failing(method: Any, *arguments: Any) -> Any:
            if 3 in arguments[2]:
                raise StoreUnavailable("away")
            return await method(*arguments)

        self.store.instead["storeFlags"] = failing
        lines = client.command("STORE 1:4 +FLAGS (\\Seen)")
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[-1].startswith("T NO [UNAVAILABLE] "))

    def test_laterGroupFailsSilently(self) -> None:
        """
        What was changed before a silent command ended in NO is told.
        """
        self.patch(store, "GROUP", 2)
        client = self.client()

        async def failing(method: Any, *arguments: Any) -> Any:
            if 3 in arguments[2]:
                raise StoreUnavailable("away")
            return await method(*arguments)

        self.store.instead["storeFlags"] = failing
        lines = client.command("STORE 1:4 +FLAGS.SILENT (\\Seen)")
        self.assertEqual(lines[:-1], ["* 1 FETCH (UID 1 FLAGS (\\Seen))", "* 2 FETCH (UID 2 FLAGS (\\Seen))"])
        self.assertTrue(lines[-1].startswith("T NO [UNAVAILABLE] "))

    def test_folderDeleted(self) -> None:
        """
        If the folder is deleted meanwhile the command is refused, and the session ends with BYE.
        """
        self.result(self.engine.createFolder("alice", "Old"))
        self.fill(plain("x"), folder="Old")
        for command in ("STORE 1 +FLAGS (\\Seen)", "STORE 1 +FLAGS.SILENT (\\Seen)"):
            client = self.client(folder="Old")
            self.result(self.engine.deleteFolder("alice", "Old"))
            data = client.raw(command)
            self.assertIn(b"T NO ", data)
            self.assertIn(b"* BYE ", data)
            self.result(self.engine.createFolder("alice", "Old"))
            self.fill(plain("x"), folder="Old")


class StoreRightsTests(MessageCase):
    """
    Changing flags in public folders (RFC 4314 section 4).
    """

    def setUp(self) -> None:
        super().setUp()
        self.name = self.public("Notes", alice="lrswt")
        self.fill(plain("one"), plain("two"), user=SYSTEM, folder=self.name)
        self.client("alice", self.name).command("CLOSE")

    def test_partly(self) -> None:
        """
        Who may set only C{\\Seen} gets only that, and is told.
        """
        client = self.client("bob", self.name)
        lines = client.command("STORE 1 +FLAGS (\\Seen \\Flagged)")
        self.assertEqual(lines[0], "* 1 FETCH (FLAGS (\\Seen))")
        self.assertOk(lines)

    def test_partlySilent(self) -> None:
        """
        Silence does not hide that a flag was not set or not taken away.
        """
        client = self.client("bob", self.name)
        lines = client.command("STORE 1 +FLAGS.SILENT (\\Seen \\Flagged)")
        self.assertEqual(lines[0], "* 1 FETCH (FLAGS (\\Seen))")
        lines = client.command("STORE 1:2 +FLAGS.SILENT (\\Seen)")
        self.assertEqual(lines, ["T OK STORE completed"])
        self.flag(1, "\\Flagged", name=self.name)
        lines = client.command("UID STORE 1 -FLAGS.SILENT (\\Flagged \\Seen)")
        self.assertIn("* 1 FETCH (UID 1 FLAGS (\\Flagged))", lines)

    def test_notAtAll(self) -> None:
        """
        If no flag may be changed, the answer is NO.
        """
        client = self.client("bob", self.name)
        self.assertNo(client.command("STORE 1 +FLAGS (\\Flagged)"), "NOPERM")

    def test_ownSeen(self) -> None:
        """
        C{\\Seen} in a public folder is each user's own; C{\\Flagged} is everybody's.
        """
        alice, bob = self.client("alice", self.name), self.client("bob", self.name)
        self.assertOk(alice.command("STORE 1 +FLAGS (\\Seen)"))
        self.assertEqual(bob.command("NOOP"), ["T OK NOOP completed"])
        alice.command("STORE 1 +FLAGS (\\Flagged)")
        self.assertEqual(bob.command("NOOP")[0], "* 1 FETCH (UID 1 FLAGS (\\Flagged))")
