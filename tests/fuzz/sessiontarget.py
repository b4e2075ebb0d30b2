"""
Two clients at once: sessions that are cut up, put together otherwise, and now and then damaged.
"""

from __future__ import annotations

import random
from typing import cast

from mailstore.imap.wire.framer import CommandReceived, Framer, LiteralAnnounced
from mailstore.model import SYSTEM, NewMessage
from tests.fuzz.client import FuzzClient
from tests.fuzz.connectiontarget import ConnectionTarget
from tests.fuzz.examples import COMMAND_TOKENS
from tests.fuzz.hearing import Hearing
from tests.fuzz.mutation import Mutator
from tests.fuzz.sessions import Step, sessions, steps
from tests.fuzz.target import check
from tests.imap import support

#: What is between the steps of an input.
_BETWEEN = b"\x1e"

#: Steps of one input.
_MOST_STEPS = 30

#: Messages in each folder at first.
_MESSAGES = 5

#: Inputs in an era, over which folders fill.
_ERA = 20


class SessionTarget(ConnectionTarget):
    """
    Whatever two clients do in turn, neither is told of a message that it cannot know, or loses one while it
    counts; at the end what each knows is so, and the server holds nothing of them.
    """

    name = "session"
    era = _ERA

    def __init__(self) -> None:
        super().__init__()
        self._mutator = Mutator(steps(), COMMAND_TOKENS, 600)

    def renew(self) -> None:
        """
        A new server, with some messages in every folder.
        """
        super().renew()
        messages = tuple(NewMessage(b"Subject: %d\r\n\r\nx\r\n" % each) for each in range(_MESSAGES))
        for folder in ("Other Users/alice/INBOX", "Other Users/bob/INBOX", "Public Folders/Fuzz"):
            self._server.result(self._server.engine.append(SYSTEM, folder, messages))

    def make(self, rng: random.Random) -> bytes:
        """
        Steps: who, and a command.
        """
        made: list[Step] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            session = rng.choice(sessions())
            start = rng.randrange(len(session)) if rng.random() < 0.3 else 0
            made += session[start:]
        if rng.random() < 0.5:
            for _ in range(rng.randrange(1, 4)):
                self._change(made, rng)
        return _BETWEEN.join(who + command for who, command in made[:_MOST_STEPS])

    def _change(self, made: list[Step], rng: random.Random) -> None:
        at = rng.randrange(len(made))
        who, command = made[at]
        what = rng.randrange(6)
        if what == 0 and len(made) > 1:
            del made[at]
        elif what == 1:
            made.insert(rng.randrange(len(made)), made[at])
        elif what == 2:
            made[at] = (b"B" if who == b"A" else b"A", command)
        elif what == 3:
            made.insert(at, (who, rng.choice(steps())))
        elif what == 4:
            made[at] = (who, self._mutator.make(rng).replace(_BETWEEN, b""))
        else:
            other = rng.randrange(len(made))
            made[at], made[other] = made[other], made[at]

    def run(self, data: bytes, rng: random.Random) -> None:
        """
        Let both say what they have to say, one after the other.
        """
        talkers = {b"A": _Talker(self._signIn(b"alice")), b"B": _Talker(self._signIn(b"bob"))}
        for step in data.split(_BETWEEN):
            talker = talkers.get(step[:1])
            if talker is not None and not talker.client.gone:
                self._step(talker, step[1:], rng)
        for talker in talkers.values():
            if not talker.client.gone:
                self._settleUp(talker)
        for talker in talkers.values():
            talker.client.disconnect()
            self._server.clients.remove(talker.client)
        self._server.settle()
        check(not self._server.alarms, f"it was logged: {self._server.alarms!r}")
        check(self._server.factory.front.sessions == 0, "a session is left over")
        check(self._server.held == 0, "something is left in the queue to the store")

    def _signIn(self, user: bytes) -> FuzzClient:
        client = FuzzClient(cast(support.Server, self._server))
        self._server.clients.append(client)
        client.login(user)
        return client

    def _step(self, talker: _Talker, command: bytes, rng: random.Random) -> None:
        client, hearing = talker.client, talker.hearing
        if talker.idles:
            # Whatever is said now, only DONE ends it.
            heard = self._say(client, b"DONE\r\n", rng)
            hearing.hear(b"", heard, talker.tag)
            talker.idles = False
            if command.upper() == b"DONE":
                return
        unasked = self._heard(client)
        if unasked and hearing.notified:
            hearing.hear(b"", unasked, b"-")
            if client.gone:
                return
        elif unasked:
            check(b"* BYE " in unasked, f"it was said without being asked for: {unasked[-200:]!r}")
            return
        self._count += 1
        talker.tag = b"Q%d" % self._count
        heard = self._say(client, talker.tag + b" " + command + b"\r\n", rng)
        if client.gone:
            return
        if command.upper() == b"IDLE" and heard.startswith(b"+"):
            hearing.hear(b"", heard.split(b"\r\n", 1)[1], b"-")
            talker.idles = True
            return
        if _isOne(command) and b"\r\n" + talker.tag + b" " in b"\r\n" + heard:
            hearing.hear(command, heard, talker.tag)
            return
        hearing.forget()
        more = self._comesBack(client, b"P%d" % self._count)
        check(more != b"", "the next command was not understood")

    def _settleUp(self, talker: _Talker) -> None:
        """
        What the client has been told is so.
        """
        client, hearing = talker.client, talker.hearing
        if talker.idles:
            client.send(b"DONE\r\n")
            hearing.hear(b"", self._heard(client), talker.tag)
        for number, command in enumerate((b"NOOP", b"UID SEARCH ALL", b"NOOP")):
            tag = b"Z%d" % number
            client.send(tag + b" " + command + b"\r\n")
            heard = self._heard(client)
            status = hearing.hear(command, heard, tag)
            if b"\n* BYE " in b"\n" + heard:
                # Its folder was deleted.
                return
            check(status is not None, f"no answer to {command!r}: {heard[-200:]!r}")
            if number == 1 and status == b"OK" and hearing.messages is not None:
                found = heard.split(b"* SEARCH")[-1].split(b"\r\n")[0].split()
                if b"* SEARCH" in heard:
                    check(len(found) == hearing.messages, f"{hearing.messages} messages, and found {found!r}")


def _isOne(command: bytes) -> bool:
    """
    Whether it is one command, and not several or the beginning of one.
    """
    framer = Framer()
    framer.receive(b"x " + command + b"\r\n")
    whole = 0
    while (event := framer.next()) is not None:
        if isinstance(event, LiteralAnnounced):
            if event.synchronizing or not event.fits:
                return False
            framer.collectLiteral()
        elif isinstance(event, CommandReceived):
            whole += 1
        else:
            return False
    return whole == 1 and framer.buffered == 0


class _Talker:
    """
    A client, and what it knows.
    """

    def __init__(self, client: FuzzClient) -> None:
        self.client = client
        self.hearing = Hearing()
        self.idles = False
        self.tag = b"-"
