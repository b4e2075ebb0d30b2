"""
Checking a file whole: what cannot be checked, damaged files, other programs that use the store.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from unittest import mock

from mailstore.engine import EngineLimits, schema
from mailstore.engine.checking import CHECKS, CheckStopped, checker, findings
from mailstore.engine.connection import Connection
from mailstore.engine.errors import StoreOpenError
from mailstore.errors import StoreBusy
from mailstore.model import SYSTEM, Criterion, SearchTerm
from tests.engine.checking.checkcase import CheckCase


class CleanTests(CheckCase):
    """
    A store in which nothing is wrong.
    """

    def test_clean(self) -> None:
        """
        Nothing is found, nothing changes, and no file is left behind, also when something may be mended.
        """
        before = self.all_()
        self.assertEqual(self.check().findings, [])
        self.assertEqual(self.repair().findings, [])
        self.assertEqual(self.all_(), before)
        self.assertFalse(self.exists("-wal"))

    def test_new(self) -> None:
        """
        A new store is clean.
        """
        self.path_ = self.path()
        self.now(self.open(self.path_).close())
        self.assertEqual(self.check().findings, [])

    def test_inUse(self) -> None:
        """
        While others have the store open, and something is not indexed yet, nothing is wrong.
        """
        store = self.open(self.path_)
        self.append(store, "ann", "INBOX", b"Subject: new\r\n\r\nnot indexed\r\n")
        self.assertEqual(self.check().findings, [])
        self.now(store.deleteFolder("ann", "Public Folders/D"))
        self.assertEqual(self.check().findings, [])

    def test_progress(self) -> None:
        """
        Every check is told, and how far the long ones are, which ends where all is done.
        """
        told: list[tuple[str, int, int]] = []
        made = self.checker()
        made._progress = lambda *each: told.append(each)
        made.find()
        self.assertEqual(
            [each[0] for each in told if each[1:] == (0, 0)], ["file", *(c.title for c in CHECKS)]
        )
        for title in ("bytes", "search index"):
            done, total = [each[1:] for each in told if each[0] == title][-1]
            self.assertEqual(done, total)
            self.assertGreater(total, 0)


class RefusedTests(CheckCase):
    """
    What cannot be checked is said.
    """

    def _refused(self, path: str) -> str:
        self.path_ = path
        return str(self.assertRaises(StoreOpenError, self.checker))

    def test_noStore(self) -> None:
        """
        No file, a directory, something else, an empty database.
        """
        self.assertIn("no such file", self._refused("/nowhere/mail.db"))
        self.assertIn("is a directory", self._refused("/"))
        path = self.path()
        Path(path).write_bytes(b"something else, which is long enough to be looked at\n" * 100)
        self.assertIn("file is not a database", self._refused(path))
        path = self.path()
        self.execute(path, "CREATE TABLE t (a)")
        self.assertIn("not of a mail store", self._refused(path))
        path = self.path()
        self.execute(path, "PRAGMA user_version = 0", "VACUUM")
        self.assertIn("it is empty", self._refused(path))

    def test_versions(self) -> None:
        """
        A schema of another version, and what to do.
        """
        self.execute(self.path_, "PRAGMA user_version = 1")
        self.assertIn("'mailstore init' brings it up to date", self._refused(self.path_))
        self.execute(self.path_, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        self.assertIn("this program knows versions up to", self._refused(self.path_))

    def test_busy(self) -> None:
        """
        While another program writes, everything can be looked at, and nothing mended.
        """
        other = sqlite3.connect(self.path_, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.assertEqual(self.check().findings, [])
        self.assertRaises(StoreBusy, self.repair)

    def test_readOnly(self) -> None:
        """
        A file that cannot be written can be checked.
        """
        with mock.patch("mailstore.engine.checking.checker.os.access", return_value=False):
            self.assertEqual(self.check().findings, [])

    def test_stopped(self) -> None:
        """
        A check can be stopped at any moment; what it found before is told, what it mended stays.
        """
        self.damage("UPDATE contents SET refs = 9 WHERE id = 1")
        made = self.checker(writing=True)
        made._stopped = lambda: bool(made.report.mended)
        self.assertRaises(CheckStopped, made.repair)
        self.assertEqual(made.report.mended, {"content-refs": 1})
        self.assertEqual(self.check().findings, [])
        made = self.checker()
        made._db.set_progress_handler(lambda: 1, 1)
        made._stopped = lambda: True
        self.assertRaises(CheckStopped, made.find)


class DamagedTests(CheckCase):
    """
    Files whose pages are damaged.
    """

    def test_index(self) -> None:
        """
        An index that does not fit its table is made again.
        """
        unlock = "PRAGMA writable_schema = ON"
        partial = "UPDATE sqlite_master SET sql = sql || ' WHERE id < 0' WHERE name = 'folders_acl'"
        whole = "UPDATE sqlite_master SET sql = replace(sql, ' WHERE id < 0', '') WHERE name = 'folders_acl'"
        self.execute(self.path_, unlock, partial)
        self.execute(self.path_, "UPDATE folders SET acl = 1 WHERE name = 'Sent'")
        self.execute(self.path_, unlock, whole)
        self.assertIn("index-damaged", self.check().found)
        report = self.repair()
        self.assertEqual(report.left, 0)
        self.assertIn("index-damaged", report.mended)
        self.assertEqual(self.check().findings, [])

    def test_table(self) -> None:
        """
        What cannot be read because a table is missing is named, and the rest looked at.
        """
        self.damage("DROP TABLE seen", "UPDATE contents SET refs = 9 WHERE id = 1")
        report = self.check()
        self.assertLessEqual({"schema", "unreadable", "content-refs"}, set(report.found))
        self.assertIn("no such table: seen", "".join(each.problem for each in report.findings))

    def test_pages(self) -> None:
        """
        Pages with other bytes are named, and nothing is changed.
        """
        data = bytearray(Path(self.path_).read_bytes())
        (root,) = self.rows(self.path_, "SELECT rootpage FROM sqlite_master WHERE name = 'messages'")[0]
        page = int.from_bytes(data[16:18], "big")
        data[(root - 1) * page : root * page] = b"\x42" * page
        Path(self.path_).write_bytes(data)
        report = self.check()
        self.assertIn("file-damaged", report.found)
        before = Path(self.path_).read_bytes()
        report = self.repair()
        self.assertEqual(report.mended.total(), 0)
        self.assertEqual(Path(self.path_).read_bytes(), before)


class MendingTests(CheckCase):
    """
    Mending beside others.
    """

    def test_seenByOthers(self) -> None:
        """
        Who has the store open sees what was mended as it sees other changes.
        """
        store = self.open(self.path_)
        before = self.now(store.status("ann", "INBOX"))
        self.execute(self.path_, "UPDATE folders SET messages = 2 WHERE name = 'INBOX' AND owner = 1")
        self.repair()
        self.assertTrue(store.poll())
        after = self.now(store.status("ann", "INBOX"))
        self.assertEqual(after.messages, 6)
        self.assertGreater(after.highest_modseq, before.highest_modseq)

    def test_orphansAreTheSystems(self) -> None:
        """
        Mail whose owner is gone is the system's alone, whoever may read all public folders.
        """
        self.damage("DELETE FROM users WHERE name = 'ann'")
        self.repair()
        store = self.open(self.path_)
        name = "Public Folders/Lost and Found/User number 1/Sent"
        self.assertEqual(self.now(store.status(SYSTEM, name)).messages, 6)
        self.assertEqual(self.now(store.acl(SYSTEM, name)), ())
        self.assertEqual(self.now(store.rights("bob", "Public Folders")), "lrs")

    def test_damagedBytesAreNotGivenAgain(self) -> None:
        """
        When a message comes again whose bytes were damaged, it is kept anew and whole.
        """
        message = b"Subject: precious\r\n\r\nnot to be lost\r\n"
        store = self.open(self.path_)
        self.append(store, "ann", "INBOX", message)
        self.now(store.close())
        self.damage(
            "UPDATE chunks SET data = CAST('Subject: precious' || char(13, 10, 13, 10) || 'not to be los7'"
            " || char(13, 10) AS BLOB) WHERE id >> 20 = (SELECT max(id) FROM contents)"
        )
        self.assertEqual(set(self.repair().mended), {"content-hash"})
        self.assertEqual(self.check().findings, [])
        store = self.open(self.path_)
        self.append(store, "ann", "INBOX", message)
        self.now(store.close())
        self.assertEqual(self.mail()[message], 1)

    def test_reindex(self) -> None:
        """
        The search index can be made again at any time, and finds what it found.
        """
        made = self.checker(writing=True)
        made.reindex()
        self.assertEqual(self.check().findings, [])
        store = self.open(self.path_)
        self.assertFalse(self.now(store.indexMore()))
        folder = self.now(store.openFolder("ann", "INBOX", False)).folder
        term = SearchTerm(Criterion.TEXT, text="subject")
        self.assertTrue(b"".join(self.all(store.search("ann", folder, term))))

    def test_many(self) -> None:
        """
        However much is wrong, what is told is bounded, and all is counted and mended, a round at a time.
        """
        self.patch(findings, "MOST_TOLD", 3)
        self.patch(checker, "_ROUND", 4)
        self.damage("UPDATE messages SET size = size + 1")
        report = self.check()
        self.assertEqual(len([each for each in report.findings if each.kind == "message-size"]), 3)
        self.assertGreaterEqual(report.found["message-size"], 17)
        self.repair()
        self.assertEqual(self.check().findings, [])

    def test_manyContents(self) -> None:
        """
        Where messages are is looked up for some contents only, and all are mended.
        """
        self.damage("UPDATE contents SET refs = 50", "DELETE FROM texts")
        made = self.checker(writing=True)
        made._context.searches = 2
        made.repair()
        self.assertEqual(made.report.left, 0)
        self.assertIn("content 1 (UID 1 in", made.report.findings[0].where)
        self.assertEqual(made.report.findings[4].where, "content 5")
        self.assertEqual(self.check().findings, [])

    def test_unmendable(self) -> None:
        """
        What mending meets another fault in is left, and named; the rest is mended.
        """
        self.damage(
            "UPDATE contents SET refs = 5", f"UPDATE messages SET size = 1 WHERE folder = {_SENT} AND uid = 1"
        )
        real = checker.Checker._tryToMend

        def failing(made: checker.Checker, fault: findings.Fault) -> bool:
            if fault.kind == "message-size":
                fault = findings.Fault(fault.kind, fault.where, fault.problem, fault.remedy, _violate)
            return real(made, fault)

        with mock.patch.object(checker.Checker, "_tryToMend", failing):
            report = self.repair()
        self.assertEqual(report.found["message-size"] - report.mended["message-size"], 1)
        self.assertEqual(set(self.check().found) - {"folder-counts", "tree-counts"}, {"message-size"})

    def test_limits(self) -> None:
        """
        No limit of the engine keeps a store from being mended.
        """
        self.damage("DELETE FROM folders WHERE name = 'Sent'")
        made = self.checker(writing=True, limits=EngineLimits(max_folders=1, busy_wait=0))
        made.repair()
        self.assertEqual(made.report.left, 0)


_SENT = "(SELECT id FROM folders WHERE name = 'Sent')"


def _violate(db: Connection) -> None:
    db.execute("INSERT INTO users SELECT * FROM users")
