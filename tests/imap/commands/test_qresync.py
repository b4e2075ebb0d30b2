"""
Tests of QRESYNC (RFC 7162 section 3.2): coming back to a folder, and VANISHED.
"""

from __future__ import annotations

import random
import re

from mailstore.errors import StoreBusy
from tests.imap.commands.messagecase import Client, MessageCase, plain
from tests.imap.commands.test_condstore import highest, modseqs


class QResyncCase(MessageCase):
    """
    A folder with six messages.

    @ivar uid_validity: its.
    @ivar known: its highest mod-sequence when they had come.
    """

    def setUp(self) -> None:
        """
        Six messages.
        """
        super().setUp()
        self.fill(*(plain(str(number)) for number in range(6)))
        status = self.result(self.engine.status("alice", "INBOX"))
        self.uid_validity, self.known = status.uid_validity, status.highest_modseq
        self.client().command("CLOSE")

    def aware(self, folder: str = "INBOX") -> Client:
        """
        A client that has enabled QRESYNC.
        """
        client = self.client(folder="")
        self.assertEqual(client.command("ENABLE QRESYNC")[0], "* ENABLED QRESYNC")
        if folder:
            self.assertOk(client.command(f"SELECT {folder}"))
        return client

    def reopen(self, client: Client, parameters: str) -> list[str]:
        """
        Open the folder with these parameters; what comes besides the usual.
        """
        lines = client.command(f"SELECT INBOX (QRESYNC ({parameters}))")
        self.assertOk(lines)
        return [line for line in lines if "VANISHED" in line or " FETCH " in line]


class SelectTests(QResyncCase):
    """
    SELECT with QRESYNC.
    """

    def test_needsEnable(self) -> None:
        """
        Without ENABLE it is BAD, and the folder that is open stays so (RFC 7162 section 3.2.3).
        """
        client = self.client()
        self.assertBad(client.command(f"SELECT INBOX (QRESYNC ({self.uid_validity} 1))"))
        self.assertOk(client.command("FETCH 1 UID"))

    def test_missed(self) -> None:
        """
        What went comes first, then what changed or came.
        """
        self.remove(2, 3)
        self.flag(5, "\\Seen")
        self.fill(plain("new"))
        client = self.aware("")
        found = self.reopen(client, f"{self.uid_validity} {self.known}")
        self.assertEqual(found[0], "* VANISHED (EARLIER) 2:3")
        self.assertEqual(
            [line.split(" MODSEQ")[0] for line in found[1:]],
            [
                "* 3 FETCH (UID 5 FLAGS (\\Seen)",
                "* 5 FETCH (UID 7 FLAGS (\\Recent)",
            ],
        )
        self.assertEqual(len(modseqs(found)), 2)

    def test_nothingMissed(self) -> None:
        """
        Who knows everything is told nothing.
        """
        self.assertEqual(self.reopen(self.aware(""), f"{self.uid_validity} {self.known}"), [])

    def test_knownUids(self) -> None:
        """
        Only the messages that the client knows count.
        """
        self.remove(2, 5)
        self.flag(3, "\\Seen")
        self.flag(6, "\\Seen")
        found = self.reopen(self.aware(""), f"{self.uid_validity} {self.known} 1:4")
        self.assertEqual(found[0], "* VANISHED (EARLIER) 2")
        self.assertEqual([line.split(" FLAGS")[0] for line in found[1:]], ["* 2 FETCH (UID 3"])

    def test_sample(self) -> None:
        """
        Nothing has gone up to the last message that is where it was (RFC 7162 section 3.2.5.2).
        """
        self.remove(5)
        found = self.reopen(self.aware(""), f"{self.uid_validity} {self.known} 1:6 (1,4,6 1,4,6)")
        self.assertEqual(found, ["* VANISHED (EARLIER) 5"])

    def test_otherValidity(self) -> None:
        """
        Another UIDVALIDITY: nothing of what the client knows is of use.
        """
        self.remove(5)
        self.assertEqual(self.reopen(self.aware(""), f"{self.uid_validity + 1} {self.known}"), [])

    def test_forgotten(self) -> None:
        """
        For a mod-sequence of long ago, all UIDs that are none any more have vanished.
        """
        self.remove(5)
        found = self.reopen(self.aware(""), f"{self.uid_validity} 1 1:6")
        self.assertEqual(found[0], "* VANISHED (EARLIER) 5")

    def test_closed(self) -> None:
        """
        A folder that was open is said to be closed before anything of the other one.
        """
        client = self.aware()
        self.assertTrue(client.command("SELECT INBOX")[0].startswith("* OK [CLOSED] "))
        self.assertTrue(client.command("SELECT Nowhere")[0].startswith("* OK [CLOSED] "))
        self.assertFalse(client.command("SELECT INBOX")[0].startswith("* OK [CLOSED] "))

    def test_storeFails(self) -> None:
        """
        When it cannot be found out what the client missed, the folder is not open.
        """
        client = self.aware("")

        def fail(method: object, *arguments: object) -> object:
            raise StoreBusy("busy")

        self.store.instead["changes"] = fail
        lines = client.command(f"SELECT INBOX (QRESYNC ({self.uid_validity} 1))")
        self.assertTrue(lines[-1].startswith("T NO [UNAVAILABLE] "), lines)
        self.assertBad(client.command("FETCH 1 UID"))

    def test_bad(self) -> None:
        """
        Parameters that make no sense are BAD.
        """
        client = self.aware("")
        for parameters in ("1", "0 1", "1 1 *", "1 1 1:3 (1:2 1:3)"):
            self.assertBad(client.command(f"SELECT INBOX (QRESYNC ({parameters}))"))


