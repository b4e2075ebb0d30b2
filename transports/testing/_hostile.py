# mypy: allow-untyped-calls
"""
The checks against a peer that breaks the protocol.

The peer is yours to write, because it speaks your transport's protocol by hand:
a L{HostilePeer} commits one L{Offence} when it is told to.  What must come of
it is the same for every transport, and is here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

import attrs
from twisted.internet.defer import Deferred

from transports.errors import CannotConnect, ChannelClosed, ChannelCorrupt, LimitsMismatch, PeerLost
from transports.interfaces import IChannel, ITransport
from transports.testing._harness import LIMITS, ConformanceBase, Pair, Place, Recorder
from transports.testing._leaks import Holdings, usePrivateDirectory


class Offence(Enum):
    """
    What a peer can do wrong.
    """

    # While a channel is being opened.

    #: It speaks another protocol.
    MAGIC = "bad magic"
    #: It speaks another version of the protocol.
    VERSION = "bad version"
    #: It has other limits.
    LIMITS = "other limits"
    #: It has limits that nobody can have.
    IMPOSSIBLE_LIMITS = "impossible limits"
    #: A listener answers an opening that was not ours.
    EPOCH = "bad epoch"
    #: It says nothing at all.
    SILENCE = "silence"
    #: It says half of its opening, and then nothing.
    STOPS = "half an opening"
    #: It hangs up in the midst of its opening.
    HANGS_UP = "hangs up"

    # On an open channel.

    #: A message is said to be longer than it is, or than can be.
    LENGTH = "bad length"
    #: It gives back blocks that it never had.
    OVER_CREDIT = "over-credit"
    #: It sends more than there is room for.
    OVER_PUBLISH = "over-publish"
    #: What it sends is no part of any protocol.
    GARBAGE = "garbage"
    #: It sends a message after it has said that none would follow.
    AFTER_CLOSE = "a message after its close"

    # Where memory is shared.

    #: A record has not the number that is due.
    SEQUENCE = "bad sequence"
    #: A record has a checksum that is not its own.
    CHECKSUM = "bad checksum"
    #: It cuts off the memory that it shares.
    TRUNCATES = "truncated memory"
    #: It changes what it had sent, after that was read.
    OVERWRITES = "changed data"
    #: Descriptors come when there is no place for them.
    LATE_DESCRIPTORS = "late descriptors"
    #: Its opening comes without descriptors.
    NO_DESCRIPTORS = "no descriptors"
    #: Its opening comes with some, but not all.
    FEW_DESCRIPTORS = "too few descriptors"
    #: Its opening comes with more than there should be.
    MANY_DESCRIPTORS = "too many descriptors"
    #: Its descriptors are not what they should be.
    WRONG_DESCRIPTORS = "wrong descriptors"
    #: Its doorbells are not what they should be.
    WRONG_DOORBELLS = "wrong doorbells"
    #: Its memory is smaller than was agreed.
    SMALL_MEMORY = "small memory"
    #: Nothing keeps it from cutting off its memory.
    UNSEALED_MEMORY = "unsealed memory"
    #: Its memory does not say what it must.
    MEMORY_MAGIC = "memory with bad magic"
    #: Its memory is of another version.
    MEMORY_VERSION = "memory with bad version"
    #: Its memory belongs to another channel.
    MEMORY_EPOCH = "memory with bad epoch"


class HostilePeer:
    """
    Speaks a transport's protocol by hand, rightly or wrongly.

    It runs in the same process, and waits for things with
    L{ConformanceBase.waitFor}.
    """

    #: For each offence a regular expression that must be found in what the
    #: victim is told; it says what was wrong.
    says: ClassVar[Mapping[Offence, str]] = {}

    #: Offences that make no difference, with the reason; the checks see to it
    #: that they make none.
    harmless: ClassVar[Mapping[Offence, str]] = {}

    async def connect(self, offence: Offence | None = None) -> None:
        """
        Connect to where the victim listens and open a channel, rightly or with
        an offence in the opening.
        """
        raise NotImplementedError

    async def hungUp(self) -> None:
        """
        Wait until the victim has hung up, then close everything.
        """
        raise NotImplementedError

    async def send(self, message: bytes) -> None:
        """
        Send a message as it should be sent.
        """
        raise NotImplementedError

    async def commit(self, offence: Offence) -> None:
        """
        Commit an offence on the open channel.
        """
        raise NotImplementedError

    async def listen(self, offence: Offence) -> None:
        """
        Listen where the victim, at whose place nobody listens yet, will connect
        to, and answer its opening with an offence.
        """
        raise NotImplementedError


@attrs.frozen
class Victim:
    """
    The end that keeps the protocol, of a channel to one that does not.
    """

    channel: IChannel
    recorder: Recorder

    def look(self) -> None:
        """
        Ask for the figures.
        """
        self.channel.statistics()


class HostileTests(ConformanceBase):
    """
    A peer that breaks the protocol costs its own channel and nothing else: it
    is told once what was wrong, the process lives, other channels go on, and
    nothing that was delivered was altered.
    """

    def makeHostilePeer(self, transport: ITransport) -> HostilePeer:
        """
        Make a peer for the transport that is its victim.
        """
        raise NotImplementedError

    # At the opening

    async def test_badMagic(self) -> None:
        """
        Who speaks another protocol is hung up on.
        """
        await self.assertRefused(Offence.MAGIC)

    async def test_badVersion(self) -> None:
        """
        Who speaks another version of the protocol is hung up on.
        """
        await self.assertRefused(Offence.VERSION)

    async def test_badLimits(self) -> None:
        """
        Who has other limits, or limits that nobody can have, is hung up on.
        """
        await self.assertRefused(Offence.LIMITS)
        await self.assertRefused(Offence.IMPOSSIBLE_LIMITS)

    async def test_hangsUpAtBind(self) -> None:
        """
        Who hangs up in the midst of the opening has opened nothing.
        """
        await self.assertRefused(Offence.HANGS_UP)

    async def test_silenceAtBind(self) -> None:
        """
        Who says nothing holds up nobody, and is hung up on in the end.
        """
        await self.assertRefused(Offence.SILENCE)

    async def test_stopListeningEndsOpenings(self) -> None:
        """
        Who is in the midst of the opening when nobody listens any more is hung
        up on, without delay.
        """
        place, well = await self.openWell()
        peer = self.makeHostilePeer(place.transport)
        await peer.connect(Offence.STOPS)
        await self.settle()
        began = time.monotonic()
        await place.stop()
        await peer.hungUp()
        self.assertLess(time.monotonic() - began, 1.0)
        self.assertEqual(place.pending, 0)
        self.assertEqual(well.left.recorder.losses, [])

    async def test_badMagicOfAListener(self) -> None:
        """
        A listener that speaks another protocol is nobody to connect to.
        """
        await self.assertCannotConnect(Offence.MAGIC)

    async def test_badVersionOfAListener(self) -> None:
        """
        A listener that speaks another version is nobody to connect to.
        """
        await self.assertCannotConnect(Offence.VERSION)

    async def test_badEpoch(self) -> None:
        """
        A listener that answers an opening that was not ours is nobody to
        connect to.
        """
        await self.assertCannotConnect(Offence.EPOCH)

    async def test_badLimitsOfAListener(self) -> None:
        """
        A listener with other limits is told apart from other failures.
        """
        await self.assertCannotConnect(Offence.LIMITS, LimitsMismatch)

    async def test_hangingUpOfAListener(self) -> None:
        """
        A listener that hangs up in the midst of its answer is nobody to connect to.
        """
        await self.assertCannotConnect(Offence.HANGS_UP)

    # On an open channel

    async def test_badLength(self) -> None:
        """
        A message whose length cannot be ends the channel.
        """
        await self.assertCorrupt(Offence.LENGTH)

    async def test_overCredit(self) -> None:
        """
        Giving back blocks that were not allocated ends the channel.
        """
        await self.assertCorrupt(Offence.OVER_CREDIT)

    async def test_overPublish(self) -> None:
        """
        Sending more than the queue has room for ends the channel, whatever the
        receiver is doing.
        """
        await self.assertCorrupt(Offence.OVER_PUBLISH)
        await self.assertCorrupt(Offence.OVER_PUBLISH, paused=True)

    async def test_garbage(self) -> None:
        """
        What is no part of the protocol ends the channel.
        """
        await self.assertCorrupt(Offence.GARBAGE)

    async def test_messageAfterClose(self) -> None:
        """
        A message after the announcement that none will follow ends the channel.
        """
        await self.assertCorrupt(Offence.AFTER_CLOSE)

    # What all of these come to

    async def openWell(self) -> tuple[Place, Pair]:
        """
        Listen, and open a channel of two ends that keep the protocol.
        """
        usePrivateDirectory(self)
        place = Place(self, self.makeTransport(LIMITS))
        await place.listen()
        return place, await self.openAt(place)

    async def assertWell(self, pair: Pair) -> None:
        """
        This channel works, and another one can be opened.
        """
        for each in (pair, await self.openAt(pair.place)):
            each.left.messages.clear()
            each.right.messages.clear()
            each.left.send(b"from the left")
            each.right.send(b"from the right")
            await self.drain(each)
            self.assertEqual(each.right.messages, [b"from the left"])
            self.assertEqual(each.left.messages, [b"from the right"])
            self.assertEqual((each.left.recorder.losses, each.right.recorder.losses), ([], []))
        await each.end()

    async def assertRefused(self, offence: Offence) -> None:
        """
        Who commits this while connecting is hung up on; nobody else is
        concerned, and nothing is left of it.
        """
        place, well = await self.openWell()
        await self.assertWell(well)
        before = Holdings.now()
        for _ in range(3):
            peer = self.makeHostilePeer(place.transport)
            await peer.connect(offence)
            if offence in peer.harmless:
                victim = Victim(*await place.accepted())
                await self._goesOn(peer, victim, [])
                victim.channel.abort()
            elif offence is Offence.SILENCE:
                await self.assertWell(well)
            await peer.hungUp()
            self.assertEqual(place.pending, 0, "a channel was made of it")
        await self.waitFor(lambda: Holdings.now() == before, "what was opened to be given back")
        await self.assertWell(well)

    async def assertCannotConnect(
        self, offence: Offence, error: type[CannotConnect] | type[LimitsMismatch] = CannotConnect
    ) -> None:
        """
        Connecting to a listener that commits this fails, and says why.
        """
        transport = self.makeTransport(LIMITS)
        peer = self.makeHostilePeer(transport)
        await peer.listen(offence)
        recorder = Recorder()
        failure = await self.assertFailure(transport.connect(recorder), error)
        self.assertRegex(str(failure), peer.says[offence])
        await peer.hungUp()
        self.assertEqual((recorder.messages, recorder.losses), ([], []))

    async def assertCorrupt(self, offence: Offence, paused: bool = False) -> None:
        """
        Who commits this on an open channel loses it, and nothing else happens.

        @param paused: whether the victim delivers nothing meanwhile.
        """
        place, well = await self.openWell()
        peer = self.makeHostilePeer(place.transport)
        await peer.connect()
        victim = Victim(*await place.accepted())
        victim.channel.resumeDelivery()
        sent = [b"first", b"s" * (LIMITS.block_size * 2), b""]
        for message in sent:
            await peer.send(message)
        await self.waitFor(lambda: len(victim.recorder.messages) == len(sent), "what was sent rightly")
        if paused:
            victim.channel.pauseDelivery()
        if offence in peer.harmless:
            await peer.commit(offence)
            await self._goesOn(peer, victim, sent)
            victim.channel.abort()
            await peer.hungUp()
            return
        waiter: Deferred[None] | None = None
        if offence is not Offence.OVER_CREDIT:
            for _ in range(LIMITS.capacity):
                victim.channel.send(b"never handled")
            waiter = victim.channel.whenFree(1)
        await peer.commit(offence)
        # A sender may look at what was given back only when it needs it, or is asked.
        await self.waitFor(
            lambda: bool(victim.recorder.losses),
            f"the end of the channel after {offence.value}",
            victim.look,
        )
        await self.settle()
        await peer.hungUp()
        (reason,) = victim.recorder.losses
        self.assertIs(reason.type, ChannelCorrupt)
        self.assertRegex(str(reason.value), peer.says[offence])
        self.assertEqual(victim.recorder.messages, sent)
        self.assertEqual(victim.recorder.after_loss, 0)
        self.assertRaises((PeerLost, ChannelCorrupt), victim.channel.send, b"")
        for book in (victim.channel.statistics(), victim.channel.inboundStatistics()):
            self.assertEqual((book.blocks_allocated, book.queue_length), (0, 0))
        if waiter is not None:
            self.failureResultOf(waiter, ChannelClosed, PeerLost, ChannelCorrupt)
        await self.assertWell(well)

    async def _goesOn(self, peer: HostilePeer, victim: Victim, sent: list[bytes]) -> None:
        """
        What was done makes no difference: the channel works.
        """
        victim.channel.resumeDelivery()
        for message in (b"after", b"a" * 100):
            await peer.send(message)
            sent.append(message)
        await self.waitFor(lambda: len(victim.recorder.messages) >= len(sent), "what was sent afterwards")
        self.assertEqual(victim.recorder.messages, sent)
        self.assertEqual(victim.recorder.losses, [])
