"""
Tests for L{mailstore.testing.faults}: what is to go wrong does, and nothing else.
"""

from __future__ import annotations

import imaplib
import smtplib
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from mailstore.testing import MailServer
from tests.channels import KINDS, describe

#: What imaplib raises at the end of a connection: by whether all that it sent was read.
DROPPED = (imaplib.IMAP4.abort, ConnectionError)

MESSAGE = b"Subject: hello\r\n\r\nworld\r\n"


class FaultCase(SynchronousTestCase):
    """
    A server, and clients that have signed in.
    """

    def setUp(self) -> None:
        """
        Start it.
        """
        self.server = self.enterContext(MailServer(users={"alice": "secret", "bob": "secret"}))
        self.faults = self.server.faults

    def client(self, user: str = "alice") -> imaplib.IMAP4:
        """
        One that has signed in.
        """
        client = imaplib.IMAP4(self.server.host, self.server.port, timeout=30)
        self.addCleanup(client.sock.close)
        client.login(user, "secret")
        return client

    def until(self, happened: Callable[[], bool]) -> None:
        """
        Ask the server until something has happened.
        """
        end = monotonic() + 30
        while not happened():
            self.assertLess(monotonic(), end)

    def status(self, client: imaplib.IMAP4) -> bytes:
        """
        What STATUS of the INBOX says: how many messages, or why not.
        """
        answer, (text,) = client.status("INBOX", "(MESSAGES)")
        return bytes(text) if answer == "OK" else answer.encode() + b" " + text


