"""
Tests of REPLACE and UID REPLACE (RFC 8508).
"""

from __future__ import annotations

from mailstore.model import NewMessage
from tests.imap.commands.messagecase import Client, MessageCase, plain

_NEW = plain("new")


class ReplaceTests(MessageCase):
    """
    Replacing a message of an open folder.
    """

    def setUp(self) -> None:
        super().setUp()
        self.fill(*(plain(each) for each in ("one", "two", "three")))

    def replace(self, client: Client, head: str, message: bytes = _NEW) -> list[str]:
        """
        Replace without waiting, and ask for nothing; the answers by lines.
        """
        client.say(b"T %b {%d+}\r\n%b\r\n" % (head.encode(), len(message), message))
        lines = [line.decode() for line in client.heard()]
        self.assertEqual(client.command("NOOP"), ["T OK NOOP completed"])
        return lines

    def subjects(self, client: Client) -> list[str]:
        """
        What is in the folder, by subject.
        """
        lines = client.raw("FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]").decode().split("\r\n")
        return [line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")]

    def test_sameFolder(self) -> None:
        """
        The response code comes first, then the end of the old message and the new one, then the tagged reply.
        """
        client = self.client()
        lines = self.replace(client, "REPLACE 2 INBOX (\\Seen \\Draft)")
        self.assertRegex(lines[0], r"^\* OK \[APPENDUID \d+ 4\] ")
        self.assertEqual(lines[1:3], ["* 2 EXPUNGE", "* 3 EXISTS"])
        self.assertOk(lines)
        self.assertFalse([line for line in lines if "Deleted" in line])
        self.assertEqual(self.subjects(client), ["one", "three", "new"])

    def test_byUid(self) -> None:
        """
        By UID, into another folder; C{*} is the last message.
        """
        self.result(self.engine.createFolder("alice", "Sent"))
        client = self.client()
        lines = self.replace(client, "UID REPLACE 1 Sent")
        self.assertRegex(lines[0], r"^\* OK \[APPENDUID \d+ 1\] ")
        self.assertEqual(lines[1], "* 1 EXPUNGE")
        self.assertOk(lines)
        self.assertOk(self.replace(client, "REPLACE * Sent"))
        self.assertEqual(self.subjects(client), ["two"])
        self.assertEqual(self.result(self.engine.status("alice", "Sent")).messages, 2)

    def test_synchronizing(self) -> None:
        """
        A client that waits is told to go on.
        """
        client = self.client()
        client.say(b"T REPLACE 1 INBOX {%d}\r\n" % len(_NEW))
        self.assertEqual(client.data()[:2], b"+ ")
        client.say(_NEW + b"\r\n")
        self.assertIn(b"\r\nT OK ", client.data())

    def test_refused(self) -> None:
        """
        What cannot be done leaves everything as it was, and nothing of the message is run as a command: no
        such folder, no such message, an open folder that is only looked at, no rights.
        """
        client = self.client()
        self.assertNo(self.replace(client, "REPLACE 1 Nowhere"), "TRYCREATE")
        self.assertNo(self.replace(client, "UID REPLACE 99 INBOX"), "EXPUNGEISSUED")
        self.assertBad(self.replace(client, "REPLACE 99 INBOX"))
        for wrong in ("REPLACE 1:2 INBOX", "REPLACE INBOX", "REPLACE 0 INBOX", "REPLACE 1"):
            self.assertBad(self.replace(client, wrong))
        self.assertBad(client.command("REPLACE 1 INBOX"))
        self.assertEqual(self.subjects(client), ["one", "two", "three"])
        looking = self.client(command="EXAMINE")
        self.assertTrue(self.replace(looking, "REPLACE 1 INBOX")[-1].startswith("T NO "))
        name = self.public("Kept", alice="lri")
        self.result(self.engine.append("#system", name, (NewMessage(plain("kept")),)))
        client.command(f'SELECT "{name}"')
        self.assertNo(self.replace(client, f'REPLACE 1 "{name}"'), "NOPERM")
        self.assertEqual(self.subjects(client), ["kept"])

    def test_onlyOne(self) -> None:
        """
        It brings one message (RFC 8508 section 4.7), and is for the selected state only.
        """
        client = self.client()
        client.say(b"T REPLACE 1 INBOX {1+}\r\nx {1+}\r\ny\r\n")
        self.assertEqual(client.data()[:6], b"T BAD ")
        self.assertBad(self.replace(self.client(folder=""), "REPLACE 1 INBOX"))
        self.assertEqual(self.subjects(client), ["one", "two", "three"])

    def test_vanished(self) -> None:
        """
        A message that somebody else has expunged cannot be replaced; the client is told, nothing is stored.
        """
        client = self.client()
        self.remove(2)
        lines = self.replace(client, "REPLACE 2 INBOX")
        self.assertEqual(lines[0], "* 2 EXPUNGE")
        self.assertTrue(lines[-1].startswith("T NO [EXPUNGEISSUED] "), lines)
        self.assertEqual(self.subjects(client), ["one", "three"])

    def test_qresync(self) -> None:
        """
        It counts as an expunge for who knows mod-sequences (RFC 8508 section 4.5).
        """
        client = self.client(folder="")
        client.command("ENABLE QRESYNC")
        client.command("SELECT INBOX")
        lines = self.replace(client, "UID REPLACE 2 INBOX")
        self.assertIn("* VANISHED 2", lines)
        self.assertRegex(lines[-1], r"^T OK \[HIGHESTMODSEQ \d+\] ")

    def test_others(self) -> None:
        """
        Another session sees one message go and one come.
        """
        other = self.client()
        self.replace(self.client(), "REPLACE 1 INBOX")
        self.assertEqual(other.command("NOOP")[:2], ["* 1 EXPUNGE", "* 3 EXISTS"])
