"""
Tests of UNAUTHENTICATE (RFC 8437).
"""

from __future__ import annotations

import zlib

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

    def test_compressed(self) -> None:
        """
        The tagged reply is the last that is compressed, and the command the last that has to be: what a
        client pipelines behind it is plain (section 4.1).  The place among the compressed is free again.
        """
        server = Server(self, ImapLimits(login_delay=0.0, max_compressed=1))
        client = server.client()
        client.ask(b"COMPRESS DEFLATE")
        deflater, inflater = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
        command = deflater.compress(b"a UNAUTHENTICATE\r\n") + deflater.flush(zlib.Z_SYNC_FLUSH)
        client.say(command + b"b LOGIN bob password\r\nc NOOP\r\n")
        heard = client.transport.value()
        client.transport.clear()
        reply = inflater.decompress(heard[: heard.index(b"b OK")])
        self.assertTrue(reply.startswith(b"a OK [CAPABILITY "), reply)
        self.assertEqual(heard[heard.index(b"b OK") :].split(b"\r\n")[1:], [b"c OK NOOP completed", b""])
        self.assertEqual(client.protocol.connection.session.user, "bob")
        self.assertEqual(client.ask(b"COMPRESS DEFLATE")[0][:4], b"T OK")

    def test_switchedOff(self) -> None:
        """
        Where it is switched off it is neither announced nor possible.
        """
        client = Server(self, unauthenticate=False).client()
        self.assertNotIn(b"UNAUTHENTICATE", client.ask(b"CAPABILITY")[0].split())
        self.assertEqual(client.ask(b"UNAUTHENTICATE")[-1][:6], b"T BAD ")
        self.assertEqual(client.ask(b"NAMESPACE")[-1][:5], b"T OK ")

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