class CommandFaultTests(FaultCase):
    """
    Commands that go wrong.
    """

    def test_refused(self) -> None:
        """
        A command is answered NO, with a code, and not carried out, as long as the C{with} lasts; other
        commands are.
        """
        client = self.client()
        with self.faults.refuse("append", code="OVERQUOTA", text="No room") as fault:
            for hits in (1, 2):
                self.assertEqual(client.append("INBOX", "", "", MESSAGE), ("NO", [b"[OVERQUOTA] No room"]))
                self.assertEqual(fault.hits, hits)
            self.assertEqual(self.status(client), b"INBOX (MESSAGES 0)")
        self.assertEqual(client.append("INBOX", "", "", MESSAGE)[0], "OK")
        self.assertEqual(fault.hits, 2)

    def test_times(self) -> None:
        """
        A fault wears off after so many commands: who tries again succeeds.
        """
        client = self.client()
        self.faults.refuse("SELECT", times=2)
        self.assertEqual([client.select()[0] for _ in range(4)], ["NO", "NO", "OK", "OK"])

    def test_bad(self) -> None:
        """
        BAD in place of NO.
        """
        self.faults.refuse("NOOP", bad=True, text="Never heard of it")
        error = self.assertRaises(imaplib.IMAP4.error, self.client().noop)
        self.assertIn("Never heard of it", str(error))

    def test_bothForms(self) -> None:
        """
        A name means the command by UID too; with UID only that.
        """
        self.server.append(MESSAGE, "INBOX", owner="alice")
        client = self.client()
        client.select()
        for name, plain in (("FETCH", "NO"), ("uid fetch", "OK")):
            with self.faults.refuse(name):
                self.assertEqual(client.fetch("1", "(FLAGS)")[0], plain)
                self.assertEqual(client.uid("FETCH", "1", "(FLAGS)")[0], "NO")

    def test_oneUser(self) -> None:
        """
        It can go wrong for one user alone.
        """
        self.faults.refuse("SELECT", user="bob")
        self.assertEqual(self.client("alice").select()[0], "OK")
        self.assertEqual(self.client("bob").select()[0], "NO")

    def test_dropped(self) -> None:
        """
        The connection is dropped, once; the message that was to be appended is not there.
        """
        client = self.client()
        fault = self.faults.disconnect("APPEND", times=1)
        self.assertRaises(DROPPED, client.append, "INBOX", "", "", MESSAGE)
        self.assertEqual(fault.hits, 1)
        again = self.client()
        self.assertEqual(self.status(again), b"INBOX (MESSAGES 0)")
        self.assertEqual(again.append("INBOX", "", "", MESSAGE)[0], "OK")

    def test_droppedAfter(self) -> None:
        """
        The connection is dropped when the command has been carried out, before its client is told.
        """
        client = self.client()
        with self.faults.disconnect("APPEND", after=True):
            self.assertRaises(DROPPED, client.append, "INBOX", "", "", MESSAGE)
        self.assertEqual(self.status(self.client()), b"INBOX (MESSAGES 1)")

    def test_delayed(self) -> None:
        """
        A command takes its time, and others are served meanwhile.
        """
        slow, quick = self.client(), self.client()
        answers: list[str] = []
        with self.faults.delay("SELECT", 0.2) as fault:
            begun = monotonic()
            thread = Thread(target=lambda: answers.append(slow.select()[0]))
            thread.start()
            self.assertEqual(quick.noop()[0], "OK")
            before = list(answers)
            thread.join(30)
            took = monotonic() - begun
        self.assertEqual((before, answers, fault.hits), ([], ["OK"], 1))
        self.assertGreaterEqual(took, 0.2)

    def test_delayedAndGone(self) -> None:
        """
        A client need not wait to the end; whoever hangs up leaves nothing behind.
        """
        client = self.client()
        with self.faults.delay("NOOP", 600.0):
            client.send(b"x NOOP\r\n")
            self.until(lambda: "NOOP" in self.server.commands("alice"))
            client.sock.close()
        self.server.reset()
        self.assertEqual(self.server.call(self._links), 0)

    async def _links(self) -> int:
        return len(self.server.service.links)

    def test_clear(self) -> None:
        """
        All of them end at once, and by a reset.
        """
        client = self.client()
        self.faults.refuse("SELECT")
        self.faults.refuse("NOOP")
        self.faults.clear()
        self.assertEqual((client.select()[0], client.noop()[0]), ("OK", "OK"))
        kept = self.faults.refuse("SELECT")
        self.server.reset()
        kept.remove()
        self.assertEqual(self.client().select()[0], "OK")

    def test_stopped(self) -> None:
        """
        A fault may outlive its server.
        """
        with ExitStack() as faults, MailServer() as server:
            faults.enter_context(server.faults.refuse("NOOP"))
            for fault in (server.faults.slowStore(1.0), server.faults.fullQueue(), server.faults.deadStore()):
                faults.enter_context(fault)
        self.assertRaises(RuntimeError, server.faults.refuse, "NOOP")

    def test_wrong(self) -> None:
        """
        What makes no sense is refused when it is asked for.
        """
        error = self.assertRaises(ValueError, self.faults.refuse, "FETHC")
        self.assertIn("'FETCH'", str(error))
        for wrong in (0, -1, 1.5):
            self.assertRaises(ValueError, self.faults.refuse, "NOOP", times=wrong)
        for text, code in (("a\r\nb", ""), ("é", ""), ("x", "A]B"), ("x", "a\nb")):
            self.assertRaises(ValueError, self.faults.refuse, "NOOP", text=text, code=code)
        for seconds in (-1.0, 1e9, float("nan")):
            self.assertRaises(ValueError, self.faults.delay, "NOOP", seconds)
        for patience in (-1.0, 1e9):
            self.assertRaises(ValueError, self.faults.fullQueue(patience).__enter__)
        self.assertEqual(self.client().noop()[0], "OK")


