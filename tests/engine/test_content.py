"""
How the bytes of messages are kept.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from twisted.internet.defer import Deferred

from mailstore.engine import EngineLimits, Store
from mailstore.errors import StoreFault
from mailstore.model import FetchSpec, FlagMode, NewMessage, Section, SectionKind, UidSet
from mailstore.testing.storecases.base import mail
from tests.engine.enginecase import EngineCase

_ALL = UidSet(((1, 1000),))


class SharingTests(EngineCase):
    """
    Each distinct message is kept once, and as long as it is named or read.
    """

    def setUp(self) -> None:
        """
        A store with alice and a folder.
        """
        self.db_path = self.path()
        self.store = self.open(self.db_path)
        self.users(self.store, "alice")
        self.now(self.store.createFolder("alice", "Other"))
        self.inbox = self.now(self.store.openFolder("alice", "INBOX", False)).folder

    def _contents(self) -> list[tuple[int, ...]]:
        """
        References and chunks of each content.
        """
        for table, shift in (("chunks", 20), ("renditions", 4), ("texts", 0)):
            statement = f"SELECT count(*) FROM {table} WHERE id >> {shift} NOT IN (SELECT id FROM contents)"
            self.assertEqual(self.rows(self.db_path, statement), [(0,)])
        return self.rows(
            self.db_path,
            "SELECT refs, (SELECT count(*) FROM chunks WHERE chunks.id >> 20 = c.id)"
            " FROM contents c ORDER BY id",
        )

    def _expunge(self, folder: int, uids: UidSet = _ALL) -> None:
        """
        Remove messages, and let a change after that sweep.
        """
        self.now(self.store.storeFlags("alice", folder, uids, FlagMode.ADD, ("\\Deleted",)))
        self.now(self.store.expunge("alice", folder, uids))
        self.now(self.store.subscribe("alice", "x"))

    def test_once(self) -> None:
        """
        The same message is kept once, however often it arrives and is copied.
        """
        self.append(self.store, "alice", "INBOX", mail(1), mail(1), mail(2))
        self.append(self.store, "alice", "Other", mail(1))
        self.now(self.store.copy("alice", self.inbox, _ALL, "Other"))
        self.assertEqual(self._contents(), [(5, 1), (2, 1)])
        self.now(self.store.move("alice", self.inbox, _ALL, "Other"))
        self.assertEqual(self._contents(), [(5, 1), (2, 1)])

    def test_removed(self) -> None:
        """
        It goes with the last message that names it.
        """
        self.append(self.store, "alice", "INBOX", mail(1), mail(1), mail(2))
        self._expunge(self.inbox, UidSet(((1, 1), (3, 3))))
        self.assertEqual(self._contents(), [(1, 1)])
        self._expunge(self.inbox)
        self.assertEqual(self._contents(), [])

    def test_folderDeleted(self) -> None:
        """
        It goes with the folder, and with a folder that was renamed from INBOX.
        """
        self.append(self.store, "alice", "INBOX", mail(1), mail(2))
        self.now(self.store.copy("alice", self.inbox, UidSet(((1, 1),)), "Other"))
        self.now(self.store.renameFolder("alice", "INBOX", "Old"))
        self.assertEqual(self._contents(), [(2, 1), (1, 1)])
        self.now(self.store.deleteFolder("alice", "Old"))
        self.now(self.store.subscribe("alice", "x"))
        self.assertEqual(self._contents(), [(1, 1)])

    def test_leftOver(self) -> None:
        """
        What a store did not come to remove is removed when it is opened.
        """
        self.append(self.store, "alice", "INBOX", mail(1))
        self.now(self.store.storeFlags("alice", self.inbox, _ALL, FlagMode.ADD, ("\\Deleted",)))
        self.now(self.store.expunge("alice", self.inbox, None))
        self.now(self.store.close())
        self.assertEqual(self._contents(), [(0, 1)])
        self.open(self.db_path)
        self.assertEqual(self._contents(), [])

    def _reading(self, store: Store) -> AsyncGenerator[bytes, None]:
        """
        A message that is being read.
        """
        answer = store.readSection("alice", self.inbox, 1, Section())
        self.now(answer.__anext__())
        return answer

    def test_removedByAnother(self) -> None:
        """
        A message that another process removes for good while it is read breaks off; nothing
        of a message that came after it is given in its place.
        """
        self.append(self.store, "alice", "INBOX", mail(body="x" * 300_000))
        reading = self._reading(self.store)
        self.now(self.store.storeFlags("alice", self.inbox, _ALL, FlagMode.ADD, ("\\Deleted",)))
        self.now(self.store.expunge("alice", self.inbox, None))
        another = self.open(self.db_path)
        self.append(another, "alice", "INBOX", mail(body="y" * 300_000))

        async def rest() -> bytes:
            return b"".join([each async for each in reading])

        self.failureResultOf(Deferred.fromCoroutine(rest()), StoreFault)
        self.assertEqual(self._contents(), [(1, 3)])

    def test_pinned(self) -> None:
        """
        It stays while somebody reads it, and goes after that.
        """
        self.append(self.store, "alice", "INBOX", mail(body="x" * 300_000))
        one, two = self._reading(self.store), self._reading(self.store)
        self._expunge(self.inbox)
        self.assertEqual(self._contents(), [(0, 3)])
        self.now(one.aclose())
        self.now(self.store.subscribe("alice", "y"))
        self.assertEqual(self._contents(), [(0, 3)])
        self.all(two)
        self.now(self.store.subscribe("alice", "z"))
        self.assertEqual(self._contents(), [])

    def test_arrivesAgain(self) -> None:
        """
        A message that arrives again while its old content waits to go takes that over.
        """
        message = mail(body="x" * 300_000)
        self.append(self.store, "alice", "INBOX", message)
        answer = self._reading(self.store)
        self._expunge(self.inbox)
        self.append(self.store, "alice", "INBOX", message)
        self.all(answer)
        self.now(self.store.subscribe("alice", "y"))
        self.assertEqual(self._contents(), [(1, 3)])
        self.assertEqual(
            b"".join(self.all(self.store.readSection("alice", self.inbox, 2, Section()))), message
        )


class ServedTests(EngineCase):
    """
    Ranges of the served form across chunks.
    """

    def test_ranges(self) -> None:
        """
        Any range is right, also where line ends fall on the borders of chunks.
        """
        chunk = 128 * 1024
        store = self.open(limits=EngineLimits(batch_bytes=50_000, inline_section=10_000))
        self.users(store, "alice")
        header = b"A: b\r\n\r\n"
        for tail in (b"\r", b"\n", b"\r\n", b"x"):
            body = b"y" * (chunk - len(header) - 1) + tail + b"\nz\n" * 50_000
            message = header + body
            served = header + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            self.append(store, "alice", "INBOX", message)
            opened = self.now(store.openFolder("alice", "INBOX", False))
            uid = opened.status.uid_next - 1
            for start, size in (
                (0, len(served)),
                (chunk - 3, 7),
                (chunk - 1, 1),
                (chunk, 3),
                (2 * chunk - 1, 60_000),
            ):
                section = Section(partial=(start, size))
                found = b"".join(self.all(store.readSection("alice", opened.folder, uid, section)))
                self.assertEqual(found, served[start : start + size])

    def test_hugeHeader(self) -> None:
        """
        Of a header that is larger than what is looked into, fields are found in its beginning.
        """
        store = self.open()
        self.users(store, "alice")
        filler = b"".join(b"X-%06d: %080d\r\n" % (number, number) for number in range(20_000))
        self.append(store, "alice", "INBOX", b"Subject: s\r\n" + filler + b"Last: l\r\n\r\nbody")

        folder = self.now(store.openFolder("alice", "INBOX", False)).folder
        wanted = Section(SectionKind.FIELDS, fields=("subject", "last"))
        (batch,) = self.all(store.fetch("alice", folder, _ALL, FetchSpec(sections=(wanted,))))
        self.assertTrue(batch.sections[0][0].startswith(b"Subject: s\r\n"))  # type: ignore[union-attr]


class UploadTests(EngineCase):
    """
    Messages on their way in.
    """

    def test_bounded(self) -> None:
        """
        What is more than the bound of memory lies in a file, which goes when it is no longer needed.
        """
        store = self.open(limits=EngineLimits(upload_memory=1000))
        self.users(store, "alice")
        uploads = [self.now(store.upload("alice", "INBOX", 100_000)) for _ in range(3)]
        for upload in uploads:
            for _ in range(10):
                self.successResultOf(Deferred.fromCoroutine(upload.write(b"x" * 10_000)))  # type: ignore[arg-type]
        spools = [upload.spool for upload in uploads]  # type: ignore[attr-defined]
        self.assertTrue(all(spool._file is not None and not spool._pieces for spool in spools))
        self.now(store.append("alice", "INBOX", (NewMessage(uploads[0].token),)))
        uploads[1].discard()
        self.now(store.close())
        self.assertEqual([spool._file for spool in spools], [None] * 3)
