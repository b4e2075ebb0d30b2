"""
The store in a process of its own: started, watched, and started again.

The child is told its configuration on its standard input, ended by a NUL byte:
so no store URL shows in a list of processes, and the child runs with what was
checked at the start even if the config file has changed meanwhile.  The pipe
stays open; when it ends, the parent is gone, and the child stops
(L{ParentWatch}).  So neither can outlive the other unnoticed.

On a second pipe the child says that it listens, and at which port if it chose
a free one (C{tcp:127.0.0.1:0}).  The front end connects only while its own child
listens (L{mailstore.ownstore}).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

import mailstore

#: Exit codes with which a child says that starting it again would be useless
#: (EX_USAGE, EX_UNAVAILABLE, EX_CONFIG of sysexits.h).
HOPELESS = frozenset((64, 69, 78))

#: Seconds before a dead child is started again: at first, and at most.
FIRST_DELAY, LAST_DELAY = 0.1, 10.0

#: Seconds after which a child that lives counts as healthy, and the next
#: death is followed by the first delay again.
HEALTHY_AFTER = 10.0

#: Seconds that a child has to stop when it is asked to.
STOP_WITHIN = 10.0

#: Ends the configuration on a child's standard input.
END = b"\0"

#: The descriptor on which a child says that it listens.
LISTENING_PIPE = 3

#: Bytes of the longest thing that it can say there.
_LONGEST_WORD = 16


def childArguments(twist_options: Sequence[str] = ()) -> list[str]:
    """
    The command line of a store's process.

    @param twist_options: options of C{twist} itself.
    """
    return [sys.executable, "-m", "twisted", *twist_options, "mailstore", "--role", "store", "--config", "-"]


def childEnvironment() -> dict[str, str]:
    """
    The parent's environment, with this very package first on the path.
    """
    home = str(Path(mailstore.__file__).parent.parent)
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


class _Child(ProcessProtocol):
    """
    One run of the child.
    """

    def __init__(
        self, config: bytes, listening: Callable[[int], None], ended: Callable[[Failure], None]
    ) -> None:
        self._config = config
        self._listening = listening
        self._ended = ended
        self._word = b""

    def connectionMade(self) -> None:
        """
        Started: tell it what to be.
        """
        if self.transport is not None:
            self.transport.write(self._config + END)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It listens: it has nothing else to say.
        """
        self._word = (self._word + data)[:_LONGEST_WORD]
        port, newline, _ = self._word.partition(b"\n")
        if newline and port.isdigit():
            self._listening(int(port))

    def processEnded(self, reason: Failure) -> None:
        """
        Over.
        """
        self._ended(reason)


