"""
Tests of what extensions let FETCH ask for: identifiers (RFC 8474), the date of saving (RFC 8514),
previews (RFC 8970) and decoded parts (RFC 3516).
"""

from __future__ import annotations

import re

from tests.imap.commands.messagecase import MULTIPART, MessageCase, plain

#: Three parts: base64 with a NUL, quoted-printable, and something that nobody can decode.
ENCODED = (
    b"From: ann@example.org\r\nSubject: Encoded\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    b"--cut\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"AAECAw==\r\n"
    b"--cut\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db\r\n"
    b"--cut\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-own\r\n\r\n???\r\n--cut--\r\n"
)


class IdentifierTests(MessageCase):
    """
    EMAILID, THREADID and MAILBOXID.
    """

    def test_emailId(self) -> None:
        """
        A copy has the identifier of its original, another message has another one.
        """
        self.fill(plain("one"), plain("two"))
        client = self.client()
        client.command("COPY 1 INBOX")
        lines = client.command("FETCH 1:3 EMAILID")
        found = [
            re.fullmatch(r"\* \d FETCH \(EMAILID \(([A-Za-z0-9_-]{1,255})\)\)", line) for line in lines[:-1]
        ]
        one, two, copy = (each[1] for each in found if each is not None)
        self.assertEqual(one, copy)
        self.assertNotEqual(one, two)
        self.assertEqual(client.command(f"SEARCH EMAILID {one}")[0], "* SEARCH 1 3")

    def test_threadId(self) -> None:
        """
        An answer has the thread of what it answers; a message that says nothing of it has none.
        """
        first = b"Message-ID: <a@b>\r\nSubject: x\r\n\r\nx\r\n"
        self.fill(first, b"Message-ID: <c@b>\r\nReferences: <a@b>\r\n\r\ny\r\n", b"Subject: z\r\n\r\nz\r\n")
        lines = self.client().command("FETCH 1:3 (THREADID)")
        self.assertEqual(lines[0].split("(THREADID")[1], lines[1].split("(THREADID")[1])
        self.assertEqual(lines[2], "* 3 FETCH (THREADID NIL)")

    def test_mailboxId(self) -> None:
        """
        A folder's identifier is told when it is opened, and stays when it is renamed.
        """
        client = self.client(folder="")
        client.command("CREATE Old")
        (before,) = [line for line in client.command("SELECT Old") if "[MAILBOXID (" in line]
        client.command("RENAME Old New")
        self.assertIn(before, client.command("SELECT New"))


class SaveDateTests(MessageCase):
    """
    SAVEDATE.
    """

    def test_saveDate(self) -> None:
        """
        It is the moment of arrival here, whatever the internal date is.
        """
        self.fill(plain("one"), internal_date=0)
        (line, _) = self.client().command("FETCH 1 (SAVEDATE INTERNALDATE)")
        self.assertRegex(
            line,
            r'^\* 1 FETCH \(SAVEDATE "[ \d]\d-\w{3}-20\d\d \d\d:\d\d:\d\d \+0000"'
            r' INTERNALDATE " 1-Jan-1970 00:00:00 \+0000"\)$',
        )


class PreviewTests(MessageCase):
    """
    PREVIEW.
    """

    def test_preview(self) -> None:
        """
        The beginning of the text, with and without LAZY, which has no effect: it is always there.
        """
        self.fill(MULTIPART)
        client = self.client()
        for item in ("PREVIEW", "PREVIEW (LAZY)", "(PREVIEW (LAZY) PREVIEW)"):
            self.assertEqual(client.command(f"FETCH 1 {item}")[0], '* 1 FETCH (PREVIEW "first part")')

    def test_nothing(self) -> None:
        """
        Empty when there is nothing to show, and then a modifier of FETCH may follow.
        """
        self.fill(b"Subject: x\r\n\r\n")
        client = self.client()
        lines = client.command("FETCH 1 PREVIEW (CHANGEDSINCE 1)")
        self.assertTrue(any('(PREVIEW "" MODSEQ' in line for line in lines), lines)

    def test_literal(self) -> None:
        """
        What is not ASCII is a literal (RFC 8970 section 3.1).
        """
        self.fill("Content-Type: text/plain; charset=utf-8\r\n\r\ngr\u00fcn\r\n".encode())
        self.assertIn(b"(PREVIEW {5}\r\ngr\xc3\xbcn)\r\n", self.client().raw("FETCH 1 PREVIEW"))


class BinaryTests(MessageCase):
    """
    BINARY: parts without their transfer encoding.
    """

    def setUp(self) -> None:
        """
        A message with parts in several encodings.
        """
        super().setUp()
        self.fill(ENCODED)

    def test_binary(self) -> None:
        """
        What has a NUL comes as C{literal8}, all else as usual; a part that is not there is NIL.
        """
        client = self.client(command="EXAMINE")
        self.assertEqual(
            client.raw("FETCH 1 (BINARY.PEEK[1] BINARY[2] BINARY[2]<1.1> BINARY[9])").split(b"\r\nT ")[0],
            b"* 1 FETCH (BINARY[1] ~{4}\r\n\0\1\2\3"
            b" BINARY[2] {3}\r\na=b BINARY[2]<1> {1}\r\n= BINARY[9] NIL)",
        )

    def test_size(self) -> None:
        """
        The size is that of what BINARY gives.
        """
        client = self.client()
        self.assertEqual(
            client.command("FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[9])")[0],
            "* 1 FETCH (BINARY.SIZE[1] 4 BINARY.SIZE[2] 3 BINARY.SIZE[9] 0)",
        )

    def test_seen(self) -> None:
        """
        BINARY sets C{\\Seen}; BINARY.PEEK and BINARY.SIZE do not.
        """
        client = self.client()
        self.assertNotIn(b"\\Seen", client.raw("FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2])"))
        self.assertIn(b"\\Seen", client.raw("FETCH 1 BINARY[2]"))

    def test_unknown(self) -> None:
        """
        An encoding that is not known is refused (RFC 3516 section 4.3).
        """
        client = self.client()
        for item in ("BINARY.PEEK[3]", "BINARY.SIZE[3]"):
            self.assertNo(client.command(f"FETCH 1 {item}"), "UNKNOWN-CTE")

    def test_large(self) -> None:
        """
        A large part is sent in pieces, and announced with its decoded size.
        """
        lines = b"QUJDREVGR0hJSktM\r\n" * 200_000
        self.fill(b"Content-Transfer-Encoding: base64\r\n\r\n" + lines)
        client = self.client()
        answer = client.raw("FETCH 2 BINARY.PEEK[1]")
        head, _, rest = answer.partition(b"\r\n")
        self.assertEqual(head, b"* 2 FETCH (BINARY[1] ~{2400000}")
        self.assertEqual(rest[:2_400_000], b"ABCDEFGHIJKL" * 200_000)
        self.assertEqual(rest[2_400_000:].split(b"\r\n")[0], b")")
        self.assertEqual(client.command("FETCH 2 BINARY.SIZE[1]")[0], "* 2 FETCH (BINARY.SIZE[1] 2400000)")
