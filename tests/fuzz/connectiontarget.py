"""
Whole sessions on a whole server, from the bytes of a client to the store and back.
"""

from __future__ import annotations

import random
import re
from typing import Final, cast

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits
from tests.fuzz.client import FuzzClient
from tests.fuzz.examples import COMMAND_TOKENS, COMMANDS
from tests.fuzz.mutation import Mutator
from tests.fuzz.target import Target, check
from tests.imap import support
from tests.imap.wholeserver import WholeServer

_LIMITS: Final = ImapLimits(
    login_delay=0.0,
    max_failures_per_address=1_000_000,
    max_discarded=5_000,
    max_line=1_000,
    max_literal=2_000,
)

_MAIL: Final = b"From: a@example.org\r\nSubject: mail\r\n\r\ntext\r\n"

#: What ends a line, a challenge or IDLE.
_END: Final = b"\r\n*\r\nDONE\r\n"

#: What is sent until a command is understood again: whatever literal has been announced, it is
#: longer than that or not worth reading.
_FILLINGS: Final = (b"", b"", b"y" * 300, b"y" * 2_000, *([b"y" * 40_000] * 3))

#: Bytes that one small command may be answered with.
_MOST_ANSWERED: Final = 1 << 20


class _Case(SynchronousTestCase):
    """
    What a server hangs its end on.
    """

    def runTest(self) -> None:
        """
        Nothing.
        """


class ConnectionTarget(Target):
    """
    Every command has one answer or the connection ends, the next one is understood, nothing is logged
    as a fault, and nothing is held of a command that is over.
    """

    name = "connection"
    era = 50

    def __init__(self) -> None:
        self._mutator = Mutator(COMMANDS, COMMAND_TOKENS, 1_500)
        self._case = _Case()
        self._client: FuzzClient | None = None
        self._count = 0

    def renew(self) -> None:
        """
        A new server, with one public folder.
        """
        self.close()
        self._server = WholeServer(self._case, ("Fuzz",), limits=_LIMITS)
        self._count = 0

    def close(self) -> None:
        """
        The server has given back everything.
        """
        self._client = None
        self._case.doCleanups()

    def make(self, rng: random.Random) -> bytes:
        """
        A command without its tag, and what has become of it.
        """
        return self._mutator.make(rng)

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        Send it with a tag, in pieces, and then a command that is right.
        """
        client = self._client
        if client is None or client.gone or rng.random() < 0.1:
            client = self._client = self._connect(rng)
        self._count += 1
        tag = b"Q%d" % self._count
        heard = self._say(client, tag + b" " + data + b"\r\n", rng)
        more = self._comesBack(client, b"P%d" % self._count)
        check(more != b"", "the next command was not understood")
        check(not self._server.alarms, f"it was logged: {self._server.alarms!r}")
        check(
            client.gone or client.protocol.connection.session.framer.buffered == 0,
            "something is kept of a command that is over",
        )
        check(self._server.held == 0, "something is left in the queue to the store")
        heard += more or b""
        check(len(heard) < _MOST_ANSWERED, f"the answer has {len(heard)} bytes")
        if b"\n" in data or b"\0" in data:
            return  # it may be several commands, and name the tags of others
        answers = re.findall(rb"(?:^|\n)" + tag + rb" ([^\r\n]*)\r\n", heard)
        check(more is None or len(answers) == 1, f"it was answered {heard!r}")
        for answer in answers:
            check(
                re.fullmatch(rb"(OK|NO|BAD) [\x20-\x7e]+", answer) is not None, f"not an answer: {answer!r}"
            )

    def _connect(self, rng: random.Random) -> FuzzClient:
        client = FuzzClient(cast(support.Server, self._server))
        self._server.clients.append(client)
        if rng.random() < 0.9:
            client.login()
            if rng.random() < 0.8:
                client.ask(b"APPEND INBOX {%d+}\r\n%b" % (len(_MAIL), _MAIL))
                client.ask(b"SELECT INBOX")
        return client

    def _say(self, client: FuzzClient, data: bytes, rng: random.Random) -> bytes:
        at = 0
        while at < len(data) and not client.gone:
            size = rng.choice([1, 7, len(data)])
            client.send(data[at : at + size])
            if rng.random() < 0.3:
                self._server.clock.turn()
            at += size
        return self._heard(client)

    def _heard(self, client: FuzzClient) -> bytes:
        self._server.settle()
        return client.take()

    def _comesBack(self, client: FuzzClient, probe: bytes) -> bytes | None:
        """
        @return: all that was heard until a command was understood; C{None} if the connection has ended.
        """
        heard = b""
        for filling in _FILLINGS:
            if client.gone:
                return None
            client.send(filling + _END + probe + b" NOOP\r\n")
            heard += self._heard(client)
            if b"\r\n" + probe + b" OK " in b"\r\n" + heard:
                return heard
        return None if client.gone else b""
