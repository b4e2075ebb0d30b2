"""
Bringing messages in.
"""

from __future__ import annotations

from mailstore.errors import (
    InvalidRequest,
    LimitReached,
    MessageTooBig,
    NoSuchFolder,
    NotSelectable,
    PermissionDenied,
)
from mailstore.interfaces import IUpload
from mailstore.model import (
    MAX_KEYWORDS,
    FetchSpec,
    NewMessage,
    Section,
    UidSet,
    uint64s,
)
from mailstore.testing.storecases.base import EVERY, StoreCase, mail


class AppendTests(StoreCase):
    """
    C{append} with whole messages.
    """

    async def test_appendOne(self) -> None:
        """
        A message comes back byte for byte, with its flags and dates.
        """
        message = NewMessage(mail(), ("\\Flagged", "word"), 1_234_567_890, -210)
        result = await self.store.append("alice", "INBOX", (message,))
        opened = await self.opened("alice", "INBOX")
        self.assertEqual((result.uids, result.uid_validity), ((1,), opened.status.uid_validity))
        spec = FetchSpec(flags=True, internal_date=True, size=True, sections=(Section(),))
        row = (await self.fetched("alice", opened.folder, EVERY, spec))[1]
        self.assertEqual(list(uint64s(row.internal_dates)), [1_234_567_890])
        self.assertEqual(row.zones, (-210).to_bytes(2, "little", signed=True))
        self.assertEqual(list(uint64s(row.sizes)), [len(mail())])
        self.assertEqual(row.sections, ((mail(),),))
        self.assertEqual((await self.flags("alice", opened.folder))[1], {"\\Flagged", "word"})

    async def test_appendSeveral(self) -> None:
        """
        Several messages get UIDs in their order, also when they are the same.
        """
        uids = await self.append("alice", "INBOX", mail(1), mail(2), mail(1))
        self.assertEqual(uids, (1, 2, 3))
        opened = await self.opened("alice", "INBOX")
        for uid, number in zip(uids, (1, 2, 1), strict=True):
            self.assertEqual(await self.content("alice", opened.folder, uid), mail(number))

    async def test_appendNone(self) -> None:
        """
        No messages are no change.
        """
        before = await self.opened("alice", "INBOX")
        self.assertEqual((await self.store.append("alice", "INBOX", ())).uids, ())
        self.assertEqual(await self.opened("alice", "INBOX"), before)

    async def test_appendAny(self) -> None:
        """
        Anything is a message; what is served has CRLF line ends and no NUL, and
        its size is that of what is served.
        """
        cases = {
            b"": b"",
            b"\n": b"\r\n",
            b"a: b\n\nc": b"a: b\r\n\r\nc",
            b"a\r\nb\nc\rd\r\r\n": b"a\r\nb\r\nc\rd\r\r\n",
            b"x\0y": b"x\x80y",
            bytes(range(256)): bytes(range(256)).replace(b"\n", b"\r\n").replace(b"\0", b"\x80"),
        }
        uids = await self.append("alice", "INBOX", *cases)
        folder = (await self.opened("alice", "INBOX")).folder
        rows = await self.fetched("alice", folder, EVERY, FetchSpec(size=True, sections=(Section(),)))
        for uid, served in zip(uids, cases.values(), strict=True):
            self.assertEqual(rows[uid].sections, ((served,),))
            self.assertEqual(list(uint64s(rows[uid].sizes)), [len(served)])
            self.assertEqual(await self.content("alice", folder, uid), served)

    async def test_appendAllOrNone(self) -> None:
        """
        If one of the messages cannot be stored, none is.
        """
        too_many = tuple(f"k{number}" for number in range(MAX_KEYWORDS + 1))
        for bad, error in (
            (NewMessage(mail(), too_many), LimitReached),
            (NewMessage(mail(), ("k" * 65,)), LimitReached),
            (NewMessage(999_999), InvalidRequest),
            (NewMessage(mail(), (), 1, 10_000), InvalidRequest),
        ):
            await self.refused(error, self.store.append("alice", "INBOX", (NewMessage(mail(1)), bad)))
        opened = await self.opened("alice", "INBOX")
        self.assertEqual((opened.status.messages, opened.keywords), (0, ()))
        self.assertEqual(await self.append("alice", "INBOX", mail()), (1,))

    async def test_appendTooMany(self) -> None:
        """
        An append can bring so many messages at once.
        """
        messages = (NewMessage(mail()),) * (self.limits.max_append + 1)
        await self.refused(LimitReached, self.store.append("alice", "INBOX", messages))

    async def test_appendRefused(self) -> None:
        """
        It needs C{i} on a folder that there is and that holds messages.
        """
        name = await self.public("P")
        messages = (NewMessage(mail()),)
        await self.refused(PermissionDenied, self.store.append("bob", name, messages))
        await self.refused(NoSuchFolder, self.store.append("bob", "none", messages))
        await self.refused(NotSelectable, self.store.append("alice", "Public Folders", messages))


