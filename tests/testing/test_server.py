"""
Tests for L{mailstore.testing.MailServer}.
"""

from __future__ import annotations

import imaplib
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mailstore.config import Config, ConfigError
from mailstore.engine.limits import EngineLimits
from mailstore.errors import FolderExists, UserExists
from mailstore.imap.limits import ImapLimits
from mailstore.ipc.limits import IpcLimits
from mailstore.supervisor import childEnvironment
from mailstore.testing import MailServer, NotArrived, NotDelivered, NotLoaded
from mailstore.topology import StartFailed
from tests.channels import KINDS, describe, shortDirectory

NEWS = "Public Folders/News"

#: A program that has no reactor of its own, and must have none afterwards.
PROGRAM = """
import signal, sys, threading
before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
from mailstore.testing import MailServer
import imaplib
with MailServer(users={"alice": "secret"}) as server:
    with imaplib.IMAP4(server.host, server.port) as client:
        client.login("alice", "secret")
        assert client.select()[0] == "OK"
after = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
assert before == after, after
assert "twisted.internet.reactor" not in sys.modules
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
print("good")
"""

#: The same over TLS.
TLS_PROGRAM = """
import imaplib, sys
from mailstore.testing import MailServer
big = b"Subject: x" + bytes((13, 10)) * 2 + b"y" * 1_000_000
with MailServer(users={"alice": "secret"}, tls=True) as server:
    plain = imaplib.IMAP4(server.host, server.port, timeout=30)
    plain.starttls(server.sslContext())
    wrapped = imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=server.sslContext(), timeout=30)
    for number, client in enumerate((plain, wrapped), 1):
        client.login("alice", "secret")
        assert client.append("INBOX", "", "", big)[0] == "OK"
        assert client.select() == ("OK", [b"%d" % number])
        _, ((_, content), _) = client.fetch(str(number), "(BODY[])")
        assert content == big
        client.logout()
assert "twisted.internet.reactor" not in sys.modules
print("good")
"""

HELLO = "Subject: hello\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nwörld\r\n".encode()


