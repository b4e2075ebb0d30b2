"""
The other process of L{transports.testing.conformance.ProcessTests}::

    python -m transports.testing.peer MODE DESCRIPTION

connects to a description and does what C{MODE} says: C{echo} what comes,
C{hold} it, C{flood} the other end with numbered messages, C{close} in order
after a hundred of them, or take everything and say nothing (C{sink}).
C{MODE,listen} listens there instead, and C{MODE,die=N} kills its own process at
the Nth line of Python that it runs after the channel was opened.

Without arguments it is a nursery, so that a test need not wait for an
interpreter to start each time.  It reads lines of JSON: for C{[MODE,
DESCRIPTION, DIRECTORY]} it forks a child that does the same, with a directory
for temporary files, and writes its process number; for a process number it
kills that child and writes the number again.  When there is nothing more to
read it kills those that are left.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from transports.description import transportFor
from transports.errors import QueueFull
from transports.interfaces import IChannel, IReceiver
from transports.testing._traffic import anyNumbered

#: Seconds after which a process that nobody ended ends itself.
LIFETIME = 120

#: Messages sent by C{close}.
LAST = 100

#: What C{hold} says when it has come so far.
HOLDING = b"holding"


@implementer(IReceiver)
class Peer:
    """
    Does what its mode says.
    """

    def __init__(self, mode: str, reactor: Any) -> None:
        self._mode = mode
        self._reactor = reactor
        self._number = 0
        self._lines = 0
        self._answers: deque[bytes] = deque()
        self._channel: IChannel | None = None

    def connected(self, channel: IChannel) -> None:
        """
        Begin.
        """
        self._channel = channel
        if self._lines:
            sys.settrace(self._trace)
        if self._mode == "hold":
            channel.pauseDelivery()
            channel.send(HOLDING)
        elif self._mode in ("flood", "close"):
            self._flood()

    def dieAfter(self, lines: int) -> None:
        """
        Kill this process when it has run so many lines with its channel.
        """
        self._lines = lines

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self._lines -= 1
            if not self._lines:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._trace

    def _flood(self) -> None:
        assert self._channel is not None
        most = self._channel.limits.max_message
        try:
            while self._mode == "flood" or self._number < LAST:
                self._channel.send(anyNumbered(self._number, most))
                self._number += 1
        except QueueFull as error:
            self._whenFree(error.needed, self._flood)
        else:
            self._channel.close()

    def _whenFree(self, blocks: int, act: Callable[[], None]) -> None:
        assert self._channel is not None
        # That the channel was lost is told by channelLost.
        self._channel.whenFree(blocks).addCallbacks(lambda _: act(), lambda _: None)

    def messageReceived(self, message: bytes) -> None:
        """
        Answer it, if that is what is asked for.
        """
        if self._mode == "echo":
            self._answers.append(message)
            if len(self._answers) == 1:
                self._answer()

    def _answer(self) -> None:
        assert self._channel is not None
        try:
            while self._answers:
                self._channel.send(self._answers[0])
                self._answers.popleft()
        except QueueFull as error:
            self._whenFree(error.needed, self._answer)

    def channelLost(self, reason: Failure) -> None:
        """
        The test is over.
        """
        self._reactor.stop()


def run(mode: str, description: str) -> int:
    """
    Be a peer until the channel is lost.

    @return: the exit code; not 0 if there was no channel.
    """
    from twisted.internet import reactor

    loop = cast(Any, reactor)
    what, *options = mode.split(",")
    peer = Peer(what, loop)
    for option in options:
        if option.startswith("die="):
            peer.dieAfter(int(option.removeprefix("die=")))
    transport = transportFor(description, loop)

    def accept(channel: IChannel) -> IReceiver:
        loop.callLater(0, peer.connected, channel)
        return peer

    code = 0

    def failed(failure: Failure) -> None:
        nonlocal code
        code = 1
        print(failure.getErrorMessage(), file=sys.stderr)
        loop.stop()

    def begin() -> None:
        opened: Deferred[Any]
        if "listen" in options:
            opened = transport.listen(accept)
        else:
            opened = transport.connect(peer).addCallback(peer.connected)
        opened.addErrback(failed)

    loop.callWhenRunning(begin)
    loop.callLater(LIFETIME, loop.stop)
    loop.run()
    return code


def beNursery() -> None:
    """
    Start and kill peers as standard input says.
    """
    # What every child needs, once; the reactor itself must be the child's own.
    import twisted.internet.default  # noqa: F401

    children: set[int] = set()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            if isinstance(request, int):
                child = request
                children.remove(child)
                _end(child)
            else:
                child = os.fork()
                if not child:
                    _beChild(*request)
                children.add(child)
            print(child, flush=True)
    finally:
        for child in children:
            _end(child)


def _end(child: int) -> None:
    # It has not been waited for before, so the number is still its own, dead or alive.
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _beChild(mode: str, description: str, directory: str) -> None:
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.close(null)
        os.environ["TMPDIR"] = directory
        code = run(mode, description)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> int:
    """
    See the module.
    """
    if len(sys.argv) == 1:
        beNursery()
        return 0
    if len(sys.argv) != 3:
        print("usage: python -m transports.testing.peer [MODE DESCRIPTION]", file=sys.stderr)
        return 2
    return run(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    sys.exit(main())
