"""
A transport of your own, and the proof that it keeps the contract.

Two ends of one process are joined by two pipes.  Run it: the conformance suite
runs over it, and the last line says how that went.  The suite's use is the
class C{PipeConformanceTests} below.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.reporter import MinimalReporter
from twisted.trial.runner import TestLoader, TrialRunner
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from transports.building import BaseChannel, FrameReader, packFrames, packQuit
from transports.errors import CannotConnect, CannotListen, ChannelCorrupt
from transports.interfaces import IChannel, IListener, IReceiver, ITransport
from transports.limits import Limits
from transports.testing.conformance import TransportTestsMixin

#: Bytes asked for by one read, and given by one write.
SIZE = 1 << 16


@implementer(IReadDescriptor)
class PipeChannel(BaseChannel):
    """
    One end: reads from one pipe, writes into the other.
    """

    def __init__(self, reactor: Any, limits: Limits, place: str, incoming: int, outgoing: int) -> None:
        super().__init__(reactor, limits, place, close_deadline=1.0)
        self._fdset = reactor
        self._incoming = incoming
        self._frames = FrameReader(self._inbound, self._arrived)
        self._pen = Pen(self, outgoing)
        self._waiting: deque[bytes] = deque()
        self._unsent = b""
        self._quit_waits = False
        self._blocked = False
        for each in (incoming, outgoing):
            os.set_blocking(each, False)

    def _start(self, receiver: IReceiver) -> None:
        super()._start(receiver)
        self._fdset.addReader(self)

    # The medium, for BaseChannel

    def _transmit(self, message: bytes) -> None:
        self._waiting.append(message)
        self._schedule()

    def _settle(self) -> None:
        # Credit goes out with the next flush, which comes when the handlers have returned.
        pass

    def _announceQuit(self) -> None:
        self._quit_waits = True
        self._schedule()

    def _isFlushed(self) -> bool:
        return not (self._unsent or self._waiting or self._quit_waits or self._inbound.owed)

    def _flushMedium(self) -> None:
        if not self._blocked:
            self.write()

    def _releaseMedium(self, discard: bool) -> None:
        self._fdset.removeReader(self)
        self._fdset.removeWriter(self._pen)
        os.close(self._incoming)
        os.close(self._pen.outgoing)
        self._waiting.clear()

    # The pipes

    def write(self) -> None:
        """
        Write as much as the pipe takes; the window bounds how much waits here.
        """
        while self._reason is None and not self._isFlushed():
            if not self._unsent:
                credit = self._inbound.settle()
                self._unsent = packFrames(self._waiting, credit, SIZE) if self._waiting or credit else b""
                if self._quit_waits and not self._waiting:
                    self._quit_waits = False
                    self._unsent += packQuit(0)
            try:
                self._unsent = self._unsent[os.write(self._pen.outgoing, self._unsent) :]
            except BlockingIOError:
                self._blocked = True
                self._fdset.addWriter(self._pen)
                return
            except BrokenPipeError:
                # The peer has closed both of its ends: what it had written is read first, then its end.
                self._unsent, self._quit_waits = b"", False
                self._waiting.clear()
                return

    def writable(self) -> None:
        """
        The pipe takes more.
        """
        self._blocked = False
        self._fdset.removeWriter(self._pen)
        self.write()
        self._finishIfDrained()

    def doRead(self) -> None:
        """
        Something has arrived, or the peer is gone.
        """
        data = os.read(self._incoming, SIZE)
        if not data:
            self._mediumGone()
            return
        try:
            credit = self._frames.receive(data)
            if credit:
                self._credited(credit)
        except ChannelCorrupt as error:
            self._end(error, discard=True)
            return
        if self._frames.quits and not self._peer_quitting:
            self._peerQuits()
        # Delivers, flushes what the handlers have given back, and sees whether a close is done.
        self._schedule()

    def fileno(self) -> int:
        """
        What the reactor watches for reading.
        """
        return self._incoming

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor is being stopped.
        """
        self._mediumGone()

    def logPrefix(self) -> str:
        """
        What the reactor calls this in the log.
        """
        return self._place


@implementer(IWriteDescriptor)
class Pen:
    """
    The outgoing pipe, as the reactor watches it while it is full.
    """

    def __init__(self, channel: PipeChannel, outgoing: int) -> None:
        self.outgoing = outgoing
        self.doWrite = channel.writable
        self.connectionLost = channel.connectionLost
        self.logPrefix = channel.logPrefix

    def fileno(self) -> int:
        """
        What the reactor watches for writing.
        """
        return self.outgoing


@implementer(ITransport, IListener)
class PipeTransport:
    """
    Joins those who use the same object, of which one listens.
    """

    crosses_processes = False
    description = "pipe:"

    _log = Logger()

    def __init__(self, reactor: Any, limits: Limits) -> None:
        self.limits = limits
        self._reactor = reactor
        self._accept: Callable[[IChannel], IReceiver] | None = None

    def listen(self, accept: Callable[[IChannel], IReceiver]) -> Deferred[IListener]:
        """
        See L{ITransport.listen<transports.interfaces.ITransport>}.
        """
        if self._accept is not None:
            return fail(CannotListen("somebody listens already"))
        self._accept = accept
        return succeed(self)

    def stopListening(self) -> Deferred[None]:
        """
        See L{IListener.stopListening<transports.interfaces.IListener>}.
        """
        self._accept = None
        return succeed(None)

    def connect(self, receiver: IReceiver) -> Deferred[IChannel]:
        """
        See L{ITransport.connect<transports.interfaces.ITransport>}.
        """
        return maybeDeferred(self._connect, receiver)

    def _connect(self, receiver: IReceiver) -> IChannel:
        if self._accept is None:
            raise CannotConnect("nobody listens")
        (here, there), (back, forth) = os.pipe(), os.pipe()
        ours = PipeChannel(self._reactor, self.limits, self.description, here, forth)
        theirs = PipeChannel(self._reactor, self.limits, self.description, back, there)
        try:
            accepted = self._accept(theirs)
        except Exception:
            self._log.failure("a channel was not accepted")
            ours.abort()
            theirs.abort()
            raise CannotConnect("the listener failed") from None
        theirs._start(accepted)
        ours._start(receiver)
        return ours


class PipeConformanceTests(TransportTestsMixin, TestCase):
    """
    The whole of what it takes to run the suite.
    """

    impossible: ClassVar = {
        "ProcessTests": "the pipes are made in the process that uses both ends",
        "HostileTests": "nobody else can write into these pipes",
        "SharedMemoryTests": "it shares no memory",
        "CounterTests": "nothing that it sends is numbered",
    }

    def makeTransport(self, limits: Limits) -> ITransport:
        from twisted.internet import reactor

        return PipeTransport(reactor, limits)


def main() -> int:
    """
    Run the suite.

    @return: the exit code, 0 if every check passed.
    """
    loader: Any = TestLoader()
    with tempfile.TemporaryDirectory() as directory:
        runner = TrialRunner(MinimalReporter, workingDirectory=f"{directory}/trial", stream=io.StringIO())
        result: Any = runner.run(loader.loadClass(PipeConformanceTests))
    for case, failure in (*result.failures, *result.errors):
        print(f"{case.id()}: {failure.getErrorMessage()}", file=sys.stderr)
    passed, broken = result.successes, len(result.failures) + len(result.errors)
    print(f"a transport over pipes: {passed} checks passed, {broken} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