class MailServerTests(SynchronousTestCase):
    """
    L{MailServer}, used as any program would, from plain synchronous code.
    """

    def signIn(self, server: MailServer, user: str = "alice", password: str = "secret") -> imaplib.IMAP4:
        """
        A client that has signed in.
        """
        client = imaplib.IMAP4(server.host, server.port)
        self.addCleanup(client.shutdown)
        client.login(user, password)
        return client

    def test_overEveryTransport(self) -> None:
        """
        It serves mail, over each kind of channel, and leaves no file behind.
        """
        for kind in KINDS:
            directory = shortDirectory(self)
            transport = describe(self, kind, ":blocks=16", directory)
            before = os.listdir(directory)
            with MailServer(
                users={"alice": "secret"}, folders=[NEWS, "Public Folders"], transport=transport
            ) as server:
                self.assertEqual(server.append(b"Subject: hello\n\nworld\n", NEWS), 1)
                client = self.signIn(server)
                self.assertEqual(client.select(f'"{NEWS}"', readonly=True), ("OK", [b"1"]))
                _, ((_, content), _) = client.fetch("1", "(BODY.PEEK[])")  # type: ignore[misc]
                self.assertEqual(content, b"Subject: hello\r\n\r\nworld\r\n")
            self.assertEqual(os.listdir(directory), before)

    def test_load(self) -> None:
        """
        A directory of real mail is loaded, and counted.
        """
        import tests

        with MailServer(users={"alice": "secret"}) as server:
            mail = str(Path(tests.__file__).parent / "mail")
            self.assertEqual(server.load(mail, NEWS), 103)
            self.assertEqual(server.load(f"{mail}/rfc2822", "Archive", owner="alice"), 14)
            client = self.signIn(server)
            self.assertEqual(client.status("Archive", "(MESSAGES)"), ("OK", [b"Archive (MESSAGES 14)"]))

    def test_notLoaded(self) -> None:
        """
        What is no mail is named.
        """
        with MailServer() as server:
            error = self.assertRaises(NotLoaded, server.load, "/gone", NEWS)
            self.assertEqual(str(error), "/gone: No such file or directory")

    def test_rights(self) -> None:
        """
        Users may read; administrators, and who is given the right, may write.
        """
        with MailServer(
            users={"alice": "secret", "bob": "secret"}, folders=[NEWS], administrators=["alice"]
        ) as server:
            alice, bob = self.signIn(server), self.signIn(server, "bob")
            self.assertEqual(alice.append(f'"{NEWS}"', "", "", b"A: b\r\n\r\n")[0], "OK")
            self.assertEqual(bob.append(f'"{NEWS}"', "", "", b"A: b\r\n\r\n")[0], "NO")
            server.setRights(NEWS, "bob", "lrsi")
            self.assertEqual(bob.append(f'"{NEWS}"', "", "", b"A: b\r\n\r\n")[0], "OK")

    def test_wrongPassword(self) -> None:
        """
        A wrong password is refused, without the delay it costs in earnest.
        """
        with MailServer(users={"alice": "secret"}) as server:
            with self.assertRaises(imaplib.IMAP4.error):
                self.signIn(server, password="wrong")
            self.signIn(server)

    def test_tokens(self) -> None:
        """
        Who has a token signs in with it, also who is no user yet; another is refused.
        """
        with MailServer(users={"alice": "secret"}, tokens={"t-1": "alice", "t-2": "dora"}) as server:

            def present(token: str, user: str) -> imaplib.IMAP4:
                client = imaplib.IMAP4(server.host, server.port)
                self.addCleanup(client.shutdown)
                words = [f"user={user}\1auth=Bearer {token}\1\1".encode(), b""]
                client.authenticate("XOAUTH2", lambda challenge: words.pop(0))
                return client

            for token, user in (("t-1", "alice"), ("t-2", "dora")):
                self.assertEqual(present(token, user).select()[0], "OK")
            for token, user in (("t-2", "alice"), ("t-3", "alice")):
                with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
                    present(token, user)
            self.signIn(server)

    def test_goneInTheEnd(self) -> None:
        """
        When it ends its clients are cut off, its port is closed, and no
        thread and no descriptor is left.
        """
        # The first one makes Python import and open what it keeps for good.
        with MailServer():
            pass
        threads, descriptors = threading.active_count(), len(os.listdir("/dev/fd"))
        with MailServer(users={"alice": "secret"}) as server:
            client = imaplib.IMAP4(server.host, server.port)
            client.login("alice", "secret")
            address = (server.host, server.port)
        self.assertRaises(imaplib.IMAP4.abort, client.noop)
        client.shutdown()
        self.assertRaises(ConnectionRefusedError, socket.create_connection, address)
        self.assertEqual(threading.active_count(), threads)
        self.assertEqual(len(os.listdir("/dev/fd")), descriptors)
        self.assertEqual(server.port, 0)
        server.stop()
        self.assertRaises(RuntimeError, server.append, b"", NEWS)

    def test_several(self) -> None:
        """
        Several at once do not know each other; one can be started again, empty.
        """
        first, second = MailServer(users={"alice": "one"}), MailServer(users={"alice": "two"})
        with first, second:
            self.assertNotEqual(first.port, second.port)
            self.assertRaises(RuntimeError, first.start)
            self.signIn(first, password="one")
            self.signIn(second, password="two")
        with first:
            self.signIn(first, password="one")

    def test_cannotStart(self) -> None:
        """
        What makes no sense is told before, or when, it starts; nothing is left.
        """
        threads = threading.active_count()
        self.assertRaises(ConfigError, MailServer(transport="smoke:").start)
        error = self.assertRaises(StartFailed, MailServer(users={"a b": "x"}).start)
        self.assertIn("user name", str(error))
        self.assertRaises(StartFailed, MailServer(folders=["Public Folders//x"]).start)
        self.assertEqual(threading.active_count(), threads)

    def test_wrongArguments(self) -> None:
        """
        Passwords that cannot be, and one text in the place of several, are
        refused before anything starts.
        """
        for password in ("", "a\x00"):
            self.assertRaises(ValueError, MailServer, users={"alice": password})
        self.assertRaises(TypeError, MailServer, folders="News")
        self.assertRaises(TypeError, MailServer, administrators="alice")
        with MailServer(users={"alice": "secret"}) as server:
            for message, flags in ((b"x", "\\Seen"), ("x", ())):
                self.assertRaises(TypeError, server.append, message, "INBOX", flags, owner="alice")

    def test_limits(self) -> None:
        """
        Bounds can be set as in a config file.
        """
        config = Config(imap_limits=ImapLimits(max_sessions=1), ipc_limits=IpcLimits(patience=0.0))
        with MailServer(users={"alice": "secret"}, config=config) as server:
            self.signIn(server)
            self.assertRaises(imaplib.IMAP4.error, imaplib.IMAP4, server.host, server.port)

    def test_inAnyProgram(self) -> None:
        """
        It chooses no reactor for the program, installs no signal handler, and
        leaves no thread.
        """
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=childEnvironment(), capture_output=True, timeout=60
        )
        self.assertEqual((done.returncode, done.stdout), (0, b"good\n"), done.stderr.decode())

    def test_call(self) -> None:
        """
        Anything can be looked at in the server's own thread.
        """
        with MailServer(folders=[NEWS]) as server:

            async def look() -> int:
                self.assertIsNot(threading.current_thread(), threading.main_thread())
                assert server.service.remote is not None
                return server.service.remote.calls

            self.assertEqual(server.call(look), 0)


