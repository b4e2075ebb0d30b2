"""
Files of older versions, made as the programs of their time made them.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from mailstore.engine import EngineLimits, StoreOpenError, schema
from mailstore.engine.checking import Checker
from mailstore.engine.migrations import MIGRATIONS
from mailstore.model import (
    MESSAGE,
    STORAGE,
    SYSTEM,
    Criterion,
    Delivered,
    Expiry,
    FetchSpec,
    Recipient,
    SearchTerm,
    SortField,
    SortKey,
    UidSet,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import RENDITIONS
from tests.engine.enginecase import EngineCase

_EVERY = UidSet(((1, 100),))

_MESSAGES = (
    b"From: zoe@example.org\r\nSubject: Re: b\r\nMessage-ID: <2@x>\r\nReferences: <1@x>\r\n\r\nquince\r\n",
    b"From: ann@example.org\r\nSubject: b\r\nMessage-ID: <1@x>\r\n\r\nMedlar\r\n",
)


def _fillVersion1(db: sqlite3.Connection) -> None:
    """
    What version 1 wrote for alice, with two messages in her INBOX, the first of
    them in a public folder too.
    """
    db.execute(
        "INSERT INTO users (id, name, salt, iterations, stored_key, server_key)"
        " VALUES (1, 'alice', x'00', 1, x'00', x'00')"
    )
    db.execute("INSERT INTO trees (owner, folders) VALUES (1, 1)")
    for folder, owner, name, count in ((2, 1, "INBOX", 2), (3, 0, "Old", 1)):
        size = sum(len(each) for each in _MESSAGES[:count])
        db.execute(
            "INSERT INTO folders (id, owner, name, selectable, acl, shared_seen, uid_validity, uid_next,"
            " modseq, changed, recent, messages, unseen, size)"
            " VALUES (?, ?, ?, 1, ?, ?, 7, ?, 2, 2, ?, ?, ?, ?)",
            (
                folder,
                owner,
                name,
                1 if owner else 2,
                owner,
                count + 1,
                count,
                count,
                count if owner else 0,
                size,
            ),
        )
        for at in range(count):
            db.execute(
                "INSERT INTO messages (folder, uid, flags, modseq, content, internal_date, zone, size)"
                " VALUES (?, ?, 0, 2, ?, ?, 0, ?)",
                (folder, at + 1, at + 1, 1_000_000 + at, len(_MESSAGES[at])),
            )
    for at, message in enumerate(_MESSAGES):
        db.execute(
            "INSERT INTO contents (id, hash, refs, stored, size, canonical, sent_day, rendered, structure)"
            " VALUES (?, ?, ?, ?, ?, 1, NULL, '1.1.all+first', x'00')",
            (at + 1, hashlib.sha256(message).digest(), 2 - at, len(message), len(message)),
        )
        db.execute("INSERT INTO chunks (id, data) VALUES (?, ?)", ((at + 1) << 20, message))
        db.execute("INSERT INTO texts (id, header, body, parts) VALUES (?, '', 'older', '')", (at + 1,))
    db.execute("INSERT INTO rendition_kinds (id, name) VALUES (0, 'first'), (1, 'all')")
    db.execute("UPDATE meta SET value = '1.1.all+first' WHERE key = 'renditions'")
    db.execute("UPDATE trees SET folders = 2 WHERE owner = 0")
    db.execute("UPDATE meta SET value = 7 WHERE key = 'uid_validity'")


class MigrationCase(EngineCase):
    """
    A file of an older version.
    """

    def upgraded(self, path: str, version: int, fill: Callable[[sqlite3.Connection], None] | None) -> str:
        """
        Bring a file, which may not be there, to a version as its program did.

        @param fill: what was written then.
        """
        db = sqlite3.connect(path, isolation_level=None)
        with (
            mock.patch.object(schema, "MIGRATIONS", MIGRATIONS[:version]),
            mock.patch.object(schema, "SCHEMA_VERSION", version),
        ):
            schema.upgrade(db)
        if fill is not None:
            fill(db)
        db.close()
        self.assertEqual(self.rows(path, "PRAGMA user_version"), [(version,)])
        return path


class Version1Tests(MigrationCase):
    """
    Version 1.
    """

    def _version1(self) -> str:
        """
        A file of version 1.
        """
        return self.upgraded(self.path(), 1, _fillVersion1)

    def test_everythingThere(self) -> None:
        """
        Everything is there that was, and what is new is made of it.
        """
        store = self.open(self._version1())
        opened = self.now(store.openFolder("alice", "INBOX", False))
        self.assertEqual(opened.uids, UidSet(((1, 2),)))
        self.assertTrue(opened.status.mailbox_id)
        spec = FetchSpec(save_date=True, thread_id=True, email_id=True, renditions=("all",))
        (batch,) = self.all(store.fetch("alice", opened.folder, _EVERY, spec))
        self.assertEqual(batch.renditions, (_MESSAGES,))
        self.assertEqual(list(uint64s(batch.save_dates)), [1_000_000, 1_000_001])
        self.assertEqual(len(set(batch.email_ids)), 2)
        self.assertIsNotNone(batch.thread_ids[0])
        self.assertEqual(batch.thread_ids[0], batch.thread_ids[1])
        for root, messages in (("#user/alice", 2), ("#public", 1)):
            quota = self.now(store.quota("alice", root))
            self.assertEqual(quota.resources, ((STORAGE, 1, None), (MESSAGE, messages, None)))

    def test_found(self) -> None:
        """
        Old messages are found and sorted like new ones, by what they hold and not what was kept of it.
        """
        store = self.open(self._version1())
        self.append(store, "alice", "INBOX", b"From: bob@example.org\r\n\r\nquince too\r\n")
        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        for text, expected in (("quince", [1, 3]), ("medlar", [2]), ("older", [])):
            term = SearchTerm(Criterion.BODY, text=text)
            found = [uid for each in self.all(store.search("alice", folder, term)) for uid in uint32s(each)]
            self.assertEqual(found, expected)
        keys = (SortKey(SortField.FROM),)
        every = SearchTerm(Criterion.ALL)
        batches = self.all(store.sort("alice", folder, every, keys))
        self.assertEqual([uid for each in batches for uid in uint32s(each)], [2, 3, 1])

    def test_once(self) -> None:
        """
        It is done once: the next who opens it finds it done.
        """
        path = self._version1()
        self.now(self.open(path).close())
        made: list[object] = []

        def counting(message: object) -> bytes:
            made.append(message)
            return b""

        self.open(path, renditions={"first": counting, "all": counting})
        self.assertEqual(made, [])
        self.assertEqual(self.rows(path, "PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.rows(path, "SELECT count(*) FROM sortings"), [(2,)])


class Version2Tests(MigrationCase):
    """
    Version 2.
    """

    def test_deliveryAndExpiry(self) -> None:
        """
        Its folders can have addresses and rules, which old messages follow by the date of their coming.
        """
        path = self.upgraded(self.path(), 1, _fillVersion1)
        store = self.open(self.upgraded(path, 2, None), clock=lambda: 1_000_001.0 + 3 * 86_400)
        name = "Public Folders/Old"
        self.assertEqual(self.now(store.expiry(SYSTEM, name)), Expiry())
        self.assertEqual(self.all(store.addresses(SYSTEM)), [])
        self.now(store.addAddress(SYSTEM, name, "old@example.org"))
        self.now(store.setRights(SYSTEM, name, "anyone", "p"))
        to = (Recipient("old@example.org"), Recipient("alice@example.org", "alice"))
        self.assertEqual(self.now(store.deliver(to, _MESSAGES[0] + b"x")), (Delivered(), Delivered()))
        for each in (name, "Other Users/alice/INBOX"):
            self.now(store.setExpiry(SYSTEM, each, Expiry(days=3)))
        while self.now(store.expireMore()):
            pass
        self.assertEqual(list(self.now(store.openFolder("alice", name, False)).uids), [2])
        # The second message came a second later.
        self.assertEqual(list(self.now(store.openFolder("alice", "INBOX", False)).uids), [2, 3])


class EveryVersionTests(EngineCase):
    """
    Every version that there was.
    """

    def _upTo(self, version: int) -> str:
        """
        A file that began as one of version 1 and was brought up to another.
        """
        path = self.path()
        db = sqlite3.connect(path, isolation_level=None)
        for each in range(1, version + 1):
            with (
                mock.patch.object(schema, "MIGRATIONS", MIGRATIONS[:each]),
                mock.patch.object(schema, "SCHEMA_VERSION", each),
            ):
                schema.upgrade(db)
            if each == 1:
                _fillVersion1(db)
        db.close()
        self.assertEqual(self.rows(path, "PRAGMA user_version"), [(version,)])
        return path

    def test_consistent(self) -> None:
        """
        What a file of each version becomes has all its mail, has nothing wrong in it, and takes more.
        """
        for version in range(1, schema.SCHEMA_VERSION + 1):
            path = self._upTo(version)
            store = self.open(path)
            opened = self.now(store.openFolder("alice", "INBOX", False))
            (batch,) = self.all(store.fetch("alice", opened.folder, _EVERY, FetchSpec(renditions=("all",))))
            self.assertEqual(batch.renditions, (_MESSAGES,), version)
            self.append(store, "alice", "INBOX", b"Subject: new\r\n\r\n")
            while self.now(store.indexMore()):
                pass
            self.now(store.close())
            checker = Checker(path, RENDITIONS, 1, EngineLimits(), writing=False)
            self.addCleanup(checker.close)
            checker.find()
            self.assertEqual(checker.report.findings, [], version)
            self.assertEqual(self.rows(path, "PRAGMA user_version"), [(schema.SCHEMA_VERSION,)])

    def test_sameTables(self) -> None:
        """
        A file that came a long way has the tables of a new one.
        """
        statement = (
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'text_index%' ORDER BY name"
        )
        new = self.path()
        self.now(self.open(new).close())
        old = self._upTo(1)
        self.now(self.open(old).close())
        self.assertEqual(self.rows(old, statement), self.rows(new, statement))

    def test_newer(self) -> None:
        """
        A file of a version that is not known yet is refused, in a sentence, and left as it is.
        """
        path = self.path()
        self.now(self.open(path).close())
        self.execute(path, f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        before = Path(path).read_bytes()
        error = self.assertRaises(StoreOpenError, self.open, path)
        known = schema.SCHEMA_VERSION
        self.assertEqual(
            str(error),
            f"cannot open store {path!r}: its schema has version {known + 1},"
            f" and this program knows versions up to {known}",
        )
        self.assertEqual(Path(path).read_bytes(), before)

    def test_somebodyElses(self) -> None:
        """
        A database of something else is refused, and left as it is.
        """
        path = self.path()
        self.execute(path, "CREATE TABLE t (a)")
        before = Path(path).read_bytes()
        self.assertRaises(StoreOpenError, self.open, path)
        self.assertEqual(Path(path).read_bytes(), before)
