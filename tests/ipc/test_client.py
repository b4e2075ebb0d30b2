"""
The front end's end: admission, patience, streams, loss.
"""

from __future__ import annotations

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailstore.errors import (
    InvalidRequest,
    LimitReached,
    NoSuchFolder,
    PermissionDenied,
    StoreBusy,
    StoreFault,
    StoreUnavailable,
)
from mailstore.interfaces import IStore, IUpload
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.remoteupload import WELCOME
from mailstore.model import SYSTEM, Credentials, Criterion, NewMessage, SearchTerm
from tests.ipc.fakes import Noting, allOf, joined
from transports.limits import Limits

EVERY = SearchTerm(Criterion.ALL)


class CallTests(SynchronousTestCase):
    """
    One request, one outcome.
    """

    def test_interface(self) -> None:
        """
        A remote store is a store.
        """
        verifyObject(IStore, joined().remote)

    def test_result(self) -> None:
        """
        A result comes back as the store gave it.
        """
        both = joined()
        outcome = both.start(both.remote.rights("ann", "Sent"))
        self.assertFalse(outcome.done)
        both.settle()
        self.assertEqual(outcome.value, "lrs")
        self.assertEqual(both.store.begun, ["rights ann Sent"])
        self.assertEqual(both.remote.calls, 0)

    def test_storeError(self) -> None:
        """
        An error of the closed set keeps its class and its message.
        """
        both = joined()
        both.store.error = NoSuchFolder("there is no such folder")
        outcome = both.start(both.remote.rights("ann", "Sent"))
        both.settle()
        self.assertEqual(
            str(self.assertRaises(NoSuchFolder, lambda: outcome.value)), "there is no such folder"
        )

    def test_unforeseenError(self) -> None:
        """
        What the store was not written for is logged there, and told neutrally.
        """
        both = joined()
        both.store.error = RuntimeError("secret")
        outcome = both.start(both.remote.rights("ann", "Sent"))
        both.settle()
        self.assertNotIn("secret", str(self.assertRaises(StoreFault, lambda: outcome.value)))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_refusedUsers(self) -> None:
        """
        Neither the system's principal nor the management of users can be had
        through a channel.
        """
        both = joined()
        for work in (
            both.remote.rights(SYSTEM, "Sent"),
            both.remote.credentials(SYSTEM),
            both.remote.listUsers(),
            both.remote.createUser("eve", Credentials(b"", 1, b"", b"")),
            both.remote.append(SYSTEM, "Sent", (NewMessage(b""),)),
        ):
            outcome = both.start(work)
            both.settle()
            self.assertIs(outcome.error, PermissionDenied)
        self.assertEqual(both.store.begun, [])

    def test_cannotBeSent(self) -> None:
        """
        A value that no message can carry is a bad request, and no fault.
        """
        both = joined()
        self.assertIs(both.start(both.remote.rights("ann", "\ud800")).error, InvalidRequest)
        self.assertIs(both.start(allOf(both.remote.search("ann", 1 << 70, EVERY))).error, InvalidRequest)

    def test_tooLong(self) -> None:
        """
        A request longer than this end, or the other, allows is refused here.
        """
        limits = IpcLimits(poll_interval=0, max_request=16384, inline_upload=10, upload_piece=4096)
        for ours, theirs in ((limits, IpcLimits(poll_interval=0)), (IpcLimits(poll_interval=0), limits)):
            both = joined(ours, server_limits=theirs)
            self.assertIs(both.start(both.remote.rights("ann", "x" * 16384)).error, LimitReached)
            outcome = both.start(both.remote.rights("ann", "x" * 16000))
            both.settle()
            self.assertEqual(outcome.value, "lrs")

    def test_answerTooLong(self) -> None:
        """
        An answer longer than agreed is a fault of the store, and the channel goes on.
        """
        both = joined(IpcLimits(poll_interval=0, max_reply=4096))
        both.store.answer = ("x" * 5000,)
        outcome = both.start(both.remote.subscriptions("ann"))
        both.settle()
        self.assertIs(outcome.error, StoreFault)
        both.store.answer = ("x" * 500,)
        outcome = both.start(both.remote.subscriptions("ann"))
        both.settle()
        self.assertEqual(outcome.value, ("x" * 500,))

    def test_cancel(self) -> None:
        """
        A caller that goes away leaves the place occupied until the store has answered.
        """
        both = joined()
        both.store.gate = Deferred()
        outcome = both.start(both.remote.rights("ann", "Sent"))
        both.settle()
        outcome.deferred.cancel()
        both.settle()
        self.assertEqual(both.remote.calls, 1)
        both.store.gate.callback(None)
        both.settle()
        self.assertEqual(both.remote.calls, 0)

    def test_cancelBeforeBegun(self) -> None:
        """
        What is cancelled before the store comes to it is never begun.
        """
        both = joined()
        outcome = both.start(both.remote.rights("ann", "Sent"))
        outcome.deferred.cancel()
        both.settle()
        self.assertEqual(both.store.begun, [])
        self.assertEqual(both.remote.calls, 0)