class OthersUsersTests(SynchronousTestCase):
    """
    A server whose store is behind a channel, with a directory of users beside it and a bound of its own.
    """

    def test_directory(self) -> None:
        """
        Who is known to the directory only gets an INBOX through the channel; clients are told the store's
        bound for messages, which nobody said to the front end.
        """
        config = Config(checkers=("memory:carol:secret",), store_limits=EngineLimits(max_message=5_000))
        with MailServer(transport=describe(self, "unix"), config=config) as server:
            client = imaplib.IMAP4(server.host, server.port)
            self.addCleanup(client.shutdown)
            self.assertEqual(client.login("carol", "secret")[0], "OK")
            self.assertIn("APPENDLIMIT=5000", client.capability()[1][0].decode().split())
            self.assertEqual(client.append("INBOX", "", "", b"Subject: hello\r\n\r\n")[0], "OK")
            self.assertEqual(client.select("INBOX"), ("OK", [b"1"]))


class ListenersTests(SynchronousTestCase):
    """
    What C{[imap]} says of a listener and of literals holds where clients connect.
    """

    def test_withoutPublicFolders(self) -> None:
        """
        At an endpoint without public folders LIST leaves them out unless they are named, and LITERAL- is
        announced in place of LITERAL+.
        """
        endpoint = "tcp:0:interface=127.0.0.1"
        for config, expected, literal in (
            (Config(without_public=(endpoint,), literals="minus"), 1, "LITERAL-"),
            (Config(), 3, "LITERAL+"),
        ):
            with MailServer(users={"alice": "secret"}, folders=[NEWS], config=config) as server:
                client = imaplib.IMAP4(server.host, server.port)
                self.addCleanup(client.shutdown)
                client.login("alice", "secret")
                self.assertEqual(len(client.list()[1]), expected)
                self.assertEqual(len(client.list('"Public Folders/"', "*")[1]), 1)
                words = client.capability()[1][0].decode().split()
                self.assertEqual([each for each in words if each.startswith("LITERAL")], [literal])