class StoreFaultTests(FaultCase):
    """
    A queue that is full, and a store that is gone or slow.
    """

    def test_full(self) -> None:
        """
        What needs the store is refused and nothing else is; the counters say that the queue is full; then
        all is as before.
        """
        client = self.client()
        with self.faults.fullQueue():
            self.assertEqual(self.status(client), b"NO [UNAVAILABLE] The store is busy, try again")
            self.assertEqual(client.noop()[0], "OK")
            remote = self.server.service.remote
            assert remote is not None
            counters = remote.statistics()
            self.assertEqual(counters.blocks_allocated, counters.blocks_capacity)
            self.assertGreaterEqual(counters.refused_total, 1)
        self.assertEqual(self.status(client), b"INBOX (MESSAGES 0)")
        self.assertEqual(remote.statistics().blocks_allocated, 0)

    def test_fullAndPatient(self) -> None:
        """
        With patience, a command waits, and is carried out when there is room.
        """
        client = self.client()
        answers: list[bytes] = []
        thread = Thread(target=lambda: answers.append(self.status(client)))
        with self.faults.fullQueue(patience=60.0):
            thread.start()
            self.until(lambda: "STATUS" in self.server.commands("alice"))
            self.assertEqual(answers, [])
        thread.join(30)
        self.assertEqual(answers, [b"INBOX (MESSAGES 0)"])

    def test_dead(self) -> None:
        """
        The store is away: commands are refused, connections stay, and what was stored is there again.
        """
        client = self.client()
        client.append("INBOX", "", "", MESSAGE)
        client.select()
        for _ in range(2):
            with self.faults.deadStore():
                self.assertEqual(
                    self.status(client), b"NO [UNAVAILABLE] The store cannot be reached, try again"
                )
            self.assertEqual(self.status(client), b"INBOX (MESSAGES 1)")

    def test_deadInFlight(self) -> None:
        """
        What the store was busy with is answered too.
        """
        client = self.client()
        answers: list[bytes] = []
        thread = Thread(target=lambda: answers.append(self.status(client)))
        with self.faults.slowStore(600.0):
            thread.start()
            self.until(lambda: self.server.call(self._calls) > 0)
            with self.faults.deadStore():
                thread.join(30)
        self.assertEqual([each[:16] for each in answers], [b"NO [UNAVAILABLE]"])

    async def _calls(self) -> int:
        remote = self.server.service.remote
        assert remote is not None
        return remote.calls

    def test_slow(self) -> None:
        """
        The store takes its time, with answers of one piece and of many.
        """
        self.server.append(MESSAGE, "INBOX", owner="alice")
        client = self.client()
        with self.faults.slowStore(0.1):
            begun = monotonic()
            self.assertEqual(self.status(client), b"INBOX (MESSAGES 1)")
            self.assertGreaterEqual(monotonic() - begun, 0.1)
            self.assertEqual(client.select()[1], [b"1"])
            begun = monotonic()
            self.assertEqual(client.fetch("1", "(BODY.PEEK[TEXT])")[0], "OK")
            self.assertGreaterEqual(monotonic() - begun, 0.1)

    def test_dropAll(self) -> None:
        """
        Every connection is dropped, and counted.
        """
        clients = [self.client(), self.client()]
        self.assertEqual(self.faults.dropAll(), 2)
        for client in clients:
            self.assertRaises(DROPPED, client.noop)
        self.assertEqual(self.client().noop()[0], "OK")


class EveryTransportTests(SynchronousTestCase):
    """
    Whatever joins front end and store.
    """

    def test_everyTransport(self) -> None:
        """
        The queue is full and the store away over each kind of channel, for LMTP too.
        """
        for kind in KINDS:
            with MailServer(users={"a": "x"}, lmtp=True, transport=describe(self, kind)) as server:
                client = imaplib.IMAP4(server.host, server.port, timeout=30)
                self.addCleanup(client.shutdown)
                client.login("a", "x")
                lmtp = smtplib.LMTP(server.host, server.lmtp_port)
                self.addCleanup(lmtp.close)
                for fault in (server.faults.fullQueue, server.faults.deadStore):
                    with fault():
                        self.assertEqual(client.select()[0], "NO", kind)
                        with self.assertRaises(smtplib.SMTPRecipientsRefused) as caught:
                            lmtp.sendmail("x@example.org", ["a@example.org"], MESSAGE)
                        ((code, _),) = caught.exception.recipients.values()
                        self.assertEqual(code // 100, 4)
                    self.assertEqual(client.select()[0], "OK", kind)
                lmtp.sendmail("x@example.org", ["a@example.org"], MESSAGE)
                self.assertEqual(len(server.waitFor("INBOX", "a")), 1)
