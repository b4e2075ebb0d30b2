"""
Tests for L{mailstore.testing.MailServer}.
"""

from __future__ import annotations

import imaplib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mailstore.config import Config, ConfigError
from mailstore.engine.limits import EngineLimits
from mailstore.imap.limits import ImapLimits
from mailstore.ipc.limits import IpcLimits
from mailstore.supervisor import childEnvironment
from mailstore.testing import MailServer, NotLoaded
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
