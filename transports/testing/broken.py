"""
Transports with one fault each, to test the conformance suite with.

Most are the memory transport with a few lines done wrong; what only sockets or
shared memory can do wrong is done there.  Each must be caught by the check that
names its fault.  The first is KB 817051: a queue that is never full.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from transports import _halves, _ring, _segment, sockets
from transports._sealedchannel import SealedChannel
from transports._socketchannel import SocketChannel
from transports.interfaces import ITransport
from transports.limits import Limits
from transports.memory import MemoryChannel, MemoryTransport
from transports.sharedmemory import SharedMemoryTransport
from transports.sockets import UnixTransport
from transports.testing import _broken_carriers as carriers
from transports.testing import _broken_data as data
from transports.testing import _broken_delivery as delivery
from transports.testing import _broken_waiting as waiting
from transports.testing import _broken_window as window
from transports.testing._broken_carriers import cleanUp
from transports.testing._broken_window import NeverFull

__all__ = ["FAULTS", "Fault", "NeverFull", "cleanUp"]

#: Makes a transport, given a reactor, limits and a path that it may use.
Maker = Callable[[Any, Limits, str], ITransport]


@attrs.frozen
class Fault:
    """
    A transport that must fail, and by what.
    """

    #: What it is called.
    name: str
    #: The check that names it, which must fail.
    check: str
    #: Makes the transport.
    make: Maker
    #: What must be replaced while it is tested: an object, the name of one of
    #: its attributes, and another value for that.
    patches: tuple[tuple[object, str, object], ...] = ()
    #: Seconds after which what has not happened will not happen.
    patience: float = 0.1


def overMemory(channel_class: type[MemoryChannel], reactor: Any, limits: Limits, path: str) -> ITransport:
    """
    C{memory:} with other channels.
    """
    transport = MemoryTransport(reactor, limits)
    transport.channel_class = channel_class
    return transport


def overUnix(channel_class: type[SocketChannel], reactor: Any, limits: Limits, path: str) -> ITransport:
    """
    C{unix:} with other channels.
    """
    transport = UnixTransport(reactor, path, limits)
    transport.channel_class = channel_class
    return transport


def overShm(channel_class: type[SealedChannel], reactor: Any, limits: Limits, path: str) -> ITransport:
    """
    C{shm:} with other channels.
    """
    transport = SharedMemoryTransport(reactor, path, limits)
    transport.sealed_channel_class = channel_class
    return transport


def over(transport_class: Callable[..., ITransport], reactor: Any, limits: Limits, path: str) -> ITransport:
    """
    A transport that is found at a path.
    """
    return transport_class(reactor, path, limits)


def _placeStaysTaken(reactor: Any, limits: Limits, path: str) -> ITransport:
    return carriers.PlaceStaysTaken(reactor, limits)


_unix = partial(over, UnixTransport)
_shm = partial(over, SharedMemoryTransport)
_portable = partial(over, partial(SharedMemoryTransport, portable=True))


_IN_MEMORY: tuple[tuple[type[MemoryChannel], str], ...] = (
    (window.NeverFull, "test_refusesOneMoreThanCapacity"),
    (window.OneTooMany, "test_refusesOneMoreThanCapacity"),
    (window.GreaterForGreaterOrEqual, "test_acceptsExactlyCapacity"),
    (window.CounterNotRestored, "test_refusalChangesNothing"),
    (window.ForgetsTheHeader, "test_oneByteOverABlock"),
    (window.TooLargeIsFull, "test_largerThanTheQueueIsTooLarge"),
    (window.PartialWrite, "test_refusalLeavesNoPartialMessage"),
    (window.SilentDrop, "test_everythingAcceptedArrives"),
    (window.PowerOfTwo, "test_capacityNotAPowerOfTwo"),
    (window.EmptyIsFree, "test_zeroLength"),
    (window.WholeQueueIsTooLarge, "test_equalToTheWholeQueueFits"),
    (window.LateRefusal, "test_refusalIsSynchronous"),
    (window.WrongFigures, "test_refusalSaysHowMuch"),
    (window.UnflushedIsFree, "test_fullWhileUnflushed"),
    (window.OneWindowForBoth, "test_directionsAreSeparate"),
    (window.CountersOf32Bits, "test_countersPast32Bits"),
    (window.OffByOne, "test_statisticsAreExact"),
    (window.CountsHeaders, "test_statisticsAreExact"),
    (window.RefusalsCountAsSent, "test_refusalChangesNothing"),
    (window.ForgetsTheHighWater, "test_highWaterIsKept"),
    (window.AgeOfTheYoungest, "test_oldestAge"),
    (window.TooLargeCountsAsRefused, "test_tooLargeChangesNothing"),
    (data.LostCredit, "test_drainAllGaugeZero"),
    (data.DoubleCredit, "test_drainOneAcceptOne"),
    (data.HoardedCredit, "test_noCreditHoardedWhenIdle"),
    (data.KeepsBlocksOfFailures, "test_handlerThatRaises"),
    (data.CreditOnArrival, "test_fullWhilePaused"),
    (data.CreditBeforeTheHandler, "test_sendInAHandler"),
    (data.AltersAtTheWrap, "test_wrapAtEveryOffset"),
    (data.SplitsHeadersAtTheWrap, "test_headerSplitAtTheWrap"),
    (data.SplitsHeadersAnywhere, "test_headerSplitAtEveryPlace"),
    (data.DeliversBuffers, "test_bytesAreUntouched"),
    (data.KeepsTheSendersBuffer, "test_laterChangesDoNotArrive"),
    (delivery.ReentrantDelivery, "test_neverDeliveredInsideSend"),
    (delivery.Reordering, "test_firstInFirstOut"),
    (delivery.DeliversTwice, "test_overload"),
    (delivery.DroppedFlush, "test_flushesByItself"),
    (delivery.FlushesFullBatchesOnly, "test_flushesByItself"),
    (delivery.FlushDelivers, "test_fullWhileUnflushed"),
    (delivery.NoBudget, "test_deliveryBudget"),
    (delivery.BudgetEndsIt, "test_budgetHitStillRedelivers"),
    (delivery.DeliversWhilePaused, "test_pauseInAHandler"),
    (delivery.ResumeDelivers, "test_resumeDoesNotDeliver"),
    (delivery.PausesAreCounted, "test_pauseHoldsMessages"),
    (delivery.EdgeTriggered, "test_stormOfRandomSleeps"),
    (delivery.StopsWhenItCannotAnswer, "test_bothDirectionsFull"),
    (delivery.EndsOnAFailure, "test_handlerThatRaises"),
    (delivery.DoorbellBlocks, "test_doorbellNeverBlocks"),
    (delivery.PausesEverybody, "test_channelsAreSeparate"),
    (waiting.StarvesLarge, "test_largeWaiterIsNotStarved"),
    (waiting.SmallOnesPass, "test_smallWaiterDoesNotPass"),
    (waiting.WaitersOutOfOrder, "test_waitersAreServedInOrder"),
    (waiting.WaitersForgotten, "test_waitersFailOnLoss"),
    (waiting.WaiterFiresEarly, "test_waiterWaitsForAllItsBlocks"),
    (waiting.WaitersGoTogether, "test_waiterMaySend"),
    (waiting.CancelledWaitersStay, "test_cancelledWaiterLeavesTheLine"),
    (waiting.CancelChangesTheOrder, "test_cancelKeepsTheOrder"),
    (waiting.WaitingReserves, "test_waitingTakesNothing"),
    (waiting.WaitsForTooMuch, "test_waitingForTooMuch"),
    (waiting.LosesTwice, "test_lossIsReportedOnce"),
    (waiting.ToldInTheCall, "test_lossIsReportedOnce"),
    (waiting.LateLoss, "test_lossIsReportedOnce"),
    (waiting.DeliversAfterTheLoss, "test_lossIsReportedOnce"),
    (waiting.GivesBackTwice, "test_lossIsReportedOnce"),
    (waiting.LossWaitsForAResume, "test_lossIsReportedWhilePaused"),
    (waiting.KeepsBlocksOfTheDead, "test_lossFreesTheBlocks"),
    (waiting.ThrownAwayIsHandled, "test_lossFreesTheBlocks"),
    (waiting.FullAfterTheLoss, "test_sendAfterLoss"),
    (waiting.CloseThrowsAway, "test_closeDrainsBothWays"),
    (waiting.CloseDropsTheLast, "test_closeDrainsBothWays"),
    (waiting.ClosedIsLost, "test_closeDrainsBothWays"),
    (waiting.CloseWaitsForAResume, "test_closeWhenIdle"),
    (waiting.DeadlineStays, "test_nothingLeaksFromCutCloses"),
)

_ON_SOCKETS: tuple[tuple[type[SocketChannel], str], ...] = (
    (carriers.LeaksDescriptors, "test_nothingLeaksFromClosedChannels"),
    (carriers.StaysWatched, "test_nothingLeaksFromStuffedChannels"),
    (carriers.HoardsWhileBusy, "test_creditComesThroughBusyCarriers"),
    (carriers.ForgetsCreditOfTorn, "test_creditRidesOnLargeAnswers"),
    (carriers.BelievesCredit, "test_overCredit"),
    (carriers.BelievesTheSender, "test_overPublish"),
    (carriers.CorruptionIsALoss, "test_garbage"),
    (carriers.SaysNothing, "test_badLength"),
)

_NO_CHECKSUM = (_ring, "crc32", carriers.sameChecksum)

_IN_SHARED_MEMORY: tuple[tuple[type[SealedChannel], str], ...] = (
    (carriers.ForgetsPortions, "test_figuresAgreeThoughNobodyLooked"),
    (carriers.LooksOnRequestOnly, "test_roomIsFoundThoughNobodyLooked"),
    (carriers.ClosesWithoutLooking, "test_closeEndsThoughNobodyLooks"),
    (carriers.ReadsWhenItDelivers, "test_dataChangedAfterItWasRead"),
)

#: All faults.
FAULTS: tuple[Fault, ...] = (
    *(Fault(each.__name__, check, partial(overMemory, each)) for each, check in _IN_MEMORY),
    *(Fault(each.__name__, check, partial(overUnix, each)) for each, check in _ON_SOCKETS),
    *(Fault(each.__name__, check, partial(overShm, each)) for each, check in _IN_SHARED_MEMORY),
    Fault("LeavesItsFile", "test_nothingLeaksFromPlaces", partial(over, carriers.LeavesItsFile)),
    Fault("LeavesOpenings", "test_stopListeningEndsOpenings", partial(over, carriers.LeavesOpenings)),
    Fault(
        "CloseWaitsForEver",
        "test_closeHasADeadline",
        partial(overMemory, waiting.CloseWaitsForEver),
        patience=1.0,
    ),
    Fault("PlaceStaysTaken", "test_listenTwice", _placeStaysTaken),
    Fault("KeepsChannels", "test_endedChannelsAreForgotten", partial(over, carriers.KeepsChannels)),
    Fault("SameEpoch", "test_reconnectHasANewEpoch", partial(over, carriers.SameEpoch)),
    Fault("AnyEpoch", "test_badEpoch", partial(over, carriers.AnyEpoch)),
    Fault("AnyMagic", "test_badMagic", _unix, ((sockets, "_CODEC", carriers.ANY_OPENING),)),
    Fault("AnyVersion", "test_badVersion", _unix, ((sockets, "_CODEC", carriers.ANY_OPENING),)),
    Fault("NoChecksum", "test_badChecksum", _shm, (_NO_CHECKSUM,)),
    Fault("NoSequence", "test_badSequence", partial(overShm, carriers.NoSequence), (_NO_CHECKSUM,)),
    Fault("Unsealed", "test_unsealedMemory", _shm, ((_segment, "_SEALS", 0),)),
    Fault(
        "Writable", "test_readerCannotWrite", _portable, ((_halves, "createPlain", carriers.createWritable),)
    ),
    Fault("LeaksOnRefusal", "test_wrongDescriptors", _shm, ((_halves, "closeAll", carriers.closeNothing),)),
)
