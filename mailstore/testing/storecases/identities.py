"""
What things are called for ever, and when they were saved.
"""

from __future__ import annotations

import re
import time

from mailstore.errors import InvalidRequest
from mailstore.model import (
    Criterion,
    FetchSpec,
    FlagMode,
    NewMessage,
    SearchTerm,
    StatusColumns,
    UidSet,
    uint64s,
)
from mailstore.testing.storecases.base import EVERY, StoreCase, mail

_ONE = UidSet(((1, 1),))

# RFC 8474 section 7: objectid = 1*255(ALPHA / DIGIT / "_" / "-")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")


class StatusesTests(StoreCase):
    """
    C{statuses}.
    """

    async def _statuses(self, user: str, *folders: int) -> list[tuple[object, ...]]:
        """
        Rows, in the order in which they come.
        """
        rows: list[tuple[object, ...]] = []
        for batch in await self.all(self.store.statuses(user, uint64s(folders).tobytes())):
            numbers = (
                list(uint64s(column))
                for column in (
                    batch.folders,
                    batch.messages,
                    batch.recent,
                    batch.unseen,
                    batch.deleted,
                    batch.size,
                    batch.uid_next,
                    batch.uid_validity,
                    batch.highest_modseq,
                )
            )
            rows += zip(*numbers, batch.mailbox_ids, batch.rights, strict=True)
        return rows

    async def _expected(self, user: str, name: str) -> tuple[object, ...]:
        """
        The row of a folder, by C{status} and C{rights}.
        """
        found = await self.store.status(user, name)
        return (
            found.folder,
            found.messages,
            found.recent,
            found.unseen,
            found.deleted,
            found.size,
            found.uid_next,
            found.uid_validity,
            found.highest_modseq,
            found.mailbox_id,
            await self.store.rights(user, name),
        )

    async def test_statusesRows(self) -> None:
        """
        They say of each folder what C{status} says, in the order asked for, each once.
        """
        public = await self.public("P")
        await self.append("alice", "INBOX", mail(1), mail(2), flags=("\\Seen", "\\Deleted"))
        await self.append("alice", public, mail(1), mail(2), mail(3))
        folder = (await self.opened("bob", public)).folder
        await self.store.storeFlags("bob", folder, _ONE, FlagMode.ADD, ("\\Seen",))
        inbox = (await self.opened("alice", "INBOX")).folder
        for user, names in (("alice", (public, "INBOX")), ("bob", (public,))):
            expected = [await self._expected(user, name) for name in names]
            self.assertEqual(await self._statuses(user, folder, inbox, folder), expected)
        self.assertEqual((await self._statuses("bob", folder))[0][3], 2)
        self.assertEqual((await self._statuses("alice", folder))[0][3], 3)

    async def test_statusesLeftOut(self) -> None:
        """
        Folders that there are not, that hold no messages, or that may not be read are left out.
        """
        public, hidden = await self.public("P"), await self.public("Hidden")
        await self.public("Node/Child")
        await self.admin.deleteFolder("#system", "Public Folders/Node")
        ids = [(await self.opened("alice", name)).folder for name in (public, hidden)]
        bobs = (await self.opened("bob", "INBOX")).folder
        await self.store.setRights("alice", hidden, "authenticated", "l")
        found = await self._statuses("bob", 0, 999_999, (1 << 64) - 1, 1 << 62, *ids, bobs)
        self.assertEqual([row[0] for row in found], [ids[0], bobs])
        every = await self._statuses("alice", *range(1, 30))
        self.assertEqual(len(every), 4)
        self.assertEqual(await self._statuses("alice"), [])
        self.assertEqual(await self._statuses("nobody", *ids), [])

    async def test_statusesRightsOnly(self) -> None:
        """
        Of what may be looked up but not read, the rights are told and nothing else; of what may not be
        looked up, nothing at all.
        """
        names = [await self.public(each) for each in ("Listed", "Hidden", "Open")]
        ids = [(await self.store.status("alice", name)).folder for name in names]
        await self.store.setRights("alice", names[0], "authenticated", "lp")
        await self.store.setRights("alice", names[1], "authenticated", "")
        (batch,) = await self.all(self.store.statuses("bob", uint64s((*ids, 999_999)).tobytes()))
        self.assertEqual(list(uint64s(batch.folders)), [ids[2]])
        self.assertEqual(list(uint64s(batch.unread)), [ids[0]])
        self.assertEqual(batch.unread_rights, (await self.store.rights("bob", names[0]),))

    async def test_statusesMany(self) -> None:
        """
        Those of many folders come in bounded batches.
        """
        names = [await self.public(f"{number:02}") for number in range(50)]
        ids = [(await self.store.status("alice", name)).folder for name in names]
        batches = await self.all(self.store.statuses("alice", uint64s(ids).tobytes()))
        self.assertGreater(len(batches), 1)
        for batch in batches:
            self.assertIs(type(batch), StatusColumns)
            self.assertLessEqual(len(batch.mailbox_ids) * 100, self.limits.batch_bytes)
        self.assertEqual([each for batch in batches for each in uint64s(batch.folders)], ids)

    async def test_statusesInvalid(self) -> None:
        """
        What is no column of identities is refused.
        """
        await self.refusedAnswer(InvalidRequest, self.store.statuses("alice", b"123"))


