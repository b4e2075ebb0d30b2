"""
Tests of ESEARCH (RFC 7377); what its options mean is tested with SEARCH.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import NoSuchFolder, StoreBusy
from mailstore.imap.limits import ImapLimits
from mailstore.imap.progress import INTERVAL
from tests.imap.commands.messagecase import Between, Client
from tests.imap.support import Server
from tests.imap.wholeserver import WholeServer


class ESearchTests(SynchronousTestCase):
    """
    A client of a whole server, with a few folders of his own.
    """

    def serve(self, *folders: str, **limits: Any) -> Client:
        """
        Start it; the client has signed in, and each folder has one message.
        """
        self.server = WholeServer(self, limits=ImapLimits(login_delay=0.0, **limits))
        client = Client(cast(Server, self.server))
        self.server.clients.append(client)
        client.login()
        for folder in folders:
            client.command(f"CREATE {folder}")
            client.command(f"APPEND {folder} {{14+}}\r\nSubject: x\r\n\r\n")
        return client

    def found(self, client: Client, command: str) -> tuple[list[str], str]:
        """
        The folders in which something was found, and the reply.
        """
        *lines, reply = client.command(command)
        self.assertTrue(all(line.startswith("* ESEARCH (TAG ") for line in lines), lines)
        return [line.split(" MAILBOX ")[1].split(" UIDVALIDITY ")[0] for line in lines], reply

    def between(self) -> Between:
        """
        Something between the front end and the store.
        """
        between = Between(self.server.remote)
        self.patch(self.server.factory.front, "store", between)
        return between

    def test_oneScan(self) -> None:
        """
        Which folders have messages is found out in one scan, and only those are searched.
        """
        client = self.serve("A", "B")
        client.command("CREATE Empty")
        between = self.between()
        self.assertEqual(self.found(client, "ESEARCH IN (personal) SUBJECT x")[0], ["A", "B"])
        self.assertEqual(len(between.named("statuses")), 1)
        self.assertEqual(len(between.named("search")), 2)
        self.assertEqual(between.named("openFolder"), [])

    def test_bounds(self) -> None:
        """
        So many folders can be searched at once.
        """
        client = self.serve("A", "B", max_searched_folders=2)
        self.assertEqual(self.found(client, "ESEARCH IN (mailboxes (A B)) ALL")[0], ["A", "B"])
        self.assertEqual(
            client.command("ESEARCH IN (personal) ALL"),
            ["T NO [LIMIT] These are too many mailboxes for one search"],
        )
        self.assertEqual(client.command("NOOP"), ["T OK NOOP completed"])

    def test_gone(self) -> None:
        """
        A folder that goes meanwhile is passed over.
        """
        client = self.serve("A", "B")
        between = self.between()
        between.instead["search"] = self.failing(NoSuchFolder("gone"))
        found, reply = self.found(client, "ESEARCH IN (personal) ALL")
        self.assertEqual((found, reply), (["B"], "T OK ESEARCH completed"))

    def test_busy(self) -> None:
        """
        When the store cannot be asked any more, what has been found has been told, and the reply is NO.
        """
        client = self.serve("A", "B")
        between = self.between()
        between.instead["search"] = self.failing(StoreBusy("busy"), first=False)
        found, reply = self.found(client, "ESEARCH IN (personal) ALL")
        self.assertEqual((found, reply[:18]), (["A"], "T NO [UNAVAILABLE]"))

    def failing(self, error: Exception, first: bool = True) -> Any:
        """
        A search that fails once: the first time or the second.
        """
        times = [error, None] if first else [None, error]

        async def search(method: Any, *arguments: Any) -> Any:
            failure = times.pop(0)
            if failure is not None:
                raise failure
            async for batch in method(*arguments):
                yield batch

        return search

    def test_progress(self) -> None:
        """
        Who waits long for many folders is told so, however quick each is.
        """
        client = self.serve("A", "B", "C")
        between = self.between()

        async def search(method: Any, *arguments: Any) -> Any:
            self.server.clock.advance(INTERVAL / 2 + 1)
            async for batch in method(*arguments):
                yield batch

        between.instead["search"] = search
        lines = client.command("ESEARCH IN (personal) ALL")
        self.assertEqual(sum("INPROGRESS" in line for line in lines), 1)
        self.assertEqual(sum("ESEARCH (" in line for line in lines), 3)

    def test_modseq(self) -> None:
        """
        A search for mod-sequences tells the highest of each folder, and the client is told them from now on.
        """
        client = self.serve("A", "B")
        client.command("SELECT A")
        lines = client.command("ESEARCH IN (personal) MODSEQ 1")
        self.assertRegex(lines[0], r"^\* OK \[HIGHESTMODSEQ \d+\]")
        for line in lines[1:3]:
            self.assertRegex(line, r"UID ALL 1 MODSEQ \d+$")

    def test_partial(self) -> None:
        """
        A part is one of each folder's.
        """
        client = self.serve("A", "B")
        lines = client.command("ESEARCH IN (personal) RETURN (PARTIAL 1:1) ALL")
        for line in lines[:2]:
            self.assertRegex(line, r"UID PARTIAL \(1:1 1\)$")

    def test_utf8(self) -> None:
        """
        Names are in the form that the client knows; with UTF8=ACCEPT there is no CHARSET.
        """
        client = self.serve("Gr&APw-n")
        self.assertEqual(self.found(client, "ESEARCH IN (personal) ALL")[0], ["Gr&APw-n"])
        client.command("ENABLE UTF8=ACCEPT")
        (line, _) = client.command("ESEARCH IN (personal) ALL")
        self.assertIn('MAILBOX "Gr\u00c3\u00bcn" UIDVALIDITY', line)
        self.assertEqual(client.command("ESEARCH IN (personal) CHARSET UTF-8 ALL")[-1][:6], "T BAD ")
