"""
Tests of APPEND ... CATENATE (RFC 4469), and of REPLACE with it.
"""

from __future__ import annotations

from typing import Any

from mailstore.errors import StoreUnavailable
from mailstore.imap.limits import ImapLimits
from tests.imap.commands.messagecase import MULTIPART, Client, MessageCase
from tests.imap.support import Server


class CatenateTests(MessageCase):
    """
    Messages put together of what there is and of what is new.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(MULTIPART)
        self.result(self.engine.createFolder("alice", "Drafts"))

    def append(self, client: Client, arguments: bytes, command: bytes = b"APPEND Drafts") -> list[str]:
        """
        Give a command whose literals do not wait, and ask for nothing; the answers by lines.
        """
        client.say(b"T %b %b\r\n" % (command, arguments))
        lines = [line.decode("latin-1") for line in client.heard()]
        self.assertEqual(client.command("NOOP"), ["T OK NOOP completed"])
        return lines

    def content(self, uid: int, folder: str = "Drafts") -> bytes:
        """
        A message, as it is given.
        """
        client = self.client(folder=folder)
        head, _, rest = client.raw(f"UID FETCH {uid} BODY.PEEK[]").partition(b"}\r\n")
        return rest[: int(head.rpartition(b"{")[2])]

    def count(self) -> int:
        """
        How many messages there are in Drafts.
        """
        return self.result(self.engine.status("alice", "Drafts")).messages

    def test_partsAndText(self) -> None:
        """
        URLs and texts follow each other in their order; no message is seen by that.
        """
        client = self.client(folder="")
        lines = self.append(
            client,
            b'(\\Draft) CATENATE (TEXT {14+}\r\nSubject: x\r\n\r\n URL "/INBOX/;UID=1/;section=1"'
            b" TEXT {4+}\r\n, a  URL /INBOX/;UID=1/;section=2/;partial=3.6)",
        )
        self.assertTrue(lines[-1].startswith("T OK [APPENDUID "), lines)
        self.assertEqual(self.content(1), b"Subject: x\r\n\r\nfirst part, a second")
        self.assertEqual(self.client().command("FETCH 1 FLAGS")[0], "* 1 FETCH (FLAGS (\\Recent))")

    def test_onlyUrls(self) -> None:
        """
        A whole message, its header, in another folder or in the open one, with its UIDVALIDITY or without.
        """
        validity = self.result(self.engine.status("alice", "INBOX")).uid_validity
        client = self.client()
        for url in (b"/INBOX/;UID=1", b"/INBOX;UIDVALIDITY=%d/;UID=1" % validity, b";UID=1"):
            self.assertTrue(self.append(client, b"CATENATE (URL %b)" % url)[-1].startswith("T OK "))
            self.assertEqual(self.content(self.count()), MULTIPART)
        header = MULTIPART[: MULTIPART.index(b"\r\n\r\n") + 4]
        self.append(client, b"CATENATE (URL ;UID=1/;section=HEADER URL ;UID=1/;section=TEXT)")
        self.assertEqual(self.content(4), MULTIPART)
        self.append(client, b"CATENATE (URL ;UID=1/;section=HEADER)")
        self.assertEqual(self.content(5), header)

    def test_urlAsLiteral(self) -> None:
        """
        A URL may be a literal, of a client that waits as well.
        """
        client = self.client(folder="")
        client.say(b"T APPEND Drafts CATENATE (URL {13}\r\n")
        self.assertEqual(client.data()[:2], b"+ ")
        client.say(b"/INBOX/;UID=1 TEXT {3}\r\n")
        self.assertEqual(client.data()[:2], b"+ ")
        client.say(b"end URL {13+}\r\n/INBOX/;UID=1)\r\n")
        self.assertEqual(client.data()[:5], b"T OK ")
        self.assertEqual(self.content(1), MULTIPART + b"end" + MULTIPART)

    def test_several(self) -> None:
        """
        With MULTIAPPEND, some messages are put together and some are not.
        """
        client = self.client(folder="")
        lines = self.append(
            client,
            b"CATENATE (URL /INBOX/;UID=1) {3+}\r\none"
            b" CATENATE (TEXT {3+}\r\ntwo URL /INBOX/;UID=1/;section=1)"
            b" {5+}\r\nthree CATENATE (URL /INBOX/;UID=1/;section=1)",
        )
        self.assertTrue(lines[-1].startswith("T OK [APPENDUID "), lines)
        expected = [MULTIPART, b"one", b"twofirst part", b"three", b"first part"]
        self.assertEqual([self.content(uid) for uid in range(1, 6)], expected)

    def test_badUrl(self) -> None:
        """
        The first URL that leads nowhere is told, and nothing is stored: no such folder, message, part or
        UIDVALIDITY, no right to read it, none open, another server, nonsense.
        """
        secret = self.public("Secret", authenticated="l", alice="l")
        self.result(self.engine.append("#system", secret, ()))
        client = self.client(folder="")
        for url in (
            "/Nowhere/;UID=1",
            "/INBOX/;UID=99",
            "/INBOX/;UID=1/;section=9",
            "/INBOX;UIDVALIDITY=1/;UID=1",
            "/Public%20Folders/Secret/;UID=1",
            "/Public%20Folders/;UID=1",
            ";UID=1",
            "imap://else/INBOX/;UID=1",
            "x",
        ):
            lines = self.append(client, f'CATENATE (TEXT {{1+}}\r\nx URL "{url}" URL "other")'.encode())
            self.assertEqual(len(lines), 1)
            self.assertTrue(lines[0].startswith(f"T NO [BADURL {url}] "), lines)
            lines = self.append(client, f'CATENATE (URL "{url}" TEXT {{6+}}\r\nT NOOP)'.encode())
            self.assertTrue(lines[0].startswith(f"T NO [BADURL {url}] "), lines)
        self.assertTrue(self.append(client, b'CATENATE (URL "a ]\\"")')[0].startswith("T NO [BADURL a%20%5D"))
        self.assertEqual(self.count(), 0)

    def test_tooBig(self) -> None:
        """
        A message that grows too big is refused when it does, whatever it grows by; an empty one in the end.
        """
        server = Server(self, ImapLimits(login_delay=0.0, max_message=len(MULTIPART) + 5), store=self.store)
        self.addCleanup(server.factory.stopFactory)
        client = Client(server)
        server.clients.append(client)
        client.login()
        url = b"URL /INBOX/;UID=1"
        for parts in (url + b" " + url, url + b" TEXT {6+}\r\nxxxxxx", b"TEXT {6+}\r\nxxxxxx " + url):
            self.assertNo(self.append(client, b"CATENATE (%b)" % parts), "TOOBIG")
        self.assertTrue(self.append(client, b"CATENATE (%b TEXT {5+}\r\nxxxxx)" % url)[0].startswith("T OK "))
        self.assertTrue(self.append(client, b"CATENATE (TEXT {0+}\r\n)")[0].startswith("T NO "))
        self.assertEqual(self.count(), 1)

    def test_utf8(self) -> None:
        """
        C{UTF8 (~{n}} is a part for who has enabled it (RFC 6855 section 4), and BAD for others.
        """
        client = self.client(folder="")
        part = "CATENATE (UTF8 (~{15+}\r\nSubject: \u00fc\r\n\r\n))".encode()
        self.assertBad(self.append(client, part))
        client.command("ENABLE UTF8=ACCEPT")
        self.assertTrue(self.append(client, part)[0].startswith("T OK "))
        self.assertEqual(self.content(1), "Subject: \u00fc\r\n\r\n".encode())

    def test_replace(self) -> None:
        """
        REPLACE takes the same (RFC 8508 section 4.2), of the very message that it replaces.
        """
        client = self.client()
        parts = b"CATENATE (TEXT {6+}\r\nA: b\r\n URL ;UID=1)"
        lines = self.append(client, parts, b"UID REPLACE 1 INBOX")
        self.assertIn("* 1 EXPUNGE", lines)
        self.assertEqual(self.content(2, "INBOX"), b"A: b\r\n" + MULTIPART)

    def test_storeFails(self) -> None:
        """
        A store that goes away while a part is read makes a NO, and the upload is given back.
        """

        async def breakOff(method: Any, *arguments: Any) -> Any:
            yield b"some"
            raise StoreUnavailable("gone")

        self.store.instead["readSection"] = breakOff
        client = self.client(folder="")
        self.assertNo(self.append(client, b"CATENATE (URL /INBOX/;UID=1)"), "UNAVAILABLE")
        self.assertEqual(self.count(), 0)
        del self.store.instead["readSection"]
        self.assertTrue(self.append(client, b"CATENATE (URL /INBOX/;UID=1)")[0].startswith("T OK "))

    def test_manyParts(self) -> None:
        """
        A message of many parts is put together; more than a command may have are BAD.
        """
        client = self.client(folder="")
        url = b" URL /INBOX/;UID=1/;section=1"
        self.assertTrue(
            self.append(client, b"CATENATE (" + url[1:] + url * 499 + b")")[0].startswith("T OK ")
        )
        self.assertEqual(self.content(1), b"first part" * 500)
        self.assertBad(self.append(client, b"CATENATE (" + url[1:] + url * 500 + b")"))
