"""
One front end, as the store sees it: its calls, its uploads, its view of changes.
"""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailstore.errors import DeadlineExpired, PermissionDenied, StoreError, StoreFault
from mailstore.interfaces import IStore, IStoreObserver
from mailstore.ipc.calls import CallTable, SendWindow, agreedTerms, wantedTerms
from mailstore.ipc.codec import (
    Assembler,
    CannotEncode,
    CodecError,
    Message,
    decodeAsked,
    decodeControl,
    decodeHello,
    encode,
)
from mailstore.ipc.intake import Intake
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.messages import (
    MAGIC,
    PROTOCOL_VERSION,
    PROTOCOLS,
    AnyRequest,
    Append,
    AskNews,
    Changed,
    CreateUser,
    Deliver,
    Failed,
    Kind,
    LargestMessage,
    ListUsers,
    Offer,
    OpenReceipt,
    OpenUpload,
    Terms,
    Welcome,
    WriteUpload,
)
from mailstore.ipc.methods import METHODS
from mailstore.ipc.outbox import Deferral, Outbox, Outgoing
from mailstore.ipc.rounds import Rounds
from mailstore.ipc.troubles import Troubles
from transports.interfaces import IChannel, IReceiver

#: Characters of an error's message that are sent.
_MAX_TEXT = 500

#: Requests that name no user.
_FOR_NOBODY = (ListUsers, LargestMessage, WriteUpload, Offer, OpenReceipt, Deliver)

#: What a client is told of a condition that the store was not written for.
_NEUTRAL = "the store met a condition it was not written for"


def _usersOf(request: AnyRequest) -> tuple[str, ...]:
    """
    Those for whom a request is.
    """
    if isinstance(request, AskNews):
        return tuple(each.user for each in request.watchers)
    return () if isinstance(request, _FOR_NOBODY) else (request.user,)


def _isInternal(user: str) -> bool:
    """
    Whether it is a name that no user has, however it is spelled.
    """
    return (user if user.isascii() else unicodedata.normalize("NFC", user)).startswith("#")


@coroutine
def _rest(
    work: Coroutine[Deferred[Any], Any, None], awaited: Deferred[Any]
) -> Generator[Deferred[Any], Any, None]:
    """
    What is left of some work that waits for something.
    """
    while True:
        try:
            result = yield awaited
        except BaseException as error:
            resume = partial(work.throw, error)
        else:
            resume = partial(work.send, result)
        try:
            awaited = resume()
        except StopIteration:
            return


@attrs.define(eq=False)
class _Call:
    """
    A request that has no final answer yet.
    """

    number: int
    request: AnyRequest
    #: When it is of no use any more to begin it.
    expires: float
    window: SendWindow
    iterator: AsyncGenerator[Any, None] | None = None
    begun: bool = False
    #: The store is working on it at this moment.
    running: bool = False
    #: It stands in line for its next slice.
    queued: bool = False
    #: Nobody waits for the answer.
    cancelled: bool = False


