"""
Python's own C{imaplib} against C{twist mailstore}.
"""

from __future__ import annotations

import imaplib
from typing import Any

from tests.clients.looking import folders, letter, look
from tests.clients.servercase import ServerTestCase

WORK = "Public Folders/Work"


class ImaplibTests(ServerTestCase):
    """
    The standard library's client.
    """

    def _ok(self, answer: tuple[str, list[Any]]) -> list[Any]:
        """
        What a command was answered with, which has to be OK.
        """
        status, data = answer
        self.assertEqual(status, "OK", data)
        return data

    def test_reads(self) -> None:
        """
        It lists, opens, reads and searches every public folder.
        """
        server = self.serve("--demo")
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            client.login("alice", "password")
            listed = [line.decode() for line in self._ok(client.list()) if isinstance(line, bytes)]
            public = [line.split('"/" ')[1].strip('"') for line in listed if '"Public Folders/' in line]
            self.assertTrue(public, listed)
            read = 0
            for name in public:
                self._ok(client.select(f'"{name}"', readonly=True))
                for number in self._ok(client.search(None, "ALL"))[0].split():
                    parts = self._ok(client.fetch(number.decode(), "(RFC822.SIZE BODY.PEEK[])"))
                    assert isinstance(parts[0], tuple)
                    head, body = parts[0]
                    self.assertIn(b"RFC822.SIZE %d " % len(body), head)
                    read += 1
            self.assertGreater(read, 0)

    def test_works(self) -> None:
        """
        It files, flags, copies, moves, sorts and expunges, in a public folder and in its own mailbox.
        """
        server = self.serve("--demo")
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            client.login("alice", "password")
            self._ok(client.create(f'"{WORK}"'))
            for folder in ("INBOX", f'"{WORK}"'):
                for subject in ("b", "a"):
                    message = letter(f"{subject} in {folder.strip(chr(34))}")
                    self._ok(client.append(folder, "(\\Flagged kept)", "", message))
            self._ok(client.select("INBOX"))
            (found,) = self._ok(client.uid("SEARCH", "SUBJECT", '"in elsewhere"'))
            self.assertEqual(found, b"")
            (found,) = self._ok(client.uid("SEARCH", "SUBJECT", '"in INBOX"', "KEYWORD", "kept"))
            first, second = found.decode().split()
            self._ok(client.uid("COPY", first, f'"{WORK}"'))
            self._ok(client.uid("MOVE", second, f'"{WORK}"'))
            self._ok(client.uid("STORE", first, "+FLAGS", "(\\Deleted)"))
            # imaplib keeps the EXPUNGE of MOVE until somebody asks.
            self.assertEqual(self._ok(client.expunge()), [b"3", b"2"])
            self._ok(client.select(f'"{WORK}"'))
            (order,) = self._ok(client.sort("(SUBJECT)", "UTF-8", "ALL"))
            self.assertEqual(len(order.split()), 4)
            self._ok(client.store("1", "-FLAGS", "(\\Flagged)"))
            self._ok(client.close())
            self.assertEqual(
                look(server, WORK),
                {
                    "b in Public Folders/Work": {"kept"},
                    "a in Public Folders/Work": {"\\Flagged", "kept"},
                    "b in INBOX": {"\\Flagged", "kept"},
                    "a in INBOX": {"\\Flagged", "kept"},
                },
            )
            self.assertEqual(list(look(server, "INBOX")), ["Your mailbox"])
            self._ok(client.delete(f'"{WORK}"'))
        self.assertNotIn(WORK, folders(server))
