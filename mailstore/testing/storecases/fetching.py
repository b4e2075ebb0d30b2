"""
Reading messages.
"""

from __future__ import annotations

from mailstore.errors import InvalidRequest, NoSuchFolder
from mailstore.model import (
    FetchSpec,
    FlagMode,
    NewMessage,
    Section,
    SectionKind,
    UidSet,
    flagNames,
    uint32s,
    uint64s,
)
from mailstore.testing.storecases.base import EVERY, StoreCase, mail

_ONE = UidSet(((1, 1),))

#: A message whose parts are of every kind.
NESTED = b"""\
From: ann@example.org
To: bob@example.org,
 carol@example.org
Subject: nested
Content-Type: multipart/mixed; boundary=outer

before
--outer
Content-Type: text/plain
X-Part: one

first part
--outer
Content-Type: message/rfc822
X-Part: two

From: inner@example.org
Subject: inside
Content-Type: multipart/alternative; boundary=inner

--inner

plain
--inner
Content-Type: text/html

<p>html</p>
--inner--
--outer--
after
""".replace(b"\n", b"\r\n")


class FetchTests(StoreCase):
    """
    C{fetch}.
    """

    async def test_fetchColumns(self) -> None:
        """
        Each column is there when it was asked for, and empty when not.
        """
        opened = await self.filled("alice", "INBOX", 3)
        await self.store.storeFlags(
            "alice", opened.folder, UidSet(((2, 2),)), FlagMode.ADD, ("\\Seen", "word")
        )
        (nothing,) = await self.all(self.store.fetch("alice", opened.folder, EVERY, FetchSpec()))
        self.assertEqual(list(uint32s(nothing.uids)), [1, 2, 3])
        empty = (nothing.flags, nothing.modseqs, nothing.internal_dates, nothing.zones, nothing.sizes)
        self.assertEqual((set(empty), nothing.renditions, nothing.sections), ({b""}, (), ()))
        spec = FetchSpec(True, True, True, True, ("all", "first"), (Section(), Section(SectionKind.TEXT)))
        (batch,) = await self.all(self.store.fetch("alice", opened.folder, EVERY, spec))
        self.assertEqual(
            [flagNames(each, batch.keywords) for each in uint64s(batch.flags)], [(), ("\\Seen", "word"), ()]
        )
        first, second, third = uint64s(batch.modseqs)
        self.assertTrue(first <= third < second)
        self.assertEqual(list(uint64s(batch.internal_dates)), [1_000_000_000] * 3)
        self.assertEqual(batch.zones, bytes(6))
        messages = tuple(mail(number) for number in (1, 2, 3))
        self.assertEqual(list(uint64s(batch.sizes)), [len(each) for each in messages])
        self.assertEqual(batch.renditions, (messages, tuple(each[:10] for each in messages)))
        self.assertEqual(batch.sections, (messages, (b"a line\r\n",) * 3))

    async def test_fetchSome(self) -> None:
        """
        Only messages that were asked for and that exist come.
        """
        opened = await self.filled("alice", "INBOX", 10)
        await self.store.storeFlags("alice", opened.folder, UidSet(((4, 5),)), FlagMode.ADD, ("\\Deleted",))
        await self.store.expunge("alice", opened.folder, None)
        wanted = UidSet(((2, 2), (4, 4), (5, 7), (9, 9), (11, 20), (0xFFFFFFFF, 0xFFFFFFFF)))
        for spec in (FetchSpec(flags=True), FetchSpec(size=True), FetchSpec(sections=(Section(),))):
            self.assertEqual(list(await self.fetched("alice", opened.folder, wanted, spec)), [2, 6, 7, 9])
            self.assertEqual(await self.fetched("alice", opened.folder, UidSet(), spec), {})
            self.assertEqual(await self.fetched("alice", opened.folder, UidSet(((4, 5),)), spec), {})

    async def test_fetchMany(self) -> None:
        """
        2,500 messages come in several batches, in order, each once, for every kind of column.
        """
        count = 2500
        opened = await self.filled("alice", "INBOX", count)
        self.assertEqual(opened.uids, UidSet(((1, count),)))
        for spec in (
            FetchSpec(flags=True, modseq=True),
            FetchSpec(size=True, internal_date=True),
            FetchSpec(renditions=("all",)),
            FetchSpec(sections=(Section(SectionKind.FIELDS, fields=("Subject",)),)),
        ):
            batches = await self.all(self.store.fetch("alice", opened.folder, EVERY, spec))
            self.assertGreater(len(batches), count // self.limits.batch_rows)
            self.assertEqual(
                [uid for each in batches for uid in uint32s(each.uids)], list(range(1, count + 1))
            )
            self.assertLessEqual(max(len(uint32s(each.uids)) for each in batches), self.limits.batch_rows)
        subjects = [value for each in batches for value in each.sections[0]]
        self.assertEqual(subjects[::500], [b"Subject: number %d\r\n\r\n" % (1 + 500 * at) for at in range(5)])
        scattered = UidSet.of(range(1, count, 3))
        rows = await self.fetched("alice", opened.folder, scattered, FetchSpec(renditions=("all",)))
        self.assertEqual(list(rows), list(scattered))
        self.assertEqual(rows[2497].renditions, ((mail(2497),),))

    async def test_fetchBatchBytes(self) -> None:
        """
        A batch holds about so many bytes, and at least one message.
        """
        bound = self.limits.batch_bytes
        big = mail(body="x" * (bound // 3) + "\r\n")
        huge = mail(body="y" * (2 * bound) + "\r\n")
        await self.append("alice", "INBOX", big, big, big, big, huge, huge, big)
        folder = (await self.opened("alice", "INBOX")).folder
        for spec in (FetchSpec(renditions=("all",)), FetchSpec(sections=(Section(),))):
            batches = await self.all(self.store.fetch("alice", folder, EVERY, spec))
            self.assertEqual([uid for each in batches for uid in uint32s(each.uids)], list(range(1, 8)))
            for batch in batches:
                columns = batch.renditions or batch.sections
                values = [len(each) for each in columns[0] if isinstance(each, bytes)]
                self.assertTrue(len(values) == 1 or sum(values) <= bound)

    async def test_fetchInlineBound(self) -> None:
        """
        A section of as many bytes as the bound is given; of one more only
        its size is told, and it can be read on its own.
        """
        bound = self.limits.inline_section
        header = b"A: b\r\n\r\n"
        bodies = [b"z" * (bound + more) for more in (-1, 0, 1)]
        await self.append("alice", "INBOX", *(header + each for each in bodies))
        folder = (await self.opened("alice", "INBOX")).folder
        text = Section(SectionKind.TEXT)
        rows = await self.fetched("alice", folder, EVERY, FetchSpec(sections=(text,)))
        self.assertEqual([rows[uid].sections[0][0] for uid in (1, 2, 3)], [bodies[0], bodies[1], bound + 1])
        self.assertEqual(await self.content("alice", folder, 3, text), bodies[2])
        piece = Section(SectionKind.TEXT, partial=(1, bound))
        rows = await self.fetched("alice", folder, EVERY, FetchSpec(sections=(piece,)))
        self.assertEqual(rows[3].sections[0][0], bodies[2][1:])

    async def test_fetchUnknownRendition(self) -> None:
        """
        A rendition that there is not is refused, whether there are messages or not.
        """
        folder = (await self.opened("alice", "INBOX")).folder
        spec = FetchSpec(renditions=("all", "none"))
        await self.refusedAnswer(InvalidRequest, self.store.fetch("alice", folder, EVERY, spec))

    async def test_fetchNoSuchFolder(self) -> None:
        """
        A folder that there is not is refused, as is somebody else's.
        """
        bobs = (await self.opened("bob", "INBOX")).folder
        for folder in (0, -1, 999_999, 1 << 62, bobs):
            await self.refusedAnswer(NoSuchFolder, self.store.fetch("alice", folder, EVERY, FetchSpec()))

    async def test_fetchExpungedMeanwhile(self) -> None:
        """
        Messages that go between two batches are left out, and nothing else is lost.
        """
        rows = self.limits.batch_rows
        opened = await self.filled("alice", "INBOX", 3 * rows)
        gone = UidSet(((1, 10), (2 * rows, 2 * rows + 9)))
        await self.store.storeFlags("alice", opened.folder, gone, FlagMode.ADD, ("\\Deleted",))
        answer = self.store.fetch("alice", opened.folder, EVERY, FetchSpec(size=True))
        seen = list(uint32s((await answer.__anext__()).uids))
        self.assertEqual(seen, list(range(1, len(seen) + 1)))
        await self.store.expunge("alice", opened.folder, None)
        async for batch in answer:
            seen += uint32s(batch.uids)
        self.assertEqual(seen, sorted(set(seen)))
        missing = set(range(1, 3 * rows + 1)) - set(seen)
        self.assertTrue(all(uid in gone for uid in missing))

    async def test_fetchLeftEarly(self) -> None:
        """
        An answer can be left after any batch, and the next request is answered.
        """
        opened = await self.filled("alice", "INBOX", 3 * self.limits.batch_rows)
        for _ in range(3):
            answer = self.store.fetch("alice", opened.folder, EVERY, FetchSpec(renditions=("all",)))
            await answer.__anext__()
            await answer.aclose()
        rows = await self.fetched("alice", opened.folder, _ONE, FetchSpec(renditions=("all",)))
        self.assertEqual(rows[1].renditions, ((mail(1),),))

    async def test_fetchDeletedMeanwhile(self) -> None:
        """
        When the folder goes between two batches, that is told.
        """
        await self.store.createFolder("alice", "Going")
        opened = await self.filled("alice", "Going", 20 * self.limits.batch_rows // 4)
        answer = self.store.fetch("alice", opened.folder, EVERY, FetchSpec(renditions=("all",)))
        await answer.__anext__()
        await self.store.deleteFolder("alice", "Going")
        await self.refusedAnswer(NoSuchFolder, answer)


class SectionTests(StoreCase):
    """
    Sections, in batches and on their own.
    """

    async def _sectionOf(self, message: bytes, section: Section) -> bytes | int | None:
        """
        What a section of a message is, the same in both ways of reading it.
        """
        (uid,) = await self.append("alice", "INBOX", message)
        folder = (await self.opened("alice", "INBOX")).folder
        uids = UidSet(((uid, uid),))
        rows = await self.fetched("alice", folder, uids, FetchSpec(sections=(section,)))
        value = rows[uid].sections[0][0]
        if value is None:
            await self.refusedAnswer(InvalidRequest, self.store.readSection("alice", folder, uid, section))
        else:
            self.assertEqual(await self.content("alice", folder, uid, section), value)
        return value

    async def test_sections(self) -> None:
        """
        Every kind of section is the right range of bytes, however the message came.
        """
        kind = SectionKind
        head, _, body = NESTED.partition(b"\r\n\r\n")
        inner_start, inner_end = NESTED.index(b"From: inner"), NESTED.index(b"\r\n--outer--")
        inner = NESTED[inner_start:inner_end]
        cases: list[tuple[Section, bytes | None]] = [
            (Section(), NESTED),
            (Section(kind.HEADER), head + b"\r\n\r\n"),
            (Section(kind.TEXT), body),
            (Section(kind.FIELDS, fields=("SUBJECT", "x")), b"Subject: nested\r\n\r\n"),
            (
                Section(kind.FIELDS, fields=("To",)),
                b"To: bob@example.org,\r\n carol@example.org\r\n\r\n",
            ),
            (
                Section(kind.FIELDS_NOT, fields=("content-type", "To", "from")),
                b"Subject: nested\r\n\r\n",
            ),
            (Section(part=(1,)), b"first part"),
            (Section(kind.MIME, (1,)), b"Content-Type: text/plain\r\nX-Part: one\r\n\r\n"),
            (Section(kind.HEADER, (1,)), None),
            (Section(part=(2,)), inner),
            (Section(kind.FIELDS, (2,), ("Subject",)), b"Subject: inside\r\n\r\n"),
            (Section(part=(2, 1)), b"plain"),
            (Section(part=(2, 2)), b"<p>html</p>"),
            (Section(kind.MIME, (2, 2)), b"Content-Type: text/html\r\n\r\n"),
            (Section(part=(3,)), None),
            (Section(part=(2, 3)), None),
            (Section(part=(1, 2)), None),
            (Section(part=(0,)), None),
        ]
        for message in (NESTED, NESTED.replace(b"\r\n", b"\n")):
            for section, expected in cases:
                self.assertEqual(await self._sectionOf(message, section), expected, repr(section))

    async def test_sectionPartial(self) -> None:
        """
        A partial section is cut after everything else; beyond the end there is nothing.
        """
        message = mail(body="0123456789")
        text, subject = SectionKind.TEXT, ("subject",)
        for section, expected in (
            (Section(text, partial=(0, 4)), b"0123"),
            (Section(text, partial=(8, 100)), b"89"),
            (Section(text, partial=(10, 1)), b""),
            (Section(text, partial=(1 << 40, 1 << 40)), b""),
            (Section(text, partial=(3, 0)), b""),
            (Section(SectionKind.FIELDS, fields=subject, partial=(1, 6)), b"ubject"),
            (Section(SectionKind.FIELDS, fields=subject, partial=(500, 6)), b""),
        ):
            self.assertEqual(await self._sectionOf(message, section), expected, repr(section))

    async def test_sectionPartOne(self) -> None:
        """
        Part 1 of a message that is no multipart is its body.
        """
        self.assertEqual(await self._sectionOf(mail(), Section(part=(1,))), b"a line\r\n")

    async def test_sectionNoSuchMessage(self) -> None:
        """
        A message that there is not cannot be read.
        """
        folder = (await self.opened("alice", "INBOX")).folder
        await self.refusedAnswer(InvalidRequest, self.store.readSection("alice", folder, 1, Section()))
        await self.refusedAnswer(NoSuchFolder, self.store.readSection("alice", 999_999, 1, Section()))

    async def test_sectionExpungedMeanwhile(self) -> None:
        """
        What was begun to be read can be read to the end, although the message goes.
        """
        message = mail(body="0123456789abcdef" * 40_000)
        upload = await self.store.upload("alice", "INBOX", len(message))
        for at in range(0, len(message), 50_000):
            await upload.write(message[at : at + 50_000])
        await self.store.append("alice", "INBOX", (NewMessage(upload.token, ("\\Deleted",)),))
        folder = (await self.opened("alice", "INBOX")).folder
        answer = self.store.readSection("alice", folder, 1, Section())
        pieces = [await answer.__anext__()]
        await self.store.expunge("alice", folder, None)
        await self.append("alice", "INBOX", mail(2), flags=("\\Deleted",))
        await self.store.expunge("alice", folder, None)
        pieces += await self.all(answer)
        self.assertEqual(b"".join(pieces), message)

    async def test_sectionLeftEarly(self) -> None:
        """
        A reading can be left after any piece.
        """
        message = mail(body="0123456789abcdef" * 10_000)
        await self.append("alice", "INBOX", message)
        folder = (await self.opened("alice", "INBOX")).folder
        for _ in range(3):
            answer = self.store.readSection("alice", folder, 1, Section())
            self.assertTrue(message.startswith(await answer.__anext__()))
            await answer.aclose()
        self.assertEqual(await self.content("alice", folder, 1), message)
