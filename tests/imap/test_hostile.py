"""
Bytes that no client should send, through a whole server: nothing is ever logged as a fault, every
command has one answer or the connection ends, and the next command is understood.
"""

from __future__ import annotations

import random
import re
from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits
from tests.imap import support
from tests.imap.wholeserver import WholeServer

#: Commands that are right, or nearly so, to be made wrong.
_COMMANDS = (
    b"CAPABILITY",
    b"NOOP",
    b"CHECK",
    b"IDLE",
    b"CLOSE",
    b"UNSELECT",
    b"EXPUNGE",
    b"LOGOUT",
    b"NAMESPACE",
    b"STARTTLS",
    b"ENABLE UTF8=ACCEPT CONDSTORE",
    b'ID ("name" "x" "version" NIL)',
    b"LOGIN alice password",
    b'LOGIN "alice" {8+}\r\npassword',
    b"AUTHENTICATE PLAIN AGFsaWNlAHBhc3N3b3Jk",
    b"AUTHENTICATE PLAIN",
    b'LIST "" "*"',
    b'LIST "Public Folders/" %',
    b'LSUB "" *',
    b"SELECT INBOX",
    b'EXAMINE "Public Folders/Hostile"',
    b"CREATE New&AOk-/Sub",
    b"RENAME New Newer",
    b"DELETE {3+}\r\nNew",
    b"SUBSCRIBE INBOX",
    b"UNSUBSCRIBE inbox",
    b"STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)",
    b"APPEND INBOX (\\Seen work) {24+}\r\nSubject: x\r\n\r\ntext...\r\n\r\n",
    b'APPEND INBOX "01-Jan-2024 10:00:00 +0000" {5}\r\nA: b\n',
    b"FETCH 1:* (FLAGS UID ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)",
    b"FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT {2+}\r\nTo)]<0.10>",
    b"FETCH 1,2:3,* (BODY[1.2.MIME] BODY[TEXT] RFC822)",
    b"UID FETCH 1:4294967295 FULL",
    b"STORE 1:2 +FLAGS.SILENT (\\Deleted $x)",
    b"UID STORE 1 FLAGS (\\Seen)",
    b"COPY 1 INBOX",
    b'UID MOVE 1 "Public Folders/Hostile"',
    b"UID EXPUNGE 1:*",
    b'SEARCH OR (SEEN FROM "x") NOT BEFORE 1-Jan-2020 UID 1:* HEADER Subject ""',
    b"UID SEARCH CHARSET UTF-8 TEXT {3+}\r\nabc",
)

#: What is put into them.
_SPICES = (
    *(
        b"\0",
        b"\xff\xfe",
        b"\r",
        b"\n",
        b"\r\n",
        b"\\",
        b'"',
        b"(",
        b")",
        b"((((((((",
        b"{",
        b"}",
        b"{0}",
        b"{0+}",
    ),
    *(
        b"{3}\r\n",
        b"{3+}\r\nabc",
        b"~{3+}\r\nabc",
        b"{99999999999999999999+}\r\n",
        b"{65537}\r\n",
        b"{-1+}\r\n",
    ),
    *(
        b"*",
        b"%",
        b":",
        b",",
        b"0",
        b"4294967296",
        b"18446744073709551616",
        b" ",
        b"  ",
        b"NIL",
        b"[",
        b"]",
        b"<",
    ),
    *(b"&", b"&AA-", b"&2AA-", b"\xc3\xa9", b"\x7f", b"+", b"A" * 300, b"/" * 20, b"NOT " * 50, b"OR " * 50),
)

_MAIL = b"From: a@example.org\r\nSubject: mail\r\n\r\ntext\r\n"

#: Seeds played.
_SEEDS = 10

#: Commands of one seed.
_COUNT = 300