class IdentityTests(StoreCase):
    """
    Identities of folders, messages and conversations.
    """

    async def _ids(self, user: str, folder: int) -> list[tuple[str, str | None]]:
        """
        The email and thread identities of the messages in a folder.
        """
        rows = await self.fetched(user, folder, EVERY, FetchSpec(email_id=True, thread_id=True))
        return [(row.email_ids[0], row.thread_ids[0]) for row in rows.values()]

    async def test_identityFolder(self) -> None:
        """
        A folder's stays when it is renamed, and that of one that is gone never comes again.
        """
        await self.store.createFolder("alice", "One")
        await self.store.createFolder("alice", "Two")
        one = (await self.store.status("alice", "One")).mailbox_id
        two = (await self.store.status("alice", "Two")).mailbox_id
        inbox = (await self.opened("alice", "INBOX")).status.mailbox_id
        self.assertEqual(len({one, two, inbox}), 3)
        for each in (one, two, inbox):
            self.assertTrue(_OBJECT_ID.fullmatch(each), each)
        await self.store.renameFolder("alice", "One", "Deep/Three")
        self.assertEqual((await self.opened("alice", "Deep/Three")).status.mailbox_id, one)
        await self.store.deleteFolder("alice", "Two")
        await self.store.createFolder("alice", "Two")
        self.assertNotIn((await self.store.status("alice", "Two")).mailbox_id, (one, two, inbox))
        await self.store.renameFolder("alice", "INBOX", "Old")
        self.assertEqual((await self.store.status("alice", "INBOX")).mailbox_id, inbox)

    async def test_identityEmail(self) -> None:
        """
        Messages with the same bytes have the same one, wherever they are; others have others.
        """
        await self.append("alice", "INBOX", mail(1), mail(2), mail(1))
        await self.append("bob", "INBOX", mail(1))
        await self.store.createFolder("alice", "Box")
        inbox = (await self.opened("alice", "INBOX")).folder
        await self.store.copy("alice", inbox, _ONE, "Box")
        await self.store.move("alice", inbox, UidSet(((2, 2),)), "Box")
        there = [email for email, _ in await self._ids("alice", (await self.opened("alice", "Box")).folder)]
        here = [email for email, _ in await self._ids("alice", inbox)]
        bobs = [email for email, _ in await self._ids("bob", (await self.opened("bob", "INBOX")).folder)]
        self.assertEqual((here, bobs), ([there[0], there[0]], [there[0]]))
        self.assertNotEqual(there[0], there[1])
        self.assertTrue(all(_OBJECT_ID.fullmatch(each) for each in there))

    async def test_identityThread(self) -> None:
        """
        It is of the first message of them all; what says nothing has none.
        """
        heads = (
            b"Message-ID: <a@x>\r\n",
            b"Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\n",
            b"Message-ID: <c@x>\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <b@x>\r\n",
            b'References: <"a"@x> nonsense\r\n',
            b"Message-ID: <b@x>\r\n",
            b"Subject: nothing\r\n",
            b"Message-ID: nonsense\r\nReferences: <>\r\n",
        )
        await self.append("alice", "INBOX", *(head + b"\r\n" for head in heads))
        folder = (await self.opened("alice", "INBOX")).folder
        first, *answers, other, nothing, nonsense = [thread for _, thread in await self._ids("alice", folder)]
        self.assertEqual(answers, [first] * 3)
        self.assertTrue(first and other and _OBJECT_ID.fullmatch(first) and _OBJECT_ID.fullmatch(other))
        self.assertNotEqual(first, other)
        self.assertEqual((nothing, nonsense), (None, None))
        for thread, expected in ((first, [1, 2, 3, 4]), (other, [5]), ("Tnone", []), ("", [])):
            term = SearchTerm(Criterion.THREAD_ID, text=thread or "")
            self.assertEqual(await self.found("alice", folder, term), expected)

    async def test_identitySearch(self) -> None:
        """
        Messages are found by what they are called, in this spelling only.
        """
        await self.append("alice", "INBOX", mail(1), mail(2), mail(1))
        folder = (await self.opened("alice", "INBOX")).folder
        email = (await self._ids("alice", folder))[0][0]
        for text, expected in ((email, [1, 3]), (email[:-1], []), (email.swapcase(), []), ("", [])):
            term = SearchTerm(Criterion.EMAIL_ID, text=text)
            self.assertEqual(await self.found("alice", folder, term), expected)