class VanishedTests(QResyncCase):
    """
    VANISHED instead of EXPUNGE (RFC 7162 section 3.2.10.2).
    """

    def test_noop(self) -> None:
        """
        What others expunge.
        """
        client = self.aware()
        self.remove(1, 3, 4)
        self.assertEqual(client.command("NOOP")[:-1], ["* VANISHED 1,3:4"])
        self.assertEqual(
            client.command("FETCH 1:3 UID")[:-1],
            [f"* {number} FETCH (UID {uid})" for number, uid in ((1, 2), (2, 5), (3, 6))],
        )

    def test_expunge(self) -> None:
        """
        What one expunges oneself, by EXPUNGE, UID EXPUNGE and MOVE.
        """
        client = self.aware()
        client.command("CREATE Box")
        client.command("UID STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        self.assertEqual(client.command("UID EXPUNGE 2")[0], "* VANISHED 2")
        lines = client.command("EXPUNGE")
        self.assertEqual(lines[0], "* VANISHED 1")
        self.assertEqual(len(highest(lines[-1:])), 1)
        self.assertEqual(client.command("UID MOVE 4 Box")[1], "* VANISHED 4")

    def test_waits(self) -> None:
        """
        Not during FETCH by sequence number; a mod-sequence tells how much the client knows.
        """
        client = self.aware()
        self.remove(2)
        lines = client.command("FETCH 1 FLAGS")
        self.assertFalse(any("VANISHED" in line for line in lines), lines)
        self.assertEqual(highest(lines), [self.known])
        self.assertEqual(client.command("UID FETCH 1 FLAGS")[-2], "* VANISHED 2")

    def test_idle(self) -> None:
        """
        During IDLE.
        """
        client = self.aware()
        client.say(b"I IDLE\r\n")
        client.heard()
        self.remove(6)
        self.assertEqual(client.heard(), [b"* VANISHED 6"])


class FetchTests(QResyncCase):
    """
    UID FETCH with CHANGEDSINCE and VANISHED (RFC 7162 section 3.2.6).
    """

    def test_vanished(self) -> None:
        """
        What has gone comes first; what the client did not ask for does not come.
        """
        self.remove(2, 5)
        client = self.aware()
        self.flag(3, "\\Seen")
        client.command("NOOP")
        lines = client.command(f"UID FETCH 1:4 (FLAGS) (CHANGEDSINCE {self.known} VANISHED)")
        self.assertEqual(lines[0], "* VANISHED (EARLIER) 2")
        self.assertEqual([line.split(" FLAGS")[0] for line in lines[1:-1]], ["* 2 FETCH (UID 3"])

    def test_atTheEnd(self) -> None:
        """
        C{1:*} means what has gone from the end of the folder too.
        """
        self.remove(5, 6)
        lines = self.aware().command(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {self.known} VANISHED)")
        self.assertEqual(lines[:-1], ["* VANISHED (EARLIER) 5:6"])

    def test_justNow(self) -> None:
        """
        What the client is still to be told of has not vanished earlier.
        """
        client = self.aware()
        self.remove(2)
        lines = client.command(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {self.known} VANISHED)")
        self.assertEqual(lines[:-1], ["* VANISHED 2"])

    def test_bad(self) -> None:
        """
        Only with UID FETCH, CHANGEDSINCE and ENABLE.
        """
        client = self.aware()
        self.assertBad(client.command("FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)"))
        self.assertBad(client.command("UID FETCH 1 FLAGS (VANISHED)"))
        self.assertBad(self.client().command("UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)"))


class Cache:
    """
    What a client that goes offline remembers: the flags of messages by UID, and up to which mod-sequence.
    """

    def __init__(self) -> None:
        self.flags: dict[int, str] = {}
        self.modseq = 0

    def learn(self, lines: list[str]) -> None:
        """
        Take responses in.
        """
        told = [self.modseq, *modseqs(lines)]
        for line in lines:
            gone = re.match(r"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)$", line)
            if gone is not None:
                for part in gone[1].split(","):
                    low, _, high = part.partition(":")
                    for uid in range(int(low), int(high or low) + 1):
                        self.flags.pop(uid, None)
            found = re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\)", line)
            if found is not None:
                self.flags[int(found[1])] = found[2].replace("\\Recent", "").strip()
        self.modseq = highest(lines)[-1] if highest(lines) else max(told)


