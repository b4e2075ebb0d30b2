# mypy: allow-untyped-calls
"""
The checks of what is peculiar to shared memory: what the peer can still do to
memory that it shares with us, and the descriptors that come with it.
"""

from __future__ import annotations

from transports.interfaces import ITransport
from transports.testing._harness import LIMITS
from transports.testing._hostile import HostilePeer, HostileTests, Offence, Victim


class HostileMemory(HostilePeer):
    """
    A hostile peer that shares memory with its victim.
    """

    def tryToWrite(self) -> list[str]:
        """
        Try in every way to change the memory that the victim writes and this
        peer reads, with the descriptors that it was given.

        @return: the ways that worked; there must be none.
        """
        raise NotImplementedError


class SharedMemoryTests(HostileTests):
    """
    The peer's memory is looked at with suspicion, and ours is only shown.

    The checks of L{HostileTests} are part of this group.
    """

    def makeHostilePeer(self, transport: ITransport) -> HostileMemory:
        """
        See L{HostileTests.makeHostilePeer}.
        """
        raise NotImplementedError

    async def test_badSequence(self) -> None:
        """
        A record that is not the next one ends the channel.
        """
        await self.assertCorrupt(Offence.SEQUENCE)

    async def test_badChecksum(self) -> None:
        """
        A record whose checksum is not its own ends the channel.
        """
        await self.assertCorrupt(Offence.CHECKSUM)

    async def test_truncatedMemoryDoesNotKillUs(self) -> None:
        """
        A peer cannot cut off the memory that we read, or is found out when it does.
        """
        await self.assertCorrupt(Offence.TRUNCATES)

    async def test_lateDescriptors(self) -> None:
        """
        Descriptors that come on an open channel end it, and are not kept.
        """
        await self.assertCorrupt(Offence.LATE_DESCRIPTORS)

    async def test_dataChangedAfterItWasRead(self) -> None:
        """
        What the peer does to its memory after a message has arrived, and before
        the handler is called, does not change the message.
        """
        place, well = await self.openWell()
        peer = self.makeHostilePeer(place.transport)
        await peer.connect()
        victim = Victim(*await place.accepted())
        sent = [b"first", b"s" * 3 * LIMITS.block_size, b""]
        for message in sent:
            await peer.send(message)
        await self.waitFor(
            lambda: victim.channel.inboundStatistics().queue_length == len(sent), "the messages to arrive"
        )
        await peer.commit(Offence.OVERWRITES)
        victim.channel.resumeDelivery()
        await self.waitFor(lambda: len(victim.recorder.messages) == len(sent), "the messages to be delivered")
        self.assertEqual(victim.recorder.messages, sent)
        await self.settle()
        self.assertEqual(victim.recorder.losses, [])
        victim.channel.abort()
        await peer.hungUp()
        await self.assertWell(well)

    async def test_readerCannotWrite(self) -> None:
        """
        The memory that we write can only be read by the peer.
        """
        place, well = await self.openWell()
        peer = self.makeHostilePeer(place.transport)
        await peer.connect()
        victim = Victim(*await place.accepted())
        victim.channel.send(b"to be read")
        victim.channel.flush()
        self.assertEqual(peer.tryToWrite(), [])
        victim.channel.abort()
        await peer.hungUp()
        await self.assertWell(well)

    async def test_missingDescriptors(self) -> None:
        """
        An opening without its descriptors, or without some of them, opens nothing.
        """
        await self.assertRefused(Offence.NO_DESCRIPTORS)
        await self.assertRefused(Offence.FEW_DESCRIPTORS)

    async def test_tooManyDescriptors(self) -> None:
        """
        An opening with more descriptors than it needs opens nothing.
        """
        await self.assertRefused(Offence.MANY_DESCRIPTORS)

    async def test_wrongDescriptors(self) -> None:
        """
        Descriptors of other things than memory and doorbells open nothing.
        """
        await self.assertRefused(Offence.WRONG_DESCRIPTORS)
        await self.assertRefused(Offence.WRONG_DOORBELLS)

    async def test_memoryOfAnotherSize(self) -> None:
        """
        Memory that is smaller than was agreed opens nothing.
        """
        await self.assertRefused(Offence.SMALL_MEMORY)

    async def test_unsealedMemory(self) -> None:
        """
        Memory that the peer could cut off under us opens nothing.
        """
        await self.assertRefused(Offence.UNSEALED_MEMORY)

    async def test_memoryThatIsNotARing(self) -> None:
        """
        Memory with a bad magic, a bad version or another channel's epoch opens
        nothing.
        """
        for offence in (Offence.MEMORY_MAGIC, Offence.MEMORY_VERSION, Offence.MEMORY_EPOCH):
            await self.assertRefused(offence)

    async def test_badDescriptorsOfAListener(self) -> None:
        """
        A listener that answers with wrong, missing or too many descriptors, or
        with memory that is not as agreed, is nobody to connect to.
        """
        for offence in (
            Offence.NO_DESCRIPTORS,
            Offence.MANY_DESCRIPTORS,
            Offence.WRONG_DESCRIPTORS,
            Offence.SMALL_MEMORY,
            Offence.MEMORY_EPOCH,
        ):
            await self.assertCannotConnect(offence)