class PatienceTests(SynchronousTestCase):
    """
    Who may wait, and how long.
    """

    def test_maxCalls(self) -> None:
        """
        One request more than agreed waits its turn; first come, first served.
        """
        both = joined(IpcLimits(poll_interval=0, max_calls=2))
        gate = both.store.gate = Deferred()
        outcomes = [both.start(both.remote.rights("ann", str(each))) for each in range(5)]
        both.settle()
        self.assertEqual((both.remote.calls, both.remote.waiting), (2, 3))
        both.store.gate = None
        gate.callback(None)
        both.settle()
        self.assertEqual([each.value for each in outcomes], ["lrs"] * 5)
        self.assertEqual(both.store.begun, [f"rights ann {each}" for each in range(5)])

    def test_patienceRunsOut(self) -> None:
        """
        Who has waited for C{patience} seconds is refused, and was never sent.
        """
        both = joined(IpcLimits(poll_interval=0, max_calls=1, patience=5))
        both.store.gate = Deferred()
        both.start(both.remote.rights("ann", "1"))
        second = both.start(both.remote.rights("ann", "2"))
        both.settle()
        both.clock.advance(4.9)
        self.assertFalse(second.done)
        both.clock.advance(0.1)
        self.assertIs(second.error, StoreBusy)
        both.store.gate.callback(None)
        both.settle()
        self.assertEqual(both.store.begun, ["rights ann 1"])

    def test_noPatience(self) -> None:
        """
        Without patience a full queue refuses in the same call; with room
        again, the next request goes through.
        """
        both = joined(IpcLimits(poll_interval=0, patience=0), Limits(block_size=64, capacity=4))
        outcomes = [both.start(both.remote.rights("ann", "Sent")) for _ in range(6)]
        busy = [each for each in outcomes if each.done]
        self.assertTrue(busy)
        self.assertEqual({each.error for each in busy}, {StoreBusy})
        both.settle()
        self.assertEqual([each.value for each in outcomes if each not in busy], ["lrs"] * (6 - len(busy)))
        outcome = both.start(both.remote.rights("ann", "Sent"))
        both.settle()
        self.assertEqual(outcome.value, "lrs")

    def test_noPatienceAndOnePlace(self) -> None:
        """
        Without patience and with one place, a caller may ask again as soon as
        it has its answer.
        """
        both = joined(IpcLimits(poll_interval=0, patience=0, max_calls=1))

        async def inARow() -> int:
            for _ in range(10):
                await both.remote.rights("ann", "Sent")
            return len(await allOf(both.remote.search("ann", 1, EVERY)))

        both.store.batches = [b"1"] * 10
        outcome = both.start(inARow())
        both.settle()
        self.assertEqual(outcome.value, 10)

    def test_changedPatience(self) -> None:
        """
        Patience can be changed while requests are waiting; they keep theirs.
        """
        both = joined(IpcLimits(poll_interval=0, max_calls=1))
        both.store.gate = Deferred()
        outcomes = [both.start(both.remote.rights("ann", "x")) for _ in range(2)]
        both.remote.limits = attrs.evolve(both.remote.limits, patience=0)
        outcomes.append(both.start(both.remote.rights("ann", "x")))
        self.assertEqual([each.done for each in outcomes], [False, False, True])
        self.assertIs(outcomes[2].error, StoreBusy)

    def test_lineIsBounded(self) -> None:
        """
        More than C{max_waiting} do not wait.
        """
        both = joined(IpcLimits(poll_interval=0, max_calls=1, max_waiting=2))
        both.store.gate = Deferred()
        outcomes = [both.start(both.remote.rights("ann", "x")) for _ in range(5)]
        self.assertEqual([each.done for each in outcomes], [False, False, False, True, True])
        self.assertIs(outcomes[4].error, StoreBusy)

    def test_heldBytes(self) -> None:
        """
        The bytes of the requests that wait for answers are bounded, too.
        """
        both = joined(
            IpcLimits(poll_interval=0, max_held=8192, max_request=8192, inline_upload=10, upload_piece=10)
        )
        gate: Deferred[None] = Deferred()
        both.store.gate = gate
        outcomes = [both.start(both.remote.rights("ann", "x" * 3000)) for _ in range(4)]
        both.settle()
        self.assertEqual((both.remote.calls, both.remote.waiting), (2, 2))
        gate.callback(None)
        both.settle()
        self.assertEqual([each.value for each in outcomes], ["lrs"] * 4)

    def test_waitForTheStore(self) -> None:
        """
        While there is no store requests wait for it, at most C{patience} seconds.
        """
        both = joined(connect=False)
        first = both.start(both.remote.rights("ann", "1"))
        both.clock.advance(4)
        second = both.start(both.remote.rights("ann", "2"))
        both.clock.advance(1)
        self.assertIs(first.error, StoreUnavailable)
        both.connect()
        both.settle()
        self.assertEqual(second.value, "lrs")

    def test_noPatienceWithoutStore(self) -> None:
        """
        Without patience and without a store a request fails at once.
        """
        both = joined(IpcLimits(patience=0), connect=False)
        self.assertIs(both.start(both.remote.rights("ann", "1")).error, StoreUnavailable)


