"""
Tests of UNAUTHENTICATE (RFC 8437).
"""

from __future__ import annotations

from mailstore.imap.limits import ImapLimits
from tests.imap.commands.messagecase import MessageCase, plain
from tests.imap.support import Server


class UnauthenticateTests(MessageCase):
    """
    Becoming nobody again.
    """

    def test_signInAsAnother(self) -> None:
        """
        The folder is closed without expunging, and another user can sign in on the same connection, who sees
        his own mail and none of the other's.
        """
        (uid,) = self.fill(plain("alice's"))
        self.flag(uid, "\\Deleted")
        client = self.client()
        (reply,) = client.command("UNAUTHENTICATE")
        self.assertTrue(reply.startswith("T OK [CAPABILITY IMAP4rev1 "), reply)
        self.assertIn("AUTH=PLAIN", reply)
        self.assertBad(client.command("FETCH 1 FLAGS"))
        self.assertBad(client.command("NAMESPACE"))
        client.login(b"bob")
        self.assertIn("* 0 EXISTS", client.command("SELECT INBOX"))
        self.assertEqual(self.result(self.engine.status("alice", "INBOX")).messages, 1)

    def test_forgets(self) -> None:
        """
        What was enabled is not any more, nor is what had been saved, nor who the client said it was.
        """
        self.result(self.engine.createFolder("alice", "Gr\u00fcn"))
        client = self.client(folder="")
        client.command('ID ("name" "test")')
        client.command("ENABLE UTF8=ACCEPT QRESYNC IMAP4rev2")
        client.command("UNAUTHENTICATE")
        session = client.protocol.connection.session
        self.assertEqual(
            (session.user, session.client, session.enabled, session.condstore), ("", "", set(), False)
        )
        client.login()
        self.assertTrue(any("Gr&APw-n" in line for line in client.command('LIST "" *')))
        self.assertIn("* 0 RECENT", client.command("SELECT INBOX"))

    def test_announced(self) -> None:
        """
        It is announced to who can use it, and BAD for others.
        """
        client = self.client(folder="")
        self.assertIn("UNAUTHENTICATE", client.command("CAPABILITY")[0].split())
        client.command("UNAUTHENTICATE")
        self.assertNotIn("UNAUTHENTICATE", client.command("CAPABILITY")[0].split())
        self.assertBad(client.command("UNAUTHENTICATE"))

    def test_counts(self) -> None:
        """
        It makes room for another session of that user, once.
        """
        server = Server(self, ImapLimits(login_delay=0.0, max_sessions_per_user=1))
        first = server.client()
        second = server.connect()
        self.assertEqual(second.ask(b"LOGIN alice password")[0][:13], b"T NO [LIMIT] ")
        first.ask(b"UNAUTHENTICATE")
        second.login()
        first.disconnect()
        third = server.connect()
        self.assertEqual(third.ask(b"LOGIN alice password")[0][:13], b"T NO [LIMIT] ")
