"""
Tests for L{mailstore.supervisor}, without processes: those are in L{tests.test_topology}.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailstore.ownstore import OwnStore
from mailstore.supervisor import (
    END,
    FIRST_DELAY,
    HEALTHY_AFTER,
    LAST_DELAY,
    LISTENING_PIPE,
    STOP_WITHIN,
    ParentWatch,
    StoreProcess,
    childArguments,
    childEnvironment,
    readConfig,
    sayListening,
)
from transports.errors import CannotListen
from transports.interfaces import IReceiver, ITransport
from transports.limits import Limits
from transports.memory import MemoryTransport


class Process:
    """
    A child that was spawned.
    """

    pid = 4711

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.written = b""
        self.signals: list[str] = []
        self.gone = False

    def write(self, data: bytes) -> None:
        """
        From the parent.
        """
        self.written += data

    def signalProcess(self, name: str) -> None:
        """
        From the parent.
        """
        if self.gone:
            raise ProcessExitedAlready()
        self.signals.append(name)

    def end(self, reason: Exception) -> None:
        """
        End it.
        """
        self.gone = True
        self.protocol.processEnded(Failure(reason))


class Reactor(Clock):
    """
    Spawns nothing, and watches nothing, but says what it was asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Process] = []
        self.arguments: list[list[str]] = []
        self.readers: list[object] = []

    def spawnProcess(
        self, protocol: Any, program: str, args: list[str], env: dict[str, str], childFDs: dict[int, Any]
    ) -> Process:
        """
        See L{IReactorProcess}.
        """
        process = Process(protocol)
        self.processes.append(process)
        self.arguments.append(args)
        protocol.makeConnection(process)
        return process

    def addReader(self, reader: object) -> None:
        """
        See L{IReactorFDSet}.
        """
        self.readers.append(reader)

    def removeReader(self, reader: object) -> None:
        """
        See L{IReactorFDSet}.
        """
        if reader in self.readers:
            self.readers.remove(reader)


@implementer(IReceiver)
class Receiver:
    """
    Wants nothing.
    """

    def messageReceived(self, message: bytes) -> None:
        """
        See L{IReceiver}.
        """

    def channelLost(self, reason: Failure) -> None:
        """
        See L{IReceiver}.
        """


class StoreProcessTests(SynchronousTestCase):
    """
    L{StoreProcess}.
    """

    def setUp(self) -> None:
        """
        A service that was started.
        """
        self.reactor = Reactor()
        self.hopeless: list[int] = []
        self.service = StoreProcess(self.reactor, "[store]\n", self.hopeless.append, ["--log-level=debug"])
        self.service.startService()

    @property
    def child(self) -> Process:
        """
        The child that was started last.
        """
        return self.reactor.processes[-1]

    def die(self, code: int | None = None, signal: int | None = 9) -> None:
        """
        The child dies.
        """
        self.child.end(ProcessTerminated(code, None if code is not None else signal))

    def test_started(self) -> None:
        """
        The child is told its configuration on standard input, and the store's
        URL is not in its arguments.
        """
        self.assertEqual(self.child.written, b"[store]\n" + END)
        self.assertEqual(self.reactor.arguments, [childArguments(["--log-level=debug"])])
        self.assertIn("--log-level=debug", self.reactor.arguments[0])
        self.assertEqual(self.service.pid, 4711)

    def test_restarted(self) -> None:
        """
        A child that dies is started again, each time later, up to a limit.
        """
        delays = []
        for _ in range(12):
            self.die()
            self.assertIsNone(self.service.pid)
            before, started = self.reactor.seconds(), self.service.starts
            while self.service.starts == started:
                self.reactor.advance(FIRST_DELAY)
            delays.append(self.reactor.seconds() - before)
        self.assertAlmostEqual(delays[0], FIRST_DELAY)
        self.assertAlmostEqual(delays[1], 2 * FIRST_DELAY)
        self.assertAlmostEqual(delays[-1], LAST_DELAY)
        self.assertEqual(len(self.reactor.processes), 13)

    def test_healthyAgain(self) -> None:
        """
        After a child has lived for a while, the next death is followed by the
        first delay again.
        """
        for _ in range(4):
            self.die()
            self.reactor.pump([0.1] * 20)
        self.reactor.advance(HEALTHY_AFTER)
        self.die()
        self.reactor.advance(FIRST_DELAY)
        self.assertIsNotNone(self.service.pid)

    def test_hopeless(self) -> None:
        """
        A child that says it can never work is not started again.
        """
        self.die(78)
        self.assertEqual(self.hopeless, [78])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_oneThatWorkedIsNeverHopeless(self) -> None:
        """
        Once the store has worked, its end is an accident whatever its code.
        """
        self.service.ready()
        self.die(78)
        self.assertEqual(self.hopeless, [])
        self.reactor.advance(FIRST_DELAY)
        self.assertEqual(self.service.starts, 2)

    def test_otherCodes(self) -> None:
        """
        A child that ends before it was ready for no good reason is started again.
        """
        self.child.end(ProcessDone(None))
        self.reactor.advance(FIRST_DELAY)
        self.die(1)
        self.reactor.advance(2 * FIRST_DELAY)
        self.assertEqual((self.hopeless, self.service.starts), ([], 3))

    def test_listening(self) -> None:
        """
        A child that has said so listens, until it ends; who waits is told of the next one.
        """
        first, given_up = self.service.whenListening(), self.service.whenListening()
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)
        self.assertNoResult(first)
        self.child.protocol.childDataReceived(LISTENING_PIPE, b"0\n")
        self.successResultOf(first)
        self.successResultOf(self.service.whenListening())
        self.die()
        second = self.service.whenListening()
        self.reactor.advance(FIRST_DELAY)
        self.assertNoResult(second)
        self.child.protocol.childDataReceived(LISTENING_PIPE, b"0\n")
        self.successResultOf(second)

    def test_ownStore(self) -> None:
        """
        The way to the own store leads nowhere while the child does not listen.
        """
        transport = MemoryTransport(self.reactor, Limits())
        own = OwnStore(transport, self.service)
        self.assertTrue(verifyObject(ITransport, own))
        accepted: list[object] = []

        def accept(channel: object) -> Receiver:
            accepted.append(channel)
            return Receiver()

        self.successResultOf(transport.listen(accept))
        connecting = own.connect(Receiver())
        self.reactor.advance(1)
        self.assertEqual(accepted, [])
        self.child.protocol.childDataReceived(LISTENING_PIPE, b"0\n")
        self.reactor.advance(1)
        self.successResultOf(connecting)
        self.assertEqual(len(accepted), 1)
        self.failureResultOf(own.listen(lambda channel: Receiver()), CannotListen)

    def test_port(self) -> None:
        """
        A child that listens at a free port of its choice says at which, and there it is
        connected to; so does the next one.
        """
        transport: Any = MemoryTransport(self.reactor, Limits())
        self.successResultOf(transport.listen(lambda channel: Receiver()))
        transport.port = 0
        own = OwnStore(transport, self.service)
        for pieces in ((b"4012", b"3\n"), (b"50321\n",)):
            connecting = own.connect(Receiver())
            for piece in pieces:
                self.assertNoResult(connecting)
                self.child.protocol.childDataReceived(LISTENING_PIPE, piece)
            self.reactor.advance(0)
            self.successResultOf(connecting)
            self.assertEqual(b"%d\n" % transport.port, b"".join(pieces))
            self.die()
            self.reactor.advance(2 * FIRST_DELAY)

    def test_stopped(self) -> None:
        """
        A child is asked to stop; the service has stopped when it is gone, and
        starts no other.
        """
        stopped = self.service.stopService()
        assert stopped is not None
        self.assertEqual(self.child.signals, ["TERM"])
        self.assertNoResult(stopped)
        self.child.end(ProcessDone(None))
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_forced(self) -> None:
        """
        A child that does not stop is killed.
        """
        stopped = self.service.stopService()
        assert stopped is not None
        self.reactor.advance(STOP_WITHIN)
        self.assertEqual(self.child.signals, ["TERM", "KILL"])
        self.die()
        self.successResultOf(stopped)

    def test_stoppedWhileDead(self) -> None:
        """
        Between two children there is nothing to stop but the next start.
        """
        self.die()
        self.assertIsNone(self.service.stopService())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_goneAlready(self) -> None:
        """
        A child may die before it can be told to stop.
        """
        self.child.gone = True
        stopped = self.service.stopService()
        assert stopped is not None
        self.die()
        self.successResultOf(stopped)

    def test_environment(self) -> None:
        """
        The child finds the same code as the parent, whatever its working directory.
        """
        import mailstore

        first = childEnvironment()["PYTHONPATH"].split(os.pathsep)[0]
        self.assertTrue(os.path.samefile(os.path.join(first, "mailstore"), mailstore.__path__[0]))


