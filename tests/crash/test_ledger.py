"""
The ledger notices what a crash can do.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import attrs
from twisted.trial.unittest import SynchronousTestCase

from tests.crash import deeds
from tests.crash.deeds import Chooser, Deed, expanded
from tests.crash.ledger import Folder, Found, History, Ledger, Letter
from tests.crash.worker import Worker

_DATE = b" 1-Feb-2024 10:30:00 +0000"


def _letter(number: int, *flags: bytes) -> Letter:
    return Letter(b"Subject: w0.%d\r\n\r\ntext\r\n" % number, _DATE, frozenset(flags))


def _found(letters: dict[int, Letter], validity: int = 7, uid_next: int = 9, modseq: int = 5) -> Found:
    return Found(validity, uid_next, modseq, letters, dict.fromkeys(letters, 2))


class LedgerTests(SynchronousTestCase):
    """
    One client's ledger against what is found.
    """

    def setUp(self) -> None:
        """
        Two letters that are known, and one whose UID is not.
        """
        self.ledger = Ledger({b"w0": Folder(7, {1: _letter(1), 2: _letter(2)}, [_letter(3)])}, {b"w0"})
        self.good = {1: _letter(1), 2: _letter(2), 3: _letter(3)}

    def _difference(self, letters: dict[int, Letter], validity: int = 7) -> str:
        return self.ledger.difference({b"w0": _found(letters, validity)}, {b"w0"})

    def test_agrees(self) -> None:
        """
        All is there.
        """
        self.assertEqual(self._difference(self.good), "")

    def test_notices(self) -> None:
        """
        A letter that is lost, changed, doubled, flagged otherwise, under the UID of another, or
        of an earlier one is noticed; so is another UIDVALIDITY.
        """
        good = self.good
        for letters, words in (
            ({1: good[1], 3: good[3]}, "UID 2 is lost"),
            ({**good, 2: attrs.evolve(good[2], text=good[2].text + b"x")}, "UID 2 is <"),
            ({**good, 2: attrs.evolve(good[2], date=b"another")}, "UID 2 is <"),
            ({**good, 2: _letter(2, b"\\Seen")}, "UID 2 is <"),
            ({**good, 4: good[3]}, "came: "),
            ({1: good[1], 2: good[2]}, "came: "),
            ({1: good[2], 2: good[1], 3: good[3]}, "UID 1 is <"),
        ):
            self.assertIn(words, self._difference(letters))
        self.ledger.folders[b"w0"].letters = {1: _letter(1), 4: _letter(2)}
        self.assertIn("earlier", self._difference({1: _letter(1), 4: _letter(2), 3: _letter(3)}))
        self.assertIn("UIDVALIDITY 8, not 7", self._difference(good, 8))

    def test_folders(self) -> None:
        """
        Folders and subscriptions that are lost, or should not be there.
        """
        found = {b"w0": _found(self.good)}
        self.assertIn("not to be there", self.ledger.difference({**found, b"w0/a": _found({})}, {b"w0"}))
        self.assertIn("lost: [b'w0']", self.ledger.difference({}, {b"w0"}))
        self.assertIn("subscribed", self.ledger.difference(found, set()))

    def test_tree(self) -> None:
        """
        Folders come with their parents, and are renamed with their children.
        """
        ledger = Ledger()
        ledger.create(b"Public Folders/w0/a/b")
        ledger.rename(b"Public Folders/w0/a", b"Public Folders/w0/x/y")
        self.assertEqual(
            sorted(ledger.folders),
            [
                b"Public Folders/w0",
                b"Public Folders/w0/x",
                b"Public Folders/w0/x/y",
                b"Public Folders/w0/x/y/b",
            ],
        )
        ledger.delete(b"Public Folders/w0/x/y/b")
        self.assertNotIn(b"Public Folders/w0/x/y/b", ledger.folders)

    def test_numbers(self) -> None:
        """
        UIDs that are told are taken over, if they can be.
        """
        self.ledger.number(b"w0", 7, [5])
        self.assertEqual(self.ledger.folders[b"w0"].letters[5], _letter(3))
        for uids in ([], [5]):
            self.ledger.arrive(b"w0", [_letter(4)])
            self.assertRaises(AssertionError, self.ledger.number, b"w0", 7, uids)
            self.ledger.folders[b"w0"].arrived = []
        self.assertEqual(expanded(b"4,7:9"), [4, 7, 8, 9])


class HistoryTests(SynchronousTestCase):
    """
    What never goes back.
    """

    def test_goesForward(self) -> None:
        """
        Growing numbers are all right.
        """
        history = History()
        self.assertEqual(history.advance({"alice": [_found({1: _letter(1)})]}, {}), "")
        later = _found({1: _letter(1), 9: _letter(2)}, uid_next=10, modseq=6)
        self.assertEqual(history.advance({"alice": [later, _found({}, 8)]}, {("alice", 7, 1): 2}), "")

    def test_goesBack(self) -> None:
        """
        Each number that goes back is noticed.
        """
        first = _found({1: _letter(1)})
        for found, words in (
            (_found({1: _letter(1)}, uid_next=8), "UIDNEXT 8, after 9"),
            (_found({1: _letter(1)}, modseq=4), "HIGHESTMODSEQ 4, after 5"),
            (_found({1: _letter(1), 3: _letter(2)}), "UID 3 is new"),
            (_found({}, validity=6), "a new folder has UIDVALIDITY 6"),
            (attrs.evolve(first, modseqs={1: 1}), "MODSEQ 1 of UID 1, after 2"),
            (attrs.evolve(first, modseqs={1: 6}), "HIGHESTMODSEQ 5"),
            (_found({9: _letter(1)}), "UIDNEXT 9"),
        ):
            history = History()
            self.assertEqual(history.advance({"alice": [first]}, {}), "")
            self.assertIn(words, history.advance({"alice": [found]}, {}))
        self.assertIn("told 3", History().advance({"alice": [first]}, {("alice", 7, 1): 3}))


class WorkerTests(SynchronousTestCase):
    """
    A command of which nobody knows whether it has happened.
    """

    def _agree(self, letters: dict[int, Letter], change: Callable[[Ledger], None]) -> Worker:
        worker = Worker(0, "alice", "0")
        worker.ledger = Ledger({b"w0": Folder(7, {1: _letter(1)})})
        worker.open = Deed(b"the command", change)
        worker.agree({b"w0": _found(letters)}, set())
        return worker

    def test_whole(self) -> None:
        """
        It may have happened or not.
        """
        two = [_letter(2), _letter(3)]
        not_done = self._agree({1: _letter(1)}, lambda ledger: ledger.arrive(b"w0", two))
        self.assertEqual((not_done.unknown, not_done.happened), (1, 0))
        letters = {1: _letter(1), 2: _letter(2), 3: _letter(3)}
        done = self._agree(letters, lambda ledger: ledger.arrive(b"w0", two))
        self.assertEqual((done.unknown, done.happened), (1, 1))
        self.assertEqual(done.ledger.folders[b"w0"].letters, letters)

    def test_half(self) -> None:
        """
        But not by half.
        """
        two = [_letter(2), _letter(3)]
        error = self.assertRaises(
            AssertionError,
            self._agree,
            {1: _letter(1), 2: _letter(2)},
            lambda ledger: ledger.arrive(b"w0", two),
        )
        self.assertIn("if b'the command' has happened", str(error))

    def test_slices(self) -> None:
        """
        What is done in slices may have been done to the first messages, and to no others.
        """
        flag = frozenset((b"\\Deleted",))
        mine = {uid: _letter(uid) for uid in (1, 2, 3)}

        def agree(found: dict[int, Letter]) -> Worker:
            worker = Worker(0, "alice", "0")
            worker.ledger = Ledger({b"w0": Folder(7, dict(mine))})
            chooser = Chooser("w0", (b"w0",), random.Random(0))
            # With more than it may have, it flags the older half of them.
            self.patch(deeds, "_MANY", 0)
            worker.open = chooser.choose(worker.ledger)
            self.assertEqual(worker.open.line, b"UID STORE 1,2 +FLAGS (\\Deleted)")
            worker.agree({b"w0": _found(found)}, set())
            return worker

        gone = {uid: attrs.evolve(each, flags=flag) for uid, each in mine.items()}
        for found in (mine, {**mine, 1: gone[1]}, {**gone, 3: mine[3]}):
            worker = agree(found)
            self.assertEqual(worker.happened, found is not mine)
            self.assertEqual(worker.ledger.folders[b"w0"].letters, found)
        for found in ({**mine, 2: gone[2]}, gone):
            self.assertRaises(AssertionError, agree, found)


class ChooserTests(SynchronousTestCase):
    """
    What clients do.
    """

    def _lines(self, seed: int) -> list[bytes]:
        chooser = Chooser("w0", (b"w0",), random.Random(seed))
        ledger = Ledger({b"w0": Folder(7), b"INBOX": Folder(8)})
        lines = []
        for _ in range(300):
            deed = chooser.choose(ledger)
            lines.append(deed.line)
            deed.change(ledger)
            for folder in ledger.folders.values():
                first = max(folder.letters, default=0) + 1
                folder.letters |= dict(enumerate(folder.arrived, first))
                folder.arrived = []
        return lines

    def test_replay(self) -> None:
        """
        The same seed gives the same commands, another one others, and in time all kinds of them.
        """
        lines = self._lines(1)
        self.assertEqual(lines, self._lines(1))
        self.assertNotEqual(lines, self._lines(2))
        words = {line.removeprefix(b"UID ").split()[0] for line in lines}
        self.assertEqual(
            words,
            {
                b"APPEND",
                b"STORE",
                b"COPY",
                b"MOVE",
                b"EXPUNGE",
                b"CREATE",
                b"RENAME",
                b"DELETE",
                b"SUBSCRIBE",
                b"UNSUBSCRIBE",
            },
        )