class OfflineTests(QResyncCase):
    """
    A client that comes and goes.
    """

    def test_comesBack(self) -> None:
        """
        Whatever happened meanwhile, after SELECT with QRESYNC it knows the folder as it is.
        """
        for seed in range(8):
            chance = random.Random(seed)
            cache = Cache()
            for _ in range(6):
                for _ in range(chance.randrange(4)):
                    self.happen(chance)
                client = self.aware("")
                parameters = f"{self.uid_validity} {cache.modseq or 1}"
                if cache.flags and chance.random() < 0.5:
                    uids = sorted(cache.flags)
                    ends = sorted(chance.sample(range(len(uids)), chance.randrange(1, len(uids) + 1)))
                    parameters += f" 1:{uids[-1]} ({','.join(str(at + 1) for at in ends)}"
                    parameters += f" {','.join(str(uids[at]) for at in ends)})"
                lines = client.command(f"SELECT INBOX (QRESYNC ({parameters}))")
                self.assertOk(lines)
                cache.learn(lines)
                since = cache.modseq if cache.flags else 0
                if chance.random() < 0.7:
                    self.happen(chance)
                    cache.learn(client.command("UID FETCH 1 UID"))
                fresh = client.command(f"UID FETCH {max(cache.flags, default=0) + 1}:* (FLAGS MODSEQ)")
                cache.learn(fresh)
                self.assertEqual(cache.flags, self.real(), (seed, since))
                client.disconnect()

    def happen(self, chance: random.Random) -> None:
        """
        Somebody else does something.
        """
        uids = sorted(self.real())
        what = chance.randrange(3)
        if what == 0 or not uids:
            self.fill(plain("more"))
        elif what == 1:
            self.flag(chance.choice(uids), chance.choice(("\\Seen", "\\Flagged", "\\Draft")))
        else:
            self.remove(*chance.sample(uids, chance.randrange(1, min(3, len(uids)) + 1)))

    def real(self) -> dict[int, str]:
        """
        The flags of the messages that there are.
        """
        lines = self.client(command="EXAMINE").command("UID FETCH 1:* FLAGS")
        cache = Cache()
        cache.learn(lines)
        return cache.flags
