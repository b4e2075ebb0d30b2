"""
Frames: there and back, in pieces, and from nobody's pen.
"""

from __future__ import annotations

import random

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from mailstore import model
from mailstore.ipc import messages as m
from mailstore.ipc.codec import (
    MAX_GREETING,
    Assembler,
    CannotEncode,
    CodecError,
    Decoder,
    Fragments,
    Message,
    QueueTooSmall,
    decodeAsked,
    encode,
    pieceSize,
)
from mailstore.ipc.messages import Kind
from mailstore.ipc.methods import METHODS
from transports.limits import Limits

UIDS = model.UidSet(((1, 5), (9, 4294967295)))
SECTION = model.Section(model.SectionKind.FIELDS, (1, 2), ("Subject", "Dáte"), (0, 100))
TERM = model.SearchTerm(
    model.Criterion.AND,
    (
        model.SearchTerm(model.Criterion.UID, uids=UIDS),
        model.SearchTerm(
            model.Criterion.NOT, (model.SearchTerm(model.Criterion.HEADER, field="x", text="é"),)
        ),
    ),
)

COLUMN = b"12345678"
STATUSES = model.StatusColumns(
    COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, COLUMN, b"", ("F1",), ("lr",)
)

#: One request of each kind.
REQUESTS: tuple[m.AnyRequest, ...] = (
    m.GetCredentials("ann"),
    m.CreateUser("ann", model.Credentials(b"salt", 4096, b"stored", b"server")),
    m.Enrol("é", 4096),
    m.ListUsers(),
    m.Trees("ann"),
    m.Folders("ann", model.TreeVersion("public", "7")),
    m.CreateFolder("ann", "Été", "\\Sent"),
    m.DeleteFolder("ann", "x"),
    m.RenameFolder("ann", "x", "y"),
    m.Status("ann", "x"),
    m.Subscriptions("ann"),
    m.Subscribe("ann", "x"),
    m.Unsubscribe("ann", "x"),
    m.Rights("ann", "x"),
    m.GetAcl("ann", "x"),
    m.Grantable("ann", "x", "-group:sales"),
    m.SetRights("ann", "x", "bob", "lrs", model.RightsMode.ADD),
    m.Statuses("ann", b"12345678"),
    m.QuotaRoots("ann", "x"),
    m.GetQuota("ann", "#public"),
    m.SetQuota("ann", "#public", (("STORAGE", 5),)),
    m.GetMetadata("ann", "", ("/shared/comment",), None, 5),
    m.Annotations("ann", b"12345678", ("/shared/comment",)),
    m.SetMetadata("ann", "x", {"/shared/comment": b"\0", "/private/comment": None}),
    m.Open("ann", "x", True),
    m.Changes("ann", 3, (1 << 63) - 1, False),
    m.AskNews(3, (model.Watcher("ann", (1 << 63) - 1, False), model.Watcher("b\u00e9a", 0, True))),
    m.Fetch("ann", 3, UIDS, model.FetchSpec(flags=True, renditions=("envelope",), sections=(SECTION,))),
    m.ReadSection("ann", 3, 9, SECTION),
    m.GetExpiry("ann", "x"),
    m.SetExpiry("ann", "x", model.Expiry(30, None)),
    m.Expiries("ann"),
    m.Addresses("ann"),
    m.AddAddress("ann", "x", "x@example.org"),
    m.RemoveAddress("ann", "x@example.org"),
    m.Offer(model.Recipient("é@example.org", "é", "x"), 5),
    m.OpenReceipt(5),
    m.Deliver((model.Recipient("a@example.org"),), b"\0\xff"),
    m.LargestMessage(),
    m.OpenUpload("ann", "x", -1, True),
    m.WriteUpload(4, bytes(range(256))),
    m.Append("ann", "x", (model.NewMessage(b"\0\xff", ("\\Seen",), 12, -90), model.NewMessage(4)), (7, 9)),
    m.StoreFlags("ann", 3, UIDS, model.FlagMode.REPLACE, ("\\Seen", "x"), None),
    m.Copy("ann", 3, UIDS, "y"),
    m.Move("ann", 3, UIDS, "y"),
    m.Expunge("ann", 3, None),
    m.Search("ann", 3, TERM),
    m.Sort("ann", 3, TERM, (model.SortKey(model.SortField.DATE, True),)),
    m.Threads("ann", 3, TERM, model.ThreadAlgorithm.REFERENCES),
)


