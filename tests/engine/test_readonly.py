"""
Stores on a file system that cannot be written: L{mailstore.engine.readonly} and what it is for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from unittest import SkipTest

from twisted.internet.defer import Deferred

from mailstore.admin.commands import complete
from mailstore.engine import EngineLimits, StoreOpenError, readonly, schema
from mailstore.errors import StoreUnavailable
from mailstore.model import SYSTEM, Criterion, FetchSpec, FlagMode, NewMessage, SearchTerm, UidSet
from mailstore.stores import openBackup, openChecker, openStore
from tests.admin.commandcase import MAIL, CommandTestCase
from tests.engine.enginecase import EngineCase

_A = "Public Folders/A"
_EVERY = UidSet(((1, 0xFFFFFFFF),))
_WHY = "the store is on a read-only file system: it can be read, and nothing changed"


class ReadOnlyTests(EngineCase):
    """
    A store that is told that nothing there can be written, with a file like any other.
    """

    def setUp(self) -> None:
        """
        Make one with a message, and close it.
        """
        self.file = self.path()
        store = self.open(self.file)
        self.users(store, "alice")
        self.now(store.createFolder(SYSTEM, _A))
        self.append(store, SYSTEM, _A, b"Subject: quince\r\n\r\nmedlar\r\n")
        while self.now(store.indexMore()):
            pass
        self.now(store.close())
        self.patch(readonly, "isReadOnly", lambda path: True)

    def test_reading(self) -> None:
        """
        All can be read, also what is recent, and nothing is written meanwhile.
        """
        before = Path(self.file).read_bytes()
        store = self.open(self.file)
        self.assertTrue(store.read_only)
        for _ in range(2):
            opened = self.now(store.openFolder("alice", _A, True))
            self.assertEqual((opened.first_recent, opened.status.recent), (1, 1))
            (delta,) = self.all(store.changes("alice", opened.folder, 0, True))
            self.assertEqual(len(delta.changed.uids), 4)
        (batch,) = self.all(store.fetch("alice", opened.folder, _EVERY, FetchSpec(size=True)))
        self.assertEqual(len(batch.sizes), 8)
        found = self.all(store.search("alice", opened.folder, SearchTerm(Criterion.TEXT, text="medlar")))
        self.assertEqual(len(b"".join(found)), 4)
        for chore in (store.indexMore, store.tidyMore, store.expireMore):
            self.assertIs(self.now(chore()), False)
        self.assertFalse(store.poll())
        self.now(store.close())
        self.assertEqual(Path(self.file).read_bytes(), before)
        self.assertEqual(os.listdir(os.path.dirname(self.file)), ["mail.db"])

    def test_changing(self) -> None:
        """
        What changes something is refused, and says why.
        """
        store = self.open(self.file)
        folder = self.now(store.status(SYSTEM, _A)).folder
        for request in (
            store.append("alice", _A, (NewMessage(b"x"),)),
            store.storeFlags("alice", folder, _EVERY, FlagMode.ADD, ("\\Seen",)),
            store.expunge("alice", folder, None),
            store.createFolder("alice", "x"),
            store.copy("alice", folder, _EVERY, "INBOX"),
        ):
            error = self.failureResultOf(Deferred.fromCoroutine(request), StoreUnavailable)
            self.assertEqual(error.getErrorMessage(), _WHY)

    def test_older(self) -> None:
        """
        What would have to be brought up to date first is not opened, and says so.
        """
        self.assertRaisesRegex(
            StoreOpenError, "by another version of this program", self.open, self.file, version=2
        )
        self.execute(self.file, f"PRAGMA user_version = {schema.SCHEMA_VERSION - 1}")
        self.assertRaisesRegex(
            StoreOpenError, "must be opened once where it can be written", self.open, self.file
        )

    def test_otherIndex(self) -> None:
        """
        A search index of another format is not asked.
        """
        self.execute(self.file, "UPDATE meta SET value = '1.9.0.0' WHERE key = 'indexed'")
        store = self.open(self.file)
        folder = self.now(store.status(SYSTEM, _A)).folder
        found = self.all(store.search("alice", folder, SearchTerm(Criterion.TEXT, text="medlar")))
        self.assertEqual(len(b"".join(found)), 4)


class MountTests(CommandTestCase):
    """
    A file system that is mounted so.
    """

    def setUp(self) -> None:
        """
        Put a store with a message on one, which can be written as yet.
        """
        super().setUp()
        self.user("ann")
        self.run_("import", self.put("a.eml"), _A)
        self.place = self.directory / "disk"
        self.place.mkdir()
        made = subprocess.run(("mount", "-t", "tmpfs", "tmpfs", str(self.place)), capture_output=True)
        if made.returncode:
            raise SkipTest("nobody may mount a file system here")
        self.addCleanup(subprocess.run, ("umount", "-l", str(self.place)), check=True)
        shutil.move(self.directory / "mail.db", self.place / "mail.db")
        self.url = f"sqlite:{self.place}/mail.db"

    def _mountReadOnly(self) -> None:
        subprocess.run(("mount", "-o", "remount,ro", str(self.place)), check=True)

    def test_commands(self) -> None:
        """
        Commands that read do what they do everywhere; others say in one line why they cannot.
        """
        self._mountReadOnly()
        out = str(self.directory / "out")
        words: tuple[str, ...]
        for words in (
            ("stats",),
            ("user", "list"),
            ("folder", "list"),
            ("acl", "get", _A),
            ("quota", "get"),
            ("check",),
            ("init",),
            ("export", _A, out),
            ("backup", out + ".db"),
        ):
            _, errors = self.run_(*words)
            self.assertEqual(errors, "", words)
        self.assertEqual(len(os.listdir(os.path.join(out, "new")) + os.listdir(os.path.join(out, "cur"))), 1)
        for words in (
            ("folder", "create", _A + "/B"),
            ("folder", "delete", _A, "--with-messages"),
            ("user", "add", "bob", "--password-stdin"),
            ("acl", "set", _A, "ann", "lr"),
        ):
            self.assertEqual(self.refused(*words, given=b"x"), _WHY)
        output, errors = self.run_("import", str(self.directory / "a.eml"), "Public Folders/New", code=1)
        self.assertEqual(output, "imported 0 messages into 0 folders\n")
        self.assertEqual(errors.splitlines()[-1], f"mailstore: {_WHY}")
        self.assertIn("Read-only file system", self.refused("check", "--repair", code=2))
        inside = f"{self.place}/copy.db"
        self.assertEqual(self.refused("backup", inside), f"cannot write '{inside}': Read-only file system")

    def test_notClosed(self) -> None:
        """
        With a write-ahead log that cannot be read there, it says what to do; with its index it is read.
        """
        store = openStore(self.url, EngineLimits())
        complete(store.append(SYSTEM, _A, (NewMessage(MAIL),)))
        left = self.directory / "left"
        left.mkdir()
        for name in os.listdir(self.place):
            shutil.copy(self.place / name, left / name)
        complete(store.close())
        for name in ("mail.db", "mail.db-wal"):
            shutil.copy(left / name, self.place / name)
        self._mountReadOnly()
        hint = "copy it together with mail.db-wal to where it can be written"
        for open_ in (openStore, openChecker, openBackup):
            self.assertIn(hint, str(self.assertRaises(StoreOpenError, open_, self.url, EngineLimits())))
        subprocess.run(("mount", "-o", "remount,rw", str(self.place)), check=True)
        shutil.copy(left / "mail.db-shm", self.place / "mail.db-shm")
        self._mountReadOnly()
        store = openStore(self.url, EngineLimits())
        self.assertEqual(complete(store.status(SYSTEM, _A)).messages, 2)
        complete(store.close())