class StreamTests(SynchronousTestCase):
    """
    Batches under credit.
    """

    def test_all(self) -> None:
        """
        All batches come, in order, and the iteration ends.
        """
        both = joined()
        both.store.batches = [bytes([each]) for each in range(100)]
        outcome = both.start(allOf(both.remote.search("ann", 1, EVERY)))
        both.settle()
        self.assertEqual(outcome.value, both.store.batches)
        self.assertEqual((both.store.freed, both.remote.calls), (1, 0))

    def test_errorAfterBatches(self) -> None:
        """
        An error comes after the batches made before it.
        """
        both = joined()
        both.store.batches = [b"1", b"2", b"3"]
        both.store.error = NoSuchFolder("gone")
        seen: list[bytes] = []
        outcome = both.start(allOf(both.remote.search("ann", 1, EVERY), seen.append))
        both.settle()
        self.assertIs(outcome.error, NoSuchFolder)
        self.assertEqual(seen, [b"1", b"2", b"3"])

    def test_windowStopsTheStore(self) -> None:
        """
        A consumer that does not ask stops the store's iterator after a window
        of batches; when it asks again, the rest comes.
        """
        both = joined(IpcLimits(poll_interval=0, window=4))
        both.store.batches = [b"x"] * 20
        stream = both.remote.search("ann", 1, EVERY)
        outcome = both.start(_next(stream))
        both.settle()
        self.assertEqual(outcome.value, b"x")
        self.assertEqual(both.store.given, 4)
        both.clock.advance(30)
        both.settle()
        self.assertEqual(both.store.given, 4)
        rest = both.start(allOf(stream))
        both.settle()
        self.assertEqual(len(rest.value), 19)

    def test_windowsTogether(self) -> None:
        """
        When streams whose consumers do not ask have used up what all may have in flight
        together, the next ones have one batch, and go on all the same.
        """
        both = joined(IpcLimits(poll_interval=0, window=4, max_ahead=5))
        both.store.batches = [b"x"] * 20
        streams = []

        def given() -> int:
            before: int = both.store.given
            streams.append(both.remote.search("ann", 1, EVERY))
            both.start(_next(streams[-1]))
            both.settle()
            after: int = both.store.given
            return after - before

        # With a window of one, the next batch is made when the one before was taken.
        self.assertEqual([given() for _ in range(4)], [4, 3, 2, 2])
        rest = both.start(allOf(streams[3]))
        both.settle()
        self.assertEqual(len(rest.value), 19)
        both.start(streams[0].aclose())
        self.assertEqual(given(), 4)

    def test_windowOfOne(self) -> None:
        """
        A window of one batch makes progress.
        """
        both = joined(IpcLimits(poll_interval=0, window=1))
        both.store.batches = [b"x"] * 20
        outcome = both.start(allOf(both.remote.search("ann", 1, EVERY)))
        both.settle()
        self.assertEqual(len(outcome.value), 20)

    def test_givenUp(self) -> None:
        """
        Giving an iteration up frees the store's iterator and the call's place.
        """
        both = joined()
        both.store.batches = [b"x"] * 20
        stream = both.remote.search("ann", 1, EVERY)
        both.start(_next(stream))
        both.settle()
        outcome = both.start(stream.aclose())
        both.settle()
        self.assertTrue(outcome.done)
        self.assertEqual((both.store.freed, both.remote.calls), (1, 0))
        self.assertLessEqual(both.store.given, 8)

    def test_forgotten(self) -> None:
        """
        An iteration that is dropped without C{aclose} is given up as well.
        """
        both = joined()
        both.store.batches = [b"x"] * 20
        stream = both.remote.search("ann", 1, EVERY)
        both.start(_next(stream))
        both.settle()
        del stream
        both.settle()
        self.assertEqual((both.store.freed, both.remote.calls), (1, 0))

    def test_fair(self) -> None:
        """
        A long stream does not hold up what came after it: a request gets its
        answer while the stream has hardly begun.
        """
        both = joined(IpcLimits(poll_interval=0, window=1000))
        both.store.batches = [b"x"] * 500
        stream = both.start(allOf(both.remote.search("ann", 1, EVERY)))
        both.turn(4)
        outcome = both.start(both.remote.rights("ann", "Sent"))
        both.turn(6)
        self.assertTrue(outcome.done)
        self.assertLess(both.store.given, 20)
        both.settle()
        self.assertEqual(len(stream.value), 500)


