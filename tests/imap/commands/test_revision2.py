"""
Tests of ENABLE IMAP4rev2 (RFC 9051): what is told in another way than by RFC 3501.
"""

from __future__ import annotations

from tests.imap.commands.messagecase import Client, MessageCase, plain


class Revision2Tests(MessageCase):
    """
    A client that has enabled IMAP4rev2.
    """

    def enabled(self) -> Client:
        """
        Such a client.
        """
        client = self.client(folder="")
        self.assertEqual(client.command("ENABLE imap4REV2")[0], "* ENABLED IMAP4rev2")
        return client

    def test_select(self) -> None:
        """
        SELECT tells the name, and neither what is recent nor what is unseen (RFC 9051 section 6.3.2).
        """
        self.fill(plain("one"))
        lines = self.enabled().command("SELECT inbox")
        self.assertOk(lines)
        self.assertIn('* LIST () "/" INBOX', lines)
        self.assertFalse([line for line in lines if "RECENT" in line or "UNSEEN" in line])

    def test_nothingRecent(self) -> None:
        """
        Nothing is recent, also not what comes later, and it stays so for clients of RFC 3501.
        """
        self.fill(plain("one"))
        client = self.enabled()
        client.command("SELECT INBOX")
        self.fill(plain("two"))
        self.assertEqual(client.command("NOOP")[:-1], ["* 2 EXISTS"])
        self.assertEqual(client.command("FETCH 1:2 FLAGS")[:-1], [f"* {n} FETCH (FLAGS ())" for n in (1, 2)])
        self.assertIn("* 2 RECENT", self.client(folder="").command("SELECT INBOX"))

    def test_names(self) -> None:
        """
        Names are in UTF-8, both ways.
        """
        client = self.enabled()
        client.say('T CREATE "Gr\u00fcn"\r\n'.encode())
        self.assertTrue(client.data().startswith(b"T OK "))
        client.say(b'T LIST "" G*\r\n')
        self.assertIn('/" "Gr\u00fcn"\r\n'.encode(), client.data())
        self.assertTrue(any("Gr&APw-n" in line for line in self.client(folder="").command('LIST "" G*')))

    def test_charset(self) -> None:
        """
        CHARSET may still be named.
        """
        self.fill(plain("one"))
        client = self.enabled()
        client.command("SELECT INBOX")
        lines = client.command("SEARCH CHARSET UTF-8 SUBJECT one")
        self.assertOk(lines)
        self.assertTrue(lines[0].startswith("* ESEARCH "), lines)

    def test_tooLate(self) -> None:
        """
        It cannot be enabled while a folder is open, of which other things have been said already
        (RFC 5161 section 3.1).
        """
        client = self.client()
        self.assertEqual(client.command("ENABLE IMAP4rev2")[0], "* ENABLED")
        self.assertIn("* SEARCH", client.command("SEARCH ALL"))
