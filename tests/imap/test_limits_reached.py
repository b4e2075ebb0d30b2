"""
Every bound of a front end is reached by some test, which sets it.
"""

from __future__ import annotations

import inspect
from typing import Any, cast

import attrs
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.limits import ImapLimits
from tests.imap.support import Client, Server
from tests.imap.wholeserver import WholeServer

_HERE = f"{__name__}.ReachedTests"
_CONNECTION = "tests.imap.test_connection"
_LISTS = "tests.imap.test_folderlist.FolderListsTests"
_SIGN_INS = "tests.imap.test_failedsignins"

#: Each field of L{ImapLimits} and a test that reaches it.
REACHED = {
    "max_sessions": f"{_CONNECTION}.BoundsTests.test_sessions",
    "max_sessions_per_address": f"{_CONNECTION}.BoundsTests.test_sessionsPerAddress",
    "max_sessions_per_user": f"{_CONNECTION}.BoundsTests.test_sessionsPerUser",
    "max_line": f"{_HERE}.test_line",
    "max_literal": f"{_HERE}.test_literal",
    "max_literals": f"{_HERE}.test_literals",
    "max_literal_count": f"{_HERE}.test_literalCount",
    "max_literal_before_login": f"{_HERE}.test_literalBeforeLogin",
    "max_discarded": f"{_HERE}.test_discarded",
    "max_buffered": f"{_CONNECTION}.StreamTests.test_pipelineBounded",
    "max_write": f"{_LISTS}.test_pieces",
    "write_timeout": f"{_HERE}.test_writeTimeout",
    "idle_timeout": f"{_HERE}.test_idleTimeout",
    "login_timeout": f"{_HERE}.test_loginTimeout",
    "literal_timeout": f"{_HERE}.test_literalTimeout",
    "login_delay": "tests.imap.commands.test_login.LoginTests.test_delay",
    "max_login_delay": f"{_SIGN_INS}.ClientTests.test_delayGrowsOverConnections",
    "max_login_failures": "tests.imap.commands.test_login.LoginTests.test_delay",
    "max_failures_per_address": f"{_SIGN_INS}.ClientTests.test_perAddress",
    "failure_memory": f"{_SIGN_INS}.TableTests.test_forgotten",
    "max_failing_addresses": f"{_SIGN_INS}.TableTests.test_bounded",
    "max_bad_commands": f"{_HERE}.test_badCommands",
    "max_folder_lists": f"{_LISTS}.test_boundedLists",
    "max_folder_list_bytes": f"{_LISTS}.test_boundedBytes",
    "max_answers": f"{_LISTS}.test_boundedAnswers",
    "max_known_commands": "tests.imap.test_knowncommands.KnownCommandsTests.test_bound",
    "max_shared_texts": "tests.imap.test_sharedtexts.SharedTextsTests.test_bound",
    "max_shared_lines": "tests.imap.test_sharedlines.SharedLinesTests.test_bound",
    "max_shared_contents": "tests.imap.test_sharedcontents.SharedContentsTests.test_bound",
    "max_compressed": "tests.imap.commands.test_compress.CompressTests.test_bound",
    "max_ranges": f"{_HERE}.test_ranges",
    "max_items": f"{_HERE}.test_items",
    "max_name": f"{_HERE}.test_name",
    "max_part_depth": f"{_HERE}.test_partDepth",
    "max_search_keys": f"{_HERE}.test_searchKeys",
    "max_search_depth": f"{_HERE}.test_searchDepth",
    "max_searched_folders": "tests.imap.commands.test_esearch.ESearchTests.test_bounds",
    "max_notified_folders": "tests.imap.commands.test_notify.NotifyTests.test_bounds",
    "max_all_notified_folders": "tests.imap.commands.test_notify.NotifyTests.test_bounds",
    "max_patterns": f"{_HERE}.test_patterns",
    "max_sections": f"{_HERE}.test_sections",
    "max_pattern": f"{_HERE}.test_pattern",
    "max_wildcards": f"{_HERE}.test_wildcards",
    "max_message": f"{_HERE}.test_message",
    "max_annotation": "tests.imap.commands.test_metadata.MetadataTests.test_bounds",
}


class MapTests(SynchronousTestCase):
    """
    L{REACHED}.
    """

    def test_complete(self) -> None:
        """
        It has every bound that there is, and no other.
        """
        self.assertEqual(sorted(REACHED), sorted(each.name for each in attrs.fields(ImapLimits)))

    def test_tests(self) -> None:
        """
        Each test exists, and sets the bound that it is said to reach.
        """
        for name, test in REACHED.items():
            self.assertIn(f"{name}=", inspect.getsource(namedAny(test)), test)