class LossTests(SynchronousTestCase):
    """
    The store goes away.
    """

    def test_inFlight(self) -> None:
        """
        Everything in flight fails, each exactly once; what is in line waits on
        and is served by the next store.
        """
        both = joined(IpcLimits(poll_interval=0, max_calls=3))
        both.store.gate = Deferred()
        both.store.batches = [b"x"] * 20
        calls = [both.start(both.remote.rights("ann", str(each))) for each in range(2)]
        stream = both.remote.search("ann", 1, EVERY)
        first = both.start(_next(stream))
        waiting = both.start(both.remote.rights("ann", "later"))
        both.settle()
        self.assertEqual(first.value, b"x")
        [front_end] = both.server.front_ends
        front_end.channel.abort()
        both.settle()
        self.assertEqual([each.error for each in calls], [StoreUnavailable] * 2)
        # What had arrived may still be read; then comes the loss.
        self.assertIs(both.start(allOf(stream)).error, StoreUnavailable)
        self.assertFalse(waiting.done)
        self.assertEqual((both.store.freed, len(both.server.front_ends)), (1, 0))
        both.store.gate = None
        both.connect()
        both.settle()
        self.assertEqual(waiting.value, "lrs")

    def test_observersAfterReconnection(self) -> None:
        """
        After another connection anything may have changed; after the first
        there is nothing to be told.
        """
        both = joined(connect=False)
        noting = Noting()
        both.remote.observe(noting)
        both.connect()
        both.settle()
        self.assertEqual(noting.told, [])
        both.remote.disconnect()
        both.settle()
        both.connect()
        both.settle()
        self.assertEqual(noting.told, ["everything"])

    def test_deadline(self) -> None:
        """
        A store that does not answer is given up a little after the deadline,
        and told so.
        """
        both = joined(IpcLimits(poll_interval=0, deadline=10, grace=2))
        gate = both.store.gate = Deferred()
        outcome = both.start(both.remote.rights("ann", "Sent"))
        both.settle()
        both.clock.advance(11.5)
        self.assertFalse(outcome.done)
        both.clock.advance(1.5)
        both.settle()
        self.assertIs(outcome.error, StoreUnavailable)
        gate.callback(None)
        both.settle()
        self.assertEqual(both.remote.calls, 0)

    def test_noDeadlineForAConsumer(self) -> None:
        """
        A consumer may take its time between batches.
        """
        both = joined(IpcLimits(poll_interval=0, deadline=10, grace=2, window=2))
        both.store.batches = [b"x"] * 6
        stream = both.remote.search("ann", 1, EVERY)
        for _ in range(6):
            outcome = both.start(_next(stream))
            both.settle()
            self.assertEqual(outcome.value, b"x")
            for _ in range(30):
                both.clock.advance(1)
        both.settle()

    def test_closed(self) -> None:
        """
        Closing fails what is under way and what comes after; it can be repeated.
        """
        both = joined(IpcLimits(poll_interval=0, max_calls=1))
        both.store.gate = Deferred()
        outcomes = [both.start(both.remote.rights("ann", "x")) for _ in range(2)]
        for _ in range(2):
            self.assertIsNone(both.start(both.remote.close()).value)
        both.settle()
        outcomes.append(both.start(both.remote.rights("ann", "x")))
        self.assertEqual([each.error for each in outcomes], [StoreUnavailable] * 3)
        self.failureResultOf(both.remote.whenReady(), StoreUnavailable)


