"""
Tests of SELECT, EXAMINE, CLOSE, UNSELECT, CHECK and NOOP, and of how a session
hears what others do.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreBusy, StoreUnavailable
from mailstore.model import DELETED, FLAGGED, KEYWORD_BIT, SEEN
from tests.imap.support import Server


class SelectCase(SynchronousTestCase):
    """
    A folder with three messages, the second seen.
    """

    def setUp(self) -> None:
        """
        A client that has signed in.
        """
        self.server = Server(self)
        self.store = self.server.store
        self.folder = self.store.make("Box")
        for flags in (0, SEEN, 0):
            self.store.deliver(self.folder, flags)
        self.client = self.server.client()


class SelectTests(SelectCase):
    """
    Opening and closing.
    """

    def test_responses(self) -> None:
        """
        Everything that RFC 3501 section 6.3.1 demands is said.
        """
        *lines, tagged = self.client.ask(b"SELECT Box")
        self.assertEqual(
            [line.partition(b"] ")[0] for line in lines],
            [
                b"* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)",
                b"* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft \\*)",
                b"* 3 EXISTS",
                b"* 3 RECENT",
                b"* OK [UIDVALIDITY 1002",
                b"* OK [UIDNEXT 4",
                b"* OK [HIGHESTMODSEQ 4",
                b"* OK [UNSEEN 1",
            ],
        )
        self.assertEqual(tagged, b"T OK [READ-WRITE] SELECT completed")

    def test_examine(self) -> None:
        """
        EXAMINE changes nothing: no flag can be changed and nothing stops being recent.
        """
        for _ in range(2):
            lines = self.client.ask(b"EXAMINE Box")
            self.assertIn(b"* 3 RECENT", lines)
            self.assertTrue(any(b"[PERMANENTFLAGS ()]" in line for line in lines))
            self.assertEqual(lines[-1], b"T OK [READ-ONLY] EXAMINE completed")

    def test_recentOnce(self) -> None:
        """
        A message is recent to the first session that selects its folder.
        """
        self.assertIn(b"* 3 RECENT", self.client.ask(b"SELECT Box"))
        self.assertIn(b"* 0 RECENT", self.server.client().ask(b"SELECT Box"))

    def test_rights(self) -> None:
        """
        READ-ONLY without any right to change what others see (RFC 4314 section
        5.2); in public folders C{\\Seen} is one's own.
        """
        for name, rights, code in (
            ("Public Folders/a", "lrs", b"READ-ONLY"),
            ("Public Folders/b", "lri", b"READ-WRITE"),
            ("Public Folders/c", "lrst", b"READ-WRITE"),
            ("Other Users/bob/d", "lrs", b"READ-WRITE"),
            ("Other Users/bob/e", "lr", b"READ-ONLY"),
        ):
            self.store.make(name, rights)
            tagged = self.client.ask(b'SELECT "' + name.encode() + b'"')[-1]
            self.assertEqual(tagged, b"T OK [" + code + b"] SELECT completed", name)

    def test_ownSeenInReadOnly(self) -> None:
        """
        What one may keep for oneself is said to be permanent, also there.
        """
        self.store.make("Public Folders/a", "lrs")
        lines = self.client.ask(b'SELECT "Public Folders/a"')
        self.assertTrue(any(b"[PERMANENTFLAGS (\\Seen)]" in line for line in lines))

    def test_failureClosesOther(self) -> None:
        """
        When a folder cannot be opened none is open (RFC 9051 section 6.3.2).
        """
        self.client.ask(b"SELECT INBOX")
        self.assertEqual(self.client.ask(b"SELECT nope")[-1][:18], b"T NO [NONEXISTENT]")
        self.assertEqual(self.client.ask(b"CHECK")[-1][:6], b"T BAD ")

    def test_refused(self) -> None:
        """
        Each reason has its code.
        """
        self.store.make("Hidden", "l")
        self.assertEqual(self.client.ask(b"SELECT Hidden")[-1][:13], b"T NO [NOPERM]")
        self.assertEqual(self.client.ask(b'SELECT "Public Folders"')[-1][:13], b"T NO [CANNOT]")
        self.store.failures["openFolder"] = StoreBusy("full")
        self.assertEqual(self.client.ask(b"SELECT Box")[-1][:18], b"T NO [UNAVAILABLE]")

    def test_close(self) -> None:
        """
        CLOSE expunges without a word.
        """
        self.store.flag(self.folder, 2, DELETED)
        self.client.ask(b"SELECT Box")
        self.assertEqual(self.client.ask(b"CLOSE"), [b"T OK CLOSE completed"])
        self.assertEqual(sorted(self.folder.flags), [1, 3])
        self.assertEqual(self.client.ask(b"CLOSE")[-1][:6], b"T BAD ")

    def test_closeExamined(self) -> None:
        """
        After EXAMINE, and without the right to, nothing is expunged.
        """
        self.store.flag(self.folder, 2, DELETED)
        self.client.ask(b"EXAMINE Box")
        self.assertEqual(self.client.ask(b"CLOSE"), [b"T OK CLOSE completed"])
        self.folder.rights = "lrs"
        self.client.ask(b"SELECT Box")
        self.assertEqual(self.client.ask(b"CLOSE"), [b"T OK CLOSE completed"])
        self.assertEqual(len(self.folder.flags), 3)

    def test_closeStoreAway(self) -> None:
        """
        When it is not known whether the messages are gone the folder stays open.
        """
        self.client.ask(b"SELECT Box")
        self.store.failures["expunge"] = StoreUnavailable("gone")
        self.assertEqual(self.client.ask(b"CLOSE")[-1][:18], b"T NO [UNAVAILABLE]")
        del self.store.failures["expunge"]
        self.assertEqual(self.client.ask(b"CLOSE"), [b"T OK CLOSE completed"])

    def test_unselect(self) -> None:
        """
        UNSELECT closes and changes nothing (RFC 3691).
        """
        self.store.flag(self.folder, 2, DELETED)
        self.client.ask(b"SELECT Box")
        self.assertEqual(self.client.ask(b"UNSELECT"), [b"T OK UNSELECT completed"])
        self.assertEqual(len(self.folder.flags), 3)
        self.assertEqual(self.client.ask(b"UNSELECT")[-1][:6], b"T BAD ")

    def test_closedFolderIsSilent(self) -> None:
        """
        Nothing is heard of a folder that is not open any more.
        """
        self.client.ask(b"SELECT Box")
        self.client.ask(b"UNSELECT")
        self.store.deliver(self.folder)
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])


class ChangesTests(SelectCase):
    """
    What others do to the open folder.
    """

    def setUp(self) -> None:
        """
        The folder is open.
        """
        super().setUp()
        self.client.ask(b"SELECT Box")

    def test_nothing(self) -> None:
        """
        Where nothing changed the store is not even asked.
        """
        self.store.calls.clear()
        self.assertEqual(self.client.ask(b"ID NIL")[-1], b"T OK ID completed")
        self.assertEqual(self.store.calls, [])

    def test_askedForAtNoop(self) -> None:
        """
        NOOP and CHECK ask the store also when it has announced nothing.
        """
        for command in (b"NOOP", b"CHECK"):
            self.store.calls.clear()
            self.client.ask(command)
            self.assertEqual(self.store.calls, [b"changes".decode()])

    def test_newMessage(self) -> None:
        """
        A message that arrives is told before the reply to any command.
        """
        self.store.deliver(self.folder)
        self.assertEqual(
            self.client.ask(b"STATUS INBOX (MESSAGES)"),
            [b"* STATUS INBOX (MESSAGES 0)", b"* 4 EXISTS", b"* 4 RECENT", b"T OK STATUS completed"],
        )

    def test_recentClaimedOnce(self) -> None:
        """
        Of two sessions, one is told that a message is recent.
        """
        other = self.server.client()
        other.ask(b"SELECT Box")
        self.store.deliver(self.folder)
        self.assertEqual(self.client.ask(b"NOOP")[:2], [b"* 4 EXISTS", b"* 4 RECENT"])
        self.assertEqual(other.ask(b"NOOP")[:2], [b"* 4 EXISTS", b"* 0 RECENT"])

    def test_flags(self) -> None:
        """
        Changed flags are told with the UID.
        """
        self.store.flag(self.folder, 2, SEEN | FLAGGED)
        self.assertEqual(self.client.ask(b"NOOP")[0], b"* 2 FETCH (UID 2 FLAGS (\\Seen \\Flagged \\Recent))")
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_expunge(self) -> None:
        """
        Expunged messages are told by number.
        """
        self.store.remove(self.folder, 1, 3)
        self.assertEqual(
            self.client.ask(b"NOOP"), [b"* 1 EXPUNGE", b"* 2 EXPUNGE", b"* 1 RECENT", b"T OK NOOP completed"]
        )

    def test_expungeNotDuringSearch(self) -> None:
        """
        While a command by sequence numbers runs, none is told (RFC 9051 section
        7.5.1); a command that is BAD tells nothing at all.
        """
        self.store.remove(self.folder, 1)
        self.store.deliver(self.folder)
        lines = self.client.ask(b"FETCH 9 FLAGS")
        self.assertEqual(lines[0][:6], b"T BAD ")
        self.assertEqual(
            self.client.ask(b"NOOP"), [b"* 1 EXPUNGE", b"* 3 EXISTS", b"* 3 RECENT", b"T OK NOOP completed"]
        )

    def test_keywords(self) -> None:
        """
        A new keyword is told before the flags that have it.
        """
        self.folder.keywords = ("work",)
        self.store.flag(self.folder, 1, 1 << KEYWORD_BIT)
        lines = self.client.ask(b"NOOP")
        self.assertEqual(lines[0], b"* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft work)")
        self.assertEqual(lines[2], b"* 1 FETCH (UID 1 FLAGS (work \\Recent))")

    def test_changedWhileOpening(self) -> None:
        """
        A change between the look at the folder and the beginning of watching it
        is told with the reply to SELECT.
        """
        opening = type(self.store).openFolder
        case = self

        async def openFolder(self: object, *arguments: object) -> object:
            opened = await opening(case.store, *arguments)  # type: ignore[arg-type]
            case.store.deliver(case.folder)
            return opened

        self.patch(type(self.store), "openFolder", openFolder)
        self.assertIn(b"* 4 EXISTS", self.client.ask(b"SELECT Box"))


class StoreAwayTests(SelectCase):
    """
    A store that goes and comes back.
    """

    def setUp(self) -> None:
        """
        The folder is open.
        """
        super().setUp()
        self.client.ask(b"SELECT Box")

    def test_laterThen(self) -> None:
        """
        When changes cannot be asked for, the command's own reply stands and they are told later.
        """
        self.store.deliver(self.folder)
        self.store.failures["changes"] = StoreUnavailable("gone")
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])
        self.store.failures.clear()
        self.assertEqual(self.client.ask(b"ID NIL")[1:3], [b"* 4 EXISTS", b"* 4 RECENT"])

    def test_backAsItWas(self) -> None:
        """
        After the store was away the session goes on with the same folder.
        """
        self.server.factory.front.everythingChanged()
        self.store.deliver(self.folder)
        self.assertEqual(self.client.ask(b"NOOP")[:2], [b"* 4 EXISTS", b"* 4 RECENT"])

    def test_backRenamed(self) -> None:
        """
        A folder that was renamed meanwhile is still the same.
        """
        self.store.named["New"] = self.store.named.pop("Box")
        self.server.factory.front.everythingChanged()
        self.assertEqual(self.client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def assertCutOff(self) -> None:
        """
        The client is told that its folder is not there.
        """
        self.server.factory.front.everythingChanged()
        self.client.say(b"a ID NIL\r\n")
        lines = self.client.heard()
        self.assertEqual(lines[1], b"a OK ID completed")
        self.assertTrue(lines[2].startswith(b"* BYE "))
        self.assertTrue(self.client.gone)

    def test_backAsAnother(self) -> None:
        """
        A folder with another UIDVALIDITY is another one.
        """
        self.folder.uid_validity += 1
        self.assertCutOff()

    def test_backFromThePast(self) -> None:
        """
        A store that knows less than it did (a restored backup) cannot go on with
        what the client knows.
        """
        self.folder.modseq = 1
        self.assertCutOff()

    def test_gone(self) -> None:
        """
        A folder that is not there any more ends the session.
        """
        del self.store.named["Box"]
        self.assertCutOff()
