"""
A front end's end of one channel.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailstore.errors import StoreUnavailable, fromCode
from mailstore.ipc.calls import CallTable, agreedTerms, wantedTerms
from mailstore.ipc.codec import (
    Assembler,
    CodecError,
    Message,
    decodeChanged,
    decodeFailed,
    decodeWelcome,
    encode,
)
from mailstore.ipc.limits import IpcLimits
from mailstore.ipc.messages import MAGIC, PROTOCOL_VERSION, Changed, Control, Hello, Kind, Terms
from mailstore.ipc.outbox import Deferral, Outbox, Outgoing
from mailstore.ipc.pending import Call, Progress, StreamCall
from transports.interfaces import IChannel, IReceiver

#: Entries of each sort in one L{Control} message; it fits into the least C{max_request} there is.
_CONTROL_ENTRIES = 128


@implementer(IReceiver)
class Link:
    """
    The receiver at the front end's end of one channel, and the calls on it.

    @ivar channel: the channel, once L{opened} was told.
    @ivar terms: what was agreed; C{None} until the store has welcomed us.
    @ivar lost: it is over.
    """

    _log = Logger()

    def __init__(
        self,
        limits: IpcLimits,
        clock: IReactorTime,
        protocol: str,
        on_ready: Callable[[Link], None],
        on_room: Callable[[], None],
        on_changed: Callable[[Changed], None],
        on_lost: Callable[[Link], None],
    ) -> None:
        """
        @param protocol: what this front end speaks with its clients.
        @param on_ready: called once, when requests can be sent.
        @param on_room: called when there may be room for another request.
        @param on_changed: called with each word of changes.
        @param on_lost: called once, before the calls on it fail.
        """
        self._limits = limits
        self._clock = clock
        self._protocol = protocol
        self._on_ready = on_ready
        self._on_room = on_room
        self._on_changed = on_changed
        self._on_lost = on_lost
        self.channel: IChannel | None = None
        self.terms: Terms | None = None
        self.lost = False
        self._outbox: Outbox | None = None
        self._calls: CallTable[Call] = CallTable(wantedTerms(limits))
        self._assembler = Assembler()
        self._offered: tuple[Call, Outgoing] | None = None
        self._control = Deferral(self._renderControl)
        self._consumed: dict[int, StreamCall] = {}
        self._cancelled: dict[int, None] = {}
        self._discarded: dict[int, None] = {}
        self._timer: IDelayedCall | None = None
        self._tick = max(0.01, limits.grace / 2)

    @property
    def calls(self) -> int:
        """
        Requests without their final answer, wanted or not.
        """
        return len(self._calls)

    def opened(self, channel: IChannel) -> None:
        """
        The channel is open.

        @raise QueueTooSmall: it cannot carry the shortest messages; it was cut.
        """
        self.channel = channel
        try:
            self._outbox = Outbox(channel, self._on_room)
        except ValueError:
            channel.abort()
            self._lose()
            raise
        if self.lost:
            return
        self._timer = self._clock.callLater(self._limits.deadline + self._limits.grace, self._notWelcomed)
        hello = Hello(MAGIC, PROTOCOL_VERSION, wantedTerms(self._limits), self._protocol)
        self._outbox.put(Outgoing(Message(Kind.HELLO, 0, encode(hello))))

    # --- requests ---

    def isTooLong(self, call: Call) -> bool:
        """
        Whether the request is longer than was agreed.
        """
        return self.terms is not None and len(call.body) > self.terms.max_request

    def offer(self, call: Call) -> bool:
        """
        Try to send a request now.  Only one can be on offer; it stays so until
        it is admitted or withdrawn.

        @return: whether it was admitted at once.
        """
        outbox = self._outbox
        if self.terms is None or outbox is None or self.lost or self._offered is not None:
            return False
        if not self._calls.hasRoom(len(call.body)):
            return False
        call.number = self._calls.newId()
        outgoing = Outgoing(Message(Kind.REQUEST, call.number, call.body), self._admitted)
        self._offered = (call, outgoing)
        outbox.put(outgoing)
        return call.progress is not Progress.WAITING

    def withdraw(self, call: Call) -> None:
        """
        Take a request that is on offer back.
        """
        if self._offered is not None and self._offered[0] is call and self._outbox is not None:
            outgoing = self._offered[1]
            self._offered = None
            self._outbox.withdraw(outgoing)

    def cancel(self, call: Call) -> None:
        """
        Nobody wants the outcome of an admitted call any more.  It keeps its
        place until the store has answered.
        """
        call.unwanted = True
        call.expires = None
        if isinstance(call, StreamCall):
            call.abandon()
        if self._calls.get(call.number) is call:
            self._consumed.pop(call.number, None)
            self._cancelled[call.number] = None
            self._sendControl()

    def consumed(self, call: StreamCall) -> None:
        """
        Tell the store how many batches of a call were consumed.
        """
        if self._calls.get(call.number) is call and not call.unwanted:
            self._consumed[call.number] = call
            self._sendControl()

    def discard(self, token: int) -> None:
        """
        Throw an upload away.
        """
        if not self.lost:
            self._discarded[token] = None
            self._sendControl()

    def awaiting(self, call: Call) -> None:
        """
        Somebody waits for what comes next from a call that is admitted.
        """
        if call.progress is Progress.ADMITTED:
            call.expires = self._clock.seconds() + self._limits.deadline + self._limits.grace

    def brokenBy(self, error: CodecError) -> None:
        """
        The store broke the protocol: cut the channel.
        """
        if not self.lost:
            self._log.error("the store broke the protocol and is cut off: {reason}", reason=str(error))
            self.abort()

    def abort(self) -> None:
        """
        Cut the channel.  All calls fail.
        """
        if self.channel is not None:
            self.channel.abort()
        self._lose()

    # --- IReceiver ---

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver.messageReceived<transports.interfaces.IReceiver>}.
        """
        if self.lost:
            return
        try:
            whole = self._assembler.feed(message)
            if whole is not None:
                self._handle(whole)
        except CodecError as error:
            self.brokenBy(error)

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver.channelLost<transports.interfaces.IReceiver>}.
        """
        self._lose()

    # --- what arrives ---

    def _handle(self, message: Message) -> None:
        kind = message.kind
        if self.terms is None:
            self._welcomed(message)
        elif kind is Kind.BATCH:
            call = self._callOf(message)
            if call.batchArrived(message.body):
                call.expires = None
        elif kind is Kind.RESULT:
            call = self._callOf(message)
            result = call.decodeResult(message.body)
            self._over(call)
            call.resulted(result)
        elif kind is Kind.END:
            call = self._callOf(message)
            if not call.may_end:
                raise CodecError("no result for a request that has one")
            self._over(call)
            call.ended()
        elif kind is Kind.FAILED:
            call = self._callOf(message)
            failed = decodeFailed(message.body)
            self._over(call)
            call.failed(fromCode(failed.code, failed.message))
        elif kind is Kind.CHANGED:
            self._on_changed(decodeChanged(message.body))
        else:
            raise CodecError("a kind of message that a store does not send")

    def _welcomed(self, message: Message) -> None:
        if message.kind is not Kind.WELCOME:
            raise CodecError("a first message that is no welcome")
        welcome = decodeWelcome(message.body)
        if welcome.version != PROTOCOL_VERSION:
            raise CodecError(f"version {welcome.version} of the protocol, not {PROTOCOL_VERSION}")
        ours = wantedTerms(self._limits)
        if agreedTerms(ours, welcome.terms) != welcome.terms:
            raise CodecError("a welcome on terms that were not offered")
        self._stopTimer()
        self.terms = welcome.terms
        self._calls = CallTable(welcome.terms)
        self._assembler.bound = welcome.terms.max_reply
        self._on_ready(self)

    def _callOf(self, message: Message) -> Call:
        call = self._calls.get(message.call)
        if call is None:
            raise CodecError("an answer that nobody asked for")
        return call

    # --- the books ---

    def _admitted(self) -> None:
        """
        The request on offer has begun to leave.
        """
        assert self._offered is not None and self.terms is not None
        call, _ = self._offered
        self._offered = None
        self._calls.add(call.number, call, len(call.body))
        call.on = self
        call.admitted(self.terms.window)
        if isinstance(call, StreamCall) and not call.awaited:
            call.expires = None
        else:
            self.awaiting(call)
        if self._timer is None:
            self._timer = self._clock.callLater(self._tick, self._look)

    def _over(self, call: Call) -> None:
        """
        A call has its final answer.  Who stands in line for its place comes
        before what its caller does next.
        """
        number = call.number
        self._calls.remove(number)
        self._consumed.pop(number, None)
        self._cancelled.pop(number, None)
        self._on_room()

    def _look(self) -> None:
        """
        Give up what has waited too long.
        """
        self._timer = None
        now = self._clock.seconds()
        for call in self._calls:
            if call.expires is not None and call.expires <= now:
                call.failed(StoreUnavailable("the store did not answer in time"))
                self.cancel(call)
        if len(self._calls) and not self.lost:
            self._timer = self._clock.callLater(self._tick, self._look)

    def _sendControl(self) -> None:
        if self._outbox is not None and not self.lost:
            self._outbox.putLater(self._control, urgent=True)

    def _renderControl(self) -> Message | None:
        credits: list[tuple[int, int]] = []
        while self._consumed and len(credits) < _CONTROL_ENTRIES:
            number, call = self._consumed.popitem()
            batches = call.report()
            if batches:
                credits.append((number, batches))
        cancelled = _take(self._cancelled)
        discarded = _take(self._discarded)
        if self._consumed or self._cancelled or self._discarded:
            self._sendControl()
        if not (credits or cancelled or discarded):
            return None
        return Message(Kind.CONTROL, 0, encode(Control(tuple(credits), cancelled, discarded)))

    # --- the end ---

    def _notWelcomed(self) -> None:
        self._timer = None
        self._log.error("the store did not welcome us in time")
        self.abort()

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _lose(self) -> None:
        if self.lost:
            return
        self.lost = True
        self._stopTimer()
        if self._outbox is not None:
            self._outbox.lose()
        self._offered = None
        self._consumed.clear()
        self._cancelled.clear()
        self._discarded.clear()
        calls = self._calls.clear()
        self._on_lost(self)
        for call in calls:
            call.expires = None
            call.failed(StoreUnavailable("the store went away before it answered"))


def _take(numbers: dict[int, None]) -> tuple[int, ...]:
    """
    Some of the numbers, which are then taken out.
    """
    taken = tuple(numbers)[:_CONTROL_ENTRIES]
    for each in taken:
        del numbers[each]
    return taken
