"""
Tests of a port where LIST does not tell of public folders: Exchange's IMAP4 virtual server without
"Include all public folders when a folder list is requested".
"""

from __future__ import annotations

from tests.imap import support
from tests.imap.commands.messagecase import Client, MessageCase


class WithoutPublicTests(MessageCase):
    """
    A client at such a port, beside one at another port of the same server.
    """

    def setUp(self) -> None:
        super().setUp()
        self.public("News/Today")
        self.result(self.engine.createFolder("alice", "Sent"))
        self.there = self.client(folder="")
        self.here = Client(self.server, factory=self.server.factory.withoutPublic())
        self.server.clients.append(self.here)
        self.here.login()

    def names(self, client: support.Client, command: str) -> list[str]:
        """
        The names that LIST or LSUB tells.
        """
        lines = client.ask(command.encode())
        self.assertTrue(lines[-1].startswith(b"T OK "), lines)
        return [line.decode().split('"/" ')[1].strip('"') for line in lines[:-1] if b'"/" ' in line]

    def test_list(self) -> None:
        """
        They are left out of a LIST that does not name them, at this port only; the store is not even asked.
        """
        enumerated = self.server.factory.front.lists.enumerations
        for pattern in ("*", "%", "P*", "%/%", "*Today"):
            self.assertFalse([each for each in self.names(self.here, f'LIST "" "{pattern}"') if "P" in each])
        self.assertEqual(self.names(self.here, 'LIST "" "*"'), ["INBOX", "Sent"])
        self.assertEqual(self.server.factory.front.lists.enumerations, enumerated + 2)
        self.assertIn("Public Folders/News/Today", self.names(self.there, 'LIST "" "*"'))

    def test_extended(self) -> None:
        """
        So it is with options, and with several patterns each decides for itself.
        """
        self.assertEqual(self.names(self.here, 'LIST "" "*" RETURN (STATUS (MESSAGES))'), ["INBOX", "Sent"])
        both = self.names(self.here, 'LIST "" ("%" "Public Folders/%") RETURN (MYRIGHTS)')
        self.assertEqual(both, ["INBOX", "Sent", "Public Folders/News"])

    def test_byName(self) -> None:
        """
        Who names them finds them: in a pattern or a reference that begins so, and to open them.
        """
        self.assertEqual(
            self.names(self.here, 'LIST "" "Public Folders/%"'),
            ["Public Folders/News"],
        )
        self.assertEqual(
            self.names(self.here, 'LIST "Public Folders/" "*"'),
            ["Public Folders/News", "Public Folders/News/Today"],
        )
        self.assertEqual(self.names(self.here, 'LIST "" "Public Folders"'), ["Public Folders"])
        self.assertOk(self.here.command('SELECT "Public Folders/News"'))
        self.assertIn('"Public Folders/"', self.here.command("NAMESPACE")[0])

    def test_subscribed(self) -> None:
        """
        Who subscribes to them sees them in LSUB and LIST (SUBSCRIBED).
        """
        self.assertOk(self.here.command('SUBSCRIBE "Public Folders/News"'))
        self.assertEqual(self.names(self.here, 'LSUB "" "*"'), ["Public Folders/News"])
        self.assertEqual(self.names(self.here, 'LIST (SUBSCRIBED) "" "*"'), ["Public Folders/News"])
        self.assertEqual(self.names(self.here, 'LIST "" "*" RETURN (SUBSCRIBED)'), ["INBOX", "Sent"])
