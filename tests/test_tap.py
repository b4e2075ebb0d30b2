"""
Tests for L{mailstore.tap}: the command line, and whole processes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

from twisted.application.service import IService
from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase, TestCase

from mailstore.config import DEFAULT_LISTEN, Config, ConfigError
from mailstore.supervisor import childEnvironment
from mailstore.tap import Fate, Options, greeting, keepSteadyTime, makeService, partOf, twistOptions
from mailstore.topology import EX_CONFIG, EX_UNAVAILABLE, StartFailed


def parsed(*words: str) -> Options:
    """
    The options that these words are.
    """
    options = Options()
    options.parseOptions(list(words))
    return options


class OptionsTests(SynchronousTestCase):
    """
    From words to L{Part}.
    """

    def config(self, text: str) -> str:
        """
        The path of a config file with this text.
        """
        path: str = self.mktemp()
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_nothing(self) -> None:
        """
        Without options everything is as by default.
        """
        part = partOf(parsed())
        self.assertEqual((part.config, part.role, part.demo), (Config(), "all", False))
        self.assertIsNone(part.parent_pipe)

    def test_all(self) -> None:
        """
        Each option arrives; C{--listen} adds up.
        """
        part = partOf(
            parsed(
                "--store=sqlite:x.db",
                "--transport=unix:/s",
                "--listen=tcp:1",
                "--listen",
                "tcp:2",
                "--role=frontend",
            )
        )
        self.assertEqual(part.config.store_url, "sqlite:x.db")
        self.assertEqual(part.config.transport, "unix:/s")
        self.assertEqual(part.config.listen, ("tcp:1", "tcp:2"))
        self.assertEqual(part.role, "frontend")

    def test_commandLineWins(self) -> None:
        """
        What is said on the command line wins over the file, and what is not
        said there is taken from it.
        """
        path = self.config(
            '[store]\nurl="sqlite:file.db"\n[imap]\nlisten=["tcp:7"]\n[overload]\npatience=1\n'
        )
        part = partOf(parsed("--config", path, "--listen", "tcp:8"))
        self.assertEqual(part.config.store_url, "sqlite:file.db")
        self.assertEqual(part.config.listen, ("tcp:8",))
        self.assertEqual(part.config.ipc_limits.patience, 1.0)

    def test_demo(self) -> None:
        """
        A demo is for this machine only, whatever the file says, unless the
        command line says so; and it has a store of its own.
        """
        path = self.config('[imap]\nlisten=["tcp:7"]\n')
        self.assertEqual(partOf(parsed("--demo", "--config", path)).config.listen, (DEFAULT_LISTEN,))
        self.assertEqual(partOf(parsed("--demo", "--listen=tcp:9")).config.listen, ("tcp:9",))
        error = self.assertRaises(ConfigError, partOf, parsed("--demo", "--store=sqlite:x.db"))
        self.assertEqual(str(error), "--demo has a store of its own: leave out --store")

    def test_words(self) -> None:
        """
        A word that is no option is named.
        """
        error = self.assertRaises(UsageError, parsed, "serve")
        self.assertIn("'serve'", str(error))

    def test_twistOptions(self) -> None:
        """
        C{twist}'s own options are found for the child, and nothing else.
        """
        words = ["--log-level", "debug", "--log-file=x", "mailstore", "--demo", "--log-format=text"]
        self.assertEqual(twistOptions(words), ("--log-level=debug", "--log-file=x"))
        self.assertEqual(twistOptions(["-j2", "tests"]), ())
        self.assertEqual(twistOptions([]), ())

    def test_greeting(self) -> None:
        """
        A demo says where it is and who may come in.
        """
        text = greeting([(IPv4Address("TCP", "127.0.0.1", 1143), False), (UNIXAddress("/s"), False)])
        for each in ("127.0.0.1, port 1143", "alice and bob", "password password", "imap://", "/s"):
            self.assertIn(each, text)
        self.assertNotIn("TLS", text)

    def test_greetingWithTls(self) -> None:
        """
        A demo that can do TLS says by what its certificate is known.
        """
        text = greeting([(IPv4Address("TCP", "127.0.0.1", 1993), True)], "AA:BB")
        for each in ("IMAP over TLS at 127.0.0.1, port 1993", "imaps://", "STARTTLS", "AA:BB"):
            self.assertIn(each, text)

    def test_auth(self) -> None:
        """
        C{--auth} adds checkers, as other servers of Twisted have it; one that
        does not check passwords, or is unknown, is refused.
        """
        checkers = partOf(parsed("--auth", "memory:carol:secret", "--auth", "memory:dave:secret")).checkers
        self.assertEqual(len(checkers), 2)
        self.assertTrue(all(ICredentialsChecker.providedBy(each) for each in checkers))
        self.assertEqual(partOf(parsed()).checkers, ())
        for wrong in ("anonymous", "smoke:signals"):
            self.assertRaises(UsageError, parsed, "--auth", wrong)

    def test_helpAuth(self) -> None:
        """
        C{--help-auth} lists those that check passwords.
        """
        said = StringIO()
        self.patch(Options, "authOutput", said)
        self.assertRaises(SystemExit, parsed, "--help-auth")
        self.assertIn("unix", said.getvalue())
        self.assertNotIn("anonymous", said.getvalue())


class MakeServiceTests(SynchronousTestCase):
    """
    L{makeService}.
    """

    def test_service(self) -> None:
        """
        It makes a service, and starts nothing yet.
        """
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.assertTrue(IService.providedBy(makeService(parsed("--demo"))))

    def test_refused(self) -> None:
        """
        A configuration that cannot be used ends the process with one line.
        """
        said: list[str] = []
        self.patch(sys.modules["mailstore.tap"], "_say", said.append)
        error = self.assertRaises(SystemExit, makeService, parsed("--role=stor"))
        self.assertEqual(error.code, EX_CONFIG)
        self.assertEqual(said, ["unknown role 'stor'; did you mean 'store'?"])


class SteadyTimeTests(SynchronousTestCase):
    """
    L{keepSteadyTime}.
    """

    def test_steady(self) -> None:
        """
        Timers run by a clock that nobody can put back; those that are there already, by their own.
        """
        reactor = SelectReactor()
        self.addCleanup(reactor.removeAll)
        keepSteadyTime(reactor)
        before = time.monotonic()
        due = reactor.callLater(5, lambda: None).getTime()
        self.assertTrue(before + 5 <= due <= time.monotonic() + 5)
        fired: list[bool] = []
        reactor.callLater(0, fired.append, True)
        reactor.runUntilCurrent()
        self.assertEqual(fired, [True])
        clock = Clock()
        clock.callLater(1, lambda: None)
        keepSteadyTime(clock)
        self.assertEqual(clock.seconds(), 0)


class Reactor(Clock):
    """
    A reactor that runs, and can be stopped.
    """

    stopped = False

    def callWhenRunning(self, function: Callable[[], object]) -> None:
        """
        See L{IReactorCore}.
        """
        function()

    def stop(self) -> None:
        """
        See L{IReactorCore}.
        """
        self.stopped = True


class FateTests(SynchronousTestCase):
    """
    L{Fate}.
    """

    def test_failed(self) -> None:
        """
        The line is said, the reactor is stopped from outside the event at
        hand, and the exit code waits for the end.
        """
        said: list[str] = []
        self.patch(sys.modules["mailstore.tap"], "_say", said.append)
        reactor, at_exit = Reactor(), list[object]()
        fate = Fate(reactor, at_exit.append)
        fate.failed(Failure(StartFailed("the port is in use", 69)))
        self.assertEqual((said, fate.code, len(at_exit)), (["the port is in use"], 69, 1))
        self.assertFalse(reactor.stopped)
        reactor.advance(0)
        self.assertTrue(reactor.stopped)

    def test_unforeseen(self) -> None:
        """
        Any other failure is an exit code, too.
        """
        self.patch(sys.modules["mailstore.tap"], "_say", lambda message: None)
        fate = Fate(Reactor(), lambda function: None)
        fate.failed(Failure(ValueError("x")))
        self.assertEqual(fate.code, 1)


class Twist(ProcessProtocol):
    """
    A C{twist mailstore} process.

    @ivar ended: fires with its exit code when it and all its children are gone.
    """

    def __init__(self) -> None:
        self.process: Any = None
        self.output = b""
        self.errors = b""
        self.ended: Deferred[int | None] = Deferred()
        self._wanted: list[tuple[bytes, Deferred[None]]] = []

    def outReceived(self, data: bytes) -> None:
        """
        From its standard output.
        """
        self.output += data
        for wanted, waiter in self._wanted:
            if wanted in self.output and not waiter.called:
                waiter.callback(None)

    def errReceived(self, data: bytes) -> None:
        """
        From its standard error.
        """
        self.errors += data

    def said(self, wanted: bytes) -> Deferred[None]:
        """
        Wait until it has said this.
        """
        waiter: Deferred[None] = Deferred()
        self._wanted.append((wanted, waiter))
        self.outReceived(b"")
        return waiter

    def processEnded(self, reason: Failure) -> None:
        """
        It is gone, and nobody else holds its outputs.
        """
        self.ended.callback(getattr(reason.value, "exitCode", None))
        for _, waiter in self._wanted:
            if not waiter.called:
                waiter.errback(AssertionError(f"it ended: {self.errors.decode()}"))


class ProcessTests(TestCase):
    """
    Whole processes, as a person starts them.
    """

    def setUp(self) -> None:
        """
        A directory to run in.
        """
        self.directory = tempfile.mkdtemp(prefix="ms")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def twist(self, *words: str) -> Twist:
        """
        Start C{twist mailstore} with these words.
        """
        from twisted.internet import reactor

        spawner: Any = reactor
        protocol = Twist()
        arguments = [sys.executable, "-m", "twisted", "--log-file=log.json", "mailstore", *words]
        process = spawner.spawnProcess(
            protocol,
            sys.executable,
            arguments,
            # What a killed demo leaves behind goes away with the test.
            env={**childEnvironment(), "TMPDIR": self.directory},
            path=self.directory,
        )

        def end() -> Deferred[int | None]:
            try:
                process.signalProcess("KILL")
            except Exception:
                # It is gone already.
                pass
            return protocol.ended

        self.addCleanup(end)
        protocol.process = process
        return protocol

    async def test_refusals(self) -> None:
        """
        What cannot start, says why in one line, and ends with the right code:
        before and after the reactor has started, and in a child.
        """
        with open(os.path.join(self.directory, "bad.toml"), "w") as file:
            file.write("[stoer]\n")
        runs = [
            (("--config", "bad.toml"), EX_CONFIG, b"bad.toml: unknown table 'stoer'; did you mean 'store'?"),
            ((), EX_UNAVAILABLE, b"there is no store at mail.db: make one with 'mailstore init"),
            (
                ("--transport", f"unix:{self.directory}/s"),
                EX_UNAVAILABLE,
                b"there is no store at mail.db: make one with 'mailstore init",
            ),
        ]
        started = [(self.twist(*words), code, line) for words, code, line in runs]
        for process, code, line in started:
            self.assertEqual(await process.ended, code)
            self.assertTrue(process.errors.startswith(b"mailstore: " + line), process.errors)
            self.assertEqual(process.errors.count(b"\n"), 1, process.errors)

    async def test_demo(self) -> None:
        """
        A demo says how to connect, and ends when it is told to.
        """
        process = self.twist("--demo", "--listen", "tcp:0:interface=127.0.0.1")
        await process.said(b"(Ctrl-C)")
        self.assertIn(b"The demo speaks IMAP at 127.0.0.1, port ", process.output)
        process.process.signalProcess("TERM")
        await process.ended
        self.assertEqual(process.errors, b"")

    async def test_terminalClosed(self) -> None:
        """
        The end of its terminal is the end of a server, in order; nothing of a demo is left.
        """
        process = self.twist(
            "--demo", "--listen", "tcp:0:interface=127.0.0.1", "--transport", f"unix:{self.directory}/s"
        )
        await process.said(b"(Ctrl-C)")
        process.process.signalProcess("HUP")
        self.assertEqual(await process.ended, 0)
        self.assertEqual(process.errors, b"")
        self.assertEqual(os.listdir(self.directory), ["log.json"])

    async def test_killed(self) -> None:
        """
        When the supervisor is killed, the store's process ends by itself: all
        who hold their standard output are gone.
        """
        process = self.twist(
            "--demo", "--listen", "tcp:0:interface=127.0.0.1", "--transport", f"unix:{self.directory}/s"
        )
        await process.said(b"(Ctrl-C)")
        process.process.signalProcess("KILL")
        await process.ended