class BodyTests(SynchronousTestCase):
    """
    Values to bodies and back.
    """

    def test_everyRequest(self) -> None:
        """
        Each kind of request comes back as it was, and has its row in the table.
        """
        self.assertEqual({type(each) for each in REQUESTS}, set(METHODS))
        for each in REQUESTS:
            asked = m.Asked(60.0, each)
            self.assertEqual(decodeAsked(encode(asked)), asked)

    def test_answers(self) -> None:
        """
        Answers come back as they were, empty columns and odd values too.
        """
        flags = model.FlagColumns(b"1234", b"12345678", b"12345678")
        status = model.FolderStatus(1, 2, 3, 4, 5, 6, 7, 8, 9)
        for request, value in (
            (m.GetCredentials, None),
            (m.GetCredentials, model.Credentials(b"s", 1, b"a", b"b")),
            (m.Folders, model.FolderColumns(("é", "b"), b"\0" * 16, ("", "\\Sent"), b"\1\0")),
            (m.Open, model.OpenFolder(1, "x", "lr", status, ("a",), UIDS, 0, 4)),
            (m.Changes, model.FolderDelta(9, UIDS, flags, (), 3)),
            (m.Fetch, model.FetchBatch(b"1234", sections=((b"x", None, 70000),), renditions=((b"",),))),
            (m.StoreFlags, model.FlagsStored(flags, model.UidSet(), ("k",))),
            (m.GetAcl, (("ann", "lrs"), ("anyone", ""))),
            (m.Grantable, ("", "lrs")),
            (m.Search, b""),
            (m.Statuses, STATUSES),
            (m.GetQuota, model.Quota("#public", (("STORAGE", 5, None), ("MESSAGE", 5, 6)))),
            (m.GetMetadata, model.Metadata((("/shared/x", b"\xff"),), 7)),
            (m.Annotations, (model.Annotated(3, (("/shared/x", b"\xff"),)), model.Annotated(4, ()))),
            (m.Expiries, (("Public Folders/x", model.Expiry(None, 5)),)),
            (m.Addresses, (("a@example.org", "Public Folders/x"),)),
            (m.Deliver, (model.Delivered(), model.Delivered("over-quota", "full"))),
            (m.Threads, model.ThreadColumns(b"1234", b"\0" * 4)),
            (m.Subscribe, None),
        ):
            self.assertEqual(METHODS[request].decode(encode(value)), value)

    def test_cannotEncode(self) -> None:
        """
        Values beyond what messages can carry are named as such.
        """
        for value in ("\udcff", 1 << 64, -(1 << 63) - 1):
            self.assertRaises(CannotEncode, encode, value)

    def test_wrongTypes(self) -> None:
        """
        A body of another shape, cut short, too long, nested without end or
        claiming more than it holds, is refused in one way.
        """
        good = encode(m.Asked(60.0, REQUESTS[-1]))
        deep = (
            b"\x92\xcb"
            + b"\0" * 8
            + b"\x94\xa6search\xa3ann\x03"
            + (b"\x82\xa9criterion\xa3not\xa5terms\x91" * 100_000)
        )
        hostile = [
            b"",
            b"\xc1",
            good + b"\0",
            deep,
            b"\xdd\xff\xff\xff\xff",
            b"\xdf\xff\xff\xff\xff",
            b"\xc6\xff\xff\xff\xff",
            msgspec.msgpack.encode((60.0, ("nonsense", "ann"))),
            msgspec.msgpack.encode((60.0, ("trees", 5))),
            msgspec.msgpack.encode((-1.0, ("trees", "ann"))),
            msgspec.msgpack.encode((float("nan"), ("trees", "ann"))),
            msgspec.msgpack.encode((60.0, ("expunge", "ann", 1, {"ranges": ((9, 1),)}))),
            msgspec.msgpack.encode((60.0, ("expunge", "ann", "1", None))),
            msgspec.msgpack.encode((60.0, ("trees", b"ann"))),
            b"\x92\xcb" + b"\0" * 8 + b"\x92\xa5trees\xa1\xff",
        ]
        hostile += [good[:length] for length in range(len(good))]
        for each in hostile:
            self.assertRaises(CodecError, decodeAsked, each)

    def test_random(self) -> None:
        """
        Whatever a body is made of, the outcome is a value or the one error.
        """
        source = random.Random(7)
        good = [encode(m.Asked(60.0, each)) for each in REQUESTS]
        for _ in range(3000):
            body = bytearray(source.choice(good))
            for _ in range(source.randrange(1, 4)):
                body[source.randrange(len(body))] = source.randrange(256)
            try:
                decodeAsked(bytes(body))
            except CodecError:
                pass

    def test_errorTellsNothing(self) -> None:
        """
        What was sent is not repeated.
        """
        error = self.assertRaises(CodecError, Decoder(int), encode("secret"))
        self.assertNotIn("secret", str(error))


