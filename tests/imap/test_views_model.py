"""
What clients believe of a folder that others change at the same time, against the truth.

Each client here knows nothing but what untagged responses tell it.  Commands of all of them
are under way at once, in a random order and at random moments; whenever everything has come to rest,
what each client has put together must be what a new session is told.
"""

from __future__ import annotations

import random
import re
from typing import cast

import attrs
from twisted.trial.unittest import SynchronousTestCase

from tests.imap import support
from tests.imap.wholeserver import WholeServer
from transports.limits import Limits

_FOLDER = b'"Public Folders/Shared"'
_OTHER = b'"Public Folders/Other"'

_NUMBERED = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)(?: \((.*)\))?", re.DOTALL)
_UID = re.compile(rb"UID (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")

_WORDS = (b"\\Seen", b"\\Flagged", b"\\Deleted", b"\\Answered", b"work", b"home")

#: Games played, and how often everything comes to rest in each of them.
_GAMES, _ROUNDS = 25, 12

#: Commands during which no number may change (RFC 9051 section 7.5.1).
_STEADY = (b"FETCH", b"STORE", b"SEARCH")


@attrs.define(eq=False)
class _Entry:
    """
    A message, as far as a client knows it.
    """

    uid: int = 0
    flags: frozenset[bytes] | None = None


class Believer:
    """
    A client that believes what it is told.
    """

    def __init__(self, server: WholeServer, name: str, user: bytes) -> None:
        self.name = name
        self.user = user
        self.client = support.Client(cast(support.Server, server))
        server.clients.append(self.client)
        self.client.login(user)
        self.entries: list[_Entry] = []
        self.running = b""
        self.idling = False
        #: Everything said and heard, for when it goes wrong.
        self.story: list[bytes] = []
        self._tag = 0
        self._heard = b""
        self.begin(b"SELECT " + _FOLDER)

    # --- saying -----------------------------------------------------------

    def begin(self, command: bytes) -> None:
        """
        Give a command, without letting the server do anything for it but read.
        """
        assert not self.running, "one at a time"
        self._tag += 1
        self.running = command
        if command.startswith(b"SELECT"):
            self.entries = []
        self.story.append(b"C: " + command)
        self._believe(command)
        self.client.protocol.dataReceived(b"T%d %s\r\n" % (self._tag, command))

    def _believe(self, command: bytes) -> None:
        """
        Who asks for silence does himself what he asks for.
        """
        silent = re.fullmatch(rb"(UID )?STORE (\S+) ([+-]?)FLAGS\.SILENT \((.*)\)", command)
        if silent is None:
            return
        flags = frozenset(silent[4].split())
        for entry in self._meant(silent[2], bool(silent[1])):
            if entry.flags is None:
                continue
            if silent[3] == b"+":
                entry.flags |= flags
            elif silent[3] == b"-":
                entry.flags -= flags
            else:
                entry.flags = flags

    def _meant(self, numbers: bytes, by_uid: bool) -> list[_Entry]:
        found = []
        for part in numbers.split(b","):
            low, _, high = part.partition(b":")
            wanted = range(int(low), int(high or low) + 1)
            for at, entry in enumerate(self.entries, 1):
                if (entry.uid if by_uid else at) in wanted:
                    found.append(entry)
        return found

    def done(self) -> None:
        """
        End IDLE.
        """
        assert self.idling
        self.idling = False
        self.story.append(b"C: DONE")
        self.client.protocol.dataReceived(b"DONE\r\n")

    # --- hearing ----------------------------------------------------------

    def listen(self) -> None:
        """
        Take in what has come.
        """
        self._heard += self.client.transport.value()
        self.client.transport.clear()
        while b"\r\n" in self._heard:
            line = self._heard
            end = 0
            while True:
                end = line.index(b"\r\n", end)
                literal = re.search(rb"\{(\d+)\}\Z", line[:end])
                if literal is None:
                    break
                end += 2 + int(literal[1])
                if len(line) < end or b"\r\n" not in line[end:]:
                    return
            self._heard = line[end + 2 :]
            self.story.append(b"S: " + line[:end])
            self._response(line[:end])

    def _response(self, line: bytes) -> None:
        tag = b"T%d " % self._tag
        if line.startswith(tag):
            assert self.running, "a reply that nobody waits for"
            reply = line.removeprefix(tag)
            assert reply.startswith((b"OK", b"NO [EXPUNGEISSUED]")), reply
            self.running = b""
            return
        if line.startswith(b"+ "):
            assert self.running == b"IDLE", line
            self.idling = True
            return
        numbered = _NUMBERED.fullmatch(line)
        if numbered is None:
            return
        number, kind, items = int(numbered[1]), numbered[2], numbered[3]
        assert self.running, "nothing may be said of a folder between commands"
        if kind == b"EXISTS":
            assert number >= len(self.entries), "EXISTS with fewer messages than before"
            self.entries += [_Entry() for _ in range(number - len(self.entries))]
        elif kind == b"EXPUNGE":
            assert not self.running.startswith(_STEADY), "EXPUNGE during " + self.running.decode()
            del self.entries[number - 1]
        elif kind == b"FETCH":
            self._fetched(self.entries[number - 1], items)

    def _fetched(self, entry: _Entry, items: bytes) -> None:
        uid, flags = _UID.search(items), _FLAGS.search(items)
        if uid is not None:
            assert entry.uid in (0, int(uid[1])), "another UID than before"
            entry.uid = int(uid[1])
        if flags is not None:
            entry.flags = frozenset(flags[1].split()) - {b"\\Recent"}

    def belief(self) -> list[tuple[int, tuple[bytes, ...]]]:
        """
        What it believes.
        """
        return [(entry.uid, tuple(sorted(entry.flags or ()))) for entry in self.entries]


