"""
Tests of L{tests.fuzz.hearing}, and that its target notices what it is for.
"""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.view import View, ViewChanges
from mailstore.model import FolderDelta
from tests.fuzz.client import FuzzClient
from tests.fuzz.hearing import Hearing, responses
from tests.fuzz.runner import Failed, run
from tests.fuzz.sessions import sessions
from tests.fuzz.sessiontarget import SessionTarget
from tests.fuzz.target import Broken
from tests.imap import support
from tests.imap.wholeserver import WholeServer


class ResponsesTests(SynchronousTestCase):
    """
    L{responses}.
    """

    def test_literals(self) -> None:
        """
        What is in a literal is no response.
        """
        data = b"* 1 FETCH (BODY[] {13}\r\n* 1 EXPUNGE\r\n UID 1)\r\na OK x\r\n"
        self.assertEqual([len(each) for each in responses(data)], [len(data) - 8, 8])

    def test_half(self) -> None:
        """
        What is not all there.
        """
        for data in (b"* 1 EXISTS", b"a OK x\r\nb", b"* 1 FETCH (BODY[] {13}\r\n* 1"):
            self.assertRaises(Broken, list, responses(data))


class HearingTests(SynchronousTestCase):
    """
    L{Hearing}.
    """

    def opened(self, messages: int) -> Hearing:
        """
        A client that has opened a folder.
        """
        hearing = Hearing()
        hearing.hear(b"SELECT x", b"* %d EXISTS\r\na OK done\r\n" % messages, b"a")
        self.assertEqual(hearing.messages, messages)
        return hearing

    def test_counts(self) -> None:
        """
        Messages come, go and vanish.
        """
        hearing = self.opened(5)
        said = (
            b"* 7 EXISTS\r\n* 1 EXPUNGE\r\n* 6 EXPUNGE\r\n* VANISHED 1,3:5\r\n* VANISHED (EARLIER) 1:99\r\n"
        )
        self.assertEqual(hearing.hear(b"NOOP", said + b"a OK done\r\n", b"a"), b"OK")
        self.assertEqual(hearing.messages, 1)
        hearing.hear(b"CLOSE", b"a OK done\r\n", b"a")
        self.assertIsNone(hearing.messages)
        hearing.hear(b"SELECT x", b"* 1 EXISTS\r\na NO none\r\n", b"a")
        self.assertIsNone(hearing.messages)

    def test_refused(self) -> None:
        """
        What must not be said.
        """
        for command, said in (
            (b"NOOP", b"* 4 EXISTS\r\n"),
            (b"NOOP", b"* 6 EXPUNGE\r\n"),
            (b"NOOP", b"* 0 EXPUNGE\r\n"),
            (b"FETCH 1:* FLAGS", b"* 6 FETCH (FLAGS ())\r\n"),
            (b"FETCH 1:* FLAGS", b"* 1 EXPUNGE\r\n"),
            (b"STORE 1 FLAGS ()", b"* 1 EXPUNGE\r\n"),
            (b"SEARCH ALL", b"* VANISHED 1\r\n"),
            (b"NOOP", b"* VANISHED 1:6\r\n"),
            (b"NOOP", b"* VANISHED x\r\n"),
            (b"NOOP", b"* 6 RECENT\r\n"),
            (b"NOOP", b"b OK another's\r\n"),
            (b"NOOP", b"a OK done\r\n"),
        ):
            self.assertRaises(Broken, self.opened(5).hear, command, said + b"a OK done\r\n", b"a")
        # Nothing is known of a folder that is not open, and UID commands may lose messages.
        Hearing().hear(b"NOOP", b"* 9 EXPUNGE\r\na OK done\r\n", b"a")
        self.opened(5).hear(b"UID FETCH 1 FLAGS", b"* 1 EXPUNGE\r\na OK done\r\n", b"a")


class FuzzClientTests(SynchronousTestCase):
    """
    L{FuzzClient}.
    """

    def test_compressed(self) -> None:
        """
        When the server compresses, so does it.
        """
        server = WholeServer(self)
        client = FuzzClient(cast(support.Server, server))
        server.clients.append(client)
        client.login()
        for command in (b"COMPRESS DEFLATE", b"NOOP", b"COMPRESS DEFLATE"):
            client.send(b"x " + command + b"\r\n")
            server.settle()
            raw = client.transport.value()
            said = client.take()
            self.assertTrue(said.startswith(b"x "), said)
        self.assertEqual(said[:6], b"x BAD ")
        self.assertNotEqual(raw, said)
        for command, beginning in ((b"UNAUTHENTICATE", b"x OK [CAP"), (b"NOOP", b"x OK NOOP")):
            client.send(b"x " + command + b"\r\n")
            server.settle()
            raw = client.transport.value()
            said = client.take()
            self.assertEqual(said[:9], beginning)
        self.assertEqual(raw, said)


class SessionTargetTests(SynchronousTestCase):
    """
    L{SessionTarget}.
    """

    def test_examples(self) -> None:
        """
        Sessions have two clients and many steps.
        """
        self.assertGreater(len(sessions()), 8)
        self.assertEqual({who for session in sessions() for who, _ in session}, {b"A", b"B"})

    def test_notices(self) -> None:
        """
        A view whose messages go while a client counts them.
        """

        def eager(view: View, delta: FolderDelta, may_expunge: bool) -> ViewChanges:
            return apply(view, delta, True)

        apply = View.apply
        self.patch(View, "apply", eager)
        failed = self.assertRaises(Failed, run, SessionTarget(), range(200), 0, total=200)
        self.assertRegex(str(failed), "(EXPUNGE|VANISHED) while b'[A-Z]+' is answered")