class PipeTests(SynchronousTestCase):
    """
    The child's end of the pipe: L{readConfig} and L{ParentWatch}.
    """

    def setUp(self) -> None:
        """
        A pipe.
        """
        self.output, self.input = os.pipe()
        self.addCleanup(os.close, self.output)
        self.is_open = True

    def tearDown(self) -> None:
        """
        Close what is still open.
        """
        self.closeInput()

    def closeInput(self) -> None:
        """
        The parent goes away.
        """
        if self.is_open:
            self.is_open = False
            os.close(self.input)

    def test_fromParent(self) -> None:
        """
        A configuration that ends with the mark comes from a parent.
        """
        os.write(self.input, b"[store]\n" + END)
        self.assertEqual(readConfig(self.output, 100), (b"[store]\n", True))

    def test_fromFile(self) -> None:
        """
        One that ends with the file comes from a file.
        """
        os.write(self.input, b"[store]\n")
        self.closeInput()
        self.assertEqual(readConfig(self.output, 100), (b"[store]\n", False))

    def test_sayListening(self) -> None:
        """
        The child says so once; when nobody hears it any more, that is no error.
        """
        self.is_open = False
        sayListening(self.input)
        self.assertEqual((os.read(self.output, 10), os.read(self.output, 10)), (b"0\n", b""))
        sayListening(self.input)

    def test_sayPort(self) -> None:
        """
        The child that chose a port says which.
        """
        self.is_open = False
        sayListening(self.input, 40123)
        self.assertEqual((os.read(self.output, 10), os.read(self.output, 10)), (b"40123\n", b""))

    def test_bounded(self) -> None:
        """
        Not much more is read than was allowed.
        """
        os.write(self.input, b"x" * 1000)
        data, _ = readConfig(self.output, 100)
        self.assertEqual(len(data), 1000)

    def test_watch(self) -> None:
        """
        The end of the pipe is noticed once; anything else that comes is ignored.
        """
        reactor, gone = Reactor(), list[str]()
        watch = ParentWatch(reactor, self.output, lambda: gone.append("gone"))
        watch.start()
        self.assertEqual((reactor.readers, watch.fileno()), ([watch], self.output))
        os.write(self.input, b"hello")
        watch.doRead()
        self.assertEqual(gone, [])
        self.closeInput()
        watch.doRead()
        self.assertEqual((gone, reactor.readers), (["gone"], []))