class ViewsTests(SynchronousTestCase):
    """
    Three sessions of two users in one folder.
    """

    def _numbers(self, chance: random.Random, believer: Believer) -> bytes:
        at = sorted(chance.randint(1, len(believer.entries)) for _ in range(2))
        return b"%d:%d" % tuple(at) if chance.random() < 0.6 else b"%d" % at[0]

    def _command(self, chance: random.Random, believer: Believer) -> bytes:
        """
        Something that this client could well do now.
        """
        unknown = [at for at, entry in enumerate(believer.entries, 1) if not entry.uid or entry.flags is None]
        if unknown and chance.random() < 0.7:
            return b"FETCH %d:* (UID FLAGS)" % unknown[0]
        if not believer.entries or chance.random() < 0.15:
            mail = b"Subject: %d\r\n\r\ntext\r\n" % chance.randint(1, 99)
            return b"APPEND %s (%s) {%d+}\r\n%s" % (_FOLDER, chance.choice(_WORDS), len(mail), mail)
        numbers, prefix = self._numbers(chance, believer), b""
        known = [entry.uid for entry in believer.entries if entry.uid]
        if known and chance.random() < 0.4:
            prefix = b"UID "
            numbers = b"%d:%d" % tuple(sorted(chance.choice(known) for _ in range(2)))
        flags = b" ".join(chance.sample(_WORDS, chance.randint(1, 2)))
        sign, silent = chance.choice((b"+", b"-", b"")), chance.choice((b"", b".SILENT"))
        return chance.choice(
            (
                b"NOOP",
                b"CHECK",
                b"IDLE",
                b"EXPUNGE",
                b"SELECT " + _FOLDER,
                prefix + b"SEARCH FLAGGED",
                prefix + b"FETCH %s (FLAGS)" % numbers,
                prefix + b"FETCH %s (BODY[])" % numbers,
                prefix + b"COPY %s %s" % (numbers, chance.choice((_FOLDER, _OTHER))),
                prefix + b"MOVE %s %s" % (numbers, _OTHER),
                *([prefix + b"STORE %s %sFLAGS%s (%s)" % (numbers, sign, silent, flags)] * 8),
                *([b"UID EXPUNGE " + numbers] if prefix else []),
            )
        )

    def _truth(self, server: WholeServer, user: bytes) -> list[tuple[int, tuple[bytes, ...]]]:
        """
        What a new session is told.
        """
        new = Believer(server, "new", user)
        self._rest(server, [new])
        new.begin(b"UID FETCH 1:* (FLAGS)")
        self._rest(server, [new])
        new.client.disconnect()
        server.clients.remove(new.client)
        return new.belief()

    def _rest(self, server: WholeServer, believers: list[Believer]) -> None:
        server.settle()
        for each in believers:
            each.listen()

    def _play(self, seed: int, rounds: int) -> None:
        """
        One game; the same seed plays the same one again.
        """
        chance = random.Random(seed)
        # In every other one the channel is narrow, so that everything comes in pieces.
        queue = Limits(block_size=64, capacity=4) if seed % 2 else None
        server = WholeServer(self, ("Shared", "Other"), queue)
        people = [
            Believer(server, name, user)
            for name, user in (("ann", b"alice"), ("ben", b"bob"), ("cas", b"alice"))
        ]
        self._rest(server, people)
        try:
            for _ in range(rounds):
                self._round(chance, server, people)
        except Exception as error:
            told = "\n".join(
                f"{each.name}:\n" + "\n".join(line.decode("latin-1") for line in each.story[-40:])
                for each in people
            )
            raise AssertionError(f"seed {seed}: {error!r}\n{told}") from error
        self.assertEqual(server.alarms, [])
        server.shut()

    def _round(self, chance: random.Random, server: WholeServer, people: list[Believer]) -> None:
        for _ in range(chance.randint(1, 12)):
            each = chance.choice(people)
            if each.idling:
                each.done()
            elif not each.running:
                each.begin(self._command(chance, each))
            for _ in range(chance.choice((0, 0, 1, 2, 3, 5, 8, 20))):
                server.clock.turn()
                for listener in people:
                    listener.listen()
        self._rest(server, people)
        for each in people:
            if each.idling:
                continue  # It has been told of everything without asking.
            self.assertEqual(each.running, b"", each.name)
            each.begin(b"NOOP")
            self._rest(server, people)
        truth = {user: self._truth(server, user) for user in (b"alice", b"bob")}
        for each in people:
            known = [
                (uid, flags)
                for (uid, flags), entry in zip(truth[each.user], each.entries, strict=True)
                if entry.uid and entry.flags is not None
            ]
            believed = [
                (entry.uid, tuple(sorted(entry.flags)))
                for entry in each.entries
                if entry.uid and entry.flags is not None
            ]
            self.assertEqual(believed, known, each.name)

    def test_games(self) -> None:
        """
        Random games end with every client knowing the truth.
        """
        for seed in range(_GAMES):
            self._play(seed, _ROUNDS)