class ChangeTests(SynchronousTestCase):
    """
    Word of changes.
    """

    def test_beforeTheReply(self) -> None:
        """
        A change is told before the answer to the request that made it.
        """
        both = joined()
        noting = Noting()
        both.remote.observe(noting)

        async def change() -> list[object]:
            await both.remote.subscribe("ann", "x")
            return list(noting.told)

        outcome = both.start(change())
        both.settle()
        self.assertEqual(outcome.value, [(7, "ann")])

    def test_unobserve(self) -> None:
        """
        Who no longer observes is told no more.
        """
        both = joined()
        noting = Noting()
        both.remote.observe(noting)
        both.remote.unobserve(noting)
        both.remote.unobserve(noting)
        both.store.observers[0].folderChanged(1, "")
        both.settle()
        self.assertEqual(noting.told, [])


class UploadTests(SynchronousTestCase):
    """
    Messages on their way in.
    """

    LIMITS = IpcLimits(poll_interval=0, inline_upload=100, upload_piece=64)

    def test_inline(self) -> None:
        """
        A short message travels in its append request; the store is asked
        beforehand whether it would take it.
        """
        both = joined(self.LIMITS)

        async def deliver() -> object:
            upload = await both.remote.upload("ann", "Sent", 10)
            verifyObject(IUpload, upload)
            await upload.write(b"12345")
            await upload.write(b"67890")
            return await both.remote.append("ann", "Sent", (NewMessage(upload.token),))

        outcome = both.start(deliver())
        both.settle()
        self.assertEqual(outcome.value.uids, (1,))
        self.assertEqual(both.store.appended, [(NewMessage(b"1234567890"),)])
        [trial] = both.store.uploads.values()
        self.assertEqual((trial.data, trial.discarded), (b"", 1))

    def test_askedOnce(self) -> None:
        """
        A folder that took a message is not asked again for a while; one that
        refused a message is.
        """
        both = joined(self.LIMITS)

        async def deliver() -> int:
            upload = await both.remote.upload("ann", "Sent", 1)
            await upload.write(b"x")
            await both.remote.append("ann", "Sent", (NewMessage(upload.token),))
            return len(both.store.uploads)

        def asked() -> object:
            outcome = both.start(deliver())
            both.settle()
            return outcome.value

        self.assertEqual(asked(), 1)
        self.assertEqual(asked(), 1)
        both.clock.advance(WELCOME + 1)
        self.assertEqual(asked(), 2)

    def test_inlineIncomplete(self) -> None:
        """
        An incomplete short message is refused, as the store would.
        """
        both = joined(self.LIMITS)

        async def deliver() -> object:
            upload = await both.remote.upload("ann", "Sent", 10)
            await upload.write(b"12345")
            return await both.remote.append("ann", "Sent", (NewMessage(upload.token),))

        outcome = both.start(deliver())
        both.settle()
        self.assertIs(outcome.error, InvalidRequest)

    def test_refusedBeforehand(self) -> None:
        """
        A short message that the store would not take is refused when it is announced.
        """
        both = joined(self.LIMITS)
        both.store.error = PermissionDenied("no")
        outcome = both.start(both.remote.upload("ann", "Sent", 10))
        both.settle()
        self.assertIs(outcome.error, PermissionDenied)

    def test_inPieces(self) -> None:
        """
        A long message goes to the store piece by piece.
        """
        both = joined(self.LIMITS)
        data = bytes(range(256)) * 4

        async def deliver() -> object:
            upload = await both.remote.upload("ann", "Sent", len(data))
            verifyObject(IUpload, upload)
            await upload.write(data[:700])
            await upload.write(data[700:])
            return await both.remote.append("ann", "Sent", (NewMessage(upload.token),))

        outcome = both.start(deliver())
        both.settle()
        self.assertEqual(outcome.value.uids, (1,))
        [upload] = both.store.uploads.values()
        self.assertEqual((upload.data, upload.discarded), (data, 0))
        self.assertEqual(both.store.appended, [(NewMessage(upload.token),)])
        self.assertEqual(both.server.front_ends[0].uploads, 0)

    def test_longBytes(self) -> None:
        """
        Of messages handed over whole, those that do not fit into the request
        are brought in by pieces.
        """
        both = joined(IpcLimits(poll_interval=0, max_request=8192, inline_upload=10, upload_piece=64))
        contents = (b"a" * 3000, b"b" * 3000, b"c" * 500)
        outcome = both.start(both.remote.append("ann", "x", tuple(NewMessage(each) for each in contents)))
        both.settle()
        self.assertEqual(outcome.value.uids, (1, 2, 3))
        [upload] = both.store.uploads.values()
        self.assertEqual(
            both.store.appended,
            [(NewMessage(contents[0]), NewMessage(upload.token), NewMessage(contents[2]))],
        )
        self.assertEqual((upload.data, upload.discarded), (contents[1], 0))

    def test_discard(self) -> None:
        """
        An upload thrown away is thrown away at the store, and cannot be named.
        """
        both = joined(self.LIMITS)
        for size in (10, 1000):
            outcome = both.start(both.remote.upload("ann", "Sent", size))
            both.settle()
            upload = outcome.value
            upload.discard()
            upload.discard()
            outcome = both.start(both.remote.append("ann", "Sent", (NewMessage(upload.token),)))
            both.settle()
            self.assertIs(outcome.error, InvalidRequest)
        self.assertEqual([each.discarded for each in both.store.uploads.values()], [1, 1])

    def test_abandonedOpening(self) -> None:
        """
        An upload that nobody waits for any more when it is open is thrown away.
        """
        for turns in range(8):
            both = joined(self.LIMITS)
            outcome = both.start(both.remote.upload("ann", "Sent", 1000))
            both.turn(turns)
            outcome.deferred.cancel()
            both.settle()
            if outcome.error is not None:
                self.assertEqual(
                    [each.discarded for each in both.store.uploads.values() if not each.discarded], []
                )
                self.assertEqual(both.server.front_ends[0].uploads, 0)

    def test_usedUpOnFailure(self) -> None:
        """
        An append that fails on its way uses its uploads up.
        """
        both = joined(self.LIMITS)
        upload = both.start(both.remote.upload("ann", "Sent", 1000))
        both.settle()
        both.store.error = NoSuchFolder("gone")
        outcome = both.start(both.remote.append("ann", "Sent", (NewMessage(upload.value.token),)))
        both.settle()
        self.assertIs(outcome.error, NoSuchFolder)
        self.assertEqual(both.server.front_ends[0].uploads, 0)
        again = both.start(both.remote.append("ann", "Sent", (NewMessage(upload.value.token),)))
        self.assertIs(again.error, InvalidRequest)

    def test_ofAnother(self) -> None:
        """
        Nobody can store, or use up, what another user has handed in.
        """
        both = joined(self.LIMITS)
        for size in (0, 1000):
            upload = both.start(both.remote.upload("ann", "Sent", size))
            both.settle()
            messages = (NewMessage(upload.value.token),)
            self.assertIs(both.start(both.remote.append("bob", "Sent", messages)).error, InvalidRequest)
            outcome = both.start(both.remote.append("ann", "Sent", messages))
            both.settle()
            self.assertEqual(outcome.value.uids, (1,))

    def test_lostWithTheChannel(self) -> None:
        """
        Uploads do not outlive their channel, at either end.
        """
        both = joined(self.LIMITS)
        upload = both.start(both.remote.upload("ann", "Sent", 1000))
        both.settle()
        both.remote.disconnect()
        both.settle()
        self.assertEqual([each.discarded for each in both.store.uploads.values()], [1])
        both.connect()
        both.settle()
        self.assertIs(both.start(upload.value.write(b"x")).error, StoreUnavailable)
        outcome = both.start(both.remote.append("ann", "Sent", (NewMessage(upload.value.token),)))
        self.assertIs(outcome.error, StoreUnavailable)
        upload.value.discard()

    def test_tooMany(self) -> None:
        """
        A channel has a bounded number of uploads.
        """
        both = joined(IpcLimits(poll_interval=0, inline_upload=0, max_uploads=2))
        outcomes = [both.start(both.remote.upload("ann", "Sent", 1000)) for _ in range(3)]
        both.settle()
        self.assertIs(outcomes[2].error, LimitReached)

    def test_manyShort(self) -> None:
        """
        More short messages than a front end keeps go piece by piece.
        """
        both = joined(IpcLimits(poll_interval=0, max_inline_uploads=2))
        outcomes = [both.start(both.remote.upload("ann", "Sent", 10)) for _ in range(4)]
        both.settle()
        self.assertEqual(both.server.front_ends[0].uploads, 2)
        for each in outcomes:
            each.value.discard()
        both.settle()
        self.assertEqual(both.server.front_ends[0].uploads, 0)


async def _next(stream: object) -> object:
    return await anext(stream)  # type: ignore[call-overload]
