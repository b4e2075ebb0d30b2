"""
Mail comes in by LMTP: Python's client, msmtp and swaks, against C{twist mailstore}.
"""

from __future__ import annotations

import os
import shutil
import signal
import smtplib
import subprocess
import sys
import threading
from typing import Any

from mailstore.interfaces import IStore
from mailstore.model import ANYONE, MESSAGE, SYSTEM
from tests.channels import describe, shortDirectory
from tests.clients.rawclient import RawClient
from tests.clients.servercase import ServerProcess, ServerTestCase

_CONFIG = """\
[store]
url = {url!r}
[transport]
description = {transport!r}
[lmtp]
listen = ["unix:{socket}", "tcp:0:interface=127.0.0.1"]
domains = ["example.org"]
[limits.lmtp]
max_connections = 20
"""

_NEWS = "Public Folders/News"


async def _fill(store: IStore) -> None:
    """
    A folder with an address, and a user without room.
    """
    await store.createFolder(SYSTEM, _NEWS)
    await store.addAddress(SYSTEM, _NEWS, "news@example.org")
    await store.setRights(SYSTEM, _NEWS, ANYONE, "p")
    await store.setQuota(SYSTEM, "#user/full", ((MESSAGE, 0),))


class LmtpCase(ServerTestCase):
    """
    A server that takes mail.

    @ivar socket: where.
    """

    def deliveryServer(self, kind: str = "memory") -> ServerProcess:
        """
        Start it.

        @param kind: which of L{tests.channels.KINDS}.
        """
        url = self.makeStore("alice", "bob", "full", fill=_fill)
        self.socket = f"{shortDirectory(self)}/lmtp"
        transport = describe(self, kind)
        config = self.directory() / "mail.toml"
        config.write_text(_CONFIG.format(url=url, transport=transport, socket=self.socket))
        return self.serve("--config", str(config))

    def subjects(self, server: ServerProcess, folder: str = "INBOX", user: str = "alice") -> list[str]:
        """
        What has arrived in a folder.
        """
        client = RawClient(server.port)
        try:
            client.command(b"LOGIN %s password" % user.encode())
            client.command(b'EXAMINE "%s"' % folder.encode())
            return [
                response.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                for response in client.command(b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
                if b" FETCH (" in response
            ]
        finally:
            client.close()


class SmtplibTests(LmtpCase):
    """
    Python's client.
    """

    def test_delivers(self) -> None:
        """
        Users and folders get a message, who has no room or is nobody is refused, and an idling
        client hears of it.
        """
        server = self.deliveryServer("unix")
        idler = RawClient(server.port)
        idler.command(b"LOGIN alice password")
        idler.command(b"SELECT INBOX")
        tag = idler.begin(b"IDLE")
        self.assertTrue(idler.response().startswith(b"+"))
        with smtplib.LMTP(self.socket, timeout=60) as client:
            people = ["alice@example.org", "full@example.org", "News@example.org", "none@example.org", "bob"]
            client.ehlo()
            client.mail("x@example.net", [f"size={1000}"])
            self.assertEqual([client.rcpt(each)[0] for each in people], [250, 552, 250, 550, 250])
            # smtplib reads one reply after the message, and not one for each recipient.
            codes = [client.data(b"Subject: one\r\n\r\n.dot\r\nhello\r\n")[0]]
            codes += [client.getreply()[0] for _ in range(2)]
            self.assertEqual(codes, [250, 250, 250])
            big = b"Subject: two\r\n\r\n" + b"0123456789abcde\r\n" * 200_000
            self.assertEqual(client.sendmail("", ["alice"], big), {})
        while idler.response() != b"* 2 EXISTS\r\n":
            pass
        idler.send(b"DONE\r\n")
        idler.finish(tag)
        body = b"".join(idler.command(b"FETCH 1 BODY.PEEK[]"))
        self.assertIn(b"Return-Path: <x@example.net>\r\n", body)
        self.assertIn(b"\r\n\r\n.dot\r\nhello\r\n", body)
        self.assertIn(b"Delivered-To: alice\r\n", b"".join(idler.command(b"FETCH 2 BODY.PEEK[HEADER]")))
        idler.close()
        self.assertEqual(self.subjects(server, _NEWS), ["one"])
        self.assertEqual(self.subjects(server, user="bob"), ["one"])

    def test_nobodyElse(self) -> None:
        """
        The server does not start where others could hand in mail, and says what to write instead.
        """
        url = self.makeStore("alice")
        for endpoint, reason in (
            ("tcp:2400", "on every interface"),
            ("tcp:2400:interface=0.0.0.0", "on interface 0.0.0.0"),
        ):
            text = self.refusedToStart("--store", url, "--lmtp", endpoint)
            self.assertIn(f"mailstore: {endpoint}: mail is taken without asking who brings it", text)
            self.assertIn(reason, text)
            self.assertIn("use unix:PATH, or add ':interface=127.0.0.1'", text)

    def refusedToStart(self, *options: str) -> str:
        """
        What a server says that does not start.
        """
        done = subprocess.run(
            [sys.executable, "-m", "twisted", "mailstore", *options],
            capture_output=True,
            timeout=120,
            cwd=self.directory(),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.assertEqual(done.returncode, 78)
        return done.stderr.decode()


class Sender:
    """
    A mail server that sends without pause, each message once, and remembers what it was told.
    """

    def __init__(self, socket: str, number: int) -> None:
        self._number = number
        self._socket = socket
        self.accepted: list[str] = []
        self.deferred: list[str] = []
        #: Set by the test: no message is begun any more.
        self.enough = threading.Event()
        #: Set by the test: the store that there was is dead.
        self.killed = threading.Event()
        #: Set when a message was accepted that was begun after that.
        self.recovered = threading.Event()
        #: Set when the first message was accepted.
        self.begun = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with smtplib.LMTP(self._socket, timeout=60) as client:
                client.ehlo()
                while not self.enough.is_set():
                    self._send(client, f"{self._number}.{len(self.accepted) + len(self.deferred)}")
        except BaseException as error:
            self.error = error
            self.begun.set()
            self.recovered.set()

    def _send(self, client: smtplib.LMTP, name: str) -> None:
        late = self.killed.is_set()
        codes = [client.docmd("MAIL", "FROM:<>")[0]]
        codes.append(client.docmd("RCPT", "TO:<alice>")[0])
        codes.append(client.docmd("RCPT", "TO:<news@example.org>")[0])
        if codes == [250, 250, 250]:
            assert client.docmd("DATA")[0] == 354
            client.send(f"Subject: {name}\r\n\r\n{name * 20}\r\n.\r\n")
            codes = [client.getreply()[0], client.getreply()[0]]
        assert all(code in (250, 451, 452) for code in codes), codes
        if set(codes) == {250}:
            self.accepted.append(name)
            self.begun.set()
            if late:
                self.recovered.set()
        else:
            assert codes[-2:] != [250, 250], codes
            self.deferred.append(name)
            client.docmd("RSET")

    def finish(self) -> None:
        """
        Let the message under way end.
        """
        self.enough.set()
        self._thread.join(60)


class StoreDeathTests:
    """
    C{kill -9} of the store's process while mail comes in.
    """

    kind = ""

    def test_sendersGoOn(self: Any) -> None:
        """
        What was in flight is answered with 4xx, what was not waits for the new store, all connections go on
        with it; what was accepted is there, in each folder once, and nothing is there twice.
        """
        server = self.deliveryServer(self.kind)
        senders = [Sender(self.socket, number) for number in range(4)]
        for sender in senders:
            sender.begun.wait(60)
        (store,) = server.children()
        os.kill(store, signal.SIGKILL)
        for sender in senders:
            sender.killed.set()
        for sender in senders:
            self.assertTrue(sender.recovered.wait(60), server.output)
            sender.finish()
            self.assertIsNone(sender.error, server.output)
        accepted = {name for sender in senders for name in sender.accepted}
        deferred = {name for sender in senders for name in sender.deferred}
        for folder in ("INBOX", _NEWS):
            stored = self.subjects(server, folder)
            self.assertEqual(len(stored), len(set(stored)))
            self.assertEqual(accepted - set(stored), set())
            # Of what was deferred it is unknown, but nothing else may be there.
            self.assertEqual(set(stored) - accepted - deferred, set())


class UnixDeathTests(StoreDeathTests, LmtpCase):
    """
    Over a Unix socket.
    """

    kind = "unix"


class SharedMemoryDeathTests(StoreDeathTests, LmtpCase):
    """
    Over shared memory.
    """

    kind = "shm"


def _need(program: str) -> str | None:
    """
    Why a test of C{program} cannot run, if it cannot.
    """
    return None if shutil.which(program) else f"{program} is not installed (.ci/run installs it)"


class ProgramTests(LmtpCase):
    """
    Programs that mail servers and scripts use.
    """

    def _done(self, *command: str, stdin: bytes) -> str:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.decode()

    def test_msmtp(self) -> None:
        """
        msmtp delivers through the Unix socket to two recipients.
        """
        server = self.deliveryServer()
        message = b"Subject: from msmtp\n\n.hello\n"
        where = (
            "--file=/dev/null",
            "--host=localhost",
            "--port=24",
            "--protocol=lmtp",
            f"--socket={self.socket}",
            "--from=x@example.net",
        )
        self._done("msmtp", *where, "alice@example.org", "news@example.org", stdin=message)
        self.assertEqual(self.subjects(server), ["from msmtp"])
        self.assertEqual(self.subjects(server, _NEWS), ["from msmtp"])

    test_msmtp.skip = _need("msmtp")  # type: ignore[attr-defined]

    def test_swaks(self) -> None:
        """
        swaks pipelines its commands, and gets a reply for each recipient.
        """
        server = self.deliveryServer()
        said = self._done(
            *(
                "swaks",
                "--protocol",
                "LMTP",
                "--socket",
                self.socket,
                "--pipeline",
                "--from",
                "x@example.net",
            ),
            *(
                "--to",
                "alice@example.org,bob@example.org",
                "--header",
                "Subject: from swaks",
                "--body",
                "hello",
            ),
            stdin=b"",
        )
        self.assertIn("250 2.1.5 <alice@example.org> delivered", said)
        self.assertIn("250 2.1.5 <bob@example.org> delivered", said)
        self.assertEqual(self.subjects(server, user="bob"), ["from swaks"])

    test_swaks.skip = _need("swaks")  # type: ignore[attr-defined]
