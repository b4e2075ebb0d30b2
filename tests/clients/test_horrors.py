"""
Messages made to be a nuisance, from APPEND to every FETCH that there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing import MailServer
from tests.clients.rawclient import RawClient
from tests.message.horrors import HORRORS
from tests.message.imapsyntax import Value, checkBody, checkEnvelope, read
from tests.message.mails import served

#: Parts of one message that are looked at.
_PARTS = 40

_ITEM = re.compile(rb"\* \d+ FETCH \(UID \d+ ([A-Z0-9.\[\]<>]+) (.*)\)\r\n", re.DOTALL)


class HorrorsTests(SynchronousTestCase):
    """
    L{HORRORS<tests.message.horrors>} at a server.
    """

    def setUp(self) -> None:
        """
        A server, somebody who files, and somebody who must not notice.
        """
        server = MailServer(users={"alice": "password", "bob": "password"})
        server.start()
        self.addCleanup(server.stop)
        self.client = self._client(server, b"alice")
        self.other = self._client(server, b"bob")

    def _client(self, server: MailServer, user: bytes) -> RawClient:
        client = RawClient(server.port)
        self.addCleanup(client.close)
        for command in (b"LOGIN " + user + b" password", b"SELECT INBOX"):
            self.assertIn(b" OK", client.command(command)[-1])
        return client

    def _fetch(self, uid: int, item: bytes) -> tuple[bytes, Value]:
        """
        One item of one message: its name in the answer, and its value.
        """
        answer = self.client.command(b"UID FETCH %d (%b)" % (uid, item))
        self.assertIn(b" OK", answer[-1], (item, answer[-1]))
        (match,) = [found for found in map(_ITEM.fullmatch, answer) if found]
        return match[1], read(match[2])

    def _append(self, message: bytes) -> int:
        """
        File it, while the other client asks for something, too.

        @return: its UID.
        """
        tag = self.client.begin(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
        self.assertIn(b" OK", self.other.command(b"NOOP")[-1])
        answer = self.client.finish(tag)[-1]
        code = re.search(rb" OK \[APPENDUID \d+ (\d+)\]", answer)
        assert code is not None, answer
        return int(code[1])

    def _leaves(self, structure: Value, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], int]]:
        """
        The parts that are no multiparts, with their octets.
        """
        if isinstance(structure[0], tuple):
            for number, part in enumerate(structure, 1):
                if not isinstance(part, tuple):
                    break
                yield from self._leaves(part, (*path, number))
            return
        path = path or (1,)
        yield path, structure[6]
        if structure[:2] == (b"message", b"rfc822"):
            inner = structure[8]
            yield from self._leaves(inner, path if isinstance(inner[0], tuple) else (*path, 1))

    def _look(self, name: str, message: bytes) -> int:
        """
        File it, and read everything of it.

        @return: the number of its parts that were looked at.
        """
        whole = served(message).replace(b"\0", b"\x80")
        uid = self._append(message)
        checkEnvelope(self._fetch(uid, b"ENVELOPE")[1])
        checkBody(self._fetch(uid, b"BODY")[1], False)
        structure = self._fetch(uid, b"BODYSTRUCTURE")[1]
        checkBody(structure, True)
        self.assertEqual(self._fetch(uid, b"RFC822.SIZE")[1], len(whole), name)
        self.assertEqual(self._fetch(uid, b"BODY.PEEK[]")[1], whole, name)
        header, text = (self._fetch(uid, b"BODY.PEEK[%b]" % each)[1] for each in (b"HEADER", b"TEXT"))
        self.assertEqual(header + text, whole, name)
        preview = self._fetch(uid, b"PREVIEW")[1] or b""
        self.assertLessEqual(len(preview.decode()), 200, name)
        looked = 0
        for path, size in self._leaves(structure):
            part = b".".join(b"%d" % each for each in path)
            self.assertEqual(len(self._fetch(uid, b"BODY.PEEK[%b]" % part)[1] or b""), size, (name, path))
            self._fetch(uid, b"BODY.PEEK[%b.MIME]" % part)
            looked += 1
            if looked == _PARTS:
                break
        return looked

    def test_everything(self) -> None:
        """
        Each is filed; everything that is said of it is well formed, and agrees; every part has the size
        that was promised.  SEARCH, SORT and THREAD go over them all, and another client is answered
        between them.
        """
        parts = sum(self._look(name, make()) for name, make in HORRORS.items())
        for command in (
            b"SEARCH TEXT nowhere BODY x",
            b"SEARCH HEADER Subject x",
            b"SORT (SUBJECT FROM DATE SIZE) UTF-8 ALL",
            b"THREAD REFERENCES UTF-8 ALL",
            b"THREAD ORDEREDSUBJECT UTF-8 ALL",
            b"FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE PREVIEW EMAILID)",
        ):
            self.assertIn(b" OK", self.client.command(command)[-1], command)
        self.assertGreater(parts, len(HORRORS))
        self.assertIn(b" OK", self.other.command(b"NOOP")[-1])