class ContentsTests(SynchronousTestCase):
    """
    Putting something into a server, and looking what is there.
    """

    def setUp(self) -> None:
        """
        Start one.
        """
        self.server = self.enterContext(
            MailServer(users={"alice": "secret", "bob": "secret"}, folders=[NEWS], lmtp=True)
        )

    def signIn(self) -> imaplib.IMAP4:
        """
        Alice's client.
        """
        client = imaplib.IMAP4(self.server.host, self.server.port, timeout=30)
        self.addCleanup(client.shutdown)
        client.login("alice", "secret")
        return client

    def test_deliver(self) -> None:
        """
        A message is delivered by name, by an address of any domain, and to a folder's address; each once.
        """
        self.server.addAddress(NEWS, "news@example.org")
        self.server.deliver(HELLO, "alice", "bob@anywhere.example", "News@example.org")
        for folder, owner in (("INBOX", "alice"), ("INBOX", "bob"), (NEWS, None)):
            (mail,) = self.server.messages(folder, owner)
            self.assertEqual((mail.uid, mail.subject, mail.text), (1, "hello", "wörld\n"), folder)
            self.assertEqual(mail.content, HELLO)

    def test_notDelivered(self) -> None:
        """
        Who does not get it is named, and the others get it.
        """
        error = self.assertRaises(NotDelivered, self.server.deliver, HELLO, "alice", "carol@example.org")
        self.assertIn("carol@example.org: ", str(error))
        self.assertNotIn("alice", str(error))
        self.assertEqual(len(self.server.messages("INBOX", "alice")), 1)
        self.assertRaises(TypeError, self.server.deliver, HELLO)
        self.assertRaises(TypeError, self.server.deliver, "text", "alice")

    def test_lmtp(self) -> None:
        """
        A program under test brings its mail by LMTP; strangers are refused.
        """
        with smtplib.LMTP(self.server.host, self.server.lmtp_port) as client:
            client.sendmail("app@example.com", ["alice@example.com"], HELLO)
            self.assertRaises(
                smtplib.SMTPRecipientsRefused, client.sendmail, "app@example.com", ["x@example.com"], HELLO
            )
        (mail,) = self.server.waitFor("INBOX", "alice")
        self.assertEqual(mail.message["Return-Path"], "<app@example.com>")

    def test_flags(self) -> None:
        """
        Flags and dates are those that clients see; in a public folder with each user's own C{\\Seen}.
        Looking sets none.
        """
        self.server.append(HELLO, NEWS, flags=["\\Flagged", "work"])
        self.server.setRights(NEWS, "alice", "lrsw")
        client = self.signIn()
        client.select(f'"{NEWS}"', readonly=True)
        _, (shown,) = client.fetch("1", "(INTERNALDATE)")
        (mail,) = self.server.messages(NEWS)
        self.assertEqual(mail.flags, ("\\Flagged", "work"))
        assert isinstance(shown, bytes)
        self.assertIn(mail.date.strftime("%d-%b-%Y %H:%M:%S %z").encode(), shown)
        client.select(f'"{NEWS}"')
        client.fetch("1", "(BODY[])")
        self.assertEqual(self.server.messages(NEWS, viewer="alice")[0].flags[0], "\\Seen")
        self.assertNotIn("\\Seen", self.server.messages(NEWS, viewer="bob")[0].flags)

    def test_large(self) -> None:
        """
        A message too large for one answer of the store is there whole; one without a text has none.
        """
        large = b"Content-Type: image/png\r\n\r\n" + b"x" * 3_000_000
        self.server.append(large, "INBOX", owner="alice")
        (mail,) = self.server.messages("INBOX", "alice")
        self.assertEqual(mail.content, large)
        self.assertEqual((mail.subject, mail.text), ("", ""))

    def test_waitFor(self) -> None:
        """
        What a client does while somebody waits ends the waiting, in a folder that is made meanwhile.
        """
        client = self.signIn()

        def work() -> None:
            client.create("Sent")
            for subject in (b"one", b"two", b"three"):
                client.append("Sent", "", "", b"Subject: " + subject + b"\r\n\r\n")

        thread = threading.Thread(target=work)
        thread.start()
        mails = self.server.waitFor(
            "Sent", "alice", count=2, match=lambda mail: "t" in mail.subject, timeout=30
        )
        thread.join(30)
        self.assertEqual([each.subject for each in mails], ["two", "three"])

    def test_notArrived(self) -> None:
        """
        What does not come in time is a failure of the test, which says what is there.
        """
        self.server.append(HELLO, "INBOX", owner="alice")
        error = self.assertRaises(NotArrived, self.server.waitFor, "INBOX", "alice", count=2, timeout=0.01)
        self.assertIn("1 of 2 messages in INBOX", str(error))
        self.assertIn("'hello'", str(error))
        self.assertIsInstance(error, AssertionError)
        error = self.assertRaises(NotArrived, self.server.waitFor, "Nowhere", "alice", timeout=0.01)
        self.assertIn("there are: none", str(error))

    def test_users(self) -> None:
        """
        Users and folders are made while it runs.
        """
        self.server.addUser("carol", "geheim")
        self.server.createFolder("Sent/2026", "carol")
        client = imaplib.IMAP4(self.server.host, self.server.port, timeout=30)
        self.addCleanup(client.shutdown)
        client.login("carol", "geheim")
        self.assertEqual(client.select("Sent/2026"), ("OK", [b"0"]))
        self.assertRaises(UserExists, self.server.addUser, "carol", "x")
        self.assertRaises(ValueError, self.server.addUser, "dave", "")
        self.assertRaises(FolderExists, self.server.createFolder, NEWS)

    def test_commands(self) -> None:
        """
        What clients did is known, in order.
        """
        client = self.signIn()
        client.select()
        client.uid("SEARCH", "ALL")
        self.assertEqual(self.server.commands(), ("CAPABILITY", "LOGIN", "SELECT", "UID SEARCH"))
        self.assertEqual(self.server.commands("alice"), ("SELECT", "UID SEARCH"))
        self.assertEqual(self.server.commands("bob"), ())

    def test_reset(self) -> None:
        """
        After a reset it is as at the start, at the same ports; who was connected is not.
        """
        client = self.signIn()
        client.create("Mine")
        self.server.addUser("carol", "x")
        self.server.deliver(HELLO, "alice")
        ports = (self.server.port, self.server.lmtp_port)
        self.server.reset()
        self.assertEqual((self.server.port, self.server.lmtp_port), ports)
        self.assertRaises((imaplib.IMAP4.abort, ConnectionError), client.noop)
        self.assertEqual(self.server.commands(), ())
        again = self.signIn()
        self.assertEqual(again.select(), ("OK", [b"0"]))
        self.assertEqual(again.select("Mine")[0], "NO")
        self.assertEqual(again.select(f'"{NEWS}"', readonly=True), ("OK", [b"0"]))
        self.server.addUser("carol", "x")