class UploadTests(StoreCase):
    """
    C{upload}, and C{append} with uploads.
    """

    async def _handedIn(self, data: bytes, piece: int = 50_000, size: int | None = None) -> IUpload:
        """
        Hand in C{data} in pieces.
        """
        upload = await self.store.upload("alice", "INBOX", len(data) if size is None else size)
        for at in range(0, len(data), piece):
            await upload.write(data[at : at + piece])
        return upload

    async def test_uploadOfAnySize(self) -> None:
        """
        A message whose size is not known before has as many bytes as have come, none as well, and no more
        than a message may have.
        """
        for pieces in ((), (b"a: b\r\n", b"\r\n", b"x" * 100_000)):
            upload = await self.store.upload("alice", "INBOX", None)
            for piece in pieces:
                await upload.write(piece)
            result = await self.store.append("alice", "INBOX", (NewMessage(upload.token),))
            folder = (await self.opened("alice", "INBOX")).folder
            self.assertEqual(await self.content("alice", folder, result.uids[0]), b"".join(pieces))
        upload = await self.store.upload("alice", "INBOX", None)
        for _ in range(8):
            await upload.write(bytes(self.limits.max_message // 8))
        await self.refused(MessageTooBig, upload.write(b"x"))
        upload.discard()
        await self.refused(NoSuchFolder, self.store.upload("alice", "none", None))

    async def test_uploadSizes(self) -> None:
        """
        Messages of sizes around those at which something is done otherwise come back as they were.
        """
        sizes = {0, 1, self.limits.upload_memory, self.limits.inline_section, 65536, 128 * 1024}
        messages = [
            (mail() + b"0123456789abcdef" * (size // 16 + 1))[: max(0, size + more)]
            for size in sorted(sizes)
            for more in (-1, 0, 1)
        ]
        folder = (await self.opened("alice", "INBOX")).folder
        for message in messages:
            upload = await self._handedIn(message)
            (uid,) = (await self.store.append("alice", "INBOX", (NewMessage(upload.token),))).uids
            self.assertEqual(await self.content("alice", folder, uid), message)

    async def test_uploadBig(self) -> None:
        """
        A message of more than 5 MB goes in and out in pieces, whether its line
        ends must be made CRLF or not.
        """
        line = b"All work and no play makes Jack a dull boy, said %06d times."
        lines = [line % number for number in range(90_000)]
        folder = (await self.opened("alice", "INBOX")).folder
        served = mail() + b"\r\n".join(lines)
        for message in (served, served.replace(b"\r\n", b"\n")):
            self.assertGreater(len(message), 5_000_000)
            upload = await self._handedIn(message, 60_001)
            (uid,) = (await self.store.append("alice", "INBOX", (NewMessage(upload.token),))).uids
            pieces = await self.all(self.store.readSection("alice", folder, uid, Section()))
            self.assertLessEqual(max(map(len, pieces)), self.limits.batch_bytes)
            self.assertEqual(b"".join(pieces), served)
            part = Section(partial=(3_000_000, 300_000))
            self.assertEqual(await self.content("alice", folder, uid, part), served[3_000_000:3_300_000])
            spec = FetchSpec(size=True, sections=(Section(), Section(partial=(4_000_000, 10))))
            row = (await self.fetched("alice", folder, UidSet(((uid, uid),)), spec))[uid]
            self.assertEqual(row.sections, ((len(served),), (served[4_000_000:4_000_010],)))

    async def test_uploadSeveral(self) -> None:
        """
        Uploads and whole messages can be stored together.
        """
        one, two = await self._handedIn(mail(1)), await self._handedIn(mail(3))
        messages = (NewMessage(one.token), NewMessage(mail(2)), NewMessage(two.token))
        uids = (await self.store.append("alice", "INBOX", messages)).uids
        folder = (await self.opened("alice", "INBOX")).folder
        self.assertEqual(
            [await self.content("alice", folder, uid) for uid in uids], [mail(1), mail(2), mail(3)]
        )

    async def test_uploadIncomplete(self) -> None:
        """
        An upload that lacks bytes cannot be stored, and is used up by the attempt.
        """
        upload = await self._handedIn(mail(), size=len(mail()) + 1)
        messages = (NewMessage(upload.token),)
        await self.refused(InvalidRequest, self.store.append("alice", "INBOX", messages))
        await self.refused(InvalidRequest, self.store.append("alice", "INBOX", messages))
        self.assertEqual((await self.store.status("alice", "INBOX")).messages, 0)

    async def test_uploadTooMuch(self) -> None:
        """
        An upload cannot have more bytes than were announced.
        """
        upload = await self.store.upload("alice", "INBOX", 10)
        await upload.write(b"0123456789")
        await self.refused(MessageTooBig, upload.write(b"x"))
        upload.discard()

    async def test_uploadTooBig(self) -> None:
        """
        More than the store accepts is refused when it is announced.
        """
        too_big = self.limits.max_message + 1
        self.assertEqual(await self.store.largestMessage(), self.limits.max_message)
        await self.refused(MessageTooBig, self.store.upload("alice", "INBOX", too_big))

    async def test_uploadDiscarded(self) -> None:
        """
        An upload that was thrown away cannot be stored; throwing it away again is nothing.
        """
        upload = await self._handedIn(mail())
        token = upload.token
        upload.discard()
        upload.discard()
        await self.refused(InvalidRequest, self.store.append("alice", "INBOX", (NewMessage(token),)))

    async def test_uploadOnce(self) -> None:
        """
        An upload can be stored once, and not twice in one append either.
        """
        upload = await self._handedIn(mail())
        messages = (NewMessage(upload.token),)
        await self.store.append("alice", "INBOX", messages)
        await self.refused(InvalidRequest, self.store.append("alice", "INBOX", messages))
        other = await self._handedIn(mail())
        await self.refused(
            InvalidRequest,
            self.store.append("alice", "INBOX", (NewMessage(other.token), NewMessage(other.token))),
        )
        upload.discard()

    async def test_uploadOfAnother(self) -> None:
        """
        Nobody can store what somebody else has handed in.
        """
        upload = await self._handedIn(mail())
        await self.refused(InvalidRequest, self.store.append("bob", "INBOX", (NewMessage(upload.token),)))
        self.assertEqual((await self.store.status("bob", "INBOX")).messages, 0)

    async def test_uploadUsedUpOnFailure(self) -> None:
        """
        A failed append uses its uploads up.
        """
        upload = await self._handedIn(mail())
        messages = (NewMessage(upload.token),)
        await self.refused(NoSuchFolder, self.store.append("alice", "none", messages))
        await self.refused(InvalidRequest, self.store.append("alice", "INBOX", messages))

    async def test_uploadTooManyAtOnce(self) -> None:
        """
        There can be so many uploads at once; each that ends makes room.
        """
        size = self.limits.max_message
        uploads = [await self.store.upload("alice", "INBOX", size) for _ in range(self.limits.max_uploads)]
        await self.refused(LimitReached, self.store.upload("bob", "INBOX", size))
        uploads.pop().discard()
        # Where the store is far away it hears of that after this request at the latest.
        await self.store.status("bob", "INBOX")
        uploads.append(await self.store.upload("bob", "INBOX", size))
        for upload in uploads:
            upload.discard()

    async def test_uploadRefused(self) -> None:
        """
        It needs C{i} on a folder that there is and that holds messages.
        """
        name = await self.public("P")
        await self.refused(PermissionDenied, self.store.upload("bob", name, 1))
        await self.refused(NoSuchFolder, self.store.upload("bob", "none", 1))
        await self.refused(NotSelectable, self.store.upload("bob", "Public Folders", 1))