class FrameTests(SynchronousTestCase):
    """
    Messages to frames and back.
    """

    def carry(self, message: Message, piece: int, bound: int = 1 << 20) -> list[Message]:
        fragments = Fragments(message, piece)
        assembler = Assembler(bound)
        found = []
        while not fragments.done:
            frame = fragments.frame()
            self.assertLessEqual(len(frame), piece + 6)
            self.assertEqual(frame, fragments.frame())
            fragments.advance()
            whole = assembler.feed(frame)
            if whole is not None:
                found.append(whole)
        self.assertEqual(assembler.held, 0)
        return found

    def test_allSizes(self) -> None:
        """
        Bodies of any length come through frames of any size.
        """
        for piece in (1, 2, 7, 10):
            for length in range(25):
                message = Message(Kind.BATCH, 4294967295, bytes(range(length)))
                self.assertEqual(self.carry(message, piece), [message])

    def test_bound(self) -> None:
        """
        A message may have as many bytes as the bound says, and no more, in one
        frame or in many.
        """
        for piece in (3, 100):
            self.assertEqual(len(self.carry(Message(Kind.RESULT, 1, b"x" * 10), piece, 10)), 1)
            self.assertRaises(CodecError, self.carry, Message(Kind.RESULT, 1, b"x" * 11), piece, 10)
        self.assertEqual(Assembler().bound, MAX_GREETING)

    def test_hostile(self) -> None:
        """
        Frames that are none, or not the one that must come now, are refused.
        """
        for frames in (
            [b""],
            [b"\x03\0\0\0\0"],
            [b"\x00\0\0\0\0\1"],
            [b"\x0a\0\0\0\0\1"],
            [b"\x03\2\0\0\0\1"],
            [b"\x03\1\0\0\0\1"],
            [b"\x03\1\0\0\0\1x", b"\x03\0\0\0\0\2x"],
            [b"\x03\1\0\0\0\1x", b"\x04\0\0\0\0\1x"],
            [b"\x03\1\0\0\0\1" + b"x" * 600, b"\x03\0\0\0\0\1" + b"x" * 600],
        ):
            assembler = Assembler()
            for frame in frames[:-1]:
                self.assertIsNone(assembler.feed(frame))
            self.assertRaises(CodecError, assembler.feed, frames[-1])

    def test_pieceSize(self) -> None:
        """
        A frame takes a quarter of a queue at most, always fits, and always
        carries something.
        """
        self.assertEqual(pieceSize(Limits(block_size=4096, capacity=4)) + 6 + 16, 4096)
        self.assertEqual(pieceSize(Limits(block_size=4096, capacity=1024)) + 6 + 16, 256 * 4096)
        for block_size in (32, 33, 47, 48, 64, 4096):
            for capacity in range(1, 20):
                limits = Limits(block_size=block_size, capacity=capacity)
                if limits.max_message < 32:
                    error = self.assertRaises(QueueTooSmall, pieceSize, limits)
                    self.assertIn("48 bytes", str(error))
                else:
                    self.assertGreaterEqual(pieceSize(limits), 10)
                    self.assertLessEqual(limits.blocksFor(pieceSize(limits) + 6), capacity)
