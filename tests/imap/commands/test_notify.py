"""
Tests of NOTIFY (RFC 5465).
"""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StoreBusy
from mailstore.imap.limits import ImapLimits
from tests.imap.commands.messagecase import Between, Client
from tests.imap.support import Server
from tests.imap.wholeserver import WholeServer

PUBLIC = "Public Folders"


class NotifyTests(SynchronousTestCase):
    """
    Two clients of a whole server.
    """

    def serve(self, *folders: str, **limits: Any) -> None:
        """
        Start it, with these public folders.
        """
        self.server = WholeServer(self, folders, limits=ImapLimits(login_delay=0.0, **limits))

    def client(self, user: bytes = b"alice", folder: str = "") -> Client:
        """
        One that has signed in.
        """
        client = Client(cast(Server, self.server))
        self.server.clients.append(client)
        client.login(user)
        if folder:
            client.command(f'SELECT "{folder}"')
        return client

    def heard(self, client: Client) -> list[str]:
        """
        What came by itself, when some time has passed.
        """
        self.server.clock.advance(1)
        return [line.decode() for line in client.heard()]

    def bring(self, client: Client, folder: str) -> None:
        """
        Append a message.
        """
        reply = client.command(f'APPEND "{folder}" {{6+}}\r\na: b\r\n')[-1]
        self.assertTrue(reply.startswith("T OK"), reply)

    def test_openFolder(self) -> None:
        """
        What comes into the open folder is told between commands, and nothing when a command has begun.
        """
        self.serve()
        alice, other = self.client(folder="INBOX"), self.client()
        self.assertEqual(
            alice.command("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))"),
            ["T OK NOTIFY completed"],
        )
        self.bring(other, "INBOX")
        self.assertEqual(self.heard(alice), ["* 1 EXISTS", "* 1 RECENT", "* 1 FETCH (UID 1)"])
        alice.say(b"a SUBSCRIBE {1}\r\n")
        self.bring(other, "INBOX")
        self.assertEqual(self.heard(alice), ["+ Go on"])
        alice.say(b"x\r\n")
        self.assertEqual(
            self.heard(alice),
            ["* 2 EXISTS", "* 2 RECENT", "* 2 FETCH (UID 2)", "a OK SUBSCRIBE completed"],
        )

    def test_many(self) -> None:
        """
        Many messages at once are one EXISTS, and each is told of.
        """
        self.serve()
        alice, other = self.client(folder="INBOX"), self.client()
        alice.command("NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge))")
        other.say(b"a APPEND INBOX {6+}\r\na: b\r\n {6+}\r\na: b\r\n {6+}\r\na: b\r\n\r\n")
        self.assertEqual(
            self.heard(alice)[:2] + [f"* {n} FETCH (UID {n} FLAGS (\\Recent))" for n in (1, 2, 3)],
            [
                "* 3 EXISTS",
                "* 3 RECENT",
                *(f"* {n} FETCH (UID {n} FLAGS (\\Recent))" for n in (1, 2, 3)),
            ],
        )

    def test_seenIsNotSet(self) -> None:
        """
        To be told the text of a message is not to have seen it.
        """
        self.serve()
        alice, other = self.client(folder="INBOX"), self.client()
        alice.command("NOTIFY SET (selected (MessageNew (BODY[]) MessageExpunge))")
        self.bring(other, "INBOX")
        self.assertIn("* 1 FETCH (BODY[] {6}", self.heard(alice))
        self.assertEqual(alice.command("FETCH 1 FLAGS")[0], "* 1 FETCH (FLAGS (\\Recent))")

    def test_condstore(self) -> None:
        """
        Who knows mod-sequences is told them, and hears of flags in other folders that he could not be told of
        otherwise.
        """
        self.serve("News")
        alice, bob = self.client(), self.client(b"bob", f"{PUBLIC}/News")
        self.bring(bob, f"{PUBLIC}/News")
        watch = f'NOTIFY SET (mailboxes "{PUBLIC}/News" (MessageNew MessageExpunge FlagChange))'
        alice.command(watch)
        bob.command("STORE 1 FLAGS (\\Flagged)")
        self.assertEqual(self.heard(alice), [])
        alice.command("ENABLE CONDSTORE")
        bob.command("STORE 1 FLAGS (\\Answered)")
        (line,) = self.heard(alice)
        self.assertRegex(line, r'^\* STATUS "Public Folders/News" \(HIGHESTMODSEQ \d+ UIDVALIDITY \d+\)$')
        self.bring(bob, f"{PUBLIC}/News")
        (line,) = self.heard(alice)
        self.assertRegex(line, r"\(MESSAGES 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 2 HIGHESTMODSEQ \d+\)$")

    def test_qresync(self) -> None:
        """
        VANISHED in place of EXPUNGE.
        """
        self.serve()
        alice, other = self.client(), self.client(folder="INBOX")
        self.bring(other, "INBOX")
        alice.command("ENABLE QRESYNC")
        alice.command("SELECT INBOX")
        alice.command("NOTIFY SET (selected (MessageNew MessageExpunge))")
        other.command("STORE 1 +FLAGS.SILENT (\\Deleted)")
        other.command("EXPUNGE")
        self.assertEqual(self.heard(alice), ["* VANISHED 1"])

    def test_coalesced(self) -> None:
        """
        Who does not read hears, when he reads again, what is different then: once for each folder.
        """
        self.serve("News")
        alice, bob = self.client(), self.client(b"bob")
        alice.command(f'NOTIFY SET (subtree "{PUBLIC}" (MessageNew MessageExpunge MailboxName))')
        alice.protocol.pauseProducing()
        for number in range(20):
            self.bring(bob, f"{PUBLIC}/News")
            bob.command(f'CREATE "{PUBLIC}/F{number}"')
        self.server.clock.advance(1)
        told = len(alice.heard())
        self.assertLess(told, 10)
        alice.protocol.resumeProducing()
        lines = self.heard(alice)
        self.assertLess(told + len(lines), 50)
        self.assertTrue(any("MESSAGES 20 " in line for line in lines), lines)

    def test_bounds(self) -> None:
        """
        So many folders can be watched, by one and by all; who asks for more hears NO, and is told still what
        he was told before.  When there are more later, he is told so, and nothing else any more.
        """
        self.serve("A", "B", max_notified_folders=3, max_all_notified_folders=5)
        alice, bob = self.client(), self.client(b"bob")
        events = "(MessageNew MessageExpunge)"
        everything = f'NOTIFY SET (subtree "{PUBLIC}" {events}) (inboxes {events})'
        self.assertEqual(alice.command(everything), ["T OK NOTIFY completed"])
        self.assertEqual(
            bob.command(everything),
            ["T NO [NOTIFICATIONOVERFLOW] These are too many mailboxes to be notified of"],
        )
        self.assertEqual(
            bob.command(f'NOTIFY SET (subtree "{PUBLIC}" (MessageNew MessageExpunge))')[-1][:4], "T OK"
        )
        self.assertEqual(bob.command(everything)[-1][:5], "T NO ")
        self.bring(self.client(), f"{PUBLIC}/A")
        for client in (alice, bob):
            (line,) = self.heard(client)
            self.assertIn("MESSAGES 1", line)
        bob.command("LOGOUT")
        self.client(b"bob").command(f'CREATE "{PUBLIC}/C"')
        self.assertEqual(
            self.heard(alice), ["* OK [NOTIFICATIONOVERFLOW] Too many mailboxes to be notified of"]
        )
        self.bring(self.client(), f"{PUBLIC}/A")
        self.assertEqual(self.heard(alice), [])
        self.assertEqual(self.client(b"bob").command(everything)[-1][:5], "T NO ")
        self.client(b"bob").command(f'DELETE "{PUBLIC}/C"')
        self.assertEqual(alice.command(everything)[-1][:4], "T OK")

    def test_sections(self) -> None:
        """
        So many sections can be asked for of each message.
        """
        self.serve(max_sections=1)
        alice = self.client()
        command = "NOTIFY SET (selected (MessageNew ({}) MessageExpunge))"
        self.assertEqual(alice.command(command.format("BODY.PEEK[1]"))[-1][:4], "T OK")
        self.assertEqual(
            alice.command(command.format("BODY.PEEK[1] BODY.PEEK[2]")),
            ["T NO [LIMIT] Too many sections at once"],
        )

    def test_storeBusy(self) -> None:
        """
        A store that cannot be asked is asked again, and what happened meanwhile is told then.
        """
        self.serve("News")
        alice, bob = self.client(), self.client(b"bob")
        between = Between(self.server.remote)
        alice.command(f'NOTIFY SET (subtree "{PUBLIC}" (MessageNew MessageExpunge MailboxName))')

        async def busy(*arguments: Any) -> Any:
            for _ in ():
                yield
            raise StoreBusy("for a test")

        between.instead["statuses"] = busy
        front = self.server.factory.front
        self.patch(front, "store", between)
        self.bring(bob, f"{PUBLIC}/News")
        self.assertEqual(self.heard(alice), [])
        self.assertEqual(alice.command("NOOP"), ["T OK NOOP completed"])
        del between.instead["statuses"]
        self.server.clock.advance(5)
        (line,) = self.heard(alice)
        self.assertIn("MESSAGES 1", line)

    def test_refusedByStore(self) -> None:
        """
        When the store cannot be asked at the beginning, what was told before is told still.
        """
        self.serve("News")
        alice, bob = self.client(), self.client(b"bob")
        alice.command(f'NOTIFY SET (mailboxes "{PUBLIC}/News" (MessageNew MessageExpunge))')
        between = Between(self.server.remote)

        async def busy(*arguments: Any) -> Any:
            for _ in ():
                yield
            raise StoreBusy("for a test")

        between.instead["statuses"] = busy
        front = self.server.factory.front
        real = front.store
        front.store = cast(Any, between)
        self.assertEqual(
            alice.command("NOTIFY SET (inboxes (MessageNew MessageExpunge))")[-1][:17], "T NO [UNAVAILABLE"
        )
        front.store = real
        self.bring(bob, f"{PUBLIC}/News")
        (line,) = self.heard(alice)
        self.assertIn("MESSAGES 1", line)

    def test_muted(self) -> None:
        """
        Who wants to hear nothing of the open folder hears of his own EXPUNGE all the same.
        """
        self.serve()
        alice, other = self.client(folder="INBOX"), self.client()
        for _ in range(2):
            self.bring(other, "INBOX")
        alice.command("NOOP")
        alice.command("NOTIFY SET (selected NONE)")
        self.bring(other, "INBOX")
        self.assertEqual(alice.command("NOOP"), ["T OK NOOP completed"])
        alice.say(b"a IDLE\r\n")
        self.assertEqual(self.heard(alice), ["+ Waiting for changes"])
        alice.say(b"DONE\r\n")
        alice.heard()
        alice.command("STORE 1 +FLAGS.SILENT (\\Deleted)")
        self.assertIn("* 1 EXPUNGE", alice.command("EXPUNGE"))

    def test_folderLost(self) -> None:
        """
        A client whose open folder is deleted is told so at once, and sent away.
        """
        self.serve("News")
        alice, bob = self.client(folder=f"{PUBLIC}/News"), self.client(b"bob")
        alice.command("NOTIFY SET (selected (MessageNew MessageExpunge))")
        bob.command(f'DELETE "{PUBLIC}/News"')
        self.assertEqual(self.heard(alice), ["* BYE The folder that was open is not there any more"])
        self.assertTrue(alice.gone)

    def test_unauthenticate(self) -> None:
        """
        The next user on the connection is told nothing, and nothing is counted any more.
        """
        self.serve("News", max_all_notified_folders=1)
        alice, bob = self.client(), self.client(b"bob")
        watch = f'NOTIFY SET (mailboxes "{PUBLIC}/News" (MessageNew MessageExpunge))'
        alice.command(watch)
        self.assertEqual(bob.command(watch)[-1][:5], "T NO ")
        alice.command("UNAUTHENTICATE")
        alice.login(b"bob")
        self.assertEqual(bob.command(watch)[-1][:5], "T OK ")
        self.bring(self.client(), f"{PUBLIC}/News")
        self.assertEqual(self.heard(alice), [])

    def test_outside(self) -> None:
        """
        When anything may have changed, all that is watched is looked at.
        """
        self.serve("News")
        alice = self.client()
        alice.command(f'NOTIFY SET (subtree "{PUBLIC}" (MessageNew MessageExpunge MailboxName))')
        front = self.server.factory.front
        front.everythingChanged()
        self.assertEqual(self.heard(alice), [])
        self.bring(self.client(b"bob"), f"{PUBLIC}/News")
        front.everythingChanged()
        (line,) = self.heard(alice)
        self.assertIn("MESSAGES 1", line)

    def test_announced(self) -> None:
        """
        It is announced, and possible after sign-in only.
        """
        self.serve()
        alice = self.client()
        self.assertIn("NOTIFY", alice.command("CAPABILITY")[0].split())
        alice.command("UNAUTHENTICATE")
        self.assertEqual(alice.command("NOTIFY NONE")[-1][:6], "T BAD ")
