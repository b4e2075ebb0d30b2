"""
Real, often broken, mail: imported by the command, read over IMAP.
"""

from __future__ import annotations

import imaplib
import pathlib
import re

import imapclient

from tests.clients.servercase import ServerTestCase

MAIL = pathlib.Path(__file__).parents[1] / "mail"


def served(raw: bytes) -> bytes:
    """
    What IMAP must serve for a stored message: bare LF as CRLF, and no NUL
    (RFC 9051 section 4.3 has none in a literal).
    """
    return re.sub(rb"(?<!\r)\n", b"\r\n", raw).replace(b"\0", b"\x80")


class RealMailTests(ServerTestCase):
    """
    All messages of C{tests/mail}.
    """

    def _store(self) -> str:
        url = f"sqlite:///{self.directory() / 'mail.db'}"
        self.mailstoreDone("init", "--store", url)
        self.mailstoreDone("user", "add", "alice", "--password-stdin", "--store", url, stdin=b"password\n")
        return url

    def test_importAndRead(self) -> None:
        """
        Every message is imported, comes back byte for byte, and has an
        ENVELOPE and a BODYSTRUCTURE that imapclient can read.
        """
        originals = sorted(path.read_bytes() for path in MAIL.rglob("*.eml"))
        self.assertEqual(len(originals), 103)
        url = self._store()
        printed = self.mailstoreDone("import", str(MAIL), "Public Folders/Real", "--store", url)
        self.assertIn("103", printed)
        server = self.serve("--store", url)
        back: list[bytes] = []
        with imapclient.IMAPClient("127.0.0.1", server.port, ssl=False) as client:
            client.login("alice", "password")
            for flags, _, name in client.list_folders("Public Folders/Real", "*"):
                if b"\\Noselect" in flags:
                    continue
                client.select_folder(name, readonly=True)
                uids = client.search()
                for uid, answer in client.fetch(uids, ["BODY.PEEK[]", "ENVELOPE", "BODYSTRUCTURE"]).items():
                    back.append(answer[b"BODY[]"])
                    self.assertIsNotNone(answer[b"ENVELOPE"], (name, uid))
                    self.assertGreaterEqual(len(answer[b"BODYSTRUCTURE"]), 2, (name, uid))
        self.assertEqual(sorted(back), sorted(map(served, originals)))

    def test_everySection(self) -> None:
        """
        Every part that a BODYSTRUCTURE promises can be fetched, with its MIME
        header, and has the size that was promised.
        """
        url = self._store()
        self.mailstoreDone("import", str(MAIL), "Public Folders/Real", "--store", url)
        server = self.serve("--store", url)
        checked = 0
        with imapclient.IMAPClient("127.0.0.1", server.port, ssl=False) as client:
            client.login("alice", "password")
            for flags, _, name in client.list_folders("Public Folders/Real", "*"):
                if b"\\Noselect" in flags:
                    continue
                client.select_folder(name, readonly=True)
                for uid, answer in client.fetch(client.search(), ["BODYSTRUCTURE"]).items():
                    for path, size in self._leaves(answer[b"BODYSTRUCTURE"], ""):
                        items = [f"BODY.PEEK[{path}]", f"BODY.PEEK[{path}.MIME]"]
                        got = client.fetch([uid], items)[uid]
                        self.assertEqual(len(got[f"BODY[{path}]".encode()]), size, (name, uid, path))
                        self.assertIn(f"BODY[{path}.MIME]".encode(), got)
                        checked += 1
        self.assertGreater(checked, 103)

    def _leaves(self, structure: imapclient.response_types.BodyData, path: str) -> list[tuple[str, int]]:
        """
        The parts of a structure that are no multiparts: number and octets.
        """
        if structure.is_multipart:
            found: list[tuple[str, int]] = []
            for number, part in enumerate(structure[0], 1):
                found += self._leaves(part, f"{path}.{number}" if path else str(number))
            return found
        return [(path or "1", structure[6])]

    def test_textSearch(self) -> None:
        """
        A word that is encoded in the message is found by its letters.
        """
        url = self._store()
        self.mailstoreDone("import", str(MAIL), "Public Folders/Real", "--store", url)
        server = self.serve("--store", url)
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            client.login("alice", "password")
            client.select('"Public Folders/Real/multi_charset"', readonly=True)
            # imaplib sends this attribute as the command's last argument, a literal.
            setattr(client, "literal", "テスト用".encode())  # noqa: B010
            status, found = client.uid("SEARCH", "CHARSET", "UTF-8", "TEXT")
            self.assertEqual(status, "OK")
            self.assertTrue(found[0].split(), found)
