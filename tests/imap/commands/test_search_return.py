"""
SEARCH RETURN (RFC 4731), C{$} (RFC 5182) and the keys that extensions add to SEARCH.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Any

from mailstore.errors import StoreUnavailable
from mailstore.imap.searching import BAD_CHARSET
from mailstore.model import FetchSpec, UidSet, uint32s
from tests.imap.commands.messagecase import Client, MessageCase, plain


class ReturnCase(MessageCase):
    """
    A folder whose messages 1 to 5 have the UIDs 1, 3, 4, 5 and 7; those with an even number are flagged.
    """

    def setUp(self) -> None:
        super().setUp()
        subjects = ("one", "gone", "two", "three", "four", "gone", "five")
        for subject in subjects:
            self.fill(plain(subject), flags=("\\Flagged",) if subject in ("two", "four") else ())
        self.remove(2, 6)

    def search(self, client: Client, arguments: str, by_uid: bool = False) -> str:
        """
        What stands behind the tag in the one ESEARCH response.
        """
        name = "UID SEARCH" if by_uid else "SEARCH"
        response, tagged = client.command(f"{name} {arguments}")
        self.assertEqual(tagged, f"T OK {name} completed")
        head, _, rest = response.partition(")")
        self.assertRegex(head, r'\A\* ESEARCH \(TAG "T[0-9]+"\Z')
        return rest

    def enable(self, client: Client, name: str) -> None:
        """
        As if the client had enabled an extension that this server may not offer.
        """
        client.protocol.connection.session.enabled.add(name)

    def listed(self, client: Client, key: str) -> str:
        """
        The UIDs that a plain search finds.
        """
        response, tagged = client.command(f"UID SEARCH {key}")
        self.assertTrue(tagged.startswith("T OK "), tagged)
        return response.removeprefix("* SEARCH").strip()


class ReturnTests(ReturnCase):
    """
    What SEARCH RETURN answers.
    """

    def test_options(self) -> None:
        """
        Each option has its item; an empty list stands for ALL (RFC 4731 section 3.1).
        """
        client = self.client()
        for arguments, sequences, uids in (
            ("RETURN (MIN) FLAGGED", " MIN 2", " UID MIN 3"),
            ("RETURN (MAX) FLAGGED", " MAX 4", " UID MAX 5"),
            ("RETURN (MIN MAX) FLAGGED", " MIN 2 MAX 4", " UID MIN 3 MAX 5"),
            ("RETURN (COUNT) FLAGGED", " COUNT 2", " UID COUNT 2"),
            ("RETURN (ALL) FLAGGED", " ALL 2,4", " UID ALL 3,5"),
            ("RETURN () FLAGGED", " ALL 2,4", " UID ALL 3,5"),
            ("RETURN (ALL) ALL", " ALL 1:5", " UID ALL 1,3:5,7"),
            ("return (count max) all", " MAX 5 COUNT 5", " UID MAX 7 COUNT 5"),
            (
                "RETURN (MIN MAX COUNT ALL) 2:3",
                " MIN 2 MAX 3 COUNT 2 ALL 2:3",
                " UID MIN 3 MAX 4 COUNT 2 ALL 3:4",
            ),
            ("RETURN (ALL) CHARSET UTF-8 SUBJECT five", " ALL 5", " UID ALL 7"),
        ):
            self.assertEqual(self.search(client, arguments), sequences, arguments)
            self.assertEqual(self.search(client, arguments, by_uid=True), uids, arguments)

    def test_nothingFound(self) -> None:
        """
        Of nothing there is a response with its count and nothing else (RFC 4731 section 3.1).
        """
        client = self.client()
        self.assertEqual(self.search(client, "RETURN (MIN MAX ALL COUNT) DRAFT"), " COUNT 0")
        self.assertEqual(self.search(client, "RETURN (MIN MAX ALL) DRAFT"), "")
        self.assertEqual(self.search(client, "RETURN () DRAFT", by_uid=True), " UID")

    def test_lowestAlone(self) -> None:
        """
        Who wants to know the first message only does not have the store look at the others.
        """
        looked: list[int] = []

        async def search(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            for uid in (3, 4, 5):
                looked.append(uid)
                yield uint32s((uid,)).tobytes()

        self.store.instead["search"] = search
        self.assertEqual(self.search(self.client(), "RETURN (MIN) ALL"), " MIN 2")
        self.assertEqual(looked, [3])

    def test_oneLine(self) -> None:
        """
        Thousands of ranges come in one line, in pieces.
        """
        self.fill(*(plain("x"),) * 9_000)
        client = self.client()
        client.command("STORE 6:* +FLAGS.SILENT (\\Draft)")
        self.store.instead["search"] = self._everySecond
        numbers = range(1, 9_006, 2)
        self.assertEqual(
            self.search(client, "RETURN (ALL) ALL"), " ALL " + ",".join(str(each) for each in numbers)
        )

    async def _everySecond(self, method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
        odd = False
        async for batch in method(*arguments):
            uids = uint32s()
            for uid in uint32s(batch):
                odd = not odd
                if odd:
                    uids.append(uid)
            yield uids.tobytes()

    def test_tag(self) -> None:
        """
        The response names the command's tag, whatever it has in it.
        """
        client = self.client()
        client.say(b"a.1]=' SEARCH RETURN (COUNT) ALL\r\n")
        self.assertTrue(client.data().startswith(b"* ESEARCH (TAG \"a.1]='\") COUNT 5\r\na.1]=' OK "))

    def test_wrong(self) -> None:
        """
        Unknown options are BAD.
        """
        client = self.client()
        for wrong in ("RETURN (X) ALL", "RETURN MIN ALL", "RETURN (MIN)", "RETURN (MIN"):
            self.assertBad(client.command(f"SEARCH {wrong}"))

    def test_utf8(self) -> None:
        """
        After C{ENABLE UTF8=ACCEPT} there is no CHARSET (RFC 6855 section 3).
        """
        client = self.client()
        self.enable(client, "UTF8=ACCEPT")
        self.assertBad(client.command("SEARCH CHARSET UTF-8 ALL"))
        self.assertEqual(self.search(client, "RETURN (COUNT) ALL"), " COUNT 5")

    def test_rev2(self) -> None:
        """
        Who has enabled IMAP4rev2 gets ESEARCH for every SEARCH (RFC 9051 section 6.4.4).
        """
        client = self.client()
        self.enable(client, "IMAP4REV2")
        self.assertEqual(self.search(client, "FLAGGED"), " ALL 2,4")
        self.assertEqual(self.search(client, "DRAFT", by_uid=True), " UID")


class SavedTests(ReturnCase):
    """
    C{$}, what a search has found.
    """

    def test_saved(self) -> None:
        """
        A search that saves alone says nothing; C{$} is the same messages by number and by UID
        (RFC 5182 section 2.1).
        """
        client = self.client()
        for name in ("SEARCH", "UID SEARCH"):
            self.assertEqual(client.command(f"{name} RETURN (SAVE) FLAGGED"), [f"T OK {name} completed"])
            self.assertEqual(self.listed(client, "$"), "3 5")
            self.assertEqual(self.listed(client, "UID $"), "3 5")
        self.assertEqual(
            client.command("FETCH $ UID"),
            ["* 2 FETCH (UID 3)", "* 4 FETCH (UID 5)", "T OK FETCH completed"],
        )
        self.assertEqual(client.command("UID FETCH $ UID")[:2], ["* 2 FETCH (UID 3)", "* 4 FETCH (UID 5)"])

    def test_everyCommand(self) -> None:
        """
        C{$} stands wherever a set of messages does.
        """
        client = self.client()
        self.result(self.engine.createFolder("alice", "Box"))
        client.command("SEARCH RETURN (SAVE) FLAGGED")
        for command, responses in (
            ("STORE $ +FLAGS (\\Seen)", 2),
            ("UID STORE $ +FLAGS (\\Answered)", 2),
            ("COPY $ Box", 0),
            ("UID COPY $ Box", 0),
            ("SEARCH RETURN (COUNT) OR $ 1", 1),
            ("SORT (SIZE) UTF-8 $", 1),
            ("UID THREAD REFERENCES UTF-8 UID $", 1),
            ("UID EXPUNGE $", 0),
        ):
            lines = client.command(command)
            self.assertOk(lines)
            self.assertEqual(len(lines) - 1, responses, lines)
        self.assertEqual(self.result(self.engine.status("alice", "Box")).messages, 4)
        lines = client.command("MOVE $ Box")
        self.assertEqual(lines[1:], ["* 2 EXPUNGE", "* 3 EXPUNGE", "* 3 RECENT", "T OK MOVE completed"])
        self.assertEqual(self.listed(client, "$"), "")
        client.command("SEARCH RETURN (SAVE) ALL")
        self.assertEqual(client.command("UID MOVE $ Box")[-1], "T OK UID MOVE completed")
        self.assertEqual(self.result(self.engine.status("alice", "Box")).messages, 9)

    def test_nothingSaved(self) -> None:
        """
        Before anything was saved, and when nothing was found, C{$} is a set without messages and
        no error, in an empty folder too (RFC 5182 section 2.1).
        """
        self.result(self.engine.createFolder("alice", "Empty"))
        for folder in ("INBOX", "Empty"):
            client = self.client(folder=folder)
            for prepare in ("NOOP", "SEARCH RETURN (SAVE) DRAFT"):
                client.command(prepare)
                for command in ("FETCH $ FLAGS", "UID FETCH $ FLAGS", "STORE $ FLAGS ()", "UID EXPUNGE $"):
                    self.assertEqual(client.command(command), [f"T OK {command.split(' $')[0]} completed"])
                for command in ("COPY $ INBOX", "MOVE $ INBOX"):
                    self.assertEqual(len(client.command(command)), 1)
                self.assertEqual(client.command("SEARCH $")[0], "* SEARCH")

    def test_withOthers(self) -> None:
        """
        SAVE changes no other item; with nothing but MIN and MAX, just these are saved (RFC 5182
        section 2.4).
        """
        client = self.client()
        for options, answer, saved in (
            ("SAVE MIN", " MIN 2", "3"),
            ("SAVE MAX", " MAX 5", "7"),
            ("MIN SAVE MAX", " MIN 2 MAX 5", "3 7"),
            ("SAVE COUNT", " COUNT 4", "3 4 5 7"),
            ("SAVE ALL", " ALL 2:5", "3 4 5 7"),
            ("SAVE MIN COUNT", " MIN 2 COUNT 4", "3 4 5 7"),
            ("SAVE MIN MAX ALL", " MIN 2 MAX 5 ALL 2:5", "3 4 5 7"),
        ):
            self.assertEqual(self.search(client, f"RETURN ({options}) 2:*"), answer)
            self.assertEqual(self.listed(client, "$"), saved, options)
        self.assertEqual(self.search(client, "RETURN (SAVE MIN) DRAFT"), "")
        self.assertEqual(self.listed(client, "$"), "")

    def test_fromItself(self) -> None:
        """
        A search that looks in C{$} and saves sees what was saved before it.
        """
        client = self.client()
        client.command("SEARCH RETURN (SAVE) 2:4")
        client.command("SEARCH RETURN (SAVE) $ FLAGGED")
        self.assertEqual(self.listed(client, "$"), "3 5")
        client.command("SEARCH RETURN (SAVE) NOT $")
        self.assertEqual(self.listed(client, "$"), "1 4 7")

    def test_pipelined(self) -> None:
        """
        A command that was sent together with the search works on what it finds.
        """
        client = self.client()
        client.say(b"a SEARCH RETURN (SAVE) FLAGGED\r\nb FETCH $ UID\r\n")
        self.assertEqual(
            client.heard(),
            [
                b"a OK SEARCH completed",
                b"* 2 FETCH (UID 3)",
                b"* 4 FETCH (UID 5)",
                b"b OK FETCH completed",
            ],
        )

    def test_kept(self) -> None:
        """
        Searches that do not save, and commands that are BAD, leave C{$} as it is.
        """
        client = self.client()
        client.command("SEARCH RETURN (SAVE) FLAGGED")
        for command in (
            "SEARCH ALL",
            "SEARCH RETURN (COUNT) ALL",
            "SEARCH CHARSET X-NONE ALL",
            "SEARCH RETURN (COUNT) CHARSET X-NONE ALL",
            "SEARCH RETURN (SAVE) 99",
            "SEARCH RETURN (SAVE) X",
            "NOOP",
        ):
            client.command(command)
            self.assertEqual(self.listed(client, "$"), "3 5", command)

    def test_failed(self) -> None:
        """
        A search that was to be saved and ends in NO leaves nothing saved (RFC 5182 section 2.1).
        """
        client = self.client()
        client.command("SEARCH RETURN (SAVE) FLAGGED")
        self.assertNo(client.command("SEARCH RETURN (SAVE) CHARSET X-NONE ALL"), BAD_CHARSET.code)
        self.assertEqual(self.listed(client, "$"), "")
        client.command("SEARCH RETURN (SAVE) FLAGGED")

        async def fail(method: Any, *arguments: Any) -> AsyncGenerator[bytes, None]:
            yield uint32s((1,)).tobytes()
            raise StoreUnavailable("away")

        self.store.instead["search"] = fail
        self.assertNo(client.command("SEARCH RETURN (SAVE) ALL"), "UNAVAILABLE")
        del self.store.instead["search"]
        self.assertEqual(self.listed(client, "$"), "")

    def test_opened(self) -> None:
        """
        In a folder that was just opened nothing is saved, whichever it is.
        """
        client = self.client()
        client.command("SEARCH RETURN (SAVE) ALL")
        self.assertOk(client.command("SELECT INBOX"))
        self.assertEqual(self.listed(client, "$"), "")

    def test_expunged(self) -> None:
        """
        A message that is expunged leaves C{$} when the client is told; the others stay the same
        messages, under their new numbers.
        """
        client = self.client()
        client.command("SEARCH RETURN (SAVE) 1,3:4")
        self.remove(1, 3)
        self.assertEqual(client.command("FETCH $ UID")[:2], ["* 3 FETCH (UID 4)", "* 4 FETCH (UID 5)"])
        client.command("NOOP")
        self.assertEqual(
            client.command("FETCH $ UID"),
            ["* 1 FETCH (UID 4)", "* 2 FETCH (UID 5)", "T OK FETCH completed"],
        )

    def test_newMessages(self) -> None:
        """
        What comes later is not in C{$}.
        """
        client = self.client()
        client.command("SEARCH RETURN (SAVE) ALL")
        self.fill(plain("late"))
        client.command("NOOP")
        self.assertEqual(self.listed(client, "$"), "1 3 4 5 7")


class KeyTests(ReturnCase):
    """
    The keys of extensions.
    """

    def test_ages(self) -> None:
        """
        OLDER and YOUNGER go by the internal date, in seconds before now (RFC 5032).
        """
        self.result(self.engine.createFolder("alice", "Box"))
        now = int(time.time())
        for age in (86_400 * 365, 7_200, 60):
            self.fill(plain("x"), folder="Box", internal_date=now - age)
        client = self.client(folder="Box")
        for key, uids in (
            ("OLDER 3600", "1 2"),
            ("YOUNGER 3600", "3"),
            ("OLDER 86400", "1"),
            ("YOUNGER 86400", "2 3"),
            ("OLDER 600 YOUNGER 86400", "2"),
            ("NOT OLDER 3600", "3"),
            ("OLDER 4294967295", ""),
            ("YOUNGER 4294967295", "1 2 3"),
        ):
            self.assertEqual(self.listed(client, key), uids, key)
        for wrong in ("OLDER 0", "YOUNGER x", "OLDER", "YOUNGER 4294967296"):
            self.assertBad(client.command(f"SEARCH {wrong}"))

    def test_saveDates(self) -> None:
        """
        When a message came into the folder can be looked for (RFC 8514), whatever its internal date.
        """
        self.result(self.engine.createFolder("alice", "Box"))
        self.fill(plain("old"), folder="Box", internal_date=0)
        client = self.client(folder="Box")
        today = time.strftime("%d-%b-%Y", time.gmtime())
        for key, uids in (
            ("SAVEDATESUPPORTED", "1"),
            ("NOT SAVEDATESUPPORTED", ""),
            ("SAVEDSINCE 1-Jan-2000", "1"),
            ("SAVEDBEFORE 1-Jan-2000", ""),
            ("SAVEDON 1-Jan-1970", ""),
            (f"NOT SAVEDBEFORE {today}", "1"),
        ):
            self.assertEqual(self.listed(client, key), uids, key)

    def test_objects(self) -> None:
        """
        EMAILID and THREADID find the whole identifier and nothing else (RFC 8474 section 6).
        """
        client = self.client()
        first, second = self._identifiers()
        self.assertEqual(self.listed(client, f"EMAILID {first}"), "1")
        self.assertEqual(self.listed(client, f"OR EMAILID {first} EMAILID {second}"), "1 3")
        self.assertEqual(self.listed(client, f"EMAILID {first[:-1]}"), "")
        self.assertEqual(self.listed(client, "THREADID T0"), "")

    def _identifiers(self) -> tuple[str, str]:
        """
        The EMAILIDs of the messages 1 and 3.
        """

        async def fetch() -> list[str]:
            found: list[str] = []
            spec = FetchSpec(email_id=True)
            async for batch in self.engine.fetch("alice", self.identity(), UidSet.of((1, 3)), spec):
                found += batch.email_ids
            return found

        first, second = self.result(fetch())
        return first, second

    def test_modSequences(self) -> None:
        """
        Who looks for a mod-sequence is told the highest of what was found (RFC 7162 sections
        3.1.5 and 3.1.6); of the ends alone, theirs (RFC 4731 section 3.2).
        """
        client = self.client()
        self.flag(4, "\\Seen")
        self.flag(1, "\\Seen")
        client.command("NOOP")
        highest = self.result(self.engine.status("alice", "INBOX")).highest_modseq
        lines = client.command("SEARCH RETURN (SAVE) MODSEQ 1")
        self.assertEqual(len(lines), 2)
        self.assertIn(f"* OK [HIGHESTMODSEQ {highest}] ", lines[0])
        for arguments, answer in (
            (f"SEARCH MODSEQ {highest - 1}", f"* SEARCH 1 3 (MODSEQ {highest})"),
            (f'UID SEARCH MODSEQ "/flags/\\\\seen" all {highest - 1}', f"* SEARCH 1 4 (MODSEQ {highest})"),
            (f"SEARCH NOT MODSEQ {highest} 3", f"* SEARCH 3 (MODSEQ {highest - 1})"),
            (f"SEARCH MODSEQ {highest + 1}", "* SEARCH"),
            (f"SORT (REVERSE SUBJECT) UTF-8 MODSEQ {highest - 1}", f"* SORT 3 1 (MODSEQ {highest})"),
            ("SORT (ARRIVAL) UTF-8 1:2", "* SORT 1 2"),
        ):
            self.assertEqual(client.command(arguments)[0], answer)
        for options, answer in (
            ("ALL", f" ALL 1,3 MODSEQ {highest}"),
            ("COUNT", f" COUNT 2 MODSEQ {highest}"),
            ("MIN", f" MIN 1 MODSEQ {highest}"),
            ("MAX", f" MAX 3 MODSEQ {highest - 1}"),
            ("MIN MAX", f" MIN 1 MAX 3 MODSEQ {highest}"),
        ):
            self.assertEqual(self.search(client, f"RETURN ({options}) MODSEQ {highest - 1}"), answer)
        self.assertEqual(self.search(client, f"RETURN (COUNT) MODSEQ {highest + 1}"), " COUNT 0")
