"""
The store's end: hostile front ends, deadlines, fairness, what is freed.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import DeadlineExpired, StoreBusy, StoreUnavailable
from mailstore.ipc import messages as m
from mailstore.ipc.calls import wantedTerms
from mailstore.ipc.codec import Assembler, Fragments, Message, encode
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.messages import MAGIC, PROTOCOL_VERSION, Control, Hello, Kind
from mailstore.model import Criterion, SearchTerm
from tests.ipc.fakes import Collecting, Joined, Noting, allOf, joined
from transports.errors import ChannelClosed
from transports.interfaces import IChannel
from transports.limits import Limits

LIMITS = IpcLimits(poll_interval=0, max_calls=4, window=2)
HELLO = encode(Hello(MAGIC, PROTOCOL_VERSION, wantedTerms(LIMITS)))
SEARCH = encode(m.Asked(60.0, m.Search("ann", 1, SearchTerm(Criterion.ALL))))
RIGHTS = encode(m.Asked(60.0, m.Rights("ann", "x")))


async def firstOf(stream: AsyncGenerator[bytes, None]) -> bytes:
    """
    One batch.
    """
    return await anext(stream)


class Raw:
    """
    A front end that says what it likes.
    """

    def __init__(self, both: Joined, greet: bool = True) -> None:
        self.both = both
        self.receiver = Collecting()
        channels: list[IChannel] = []
        both.transport.connect(self.receiver).addCallback(channels.append)
        [self.channel] = channels
        if greet:
            self.say(Kind.HELLO, 0, HELLO)
            both.settle()
            self.receiver.messages.clear()

    def say(self, kind: int, call: int, body: bytes) -> None:
        fragments = Fragments(Message(kind, call, body), 1000)  # type: ignore[arg-type]
        while not fragments.done:
            self.channel.send(fragments.frame())
            fragments.advance()

    def heard(self) -> list[tuple[Kind, int, bytes]]:
        self.both.settle()
        assembler = Assembler(1 << 20)
        whole = [assembler.feed(each) for each in self.receiver.messages]
        self.receiver.messages.clear()
        return [(each.kind, each.call, each.body) for each in whole if each is not None]

    @property
    def cut(self) -> bool:
        self.both.settle()
        return bool(self.receiver.lost)


class HostileTests(SynchronousTestCase):
    """
    Front ends that break the protocol.
    """

    def setUp(self) -> None:
        self.both = joined(LIMITS)

    def assertCut(self, raw: Raw) -> None:
        """
        The channel was cut with one line in the log, and nobody else noticed.
        """
        self.assertTrue(raw.cut)
        self.assertEqual(len(raw.receiver.lost), 1)
        outcome = self.both.start(self.both.remote.rights("ann", "x"))
        self.both.settle()
        self.assertEqual(outcome.value, "lrs")
        self.assertEqual(len(self.both.server.front_ends), 1)

    def test_strangers(self) -> None:
        """
        Who does not greet in order is cut off.
        """
        for kind, body in (
            (Kind.HELLO, b"\xc1"),
            (Kind.HELLO, b"x" * 2000),
            (Kind.HELLO, encode(Hello("other", PROTOCOL_VERSION, wantedTerms(LIMITS)))),
            (Kind.HELLO, msgspec.msgpack.encode((MAGIC, 1, (0, 0, 0, 0, 0)))),
            (Kind.REQUEST, RIGHTS),
            (Kind.CONTROL, encode(Control())),
        ):
            raw = Raw(self.both, greet=False)
            raw.say(kind, 1, body)
            self.assertCut(raw)

    def test_silence(self) -> None:
        """
        Who does not greet at all is cut off in time.
        """
        raw = Raw(self.both, greet=False)
        self.assertFalse(raw.cut)
        self.both.clock.advance(60)
        self.assertCut(raw)

    def test_otherVersion(self) -> None:
        """
        Who speaks another version is told ours, and let go in order.
        """
        raw = Raw(self.both, greet=False)
        raw.say(Kind.HELLO, 0, encode(Hello(MAGIC, 99, wantedTerms(LIMITS))))
        [(kind, _, body)] = raw.heard()
        self.assertEqual((kind, msgspec.msgpack.decode(body)[0]), (Kind.WELCOME, PROTOCOL_VERSION))
        self.assertTrue(raw.cut)
        self.assertIsInstance(raw.receiver.lost[0].value, ChannelClosed)

    def test_nonsense(self) -> None:
        """
        Frames and bodies that mean nothing cut the channel.
        """
        for frame in (b"", b"\x03", b"\xff" * 20, b"\x03\0\0\0\0\1\xc1", b"\x04\0\0\0\0\0\xc1"):
            raw = Raw(self.both)
            raw.channel.send(frame)
            self.assertCut(raw)
        for kind in (Kind.HELLO, Kind.WELCOME, Kind.RESULT, Kind.BATCH, Kind.END, Kind.FAILED, Kind.CHANGED):
            raw = Raw(self.both)
            raw.say(kind, 1, RIGHTS)
            self.assertCut(raw)

    def test_tooManyCalls(self) -> None:
        """
        One request more than agreed cuts the channel; as many are served.
        """
        self.both.store.gate = Deferred()
        raw = Raw(self.both)
        for number in range(1, 5):
            raw.say(Kind.REQUEST, number, RIGHTS)
        self.assertFalse(raw.cut)
        self.both.store.gate = None
        raw.say(Kind.REQUEST, 5, RIGHTS)
        self.assertCut(raw)

    def test_numberInUse(self) -> None:
        """
        Two calls of one number cut the channel.
        """
        self.both.store.gate = Deferred()
        raw = Raw(self.both)
        raw.say(Kind.REQUEST, 1, RIGHTS)
        self.both.settle()
        self.both.store.gate = None
        raw.say(Kind.REQUEST, 1, RIGHTS)
        self.assertCut(raw)

    def test_tooMuchCredit(self) -> None:
        """
        Credit for what was never sent cuts the channel, and frees the iterator.
        """
        self.both.store.batches = [b"x"] * 10
        raw = Raw(self.both)
        raw.say(Kind.REQUEST, 1, SEARCH)
        self.assertEqual([kind for kind, _, _ in raw.heard()], [Kind.BATCH, Kind.BATCH])
        raw.say(Kind.CONTROL, 0, encode(Control(credits=((1, 3),))))
        self.assertCut(raw)
        self.assertEqual(self.both.store.freed, 1)

    def test_ownWindow(self) -> None:
        """
        A request can say that fewer batches may be in flight than was agreed, not more.
        """
        self.both.store.batches = [b"x"] * 10
        for number, (asked, sent) in enumerate(((1, 1), (2, 2), (1000, 2)), 1):
            raw = Raw(self.both)
            search = m.Asked(60.0, m.Search("ann", 1, SearchTerm(Criterion.ALL)), asked)
            raw.say(Kind.REQUEST, number, encode(search))
            self.assertEqual([kind for kind, _, _ in raw.heard()], [Kind.BATCH] * sent)

    def test_latecomers(self) -> None:
        """
        Word of calls and uploads that are over is no mistake.
        """
        raw = Raw(self.both)
        raw.say(Kind.CONTROL, 0, encode(Control(((9, 1),), (9,), (9,))))
        raw.say(Kind.REQUEST, 1, RIGHTS)
        self.assertEqual([kind for kind, _, _ in raw.heard()], [Kind.RESULT])

    def test_longMessage(self) -> None:
        """
        A request longer than agreed is never put together.
        """
        both = joined(IpcLimits(poll_interval=0, max_request=8192, inline_upload=0, upload_piece=10))
        raw = Raw(both)
        for _ in range(9):
            raw.channel.send(b"\x03\1\0\0\0\1" + b"x" * 1000)
        self.assertTrue(raw.cut)

    def test_foreignUploads(self) -> None:
        """
        Another channel's uploads cannot be named.
        """
        upload = self.both.start(self.both.remote.upload("ann", "x", 1 << 20))
        self.both.settle()
        self.assertTrue(upload.done)
        [token] = self.both.store.uploads
        raw = Raw(self.both)
        for number, name in enumerate((1, token), 1):
            raw.say(Kind.REQUEST, number, encode(m.Asked(60.0, m.WriteUpload(name, b"x"))))
            [(kind, _, body)] = raw.heard()
            self.assertEqual((kind, msgspec.msgpack.decode(body)[0]), (Kind.FAILED, "invalid-request"))

    def test_twoPiecesAtOnce(self) -> None:
        """
        A piece before the one before it was taken is refused; an upload that
        is thrown away while it is being written is, when that is over.
        """
        raw = Raw(self.both)
        raw.say(Kind.REQUEST, 1, encode(m.Asked(60.0, m.OpenUpload("ann", "x", 10, False))))
        self.both.settle()
        [upload] = self.both.store.uploads.values()
        gate: Deferred[None] = Deferred()
        upload.gate = gate
        for number in (2, 3):
            raw.say(Kind.REQUEST, number, encode(m.Asked(60.0, m.WriteUpload(1, b"x"))))
        self.assertEqual(
            [(kind, call) for kind, call, _ in raw.heard()], [(Kind.RESULT, 1), (Kind.FAILED, 3)]
        )
        raw.say(Kind.CONTROL, 0, encode(Control(discarded=(1,))))
        self.both.settle()
        self.assertEqual(upload.discarded, 0)
        gate.callback(None)
        self.both.settle()
        self.assertEqual(upload.discarded, 1)


class HostileStoreTests(SynchronousTestCase):
    """
    A peer that is no store, at the front end's side.
    """

    def test_nonsense(self) -> None:
        """
        What a store never sends cuts the channel, and fails what is in flight.
        """
        terms = wantedTerms(IpcLimits(window=1))
        for frames in (
            [b"\xff"],
            [b"\x03\0\0\0\0\0"],
            [b"\x05\0\0\0\0\x63\xc0"],
            [b"\x05\0\0\0\0\1\x05"],
            [b"\x06\0\0\0\0\1\xc4\0"],
            [b"\x07\0\0\0\0\1"],
            [b"\x08\0\0\0\0\1\xc0"],
            [b"\x09\0\0\0\0\0\xc0"],
            [b"\x06\0\0\0\0\2\x05"],
            [b"\x05\0\0\0\0\2\x05"],
        ):
            both = joined(IpcLimits(poll_interval=0, window=1), connect=False)
            link = both.connect()
            both.turn()
            link.messageReceived(b"\x02\0\0\0\0\0" + encode(m.Welcome(PROTOCOL_VERSION, terms)))
            outcomes = [
                both.start(both.remote.rights("ann", "x")),
                both.start(allOf(both.remote.search("ann", 1, SearchTerm(Criterion.ALL)))),
            ]
            for frame in frames:
                link.messageReceived(frame)
            self.assertTrue(link.lost, frames)
            self.assertFalse(both.remote.is_ready)
            self.assertEqual([each.error for each in outcomes], [StoreUnavailable] * 2, frames)

    def test_withoutCredit(self) -> None:
        """
        More batches than there was credit for cut the channel.
        """
        both = joined(IpcLimits(poll_interval=0, window=2), connect=False)
        link = both.connect()
        both.turn()
        welcome = m.Welcome(PROTOCOL_VERSION, wantedTerms(IpcLimits(window=2)))
        link.messageReceived(b"\x02\0\0\0\0\0" + encode(welcome))
        stream = both.remote.search("ann", 1, SearchTerm(Criterion.ALL))
        first = both.start(firstOf(stream))
        for lost in (False, False, False, True):
            link.messageReceived(b"\x06\0\0\0\0\1\xc4\1x")
            self.assertEqual(link.lost, lost)
        self.assertEqual(first.value, b"x")

    def test_badWelcome(self) -> None:
        """
        Terms that were not offered, another version, or no welcome: cut.
        """
        ours = wantedTerms(IpcLimits())
        for message in (
            (Kind.WELCOME, encode(m.Welcome(PROTOCOL_VERSION + 1, ours))),
            (
                Kind.WELCOME,
                encode(m.Welcome(PROTOCOL_VERSION, msgspec.structs.replace(ours, max_calls=1 << 30))),
            ),
            (Kind.CHANGED, encode(m.Changed(True))),
        ):
            both = joined(connect=False)
            link = both.connect()
            fragments = Fragments(Message(message[0], 0, message[1]), 1000)
            link.messageReceived(fragments.frame())
            self.assertTrue(link.lost)

    def test_noWelcome(self) -> None:
        """
        A store that never welcomes is left.
        """
        both = joined(connect=False)
        link = both.connect()
        both.clock.advance(62)
        self.assertTrue(link.lost)


class DeadlineTests(SynchronousTestCase):
    """
    Requests that come too late.
    """

    def test_expired(self) -> None:
        """
        What the store could not begin in time is not begun: here because
        answers wait for room.
        """
        limits = IpcLimits(poll_interval=0, max_backlog=1, deadline=10)
        both = joined(limits, Limits(block_size=64, capacity=4))
        both.store.answer = ("x" * 1000,)
        link = both.remote._link
        assert link is not None and link.channel is not None
        link.channel.pauseDelivery()
        outcomes = [both.start(both.remote.subscriptions("ann")) for _ in range(2)]
        both.settle()
        begun = list(both.store.begun)
        both.clock.advance(10.1)
        link.channel.resumeDelivery()
        both.settle()
        self.assertEqual((begun, both.store.begun), (["subscriptions"], ["subscriptions"]))
        self.assertEqual(outcomes[0].value, ("x" * 1000,))
        self.assertIs(outcomes[1].error, DeadlineExpired)


class FreeingTests(SynchronousTestCase):
    """
    What a lost front end leaves behind: nothing.
    """

    def test_everything(self) -> None:
        """
        Streams between two batches, requests under way, uploads and the
        observer are all given back.
        """
        both = joined(LIMITS)
        both.store.batches = [b"x"] * 10
        raw = Raw(both)
        raw.say(Kind.REQUEST, 1, SEARCH)
        raw.say(Kind.REQUEST, 2, encode(m.Asked(60.0, m.OpenUpload("ann", "x", 10, False))))
        both.settle()
        gate: Deferred[None] = Deferred()
        both.store.gate = gate
        raw.say(Kind.REQUEST, 3, RIGHTS)
        raw.say(Kind.REQUEST, 4, encode(m.Asked(60.0, m.OpenUpload("ann", "x", 10, False))))
        both.settle()
        self.assertEqual(len(both.store.observers), 2)
        raw.channel.abort()
        both.settle()
        self.assertEqual((both.store.freed, len(both.store.observers)), (1, 1))
        self.assertEqual([each.discarded for each in both.store.uploads.values()], [1])
        gate.callback(None)
        both.settle()
        self.assertEqual([each.discarded for each in both.store.uploads.values()], [1, 1])

    def test_tooManyFrontEnds(self) -> None:
        """
        One front end more than a store serves is turned away.
        """
        both = joined(IpcLimits(poll_interval=0, max_front_ends=1))
        raw = Raw(both, greet=False)
        self.assertTrue(raw.cut)

    def test_close(self) -> None:
        """
        A closing server closes its channels in order, and takes no more.
        """
        both = joined(LIMITS)
        closed = both.server.close()
        both.settle()
        self.successResultOf(closed)
        self.assertFalse(both.remote.is_ready)
        self.assertTrue(Raw(both, greet=False).cut)


class ChangeTests(SynchronousTestCase):
    """
    Word of changes, coalesced.
    """

    def test_coalesced(self) -> None:
        """
        While there is no room changes gather, each folder and user once.
        """
        both = joined(LIMITS, Limits(block_size=64, capacity=4))
        noting = Noting()
        both.remote.observe(noting)
        link = both.remote._link
        assert link is not None and link.channel is not None
        link.channel.pauseDelivery()
        [front_end] = both.server.front_ends
        for _ in range(100):
            front_end.folderChanged(1, "")
            front_end.folderChanged(2, "ann")
        both.settle()
        link.channel.resumeDelivery()
        both.settle()
        self.assertEqual(set(noting.told), {(1, ""), (2, "ann")})
        self.assertLess(len(noting.told), 12)

    def test_tooMany(self) -> None:
        """
        More changed folders than are kept become "everything".
        """
        both = joined(IpcLimits(poll_interval=0, max_dirty=3), Limits(block_size=64, capacity=4))
        noting = Noting()
        both.remote.observe(noting)
        [front_end] = both.server.front_ends
        for folder in range(1000):
            front_end.folderChanged(folder, "someone with a long name")
        both.settle()
        self.assertEqual(noting.told[-1], "everything")
        self.assertLess(len(noting.told), 20)

    def test_tooLong(self) -> None:
        """
        A word of changes longer than agreed becomes "everything".
        """
        both = joined(IpcLimits(poll_interval=0, max_reply=4096), Limits(block_size=64, capacity=4))
        noting = Noting()
        both.remote.observe(noting)
        [front_end] = both.server.front_ends
        for folder in range(500):
            front_end.folderChanged(folder, "someone with a long name")
        both.settle()
        self.assertEqual(noting.told[-1], "everything")

    def test_chores(self) -> None:
        """
        A store that has left something undone is given a moment for it again and again
        until it is done; when that fails it is tried again later.
        """
        both = joined(IpcLimits(poll_interval=2, chore_interval=0.5))
        answers: list[Any] = [True, True, False, StoreBusy("not now"), False]
        done: list[float] = []

        async def indexMore() -> bool:
            done.append(both.clock.seconds())
            answer = answers.pop(0) if answers else False
            if isinstance(answer, Exception):
                raise answer
            return bool(answer)

        both.store.indexMore = indexMore
        for _ in range(20):
            both.clock.advance(0.5)
            both.settle()
        self.assertEqual(done, [2.0, 2.5, 3.0, 5.0, 7.0, 9.0])

    def test_tidied(self) -> None:
        """
        So is a store that has left something behind, whether or not it has also something to index.
        """
        both = joined(IpcLimits(poll_interval=2, chore_interval=0.5))
        answers = {"tidyMore": [True, False, False], "indexMore": [False, True, False]}
        done: list[tuple[str, float]] = []

        def chore(name: str) -> Any:
            async def more() -> bool:
                done.append((name, both.clock.seconds()))
                return answers[name].pop(0) if answers[name] else False

            return more

        both.store.tidyMore, both.store.indexMore = chore("tidyMore"), chore("indexMore")
        for _ in range(10):
            both.clock.advance(0.5)
            both.settle()
        times = [2.0, 2.5, 3.0, 5.0]
        self.assertEqual(done, [(name, time) for time in times for name in ("tidyMore", "indexMore")])

    def test_poll(self) -> None:
        """
        The store is asked to look for changes from outside while there are
        front ends to tell.
        """
        both = joined(IpcLimits(poll_interval=2))
        both.clock.pump([1] * 11)
        self.assertEqual(both.store.polled, 5)
        both.remote.disconnect()
        both.settle()
        both.clock.pump([1] * 10)
        self.assertEqual(both.store.polled, 5)
        self.assertEqual(both.clock.getDelayedCalls(), [])
