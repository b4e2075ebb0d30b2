"""
One conversation with the server, over every transport: the answers are the same.
"""

from __future__ import annotations

import re
from functools import cache

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing import MailServer
from tests.channels import describe
from tests.clients.rawclient import RawClient

_MESSAGE = (
    b"Date: Mon, 2 Nov 2026 09:00:00 +0000\r\n"
    b"From: Ann <ann@example.org>\r\n"
    b"To: list@example.org\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n'
    b"\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nfirst part\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n"
    b"--b--\r\n"
)
_SECOND = b"Subject: second\r\n\r\n" + b"two " * 20_000 + b"\r\n"

#: Who says what: 0 is alice, 1 is bob.
_SCRIPT: tuple[tuple[int, bytes], ...] = (
    (0, b"CAPABILITY"),
    (0, b"SELECT INBOX"),
    (0, b"LOGIN alice wrong"),
    (0, b"LOGIN alice secret"),
    (1, b"LOGIN bob secret"),
    (0, b"NAMESPACE"),
    (0, b'LIST "" "*"'),
    (0, b'LIST "" "Public Folders/%"'),
    (0, b'CREATE "Public Folders/News/Today"'),
    (1, b'CREATE "Public Folders/News/Mine"'),
    (0, b"CREATE Entw&APw-rfe"),
    (0, b'CREATE "a//b"'),
    (0, b'RENAME "Entw&APw-rfe" Drafts'),
    (0, b'LIST "" "%"'),
    (0, b"SUBSCRIBE Drafts"),
    (0, b'LSUB "" "*"'),
    (
        0,
        b'APPEND "Public Folders/News" (\\Flagged kind) " 3-Nov-2026 10:00:00 +0100" {%d+}\r\n'
        % len(_MESSAGE)
        + _MESSAGE,
    ),
    (0, b'APPEND "Public Folders/News" {%d+}\r\n' % len(_SECOND) + _SECOND),
    (1, b'APPEND "Public Folders/News" {%d+}\r\n' % len(_SECOND) + _SECOND),
    (0, b'APPEND "Public Folders/None" {%d+}\r\n' % len(_MESSAGE) + _MESSAGE),
    (0, b'STATUS "Public Folders/News" (MESSAGES RECENT UIDNEXT UNSEEN)'),
    (0, b'SELECT "Public Folders/News"'),
    (1, b'SELECT "Public Folders/News"'),
    (0, b"FETCH 1:* (UID FLAGS RFC822.SIZE ENVELOPE)"),
    (0, b"FETCH 1 INTERNALDATE"),
    (0, b"FETCH 1 BODYSTRUCTURE"),
    (0, b"FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[1.MIME] BODY.PEEK[3])"),
    (0, b"FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject From)] BODY.PEEK[TEXT]<5.10>)"),
    (1, b"FETCH 1 BODY[TEXT]"),
    (1, b"STORE 2 +FLAGS (\\Deleted)"),
    (0, b"NOOP"),
    (0, b"UID FETCH 2 BODY.PEEK[]"),
    (0, b"STORE 1:2 -FLAGS.SILENT (kind)"),
    (0, b"STORE 2 +FLAGS (\\Deleted other)"),
    (1, b"NOOP"),
    (0, b"SEARCH OR SUBJECT second FLAGGED"),
    (0, b"SEARCH CHARSET UTF-8 SUBJECT {7+}\r\nGr\xc3\xbc\xc3\x9fe"),
    (0, b"SEARCH CHARSET NO-SUCH TEXT x"),
    (0, b"UID SEARCH NOT SEEN SMALLER 10000 1:*"),
    (0, b"COPY 1 Drafts"),
    (0, b"COPY 1 Nowhere"),
    (0, b"UID MOVE 1 Drafts"),
    (1, b"FETCH 1:2 FLAGS"),
    (1, b"NOOP"),
    (0, b"EXPUNGE"),
    (1, b"NOOP"),
    (1, b"EXPUNGE"),
    (0, b"FETCH 1:99 FLAGS"),
    (0, b"BADCOMMAND"),
    (0, b"FETCH 1 (NONSENSE)"),
    (0, b"UNSELECT"),
    (0, b"EXAMINE Drafts"),
    (0, b"STORE 1 +FLAGS (\\Seen)"),
    (0, b"CLOSE"),
    (0, b"DELETE Drafts"),
    (0, b"DELETE INBOX"),
    (1, b'DELETE "Public Folders/News"'),
    (0, b"LOGOUT"),
)

#: What differs from one store to the next, and is no part of the conversation.
_VARYING = re.compile(rb"(UIDVALIDITY|APPENDUID|COPYUID|MAILBOXID) (?:\d+|\(F[0-9a-f-]+\))")


def _converse(transport: str) -> list[bytes]:
    """
    Hold the conversation.

    @return: all responses, in order.
    """
    said: list[bytes] = []
    with MailServer(
        users={"alice": "secret", "bob": "secret"},
        folders=["Public Folders/News"],
        administrators=["alice"],
        transport=transport,
    ) as server:
        server.setRights("Public Folders/News", "bob", "lrst")
        clients = [RawClient(server.port), RawClient(server.port)]
        try:
            for who, line in _SCRIPT:
                said += [_VARYING.sub(rb"\1 X", each) for each in clients[who].command(line)]
        finally:
            for client in clients:
                client.close()
    return said


@cache
def _overMemory() -> list[bytes]:
    """
    The conversation that all others must be equal to.
    """
    return _converse("memory:")


class TranscriptTests(SynchronousTestCase):
    """
    The same words over every transport: what comes back is equal, byte for byte.
    """

    maxDiff = None

    def _check(self, kind: str) -> None:
        self.assertEqual(_converse(describe(self, kind)), _overMemory())

    def test_overMemory(self) -> None:
        """
        Over C{memory:} every command has its one answer.
        """
        tagged = [each.split(b" ", 2)[1] for each in _overMemory() if re.match(rb"a\d+ ", each)]
        self.assertEqual(len(tagged), len(_SCRIPT))
        self.assertGreater(tagged.count(b"OK"), 40)

    def test_overUnix(self) -> None:
        """
        C{unix:} makes no difference.
        """
        self._check("unix")

    def test_overTcp(self) -> None:
        """
        C{tcp:} makes no difference.
        """
        self._check("tcp")

    def test_overTls(self) -> None:
        """
        C{tcp:} with mutual TLS makes no difference.
        """
        self._check("tls")

    def test_overSharedMemory(self) -> None:
        """
        C{shm:} makes no difference.
        """
        self._check("shm")

    def test_overPortableSharedMemory(self) -> None:
        """
        C{shm:} without what only Linux has makes no difference.
        """
        self._check("portable")