@implementer(IReceiver, IStoreObserver)
class FrontEnd:
    """
    The receiver at the store's end of one channel.

    @ivar protocol: what it speaks with its clients.
    """

    _log = Logger()

    def __init__(
        self,
        channel: IChannel,
        store: IStore,
        limits: IpcLimits,
        clock: IReactorTime,
        rounds: Rounds,
        troubles: Troubles,
        on_gone: Callable[[FrontEnd], None],
    ) -> None:
        """
        @param troubles: told of every request that failed.
        @param on_gone: called once, when the channel is lost.
        @raise QueueTooSmall: the channel cannot carry the shortest messages.
        """
        self.channel = channel
        self.protocol = PROTOCOLS[0]
        self._store = store
        self._limits = limits
        self._clock = clock
        self._rounds = rounds
        self._troubles = troubles
        self._on_gone = on_gone
        self._outbox = Outbox(channel, self._wake)
        self._assembler = Assembler()
        self._terms: Terms | None = None
        self._calls: CallTable[_Call] = CallTable(wantedTerms(limits))
        self._intake = Intake(store, limits.max_uploads)
        self._ready: deque[_Call] = deque()
        self._rested: deque[_Call] = deque()
        self._dirty: dict[tuple[int, str], None] = {}
        self._everything_dirty = False
        self._changed = Deferral(self._renderChanged)
        self._gone = False
        self._greeting: IDelayedCall | None = clock.callLater(limits.deadline, self._notGreeted)

    @property
    def calls(self) -> int:
        """
        Requests without their final answer.
        """
        return len(self._calls)

    @property
    def uploads(self) -> int:
        """
        Uploads open or being opened.
        """
        return len(self._intake)

    @property
    def backlog(self) -> int:
        """
        Bytes of answers that wait for room in the channel.
        """
        return self._outbox.backlog

    # --- IReceiver ---

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver.messageReceived<transports.interfaces.IReceiver>}.
        """
        if self._gone:
            return
        try:
            whole = self._assembler.feed(message)
            if whole is not None:
                self._handle(whole)
        except CodecError as error:
            self._log.error("a front end broke the protocol and is cut off: {reason}", reason=str(error))
            self.channel.abort()
            self._leave()

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver.channelLost<transports.interfaces.IReceiver>}.
        """
        self._leave()

    # --- IStoreObserver ---

    def folderChanged(self, folder: int, user: str) -> None:
        """
        See L{IStoreObserver.folderChanged<mailstore.interfaces.IStoreObserver>}.
        """
        if self._everything_dirty or self._gone:
            return
        self._dirty[folder, user] = None
        if len(self._dirty) > self._limits.max_dirty:
            self.everythingChanged()
        else:
            self._outbox.putLater(self._changed)

    def everythingChanged(self) -> None:
        """
        See L{IStoreObserver.everythingChanged<mailstore.interfaces.IStoreObserver>}.
        """
        if self._gone:
            return
        self._dirty.clear()
        self._everything_dirty = True
        self._outbox.putLater(self._changed)

    # --- Participant ---

    def beginRound(self) -> None:
        """
        See L{Participant.beginRound<mailstore.ipc.rounds.Participant>}.
        """
        self._ready.extend(self._rested)
        self._rested.clear()

    def runSlice(self) -> bool:
        """
        See L{Participant.runSlice<mailstore.ipc.rounds.Participant>}.
        """
        if not self._ready or self._isClogged():
            return False
        call = self._ready.popleft()
        call.queued = False
        self._run(call)
        return True

    def hasWork(self) -> bool:
        """
        See L{Participant.hasWork<mailstore.ipc.rounds.Participant>}.
        """
        return bool(self._ready or self._rested) and not self._isClogged()

    # --- what arrives ---

    def _handle(self, message: Message) -> None:
        if self._terms is None:
            self._greeted(message)
        elif message.kind is Kind.REQUEST:
            self._requested(message, self._terms)
        elif message.kind is Kind.CONTROL:
            self._controlled(message)
        else:
            raise CodecError("a kind of message that a front end does not send")

    def _greeted(self, message: Message) -> None:
        if message.kind is not Kind.HELLO:
            raise CodecError("a first message that is no greeting")
        hello = decodeHello(message.body)
        if hello.magic != MAGIC:
            raise CodecError("a greeting in another protocol")
        self._stopGreetingTimer()
        ours = wantedTerms(self._limits)
        if hello.version != PROTOCOL_VERSION:
            self._log.error(
                "a front end speaks version {theirs} of the protocol, not {ours}",
                theirs=hello.version,
                ours=PROTOCOL_VERSION,
            )
            self._put(Kind.WELCOME, 0, encode(Welcome(PROTOCOL_VERSION, ours)))
            self.channel.close()
            self._leave()
            return
        if hello.protocol in PROTOCOLS:
            self.protocol = hello.protocol
        terms = agreedTerms(ours, hello.terms)
        self._terms = terms
        self._calls = CallTable(terms)
        self._assembler.bound = terms.max_request
        self._put(Kind.WELCOME, 0, encode(Welcome(PROTOCOL_VERSION, terms)))
        self._store.observe(self)

    def _requested(self, message: Message, terms: Terms) -> None:
        asked = decodeAsked(message.body)
        call = _Call(
            number=message.call,
            request=asked.request,
            expires=self._clock.seconds() + asked.deadline,
            window=SendWindow(min(terms.window, asked.window)),
        )
        self._calls.add(message.call, call, len(message.body))
        self._queue(call)

    def _controlled(self, message: Message) -> None:
        control = decodeControl(message.body)
        for number, batches in control.credits:
            call = self._calls.get(number)
            if call is None:
                continue
            parked = call.window.free == 0
            call.window.give(batches)
            if parked and call.begun and not call.running:
                self._queue(call)
        for number in control.cancelled:
            call = self._calls.get(number)
            if call is not None and not call.cancelled:
                call.cancelled = True
                if not call.running:
                    self._queue(call)
        for token in control.discarded:
            self._intake.discard(token)

    # --- running calls ---

    def _isClogged(self) -> bool:
        return self._gone or self._outbox.backlog >= self._limits.max_backlog

    def _wake(self) -> None:
        if self.hasWork():
            self._rounds.wake(self)

    def _queue(self, call: _Call) -> None:
        if not call.queued:
            call.queued = True
            self._ready.append(call)
            self._wake()

    def _run(self, call: _Call) -> None:
        if call.cancelled:
            self._spawn(self._endCancelled(call))
            return
        if not call.begun:
            refusal = self._refusal(call)
            if refusal is not None:
                self._fail(call, refusal)
                return
            call.begun = True
        call.running = True
        iterate = METHODS[type(call.request)].iterate
        if iterate is None:
            self._spawn(self._answer(call))
            return
        if call.iterator is None:
            call.iterator = iterate(self._store, call.request)
        self._spawn(self._advance(call, call.iterator))

    def _refusal(self, call: _Call) -> StoreError | None:
        """
        Why a request is not even begun.
        """
        request = call.request
        if isinstance(request, (CreateUser, ListUsers)):
            return PermissionDenied("users are managed on the store's own machine only")
        if any(_isInternal(user) for user in _usersOf(request)):
            return PermissionDenied("no such user can come through a channel")
        if self._clock.seconds() > call.expires:
            return DeadlineExpired("the store did not come to the request in time")
        return None

    def _spawn(self, work: Coroutine[Deferred[Any], Any, None]) -> None:
        # Most work is done without waiting for anything, and needs nothing to wait with.
        try:
            first = work.send(None)
        except StopIteration:
            return
        except Exception:
            self._stumbled(Failure())  # type: ignore[no-untyped-call]
            return
        Deferred.fromCoroutine(_rest(work, first)).addErrback(self._stumbled)

    def _stumbled(self, failure: Failure) -> None:
        """
        A mistake of ours in the handling of a call: its front end must not wait for ever.
        """
        self._log.failure("Handling a request failed", failure)
        self.channel.abort()
        self._leave()

    def _invoke(self, request: AnyRequest) -> Awaitable[Any]:
        if isinstance(request, (OpenUpload, OpenReceipt)):
            return self._intake.open(request)
        if isinstance(request, WriteUpload):
            return self._intake.write(request)
        if isinstance(request, Append):
            return self._intake.append(request)
        if isinstance(request, Deliver):
            return self._intake.deliver(request)
        call = METHODS[type(request)].call
        assert call is not None
        return call(self._store, request)

    async def _answer(self, call: _Call) -> None:
        try:
            result = await self._invoke(call.request)
        except StoreError as error:
            self._fail(call, error)
            return
        except Exception:
            self._log.failure("A request failed in an unforeseen way")
            self._fail(call, StoreFault(_NEUTRAL))
            return
        if call.cancelled:
            if isinstance(call.request, (OpenUpload, OpenReceipt)):
                self._intake.discard(result)
            self._finish(call, Kind.END, b"")
            return
        body = self._bodyOf(result)
        if body is None:
            self._fail(call, StoreFault(_NEUTRAL))
        else:
            self._finish(call, Kind.RESULT, body)

    async def _advance(self, call: _Call, iterator: AsyncGenerator[Any, None]) -> None:
        try:
            batch = await anext(iterator, None)
        except StoreError as error:
            self._fail(call, error)
            return
        except Exception:
            self._log.failure("A request failed in an unforeseen way")
            self._fail(call, StoreFault(_NEUTRAL))
            return
        call.running = False
        if batch is None:
            self._finish(call, Kind.END, b"")
        elif call.cancelled or self._gone:
            await self._endCancelled(call)
        else:
            body = self._bodyOf(batch)
            if body is None:
                await self._free(iterator)
                self._fail(call, StoreFault(_NEUTRAL))
                return
            call.window.take()
            self._put(Kind.BATCH, call.number, body)
            if call.window.free and not call.queued and not self._gone:
                call.queued = True
                self._rested.append(call)
                self._wake()

    async def _endCancelled(self, call: _Call) -> None:
        if call.iterator is not None:
            call.running = True
            await self._free(call.iterator)
        self._finish(call, Kind.END, b"")

    async def _free(self, iterator: AsyncGenerator[Any, None]) -> None:
        try:
            await iterator.aclose()
        except Exception:
            self._log.failure("An iteration could not be given up in order")

    # --- what leaves ---

    def _bodyOf(self, value: object) -> bytes | None:
        """
        An answer's body; C{None}, and a line in the log, if it cannot be carried.
        """
        assert self._terms is not None
        try:
            body = encode(value)
        except CannotEncode:
            self._log.failure("The store gave an answer that no message can carry")
            return None
        if len(body) > self._terms.max_reply:
            self._log.error(
                "an answer of {size} bytes is longer than the {most} agreed",
                size=len(body),
                most=self._terms.max_reply,
            )
            return None
        return body

    def _fail(self, call: _Call, error: StoreError) -> None:
        self._troubles.met(error)
        text = str(error)[:_MAX_TEXT].encode("utf-8", "replace").decode()
        self._finish(call, Kind.FAILED, encode(Failed(error.code, text)))

    def _finish(self, call: _Call, kind: Kind, body: bytes) -> None:
        call.running = False
        if self._gone:
            return
        self._calls.remove(call.number)
        self._put(kind, call.number, body)

    def _put(self, kind: Kind, number: int, body: bytes) -> None:
        self._outbox.put(Outgoing(Message(kind, number, body)))

    def _renderChanged(self) -> Message:
        assert self._terms is not None
        everything, folders = self._everything_dirty, tuple(self._dirty)
        self._everything_dirty = False
        self._dirty.clear()
        body = encode(Changed(everything, folders))
        if len(body) > self._terms.max_reply:
            body = encode(Changed(True))
        return Message(Kind.CHANGED, 0, body)

    # --- the end ---

    def _notGreeted(self) -> None:
        self._greeting = None
        self._log.error("a front end did not greet and is cut off")
        self.channel.abort()
        self._leave()

    def _stopGreetingTimer(self) -> None:
        timer, self._greeting = self._greeting, None
        if timer is not None:
            timer.cancel()

    def _leave(self) -> None:
        """
        The channel is lost, or will be: free everything.
        """
        if self._gone:
            return
        self._gone = True
        self._stopGreetingTimer()
        self._store.unobserve(self)
        self._rounds.leave(self)
        self._outbox.lose()
        self._ready.clear()
        self._rested.clear()
        self._dirty.clear()
        self._intake.close()
        for call in self._calls.clear():
            if call.iterator is not None and not call.running:
                self._spawn(self._free(call.iterator))
        self._on_gone(self)
