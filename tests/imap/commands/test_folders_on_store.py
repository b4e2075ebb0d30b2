"""
Folder commands on a real store: where front end and store together make the answer.
"""

from __future__ import annotations

from tests.imap.commands.messagecase import Client, MessageCase, plain


class FoldersOnStoreTests(MessageCase):
    """
    Folders, their attributes and counts, as clients see them.
    """

    def _listed(self, client: Client, command: str) -> dict[str, str]:
        """
        The attributes by name in a LIST or LSUB response.
        """
        *lines, tagged = client.command(command)
        self.assertTrue(tagged.startswith("T OK "), tagged)
        found = {}
        for line in lines:
            attributes, _, name = line.partition(' "/" ')
            found[name.strip('"')] = attributes.partition("(")[2].rstrip(")")
        return found

    def test_children(self) -> None:
        """
        Whether a folder has children is right at any time (RFC 3348), and a folder
        deleted above others remains as a level without messages until the last of them goes
        (RFC 3501 section 6.3.4).
        """
        client = self.client(folder="")
        client.command("CREATE a/b/c")
        self.assertEqual(
            self._listed(client, 'LIST "" a*'),
            {"a": "\\HasChildren", "a/b": "\\HasChildren", "a/b/c": "\\HasNoChildren"},
        )
        self.assertOk(client.command("DELETE a/b"))
        gone = "\\NonExistent \\Noselect \\HasChildren"
        self.assertEqual(
            self._listed(client, 'LIST "" a*'),
            {"a": "\\HasChildren", "a/b": gone, "a/b/c": "\\HasNoChildren"},
        )
        for command in ("SELECT a/b", "STATUS a/b (MESSAGES)", "DELETE a/b"):
            self.assertNo(client.command(command), "CANNOT")
        self.assertOk(client.command("DELETE a/b/c"))
        self.assertEqual(self._listed(client, 'LIST "" a*'), {"a": "\\HasNoChildren"})

    def test_childrenOthersMayNotSee(self) -> None:
        """
        Folders that a user may not look up give their parent no children.
        """
        self.public("Open")
        self.public("Open/Closed", authenticated="")
        client = self.client("bob", folder="")
        name = "Public Folders/Open"
        self.assertEqual(self._listed(client, f'LIST "" "{name}*"'), {name: "\\HasNoChildren"})

    def test_uidValidity(self) -> None:
        """
        A folder that is deleted and made again is another one (RFC 3501 section 2.3.1.1).
        """
        client = self.client(folder="")
        seen = []
        for _ in range(3):
            client.command("CREATE Box")
            seen.append(int(client.command("STATUS Box (UIDVALIDITY)")[0].split()[-1].rstrip(")")))
            client.command("DELETE Box")
        self.assertEqual(seen, sorted(set(seen)))

    def test_inboxStays(self) -> None:
        """
        INBOX, in any case, can be neither made nor deleted, and has other folders below it.
        """
        client = self.client(folder="")
        for name in ("INBOX", "inbox", "InBox/"):
            self.assertNo(client.command(f"CREATE {name}"), "ALREADYEXISTS")
            self.assertNo(client.command(f"DELETE {name.strip('/')}"), "CANNOT")
        self.assertOk(client.command("CREATE inbox/low"))
        self.assertEqual(set(self._listed(client, 'LIST "" iNbOx/*')), {"INBOX/low"})

    def test_renameInbox(self) -> None:
        """
        Who has INBOX open sees its messages go when it is renamed (RFC 3501 section 6.3.5).
        """
        self.fill(plain("one"), plain("two"))
        client = self.client()
        lines = client.command("RENAME INBOX inbox/old")
        self.assertEqual(lines[:2], ["* 1 EXPUNGE", "* 1 EXPUNGE"])
        self.assertOk(lines)
        self.assertEqual(
            client.command("STATUS INBOX/old (MESSAGES UIDNEXT)")[0],
            "* STATUS INBOX/old (MESSAGES 2 UIDNEXT 3)",
        )

    def test_encodedNames(self) -> None:
        """
        Names come as they were given, in modified UTF-7 (RFC 3501 section 5.1.3); patterns
        are compared after decoding.
        """
        client = self.client(folder="")
        for name in ("&ZeVnLIqe-", "Entw&APw-rfe", "Tom &- Ann"):
            self.assertOk(client.command(f'CREATE "{name}/in"'))
            listed = {name: "\\HasChildren"}
            self.assertEqual(self._listed(client, f'LIST "" "{name}"'), listed)
            self.assertEqual(self._listed(client, f'LIST "" "{name}/%"'), {f"{name}/in": "\\HasNoChildren"})
            self.assertOk(client.command(f'SUBSCRIBE "{name}"'))
            self.assertEqual(self._listed(client, f'LSUB "" "{name}"'), {name: ""})
        self.assertEqual(set(self._listed(client, 'LIST "" Entw%')), {"Entw&APw-rfe"})

    def test_subscriptions(self) -> None:
        """
        A subscription outlives its folder (RFC 3501 section 6.3.6); with C{%} a name
        below one that is not subscribed shows that one (section 6.3.9).
        """
        client = self.client(folder="")
        client.command("CREATE a/b")
        client.command("SUBSCRIBE a/b")
        client.command("DELETE a/b")
        client.command("DELETE a")
        self.assertEqual(self._listed(client, 'LSUB "" *'), {"a/b": ""})
        self.assertEqual(self._listed(client, 'LSUB "" %'), {"a": "\\Noselect"})
        self.assertEqual(self._listed(client, 'LSUB "" a/%'), {"a/b": ""})
        client.command("SUBSCRIBE a")
        self.assertEqual(self._listed(client, 'LSUB "" %'), {"a": ""})
        self.assertEqual(self._listed(self.client("bob", folder=""), 'LSUB "" *'), {})

    def test_unseenOwn(self) -> None:
        """
        In a public folder each user has his own count of unseen messages.
        """
        name = self.public("News")
        self.fill(plain("one"), plain("two"), plain("three"), user="#system", folder=name)
        alice, bob = self.client("alice", name), self.client("bob", folder="")
        self.assertOk(alice.command("STORE 1,3 +FLAGS.SILENT (\\Seen)"))
        asked = f'STATUS "{name}" (UNSEEN MESSAGES)'
        self.assertEqual(alice.command(asked)[0], f'* STATUS "{name}" (UNSEEN 1 MESSAGES 3)')
        self.assertEqual(bob.command(asked)[0], f'* STATUS "{name}" (UNSEEN 3 MESSAGES 3)')
        self.assertIn("* OK [UNSEEN 2] First unseen message", alice.command(f'SELECT "{name}"'))
        self.assertIn("* OK [UNSEEN 1] First unseen message", bob.command(f'SELECT "{name}"'))
        self.assertEqual(bob.command("SEARCH UNSEEN")[0], "* SEARCH 1 2 3")

    def test_recentTwoSessions(self) -> None:
        """
        A message is recent to one session, which counts it in STATUS too; EXAMINE
        takes it from nobody (RFC 3501 section 2.3.2).
        """
        self.fill(plain("one"), plain("two"))
        looker = self.client(command="EXAMINE")
        first = self.client()
        second = self.client()
        asked = "STATUS INBOX (RECENT)"
        self.assertEqual(first.command(asked)[0], "* STATUS INBOX (RECENT 2)")
        self.assertEqual(second.command(asked)[0], "* STATUS INBOX (RECENT 0)")
        self.assertEqual(looker.command(asked)[0], "* STATUS INBOX (RECENT 0)")
        self.assertEqual(first.command("SEARCH RECENT")[0], "* SEARCH 1 2")
        self.assertEqual(second.command("SEARCH RECENT")[0], "* SEARCH")
        self.fill(plain("three"))
        self.assertIn("* 1 RECENT", second.command("NOOP"))
        self.assertIn("* 2 RECENT", first.command("NOOP"))
        self.assertEqual(second.command(asked)[0], "* STATUS INBOX (RECENT 1)")
        self.assertEqual(first.command("FETCH 1:* FLAGS")[2], "* 3 FETCH (FLAGS ())")
        self.assertEqual(second.command("FETCH 1:* FLAGS")[2], "* 3 FETCH (FLAGS (\\Recent))")

    def test_copyOntoItself(self) -> None:
        """
        Messages can be copied and moved into the folder that is open; what is said counts right.
        """
        self.fill(plain("one"), plain("two"))
        client = self.client()
        lines = client.command("COPY 1:2 INBOX")
        self.assertEqual(lines[:2], ["* 4 EXISTS", "* 4 RECENT"])
        self.assertRegex(lines[-1], r"^T OK \[COPYUID \d+ 1:2 3:4\]")
        lines = client.command("MOVE 2 INBOX")
        self.assertRegex(lines[0], r"^\* OK \[COPYUID \d+ 2 5\]")
        self.assertEqual(lines[1:-1], ["* 2 EXPUNGE", "* 4 EXISTS", "* 4 RECENT"])
        found = client.command("FETCH 1:* UID")
        self.assertEqual([line.split()[-1].rstrip(")") for line in found[:-1]], ["1", "3", "4", "5"])

    def test_expungeExamined(self) -> None:
        """
        After EXAMINE nothing is expunged, neither by a command nor by CLOSE.
        """
        uids = self.fill(plain("one"), plain("two"), flags=("\\Deleted",))
        client = self.client(command="EXAMINE")
        self.assertNo(client.command("EXPUNGE"), "READ-ONLY")
        self.assertNo(client.command(f"UID EXPUNGE {uids[0]}"), "READ-ONLY")
        self.assertOk(client.command("CLOSE"))
        self.assertEqual(client.command("STATUS INBOX (MESSAGES)")[0], "* STATUS INBOX (MESSAGES 2)")