class SaveDateTests(StoreCase):
    """
    When a message came into its folder.
    """

    async def _saved(self, name: str) -> list[int]:
        """
        The save dates in a folder of alice's.
        """
        folder = (await self.opened("alice", name)).folder
        spec = FetchSpec(save_date=True, internal_date=True)
        rows = await self.fetched("alice", folder, EVERY, spec)
        for row in rows.values():
            self.assertEqual(list(uint64s(row.internal_dates)), [1_000_000_000])
        return [uint64s(row.save_dates)[0] for row in rows.values()]

    async def test_saveDate(self) -> None:
        """
        It is the moment of append, copy or move, whatever the internal date is.
        """
        await self.store.createFolder("alice", "Box")
        times = [int(time.time())]
        await self.append("alice", "INBOX", mail(1), mail(2))
        inbox = (await self.opened("alice", "INBOX")).folder
        before = await self._saved("INBOX")
        await self.store.copy("alice", inbox, _ONE, "Box")
        self.assertEqual(await self._saved("INBOX"), before)
        await self.store.move("alice", inbox, _ONE, "Box")
        times += [*before, *await self._saved("Box"), int(time.time()) + 1]
        self.assertEqual(times, sorted(times))

    async def test_saveDateSearch(self) -> None:
        """
        Messages are found by the day on which they were saved, and by the moment at which they arrived.
        """
        today = int(time.time()) // 86400 + 719163
        messages = tuple(NewMessage(mail(each), (), 1_000_000_000 + each) for each in range(3))
        await self.store.append("alice", "INBOX", messages)
        folder = (await self.opened("alice", "INBOX")).folder
        for criterion, number, expected in (
            (Criterion.SAVED_BEFORE, today, []),
            (Criterion.SAVED_BEFORE, today + 2, [1, 2, 3]),
            (Criterion.SAVED_SINCE, today - 1, [1, 2, 3]),
            (Criterion.SAVED_SINCE, today + 2, []),
            (Criterion.SAVED_ON, today - 1, []),
            (Criterion.ARRIVED_BEFORE, 1_000_000_001, [1]),
            (Criterion.ARRIVED_SINCE, 1_000_000_001, [2, 3]),
            (Criterion.ARRIVED_SINCE, -1, [1, 2, 3]),
        ):
            term = SearchTerm(criterion, number=number)
            self.assertEqual(await self.found("alice", folder, term), expected, repr(term))
        on = [
            await self.found("alice", folder, SearchTerm(Criterion.SAVED_ON, number=day))
            for day in (today, today + 1)
        ]
        self.assertIn([1, 2, 3], on)