class HostileTests(SynchronousTestCase):
    """
    Mutated commands and random bytes.
    """

    def setUp(self) -> None:
        """
        A server that gives up a connection soon.
        """
        self.server = WholeServer(
            self, ("Hostile",), limits=ImapLimits(login_delay=0.0, max_discarded=10_000, max_line=2_000)
        )

    def _connect(self, chance: random.Random) -> support.Client:
        client = support.Client(cast(support.Server, self.server))
        self.server.clients.append(client)
        if chance.random() < 0.9:
            client.login()
            if chance.random() < 0.8:
                client.ask(b"APPEND INBOX {%d+}\r\n%s" % (len(_MAIL), _MAIL))
                client.ask(b"SELECT INBOX")
        return client

    def _mutated(self, chance: random.Random) -> bytes:
        data = chance.choice(_COMMANDS)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
            at, end = sorted(chance.randint(0, len(data)) for _ in range(2))
            way = chance.randint(0, 4)
            if way == 0:
                data = data[:at] + chance.choice(_SPICES) + data[at:]
            elif way == 1:
                data = data[:at] + data[min(end, at + 4) :]
            elif way == 2:
                data = data[:end] + data[at:end] + data[end:]
            elif way == 3:
                data = data[:at] + chance.randbytes(1 + end % 3) + data[at + 1 :]
            else:
                other = chance.choice(_COMMANDS)
                data = data[:at] + other[chance.randint(0, len(other)) :]
        return data

    def _say(self, chance: random.Random, client: support.Client, data: bytes) -> bytes:
        """
        Send it in some pieces.

        @return: what came back.
        """
        at = 0
        while at < len(data) and not client.gone:
            end = at + chance.choice((1, 7, len(data)))
            client.protocol.dataReceived(data[at:end])
            if chance.random() < 0.3:
                self.server.clock.turn()
            at = end
        return self._heard(client)

    def _heard(self, client: support.Client) -> bytes:
        self.server.settle()
        heard: bytes = client.transport.value()
        client.transport.clear()
        return heard

    def _comesBack(self, client: support.Client, probe: bytes) -> bytes | None:
        """
        End whatever the bytes before have begun: a line, a literal, IDLE, a challenge.

        @return: all that was heard until a command was understood, C{None} if
            the connection has ended.
        """
        heard = b""
        end = b"\r\n*\r\nDONE\r\n"
        for filling in (b"", b"", b"y" * 300, b"y" * 2_000, *([b"y" * 40_000] * 3)):
            if client.gone:
                return None
            client.protocol.dataReceived(filling + end + probe + b" NOOP\r\n")
            heard += self._heard(client)
            if b"\r\n" + probe + b" OK " in b"\r\n" + heard:
                return heard
        return None if client.gone else b""

    def _attack(self, seed: int) -> None:
        chance = random.Random(seed)
        client = self._connect(chance)
        said = b""
        for number in range(_COUNT):
            if client.gone:
                self.server.clients.remove(client)
                client = self._connect(chance)
            if chance.random() < 0.1:
                said = chance.randbytes(chance.randint(1, 60))
                heard = self._say(chance, client, said + b"\r\n")
                tag = None
            else:
                tag = b"Q%d" % number
                said = tag + b" " + self._mutated(chance)
                heard = self._say(chance, client, said + b"\r\n")
            more = self._comesBack(client, b"P%d" % number)
            self.assertNotEqual(more, b"", f"seed {seed}: not understood any more after {said!r}")
            self.assertEqual(self.server.alarms, [], f"seed {seed}: {said!r}")
            heard += more or b""
            if tag is not None:
                answers = re.findall(rb"(?:^|\n)" + tag + rb" ([^\r\n]*)\r\n", heard)
                if more is not None:
                    self.assertEqual(len(answers), 1, f"seed {seed}: {said!r} {heard!r}")
                for answer in answers:
                    self.assertRegex(answer, rb"\A(OK|NO|BAD) [\x20-\x7e]+\Z", f"seed {seed}: {said!r}")

    def test_mutations(self) -> None:
        """
        Commands made wrong at random places, in random pieces.
        """
        for seed in range(_SEEDS):
            self._attack(seed)
        for client in tuple(self.server.clients):
            client.disconnect()
        self.server.settle()
        self.assertEqual(self.server.factory.front.sessions, 0)
        (front_end,) = self.server.store.front_ends
        self.assertEqual((front_end.calls, front_end.uploads, self.server.remote.calls), (0, 0, 0))

    def test_noise(self) -> None:
        """
        Bytes that are no commands at all, before and after sign-in: the connection stays in step or ends.
        """
        chance = random.Random(7)
        for _ in range(60):
            client = self._connect(chance)
            noise = chance.randbytes(chance.choice((10, 500, 5_000)))
            self._say(chance, client, noise)
            self.assertNotEqual(self._comesBack(client, b"P"), b"", repr(noise))
            client.disconnect()
            self.server.clients.remove(client)
        self.assertEqual(self.server.alarms, [])
