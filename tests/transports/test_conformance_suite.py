"""
The conformance suite as such: that it checks what it must, that it is told
what it cannot check, and its other process.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase, TestCase

from transports.errors import ChannelClosed
from transports.interfaces import IChannel, IReceiver, ITransport
from transports.limits import Limits
from transports.memory import MemoryTransport
from transports.sockets import UnixTransport
from transports.testing.conformance import (
    LIMITS,
    ConformanceBase,
    CounterTests,
    DataTests,
    DeathTests,
    FlowTests,
    FullTests,
    HostileTests,
    LeakTests,
    ProcessTests,
    Recorder,
    SharedMemoryTests,
    TransportTestsMixin,
)

#: What must be checked, and by what.  The words are those of the contract.
CLAUSES: Mapping[type[ConformanceBase], Mapping[str, str]] = {
    FullTests: {
        "accepts exactly capacity": "test_acceptsExactlyCapacity",
        "refuses capacity + 1": "test_refusesOneMoreThanCapacity",
        "exact fit in the last block": "test_exactFitInTheLastBlock",
        "one byte over a block": "test_oneByteOverABlock",
        "refusal changes nothing": "test_refusalChangesNothing",
        "and leaves no partial message": "test_refusalLeavesNoPartialMessage",
        "refused counter exact": "test_refusedCounterExact",
        "the error carries needed/free/capacity": "test_refusalSaysHowMuch",
        "drain one, accept one": "test_drainOneAcceptOne",
        "drain all, gauge 0": "test_drainAllGaugeZero",
        "full while unflushed": "test_fullWhileUnflushed",
        "full while the receiver is paused": "test_fullWhilePaused",
        "larger than the queue is MessageTooLarge": "test_largerThanTheQueueIsTooLarge",
        "equal to the whole queue fits": "test_equalToTheWholeQueueFits",
        "zero length": "test_zeroLength",
        "allocated never exceeds capacity": "test_allocatedNeverExceedsCapacity",
        "refusal is synchronous": "test_refusalIsSynchronous",
        "capacity of one block": "test_capacityOfOneBlock",
        "capacity not a power of two": "test_capacityNotAPowerOfTwo",
        "one counter, for what is too large": "test_tooLargeChangesNothing",
        "every figure of the statistics": "test_statisticsAreExact",
        "statistics are a frozen value": "test_statisticsAreFrozen",
        "high water": "test_highWaterIsKept",
        "oldest age": "test_oldestAge",
    },
    DataTests: {
        "FIFO with sequence and checksum": "test_firstInFirstOut",
        "wrap at every offset": "test_wrapAtEveryOffset",
        "header split at the wrap": "test_headerSplitAtTheWrap",
        "header split by the carrier's buffers": "test_headerSplitAtEveryPlace",
        "random sizes": "test_randomSizes",
        "random sizes against a model": "test_randomProgramsAgainstAModel",
        "millions offered under overload": "test_overload",
        "accepted == delivered, the rest refused": "test_everythingAcceptedArrives",
        "a soak with blocks flat": "test_blocksStayFlat",
        "opaque bytes": "test_bytesAreUntouched",
        "bytes and not buffers": "test_laterChangesDoNotArrive",
        "larger than any buffer": "test_largeMessages",
        "two queues, one per direction": "test_directionsAreSeparate",
    },
    CounterTests: {"counters past 2^32": "test_countersPast32Bits"},
    FlowTests: {
        "no credit hoarded when idle": "test_noCreditHoardedWhenIdle",
        "FIFO waiters": "test_waitersAreServedInOrder",
        "both directions full, no deadlock": "test_bothDirectionsFull",
        "large not starved": "test_largeWaiterIsNotStarved",
        "a small one does not pass": "test_smallWaiterDoesNotPass",
        "credit while the carrier is busy": "test_creditComesThroughBusyCarriers",
        "credit with large messages": "test_creditRidesOnLargeAnswers",
        "credit without being asked for figures": "test_roomIsFoundThoughNobodyLooked",
        "credit on two ways": "test_figuresAgreeThoughNobodyLooked",
        "delivery budget": "test_deliveryBudget",
        "budget hit still redelivers": "test_budgetHitStillRedelivers",
        "a storm of random sleeps": "test_stormOfRandomSleeps",
        "the doorbell never blocks": "test_doorbellNeverBlocks",
        "send inside a handler": "test_sendInAHandler",
        "a handler that raises": "test_handlerThatRaises",
        "waiters are cancellable": "test_cancelledWaiterLeavesTheLine",
        "cancelling keeps the order": "test_cancelKeepsTheOrder",
        "a waiter gets what it waited for": "test_waiterWaitsForAllItsBlocks",
        "a waiter may send": "test_waiterMaySend",
        "an automatic flush": "test_flushesByItself",
        "flush": "test_flushIsHarmless",
        "pauseDelivery": "test_pauseHoldsMessages",
        "pauseDelivery in a handler": "test_pauseInAHandler",
        "resumeDelivery": "test_resumeDoesNotDeliver",
        "delivery is never re-entrant": "test_deliveryIsNeverReentrant",
        "delivered from the reactor, never from inside send": "test_neverDeliveredInsideSend",
        "channels share nothing": "test_channelsAreSeparate",
    },
    DeathTests: {
        "loss reported once and within a second": "test_lossIsReportedOnce",
        "waiters fail": "test_waitersFailOnLoss",
        "send after loss": "test_sendAfterLoss",
        "graceful close drains": "test_closeDrainsBothWays",
        "graceful close needs nobody to look": "test_closeEndsThoughNobodyLooks",
        "graceful close has a deadline": "test_closeHasADeadline",
        "reconnect has a new epoch": "test_reconnectHasANewEpoch",
        "100 restarts": "test_hundredRestarts",
        "0 blocks after the end": "test_lossFreesTheBlocks",
    },
    ProcessTests: {
        "kill -9 of the sender in mid-copy": "test_senderKilledInMidCopy",
        "kill -9 of the receiver holding blocks": "test_receiverKilledHoldingBlocks",
        "at random instants, repeatedly": "test_killedAtRandomInstants",
        "SIGSTOP, fill, SIGCONT": "test_stoppedFilledAndContinued",
        "loss reported once and within a second": "test_lossIsToldOnceAndWithinASecond",
        "reconnect has a new epoch": "test_listenerKilledAndRestarted",
        "nothing is left of the dead": "test_nothingIsLeftOfTheDead",
        "other channels go on": "test_otherProcessesGoOn",
    },
    HostileTests: {
        "bad magic": "test_badMagic",
        "version": "test_badVersion",
        "epoch": "test_badEpoch",
        "bad length": "test_badLength",
        "over-credit": "test_overCredit",
        "over-publish": "test_overPublish",
        "garbage": "test_garbage",
        "silence at bind": "test_silenceAtBind",
        "openings end with the listener": "test_stopListeningEndsOpenings",
        "a mismatch of the limits is a clear error": "test_badLimitsOfAListener",
    },
    SharedMemoryTests: {
        "bad sequence": "test_badSequence",
        "CRC": "test_badChecksum",
        "truncated memory does not kill us": "test_truncatedMemoryDoesNotKillUs",
        "the reader cannot write": "test_readerCannotWrite",
        "data changed after it was read": "test_dataChangedAfterItWasRead",
        "wrong fds at bind": "test_wrongDescriptors",
        "missing fds at bind": "test_missingDescriptors",
        "too many fds at bind": "test_tooManyDescriptors",
        "late fds": "test_lateDescriptors",
        "seals": "test_unsealedMemory",
        "size": "test_memoryOfAnotherSize",
        "magic, version and epoch of the memory": "test_memoryThatIsNotARing",
    },
    LeakTests: {
        "flat after orderly ends": "test_nothingLeaksFromClosedChannels",
        "flat after aborts": "test_nothingLeaksFromAbortedChannels",
        "flat after losses": "test_nothingLeaksFromLostChannels",
        "delayed calls": "test_nothingLeaksFromCutCloses",
        "flat while the carrier is full": "test_nothingLeaksFromStuffedChannels",
        "places": "test_nothingLeaksFromPlaces",
        "objects": "test_endedChannelsAreForgotten",
        "flat while open": "test_trafficCostsNothing",
    },
}


class ClausesTests(SynchronousTestCase):
    """
    The suite checks what the contract says it must.
    """

    def test_everyClauseHasItsCheck(self) -> None:
        """
        For each clause there is a check, in the group it belongs to, which says
        in its docstring what it checks.
        """
        for group, clauses in CLAUSES.items():
            for clause, check in clauses.items():
                found: Any = getattr(group, check, None)
                self.assertTrue(callable(found) and found.__doc__, f"{clause}: {group.__name__}.{check}")


class Complete(TransportTestsMixin):
    """
    Declares all that it lacks.
    """

    impossible: ClassVar = dict.fromkeys(
        ("ProcessTests", "HostileTests", "SharedMemoryTests", "CounterTests"), "not in this test"
    )

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return MemoryTransport(reactor, limits)


class DeclarationsTests(SynchronousTestCase):
    """
    What a transport does not pass it must declare.
    """

    def judge(self, check: str = "test_everyGroupIsThereOrDeclared", **declared: str) -> TestResult:
        """
        Run one check of a test case that declares other things than it should.

        @param declared: added to the declarations; C{""} takes one away.
        """

        class Case(Complete, TestCase):
            impossible: ClassVar = {
                name: reason for name, reason in {**Complete.impossible, **declared}.items() if reason
            }

        result = TestResult()
        Case(check).run(result)
        return result

    def assertComplaint(self, result: TestResult, words: str) -> None:
        """
        The check has failed, and says why.
        """
        ((_, failure),) = result.failures
        self.assertIn(words, str(failure))

    def test_complete(self) -> None:
        """
        Declaring all that is lacking is well.
        """
        self.assertTrue(self.judge().wasSuccessful())

    def test_lacking(self) -> None:
        """
        A group that is neither there nor declared is complained of.
        """
        self.assertComplaint(self.judge(HostileTests=""), "HostileTests")

    def test_declaredButThere(self) -> None:
        """
        A group that is there cannot be declared impossible.
        """
        self.assertComplaint(self.judge(FullTests="it is never full here"), "FullTests")

    def test_unknown(self) -> None:
        """
        Neither can one that does not exist.
        """
        self.assertComplaint(self.judge(test_nothing="there is no such check"), "test_nothing")

    def test_noReason(self) -> None:
        """
        A reason must be given.
        """
        self.assertComplaint(self.judge(HostileTests="no"), "HostileTests")

    def test_singleCheck(self) -> None:
        """
        A single check that is declared is reported as skipped, with the reason.
        """
        result = self.judge("test_zeroLength", test_zeroLength="this carrier has no empty records")
        ((_, reason),) = result.skips
        self.assertEqual(reason, "this carrier has no empty records")
        declared = self.judge(test_zeroLength="this carrier has no empty records")
        self.assertTrue(declared.wasSuccessful())


class PeerTests(ConformanceBase, TestCase):
    """
    C{python -m transports.testing.peer}.
    """

    def runPeer(self, *arguments: str) -> Deferred[tuple[bytes, bytes, int]]:
        """
        Run it.

        @return: fires with what it said on both streams, and its exit code.
        """
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        result: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
            sys.executable, ("-m", "transports.testing.peer", *arguments), environment
        )
        return result

    async def test_mode(self) -> None:
        """
        It connects to a description, does what its mode says, and ends with the channel.
        """
        from twisted.internet import reactor

        directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, directory)
        transport = UnixTransport(reactor, f"{directory}/s", LIMITS)
        recorder = Recorder()

        def accept(channel: IChannel) -> IReceiver:
            return recorder

        listener = await transport.listen(accept)
        description = f"unix:{directory}/s:blocks={LIMITS.capacity}:block_size={LIMITS.block_size}"
        self.assertEqual(await self.runPeer("close", description), (b"", b"", 0))
        await self.waitFor(lambda: bool(recorder.losses), "channelLost")
        self.assertEqual([each.type for each in recorder.losses], [ChannelClosed])
        self.assertEqual(len(recorder.messages), 100)
        await listener.stopListening()
        _, said, code = await self.runPeer("echo", description)
        self.assertEqual(code, 1)
        self.assertIn(b"cannot connect", said)

    async def test_usage(self) -> None:
        """
        It says how it is used.
        """
        _, said, code = await self.runPeer("echo")
        self.assertEqual(code, 2)
        self.assertIn(b"usage", said)