class TlsTests(SynchronousTestCase):
    """
    TLS in the server's own thread, for clients that check the certificate.
    """

    def test_both(self) -> None:
        """
        imaplib signs in by STARTTLS and by IMAPS, and reads and writes what does not fit into one record; no
        reactor of the program's is chosen for it.
        """
        done = subprocess.run(
            [sys.executable, "-c", TLS_PROGRAM], env=childEnvironment(), capture_output=True, timeout=60
        )
        self.assertEqual((done.returncode, done.stdout), (0, b"good\n"), done.stderr.decode())

    def test_reset(self) -> None:
        """
        Ports and certificate outlive a reset; without TLS there are none.
        """
        with MailServer(users={"alice": "secret"}, tls=True) as server:
            port, certificate = server.tls_port, server.certificate
            server.reset()
            self.assertEqual((server.tls_port, server.certificate), (port, certificate))
            with imaplib.IMAP4_SSL(server.host, port, ssl_context=server.sslContext()) as client:
                client.login("alice", "secret")
        self.assertEqual(server.tls_port, 0)
        self.assertRaises(RuntimeError, lambda: MailServer().certificate)

    def test_stranger(self) -> None:
        """
        A client that does not trust the certificate does not get on, and harms nobody.
        """
        with MailServer(users={"alice": "secret"}, tls=True) as server:
            other = ssl.create_default_context()
            for _ in range(3):
                with self.assertRaises(ssl.SSLError):
                    imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=other)
            with imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=server.sslContext()) as client:
                client.login("alice", "secret")