class StoreProcess(Service):
    """
    Keeps a child process running that serves the store.

    @ivar starts: how often it was started.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        config: str,
        hopeless: Callable[[int], None],
        twist_options: Sequence[str] = (),
    ) -> None:
        """
        @param config: the child's configuration, as TOML.
        @param hopeless: told the exit code, when a child that was never
            ready ends with one that says it never will be; it has said why
            on standard error.
        @param twist_options: options of C{twist} itself, for the child.
        """
        self._reactor = reactor
        self._config = config.encode()
        self._hopeless = hopeless
        self._arguments = childArguments(twist_options)
        self._process: Any = None
        self._timer: Any = None
        self._stopped: Deferred[None] | None = None
        self._was_ready = False
        #: Where the child listens, if that is at a port; C{None} while it does not listen.
        self._listens_at: int | None = None
        self._waiters: list[Deferred[int]] = []
        self._delay = FIRST_DELAY
        self._started_at = 0.0
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """
        The child's process id; C{None} while there is none.
        """
        pid: int | None = None if self._process is None else self._process.pid
        return pid

    def startService(self) -> None:
        """
        Start the child.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._spawn()

    def ready(self) -> None:
        """
        The child has been seen to work: from now on its end is an accident, whatever its code.
        """
        self._was_ready = True

    def whenListening(self) -> Deferred[int]:
        """
        Fires when the child of this moment, or one that is started later, has
        said that it listens: with its port, or 0 if it listens at no port.
        """
        waiter: Deferred[int] = Deferred(lambda each: self._waiters.remove(each))
        self._waiters.append(waiter)
        self._tell()
        return waiter

    def stopService(self) -> Deferred[None] | None:
        """
        Stop the child, if need be by force.

        @return: fires when it is gone.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._process is None:
            return None
        self._stopped = Deferred()
        self._signal("TERM")
        self._timer = self._reactor.callLater(STOP_WITHIN, self._signal, "KILL")
        return self._stopped

    def _spawn(self) -> None:
        self._timer = None
        self.starts += 1
        self._started_at = self._reactor.seconds()
        self._process = self._reactor.spawnProcess(
            _Child(self._config, self._listening, self._ended),
            self._arguments[0],
            self._arguments,
            env=childEnvironment(),
            # Its standard output and error are ours.
            childFDs={0: "w", 1: 1, 2: 2, LISTENING_PIPE: "r"},
        )

    def _listening(self, port: int) -> None:
        self._listens_at = port
        self._tell()

    def _tell(self) -> None:
        if self._listens_at is not None:
            waiters, self._waiters = self._waiters, []
            for each in waiters:
                each.callback(self._listens_at)

    def _signal(self, name: str) -> None:
        try:
            self._process.signalProcess(name)
        except ProcessExitedAlready:
            pass

    def _ended(self, reason: Failure) -> None:
        self._process = None
        self._listens_at = None
        code = getattr(reason.value, "exitCode", None)
        if self._stopped is not None:
            if self._timer is not None and self._timer.active():
                self._timer.cancel()
            self._timer = None
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)
            return
        if not self.running:
            return
        if code in HOPELESS and not self._was_ready:
            self._hopeless(code)
            return
        if self._reactor.seconds() - self._started_at >= HEALTHY_AFTER:
            self._delay = FIRST_DELAY
        delay, self._delay = self._delay, min(self._delay * 2, LAST_DELAY)
        self.log.error(
            "The store's process ended ({why}); starting it again in {delay} s", why=_why(reason), delay=delay
        )
        self._timer = self._reactor.callLater(delay, self._spawn)


def _why(reason: Failure) -> str:
    signal = getattr(reason.value, "signal", None)
    if signal is not None:
        return f"signal {signal}"
    return f"exit code {getattr(reason.value, 'exitCode', '?')}"


def sayListening(pipe: int, port: int = 0) -> None:
    """
    The child's part: tell the parent, once, that it can connect.

    @param port: where to, if the child listens at a port.
    """
    try:
        os.write(pipe, b"%d\n" % port)
        os.close(pipe)
    except OSError:
        # The parent is gone; L{ParentWatch} sees to that.
        pass


@implementer(IReadDescriptor)
class ParentWatch:
    """
    Notices that the parent is gone: the pipe from it, which brings nothing
    more, ends.
    """

    def __init__(self, reactor: Any, descriptor: int, gone: Callable[[], object]) -> None:
        """
        @param gone: called once, when the parent is gone.
        """
        self._reactor = reactor
        self._descriptor = descriptor
        self._gone = gone

    def start(self) -> None:
        """
        Begin to watch.
        """
        self._reactor.addReader(self)

    def stop(self) -> None:
        """
        Watch no more.
        """
        self._reactor.removeReader(self)

    def fileno(self) -> int:
        """
        The pipe.
        """
        return self._descriptor

    def logPrefix(self) -> str:
        """
        What the reactor calls this in its log.
        """
        return "parent watch"

    def doRead(self) -> None:
        """
        Something came, or the end.
        """
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:
            data = b""
        if not data:
            self.connectionLost(None)

    def connectionLost(self, reason: object) -> None:
        """
        The end came.
        """
        self.stop()
        self._gone()


def readConfig(descriptor: int, largest: int) -> tuple[bytes, bool]:
    """
    Read a configuration up to its L{END} or the end of the file.

    @return: it, and whether a parent holds the other end of the pipe.
    """
    data = b""
    while len(data) <= largest:
        piece = os.read(descriptor, 65536)
        if not piece:
            return data, False
        data += piece
        if piece.endswith(END):
            return data[: -len(END)], True
    return data, False