class ReachedTests(SynchronousTestCase):
    """
    At a bound a command does its work; beyond it there is an answer, and the next command is understood.
    """

    def server(self, **limits: Any) -> Server:
        """
        A server with these bounds.
        """
        return Server(self, ImapLimits(login_delay=0.0, **limits))

    def client(self, **limits: Any) -> Client:
        """
        A client of such a server, with a store, who has opened a folder with two messages.
        """
        server = WholeServer(self, limits=ImapLimits(login_delay=0.0, **limits))
        client = Client(cast(Server, server))
        server.clients.append(client)
        client.login()
        if "max_message" not in limits:
            client.ask(b"APPEND INBOX {6+}\r\na: b\r\n {6+}\r\nc: d\r\n")
        client.ask(b"SELECT INBOX")
        return client

    def assertAnswers(self, client: Client, within: bytes, beyond: bytes, answer: bytes) -> None:
        """
        One command is done, and one that asks for a little more is refused.
        """
        self.assertTrue(client.ask(within)[-1].startswith(b"T OK "), within[-60:])
        self.assertEqual(client.ask(beyond)[-1], answer)
        self.assertEqual(client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_line(self) -> None:
        """
        A line that is too long is thrown away to its end.
        """
        client = self.client(max_line=1000)
        for spaces, answer in ((900, b"T OK "), (1000, b"T BAD ")):
            lines = client.ask(b'LIST "" "%b"' % (b"x" * spaces))
            self.assertTrue(lines[-1].startswith(answer), lines)
        self.assertEqual(client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_literal(self) -> None:
        """
        A literal that is too long is refused before it has come.
        """
        client = self.client(max_literal=1000)
        client.say(b"a SEARCH SUBJECT {1001}\r\n")
        self.assertEqual(client.heard(), [b"a NO [TOOBIG] The literal is too long"])
        client.say(b"b SEARCH SUBJECT {1000}\r\n")
        self.assertEqual(client.heard(), [b"+ Go on"])
        client.say(b"x" * 1000 + b"\r\n")
        self.assertEqual(client.heard(), [b"* SEARCH", b"b OK SEARCH completed"])

    def test_literals(self) -> None:
        """
        So are literals that are too long together.
        """
        client = self.client(max_literals=1500)
        literal = b" HEADER X {800+}\r\n" + b"y" * 800
        self.assertEqual(
            client.ask(b"SEARCH" + literal + literal), [b"T NO [TOOBIG] The literal is too long"]
        )
        self.assertEqual(client.ask(b"NOOP"), [b"T OK NOOP completed"])

    def test_literalCount(self) -> None:
        """
        So are too many.
        """
        client = self.client(max_literal_count=2)
        self.assertAnswers(
            client,
            b"SEARCH HEADER {1+}\r\na {1+}\r\nb",
            b"SEARCH HEADER {1+}\r\na {1+}\r\nb SUBJECT {1+}\r\nc",
            b"T NO [TOOBIG] The literal is too long",
        )

    def test_literalBeforeLogin(self) -> None:
        """
        A stranger may send less.
        """
        client = self.server(max_literal_before_login=256).connect()
        client.say(b"a LOGIN {257}\r\n")
        self.assertEqual(client.heard(), [b"a NO [TOOBIG] The literal is too long"])
        client.say(b"b LOGIN {256}\r\n")
        self.assertEqual(client.heard(), [b"+ Go on"])

    def test_discarded(self) -> None:
        """
        What is too long to be read and thrown away costs the connection, after the answer.
        """
        client = self.client(max_literal=1000, max_discarded=2000)
        self.assertEqual(
            client.ask(b"SUBSCRIBE {2000+}\r\n" + b"x" * 2000), [b"T NO [TOOBIG] The literal is too long"]
        )
        client.say(b"a SUBSCRIBE {2001+}\r\n")
        answer, bye = client.heard()
        self.assertEqual(answer, b"a NO [TOOBIG] The literal is too long")
        self.assertTrue(bye.startswith(b"* BYE "))
        self.assertTrue(client.gone)

    def test_writeTimeout(self) -> None:
        """
        Who does not read what was written is cut off.
        """
        server = self.server(write_timeout=7.0, max_write=1024)
        for each in range(100):
            server.store.make(f"Public Folders/{each:05d}")
        client = server.client()
        client.protocol.pauseProducing()
        client.say(b'a LIST "" *\r\n')
        server.clock.advance(6.9)
        self.assertFalse(client.gone)
        server.clock.advance(0.2)
        self.assertTrue(client.gone)

    def test_idleTimeout(self) -> None:
        """
        Who says nothing is let go.
        """
        server = self.server(idle_timeout=7.0)
        client = server.client()
        server.clock.advance(6.9)
        self.assertEqual(client.ask(b"NOOP"), [b"T OK NOOP completed"])
        server.clock.advance(7.1)
        self.assertEqual(client.heard(), [b"* BYE Nothing heard for too long"])
        self.assertTrue(client.gone)

    def test_loginTimeout(self) -> None:
        """
        So is who does not sign in.
        """
        server = self.server(login_timeout=7.0)
        client = server.connect()
        server.clock.advance(6.9)
        self.assertFalse(client.gone)
        server.clock.advance(0.2)
        self.assertTrue(client.gone)

    def test_literalTimeout(self) -> None:
        """
        So is who announces a literal and does not send it.
        """
        server = self.server(literal_timeout=7.0)
        client = server.client()
        client.say(b"a SUBSCRIBE {10}\r\nxx")
        server.clock.advance(6.9)
        self.assertFalse(client.gone)
        server.clock.advance(0.2)
        self.assertTrue(client.gone)

    def test_badCommands(self) -> None:
        """
        A stranger who speaks no IMAP is let go.
        """
        client = self.server(max_bad_commands=3).connect()
        client.say(b"GET /\r\nHost: x\r\n")
        self.assertFalse(client.gone)
        client.say(b"Accept: y\r\n")
        self.assertTrue(client.gone)

    def test_ranges(self) -> None:
        """
        A set of too many ranges.
        """
        client = self.client(max_ranges=2)
        self.assertAnswers(
            client,
            b"SEARCH UID 1,3",
            b"SEARCH UID 1,3,5",
            b"T BAD A set of message numbers has more than 2 parts",
        )

    def test_items(self) -> None:
        """
        A list of too many items.
        """
        client = self.client(max_items=2)
        self.assertAnswers(
            client,
            b"STATUS INBOX (MESSAGES UNSEEN)",
            b"FETCH 1 (UID FLAGS RFC822.SIZE)",
            b"T BAD A list has more than 2 items",
        )

    def test_name(self) -> None:
        """
        A name that is too long.
        """
        client = self.client(max_name=16)
        self.assertAnswers(
            client,
            b"SUBSCRIBE " + b"x" * 16,
            b"SUBSCRIBE " + b"x" * 17,
            b"T BAD A mailbox name has more than 16 bytes",
        )

    def test_partDepth(self) -> None:
        """
        A part within too many others.
        """
        client = self.client(max_part_depth=2)
        self.assertAnswers(
            client, b"FETCH 1 BODY[1.2]", b"FETCH 1 BODY[1.2.3]", b"T BAD There is no such part"
        )

    def test_searchKeys(self) -> None:
        """
        A search for too much at once.
        """
        client = self.client(max_search_keys=3)
        self.assertAnswers(
            client,
            b"SEARCH NOT SEEN DRAFT",
            b"SEARCH NOT SEEN DRAFT DELETED",
            b"T BAD A search has more than 3 keys",
        )

    def test_searchDepth(self) -> None:
        """
        A search with too much in one another.
        """
        client = self.client(max_search_depth=3)
        self.assertAnswers(
            client,
            b"SEARCH OR SEEN (DRAFT DELETED)",
            b"SEARCH OR SEEN (DRAFT OR SEEN (DRAFT DELETED))",
            b"T BAD A search is nested deeper than 3",
        )

    def test_patterns(self) -> None:
        """
        Too many patterns in one LIST.
        """
        client = self.client(max_patterns=2)
        self.assertAnswers(
            client, b'LIST "" (a b)', b'LIST "" (a b c)', b"T BAD LIST has more than 2 patterns"
        )

    def test_sections(self) -> None:
        """
        Too many sections in one FETCH.
        """
        client = self.client(max_sections=2)
        self.assertAnswers(
            client,
            b"FETCH 1 (BODY[1] BODY[2])",
            b"FETCH 1 (BODY[1] BODY[2] BODY[3])",
            b"T NO [LIMIT] Too many sections at once",
        )

    def test_pattern(self) -> None:
        """
        A pattern that is too long with its reference.
        """
        client = self.client(max_pattern=16)
        self.assertAnswers(
            client,
            b"LIST abcdefgh ijklmnop",
            b"LIST abcdefgh ijklmnopq",
            b"T NO [LIMIT] The pattern is too long",
        )

    def test_wildcards(self) -> None:
        """
        Too many wildcards.
        """
        client = self.client(max_wildcards=2)
        self.assertAnswers(
            client, b'LIST "" *a%', b'LIST "" *a%b*', b"T NO [LIMIT] The pattern has too many wildcards"
        )

    def test_message(self) -> None:
        """
        A message that is too big.
        """
        client = self.client(max_message=10)
        client.say(b"a APPEND INBOX {11}\r\n")
        self.assertEqual(client.heard(), [b"a NO [TOOBIG] The message is too big"])
        self.assertAnswers(
            client,
            b"APPEND INBOX {10+}\r\n" + b"x" * 10,
            b"APPEND INBOX {11+}\r\n" + b"x" * 11,
            b"T NO [TOOBIG] The message is too big",
        )
