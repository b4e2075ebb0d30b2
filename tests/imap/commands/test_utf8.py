"""
Tests of UTF8=ACCEPT (RFC 6855).
"""

from __future__ import annotations

from tests.imap.commands.messagecase import Client, MessageCase, plain

_NAME = "Gr\u00fc\u00dfe"


class Utf8Tests(MessageCase):
    """
    A client that takes UTF-8 in quoted strings, and one that does not say so.
    """

    def enabled(self) -> Client:
        """
        A client that does.
        """
        client = self.client(folder="")
        self.assertEqual(client.command("ENABLE utf8=accept")[0], "* ENABLED UTF8=ACCEPT")
        return client

    def say(self, client: Client, command: str) -> str:
        """
        Give a command in UTF-8; what comes.
        """
        client.say(f"T {command}\r\n".encode())
        return client.data().decode()

    def append(self, client: Client, how: bytes, message: bytes) -> bytes:
        """
        Append a message; the tagged reply.
        """
        client.say(b"T APPEND INBOX " + how % len(message) + b"\r\n" + message)
        client.say(b")\r\n" if b"(" in how else b"\r\n")
        return client.data()

    def test_announced(self) -> None:
        """
        It is announced, and never UTF8=ONLY beside it (RFC 6855 section 6).
        """
        line = self.client(folder="").command("CAPABILITY")[0].split()
        self.assertIn("UTF8=ACCEPT", line)
        self.assertNotIn("UTF8=ONLY", line)

    def test_names(self) -> None:
        """
        Names are in UTF-8 both ways, in every response that has one; for others they stay in modified UTF-7.
        """
        client = self.enabled()
        self.assertIn("T OK ", self.say(client, f'CREATE "{_NAME}"'))
        self.assertIn("T OK ", self.say(client, f'SUBSCRIBE "{_NAME}"'))
        for command in ('LIST "" G%', 'LSUB "" G%', f'STATUS "{_NAME}" (MESSAGES)', f'MYRIGHTS "{_NAME}"'):
            self.assertIn(f'"{_NAME}"', self.say(client, command))
        other = self.client(folder="")
        self.assertTrue(any("Gr&APwA3w-e" in line for line in other.command('LIST "" G%')))

    def test_badUtf8(self) -> None:
        """
        What is no UTF-8 in a quoted string is BAD (RFC 6855 section 3).
        """
        client = self.enabled()
        client.say(b'T STATUS "Gr\xfc" (MESSAGES)\r\n')
        self.assertEqual(client.data()[:6], b"T BAD ")

    def test_append(self) -> None:
        """
        C{UTF8 (~{n}} brings a message with UTF-8 in its header, which is found and given as it came.
        """
        client = self.enabled()
        message = f"Subject: {_NAME}\r\n\r\ntext\r\n".encode()
        self.assertEqual(self.append(client, b"UTF8 (~{%d+}", message)[:16], b"T OK [APPENDUID ")
        client.command("SELECT INBOX")
        self.assertIn("* SEARCH 1\r\n", self.say(client, f'SEARCH SUBJECT "{_NAME}"'))
        self.assertIn(message, client.raw("FETCH 1 BODY[]"))

    def test_notEnabled(self) -> None:
        """
        C{UTF8 (~{n}} is BAD before ENABLE; but a message with 8-bit bytes in its header comes in as
        any other, which RFC 6855 section 4 would have refused: old mail has such headers.
        """
        client = self.client(folder="")
        message = b"Subject: Gr\xfc\xdfe\r\n\r\ntext\r\n"
        self.assertEqual(self.append(client, b"UTF8 (~{%d+}", message)[:6], b"T BAD ")
        self.assertEqual(self.append(client, b"{%d+}", message)[:5], b"T OK ")
        client.command("SELECT INBOX")
        self.assertIn(message, client.raw("FETCH 1 BODY[]"))

    def test_neverQuotedUnasked(self) -> None:
        """
        A client that has not enabled it gets no 8-bit bytes but in literals.
        """
        self.fill(f"Subject: {_NAME}\r\nFrom: {_NAME} <a@example.org>\r\n\r\ntext\r\n".encode())
        answer = self.client().raw("FETCH 1 (ENVELOPE BODYSTRUCTURE)")
        quoted = answer.split(b'"')[1::2]
        self.assertTrue(all(each.isascii() for each in quoted), answer)

    def test_tooLate(self) -> None:
        """
        It cannot be enabled while a folder is open (RFC 6855 section 3).
        """
        self.fill(plain("one"))
        client = self.client()
        self.assertEqual(client.command("ENABLE UTF8=ACCEPT")[0], "* ENABLED")
        self.assertOk(client.command("SEARCH CHARSET UTF-8 ALL"))
